/* Nodes: how one comes into a graph, and what can be asked of it. */
#include "graph/graph.h"

#include <string.h>
#include "base/tensor.h"

/* So that neither bytes nor strides of any node can overflow. */
static const int64_t COUNT_MAX = INT64_C(1) << 56;

static int32_t shape_allowed(gan_graph *g, int32_t rank, const int64_t *shape, int64_t *count) {
  char text[160];
  if (rank < 0 || rank > GAN_MAX_RANK) {
    graph_fail(g, GAN_ERROR_SHAPE, "graph: rank %d is not in 0 .. %d", (int)rank, GAN_MAX_RANK);
    return 0;
  }
  *count = shape_count(rank, shape);
  if (*count >= 1 && *count <= COUNT_MAX) return 1;
  graph_fail(g, GAN_ERROR_SHAPE, "graph: shape %s: every size must be at least 1 and the product at most 2^56",
             shape_text(text, sizeof text, rank, shape));
  return 0;
}

static gan_node *fill_node(gan_graph *g, gan_node *n, int32_t n_in, gan_node *const *in) {
  n->graph = g;
  n->n_in = n_in;
  if (n_in == 0) return n;
  n->in = graph_alloc(g, (size_t)n_in * sizeof *n->in);
  if (!n->in) return NULL;
  memcpy(n->in, in, (size_t)n_in * sizeof *in);
  return n;
}

gan_node *graph_node(gan_graph *g, const struct op *op, int32_t n_in, gan_node *const *in, const struct attributes *attr,
                     int32_t type, int32_t rank, const int64_t *shape) {
  int64_t count;
  if (!g || g->failed) return g ? &g->error : node_none();
  if (g->sealed) {
    /* The graph's plan is made and stays good: only this call has failed. */
    gan_fail(g->ctx, GAN_ERROR_STATE, "graph: it is in use by a prepared game; no node can be added any more");
    return &g->error;
  }
  if (!shape_allowed(g, rank, shape, &count)) return &g->error;
  if (g->n_nodes == INT32_MAX) return graph_fail(g, GAN_ERROR_MEMORY, "graph: more than %d nodes", INT32_MAX);
  if (!graph_room(g, (void **)&g->nodes, &g->cap_nodes, g->n_nodes, sizeof *g->nodes)) return &g->error;
  gan_node *n = graph_alloc(g, sizeof *n);
  if (!n || !fill_node(g, n, n_in, in)) return &g->error;
  n->op = op;
  if (attr) memcpy(&n->attr, attr, sizeof *attr); /* padding too: plans compare attributes bytewise */
  n->type = type;
  n->rank = rank;
  if (rank) memcpy(n->shape, shape, (size_t)rank * sizeof *shape);
  n->count = count;
  n->id = (int32_t)g->n_nodes;
  g->nodes[g->n_nodes++] = n;
  return n;
}

int32_t gan_node_type(const gan_node *node) {
  return node && node->op ? node->type : -1;
}

int32_t gan_node_rank(const gan_node *node) {
  return node && node->op ? node->rank : -1;
}

int64_t gan_node_size(const gan_node *node, int32_t axis) {
  int32_t rank = gan_node_rank(node);
  if (axis < 0 && rank > 0) axis += rank;
  return axis >= 0 && axis < rank ? node->shape[axis] : -1;
}

gan_graph *gan_node_graph(const gan_node *node) {
  return node ? node->graph : NULL;
}

gan_node *gan_node_name(gan_node *node, const char *name) {
  if (!node) return node_none();
  if (node_failed(node)) return node;
  if (!name) return graph_fail(node->graph, GAN_ERROR_ARGUMENT, "node_name: name may not be NULL");
  char *copy = graph_strdup(node->graph, name);
  if (!copy) return &node->graph->error;
  node->name = copy;
  return node;
}
