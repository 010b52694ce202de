/* Losses: what discriminator and generator minimise, from scores before any sigmoid. Means over all elements. */
#include "train/train.h"

/* -log sigmoid(x) and -log(1 - sigmoid(x)), without overflow. */
static gan_node *minus_log_real(gan_node *score) { return gan_mean(gan_softplus(gan_neg(score))); }
static gan_node *minus_log_fake(gan_node *score) { return gan_mean(gan_softplus(score)); }

static gan_node *mean_square_from(gan_node *score, double target) {
  return gan_mean(gan_square(gan_shift(score, -target)));
}

/* ------------------------------------------------------------------ Goodfellow et al. 2014 */

static gan_node *minimax_d(const struct loss_call *c) {
  return gan_add(minus_log_real(c->real), minus_log_fake(c->fake));
}

static gan_node *minimax_g(const struct loss_call *c) {
  return gan_neg(minus_log_fake(c->fake));
}

const struct loss_row loss_minimax = {
  .name = "minimax",
  .help = "the two-player game as first stated; the generator's side saturates (Goodfellow et al. 2014, eq. 1)",
  .probabilities = 1, .discriminator = minimax_d, .generator = minimax_g,
};

/* Cross-entropy with the target 1 - smooth: softplus(r) - (1 - smooth) r = softplus(-r) + smooth r. */
static gan_node *non_saturating_d(const struct loss_call *c) {
  double smooth = option_number(c->options, "smooth");
  gan_node *loss = minimax_d(c);
  return smooth == 0 ? loss : gan_add(loss, gan_scale(gan_mean(c->real), smooth));
}

static gan_node *non_saturating_g(const struct loss_call *c) {
  return minus_log_real(c->fake);
}

static const struct option smooth_options[] = {
  {"smooth", OPTION_NUMBER, 0, 1, "0",
   "one-sided label smoothing: the target of real samples is 1 - smooth (Salimans et al. 2016)"},
};

const struct loss_row loss_non_saturating = {
  .name = "non-saturating",
  .help = "the generator maximises log D(fake) (Goodfellow et al. 2014, section 3)",
  .n_options = 1, .options = smooth_options,
  .probabilities = 1, .discriminator = non_saturating_d, .generator = non_saturating_g,
};

/* ------------------------------------------------------------------ Mao et al. 2017 */

static gan_node *least_squares_d(const struct loss_call *c) {
  return gan_scale(gan_add(mean_square_from(c->real, 1), mean_square_from(c->fake, 0)), 0.5);
}

static gan_node *least_squares_g(const struct loss_call *c) {
  return gan_scale(mean_square_from(c->fake, 1), 0.5);
}

const struct loss_row loss_least_squares = {
  .name = "least-squares",
  .help = "squared distance of the scores to 1 (real) and 0 (generated) (Mao et al. 2017)",
  .discriminator = least_squares_d, .generator = least_squares_g,
};

/* ------------------------------------------------------------------ Arjovsky et al. 2017 */

static gan_node *wasserstein_d(const struct loss_call *c) {
  return gan_sub(gan_mean(c->fake), gan_mean(c->real));
}

static gan_node *wasserstein_g(const struct loss_call *c) {
  return gan_neg(gan_mean(c->fake));
}

const struct loss_row loss_wasserstein = {
  .name = "wasserstein",
  .help = "difference of mean scores; needs a bounded or penalised discriminator (Arjovsky et al. 2017)",
  .discriminator = wasserstein_d, .generator = wasserstein_g,
};
