/* gan_trainer_config: defaults, presets, and what may not be. */
#include "train/trainer.h"

#include "nn/presets.h"

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

static gan_status check_networks(gan_context *ctx, const gan_trainer_config *c) {
  REQUIRE(ctx, c->n_networks >= 0 && (c->networks || !c->n_networks), "gan_trainer_config: %d networks, but networks is NULL",
          c->n_networks);
  for (int32_t i = 0; i < c->n_networks; i++)
    REQUIRE(ctx, c->networks[i] && c->networks[i]->ctx == ctx,
            "gan_trainer_config: network %d is NULL, or of another context", i + 1);
  return GAN_OK;
}

gan_status trainer_config(gan_context *ctx, const gan_trainer_config *config, gan_trainer_config *out) {
  *out = defaults;
  if (config) TRY(config_read(ctx, "gan_trainer_config", out, sizeof *out, config));
  TRY(check_networks(ctx, out));
  return check_config(ctx, out);
}
