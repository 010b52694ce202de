/* One step: load a batch; for every phase compute, check, ask the hook, commit. Nothing is allocated. */
#include "train/game.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------ trouble */

/* Keeps the sentence for the report, too: the context's may be overwritten by then. */
static gan_status stop(gan_game *g, const struct game_step *s, const struct game_phase *p, gan_status status, const char *what) {
  snprintf(g->trouble, sizeof g->trouble, "step '%s' (number %lld), phase '%s': %.800s", s->name, (long long)g->steps + 1,
           p->name, what);
  return gan_fail(g->ctx, status, "%s", g->trouble);
}

static gan_status not_finite(gan_game *g, const struct game_step *s, const struct game_phase *p, const char *what,
                             const char *when) {
  char sentence[ERROR_TEXT], first[512] = "";
  if (g->ctx->debug) step_first_bad(s, p->first_stage, first, sizeof first);
  snprintf(sentence, sizeof sentence, "%s is not finite%s; nothing of the phase was committed%s%s", what, when,
           *first ? "; " : "", first);
  return stop(g, s, p, GAN_ERROR_NOT_FINITE, sentence);
}

/* ------------------------------------------------------------------ the parts of a phase */

static gan_status check(gan_game *g, const struct game_step *s, struct game_phase *p, const char *when) {
  char what[256];
  return phase_is_finite(g, p, what, sizeof what) ? GAN_OK : not_finite(g, s, p, what, when);
}

static gan_status call_hook(gan_game *g, const struct game_step *s, const struct game_phase *p) {
  for (int64_t u = 0; u < p->n_updates; u++) {
    gan_optimizer *o = p->updates[u].optimizer;
    int32_t came = g->hook(g->hook_user, o->name, o->gradient->data, o->count);
    if (came == 0) continue;
    char what[256];
    snprintf(what, sizeof what, "the hook on the gradient of optimizer '%s' returned %d; nothing of the phase was committed",
             o->name, came);
    return stop(g, s, p, GAN_ERROR_CALLBACK, what);
  }
  return GAN_OK;
}

static void scale_gradient(const gan_game *g, gan_optimizer *o, float factor) {
  enum { BLOCK = 256 };
  float factors[BLOCK];
  for (int32_t i = 0; i < BLOCK; i++) factors[i] = factor;
  float *x = o->gradient->data;
  for (int64_t at = 0; at < o->count; at += BLOCK) {
    int64_t left = o->count - at;
    g->ctx->kernels->vec[VEC_MUL](x + at, x + at, factors, NULL, left < BLOCK ? left : BLOCK);
  }
}

static void clip_norm(const gan_game *g, const struct game_update *u) {
  double most = u->optimizer->clip_norm;
  if (most > 0 && u->norm > most) scale_gradient(g, u->optimizer, (float)(most / u->norm));
}

/* ------------------------------------------------------------------ gradients that wait */

static void add_gradient(const gan_game *g, gan_optimizer *o) {
  enum { BLOCK = 16384 };
  for (int64_t at = 0; at < o->count; at += BLOCK) {
    float *sum = o->sum->data + at;
    int64_t left = o->count - at;
    g->ctx->kernels->vec[VEC_ADD](sum, sum, o->gradient->data + at, NULL, left < BLOCK ? left : BLOCK);
  }
}

/* The mean of all gradients since the last step takes the place of this run's. */
static void take_mean(const gan_game *g, gan_optimizer *o) {
  memcpy(o->gradient->data, o->sum->data, sizeof(float) * (size_t)o->count);
  memset(o->sum->data, 0, sizeof(float) * (size_t)o->count);
  scale_gradient(g, o, (float)(1 / (double)(o->pending + 1)));
  o->pending = 0;
}

/* *waits = 1: the phase ends without a commit, since an optimizer of it has not seen enough gradients yet. */
static gan_status wait_for_more(gan_game *g, const struct game_step *s, struct game_phase *p, int32_t *waits) {
  int32_t sums = 0;
  *waits = 0;
  for (int64_t u = 0; u < p->n_updates; u++) *waits |= p->updates[u].optimizer->pending + 1 < p->updates[u].optimizer->accumulate;
  for (int64_t u = 0; u < p->n_updates; u++) {
    gan_optimizer *o = p->updates[u].optimizer;
    if (!o->sum) continue;
    sums = 1;
    add_gradient(g, o);
    if (*waits) o->pending++;
    else take_mean(g, o);
  }
  return sums && !*waits ? check(g, s, p, " in the mean of several runs") : GAN_OK;
}

