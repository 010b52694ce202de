/* What the trainer reaches by name: every loss and penalty, rare penalties; and what it refuses, with which sentence. */
#include "players.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/trainer.h"

/* ------------------------------------------------------------------ losses and penalties by name */

/* Players, and the text, of the few that want other ones; the name alone and the usual players for all others. */
static const struct special { const char *name, *text, *g, *d; } specials[] = {
  {"ac-gan", "hinge; ac-gan output=logits", NULL, NULL},
  {"contrastive-2c", "hinge; contrastive-2c", NULL, NULL},
  {"d2d-ce", "hinge; d2d-ce", NULL, NULL},
  {"feature-matching", "non-saturating; feature-matching", NULL, NULL},
  {"l1", "hinge; l1", NULL, NULL},
  {"l2", "hinge; l2 output=means input=code", NULL, NULL},
  {"huber", "hinge; huber", NULL, NULL},
  {"binary-cross-entropy", "hinge; binary-cross-entropy", NULL, NULL},
  {"cross-entropy", "hinge; cross-entropy output=logits input=label; cross-entropy output=logits", NULL, NULL},
  {"gaussian-likelihood", "hinge; gaussian-likelihood output=features input=code", NULL, NULL},
  {"kl-gaussian", "hinge; kl-gaussian output=features", NULL, NULL},
  {"kl-categorical", "hinge; kl-categorical", NULL, NULL},
  {"perceptual", "hinge; perceptual; perceptual network=eyes weight=2", NULL, NULL},
  {"cycle", "hinge; cycle output=features; cycle output=means input=code weight=2", NULL, NULL},
  {"identity", "hinge; identity input=code", NULL, NULL},
  {"pull-away", "ebgan; pull-away output=features", NULL, NULL},
  {"mutual-information",
   "minimax; mutual-information code=code output=means; mutual-information code=label output=logits", NULL, NULL},
  {"began", NULL, SMALL_G, "input x 2; dense units=3; tanh; dense units=2"},
  {"semi-supervised", NULL, SMALL_G, "input x 2; dense units=8; tanh; dense units=2"},
  {"multi-hinge", NULL, G_LINES, "input x 2; dense units=8; tanh; dense units=4"},
  {"consistency", "consistency augment=(noise=0.1)", NULL, NULL},
  {"bcr", "bcr augment=(noise=0.1)", NULL, NULL},
};

static struct special special_of(const char *name) {
  struct special s = {name, NULL, NULL, NULL};
  for (size_t i = 0; i < sizeof specials / sizeof *specials; i++)
    if (strcmp(specials[i].name, name) == 0) s = specials[i];
  if (!s.text) s.text = s.name;
  if (!s.g) s.g = G_LINES;
  if (!s.d) s.d = D_LINES;
  return s;
}

static void play_by_name(const char *name, int32_t penalty, const char *every) {
  struct special s = special_of(name);
  struct play p = players_open(NULL, 1, s.g, s.d);
  char text[300];
  snprintf(text, sizeof text, "%s%s", s.text, every);
  if (penalty) p.c.penalty = text;
  else p.c.loss = text;
  gan_network *eyes = make_network(p.ctx, "eyes", "input x 2; dense units=4; tanh");
  p.c.networks = &eyes;
  p.c.n_networks = 1;
  play_start(&p);
  gan_network_free(eyes);
  play_on(&p, 4);
  gan_progress now = progress_of(&p);
  if (!isfinite(now.loss_d) || !isfinite(now.loss_g) || !(now.norm_d > 0) || !(now.norm_g > 0))
    fail_msg("%s: losses %g %g, norms %g %g", name, now.loss_d, now.loss_g, now.norm_d, now.norm_g);
  play_close(&p);
}

static void every_name_can_be_played(void **state) {
  (void)state;
  for (int32_t i = 0; i < gan_list_count(GAN_LIST_LOSSES); i++) play_by_name(gan_list_name(GAN_LIST_LOSSES, i), 0, "");
  for (int32_t i = 0; i < gan_list_count(GAN_LIST_PENALTIES); i++) {
    play_by_name(gan_list_name(GAN_LIST_PENALTIES, i), 1, "");
    play_by_name(gan_list_name(GAN_LIST_PENALTIES, i), 1, " every=2");
  }
}

static void rare_penalties_have_steps_of_their_own(void **state) {
  (void)state;
  struct play p = players_open(NULL, 1, SMALL_G, SMALL_D);
  double value;
  p.c.penalty = "r1 weight=2 every=3; lecam; r1 weight=1 every=5; path-length every=4;";
  play_start(&p);
  play_on(&p, 15);
  assert_int_equal(game_find_step(p.t->game, "r1")->runs, 5);
  assert_int_equal(game_find_step(p.t->game, "r1#2")->runs, 3);
  assert_int_equal(game_find_step(p.t->game, "path-length")->runs, 3);
  assert_int_equal(game_find_step(p.t->game, "path-length")->n_phases, 1);
  assert_int_equal(p.t->optimizer_d->step, 15 + 5 + 3);
  assert_int_equal(p.t->optimizer_g->step, 15 + 3);
  assert_int_equal(progress_of(&p).step, 15);
  assert_int_equal(gan_game_value(p.t->game, "r1", "loss_d", &value), GAN_ERROR_ARGUMENT);
  play_close(&p);
}

