/* Networks from files. Nothing is believed before it is checked, and no memory is asked for that the file has no bytes for. */
#include "base/tensor.h"
#include "io/safetensors.h"
#include "nn/network.h"

#include <string.h>

/* ------------------------------------------------------------------ what the file says it is */

/* "1", "2" ..: a newer one is not a broken one. */
static gan_status check_format(gan_context *ctx, const struct st_file *f) {
  const char *format = st_metadata(f, "gan.format"), *kind = st_metadata(f, "gan.kind"), *end;
  int64_t number;
  if (!format || !kind) {
    return gan_fail(ctx, GAN_ERROR_FORMAT, "%s: no network of libgan: its metadata has no gan.format and gan.kind",
                    f->reader->name);
  }
  if (!parse_int(format, &end, &number) || *end || number < 1) {
    return gan_fail(ctx, GAN_ERROR_FORMAT, "%s: gan.format '%.20s' is no number", f->reader->name, format);
  }
  if (number > 1) {
    return gan_fail(ctx, GAN_ERROR_UNSUPPORTED, "%s: format %.20s is newer than this libgan (%s), which reads format 1",
                    f->reader->name, format, gan_version_text());
  }
  if (strcmp(kind, "network")) {
    return gan_fail(ctx, GAN_ERROR_FORMAT, "%s: expected a network, the file holds a %.40s", f->reader->name, kind);
  }
  return GAN_OK;
}

/* Numbers that stand in the file: no layer may claim more. */
static int64_t count_numbers(const struct st_file *f) {
  int64_t count = 0;
  for (int64_t i = 0; i < f->count; i++) count += f->tensors[i].count;
  return count;
}

static gan_status read_structure(gan_context *ctx, const struct st_file *f, gan_network **out) {
  const char *structure = st_metadata(f, "gan.network");
  if (!structure) return gan_fail(ctx, GAN_ERROR_FORMAT, "%s: its metadata has no gan.network", f->reader->name);
  int64_t backed = count_numbers(f);
  struct json_document document;
  gan_status status = json_parse(ctx, structure, (int64_t)strlen(structure), &document);
  if (status == GAN_OK) status = network_from_tree(ctx, document.root, NULL, &backed, out);
  json_free(&document);
  /* What would be the caller's mistake in a program is the file's here. */
  return status == GAN_ERROR_ARGUMENT || status == GAN_ERROR_SHAPE || status == GAN_ERROR_STATE ? GAN_ERROR_FORMAT : status;
}

/* ------------------------------------------------------------------ the values */

static gan_status check_tensor(gan_context *ctx, const struct st_file *f, const struct st_tensor *t, const struct variable *v) {
  char has[128], came[128];
  if (!v)
    return gan_fail(ctx, GAN_ERROR_FORMAT, "%s: tensor '%.200s' belongs to no variable of the network", f->reader->name, t->name);
  if (t->type != GAN_F32 && t->type != GAN_F64) {
    return gan_fail(ctx, GAN_ERROR_FORMAT, "%s: tensor '%.200s' is %s, expected floats", f->reader->name, t->name,
                    type_name(t->type));
  }
  if (shape_equal(t->rank, t->shape, v->rank, v->shape)) return GAN_OK;
  return gan_fail(ctx, GAN_ERROR_FORMAT, "%s: tensor '%.200s' is %s, the network's variable is %s", f->reader->name, t->name,
                  shape_text(came, sizeof came, t->rank, t->shape), shape_text(has, sizeof has, v->rank, v->shape));
}

static gan_status read_values(gan_context *ctx, struct st_file *f, gan_network *n) {
  for (int64_t i = 0; i < f->count; i++) TRY(check_tensor(ctx, f, &f->tensors[i], network_variable(n, f->tensors[i].name)));
  /* Names in the header differ from each other: if every tensor has its variable, equal counts mean that nothing is missing. */
  if (f->count != n->n_variables) {
    return gan_fail(ctx, GAN_ERROR_FORMAT, "%s: %lld tensors for %lld variables", f->reader->name, (long long)f->count,
                    (long long)n->n_variables);
  }
  for (int64_t i = 0; i < f->count; i++) TRY(st_read(f, i, network_variable(n, f->tensors[i].name)->data));
  return GAN_OK;
}

/* ------------------------------------------------------------------ where the bytes come from */

struct block { char *bytes; int64_t capacity; };

/* A source that does not tell its length may claim any. So all its data is read before anything is made by its claims, in pieces
 * that double: what is allocated stays in proportion to what came. */
static gan_status hold_data(struct st_file *f, struct block *b, struct reader *held) {
  if (f->reader->left >= 0 || !f->data_size) return GAN_OK;
  for (int64_t done = 0, next = 1 << 16; done < f->data_size; done = next, next *= 2) {
    if (next > f->data_size) next = f->data_size;
    TRY(context_grow(f->ctx, (void **)&b->bytes, &b->capacity, next, 1));
    TRY(reader_read(f->reader, b->bytes + done, next - done));
  }
  TRY(reader_memory(held, f->ctx, b->bytes, f->data_size));
  held->name = f->reader->name;
  f->reader = held;
  return GAN_OK;
}

static gan_status read_network(gan_context *ctx, struct reader *r, gan_network **out) {
  struct st_file f;
  struct block block = {0};
  struct reader held;
  gan_network *n = NULL;
  TRY(st_open(&f, ctx, r));
  gan_status status = check_format(ctx, &f);
  if (status == GAN_OK) status = hold_data(&f, &block, &held);
  if (status == GAN_OK) status = read_structure(ctx, &f, &n);
  if (status == GAN_OK) status = read_values(ctx, &f, n);
  st_close(&f);
  context_release(ctx, block.bytes, (size_t)block.capacity);
  if (status == GAN_OK) *out = n;
  else network_unref(n);
  return status;
}

gan_status gan_network_load(gan_context *context, const char *path, gan_network **network) {
  if (!context) return GAN_ERROR_ARGUMENT;
  REQUIRE(context, path && network, "gan_network_load: path and network may not be NULL");
  struct reader r;
  TRY(reader_open(&r, context, io_system(), path));
  gan_status status = read_network(context, &r, network);
  reader_close(&r);
  return status;
}

gan_status gan_network_load_memory(gan_context *context, const void *bytes, int64_t size, gan_network **network) {
  if (!context) return GAN_ERROR_ARGUMENT;
  REQUIRE(context, bytes && network, "gan_network_load_memory: bytes and network may not be NULL");
  struct reader r;
  TRY(reader_memory(&r, context, bytes, size));
  return read_network(context, &r, network);
}

gan_status gan_network_load_stream(gan_context *context, const gan_stream *stream, gan_network **network) {
  if (!context) return GAN_ERROR_ARGUMENT;
  REQUIRE(context, stream && network, "gan_network_load_stream: stream and network may not be NULL");
  struct reader r;
  TRY(reader_stream(&r, context, stream));
  return read_network(context, &r, network);
}
