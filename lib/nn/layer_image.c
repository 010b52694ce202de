/* Layers that change the size of images and sequences without learning: upsample, resize, pad, pixel-shuffle, pixel-unshuffle. */
#include "nn/layer.h"
#include "ops/image.h"

#include <string.h>

static gan_node *refuse(struct gan_layer_call *c, const gan_node *x) {
  return layer_refuse(c, x, 3, 4, "(batch, height, width, channels) or (batch, length, channels)");
}

static gan_node *refuse_mode(struct gan_layer_call *c, const char *expected) {
  return graph_fail(c->graph, GAN_ERROR_ARGUMENT, "mode is '%.60s'; expected %s", layer_text(c, "mode"), expected);
}

/* An option of sizes, of two axes for images and one for sequences. */
static int32_t read_sizes(struct gan_layer_call *c, const gan_node *x, const char *option, int64_t sizes[2]) {
  gan_context *ctx = c->graph->ctx;
  gan_status status = conv_sizes_read(ctx, c->layer->path, option, layer_text(c, option), x->rank - 2, 1, 1, sizes);
  if (status != GAN_OK) graph_fail(c->graph, status, "%s", ctx->error);
  return status == GAN_OK;
}

/* ------------------------------------------------------------------ upsample, resize */

#define RESIZE_MODE {"mode", OPTION_TEXT, 0, 0, "nearest", "nearest or bilinear (corners are not aligned)"}

static gan_node *resized(struct gan_layer_call *c, gan_node *x, int64_t height, int64_t width) {
  int32_t mode = resize_mode_of(layer_text(c, "mode"));
  if (mode < 0) return refuse_mode(c, "nearest or bilinear");
  gan_node *y = node_resize(c->layer->path, node_as_image(x), height, width, mode);
  return x->rank == 3 ? node_as_sequence(y) : y;
}

static const struct option upsample_options[] = {
  {"scale", OPTION_TEXT, 0, 0, "2", "a whole factor, or height x width as 2x1"}, RESIZE_MODE,
};

static gan_node *upsample_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  gan_node *x = in[0];
  int64_t scale[2];
  if (refuse(c, x) || !read_sizes(c, x, "scale", scale)) return &c->graph->error;
  int64_t height = x->rank == 4 ? x->shape[1] : 1, width = x->shape[x->rank - 2];
  return resized(c, x, size_mul(height, scale[0]), size_mul(width, scale[1]));
}

const struct layer_row layer_upsample = {
  "upsample", "Images or sequences larger by a whole factor.", 0, 1, 1, 2, upsample_options, upsample_forward,
};

static const struct option resize_options[] = {
  {"size", OPTION_TEXT, 0, 0, NULL, "height x width as 32x48, or one number for both"}, RESIZE_MODE,
};

static gan_node *resize_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  int64_t size[2];
  if (refuse(c, in[0]) || !read_sizes(c, in[0], "size", size)) return &c->graph->error;
  return resized(c, in[0], size[0], size[1]);
}

const struct layer_row layer_resize = {
  "resize", "Images or sequences in another size; nothing is smoothed before shrinking.",
  0, 1, 1, 2, resize_options, resize_forward,
};

/* ------------------------------------------------------------------ pad */

static const struct option pad_options[] = {
  {"padding", OPTION_TEXT, 0, 0, NULL, "a size, height x width as 1x2, or top,bottom,left,right; negative cuts"},
  {"mode", OPTION_TEXT, 0, 0, "zero", "zero, reflect (mirrored at the outermost pixel) or replicate (the outermost pixel)"},
};

static gan_node *pad_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  gan_node *x = in[0];
  int32_t mode = pad_mode_of(layer_text(c, "mode")), same;
  int64_t padding[4];
  if (refuse(c, x)) return &c->graph->error;
  if (mode < 0) return refuse_mode(c, "zero, reflect or replicate");
  gan_context *ctx = c->graph->ctx;
  gan_status status = conv_padding_read(ctx, c->layer->path, layer_text(c, "padding"), x->rank - 2, padding, &same);
  if (status != GAN_OK) return graph_fail(c->graph, status, "%s", ctx->error);
  if (same) return graph_fail(c->graph, GAN_ERROR_ARGUMENT, "padding is 'same', which says nothing here; expected sizes");
  return node_pad_image(c->layer->path, x, mode, padding);
}

const struct layer_row layer_pad = {
  "pad", "Pixels around images, or values around sequences.", 0, 1, 1, 2, pad_options, pad_forward,
};

/* ------------------------------------------------------------------ pixel-shuffle */

static const struct option shuffle_options[] = {{"factor", OPTION_INT, 1, 1e6, "2", "of height and of width"}};

static gan_node *pixel_shuffle_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  return gan_pixel_shuffle(in[0], layer_int(c, "factor"));
}

const struct layer_row layer_pixel_shuffle = {
  "pixel-shuffle", "Channels become pixels: (batch, h, w, c factor^2) -> (batch, h factor, w factor, c), as PyTorch's (Shi et al. "
  "2016).",
  0, 1, 1, 1, shuffle_options, pixel_shuffle_forward,
};

static gan_node *pixel_unshuffle_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  return gan_pixel_unshuffle(in[0], layer_int(c, "factor"));
}

const struct layer_row layer_pixel_unshuffle = {
  "pixel-unshuffle", "Pixels become channels: (batch, h factor, w factor, c) -> (batch, h, w, c factor^2), the inverse of "
  "pixel-shuffle.",
  0, 1, 1, 1, shuffle_options, pixel_unshuffle_forward,
};
