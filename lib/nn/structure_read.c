/* A network from the JSON of structure_write.c. Nothing in it is trusted: every name, number and wire is checked. */
#include "base/registry.h"
#include "io/json.h"
#include "nn/network.h"
#include "ops/op.h"

#include <string.h>

/* One of the two, by id; both kept. */
struct known { gan_layer *layer; gan_network *network; };

struct reading {
  gan_context *ctx;
  int64_t *backed;
  struct known *known; int64_t n_known, cap_known;
};

static gan_status read_network(struct reading *r, const struct json *json, const char *name, gan_network **out);

/* ------------------------------------------------------------------ small things */

static gan_status malformed(struct reading *r, const char *what) {
  return gan_fail(r->ctx, GAN_ERROR_FORMAT, "structure of a network: %s", what);
}

static gan_status get_array(struct reading *r, const struct json *object, const char *key, const struct json **first) {
  const struct json *array = json_get(object, key);
  if (!array || array->kind != JSON_ARRAY) {
    return gan_fail(r->ctx, GAN_ERROR_FORMAT, "structure of a network: expected an array '%s'", key);
  }
  *first = array->first;
  return GAN_OK;
}

static gan_status get_name(struct reading *r, const struct json *object, const char **name) {
  *name = json_string(object, "name");
  if (*name && name_is_valid(*name)) return GAN_OK;
  return gan_fail(r->ctx, GAN_ERROR_FORMAT, "structure of a network: '%.80s' is no name", *name ? *name : "");
}

static gan_status network_status(const gan_network *n) {
  return n->failed ? gan_fail(n->ctx, n->failed, "%s", n->error_text) : GAN_OK;
}

static gan_status note_known(struct reading *r, const struct json *json, gan_layer *layer, gan_network *network) {
  int64_t id;
  if (!json_integer(json_get(json, "id"), &id) || id != r->n_known) return malformed(r, "ids do not count up from 0");
  TRY(context_grow(r->ctx, (void **)&r->known, &r->cap_known, r->n_known + 1, sizeof *r->known));
  r->known[r->n_known++] = (struct known){layer ? layer_ref(layer) : NULL, network ? network_ref(network) : NULL};
  return GAN_OK;
}

/* ------------------------------------------------------------------ inputs and outputs */

static gan_status read_shape(struct reading *r, const struct json *json, gan_port *info) {
  const struct json *size = NULL;
  int64_t left = INT64_C(1) << 40; /* as parse_shape */
  TRY(get_array(r, json, "shape", &size));
  for (; size; size = size->next) {
    if (info->rank == GAN_MAX_RANK - 1) return malformed(r, "an input has too many axes");
    int64_t *to = &info->shape[info->rank++];
    if (!json_integer(size, to) || *to < 1 || *to > left)
      return malformed(r, "a size of an input is no whole number from 1, or too large");
    left /= *to;
  }
  return GAN_OK;
}

static gan_status read_role(struct reading *r, const struct json *json, struct network_port *p) {
  const struct json *classes = json_get(json, "classes");
  const char *noise = json_string(json, "noise");
  if (classes) {
    p->info.role = GAN_ROLE_LABEL;
    if (!json_integer(classes, &p->info.classes) || p->info.classes < 1 || p->info.classes > INT32_MAX)
      return malformed(r, "classes out of range");
  }
  if (noise) {
    p->info.role = GAN_ROLE_NOISE;
    TRY(distribution_parse(r->ctx, noise, &p->noise_kind, &p->noise_x, &p->noise_y));
    if (p->noise_kind == RANDOM_INTEGERS) return malformed(r, "noise is normal, uniform or truncated-normal");
  }
  if ((classes != NULL) > (p->info.type == GAN_I32) || (noise != NULL) > (p->info.type == GAN_F32))
    return malformed(r, "type and role of an input");
  return GAN_OK;
}

static gan_status read_input(struct reading *r, const struct json *json, gan_network *n) {
  struct network_port p = {.info.struct_size = sizeof p.info};
  const char *name, *type = json_string(json, "type");
  TRY(get_name(r, json, &name));
  strcpy(p.name, name);
  if (!type || (strcmp(type, "f32") && strcmp(type, "i32"))) return malformed(r, "type of an input");
  p.info.type = strcmp(type, "f32") ? GAN_I32 : GAN_F32;
  TRY(read_shape(r, json, &p.info));
  TRY(read_role(r, json, &p));
  network_add_input(n, &p);
  return network_status(n);
}

static gan_status read_output(struct reading *r, const struct json *json, gan_network *n) {
  const char *name, *from = json_string(json, "from");
  TRY(get_name(r, json, &name));
  int32_t value = from ? network_value(n, from) : -1;
  if (value < 0) return gan_fail(r->ctx, GAN_ERROR_FORMAT, "structure of a network: output '%s' comes from nowhere", name);
  network_add_output(n, name, value);
  return network_status(n);
}

/* ------------------------------------------------------------------ layers */

