/* Every op of ops.def, by what its row says: gradients against differences, kernels against the oracle, NaN, closure. Then what
 * gan_gradients and the simplifying builders promise. */
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

/* ------------------------------------------------------------------------------------------------- generated from ops.def */

struct row { const struct op *op; int32_t index; char name[80]; };

/* Ops whose result is not a number that a NaN could go into, or that does not depend on it. */
static int32_t hides_nan(const struct op *op) {
  return op == &op_greater || op == &op_greater_equal || op == &op_equal || op->vec == VEC_SELECT || op == &op_argmax ||
         op == &op_to_int;
}

static int32_t is_convolution(const struct op *op) {
  return op == &op_conv || op == &op_conv_input || op == &op_conv_weight;
}

static int32_t read_row(const struct row *r, struct op_case *cases) {
  if (!oracle_knows(r->op->name)) fail_msg("op %s: the oracle has no function for it", r->op->name);
  if (r->op->flags & OP_LEAF) return 0;
  int32_t count = op_cases_read(op_column(r->index), cases);
  if (count < 1) fail_msg("op %s: its row has no cases, or they cannot be read", r->op->name);
  return count;
}

static gan_node *open_case(struct stage *s, const struct row *r, const struct op_case *c, int32_t number, uint64_t salt,
                           gan_node **in) {
  char what[80];
  snprintf(what, sizeof what, "op %s, case %d", r->op->name, number + 1);
  stage_open(s, what);
  feed_case(s, c, salt, in);
  gan_node *y = op_case_build(r->op, c, in);
  if (!y) fail_msg("%s: tests/op_cases.c has no builder for it", what);
  assert_good(s);
  return y;
}

static int32_t float_inputs(const struct op_case *c, gan_node *const *in, gan_node **x) {
  int32_t n = 0;
  for (int32_t i = 0; i < c->n_in; i++) {
    if (in[i]->type == GAN_F32) x[n++] = in[i];
  }
  return n;
}

static void test_gradient(void **state) {
  const struct row *r = *state;
  struct op_case cases[CASES_MAX];
  int32_t count = read_row(r, cases);
  for (int32_t i = 0; i < count; i++) {
    struct stage s;
    gan_node *in[CASE_INPUTS], *x[CASE_INPUTS], *y = open_case(&s, r, &cases[i], i, 1, in);
    int32_t n_x = float_inputs(&cases[i], in, x);
    if (r->op != &op_stop_gradient && n_x && y->type == GAN_F32) {
      check_derivatives(&s, y, n_x, x);
      /* Of a linear op the second derivative is 0; within a square the gradient's gradient shows. */
      check_derivatives(&s, gan_square(y), n_x, x);
    }
    if (!r->op->gradient && !(r->op->flags & OP_FLAT)) fail_msg("op %s has no gradient rule and is not flat", r->op->name);
    stage_close(&s);
  }
}

static void test_kernels(void **state) {
  const struct row *r = *state;
  struct op_case cases[CASES_MAX];
  int32_t count = read_row(r, cases);
  for (int32_t i = 0; i < count; i++) {
    for (uint64_t salt = 1; salt <= 4; salt++) {
      struct stage s;
      struct op_case c = cases[i];
      if (salt > 1) op_case_grow(r->op, &c, salt);
      gan_node *in[CASE_INPUTS], *y = open_case(&s, r, &c, i, salt, in);
      check_kernels(&s, y, 0);
      if (r->op == &op_matmul) check_kernels(&s, y, BLAS_ALWAYS);
      stage_close(&s);
    }
  }
}

/* A NaN anywhere in an input comes out where the oracle has it. */
static void test_nan(void **state) {
  const struct row *r = *state;
  struct op_case cases[CASES_MAX];
  int32_t count = read_row(r, cases);
  for (int32_t i = 0; i < count; i++) {
    for (int32_t j = 0; j < cases[i].n_in; j++) {
      struct stage s;
      gan_node *in[CASE_INPUTS], *y = open_case(&s, r, &cases[i], i, 2, in);
      struct feed *f = &s.feed[j];
      s.nan_spreads = is_convolution(r->op);
      for (int64_t k = 0; in[j]->type == GAN_F32 && k < in[j]->count; k++) {
        f->wide[k] = ((float *)f->narrow)[k] = k % 3 != 1 ? NAN : (float)f->wide[k];
      }
      if (in[j]->type == GAN_F32) {
        check_kernels(&s, y, 0);
        if (!hides_nan(r->op) && !any_nan(&s, y)) fail_msg("%s: a NaN in input %d is lost", s.what, j + 1);
      }
      stage_close(&s);
    }
  }
}

/* ------------------------------------------------------------------------------------------------------------- gradients */

