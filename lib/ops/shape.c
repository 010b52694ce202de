/* Ops that keep the elements and change where they stand: reshape, transpose, broadcast, slice, pad, concat, stop_gradient. */
#include "ops/build.h"

#include "base/tensor.h"
#include "ops/lower.h"

/* ------------------------------------------------------------------------------------------------- reshape, stop_gradient */

static gan_node *bad_shape(const char *who, gan_node *x, int32_t rank, const int64_t *shape) {
  if (rank >= 0 && rank <= GAN_MAX_RANK && (rank == 0 || shape)) return NULL;
  return graph_fail(x->graph, GAN_ERROR_ARGUMENT, "%s: rank %d is not in 0 .. %d, or shape is NULL", who, (int)rank,
                    GAN_MAX_RANK);
}

/* Replaces one -1 by what is left; 0 if the elements do not come out even. */
static int32_t complete_shape(const gan_node *x, int32_t rank, int64_t *shape) {
  int32_t open = -1;
  int64_t known = 1;
  for (int32_t d = 0; d < rank; d++) {
    if (shape[d] == -1 && open < 0) open = d;
    else known = size_mul(known, shape[d]);
  }
  if (known < 1) return 0;
  if (open >= 0) shape[open] = x->count / known;
  return (open >= 0 ? known * shape[open] : known) == x->count;
}

gan_node *gan_reshape(gan_node *x, int32_t rank, const int64_t *shape) {
  gan_node *bad = node_bad("reshape", ANY_TYPE, x);
  if (!bad) bad = bad_shape("reshape", x, rank, shape);
  if (bad) return bad;
  int64_t to[GAN_MAX_RANK];
  for (int32_t d = 0; d < rank; d++) to[d] = shape[d];
  if (!complete_shape(x, rank, to)) {
    char from[SHAPE_TEXT], came[SHAPE_TEXT];
    return graph_fail(x->graph, GAN_ERROR_SHAPE, "reshape: the elements of %s do not fill %s", node_text(x, from),
                      shape_text(came, sizeof came, rank, shape));
  }
  while (x->op == &op_reshape) x = x->in[0];
  double value;
  if (node_has_shape(x, rank, to)) return x;
  if (node_is_constant(x, &value)) return node_full(x->graph, value, rank, to);
  return graph_node(x->graph, &op_reshape, 1, &x, NULL, x->type, rank, to);
}

static void reshape_gradient(gan_node *y, gan_node *dy, const uint8_t *wanted, gan_node **dx) {
  (void)wanted;
  dx[0] = gan_reshape(dy, y->in[0]->rank, y->in[0]->shape);
}

gan_node *gan_stop_gradient(gan_node *x) {
  gan_node *bad = node_bad("stop_gradient", ANY_TYPE, x);
  double value;
  if (bad || x->op == &op_stop_gradient || node_is_constant(x, &value)) return bad ? bad : x;
  return graph_node(x->graph, &op_stop_gradient, 1, &x, NULL, x->type, x->rank, x->shape);
}

const struct op op_reshape = {"reshape", OP_VIEW, 1, -1, reshape_gradient, NULL};
const struct op op_stop_gradient = {"stop_gradient", OP_VIEW | OP_FLAT, 1, -1, NULL, NULL};

/* -------------------------------------------------------------------------------------------------- transpose, broadcast */

static int32_t is_order(int32_t rank, const int32_t *order) {
  uint32_t seen = 0;
  for (int32_t d = 0; d < rank; d++) {
    if (order[d] < 0 || order[d] >= rank) return 0;
    seen |= 1u << order[d];
  }
  return seen == (1u << rank) - 1;
}

static int32_t is_identity(int32_t rank, const int32_t *order) {
  for (int32_t d = 0; d < rank; d++) {
    if (order[d] != d) return 0;
  }
  return 1;
}

