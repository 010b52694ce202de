/* Pooling of images and sequences: the mean or the maximum of what lies under a kernel. */
#include "ops/image.h"

#include <string.h>
#include "ops/fold.h"
#include "ops/resample.h"

/* --------------------------------------------------------------------------------------------------------------- options */

static const struct option max_rows[POOL_OPTION_COUNT] = {POOL_OPTION_ROWS};
static const struct option average_rows[AVERAGE_POOL_OPTION_COUNT] = {AVERAGE_POOL_OPTION_ROWS};

static gan_status bad_padding(const char *who, const struct options *o, const struct pool_options *p) {
  for (int32_t side = 0; side < 4; side++) {
    if (p->padding[side] < p->kernel[side / 2]) continue;
    return gan_fail(o->ctx, GAN_ERROR_ARGUMENT, "%s: padding is '%.60s', kernel '%.60s'; expected less padding than kernel", who,
                    option_text(o, "padding"), option_text(o, "kernel"));
  }
  return GAN_OK;
}

gan_status pool_options_read(const char *who, const struct options *o, int32_t axes, int32_t average, struct pool_options *out) {
  const char *kernel = option_text(o, "kernel"), *stride = option_text(o, "stride");
  *out = (struct pool_options){.axes = axes, .average = average};
  TRY(conv_sizes_read(o->ctx, who, "kernel", kernel, axes, 1, 1, out->kernel));
  TRY(conv_sizes_read(o->ctx, who, "stride", strcmp(stride, "kernel") ? stride : kernel, axes, 1, 1, out->stride));
  TRY(conv_padding_read(o->ctx, who, option_text(o, "padding"), axes, out->padding, &out->same));
  out->include_padding = average && option_flag(o, "count-include-pad");
  return bad_padding(who, o, out);
}

/* ---------------------------------------------------------------------------------------------------------------- places */

/* The kernel along one axis: place i covers positions i * stride - before .. + kernel - 1. */
struct places {
  int64_t length, kernel, stride, before, count;
};

static struct places places_of(const gan_node *x, const struct pool_options *o, int32_t i) {
  struct places p = {.length = x->shape[1 + i], .kernel = o->kernel[i], .stride = o->stride[i]};
  int64_t padding[2] = {o->padding[2 * i], o->padding[2 * i + 1]};
  if (o->same) conv_same_padding(p.length, p.kernel, p.stride, 1, padding);
  int64_t room = p.length + padding[0] + padding[1] - p.kernel;
  p.before = padding[0];
  p.count = room < 0 ? 0 : room / p.stride + 1;
  return p;
}

/* What of place i lies on the image. */
static void covered(const struct places *p, int64_t i, int64_t *first, int64_t *last) {
  int64_t begin = i * p->stride - p->before, end = begin + p->kernel - 1;
  *first = begin < 0 ? 0 : begin;
  *last = end >= p->length ? p->length - 1 : end;
}

static int32_t are_tiles(const struct places *p) { return p->kernel == p->stride && p->before == 0; }

gan_node *pool_tiles(gan_node *x, const int64_t tile[2], int64_t oh, int64_t ow, int32_t average) {
  static const int32_t axes[2] = {2, 4};
  gan_node *cut = gan_slice(gan_slice(x, 1, 0, oh * tile[0]), 2, 0, ow * tile[1]);
  if (node_failed(cut)) return cut;
  gan_node *tiles = gan_reshape(cut, 6, (int64_t[]){x->shape[0], oh, tile[0], ow, tile[1], x->shape[3]});
  return average ? gan_mean_axes(tiles, 2, axes, 0) : gan_max_axes(tiles, 2, axes, 0);
}

/* ------------------------------------------------------------------------------------------------------ overlapping places */

static gan_node *average_axis(gan_node *x, int32_t axis, const struct places *p, int32_t include_padding) {
  if (node_failed(x)) return x;
  struct resample_table *t = resample_table_new(x->graph, p->count, p->length, size_mul(p->count, p->kernel));
  for (int64_t i = 0; t && i < p->count; i++) {
    int64_t first, last;
    covered(p, i, &first, &last);
    for (int64_t j = first; j <= last; j++) resample_add(t, j, 1 / (double)(include_padding ? p->kernel : last - first + 1));
    resample_end_row(t);
  }
  return node_resample(x, axis, t);
}

