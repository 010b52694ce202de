/* Devices one by one: scalars over the steps, choice of samples and parameters, packing, ADA, accumulated gradients. */
#include "players.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/trainer.h"

/* ------------------------------------------------------------------ scalars and choices */

static double scalar_of(const struct play *p, const char *row) {
  for (int64_t k = 0; k < p->t->game->n_steps; k++) {
    const struct game_step *s = &p->t->game->step_list[k];
    for (int64_t i = 0; i < s->n_inputs; i++)
      if (s->inputs[i].memory && s->inputs[i].binding->name && strcmp(s->inputs[i].binding->name, row) == 0)
        return *(const float *)s->inputs[i].memory;
  }
  fail_msg("no step reads %s", row);
  return 0;
}

static void scalars_follow_their_formulas(void **state) {
  (void)state;
  struct play p = players_open(NULL, 1, SMALL_G, SMALL_D);
  p.c.ema = p.c.instance_noise = 0.25; /* short forms, which count less */
  p.c.devices = "ema decay=0.9 warmup=4; instance-noise std=0.5 schedule=(linear steps=4); top-k share=0.25 decay=0.5 every=2";
  play_start(&p);
  for (int i = 0; i < 8; i++) {
    play_on(&p, 1);
    assert_true(fabs(scalar_of(&p, "device:ema") - fmin(0.9, (1.0 + i) / (4.0 + i))) < 1e-6);
    assert_true(fabs(scalar_of(&p, "device:instance-noise") - 0.5 * fmax(0, 1 - i / 4.0)) < 1e-6);
    assert_true(scalar_of(&p, "device:top-k") == (i < 2 ? 12 : i < 4 ? 6 : 3));
  }
  play_close(&p);
}

/* Which samples count, and how much, for scores that the test knows. */
static void the_best_samples_count(void **state) {
  (void)state;
  struct table t = table_open();
  struct devices all = {.ctx = t.ctx};
  static const float scores[12] = {3, -1, 0.5f, 0.5f, 7, 0.5f, /* two a sample: */ -4, 1, 0, 0, 2, 2};
  must(t.ctx, devices_add(&all, "top-k share=0.5"));
  all.list[0].batch = 6;
  gan_tensor *x = make_tensor(t.ctx, 2, (int64_t[]){6, 2}, scores), *w = make_tensor(t.ctx, 1, (int64_t[]){6}, NULL);
  gan_output(device_top_k.weigh(&all.list[0], t.graph, gan_constant_tensor(t.graph, x)), "w");
  for (int k = 1; k <= 6; k++) {
    /* means 1, 0.5, 3.75, -1.5, 0, 2; ranks 2, 3, 0, 5, 4, 1 */
    static const int rank[6] = {2, 3, 0, 5, 4, 1};
    must(t.ctx, gan_game_set(t.game, "device:top-k", k));
    must(t.ctx, gan_game_step(t.game, "s"));
    must(t.ctx, gan_game_read(t.game, "s", "w", w));
    for (int i = 0; i < 6; i++) assert_true(fabs(((float *)gan_tensor_data(w))[i] - (rank[i] < k ? 6.0 / k : 0)) < 1e-6);
  }
  gan_tensor_free(x);
  gan_tensor_free(w);
  devices_free(&all);
  table_close(&t);
}

/* Of equal scores the first ones count, so that the number is right. */
static void equal_scores_are_told_apart(void **state) {
  (void)state;
  struct table t = table_open();
  struct devices all = {.ctx = t.ctx};
  must(t.ctx, devices_add(&all, "top-k"));
  all.list[0].batch = 4;
  gan_node *same = gan_broadcast(gan_constant(t.graph, 0.3), 1, (int64_t[]){4});
  gan_output(gan_sum(device_top_k.weigh(&all.list[0], t.graph, same)), "sum");
  must(t.ctx, gan_game_set(t.game, "device:top-k", 3));
  must(t.ctx, gan_game_step(t.game, "s"));
  assert_true(fabs(value_of(t.game, "s", "sum") - 4) < 1e-6);
  devices_free(&all);
  table_close(&t);
}

/* ------------------------------------------------------------------ packing */

/* Hands out what D gets. */
static gan_node *spy(void *user, gan_layer_call *call, int32_t count, gan_node *const *in) {
  int32_t *seen = user;
  (void)call, (void)count;
  char name[16];
  snprintf(name, sizeof name, "seen%d", *seen);
  if (gan_node_size(in[0], 0) == 4) gan_output(in[0], name), ++*seen;
  return gan_reshape(gan_mean_axes(in[0], 3, (int32_t[]){1, 2, 3}, 0), 2, (int64_t[]){gan_node_size(in[0], 0), 1});
}

