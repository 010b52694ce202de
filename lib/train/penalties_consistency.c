/* Penalties on what augmentations change in the scores. */
#include "train/augment.h"
#include "train/loss.h"

static gan_status check_augment(gan_context *ctx, const struct options *o) {
  return augment_check(ctx, option_text(o, "augment"));
}

/* mean((D(x) - D(T(x)))^2) */
static gan_node *change(const struct loss_call *c, int32_t real) {
  gan_node *still = gan_stop_gradient(real ? scene_real(c) : scene_fake(c));
  if (node_failed(still)) return &c->graph->error;
  gan_node *changed = gan_augment(still, option_text(c->options, "augment"), NULL);
  return gan_l2(scene_scores_at(c, real, still), scene_scores_at(c, real, changed));
}

#define AUGMENT {"augment", OPTION_TEXT, 0, 0, "flip translation=0.125", "what is done to the samples, as gan_augment has it"}

/* ------------------------------------------------------------------ Zhang et al. 2020 */

static gan_node *consistency(const struct loss_call *c) {
  return loss_weighted(c, change(c, 1));
}

static const struct option consistency_options[] = {PENALTY_COMMON("10"), AUGMENT};

const struct loss_row penalty_consistency = {
  .name = "consistency",
  .help = "weight * mean((D(real) - D(T(real)))^2), T an augmentation (CR-GAN, Zhang et al. 2020)",
  OPTIONS_OF(consistency_options), .check = check_augment, .discriminator = consistency,
};

/* ------------------------------------------------------------------ Zhao et al. 2021 */

static gan_node *balanced(const struct loss_call *c) {
  gan_node *real = loss_weighted(c, change(c, 1));
  return gan_add(real, gan_scale(change(c, 0), loss_number(c, "fake")));
}

static const struct option balanced_options[] = {
  PENALTY_COMMON("10"),
  {"fake", OPTION_NUMBER, 0, 1e9, "10", "factor of the generated samples"},
  AUGMENT,
};

const struct loss_row penalty_bcr = {
  .name = "bcr",
  .help = "weight * mean((D(real) - D(T(real)))^2) + fake * mean((D(fake) - D(T(fake)))^2): balanced consistency (Zhao et al. "
          "2021)",
  OPTIONS_OF(balanced_options), .check = check_augment, .discriminator = balanced,
};
