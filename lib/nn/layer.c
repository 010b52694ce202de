/* The life of a layer: made from text, named once, counted. */
#include "nn/layer.h"

#include "base/registry.h"
#include "nn/initializer.h"
#include "nn/network.h"

#include <string.h>

gan_layer *layer_ref(gan_layer *l) {
  atomic_fetch_add(&l->refs, 1);
  return l;
}

void layer_unref(gan_layer *l) {
  if (!l || atomic_fetch_sub(&l->refs, 1) > 1) return;
  gan_context *ctx = l->ctx;
  for (int64_t i = 0; i < l->n_variables; i++) variable_unref(l->variables[i]);
  context_release(ctx, l->variables, (size_t)l->cap_variables * sizeof *l->variables);
  if (l->row) options_free(&l->options);
  network_unref(l->network);
  context_strfree(ctx, l->text);
  context_strfree(ctx, l->path);
  context_release(ctx, l, sizeof *l);
  context_unref(ctx);
}

static gan_status layer_empty(gan_context *ctx, gan_layer **out) {
  gan_layer *l = context_zalloc(ctx, sizeof *l);
  if (!l) return GAN_ERROR_MEMORY;
  atomic_init(&l->refs, 1);
  l->ctx = context_ref(ctx);
  *out = l;
  return GAN_OK;
}

/* ------------------------------------------------------------------ from text */

static const char *layer_name(int32_t i) {
  return i < layer_count() ? layer_at(i)->name : NULL;
}

/* A misspelt initializer is reported where it stands, not when the layer meets its first input. */
static gan_status check_initializers(const gan_layer *l, const char *who) {
  for (int32_t i = 0; i < l->options.count; i++) {
    const struct option *o = &l->options.table[i];
    size_t length = strlen(o->name);
    if (o->type != OPTION_TEXT || length < 4 || strcmp(o->name + length - 4, "init")) continue;
    TRY(initializer_check(l->ctx, who, l->options.text[i]));
  }
  return GAN_OK;
}

static gan_status parse_layer(gan_layer *l, const char *text, const char *path) {
  char name[64];
  const char *rest = line_name(text, name, sizeof name);
  REQUIRE(l->ctx, rest, "%s: expected the name of a layer, came an empty text", path ? path : "layer");
  REQUIRE(l->ctx, strlen(text) < LAYER_LINE, "%s: a layer's text has at most %d bytes", path ? path : name, LAYER_LINE - 1);
  l->text = context_strdup(l->ctx, text);
  if (!l->text) return GAN_ERROR_MEMORY;
  l->row = layer_find(name);
  if (!l->row) {
    l->custom = registry_find(l->ctx, REGISTRY_LAYER, name);
    return l->custom ? GAN_OK : fail_unknown(l->ctx, path ? path : "layer", "layer", name, layer_name);
  }
  TRY(options_parse(l->ctx, path ? path : l->row->name, l->row->options, l->row->n_options, rest, &l->options));
  return check_initializers(l, path ? path : l->row->name);
}

gan_status layer_set_path(gan_layer *l, const char *path) {
  if (l->path || layer_is_network(l)) return GAN_OK;
  REQUIRE(l->ctx, strlen(path) < LAYER_PATH, "layer: a path has at most %d bytes", LAYER_PATH - 1);
  l->path = context_strdup(l->ctx, path);
  return l->path ? GAN_OK : GAN_ERROR_MEMORY;
}

gan_status layer_new(gan_context *ctx, const char *text, const char *path, gan_layer **out) {
  gan_layer *l;
  TRY(layer_empty(ctx, &l));
  gan_status status = path ? layer_set_path(l, path) : GAN_OK;
  if (status == GAN_OK) status = parse_layer(l, text, path);
  if (status == GAN_OK) *out = l;
  else layer_unref(l);
  return status;
}

gan_status layer_of_network(gan_network *part, gan_layer **out) {
  gan_layer *l;
  TRY(layer_empty(part->ctx, &l));
  l->network = network_ref(part);
  *out = l;
  return GAN_OK;
}

/* ------------------------------------------------------------------ what it is */

const char *layer_local_name(const gan_layer *l, const struct variable *v) {
  size_t prefix = strlen(l->path);
  return strncmp(v->name, l->path, prefix) ? v->name : v->name + prefix + 1;
}

int32_t layer_is_network(const gan_layer *l) { return l->network && !l->text; }

uint32_t layer_flags(const gan_layer *l) {
  if (l->network) return network_flags(l->network);
  return l->row ? l->row->flags : LAYER_COUPLES | LAYER_RANDOM;
}

/* ------------------------------------------------------------------ public */

gan_status gan_layer_create(gan_context *context, const char *text, gan_layer **layer) {
  if (!context) return GAN_ERROR_ARGUMENT;
  REQUIRE(context, text && layer, "gan_layer_create: text and layer may not be NULL");
  REQUIRE(context, strlen(text) < LAYER_LINE, "gan_layer_create: a layer's text has at most %d bytes", LAYER_LINE - 1);
  char line[LAYER_LINE], name[NETWORK_NAME], from[2];
  strcpy(line, text);
  int32_t named = line_take(line, "name", name, sizeof name);
  REQUIRE(context, !named || (named > 0 && name_is_valid(name)),
          "gan_layer_create: '%s' is no name: 1 to %d letters, digits, '-', '_', '.'", name, NETWORK_NAME - 1);
  REQUIRE(context, !line_take(line, "from", from, sizeof from), "gan_layer_create: from= belongs to a network, not to a layer");
  return layer_new(context, line, named ? name : NULL, layer);
}

void gan_layer_free(gan_layer *layer) { layer_unref(layer); }
