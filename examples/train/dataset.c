#include "dataset.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "idx.h"
#include "say.h"

/* -------------------------------------------------------------------------------------------------------------- labels */

static int to_labels(struct dataset *d, const struct idx *idx) {
  d->labels = malloc((size_t)idx->size[0] * sizeof *d->labels);
  if (!d->labels) return complain_memory();
  d->classes = 1;
  for (int64_t i = 0; i < idx->size[0]; i++) {
    d->labels[i] = idx->bytes[i];
    if (d->labels[i] >= d->classes) d->classes = d->labels[i] + 1;
  }
  return 1;
}

static int load_labels(struct dataset *d, const char *path) {
  struct idx idx;
  if (!idx_read(path, &idx)) return 0;
  int fits = idx.rank == 1 && idx.size[0] == d->count;
  if (!fits) complain("%s should hold %" PRId64 " labels, one an image", path, d->count);
  int done = fits && to_labels(d, &idx);
  idx_free(&idx);
  return done;
}

/* ----------------------------------------------------------------------------------- a source in memory: always the same */

static void release_memory(void *user, void *data, int64_t bytes) {
  (void)data;
  (void)bytes;
  free(user);
}

/* Hands memory over to a slot; it is freed with the slot, or now if that fails. */
static int add_slot(struct dataset *d, gan_context *context, const char *slot, int32_t type, int32_t rank, void *data, void *memory,
                    const char *spec) {
  const int64_t shape[] = {d->count, d->format.height, d->format.width, d->format.channels};
  gan_tensor *tensor = NULL;
  gan_status status = gan_tensor_wrap(context, type, rank, shape, data, release_memory, memory, &tensor);
  if (status != GAN_OK) free(memory);
  else status = gan_data_add(d->data, slot, tensor, spec);
  gan_tensor_free(tensor);
  return status == GAN_OK || complain_gan(context, slot, status);
}

static int add_images(struct dataset *d, gan_context *context) {
  uint8_t *pixels = d->album.pixels, *memory = d->album.memory;
  d->album = (struct album){0};
  return add_slot(d, context, "image", GAN_U8, 4, pixels, memory, "range=-1..1");
}

static int add_labels(struct dataset *d, gan_context *context) {
  char spec[32];
  int32_t *labels = d->labels;
  d->labels = NULL;
  snprintf(spec, sizeof spec, "classes=%" PRId32, d->classes);
  return add_slot(d, context, "label", GAN_I32, 1, labels, labels, spec);
}

/* -------------------------------------------------------------------------- a source that draws: never the same twice */

static int32_t fill(void *user, const int64_t *indices, int64_t count, gan_tensor *const *tensors) {
  struct dataset *d = user;
  const struct sample_format *f = &d->format;
  float *images = gan_tensor_data(tensors[0]);
  int32_t *labels = d->labels ? gan_tensor_data(tensors[1]) : NULL;
  for (int64_t i = 0; i < count; i++, images += f->height * f->width * f->channels) {
    draw_picture(&d->drawing, &d->album, indices[i], d->drawing.next++, images);
    if (labels) labels[i] = d->labels[indices[i]];
  }
  return 0;
}

static int draw_from(struct dataset *d, gan_context *context) {
  char slots[160];
  const struct sample_format *f = &d->format;
  int used = snprintf(slots, sizeof slots, "image %" PRId64 "x%" PRId64 "x%" PRId64, f->height, f->width, f->channels);
  if (d->labels) snprintf(slots + used, sizeof slots - (size_t)used, "; label classes=%" PRId32, d->classes);
  gan_status status = gan_data_callback(d->data, d->count, slots, fill, d, NULL);
  return status == GAN_OK || complain_gan(context, "the images", status);
}

/* ------------------------------------------------------------------------------------------------------- all together */

static int load_album(struct dataset *d, const struct dataset_request *r) {
  struct progress_line line;
  const struct fitting *f = &r->fitting;
  progress_begin(&line, r->quiet);
  if (!album_load(&d->album, r->path, f, &line)) return 0;
  const struct album *a = &d->album;
  d->count = a->count;
  d->format.height = f->height ? f->height : a->height;
  d->format.width = f->width ? f->width : a->width;
  d->format.channels = a->channels;
  d->drawing = (struct drawing){.height = d->format.height, .width = d->format.width, .flip = r->flip, .seed = r->seed};
  return 1;
}

static int attach(struct dataset *d, gan_context *context, const struct dataset_request *r) {
  gan_status status = gan_data_create(context, &d->data);
  if (status != GAN_OK) return complain_gan(context, "the data source", status);
  if (r->flip || r->fitting.crop == CROP_RANDOM) return draw_from(d, context);
  return add_images(d, context) && (!d->labels || add_labels(d, context));
}

int dataset_load(struct dataset *d, gan_context *context, const struct dataset_request *request) {
  *d = (struct dataset){.format = {.low = -1, .high = 1}};
  int done = load_album(d, request) && (!request->labels || load_labels(d, request->labels)) && attach(d, context, request);
  if (!done) dataset_free(d);
  return done;
}

void dataset_seek(struct dataset *d, int64_t samples) {
  d->drawing.next = samples;
}

void dataset_free(struct dataset *d) {
  gan_data_free(d->data);
  album_free(&d->album);
  free(d->labels);
  d->data = NULL;
  d->labels = NULL;
}
