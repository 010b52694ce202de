/* Penalties that look into the generator. */
#include <math.h>

#include "train/loss.h"
#include "train/terms.h"

static gan_node *weighted(const struct loss_call *c, gan_node *x) { return gan_scale(x, loss_number(c, "weight")); }

/* ------------------------------------------------------------------ Karras et al. 2020 */

/* Sizes between the batch and the channels: the pixels of a sample. */
static double pixels_of(const gan_node *x) {
  double pixels = 1;
  for (int32_t i = 1; i + 1 < x->rank; i++) pixels *= (double)x->shape[i];
  return pixels;
}

/* How far a step of the latent moves the sample, in a random direction of it. */
static gan_node *path_lengths(const struct loss_call *c, gan_node *fake, gan_node *latent) {
  gan_node *direction = loss_random(c, "direction", "normal", fake->rank, fake->shape);
  gan_node *along = gan_scale(gan_sum(gan_mul(fake, direction)), 1 / sqrt(pixels_of(fake)));
  return gan_norm_per_sample(gan_gradient(along, latent));
}

static gan_node *path_length(const struct loss_call *c) {
  gan_node *fake = scene_fake(c), *latent = scene_input(c, "input", 0);
  if (node_failed(fake) || node_failed(latent)) return &c->graph->error;
  gan_node *lengths = path_lengths(c, fake, latent), *old = loss_state(c, "mean", 0, NULL, 0);
  gan_node *mean = gan_add(old, gan_scale(gan_sub(gan_mean(lengths), old), loss_number(c, "rate")));
  loss_assign(c, "mean", gan_stop_gradient(mean));
  return weighted(c, gan_mean(gan_square(gan_sub(lengths, mean))));
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
  .n_options = 4, .options = path_length_options, .generator = path_length,
};

/* ------------------------------------------------------------------ Zhao et al. 2021 */

enum { INPUTS_MAX = 16 };

/* The samples of latents that noise has moved; the other inputs as they were. */
static gan_node *moved_samples(const struct loss_call *c, gan_node *fake) {
  const gan_scene *s = c->scene;
  gan_node *in[INPUTS_MAX], *out = NULL, *z = scene_input(c, "input", 0);
  if (node_failed(z)) return z;
  if (!s->generator || s->n_inputs > INPUTS_MAX) return scene_fail(c, "generator and its inputs, at most 16,");
  gan_node *noise = loss_random(c, "noise", "normal", z->rank, z->shape);
  gan_node *moved = gan_add(z, gan_scale(noise, loss_number(c, "noise")));
  for (int32_t i = 0; i < s->n_inputs; i++) in[i] = s->inputs[i] == z ? moved : s->inputs[i];
  gan_network_apply(s->generator, 1, s->n_inputs, in, 1, &out);
  return node_failed(out) ? out : gan_reshape(out, fake->rank, fake->shape);
}

/* D should not see the difference, */
static gan_node *zcr_d(const struct loss_call *c) {
  gan_node *fake = scene_fake(c), *moved = node_failed(fake) ? fake : moved_samples(c, fake);
  if (node_failed(moved)) return moved;
  gan_node *still = gan_stop_gradient(moved), *same = gan_stop_gradient(fake);
  return weighted(c, gan_l2(scene_scores_at(c, same), scene_scores_at(c, still)));
}

/* G should make one. */
static gan_node *zcr_g(const struct loss_call *c) {
  gan_node *fake = scene_fake(c), *moved = node_failed(fake) ? fake : moved_samples(c, fake);
  return node_failed(moved) ? moved : gan_scale(gan_l2(fake, moved), -loss_number(c, "generator"));
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
  .n_options = 5, .options = zcr_options, .discriminator = zcr_d, .generator = zcr_g,
};
