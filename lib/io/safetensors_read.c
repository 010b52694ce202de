/* safetensors, read with suspicion: every number of the header is checked against the others and against the bytes there are,
 * before anything is allocated by it. */
#include "io/safetensors.h"

#include <string.h>

#include "base/sort.h"
#include "base/tensor.h"
#include "io/safetensors_types.h"

enum { HEADER_MIN = 2 /* {} */, HEADER_MAX = 100000000 /* of the format */, SIZE_BYTES = 8, FIRST_PIECE = 1 << 16 };
enum { BUFFER = 8192, NAME_SHOWN = 100 };

/* ------------------------------------------------------------------ the header's bytes */

static gan_status read_header_size(struct reader *r, int64_t *size) {
  uint8_t bytes[SIZE_BYTES];
  uint64_t n = 0;
  TRY(reader_read(r, bytes, SIZE_BYTES));
  for (int32_t i = SIZE_BYTES - 1; i >= 0; i--) n = n << 8 | bytes[i];
  int64_t most = r->left >= 0 && r->left < HEADER_MAX ? r->left : HEADER_MAX;
  if (n < HEADER_MIN || n > (uint64_t)most)
    return gan_fail(r->ctx, GAN_ERROR_FORMAT, "%s is no safetensors file: it claims a header of %llu bytes; expected %d .. %lld",
                    r->name, (unsigned long long)n, HEADER_MIN, (long long)most);
  *size = (int64_t)n;
  return GAN_OK;
}

/* Where the length is unknown, in pieces that double: what is allocated stays in proportion to what came. */
static gan_status read_header(struct reader *r, int64_t size, void **bytes, int64_t *capacity) {
  for (int64_t done = 0; done < size;) {
    int64_t next = r->left >= 0 ? size : done ? 2 * done : FIRST_PIECE;
    if (next > size) next = size;
    TRY(context_grow(r->ctx, bytes, capacity, next, 1));
    TRY(reader_read(r, (char *)*bytes + done, next - done));
    done = next;
  }
  return GAN_OK;
}

/* ------------------------------------------------------------------ one tensor */

static gan_status refuse(const struct st_file *f, gan_status status, const char *name, const char *what) {
  return gan_fail(f->ctx, status, "%s: tensor '%.*s': %s", f->reader->name, NAME_SHOWN, name, what);
}

static gan_status take_type(const struct st_file *f, const struct json *entry, struct st_tensor *t) {
  const char *name = json_string(entry, "dtype");
  if (!name) return refuse(f, GAN_ERROR_FORMAT, t->name, "it has no dtype");
  for (int32_t i = 0; i < ST_DISK_TYPES; i++) {
    if (strcmp(name, st_types[i].name) != 0) continue;
    t->disk_type = i;
    t->type = st_types[i].type;
    return GAN_OK;
  }
  return gan_fail(f->ctx, GAN_ERROR_UNSUPPORTED, "%s: tensor '%.*s': dtype '%.20s' is not known to this version", f->reader->name,
                  NAME_SHOWN, t->name, name);
}

static gan_status take_shape(const struct st_file *f, const struct json *entry, struct st_tensor *t) {
  const struct json *shape = json_get(entry, "shape");
  if (!shape || shape->kind != JSON_ARRAY) return refuse(f, GAN_ERROR_FORMAT, t->name, "it has no shape");
  if (shape->count > GAN_MAX_RANK) return refuse(f, GAN_ERROR_UNSUPPORTED, t->name, "it has more than 8 axes");
  for (const struct json *size = shape->first; size; size = size->next)
    if (!json_integer(size, &t->shape[t->rank++])) return refuse(f, GAN_ERROR_FORMAT, t->name, "a size is no whole number");
  t->count = shape_count(t->rank, t->shape);
  if (t->count < 0) return refuse(f, GAN_ERROR_FORMAT, t->name, "its sizes are negative or too large");
  return GAN_OK;
}

static gan_status take_range(const struct st_file *f, const struct json *entry, struct st_tensor *t) {
  const struct json *range = json_get(entry, "data_offsets");
  if (!range || range->kind != JSON_ARRAY || range->count != 2 || !json_integer(range->first, &t->begin) ||
      !json_integer(range->first->next, &t->end) || t->begin < 0 || t->end < t->begin)
    return refuse(f, GAN_ERROR_FORMAT, t->name, "its data_offsets are no range");
  if (size_mul(t->count, st_types[t->disk_type].bytes) != t->end - t->begin)
    return refuse(f, GAN_ERROR_FORMAT, t->name, "its data_offsets do not have the length of its shape");
  return GAN_OK;
}

static gan_status take_tensor(struct st_file *f, const struct json *entry) {
  struct st_tensor *t = &f->tensors[f->count];
  memset(t, 0, sizeof *t);
  t->name = entry->key;
  TRY(take_type(f, entry, t));
  TRY(take_shape(f, entry, t));
  TRY(take_range(f, entry, t));
  f->count++;
  return GAN_OK;
}

static gan_status check_metadata(const struct st_file *f, const struct json *metadata) {
  int32_t well = metadata->kind == JSON_OBJECT;
  for (const struct json *entry = metadata->first; well && entry; entry = entry->next) well = entry->kind == JSON_STRING;
  return well ? GAN_OK : gan_fail(f->ctx, GAN_ERROR_FORMAT, "%s: __metadata__ is no list of texts by name", f->reader->name);
}

/* ------------------------------------------------------------------ all tensors */

/* Empty tensors come before the one that begins at the same byte. */
static int32_t compare_ranges(const void *a, const void *b) {
  const struct st_tensor *x = a, *y = b;
  if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
  return x->end < y->end ? -1 : x->end > y->end;
}

_Static_assert(sizeof(struct st_tensor) <= SORT_ITEM_MAX, "sort_items takes them");

