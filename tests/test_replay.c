/* The pool of earlier samples: the layer replay, and the device that keeps with each sample what D was told of it. */
#include "players.h"

#include <stdlib.h>
#include <string.h>

#include "train/trainer.h"

/* ------------------------------------------------------------------ the layer */

/* A pool of three samples a row, fed with the numbers 1, 2, 3 ..: what comes out was remembered, or is what came in. */
static void replayed_samples_were_there(void **state) {
  (void)state;
  enum { SLOTS = 3, STEPS = 300 };
  struct table t = table_open();
  float pool[2][SLOTS] = {{0}};
  int replayed = 0;
  gan_layer *layer = NULL;
  gan_tensor *x = make_tensor(t.ctx, 2, (int64_t[]){2, 1}, NULL), *y = make_tensor(t.ctx, 2, (int64_t[]){2, 1}, NULL);
  must(t.ctx, gan_layer_create(t.ctx, "replay size=6 name=history", &layer));
  gan_node *in = gan_input(t.graph, "x", GAN_F32, 2, (int64_t[]){2, 1});
  gan_output(gan_layer_apply(layer, 1, 1, &in), "y");
  for (int i = 0; i < STEPS; i++) {
    const float came[2] = {(float)(2 * i + 1), (float)(2 * i + 2)}, *out = gan_tensor_data(y);
    memcpy(gan_tensor_data(x), came, sizeof came);
    must(t.ctx, gan_game_bind(t.game, "x", x));
    must(t.ctx, gan_game_step(t.game, "s"));
    must(t.ctx, gan_game_read(t.game, "s", "y", y));
    for (int row = 0; row < 2; row++) {
      int slot = 0;
      if (i < SLOTS) pool[row][i] = came[row];
      if (out[row] == came[row]) continue;
      while (slot < SLOTS && pool[row][slot] != out[row]) slot++;
      assert_true(i >= SLOTS && slot < SLOTS);
      pool[row][slot] = came[row];
      replayed++;
    }
  }
  assert_true(abs(replayed - STEPS) < 4 * 13); /* 600 chances of a half, within four deviations */
  gan_tensor_free(x);
  gan_tensor_free(y);
  gan_layer_free(layer);
  table_close(&t);
}

/* ------------------------------------------------------------------ the device */

/* Without a history they have one: D's loss is of other samples than G made. */
static void the_trainer_keeps_a_history(void **state) {
  (void)state;
  struct play p = players_open(NULL, 1, SMALL_G, SMALL_D);
  p.c.devices = "replay size=24";
  play_start(&p);
  play_on(&p, 2);
  const struct device *d = devices_find(&p.t->devices, &device_replay);
  assert_int_equal(d->layer->n_variables, 2);
  assert_int_equal(d->layer->variables[0]->count, 48);
  assert_true(d->layer->variables[1]->data[0] == 2);
  for (int64_t i = 0; i < 48; i++) assert_true(d->layer->variables[0]->data[i] != 0);
  play_close(&p);
}

/* The pool lies where it is: a step writes rows of it, and needs no memory that grows with it. */
static void only_rows_of_the_pool_are_written(void **state) {
  (void)state;
  int64_t bytes[2], changed = 0;
  for (int i = 0; i < 2; i++) {
    struct play p = players_open(NULL, 2, SMALL_G, SMALL_D);
    p.c.devices = i ? "replay size=2400" : "replay size=48";
    play_start(&p);
    must(p.ctx, gan_game_cost(p.t->game, NULL, &bytes[i], NULL));
    play_on(&p, 6);
    const struct variable *pool = devices_find(&p.t->devices, &device_replay)->layer->variables[0];
    float before[96];
    memcpy(before, pool->data, sizeof before);
    play_on(&p, 1);
    for (int64_t row = 0; row < 48; row++) changed += memcmp(before + 2 * row, pool->data + 2 * row, 2 * sizeof *before) != 0;
    assert_true(changed >= 1 && changed <= 12);
    changed = 0;
    if (i) assert_int_equal(pool->shape[0], 2400);
    play_close(&p);
    if (!i) continue;
    assert_int_equal(bytes[0], bytes[1]);
  }
}

/* Shows what D is told of generated samples. */
static gan_node *look(void *user, int32_t side, const gan_scene *scene) {
  (void)user;
  if (side == GAN_SIDE_G) return NULL;
  gan_output(scene->fake, "sample");
  gan_output(gan_to_float(scene->fake_labels), "label");
  gan_output(gan_to_float(scene->fake_conditions[0]), "condition");
  gan_output(gan_to_float(scene->conditions[0]), "present");
  return NULL;
}

static void read_step(struct play *p, const char *name, int64_t columns, float *values) {
  gan_tensor *t = make_tensor(p->ctx, columns > 1 ? 2 : 1, (int64_t[]){12, columns}, NULL);
  must(p->ctx, gan_game_read(p->t->game, "D", name, t));
  memcpy(values, gan_tensor_data(t), sizeof *values * 12 * (size_t)columns);
  gan_tensor_free(t);
}

/* G makes (label, 0): whatever the row is told now, D and losses are told of a past sample what it was made from. */
static void labels_stay_with_their_samples(void **state) {
  (void)state;
  struct play p = players_open(NULL, 1, "input z 4 noise=normal; input label classes=3; one-hot classes=3 from=label;"
                                        "dense units=2 bias=no", D_LINES);
  const float weights[6] = {0, 1, 2, 0, 0, 0};
  float sample[24], label[12], condition[12], present[12];
  gan_tensor *w = make_tensor(p.ctx, 2, (int64_t[]){2, 3}, weights);
  int others = 0;
  must(p.ctx, gan_network_set(p.g, "dense1/weight", w));
  must(p.ctx, gan_context_add_penalty(p.ctx, "look", look, NULL, NULL));
  p.c.loss = "hinge; ac-gan output=logits";
  p.c.penalty = "look; r2 weight=0.1";
  p.c.devices = "replay size=24";
  play_start(&p);
  for (int i = 0; i < 20; i++) {
    must(p.ctx, gan_game_step(p.t->game, "D"));
    read_step(&p, "sample", 2, sample);
    read_step(&p, "label", 1, label);
    read_step(&p, "condition", 1, condition);
    read_step(&p, "present", 1, present);
    for (int row = 0; row < 12; row++) {
      assert_true(sample[2 * row] == label[row] && label[row] == condition[row]);
      others += condition[row] != present[row];
    }
  }
  assert_true(others > 20);
  gan_tensor_free(w);
  play_close(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(replayed_samples_were_there),
    cmocka_unit_test(the_trainer_keeps_a_history),
    cmocka_unit_test(only_rows_of_the_pool_are_written),
    cmocka_unit_test(labels_stay_with_their_samples),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
