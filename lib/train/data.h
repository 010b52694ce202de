/* gan_data: named slots of samples, from memory or from a callback. Where a game stands in it is the game's. */
#ifndef GAN_TRAIN_DATA_H
#define GAN_TRAIN_DATA_H

#include "base/tensor.h"
#include "train/train.h"

struct data_slot {
  char name[NETWORK_NAME];
  int32_t rank, type;            /* of one sample: f32, or i32 for labels */
  int64_t shape[GAN_MAX_RANK];
  int64_t row;                   /* elements of one sample */
  int64_t classes;               /* labels: their number; 0: not known */
  double low, high;              /* u8: what 0 and 255 become */
  gan_tensor *tensor;            /* kept; NULL: from the callback */
};

struct gan_data {
  atomic_int refs;
  gan_context *ctx;
  struct data_slot *slots; int64_t n_slots, cap_slots;
  int64_t count;                 /* samples; 0 while there is no slot */
  gan_data_fill fill;            /* NULL: from memory */
  void *user;
  gan_release release;
};

gan_data *data_ref(gan_data *d);
int32_t data_find(const gan_data *d, const char *slot);   /* -1 if there is none */

/* What stands behind a slot's name: "28x28x1", "classes=10", "range=-1..1"; one, several or none. */
struct data_spec { int32_t has_shape, rank; int64_t shape[GAN_MAX_RANK], classes; double low, high; int32_t has_range; };
gan_status data_spec_parse(gan_context *ctx, const char *slot, const char *text, struct data_spec *out);

/* Where the samples of a batch lie: sample number `position` of all epochs and its followers. stream: hash of the source. */
void data_order(const gan_data *d, uint64_t seed, uint64_t stream, int64_t position, int64_t count, int64_t *indices);

/* Copies samples of a slot in memory to floats or int32_t. */
/* Samples first .. of one slot, in the order of the data, which begins anew at its end. (count, sizes), f32 or i32. */
gan_status data_take(gan_data *d, int32_t slot, int64_t first, int64_t count, gan_tensor **out);
void data_gather(const gan_data *d, const struct kernels *k, int32_t slot, const int64_t *indices, int64_t count, void *out);

#endif