/* Images of one number each, packed by two: a channel is one image. */
static void images_become_channels(void) {
  gan_context *ctx = make_context(NULL, 1);
  int32_t seen = 0;
  float images[8 * 4];
  for (int i = 0; i < 32; i++) images[i] = (float)(i / 4);
  must(ctx, gan_context_add_layer(ctx, "spy", spy, &seen, NULL));
  gan_network *g = make_network(ctx, "G", "input z 3; dense units=4; reshape shape=2x2x1");
  gan_network *d = make_network(ctx, "D", "input x 2x2x2; dense units=2 init=(orthogonal) bias=no; spy");
  gan_tensor *x = make_tensor(ctx, 4, (int64_t[]){8, 2, 2, 1}, images), *out = make_tensor(ctx, 4, (int64_t[]){4, 2, 2, 2}, NULL);
  gan_data *data = NULL;
  gan_trainer *t = NULL;
  gan_trainer_config c;
  must(ctx, gan_data_create(ctx, &data));
  must(ctx, gan_data_add(data, "image", x, NULL));
  gan_trainer_config_init(&c, sizeof c);
  c.batch = 8;
  c.devices = "pack";
  c.optimizer_d = "sgd rate=0";
  gan_tensor *one = make_tensor(ctx, 2, (int64_t[]){2, 2}, (float[]){1, 0, 0, 1});
  must(ctx, gan_network_set(d, "dense1/weight", one));
  must(ctx, gan_trainer_create(g, d, data, &c, &t));
  must(ctx, gan_game_step(gan_trainer_game(t), "D"));
  must(ctx, gan_game_read(gan_trainer_game(t), "D", "seen0", out));
  const float *v = gan_tensor_data(out);
  int found = 0;
  for (int row = 0; row < 4; row++) {
    for (int channel = 0; channel < 2; channel++) {
      for (int pixel = 1; pixel < 4; pixel++) assert_true(v[row * 8 + pixel * 2 + channel] == v[row * 8 + channel]);
      found |= 1 << (int)v[row * 8 + channel];
    }
  }
  int images_found = 0;
  for (int i = 0; i < 8; i++) images_found += found >> i & 1;
  assert_int_equal(images_found, 8);
  gan_trainer_free(t);
  gan_tensor_free(one);
  gan_tensor_free(out);
  gan_tensor_free(x);
  gan_data_free(data);
  gan_network_free(g);
  gan_network_free(d);
  gan_context_free(ctx);
}

static void packed_samples_lie_side_by_side(void **state) {
  (void)state;
  images_become_channels();
  struct play p = players_open(NULL, 1, SMALL_G, "input x 6; dense units=8; tanh; dense units=1");
  p.c.devices = "pack samples=3";
  play_start(&p);
  play_on(&p, 3);
  play_close(&p);

  struct play q = players_open(NULL, 1, SMALL_G, "input x 2x2; flatten; dense units=1");
  q.c.devices = "pack samples=3";
  assert_int_equal(gan_trainer_create(q.g, q.d, q.data, &q.c, &q.t), GAN_ERROR_SHAPE);
  assert_sentence(q.ctx, "holds no 3 samples");
  q.c.devices = "pack samples=5";
  assert_int_equal(gan_trainer_create(q.g, q.d, q.data, &q.c, &q.t), GAN_ERROR_ARGUMENT);
  assert_sentence(q.ctx, "a batch of 12 is no multiple of 5 samples");
  play_close(&q);

  struct play r = players_open(NULL, 1, G_LINES, "input x 4; input label classes=3; embedding classes=3 width=2 from=label name=e;"
                                              "concat from=x,e; dense units=1");
  r.c.devices = "pack";
  assert_int_equal(gan_trainer_create(r.g, r.d, r.data, &r.c, &r.t), GAN_ERROR_ARGUMENT);
  assert_sentence(r.ctx, "pack: the discriminator has conditions");
  play_close(&r);
}

/* ------------------------------------------------------------------ parameters, chances, accumulated gradients */

static float largest_of(const struct play *p, gan_network *n, const char *path, int64_t count) {
  float largest = 0;
  gan_tensor *t = make_tensor(p->ctx, 1, &count, NULL);
  must(p->ctx, gan_network_get(n, path, t));
  for (int64_t i = 0; i < count; i++) largest = fmaxf(largest, fabsf(((const float *)gan_tensor_data(t))[i]));
  gan_tensor_free(t);
  return largest;
}

