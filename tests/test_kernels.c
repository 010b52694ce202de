/* The choice of kernels, reductions, random numbers and sweeps of every instruction set that this processor runs, against plain
 * loops in double; an element's bits do not depend on the order of chunks. */
#include <float.h>
#include <stdlib.h>

#include "base/cpu.h"
#include "kernel_bed.h"

/* ------------------------------------------------------------------ selection, control word */

static void test_select(void **state) {
  (void)state;
  assert_non_null(kernels_select(ISA_BASELINE));
  assert_null(kernels_select(ISA_COUNT));
  assert_ptr_equal(kernels_select(-1), kernels_select(kernels_select(-1)->isa));
  assert_int_equal(cpu_supports(ISA_COUNT), 0);
  assert_true(cpu_cores() >= 1);
  FOR_EACH_ISA(k) {
    static const char *const names[ISA_COUNT] = {"baseline", "avx2", "avx512"};
    assert_string_equal(k->name, names[k->isa]);
    assert_true(kernels_fma_burst(k) > 0);
    for (int i = 0; i < VEC_COUNT; i++) assert_non_null(k->vec[i]);
  }
}

static void test_control_word(void **state) {
  (void)state;
  volatile float tiny = 1e-39f, half = 0.5f;
  assert_true(tiny * half != 0.0f);
  uint32_t control = cpu_flush_denormals();
#if defined(__SSE__) || defined(__aarch64__)
  assert_true(tiny * half == 0.0f);
#endif
  cpu_restore(control);
  assert_true(tiny * half != 0.0f);
}

/* ------------------------------------------------------------------ reductions */

static void reduce_all(const struct kernels *k, const struct reduce_shape *s, const float *in, float *out, int32_t backwards) {
  void *partial = allocate(reduce_partial(s));
  for (int32_t pass = 0; pass < 2; pass++) {
    int64_t chunks = reduce_chunks(s, pass);
    for (int64_t i = 0; i < chunks; i++) reduce_run(k, s, in, out, partial, pass, backwards ? chunks - 1 - i : i);
  }
  free(partial);
}

static void check_reduce(const struct kernels *k, struct reduce_shape s) {
  int64_t n_out = s.outer * s.inner;
  float *in = random_floats(s.outer * s.length * s.inner, -1, 2), *out = filled(n_out, 7), *again = filled(n_out, 8);
  reduce_all(k, &s, in, out, 0);
  reduce_all(k, &s, in, again, 1);
  assert_same_bits(out, again, n_out);
  for (int64_t o = 0; o < s.outer; o++)
    for (int64_t j = 0; j < s.inner; j++) {
      double sum = 0, size = 0, max = -INFINITY;
      for (int64_t i = 0; i < s.length; i++) {
        double x = in[(o * s.length + i) * s.inner + j];
        sum += x, size += fabs(x), max = x > max ? x : max;
      }
      float got = out[o * s.inner + j];
      if (s.op == REDUCE_SUM) assert_near(got, sum, 1e-6 * size);
      else assert_true(got == (float)max);
    }
  free(in), free(out), free(again);
}

static void test_reduce(void **state) {
  (void)state;
  static const int64_t shapes[][3] = {{0, 3, 4}, {3, 4, 0}, {3, 0, 4}, {1, 1, 1}, {1, 100000, 1}, {1, 70001, 3}, {1, 64, 784},
                                      {64, 784, 1}, {2, 40000, 5}, {1, 64, 30000}, {3, 900, 64}, {1, 3000, 70}, {7, 17, 33}, {5000, 3, 1},
                                      {5000, 1, 3}};
  FOR_EACH_ISA(k) for (int32_t op = REDUCE_SUM; op <= REDUCE_MAX; op++) {
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
      check_reduce(k, (struct reduce_shape){op, shapes[i][0], shapes[i][1], shapes[i][2]});
    for (int turn = 0; turn < 60; turn++)
      check_reduce(k, (struct reduce_shape){op, draw_whole(1, 9), draw_whole(0, 300), draw_whole(1, draw_whole(0, 1) ? 9 : 90)});
  }
}

