/* Losses of a batch as a whole. */
#include "train/loss.h"

/* ------------------------------------------------------------------ Lin 2017 */

static gan_node *flat(gan_node *x) {
  const int64_t all = -1;
  return gan_reshape(x, 1, &all);
}

/* All scores of a step share one softmax; the loss is its cross-entropy with an even share for those in `winners`. */
static gan_node *softmax_over(const struct loss_call *c, gan_node *winners) {
  if (node_failed(c->real) || node_failed(c->fake)) return scene_fail(c, "scores of real or generated samples");
  gan_node *all = gan_concat(2, (gan_node *[]){flat(c->real), flat(c->fake)}, 0);
  return gan_sub(gan_sum(gan_log_sum_exp(all, 0)), gan_mean(winners ? winners : all));
}

static gan_node *softmax_d(const struct loss_call *c) { return softmax_over(c, c->real); }
static gan_node *softmax_g(const struct loss_call *c) { return softmax_over(c, NULL); }

const struct loss_row loss_softmax = {
  .name = "softmax",
  .help = "one softmax over the scores of the batch: D shares it among the real samples, G among all (Lin 2017)",
  .discriminator = softmax_d, .generator = softmax_g,
};