gan_node *gan_transpose(gan_node *x, int32_t rank, const int32_t *order) {
  gan_node *bad = node_bad("transpose", GAN_F32, x);
  if (bad) return bad;
  if (rank != x->rank || (rank && !order) || !is_order(rank, order)) {
    char text[SHAPE_TEXT];
    return graph_fail(x->graph, GAN_ERROR_ARGUMENT, "transpose: each axis of %s must be named once", node_text(x, text));
  }
  struct attributes attr = {0};
  int64_t shape[GAN_MAX_RANK];
  /* A transpose of a transpose is one, with the orders put together. */
  const int32_t *below = x->op == &op_transpose ? x->attr.order : NULL;
  for (int32_t d = 0; d < rank; d++) {
    attr.order[d] = below ? below[order[d]] : order[d];
    shape[d] = x->shape[order[d]];
  }
  if (below) x = x->in[0];
  double value;
  if (is_identity(rank, attr.order)) return x;
  if (node_is_constant(x, &value)) return node_full(x->graph, value, rank, shape);
  return graph_node(x->graph, &op_transpose, 1, &x, &attr, GAN_F32, rank, shape);
}

static void transpose_gradient(gan_node *y, gan_node *dy, const uint8_t *wanted, gan_node **dx) {
  (void)wanted;
  int32_t inverse[GAN_MAX_RANK];
  for (int32_t d = 0; d < y->rank; d++) inverse[y->attr.order[d]] = d;
  dx[0] = gan_transpose(dy, y->rank, inverse);
}

static int32_t lower_transpose(const gan_node *n, const struct kernels *k, int32_t use_blas, struct call *calls) {
  (void)k, (void)use_blas;
  struct walk w = walk_transposed(n->in[0]->rank, n->in[0]->shape, n->attr.order);
  lower_turned(&calls[0], &w);
  return 1;
}

gan_node *gan_broadcast(gan_node *x, int32_t rank, const int64_t *shape) {
  gan_node *bad = node_bad("broadcast", GAN_F32, x);
  if (!bad) bad = bad_shape("broadcast", x, rank, shape);
  if (bad) return bad;
  if (node_has_shape(x, rank, shape)) return x;
  int32_t fit = x->rank <= rank;
  for (int32_t d = 0; fit && d < x->rank; d++) fit = x->shape[d] == 1 || x->shape[d] == shape[rank - x->rank + d];
  if (!fit) {
    char from[SHAPE_TEXT], to[SHAPE_TEXT];
    return graph_fail(x->graph, GAN_ERROR_SHAPE, "broadcast: %s cannot be repeated to %s", node_text(x, from),
                      shape_text(to, sizeof to, rank, shape));
  }
  while (x->op == &op_broadcast) x = x->in[0];
  double value;
  if (x->op == &op_reshape && node_is_constant(x, &value)) x = gan_constant(x->graph, value);
  return graph_node(x->graph, &op_broadcast, 1, &x, NULL, GAN_F32, rank, shape);
}

gan_node *node_like(gan_node *x, const gan_node *shape_of) {
  return gan_broadcast(x, shape_of->rank, shape_of->shape);
}

static void broadcast_gradient(gan_node *y, gan_node *dy, const uint8_t *wanted, gan_node **dx) {
  (void)wanted;
  dx[0] = node_sum_to(dy, y->in[0]->rank, y->in[0]->shape);
}

static int32_t lower_broadcast(const gan_node *n, const struct kernels *k, int32_t use_blas, struct call *calls) {
  (void)k, (void)use_blas;
  struct walk w = walk_broadcast(n->in[0], n->rank, n->shape);
  lower_walk(&calls[0], &w);
  return 1;
}

const struct op op_transpose = {"transpose", OP_ACCESS, 1, -1, transpose_gradient, lower_transpose};
const struct op op_broadcast = {"broadcast", OP_ACCESS, 1, -1, broadcast_gradient, lower_broadcast};
