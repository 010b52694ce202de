/* What several tests of the public functions share: an allocator that counts and fails on demand, and small objects. */
#ifndef GAN_TESTS_SUPPORT_H
#define GAN_TESTS_SUPPORT_H

#include "gan.h"

/* An allocator of its own for each context that uses it; thread-safe. */
struct allocator {
  _Atomic int64_t calls, live, bytes; /* allocations so far, not yet released, and their bytes */
  int64_t fail_at;                    /* the allocation of this number fails (from 1); 0: none */
  int32_t fail_on;                    /* 1: and all after it */
};

void *allocator_allocate(void *user, int64_t size);
void allocator_release(void *user, void *memory, int64_t size);

/* Defaults, one thread, this allocator. */
gan_context_config allocator_config(struct allocator *a);

/* Long tests take every n-th of their cases where they are slow: under a sanitizer tests/run.sh sets GAN_TEST_EVERY=n. */
int32_t test_every(void);

/* Prints the context's sentence and fails the test if status is not OK. */
void must(gan_context *ctx, gan_status status);

/* A file of the caller's in memory. */
struct memory_file {
  char *bytes;
  int64_t size, capacity, at;
  int64_t fail_after; /* bytes after which reading and writing fail; 0: never */
};
gan_stream memory_stream(struct memory_file *file);

#endif
