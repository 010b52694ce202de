/* Lowerings in shapes that take another path than the small cases of ops.def: several passes, a transposing copy, many chunks,
 * CBLAS; random numbers; indices out of range. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "op_runner.h"
#include "op_stage.h"
#include "ops/build.h"

/* --------------------------------------------------------------------------------------------------------- larger lowerings */

/* Shapes that take another path: several passes, a transposing copy, several chunks, groups of inputs. */
static void test_large(void **state) {
  (void)state;
  struct stage s;
  stage_open(&s, "large");
  gan_node *line = feed_random(&s, 1, (int64_t[]){300000}, -1, 1);
  check_kernels(&s, gan_sum(line), 0);
  check_kernels(&s, gan_max_axes(line, 1, (int32_t[]){0}, 0), 0);
  gan_node *tall = feed_random(&s, 2, (int64_t[]){70000, 3}, -1, 1);
  gan_node *cube = feed_random(&s, 5, (int64_t[]){5, 6, 70, 8, 9}, -1, 1);
  check_kernels(&s, gan_sum_axes(tall, 1, (int32_t[]){0}, 0), 0);
  check_kernels(&s, gan_sum_axes(cube, 3, (int32_t[]){0, 2, 4}, 0), 0);
  check_kernels(&s, gan_sum_axes(cube, 2, (int32_t[]){1, 3}, 1), 0);
  check_kernels(&s, gan_max_axes(cube, 3, (int32_t[]){0, 2, 4}, 0), 0);
  check_kernels(&s, gan_transpose(cube, 5, (int32_t[]){2, 0, 4, 1, 3}), 0);
  check_kernels(&s, gan_slice(cube, 3, 2, 7), 0);
  gan_node *many[40];
  for (int32_t i = 0; i < 40; i++) many[i] = gan_slice(tall, 0, 100 * i, 100 * i + 50 + i);
  gan_node *joined = gan_concat(40, many, 0);
  check_kernels(&s, joined, 0);
  stage_close(&s);
}

static void test_products(void **state) {
  (void)state;
  struct stage s;
  stage_open(&s, "products");
  gan_node *a = feed_random(&s, 2, (int64_t[]){300, 500}, -1, 1), *b = feed_random(&s, 2, (int64_t[]){500, 260}, -1, 1);
  gan_node *many = feed_random(&s, 4, (int64_t[]){2, 1, 30, 40}, -1, 1), *few = feed_random(&s, 3, (int64_t[]){3, 40, 20}, -1, 1);
  for (int32_t use_blas = 0; use_blas <= BLAS_ALWAYS; use_blas++) {
    check_kernels(&s, gan_matmul(a, b, 0, 0), use_blas);
    check_kernels(&s, gan_matmul(b, a, 1, 1), use_blas);
    check_kernels(&s, gan_matmul(a, a, 0, 1), use_blas);
    check_kernels(&s, gan_matmul(a, a, 1, 0), use_blas);
    check_kernels(&s, gan_matmul(many, few, 0, 0), use_blas);
    check_kernels(&s, gan_matmul(few, many, 1, 1), use_blas);
  }
  stage_close(&s);
}

/* A bias and an activation set by the plan, in both kinds of products: act(a b + bias). */
static void run_fused(struct stage *s, const gan_node *y, int32_t use_blas, int32_t act, const float *bias, float *out) {
  const struct kernels *k = kernels_select(ISA_BASELINE);
  struct call c;
  struct environment e = {k, 0, 0};
  assert_int_equal(y->op->lower(y, k, use_blas, &c), 1);
  c.u.gemm.has_bias = 1;
  c.u.gemm.act = act;
  c.u.gemm.slope = 0.25f;
  c.n_in = 3;
  matmul_cut(&c, k);
  c.in[0] = narrow_leaf(s, y->in[0]);
  c.in[1] = narrow_leaf(s, y->in[1]);
  c.in[2] = bias;
  c.out[0] = out;
  void *scratch = aligned_alloc(64, (c.scratch + 64) / 64 * 64);
  for (int64_t chunk = 0; chunk < c.chunks; chunk++) c.run(&c, &e, chunk, scratch);
  free(scratch);
}

