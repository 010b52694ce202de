/* Devices that change who learns what from whom: weights of samples, joint and unrolled steps, latent
 * optimisation, mixed losses. */
#include "players.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/trainer.h"

static void samples_count_as_they_weigh(void **state) {
  (void)state;
  for (int fake = 0; fake < 2; fake++) {
    struct play p = players_open(NULL, 1, SMALL_G, SMALL_D);
    p.c.loss = "wasserstein";
    p.c.devices = fake ? "sample-weights fake=yes" : "sample-weights";
    add_weights(&p, 3);
    play_start(&p);
    play_on(&p, 1);
    gan_progress now = progress_of(&p);
    assert_true(fabs(now.d_real) > 1e-4 && fabs(now.d_fake) > 1e-4);
    assert_true(fabs(now.loss_d - ((fake ? 3 : 1) * now.d_fake - 3 * now.d_real)) < 1e-5);
    play_close(&p);
  }
}

/* G's weights after a step of sgd; of both players together, or one after the other, where D may stay as it was. */
static float *step_of_g(const char *devices, const char *optimizer_d, int64_t *count) {
  struct play p = players_open(NULL, 1, SMALL_G, SMALL_D);
  p.c.devices = devices;
  p.c.optimizer_d = optimizer_d;
  p.c.optimizer_g = "sgd rate=1";
  p.c.d_steps = 1;
  play_start(&p);
  play_on(&p, 1);
  assert_int_equal(progress_of(&p).step, 1);
  assert_int_equal(p.t->optimizer_d->step, 1);
  float *weights = copy_weights(p.g, count);
  play_close(&p);
  return weights;
}

static void both_move_against_the_other_as_it_was(void **state) {
  (void)state;
  int64_t count;
  float *joint = step_of_g("joint", "sgd rate=1", &count), *still = step_of_g(NULL, "sgd rate=0", NULL);
  float *moved = step_of_g(NULL, "sgd rate=1", NULL);
  double same = 0, other = 0;
  for (int64_t i = 0; i < count; i++) {
    same = fmax(same, fabs(joint[i] - still[i]));
    other = fmax(other, fabs(joint[i] - moved[i]));
  }
  assert_true(same < 1e-6 && other > 1e-4);
  free(joint);
  free(still);
  free(moved);
}

/* D that would not move is no other D some steps later. */
static void unrolled_steps_are_ahead_of_d(void **state) {
  (void)state;
  int64_t count;
  double same = 0, other = 0;
  float *plain[2], *unrolled[2];
  for (int i = 0; i < 2; i++) {
    plain[i] = step_of_g(NULL, i ? "sgd rate=0.5" : "sgd rate=0", &count);
    unrolled[i] = step_of_g("unrolled steps=3", i ? "sgd rate=0.5" : "sgd rate=0", NULL);
  }
  for (int64_t k = 0; k < count; k++) {
    same = fmax(same, fabs(plain[0][k] - unrolled[0][k]));
    other = fmax(other, fabs(plain[1][k] - unrolled[1][k]));
  }
  assert_true(same < 1e-6 && other > 1e-4);
  for (int i = 0; i < 2; i++) free(plain[i]), free(unrolled[i]);
}

/* What a step costs is in both losses: of linear players it is one number for all samples. */
static void latents_pay_for_their_way(void **state) {
  (void)state;
  gan_progress came[2];
  double length = 0;
  for (int i = 0; i < 2; i++) {
    struct play p = players_open(NULL, 1, "input z 4 noise=normal; dense units=2 bias=no", "input x 2; dense units=1 bias=no");
    p.c.loss = "wasserstein";
    p.c.optimizer_d = p.c.optimizer_g = "sgd rate=0";
    p.c.devices = i ? "latent-optimisation rate=0.7 damping=0.5 weight=3" : "latent-optimisation rate=0.7 damping=0.5";
    play_start(&p);
    play_on(&p, 1);
    came[i] = progress_of(&p);
    float *w = copy_weights(p.g, NULL), *v = copy_weights(p.d, NULL);
    length = 0;
    for (int k = 0; k < 4; k++) length += pow(v[0] * w[k] + v[1] * w[4 + k], 2);
    free(w);
    free(v);
    play_close(&p);
  }
  double cost = 3 * 0.49 * length / pow(0.5 + length, 2);
  assert_true(fabs(came[1].loss_d - came[0].loss_d - cost) < 1e-5 && fabs(came[1].loss_g - came[0].loss_g - cost) < 1e-5);
  assert_true(cost > 1e-2 && fabs(came[1].norm_g - came[0].norm_g) > 1e-4);
}

/* Of linear players the gradient g is one for all z, and the score rises by alpha |g|^2 / (damping + |g|^2). */
static void latents_climb_the_score(void **state) {
  (void)state;
  double score[2], length = 0;
  for (int i = 0; i < 2; i++) {
    struct play p = players_open(NULL, 1, "input z 4 noise=normal; dense units=2 bias=no", "input x 2; dense units=1 bias=no");
    p.c.loss = "wasserstein";
    p.c.optimizer_d = p.c.optimizer_g = "sgd rate=0";
    p.c.devices = i ? "latent-optimisation rate=0.7 damping=0.5" : NULL;
    play_start(&p);
    play_on(&p, 1);
    score[i] = progress_of(&p).d_fake;
    float *w = copy_weights(p.g, NULL), *v = copy_weights(p.d, NULL);
    length = 0;
    for (int k = 0; k < 4; k++) length += pow(v[0] * w[k] + v[1] * w[4 + k], 2);
    free(w);
    free(v);
    play_close(&p);
  }
  assert_true(fabs(score[1] - score[0] - 0.7 * length / (0.5 + length)) < 1e-5 && length > 1e-3);
}

/* Where the other loss is 100 times as strong, so is that of the scores; G's step is 100 times as long. */
static void losses_are_mixed_by_their_gradients(void **state) {
  (void)state;
  double norm[3];
  for (int i = 0; i < 3; i++) {
    struct play p = players_open(NULL, 1, SMALL_G, SMALL_D);
    p.c.loss = i == 1 ? "non-saturating; l2 weight=100" : "non-saturating; l2";
    p.c.devices = i == 2 ? NULL : "gradient-ratio ratio=0.7";
    play_start(&p);
    play_on(&p, 1);
    norm[i] = progress_of(&p).norm_g;
    play_close(&p);
  }
  assert_true(fabs(norm[1] / norm[0] - 100) < 1e-2 && fabs(norm[0] / norm[2] - 1) > 1e-3);
}

static void joint_steps_accumulate_together(void **state) {
  (void)state;
  struct play p = players_open(NULL, 1, SMALL_G, SMALL_D);
  p.c.devices = "joint; replay; ema decay=0.5";
  p.c.optimizer_d = p.c.optimizer_g = "sgd accumulate=2";
  p.c.d_steps = 2;
  play_start(&p);
  play_on(&p, 3);
  assert_int_equal(p.t->optimizer_d->step, 6);
  assert_int_equal(p.t->optimizer_g->step, 3);
  assert_int_equal(progress_of(&p).step, 3);
  assert_true(isfinite(progress_of(&p).loss_g) && progress_of(&p).norm_d > 0);
  play_close(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(samples_count_as_they_weigh),
    cmocka_unit_test(both_move_against_the_other_as_it_was),
    cmocka_unit_test(unrolled_steps_are_ahead_of_d),
    cmocka_unit_test(latents_climb_the_score),
    cmocka_unit_test(latents_pay_for_their_way),
    cmocka_unit_test(losses_are_mixed_by_their_gradients),
    cmocka_unit_test(joint_steps_accumulate_together),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