static void clipped_weights_stay_in_their_box(void **state) {
  (void)state;
  struct play p = players_open(NULL, 1, SMALL_G, SMALL_D);
  p.c.devices = "weight-clipping bound=0.02";
  play_start(&p);
  assert_true(largest_of(&p, p.d, "first/weight", 16) > 0.02f);
  play_on(&p, 2);
  assert_true(largest_of(&p, p.d, "first/weight", 16) <= 0.02f);
  assert_true(largest_of(&p, p.d, "last/weight", 8) <= 0.02f);
  play_close(&p);
}

static void frozen_parameters_stay(void **state) {
  (void)state;
  struct play p = players_open(NULL, 1, SMALL_G, SMALL_D);
  p.c.devices = "freeze-d parameters=\"first/*, last/bias\"; freeze-g parameters=(*bias)";
  float before[2][16] = {{0}}, after[2][16] = {{0}};
  play_start(&p);
  for (int i = 0; i < 2; i++) {
    float(*to)[16] = i ? after : before;
    gan_tensor *first = make_tensor(p.ctx, 1, (int64_t[]){16}, NULL), *last = make_tensor(p.ctx, 1, (int64_t[]){8}, NULL);
    must(p.ctx, gan_network_get(p.d, "first/weight", first));
    must(p.ctx, gan_network_get(p.d, "last/weight", last));
    memcpy(to[0], gan_tensor_data(first), 16 * sizeof(float));
    memcpy(to[1], gan_tensor_data(last), 8 * sizeof(float));
    gan_tensor_free(first);
    gan_tensor_free(last);
    play_on(&p, 2);
  }
  assert_memory_equal(before[0], after[0], sizeof before[0]);
  assert_memory_not_equal(before[1], after[1], 8 * sizeof(float));
  assert_int_equal(p.t->optimizer_d->n_parameters, 1);
  play_close(&p);
}

/* D that scores every real sample above 0 lets p rise by samples / speed a step, up to 1; one that scores below lets it fall. */
static void the_chance_follows_the_signs(void **state) {
  (void)state;
  for (int rises = 0; rises < 2; rises++) {
    struct play p = players_open(NULL, 1, SMALL_G, SMALL_D);
    p.c.devices = "ada by=(noise=0.1) p=0.5 speed=120";
    p.c.optimizer_d = "sgd rate=0";
    float bias[1] = {rises ? 100.0f : -100.0f};
    gan_tensor *b = make_tensor(p.ctx, 1, (int64_t[]){1}, bias);
    must(p.ctx, gan_network_set(p.d, "last/bias", b));
    gan_tensor_free(b);
    play_start(&p);
    const struct device *ada = devices_find(&p.t->devices, &device_ada);
    for (int i = 1; i <= 7; i++) {
      play_on(&p, 1);
      double expected = rises ? fmin(1, 0.5 + 0.1 * i) : fmax(0, 0.5 - 0.1 * i);
      assert_true(fabs(ada->state->data[0] - expected) < 1e-5);
    }
    play_close(&p);
  }
}

static void accumulated_steps_count_once(void **state) {
  (void)state;
  struct play p = players_open(NULL, 1, SMALL_G, SMALL_D);
  p.c.optimizer_d = "adam rate=1e-3 accumulate=3";
  p.c.optimizer_g = "adam rate=1e-3 accumulate=2";
  p.c.penalty = "r1 every=2; orthogonal of=G every=4";
  p.c.d_steps = 2;
  p.c.steps = 4;
  play_start(&p);
  must(p.ctx, gan_trainer_run(p.t));
  gan_progress now = progress_of(&p);
  assert_int_equal(now.step, 4);
  assert_int_equal(p.t->optimizer_d->step, 4 * 2 + 2);
  assert_int_equal(p.t->optimizer_g->step, 4 + 1);
  assert_int_equal(p.t->step_d->runs, 4 * 2 * 3);
  assert_int_equal(p.t->step_g->runs, 4 * 2);
  assert_int_equal(p.t->optimizer_d->pending + p.t->optimizer_g->pending, 0);
  assert_true(isfinite(now.loss_d) && isfinite(now.loss_g) && now.norm_d > 0 && now.norm_g > 0 && isfinite(now.d_real));
  play_close(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(scalars_follow_their_formulas),
    cmocka_unit_test(the_best_samples_count),
    cmocka_unit_test(equal_scores_are_told_apart),
    cmocka_unit_test(packed_samples_lie_side_by_side),
    cmocka_unit_test(clipped_weights_stay_in_their_box),
    cmocka_unit_test(frozen_parameters_stay),
    cmocka_unit_test(the_chance_follows_the_signs),
    cmocka_unit_test(accumulated_steps_count_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
