/* Tensors: shapes on counted storage. */
#include "base/tensor.h"

#include <string.h>

#include "base/text.h"

/* Memory with the number of tensors on it. It keeps the context, so tensors need not. */
struct storage {
  atomic_int refs;
  gan_context *ctx;
  void *data;
  int64_t bytes;
  gan_release release; /* of the caller's memory; NULL: nothing to call */
  void *user;
  int32_t ours;
};

/* ------------------------------------------------------------------ types and shapes */

int64_t type_bytes(int32_t type) {
  switch (type) {
    case GAN_F32: case GAN_I32: return 4;
    case GAN_F64: return 8;
    case GAN_U8: return 1;
    default: return 0;
  }
}

const char *type_name(int32_t type) {
  static const char *const names[] = {"f32", "f64", "i32", "u8"};
  return type_bytes(type) ? names[type] : "unknown type";
}

int64_t shape_count(int32_t rank, const int64_t *shape) {
  int64_t count = 1, zero = 0;
  for (int32_t i = 0; i < rank; i++) {
    if (shape[i] < 0) return -1;
    if (shape[i] == 0) zero = 1;
    else count = size_mul(count, shape[i]);
    if (count < 0) return -1; /* also of a shape with a 0 behind: its other sizes are multiplied somewhere */
  }
  return zero ? 0 : count;
}

int32_t shape_equal(int32_t rank_a, const int64_t *a, int32_t rank_b, const int64_t *b) {
  return rank_a == rank_b && (rank_a == 0 || memcmp(a, b, (size_t)rank_a * sizeof *a) == 0);
}

/* ------------------------------------------------------------------ storage */

static void storage_unref(struct storage *s) {
  if (atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1) return;
  gan_context *ctx = s->ctx;
  if (s->ours) context_release(ctx, s->data, (size_t)s->bytes);
  else if (s->release) s->release(s->user, s->data, s->bytes);
  context_release(ctx, s, sizeof *s);
  context_unref(ctx);
}

static struct storage *storage_new(gan_context *ctx, void *data, int64_t bytes) {
  struct storage *s = context_zalloc(ctx, sizeof *s);
  if (!s) return NULL;
  atomic_init(&s->refs, 1);
  s->data = data;
  s->bytes = bytes;
  s->ours = !data;
  if (!data) s->data = context_zalloc(ctx, (size_t)bytes);
  if (!s->data) {
    context_release(ctx, s, sizeof *s);
    return NULL;
  }
  s->ctx = context_ref(ctx);
  return s;
}

/* ------------------------------------------------------------------ life */

/* Counts a reference to the storage. */
static gan_tensor *tensor_on(struct storage *s, void *data, int32_t type, int32_t rank, const int64_t *shape) {
  gan_tensor *t = context_zalloc(s->ctx, sizeof *t);
  if (!t) return NULL;
  atomic_init(&t->refs, 1);
  atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
  t->ctx = s->ctx;
  t->storage = s;
  t->data = data;
  t->type = type;
  t->rank = rank;
  if (rank) memcpy(t->shape, shape, (size_t)rank * sizeof *shape);
  t->count = shape_count(rank, shape);
  return t;
}

gan_tensor *tensor_ref(gan_tensor *t) {
  atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
  return t;
}

void gan_tensor_free(gan_tensor *tensor) {
  if (!tensor || atomic_fetch_sub_explicit(&tensor->refs, 1, memory_order_acq_rel) != 1) return;
  struct storage *s = tensor->storage;
  context_release(s->ctx, tensor, sizeof *tensor);
  storage_unref(s);
}

/* Bytes of a new tensor, or -1 after gan_fail. */
static int64_t check_new(gan_context *ctx, const char *who, int32_t type, int32_t rank, const int64_t *shape) {
  char text[32 * GAN_MAX_RANK];
  gan_status status = GAN_ERROR_ARGUMENT;
  if (!type_bytes(type)) gan_fail(ctx, status, "%s: type is %d; expected one of GAN_F32, GAN_F64, GAN_I32, GAN_U8", who, type);
  else if (rank < 0 || rank > GAN_MAX_RANK) gan_fail(ctx, status, "%s: rank is %d; expected 0 .. %d", who, rank, GAN_MAX_RANK);
  else if (rank && !shape) gan_fail(ctx, status, "%s: shape is NULL; expected %d sizes", who, rank);
  else if (size_mul(shape_count(rank, shape), type_bytes(type)) < 0)
    gan_fail(ctx, status, "%s: %s is no shape: a size is negative, or they are too many bytes", who,
             shape_text(text, sizeof text, rank, shape));
  else return shape_count(rank, shape) * type_bytes(type);
  return -1;
}

/* data NULL: memory of our own. */
static gan_status create(gan_context *ctx, int32_t type, int32_t rank, const int64_t *shape, void *data, int64_t bytes,
                         gan_release release, void *user, gan_tensor **out) {
  struct storage *s = storage_new(ctx, data, bytes);
  if (!s) return GAN_ERROR_MEMORY;
  gan_tensor *t = tensor_on(s, s->data, type, rank, shape);
  if (t) {
    s->release = release; /* only now: after a failure the caller's memory is still the caller's */
    s->user = user;
    *out = t;
  }
  storage_unref(s);
  return t ? GAN_OK : GAN_ERROR_MEMORY;
}

