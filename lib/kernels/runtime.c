#include "kernels/runtime.h"

#include <pthread.h>
#include <stdio.h>

#include "base/cpu.h"
#include "base/pool.h"
#include "base/text.h"
#include "kernels/kernels.h"

/* ------------------------------------------------------------------ BLAS's thread count: the only state of the whole process */

static pthread_mutex_t blas_mutex = PTHREAD_MUTEX_INITIALIZER;
static int32_t blas_owners, blas_threads_before;

static void blas_own(void) {
  pthread_mutex_lock(&blas_mutex);
  if (blas_owners++ == 0) {
    blas_threads_before = blas_get_threads();
    if (blas_threads_before > 1) blas_set_threads(1);
  }
  pthread_mutex_unlock(&blas_mutex);
}

static void blas_give_back(gan_context *ctx) {
  (void)ctx;
  pthread_mutex_lock(&blas_mutex);
  if (--blas_owners == 0 && blas_threads_before > 1) blas_set_threads(blas_threads_before);
  pthread_mutex_unlock(&blas_mutex);
}

/* A BLAS promises nothing about the order of its sums, so deterministic contexts do without, and leave its setting alone. */
static void set_up_blas(gan_context *ctx) {
  if (ctx->deterministic || !blas_available()) ctx->blas = GAN_BLAS_OFF;
  if (ctx->blas != GAN_BLAS_OWN) return;
  blas_own();
  ctx->owns_blas_setting = 1;
  ctx->on_free = blas_give_back;
}

int32_t runtime_may_use_blas(const gan_context *ctx) {
  return ctx->blas == GAN_BLAS_OWN || (ctx->blas == GAN_BLAS_LEAVE && blas_get_threads() == 1);
}

/* ------------------------------------------------------------------ contexts */

static gan_status set_up(gan_context *ctx) {
  static const char *const names[] = {"baseline", "AVX2 with FMA", "AVX-512"};
  ctx->kernels = kernels_select(ctx->isa);
  if (!ctx->kernels)
    return gan_fail(ctx, GAN_ERROR_UNSUPPORTED, "context: isa asks for %s, which this %s has not got", names[ctx->isa],
                    cpu_supports(ctx->isa) ? "build" : "processor");
  ctx->isa = ctx->kernels->isa;
  if (ctx->threads == 0) ctx->threads = cpu_cores();
  TRY(pool_create(ctx, ctx->threads, &ctx->pool));
  set_up_blas(ctx);
  return GAN_OK;
}

gan_status gan_context_create(const gan_context_config *config, gan_context **context) {
  if (!context) return GAN_ERROR_ARGUMENT;
  gan_context *ctx;
  TRY(context_new(config, &ctx));
  gan_status status = set_up(ctx);
  if (status != GAN_OK) {
    context_log(ctx, GAN_LOG_WARNING, "%s", ctx->error);
    context_unref(ctx);
    return status;
  }
  *context = ctx;
  return GAN_OK;
}

gan_status gan_context_describe(const gan_context *context, char *text, int64_t capacity, int64_t *needed) {
  static const char *const how[] = {"", " (left as it is)", ""};
  if (!context) return GAN_ERROR_ARGUMENT;
  int32_t off = context->blas == GAN_BLAS_OFF;
  char line[256];
  snprintf(line, sizeof line, "libgan %s, %s, %d thread%s, %s%s%s%s", gan_version_text(), context->kernels->name,
           context->threads, context->threads == 1 ? "" : "s", off ? "built-in products" : blas_name(), how[context->blas],
           context->deterministic ? ", deterministic" : "", context->debug ? ", debug" : "");
  return text_copy_out((gan_context *)context /* only for the sentence of a failure */, line, text, capacity, needed);
}
