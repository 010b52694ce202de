#include "game.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "say.h"

static const size_t LARGEST_TEXT = 1 << 20;

/* ------------------------------------------------------------------------------------------------------------ networks */

static int from_file(gan_context *context, const char *name, const char *path, gan_network **network) {
  size_t size;
  char *lines = (char *)file_read(path, LARGEST_TEXT, &size);
  if (!lines) return 0;
  gan_status status = gan_network_create(context, name, network);
  if (status == GAN_OK) {
    gan_network_build(*network, lines);
    status = gan_network_finish(*network);
  }
  free(lines);
  return status == GAN_OK || complain_gan(context, path, status);
}

/* "clothes size=28x28x1 latent=100" */
static int from_preset(struct game *g, gan_context *context, const struct settings *s, const struct sample_format *f) {
  char text[512], latent[32] = "";
  if (s->latent) snprintf(latent, sizeof latent, " latent=%" PRId64, s->latent);
  int length = snprintf(text, sizeof text, "%s size=%" PRId64 "x%" PRId64 "x%" PRId64 "%s", s->model, f->height, f->width, f->channels,
                        latent);
  if (length >= (int)sizeof text) return complain("--model is too long");
  gan_status status = gan_preset_networks(context, text, &g->generator, &g->discriminator);
  if (status != GAN_OK) complain_gan(context, "--model", status);
  if (status != GAN_OK && !s->size[0]) complain("--size gives the images another size");
  return status == GAN_OK;
}

static int load_network(struct game *g, gan_context *context, const struct settings *s) {
  if (!s->network) return 1;
  gan_status status = gan_network_load(context, s->network, &g->network);
  if (status != GAN_OK) return complain_gan(context, "--network", status);
  g->config.networks = &g->network;
  g->config.n_networks = 1;
  return 1;
}

static int make_networks(struct game *g, gan_context *context, const struct settings *s, const struct sample_format *f) {
  if (!load_network(g, context, s)) return 0;
  if (!s->generator) return from_preset(g, context, s, f);
  return from_file(context, "generator", s->generator, &g->generator) &&
         from_file(context, "discriminator", s->discriminator, &g->discriminator);
}

/* ------------------------------------------------------------------------------------------------------------- trainer */

/* How the preset is trained; its name is the first word. */
static int take_preset(gan_context *context, gan_trainer_config *config, const char *model) {
  char name[64];
  size_t length = strcspn(model, " ");
  if (length >= sizeof name) return complain("there is no model %s", model);
  memcpy(name, model, length);
  name[length] = 0;
  gan_status status = gan_trainer_config_preset(config, name);
  return status == GAN_OK || complain_gan(context, "--model", status);
}

/* Options that were given go before the preset's. */
static void take_settings(gan_trainer_config *c, const struct settings *s) {
  if (s->loss) c->loss = s->loss;
  if (s->penalty) c->penalty = strcmp(s->penalty, "none") == 0 ? NULL : s->penalty;
  if (s->devices) c->devices = s->devices;
  if (s->optimizer) c->optimizer_d = c->optimizer_g = s->optimizer;
  if (s->optimizer_d) c->optimizer_d = s->optimizer_d;
  if (s->optimizer_g) c->optimizer_g = s->optimizer_g;
  if (s->batch) c->batch = s->batch;
  if (s->d_steps) c->d_steps = (int32_t)s->d_steps;
  if (s->ema >= 0) c->ema = s->ema;
  if (s->fresh_noise) c->fresh_noise = 1;
  c->instance_noise = s->instance_noise;
}

/* The first of --steps and --epochs. */
static int64_t last_step(const struct settings *s, const gan_trainer_config *c, int64_t count) {
  double steps = s->steps ? (double)s->steps : (double)NO_END;
  if (s->epochs > 0) steps = fmin(steps, ceil(s->epochs * (double)count / (double)(c->batch * c->d_steps)));
  return (int64_t)fmin(steps, (double)NO_END);
}

int game_make(struct game *g, gan_context *context, const struct settings *s, const struct dataset *d,
              gan_progress_function progress, void *user) {
  *g = (struct game){0};
  gan_trainer_config *c = &g->config;
  gan_trainer_config_init(c, sizeof *c);
  if (!s->generator && !take_preset(context, c, s->model)) return 0;
  take_settings(c, s);
  if (!make_networks(g, context, s, &d->format)) return 0;
  c->steps = g->steps = last_step(s, c, d->count);
  c->progress = progress;
  c->progress_user = user;
  c->progress_every = 1;
  gan_status status = gan_trainer_create(g->generator, g->discriminator, d->data, c, &g->trainer);
  return status == GAN_OK || complain_gan(context, "the trainer", status);
}

void game_free(struct game *g) {
  gan_trainer_free(g->trainer);
  gan_network_free(g->generator);
  gan_network_free(g->discriminator);
  gan_network_free(g->network);
  *g = (struct game){0};
}
