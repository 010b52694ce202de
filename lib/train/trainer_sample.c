/* What a trainer samples: from the average, or the generator itself, under the conditions of the data. */
#include "train/trainer.h"

#include "nn/sampler.h"

/* Once after a step, however often is sampled. */
gan_status trainer_settle(gan_trainer *t) {
  const struct device *d = devices_find(&t->devices, &device_standing_statistics);
  if (!d || t->settled == t->game->steps) return GAN_OK;
  t->settled = t->game->steps;
  return gan_network_settle(gan_trainer_generator(t), t->game->batch, option_int(&d->options, "batches"), t->game->seed);
}

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

/* ------------------------------------------------------------------ conditions that only the data has */

static int32_t is_told(const gan_trainer *t) {
  const gan_network *n = gan_trainer_generator(t);
  for (int64_t i = 0; i < n->n_inputs; i++)
    if (n->inputs[i].info.role == GAN_ROLE_DATA) return 1;
  return 0;
}

static gan_status bind(gan_trainer *t, const char *input, int32_t slot, int64_t first, int64_t count) {
  gan_tensor *rows;
  TRY(data_take(t->data, slot, first, count, &rows));
  gan_status status = of_sampler(t, gan_sampler_bind(t->sampler, input, count, rows->data));
  gan_tensor_free(rows);
  return status;
}

/* Sample i is told what the data has of its sample i, labels too, so that they go together. */
static gan_status draw_told(gan_trainer *t, int64_t first, int64_t count, float *out) {
  const gan_network *n = t->sampler->snapshot;
  int64_t most = t->sampler->max_batch, size = t->sampler->sample_size;
  for (int64_t done = 0, piece; done < count; done += piece) {
    piece = count - done < most ? count - done : most;
    for (int64_t i = 0; i < n->n_inputs; i++) {
      int32_t slot = n->inputs[i].info.role == GAN_ROLE_NOISE ? -1 : data_find(t->data, n->inputs[i].name);
      if (slot >= 0) TRY(bind(t, n->inputs[i].name, slot, first + done, piece));
    }
    TRY(of_sampler(t, gan_sampler_draw(t->sampler, first + done, piece, out + done * size)));
  }
  return GAN_OK;
}

/* ------------------------------------------------------------------ samples */

/* Refreshed every time: weights change by steps, by restoring, and by gan_network_set, which nobody counts. */
gan_status gan_trainer_sample(gan_trainer *t, int64_t first, int64_t count, float *out) {
  if (!t) return gan_fail_null(NULL, "gan_trainer_sample", "trainer");
  REQUIRE(t->ctx, out && first >= 0 && count >= 1, "gan_trainer_sample: out is NULL, first negative or count less than 1");
  TRY(trainer_settle(t));
  TRY(make_sampler(t));
  TRY(of_sampler(t, gan_sampler_refresh(t->sampler, gan_trainer_generator(t))));
  return is_told(t) ? draw_told(t, first, count, out) : of_sampler(t, gan_sampler_draw(t->sampler, first, count, out));
}
