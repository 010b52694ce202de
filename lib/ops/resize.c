/* Images in other sizes: nearest and bilinear resizing, pixel shuffle. */
#include "ops/image.h"

#include <string.h>
#include "ops/resample.h"

gan_node *image_bad(const char *who, gan_node *x, int32_t axes) {
  gan_node *bad = node_bad(who, GAN_F32, x);
  if (bad || x->rank == 2 + axes) return bad;
  char text[SHAPE_TEXT];
  return graph_fail(x->graph, GAN_ERROR_SHAPE, "%s: came %s, expected %s", who, node_text(x, text),
                    axes == 2 ? "an image (n,h,w,c)" : "a sequence (n,length,c)");
}

int32_t resize_mode_of(const char *text) {
  if (text && strcmp(text, "nearest") == 0) return RESIZE_NEAREST;
  return text && (strcmp(text, "bilinear") == 0 || strcmp(text, "linear") == 0) ? RESIZE_BILINEAR : -1;
}

/* --------------------------------------------------------------------------------------------------------------- by tables */

/* The pixel of `length` under the left edge of pixel i of `size`: in single precision, as PyTorch has it, so that the same pixel is
 * taken where the edge lies between two. */
static int64_t nearest(int64_t i, int64_t length, int64_t size) {
  volatile float scale = (float)length / (float)size, at = (float)i * scale;
  return (int64_t)at < length ? (int64_t)at : length - 1;
}

/* Centres of pixels are compared; beyond the outermost centre there is nothing but the outermost pixel. */
static void add_bilinear(struct resample_table *t, int64_t i, int64_t length, int64_t size) {
  double at = ((double)i + 0.5) * (double)length / (double)size - 0.5;
  if (at < 0) at = 0;
  int64_t low = (int64_t)at;
  double share = at - (double)low;
  if (low + 1 >= length || share == 0) {
    resample_add(t, low < length ? low : length - 1, 1);
    return;
  }
  resample_add(t, low, 1 - share);
  resample_add(t, low + 1, share);
}

static gan_node *resize_axis(gan_node *x, int32_t axis, int64_t size, int32_t mode) {
  if (node_failed(x) || x->shape[axis] == size) return x;
  int64_t length = x->shape[axis];
  struct resample_table *t = resample_table_new(x->graph, size, length, size_mul(size, 2));
  for (int64_t i = 0; t && i < size; i++) {
    if (mode == RESIZE_NEAREST) resample_add(t, nearest(i, length, size), 1);
    else add_bilinear(t, i, length, size);
    resample_end_row(t);
  }
  return node_resample(x, axis, t);
}

/* ------------------------------------------------------------------------------------------------------------- repetition */

static gan_node *repeat(gan_node *x, int64_t down, int64_t across) {
  const int64_t *s = x->shape;
  gan_node *apart = gan_reshape(x, 6, (int64_t[]){s[0], s[1], 1, s[2], 1, s[3]});
  gan_node *whole = gan_broadcast(apart, 6, (int64_t[]){s[0], s[1], down, s[2], across, s[3]});
  return gan_reshape(whole, 4, (int64_t[]){s[0], s[1] * down, s[2] * across, s[3]});
}

gan_node *node_repeated(gan_node *n, int64_t factor[2]) {
  if (node_failed(n) || n->rank != 4 || n->op != &op_reshape) return NULL;
  const gan_node *whole = n->in[0];
  if (whole->op != &op_broadcast || whole->rank != 6) return NULL;
  const int64_t *s = whole->shape;
  if (!node_has_shape(n, 4, (int64_t[]){s[0], s[1] * s[2], s[3] * s[4], s[5]})) return NULL;
  if (!node_has_shape(whole->in[0], 6, (int64_t[]){s[0], s[1], 1, s[3], 1, s[5]})) return NULL;
  factor[0] = s[2];
  factor[1] = s[4];
  return gan_reshape(whole->in[0], 4, (int64_t[]){s[0], s[1], s[3], s[5]});
}

