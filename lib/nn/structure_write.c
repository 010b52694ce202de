/* The structure of a network as JSON:
 *
 *   {"name": "G",
 *    "inputs": [{"name": "z", "type": "f32", "shape": [100], "noise": "normal mean=0 std=1"},
 *               {"name": "y", "type": "i32", "shape": [], "classes": 10}],
 *    "layers": [{"name": "dense1", "id": 0, "text": "dense units=128", "from": ["z"]},
 *               {"name": "again", "same": 0, "from": ["relu1"]},
 *               {"name": "trunk", "id": 3, "network": {..}, "from": ["again"]}],
 *    "outputs": [{"name": "out", "from": "trunk"}]}
 *
 * Layers and networks within it are numbered (id) through the whole document in order of appearance, those within a network
 * before it; "same" is one that appeared already. "path" stands where it is not the network's name and the layer's: it seeds
 * initial values and masks.
 */
#include "io/json.h"
#include "nn/network.h"

#include <stdio.h>
#include <string.h>

struct writing {
  gan_context *ctx;
  struct text *out;
  const void **seen; int64_t n_seen, cap_seen;     /* layers and networks by id */
  gan_status failed;
};

static void write_network(struct writing *w, const gan_network *n);

static void key(struct writing *w, const char *before, const char *name) { text_format(w->out, "%s\"%s\":", before, name); }

static void key_string(struct writing *w, const char *before, const char *name, const char *value) {
  key(w, before, name);
  json_write_string(w->out, value);
}

/* ------------------------------------------------------------------ ports */

static void write_noise(struct writing *w, const struct network_port *p) {
  static const char *const formats[][2] = {
    [RANDOM_NORMAL] = {"normal mean=", " std="},
    [RANDOM_TRUNCATED] = {"truncated-normal mean=", " std="},
    [RANDOM_UNIFORM] = {"uniform low=", " high="},
  };
  char x[32], y[32], text[128];
  format_double(x, sizeof x, p->noise_x);
  format_double(y, sizeof y, p->noise_y);
  snprintf(text, sizeof text, "%s%s%s%s", formats[p->noise_kind][0], x, formats[p->noise_kind][1], y);
  key_string(w, ",", "noise", text);
}

static void write_input(struct writing *w, const struct network_port *p) {
  key_string(w, "{", "name", p->name);
  key_string(w, ",", "type", p->info.type == GAN_F32 ? "f32" : "i32");
  key(w, ",", "shape");
  text_add(w->out, "[");
  for (int32_t i = 0; i < p->info.rank; i++) text_format(w->out, "%s%lld", i ? "," : "", (long long)p->info.shape[i]);
  text_add(w->out, "]");
  if (p->info.role == GAN_ROLE_LABEL) text_format(w->out, ",\"classes\":%lld", (long long)p->info.classes);
  if (p->info.role == GAN_ROLE_NOISE) write_noise(w, p);
  text_add(w->out, "}");
}

static void write_output(struct writing *w, const gan_network *n, const struct network_port *p) {
  key_string(w, "{", "name", p->name);
  key_string(w, ",", "from", network_value_name(n, p->from));
  text_add(w->out, "}");
}

/* ------------------------------------------------------------------ layers */

static int64_t find_seen(const struct writing *w, const void *object) {
  for (int64_t i = 0; i < w->n_seen; i++)
    if (w->seen[i] == object) return i;
  return -1;
}

static void note_seen(struct writing *w, const void *object) {
  gan_status status = context_grow(w->ctx, (void **)&w->seen, &w->cap_seen, w->n_seen + 1, sizeof *w->seen);
  if (status != GAN_OK) w->failed = status;
  else w->seen[w->n_seen++] = object;
}

/* A network's own layers come before it is noted, so its id is known only behind them: reading goes the same way. */
static void write_part(struct writing *w, const gan_network *part) {
  key(w, ",", "network");
  write_network(w, part);
  text_format(w->out, ",\"id\":%lld", (long long)w->n_seen);
  note_seen(w, part);
}

static void write_new_layer(struct writing *w, const gan_network *n, const struct network_layer *l) {
  char usual[LAYER_PATH];
  network_path(n, l->name, usual);
  text_format(w->out, ",\"id\":%lld", (long long)w->n_seen);
  note_seen(w, l->layer);
  key_string(w, ",", "text", l->layer->text);
  if (strcmp(usual, l->layer->path)) key_string(w, ",", "path", l->layer->path);
}

static void write_layer(struct writing *w, const gan_network *n, const struct network_layer *l) {
  const gan_network *part = layer_is_network(l->layer) ? l->layer->network : NULL;
  int64_t same = find_seen(w, part ? (const void *)part : l->layer);
  key_string(w, "{", "name", l->name);
  if (same >= 0) text_format(w->out, ",\"same\":%lld", (long long)same);
  else if (part) write_part(w, part);
  else write_new_layer(w, n, l);
  key(w, ",", "from");
  for (int32_t i = 0; i < l->n_from; i++) {
    text_add(w->out, i ? "," : "[");
    json_write_string(w->out, network_value_name(n, l->from[i]));
  }
  text_add(w->out, "]}");
}

static void write_network(struct writing *w, const gan_network *n) {
  key_string(w, "{", "name", n->name);
  key(w, ",", "inputs");
  for (int64_t i = 0; i < n->n_inputs; i++) {
    text_add(w->out, i ? "," : "[");
    write_input(w, &n->inputs[i]);
  }
  key(w, "],", "layers");
  text_add(w->out, "[");
  for (int64_t i = 0; i < n->n_layers && w->failed == GAN_OK; i++) {
    if (i) text_add(w->out, ",");
    write_layer(w, n, &n->layers[i]);
  }
  key(w, "],", "outputs");
  for (int64_t i = 0; i < n->n_outputs; i++) {
    text_add(w->out, i ? "," : "[");
    write_output(w, n, &n->outputs[i]);
  }
  text_add(w->out, "]}");
}

gan_status network_to_json(gan_network *n, struct text *out) {
  TRY(network_ready(n));
  struct writing w = {.ctx = n->ctx, .out = out};
  write_network(&w, n);
  context_release(n->ctx, w.seen, (size_t)w.cap_seen * sizeof *w.seen);
  return w.failed != GAN_OK ? w.failed : out->failed ? GAN_ERROR_MEMORY : GAN_OK;
}
