/* Normalisation: over the batch (batch-norm), over each sample (layer-norm), over each place (pixel-norm). */
#include "nn/norm.h"

static const struct option batch_norm_options[] = {
  NORM_EPSILON("1e-5"),
  {"momentum", OPTION_NUMBER, 0, 1, "0.1", "share of the new batch in the running statistics"},
  {"affine", OPTION_FLAG, 0, 0, "yes", "learnt scale and shift of each column"},
  {"init", OPTION_TEXT, 0, 0, "ones", "initializer of the scale; DCGAN takes (normal mean=1 std=0.02)"},
};

static gan_node *batch_norm_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  if (norm_refuse(c, in[0], 2)) return &c->graph->error;
  if (!layer_flag(c, "affine")) return norm_batch(c, in[0], NULL, NULL);
  int64_t columns = in[0]->shape[in[0]->rank - 1];
  gan_node *gamma = layer_parameter(c, "weight", 1, &columns, layer_text(c, "init"));
  gan_node *beta = layer_parameter(c, "bias", 1, &columns, "zeros");
  return norm_batch(c, in[0], gamma, beta);
}

const struct layer_row layer_batch_norm = {
  "batch-norm", "Columns of the last axis to mean 0 and variance 1 over all other axes; in evaluation by running statistics, "
  "which move at the commit (Ioffe and Szegedy 2015). weight, bias, running_mean, running_var (columns), as PyTorch's BatchNorm.",
  LAYER_COUPLES, 1, 1, 4, batch_norm_options, batch_norm_forward,
};

/* ------------------------------------------------------------------ layer-norm */

static const struct option layer_norm_options[] = {
  {"axes", OPTION_INT, 0, GAN_MAX_RANK - 1, "0", "how many last axes are normalised together; 0: all but the batch"},
  NORM_EPSILON("1e-5"),
  {"affine", OPTION_FLAG, 0, 0, "yes", "learnt scale and shift of each element"},
};

static gan_node *layer_norm_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  gan_node *x = in[0];
  int32_t asked = (int32_t)layer_int(c, "axes");
  if (norm_refuse(c, x, asked ? asked + 1 : 2)) return &c->graph->error;
  int32_t count = asked ? asked : x->rank - 1, first = x->rank - count, axes[GAN_MAX_RANK];
  for (int32_t i = 0; i < count; i++) axes[i] = first + i;

  struct moments m = norm_moments(x, count, axes, 1);
  gan_node *y = gan_mul(m.centred, norm_scale(c, m.variance));
  if (!layer_flag(c, "affine")) return y;
  gan_node *gamma = layer_parameter(c, "weight", count, x->shape + first, "ones");
  return norm_affine(y, gamma, layer_parameter(c, "bias", count, x->shape + first, "zeros"));
}

const struct layer_row layer_layer_norm = {
  "layer-norm", "Each sample to mean 0 and variance 1 (Ba et al. 2016). weight and bias of the normalised axes, as PyTorch's "
  "LayerNorm.",
  0, 1, 1, 3, layer_norm_options, layer_norm_forward,
};

/* ------------------------------------------------------------------ pixel-norm */

static const struct option pixel_norm_options[] = {
  {"epsilon", OPTION_NUMBER, 1e-30, 1e3, "1e-8", "added to the mean square"},
};

static gan_node *pixel_norm_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  gan_node *x = in[0];
  if (norm_refuse(c, x, 2)) return &c->graph->error;
  return gan_mul(x, norm_scale(c, gan_mean_axes(gan_square(x), 1, (int32_t[]){-1}, 1)));
}

const struct layer_row layer_pixel_norm = {
  "pixel-norm", "The channels of each pixel to mean square 1: x / sqrt(mean(x^2) + epsilon) along the last axis (Karras et al. "
  "2018).",
  0, 1, 1, 1, pixel_norm_options, pixel_norm_forward,
};
