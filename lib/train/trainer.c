/* gan_trainer: making one, and what lies below it. */
#include "train/trainer.h"

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
  t->settled = -1;
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
  gan_trainer_config c;
  TRY(trainer_config(ctx, config, &c));
  gan_trainer *t = new_trainer(generator, discriminator, data, &c);
  if (!t) return GAN_ERROR_MEMORY;
  gan_status status = trainer_fill(t, &c);
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
  for (int32_t i = 0; i < t->n_networks; i++) gan_network_free(t->networks[i]);
  context_release(ctx, t->networks, sizeof *t->networks * (size_t)t->n_networks);
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
  t->settled = -1;
  return gan_game_restore(t->game, path);
}
