/* Bytes in: from a file, a block of memory or the caller's stream. */
#include <string.h>

#include "io/io.h"

static const int64_t PIECE = INT64_C(1) << 30; /* of one call: more than 2^31 is refused by some systems */

gan_status reader_open(struct reader *r, gan_context *ctx, const struct io_system *sys, const char *path) {
  *r = (struct reader){.ctx = ctx, .sys = sys, .fd = -1, .left = -1, .name = path};
  REQUIRE(ctx, path && *path, "a path is needed to read from");
  int32_t fd = sys->open(path, 0);
  if (fd < 0) return gan_fail(ctx, GAN_ERROR_FILE, "%s cannot be opened: %s (error %d)", path, io_error_text(fd), -fd);
  r->fd = fd;
  r->left = sys->size(fd);
  return GAN_OK;
}

gan_status reader_memory(struct reader *r, gan_context *ctx, const void *bytes, int64_t size) {
  *r = (struct reader){.ctx = ctx, .fd = -1, .memory = bytes, .left = size, .name = "memory"};
  REQUIRE(ctx, bytes && size >= 0, "a block of memory needs an address and a size, not %lld bytes", (long long)size);
  return GAN_OK;
}

gan_status reader_stream(struct reader *r, gan_context *ctx, const gan_stream *stream) {
  *r = (struct reader){.ctx = ctx, .fd = -1, .stream = stream, .left = -1, .name = "stream"};
  gan_stream ours;
  memset(&ours, 0, sizeof ours);
  REQUIRE(ctx, stream, "stream is NULL");
  TRY(config_read(ctx, "stream", &ours, sizeof ours, stream));
  REQUIRE(ctx, ours.read, "the stream has no read function");
  return GAN_OK;
}

static gan_status fail_short(struct reader *r, int64_t missing) {
  return gan_fail(r->ctx, GAN_ERROR_FORMAT, "%s ends early: %lld bytes more were expected", r->name, (long long)missing);
}

/* As much as one call gives. */
static int64_t read_some(struct reader *r, void *bytes, int64_t count) {
  if (count > PIECE) count = PIECE;
  return r->stream ? r->stream->read(r->stream->user, bytes, count) : r->sys->read(r->fd, bytes, count);
}

static gan_status fail_read(struct reader *r, int64_t problem) {
  if (r->stream)
    return gan_fail(r->ctx, GAN_ERROR_FILE, "the stream's read function reports an error (%lld)", (long long)problem);
  return gan_fail(r->ctx, GAN_ERROR_FILE, "%s cannot be read: %s (error %lld)", r->name, io_error_text(problem),
                  (long long)-problem);
}

static gan_status read_loop(struct reader *r, uint8_t *bytes, int64_t count) {
  while (count > 0) {
    int64_t done = read_some(r, bytes, count);
    if (done < 0) return fail_read(r, done);
    if (done == 0) return fail_short(r, count);
    if (done > count)
      return gan_fail(r->ctx, GAN_ERROR_FILE, "the stream's read function says that it read %lld bytes of %lld", (long long)done,
                      (long long)count);
    bytes += done;
    count -= done;
  }
  return GAN_OK;
}

gan_status reader_read(struct reader *r, void *bytes, int64_t count) {
  REQUIRE(r->ctx, count >= 0, "%s: %lld bytes cannot be read", r->name, (long long)count);
  if (count == 0) return GAN_OK;
  if (r->left >= 0 && count > r->left) return fail_short(r, count - r->left);
  if (r->memory) {
    memcpy(bytes, r->memory, (size_t)count);
    r->memory += count;
  } else {
    TRY(read_loop(r, bytes, count));
  }
  if (r->left >= 0) r->left -= count;
  return GAN_OK;
}

gan_status reader_skip(struct reader *r, int64_t count) {
  if (r->left >= 0 && count > r->left) return fail_short(r, count - r->left);
  if (r->memory) {
    r->memory += count;
    r->left -= count;
    return GAN_OK;
  }
  uint8_t passed[4096];
  for (; count > 0; count -= (int64_t)sizeof passed)
    TRY(reader_read(r, passed, count < (int64_t)sizeof passed ? count : (int64_t)sizeof passed));
  return GAN_OK;
}

void reader_close(struct reader *r) {
  if (r->fd >= 0) r->sys->close(r->fd);
  r->fd = -1;
}
