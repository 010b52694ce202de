/* Weights that are computed from what is learnt: spectral norm, weight norm, equalised learning rate. A layer with a weight lists
 * WEIGHT_OPTIONS among its options and asks for its weight here; several at once are applied in the order equalised, weight norm,
 * spectral norm. */
#ifndef GAN_NN_WEIGHT_H
#define GAN_NN_WEIGHT_H

#include "nn/layer.h"

#define WEIGHT_OPTIONS \
  {"spectral-norm", OPTION_FLAG, 0, 0, "no", "divides the weight by its largest singular value (Miyato et al. 2018)"}, \
  {"iterations", OPTION_INT, 1, 1000, "1", "of the power method a commit, for spectral-norm"}, \
  {"spectral-epsilon", OPTION_NUMBER, 1e-30, 1, "1e-12", "least length of a vector that spectral-norm divides by"}, \
  {"weight-norm", OPTION_FLAG, 0, 0, "no", "learns length and direction of an output's weights apart (Salimans and Kingma 2016)"}, \
  {"equalised", OPTION_FLAG, 0, 0, "no", "weights of std 1 are multiplied by gain / sqrt(fan-in) (Karras et al. 2018)"}, \
  {"gain", OPTION_NUMBER, 0, 1e6, "1.4142135623730951", "of equalised"}

enum { WEIGHT_OPTION_COUNT = 6 };

struct weight {
  const char *name;              /* "weight"; further variables are weight_g, weight_u, weight_v */
  const char *init;              /* initializer */
  int32_t rank;
  const int64_t *shape;
  int32_t last;                  /* 1: the outputs are the last axis, as in transposed convolutions; 0: the first */
  double fan_in;                 /* inputs of one output, for equalised */
};

/* The weight as the layer uses it. The parameter behind it has the same shape. */
gan_node *layer_weight(struct gan_layer_call *c, const struct weight *w);

/* The initializer that the option `init` asks for; by default the layer's, but normal numbers for equalised weights. */
const char *layer_weight_init(const struct gan_layer_call *c);

/* The parameter "bias" of count numbers, by the option bias-init. PyTorch's default draws it by the fan-in of the weight; beside an
 * equalised weight it is 0. */
gan_node *layer_bias(struct gan_layer_call *c, int64_t count, double fan_in);

#endif
