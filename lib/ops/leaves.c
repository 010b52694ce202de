/* Leaves: where values come into a graph. */
#include "ops/build.h"

#include <stdint.h>
#include <string.h>
#include "base/tensor.h"

const struct op op_input = {"input", OP_LEAF, 0, -1, NULL, NULL};
const struct op op_constant = {"constant", OP_LEAF, 0, -1, NULL, NULL};
const struct op op_tensor = {"tensor", OP_LEAF, 0, -1, NULL, NULL};
const struct op op_variable = {"variable", OP_LEAF, 0, -1, NULL, NULL};

/* ------------------------------------------------------------------------------------------------------------- constants */

gan_node *gan_constant(gan_graph *graph, double value) {
  gan_node *bad = graph_bad(graph, "constant", graph, "graph");
  if (bad) return bad;
  return graph_node(graph, &op_constant, 0, NULL, &(struct attributes){.x = value}, GAN_F32, 0, NULL);
}

gan_node *node_scalar_like(gan_node *n, double value) {
  return node_failed(n) ? (n && n->graph ? &n->graph->error : node_none()) : gan_constant(n->graph, value);
}

gan_node *node_full(gan_graph *g, double value, int32_t rank, const int64_t *shape) {
  return gan_broadcast(gan_constant(g, value), rank, shape);
}

gan_node *node_zeros(gan_graph *g, int32_t rank, const int64_t *shape) {
  return node_full(g, 0, rank, shape);
}

int32_t node_is_constant(const gan_node *n, double *value) {
  while (n->op == &op_broadcast || n->op == &op_reshape) n = n->in[0];
  if (n->op != &op_constant) return 0;
  *value = n->attr.x;
  return 1;
}

gan_node *gan_constant_tensor(gan_graph *graph, const gan_tensor *tensor) {
  gan_node *bad = graph_bad(graph, "constant_tensor", tensor, "tensor");
  if (bad) return bad;
  int32_t type = tensor->type == GAN_I32 ? GAN_I32 : GAN_F32;
  void *data = graph_alloc(graph, (size_t)(tensor->count * type_bytes(type)));
  if (!data) return &graph->error;
  convert_elements(type, data, tensor->type, tensor->data, tensor->count);
  return graph_node(graph, &op_tensor, 0, NULL, &(struct attributes){.data = data}, type, tensor->rank, tensor->shape);
}

gan_node *node_positions(gan_graph *g, int64_t n) {
  gan_tensor *t;
  if (g->failed) return &g->error;
  gan_status status = gan_tensor_create(g->ctx, GAN_I32, 1, &n, &t);
  if (status != GAN_OK) return graph_fail(g, status, "%s", g->ctx->error);
  for (int64_t i = 0; i < n; i++) ((int32_t *)t->data)[i] = (int32_t)i;
  gan_node *positions = gan_constant_tensor(g, t);
  gan_tensor_free(t);
  return positions;
}

/* ------------------------------------------------------------------------------------------------------------- variables */

static void drop_variable(void *v) {
  variable_unref(v);
}

gan_node *node_variable(gan_graph *g, struct variable *v) {
  gan_node *bad = graph_bad(g, "variable", v, "variable");
  if (bad) return bad;
  for (int64_t i = 0; i < g->n_variables; i++)
    if (g->variables[i]->attr.variable == v) return g->variables[i];
  if (!graph_room(g, (void **)&g->variables, &g->cap_variables, g->n_variables, sizeof *g->variables)) return &g->error;
  gan_node *n = graph_node(g, &op_variable, 0, NULL, &(struct attributes){.variable = v}, GAN_F32, v->rank, v->shape);
  if (node_failed(n)) return n;
  g->variables[g->n_variables++] = n;
  graph_keep(g, variable_ref(v), drop_variable);
  return gan_node_name(n, v->name);
}

gan_node *node_present(gan_graph *g, struct variable *v) {
  gan_node *ahead = g && v ? graph_ahead(g, v) : NULL;
  return ahead ? ahead : node_variable(g, v);
}

/* ---------------------------------------------------------------------------------------------------------------- inputs */

static int32_t same_name(const struct binding *a, const struct binding *b) {
  return a->name && b->name && strcmp(a->name, b->name) == 0;
}

/* Two bindings that are filled by the same values: one slot of one data source, or one name. */
static int32_t same_source(const struct binding *a, const struct binding *b) {
  if (a->kind != b->kind || a->data != b->data || a->slot != b->slot) return 0;
  return a->data || same_name(a, b);
}

static int32_t same_value(const struct binding *a, const struct binding *b) {
  return memcmp(&a->value, &b->value, sizeof a->value) == 0;
}

/* Asking again for the same input gives the same node; asking for another one under its name is an error. */
static gan_node *find_input(gan_graph *g, const struct binding *b, int32_t type, int32_t rank, const int64_t *shape) {
  for (int64_t i = 0; i < g->n_nodes; i++) {
    gan_node *n = g->nodes[i];
    if (n->op != &op_input) continue;
    const struct binding *there = n->attr.data;
    int32_t same = same_source(there, b);
    if (same && n->type == type && node_has_shape(n, rank, shape) && same_value(there, b)) return n;
    if (!same && (b->data || there->data || !same_name(there, b))) continue;
    return graph_fail(g, GAN_ERROR_ARGUMENT, "input: there is another input named '%s', of another shape, type or value",
                      there->name ? there->name : "");
  }
  return NULL;
}

gan_node *node_input(gan_graph *g, const struct binding *b, int32_t type, int32_t rank, const int64_t *shape) {
  gan_node *bad = graph_bad(g, "input", b, "binding");
  if (bad) return bad;
  gan_node *there = find_input(g, b, type, rank, shape);
  if (there) return there;
  struct binding *copy = graph_alloc(g, sizeof *copy);
  if (!copy) return &g->error;
  *copy = *b;
  if (b->name && !(copy->name = graph_strdup(g, b->name))) return &g->error;
  gan_node *n = graph_node(g, &op_input, 0, NULL, &(struct attributes){.data = copy}, type, rank, shape);
  if (!node_failed(n)) n->name = copy->name;
  return n;
}

static gan_node *bad_name(gan_graph *g, const char *who, const char *name) {
  gan_node *bad = graph_bad(g, who, name, "name");
  if (bad) return bad;
  return *name ? NULL : graph_fail(g, GAN_ERROR_ARGUMENT, "%s: the name is empty", who);
}

gan_node *gan_input(gan_graph *graph, const char *name, int32_t type, int32_t rank, const int64_t *shape) {
  gan_node *bad = bad_name(graph, "input", name);
  if (bad) return bad;
  if (type != GAN_F32 && type != GAN_I32) {
    return graph_fail(graph, GAN_ERROR_ARGUMENT, "input '%s': type %d is neither GAN_F32 nor GAN_I32", name, (int)type);
  }
  int64_t sizes[GAN_MAX_RANK];
  if (!shape_of_batch(graph, "input", name, rank, shape, sizes)) return &graph->error;
  struct binding b = {.kind = BINDING_CALLER, .name = (char *)name};
  return node_input(graph, &b, type, rank, sizes);
}

gan_node *gan_scalar(gan_graph *graph, const char *name, double value) {
  gan_node *bad = bad_name(graph, "scalar", name);
  if (bad) return bad;
  struct binding b = {.kind = BINDING_SCALAR, .name = (char *)name, .value = value};
  return node_input(graph, &b, GAN_F32, 0, NULL);
}
