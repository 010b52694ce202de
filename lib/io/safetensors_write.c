#include "io/safetensors.h"

#include <string.h>

#include "base/tensor.h"
#include "io/safetensors_types.h"

enum { HEADER_MAX = 100000000 /* of the format */, HEADER_ALIGNMENT = 8, SIZE_BYTES = 8, PIECE = 4096 };

/* ------------------------------------------------------------------ the header */

static void add_metadata(struct text *t, int32_t n, const struct st_metadata *metadata) {
  text_add(t, "\"__metadata__\":{");
  for (int32_t i = 0; i < n; i++) {
    if (i) text_add(t, ",");
    json_write_string(t, metadata[i].key);
    text_add(t, ":");
    json_write_string(t, metadata[i].value);
  }
  text_add(t, "}");
}

static void add_tensor(struct text *t, const struct st_tensor *tensor, int64_t begin, int64_t end) {
  json_write_string(t, tensor->name);
  text_format(t, ":{\"dtype\":\"%s\",\"shape\":[", st_types[tensor->type].name);
  for (int32_t i = 0; i < tensor->rank; i++) text_format(t, i ? ",%lld" : "%lld", (long long)tensor->shape[i]);
  text_format(t, "],\"data_offsets\":[%lld,%lld]}", (long long)begin, (long long)end);
}

/* Bytes of a tensor, or -1 if it is none. */
static int64_t tensor_bytes(const struct st_tensor *t) {
  if (!t->name || !type_bytes(t->type) || t->rank < 0 || t->rank > GAN_MAX_RANK || strcmp(t->name, "__metadata__") == 0)
    return -1;
  int64_t bytes = size_mul(shape_count(t->rank, t->shape), type_bytes(t->type));
  return bytes > 0 && !t->data ? -1 : bytes;
}

static gan_status add_header(struct text *t, int32_t n_metadata, const struct st_metadata *metadata, int64_t n,
                             const struct st_tensor *tensors) {
  int64_t begin = 0;
  text_add(t, "{");
  if (n_metadata) add_metadata(t, n_metadata, metadata);
  for (int64_t i = 0; i < n; i++) {
    int64_t end = size_add(begin, tensor_bytes(&tensors[i]));
    REQUIRE(t->ctx, end >= 0, "safetensors: tensor %lld, '%.100s', has no name, no data, or no possible type or shape",
            (long long)i, tensors[i].name ? tensors[i].name : "");
    if (i || n_metadata) text_add(t, ",");
    add_tensor(t, &tensors[i], begin, end);
    begin = end;
  }
  text_add(t, "}");
  while (t->length % HEADER_ALIGNMENT && !t->failed) text_add(t, " "); /* so that the data is aligned in a mapped file */
  if (t->failed) return GAN_ERROR_MEMORY;
  if (t->length <= HEADER_MAX) return GAN_OK;
  return gan_fail(t->ctx, GAN_ERROR_UNSUPPORTED, "safetensors: a header of %lld bytes; the format allows %d",
                  (long long)t->length, HEADER_MAX);
}

static gan_status write_header(struct writer *w, const struct text *t) {
  uint8_t size[SIZE_BYTES];
  for (int32_t i = 0; i < SIZE_BYTES; i++) size[i] = (uint8_t)((uint64_t)t->length >> (8 * i));
  TRY(writer_write(w, size, SIZE_BYTES));
  return writer_write(w, t->data, t->length);
}

/* ------------------------------------------------------------------ the data */

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
static gan_status write_elements(struct writer *w, const struct st_tensor *t) {
  uint8_t piece[PIECE];
  const uint8_t *from = t->data;
  int32_t bytes = (int32_t)type_bytes(t->type);
  for (int64_t left = tensor_bytes(t), n; left > 0; left -= n, from += n) {
    n = left < PIECE ? left : PIECE;
    memcpy(piece, from, (size_t)n);
    st_to_file_order(piece, n / bytes, bytes);
    TRY(writer_write(w, piece, n));
  }
  return GAN_OK;
}
#else
static gan_status write_elements(struct writer *w, const struct st_tensor *t) {
  return writer_write(w, t->data, tensor_bytes(t));
}
#endif

gan_status st_write(struct writer *w, int32_t n_metadata, const struct st_metadata *metadata, int64_t n_tensors,
                    const struct st_tensor *tensors) {
  struct text header;
  text_init(&header, w->ctx);
  gan_status status = add_header(&header, n_metadata, metadata, n_tensors, tensors);
  if (status == GAN_OK) status = write_header(w, &header);
  text_free(&header);
  for (int64_t i = 0; i < n_tensors && status == GAN_OK; i++)
    status = write_elements(w, &tensors[i]);
  if (status != GAN_OK) w->failed = status;
  return status;
}
