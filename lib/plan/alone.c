/* Plans that stand alone. */
#include "plan/alone.h"

gan_status plan_alone_create(gan_graph *graph, const char *name, int64_t n_roots, const struct plan_root *roots,
                             struct plan_alone *out) {
  gan_context *ctx = graph->ctx;
  struct plan_stage stage = {.name = name, .n_roots = n_roots, .roots = roots};
  struct plan_config config = {.ctx = ctx, .graph = graph, .n_stages = 1, .stages = &stage, .optimize = 1};
  *out = (struct plan_alone){.ctx = ctx};
  TRY(plan_create(&config, &out->plan));
  out->arena_bytes = (size_t)plan_arena_bytes(out->plan);
  out->scratch_bytes = (size_t)plan_scratch_bytes(out->plan, pool_threads(ctx->pool));
  out->arena = context_zalloc(ctx, out->arena_bytes);
  out->scratch = context_zalloc(ctx, out->scratch_bytes);
  if (!out->arena || !out->scratch) return GAN_ERROR_MEMORY;
  plan_bind(out->plan, out->arena, out->scratch);
  return GAN_OK;
}

void plan_alone_run(const struct plan_alone *p, int64_t seed, int64_t step) {
  const struct environment e = {.kernels = p->ctx->kernels, .seed = (uint64_t)seed, .step = (uint64_t)step};
  plan_run(p->plan, 0, p->ctx->pool, &e);
}

void plan_alone_free(struct plan_alone *p) {
  plan_free(p->plan);
  if (!p->ctx) return;
  context_release(p->ctx, p->arena, p->arena_bytes);
  context_release(p->ctx, p->scratch, p->scratch_bytes);
}
