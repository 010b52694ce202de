/* The life of a network: made empty, filled by builders, finished once, counted. */
#include "nn/network.h"

#include "base/registry.h"
#include "base/tensor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

gan_network *network_ref(gan_network *n) {
  atomic_fetch_add(&n->refs, 1);
  return n;
}

static void free_layers(gan_network *n) {
  for (int64_t i = 0; i < n->n_layers; i++) {
    context_release(n->ctx, n->layers[i].from, (size_t)n->layers[i].n_from * sizeof(int32_t));
    layer_unref(n->layers[i].layer);
  }
  context_release(n->ctx, n->layers, (size_t)n->cap_layers * sizeof *n->layers);
}

static void free_variables(gan_network *n) {
  for (int64_t i = 0; i < n->n_variables; i++) {
    context_strfree(n->ctx, n->variables[i].path);
    variable_unref(n->variables[i].variable);
  }
  context_release(n->ctx, n->variables, (size_t)n->cap_variables * sizeof *n->variables);
}

void network_unref(gan_network *n) {
  if (!n || atomic_fetch_sub(&n->refs, 1) > 1) return;
  gan_context *ctx = n->ctx;
  free_variables(n);
  free_layers(n);
  context_release(ctx, n->inputs, (size_t)n->cap_inputs * sizeof *n->inputs);
  context_release(ctx, n->outputs, (size_t)n->cap_outputs * sizeof *n->outputs);
  context_strfree(ctx, n->name);
  context_release(ctx, n, sizeof *n);
  context_unref(ctx);
}

gan_status network_new(gan_context *ctx, const char *name, gan_network **out) {
  gan_network *n = context_zalloc(ctx, sizeof *n);
  if (!n) return GAN_ERROR_MEMORY;
  atomic_init(&n->refs, 1);
  n->ctx = context_ref(ctx);
  n->last = -1;
  n->depth = 1;
  n->name = context_strdup(ctx, name);
  if (!n->name) {
    network_unref(n);
    return GAN_ERROR_MEMORY;
  }
  *out = n;
  return GAN_OK;
}

gan_status gan_network_create(gan_context *context, const char *name, gan_network **network) {
  if (!context) return GAN_ERROR_ARGUMENT;
  REQUIRE(context, name && network, "gan_network_create: name and network may not be NULL");
  REQUIRE(context, name_is_valid(name), "gan_network_create: '%s' is no name: letters, digits, '-', '_', '.'", name);
  return network_new(context, name, network);
}

void gan_network_free(gan_network *network) { network_unref(network); }

void network_fail(gan_network *n, gan_status status, const char *format, ...) {
  if (n->failed) return;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(n->error_text, sizeof n->error_text, format, arguments);
  va_end(arguments);
  n->failed = status;
}

void network_fail_null(gan_network *n, const char *function, const char *parameter) {
  gan_status status = gan_fail_null(n->ctx, function, parameter);
  network_fail(n, status, "%s", n->ctx->error);
}

/* ------------------------------------------------------------------ finish */

static int32_t is_listed(const gan_network *n, const struct variable *v) {
  for (int64_t i = 0; i < n->n_variables; i++)
    if (n->variables[i].variable == v) return 1;
  return 0;
}

/* Takes the list's next place for `v`; a shared variable keeps the path of its first layer. */
static gan_status list_variable(gan_network *n, const char *layer, const char *rest, struct variable *v) {
  if (is_listed(n, v)) return GAN_OK;
  TRY(context_grow(n->ctx, (void **)&n->variables, &n->cap_variables, n->n_variables + 1, sizeof *n->variables));
  struct text path;
  text_init(&path, n->ctx);
  text_format(&path, "%s/%s", layer, rest);
  char *copy = path.failed ? NULL : context_strdup(n->ctx, text_get(&path));
  text_free(&path);
  if (!copy) return GAN_ERROR_MEMORY;
  n->variables[n->n_variables++] = (struct network_variable){copy, variable_ref(v)};
  return GAN_OK;
}

