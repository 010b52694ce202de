/* Layers that are made of layers. */
#include "nn/compose.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------ for builders */

void compose_add(struct composition *m, const char *format, ...) {
  char line[LAYER_LINE];
  va_list arguments;
  va_start(arguments, format);
  int32_t length = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  if (length < LAYER_LINE) gan_network_add(m->network, line);
  else network_fail(m->network, GAN_ERROR_ARGUMENT, "%s: its options are too long", m->network->name);
}

static void add_text(const struct composition *m, char *text, const char *format, const char *name, const char *value) {
  size_t used = strlen(text);
  int32_t length = snprintf(text + used, COMPOSE_OPTIONS - used, format, name, value);
  if (used + (size_t)length >= COMPOSE_OPTIONS)
    network_fail(m->network, GAN_ERROR_ARGUMENT, "%s: its options are too long", m->network->name);
}

void compose_given(const struct composition *m, int32_t count, const char *const *names, char text[COMPOSE_OPTIONS]) {
  const struct options *o = &m->call->layer->options;
  text[0] = 0;
  for (int32_t i = 0; i < count; i++) {
    if (!layer_given(m->call, names[i])) continue;
    char number[32];
    const char *value = option_text(o, names[i]);
    format_double(number, sizeof number, option_number(o, names[i]));
    add_text(m, text, " %s=(%s)", names[i], *value ? value : number);
  }
}

/* ------------------------------------------------------------------ the network */

static void add_input(gan_network *inner, const gan_node *x, const char *name) {
  struct network_port p = {.info = {.struct_size = sizeof p.info, .type = x->type, .rank = x->rank - 1}};
  strcpy(p.name, name);
  memcpy(p.info.shape, x->shape + 1, (size_t)p.info.rank * sizeof *x->shape);
  network_add_input(inner, &p);
}

static gan_node *refuse_inputs(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  for (int32_t i = 0; i < n; i++)
    if (in[i]->rank < 1) return graph_fail(c->graph, GAN_ERROR_SHAPE, "expected (batch, ..), came one number");
  return NULL;
}

static gan_status make(struct gan_layer_call *c, int32_t n, gan_node *const *in, void (*build)(struct composition *m)) {
  gan_network *inner;
  TRY(network_new(c->graph->ctx, c->layer->path, &inner));
  inner->backed = c->backed;
  for (int32_t i = 0; i < n; i++) add_input(inner, in[i], i ? "condition" : "x");
  struct composition m = {.call = c, .network = inner, .in = in, .n_in = n};
  build(&m);
  gan_status status = network_ready(inner);
  if (status == GAN_OK) c->layer->network = inner;
  else network_unref(inner);
  return status;
}

gan_node *layer_compose(struct gan_layer_call *c, int32_t n, gan_node *const *in, void (*build)(struct composition *m)) {
  gan_node *y = NULL;
  if (refuse_inputs(c, n, in)) return &c->graph->error;
  gan_status status = c->layer->network ? GAN_OK : make(c, n, in, build);
  if (status != GAN_OK) return graph_fail(c->graph, status, "%s", c->graph->ctx->error);
  status = network_apply(c->graph, c->layer->network, c->training, n, in, 1, &y);
  return status == GAN_OK ? y : &c->graph->error;
}