static void test_sums(void **state) {
  (void)state;
  FOR_EACH_ISA(k) for (int turn = 0; turn < 60; turn++) {
    int64_t n = turn < 50 ? turn : draw_whole(1000, 20000);
    float *x = random_floats(n + 1, -1, 2);
    double sum = 0, squares = 0, most = -INFINITY;
    for (int64_t i = 0; i < n; i++) sum += x[i], squares += (double)x[i] * x[i], most = x[i] > most ? x[i] : most;
    assert_near(k->sum(x, n), sum, 1e-6 * (double)(n + 1));
    assert_near(k->sum_squares(x, n), squares, 3e-7 * squares);
    assert_true(k->max(x, n) == (float)most);
    assert_int_equal(k->all_finite(x, n), 1);
    if (n) {
      int64_t at = draw_whole(0, n - 1);
      x[at] = draw_whole(0, 1) ? -INFINITY : NAN;
      assert_int_equal(k->all_finite(x, n), 0);
      x[at] = NAN;
      assert_true(isnan(k->max(x, n)));
    }
    free(x);
  }
}

static void test_rows(void **state) {
  (void)state;
  FOR_EACH_ISA(k) for (int turn = 0; turn < 60; turn++) {
    int64_t rows = draw_whole(0, 40), cols = draw_whole(0, 50), ld = cols + draw_whole(0, 5);
    float *x = random_floats(rows * ld + 1, -1, 1), *sum = filled(cols + 1, 3), *most = filled(cols + 1, -0.5f);
    k->add_rows(sum, x, rows, cols, ld);
    k->max_rows(most, x, rows, cols, ld);
    for (int64_t j = 0; j < cols; j++) {
      double s = 3, m = -0.5;
      for (int64_t r = 0; r < rows; r++) s += x[r * ld + j], m = x[r * ld + j] > m ? x[r * ld + j] : m;
      assert_near(sum[j], s, 1e-5);
      assert_true(most[j] == (float)m);
    }
    assert_true(sum[cols] == 3 && most[cols] == -0.5f);
    free(x), free(sum), free(most);
  }
}

/* ------------------------------------------------------------------ random numbers */

