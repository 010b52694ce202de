/* The context: memory, errors, log, settings, thread pool and kernel table. Everything else is made from one. */
#ifndef GAN_BASE_CONTEXT_H
#define GAN_BASE_CONTEXT_H

#include <stdatomic.h>
#include <stddef.h>
#include "gan.h"

struct kernels;
struct pool;
struct registry;   /* custom layers and losses; owned by the nn and train floors through base/registry.h */

enum { ERROR_TEXT = 1024 };

struct gan_context {
  atomic_int refs;                 /* the caller's handle and everything made from this context */
  gan_allocate allocate;
  gan_release release;
  void *allocator_user;
  gan_log_function log;
  void *log_user;
  int64_t memory_limit;
  atomic_llong used, peak, allocations;
  int64_t seed;
  int32_t threads, deterministic, blas, isa, debug;
  int32_t owns_blas_setting;       /* this context counts in the guard of kernels/runtime.c */
  const struct kernels *kernels;
  struct pool *pool;
  struct registry *registry;
  atomic_int unnamed_layers;       /* made outside of networks so far: numbered, so that their initial weights differ */
  void (*on_free)(gan_context *ctx); /* what floors above must undo when the context goes; NULL: nothing */
  char error[ERROR_TEXT];
};

/* A context by a config (NULL: defaults), without kernels and threads: gan_context_create adds them. A config that is refused
 * says why in the log, for there is no context yet to ask. */
gan_status context_new(const gan_context_config *config, gan_context **out);

/* References: everything made from a context holds one. The last one out frees memory, threads and registry. */
gan_context *context_ref(gan_context *ctx);
void context_unref(gan_context *ctx);

/* Memory, 64-byte aligned. NULL on failure, after gan_fail(MEMORY). size 0 gives a valid pointer. Counted against memory_limit. */
void *context_alloc(gan_context *ctx, size_t size);
void *context_zalloc(gan_context *ctx, size_t size);
void context_release(gan_context *ctx, void *memory, size_t size);      /* memory may be NULL */
char *context_strdup(gan_context *ctx, const char *text);               /* release with context_strfree */
void context_strfree(gan_context *ctx, char *text);
/* Grows an array that has room for *capacity elements to hold at least `need`; keeps content, updates *capacity. */
gan_status context_grow(gan_context *ctx, void **array, int64_t *capacity, int64_t need, size_t element);

/* Records the sentence of a failure and returns the status: return gan_fail(ctx, GAN_ERROR_SHAPE, "dense: expected ..."). ctx may
 * be NULL. Formats: the usual printf ones; numbers in text by base/text.h where a locale could matter. */
gan_status gan_fail(gan_context *ctx, gan_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* For a handle that is NULL: the sentence "gan_tensor_copy: target is NULL", unless one is there already: the root cause stays. */
gan_status gan_fail_null(gan_context *ctx, const char *function, const char *parameter);
void context_log(gan_context *ctx, int32_t level, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The two lines that almost every function needs. */
#define TRY(expression) do { gan_status try_status = (expression); if (try_status != GAN_OK) return try_status; } while (0)
#define REQUIRE(ctx, condition, ...) do { if (!(condition)) return gan_fail((ctx), GAN_ERROR_ARGUMENT, __VA_ARGS__); } while (0)

/* a * b and a + b of sizes, or -1 on overflow or if either is negative. */
int64_t size_mul(int64_t a, int64_t b);
int64_t size_add(int64_t a, int64_t b);

/* Reads a config of the caller's version into ours: size bytes at `from`, ours has `known`; unknown tail must be zero. `to` holds
 * our defaults before, for what an older caller does not know of. */
gan_status config_read(gan_context *ctx, const char *what, void *to, int64_t known, const void *from);
/* The other way: fills the caller's struct of `size` bytes from ours of `known`, sets its struct_size, zeroes what we do not know. */
gan_status config_write(void *to, int64_t size, const void *from, int64_t known);

#endif
