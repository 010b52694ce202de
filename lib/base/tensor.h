/* Tensors: dense, row-major arrays on counted storage; views share it. */
#ifndef GAN_BASE_TENSOR_H
#define GAN_BASE_TENSOR_H

#include "base/context.h"

struct storage;   /* counted memory: ours, or the caller's with its release callback */

struct gan_tensor {
  atomic_int refs;
  gan_context *ctx;
  struct storage *storage;
  void *data;
  int32_t type, rank;
  int64_t shape[GAN_MAX_RANK];
  int64_t count;
};

gan_tensor *tensor_ref(gan_tensor *t);
int64_t type_bytes(int32_t type);                                   /* 4, 8, 4, 1; 0 for none */
const char *type_name(int32_t type);                                /* "f32" ... */
/* Elements of a shape, or -1 if a size is negative or the product overflows. */
int64_t shape_count(int32_t rank, const int64_t *shape);
int32_t shape_equal(int32_t rank_a, const int64_t *a, int32_t rank_b, const int64_t *b);
/* Converting copy between plain arrays; the rules of gan_tensor_copy. */
void convert_elements(int32_t to_type, void *to, int32_t from_type, const void *from, int64_t count);
/* Where the first of count labels outside of 0 .. classes - 1 is, or -1; classes 0: none is. */
int64_t labels_first_bad(const int32_t *labels, int64_t count, int64_t classes);

#endif
