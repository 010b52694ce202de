/* The order of elements: in a variable, and in another program's tensor of the same meaning. */
#ifndef GAN_NN_REORDER_H
#define GAN_NN_REORDER_H

#include "nn/name_map.h"

enum { REORDER_AXES = GAN_MAX_RANK + 2 * (MAP_SIZES - 1) };

/* Axes of the variable from the outermost inward, those of rows= and columns= taken apart; how far apart their neighbours are in
 * the tensor. */
struct reorder {
  int32_t rank; int64_t shape[GAN_MAX_RANK];                    /* of the tensor */
  int32_t axes; int64_t size[REORDER_AXES], stride[REORDER_AXES];
};

/* How a variable's elements lie in the tensor that a line of a map gives to it. */
gan_status reorder_make(gan_context *ctx, const struct map_line *l, const char *path, int32_t rank, const int64_t *shape,
                        struct reorder *out);
void reorder_import(const struct reorder *r, const float *theirs, float *ours);
void reorder_export(const struct reorder *r, const float *ours, float *theirs);

#endif
