/* A trainer at work: steps, progress, samples. */
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

static double output_of(const gan_trainer *t, const char *name) {
  const struct graph_output *o = graph_find_output(t->step_dg->graph, name);
  const float *value = o && o->phase < t->step_dg->phases_run ? plan_value(t->step_dg->plan, o->node) : NULL;
  return value ? *value : NAN;
}

static double norm_of(const gan_trainer *t, int32_t phase) {
  return phase < t->step_dg->phases_run ? t->step_dg->phases[phase].updates[0].norm : NAN;
}

void trainer_progress(const gan_trainer *t, gan_progress *out) {
  int64_t position = t->game->sources[0].position, left = t->steps - t->step_dg->runs;
  double samples_a_step = (double)(t->game->batch * t->d_steps);
  *out = (gan_progress){
    .struct_size = sizeof *out, .step = t->step_dg->runs, .steps = t->steps, .samples = position,
    .epoch = (double)position / (double)t->data->count,
    .loss_d = output_of(t, "loss_d"), .loss_g = output_of(t, "loss_g"),
    .d_real = output_of(t, "d_real"), .d_fake = output_of(t, "d_fake"),
    .norm_d = norm_of(t, 0), .norm_g = norm_of(t, 1),
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

static gan_status run_step(gan_trainer *t) {
  for (int32_t i = 1; i < t->d_steps; i++) TRY(game_run_step(t->game, t->step_d));
  return game_run_step(t->game, t->step_dg);
}

static gan_status take_cancel(gan_trainer *t) {
  if (!game_take_cancel(t->game)) return GAN_OK;
  return gan_fail(t->ctx, GAN_ERROR_CANCELLED, "trainer: cancelled after step %lld", (long long)t->step_dg->runs);
}

gan_status gan_trainer_step(gan_trainer *t) {
  if (!t) return gan_fail_null(NULL, "gan_trainer_step", "trainer");
  TRY(take_cancel(t));
  return run_step(t);
}

static gan_status show(gan_trainer *t) {
  int64_t step = t->step_dg->runs;
  if (!t->progress || (step % t->progress_every != 0 && step < t->steps)) return GAN_OK;
  gan_progress p;
  trainer_progress(t, &p);
  int32_t came = t->progress(t->progress_user, t, &p);
  return came == 0 ? GAN_OK : gan_fail(t->ctx, GAN_ERROR_CALLBACK, "trainer: the progress callback returned %d", came);
}

static gan_status run_all(gan_trainer *t) {
  start(&t->watch);
  while (t->step_dg->runs < t->steps) {
    TRY(take_cancel(t));
    TRY(run_step(t));
    lap(&t->watch);
    TRY(show(t));
  }
  return GAN_OK;
}

/* The callback may drop the last handle of the trainer. */
gan_status gan_trainer_run(gan_trainer *t) {
  if (!t) return gan_fail_null(NULL, "gan_trainer_run", "trainer");
  atomic_fetch_add(&t->refs, 1);
  gan_status status = run_all(t);
  gan_trainer_free(t);
  return status;
}

/* ------------------------------------------------------------------ samples */

static gan_status make_sampler(gan_trainer *t) {
  gan_sampler_config config;
  if (t->sampler) return GAN_OK;
  TRY(gan_sampler_config_init(&config, sizeof config));
  config.seed = t->game->seed;
  return gan_sampler_create(gan_trainer_generator(t), &config, &t->sampler);
}

static gan_status of_sampler(gan_trainer *t, gan_status status) {
  char text[ERROR_TEXT];
  if (status == GAN_OK) return status;
  gan_sampler_error(t->sampler, text, sizeof text, NULL);
  return gan_fail(t->ctx, status, "%s", text);
}

/* Refreshed every time: weights change by steps, by restoring, and by gan_network_set, which nobody counts. */
gan_status gan_trainer_sample(gan_trainer *t, int64_t first, int64_t count, float *out) {
  if (!t) return gan_fail_null(NULL, "gan_trainer_sample", "trainer");
  REQUIRE(t->ctx, out && first >= 0 && count >= 1, "gan_trainer_sample: out is NULL, first negative or count less than 1");
  TRY(make_sampler(t));
  TRY(of_sampler(t, gan_sampler_refresh(t->sampler, gan_trainer_generator(t))));
  return of_sampler(t, gan_sampler_draw(t->sampler, first, count, out));
}
