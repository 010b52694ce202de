/* Penalties on a discriminator. They emit gradients as nodes, which are differentiated again with the loss. */
#include <stdio.h>

#include "base/rng.h"
#include "train/train.h"

enum { INPUTS_MAX = 16 };

/* D's scores at x, with the conditions that the real samples had. */
static gan_node *scores_at(const struct penalty_call *c, gan_node *x) {
  gan_node *in[1 + INPUTS_MAX] = {x}, *scores = NULL;
  if (c->n_conditions > INPUTS_MAX)
    return graph_fail(x->graph, GAN_ERROR_ARGUMENT, "penalty: %d conditions, expected at most %d", c->n_conditions, INPUTS_MAX);
  for (int32_t i = 0; i < c->n_conditions; i++) in[1 + i] = c->conditions[i];
  gan_network_apply(c->discriminator, 1, 1 + c->n_conditions, in, 1, &scores);
  return scores;
}

static int32_t is_drawn(const gan_graph *g, uint64_t stream) {
  for (int64_t i = 0; i < g->n_nodes; i++)
    if (g->nodes[i]->op == &op_random && g->nodes[i]->attr.stream == stream) return 1;
  return 0;
}

/* One number a sample, uniform in [0, 1), of shape (batch, 1, 1, ..) to repeat over the rest. Each call draws its own. */
static gan_node *one_uniform_per_sample(const char *what, const gan_network *d, gan_node *like) {
  int64_t shape[GAN_MAX_RANK];
  char name[2 * NETWORK_NAME];
  int32_t call = 0;
  do snprintf(name, sizeof name, "%s/%s@%d", what, d->name, call++);
  while (is_drawn(like->graph, rng_hash(name)));
  for (int32_t i = 0; i < like->rank; i++) shape[i] = i == 0 ? like->shape[0] : 1;
  return gan_random(like->graph, name, "uniform low=0 high=1", like->rank, shape);
}

/* ------------------------------------------------------------------ Gulrajani et al. 2017 */

/* The points are constants: the penalty shapes the discriminator, never the generator that drew them. */
static gan_node *between(const struct penalty_call *c) {
  gan_node *e = one_uniform_per_sample("wgan-gp", c->discriminator, c->real);
  return gan_stop_gradient(gan_add(c->fake, gan_mul(e, gan_sub(c->real, c->fake))));
}

static gan_node *wgan_gp(const struct penalty_call *c) {
  gan_node *x = between(c);
  gan_node *norm = gan_norm_per_sample(gan_gradient(scores_at(c, x), x));
  gan_node *excess = gan_shift(norm, -option_number(c->options, "target"));
  if (option_flag(c->options, "one-sided")) excess = gan_relu(excess);
  return gan_scale(gan_mean(gan_square(excess)), option_number(c->options, "weight"));
}

static const struct option wgan_gp_options[] = {
  {"weight", OPTION_NUMBER, 0, 1e9, "10", "factor of the penalty in D's loss"},
  {"target", OPTION_NUMBER, 0, 1e9, "1", "norm that the gradient is drawn to"},
  {"one-sided", OPTION_FLAG, 0, 0, "no", "only norms above the target count"},
};

const struct penalty_row penalty_wgan_gp = {
  .name = "wgan-gp",
  .help = "weight * mean((|grad D(x)| - target)^2) at random points between real and generated samples (Gulrajani et al. 2017)",
  .n_options = 3, .options = wgan_gp_options, .emit = wgan_gp,
};
