/* What the files of this floor share: losses, optimizers, data sources, games. */
#ifndef GAN_TRAIN_TRAIN_H
#define GAN_TRAIN_TRAIN_H

#include "base/options.h"
#include "nn/network.h"
#include "plan/plan.h"

/* ------------------------------------------------------------------ losses and penalties: one function and one line of a .def */

struct loss_call { const struct options *options; gan_node *real, *fake; };
struct penalty_call {
  const struct options *options;
  gan_network *discriminator;
  gan_node *real, *fake;
  int32_t n_conditions;
  gan_node *const *conditions;
};

struct loss_row {
  const char *name, *help;
  int32_t n_options;
  const struct option *options;
  int32_t probabilities;                                       /* sigmoid(score) is the probability of "real" */
  gan_node *(*discriminator)(const struct loss_call *c);
  gan_node *(*generator)(const struct loss_call *c);
};

struct penalty_row {
  const char *name, *help;
  int32_t n_options;
  const struct option *options;
  gan_node *(*emit)(const struct penalty_call *c);
};

#define LOSS(name) extern const struct loss_row loss_##name;
#include "train/losses.def"
#undef LOSS
#define PENALTY(name) extern const struct penalty_row penalty_##name;
#include "train/penalties.def"
#undef PENALTY

struct gan_loss {
  atomic_int refs;
  gan_context *ctx;
  const struct loss_row *loss;        /* one of the three */
  const struct penalty_row *penalty;
  const struct registered *custom;
  struct options options;
};

/* ------------------------------------------------------------------ optimizers: new values as nodes */

enum { OPTIMIZER_SLOTS = 4 };

/* One parameter: what the rule reads, and what it gives. Scalars are nodes of rank 0, so that a step can be differentiated. */
struct optimizer_call {
  const struct options *options;
  gan_node *weight, *gradient, *slot[OPTIMIZER_SLOTS];
  gan_node *rate, *decay, *step;      /* rate after schedule and multiplier; decay after multiplier; step counts from 1 */
  gan_node *new_weight, *new_slot[OPTIMIZER_SLOTS];
};

struct optimizer_row {
  const char *name, *help;
  int32_t n_options;
  const struct option *options;
  int32_t n_slots;
  const char *slot_names[OPTIMIZER_SLOTS];
  void (*emit)(struct optimizer_call *c);
  int32_t fused_adam;                 /* the kernel table's adam computes the same */
};

#define OPTIMIZER(name) extern const struct optimizer_row optimizer_##name;
#include "train/optimizers.def"
#undef OPTIMIZER

#endif
