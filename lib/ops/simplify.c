/* Simplifications that are always right, done while nodes are built; they keep graphs of higher derivatives small.
 *
 * Right means: the same value for every input, NaN and infinity too. So 0 * x is not 0, and x - x is not either. The sign of a
 * zero may change.
 */
#include "ops/build.h"

#include <math.h>
#include "base/tensor.h"

/* A broadcast in front of an elementwise op is left out where another operand has the shape already. */
static void peel(const struct op *op, gan_node **in, int32_t rank, const int64_t *shape) {
  for (int32_t i = 0; i < op->n_in; i++) {
    gan_node *whole = in[i];
    if (whole->op != &op_broadcast) continue;
    int32_t peeled_rank;
    int64_t peeled_shape[GAN_MAX_RANK];
    in[i] = whole->in[0];
    shapes_broadcast(op->n_in, in, &peeled_rank, peeled_shape);
    if (!shape_equal(peeled_rank, peeled_shape, rank, shape)) in[i] = whole;
  }
}

/* The op on constants, in f64; 0 if it is not worth having. */
static int32_t fold(const struct op *op, const double *v, double *y) {
  switch (op->vec) {
  case VEC_NEG: *y = -v[0]; return 1;
  case VEC_ABS: *y = fabs(v[0]); return 1;
  case VEC_SQUARE: *y = v[0] * v[0]; return 1;
  case VEC_SQRT: *y = sqrt(v[0]); return 1;
  case VEC_RSQRT: *y = 1 / sqrt(v[0]); return 1;
  case VEC_RECIP: *y = 1 / v[0]; return 1;
  case VEC_EXP: *y = exp(v[0]); return 1;
  case VEC_LOG: *y = log(v[0]); return 1;
  case VEC_ADD: *y = v[0] + v[1]; return 1;
  case VEC_SUB: *y = v[0] - v[1]; return 1;
  case VEC_MUL: *y = v[0] * v[1]; return 1;
  case VEC_DIV: *y = v[0] / v[1]; return 1;
  case VEC_POW: *y = pow(v[0], v[1]); return 1;
  case VEC_GREATER: *y = v[0] > v[1]; return 1;
  case VEC_GREATER_EQUAL: *y = v[0] >= v[1]; return 1;
  case VEC_EQUAL: *y = v[0] == v[1]; return 1;
  default: return 0;
  }
}

/* What is known of the operands. */
struct operands {
  gan_node *x[3];
  double value[3];
  int32_t constant[3];
};

static int32_t is(const struct operands *o, int32_t i, double value) {
  return o->constant[i] && o->value[i] == value;
}

static gan_node *simpler_sum(const struct operands *o) {
  if (is(o, 0, 0)) return o->x[1];
  if (is(o, 1, 0)) return o->x[0];
  if (o->x[1]->op == &op_neg) return gan_sub(o->x[0], o->x[1]->in[0]);
  if (o->x[0]->op == &op_neg) return gan_sub(o->x[1], o->x[0]->in[0]);
  return NULL;
}

static gan_node *simpler_difference(const struct operands *o) {
  if (is(o, 1, 0)) return o->x[0];
  if (is(o, 0, 0)) return gan_neg(o->x[1]);
  if (o->x[1]->op == &op_neg) return gan_add(o->x[0], o->x[1]->in[0]);
  return NULL;
}

static gan_node *simpler_product(const struct operands *o) {
  for (int32_t i = 0; i < 2; i++) {
    gan_node *other = o->x[1 - i];
    if (is(o, i, 1)) return other;
    if (is(o, i, -1)) return gan_neg(other);
    if (o->constant[i] && other->op == &op_neg) return gan_scale(other->in[0], -o->value[i]);
  }
  if (o->x[0]->op == &op_neg && o->x[1]->op == &op_neg) return gan_mul(o->x[0]->in[0], o->x[1]->in[0]);
  return NULL;
}

static gan_node *simpler_quotient(const struct operands *o) {
  if (is(o, 1, 1)) return o->x[0];
  if (is(o, 1, -1)) return gan_neg(o->x[0]);
  return NULL;
}

static gan_node *simpler(const struct op *op, const struct operands *o) {
  if (op == &op_neg) return o->x[0]->op == &op_neg ? o->x[0]->in[0] : NULL;
  if (op == &op_square) return o->x[0]->op == &op_neg ? gan_square(o->x[0]->in[0]) : NULL;
  if (op == &op_add) return simpler_sum(o);
  if (op == &op_sub) return simpler_difference(o);
  if (op == &op_mul) return simpler_product(o);
  if (op == &op_div) return simpler_quotient(o);
  if (op == &op_select && o->constant[0]) return o->value[0] != 0 ? o->x[1] : o->x[2];
  return NULL;
}

gan_node *node_simplified(const struct op *op, gan_node **in, int32_t rank, const int64_t *shape) {
  peel(op, in, rank, shape);
  struct operands o = {.x = {in[0]}};
  int32_t all = 1;
  for (int32_t i = 0; i < op->n_in; i++) {
    o.x[i] = in[i];
    o.constant[i] = node_is_constant(in[i], &o.value[i]);
    all = all && o.constant[i];
  }
  double folded;
  if (all && fold(op, o.value, &folded)) return node_full(in[0]->graph, folded, rank, shape);
  gan_node *y = simpler(op, &o);
  return y ? gan_broadcast(y, rank, shape) : NULL;
}
