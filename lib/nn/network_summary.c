/* A network as a table for people. */
#include "nn/network.h"

#include <stdio.h>
#include <string.h>

struct table { struct text *out; int32_t name, what, shape; };    /* widths */

/* 1234567 -> "1,234,567" */
static const char *grouped(char buffer[32], int64_t value) {
  char digits[24];
  int32_t length = snprintf(digits, sizeof digits, "%lld", (long long)value), at = 0;
  for (int32_t i = 0; i < length; i++) {
    if (i && (length - i) % 3 == 0) buffer[at++] = ',';
    buffer[at++] = digits[i];
  }
  buffer[at] = 0;
  return buffer;
}

static void line(const struct table *t, const char *name, const char *what, const char *shape, const char *parameters,
                 const char *flops) {
  text_format(t->out, "%-*s  %-*.*s  %-*s  %12s  %14s\n", t->name, name, t->what, t->what, what, t->shape, shape, parameters,
              flops);
}

static const char *what_of(const struct network_layer *l) {
  return layer_is_network(l->layer) ? l->layer->network->name : l->layer->text;
}

/* Parameters that no earlier layer of this network has shown. */
static int64_t own_parameters(const gan_network *n, int64_t index) {
  const char *name = n->layers[index].name;
  size_t length = strlen(name);
  int64_t count = 0;
  for (int64_t i = 0; i < n->n_variables; i++) {
    const struct network_variable *v = &n->variables[i];
    if (v->variable->trainable && !strncmp(v->path, name, length) && v->path[length] == '/') count += v->variable->count;
  }
  return count;
}

static int32_t max_width(int32_t a, size_t b, int32_t limit) {
  int32_t width = b > (size_t)limit ? limit : (int32_t)b;
  return a > width ? a : width;
}

static void measure(struct table *t, const gan_network *n) {
  char shape[128];
  t->name = t->what = t->shape = 6;
  for (int64_t i = 0; i < n->n_inputs; i++) {
    t->name = max_width(t->name, strlen(n->inputs[i].name), NETWORK_NAME);
    t->shape = max_width(t->shape, strlen(shape_text(shape, sizeof shape, n->inputs[i].info.rank, n->inputs[i].info.shape)), 40);
  }
  for (int64_t i = 0; i < n->n_layers; i++) {
    const struct network_layer *l = &n->layers[i];
    t->name = max_width(t->name, strlen(l->name), NETWORK_NAME);
    t->what = max_width(t->what, strlen(what_of(l)), 48);
    t->shape = max_width(t->shape, strlen(shape_text(shape, sizeof shape, l->rank, l->shape)), 40);
  }
}

static void write_rows(const struct table *t, gan_network *n) {
  char shape[128], parameters[32], flops[32];
  static const char *const roles[] = {"data", "noise", "label"};
  line(t, "name", "layer", "output", "parameters", "FLOPs");
  for (int64_t i = 0; i < n->n_inputs; i++) {
    const gan_port *p = &n->inputs[i].info;
    line(t, n->inputs[i].name, roles[p->role], shape_text(shape, sizeof shape, p->rank, p->shape), "", "");
  }
  int64_t total = 0;
  for (int64_t i = 0; i < n->n_layers; i++) {
    const struct network_layer *l = &n->layers[i];
    total += l->flops;
    line(t, l->name, what_of(l), shape_text(shape, sizeof shape, l->rank, l->shape), grouped(parameters, own_parameters(n, i)),
         grouped(flops, l->flops));
  }
  line(t, "total", "", "", grouped(parameters, gan_network_parameters(n)), grouped(flops, total));
}

gan_status gan_network_summary(gan_network *network, char *text, int64_t capacity, int64_t *needed) {
  if (!network) return GAN_ERROR_ARGUMENT;
  TRY(network_ready(network));
  struct text out;
  text_init(&out, network->ctx);
  struct table t = {.out = &out};
  measure(&t, network);
  text_format(&out, "network %s\n", network->name);
  write_rows(&t, network);
  gan_status status = out.failed ? GAN_ERROR_MEMORY : text_copy_out(network->ctx, text_get(&out), text, capacity, needed);
  text_free(&out);
  return status;
}
