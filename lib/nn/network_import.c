/* Weights of other programs, by a map of names. Everything is checked and read before a variable changes. */
#include "base/tensor.h"
#include "io/safetensors.h"
#include "nn/network.h"
#include "nn/reorder.h"

#include <string.h>

/* What a variable is to get. */
struct wanted {
  int32_t left_alone;
  int64_t tensor;                  /* of the file */
  int64_t first;                   /* of its new values among all */
  struct reorder reorder;
};

struct import {
  gan_network *n;
  const struct name_map *map;
  struct st_file *f;
  struct wanted *wanted;           /* a variable each */
  int64_t total;                   /* new values in all */
  float *values, *tensor;          /* all of them; one tensor as it lies in the file */
  int64_t longest;
};

/* ------------------------------------------------------------------ who gets what */

static int64_t find_tensor(const struct st_file *f, const char *name) {
  for (int64_t i = 0; i < f->count; i++)
    if (!strcmp(f->tensors[i].name, name)) return i;
  return -1;
}

/* Programs differ in whether a single number has an axis. */
static int32_t same_shape(const struct reorder *r, const struct st_tensor *t) {
  int64_t count = shape_count(r->rank, r->shape);
  return shape_equal(r->rank, r->shape, t->rank, t->shape) || (count == 1 && t->count == 1);
}

static gan_status check_tensor(const struct import *m, const struct network_variable *v, const struct reorder *r,
                               const struct st_tensor *t) {
  char came[128], expected[128], has[128];
  if (t->type != GAN_F32 && t->type != GAN_F64)
    return gan_fail(m->n->ctx, GAN_ERROR_FORMAT, "%s: tensor '%.200s', for '%s', does not hold floats", m->f->reader->name, t->name,
                    v->path);
  if (same_shape(r, t)) return GAN_OK;
  return gan_fail(m->n->ctx, GAN_ERROR_SHAPE, "%s: tensor '%.200s' is %s; '%s' (%s) needs %s", m->f->reader->name, t->name,
                  shape_text(came, sizeof came, t->rank, t->shape), v->path,
                  shape_text(has, sizeof has, v->variable->rank, v->variable->shape),
                  shape_text(expected, sizeof expected, r->rank, r->shape));
}

static gan_status want(struct import *m, int64_t index) {
  const struct network_variable *v = &m->n->variables[index];
  struct wanted *w = &m->wanted[index];
  char theirs[MAP_NAME];
  const struct map_line *line = map_find(m->map, v->path, theirs);
  REQUIRE(m->n->ctx, line, "name map: no line for '%s' of network '%s'; \"%s = -\" would leave it as it is", v->path, m->n->name,
          v->path);
  w->left_alone = !strcmp(theirs, "-");
  if (w->left_alone) return GAN_OK;
  TRY(reorder_make(m->n->ctx, line, v->path, v->variable->rank, v->variable->shape, &w->reorder));
  w->tensor = find_tensor(m->f, theirs);
  if (w->tensor < 0)
    return gan_fail(m->n->ctx, GAN_ERROR_FORMAT, "%s: there is no tensor '%s', which line %d of the map names for '%s'",
                    m->f->reader->name, theirs, line->number, v->path);
  const struct st_tensor *t = &m->f->tensors[w->tensor];
  TRY(check_tensor(m, v, &w->reorder, t));
  w->first = m->total;
  m->total += t->count;
  if (t->count > m->longest) m->longest = t->count;
  return GAN_OK;
}

/* Whoever has a tensor too many has another network. */
static gan_status refuse_spare(const struct import *m) {
  for (int64_t i = 0; i < m->f->count; i++) {
    int32_t used = map_ignores(m->map, m->f->tensors[i].name);
    for (int64_t j = 0; j < m->n->n_variables; j++) used |= !m->wanted[j].left_alone && m->wanted[j].tensor == i;
    if (!used)
      return gan_fail(m->n->ctx, GAN_ERROR_FORMAT, "%s: tensor '%.200s' belongs to no variable; \"- = %.200s\" would pass over it",
                      m->f->reader->name, m->f->tensors[i].name, m->f->tensors[i].name);
  }
  return GAN_OK;
}

