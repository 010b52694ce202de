/* dropout: sets elements to 0 at random in training, and scales the others up to the same mean. */
#include "nn/layer.h"

static const struct option dropout_options[] = {{"rate", OPTION_NUMBER, 0, 0.999999, "0.5", "share of elements set to 0"}};

static gan_node *dropout_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  gan_node *x = in[0];
  double rate = layer_number(c, "rate");
  if (!c->training || rate == 0) return x;
  gan_node *uniform = layer_random(c, "mask", RANDOM_UNIFORM, 0, 1, x->rank, x->shape);
  gan_node *mask = gan_greater_equal(uniform, gan_constant(c->graph, rate));
  return gan_mul(x, gan_scale(mask, 1 / (1 - rate)));
}

const struct layer_row layer_dropout = {
  "dropout", "Elements are set to 0 with probability rate, the others divided by 1 - rate; x itself in evaluation "
  "(Srivastava et al. 2014).",
  LAYER_RANDOM, 1, 1, 1, dropout_options, dropout_forward,
};
