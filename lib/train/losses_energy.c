/* Losses of energies: a discriminator that gives real samples a low one. Where its output has the shape of the samples it is an
 * autoencoder, and the energy of a sample is how far its reconstruction is from it. */
#include "train/loss.h"

#include "ops/build.h"

/* |sample - output|^power, one number a sample; or the output as it is. */
static gan_node *energy(const struct loss_call *c, gan_node *output, int32_t real) {
  gan_node *sample = real ? c->scene->real : c->scene->fake;
  int32_t axes[GAN_MAX_RANK];
  if (node_failed(sample) || output->rank < 2 || !nodes_same_shape(sample, output)) return output;
  for (int32_t i = 0; i + 1 < output->rank; i++) axes[i] = i + 1;
  gan_node *off = gan_sub(sample, output);
  return gan_mean_axes(loss_number(c, "power") == 1 ? gan_abs(off) : gan_square(off), output->rank - 1, axes, 0);
}

#define ENERGY_POWER(fallback) \
  {"power", OPTION_INT, 1, 2, fallback, "of the distance between a sample and its reconstruction, if D is an autoencoder"}

/* ------------------------------------------------------------------ Zhao et al. 2017 */

static gan_node *as_it_is(const struct loss_call *c, gan_node *x) { return (void)c, x; }

static gan_node *under_margin(const struct loss_call *c, gan_node *x) {
  return gan_relu(gan_shift(gan_neg(x), loss_number(c, "margin")));
}

static const struct option ebgan_options[] = {
  {"margin", OPTION_NUMBER, 0, 1e9, "10", "energy above which generated samples do not count"},
  ENERGY_POWER("2"),
  LOSS_SIDES,
};

const struct loss_row loss_ebgan = {
  .name = "ebgan",
  .help = "low energy for real samples, at least margin for generated ones; with 'pull-away' EBGAN-PT (Zhao et al. 2017)",
  OPTIONS_OF(ebgan_options),
  .energies = 1, .score = energy, .real = as_it_is, .fake = under_margin, .fooling = as_it_is,
};

/* ------------------------------------------------------------------ Berthelot et al. 2017 */

/* k moves so that the energy of generated samples stays gamma times that of real ones. */
static gan_node *began_d(const struct loss_call *c) {
  if (node_failed(c->real) || node_failed(c->fake)) return scene_fail(c, "scores of real or generated samples");
  gan_node *real = loss_mean(c, c->real, c->scene->real_weights), *fake = loss_mean(c, c->fake, c->scene->fake_weights);
  gan_node *k = loss_state(c, "k", 0, NULL, loss_number(c, "k"));
  gan_node *imbalance = gan_stop_gradient(gan_sub(gan_scale(real, loss_number(c, "gamma")), fake));
  loss_assign(c, "k", gan_clamp(gan_add(k, gan_scale(imbalance, loss_number(c, "rate"))), 0, 1));
  return gan_sub(real, gan_mul(k, fake));
}

static gan_node *began_g(const struct loss_call *c) {
  return node_failed(c->fake) ? scene_fail(c, "scores of generated samples") : loss_mean(c, c->fake, c->scene->fake_weights);
}

static const struct option began_options[] = {
  {"gamma", OPTION_NUMBER, 0, 1, "0.5", "energy of generated samples over that of real ones: lower is sharper and less diverse"},
  {"rate", OPTION_NUMBER, 0, 1, "0.001", "how fast k moves"},
  {"k", OPTION_NUMBER, 0, 1, "0", "where k begins"},
  ENERGY_POWER("1"),
};

const struct loss_row loss_began = {
  .name = "began",
  .help = "energies in an equilibrium that the state k controls (Berthelot et al. 2017)",
  OPTIONS_OF(began_options),
  .energies = 1, .score = energy, .discriminator = began_d, .generator = began_g,
};
