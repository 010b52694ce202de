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

static gan_node *refuse_variable(struct gan_layer_call *c, const char *name, int32_t rank, const int64_t *shape,
                                 const char *init) {
  if (!c) return node_none();
  gan_graph *g = c->graph;
  if (g->failed) return &g->error;
  if (!name || !init) return graph_fail(g, GAN_ERROR_ARGUMENT, "name and init of a variable may not be NULL");
  if (rank < 0 || rank > GAN_MAX_RANK || (rank && !shape)) {
    return graph_fail(g, GAN_ERROR_ARGUMENT, "variable '%s': rank must be 0 .. %d, with a shape", name, GAN_MAX_RANK);
  }
  if (shape_count(rank, shape) < 0)
    return graph_fail(g, GAN_ERROR_SHAPE, "variable '%s': sizes must be >= 0 and fit in memory", name);
  return NULL;
}

gan_node *gan_layer_parameter(gan_layer_call *call, const char *name, int32_t rank, const int64_t *shape, const char *init) {
  gan_node *refused = refuse_variable(call, name, rank, shape, init);
  return refused ? refused : layer_parameter(call, name, rank, shape, init);
}

gan_node *gan_layer_state(gan_layer_call *call, const char *name, int32_t rank, const int64_t *shape, const char *init) {
  gan_node *refused = refuse_variable(call, name, rank, shape, init);
  return refused ? refused : layer_state(call, name, rank, shape, init);
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
