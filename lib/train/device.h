/* Devices: what a trainer does besides losses and updates. A row of devices.def, made from text: "top-k share=0.5". */
#ifndef GAN_TRAIN_DEVICE_H
#define GAN_TRAIN_DEVICE_H

#include "train/loss.h"
#include "train/schedule.h"

struct device {
  const struct device_row *row;
  gan_context *ctx;
  struct options options;
  struct schedule schedule;          /* of rows with an option "schedule" */
  struct variable *state;            /* one number that moves at the commit; NULL: the row has none */
  gan_layer *layer;                  /* that remembers samples; NULL: the row has none */
  int64_t samples, batch;            /* of a step; what D judges in it, one for several samples if they are packed */
};

/* What a device does is up to its row; each rule may be missing. */
struct device_row {
  const char *name, *help;
  int32_t n_options;
  const struct option *options;
  gan_status (*check)(gan_context *ctx, const struct options *o);
  const char *initial;               /* the option that its state begins with; NULL: no state */
  int32_t remembers;                 /* it is a layer of the same name and options, through which D's generated samples go */
  /* What D sees of samples; what: "real", "fake", "fresh", "past". */
  gan_node *(*see)(const struct device *d, gan_graph *g, const char *what, gan_node *x);
  /* Moves the state, from D's scores of real samples; high ones mean real. */
  void (*learn)(const struct device *d, gan_graph *g, gan_node *scores);
  /* Weights of generated samples in G's loss, (batch). */
  gan_node *(*weigh)(const struct device *d, gan_graph *g, gan_node *scores);
  /* The value of its scalar in a step, when so many were done before. */
  double (*value)(const struct device *d, int64_t step);
};

#define DEVICE(name) extern const struct device_row device_##name;
#include "train/devices.def"
#undef DEVICE

const struct device_row *device_row_at(int32_t index);          /* NULL past the end */

enum { DEVICES_MAX = 16 };
struct devices { gan_context *ctx; struct device list[DEVICES_MAX]; int32_t count; };

/* Adds those of a text, "ema decay=0.999; top-k"; each at most once. */
gan_status devices_add(struct devices *d, const char *text);
const struct device *devices_find(const struct devices *d, const struct device_row *row);   /* NULL: there is none */
void devices_free(struct devices *d);

/* The node of a device's scalar: what `value` gives. */
gan_node *device_scalar(const struct device *d, gan_graph *g);
void device_scalar_name(const struct device *d, char *name, size_t size);

#endif