gan_status gan_tensor_create(gan_context *context, int32_t type, int32_t rank, const int64_t *shape, gan_tensor **tensor) {
  if (!context) return GAN_ERROR_ARGUMENT;
  REQUIRE(context, tensor, "gan_tensor_create: tensor is NULL");
  int64_t bytes = check_new(context, "gan_tensor_create", type, rank, shape);
  if (bytes < 0) return GAN_ERROR_ARGUMENT;
  return create(context, type, rank, shape, NULL, bytes, NULL, NULL, tensor);
}

gan_status gan_tensor_wrap(gan_context *context, int32_t type, int32_t rank, const int64_t *shape, void *data,
                           gan_release release, void *user, gan_tensor **tensor) {
  if (!context) return GAN_ERROR_ARGUMENT;
  REQUIRE(context, tensor, "gan_tensor_wrap: tensor is NULL");
  REQUIRE(context, data, "gan_tensor_wrap: data is NULL");
  int64_t bytes = check_new(context, "gan_tensor_wrap", type, rank, shape);
  if (bytes < 0) return GAN_ERROR_ARGUMENT;
  REQUIRE(context, (uintptr_t)data % (uintptr_t)type_bytes(type) == 0,
          "gan_tensor_wrap: data is not aligned to %lld bytes, as %s needs", (long long)type_bytes(type), type_name(type));
  return create(context, type, rank, shape, data, bytes, release, user, tensor);
}

/* ------------------------------------------------------------------ views */

gan_status gan_tensor_slice(gan_tensor *tensor, int64_t begin, int64_t end, gan_tensor **view) {
  if (!tensor) return GAN_ERROR_ARGUMENT;
  gan_context *ctx = tensor->ctx;
  REQUIRE(ctx, view, "gan_tensor_slice: view is NULL");
  REQUIRE(ctx, tensor->rank >= 1, "gan_tensor_slice: a tensor of rank 0 has no rows");
  REQUIRE(ctx, begin >= 0 && begin <= end && end <= tensor->shape[0],
          "gan_tensor_slice: rows %lld .. %lld; expected 0 <= begin <= end <= %lld", (long long)begin, (long long)end,
          (long long)tensor->shape[0]);
  int64_t row = shape_count(tensor->rank - 1, tensor->shape + 1), shape[GAN_MAX_RANK];
  memcpy(shape, tensor->shape, sizeof shape);
  shape[0] = end - begin;
  char *data = (char *)tensor->data + (row ? begin * row * type_bytes(tensor->type) : 0);
  gan_tensor *t = tensor_on(tensor->storage, data, tensor->type, tensor->rank, shape);
  if (!t) return GAN_ERROR_MEMORY;
  *view = t;
  return GAN_OK;
}

/* Puts what is left in the place of a -1. */
static gan_status complete_shape(const gan_tensor *t, int32_t rank, const int64_t *shape, int64_t full[GAN_MAX_RANK]) {
  char from[32 * GAN_MAX_RANK], to[32 * GAN_MAX_RANK];
  int32_t open = -1;
  for (int32_t i = 0; i < rank; i++) {
    REQUIRE(t->ctx, shape[i] >= -1 && (shape[i] >= 0 || open < 0), "gan_tensor_reshape: %s is no shape; one size may be -1",
            shape_text(to, sizeof to, rank, shape));
    full[i] = shape[i] < 0 ? 1 : shape[i];
    if (shape[i] < 0) open = i;
  }
  int64_t rest = shape_count(rank, full);
  if (open >= 0 && rest > 0 && t->count % rest == 0) full[open] = t->count / rest;
  else if (open >= 0 || rest != t->count)
    return gan_fail(t->ctx, GAN_ERROR_SHAPE, "gan_tensor_reshape: %s, of %lld elements, does not go into %s",
                    shape_text(from, sizeof from, t->rank, t->shape), (long long)t->count,
                    shape_text(to, sizeof to, rank, shape));
  return GAN_OK;
}

gan_status gan_tensor_reshape(gan_tensor *tensor, int32_t rank, const int64_t *shape, gan_tensor **view) {
  if (!tensor) return GAN_ERROR_ARGUMENT;
  gan_context *ctx = tensor->ctx;
  int64_t full[GAN_MAX_RANK] = {0};
  REQUIRE(ctx, view, "gan_tensor_reshape: view is NULL");
  REQUIRE(ctx, rank >= 0 && rank <= GAN_MAX_RANK, "gan_tensor_reshape: rank is %d; expected 0 .. %d", rank, GAN_MAX_RANK);
  REQUIRE(ctx, !rank || shape, "gan_tensor_reshape: shape is NULL; expected %d sizes", rank);
  TRY(complete_shape(tensor, rank, shape, full));
  gan_tensor *t = tensor_on(tensor->storage, tensor->data, tensor->type, rank, full);
  if (!t) return GAN_ERROR_MEMORY;
  *view = t;
  return GAN_OK;
}
