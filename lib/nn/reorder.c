/* PyTorch keeps channels before rows and columns, libgan behind them: in the weights of convolutions, and in what is flattened. */
#include "nn/reorder.h"

#include "base/tensor.h"

#include <string.h>

/* ------------------------------------------------------------------ axes */

/* Axis i of the variable is axis order[i] of the tensor. By default axis 1, the channels, goes to the end. */
static void choose_order(const struct map_line *l, int32_t rank, int32_t order[GAN_MAX_RANK]) {
  for (int32_t i = 0; i < rank; i++) order[i] = rank < 3 || i == 0 ? i : i + 1 < rank ? i + 1 : 1;
  if (l->n_order == rank) memcpy(order, l->order, (size_t)rank * sizeof *order);
}

/* An axis of the tensor that is a flattened (C,H,W), as the variable has it: (H,W,C). */
static void split_axis(struct reorder *r, int64_t stride, int32_t count, const int64_t *sizes) {
  int64_t inner = stride;
  for (int32_t i = count - 1; i > 0; i--) {
    r->size[r->axes + i - 1] = sizes[i];
    r->stride[r->axes + i - 1] = inner;
    inner *= sizes[i];
  }
  r->size[r->axes + count - 1] = sizes[0];
  r->stride[r->axes + count - 1] = inner;
  r->axes += count;
}

static gan_status check_split(gan_context *ctx, const struct map_line *l, const char *path, const char *what, int32_t count,
                              const int64_t *sizes, int64_t size) {
  char text[128];
  REQUIRE(ctx, shape_count(count, sizes) == size, "name map, line %d: %s=%s makes %lld, but '%s' has %lld there", l->number, what,
          shape_text(text, sizeof text, count, sizes), (long long)shape_count(count, sizes), path, (long long)size);
  return GAN_OK;
}

static gan_status add_axis(gan_context *ctx, const struct map_line *l, const char *path, int32_t axis, int64_t size, int64_t stride,
                           struct reorder *r) {
  if (r->rank <= 2 && axis == 0 && l->n_rows) {
    TRY(check_split(ctx, l, path, "rows", l->n_rows, l->rows, size));
    split_axis(r, stride, l->n_rows, l->rows);
  } else if (r->rank == 2 && axis == 1 && l->n_columns) {
    TRY(check_split(ctx, l, path, "columns", l->n_columns, l->columns, size));
    split_axis(r, stride, l->n_columns, l->columns);
  } else {
    r->size[r->axes] = size;
    r->stride[r->axes++] = stride;
  }
  return GAN_OK;
}

gan_status reorder_make(gan_context *ctx, const struct map_line *l, const char *path, int32_t rank, const int64_t *shape,
                        struct reorder *out) {
  int32_t order[GAN_MAX_RANK];
  int64_t stride[GAN_MAX_RANK], inner = 1;
  *out = (struct reorder){.rank = rank};
  choose_order(l, rank, order);
  for (int32_t i = 0; i < rank; i++) out->shape[order[i]] = shape[i];
  for (int32_t i = rank - 1; i >= 0; i--) {
    stride[i] = inner;
    inner *= out->shape[i];
  }
  for (int32_t i = 0; i < rank; i++) TRY(add_axis(ctx, l, path, order[i], shape[i], stride[order[i]], out));
  return GAN_OK;
}

/* ------------------------------------------------------------------ elements */

/* Goes through the variable in its order, the last axis as a run; `at` says where in the tensor one is. */
struct walk { int64_t index[REORDER_AXES], at, run, step; };

static struct walk walk_begin(const struct reorder *r) {
  int32_t last = r->axes - 1;
  if (r->axes == 0) return (struct walk){.run = 1};
  return (struct walk){.run = shape_count(r->rank, r->shape) ? r->size[last] : 0, .step = r->stride[last]};
}

/* To the next run; 0 behind the last one. */
static int32_t walk_on(const struct reorder *r, struct walk *w) {
  for (int32_t a = r->axes - 2; a >= 0; a--) {
    w->at += r->stride[a];
    if (++w->index[a] < r->size[a]) return 1;
    w->at -= r->size[a] * r->stride[a];
    w->index[a] = 0;
  }
  return 0;
}

void reorder_import(const struct reorder *r, const float *theirs, float *ours) {
  struct walk w = walk_begin(r);
  do {
    for (int64_t i = 0; i < w.run; i++) *ours++ = theirs[w.at + i * w.step];
  } while (walk_on(r, &w));
}

void reorder_export(const struct reorder *r, const float *ours, float *theirs) {
  struct walk w = walk_begin(r);
  do {
    for (int64_t i = 0; i < w.run; i++) theirs[w.at + i * w.step] = *ours++;
  } while (walk_on(r, &w));
}