/* What the commit reads from the host: rates and the number of the step. */
static void write_scalars(struct game_update *u) {
  u->used_rate = optimizer_next_rate(u->optimizer);
  if (u->fused) fused_adam_scalars(u->fused, u->optimizer);
  if (u->rate_at) *u->rate_at = (float)u->used_rate;
  if (u->step_at) *u->step_at = (float)(u->optimizer->step + 1);
}

/* As if every step ahead were the optimizer's next. */
static void write_ahead(const struct game_look *l) {
  int64_t step = l->optimizer->step + l->ahead;
  if (l->rate_at) *l->rate_at = (float)optimizer_rate_at(l->optimizer, step);
  if (l->step_at) *l->step_at = (float)(step + 1);
}

static void commit(gan_game *g, const struct game_step *s, struct game_phase *p, const struct environment *e) {
  for (int64_t stage = p->first_stage + 1; stage < p->end_stage; stage++) plan_run(s->plan, stage, g->ctx->pool, e);
  for (int64_t u = 0; u < p->n_updates; u++) p->updates[u].optimizer->step++;
}

static gan_status run_phase(gan_game *g, const struct game_step *s, struct game_phase *p, const struct environment *e) {
  for (int64_t u = 0; u < p->n_updates; u++) write_scalars(&p->updates[u]);
  for (int64_t i = 0; i < p->n_looks; i++) write_ahead(&p->looks[i]);
  plan_run(s->plan, p->first_stage, g->ctx->pool, e);
  TRY(check(g, s, p, ""));
  int32_t waits;
  TRY(wait_for_more(g, s, p, &waits));
  if (waits) return GAN_OK;
  if (g->hook && p->n_updates) {
    TRY(call_hook(g, s, p));
    TRY(check(g, s, p, " after the hook"));
  }
  for (int64_t u = 0; u < p->n_updates; u++) clip_norm(g, &p->updates[u]);
  commit(g, s, p, e);
  return GAN_OK;
}

/* ------------------------------------------------------------------ the step */

static gan_status run_phases(gan_game *g, struct game_step *s) {
  const struct environment e = {.kernels = g->ctx->kernels, .seed = (uint64_t)g->seed, .step = (uint64_t)g->steps};
  for (int32_t i = 0; i < s->n_phases; i++) {
    g->last_phase = i;
    s->phases_run = i + 1;
    TRY(run_phase(g, s, &s->phases[i], &e));
  }
  return GAN_OK;
}

/* A batch that led to numbers that are not finite is used up: the same one would lead there for ever. Where a callback failed,
 * the same step can be tried again. */
gan_status game_run_step(gan_game *g, struct game_step *s) {
  g->trouble[0] = 0;
  g->last_step = (int32_t)(s - g->step_list);
  g->last_phase = -1;
  gan_status status = step_load(g, s);
  if (status != GAN_OK) {
    snprintf(g->trouble, sizeof g->trouble, "%s", g->ctx->error);
    return status;
  }
  status = run_phases(g, s);
  if (status == GAN_OK) s->runs++;
  if (status == GAN_OK || status == GAN_ERROR_NOT_FINITE) step_advance(g, s);
  return status;
}

gan_status gan_game_run(gan_game *g, const char *step, int64_t count) {
  if (!g) return gan_fail_null(NULL, "gan_game_run", "game");
  REQUIRE(g->ctx, count >= 0, "gan_game_run: count %lld, expected at least 0", (long long)count);
  TRY(gan_game_prepare(g));
  struct game_step *s = game_find_step(g, step);
  if (!s) return GAN_ERROR_ARGUMENT;
  for (int64_t i = 0; i < count; i++) {
    if (game_take_cancel(g))
      return gan_fail(g->ctx, GAN_ERROR_CANCELLED, "game: cancelled before step %lld", (long long)g->steps + 1);
    TRY(game_run_step(g, s));
  }
  return GAN_OK;
}

gan_status gan_game_step(gan_game *g, const char *step) {
  return gan_game_run(g, step, 1);
}
