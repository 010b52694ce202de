/* Functions that are made of ops: their derivatives follow from those. */
#include "ops/build.h"

#include <math.h>

/* ---------------------------------------------------------------------------------------------------- with a plain number */

gan_node *gan_scale(gan_node *x, double number) {
  return gan_mul(x, node_scalar_like(x, number));
}

gan_node *gan_shift(gan_node *x, double number) {
  return gan_add(x, node_scalar_like(x, number));
}

gan_node *gan_power(gan_node *x, double number) {
  gan_node *bad = node_bad("power", GAN_F32, x);
  if (bad) return bad;
  if (number == 0) return node_full(x->graph, 1, x->rank, x->shape);
  if (number == 1) return x;
  if (number == 2) return gan_square(x);
  if (number == -1) return gan_reciprocal(x);
  return gan_pow(x, gan_constant(x->graph, number));
}

gan_node *gan_clamp(gan_node *x, double low, double high) {
  gan_node *bad = node_bad("clamp", GAN_F32, x);
  if (bad) return bad;
  if (!(low <= high)) return graph_fail(x->graph, GAN_ERROR_ARGUMENT, "clamp: low must be at most high");
  gan_node *above = gan_maximum(x, gan_constant(x->graph, low));
  return gan_minimum(above, gan_constant(x->graph, high));
}

/* ------------------------------------------------------------------------------------------------------------ of several */

static gan_node *total_bad(int32_t count, const gan_term *terms) {
  gan_node *first = NULL;
  for (int32_t i = 0; terms && i < count && !first; i++)
    if (terms[i].node && terms[i].node->graph) first = terms[i].node;
  for (int32_t i = 0; first && i < count; i++) {
    gan_node *bad = nodes_bad("total", GAN_F32, 2, (gan_node *[]){first, terms[i].node});
    if (bad) return bad;
    if (!isfinite(terms[i].weight))
      return graph_fail(first->graph, GAN_ERROR_ARGUMENT, "total: the weight of term %d is not finite", i + 1);
  }
  return first ? NULL : node_none();
}

gan_node *gan_total(int32_t count, const gan_term *terms) {
  gan_node *bad = total_bad(count, terms);
  if (bad) return bad;
  gan_node *sum = gan_scale(terms[0].node, terms[0].weight);
  for (int32_t i = 1; i < count; i++) sum = gan_add(sum, gan_scale(terms[i].node, terms[i].weight));
  return sum;
}

/* ----------------------------------------------------------------------------------------------------------- activations */

/* The zero stands first: it has the whole gradient where x is 0. */
gan_node *gan_relu(gan_node *x) {
  return gan_maximum(node_scalar_like(x, 0), x);
}

gan_node *gan_leaky_relu(gan_node *x, double slope) {
  if (slope == 0) return gan_relu(x);
  gan_node *slanted = gan_scale(x, slope);
  if (slope > 0 && slope <= 1) return gan_maximum(slanted, x);
  return gan_select(gan_greater(x, node_scalar_like(x, 0)), x, slanted);
}

/* The exponential only sees what is not positive, so that the branch not taken cannot overflow into a gradient. */
gan_node *gan_elu(gan_node *x, double alpha) {
  gan_node *zero = node_scalar_like(x, 0);
  gan_node *negative = gan_scale(gan_shift(gan_exp(gan_minimum(x, zero)), -1), alpha);
  return gan_select(gan_greater(x, zero), x, negative);
}

gan_node *gan_selu(gan_node *x) {
  return gan_scale(gan_elu(x, 1.6732632423543772848), 1.0507009873554804934);
}

gan_node *gan_gelu(gan_node *x) {
  gan_node *share = gan_shift(gan_erf(gan_scale(x, M_SQRT1_2)), 1);
  return gan_mul(gan_scale(x, 0.5), share);
}

gan_node *gan_silu(gan_node *x) {
  return gan_mul(x, gan_sigmoid(x));
}

/* ----------------------------------------------------------------------------------------------------- norms and softmax */

/* Where the sum of squares is 0 the root is taken of 1 and left out: its infinite slope is never in the graph. */
gan_node *gan_norm_per_sample(gan_node *x) {
  gan_node *bad = node_bad("norm_per_sample", GAN_F32, x);
  if (bad) return bad;
  if (x->rank == 0) return graph_fail(x->graph, GAN_ERROR_SHAPE, "norm_per_sample: one number has no axis of samples");
  uint32_t all_but_first = ((1u << x->rank) - 1) & ~1u;
  gan_node *squares = node_sum(gan_square(x), all_but_first, 0);
  gan_node *zero = gan_constant(x->graph, 0), *none = gan_equal(squares, zero);
  gan_node *root = gan_sqrt(gan_select(none, gan_constant(x->graph, 1), squares));
  return gan_select(none, zero, root);
}

/* x less its largest element along an axis: exponentials of it cannot overflow, and the constant cancels in what follows. */
struct shifted { gan_node *largest, *x; uint32_t axes; };

static gan_node *shift_down(const char *who, gan_node *x, int32_t axis, struct shifted *s) {
  gan_node *bad = node_bad(who, GAN_F32, x);
  if (bad) return bad;
  if (!axis_ok(who, x, &axis)) return &x->graph->error;
  s->axes = 1u << axis;
  s->largest = gan_stop_gradient(node_max(x, s->axes, 1));
  s->x = gan_sub(x, s->largest);
  return NULL;
}

gan_node *gan_softmax(gan_node *x, int32_t axis) {
  struct shifted s;
  gan_node *bad = shift_down("softmax", x, axis, &s);
  if (bad) return bad;
  gan_node *e = gan_exp(s.x);
  return gan_div(e, node_sum(e, s.axes, 1));
}

gan_node *gan_log_softmax(gan_node *x, int32_t axis) {
  struct shifted s;
  gan_node *bad = shift_down("log_softmax", x, axis, &s);
  return bad ? bad : gan_sub(s.x, gan_log(node_sum(gan_exp(s.x), s.axes, 1)));
}

gan_node *gan_log_sum_exp(gan_node *x, int32_t axis) {
  struct shifted s;
  gan_node *bad = shift_down("log_sum_exp", x, axis, &s);
  return bad ? bad : gan_add(s.largest, gan_log(node_sum(gan_exp(s.x), s.axes, 1)));
}
