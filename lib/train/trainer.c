/* gan_trainer: its config, and making one. */
#include "train/trainer.h"

#include <stdio.h>

#include "nn/presets.h"
#include "train/items.h"

/* ------------------------------------------------------------------ config */

static const gan_trainer_config defaults = {
  .struct_size = sizeof defaults, .batch = 64, .steps = 10000, .progress_every = 100, .loss = "non-saturating",
  .optimizer_d = "adam rate=2e-4 beta1=0.5", .optimizer_g = "adam rate=2e-4 beta1=0.5", .d_steps = 1,
};

gan_status gan_trainer_config_init(gan_trainer_config *config, int64_t size) {
  REQUIRE(NULL, config, "gan_trainer_config_init: config is NULL");
  return config_write(config, size, &defaults, sizeof defaults);
}

gan_status gan_trainer_config_preset(gan_trainer_config *config, const char *name) {
  char first[64];
  REQUIRE(NULL, config && name, "gan_trainer_config_preset: config or preset is NULL");
  const struct preset *p = line_name(name, first, sizeof first) ? preset_find(first) : NULL;
  REQUIRE(NULL, p, "gan_trainer_config_preset: there is no preset '%s'", name);
  gan_trainer_config c = defaults;
  TRY(config_read(NULL, "gan_trainer_config", &c, sizeof c, config));
  c.loss = p->loss;
  c.penalty = p->penalty;
  c.optimizer_d = p->optimizer_d;
  c.optimizer_g = p->optimizer_g;
  c.batch = p->batch;
  c.d_steps = p->d_steps;
  c.fresh_noise = p->fresh_noise;
  c.ema = p->ema;
  return config_write(config, config->struct_size, &c, sizeof c);
}

static gan_status check_config(gan_context *ctx, const gan_trainer_config *c) {
  REQUIRE(ctx, c->batch >= 1 && c->batch <= INT32_MAX, "gan_trainer_config: batch %lld, expected at least 1",
          (long long)c->batch);
  REQUIRE(ctx, c->steps >= 0, "gan_trainer_config: steps %lld, expected at least 0", (long long)c->steps);
  REQUIRE(ctx, c->progress_every >= 1, "gan_trainer_config: progress_every %lld, expected at least 1",
          (long long)c->progress_every);
  REQUIRE(ctx, c->d_steps >= 1, "gan_trainer_config: d_steps %d, expected at least 1", c->d_steps);
  REQUIRE(ctx, c->ema >= 0 && c->ema < 1, "gan_trainer_config: ema is a decay, 0 <= ema < 1");
  REQUIRE(ctx, c->instance_noise >= 0 && c->instance_noise <= 1e30, "gan_trainer_config: instance_noise is a standard deviation");
  REQUIRE(ctx, c->loss && c->optimizer_d && c->optimizer_g, "gan_trainer_config: loss, optimizer_d or optimizer_g is NULL");
  return GAN_OK;
}

/* ------------------------------------------------------------------ parts */

struct adding { gan_trainer *t; int32_t penalties; };

/* "every" is the trainer's: how often it takes the penalty. */
static gan_status add_term(void *user, const char *item) {
  const struct adding *a = user;
  gan_trainer *t = a->t;
  REQUIRE(t->ctx, t->n_terms < TERMS_MAX, "gan_trainer_config: more than %d losses and penalties", TERMS_MAX);
  struct trainer_term *term = &t->terms[t->n_terms];
  TRY(gan_loss_create(t->ctx, item, &term->loss));
  t->n_terms++;
  int64_t every = option_int(&term->loss->options, "every");
  term->every = every > 1 ? every : 1;
  REQUIRE(t->ctx, a->penalties || !term->loss->is_penalty, "gan_trainer_config: '%s' is a penalty, not a loss", item);
  REQUIRE(t->ctx, !a->penalties || term->loss->is_penalty, "gan_trainer_config: '%s' is a loss, not a penalty", item);
  return GAN_OK;
}

static gan_status make_losses(gan_trainer *t, const gan_trainer_config *c) {
  TRY(items_each(t->ctx, "losses", c->loss, add_term, &(struct adding){t, 0}));
  REQUIRE(t->ctx, t->n_terms > 0, "gan_trainer_config: loss is empty, expected a name such as 'non-saturating'");
  return items_each(t->ctx, "penalties", c->penalty, add_term, &(struct adding){t, 1});
}

static gan_status add_number(struct devices *d, const struct device_row *row, const char *name, double value) {
  char number[32], text[64];
  if (value == 0 || devices_find(d, row)) return GAN_OK;
  format_double(number, sizeof number, value);
  snprintf(text, sizeof text, "%s=%s", name, number);
  return devices_add(d, text);
}

