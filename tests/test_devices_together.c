/* All devices together: they are saved and resumed bit by bit, need no memory in a step, and no failed allocation leaks. */
#include "players.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/trainer.h"

/* ------------------------------------------------------------------ what goes together */

static void everything(struct play *p) {
  p->c.loss = "hinge smooth=0.1 flip=0.1; ac-gan output=logits weight=0.5; mutual-information code=code output=means";
  p->c.penalty = "r1 weight=1 every=2; lecam; path-length every=3; zcr; dragan weight=0.1; historical-averaging weight=0.01";
  p->c.devices = "ema decay=0.9 warmup=3; instance-noise std=0.2 schedule=(cosine steps=20);"
                 "ada by=(noise=0.3) speed=2000 p=0.4; top-k every=1";
  p->c.fresh_noise = 1;
  p->c.d_steps = 2;
}

/* What does not go with what G was applied to, of which a history knows nothing; and such a history under conditions. */
static void the_rest(struct play *p) {
  p->c.devices = "replay size=30; joint; unrolled steps=2; latent-optimisation; sample-weights fake=yes; ema decay=0.9;"
                 "instance-noise; ada by=(noise=0.3) p=0.4";
  add_weights(p, 2);
}

static void history(struct play *p) {
  p->c.loss = "hinge; ac-gan output=logits; l1 weight=0.1";
  p->c.penalty = "r2 weight=0.1; consistency augment=(noise=0.1)";
  p->c.devices = "replay size=30; unrolled steps=2; ema decay=0.9; ada by=(noise=0.3) p=0.4";
}

/* ------------------------------------------------------------------ the same bits after a resume, on any number of threads */

static void check_resuming(const char *g, const char *d, void (*with)(struct play *p)) {
  static char bytes[1 << 18];
  struct memory_file file = {.bytes = bytes, .capacity = sizeof bytes};
  gan_stream stream = memory_stream(&file);
  struct play p = players_open(NULL, 1, g, d), q = players_open(NULL, 3, g, d);
  with(&p);
  with(&q);
  play_start(&p);
  play_start(&q);
  play_on(&p, 7);
  must(p.ctx, gan_game_save_stream(p.t->game, &stream));
  play_on(&p, 9);
  file.at = 0;
  must(q.ctx, gan_game_restore_stream(q.t->game, &stream));
  play_on(&q, 9);
  int64_t count;
  gan_network *const of_p[3] = {p.g, p.d, p.t->average}, *const of_q[3] = {q.g, q.d, q.t->average};
  for (int i = 0; i < 3; i++) {
    float *a = copy_weights(of_p[i], &count), *b = copy_weights(of_q[i], NULL);
    assert_memory_equal(a, b, (size_t)count * sizeof *a);
    free(a);
    free(b);
  }
  const struct device *replay = devices_find(&p.t->devices, &device_replay);
  if (replay) {
    const struct variable *a = replay->layer->variables[0], *b = devices_find(&q.t->devices, &device_replay)->layer->variables[0];
    assert_memory_equal(a->data, b->data, (size_t)a->count * sizeof *a->data);
  }
  float ada = devices_find(&p.t->devices, &device_ada)->state->data[0];
  assert_true(ada > 0 && ada == devices_find(&q.t->devices, &device_ada)->state->data[0]);
  play_close(&p);
  play_close(&q);
}

static void resuming_goes_on_with_the_same_bits(void **state) {
  (void)state;
  check_resuming(G_LINES, D_LINES, everything);
  check_resuming(SMALL_G, SMALL_D, the_rest);
  check_resuming(G_LINES, D_LINES, history);
}

/* ------------------------------------------------------------------ memory */

static void check_allocations(const char *g, const char *d, void (*with)(struct play *p)) {
  struct allocator a = {0};
  struct play p = players_open(&a, 2, g, d);
  int64_t before, after;
  with(&p);
  play_start(&p);
  play_on(&p, 1);
  must(p.ctx, gan_context_memory(p.ctx, NULL, NULL, &before));
  play_on(&p, 8);
  must(p.ctx, gan_context_memory(p.ctx, NULL, NULL, &after));
  assert_int_equal(before, after);
  play_close(&p);
  assert_int_equal(a.live, 0);
}

static void steps_allocate_nothing(void **state) {
  (void)state;
  check_allocations(G_LINES, D_LINES, everything);
  check_allocations(SMALL_G, SMALL_D, the_rest);
  check_allocations(G_LINES, D_LINES, history);
}

/* A sample of all allocations: each fails once. */
static void check_failures(const char *g, const char *d, void (*with)(struct play *p)) {
  int64_t stride = 61 * test_every();
  for (int64_t at = 1;; at += stride) {
    struct allocator a = {0};
    struct play p = players_open(&a, 1, g, d);
    with(&p);
    a.fail_at = a.calls + at;
    gan_status status = gan_trainer_create(p.g, p.d, p.data, &p.c, &p.t);
    if (status == GAN_OK) status = gan_trainer_step(p.t);
    int reached = a.calls >= a.fail_at;
    a.fail_at = 0;
    play_close(&p);
    assert_int_equal(a.live, 0);
    assert_int_equal(status, reached ? GAN_ERROR_MEMORY : GAN_OK);
    if (!reached) break;
  }
}

static void allocations_may_fail(void **state) {
  (void)state;
  check_failures(G_LINES, D_LINES, everything);
  check_failures(SMALL_G, SMALL_D, the_rest);
  check_failures(G_LINES, D_LINES, history);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(resuming_goes_on_with_the_same_bits),
    cmocka_unit_test(steps_allocate_nothing),
    cmocka_unit_test(allocations_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
