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

int play_without_memory(struct play *p, struct allocator *a, int64_t at, int32_t for_ever, float *samples) {
  a->fail_at = a->calls + 1 + at;
  a->fail_on = for_ever;
  gan_status status = gan_trainer_create(p->g, p->d, p->data, &p->c, &p->t);
  if (status == GAN_OK) status = gan_trainer_step(p->t);
  if (status == GAN_OK) status = gan_trainer_sample(p->t, 0, 2, samples);
  int reached = a->calls >= a->fail_at;
  a->fail_at = 0;
  play_close(p);
  assert_int_equal(a->live, 0);
  assert_int_equal(status, reached ? GAN_ERROR_MEMORY : GAN_OK);
  return reached;
}
