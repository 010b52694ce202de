/* What a trainer is made of: losses, devices, optimizers, an average, and the game with its steps. */
#include "train/trainer.h"

#include <stdio.h>

#include "train/items.h"

/* ------------------------------------------------------------------ losses, devices, optimizers */

static gan_status keep_networks(gan_trainer *t, const gan_trainer_config *c) {
  if (!c->n_networks) return GAN_OK;
  t->networks = context_zalloc(t->ctx, sizeof *t->networks * (size_t)c->n_networks);
  if (!t->networks) return GAN_ERROR_MEMORY;
  t->n_networks = c->n_networks;
  for (int32_t i = 0; i < c->n_networks; i++) t->networks[i] = network_ref(c->networks[i]);
  return GAN_OK;
}

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
  t->joint = devices_find(&t->devices, &device_joint) != NULL;
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
  const struct device *clipping = devices_find(&t->devices, &device_weight_clipping);
  TRY(gan_optimizer_create(t->ctx, "D", c->optimizer_d, &t->optimizer_d));
  if (clipping) t->optimizer_d->bound = option_number(&clipping->options, "bound");
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

/* Where gradients are accumulated, D's steps are done before G's begin; unless both go together. */
static int32_t apart(const gan_trainer *t) {
  return !t->joint && (t->optimizer_d->accumulate > 1 || t->optimizer_g->accumulate > 1);
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
  TRY(gan_game_add_step(t->game, apart(t) ? "G" : "DG", &g));
  trainer_build(t, g, apart(t) ? TRAINER_G : TRAINER_D | TRAINER_G);
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
  t->step_g = game_find_step(t->game, apart(t) ? "G" : "DG");
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

/* They are measured on noise. */
static gan_status check_statistics(const gan_trainer *t) {
  const gan_network *n = t->generator;
  for (int64_t i = 0; i < n->n_inputs && devices_find(&t->devices, &device_standing_statistics); i++)
    REQUIRE(t->ctx, n->inputs[i].info.role != GAN_ROLE_DATA, "standing-statistics: the generator's input '%s' is data, no noise",
            n->inputs[i].name);
  return GAN_OK;
}

int32_t trainer_draws_first(const gan_trainer *t) {
  const struct network_port *first = &t->generator->inputs[0];
  return first->info.role != GAN_ROLE_DATA || data_find(t->data, first->name) < 0;
}

gan_status trainer_fill(gan_trainer *t, const gan_trainer_config *c) {
  TRY(gan_network_finish(t->generator));
  TRY(gan_network_finish(t->discriminator));
  TRY(find_image(t, c->image));
  TRY(keep_networks(t, c));
  TRY(make_losses(t, c));
  TRY(make_devices(t, c));
  TRY(make_optimizers(t, c));
  REQUIRE(t->ctx, t->generator->n_inputs > 0, "gan_trainer_create: the generator has no inputs");
  if (trainer_draws_first(t)) network_feed_noise(t->generator, 0); /* before it is cloned: the average samples from noise, too */
  TRY(check_statistics(t));
  TRY(make_average(t));
  return make_game(t, c);
}
