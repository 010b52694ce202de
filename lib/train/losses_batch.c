/* Losses of a batch as a whole. */
#include "train/loss.h"
#include "train/terms.h"

/* ------------------------------------------------------------------ Lin 2017 */

/* In one row, each with the logarithm of how much it counts. */
static gan_node *flat(const struct loss_call *c, gan_node *x, gan_node *weights) {
  const int64_t all = -1;
  if (weights) x = gan_add(x, node_log_weights(loss_weights(c, weights, x)));
  return gan_reshape(x, 1, &all);
}

/* -log of the share that each score of a side has in the softmax over all scores of a step. */
struct shares { gan_node *real, *fake; };

static struct shares shares_of(const struct loss_call *c) {
  gan_node *both[2] = {flat(c, c->real, c->scene->real_weights), flat(c, c->fake, c->scene->fake_weights)};
  gan_node *log_z = gan_sum(gan_log_sum_exp(gan_concat(2, both, 0), 0));
  return (struct shares){loss_mean(c, gan_sub(log_z, c->real), c->scene->real_weights),
                         loss_mean(c, gan_sub(log_z, c->fake), c->scene->fake_weights)};
}

/* The cross-entropy of the softmax with an even share for the real samples, */
static gan_node *softmax_d(const struct loss_call *c) {
  if (node_failed(c->real) || node_failed(c->fake)) return scene_fail(c, "scores of real or generated samples");
  return shares_of(c).real;
}

/* and with an even share for all. */
static gan_node *softmax_g(const struct loss_call *c) {
  if (node_failed(c->real) || node_failed(c->fake)) return scene_fail(c, "scores of real or generated samples");
  double n_real = (double)c->real->count, n_fake = (double)c->fake->count;
  struct shares s = shares_of(c);
  return gan_add(gan_scale(s.real, n_real / (n_real + n_fake)), gan_scale(s.fake, n_fake / (n_real + n_fake)));
}

const struct loss_row loss_softmax = {
  .name = "softmax",
  .help = "one softmax over the scores of the batch: D shares it among the real samples, G among all (Lin 2017)",
  .discriminator = softmax_d, .generator = softmax_g,
};