static void test_philox(void **state) {
  (void)state;
  static const uint32_t known[][10] = { /* counter, key, result: from the authors' test vectors */
    {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
    {~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
    {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}};
  for (int i = 0; i < 3; i++) {
    uint32_t out[4];
    rng_philox(known[i], known[i] + 4, out);
    assert_memory_equal(out, known[i] + 6, sizeof out);
  }
}

static void check_random(random_fn *fn, float (*reference)(const struct rng_key *, uint64_t)) {
  enum { N = 200 };
  float out[N + 2];
  for (int turn = 0; turn < 40; turn++) {
    struct rng_key key = rng_stream((uint64_t)turn, rng_hash("G/dense1"), 5);
    uint64_t first = turn == 0 ? 0 : turn == 1 ? (UINT64_C(1) << 34) - 30 : (uint64_t)draw_whole(0, 1000);
    int64_t n = turn < 20 ? turn : draw_whole(0, N);
    for (int i = 0; i < N + 2; i++) out[i] = -77;
    fn(out + 1, n, &key, first);
    for (int64_t i = 0; i < n; i++) {
      float expected = reference(&key, first + (uint64_t)i);
      assert_same_bits(out + 1 + i, &expected, 1);
    }
    assert_true(out[0] == -77 && out[n + 1] == -77);
  }
}

static void test_random_bits(void **state) {
  (void)state;
  FOR_EACH_ISA(k) {
    check_random(k->uniform, rng_uniform);
    check_random(k->normal, rng_normal);
    check_random(k->truncated_normal, rng_truncated_normal);
  }
}

/* These are in every checkpoint and fixture: they may never change. */
static void test_random_pinned(void **state) {
  (void)state;
  struct rng_key key = rng_stream(42, rng_hash("G/dense1/weight"), 7);
  uint32_t words[4];
  rng_philox((uint32_t[]){0, 0, key.counter_high[0], key.counter_high[1]}, key.key, words);
  assert_true(rng_uniform(&key, 0) == (float)(words[0] >> 8) * 0x1p-24f);
  double u = ((double)(words[0] >> 1) * 2 + 1) * 0x1p-32, angle = words[1] * 0x1p-31 * 3.14159265358979323846;
  assert_near(rng_normal(&key, 0), sqrt(-2 * log(u)) * cos(angle), 2e-6);
  assert_near(rng_normal(&key, 1), sqrt(-2 * log(u)) * sin(angle), 2e-6);
  double p = (double)((words[0] >> 9) * 2 + 1) * 0x1p-24; /* of the truncated normal's distribution function */
  double x = rng_truncated_normal(&key, 0), edge = erf(sqrt(2));
  assert_near((erf(x / sqrt(2)) / edge + 1) / 2, p, 1e-6);
  assert_true(rng_hash("") != rng_hash("a"));
  assert_true(rng_hash("G/dense1") == rng_hash("G/dense1"));
}

static void test_random_moments(void **state) {
  (void)state;
  enum { N = 200000 };
  float *x = floats(N);
  const struct kernels *k = kernels_select(-1);
  static const double variance[3] = {1.0 / 12, 1.0, 0.773741};
  random_fn *const fns[3] = {k->uniform, k->normal, k->truncated_normal};
  for (int i = 0; i < 3; i++) {
    fns[i](x, N, &kernel_key, 0);
    double sum = 0, squares = 0, cross = 0, most = 0;
    for (int64_t j = 0; j < N; j++) {
      sum += x[j], squares += (double)x[j] * x[j];
      if (j) cross += (double)x[j] * x[j - 1];
      most = fabs((double)x[j]) > most ? fabs((double)x[j]) : most;
    }
    double mean = sum / N;
    assert_near(mean, i ? 0 : 0.5, 0.01);
    assert_near(squares / N - mean * mean, variance[i], 0.01);
    assert_near(cross / N - mean * mean, 0, 0.01);
    assert_true(most < (i == 0 ? 1 : i == 1 ? 6.7 : 2.0));
  }
  free(x);
}

static void test_permute(void **state) {
  (void)state;
  static const int64_t sizes[] = {1, 2, 3, 5, 16, 17, 100, 1000, 4097};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    int64_t n = sizes[i], fixed = 0;
    char *seen = calloc((size_t)n, 1);
    for (int64_t j = 0; j < n; j++) {
      int64_t at = rng_permute(&kernel_key, j, n);
      assert_true(at >= 0 && at < n && !seen[at]);
      seen[at] = 1;
      fixed += at == j;
    }
    if (n >= 100) assert_true(fixed < 20);
    free(seen);
  }
  assert_in_range(rng_permute(&kernel_key, 12345678901, 1000000000000), 0, 999999999999);
  for (int i = 0; i < 1000; i++) assert_true(rng_below(&kernel_key, (uint64_t)i, 7) < 7);
}

/* ------------------------------------------------------------------ sweeps */

static void test_bytes(void **state) {
  (void)state;
  uint8_t in[256 + 7];
  float out[256 + 8];
  for (int i = 0; i < 256 + 7; i++) in[i] = (uint8_t)i;
  FOR_EACH_ISA(k) {
    out[256 + 7] = -77;
    k->bytes_to_float(out, in, 256 + 7, 2.0f / 255, -1);
    for (int i = 0; i < 256 + 7; i++) assert_near(out[i], in[i] * (2.0 / 255) - 1, 1e-6);
    assert_true(out[256 + 7] == -77);
  }
}

/* What a float's square cannot hold, in one block or in all of them. */
static void test_squares_out_of_range(void **state) {
  (void)state;
  const float sizes[] = {0, 1e-30f, 1e-16f, 1, 1e19f, 1e30f, FLT_MAX};
  FOR_EACH_ISA(k) for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    enum { N = 3000 };
    float *x = random_floats(N, 0, 1);
    double squares = 0;
    for (int i = 0; i < N; i++) {
      if (i < 1500 || i % 7 == 0) x[i] *= sizes[s];
      squares += (double)x[i] * x[i];
    }
    assert_near(k->sum_squares(x, N), squares, 3e-7 * squares);
    x[draw_whole(0, N - 1)] = NAN;
    assert_true(isnan(k->sum_squares(x, N)));
    for (int i = 0; i < N; i++) x[i] = 1;
    x[draw_whole(0, N - 1)] = INFINITY;
    assert_true(isinf(k->sum_squares(x, N)));
    free(x);
  }
}

