#include "results.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "files.h"
#include "png_io.h"
#include "say.h"

static int save_trainer(const struct run *run, const char *path) {
  gan_status status = gan_trainer_save(run->game.trainer, path);
  return status == GAN_OK || complain_gan(run->context, path, status);
}

static int save_generator(const struct run *run, const char *path) {
  gan_status status = gan_network_save(gan_trainer_generator(run->game.trainer), path);
  return status == GAN_OK || complain_gan(run->context, path, status);
}

static int save_discriminator(const struct run *run, const char *path) {
  gan_status status = gan_network_save(run->game.discriminator, path);
  return status == GAN_OK || complain_gan(run->context, path, status);
}

static int write_curves(const struct run *run, const char *path) {
  return history_write(&run->history, path);
}

static int plot_curves(const struct run *run, const char *path) {
  return history_plot(&run->history, path);
}

/* One file of the folder. */
static int save(const struct run *run, const char *name, int (*write)(const struct run *run, const char *path)) {
  char *path = path_join(run->settings->out, name);
  int done = path && write(run, path);
  free(path);
  return done;
}

int results_save(const struct run *run) {
  return save(run, RESULTS_CHECKPOINT, save_trainer) && save(run, RESULTS_GENERATOR, save_generator) &&
         save(run, RESULTS_DISCRIMINATOR, save_discriminator) && save(run, RESULTS_CURVES, write_curves) &&
         save(run, RESULTS_PLOT, plot_curves);
}

static int draw_samples(const struct run *run, struct picture *picture) {
  const struct sample_format *f = &run->dataset.format;
  int64_t columns = run->settings->grid[0], count = columns * run->settings->grid[1];
  float *samples = malloc((size_t)(count * f->height * f->width * f->channels) * sizeof *samples);
  if (!samples) return complain_memory();
  gan_status status = gan_trainer_sample(run->game.trainer, 0, count, samples);
  int done = status == GAN_OK || complain_gan(run->context, "sampling", status);
  done = done && grid_make(picture, f, samples, count, columns);
  free(samples);
  return done;
}

static int write_picture(const struct run *run, const struct picture *picture, const char *name) {
  char *path = path_join(run->settings->out, name);
  int done = path && png_write(path, picture);
  free(path);
  return done;
}

int results_picture(const struct run *run, int64_t epoch) {
  struct picture picture;
  char name[40];
  if (!draw_samples(run, &picture)) return 0;
  snprintf(name, sizeof name, "epoch-%04" PRId64 ".png", epoch);
  int done = write_picture(run, &picture, RESULTS_SAMPLES) && (epoch < 0 || write_picture(run, &picture, name));
  picture_free(&picture);
  return done;
}
