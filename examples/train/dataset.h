/* Images, and labels if wanted, as a data source of libgan. */
#ifndef DATASET_H
#define DATASET_H

#include <gan.h>

#include "grid.h"

struct dataset {
  gan_data *data;
  int64_t count;
  struct sample_format format; /* of the images, which libgan sees as -1 .. 1 */
};

/* path: an IDX file or a folder of PNG files; labels: an IDX file or NULL. 1, or 0 after a sentence. */
int dataset_load(struct dataset *d, gan_context *context, const char *path, const char *labels);
void dataset_free(struct dataset *d);

#endif
