/* From graphs to plans: all are made at once and share one arena and one scratch, as they never run together. */
#include "train/game.h"

#include <string.h>

/* ------------------------------------------------------------------ plans */

/* LEAVE uses BLAS only while it reports one thread: our threads would multiply with its own. */
static int32_t may_use_blas(const gan_context *ctx) {
  if (ctx->deterministic || ctx->blas == GAN_BLAS_OFF || !blas_available()) return 0;
  return ctx->blas == GAN_BLAS_OWN || blas_get_threads() == 1;
}

static gan_status make_plan(const gan_game *g, struct game_step *s) {
  if (s->plan) return GAN_OK;
  struct plan_config config = {
    .ctx = g->ctx, .graph = s->graph, .n_stages = s->n_stages, .stages = s->stages,
    .use_blas = may_use_blas(g->ctx), .optimize = !g->ctx->debug, .debug = g->ctx->debug,
  };
  return plan_create(&config, &s->plan);
}

static int64_t most(int64_t a, int64_t b) {
  return a > b ? a : b;
}

static int64_t most_pieces(const gan_game *g) {
  int64_t n = 1;
  for (int64_t i = 0; game_optimizer_at(g, i); i++) n = most(n, sum_pieces(game_optimizer_at(g, i)->count));
  return n;
}

static gan_status make_memory(gan_game *g) {
  int64_t arena = 0, scratch = 0;
  for (int64_t i = 0; i < g->n_steps; i++) {
    arena = most(arena, plan_arena_bytes(g->step_list[i].plan));
    scratch = most(scratch, plan_scratch_bytes(g->step_list[i].plan, pool_threads(g->ctx->pool)));
  }
  g->arena_bytes = arena;
  g->scratch_bytes = scratch;
  g->n_partial = most_pieces(g);
  g->arena = context_zalloc(g->ctx, (size_t)arena);
  g->scratch = context_zalloc(g->ctx, (size_t)scratch);
  g->indices = context_zalloc(g->ctx, sizeof *g->indices * (size_t)g->batch);
  g->partial = context_zalloc(g->ctx, sizeof *g->partial * (size_t)g->n_partial);
  return g->arena && g->scratch && g->indices && g->partial ? GAN_OK : GAN_ERROR_MEMORY;
}

void game_unplan(gan_game *g) {
  for (int64_t i = 0; i < g->n_steps; i++) {
    struct game_step *s = &g->step_list[i];
    step_disconnect(g, s);
    if (s->plan) plan_free(s->plan);
    s->plan = NULL;
  }
  context_release(g->ctx, g->arena, (size_t)g->arena_bytes);
  context_release(g->ctx, g->scratch, (size_t)g->scratch_bytes);
  context_release(g->ctx, g->indices, sizeof *g->indices * (size_t)g->batch);
  context_release(g->ctx, g->partial, sizeof *g->partial * (size_t)g->n_partial);
  g->arena = g->scratch = g->indices = NULL;
  g->partial = NULL;
  g->prepared = 0;
}

/* ------------------------------------------------------------------ optimizers of a game */

static gan_optimizer *update_at(const gan_game *g, int64_t index) {
  for (int64_t k = 0; k < g->n_steps; k++) {
    const struct game_step *s = &g->step_list[k];
    for (int32_t p = 0; p < s->n_phases; p++) {
      if (index < s->phases[p].n_updates) return s->phases[p].updates[index].optimizer;
      index -= s->phases[p].n_updates;
    }
  }
  return NULL;
}

static int32_t came_before(const gan_game *g, int64_t index, const gan_optimizer *o) {
  for (int64_t i = 0; i < index; i++)
    if (update_at(g, i) == o) return 1;
  return 0;
}

gan_optimizer *game_optimizer_at(const gan_game *g, int64_t index) {
  for (int64_t i = 0;; i++) {
    gan_optimizer *o = update_at(g, i);
    if (!o || (!came_before(g, i, o) && index-- == 0)) return o;
  }
}

static gan_status check_names(const gan_game *g) {
  for (int64_t i = 0; game_optimizer_at(g, i); i++)
    for (int64_t j = 0; j < i; j++)
      REQUIRE(g->ctx, strcmp(game_optimizer_at(g, i)->name, game_optimizer_at(g, j)->name) != 0,
              "game: two optimizers are named '%s'", game_optimizer_at(g, i)->name);
  return GAN_OK;
}

/* ------------------------------------------------------------------ prepare */

/* Puts the step's name before what went wrong in it. */
static gan_status in_step(const gan_game *g, const struct game_step *s, gan_status status) {
  char sentence[ERROR_TEXT];
  if (status == GAN_OK || status == GAN_ERROR_MEMORY) return status;
  strcpy(sentence, g->ctx->error);
  return gan_fail(g->ctx, status, "step '%s': %.900s", s->name, sentence);
}

static gan_status prepare(gan_game *g) {
  for (int64_t i = 0; i < g->n_steps; i++) TRY(in_step(g, &g->step_list[i], step_emit(g, &g->step_list[i])));
  TRY(check_names(g));
  for (int64_t i = 0; i < g->n_steps; i++) TRY(in_step(g, &g->step_list[i], make_plan(g, &g->step_list[i])));
  TRY(make_memory(g));
  for (int64_t i = 0; i < g->n_steps; i++) {
    plan_bind(g->step_list[i].plan, g->arena, g->scratch);
    TRY(step_connect(g, &g->step_list[i]));
  }
  return GAN_OK;
}

gan_status gan_game_prepare(gan_game *g) {
  if (!g) return gan_fail_null(NULL, "gan_game_prepare", "game");
  if (g->prepared) return GAN_OK;
  gan_status status = prepare(g);
  if (status != GAN_OK) game_unplan(g);
  g->prepared = status == GAN_OK;
  return status;
}

/* ------------------------------------------------------------------ cost */

gan_status gan_game_cost(gan_game *g, const char *step, int64_t *bytes, int64_t *flops) {
  if (!g) return gan_fail_null(NULL, "gan_game_cost", "game");
  TRY(gan_game_prepare(g));
  int64_t all_bytes = g->arena_bytes + g->scratch_bytes, all_flops = 0;
  if (step) {
    const struct game_step *s = game_find_step(g, step);
    if (!s) return GAN_ERROR_ARGUMENT;
    all_bytes = plan_arena_bytes(s->plan) + plan_scratch_bytes(s->plan, pool_threads(g->ctx->pool)) + plan_kept_bytes(s->plan);
    all_flops = plan_flops(s->plan);
  }
  for (int64_t i = 0; !step && i < g->n_steps; i++) {
    all_bytes += plan_kept_bytes(g->step_list[i].plan);
    all_flops += plan_flops(g->step_list[i].plan);
  }
  if (bytes) *bytes = all_bytes;
  if (flops) *flops = all_flops;
  return GAN_OK;
}
