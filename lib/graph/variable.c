/* Variables: named floats that outlive graphs. */
#include "graph/graph.h"

#include <string.h>
#include "base/tensor.h"

static struct variable *make(gan_context *ctx, const char *name, int32_t rank, const int64_t *shape, int64_t count) {
  struct variable *v = context_zalloc(ctx, sizeof *v);
  if (!v) return NULL;
  v->name = context_strdup(ctx, name);
  if (!v->name) {
    context_release(ctx, v, sizeof *v);
    return NULL;
  }
  atomic_init(&v->refs, 1);
  v->ctx = context_ref(ctx);
  v->rank = rank;
  if (rank) memcpy(v->shape, shape, (size_t)rank * sizeof *shape);
  v->count = count;
  return v;
}

static gan_status checked_count(gan_context *ctx, const char *name, int32_t rank, const int64_t *shape, int64_t *count) {
  char text[160];
  REQUIRE(ctx, rank >= 0 && rank <= GAN_MAX_RANK, "variable '%s': rank %d is not in 0 .. %d", name, (int)rank, GAN_MAX_RANK);
  *count = shape_count(rank, shape);
  if (*count >= 0 && size_mul(*count, sizeof(float)) >= 0) return GAN_OK;
  shape_text(text, sizeof text, rank, shape);
  return gan_fail(ctx, GAN_ERROR_SHAPE, "variable '%s': shape %s is impossible", name, text);
}

gan_status variable_create(gan_context *ctx, const char *name, int32_t rank, const int64_t *shape, struct variable **out) {
  int64_t count = 0;
  TRY(checked_count(ctx, name, rank, shape, &count));
  struct variable *v = make(ctx, name, rank, shape, count);
  if (!v) return GAN_ERROR_MEMORY;
  v->data = context_zalloc(ctx, (size_t)count * sizeof *v->data);
  if (!v->data) {
    variable_unref(v);
    return GAN_ERROR_MEMORY;
  }
  *out = v;
  return GAN_OK;
}

gan_status variable_alias(struct variable *base, int64_t first, const char *name, int32_t rank, const int64_t *shape,
                          struct variable **out) {
  int64_t count = 0;
  TRY(checked_count(base->ctx, name, rank, shape, &count));
  REQUIRE(base->ctx, first >= 0 && first <= base->count && count <= base->count - first,
          "variable '%s': %lld elements from %lld on do not lie within the %lld of '%s'", name, (long long)count,
          (long long)first, (long long)base->count, base->name);
  struct variable *v = make(base->ctx, name, rank, shape, count);
  if (!v) return GAN_ERROR_MEMORY;
  v->base = variable_ref(base);
  v->data = base->data + first;
  *out = v;
  return GAN_OK;
}

struct variable *variable_ref(struct variable *v) {
  atomic_fetch_add(&v->refs, 1);
  return v;
}

void variable_unref(struct variable *v) {
  if (!v || atomic_fetch_sub(&v->refs, 1) != 1) return;
  gan_context *ctx = v->ctx;
  if (v->base) variable_unref(v->base);
  else context_release(ctx, v->data, (size_t)v->count * sizeof *v->data);
  context_strfree(ctx, v->name);
  context_strfree(ctx, v->init);
  context_release(ctx, v, sizeof *v);
  context_unref(ctx);
}
