/* A context's life: its configuration, its references, its end. */
#include "base/context.h"

#include <string.h>

#include "base/memory.h"
#include "base/pool.h"
#include "base/registry.h"
#include "base/text.h"

enum { THREADS_MAX = 1024 };

/* ------------------------------------------------------------------ config structs, which grow at their end */

enum { CONFIG_BYTES_MAX = 4096 /* more than any will have: a size beyond is memory that was never initialised */ };

static int32_t config_size_is_sane(int64_t size) {
  return size >= 8 && size <= CONFIG_BYTES_MAX && size % 8 == 0;
}

gan_status config_read(gan_context *ctx, const char *what, void *to, int64_t known, const void *from) {
  int64_t size;
  memcpy(&size, from, sizeof size);
  REQUIRE(ctx, config_size_is_sane(size), "%s: struct_size is %lld; fill the struct with its init function first", what,
          (long long)size);
  const uint8_t *bytes = from;
  for (int64_t i = known; i < size; i++)
    REQUIRE(ctx, !bytes[i], "%s: asks for something that this version, %s, does not know of (byte %lld is not 0)", what,
            gan_version_text(), (long long)i);
  memcpy(to, from, (size_t)(size < known ? size : known));
  memcpy(to, &known, sizeof known);
  return GAN_OK;
}

gan_status config_write(void *to, int64_t size, const void *from, int64_t known) {
  if (!to || !config_size_is_sane(size)) return GAN_ERROR_ARGUMENT;
  memset(to, 0, (size_t)size);
  memcpy(to, from, (size_t)(size < known ? size : known));
  memcpy(to, &size, sizeof size);
  return GAN_OK;
}

static gan_context_config config_defaults(void) {
  return (gan_context_config){
    .struct_size = sizeof(gan_context_config),
    .seed = 1,
    .blas = GAN_BLAS_OWN,
    .isa = GAN_ISA_BEST,
  };
}

gan_status gan_context_config_init(gan_context_config *config, int64_t size) {
  gan_context_config defaults = config_defaults();
  return config_write(config, size, &defaults, sizeof defaults);
}

static gan_status config_check(gan_context *ctx, const gan_context_config *c) {
  REQUIRE(ctx, c->memory_limit >= 0, "context: memory_limit is %lld; expected bytes, or 0 for none", (long long)c->memory_limit);
  REQUIRE(ctx, c->threads >= 0 && c->threads <= THREADS_MAX, "context: threads is %d; expected 0 (all cores) .. %d", c->threads,
          THREADS_MAX);
  REQUIRE(ctx, c->deterministic == 0 || c->deterministic == 1, "context: deterministic is %d; expected 0 or 1", c->deterministic);
  REQUIRE(ctx, c->blas >= GAN_BLAS_OWN && c->blas <= GAN_BLAS_OFF, "context: blas is %d; expected one of GAN_BLAS_*", c->blas);
  REQUIRE(ctx, c->isa >= GAN_ISA_BEST && c->isa <= GAN_ISA_AVX512, "context: isa is %d; expected one of GAN_ISA_*", c->isa);
  REQUIRE(ctx, c->debug == 0 || c->debug == 1, "context: debug is %d; expected 0 or 1", c->debug);
  REQUIRE(ctx, c->reserved == 0, "context: reserved is %d; expected 0", c->reserved);
  return GAN_OK;
}

/* ------------------------------------------------------------------ life */

static void context_fill(gan_context *ctx, const gan_context_config *c) {
  atomic_init(&ctx->refs, 1);
  atomic_init(&ctx->used, (long long)sizeof *ctx);
  atomic_init(&ctx->peak, (long long)sizeof *ctx);
  atomic_init(&ctx->allocations, 1);
  ctx->allocate = c->allocate;
  ctx->release = c->release;
  ctx->allocator_user = c->allocator_user;
  ctx->log = c->log;
  ctx->log_user = c->log_user;
  ctx->memory_limit = c->memory_limit;
  ctx->seed = c->seed;
  ctx->threads = c->threads;
  ctx->deterministic = c->deterministic;
  ctx->blas = c->blas;
  ctx->isa = c->isa;
  ctx->debug = c->debug;
}

gan_status context_new(const gan_context_config *config, gan_context **out) {
  if (!out) return GAN_ERROR_ARGUMENT;
  gan_context_config c = config_defaults();
  if (config) TRY(config_read(NULL, "context", &c, sizeof c, config));
  if (!c.allocate != !c.release) return GAN_ERROR_ARGUMENT;
  if (!c.allocate) c.allocate = memory_default_allocate, c.release = memory_default_release;
  if (c.memory_limit > 0 && c.memory_limit < (int64_t)sizeof(gan_context)) return GAN_ERROR_MEMORY;

  gan_context *ctx = c.allocate(c.allocator_user, sizeof *ctx);
  if (!ctx) return GAN_ERROR_MEMORY;
  memset(ctx, 0, sizeof *ctx);
  context_fill(ctx, &c);
  gan_status status = config_check(ctx, &c);
  if (status != GAN_OK) {
    context_log(ctx, GAN_LOG_WARNING, "%s", ctx->error);
    context_unref(ctx);
    return status;
  }
  *out = ctx;
  return GAN_OK;
}

gan_context *context_ref(gan_context *ctx) {
  atomic_fetch_add_explicit(&ctx->refs, 1, memory_order_relaxed);
  return ctx;
}

void context_unref(gan_context *ctx) {
  if (!ctx || atomic_fetch_sub_explicit(&ctx->refs, 1, memory_order_acq_rel) != 1) return;
  pool_free(ctx->pool);
  registry_free(ctx);
  if (ctx->on_free) ctx->on_free(ctx);
  ctx->release(ctx->allocator_user, ctx, sizeof *ctx);
}

void gan_context_free(gan_context *context) {
  context_unref(context);
}

/* ------------------------------------------------------------------ what a caller asks */

/* Neither the question nor a mistake in it may change the answer, so no sentence is recorded here. */
gan_status gan_context_error(const gan_context *context, char *text, int64_t capacity, int64_t *needed) {
  return text_copy_out(NULL, context ? context->error : "", text, capacity, needed);
}

gan_status gan_context_memory(const gan_context *context, int64_t *used, int64_t *peak, int64_t *allocations) {
  if (!context) return GAN_ERROR_ARGUMENT;
  if (used) *used = atomic_load(&context->used);
  if (peak) *peak = atomic_load(&context->peak);
  if (allocations) *allocations = atomic_load(&context->allocations);
  return GAN_OK;
}