static gan_status list_variables_of(gan_network *n, const struct network_layer *l, int32_t trainable) {
  const gan_layer *layer = l->layer;
  const gan_network *part = layer->network;
  int64_t count = part ? part->n_variables : layer->n_variables;
  for (int64_t i = 0; i < count; i++) {
    struct variable *v = part ? part->variables[i].variable : layer->variables[i];
    if (v->trainable == trainable) TRY(list_variable(n, l->name, part ? part->variables[i].path : layer_local_name(layer, v), v));
  }
  return GAN_OK;
}

static gan_status list_variables(gan_network *n) {
  for (int32_t trainable = 1; trainable >= 0; trainable--)
    for (int64_t i = 0; i < n->n_layers; i++) TRY(list_variables_of(n, &n->layers[i], trainable));
  return GAN_OK;
}

gan_status gan_network_finish(gan_network *network) {
  gan_network *n = network;
  if (!n) return GAN_ERROR_ARGUMENT;
  if (n->finished && !n->failed) return GAN_OK;
  if (!n->failed && !n->n_inputs)
    network_fail(n, GAN_ERROR_ARGUMENT, "network '%s' has no input: gan_network_input() declares one", n->name);
  if (!n->failed && !n->n_outputs) network_add_output(n, "out", n->last);
  if (!n->failed && list_variables(n) != GAN_OK) network_fail(n, GAN_ERROR_MEMORY, "%s", n->ctx->error);
  if (n->failed) return gan_fail(n->ctx, n->failed, "%s", n->error_text);
  for (int64_t i = 0; i < n->n_inputs; i++) n->inputs[i].info.name = n->inputs[i].name;
  for (int64_t i = 0; i < n->n_outputs; i++) n->outputs[i].info.name = n->outputs[i].name;
  n->backed = NULL;
  n->finished = 1;
  return GAN_OK;
}

gan_status network_ready(gan_network *n) { return gan_network_finish(n); }

/* ------------------------------------------------------------------ what is in it */

uint32_t network_flags(const gan_network *n) {
  uint32_t flags = 0;
  for (int64_t i = 0; i < n->n_layers; i++) flags |= layer_flags(n->layers[i].layer);
  return flags;
}

struct variable *network_variable(gan_network *n, const char *path) {
  for (int64_t i = 0; i < n->n_variables; i++)
    if (!strcmp(n->variables[i].path, path)) return n->variables[i].variable;
  return NULL;
}

int32_t network_input(const gan_network *n, const char *name) {
  for (int64_t i = 0; i < n->n_inputs; i++)
    if (!strcmp(n->inputs[i].name, name)) return (int32_t)i;
  return -1;
}

static int32_t same_ports(int64_t n_a, const struct network_port *a, int64_t n_b, const struct network_port *b) {
  if (n_a != n_b) return 0;
  for (int64_t i = 0; i < n_a; i++) {
    const gan_port *p = &a[i].info, *q = &b[i].info;
    if (p->type != q->type || p->classes != q->classes || !shape_equal(p->rank, p->shape, q->rank, q->shape)) return 0;
  }
  return 1;
}

int32_t network_same_structure(gan_network *a, gan_network *b) {
  if (!same_ports(a->n_inputs, a->inputs, b->n_inputs, b->inputs) ||
      !same_ports(a->n_outputs, a->outputs, b->n_outputs, b->outputs))
    return 0;
  if (a->n_variables != b->n_variables) return 0;
  for (int64_t i = 0; i < a->n_variables; i++) {
    const struct variable *v = a->variables[i].variable, *w = b->variables[i].variable;
    if (strcmp(a->variables[i].path, b->variables[i].path) || !shape_equal(v->rank, v->shape, w->rank, w->shape)) return 0;
  }
  return 1;
}
