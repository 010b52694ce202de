/* Reference batches, for networks with virtual batch norm: one batch that stays the same all through a training (Salimans et al.
 * 2016). Of what the data has it is the first samples; of noise and labels that are drawn, one draw by the seed. */
#include "train/trainer.h"

#include "base/rng.h"

#include <stdio.h>
#include <string.h>

static gan_node *first_samples(gan_graph *g, gan_data *d, int32_t slot) {
  gan_tensor *t;
  gan_status status = data_take(d, slot, 0, g->batch, &t);
  if (status != GAN_OK) return graph_fail(g, status, "%s", g->ctx->error);
  gan_node *node = gan_constant_tensor(g, t);
  gan_tensor_free(t);
  return node;
}

static void write_distribution(const struct network_port *p, char *text, size_t size) {
  static const char *const formats[] = {
    [RANDOM_NORMAL] = "normal mean=%s std=%s", [RANDOM_TRUNCATED] = "truncated-normal mean=%s std=%s",
    [RANDOM_UNIFORM] = "uniform low=%s high=%s", [RANDOM_INTEGERS] = "integers low=%s high=%s",
  };
  int32_t labels = p->info.role == GAN_ROLE_LABEL;
  char x[32], y[32];
  format_double(x, sizeof x, labels ? 0 : p->noise_x);
  format_double(y, sizeof y, labels ? (double)p->info.classes : p->noise_y);
  snprintf(text, size, formats[labels ? RANDOM_INTEGERS : p->noise_kind], x, y);
}

static gan_node *one_draw(gan_graph *g, const gan_network *n, const struct network_port *p, int64_t seed) {
  char distribution[128], name[2 * NETWORK_NAME];
  int64_t shape[GAN_MAX_RANK] = {g->batch};
  gan_tensor *t;
  memcpy(shape + 1, p->info.shape, sizeof *shape * (size_t)p->info.rank);
  write_distribution(p, distribution, sizeof distribution);
  snprintf(name, sizeof name, "%.60s/%.60s", n->name, p->name);
  gan_status status = gan_tensor_create(g->ctx, p->info.type, p->info.rank + 1, shape, &t);
  if (status != GAN_OK) return graph_fail(g, status, "%s", g->ctx->error);
  status = gan_tensor_random(t, distribution, (int64_t)((uint64_t)seed ^ rng_hash(name)));
  gan_node *node = status == GAN_OK ? gan_constant_tensor(g, t) : graph_fail(g, status, "%s", g->ctx->error);
  gan_tensor_free(t);
  return node;
}

gan_node *trainer_reference(const gan_trainer *t, gan_graph *g, gan_network *n, int32_t input, int32_t slot) {
  if (slot >= 0) return first_samples(g, t->data, slot);
  network_feed_noise(n, input);
  return one_draw(g, n, &n->inputs[input], t->game->seed);
}