/* With sgd the rare step of a penalty on D moves its weights by so many times the usual gradient. */
static void rare_penalties_are_as_many_times_as_strong(void **state) {
  (void)state;
  float *came[2];
  int64_t count;
  for (int i = 0; i < 2; i++) {
    struct play p = players_open(NULL, 1, SMALL_G, SMALL_D);
    p.c.optimizer_d = "sgd rate=0.01";
    p.c.penalty = i ? "orthogonal of=D weight=0.3 every=3" : "orthogonal of=D weight=0.9 every=2";
    play_start(&p);
    float *before = copy_weights(p.d, &count);
    must(p.ctx, gan_game_step(p.t->game, "orthogonal"));
    came[i] = copy_weights(p.d, NULL);
    for (int64_t k = 0; k < count; k++) came[i][k] -= before[k];
    free(before);
    play_close(&p);
  }
  double moved = 0;
  for (int64_t k = 0; k < count; k++) {
    moved += fabs(came[0][k]);
    assert_true(fabs(came[0][k] - 2 * came[1][k]) < 1e-6);
  }
  assert_true(moved > 1e-3);
  free(came[0]);
  free(came[1]);
}

/* ------------------------------------------------------------------ mistakes */

static void expect_refusal(const char *loss, const char *penalty, const char *devices, const char *part) {
  struct play p = players_open(NULL, 1, SMALL_G, SMALL_D);
  if (loss) p.c.loss = loss;
  p.c.penalty = penalty;
  p.c.devices = devices;
  assert_int_not_equal(gan_trainer_create(p.g, p.d, p.data, &p.c, &p.t), GAN_OK);
  assert_null(p.t);
  assert_sentence(p.ctx, part);
  play_close(&p);
}

static void mistakes_get_a_sentence(void **state) {
  (void)state;
  char many[400] = "", long_item[700];
  for (int i = 0; i < 30; i++) strcat(many, "r1 every=2;");
  memset(long_item, 'a', sizeof long_item - 1);
  long_item[sizeof long_item - 1] = 0;
  expect_refusal("hinge; ac-gn", NULL, NULL, "did you mean 'ac-gan'?");
  expect_refusal("hinge; r1", NULL, NULL, "'r1' is a penalty, not a loss");
  expect_refusal(" ; ", NULL, NULL, "loss is empty");
  expect_refusal("feature-matching", NULL, NULL, "no loss gives the discriminator anything to minimise");
  expect_refusal("hinge; ac-gan", NULL, NULL, "further outputs of the discriminator");
  expect_refusal("hinge; ac-gan output=logits", NULL, NULL, "'D' has no output 'logits'; there are out");
  expect_refusal("relativistic on=hing", NULL, NULL, "did you mean 'hinge'?");
  expect_refusal(NULL, "r1; hinge", NULL, "'hinge' is a loss, not a penalty");
  expect_refusal(NULL, "r1 every=0", NULL, "every is 0; expected 1 .. 1000000");
  expect_refusal(NULL, "orthogonal of=H", NULL, "there are D, G, both");
  expect_refusal(NULL, "consistency", NULL, "expected images");
  expect_refusal(NULL, "consistency augment=(flop)", NULL, "did you mean 'flip'?");
  expect_refusal(NULL, many, NULL, "more than 24 losses and penalties");
  expect_refusal(long_item, NULL, NULL, "expected less than 512");
  expect_refusal(NULL, NULL, "topk", "did you mean 'top-k'?");
  expect_refusal(NULL, NULL, "fog", "there are ema, standing-statistics, instance-noise, augment, ada, top-k, pack, replay");
  expect_refusal(NULL, NULL, "ema; ema decay=0.5", "'ema' is given twice");
  expect_refusal(NULL, NULL, "ema decay=2", "decay is 2; expected 0 .. 1");
  expect_refusal(NULL, NULL, "instance-noise schedule=(linea steps=3)", "did you mean 'linear'?");
  expect_refusal(NULL, NULL, "freeze-d", "parameters is missing");
  expect_refusal(NULL, NULL, "freeze-d parameters=conv*", "no parameter of network 'D' matches 'conv*'");
  expect_refusal(NULL, NULL, "augment", "expected images");
  expect_refusal("hinge; ac-gan output=out", NULL, "replay", "labels of the generated samples are missing");
  expect_refusal(NULL, "zcr", "replay", "are missing");
  expect_refusal("hinge; l1 output=out", NULL, "replay", "replay: 'l1' compares an output of D with what belongs to");
  expect_refusal("hinge; perceptual", NULL, NULL, "networks that look at samples are missing");
  expect_refusal("hinge; cycle", NULL, NULL, "further outputs of the discriminator");
  expect_refusal("hinge; identity", NULL, NULL, "real samples are 12x2 and the generator's input 12x4");
  expect_refusal("hinge; kl-gaussian weight=-1", NULL, NULL, "weight is -1; expected 0 .. 1000000000");
  expect_refusal(NULL, NULL, "gradient-ratio", "the generator has not two losses");
  expect_refusal(NULL, NULL, "unrolled steps=0", "steps is 0; expected 1 .. 100");
  expect_refusal(NULL, NULL, "replay size=0", "size is 0; expected 1 .. 10000000");
  expect_refusal(NULL, NULL, "replay name=x", "no parameter 'name'");
  expect_refusal(NULL, NULL, "sample-weights", "data: there is no slot 'weight'");
  expect_refusal(NULL, NULL, "sample-weights slot=point", "the slot of sample-weights is 2 a sample, a weight is ");
  expect_refusal(NULL, NULL, "ada by=(noise=x)", "noise is 'x'; expected a number");
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_name_can_be_played),
    cmocka_unit_test(rare_penalties_have_steps_of_their_own),
    cmocka_unit_test(rare_penalties_are_as_many_times_as_strong),
    cmocka_unit_test(mistakes_get_a_sentence),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
