#include "players.h"

struct play players_open(struct allocator *a, int32_t threads, const char *g, const char *d) {
  struct play p = {.ctx = make_context(a, threads)};
  gan_tensor *labels = NULL;
  const int64_t count = 300;
  p.g = make_network(p.ctx, "G", g);
  p.d = make_network(p.ctx, "D", d);
  p.data = make_points(p.ctx, count);
  must(p.ctx, gan_tensor_create(p.ctx, GAN_I32, 1, &count, &labels));
  must(p.ctx, gan_tensor_random(labels, "integers high=3", 1));
  must(p.ctx, gan_data_add(p.data, "label", labels, "classes=3"));
  gan_tensor_free(labels);
  gan_trainer_config_init(&p.c, sizeof p.c);
  p.c.batch = 12;
  p.c.optimizer_d = p.c.optimizer_g = "adam rate=1e-3 beta1=0.5";
  return p;
}

void add_weights(struct play *p, float weight) {
  const int64_t count = gan_data_count(p->data);
  gan_tensor *w = make_tensor(p->ctx, 1, &count, NULL);
  must(p->ctx, gan_tensor_fill(w, weight));
  must(p->ctx, gan_data_add(p->data, "weight", w, NULL));
  gan_tensor_free(w);
}

gan_progress progress_of(const struct play *p) {
  gan_progress now = {.struct_size = sizeof now};
  must(p->ctx, gan_trainer_progress(p->t, &now));
  return now;
}
