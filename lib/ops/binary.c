/* Arithmetic, comparisons and choice, element by element with broadcasting. */
#include "ops/build.h"

/* The descriptor and the public function of one. */
#define BINARY(NAME, VEC, FLAGS, RULE) \
  const struct op op_##NAME = {#NAME, OP_ELEMENTWISE | (FLAGS), 2, VEC, RULE, NULL}; \
  gan_node *gan_##NAME(gan_node *a, gan_node *b) { \
    return node_binary(&op_##NAME, a, b); \
  }

/* Gradient to input i from one of y's shape: the repeated axes are summed. */
static gan_node *to_input(const gan_node *y, int32_t i, gan_node *d) {
  return node_sum_to(d, y->in[i]->rank, y->in[i]->shape);
}

static gan_node *zero(gan_node *n) {
  return node_scalar_like(n, 0);
}

/* ------------------------------------------------------------------------------------------------------------ arithmetic */

static void add_gradient(gan_node *y, gan_node *dy, const uint8_t *wanted, gan_node **dx) {
  if (wanted[0]) dx[0] = to_input(y, 0, dy);
  if (wanted[1]) dx[1] = to_input(y, 1, dy);
}

static void sub_gradient(gan_node *y, gan_node *dy, const uint8_t *wanted, gan_node **dx) {
  if (wanted[0]) dx[0] = to_input(y, 0, dy);
  if (wanted[1]) dx[1] = gan_neg(to_input(y, 1, dy)); /* negated when it is small */
}

static void mul_gradient(gan_node *y, gan_node *dy, const uint8_t *wanted, gan_node **dx) {
  if (wanted[0]) dx[0] = to_input(y, 0, gan_mul(dy, y->in[1]));
  if (wanted[1]) dx[1] = to_input(y, 1, gan_mul(dy, y->in[0]));
}

static void div_gradient(gan_node *y, gan_node *dy, const uint8_t *wanted, gan_node **dx) {
  gan_node *da = gan_div(dy, y->in[1]);
  if (wanted[0]) dx[0] = to_input(y, 0, da);
  if (wanted[1]) dx[1] = gan_neg(to_input(y, 1, gan_mul(da, y)));
}

/* 1 where an infinity could arise out of a = 0, though the gradient there is 0. The operand is made harmless at these places,
 * rather than the result hidden, so that further derivatives are finite too. */
static gan_node *both(gan_node *a_is, gan_node *b_is) {
  return gan_mul(a_is, b_is);
}

/* b a^(b-1) */
static gan_node *pow_by_base(gan_node *a, gan_node *b) {
  double number;
  if (node_is_constant(b, &number) && number != 0) return gan_mul(b, gan_power(a, number - 1));
  gan_node *harmful = both(gan_equal(a, zero(a)), gan_equal(b, zero(b)));
  return gan_mul(b, gan_pow(a, gan_select(harmful, zero(b), gan_shift(b, -1))));
}

/* a^b log a */
static gan_node *pow_by_exponent(gan_node *y, gan_node *a, gan_node *b) {
  gan_node *harmful = both(gan_equal(a, zero(a)), gan_greater_equal(b, zero(b)));
  return gan_mul(y, gan_log(gan_select(harmful, node_scalar_like(a, 1), a)));
}

static void pow_gradient(gan_node *y, gan_node *dy, const uint8_t *wanted, gan_node **dx) {
  gan_node *a = y->in[0], *b = y->in[1];
  if (wanted[0]) dx[0] = to_input(y, 0, gan_mul(dy, pow_by_base(a, b)));
  if (wanted[1]) dx[1] = to_input(y, 1, gan_mul(dy, pow_by_exponent(y, a, b)));
}

BINARY(add, VEC_ADD, 0, add_gradient)
BINARY(sub, VEC_SUB, 0, sub_gradient)
BINARY(mul, VEC_MUL, 0, mul_gradient)
BINARY(div, VEC_DIV, 0, div_gradient)
BINARY(pow, VEC_POW, 0, pow_gradient)

/* ----------------------------------------------------------------------------------------- comparisons, extremes, choice */

BINARY(greater, VEC_GREATER, OP_FLAT, NULL)
BINARY(greater_equal, VEC_GREATER_EQUAL, OP_FLAT, NULL)
BINARY(equal, VEC_EQUAL, OP_FLAT, NULL)

/* dy goes to input 0 where `first` is 1, else to input 1. Selected, not multiplied: an infinite dy stays out of the other. */
static void divide(const gan_node *y, gan_node *first, gan_node *dy, const uint8_t *wanted, gan_node **dx) {
  if (wanted[0]) dx[0] = to_input(y, 0, gan_select(first, dy, zero(dy)));
  if (wanted[1]) dx[1] = to_input(y, 1, gan_select(first, zero(dy), dy));
}

static void maximum_gradient(gan_node *y, gan_node *dy, const uint8_t *wanted, gan_node **dx) {
  divide(y, gan_greater_equal(y->in[0], y->in[1]), dy, wanted, dx);
}

static void minimum_gradient(gan_node *y, gan_node *dy, const uint8_t *wanted, gan_node **dx) {
  divide(y, gan_greater_equal(y->in[1], y->in[0]), dy, wanted, dx);
}

static void select_gradient(gan_node *y, gan_node *dy, const uint8_t *wanted, gan_node **dx) {
  gan_node *c = y->in[0];
  if (wanted[1]) dx[1] = to_input(y, 1, gan_select(c, dy, zero(dy)));
  if (wanted[2]) dx[2] = to_input(y, 2, gan_select(c, zero(dy), dy));
}

BINARY(maximum, VEC_MAX, 0, maximum_gradient)
BINARY(minimum, VEC_MIN, 0, minimum_gradient)

const struct op op_select = {"select", OP_ELEMENTWISE, 3, VEC_SELECT, select_gradient, NULL};

gan_node *gan_select(gan_node *condition, gan_node *a, gan_node *b) {
  return node_elementwise(&op_select, (gan_node *[]){condition, a, b});
}
