/* Penalties on the scores themselves. */
#include "train/loss.h"

/* ------------------------------------------------------------------ Karras et al. 2018 */

static gan_node *score_drift(const struct loss_call *c) {
  return node_failed(c->real) ? scene_fail(c, "scores of real samples") : loss_weighted(c, gan_mean(gan_square(c->real)));
}

static const struct option score_drift_options[] = {PENALTY_COMMON("0.001")};

const struct loss_row penalty_score_drift = {
  .name = "score-drift",
  .help = "weight * mean(D(real)^2): scores stay near 0 (Karras et al. 2018, appendix A.1)",
  OPTIONS_OF(score_drift_options), .discriminator = score_drift,
};

/* ------------------------------------------------------------------ Tseng et al. 2021 */

/* The mean of the first steps, then a moving one. */
static void move_anchor(const struct loss_call *c, const char *name, gan_node *anchor, gan_node *scores, gan_node *share) {
  gan_node *mean = gan_stop_gradient(gan_mean(scores));
  loss_assign(c, name, gan_add(anchor, gan_mul(share, gan_sub(mean, anchor))));
}

static gan_node *far_from(const struct loss_call *c, gan_node *difference) {
  return gan_mean(gan_square(loss_flag(c, "one-sided") ? gan_relu(difference) : difference));
}

static gan_node *lecam(const struct loss_call *c) {
  if (node_failed(c->real) || node_failed(c->fake)) return scene_fail(c, "scores of real or generated samples");
  gan_node *real = loss_state(c, "real", 0, NULL, 0), *fake = loss_state(c, "fake", 0, NULL, 0);
  gan_node *n = loss_state(c, "n", 0, NULL, 0);
  gan_node *share = gan_maximum(gan_constant(c->graph, 1 - loss_number(c, "decay")), gan_reciprocal(gan_shift(n, 1)));
  move_anchor(c, "real", real, c->real, share);
  move_anchor(c, "fake", fake, c->fake, share);
  loss_assign(c, "n", gan_minimum(gan_shift(n, 1), gan_constant(c->graph, 1e6)));
  gan_node *penalty = gan_add(far_from(c, gan_sub(c->real, fake)), far_from(c, gan_sub(real, c->fake)));
  return loss_weighted(c, gan_mul(gan_minimum(n, gan_constant(c->graph, 1)), penalty));
}

static const struct option lecam_options[] = {
  PENALTY_COMMON("0.3"),
  {"decay", OPTION_NUMBER, 0, 1, "0.99", "of the moving means that scores are held to"},
  {"one-sided", OPTION_FLAG, 0, 0, "no", "only scores on the right side of the other's mean count, as in the authors' code"},
};

const struct loss_row penalty_lecam = {
  .name = "lecam",
  .help = "weight * (mean((D(real) - F)^2) + mean((D(fake) - R)^2)), R and F moving means of D(real) and D(fake), from the second "
          "step on (Tseng et al. 2021)",
  OPTIONS_OF(lecam_options), .discriminator = lecam,
};
