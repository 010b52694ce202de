/* What a layer makes of its inputs: it is applied, for training, to a small graph with a batch of 2, which then goes again. So no
 * layer has a second description of its shapes; its variables come to be on the way. */
#include "nn/network.h"

#include "base/tensor.h"
#include "ops/op.h"

#include <string.h>

enum { PROBE_BATCH = 2 };

void network_describe(const gan_network *n, int32_t value, gan_port *info) {
  if (value < n->n_inputs) {
    *info = n->inputs[value].info;
    return;
  }
  const struct network_layer *l = &n->layers[value - n->n_inputs];
  *info = (gan_port){.struct_size = sizeof *info, .rank = l->rank, .type = l->type};
  memcpy(info->shape, l->shape, sizeof info->shape);
}

/* One node a value, also if a layer takes it twice: inputs of one name are one. */
static gan_node *probe_input(const gan_network *n, gan_graph *g, int32_t value) {
  gan_port info;
  network_describe(n, value, &info);
  int64_t shape[GAN_MAX_RANK] = {PROBE_BATCH};
  memcpy(shape + 1, info.shape, (size_t)info.rank * sizeof *shape);
  struct binding b = {.kind = BINDING_CALLER, .name = (char *)network_value_name(n, value), .classes = info.classes};
  return node_input(g, &b, info.type, info.rank + 1, shape);
}

/* For one sample. What does not depend on the inputs, such as a spectral norm, is computed once a step and not once a sample. */
static int64_t count_flops(gan_graph *g) {
  int64_t flops = 0;
  uint8_t *depends = graph_alloc(g, (size_t)g->n_nodes);
  for (int64_t i = 0; depends && i < g->n_nodes; i++) {
    const gan_node *n = g->nodes[i];
    depends[i] = n->op == &op_input;
    for (int32_t j = 0; j < n->n_in; j++) depends[i] |= depends[n->in[j]->id];
    if (depends[i]) flops += node_flops(n);
  }
  return flops / PROBE_BATCH;
}

/* A network was probed layer by layer when it was built. */
static void probe_part(gan_graph *g, struct network_layer *l, gan_node *const *in) {
  gan_network *part = l->layer->network;
  if (network_check_inputs(g, part, l->n_from, in) != GAN_OK) return;
  const gan_port *out = &part->outputs[0].info;
  l->rank = out->rank;
  l->type = out->type;
  memcpy(l->shape, out->shape, sizeof l->shape);
  for (int64_t i = 0; i < part->n_layers; i++) l->flops += part->layers[i].flops;
}

static void probe_layer(gan_network *n, gan_graph *g, struct network_layer *l, gan_node *const *in) {
  char text[128];
  gan_node *y = layer_apply_backed(g, l->layer, 1, n->backed, l->n_from, in);
  if (g->failed) return;
  if (y->rank < 1 || y->shape[0] != PROBE_BATCH) {
    graph_fail(g, GAN_ERROR_SHAPE, "%s/%s: expected an output with the batch as its first axis, came %s", n->name, l->name,
               shape_text(text, sizeof text, y->rank, y->shape));
    return;
  }
  l->rank = y->rank - 1;
  l->type = y->type;
  memcpy(l->shape, y->shape + 1, (size_t)l->rank * sizeof *l->shape);
  l->flops = count_flops(g);
}

void network_probe(gan_network *n, struct network_layer *l) {
  gan_graph *g;
  gan_node *in[NETWORK_FROM];
  gan_status status = gan_graph_create(n->ctx, &g);
  if (status != GAN_OK) {
    network_fail(n, status, "%s/%s: %.800s", n->name, l->name, n->ctx->error);
    return;
  }
  for (int32_t i = 0; i < l->n_from; i++) in[i] = probe_input(n, g, l->from[i]);
  if (l->layer->network) probe_part(g, l, in);
  else probe_layer(n, g, l, in);
  const char *note = g->failed == GAN_ERROR_SHAPE ? " (axis 0 is the batch, 2 while building)" : "";
  if (g->failed) network_fail(n, g->failed, "%.980s%s", g->error_text, note);
  gan_graph_free(g);
}
