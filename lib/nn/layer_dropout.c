/* dropout, dropout2d: set elements, or channels, to 0 at random in training, and scale the others up to the same mean. */
#include "nn/layer.h"

static const struct option dropout_options[] = {{"rate", OPTION_NUMBER, 0, 0.999999, "0.5", "share of elements set to 0"}};

/* A mask of the given shape, which broadcasts to x. */
static gan_node *drop(struct gan_layer_call *c, gan_node *x, const int64_t *shape) {
  double rate = layer_number(c, "rate");
  if (!c->training || rate == 0) return x;
  gan_node *uniform = layer_random(c, "mask", RANDOM_UNIFORM, 0, 1, x->rank, shape);
  gan_node *mask = gan_greater_equal(uniform, gan_constant(c->graph, rate));
  return gan_mul(x, gan_scale(mask, 1 / (1 - rate)));
}

static gan_node *dropout_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  return drop(c, in[0], in[0]->shape);
}

const struct layer_row layer_dropout = {
  "dropout", "Elements are set to 0 with probability rate, the others divided by 1 - rate; x itself in evaluation "
  "(Srivastava et al. 2014).",
  LAYER_RANDOM, 1, 1, 1, dropout_options, dropout_forward,
};

static gan_node *dropout2d_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  gan_node *x = in[0];
  if (layer_refuse(c, x, 3, GAN_MAX_RANK, "(batch, .., channels)")) return &c->graph->error;
  int64_t shape[GAN_MAX_RANK] = {x->shape[0]};
  for (int32_t d = 1; d < x->rank - 1; d++) shape[d] = 1;
  shape[x->rank - 1] = x->shape[x->rank - 1];
  return drop(c, x, shape);
}

const struct layer_row layer_dropout2d = {
  "dropout2d", "Whole channels of a sample are set to 0 with probability rate, the others divided by 1 - rate; x itself in "
  "evaluation (Tompson et al. 2015).",
  LAYER_RANDOM, 1, 1, 1, dropout_options, dropout2d_forward,
};
