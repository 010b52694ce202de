/* Layers of the caller's: registered by name, and what their callbacks may call. */
#include "base/registry.h"
#include "base/tensor.h"
#include "nn/layer.h"
#include "ops/op.h"

#include <string.h>

gan_status gan_context_add_layer(gan_context *context, const char *name, gan_layer_function function, void *user,
                                 gan_release release) {
  if (!context) return GAN_ERROR_ARGUMENT;
  REQUIRE(context, name && function, "gan_context_add_layer: name and function may not be NULL");
  REQUIRE(context, name_is_valid(name), "gan_context_add_layer: '%s' is no name: letters, digits and hyphens", name);
  int32_t word = !strcmp(name, "input") || !strcmp(name, "output"); /* of gan_network_build */
  REQUIRE(context, !layer_find(name) && !word, "gan_context_add_layer: '%s' is a built-in name", name);
  REQUIRE(context, !registry_find(context, REGISTRY_LAYER, name), "gan_context_add_layer: '%s' is registered already", name);
  return registry_add(context, REGISTRY_LAYER, name, (registry_function)function, user, release);
}

/* what: a variable or random numbers, text: how they come about. */
static gan_node *refuse(struct gan_layer_call *c, const char *what, const char *name, int32_t rank, const int64_t *shape,
                        const char *text) {
  if (!c) return node_none();
  gan_graph *g = c->graph;
  if (g->failed) return &g->error;
  if (!name || !text) return graph_fail(g, GAN_ERROR_ARGUMENT, "%s: its name or its text is NULL", what);
  if (rank < 0 || rank > GAN_MAX_RANK || (rank && !shape)) {
    return graph_fail(g, GAN_ERROR_ARGUMENT, "%s '%s': rank must be 0 .. %d, with a shape", what, name, GAN_MAX_RANK);
  }
  if (shape_count(rank, shape) < 0)
    return graph_fail(g, GAN_ERROR_SHAPE, "%s '%s': sizes must be >= 0 and fit in memory", what, name);
  return NULL;
}

gan_node *gan_layer_parameter(gan_layer_call *call, const char *name, int32_t rank, const int64_t *shape, const char *init) {
  gan_node *refused = refuse(call, "variable", name, rank, shape, init);
  return refused ? refused : layer_parameter(call, name, rank, shape, init);
}

gan_node *gan_layer_state(gan_layer_call *call, const char *name, int32_t rank, const int64_t *shape, const char *init) {
  gan_node *refused = refuse(call, "variable", name, rank, shape, init);
  return refused ? refused : layer_state(call, name, rank, shape, init);
}

gan_node *gan_layer_random(gan_layer_call *call, const char *name, const char *distribution, int32_t rank, const int64_t *shape) {
  gan_node *refused = refuse(call, "random", name, rank, shape, distribution);
  if (refused) return refused;
  int32_t kind;
  double x, y;
  gan_graph *g = call->graph;
  gan_status status = distribution_parse(g->ctx, distribution, &kind, &x, &y);
  if (status != GAN_OK) return graph_fail(g, status, "random '%s': %s", name, g->ctx->error);
  return layer_random(call, name, kind, x, y, rank, shape);
}

void gan_layer_assign(gan_layer_call *call, const char *name, gan_node *value) {
  if (!call) return;
  if (!name || !value) graph_fail(call->graph, GAN_ERROR_ARGUMENT, "gan_layer_assign: name and value may not be NULL");
  else layer_assign(call, name, value);
}

int32_t gan_layer_training(const gan_layer_call *call) { return call ? call->training : 0; }

double gan_layer_option(const gan_layer_call *call, const char *name, double fallback) {
  if (!call || !name) return fallback;
  struct line_word w;
  for (const char *s = call->layer->text; line_next(s, &w) == 1; s = w.end) {
    if (!w.value || (size_t)w.key_length != strlen(name) || memcmp(w.key, name, (size_t)w.key_length)) continue;
    char value[64];
    double number;
    const char *end;
    line_value(&w, value, sizeof value);
    if (parse_double(value, &end, &number) && !*end) return number;
    graph_fail(call->graph, GAN_ERROR_ARGUMENT, "'%.63s=%s' is no number", name, value);
  }
  return fallback;
}
