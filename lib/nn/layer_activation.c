/* Layers that are one function of every element; and softmax. */
#include "nn/layer.h"

/* A function without parameters. */
#define ACTIVATION(id, name, function, help) \
  static gan_node *id##_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) { \
    (void)c; \
    (void)n; \
    return function(in[0]); \
  } \
  const struct layer_row layer_##id = {name, help, 0, 1, 1, 0, NULL, id##_forward};

ACTIVATION(relu, "relu", gan_relu, "max(x, 0), with gradient 0 at 0.")
ACTIVATION(selu, "selu", gan_selu, "Scaled ELU that keeps mean 0 and variance 1 (Klambauer et al. 2017).")
ACTIVATION(gelu, "gelu", gan_gelu, "x/2 (1 + erf(x / sqrt 2)) (Hendrycks and Gimpel 2016).")
ACTIVATION(silu, "silu", gan_silu, "x sigmoid(x), also called swish.")
ACTIVATION(tanh, "tanh", gan_tanh, "tanh(x): outputs in -1 .. 1, the usual end of a generator.")
ACTIVATION(sigmoid, "sigmoid", gan_sigmoid, "1 / (1 + e^-x). Losses take logits: a discriminator needs none at its end.")
ACTIVATION(softplus, "softplus", gan_softplus, "log(1 + e^x) without overflow.")

/* ------------------------------------------------------------------ with a parameter */

static const struct option leaky_relu_options[] = {{"slope", OPTION_NUMBER, 0, 1, "0.01", "of the negative side"}};

static gan_node *leaky_relu_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  return gan_leaky_relu(in[0], layer_number(c, "slope"));
}

const struct layer_row layer_leaky_relu = {
  "leaky-relu", "max(x, slope x) (Maas et al. 2013).", 0, 1, 1, 1, leaky_relu_options, leaky_relu_forward,
};

static const struct option elu_options[] = {{"alpha", OPTION_NUMBER, 0, 1e6, "1", "the limit at minus infinity, negated"}};

static gan_node *elu_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  return gan_elu(in[0], layer_number(c, "alpha"));
}

const struct layer_row layer_elu = {
  "elu", "x, or alpha (e^x - 1) where x < 0 (Clevert et al. 2015).", 0, 1, 1, 1, elu_options, elu_forward,
};

static const struct option prelu_options[] = {
  {"each", OPTION_FLAG, 0, 0, "no", "one slope for each index of the last axis"},
  {"init", OPTION_TEXT, 0, 0, "constant value=0.25", "initializer of the slopes"},
};

static gan_node *prelu_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  gan_node *x = in[0];
  int64_t slopes = layer_flag(c, "each") ? gan_node_size(x, -1) : 1;
  gan_node *weight = layer_parameter(c, "weight", 1, &slopes, layer_text(c, "init"));
  return gan_select(gan_greater(x, gan_constant(c->graph, 0)), x, gan_mul(x, weight));
}

const struct layer_row layer_prelu = {
  "prelu", "x, or weight x where x <= 0, with a learnt weight (He et al. 2015).", 0, 1, 1, 2, prelu_options, prelu_forward,
};

/* ------------------------------------------------------------------ along an axis */

static const struct option softmax_options[] = {{"axis", OPTION_INT, -7, 7, "-1", "sums to 1; axis 0 is the batch"}};

static gan_node *softmax_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  int32_t axis = (int32_t)layer_int(c, "axis");
  if (axis == 0 || axis == -in[0]->rank) return graph_fail(c->graph, GAN_ERROR_ARGUMENT, "softmax along axis 0, the batch");
  return gan_softmax(in[0], axis);
}

const struct layer_row layer_softmax = {
  "softmax", "e^x / sum e^x along an axis.", 0, 1, 1, 1, softmax_options, softmax_forward,
};
