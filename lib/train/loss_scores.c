/* What losses of scores share: the mean with weights, label smoothing, flips, and the factors of the two sides. */
#include "train/loss.h"

#include "ops/build.h"

double loss_number(const struct loss_call *c, const char *option) { return option_number(c->options, option); }
int32_t loss_flag(const struct loss_call *c, const char *option) { return option_flag(c->options, option); }
gan_node *loss_weighted(const struct loss_call *c, gan_node *x) { return gan_scale(x, loss_number(c, "weight")); }

/* ------------------------------------------------------------------ weights */

static gan_node *weights_bad(const struct loss_call *c) {
  return scene_fail(c, "weights, one a sample, or (of scores) one a score,");
}

gan_node *loss_weights(const struct loss_call *c, gan_node *weights, const gan_node *x) {
  int64_t shape[GAN_MAX_RANK];
  if (node_failed(weights) || node_failed(x) || nodes_same_shape(weights, x)) return weights;
  if (x->rank < 1 || weights->count != x->shape[0]) return weights_bad(c);
  for (int32_t i = 0; i < x->rank; i++) shape[i] = i == 0 ? weights->count : 1;
  return gan_reshape(weights, x->rank, shape);
}

gan_node *loss_sample_weights(const struct loss_call *c, int32_t real, const gan_node *x) {
  gan_node *weights = real ? c->scene->real_weights : c->scene->fake_weights;
  if (!weights || node_failed(weights) || node_failed(x)) return weights;
  return x->rank >= 1 && weights->count == x->shape[0] ? gan_reshape(weights, 1, x->shape) : weights_bad(c);
}

gan_node *loss_mean(const struct loss_call *c, gan_node *x, gan_node *weights) {
  return gan_mean(weights && !node_failed(x) ? gan_mul(x, loss_weights(c, weights, x)) : x);
}

gan_node *loss_counted(const struct loss_call *c, gan_node *x, gan_node *weights) {
  if (!weights || node_failed(x)) return x;
  gan_node *w = loss_weights(c, weights, x);
  return gan_mul(x, gan_div(w, gan_maximum(gan_mean(w), gan_constant(c->graph, 1e-30))));
}

gan_node *loss_pair_weights(const struct loss_call *c) {
  gan_node *real = c->scene->real_weights, *fake = c->scene->fake_weights;
  return !real || real == fake ? fake : fake ? gan_mul(real, fake) : real;
}

/* ------------------------------------------------------------------ labels */

/* Smoothing and flips mix the rule of the other label in: (1 - share) own + share other. For the cross-entropy this is the target
 * 1 - share; for squares it is that, too, but for a constant. */
static gan_node *mix(const struct loss_call *c, const char *smooth, const char *draw, gan_node *score, score_rule *own,
                     score_rule *other) {
  double share = loss_number(c, smooth), flip = loss_number(c, "flip");
  gan_node *x = own(c, score);
  if (share == 0 && flip == 0) return x;
  gan_node *difference = gan_sub(other(c, score), x);
  if (flip == 0) return gan_add(x, gan_scale(difference, share));
  gan_node *flipped = gan_greater(gan_constant(c->graph, flip), loss_uniform_per_sample(c, draw, score));
  return gan_add(x, gan_mul(gan_shift(gan_scale(flipped, 1 - 2 * share), share), difference));
}

gan_node *scores_discriminator(const struct loss_call *c) {
  const struct loss_row *row = c->loss->row;
  if (node_failed(c->real) || node_failed(c->fake)) return scene_fail(c, "scores of real or generated samples");
  gan_node *real = loss_mean(c, mix(c, "smooth", "flip-real", c->real, row->real, row->fake), c->scene->real_weights);
  gan_node *fake = loss_mean(c, mix(c, "smooth-fake", "flip-fake", c->fake, row->fake, row->real), c->scene->fake_weights);
  return gan_add(gan_scale(real, loss_number(c, "real")), gan_scale(fake, loss_number(c, "fake")));
}

gan_node *scores_generator(const struct loss_call *c) {
  if (node_failed(c->fake)) return scene_fail(c, "scores of real or generated samples");
  return loss_mean(c, c->loss->row->fooling(c, c->fake), c->scene->fake_weights);
}
