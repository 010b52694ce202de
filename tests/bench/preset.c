/* gan-bench --preset: a step of the trainer on any preset, D's steps included, on a few pictures of noise. */
#include <stdio.h>
#include <string.h>

#include "counting.h"
#include "figures.h"
#include "measure.h"

struct trained {
  gan_context *context;
  gan_network *generator, *discriminator;
  gan_data *data;
  gan_trainer *trainer;
  gan_trainer_config config;
};

static const int64_t PICTURES = 512;
static const double SECONDS = 1.0;

/* As many pictures as a batch at least, of the shape that G makes. */
static gan_status make_pictures(struct trained *t) {
  gan_port made = {.struct_size = sizeof made};
  int64_t shape[GAN_MAX_RANK] = {t->config.batch > PICTURES ? t->config.batch : PICTURES};
  gan_tensor *pictures = NULL;
  gan_status status = gan_network_output_info(t->generator, 0, &made);
  if (status != GAN_OK) return status;
  memcpy(shape + 1, made.shape, (size_t)made.rank * sizeof *shape);
  status = gan_tensor_create(t->context, GAN_F32, made.rank + 1, shape, &pictures);
  if (status == GAN_OK) status = gan_tensor_random(pictures, "uniform low=-1 high=1", 1);
  if (status == GAN_OK) status = gan_data_create(t->context, &t->data);
  if (status == GAN_OK) status = gan_data_add(t->data, "image", pictures, NULL);
  gan_tensor_free(pictures);
  return status;
}

/* How the preset is trained goes by its first word. */
static gan_status configure(struct trained *t, const char *preset, int batch) {
  char name[64];
  snprintf(name, sizeof name, "%.*s", (int)strcspn(preset, " "), preset);
  gan_trainer_config_init(&t->config, sizeof t->config);
  gan_status status = gan_trainer_config_preset(&t->config, name);
  if (batch) t->config.batch = batch;
  return status;
}

static int trained_make(struct trained *t, const char *preset, int threads, int batch) {
  *t = (struct trained){0};
  if (!bench_context(&t->context, threads)) return 0;
  gan_status status = gan_preset_networks(t->context, preset, &t->generator, &t->discriminator);
  if (status == GAN_OK) status = configure(t, preset, batch);
  if (status == GAN_OK) status = make_pictures(t);
  if (status == GAN_OK) status = gan_trainer_create(t->generator, t->discriminator, t->data, &t->config, &t->trainer);
  return status == GAN_OK || bench_failed(t->context, status);
}

static void trained_free(struct trained *t) {
  gan_trainer_free(t->trainer);
  gan_data_free(t->data);
  gan_network_free(t->generator);
  gan_network_free(t->discriminator);
  gan_context_free(t->context);
}

static int step_once(void *user) {
  const struct trained *t = user;
  gan_status status = gan_trainer_step(t->trainer);
  return status == GAN_OK || bench_failed(t->context, status);
}

/* "DG" is D's last step and G's; those of D before it have a step of their own. */
static void weigh(const struct trained *t, struct figures *f) {
  int64_t d = 0, both = 0, plan_d = 0, plan_both = 0;
  gan_game_cost(gan_trainer_game(t->trainer), "D", &plan_d, &d);
  gan_game_cost(gan_trainer_game(t->trainer), "DG", &plan_both, &both);
  f->flops = (t->config.d_steps - 1) * d + both;
  f->plan = plan_d > plan_both ? plan_d : plan_both;
}

int measure_preset(const char *preset, int threads, int batch) {
  struct trained t;
  struct figures f = {.name = preset, .suffix = "", .threads = threads};
  int done = trained_make(&t, preset, threads, batch);
  if (done) {
    f.batch = t.config.batch;
    weigh(&t, &f);
    done = figures_time(&f, step_once, &t, SECONDS);
    int64_t before = counting_allocations();
    done = done && step_once(&t);
    f.allocations = (double)(counting_allocations() - before);
  }
  if (done) figures_print(&f);
  trained_free(&t);
  return done;
}
