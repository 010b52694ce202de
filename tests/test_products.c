/* Products of matrices, of every instruction set that this processor runs and of BLAS, against plain loops in double; bits of
 * packed products do not depend on the number of rows. */
#include <stdlib.h>

#include "kernel_bed.h"

/* ------------------------------------------------------------------ products */

static double activated(const struct gemm_shape *s, double x) {
  switch (s->act) {
    case GEMM_LEAKY: return x < 0 ? x * s->slope : x;
    case GEMM_TANH: return tanh(x);
    case GEMM_SIGMOID: return 1 / (1 + exp(-x));
    default: return x;
  }
}

/* A product's operands, larger than they need be where leading dimensions say so; C with a border that must stay. */
struct product { struct gemm_shape s; float *a, *b, *bias, *c, *packed; int64_t c_size; };

static struct gemm_shape shape(int64_t m, int64_t n, int64_t k, int32_t ta, int32_t tb, int64_t gap) {
  int64_t lda = (ta ? m : k) + gap, ldb = (tb ? k : n) + gap, ldc = n + gap;
  return (struct gemm_shape){.m = m, .n = n, .k = k, .lda = lda, .ldb = ldb, .ldc = ldc, .ta = ta, .tb = tb};
}

static struct product make_product(const struct kernels *k, struct gemm_shape s) {
  struct product p = {.s = s, .c_size = s.m * s.ldc + 1};
  p.a = random_floats((s.ta ? s.k : s.m) * s.lda + 1, -1, 1);
  p.b = random_floats((s.tb ? s.n : s.k) * s.ldb + 1, -1, 1);
  p.bias = random_floats(s.n + 1, -1, 1);
  p.c = filled(p.c_size, NAN);
  p.packed = (float *)allocate(gemm_packed_bytes(k, s.n, s.k));
  gemm_pack(k, p.b, s.ldb, s.tb, s.n, s.k, p.packed);
  return p;
}

static void free_product(struct product *p) {
  free(p->a), free(p->b), free(p->bias), free(p->c), free(p->packed);
}

static void run_product(const struct kernels *k, const struct product *p, float *c, int32_t backwards) {
  void *scratch = allocate(gemm_scratch(k, &p->s));
  int64_t chunks = gemm_chunks(k, &p->s);
  const float *b = p->s.packed ? p->packed : p->b, *bias = p->s.has_bias ? p->bias : NULL;
  for (int64_t i = 0; i < chunks; i++) gemm_run(k, &p->s, p->a, b, bias, c, backwards ? chunks - 1 - i : i, scratch);
  free(scratch);
}

static void assert_product(const struct product *p) {
  const struct gemm_shape *s = &p->s;
  for (int64_t i = 0; i < s->m; i++) {
    for (int64_t j = 0; j < s->n; j++) {
      double sum = s->has_bias ? p->bias[j] : 0, size = fabs(sum);
      for (int64_t q = 0; q < s->k; q++) {
        double term = (double)p->a[s->ta ? q * s->lda + i : i * s->lda + q] * p->b[s->tb ? j * s->ldb + q : q * s->ldb + j];
        sum += term, size += fabs(term);
      }
      assert_near(p->c[i * s->ldc + j], activated(s, sum), 2e-6 * size + 2e-7);
    }
    for (int64_t j = s->n; j < s->ldc; j++) assert_true(isnan(p->c[i * s->ldc + j]));
  }
  assert_true(isnan(p->c[p->c_size - 1]));
}

static void check_product(const struct kernels *k, struct gemm_shape s) {
  struct product p = make_product(k, s);
  float *again = filled(p.c_size, NAN);
  for (p.s.packed = 0; p.s.packed < 2; p.s.packed++) {
    run_product(k, &p, p.c, 0);
    assert_product(&p);
    run_product(k, &p, again, 1);
    for (int64_t i = 0; i < s.m; i++) assert_same_bits(p.c + i * s.ldc, again + i * s.ldc, s.n);
  }
  free(again);
  free_product(&p);
}