static void test_fused_products(void **state) {
  (void)state;
  static gan_node *(*const acts[])(gan_node *) = {[GEMM_TANH] = gan_tanh, [GEMM_SIGMOID] = gan_sigmoid};
  struct stage s;
  stage_open(&s, "fused products");
  int64_t wide = 700;
  gan_node *a = feed_random(&s, 2, (int64_t[]){128, 300}, -0.1, 0.1), *b = feed_random(&s, 2, (int64_t[]){wide, 300}, -1, 1);
  gan_node *bias = feed_random(&s, 1, &wide, -1, 1), *product = gan_matmul(a, b, 0, 1);
  float *out = malloc((size_t)product->count * sizeof *out);
  for (int32_t act = GEMM_LINEAR; act <= GEMM_SIGMOID; act++) {
    gan_node *sum = gan_add(product, bias);
    gan_node *y = act == GEMM_LINEAR ? sum : act == GEMM_LEAKY ? gan_leaky_relu(sum, 0.25) : acts[act](sum);
    struct oracle *o = ask_oracle(&s, 1, &y);
    for (int32_t use_blas = 0; use_blas <= BLAS_ALWAYS; use_blas++) {
      run_fused(&s, product, use_blas, act, narrow_leaf(&s, bias), out);
      for (int64_t i = 0; i < y->count; i++) assert_value(&s, "baseline", y, i, (double)out[i], oracle_value(o, y)[i], 2e-5);
    }
    oracle_free(o);
  }
  free(out);
  stage_close(&s);
}

/* ------------------------------------------------------------------------------------------------------- random and indices */

static void assert_in(double x, double low, double high) {
  if (!(x >= low && x < high)) fail_msg("%.9g is not in %.9g .. %.9g", x, low, high);
}

/* The same bits on every instruction set, and as the oracle has them from the scalar functions. */
static void check_random(struct stage *s, gan_node *x) {
  struct oracle *o = ask_oracle(s, 1, &x);
  for (int32_t isa = ISA_BASELINE; isa < ISA_COUNT; isa++) {
    struct runner r = {.kernels = kernels_select(isa), .leaf = narrow_leaf, .user = s, .seed = 5, .step = 3};
    if (!r.kernels) continue;
    const void *came = runner_run(&r, x);
    for (int64_t i = 0; i < x->count; i++) {
      assert_value(s, r.kernels->name, x, i, element(x, came, i), oracle_value(o, x)[i], 0);
      if (x->attr.kind == RANDOM_UNIFORM) assert_in(element(x, came, i), (float)x->attr.x, (float)x->attr.y);
    }
    runner_free(&r);
  }
  oracle_free(o);
}

static void test_random_nodes(void **state) {
  (void)state;
  static const char *const lines[] = {
    "normal", "normal mean=2 std=0.5", "truncated-normal std=0.02", "uniform", "uniform low=-1 high=1",
    "uniform low=5 high=5.000001", "integers low=-3 high=10",
  };
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    struct stage s;
    stage_open(&s, lines[i]);
    gan_node *x = gan_random(s.g, "z", lines[i], 2, (int64_t[]){101, 97});
    assert_good(&s);
    assert_int_equal(gan_node_type(x), *lines[i] == 'i' ? GAN_I32 : GAN_F32);
    check_random(&s, x);
    stage_close(&s);
  }
}

/* Computed indices that are out of range are clamped, everywhere alike. */
static void test_wild_indices(void **state) {
  (void)state;
  struct stage s;
  stage_open(&s, "wild indices");
  struct feed *f = new_feed(&s, GAN_I32, 1, (int64_t[]){5});
  const double wild[5] = {-7, 0, 3, 4, 2147483647};
  memcpy(f->wide, wild, sizeof wild);
  settle(f);
  gan_node *table = feed_random(&s, 2, (int64_t[]){4, 3}, -1, 1), *rows = gan_gather(table, (gan_node *)f->node);
  check_kernels(&s, rows, 0);
  check_kernels(&s, gan_gradient(gan_square(rows), table), 0);
  check_kernels(&s, gan_one_hot((gan_node *)f->node, 4), 0);
  stage_close(&s);
}

/* ------------------------------------------------------------------------------------------------------------------ main */

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_large),          cmocka_unit_test(test_products),     cmocka_unit_test(test_fused_products),
    cmocka_unit_test(test_random_nodes),   cmocka_unit_test(test_wild_indices),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
