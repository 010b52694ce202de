/* Bytes out. A file comes into being whole or not at all: it is written beside its place, synced, and then renamed. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "io/io.h"

enum { ATTEMPTS = 1000, SUFFIX = 16 /* ".tmp-0000" and some */ };
static const int64_t PIECE = INT64_C(1) << 30; /* of one call: more than 2^31 is refused by some systems */

/* ------------------------------------------------------------------ opening */

static void release_paths(struct writer *w) {
  if (w->temporary) context_release(w->ctx, w->temporary, strlen(w->path) + SUFFIX);
  context_strfree(w->ctx, w->path);
  w->path = w->temporary = NULL;
}

/* Another process that saves to the same place, or one that died while it did, has a number of its own. */
static int32_t open_temporary(struct writer *w) {
  int32_t fd = -EEXIST;
  for (int32_t i = 0; fd == -EEXIST && i < ATTEMPTS; i++) {
    snprintf(w->temporary, strlen(w->path) + SUFFIX, "%s.tmp-%04d", w->path, i);
    fd = w->sys->open(w->temporary, 1);
  }
  return fd;
}

gan_status writer_open(struct writer *w, gan_context *ctx, const struct io_system *sys, const char *path) {
  *w = (struct writer){.ctx = ctx, .sys = sys, .fd = -1, .failed = GAN_ERROR_ARGUMENT};
  REQUIRE(ctx, path && *path, "a path is needed to write to");
  w->path = context_strdup(ctx, path);
  w->temporary = w->path ? context_alloc(ctx, strlen(path) + SUFFIX) : NULL;
  if (!w->temporary) {
    release_paths(w);
    return w->failed = GAN_ERROR_MEMORY;
  }
  int32_t fd = open_temporary(w);
  if (fd < 0) {
    w->failed = gan_fail(ctx, GAN_ERROR_FILE, "%s cannot be created: %s (error %d)", w->temporary, io_error_text(fd), -fd);
    release_paths(w);
    return w->failed;
  }
  w->fd = fd;
  return w->failed = GAN_OK;
}

gan_status writer_stream(struct writer *w, gan_context *ctx, const gan_stream *stream) {
  *w = (struct writer){.ctx = ctx, .fd = -1, .stream = stream, .failed = GAN_ERROR_ARGUMENT};
  gan_stream ours;
  memset(&ours, 0, sizeof ours);
  REQUIRE(ctx, stream, "stream is NULL");
  TRY(config_read(ctx, "stream", &ours, sizeof ours, stream));
  REQUIRE(ctx, ours.write, "the stream has no write function");
  return w->failed = GAN_OK;
}

/* ------------------------------------------------------------------ writing */

static gan_status fail_write(struct writer *w, int64_t done, int64_t count) {
  if (w->stream && done < 0)
    return gan_fail(w->ctx, GAN_ERROR_FILE, "the stream's write function reports an error (%lld)", (long long)done);
  if (w->stream)
    return gan_fail(w->ctx, GAN_ERROR_FILE, "the stream's write function says that it wrote %lld bytes of %lld", (long long)done,
                    (long long)count);
  if (done >= 0) done = -ENOSPC;
  return gan_fail(w->ctx, GAN_ERROR_FILE, "%s cannot be written: %s (error %lld)", w->path, io_error_text(done),
                  (long long)-done);
}

gan_status writer_write(struct writer *w, const void *bytes, int64_t count) {
  const uint8_t *from = bytes;
  while (w->failed == GAN_OK && count > 0) {
    int64_t piece = count < PIECE ? count : PIECE;
    int64_t done = w->stream ? w->stream->write(w->stream->user, from, piece) : w->sys->write(w->fd, from, piece);
    if (done <= 0 || done > piece) w->failed = fail_write(w, done, piece);
    else from += done, count -= done;
  }
  return w->failed;
}

/* ------------------------------------------------------------------ the end */

static int32_t close_file(struct writer *w) {
  int32_t problem = w->fd >= 0 ? w->sys->close(w->fd) : 0;
  w->fd = -1;
  return problem;
}

void writer_abandon(struct writer *w) {
  if (!w->path) return;
  close_file(w);
  w->sys->remove(w->temporary);
  release_paths(w);
}

/* Some file systems report a full disk only at the sync, or at the close. */
static gan_status put_in_place(struct writer *w) {
  int32_t problem = w->sys->sync(w->fd), closed = close_file(w);
  if (problem == 0) problem = closed;
  if (problem < 0) return fail_write(w, problem, 0);
  problem = w->sys->rename(w->temporary, w->path);
  if (problem == 0) return GAN_OK;
  return gan_fail(w->ctx, GAN_ERROR_FILE, "%s cannot be put in its place: %s (error %d)", w->path, io_error_text(problem),
                  -problem);
}

gan_status writer_commit(struct writer *w) {
  if (!w->path) return w->failed;
  if (w->failed == GAN_OK) w->failed = put_in_place(w);
  if (w->failed != GAN_OK) {
    writer_abandon(w);
    return w->failed;
  }
  int32_t problem = w->sys->sync_directory(w->path);
  if (problem < 0)
    w->failed = gan_fail(w->ctx, GAN_ERROR_FILE, "%s is written, but its folder cannot be synced: %s (error %d)", w->path,
                         io_error_text(problem), -problem);
  release_paths(w);
  return w->failed;
}