/* ema and instance_noise of the config are short for devices; one that is there in full goes before. */
static gan_status make_devices(gan_trainer *t, const gan_trainer_config *c) {
  t->devices.ctx = t->ctx;
  TRY(devices_add(&t->devices, c->devices));
  TRY(add_number(&t->devices, &device_instance_noise, "instance-noise std", c->instance_noise));
  TRY(add_number(&t->devices, &device_ema, "ema decay", c->ema));
  const struct device *pack = devices_find(&t->devices, &device_pack);
  t->pack = pack ? option_int(&pack->options, "samples") : 1;
  REQUIRE(t->ctx, c->batch % t->pack == 0, "pack: a batch of %lld is no multiple of %lld samples", (long long)c->batch,
          (long long)t->pack);
  for (int32_t i = 0; i < t->devices.count; i++) {
    t->devices.list[i].samples = c->batch;
    t->devices.list[i].batch = c->batch / t->pack;
  }
  return GAN_OK;
}

/* Everything but what a device freezes: "*,!dense1/" ..; each pattern gets its own '!'. */
static gan_status add_parameters(gan_optimizer *o, gan_network *n, const struct device *freeze) {
  struct text list;
  if (!freeze) return gan_optimizer_add(o, n, NULL, 1, 1);
  text_init(&list, o->ctx);
  text_add(&list, "*,!");
  for (const char *s = option_text(&freeze->options, "parameters"); *s; s++) text_format(&list, *s == ',' ? "%c!" : "%c", *s);
  gan_status status = list.failed ? GAN_ERROR_MEMORY : gan_optimizer_add(o, n, text_get(&list), 1, 1);
  text_free(&list);
  return status;
}

static gan_status make_optimizers(gan_trainer *t, const gan_trainer_config *c) {
  TRY(gan_optimizer_create(t->ctx, "D", c->optimizer_d, &t->optimizer_d));
  TRY(gan_optimizer_create(t->ctx, "G", c->optimizer_g, &t->optimizer_g));
  TRY(add_parameters(t->optimizer_d, t->discriminator, devices_find(&t->devices, &device_freeze_d)));
  return add_parameters(t->optimizer_g, t->generator, devices_find(&t->devices, &device_freeze_g));
}

static gan_status make_average(gan_trainer *t) {
  char name[NETWORK_NAME];
  if (!devices_find(&t->devices, &device_ema)) return GAN_OK;
  snprintf(name, sizeof name, "%.58s-ema", t->generator->name);
  return gan_network_clone(t->generator, name, &t->average);
}

/* ------------------------------------------------------------------ the game */

static int32_t accumulates(const gan_trainer *t) {
  return t->optimizer_d->accumulate > 1 || t->optimizer_g->accumulate > 1;
}

/* "r1", for a second one "r1#2". */
static void term_step_name(const gan_trainer *t, int32_t index, char *name, size_t size) {
  int32_t before = 0;
  for (int32_t i = 0; i < index; i++) before += t->terms[i].loss->row == t->terms[index].loss->row && t->terms[i].every > 1;
  if (before) snprintf(name, size, "%.40s#%d", loss_name(t->terms[index].loss), before + 1);
  else snprintf(name, size, "%.40s", loss_name(t->terms[index].loss));
}

static gan_status add_steps(gan_trainer *t) {
  gan_graph *g;
  TRY(gan_game_add_step(t->game, "D", &g));
  trainer_build(t, g, TRAINER_D);
  TRY(gan_game_add_step(t->game, accumulates(t) ? "G" : "DG", &g));
  trainer_build(t, g, accumulates(t) ? TRAINER_G : TRAINER_D | TRAINER_G);
  for (int32_t i = 0; i < t->n_terms; i++) {
    char name[64];
    if (t->terms[i].every == 1) continue;
    term_step_name(t, i, name, sizeof name);
    TRY(gan_game_add_step(t->game, name, &g));
    trainer_build_term(t, g, &t->terms[i]);
  }
  return GAN_OK;
}

static gan_status make_game(gan_trainer *t, const gan_trainer_config *c) {
  const gan_game_config config = {.struct_size = sizeof config, .batch = c->batch, .seed = c->seed};
  TRY(gan_game_create(t->ctx, &config, &t->game));
  TRY(add_steps(t));
  TRY(gan_game_prepare(t->game));
  t->step_d = game_find_step(t->game, "D");
  t->step_g = game_find_step(t->game, accumulates(t) ? "G" : "DG");
  for (int32_t i = 0; i < t->n_terms; i++) {
    char name[64];
    if (t->terms[i].every == 1) continue;
    term_step_name(t, i, name, sizeof name);
    t->terms[i].step = game_find_step(t->game, name);
  }
  return GAN_OK;
}

