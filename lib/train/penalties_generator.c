/* Penalties that look into the generator. */
#include <math.h>

#include "train/loss.h"
#include "train/terms.h"

/* ------------------------------------------------------------------ Karras et al. 2020 */

/* Sizes between the batch and the channels: the pixels of a sample. */
static double pixels_of(const gan_node *x) {
  double pixels = 1;
  for (int32_t i = 1; i + 1 < x->rank; i++) pixels *= (double)x->shape[i];
  return pixels;
}

/* How far a step of the latent moves the sample, in a random direction of it. */
static gan_node *path_lengths(const struct loss_call *c, gan_node *latent) {
  gan_node *made = scene_generate(c, latent, latent);
  if (node_failed(made)) return made;
  gan_node *direction = loss_random(c, "direction", "normal", made->rank, made->shape);
  gan_node *along = gan_scale(gan_sum(gan_mul(made, direction)), 1 / sqrt(pixels_of(made)));
  return gan_norm_per_sample(gan_gradient(along, latent));
}

static gan_node *path_length(const struct loss_call *c) {
  gan_node *latent = scene_input(c, "input", 0);
  if (node_failed(latent)) return latent;
  gan_node *lengths = path_lengths(c, latent), *old = loss_state(c, "mean", 0, NULL, 0);
  gan_node *mean = gan_add(old, gan_scale(gan_sub(gan_mean(lengths), old), loss_number(c, "rate")));
  loss_assign(c, "mean", gan_stop_gradient(mean));
  return loss_weighted(c, gan_mean(gan_square(gan_sub(lengths, mean))));
}

static const struct option path_length_options[] = {
  PENALTY_COMMON("2"),
  {"rate", OPTION_NUMBER, 0, 1, "0.01", "share of a new batch in the mean length"},
  {"input", OPTION_TEXT, 0, 0, "", "G's input whose paths count; empty: its first"},
};

const struct loss_row penalty_path_length = {
  .name = "path-length",
  .help = "G: weight * mean((|J' y| - a)^2), J the Jacobian of the sample, y normal noise over the root of the pixels, a the "
          "moving mean of the lengths (Karras et al. 2020)",
  OPTIONS_OF(path_length_options), .generator = path_length,
};

/* ------------------------------------------------------------------ Zhao et al. 2021 */

/* What G makes of the scene's latents, and of latents that noise has moved. */
struct pair { gan_node *here, *there; };

static struct pair generate_pair(const struct loss_call *c) {
  gan_node *z = scene_input(c, "input", 0);
  if (node_failed(z)) return (struct pair){z, z};
  gan_node *noise = loss_random(c, "noise", "normal", z->rank, z->shape);
  gan_node *moved = gan_add(z, gan_scale(noise, loss_number(c, "noise")));
  return (struct pair){scene_generate(c, z, z), scene_generate(c, z, moved)};
}

static gan_node *score_of(const struct loss_call *c, gan_node *made) {
  gan_node *samples = scene_as_samples(c, made);
  return node_failed(samples) ? samples : scene_scores_at(c, 0, gan_stop_gradient(samples));
}

/* D should not see the difference, */
static gan_node *zcr_d(const struct loss_call *c) {
  struct pair p = generate_pair(c);
  gan_node *here = score_of(c, p.here), *there = score_of(c, p.there);
  return node_failed(here) || node_failed(there) ? &c->graph->error : loss_weighted(c, gan_l2(here, there));
}

/* G should make one. */
static gan_node *zcr_g(const struct loss_call *c) {
  struct pair p = generate_pair(c);
  if (node_failed(p.here) || node_failed(p.there)) return &c->graph->error;
  return gan_scale(gan_l2(p.here, p.there), -loss_number(c, "generator"));
}

static const struct option zcr_options[] = {
  PENALTY_COMMON("5"),
  {"generator", OPTION_NUMBER, 0, 1e9, "0.5", "factor of G's side"},
  {"noise", OPTION_NUMBER, 0, 1e9, "0.07", "standard deviation of what moves the latent"},
  {"input", OPTION_TEXT, 0, 0, "", "G's input that is moved; empty: its first"},
};

const struct loss_row penalty_zcr = {
  .name = "zcr",
  .help = "z' = z + noise: D: weight * mean((D(G(z)) - D(G(z')))^2); G: -generator * mean((G(z) - G(z'))^2) (Zhao et al. 2021, "
          "latent consistency)",
  OPTIONS_OF(zcr_options), .discriminator = zcr_d, .generator = zcr_g,
};
