/* Functions composed of ops: their formulas, their derivatives, and places where a rule has been chosen (ties, kinks, the norm
 * at 0, far out). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "op_stage.h"
#include "ops/build.h"

/* ------------------------------------------------------------------------------------------------------ composed functions */

static gan_node *scaled(gan_node *x) { return gan_scale(x, -1.5); }
static gan_node *shifted(gan_node *x) { return gan_shift(x, 0.7); }
static gan_node *power_half(gan_node *x) { return gan_power(x, 0.5); }
static gan_node *power_odd(gan_node *x) { return gan_power(x, 2.5); }
static gan_node *power_cube(gan_node *x) { return gan_power(x, 3); }
static gan_node *power_inverse(gan_node *x) { return gan_power(x, -1); }
static gan_node *power_none(gan_node *x) { return gan_power(x, 0); }
static gan_node *clamped(gan_node *x) { return gan_clamp(x, -1, 1); }
static gan_node *leaky(gan_node *x) { return gan_leaky_relu(x, 0.2); }
static gan_node *leaky_steep(gan_node *x) { return gan_leaky_relu(x, 1.5); }
static gan_node *leaky_back(gan_node *x) { return gan_leaky_relu(x, -0.25); }
static gan_node *elu(gan_node *x) { return gan_elu(x, 1.3); }
static gan_node *mean_rows(gan_node *x) { return gan_mean_axes(x, 1, (int32_t[]){-1}, 1); }
static gan_node *max_rows(gan_node *x) { return gan_max_axes(x, 1, (int32_t[]){-1}, 1); }
static gan_node *sum_rows(gan_node *x) { return gan_sum_axes(x, 1, (int32_t[]){0}, 1); }
static gan_node *softmax(gan_node *x) { return gan_softmax(x, -1); }
static gan_node *softmax_columns(gan_node *x) { return gan_softmax(x, 0); }
static gan_node *log_softmax(gan_node *x) { return gan_log_softmax(x, -1); }
static gan_node *log_sum_exp(gan_node *x) { return gan_log_sum_exp(x, 1); }
/* The squared distance of the norm of a gradient from 1: the shape of WGAN-GP. */
static gan_node *gradient_penalty(gan_node *x) {
  gan_node *score = gan_sum(gan_tanh(gan_matmul(x, x, 0, 1)));
  return gan_mean(gan_square(gan_shift(gan_norm_per_sample(gan_gradient(score, x)), -1)));
}

static double relu_of(double x) { return x > 0 ? x : 0; }
static double gelu_of(double x) { return x / 2 * (1 + erf(x / sqrt(2))); }
static double silu_of(double x) { return x / (1 + exp(-x)); }
static double elu_of(double x) { return x > 0 ? x : 1.3 * expm1(x); }
static double selu_of(double x) { return 1.05070098735548 * (x > 0 ? x : 1.67326324235437 * expm1(x)); }
static double leaky_of(double x) { return x > 0 ? x : 0.2 * x; }
static double leaky_steep_of(double x) { return x > 0 ? x : 1.5 * x; }
static double leaky_back_of(double x) { return x > 0 ? x : -0.25 * x; }
static double scaled_of(double x) { return -1.5 * x; }
static double shifted_of(double x) { return x + 0.7; }
static double clamped_of(double x) { return x < -1 ? -1 : x > 1 ? 1 : x; }
static double cube_of(double x) { return x * x * x; }
static double odd_of(double x) { return pow(x, 2.5); }
static double inverse_of(double x) { return 1 / x; }
static double one_of(double x) { return x * 0 + 1; }

/* f: what an elementwise one must come to; NULL: only the derivatives are checked. */
struct composed { const char *name; gan_node *(*build)(gan_node *x); double (*f)(double x); const char *domain; };

