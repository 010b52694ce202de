#include "dataset.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "idx.h"
#include "png_io.h"
#include "say.h"

static void release_memory(void *user, void *data, int64_t bytes) {
  (void)data;
  (void)bytes;
  free(user);
}

/* Hands pixels (N,H,W,C) over to the data source; memory is freed with it, or now if that fails. */
static int add_images(struct dataset *d, gan_context *context, uint8_t *pixels, uint8_t *memory) {
  const int64_t shape[] = {d->count, d->format.height, d->format.width, d->format.channels};
  gan_tensor *tensor = NULL;
  gan_status status = gan_tensor_wrap(context, GAN_U8, 4, shape, pixels, release_memory, memory, &tensor);
  if (status != GAN_OK) free(memory);
  else status = gan_data_add(d->data, "image", tensor, "range=-1..1");
  gan_tensor_free(tensor);
  return status == GAN_OK || complain_gan(context, "the images", status);
}

/* ----------------------------------------------------------------------------------------------------------------- IDX */

/* (N), one number an image, is no picture; (N,H,W) is grey; (N,H,W,C) has channels. */
static int load_idx(struct dataset *d, gan_context *context, const char *path) {
  struct idx idx;
  if (!idx_read(path, &idx)) return 0;
  d->count = idx.size[0];
  if (idx.rank < 3 || !sample_format_fit(&d->format, idx.rank - 1, idx.size + 1)) {
    idx_free(&idx);
    return complain("%s holds no pictures of one or three channels", path);
  }
  return add_images(d, context, idx.bytes, idx.memory);
}

static int32_t *to_labels(const struct idx *idx, int32_t *classes) {
  int32_t *labels = malloc((size_t)idx->size[0] * sizeof *labels);
  if (!labels) return complain_memory(), NULL;
  *classes = 1;
  for (int64_t i = 0; i < idx->size[0]; i++) {
    labels[i] = idx->bytes[i];
    if (labels[i] >= *classes) *classes = labels[i] + 1;
  }
  return labels;
}

static int add_labels(struct dataset *d, gan_context *context, int32_t *labels, int32_t classes) {
  char spec[32];
  snprintf(spec, sizeof spec, "classes=%" PRId32, classes);
  gan_tensor *tensor = NULL;
  gan_status status = gan_tensor_wrap(context, GAN_I32, 1, &d->count, labels, release_memory, labels, &tensor);
  if (status != GAN_OK) free(labels);
  else status = gan_data_add(d->data, "label", tensor, spec);
  gan_tensor_free(tensor);
  return status == GAN_OK || complain_gan(context, "the labels", status);
}

static int load_labels(struct dataset *d, gan_context *context, const char *path) {
  struct idx idx;
  int32_t classes;
  if (!idx_read(path, &idx)) return 0;
  int fits = idx.rank == 1 && idx.size[0] == d->count;
  if (!fits) complain("%s should hold %" PRId64 " labels, one an image", path, d->count);
  int32_t *labels = fits ? to_labels(&idx, &classes) : NULL;
  idx_free(&idx);
  return labels && add_labels(d, context, labels, classes);
}

/* ------------------------------------------------------------------------------------------------------ folder of PNGs */

static size_t picture_size(const struct sample_format *f) {
  return (size_t)(f->height * f->width * f->channels);
}

static int copy_picture(struct dataset *d, const char *path, uint8_t *target) {
  struct picture p;
  if (!png_read(path, d->format.channels, &p)) return 0;
  int fits = p.width == d->format.width && p.height == d->format.height;
  if (fits) memcpy(target, p.pixels, picture_size(&d->format));
  else complain("%s has %" PRId64 "x%" PRId64 " pixels, the pictures before it %" PRId64 "x%" PRId64, path, p.width, p.height,
                d->format.width, d->format.height);
  picture_free(&p);
  return fits;
}

/* The first picture says size and channels. */
static int look_at_first(struct dataset *d, const char *path) {
  struct picture p;
  if (!png_read(path, 0, &p)) return 0;
  d->format.width = p.width;
  d->format.height = p.height;
  d->format.channels = p.channels;
  picture_free(&p);
  return 1;
}

static uint8_t *read_pictures(struct dataset *d, char **paths) {
  if (!look_at_first(d, paths[0])) return NULL;
  size_t size = picture_size(&d->format);
  uint8_t *pixels = (size_t)d->count <= SIZE_MAX / size ? malloc((size_t)d->count * size) : NULL;
  if (!pixels) return complain_memory(), NULL;
  for (int64_t i = 0; i < d->count; i++) {
    if (copy_picture(d, paths[i], pixels + (size_t)i * size)) continue;
    free(pixels);
    return NULL;
  }
  return pixels;
}

static int load_folder(struct dataset *d, gan_context *context, const char *path) {
  size_t count;
  char **paths = folder_list(path, ".png", &count);
  if (!paths) return 0;
  d->count = (int64_t)count;
  uint8_t *pixels = read_pictures(d, paths);
  folder_list_free(paths, count);
  return pixels && add_images(d, context, pixels, pixels);
}

/* ------------------------------------------------------------------------------------------------------- all together */

int dataset_load(struct dataset *d, gan_context *context, const char *path, const char *labels) {
  *d = (struct dataset){.format = {.low = -1, .high = 1}};
  gan_status status = gan_data_create(context, &d->data);
  int done = status == GAN_OK || complain_gan(context, "the data source", status);
  done = done && (folder_exists(path) ? load_folder(d, context, path) : load_idx(d, context, path));
  done = done && (!labels || load_labels(d, context, labels));
  if (!done) dataset_free(d);
  return done;
}

void dataset_free(struct dataset *d) {
  gan_data_free(d->data);
  d->data = NULL;
}
