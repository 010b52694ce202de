/* Padding of images and sequences by zeros, by reflection, by repetition of the border. */
#include "ops/image.h"

#include <string.h>
#include "ops/resample.h"

static const char *const modes[] = {[PAD_ZERO] = "zero", [PAD_REFLECT] = "reflect", [PAD_REPLICATE] = "replicate"};

int32_t pad_mode_of(const char *text) {
  for (int32_t i = 0; text && i < 3; i++)
    if (strcmp(text, modes[i]) == 0) return i;
  return -1;
}

/* The pixel that stands at `at` of an axis that goes on beyond its ends. */
static int64_t standing_at(int64_t at, int64_t length, int32_t mode) {
  if (mode == PAD_REPLICATE) return at < 0 ? 0 : at >= length ? length - 1 : at;
  if (at < 0) return -at;
  return at >= length ? 2 * (length - 1) - at : at;
}

static gan_node *by_table(gan_node *x, int32_t axis, int32_t mode, int64_t before, int64_t size) {
  struct resample_table *t = resample_table_new(x->graph, size, x->shape[axis], size);
  for (int64_t i = 0; t && i < size; i++) {
    resample_add(t, standing_at(i - before, x->shape[axis], mode), 1);
    resample_end_row(t);
  }
  return node_resample(x, axis, t);
}

static gan_node *with_zeros(gan_node *x, int32_t axis, int64_t before, int64_t after) {
  int64_t begin = before < 0 ? -before : 0, end = x->shape[axis] + (after < 0 ? after : 0);
  return gan_pad(gan_slice(x, axis, begin, end), axis, before > 0 ? before : 0, after > 0 ? after : 0);
}

static gan_node *pad_axis(const char *who, gan_node *x, int32_t axis, int32_t mode, int64_t before, int64_t after) {
  if (node_failed(x)) return x;
  char text[SHAPE_TEXT];
  int64_t length = x->shape[axis], inside = length + (before < 0 ? before : 0) + (after < 0 ? after : 0);
  if (inside < 1) {
    return graph_fail(x->graph, GAN_ERROR_SHAPE, "%s: %lld before and %lld after leave nothing of axis %d of %s", who,
                      (long long)before, (long long)after, (int)axis, node_text(x, text));
  }
  if (mode == PAD_REFLECT && (before >= length || after >= length)) {
    return graph_fail(x->graph, GAN_ERROR_SHAPE, "%s: %lld before and %lld after: reflection gives less than axis %d of %s has",
                      who, (long long)before, (long long)after, (int)axis, node_text(x, text));
  }
  return mode == PAD_ZERO ? with_zeros(x, axis, before, after) : by_table(x, axis, mode, before, length + before + after);
}

gan_node *node_pad_image(const char *who, gan_node *x, int32_t mode, const int64_t padding[4]) {
  gan_node *bad = node_bad(who, GAN_F32, x);
  if (bad) return bad;
  int32_t last = x->rank - 2;
  if (x->rank == 4) x = pad_axis(who, x, 1, mode, padding[0], padding[1]);
  return pad_axis(who, x, last, mode, padding[2], padding[3]);
}

gan_node *gan_pad_image(gan_node *x, const char *mode, const char *padding) {
  gan_node *bad = node_bad("pad_image", GAN_F32, x);
  if (!bad) bad = image_bad("pad_image", x, x->rank == 3 ? 1 : 2);
  if (!bad) bad = graph_bad(x->graph, "pad_image", padding, "padding");
  if (bad) return bad;
  if (pad_mode_of(mode) < 0) {
    return graph_fail(x->graph, GAN_ERROR_ARGUMENT, "pad_image: mode is '%.60s'; expected zero, reflect or replicate",
                      mode ? mode : "NULL");
  }
  int64_t sides[4];
  int32_t same;
  gan_status status = conv_padding_read(x->graph->ctx, "pad_image", padding, x->rank - 2, sides, &same);
  if (status != GAN_OK) return graph_fail(x->graph, status, "%s", x->graph->ctx->error);
  if (same)
    return graph_fail(x->graph, GAN_ERROR_ARGUMENT, "pad_image: padding is 'same', which says nothing here; expected sizes");
  return node_pad_image("pad_image", x, pad_mode_of(mode), sides);
}
