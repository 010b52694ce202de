/* Every read, write, sync and rename of the library goes through one table, so that tests can make each of them fail. */
#ifndef GAN_IO_IO_H
#define GAN_IO_IO_H

#include "base/context.h"

/* The calls that touch the system. Each returns 0 or a count, or a negative errno. */
struct io_system {
  int32_t (*open)(const char *path, int32_t write);                 /* descriptor; for writing: created anew, exclusive */
  int64_t (*read)(int32_t fd, void *bytes, int64_t count);
  int64_t (*write)(int32_t fd, const void *bytes, int64_t count);
  int64_t (*size)(int32_t fd);                                      /* -1 if it has none (pipe) */
  int32_t (*sync)(int32_t fd);
  int32_t (*close)(int32_t fd);
  int32_t (*rename)(const char *from, const char *to);
  int32_t (*remove)(const char *path);
  int32_t (*sync_directory)(const char *path_of_file);
};

const struct io_system *io_system(void);            /* POSIX; const */
const char *io_error_text(int64_t problem);         /* a few words, in no language but English; problem: an errno, or its negative */

/* A source of bytes: file, memory or the caller's stream. left: bytes known to remain, or -1. */
struct reader {
  gan_context *ctx;
  const struct io_system *sys;
  int32_t fd;                      /* -1: none */
  const uint8_t *memory;           /* NULL: none */
  const gan_stream *stream;        /* NULL: none */
  int64_t left;
  const char *name;                /* for messages: the path, "memory", "stream" */
};

gan_status reader_open(struct reader *r, gan_context *ctx, const struct io_system *sys, const char *path);
gan_status reader_memory(struct reader *r, gan_context *ctx, const void *bytes, int64_t size);
gan_status reader_stream(struct reader *r, gan_context *ctx, const gan_stream *stream);
gan_status reader_read(struct reader *r, void *bytes, int64_t count);    /* all of it, or FORMAT (ends early) or FILE */
gan_status reader_skip(struct reader *r, int64_t count);                 /* passes over bytes; fails as reader_read */
void reader_close(struct reader *r);

/* A sink. By path: writes PATH.tmp-XXXX beside it, and writer_commit() syncs, renames and syncs the folder. */
struct writer {
  gan_context *ctx;
  const struct io_system *sys;
  int32_t fd;
  const gan_stream *stream;
  char *path, *temporary;
  gan_status failed;
};

gan_status writer_open(struct writer *w, gan_context *ctx, const struct io_system *sys, const char *path);
gan_status writer_stream(struct writer *w, gan_context *ctx, const gan_stream *stream);
gan_status writer_write(struct writer *w, const void *bytes, int64_t count);
gan_status writer_commit(struct writer *w);      /* closes; on failure removes the temporary file */
void writer_abandon(struct writer *w);           /* after a failure; idempotent */

#endif
