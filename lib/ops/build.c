/* Checks and shapes for builders of nodes; the one way in which an elementwise op becomes a node. */
#include "ops/build.h"

#include <string.h>
#include "base/tensor.h"

/* ---------------------------------------------------------------------------------------------------------------- checks */

/* The graph of the first node that has one, so that the failure is heard there. */
static gan_graph *first_graph(int32_t count, gan_node *const *nodes) {
  for (int32_t i = 0; i < count; i++) {
    if (nodes[i] && nodes[i]->graph) return nodes[i]->graph;
  }
  return NULL;
}

static gan_node *wrong_type(gan_graph *g, const char *who, int32_t number, int32_t came) {
  if (came == GAN_I32) {
    return graph_fail(g, GAN_ERROR_ARGUMENT, "%s: node %d is i32, f32 is expected (gan_to_float converts)", who, number);
  }
  return graph_fail(g, GAN_ERROR_ARGUMENT, "%s: node %d is f32, i32 indices are expected", who, number);
}

gan_node *nodes_bad(const char *who, int32_t type, int32_t count, gan_node *const *nodes) {
  gan_graph *g = first_graph(count, nodes);
  if (!g) return node_none();
  if (g->failed) return &g->error;
  for (int32_t i = 0; i < count; i++) {
    const gan_node *n = nodes[i];
    if (!n) return graph_fail(g, GAN_ERROR_ARGUMENT, "%s: node %d is NULL", who, i + 1);
    if (!n->graph) return graph_fail(g, GAN_ERROR_ARGUMENT, "%s: node %d comes from a call that failed", who, i + 1);
    if (n->graph != g) {
      graph_fail(n->graph, GAN_ERROR_ARGUMENT, "%s: a node of this graph is used in another graph", who);
      return graph_fail(g, GAN_ERROR_ARGUMENT, "%s: node %d belongs to another graph", who, i + 1);
    }
    if (!n->op) return &g->error;
    if (type != ANY_TYPE && n->type != type) return wrong_type(g, who, i + 1, n->type);
  }
  return NULL;
}

gan_node *node_bad(const char *who, int32_t type, gan_node *x) {
  return nodes_bad(who, type, 1, &x);
}

gan_node *graph_bad(gan_graph *g, const char *who, const void *needed, const char *what) {
  if (!g) return node_none();
  if (g->failed) return &g->error;
  return needed ? NULL : graph_fail(g, GAN_ERROR_ARGUMENT, "%s: %s may not be NULL", who, what);
}

int32_t shape_of_batch(gan_graph *g, const char *who, const char *name, int32_t rank, const int64_t *shape,
                       int64_t sizes[GAN_MAX_RANK]) {
  if (rank < 0 || rank > GAN_MAX_RANK || (rank > 0 && !shape)) {
    graph_fail(g, GAN_ERROR_ARGUMENT, "%s '%s': rank %d is not in 0 .. %d, or shape is NULL", who, name, (int)rank, GAN_MAX_RANK);
    return 0;
  }
  if (rank) memcpy(sizes, shape, (size_t)rank * sizeof *sizes);
  if (!rank || sizes[0] != -1) return 1;
  if (g->batch < 1)
    graph_fail(g, GAN_ERROR_STATE, "%s '%s': a first size of -1 is the batch of a game, and this graph is of none", who, name);
  sizes[0] = g->batch;
  return g->batch >= 1;
}

int32_t axis_ok(const char *who, gan_node *x, int32_t *axis) {
  int32_t came = *axis;
  if (came >= -x->rank && came < 0) *axis += x->rank;
  if (*axis >= 0 && *axis < x->rank) return 1;
  char text[SHAPE_TEXT];
  graph_fail(x->graph, GAN_ERROR_SHAPE, "%s: there is no axis %d in %s", who, came, node_text(x, text));
  return 0;
}

int32_t axes_ok(const char *who, gan_node *x, int32_t count, const int32_t *axes, uint32_t *bits) {
  *bits = 0;
  if (count < 0 || (count > 0 && !axes)) {
    graph_fail(x->graph, GAN_ERROR_ARGUMENT, "%s: %d axes, and %s list of them", who, count, axes ? "a" : "no");
    return 0;
  }
  for (int32_t i = 0; i < count; i++) {
    int32_t axis = axes[i];
    if (!axis_ok(who, x, &axis)) return 0;
    if (*bits >> axis & 1) {
      graph_fail(x->graph, GAN_ERROR_ARGUMENT, "%s: axis %d is given twice", who, axis);
      return 0;
    }
    *bits |= 1u << axis;
  }
  return 1;
}

/* ---------------------------------------------------------------------------------------------------------------- shapes */

const char *node_text(const gan_node *n, char buffer[SHAPE_TEXT]) {
  return shape_text(buffer, SHAPE_TEXT, n->rank, n->shape);
}

int32_t node_has_shape(const gan_node *n, int32_t rank, const int64_t *shape) {
  return shape_equal(n->rank, n->shape, rank, shape);
}

int32_t nodes_same_shape(const gan_node *a, const gan_node *b) {
  return node_has_shape(a, b->rank, b->shape);
}

int32_t shapes_broadcast(int32_t count, gan_node *const *nodes, int32_t *rank, int64_t shape[GAN_MAX_RANK]) {
  *rank = 0;
  for (int32_t i = 0; i < count; i++) {
    if (nodes[i]->rank > *rank) *rank = nodes[i]->rank;
  }
  for (int32_t d = 0; d < GAN_MAX_RANK; d++) shape[d] = 1;
  for (int32_t i = 0; i < count; i++) {
    int32_t lead = *rank - nodes[i]->rank;
    for (int32_t d = 0; d < nodes[i]->rank; d++) {
      int64_t size = nodes[i]->shape[d], *to = &shape[lead + d];
      if (*to == 1) *to = size;
      else if (size != 1 && size != *to) return 0;
    }
  }
  return 1;
}

/* ----------------------------------------------------------------------------------------------------- elementwise nodes */

static gan_node *no_broadcast(const struct op *op, gan_node *const *in) {
  char text[3][SHAPE_TEXT];
  gan_graph *g = in[0]->graph;
  for (int32_t i = 0; i < op->n_in; i++) node_text(in[i], text[i]);
  if (op->n_in == 2) {
    return graph_fail(g, GAN_ERROR_SHAPE, "%s: shapes %s and %s do not fit together", op->name, text[0], text[1]);
  }
  return graph_fail(g, GAN_ERROR_SHAPE, "%s: shapes %s, %s and %s do not fit together", op->name, text[0], text[1], text[2]);
}

gan_node *node_elementwise(const struct op *op, gan_node *const *in) {
  gan_node *bad = nodes_bad(op->name, GAN_F32, op->n_in, in);
  if (bad) return bad;
  int32_t rank;
  int64_t shape[GAN_MAX_RANK];
  if (!shapes_broadcast(op->n_in, in, &rank, shape)) return no_broadcast(op, in);
  gan_node *peeled[3];
  memcpy(peeled, in, (size_t)op->n_in * sizeof *in);
  gan_node *simpler = node_simplified(op, peeled, rank, shape);
  return simpler ? simpler : graph_node(in[0]->graph, op, op->n_in, peeled, NULL, GAN_F32, rank, shape);
}

gan_node *node_unary(const struct op *op, gan_node *x) {
  return node_elementwise(op, &x);
}

gan_node *node_binary(const struct op *op, gan_node *a, gan_node *b) {
  return node_elementwise(op, (gan_node *[]){a, b});
}