/* Pixel number `tap` of every place. What lies beside the image is replaced by a pixel of the same place: no maximum changes. */
static gan_node *taps(gan_node *x, int32_t axis, const struct places *p, int64_t tap) {
  struct resample_table *t = resample_table_new(x->graph, p->count, p->length, p->count);
  for (int64_t i = 0; t && i < p->count; i++) {
    int64_t first, last, at = i * p->stride - p->before + tap;
    covered(p, i, &first, &last);
    resample_add(t, at < first ? first : at > last ? last : at, 1);
    resample_end_row(t);
  }
  return node_resample(x, axis, t);
}

static gan_node *max_axis(gan_node *x, int32_t axis, const struct places *p) {
  if (node_failed(x)) return x;
  gan_node *most = taps(x, axis, p, 0);
  for (int64_t tap = 1; tap < p->kernel && !node_failed(most); tap++) most = gan_maximum(most, taps(x, axis, p, tap));
  return most;
}

static gan_node *pool_axis(gan_node *x, int32_t axis, const struct places *p, const struct pool_options *o) {
  return o->average ? average_axis(x, axis, p, o->include_padding) : max_axis(x, axis, p);
}

/* --------------------------------------------------------------------------------------------------------------- pooling */

static gan_node *pool_image(const char *who, gan_node *x, const struct pool_options *o) {
  struct places down = places_of(x, o, 0), across = places_of(x, o, 1);
  if (down.count < 1 || across.count < 1) {
    char text[SHAPE_TEXT];
    return graph_fail(x->graph, GAN_ERROR_SHAPE, "%s: a kernel of %lldx%lld has no place on %s", who, (long long)o->kernel[0],
                      (long long)o->kernel[1], node_text(x, text));
  }
  if (are_tiles(&down) && are_tiles(&across)) {
    gan_node *folded = o->average ? fold_pooled(x, o->kernel, down.count, across.count) : NULL;
    return folded ? folded : pool_tiles(x, o->kernel, down.count, across.count, o->average);
  }
  return pool_axis(pool_axis(x, 1, &down, o), 2, &across, o);
}

gan_node *node_pool(const char *who, gan_node *x, const struct pool_options *o) {
  gan_node *bad = image_bad(who, x, o->axes);
  if (bad) return bad;
  gan_node *y = pool_image(who, node_as_image(x), o);
  return o->axes == 1 ? node_as_sequence(y) : y;
}

static gan_status read_line(gan_context *ctx, const char *text, int32_t axes, struct pool_options *out) {
  char kind[16];
  const char *rest = text ? line_name(text, kind, sizeof kind) : NULL;
  int32_t average = rest && strcmp(kind, "average") == 0;
  REQUIRE(ctx, rest && (average || strcmp(kind, "max") == 0),
          "pool: came '%.60s'; expected \"average kernel=..\" or \"max kernel=..\"", text ? text : "NULL");
  struct options o;
  gan_status status = options_parse(ctx, "pool", average ? average_rows : max_rows,
                                    average ? AVERAGE_POOL_OPTION_COUNT : POOL_OPTION_COUNT, rest, &o);
  if (status == GAN_OK) status = pool_options_read("pool", &o, axes, average, out);
  options_free(&o);
  return status;
}

gan_node *gan_pool(gan_node *x, const char *options) {
  gan_node *bad = node_bad("pool", GAN_F32, x);
  if (!bad) bad = image_bad("pool", x, x->rank == 3 ? 1 : 2);
  if (bad) return bad;
  struct pool_options o;
  gan_status status = read_line(x->graph->ctx, options, x->rank - 2, &o);
  return status == GAN_OK ? node_pool("pool", x, &o) : graph_fail(x->graph, status, "%s", x->graph->ctx->error);
}
