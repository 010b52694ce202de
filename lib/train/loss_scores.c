/* What losses of scores share: the mean with weights, label smoothing, flips, and the factors of the two sides. */
#include "train/loss.h"

double loss_number(const struct loss_call *c, const char *option) { return option_number(c->options, option); }
int32_t loss_flag(const struct loss_call *c, const char *option) { return option_flag(c->options, option); }
gan_node *loss_weighted(const struct loss_call *c, gan_node *x) { return gan_scale(x, loss_number(c, "weight")); }

/* One weight a sample repeats over the rest of x. */
static gan_node *spread(gan_node *weights, const gan_node *x) {
  int64_t shape[GAN_MAX_RANK];
  if (node_failed(weights) || weights->rank != 1 || x->rank < 2) return weights;
  for (int32_t i = 0; i < x->rank; i++) shape[i] = i == 0 ? weights->shape[0] : 1;
  return gan_reshape(weights, x->rank, shape);
}

gan_node *loss_mean(const struct loss_call *c, gan_node *x, gan_node *weights) {
  if (!weights || node_failed(x)) return gan_mean(x);
  gan_node *weighted = gan_mul(x, spread(weights, x));
  if (node_failed(weighted) || weighted->count == x->count) return gan_mean(weighted);
  return scene_fail(c, "weights of the shape of the samples, (batch), or of the scores");
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
