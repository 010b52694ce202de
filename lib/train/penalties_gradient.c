/* Penalties on the gradient of the discriminator's score with respect to its input. They emit gradients as nodes, which are
 * differentiated again with the loss. The points are constants: a penalty shapes the discriminator, never the generator. */
#include "train/loss.h"

#include "base/tensor.h"

/* real: under the conditions of the real samples, as points between both are, too. */
static gan_node *gradient_at(const struct loss_call *c, int32_t real, gan_node *x) {
  return gan_gradient(scene_scores_at(c, real, x), x);
}

static gan_node *norm_at(const struct loss_call *c, gan_node *x) { return gan_norm_per_sample(gradient_at(c, 1, x)); }

/* Squares summed over each sample: without the root, whose slope at 0 is infinite. */
static gan_node *squared_norm_at(const struct loss_call *c, int32_t real, gan_node *x) {
  gan_node *squares = gan_square(gradient_at(c, real, x));
  int32_t axes[GAN_MAX_RANK];
  if (node_failed(squares) || squares->rank < 2) return squares;
  for (int32_t i = 0; i + 1 < squares->rank; i++) axes[i] = i + 1;
  return gan_sum_axes(squares, squares->rank - 1, axes, 0);
}

/* e real + (1 - e) fake, e uniform per sample. */
static gan_node *between(const struct loss_call *c) {
  char a[128], b[128];
  gan_node *real = scene_real(c), *fake = scene_fake(c);
  if (node_failed(real) || node_failed(fake)) return &c->graph->error;
  if (real->rank < 1 || !shape_equal(real->rank, real->shape, fake->rank, fake->shape))
    return graph_fail(c->graph, GAN_ERROR_SHAPE,
                      "penalty '%s': real is %s and fake %s, expected the same shape with the batch first", loss_name(c->loss),
                      shape_text(a, sizeof a, real->rank, real->shape),
                      shape_text(b, sizeof b, fake->rank, fake->shape));
  gan_node *e = loss_uniform_per_sample(c, "e", real);
  return gan_stop_gradient(gan_add(fake, gan_mul(e, gan_sub(real, fake))));
}

static gan_node *squared_excess(const struct loss_call *c, gan_node *norm, int32_t one_sided) {
  gan_node *excess = gan_shift(norm, -loss_number(c, "target"));
  return loss_weighted(c, gan_mean(gan_square(one_sided ? gan_relu(excess) : excess)));
}

#define TARGET {"target", OPTION_NUMBER, 0, 1e9, "1", "norm that the gradient is drawn to"}

/* ------------------------------------------------------------------ Gulrajani et al. 2017, Petzka et al. 2018 */

static gan_node *wgan_gp(const struct loss_call *c) {
  return squared_excess(c, norm_at(c, between(c)), loss_flag(c, "one-sided"));
}

static const struct option wgan_gp_options[] = {
  PENALTY_COMMON("10"),
  TARGET,
  {"one-sided", OPTION_FLAG, 0, 0, "no", "only norms above the target count"},
};

const struct loss_row penalty_wgan_gp = {
  .name = "wgan-gp",
  .help = "weight * mean((|grad D(x)| - target)^2) at random points between real and generated samples (Gulrajani et al. 2017)",
  OPTIONS_OF(wgan_gp_options), .discriminator = wgan_gp,
};

static gan_node *wgan_lp(const struct loss_call *c) { return squared_excess(c, norm_at(c, between(c)), 1); }

static const struct option wgan_lp_options[] = {PENALTY_COMMON("10"), TARGET};

const struct loss_row penalty_wgan_lp = {
  .name = "wgan-lp",
  .help = "as wgan-gp, but only norms above the target count (Petzka et al. 2018)",
  OPTIONS_OF(wgan_lp_options), .discriminator = wgan_lp,
};

/* ------------------------------------------------------------------ Wu et al. 2018 */

/* At the samples of a side. */
static gan_node *squared_norm(const struct loss_call *c, int32_t real) {
  return squared_norm_at(c, real, gan_stop_gradient(real ? scene_real(c) : scene_fake(c)));
}