static const struct composed composed[] = {
  {"gan_relu", gan_relu, relu_of, "3x4 -2..2 apart=0"},
  {"gan_gelu", gan_gelu, gelu_of, "3x4 -2..2"},
  {"gan_silu", gan_silu, silu_of, "3x4 -2..2"},
  {"gan_selu", gan_selu, selu_of, "3x4 -2..2 apart=0"},
  {"gan_elu", elu, elu_of, "3x4 -2..2 apart=0"},
  {"gan_leaky_relu 0.2", leaky, leaky_of, "3x4 -2..2 apart=0"},
  {"gan_leaky_relu 1.5", leaky_steep, leaky_steep_of, "3x4 -2..2 apart=0"},
  {"gan_leaky_relu -0.25", leaky_back, leaky_back_of, "3x4 -2..2 apart=0"},
  {"gan_scale", scaled, scaled_of, "3x4 -2..2"},
  {"gan_shift", shifted, shifted_of, "3x4 -2..2"},
  {"gan_clamp", clamped, clamped_of, "3x4 -2..2 apart=1"},
  {"gan_power 0", power_none, one_of, "3x4 -2..2"},
  {"gan_power 0.5", power_half, sqrt, "3x4 0.5..2"},
  {"gan_power 2.5", power_odd, odd_of, "3x4 0.5..2"},
  {"gan_power 3", power_cube, cube_of, "3x4 -2..2"},
  {"gan_power -1", power_inverse, inverse_of, "3x4 0.5..2"},
  {"gan_sum", gan_sum, NULL, "3x4 -2..2"},
  {"gan_mean", gan_mean, NULL, "3x4 -2..2"},
  {"gan_sum_axes", sum_rows, NULL, "3x4 -2..2"},
  {"gan_mean_axes", mean_rows, NULL, "3x4 -2..2"},
  {"gan_max_axes", max_rows, NULL, "3x4 -2..2 separate"},
  {"gan_norm_per_sample", gan_norm_per_sample, NULL, "3x4 -2..2; 2x3x4 -2..2; 5 -2..2 apart=0"},
  {"gan_softmax", softmax, NULL, "3x4 -2..2"},
  {"gan_softmax axis 0", softmax_columns, NULL, "3x4 -2..2"},
  {"gan_log_softmax", log_softmax, NULL, "3x4 -2..2"},
  {"gan_log_sum_exp", log_sum_exp, NULL, "3x4 -2..2"},
  {"gradient penalty", gradient_penalty, NULL, "3x4 -1..1"},
};

enum { COMPOSED = sizeof composed / sizeof *composed };

static void assert_formula(struct stage *s, const struct composed *f, gan_node *x, gan_node *y) {
  struct oracle *o = ask_oracle(s, 1, &y);
  for (int64_t i = 0; i < y->count; i++) {
    double came = oracle_value(o, y)[i], expected = f->f(find_feed(s, x)->wide[i]);
    if (!(fabs(came - expected) < 1e-12)) fail_msg("%s: %.17g, expected %.17g", f->name, came, expected);
  }
  oracle_free(o);
}

static void test_composed(void **state) {
  const struct composed *f = *state;
  struct op_case cases[CASES_MAX];
  int32_t count = op_cases_read(f->domain, cases);
  assert_true(count > 0);
  for (int32_t i = 0; i < count; i++) {
    struct stage s;
    gan_node *x;
    stage_open(&s, f->name);
    feed_case(&s, &cases[i], 3, &x);
    gan_node *y = f->build(x);
    if (f->f) assert_formula(&s, f, x, y);
    check_kernels(&s, y, 0);
    check_derivatives(&s, y, 1, &x);
    stage_close(&s);
  }
}

/* ----------------------------------------------------------------------------------------------------------- chosen rules */

/* The gradient of the sum of build(x), and of the sum of that, at given places. */
static void assert_gradient_at(const char *what, gan_node *(*build)(gan_node *), int32_t rank, const int64_t *shape,
                               const double *at, const double *expected) {
  struct stage s;
  stage_open(&s, what);
  gan_node *x = feed_values(&s, rank, shape, at), *first = gan_gradient(build(x), x);
  gan_node *second = gan_gradient(gan_square(first), x);
  struct oracle *o = ask_oracle(&s, 2, (gan_node *[]){first, second});
  for (int64_t i = 0; i < x->count; i++) {
    if (!(fabs(oracle_value(o, first)[i] - expected[i]) < 1e-12)) {
      fail_msg("%s: gradient at %g is %g, expected %g", what, at[i], oracle_value(o, first)[i], expected[i]);
    }
    if (!isfinite(oracle_value(o, second)[i])) fail_msg("%s: second derivative at %g is not finite", what, at[i]);
  }
  oracle_free(o);
  check_kernels(&s, second, 0);
  stage_close(&s);
}