/* A gradient so large that its square is infinite leaves the weights finite, one of 0 leaves them alone. */
static void test_adam_extremes(void **state) {
  (void)state;
  const struct adam_scalars s = {2e-3f, 0.5f, 0.999f, 1e-8f, 2.0f, 1000.0f, 0};
  FOR_EACH_ISA(k) for (int turn = 0; turn < 2; turn++) {
    float w[40], g[40], m[40] = {0}, v[40] = {0};
    for (int i = 0; i < 40; i++) w[i] = (float)i, g[i] = turn ? 1e25f : 0;
    for (int step = 0; step < 3; step++) k->adam(w, g, m, v, 40, &s);
    for (int i = 0; i < 40; i++) assert_true(turn ? isfinite(w[i]) : w[i] == (float)i);
  }
}

static void test_adam(void **state) {
  (void)state;
  const struct adam_scalars s = {2e-3f, 0.5f, 0.999f, 1e-8f, 2.0f, 1000.0f, 0.01f};
  FOR_EACH_ISA(k) for (int64_t n = 0; n < 70; n++) {
    float *w = random_floats(n + 1, -1, 1), *g = random_floats(n + 1, -1, 1);
    float *m = random_floats(n + 1, -1, 1), *v = random_floats(n + 1, 0, 1);
    double *expected = allocate((size_t)(3 * n + 1) * sizeof *expected);
    for (int64_t i = 0; i < n; i++) {
      double m1 = m[i] + (1.0 - s.beta1) * (g[i] - m[i]), v1 = v[i] + (1.0 - s.beta2) * ((double)g[i] * g[i] - v[i]);
      double step = m1 * s.correct1 / (sqrt(v1 * s.correct2) + s.epsilon);
      expected[3 * i] = w[i] - s.rate * step - s.rate * s.decay * w[i];
      expected[3 * i + 1] = m1;
      expected[3 * i + 2] = v1;
    }
    float border[3] = {w[n], m[n], v[n]};
    k->adam(w, g, m, v, n, &s);
    for (int64_t i = 0; i < n; i++) {
      assert_near(w[i], expected[3 * i], 1e-6);
      assert_near(m[i], expected[3 * i + 1], 1e-6);
      assert_near(v[i], expected[3 * i + 2], 1e-6);
    }
    assert_true(w[n] == border[0] && m[n] == border[1] && v[n] == border[2]);
    free(w), free(g), free(m), free(v), free(expected);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
    TEST(test_select),
    TEST(test_control_word),
    TEST(test_reduce),
    TEST(test_sums),
    TEST(test_rows),
    TEST(test_philox),
    TEST(test_random_bits),
    TEST(test_random_pinned),
    TEST(test_random_moments),
    TEST(test_permute),
    TEST(test_bytes),
    TEST(test_squares_out_of_range),
    TEST(test_adam_extremes),
    TEST(test_adam),
  };
  return cmocka_run_group_tests_name("kernels", tests, NULL, NULL);
}
