#include "train/terms.h"

#include "base/tensor.h"

/* ------------------------------------------------------------------ checks */

gan_node *pair_bad(const char *who, gan_node *a, gan_node *b) {
  char came[2][SHAPE_TEXT];
  gan_node *in[2] = {a, b}, *bad = nodes_bad(who, GAN_F32, 2, in);
  if (bad || nodes_same_shape(a, b)) return bad;
  return graph_fail(a->graph, GAN_ERROR_SHAPE, "%s: %s and %s, expected the same shape", who, node_text(a, came[0]),
                    node_text(b, came[1]));
}

gan_node *rows_bad(const char *who, gan_node *x) {
  char came[SHAPE_TEXT];
  gan_node *bad = node_bad(who, GAN_F32, x);
  if (bad || x->rank == 2) return bad;
  return graph_fail(x->graph, GAN_ERROR_SHAPE, "%s: %s, expected (batch, columns)", who, node_text(x, came));
}

gan_node *labels_bad(const char *who, gan_node *rows, gan_node *labels) {
  char came[2][SHAPE_TEXT];
  gan_node *in[2] = {rows, labels}, *bad = nodes_bad(who, ANY_TYPE, 2, in);
  if (!bad) bad = rows_bad(who, rows);
  if (!bad) bad = node_bad(who, GAN_I32, labels);
  if (bad || (labels->rank == 1 && labels->shape[0] == rows->shape[0])) return bad;
  return graph_fail(rows->graph, GAN_ERROR_SHAPE, "%s: labels %s for %s, expected (batch)", who, node_text(labels, came[0]),
                    node_text(rows, came[1]));
}

/* ------------------------------------------------------------------ sums */

gan_node *sum_per_sample(gan_node *x) {
  if (node_failed(x) || x->rank < 2) return x;
  return node_sum(x, ((1u << x->rank) - 1) & ~1u, 0);
}

gan_node *mean_per_sample(gan_node *x) {
  return node_failed(x) || x->rank < 2 ? x : gan_scale(sum_per_sample(x), (double)x->shape[0] / (double)x->count);
}

gan_node *sum_columns(gan_node *x) {
  const int32_t last = -1;
  return gan_sum_axes(x, 1, &last, 0);
}

/* ------------------------------------------------------------------ constants */

gan_node *node_identity(gan_graph *g, int64_t n) {
  return gan_one_hot(node_positions(g, n), n);
}

gan_node *node_off_diagonal(gan_graph *g, int64_t n) {
  return gan_sub(gan_constant(g, 1), node_identity(g, n));
}

/* ------------------------------------------------------------------ weights and directions */

gan_node *node_log_weights(gan_node *weights) {
  return node_failed(weights) ? weights : gan_log(gan_maximum(weights, gan_constant(weights->graph, 1e-30)));
}

gan_node *unit_rows(gan_node *x) {
  const int32_t last = -1;
  gan_node *squares = gan_sum_axes(gan_square(x), 1, &last, 1);
  return gan_mul(x, gan_rsqrt(gan_shift(squares, 1e-12)));
}