static gan_node *maximum_with_one(gan_node *x) { return gan_maximum(x, gan_constant(x->graph, 1)); }
static gan_node *one_with_minimum(gan_node *x) { return gan_minimum(gan_constant(x->graph, 1), x); }
static gan_node *power_zero_base(gan_node *x) { return gan_power(x, 3); }
static gan_node *zero_to_power(gan_node *x) { return gan_pow(gan_constant(x->graph, 0), x); }

static void test_kinks(void **state) {
  (void)state;
  const int64_t one = 3, rows[2] = {2, 2};
  const double x[3] = {-1, 0, 1}, halves[4] = {2, 2, 1, 3}, quiet[4] = {0, 0, 3, 4};
  assert_gradient_at("relu", gan_relu, 1, &one, x, (double[]){0, 0, 1});
  assert_gradient_at("abs", gan_abs, 1, &one, x, (double[]){-1, 0, 1});
  assert_gradient_at("leaky_relu", leaky, 1, &one, x, (double[]){0.2, 0.2, 1});
  assert_gradient_at("leaky_relu 1.5", leaky_steep, 1, &one, x, (double[]){1.5, 1.5, 1});
  assert_gradient_at("maximum(x, 1)", maximum_with_one, 1, &one, x, (double[]){0, 0, 1});
  assert_gradient_at("minimum(1, x)", one_with_minimum, 1, &one, x, (double[]){1, 1, 0});
  assert_gradient_at("clamp", clamped, 1, &one, x, (double[]){1, 1, 1});
  assert_gradient_at("x^3", power_zero_base, 1, &one, x, (double[]){3, 0, 3});
  assert_gradient_at("0^x", zero_to_power, 1, (int64_t[]){2}, (double[]){0, 1}, (double[]){0, 0});
  assert_gradient_at("max of equals", max_rows, 2, rows, halves, (double[]){0.5, 0.5, 0, 1});
  assert_gradient_at("norm at 0", gan_norm_per_sample, 2, rows, quiet, (double[]){0, 0, 0.6, 0.8});
}

/* Far out, where a careless formula overflows. */
static void test_extremes(void **state) {
  (void)state;
  const double far[4] = {-1000, -90, 90, 1000}, logits[4] = {10000, 9999, -10000, 0};
  gan_node *(*const same[])(gan_node *) = {gan_softplus, gan_sigmoid, gan_tanh, elu, gan_silu, gan_gelu};
  for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
    struct stage s;
    stage_open(&s, "far out");
    gan_node *x = feed_values(&s, 1, (int64_t[]){4}, far), *y = same[i](x), *d = gan_gradient(y, x);
    check_kernels(&s, y, 0);
    check_kernels(&s, d, 0);
    assert_false(any_nan(&s, y));
    assert_false(any_nan(&s, d));
    stage_close(&s);
  }
  struct stage s;
  stage_open(&s, "large logits");
  gan_node *x = feed_values(&s, 2, (int64_t[]){1, 4}, logits);
  gan_node *y[3] = {gan_softmax(x, 1), gan_log_softmax(x, 1), gan_log_sum_exp(x, 1)};
  for (int32_t i = 0; i < 3; i++) {
    check_kernels(&s, y[i], 0);
    assert_false(any_nan(&s, y[i]));
    gan_node *d = gan_gradient(gan_square(y[i]), x);
    check_kernels(&s, d, 0);
    assert_false(any_nan(&s, d));
  }
  stage_close(&s);
}

/* ------------------------------------------------------------------------------------------------------------------ main */

int main(void) {
  static struct CMUnitTest tests[COMPOSED + 2];
  for (int32_t i = 0; i < COMPOSED; i++) {
    tests[i] = (struct CMUnitTest){.name = composed[i].name, .test_func = test_composed, .initial_state = (void *)&composed[i]};
  }
  tests[COMPOSED] = (struct CMUnitTest)cmocka_unit_test(test_kinks);
  tests[COMPOSED + 1] = (struct CMUnitTest)cmocka_unit_test(test_extremes);
  return _cmocka_run_group_tests("composed", tests, COMPOSED + 2, NULL, NULL);
}
