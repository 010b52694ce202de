/* self-attention: every place of a map looks at all others. */
#include "nn/weight.h"

static const struct option self_attention_options[] = {
  {"ratio", OPTION_INT, 1, 1e6, "8", "channels of x for each one of queries and keys"},
  {"value-ratio", OPTION_INT, 1, 1e6, "8", "channels of x for each one of values (Brock et al. 2019: 2)"},
  {"pool", OPTION_FLAG, 0, 0, "no", "keys and values are the maxima of 2x2 places of an image (Brock et al. 2019)"},
  {"init", OPTION_TEXT, 0, 0, "pytorch", "initializer of the four weights"},
  WEIGHT_OPTIONS,
};

/* A 1x1 convolution: (batch, places, inputs) -> (batch, places, outputs). */
static gan_node *project(struct gan_layer_call *c, gan_node *x, const char *name, int64_t outputs) {
  if (node_failed(x)) return x;
  int64_t inputs = x->shape[x->rank - 1];
  struct weight weight = {
    .name = name, .init = layer_weight_init(c), .rank = 2, .shape = (int64_t[]){outputs, inputs}, .fan_in = (double)inputs,
  };
  return gan_matmul(x, layer_weight(c, &weight), 0, 1);
}

static gan_node *refuse_input(struct gan_layer_call *c, const gan_node *x, int64_t ratio) {
  if (layer_refuse(c, x, 3, GAN_MAX_RANK, "(batch, .., channels)")) return &c->graph->error;
  if (layer_flag(c, "pool") && x->rank != 4)
    return graph_fail(c->graph, GAN_ERROR_SHAPE, "pool=yes expects images (batch, height, width, channels)");
  if (x->shape[x->rank - 1] >= ratio) return NULL;
  return graph_fail(c->graph, GAN_ERROR_SHAPE, "%lld channels are fewer than ratio or value-ratio, %lld",
                    (long long)x->shape[x->rank - 1], (long long)ratio);
}

/* (batch, places, channels) of an image or what else x is, pooled if asked for. */
static gan_node *pooled(struct gan_layer_call *c, gan_node *flat, const gan_node *x) {
  if (!layer_flag(c, "pool") || node_failed(flat)) return flat;
  int64_t channels = flat->shape[2];
  gan_node *image = gan_reshape(flat, 4, (int64_t[]){x->shape[0], x->shape[1], x->shape[2], channels});
  return gan_reshape(gan_pool(image, "max kernel=2"), 3, (int64_t[]){x->shape[0], -1, channels});
}

static gan_node *self_attention_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  gan_node *x = in[0];
  int64_t ratio = layer_int(c, "ratio"), value_ratio = layer_int(c, "value-ratio");
  if (refuse_input(c, x, ratio > value_ratio ? ratio : value_ratio)) return &c->graph->error;
  int64_t batch = x->shape[0], channels = x->shape[x->rank - 1], places = x->count / (batch * channels);
  gan_node *flat = gan_reshape(x, 3, (int64_t[]){batch, places, channels});
  gan_node *query = project(c, flat, "query_weight", channels / ratio);
  gan_node *key = pooled(c, project(c, flat, "key_weight", channels / ratio), x);
  gan_node *value = pooled(c, project(c, flat, "value_weight", channels / value_ratio), x);
  gan_node *attention = gan_softmax(gan_matmul(query, key, 0, 1), 2);
  gan_node *seen = project(c, gan_matmul(attention, value, 0, 0), "output_weight", channels);
  gan_node *gamma = layer_parameter(c, "gamma", 0, NULL, "zeros");
  return gan_add(x, gan_mul(gan_reshape(seen, x->rank, x->shape), gamma));
}

const struct layer_row layer_self_attention = {
  "self-attention", "x + gamma o: o is a weighted mean of the values of all places, by the softmax of the products of the place's "
  "query with their keys (Zhang et al. 2019): (batch, .., channels). query_weight, key_weight (channels / ratio, channels), "
  "value_weight (channels / value-ratio, channels), output_weight (channels, channels / value-ratio), gamma, which begins as 0.",
  0, 1, 1, 4 + WEIGHT_OPTION_COUNT, self_attention_options, self_attention_forward,
};