/* One after the other, without hole or overlap, and up to the end of the file where that is known. */
static gan_status check_ranges(struct st_file *f) {
  sort_items(f->tensors, f->count, sizeof *f->tensors, compare_ranges);
  for (int64_t i = 0; i < f->count; i++) {
    if (f->tensors[i].begin != f->data_size)
      return refuse(f, GAN_ERROR_FORMAT, f->tensors[i].name,
                    f->tensors[i].begin < f->data_size ? "its bytes are another tensor's too"
                                                       : "there is a hole in front of its bytes");
    f->data_size = f->tensors[i].end;
  }
  int64_t left = f->reader->left;
  if (left < 0 || left == f->data_size) return GAN_OK;
  return gan_fail(f->ctx, GAN_ERROR_FORMAT, "%s: its tensors need %lld bytes behind the header; there are %lld", f->reader->name,
                  (long long)f->data_size, (long long)left);
}

static gan_status take_tensors(struct st_file *f, const struct json *root) {
  if (root->kind != JSON_OBJECT) return gan_fail(f->ctx, GAN_ERROR_FORMAT, "%s: the header is no JSON object", f->reader->name);
  void *tensors = NULL;
  gan_status status = context_grow(f->ctx, &tensors, &f->capacity, root->count, sizeof *f->tensors);
  f->tensors = tensors;
  TRY(status);
  for (const struct json *entry = root->first; entry; entry = entry->next)
    TRY(strcmp(entry->key, "__metadata__") == 0 ? check_metadata(f, entry) : take_tensor(f, entry));
  return check_ranges(f);
}

/* The sentence of a JSON error does not know the file. */
static gan_status parse_header(struct st_file *f, const char *bytes, int64_t size) {
  gan_status status = json_parse(f->ctx, bytes, size, &f->header);
  if (status == GAN_ERROR_FORMAT) gan_fail(f->ctx, status, "%s: header: %s", f->reader->name, f->ctx->error);
  return status;
}

gan_status st_open(struct st_file *f, gan_context *ctx, struct reader *r) {
  *f = (struct st_file){.ctx = ctx, .reader = r, .header.ctx = ctx};
  void *bytes = NULL;
  int64_t size = 0, capacity = 0;
  TRY(read_header_size(r, &size));
  gan_status status = read_header(r, size, &bytes, &capacity);
  if (status == GAN_OK) status = parse_header(f, bytes, size);
  context_release(ctx, bytes, (size_t)capacity);
  if (status == GAN_OK) status = take_tensors(f, f->header.root);
  if (status != GAN_OK) st_close(f);
  return status;
}

void st_close(struct st_file *f) {
  context_release(f->ctx, f->tensors, (size_t)f->capacity * sizeof *f->tensors);
  f->tensors = NULL;
  f->count = f->capacity = 0;
  json_free(&f->header);
}

const char *st_metadata(const struct st_file *f, const char *key) {
  return json_string(json_get(f->header.root, "__metadata__"), key);
}

/* ------------------------------------------------------------------ values */

static float float_of_bits(uint32_t bits) {
  float f;
  memcpy(&f, &bits, sizeof f);
  return f;
}

/* IEEE 754 binary16. */
static float float_of_half(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, digits = h & 1023;
  if (exponent == 31) return float_of_bits(sign | 0x7F800000 | digits << 13);
  if (exponent) return float_of_bits(sign | (exponent + 112) << 23 | digits << 13);
  float tiny = (float)digits * 0x1p-24f;
  return sign ? -tiny : tiny;
}

static void floats_of_16_bits(float *to, const uint8_t *from, int64_t count, int32_t disk_type) {
  for (int64_t i = 0; i < count; i++) {
    uint16_t bits;
    memcpy(&bits, from + 2 * i, sizeof bits);
    to[i] = disk_type == ST_F16 ? float_of_half(bits) : float_of_bits((uint32_t)bits << 16);
  }
}

/* Types that are not read as they lie on the disk, a buffer at a time. */
static gan_status read_converted(struct st_file *f, const struct st_tensor *t, float *to) {
  _Alignas(8) uint8_t buffer[BUFFER];
  int32_t bytes = st_types[t->disk_type].bytes;
  for (int64_t first = 0, n; first < t->count; first += n) {
    n = t->count - first < BUFFER / bytes ? t->count - first : BUFFER / bytes;
    TRY(reader_read(f->reader, buffer, n * bytes));
    st_to_file_order(buffer, n, bytes);
    if (t->disk_type == ST_F64 || t->disk_type == ST_U8) convert_elements(GAN_F32, to + first, t->type, buffer, n);
    else floats_of_16_bits(to + first, buffer, n, t->disk_type);
  }
  return GAN_OK;
}

gan_status st_read(struct st_file *f, int64_t i, void *to) {
  REQUIRE(f->ctx, i >= 0 && i < f->count && f->tensors[i].begin >= f->position, "%s: tensor %lld cannot be read now",
          f->reader->name, (long long)i);
  const struct st_tensor *t = &f->tensors[i];
  if (t->type < 0) {
    char what[64] = "its type cannot be read: ";
    return refuse(f, GAN_ERROR_UNSUPPORTED, t->name, strcat(what, st_types[t->disk_type].name));
  }
  int64_t passed = t->begin - f->position;
  f->position = INT64_MAX; /* after a failure nobody knows where the reader stands: nothing can be read any more */
  TRY(reader_skip(f->reader, passed));
  if (t->disk_type == ST_F32 || t->disk_type == ST_I32) {
    TRY(reader_read(f->reader, to, t->end - t->begin));
    st_to_file_order(to, t->count, 4);
  } else {
    TRY(read_converted(f, t, to));
  }
  f->position = t->end;
  return GAN_OK;
}
