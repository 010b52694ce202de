/* Convolutions of images (batch, height, width, channels) and sequences (batch, length, channels), and their transposes. */
#include "nn/weight.h"
#include "ops/conv.h"

#define COMMON_OPTIONS \
  {"filters", OPTION_INT, 1, 1e9, NULL, "channels of the output"}, \
  {"kernel", OPTION_TEXT, 0, 0, NULL, "a size, or height x width as 3x5"}, \
  {"bias", OPTION_FLAG, 0, 0, "yes", "adds a number a channel"}, \
  {"init", OPTION_TEXT, 0, 0, "pytorch", "initializer of the weight"}, \
  {"bias-init", OPTION_TEXT, 0, 0, "pytorch", "initializer of the bias; pytorch: uniform within 1/sqrt(fan-in of the weight)"}, \
  WEIGHT_OPTIONS

enum { COMMON_COUNT = 5 + WEIGHT_OPTION_COUNT };

static const struct option conv_options[] = {COMMON_OPTIONS, CONV_OPTION_ROWS};
static const struct option transpose_options[] = {COMMON_OPTIONS, CONV_TRANSPOSE_OPTION_ROWS};

/* One application. */
struct conv_layer {
  struct gan_layer_call *call;
  gan_node *x;
  struct conv_options options;
  int64_t kernel[2], filters, channels;
  int32_t transposed;
};

static gan_status read_options(struct conv_layer *l, int32_t axes) {
  struct gan_layer_call *c = l->call;
  gan_context *ctx = c->graph->ctx;
  const char *path = c->layer->path;
  TRY(conv_options_read(path, &c->layer->options, axes, &l->options));
  return conv_sizes_read(ctx, path, "kernel", layer_text(c, "kernel"), axes, 1, 1, l->kernel);
}

static gan_node *refuse_groups(const struct conv_layer *l) {
  int64_t groups = l->options.groups;
  if (l->channels % groups == 0 && l->filters % groups == 0) return NULL;
  return graph_fail(l->call->graph, GAN_ERROR_SHAPE, "%lld channels and %lld filters do not both go into %lld groups",
                    (long long)l->channels, (long long)l->filters, (long long)groups);
}

/* (filters, kh, kw, channels / groups), transposed (channels, kh, kw, filters / groups); without kh for sequences. */
static gan_node *weight_of(const struct conv_layer *l) {
  int64_t groups = l->options.groups, shape[4], taps = l->kernel[0] * l->kernel[1];
  int32_t rank = 0;
  shape[rank++] = l->transposed ? l->channels : l->filters;
  if (l->options.axes == 2) shape[rank++] = l->kernel[0];
  shape[rank++] = l->kernel[1];
  shape[rank++] = (l->transposed ? l->filters : l->channels) / groups;
  struct weight weight = {
    .name = "weight", .init = layer_weight_init(l->call), .rank = rank, .shape = shape, .last = l->transposed,
    .fan_in = (double)taps * (double)(l->channels / groups),
  };
  return layer_weight(l->call, &weight);
}

static gan_node *bias_of(const struct conv_layer *l) {
  double in_group = (double)((l->transposed ? l->filters : l->channels) / l->options.groups);
  return layer_bias(l->call, l->filters, (double)(l->kernel[0] * l->kernel[1]) * in_group);
}

static gan_node *forward(struct gan_layer_call *c, gan_node *x, int32_t axes, int32_t transposed) {
  struct conv_layer l = {.call = c, .x = x, .filters = layer_int(c, "filters"), .transposed = transposed};
  const char *shape = axes == 2 ? "(batch, height, width, channels)" : "(batch, length, channels)";
  if (layer_refuse(c, x, axes + 2, axes + 2, shape)) return &c->graph->error;
  gan_status status = read_options(&l, axes);
  if (status != GAN_OK) return graph_fail(c->graph, status, "%s", c->graph->ctx->error);
  l.channels = x->shape[x->rank - 1];
  if (refuse_groups(&l)) return &c->graph->error;
  gan_node *weight = weight_of(&l), *y;
  if (transposed) y = node_convolve_transposed(c->layer->path, x, weight, &l.options);
  else y = node_convolve(c->layer->path, x, weight, &l.options);
  return layer_flag(c, "bias") ? gan_add(y, bias_of(&l)) : y;
}

/* ------------------------------------------------------------------ rows */

#define CONV(id, name, axes, transposed, table, count, help) \
  static gan_node *id##_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) { \
    (void)n; \
    return forward(c, in[0], axes, transposed); \
  } \
  const struct layer_row layer_##id = {name, help, 0, 1, 1, COMMON_COUNT + (count), table, id##_forward};

CONV(conv1d, "conv1d", 1, 0, conv_options, CONV_OPTION_COUNT,
     "Convolution of sequences: (batch, length, channels) -> (batch, length', filters). weight (filters, k, channels / "
     "groups), bias (filters): PyTorch's Conv1d with the channels moved last.")
CONV(conv2d, "conv2d", 2, 0, conv_options, CONV_OPTION_COUNT,
     "Convolution of images: (batch, height, width, channels) -> (batch, height', width', filters). weight (filters, kh, kw, "
     "channels / groups), bias (filters): PyTorch's Conv2d with the channels moved last.")
CONV(conv_transpose1d, "conv-transpose1d", 1, 1, transpose_options, CONV_TRANSPOSE_OPTION_COUNT,
     "Transposed convolution of sequences, the gradient of conv1d. weight (channels, k, filters / groups), bias (filters): "
     "PyTorch's ConvTranspose1d with the second axis moved last.")
CONV(conv_transpose2d, "conv-transpose2d", 2, 1, transpose_options, CONV_TRANSPOSE_OPTION_COUNT,
     "Transposed convolution of images, the gradient of conv2d (Dumoulin and Visin 2016). weight (channels, kh, kw, filters / "
     "groups), bias (filters): PyTorch's ConvTranspose2d with the second axis moved last.")
