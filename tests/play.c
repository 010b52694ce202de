#include "play.h"

void play_start(struct play *p) {
  must(p->ctx, gan_trainer_create(p->g, p->d, p->data, &p->c, &p->t));
}

void play_on(struct play *p, int steps) {
  for (int i = 0; i < steps; i++) must(p->ctx, gan_trainer_step(p->t));
}

void play_close(struct play *p) {
  gan_trainer_free(p->t);
  gan_network_free(p->g);
  gan_network_free(p->d);
  gan_data_free(p->data);
  gan_context_free(p->ctx);
}
