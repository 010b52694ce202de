/* Weights for other programs, by the same map of names that imports theirs. */
#include "io/safetensors.h"
#include "nn/network.h"
#include "nn/reorder.h"

#include <string.h>

struct export {
  gan_network *n;
  struct st_tensor *tensors; int64_t count;
  char (*names)[MAP_NAME];
  float *values;                   /* all of them in the order of the file */
};

static int64_t count_values(const gan_network *n) {
  int64_t count = 0;
  for (int64_t i = 0; i < n->n_variables; i++) count += n->variables[i].variable->count;
  return count;
}

static gan_status add(struct export *e, const struct name_map *map, int64_t index, float *to) {
  const struct network_variable *v = &e->n->variables[index];
  struct st_tensor *t = &e->tensors[e->count];
  struct reorder r;
  char *name = e->names[e->count];
  const struct map_line *line = map_find(map, v->path, name);
  REQUIRE(e->n->ctx, line, "name map: no line for '%s' of network '%s'; \"%s = -\" would leave it out", v->path, e->n->name,
          v->path);
  if (!strcmp(name, "-")) return GAN_OK;
  for (int64_t i = 0; i < e->count; i++)
    REQUIRE(e->n->ctx, strcmp(e->names[i], name) != 0, "name map: two variables of network '%s' are to be '%s'", e->n->name, name);
  TRY(reorder_make(e->n->ctx, line, v->path, v->variable->rank, v->variable->shape, &r));
  reorder_export(&r, v->variable->data, to);
  *t = (struct st_tensor){.name = name, .type = GAN_F32, .rank = r.rank, .count = v->variable->count, .data = to};
  memcpy(t->shape, r.shape, sizeof t->shape);
  e->count++;
  return GAN_OK;
}

/* The metadata is what PyTorch's own writer puts there. */
static gan_status export_all(struct export *e, const struct name_map *map, struct writer *w) {
  const struct st_metadata metadata = {"format", "pt"};
  float *to = e->values;
  for (int64_t i = 0; i < e->n->n_variables; i++) {
    TRY(add(e, map, i, to));
    to += e->n->variables[i].variable->count;
  }
  return st_write(w, 1, &metadata, e->count, e->tensors);
}

static gan_status export_with(gan_network *n, const struct name_map *map, struct writer *w) {
  struct export e = {.n = n};
  size_t count = (size_t)n->n_variables, values = (size_t)count_values(n);
  e.tensors = context_zalloc(n->ctx, count * sizeof *e.tensors);
  e.names = context_zalloc(n->ctx, count * sizeof *e.names);
  e.values = context_alloc(n->ctx, values * sizeof *e.values);
  gan_status status = e.tensors && e.names && e.values ? export_all(&e, map, w) : GAN_ERROR_MEMORY;
  context_release(n->ctx, e.tensors, count * sizeof *e.tensors);
  context_release(n->ctx, e.names, count * sizeof *e.names);
  context_release(n->ctx, e.values, values * sizeof *e.values);
  return status;
}

static gan_status export_to(gan_network *n, struct writer *w, const char *text) {
  struct name_map map;
  gan_status status = map_parse(n->ctx, text, &map);
  if (status == GAN_OK) status = export_with(n, &map, w);
  map_free(&map);
  if (status == GAN_OK) return writer_commit(w);
  writer_abandon(w);
  return status;
}

gan_status gan_network_export(gan_network *network, const char *path, const char *map) {
  if (!network) return GAN_ERROR_ARGUMENT;
  REQUIRE(network->ctx, path && map, "gan_network_export: path and map may not be NULL");
  TRY(network_ready(network));
  struct writer w;
  TRY(writer_open(&w, network->ctx, io_system(), path));
  return export_to(network, &w, map);
}

gan_status gan_network_export_stream(gan_network *network, const gan_stream *stream, const char *map) {
  if (!network) return GAN_ERROR_ARGUMENT;
  REQUIRE(network->ctx, stream && map, "gan_network_export_stream: stream and map may not be NULL");
  TRY(network_ready(network));
  struct writer w;
  TRY(writer_stream(&w, network->ctx, stream));
  return export_to(network, &w, map);
}