/* ------------------------------------------------------------------ values */

/* In the order of the file, and to its end. */
static gan_status read_values(struct import *m) {
  for (int64_t i = 0; i < m->f->count; i++) {
    int32_t read = 0;
    for (int64_t j = 0; j < m->n->n_variables; j++) {
      const struct wanted *w = &m->wanted[j];
      if (w->left_alone || w->tensor != i) continue;
      if (!read) TRY(st_read(m->f, i, m->tensor));
      read = 1;
      reorder_import(&w->reorder, m->tensor, m->values + w->first);
    }
  }
  return reader_skip(m->f->reader, m->f->data_size - m->f->position);
}

static void set_values(const struct import *m) {
  for (int64_t i = 0; i < m->n->n_variables; i++) {
    struct variable *v = m->n->variables[i].variable;
    if (!m->wanted[i].left_alone) memcpy(v->data, m->values + m->wanted[i].first, (size_t)v->count * sizeof *v->data);
  }
}

static gan_status run(struct import *m) {
  gan_context *ctx = m->n->ctx;
  for (int64_t i = 0; i < m->n->n_variables; i++) TRY(want(m, i));
  TRY(refuse_spare(m));
  m->values = context_alloc(ctx, (size_t)m->total * sizeof *m->values);
  m->tensor = context_alloc(ctx, (size_t)m->longest * sizeof *m->tensor);
  if (!m->values || !m->tensor) return GAN_ERROR_MEMORY;
  TRY(read_values(m));
  set_values(m);
  return GAN_OK;
}

static gan_status import_file(gan_network *n, const struct name_map *map, struct st_file *f) {
  struct import m = {.n = n, .map = map, .f = f};
  size_t bytes = (size_t)n->n_variables * sizeof *m.wanted;
  m.wanted = context_zalloc(n->ctx, bytes);
  gan_status status = m.wanted ? run(&m) : GAN_ERROR_MEMORY;
  context_release(n->ctx, m.wanted, bytes);
  context_release(n->ctx, m.values, (size_t)m.total * sizeof *m.values);
  context_release(n->ctx, m.tensor, (size_t)m.longest * sizeof *m.tensor);
  return status;
}

static gan_status import_from(gan_network *n, struct reader *r, const char *text) {
  struct name_map map;
  struct st_file f;
  gan_status status = map_parse(n->ctx, text, &map);
  if (status == GAN_OK) status = st_open(&f, n->ctx, r);
  if (status == GAN_OK) {
    status = import_file(n, &map, &f);
    st_close(&f);
  }
  map_free(&map);
  return status;
}

/* ------------------------------------------------------------------ where the bytes come from */

gan_status gan_network_import(gan_network *network, const char *path, const char *map) {
  if (!network) return GAN_ERROR_ARGUMENT;
  REQUIRE(network->ctx, path && map, "gan_network_import: path and map may not be NULL");
  TRY(network_ready(network));
  struct reader r;
  TRY(reader_open(&r, network->ctx, io_system(), path));
  gan_status status = import_from(network, &r, map);
  reader_close(&r);
  return status;
}

gan_status gan_network_import_memory(gan_network *network, const void *bytes, int64_t size, const char *map) {
  if (!network) return GAN_ERROR_ARGUMENT;
  REQUIRE(network->ctx, bytes && map, "gan_network_import_memory: bytes and map may not be NULL");
  TRY(network_ready(network));
  struct reader r;
  TRY(reader_memory(&r, network->ctx, bytes, size));
  return import_from(network, &r, map);
}

gan_status gan_network_import_stream(gan_network *network, const gan_stream *stream, const char *map) {
  if (!network) return GAN_ERROR_ARGUMENT;
  REQUIRE(network->ctx, stream && map, "gan_network_import_stream: stream and map may not be NULL");
  TRY(network_ready(network));
  struct reader r;
  TRY(reader_stream(&r, network->ctx, stream));
  return import_from(network, &r, map);
}