static void test_gradient_paths(void **state) {
  (void)state;
  struct stage s;
  stage_open(&s, "paths");
  int64_t four = 4;
  gan_node *x = feed_random(&s, 1, &four, 0.5, 2), *other = feed_random(&s, 1, &four, -1, 1);
  gan_node *middle = gan_square(x), *y = gan_mul(gan_add(middle, gan_exp(middle)), gan_sin(other));
  gan_node *out[3];
  gan_gradients(1, &y, NULL, 3, (gan_node *[]){x, middle, y}, out);
  struct oracle *o = ask_oracle(&s, 3, out);
  for (int64_t i = 0; i < four; i++) {
    double at = s.feed[0].wide[i], dm = (1 + exp(at * at)) * sin(s.feed[1].wide[i]);
    assert_true(fabs(oracle_value(o, out[1])[i] - dm) < 1e-12);
    assert_true(fabs(oracle_value(o, out[0])[i] - dm * 2 * at) < 1e-11);
    assert_true(oracle_value(o, out[2])[i] == 1);
  }
  oracle_free(o);
  /* Nothing is emitted for what nobody asked for: cos would be the gradient of sin. */
  for (int64_t i = 0; i < s.g->n_nodes; i++) assert_ptr_not_equal(s.g->nodes[i]->op, &op_cos);
  /* No path, and a path that is cut. */
  double value = 1;
  assert_true(node_is_constant(gan_gradient(middle, other), &value) && value == 0);
  assert_true(node_is_constant(gan_gradient(gan_stop_gradient(middle), x), &value) && value == 0);
  assert_true(node_is_constant(gan_gradient(gan_floor(gan_mul(x, x)), x), &value) && value == 0);
  assert_true(nodes_same_shape(gan_gradient(gan_constant(s.g, 2), x), x));
  stage_close(&s);
}

static void test_gradient_weights(void **state) {
  (void)state;
  struct stage s;
  stage_open(&s, "weights");
  gan_node *x = feed_random(&s, 2, (int64_t[]){3, 4}, -1, 1), *w = feed_random(&s, 2, (int64_t[]){3, 4}, -1, 1);
  gan_node *y[2] = {gan_square(x), gan_sum(gan_exp(x))}, *weights[2] = {w, gan_constant(s.g, 3)}, *d;
  gan_gradients(2, y, weights, 1, &x, &d);
  struct oracle *o = ask_oracle(&s, 1, &d);
  for (int64_t i = 0; i < x->count; i++) {
    double at = s.feed[0].wide[i], expected = 2 * at * s.feed[1].wide[i] + 3 * exp(at);
    assert_true(fabs(oracle_value(o, d)[i] - expected) < 1e-12);
  }
  oracle_free(o);
  stage_close(&s);
}

/* ------------------------------------------------------------------------------------------------------- simplifications */

static void test_simplified(void **state) {
  (void)state;
  struct stage s;
  stage_open(&s, "simplified");
  gan_node *x = feed_random(&s, 2, (int64_t[]){3, 4}, -1, 1), *zero = gan_constant(s.g, 0);
  double value;
  assert_ptr_equal(gan_add(x, zero), x);
  assert_ptr_equal(gan_scale(x, 1), x);
  assert_ptr_equal(gan_neg(gan_neg(x)), x);
  assert_ptr_equal(gan_reshape(gan_reshape(x, 1, (int64_t[]){-1}), 2, (int64_t[]){3, 4}), x);
  assert_ptr_equal(gan_transpose(gan_transpose(x, 2, (int32_t[]){1, 0}), 2, (int32_t[]){1, 0}), x);
  assert_ptr_equal(gan_slice(x, 0, 0, 3), x);
  assert_ptr_equal(gan_mul(x, zero)->op, &op_mul); /* a NaN in x must come out */
  assert_true(node_is_constant(gan_sum(node_zeros(s.g, 2, x->shape)), &value) && value == 0);
  assert_true(node_is_constant(gan_mean(gan_shift(node_zeros(s.g, 2, x->shape), 2)), &value) && value == 2);
  gan_node *row = feed_random(&s, 1, (int64_t[]){4}, -1, 1), *sum = gan_add(x, gan_broadcast(row, 2, x->shape));
  assert_ptr_equal(sum->in[1], row);
  assert_true(node_has_shape(gan_add(zero, row), 1, row->shape));
  assert_true(node_has_shape(gan_add(node_zeros(s.g, 2, x->shape), row), 2, x->shape));
  stage_close(&s);
}

/* ------------------------------------------------------------------------------------------------------------------ main */

static void add_test(struct CMUnitTest *to, const char *name, CMUnitTestFunction function, void *state) {
  *to = (struct CMUnitTest){.name = name, .test_func = function, .initial_state = state};
}

enum { PER_ROW = 3, OWN = 3, ROWS_MAX = 80 };

int main(void) {
  static struct row rows[PER_ROW * ROWS_MAX];
  static struct CMUnitTest tests[PER_ROW * ROWS_MAX + OWN];
  static const struct { const char *name; CMUnitTestFunction function; } kinds[PER_ROW] = {
    {"gradient of", test_gradient}, {"kernels of", test_kernels}, {"NaN through", test_nan},
  };
  static const struct { const char *name; CMUnitTestFunction function; } own[OWN] = {
    {"gradient paths", test_gradient_paths}, {"gradient weights", test_gradient_weights}, {"simplified", test_simplified},
  };
  size_t count = 0;
  for (int32_t kind = 0; kind < PER_ROW; kind++) {
    for (int32_t i = 0; i < op_count() && i < ROWS_MAX; i++) {
      struct row *r = &rows[count];
      *r = (struct row){.op = op_at(i), .index = i};
      snprintf(r->name, sizeof r->name, "%s %s", kinds[kind].name, r->op->name);
      add_test(&tests[count++], r->name, kinds[kind].function, r);
    }
  }
  for (int32_t i = 0; i < OWN; i++) add_test(&tests[count++], own[i].name, own[i].function, NULL);
  return _cmocka_run_group_tests("ops", tests, count, NULL, NULL);
}
