/* Building: inputs, layers and outputs are added one by one; each layer is probed at once, so that a shape that does not fit is
 * reported where it arises. */
#include "nn/network.h"

#include "base/registry.h"

#include <stdio.h>
#include <string.h>

/* Nothing more can be added after finish: who used the network relies on it. */
static int32_t closed(gan_network *n, const char *what) {
  if (!n || n->failed) return 1;
  if (n->finished) network_fail(n, GAN_ERROR_STATE, "network '%s' is finished: no %s can be added", n->name, what);
  return n->failed != GAN_OK;
}

/* ------------------------------------------------------------------ values by name */

int32_t network_value(const gan_network *n, const char *name) {
  int32_t input = network_input(n, name);
  if (input >= 0) return input;
  for (int64_t i = 0; i < n->n_layers; i++)
    if (!strcmp(n->layers[i].name, name)) return (int32_t)(n->n_inputs + i);
  return -1;
}

const char *network_value_name(const gan_network *n, int32_t value) {
  return value < n->n_inputs ? n->inputs[value].name : n->layers[value - n->n_inputs].name;
}

void network_path(const gan_network *n, const char *layer, char path[LAYER_PATH]) {
  snprintf(path, LAYER_PATH, "%.*s/%.63s", LAYER_PATH - NETWORK_NAME - 1, n->name, layer);
}

static int32_t name_refused(gan_network *n, const char *name) {
  if (!name_is_valid(name)) {
    network_fail(n, GAN_ERROR_ARGUMENT, "network '%s': '%s' is no name: letters, digits, '-', '_', '.'", n->name, name);
  } else if (network_value(n, name) >= 0) {
    network_fail(n, GAN_ERROR_ARGUMENT, "network '%s' has two things named '%s'", n->name, name);
  }
  return n->failed != GAN_OK;
}

/* ------------------------------------------------------------------ inputs */

/* Values of layers move up by one, since inputs are numbered first. */
static void renumber(gan_network *n) {
  for (int64_t i = 0; i < n->n_layers; i++)
    for (int32_t j = 0; j < n->layers[i].n_from; j++) n->layers[i].from[j] += n->layers[i].from[j] >= n->n_inputs;
  for (int64_t i = 0; i < n->n_outputs; i++) n->outputs[i].from += n->outputs[i].from >= n->n_inputs;
}

void network_add_input(gan_network *n, const struct network_port *p) {
  if (closed(n, "input") || name_refused(n, p->name)) return;
  if (context_grow(n->ctx, (void **)&n->inputs, &n->cap_inputs, n->n_inputs + 1, sizeof *n->inputs) != GAN_OK) {
    network_fail(n, GAN_ERROR_MEMORY, "%s, input '%s': %.900s", n->name, p->name, n->ctx->error);
    return;
  }
  renumber(n);
  n->last = (int32_t)n->n_inputs;
  n->inputs[n->n_inputs++] = *p;
}

/* ------------------------------------------------------------------ layers */

static int32_t too_much(gan_network *n, const gan_layer *layer, const char *name, int32_t n_from) {
  const gan_network *part = layer->network;
  if (layer->ctx != n->ctx)
    network_fail(n, GAN_ERROR_ARGUMENT, "%s/%s: layer and network belong to different contexts", n->name, name);
  else if (n->n_layers >= NETWORK_LAYERS)
    network_fail(n, GAN_ERROR_ARGUMENT, "network '%s': more than %d layers", n->name, NETWORK_LAYERS);
  else if (n_from > NETWORK_FROM) network_fail(n, GAN_ERROR_ARGUMENT, "%s/%s: more than %d inputs", n->name, name, NETWORK_FROM);
  else if (part && part->depth >= NETWORK_DEPTH) {
    network_fail(n, GAN_ERROR_ARGUMENT, "%s/%s: more than %d networks within each other", n->name, name, NETWORK_DEPTH);
  } else if (n->applications + (part ? part->applications : 1) > NETWORK_APPLICATIONS) {
    network_fail(n, GAN_ERROR_ARGUMENT, "%s/%s: more than %d applications of layers", n->name, name, NETWORK_APPLICATIONS);
  }
  return n->failed != GAN_OK;
}

/* Takes its place in the list first, so that whatever fails afterwards is freed with the network. */
static struct network_layer *place_layer(gan_network *n, gan_layer *layer, const char *name, int32_t n_from,
                                         const int32_t *from) {
  gan_status status = context_grow(n->ctx, (void **)&n->layers, &n->cap_layers, n->n_layers + 1, sizeof *n->layers);
  int32_t *copy = status == GAN_OK ? context_alloc(n->ctx, (size_t)n_from * sizeof *copy) : NULL;
  if (!copy) {
    network_fail(n, GAN_ERROR_MEMORY, "%s/%s: %.900s", n->name, name, n->ctx->error);
    return NULL;
  }
  memcpy(copy, from, (size_t)n_from * sizeof *copy);
  struct network_layer *l = &n->layers[n->n_layers++];
  *l = (struct network_layer){.layer = layer_ref(layer), .from = copy, .n_from = n_from};
  strcpy(l->name, name);
  return l;
}

void network_add_layer(gan_network *n, gan_layer *layer, const char *name, int32_t n_from, const int32_t *from) {
  if (closed(n, "layer") || name_refused(n, name) || too_much(n, layer, name, n_from)) return;
  char path[LAYER_PATH];
  network_path(n, name, path);
  if (layer_set_path(layer, path) != GAN_OK) {
    network_fail(n, GAN_ERROR_MEMORY, "%s: %.800s", path, n->ctx->error);
    return;
  }
  struct network_layer *l = place_layer(n, layer, name, n_from, from);
  if (!l) return;
  const gan_network *part = layer->network;
  n->applications += part ? part->applications : 1;
  if (part && part->depth >= n->depth) n->depth = part->depth + 1;
  n->last = (int32_t)(n->n_inputs + n->n_layers - 1);
  network_probe(n, l);
}

/* ------------------------------------------------------------------ outputs */

void network_add_output(gan_network *n, const char *name, int32_t from) {
  if (closed(n, "output")) return;
  if (!name_is_valid(name)) {
    network_fail(n, GAN_ERROR_ARGUMENT, "network '%s': '%s' is no name: letters, digits, '-', '_', '.'", n->name, name);
    return;
  }
  for (int64_t i = 0; i < n->n_outputs; i++) {
    if (strcmp(n->outputs[i].name, name)) continue;
    network_fail(n, GAN_ERROR_ARGUMENT, "network '%s' has two outputs named '%s'", n->name, name);
    return;
  }
  if (from < 0) {
    network_fail(n, GAN_ERROR_ARGUMENT, "network '%s': output '%s' of an empty network", n->name, name);
    return;
  }
  if (context_grow(n->ctx, (void **)&n->outputs, &n->cap_outputs, n->n_outputs + 1, sizeof *n->outputs) != GAN_OK) {
    network_fail(n, GAN_ERROR_MEMORY, "network '%s': %.900s", n->name, n->ctx->error);
    return;
  }
  struct network_port *p = &n->outputs[n->n_outputs++];
  *p = (struct network_port){.from = from};
  strcpy(p->name, name);
  network_describe(n, from, &p->info);
}
