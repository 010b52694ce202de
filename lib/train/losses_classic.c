/* Losses that look at one score at a time. Each row: what D minimises at the score of a real sample and of a generated one, and
 * what G minimises at the latter; scores come before any sigmoid. */
#include "train/loss.h"

static const struct option sides[] = {LOSS_SIDES};

/* -log sigmoid(x) and -log(1 - sigmoid(x)), without overflow. */
static gan_node *minus_log_real(const struct loss_call *c, gan_node *x) { return (void)c, gan_softplus(gan_neg(x)); }
static gan_node *minus_log_fake(const struct loss_call *c, gan_node *x) { return (void)c, gan_softplus(x); }

static gan_node *identity(const struct loss_call *c, gan_node *x) { return (void)c, x; }
static gan_node *negative(const struct loss_call *c, gan_node *x) { return (void)c, gan_neg(x); }

/* ------------------------------------------------------------------ Goodfellow et al. 2014 */

static gan_node *log_fake(const struct loss_call *c, gan_node *x) { return (void)c, gan_neg(gan_softplus(x)); }

const struct loss_row loss_minimax = {
  .name = "minimax",
  .help = "the two-player game as first stated; the generator's side saturates (Goodfellow et al. 2014, eq. 1)",
  OPTIONS_OF(sides),
  .probabilities = 1, .real = minus_log_real, .fake = minus_log_fake, .fooling = log_fake,
};

const struct loss_row loss_non_saturating = {
  .name = "non-saturating",
  .help = "the generator maximises log D(fake) (Goodfellow et al. 2014, section 3)",
  OPTIONS_OF(sides),
  .probabilities = 1, .real = minus_log_real, .fake = minus_log_fake, .fooling = minus_log_real,
};

/* ------------------------------------------------------------------ Hjelm et al. 2018 */

/* (log D - log(1 - D))^2 / 2, and log D - log(1 - D) is the score itself. */
static gan_node *to_boundary(const struct loss_call *c, gan_node *x) { return (void)c, gan_scale(gan_square(x), 0.5); }

const struct loss_row loss_boundary_seeking = {
  .name = "boundary-seeking",
  .help = "the generator seeks the boundary D = 1/2, where the score is 0 (Hjelm et al. 2018, eq. 10)",
  OPTIONS_OF(sides),
  .probabilities = 1, .real = minus_log_real, .fake = minus_log_fake, .fooling = to_boundary,
};

/* ------------------------------------------------------------------ Mao et al. 2017 */

static gan_node *half_square_from(const struct loss_call *c, gan_node *x, const char *target) {
  return gan_scale(gan_square(gan_shift(x, -loss_number(c, target))), 0.5);
}

static gan_node *from_a(const struct loss_call *c, gan_node *x) { return half_square_from(c, x, "a"); }
static gan_node *from_b(const struct loss_call *c, gan_node *x) { return half_square_from(c, x, "b"); }
static gan_node *from_c(const struct loss_call *c, gan_node *x) { return half_square_from(c, x, "c"); }

static const struct option least_squares_options[] = {
  {"a", OPTION_NUMBER, -1e9, 1e9, "0", "what D wants of generated samples"},
  {"b", OPTION_NUMBER, -1e9, 1e9, "1", "what D wants of real samples"},
  {"c", OPTION_NUMBER, -1e9, 1e9, "1", "what G wants of generated samples"},
  LOSS_SIDES,
};

const struct loss_row loss_least_squares = {
  .name = "least-squares",
  .help = "squared distance of the scores to b (real) and a (generated); G draws them to c (Mao et al. 2017)",
  OPTIONS_OF(least_squares_options),
  .real = from_b, .fake = from_a, .fooling = from_c,
};

/* ------------------------------------------------------------------ Arjovsky et al. 2017 */

const struct loss_row loss_wasserstein = {
  .name = "wasserstein",
  .help = "difference of mean scores; needs a bounded or penalised discriminator (Arjovsky et al. 2017)",
  OPTIONS_OF(sides),
  .real = negative, .fake = identity, .fooling = negative,
};

/* ------------------------------------------------------------------ Lim and Ye 2017; Tran et al. 2017 */

static gan_node *above(const struct loss_call *c, gan_node *x) {
  return gan_relu(gan_shift(gan_neg(x), loss_number(c, "margin")));
}

static gan_node *below(const struct loss_call *c, gan_node *x) {
  return gan_relu(gan_shift(x, loss_number(c, "margin")));
}

static const struct option hinge_options[] = {
  {"margin", OPTION_NUMBER, 0, 1e9, "1", "scores further out than this do not count"},
  LOSS_SIDES,
};

const struct loss_row loss_hinge = {
  .name = "hinge",
  .help = "D pays for scores of real samples below margin and of generated ones above -margin (Lim and Ye 2017)",
  OPTIONS_OF(hinge_options),
  .real = above, .fake = below, .fooling = negative,
};