/* ---------------------------------------------------------------------------------------------------------------- resize */

gan_node *node_resize(const char *who, gan_node *x, int64_t height, int64_t width, int32_t mode) {
  gan_node *bad = image_bad(who, x, 2);
  if (bad) return bad;
  if (height < 1 || width < 1 || height > INT32_MAX || width > INT32_MAX) {
    return graph_fail(x->graph, GAN_ERROR_ARGUMENT, "%s: %lld x %lld is no size of an image", who, (long long)height,
                      (long long)width);
  }
  if (mode == RESIZE_NEAREST && height % x->shape[1] == 0 && width % x->shape[2] == 0) {
    return repeat(x, height / x->shape[1], width / x->shape[2]);
  }
  return resize_axis(resize_axis(x, 1, height, mode), 2, width, mode);
}

static gan_node *bad_mode(const char *who, gan_node *x, const char *mode) {
  gan_node *bad = node_bad(who, GAN_F32, x);
  if (bad || resize_mode_of(mode) >= 0) return bad;
  return graph_fail(x->graph, GAN_ERROR_ARGUMENT, "%s: mode is '%.60s'; expected nearest or bilinear", who, mode ? mode : "NULL");
}

gan_node *gan_resize(gan_node *x, int64_t height, int64_t width, const char *mode) {
  gan_node *bad = bad_mode("resize", x, mode);
  return bad ? bad : node_resize("resize", x, height, width, resize_mode_of(mode));
}

gan_node *gan_resize1d(gan_node *x, int64_t length, const char *mode) {
  gan_node *bad = bad_mode("resize1d", x, mode);
  if (!bad) bad = image_bad("resize1d", x, 1);
  if (bad) return bad;
  return node_as_sequence(node_resize("resize1d", node_as_image(x), 1, length, resize_mode_of(mode)));
}

/* --------------------------------------------------------------------------------------------------------- pixel shuffle */

static gan_node *bad_factor(const char *who, gan_node *x, int64_t factor, int32_t apart) {
  gan_node *bad = image_bad(who, x, 2);
  if (bad) return bad;
  int64_t square = factor >= 1 && factor <= INT32_MAX ? factor * factor : 0;
  if (square && !apart && x->shape[3] % square == 0) return NULL;
  if (square && apart && x->shape[1] % factor == 0 && x->shape[2] % factor == 0) return NULL;
  char text[SHAPE_TEXT];
  return graph_fail(x->graph, GAN_ERROR_SHAPE, "%s: came %s and factor %lld: expected %s", who, node_text(x, text),
                    (long long)factor,
                    apart ? "height and width divisible by the factor" : "channels divisible by the factor's square");
}

/* A pixel's channels are (c, row, column), as in PyTorch. */
gan_node *gan_pixel_shuffle(gan_node *x, int64_t factor) {
  gan_node *bad = bad_factor("pixel_shuffle", x, factor, 0);
  if (bad) return bad;
  const int64_t *s = x->shape, f = factor, c = s[3] / (f * f);
  gan_node *apart = gan_reshape(x, 6, (int64_t[]){s[0], s[1], s[2], c, f, f});
  gan_node *placed = gan_transpose(apart, 6, (int32_t[]){0, 1, 4, 2, 5, 3});
  return gan_reshape(placed, 4, (int64_t[]){s[0], s[1] * f, s[2] * f, c});
}

gan_node *gan_pixel_unshuffle(gan_node *x, int64_t factor) {
  gan_node *bad = bad_factor("pixel_unshuffle", x, factor, 1);
  if (bad) return bad;
  const int64_t *s = x->shape, f = factor;
  gan_node *apart = gan_reshape(x, 6, (int64_t[]){s[0], s[1] / f, f, s[2] / f, f, s[3]});
  gan_node *placed = gan_transpose(apart, 6, (int32_t[]){0, 1, 3, 5, 2, 4});
  return gan_reshape(placed, 4, (int64_t[]){s[0], s[1] / f, s[2] / f, s[3] * f * f});
}
