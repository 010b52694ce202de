/* A trainer at work: steps, progress. */
#include "train/trainer.h"

#include <math.h>
#include <time.h>

/* ------------------------------------------------------------------ time */

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void start(struct stopwatch *w) {
  *w = (struct stopwatch){.started = now()};
  w->last = w->started;
}

enum { SMOOTH_SECONDS = 3 };

/* Seconds a step, averaged over the last few seconds whatever a step takes; at first the mean of what there is. */
static void lap(struct stopwatch *w) {
  double at = now(), spent = at - w->last;
  double share = 1 - exp(-spent / SMOOTH_SECONDS), mean = 1 / (double)++w->timed;
  w->per_step += (share > mean ? share : mean) * (spent - w->per_step);
  w->last = at;
}

/* ------------------------------------------------------------------ progress */

int64_t trainer_steps_done(const gan_trainer *t) {
  return t->step_g->runs / t->optimizer_g->accumulate;
}

static double value_in(const struct game_step *s, const char *name) {
  const struct graph_output *o = graph_find_output(s->graph, name);
  const float *value = o && o->phase < s->phases_run ? plan_value(s->plan, o->node) : NULL;
  return value ? *value : NAN;
}

/* D's outputs are those of the step that ran last. */
static double output_of(const gan_trainer *t, const char *name) {
  double value = value_in(t->step_g, name);
  return isnan(value) ? value_in(t->step_d, name) : value;
}

static double norm_in(const struct game_step *s, const gan_optimizer *o) {
  for (int32_t i = 0; i < s->phases_run; i++)
    for (int64_t u = 0; u < s->phases[i].n_updates; u++)
      if (s->phases[i].updates[u].optimizer == o) return s->phases[i].updates[u].norm;
  return NAN;
}

static double norm_of(const gan_trainer *t, const gan_optimizer *o) {
  double norm = norm_in(t->step_g, o);
  return isnan(norm) ? norm_in(t->step_d, o) : norm;
}

void trainer_progress(const gan_trainer *t, gan_progress *out) {
  int64_t position = t->game->sources[0].position, done = trainer_steps_done(t), left = t->steps - done;
  double samples_a_step = done > 0 ? (double)position / (double)done : 0;
  *out = (gan_progress){
    .struct_size = sizeof *out, .step = done, .steps = t->steps, .samples = position,
    .epoch = (double)position / (double)t->data->count,
    .loss_d = output_of(t, "loss_d"), .loss_g = output_of(t, "loss_g"),
    .d_real = output_of(t, "d_real"), .d_fake = output_of(t, "d_fake"),
    .norm_d = norm_of(t, t->optimizer_d), .norm_g = norm_of(t, t->optimizer_g),
    .samples_per_second = t->watch.per_step > 0 ? samples_a_step / t->watch.per_step : 0,
    .seconds = t->watch.last - t->watch.started,
    .eta = left > 0 ? (double)left * t->watch.per_step : 0,
  };
}

gan_status gan_trainer_progress(const gan_trainer *t, gan_progress *progress) {
  if (!t) return gan_fail_null(NULL, "gan_trainer_progress", "trainer");
  REQUIRE(t->ctx, progress, "gan_trainer_progress: progress is NULL");
  gan_progress p;
  trainer_progress(t, &p);
  gan_status status = config_write(progress, progress->struct_size, &p, sizeof p);
  if (status == GAN_OK) return GAN_OK;
  return gan_fail(t->ctx, status, "gan_trainer_progress: struct_size is %lld; expected sizeof(gan_progress)",
                  (long long)progress->struct_size);
}

/* ------------------------------------------------------------------ steps */

static gan_status repeat(gan_trainer *t, struct game_step *s, int64_t count) {
  for (int64_t i = 0; i < count; i++) TRY(game_run_step(t->game, s));
  return GAN_OK;
}

/* What a schedule has for this step. */
static gan_status set_scalars(gan_trainer *t) {
  for (int32_t i = 0; i < t->devices.count; i++) {
    const struct device *d = &t->devices.list[i];
    char name[64];
    if (!d->row->value) continue;
    device_scalar_name(d, name, sizeof name);
    TRY(gan_game_set(t->game, name, d->row->value(d, trainer_steps_done(t))));
  }
  return GAN_OK;
}

/* Penalties that are due once in so many steps. */
static gan_status run_rare(gan_trainer *t) {
  for (int32_t i = 0; i < t->n_terms; i++) {
    const struct trainer_term *term = &t->terms[i];
    const gan_optimizer *o = loss_concerns(term->loss, GAN_SIDE_D) ? t->optimizer_d : t->optimizer_g;
    if (term->step && trainer_steps_done(t) % term->every == 0) TRY(repeat(t, term->step, o->accumulate));
  }
  return GAN_OK;
}

/* "DG" has D's last step in it; where gradients are accumulated, D's steps are done before the first run of G's. */
static gan_status run_step(gan_trainer *t) {
  int32_t both = t->joint || t->step_g->n_phases > 1;
  TRY(set_scalars(t));
  for (int32_t i = both; i < t->d_steps; i++) TRY(repeat(t, t->step_d, t->optimizer_d->accumulate));
  TRY(repeat(t, t->step_g, t->optimizer_g->accumulate));
  return run_rare(t);
}

static gan_status take_cancel(gan_trainer *t) {
  if (!game_take_cancel(t->game)) return GAN_OK;
  return gan_fail(t->ctx, GAN_ERROR_CANCELLED, "trainer: cancelled after step %lld", (long long)trainer_steps_done(t));
}

gan_status gan_trainer_step(gan_trainer *t) {
  if (!t) return gan_fail_null(NULL, "gan_trainer_step", "trainer");
  TRY(take_cancel(t));
  return run_step(t);
}

static gan_status show(gan_trainer *t) {
  int64_t step = trainer_steps_done(t);
  if (!t->progress || (step % t->progress_every != 0 && step < t->steps)) return GAN_OK;
  gan_progress p;
  trainer_progress(t, &p);
  int32_t came = t->progress(t->progress_user, t, &p);
  return came == 0 ? GAN_OK : gan_fail(t->ctx, GAN_ERROR_CALLBACK, "trainer: the progress callback returned %d", came);
}

static gan_status run_all(gan_trainer *t) {
  start(&t->watch);
  while (trainer_steps_done(t) < t->steps) {
    TRY(take_cancel(t));
    TRY(run_step(t));
    lap(&t->watch);
    TRY(show(t));
  }
  return trainer_settle(t);
}

/* The callback may drop the last handle of the trainer. */
gan_status gan_trainer_run(gan_trainer *t) {
  if (!t) return gan_fail_null(NULL, "gan_trainer_run", "trainer");
  atomic_fetch_add(&t->refs, 1);
  gan_status status = run_all(t);
  gan_trainer_free(t);
  return status;
}