static void test_gemm_random(void **state) {
  (void)state;
  FOR_EACH_ISA(k) for (int turn = 0; turn < 400; turn++) {
    int64_t most = turn % 10 ? 40 : 150;
    int32_t ta = (int32_t)draw_whole(0, 1), tb = (int32_t)draw_whole(0, 1);
    struct gemm_shape s = shape(draw_whole(0, most), draw_whole(0, most), draw_whole(0, most), ta, tb, draw_whole(0, 1) * draw_whole(0, 9));
    if (draw_whole(0, 3) == 0) *(int64_t *[]){&s.m, &s.n, &s.k}[draw_whole(0, 2)] = 1, s = shape(s.m, s.n, s.k, s.ta, s.tb, draw_whole(0, 3));
    s.act = (int32_t)draw_whole(GEMM_LINEAR, GEMM_SIGMOID);
    s.slope = draw_whole(0, 1) ? 0.2f : 0.0f;
    s.has_bias = (int32_t)draw_whole(0, 1);
    check_product(k, s);
  }
}

/* Blocks of k, colliding strides, cuts by rows and by columns, long vectors. */
static void test_gemm_large(void **state) {
  (void)state;
  static const int64_t shapes[][3] = {{64, 100, 128}, {64, 33, 1100}, {33, 520, 256}, {3, 70, 1600},  {1, 300, 700},  {1, 1, 1500},
                                      {128, 1, 256},  {500, 90, 70},  {1, 700, 1},    {200, 300, 1},  {31, 17, 1024}, {1, 90, 1030}};
  FOR_EACH_ISA(k) for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) for (int32_t t = 0; t < 4; t++) {
    struct gemm_shape s = shape(shapes[i][0], shapes[i][1], shapes[i][2], t & 1, t >> 1, 0);
    s.has_bias = 1;
    s.act = t;
    s.slope = 0.2f;
    check_product(k, s);
  }
}

static void test_gemm_not_finite(void **state) {
  (void)state;
  FOR_EACH_ISA(k) for (int32_t packed = 0; packed < 2; packed++) for (int64_t m = 1; m < 9; m++) {
    struct gemm_shape s = shape(m, 20, 30, 0, 0, 0);
    s.act = GEMM_LEAKY;
    s.packed = packed;
    struct product p = make_product(k, s);
    for (int64_t j = 0; j < s.k; j++) p.a[j] = 1;
    p.b[3] = INFINITY, p.b[4] = -INFINITY, p.b[5] = NAN;
    gemm_pack(k, p.b, s.ldb, s.tb, s.n, s.k, p.packed);
    run_product(k, &p, p.c, 0);
    assert_true(isinf(p.c[3]) && p.c[3] > 0);
    assert_true(p.c[4] == 0);
    assert_true(isnan(p.c[5]));
    assert_true(isfinite(p.c[6]));
    free_product(&p);
  }
}

/* Row i of a packed product: the same bits alone, in any batch, in any place. */
static void test_gemm_packed_rows(void **state) {
  (void)state;
  static const int64_t sizes[][2] = {{1, 256}, {784, 256}, {100, 1100}, {24, 7}, {130, 33}, {512, 600}};
  FOR_EACH_ISA(k) for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    struct gemm_shape s = shape(70, sizes[i][0], sizes[i][1], 0, 1, 0);
    s.packed = s.has_bias = 1;
    s.act = (int32_t)i % 4;
    struct product p = make_product(k, s);
    run_product(k, &p, p.c, 0);
    for (int turn = 0; turn < 12; turn++) {
      int64_t first = draw_whole(0, 69), rows = turn < 4 ? 1 : draw_whole(1, 70 - first);
      struct product part = p;
      part.s.m = rows;
      part.a = p.a + first * s.lda;
      float *c = filled(rows * s.ldc, NAN);
      run_product(k, &part, c, turn & 1);
      assert_same_bits(c, p.c + first * s.ldc, rows * s.ldc);
      free(c);
    }
    free_product(&p);
  }
}

static void test_blas(void **state) {
  (void)state;
  if (!blas_available()) skip();
  const struct kernels *k = kernels_select(-1);
  int32_t threads = blas_get_threads();
  blas_set_threads(1);
  for (int32_t t = 0; t < 4; t++) {
    struct product p = make_product(k, shape(20, 30, 40, t & 1, t >> 1, 3));
    blas_sgemm(&p.s, p.a, p.b, p.c);
    assert_product(&p);
    free_product(&p);
  }
  if (threads > 0) {
    assert_int_equal(blas_get_threads(), 1);
    blas_set_threads(threads);
  }
  assert_non_null(blas_name());
}

int main(void) {
  const struct CMUnitTest tests[] = {
    TEST(test_gemm_random),
    TEST(test_gemm_large),
    TEST(test_gemm_not_finite),
    TEST(test_gemm_packed_rows),
    TEST(test_blas),
  };
  return cmocka_run_group_tests_name("products", tests, NULL, NULL);
}
