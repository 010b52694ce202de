#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int64_t most = INT64_C(1) << 30; /* nothing that a test makes is larger: a larger size is one that overflowed */

void *allocator_allocate(void *user, int64_t size) {
  struct allocator *a = user;
  int64_t call = ++a->calls;
  void *memory;
  if (size <= 0 || size > most) return NULL;
  if (a->fail_at > 0 && (call == a->fail_at || (a->fail_on && call > a->fail_at))) return NULL;
  if (posix_memalign(&memory, 64, (size_t)size)) return NULL;
  memset(memory, 0xA5, (size_t)size); /* so that whoever reads before writing is found out */
  a->live++;
  a->bytes += size;
  return memory;
}

void allocator_release(void *user, void *memory, int64_t size) {
  struct allocator *a = user;
  memset(memory, 0x5A, (size_t)size);
  free(memory);
  a->live--;
  a->bytes -= size;
}

gan_context_config allocator_config(struct allocator *a) {
  gan_context_config c;
  gan_context_config_init(&c, sizeof c);
  c.allocate = allocator_allocate;
  c.release = allocator_release;
  c.allocator_user = a;
  c.threads = 1;
  return c;
}

int32_t test_every(void) {
  const char *n = getenv("GAN_TEST_EVERY");
  int32_t every = n ? atoi(n) : 1;
  return every > 0 ? every : 1;
}

void must(gan_context *ctx, gan_status status) {
  char text[1000];
  if (status == GAN_OK) return;
  gan_context_error(ctx, text, sizeof text, NULL);
  fail_msg("%s: %s", gan_status_text(status), text);
}

static int64_t allowed(const struct memory_file *f, int64_t count) {
  if (!f->fail_after || f->at + count <= f->fail_after) return count;
  return f->fail_after - f->at;
}

static int64_t memory_read(void *user, void *bytes, int64_t count) {
  struct memory_file *f = user;
  if (count > f->size - f->at) count = f->size - f->at;
  count = allowed(f, count);
  if (count > 0) memcpy(bytes, f->bytes + f->at, (size_t)count);
  f->at += count;
  return count;
}

static int64_t memory_write(void *user, const void *bytes, int64_t count) {
  struct memory_file *f = user;
  count = allowed(f, count);
  if (f->at + count > f->capacity) count = f->capacity - f->at; /* the disk is full */
  if (count > 0) memcpy(f->bytes + f->at, bytes, (size_t)count); /* an empty file may have no memory at all */
  f->at += count;
  if (f->size < f->at) f->size = f->at;
  return count;
}

gan_stream memory_stream(struct memory_file *file) {
  gan_stream s;
  gan_stream_init(&s, sizeof s);
  s.read = memory_read;
  s.write = memory_write;
  s.user = file;
  return s;
}