static gan_node *mean_power(const struct loss_call *c, int32_t real) {
  return gan_mean(gan_power(squared_norm(c, real), loss_number(c, "power") / 2));
}

static gan_node *wgan_div(const struct loss_call *c) {
  gan_node *both = gan_add(mean_power(c, 1), mean_power(c, 0));
  return loss_weighted(c, gan_scale(both, 0.5));
}

static const struct option wgan_div_options[] = {
  PENALTY_COMMON("2"),
  {"power", OPTION_NUMBER, 2, 100, "6", "of the gradient's norm"},
};

const struct loss_row penalty_wgan_div = {
  .name = "wgan-div",
  .help = "weight / 2 * (mean(|grad D(real)|^power) + mean(|grad D(fake)|^power)): Wasserstein divergence (Wu et al. 2018)",
  OPTIONS_OF(wgan_div_options), .discriminator = wgan_div,
};

/* ------------------------------------------------------------------ Kodali et al. 2017 */

/* The standard deviation of all elements, with n - 1 as in the authors' code. */
static gan_node *deviation(gan_node *x) {
  if (node_failed(x)) return x;
  gan_node *squares = gan_sum(gan_square(gan_sub(x, gan_mean(x))));
  return gan_sqrt(gan_scale(squares, 1 / (double)(x->count > 1 ? x->count - 1 : 1)));
}

/* Real samples, moved by noise of a share of their own deviation; how far differs from sample to sample. */
static gan_node *around(const struct loss_call *c) {
  gan_node *real = scene_real(c);
  if (node_failed(real)) return real;
  gan_node *u = loss_random(c, "noise", "uniform low=0 high=1", real->rank, real->shape);
  gan_node *far = gan_mul(loss_uniform_per_sample(c, "e", real), gan_scale(deviation(real), loss_number(c, "noise")));
  return gan_stop_gradient(gan_add(real, gan_mul(far, u)));
}

static gan_node *dragan(const struct loss_call *c) { return squared_excess(c, norm_at(c, around(c)), 0); }

static const struct option dragan_options[] = {
  PENALTY_COMMON("10"),
  TARGET,
  {"noise", OPTION_NUMBER, 0, 1e9, "0.5", "share of the standard deviation of the real batch"},
};

const struct loss_row penalty_dragan = {
  .name = "dragan",
  .help = "weight * mean((|grad D(x)| - target)^2) at x = real + e noise std(real) u, e uniform per sample, u per element (Kodali "
          "et al. 2017)",
  OPTIONS_OF(dragan_options), .discriminator = dragan,
};

/* ------------------------------------------------------------------ Mescheder et al. 2018 */

static gan_node *zero_centred(const struct loss_call *c, int32_t real) {
  return loss_weighted(c, gan_scale(gan_mean(squared_norm(c, real)), 0.5));
}

static gan_node *r1(const struct loss_call *c) { return zero_centred(c, 1); }
static gan_node *r2(const struct loss_call *c) { return zero_centred(c, 0); }

static const struct option zero_centred_options[] = {PENALTY_COMMON("10")};

const struct loss_row penalty_r1 = {
  .name = "r1",
  .help = "weight / 2 * mean(|grad D(real)|^2) (Mescheder et al. 2018)",
  OPTIONS_OF(zero_centred_options), .discriminator = r1,
};

const struct loss_row penalty_r2 = {
  .name = "r2",
  .help = "weight / 2 * mean(|grad D(fake)|^2) (Mescheder et al. 2018)",
  OPTIONS_OF(zero_centred_options), .discriminator = r2,
};

/* ------------------------------------------------------------------ Zhou et al. 2019 */

static gan_node *maximal_gradient(const struct loss_call *c) {
  const int32_t batch = 0;
  return loss_weighted(c, gan_max_axes(squared_norm_at(c, 1, between(c)), 1, &batch, 0));
}

static const struct option maximal_options[] = {PENALTY_COMMON("1")};

const struct loss_row penalty_maximal_gradient = {
  .name = "maximal-gradient",
  .help = "weight * max(|grad D(x)|^2) over the points of wgan-gp: the Lipschitz constant that the batch shows (Zhou et al. 2019)",
  OPTIONS_OF(maximal_options), .discriminator = maximal_gradient,
};