static gan_status read_wires(struct reading *r, const struct json *json, const gan_network *n, int32_t *n_from,
                             int32_t from[NETWORK_FROM]) {
  const struct json *wire = NULL;
  TRY(get_array(r, json, "from", &wire));
  for (*n_from = 0; wire; wire = wire->next) {
    int32_t value = wire->kind == JSON_STRING ? network_value(n, wire->string) : -1;
    if (value < 0 || *n_from == NETWORK_FROM) return malformed(r, "a layer comes from nowhere");
    from[(*n_from)++] = value;
  }
  return *n_from ? GAN_OK : malformed(r, "a layer comes from nowhere");
}

static gan_status check_known_name(struct reading *r, const char *text) {
  char name[64];
  if (strlen(text) >= LAYER_LINE || !line_name(text, name, sizeof name)) return malformed(r, "text of a layer");
  if (layer_find(name) || registry_find(r->ctx, REGISTRY_LAYER, name)) return GAN_OK;
  return gan_fail(r->ctx, GAN_ERROR_UNSUPPORTED,
                  "the file needs a layer '%s': this build has none, and gan_context_add_layer() registered none", name);
}

static gan_status read_new_layer(struct reading *r, const struct json *json, const char *usual, gan_layer **out) {
  const char *text = json_string(json, "text"), *path = json_string(json, "path");
  if (!text) return malformed(r, "a layer has no text");
  TRY(check_known_name(r, text));
  if (path && (!*path || strlen(path) >= LAYER_PATH)) return malformed(r, "path of a layer");
  gan_layer *layer;
  TRY(layer_new(r->ctx, text, path ? path : usual, &layer));
  gan_status status = note_known(r, json, layer, NULL);
  if (status == GAN_OK) *out = layer;
  else layer_unref(layer);
  return status;
}

static gan_status read_part(struct reading *r, const struct json *json, const struct json *part, gan_layer **out) {
  gan_network *n;
  TRY(read_network(r, part, NULL, &n));
  gan_status status =
      n->n_outputs == 1 ? note_known(r, json, NULL, n) : malformed(r, "a network within a network has one output");
  if (status == GAN_OK) status = layer_of_network(n, out);
  network_unref(n);
  return status;
}

static gan_status find_known(struct reading *r, const struct json *same, gan_layer **out) {
  int64_t id;
  if (!json_integer(same, &id) || id < 0 || id >= r->n_known) return malformed(r, "'same' is no id that came before");
  const struct known *k = &r->known[id];
  if (k->network) return layer_of_network(k->network, out);
  *out = layer_ref(k->layer);
  return GAN_OK;
}

static gan_status read_layer(struct reading *r, const struct json *json, gan_network *n) {
  const struct json *same = json_get(json, "same"), *part = json_get(json, "network");
  const char *name;
  char usual[LAYER_PATH];
  int32_t n_from, from[NETWORK_FROM];
  gan_layer *layer = NULL;
  TRY(get_name(r, json, &name));
  network_path(n, name, usual);
  TRY(read_wires(r, json, n, &n_from, from));
  if (same) TRY(find_known(r, same, &layer));
  else if (part) TRY(read_part(r, json, part, &layer));
  else TRY(read_new_layer(r, json, usual, &layer));
  network_add_layer(n, layer, name, n_from, from);
  layer_unref(layer);
  return network_status(n);
}

/* ------------------------------------------------------------------ the network */

static gan_status read_all(struct reading *r, const struct json *json, gan_network *n) {
  const struct json *input = NULL, *layer = NULL, *output = NULL;
  TRY(get_array(r, json, "inputs", &input));
  TRY(get_array(r, json, "layers", &layer));
  TRY(get_array(r, json, "outputs", &output));
  for (; input; input = input->next) TRY(read_input(r, input, n));
  for (; layer; layer = layer->next) TRY(read_layer(r, layer, n));
  for (; output; output = output->next) TRY(read_output(r, output, n));
  return gan_network_finish(n);
}

static gan_status read_network(struct reading *r, const struct json *json, const char *name, gan_network **out) {
  const char *own;
  gan_network *n;
  TRY(get_name(r, json, &own));
  TRY(gan_network_create(r->ctx, name ? name : own, &n));
  n->backed = r->backed;
  gan_status status = read_all(r, json, n);
  if (status == GAN_OK) *out = n;
  else network_unref(n);
  return status;
}

gan_status network_from_tree(gan_context *ctx, const struct json *root, const char *name, int64_t *backed, gan_network **out) {
  struct reading r = {.ctx = ctx, .backed = backed};
  gan_status status = read_network(&r, root, name, out);
  for (int64_t i = 0; i < r.n_known; i++) {
    layer_unref(r.known[i].layer);
    network_unref(r.known[i].network);
  }
  context_release(ctx, r.known, (size_t)r.cap_known * sizeof *r.known);
  return status;
}

gan_status network_from_json(gan_context *ctx, const char *json, int64_t size, gan_network **out) {
  struct json_document document;
  gan_status status = json_parse(ctx, json, size, &document);
  if (status == GAN_OK) status = network_from_tree(ctx, document.root, NULL, NULL, out);
  json_free(&document);
  return status;
}
