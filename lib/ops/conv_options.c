/* Sizes and paddings of windows over images and sequences, read from text. */
#include "ops/conv.h"

#include <string.h>

/* "2x3" by 'x', "1,2,1,2" by ','. How many there are, or 0 if that is not what the text is. */
static int32_t read_numbers(const char *text, char between, int32_t most, int64_t *numbers) {
  for (int32_t count = 0; count < most;) {
    if (!parse_int(text, &text, &numbers[count++])) return 0;
    if (!*text) return count;
    if (*text++ != between) return 0;
  }
  return 0;
}

static int32_t in_range(const int64_t *numbers, int32_t count, int64_t low) {
  for (int32_t i = 0; i < count; i++)
    if (numbers[i] < low || numbers[i] > CONV_SIZE_MAX) return 0;
  return 1;
}

gan_status conv_sizes_read(gan_context *ctx, const char *who, const char *option, const char *text, int32_t axes, int64_t first,
                           int64_t low, int64_t sizes[2]) {
  int64_t came[2];
  int32_t count = read_numbers(text, 'x', axes, came);
  if (!count || !in_range(came, count, low)) {
    return gan_fail(ctx, GAN_ERROR_ARGUMENT, "%s: %s is '%.60s'; expected a size of %lld .. %d%s", who, option, text,
                    (long long)low, CONV_SIZE_MAX, axes == 2 ? ", or height x width as 2x3" : "");
  }
  sizes[0] = axes == 2 ? came[0] : first;
  sizes[1] = came[count - 1];
  return GAN_OK;
}

static gan_status bad_padding(gan_context *ctx, const char *who, const char *text, int32_t axes) {
  return gan_fail(ctx, GAN_ERROR_ARGUMENT, "%s: padding is '%.60s'; expected a size up to %d, same, valid, or %s", who, text,
                  CONV_SIZE_MAX, axes == 2 ? "height x width as 1x2, or top,bottom,left,right" : "before,after");
}

gan_status conv_padding_read(gan_context *ctx, const char *who, const char *text, int32_t axes, int64_t padding[4], int32_t *same) {
  memset(padding, 0, 4 * sizeof *padding);
  *same = strcmp(text, "same") == 0;
  if (*same || strcmp(text, "valid") == 0) return GAN_OK;
  int64_t came[4];
  int32_t sides = 2 * axes, count = read_numbers(text, 'x', axes, came), symmetric = count > 0;
  if (!symmetric) count = read_numbers(text, ',', sides, came);
  if (!count || (!symmetric && count != sides) || !in_range(came, count, -CONV_SIZE_MAX)) return bad_padding(ctx, who, text, axes);
  for (int32_t side = 4 - sides; side < 4; side++) {
    int32_t from = symmetric ? (side / 2 < count ? side / 2 : count - 1) : side - (4 - sides);
    padding[side] = came[from];
  }
  return GAN_OK;
}

static int32_t has_option(const struct options *o, const char *name) {
  for (int32_t i = 0; i < o->count; i++)
    if (strcmp(o->table[i].name, name) == 0) return 1;
  return 0;
}

gan_status conv_options_read(const char *who, const struct options *o, int32_t axes, struct conv_options *out) {
  *out = (struct conv_options){.axes = axes, .groups = option_int(o, "groups")};
  TRY(conv_sizes_read(o->ctx, who, "stride", option_text(o, "stride"), axes, 1, 1, out->stride));
  TRY(conv_sizes_read(o->ctx, who, "dilation", option_text(o, "dilation"), axes, 1, 1, out->dilation));
  TRY(conv_padding_read(o->ctx, who, option_text(o, "padding"), axes, out->padding, &out->same));
  if (!has_option(o, "output-padding")) return GAN_OK;
  return conv_sizes_read(o->ctx, who, "output-padding", option_text(o, "output-padding"), axes, 0, 0, out->output_padding);
}
