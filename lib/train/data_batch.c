/* Batches of a source: which samples, in which order, and their values. */
#include <string.h>

#include "base/rng.h"
#include "train/data.h"

/* Every epoch is a permutation of its own; where one ends within a batch, the next goes on. */
void data_order(const gan_data *d, uint64_t seed, uint64_t stream, int64_t position, int64_t count, int64_t *indices) {
  int64_t epoch = position / d->count, at = position % d->count;
  struct rng_key key = rng_stream(seed, stream, (uint64_t)epoch);
  for (int64_t i = 0; i < count; i++, at++) {
    if (at == d->count) {
      at = 0;
      key = rng_stream(seed, stream, (uint64_t)++epoch);
    }
    indices[i] = rng_permute(&key, at, d->count);
  }
}

static void copy_row(const struct data_slot *s, const struct kernels *k, int64_t index, void *out) {
  const gan_tensor *t = s->tensor;
  const char *from = (const char *)t->data + index * s->row * type_bytes(t->type);
  switch (t->type) {
    case GAN_U8: k->bytes_to_float(out, (const uint8_t *)from, s->row, (float)((s->high - s->low) / 255), (float)s->low); break;
    case GAN_F64: convert_elements(GAN_F32, out, GAN_F64, from, s->row); break;
    default: memcpy(out, from, (size_t)s->row * 4); break;
  }
}

void data_gather(const gan_data *d, const struct kernels *k, int32_t slot, const int64_t *indices, int64_t count, void *out) {
  const struct data_slot *s = &d->slots[slot];
  for (int64_t i = 0; i < count; i++) copy_row(s, k, indices[i], (char *)out + i * s->row * 4);
}

/* ------------------------------------------------------------------ the node of a slot */

static void unref_data(void *d) { gan_data_free(d); }

/* A slot has one node a graph: all who ask get the same batch. */
static gan_node *slot_node(gan_graph *g, gan_data *d, int32_t slot) {
  struct data_slot *s = &d->slots[slot];
  struct binding b = {.kind = BINDING_DATA, .name = s->name, .data = d, .slot = slot, .classes = s->classes};
  int64_t shape[GAN_MAX_RANK] = {g->batch};
  memcpy(shape + 1, s->shape, sizeof *shape * (size_t)s->rank);
  graph_keep(g, data_ref(d), unref_data);
  return node_input(g, &b, s->type, s->rank + 1, shape);
}

gan_node *gan_data_node(gan_graph *g, gan_data *data, const char *slot) {
  if (!g || !data || !slot) return graph_fail(g, GAN_ERROR_ARGUMENT, "gan_data_node: graph, data or slot is NULL");
  if (g->failed) return &g->error;
  if (data->ctx != g->ctx) return graph_fail(g, GAN_ERROR_ARGUMENT, "data slot '%s': the source is of another context", slot);
  int32_t index = data_find(data, slot);
  if (index < 0) return graph_fail(g, GAN_ERROR_ARGUMENT, "data: there is no slot '%s'", slot);
  if (g->batch < 1) return graph_fail(g, GAN_ERROR_STATE, "data slot '%s': only the graph of a game's step has a batch", slot);
  return slot_node(g, data, index);
}
