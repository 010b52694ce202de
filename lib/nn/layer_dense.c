/* dense: y = x W' + b on the last axis. */
#include "nn/weight.h"

static const struct option dense_options[] = {
  {"units", OPTION_INT, 1, 1e9, NULL, "output width"},
  {"bias", OPTION_FLAG, 0, 0, "yes", "adds a vector"},
  {"init", OPTION_TEXT, 0, 0, "pytorch", "initializer of the weight (units, inputs)"},
  {"bias-init", OPTION_TEXT, 0, 0, "pytorch", "initializer of the bias; pytorch: uniform within 1/sqrt(inputs)"},
  WEIGHT_OPTIONS,
};

static gan_node *dense_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  gan_node *x = in[0];
  if (layer_refuse(c, x, 2, GAN_MAX_RANK, "(batch, .., inputs)")) return &c->graph->error;
  int64_t inputs = x->shape[x->rank - 1], units = layer_int(c, "units");
  struct weight weight = {
    .name = "weight", .init = layer_weight_init(c), .rank = 2, .shape = (int64_t[]){units, inputs}, .fan_in = (double)inputs,
  };
  gan_node *y = gan_matmul(x, layer_weight(c, &weight), 0, 1);
  return layer_flag(c, "bias") ? gan_add(y, layer_bias(c, units, (double)inputs)) : y;
}

const struct layer_row layer_dense = {
  "dense", "y = x W' + b on the last axis: (batch, .., inputs) -> (batch, .., units). weight (units, inputs), bias (units), as "
  "PyTorch's Linear.",
  0, 1, 1, 4 + WEIGHT_OPTION_COUNT, dense_options, dense_forward,
};
