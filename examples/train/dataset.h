/* Images, and labels if wanted, as a data source of libgan. */
#ifndef DATASET_H
#define DATASET_H

#include <gan.h>

#include "album.h"
#include "draw.h"
#include "grid.h"

struct dataset {
  gan_data *data;
  int64_t count;
  struct sample_format format; /* of the images, which libgan sees as -1 .. 1 */
  struct album album;          /* its memory goes over to data where nothing is drawn by chance */
  struct drawing drawing;
  int32_t *labels, classes;    /* NULL: none; the same */
};

struct dataset_request {
  const char *path, *labels;   /* an IDX file or a folder of PNG and JPEG files; an IDX file or NULL */
  struct fitting fitting;
  int32_t flip, quiet;
  int64_t seed;
};

/* 1, or 0 after a sentence. d stays where it is as long as its data is used. */
int dataset_load(struct dataset *d, gan_context *context, const struct dataset_request *request);

/* Goes on as after that many samples. */
void dataset_seek(struct dataset *d, int64_t samples);
void dataset_free(struct dataset *d);

#endif
