/* Layers that let a discriminator see how much the samples of a batch differ: minibatch-discrimination, minibatch-stddev. */
#include "nn/weight.h"

#include <string.h>

/* ------------------------------------------------------------------ minibatch-discrimination */

static const struct option minibatch_discrimination_options[] = {
  {"features", OPTION_INT, 1, 1e6, "50", "columns that are added, one a kernel"},
  {"width", OPTION_INT, 1, 1e6, "5", "numbers of which a kernel takes the distance"},
  {"init", OPTION_TEXT, 0, 0, "normal std=0.05", "initializer of the weight (features width, inputs)"},
  WEIGHT_OPTIONS,
};

static gan_node *minibatch_discrimination_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  gan_node *x = in[0];
  if (layer_refuse(c, x, 2, 2, "(batch, inputs)")) return &c->graph->error;
  int64_t batch = x->shape[0], features = layer_int(c, "features"), width = layer_int(c, "width"), inputs = x->shape[1];
  struct weight weight = {
    .name = "weight", .init = layer_weight_init(c), .rank = 2, .shape = (int64_t[]){features * width, inputs},
    .fan_in = (double)inputs,
  };
  gan_node *m = gan_matmul(x, layer_weight(c, &weight), 0, 1);
  gan_node *rows = gan_reshape(m, 4, (int64_t[]){batch, 1, features, width});
  gan_node *columns = gan_reshape(m, 4, (int64_t[]){1, batch, features, width});
  gan_node *distance = gan_sum_axes(gan_abs(gan_sub(rows, columns)), 1, (int32_t[]){3}, 0);
  gan_node *closeness = gan_sum_axes(gan_exp(gan_neg(distance)), 1, (int32_t[]){1}, 0);
  return gan_concat(2, (gan_node *[]){x, closeness}, 1);
}

const struct layer_row layer_minibatch_discrimination = {
  "minibatch-discrimination", "Adds to each sample how close it is to the batch: sums over j of exp(-|M_i - M_j|), M = x W' in "
  "rows of `width` numbers (Salimans et al. 2016): (batch, inputs) -> (batch, inputs + features).",
  LAYER_COUPLES | LAYER_MIXES, 1, 1, 3 + WEIGHT_OPTION_COUNT, minibatch_discrimination_options, minibatch_discrimination_forward,
};

/* ------------------------------------------------------------------ minibatch-stddev */

static const struct option minibatch_stddev_options[] = {
  {"group", OPTION_INT, 0, 1e9, "4", "samples compared with each other; 0, or more than the batch: all of it"},
  {"features", OPTION_INT, 1, 1e6, "1", "channels that are added, each over its share of the channels"},
  {"epsilon", OPTION_NUMBER, 1e-30, 1e3, "1e-8", "added to the variance"},
};

/* Sample i is in group i mod (batch / group), as in the source's code. */
static gan_node *minibatch_stddev_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  gan_node *x = in[0];
  if (layer_refuse(c, x, 2, GAN_MAX_RANK, "(batch, .., channels)")) return &c->graph->error;
  int64_t batch = x->shape[0], channels = x->shape[x->rank - 1], places = x->count / (batch * channels);
  int64_t group = layer_int(c, "group"), features = layer_int(c, "features");
  if (group == 0 || group > batch) group = batch;
  if (batch % group || channels % features) {
    return graph_fail(c->graph, GAN_ERROR_SHAPE, "%lld %s do not go into %s of %lld", (long long)(batch % group ? batch : channels),
                      batch % group ? "samples" : "channels", batch % group ? "groups" : "a number of features",
                      (long long)(batch % group ? group : features));
  }
  int64_t groups = batch / group;
  gan_node *grouped = gan_reshape(x, 5, (int64_t[]){group, groups, places, features, channels / features});
  gan_node *centred = gan_sub(grouped, gan_mean_axes(grouped, 1, (int32_t[]){0}, 1));
  gan_node *variance = gan_mean_axes(gan_square(centred), 1, (int32_t[]){0}, 0);
  gan_node *deviation = gan_sqrt(gan_shift(variance, layer_number(c, "epsilon")));
  gan_node *means = gan_mean_axes(gan_mean_axes(deviation, 1, (int32_t[]){3}, 0), 1, (int32_t[]){1}, 0);

  int64_t shape[GAN_MAX_RANK];
  memcpy(shape, x->shape, sizeof shape);
  shape[x->rank - 1] = features;
  gan_node *one = gan_reshape(means, 4, (int64_t[]){1, groups, 1, features});
  gan_node *all = gan_broadcast(one, 4, (int64_t[]){group, groups, places, features});
  return gan_concat(2, (gan_node *[]){x, gan_reshape(all, x->rank, shape)}, -1);
}

const struct layer_row layer_minibatch_stddev = {
  "minibatch-stddev", "Adds a channel with the standard deviation across the samples of a group, averaged over places and "
  "channels: (batch, .., channels) -> (batch, .., channels + features) (Karras et al. 2018).",
  LAYER_COUPLES | LAYER_MIXES, 1, 1, 3, minibatch_stddev_options, minibatch_stddev_forward,
};
