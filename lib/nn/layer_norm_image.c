/* Normalisation of channels over the places of each sample: one by one (instance-norm), in groups (group-norm). */
#include "nn/norm.h"

struct affine { gan_node *gamma, *beta; };   /* NULL without the option affine */

static struct affine affine_variables(struct gan_layer_call *c, const gan_node *x) {
  if (!layer_flag(c, "affine")) return (struct affine){NULL, NULL};
  int64_t channels = x->shape[x->rank - 1];
  gan_node *gamma = layer_parameter(c, "weight", 1, &channels, "ones");
  return (struct affine){gamma, layer_parameter(c, "bias", 1, &channels, "zeros")};
}

/* ------------------------------------------------------------------ instance-norm */

static const struct option instance_norm_options[] = {
  NORM_EPSILON("1e-5"),
  {"affine", OPTION_FLAG, 0, 0, "no", "learnt scale and shift of each channel"},
};

static gan_node *instance_norm_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  gan_node *y = norm_instances(c, in[0]);
  if (node_failed(y)) return y;
  struct affine a = affine_variables(c, in[0]);
  return norm_affine(y, a.gamma, a.beta);
}

const struct layer_row layer_instance_norm = {
  "instance-norm", "Each channel of each sample to mean 0 and variance 1 over its places: (batch, .., channels) (Ulyanov et al. "
  "2016). weight, bias (channels), as PyTorch's InstanceNorm.",
  0, 1, 1, 2, instance_norm_options, instance_norm_forward,
};

/* ------------------------------------------------------------------ group-norm */

static const struct option group_norm_options[] = {
  {"groups", OPTION_INT, 1, 1e9, "32", "of channels that lie side by side; must divide their number"},
  NORM_EPSILON("1e-5"),
  {"affine", OPTION_FLAG, 0, 0, "yes", "learnt scale and shift of each channel"},
};

/* Over the places first, then within the groups: two reductions without a copy, where both axes at once would need one. */
static gan_node *group_mean(gan_node *x) { return gan_mean_axes(gan_mean_axes(x, 1, (int32_t[]){1}, 1), 1, (int32_t[]){3}, 1); }

static gan_node *group_norm_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  gan_node *x = in[0];
  if (norm_refuse(c, x, 2)) return &c->graph->error;
  int64_t channels = x->shape[x->rank - 1], groups = layer_int(c, "groups"), places = x->count / (x->shape[0] * channels);
  if (channels % groups) {
    return graph_fail(c->graph, GAN_ERROR_SHAPE, "%lld channels do not go into %lld groups", (long long)channels,
                      (long long)groups);
  }
  gan_node *grouped = gan_reshape(x, 4, (int64_t[]){x->shape[0], places, groups, channels / groups});
  gan_node *centred = gan_sub(grouped, group_mean(grouped));
  gan_node *y = gan_mul(centred, norm_scale(c, group_mean(gan_square(centred))));
  struct affine a = affine_variables(c, x);
  return norm_affine(gan_reshape(y, x->rank, x->shape), a.gamma, a.beta);
}

const struct layer_row layer_group_norm = {
  "group-norm", "Groups of channels of each sample to mean 0 and variance 1 over their places: (batch, .., channels) (Wu and He "
  "2018). weight, bias (channels), as PyTorch's GroupNorm.",
  0, 1, 1, 3, group_norm_options, group_norm_forward,
};
