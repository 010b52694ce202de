/* Samples of one slot in the order in which the data has them; behind the last comes the first. */
#include <string.h>

#include "train/data.h"

struct taking { int64_t first, count, *indices; gan_tensor **tensors; };

/* A callback fills all slots at once, memory the one that is asked for. */
static gan_status make_tensors(gan_data *d, const struct taking *t, int32_t slot) {
  for (int32_t i = 0; i < d->n_slots; i++) {
    int64_t shape[GAN_MAX_RANK] = {t->count};
    memcpy(shape + 1, d->slots[i].shape, sizeof *shape * (size_t)d->slots[i].rank);
    if (d->fill || i == slot) TRY(gan_tensor_create(d->ctx, d->slots[i].type, d->slots[i].rank + 1, shape, &t->tensors[i]));
  }
  return GAN_OK;
}

static gan_status fill(gan_data *d, const struct taking *t, int32_t slot) {
  if (!t->indices || !t->tensors) return GAN_ERROR_MEMORY;
  TRY(make_tensors(d, t, slot));
  for (int64_t i = 0; i < t->count; i++) t->indices[i] = (t->first + i) % d->count;
  if (d->fill) {
    int32_t came = d->fill(d->user, t->indices, t->count, t->tensors);
    return came == 0 ? GAN_OK : gan_fail(d->ctx, GAN_ERROR_CALLBACK, "data: the callback returned %d", came);
  }
  data_gather(d, d->ctx->kernels, slot, t->indices, t->count, t->tensors[slot]->data);
  return GAN_OK;
}

gan_status data_take(gan_data *d, int32_t slot, int64_t first, int64_t count, gan_tensor **out) {
  size_t slots = sizeof(gan_tensor *) * (size_t)d->n_slots, indices = sizeof(int64_t) * (size_t)count;
  struct taking t = {.first = first, .count = count};
  t.indices = context_zalloc(d->ctx, indices);
  t.tensors = context_zalloc(d->ctx, slots);
  gan_status status = fill(d, &t, slot);
  for (int32_t i = 0; t.tensors && i < d->n_slots; i++) {
    if (status == GAN_OK && i == slot) *out = t.tensors[i];
    else gan_tensor_free(t.tensors[i]);
  }
  context_release(d->ctx, t.indices, indices);
  context_release(d->ctx, t.tensors, slots);
  return status;
}
