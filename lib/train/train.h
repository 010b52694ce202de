/* What the files of this floor share: the rows of optimizers and schedules. */
#ifndef GAN_TRAIN_TRAIN_H
#define GAN_TRAIN_TRAIN_H

#include "base/options.h"
#include "nn/network.h"
#include "plan/plan.h"

/* ------------------------------------------------------------------ optimizers: new values as nodes */

enum { OPTIMIZER_SLOTS = 4 };

/* One parameter: what the rule reads, and what it gives. Scalars are nodes of rank 0, so that a step can be differentiated. */
struct optimizer_call {
  const struct options *options;
  gan_node *weight, *gradient, *slot[OPTIMIZER_SLOTS];
  gan_node *rate, *step;              /* rate after schedule and multiplier; step counts from 1 */
  gan_node *decay;                    /* after multiplier; NULL: none */
  int32_t differentiable;             /* gradients pass through the step: no root of 0 may meet one */
  gan_node *new_weight, *new_slot[OPTIMIZER_SLOTS];   /* a new_slot left NULL stays as it is */
};

struct optimizer_row {
  const char *name, *help;
  int32_t n_options;
  const struct option *options;
  int32_t n_slots;
  const char *slot_names[OPTIMIZER_SLOTS];
  void (*emit)(struct optimizer_call *c);
  int32_t (*used_slots)(const struct options *o);     /* how many, from the first; NULL: all */
  const char *decay_option;           /* the option that is a weight decay; NULL: the rule has none */
  int32_t fused_adam;                 /* the kernel table's adam computes the same, for a weight decay of 0 */
  int32_t fused_decay;                /* and for any other, too: it is decoupled */
};

#define OPTIMIZER(name) extern const struct optimizer_row optimizer_##name;
#include "train/optimizers.def"
#undef OPTIMIZER

/* ------------------------------------------------------------------ schedules: a factor of the rate */

struct schedule_row {
  const char *name, *help;
  int32_t n_options;
  const struct option *options;
  double (*factor)(const struct options *o, int64_t step);     /* step: how many were done before */
};

#define SCHEDULE(name) extern const struct schedule_row schedule_##name;
#include "train/schedules.def"
#undef SCHEDULE

/* ------------------------------------------------------------------ the tables by index; NULL past the end */

const struct optimizer_row *optimizer_row_at(int32_t index);
const struct schedule_row *schedule_row_at(int32_t index);

#endif
