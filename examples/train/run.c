#define _POSIX_C_SOURCE 200809L
#include "run.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "results.h"
#include "say.h"

/* -------------------------------------------------------------------------------------------------------- a clean stop */

static gan_trainer *volatile trainer_in_use;
static volatile sig_atomic_t interrupted;

static void stop(int signal_number) {
  (void)signal_number;
  interrupted = 1;
  gan_trainer_cancel(trainer_in_use);
}

/* The second Ctrl-C ends the program at once. */
static void watch_signals(gan_trainer *trainer) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = stop;
  action.sa_flags = SA_RESTART | (int)SA_RESETHAND;
  trainer_in_use = trainer;
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
}

/* ------------------------------------------------------------------------------------------------------------ progress */

/* What is left of steps and of time, whichever is less. */
static double seconds_left(const struct run *run, const gan_progress *p) {
  double left = run->game.steps < NO_END ? p->eta : INFINITY;
  if (run->settings->seconds > 0) left = fmin(left, run->settings->seconds - p->seconds);
  return left;
}

static int32_t on_progress(void *user, gan_trainer *trainer, const gan_progress *p) {
  struct run *run = user;
  if (p->step % run->settings->log_every == 0 && !history_add(&run->history, p)) return 1;
  progress_show(&run->line, p, seconds_left(run, p));
  if (run->settings->seconds > 0 && p->seconds >= run->settings->seconds && !run->out_of_time) {
    run->out_of_time = 1;
    gan_trainer_cancel(trainer);
  }
  if ((int64_t)p->epoch == run->epoch) return 0;
  run->epoch = (int64_t)p->epoch;
  return run->epoch % run->settings->every == 0 && !(results_save(run) && results_picture(run, run->epoch));
}

/* --------------------------------------------------------------------------------------------------------------- begin */

static int has_ended(const struct run *run, int64_t step) {
  if (step < run->game.steps) return 0;
  complain("this training has its %" PRId64 " steps; --steps or --epochs says how many it shall have in all", step);
  return 1;
}

static int resume(struct run *run) {
  char *checkpoint = path_join(run->settings->out, RESULTS_CHECKPOINT), *curves = path_join(run->settings->out, RESULTS_CURVES);
  gan_status status = checkpoint && curves ? gan_trainer_restore(run->game.trainer, checkpoint) : GAN_ERROR_MEMORY;
  int done = status == GAN_OK || complain_gan(run->context, checkpoint, status);
  gan_progress p = {.struct_size = sizeof p};
  if (done) gan_trainer_progress(run->game.trainer, &p);
  done = done && !has_ended(run, p.step);
  done = done && (!file_exists(curves) || history_read(&run->history, curves, p.step)) && settings_write(run->settings);
  run->epoch = (int64_t)p.epoch;
  dataset_seek(&run->dataset, p.samples);
  free(checkpoint);
  free(curves);
  return done;
}

/* A folder that holds a training is not overwritten by accident. */
static int start(struct run *run) {
  const char *out = run->settings->out;
  char *checkpoint = path_join(out, RESULTS_CHECKPOINT);
  if (!checkpoint) return 0;
  int taken = !run->settings->overwrite && file_exists(checkpoint);
  free(checkpoint);
  if (taken) return complain("%s holds a training: --resume goes on with it, --overwrite starts anew, --out takes another", out);
  return folder_make(out) && settings_write(run->settings) && results_picture(run, 0);
}

static void describe(const struct run *run) {
  char text[200];
  const struct game *g = &run->game;
  gan_context_describe(run->context, text, sizeof text, NULL);
  printf("%s\n", text);
  printf("%" PRId64 " images of %" PRId64 "x%" PRId64 "x%" PRId64 "; generator %" PRId64 " parameters, discriminator %" PRId64 "\n",
         run->dataset.count, run->dataset.format.height, run->dataset.format.width, run->dataset.format.channels,
         gan_network_parameters(g->generator), gan_network_parameters(g->discriminator));
  printf("loss %s, penalty %s, batch %" PRId64 "; results in %s\n", g->config.loss, g->config.penalty ? g->config.penalty : "none",
         g->config.batch, run->settings->out);
}

static struct dataset_request images_wanted(const struct settings *s) {
  struct dataset_request r = {.path = s->data, .labels = s->labels, .flip = s->flip, .quiet = s->quiet, .seed = s->seed};
  r.fitting = (struct fitting){.height = s->size[0], .width = s->size[1], .channels = s->gray ? 1 : s->color ? 3 : 0};
  if (s->crop) r.fitting.crop = strcmp(s->crop, "random") == 0 ? CROP_RANDOM : CROP_MIDDLE;
  return r;
}

int run_begin(struct run *run, gan_context *context, const struct settings *settings) {
  *run = (struct run){.context = context, .settings = settings};
  struct dataset_request images = images_wanted(settings);
  if (!dataset_load(&run->dataset, context, &images)) return 0;
  if (!game_make(&run->game, context, settings, &run->dataset, on_progress, run)) return 0;
  if (!settings->quiet) describe(run);
  return settings->resume ? resume(run) : start(run);
}

/* --------------------------------------------------------------------------------------------------------------- train */

static int explain(struct run *run, gan_status status) {
  char report[1000] = "";
  complain_gan(run->context, "training", status);
  gan_game_report(gan_trainer_game(run->game.trainer), report, sizeof report, NULL);
  return complain("the last step: %s", report);
}

static void say_where(const struct run *run) {
  if (run->settings->quiet) return;
  if (interrupted) printf("stopped; go on with: gan-train --out '%s' --resume\n", run->settings->out);
  printf("pictures: %s/%s, curves: %s/%s, network: %s/%s\n", run->settings->out, RESULTS_SAMPLES, run->settings->out, RESULTS_PLOT,
         run->settings->out, RESULTS_GENERATOR);
}

int run_train(struct run *run) {
  gan_progress p = {.struct_size = sizeof p};
  progress_begin(&run->line, run->settings->quiet);
  watch_signals(run->game.trainer);
  gan_status status = gan_trainer_run(run->game.trainer);
  gan_trainer_progress(run->game.trainer, &p);
  progress_end(&run->line, &p);
  int stopped = status == GAN_ERROR_CANCELLED && (interrupted || run->out_of_time);
  int well = status == GAN_OK || stopped || explain(run, status);
  int saved = status != GAN_ERROR_CALLBACK && results_save(run) && results_picture(run, -1);
  if (saved) say_where(run);
  return well && saved;
}

void run_free(struct run *run) {
  trainer_in_use = NULL;
  history_free(&run->history);
  game_free(&run->game);
  dataset_free(&run->dataset);
}
