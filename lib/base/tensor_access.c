/* Tensors from outside: what they are, and their elements. */
#include "base/tensor.h"
#include "base/text.h"

/* ------------------------------------------------------------------ questions */

int32_t gan_tensor_type(const gan_tensor *tensor) {
  return tensor ? tensor->type : -1;
}

int32_t gan_tensor_rank(const gan_tensor *tensor) {
  return tensor ? tensor->rank : -1;
}

int64_t gan_tensor_count(const gan_tensor *tensor) {
  return tensor ? tensor->count : 0;
}

void *gan_tensor_data(gan_tensor *tensor) {
  return tensor ? tensor->data : NULL;
}

int64_t gan_tensor_size(const gan_tensor *tensor, int32_t axis) {
  if (!tensor) return -1;
  int64_t i = axis < 0 ? (int64_t)axis + tensor->rank : axis;
  return i >= 0 && i < tensor->rank ? tensor->shape[i] : -1;
}

/* ------------------------------------------------------------------ elements */

gan_status gan_tensor_copy(gan_tensor *target, const gan_tensor *source) {
  if (!target) return gan_fail_null(source ? source->ctx : NULL, "gan_tensor_copy", "target");
  if (!source) return gan_fail_null(target->ctx, "gan_tensor_copy", "source");
  if (target->count != source->count) {
    char to[32 * GAN_MAX_RANK], from[32 * GAN_MAX_RANK];
    return gan_fail(target->ctx, GAN_ERROR_SHAPE, "gan_tensor_copy: target is %s, source is %s; expected as many elements",
                    shape_text(to, sizeof to, target->rank, target->shape),
                    shape_text(from, sizeof from, source->rank, source->shape));
  }
  convert_elements(target->type, target->data, source->type, source->data, target->count);
  return GAN_OK;
}

gan_status gan_tensor_fill(gan_tensor *tensor, double value) {
  if (!tensor) return GAN_ERROR_ARGUMENT;
  char *data = tensor->data;
  int64_t step = type_bytes(tensor->type);
  if (!tensor->count) return GAN_OK;
  convert_elements(tensor->type, data, GAN_F64, &value, 1);
  for (int64_t done = 1; done < tensor->count; done *= 2) /* the filled part is copied behind itself */
    convert_elements(tensor->type, data + done * step, tensor->type, data,
                     done < tensor->count - done ? done : tensor->count - done);
  return GAN_OK;
}

static gan_status check_range(const gan_tensor *t, const char *who, int64_t first, int64_t count, int32_t type,
                              const void *data) {
  REQUIRE(t->ctx, type_bytes(type), "%s: type is %d; expected one of GAN_F32, GAN_F64, GAN_I32, GAN_U8", who, type);
  REQUIRE(t->ctx, first >= 0 && count >= 0 && first <= t->count && count <= t->count - first,
          "%s: %lld elements from %lld on; the tensor has %lld", who, (long long)count, (long long)first, (long long)t->count);
  REQUIRE(t->ctx, data || count == 0, "%s: data is NULL", who);
  return GAN_OK;
}

static char *element(const gan_tensor *t, int64_t i) {
  return (char *)t->data + i * type_bytes(t->type);
}

gan_status gan_tensor_read(const gan_tensor *tensor, int64_t first, int64_t count, int32_t type, void *data) {
  if (!tensor) return GAN_ERROR_ARGUMENT;
  TRY(check_range(tensor, "gan_tensor_read", first, count, type, data));
  convert_elements(type, data, tensor->type, element(tensor, first), count);
  return GAN_OK;
}

gan_status gan_tensor_write(gan_tensor *tensor, int64_t first, int64_t count, int32_t type, const void *data) {
  if (!tensor) return GAN_ERROR_ARGUMENT;
  TRY(check_range(tensor, "gan_tensor_write", first, count, type, data));
  convert_elements(tensor->type, element(tensor, first), type, data, count);
  return GAN_OK;
}

int64_t labels_first_bad(const int32_t *labels, int64_t count, int64_t classes) {
  if (classes <= 0) return -1;
  for (int64_t i = 0; i < count; i++)
    if (labels[i] < 0 || labels[i] >= classes) return i;
  return -1;
}