static gan_status find_image(gan_trainer *t, const char *name) {
  REQUIRE(t->ctx, t->data->n_slots > 0, "gan_trainer_create: the data has no slots");
  t->image = name ? data_find(t->data, name) : 0;
  REQUIRE(t->ctx, t->image >= 0, "gan_trainer_config: the data has no slot '%s'", name);
  return GAN_OK;
}

static gan_status fill(gan_trainer *t, const gan_trainer_config *c) {
  TRY(gan_network_finish(t->generator));
  TRY(gan_network_finish(t->discriminator));
  TRY(find_image(t, c->image));
  TRY(make_losses(t, c));
  TRY(make_devices(t, c));
  TRY(make_optimizers(t, c));
  network_feed_noise(t->generator, 0); /* before it is cloned: the average samples from noise, too */
  TRY(make_average(t));
  return make_game(t, c);
}

/* ------------------------------------------------------------------ making */

static gan_trainer *new_trainer(gan_network *generator, gan_network *discriminator, gan_data *data, const gan_trainer_config *c) {
  gan_trainer *t = context_zalloc(generator->ctx, sizeof *t);
  if (!t) return NULL;
  atomic_init(&t->refs, 1);
  t->ctx = context_ref(generator->ctx);
  t->generator = network_ref(generator);
  t->discriminator = network_ref(discriminator);
  t->data = data_ref(data);
  t->d_steps = c->d_steps;
  t->fresh_noise = c->fresh_noise;
  t->steps = c->steps;
  t->progress_every = c->progress_every;
  t->progress = c->progress;
  t->progress_user = c->progress_user;
  return t;
}

gan_status gan_trainer_create(gan_network *generator, gan_network *discriminator, gan_data *data,
                              const gan_trainer_config *config, gan_trainer **out) {
  gan_context *ctx = generator ? generator->ctx : discriminator ? discriminator->ctx : data ? data->ctx : NULL;
  REQUIRE(ctx, generator && discriminator && data && out,
          "gan_trainer_create: generator, discriminator, data or trainer is NULL");
  REQUIRE(ctx, discriminator->ctx == ctx && data->ctx == ctx, "gan_trainer_create: networks and data are of different contexts");
  gan_trainer_config c = defaults;
  if (config) TRY(config_read(ctx, "gan_trainer_config", &c, sizeof c, config));
  TRY(check_config(ctx, &c));
  gan_trainer *t = new_trainer(generator, discriminator, data, &c);
  if (!t) return GAN_ERROR_MEMORY;
  gan_status status = fill(t, &c);
  if (status != GAN_OK) {
    gan_trainer_free(t);
    return status;
  }
  *out = t;
  return GAN_OK;
}

void gan_trainer_free(gan_trainer *t) {
  if (!t || atomic_fetch_sub(&t->refs, 1) != 1) return;
  gan_context *ctx = t->ctx;
  gan_sampler_free(t->sampler);
  gan_game_free(t->game);
  gan_optimizer_free(t->optimizer_d);
  gan_optimizer_free(t->optimizer_g);
  for (int32_t i = 0; i < t->n_terms; i++) gan_loss_free(t->terms[i].loss);
  devices_free(&t->devices);
  gan_network_free(t->average);
  gan_network_free(t->generator);
  gan_network_free(t->discriminator);
  gan_data_free(t->data);
  context_release(ctx, t, sizeof *t);
  context_unref(ctx);
}

/* ------------------------------------------------------------------ what lies below */

gan_game *gan_trainer_game(const gan_trainer *t) {
  return t ? t->game : NULL;
}

gan_network *gan_trainer_generator(const gan_trainer *t) {
  if (!t) return NULL;
  return t->average ? t->average : t->generator;
}

void gan_trainer_cancel(gan_trainer *t) {
  if (t) gan_game_cancel(t->game);
}

gan_status gan_trainer_set_steps(gan_trainer *t, int64_t steps) {
  if (!t) return gan_fail_null(NULL, "gan_trainer_set_steps", "trainer");
  REQUIRE(t->ctx, steps >= 0, "gan_trainer_set_steps: %lld, expected at least 0", (long long)steps);
  t->steps = steps;
  return GAN_OK;
}

gan_status gan_trainer_save(gan_trainer *t, const char *path) {
  if (!t) return gan_fail_null(NULL, "gan_trainer_save", "trainer");
  return gan_game_save(t->game, path);
}

gan_status gan_trainer_restore(gan_trainer *t, const char *path) {
  if (!t) return gan_fail_null(NULL, "gan_trainer_restore", "trainer");
  return gan_game_restore(t->game, path);
}
