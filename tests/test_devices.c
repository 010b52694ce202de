/* What the trainer reaches by name: every loss and penalty, rare penalties, and each device; all of them together are saved, need
 * no memory in a step and give the same bits on any number of threads. */
#include "play.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/trainer.h"

/* ------------------------------------------------------------------ players that any loss can be played with */

#define G_LINES \
  "input z 4 noise=normal; input label classes=3; input code 2 noise=uniform; one-hot classes=3 from=label name=h;" \
  "concat from=z,h,code; dense units=8; tanh; dense units=2"

/* Scores, features, embeddings of the labels, logits of the classes, means of the code. */
#define D_LINES \
  "input x 2; input label classes=3; dense units=8 from=x name=trunk; tanh name=t;" \
  "dense units=1 from=t name=scores; dense units=4 from=t name=features; embedding classes=3 width=4 from=label name=proxy;" \
  "dense units=3 from=t name=logits; dense units=2 from=t name=means;" \
  "output scores scores; output features features; output embeddings proxy; output logits logits; output means means"

#define SMALL_G "input z 4 noise=normal; dense units=8; batch-norm; tanh; dense units=2"
#define SMALL_D "input x 2; dense units=8 name=first; tanh; dense units=1 name=last"

static struct play play_open(struct allocator *a, int32_t threads, const char *g, const char *d) {
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

static gan_progress progress_of(const struct play *p) {
  gan_progress now = {.struct_size = sizeof now};
  must(p->ctx, gan_trainer_progress(p->t, &now));
  return now;
}

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
  struct play p = play_open(NULL, 1, s.g, s.d);
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
  struct play p = play_open(NULL, 1, SMALL_G, SMALL_D);
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
    struct play p = play_open(NULL, 1, SMALL_G, SMALL_D);
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

/* ------------------------------------------------------------------ devices */

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
  struct play p = play_open(NULL, 1, SMALL_G, SMALL_D);
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
  struct play p = play_open(NULL, 1, SMALL_G, "input x 6; dense units=8; tanh; dense units=1");
  p.c.devices = "pack samples=3";
  play_start(&p);
  play_on(&p, 3);
  play_close(&p);

  struct play q = play_open(NULL, 1, SMALL_G, "input x 2x2; flatten; dense units=1");
  q.c.devices = "pack samples=3";
  assert_int_equal(gan_trainer_create(q.g, q.d, q.data, &q.c, &q.t), GAN_ERROR_SHAPE);
  assert_sentence(q.ctx, "holds no 3 samples");
  q.c.devices = "pack samples=5";
  assert_int_equal(gan_trainer_create(q.g, q.d, q.data, &q.c, &q.t), GAN_ERROR_ARGUMENT);
  assert_sentence(q.ctx, "a batch of 12 is no multiple of 5 samples");
  play_close(&q);

  struct play r = play_open(NULL, 1, G_LINES, "input x 4; input label classes=3; embedding classes=3 width=2 from=label name=e;"
                                              "concat from=x,e; dense units=1");
  r.c.devices = "pack";
  assert_int_equal(gan_trainer_create(r.g, r.d, r.data, &r.c, &r.t), GAN_ERROR_ARGUMENT);
  assert_sentence(r.ctx, "pack: the discriminator has conditions");
  play_close(&r);
}

static void frozen_parameters_stay(void **state) {
  (void)state;
  struct play p = play_open(NULL, 1, SMALL_G, SMALL_D);
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
    struct play p = play_open(NULL, 1, SMALL_G, SMALL_D);
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
  struct play p = play_open(NULL, 1, SMALL_G, SMALL_D);
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

/* ------------------------------------------------------------------ history, weights, who moves when */

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

/* Without a history they have one: D's loss is of other samples than G made. */
static void the_trainer_keeps_a_history(void **state) {
  (void)state;
  struct play p = play_open(NULL, 1, SMALL_G, SMALL_D);
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

static void add_weights(struct play *p, float weight) {
  const int64_t count = gan_data_count(p->data);
  gan_tensor *w = make_tensor(p->ctx, 1, &count, NULL);
  must(p->ctx, gan_tensor_fill(w, weight));
  must(p->ctx, gan_data_add(p->data, "weight", w, NULL));
  gan_tensor_free(w);
}

static void samples_count_as_they_weigh(void **state) {
  (void)state;
  for (int fake = 0; fake < 2; fake++) {
    struct play p = play_open(NULL, 1, SMALL_G, SMALL_D);
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
  struct play p = play_open(NULL, 1, SMALL_G, SMALL_D);
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

/* Of linear players the gradient g is one for all z, and the score rises by alpha |g|^2 / (damping + |g|^2). */
static void latents_climb_the_score(void **state) {
  (void)state;
  double score[2], length = 0;
  for (int i = 0; i < 2; i++) {
    struct play p = play_open(NULL, 1, "input z 4 noise=normal; dense units=2 bias=no", "input x 2; dense units=1 bias=no");
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

/* Of one batch, and of three: the same noise gives the same statistics as steps of a game whose momentum is 1. */
static void standing_statistics_are_means_over_batches(void **state) {
  (void)state;
  gan_context *ctx = make_context(NULL, 2);
  gan_network *n = make_network(ctx, "G", "input z 4 noise=normal; input label classes=3; dense units=3 from=z name=h;"
                                          "conditional-batch-norm classes=3 from=h,label;"
                                          "dense units=2 spectral-norm=yes name=last");
  gan_network *fast = make_network(ctx, "G", "input z 4 noise=normal; input label classes=3; dense units=3 from=z name=h;"
                                             "conditional-batch-norm classes=3 from=h,label momentum=1; dense units=2");
  const gan_game_config config = {.struct_size = sizeof config, .batch = 8, .seed = 5};
  gan_tensor *mean[2], *sum = make_tensor(ctx, 1, (int64_t[]){3}, NULL), *u[2];
  gan_game *game = NULL;
  gan_graph *g;
  gan_node *in[2], *y;
  for (int i = 0; i < 2; i++) mean[i] = make_tensor(ctx, 1, (int64_t[]){3}, NULL), u[i] = make_tensor(ctx, 1, (int64_t[]){2}, NULL);
  must(ctx, gan_game_create(ctx, &config, &game));
  must(ctx, gan_game_add_step(game, "s", &g));
  in[0] = gan_noise(g, fast, "z"), in[1] = gan_noise(g, fast, "label");
  gan_network_apply(fast, 1, 2, in, 1, &y);
  gan_optimizer *o = make_optimizer(ctx, "o", "sgd rate=0", fast, NULL);
  gan_minimize(o, gan_sum(y));
  must(ctx, gan_network_get(n, "last/weight_u", u[0]));
  for (int k = 1; k <= 3; k++) {
    must(ctx, gan_game_step(game, "s"));
    must(ctx, gan_network_get(fast, "conditional-batch-norm1/running_mean", mean[0]));
    for (int i = 0; i < 3; i++) ((float *)gan_tensor_data(sum))[i] += ((float *)gan_tensor_data(mean[0]))[i];
    must(ctx, gan_network_settle(n, 8, k, 5));
    must(ctx, gan_network_get(n, "conditional-batch-norm1/running_mean", mean[1]));
    for (int i = 0; i < 3; i++)
      assert_true(fabsf(((float *)gan_tensor_data(mean[1]))[i] * (float)k - ((float *)gan_tensor_data(sum))[i]) < 1e-5f);
  }
  must(ctx, gan_network_get(n, "last/weight_u", u[1]));
  assert_memory_equal(gan_tensor_data(u[0]), gan_tensor_data(u[1]), 2 * sizeof(float)); /* other state stays */
  for (int i = 0; i < 2; i++) gan_tensor_free(mean[i]), gan_tensor_free(u[i]);
  gan_tensor_free(sum);
  gan_game_free(game);
  gan_optimizer_free(o);
  gan_network_free(n);
  gan_network_free(fast);
  gan_context_free(ctx);
}

static void the_average_is_measured_before_it_is_sampled(void **state) {
  (void)state;
  struct play p = play_open(NULL, 1, SMALL_G, SMALL_D);
  float out[2], statistics[3][8];
  gan_tensor *mean = make_tensor(p.ctx, 1, (int64_t[]){8}, NULL);
  p.c.devices = "ema decay=0.9; standing-statistics batches=4";
  play_start(&p);
  for (int i = 0; i < 3; i++) {
    if (i == 0) play_on(&p, 5);
    if (i) must(p.ctx, gan_trainer_sample(p.t, 0, 1, out)); /* the second sample measures nothing */
    must(p.ctx, gan_network_get(gan_trainer_generator(p.t), "batch-norm1/running_mean", mean));
    memcpy(statistics[i], gan_tensor_data(mean), sizeof statistics[i]);
  }
  assert_memory_not_equal(statistics[0], statistics[1], sizeof *statistics);
  assert_memory_equal(statistics[1], statistics[2], sizeof *statistics);
  must(p.ctx, gan_network_settle(gan_trainer_generator(p.t), 12, 4, p.t->game->seed));
  must(p.ctx, gan_network_get(gan_trainer_generator(p.t), "batch-norm1/running_mean", mean));
  assert_memory_equal(statistics[1], gan_tensor_data(mean), sizeof *statistics);
  gan_tensor_free(mean);
  play_close(&p);
}

/* Where the other loss is 100 times as strong, so is that of the scores; G's step is 100 times as long. */
static void losses_are_mixed_by_their_gradients(void **state) {
  (void)state;
  double norm[3];
  for (int i = 0; i < 3; i++) {
    struct play p = play_open(NULL, 1, SMALL_G, SMALL_D);
    p.c.loss = i == 1 ? "non-saturating; l2 weight=100" : "non-saturating; l2";
    p.c.devices = i == 2 ? NULL : "gradient-ratio ratio=0.7";
    play_start(&p);
    play_on(&p, 1);
    norm[i] = progress_of(&p).norm_g;
    play_close(&p);
  }
  assert_true(fabs(norm[1] / norm[0] - 100) < 1e-2 && fabs(norm[0] / norm[2] - 1) > 1e-3);
}

/* Each allocation fails once: nothing is lost, and the statistics stay as they were. */
static void measuring_may_fail(void **state) {
  (void)state;
  for (int64_t at = 1;; at += 3 * test_every()) {
    struct allocator a = {0};
    gan_context *ctx = make_context(&a, 1);
    gan_network *n = make_network(ctx, "G", SMALL_G);
    int64_t count;
    float *before = copy_weights(n, &count);
    a.fail_at = a.calls + at;
    gan_status status = gan_network_settle(n, 8, 2, 1);
    int reached = a.calls >= a.fail_at;
    a.fail_at = 0;
    float *after = copy_weights(n, NULL);
    assert_int_equal(status, reached ? GAN_ERROR_MEMORY : GAN_OK);
    assert_int_equal(memcmp(before, after, (size_t)count * sizeof *after) == 0, reached);
    free(before);
    free(after);
    gan_network_free(n);
    gan_context_free(ctx);
    assert_int_equal(a.live, 0);
    if (!reached) break;
  }
}

static void joint_steps_accumulate_together(void **state) {
  (void)state;
  struct play p = play_open(NULL, 1, SMALL_G, SMALL_D);
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

/* ------------------------------------------------------------------ all together */

static void everything(struct play *p) {
  p->c.loss = "hinge smooth=0.1 flip=0.1; ac-gan output=logits weight=0.5; mutual-information code=code output=means";
  p->c.penalty = "r1 weight=1 every=2; lecam; path-length every=3; zcr; dragan weight=0.1; historical-averaging weight=0.01";
  p->c.devices = "ema decay=0.9 warmup=3; instance-noise std=0.2 schedule=(cosine steps=20);"
                 "ada by=(noise=0.3) speed=2000 p=0.4; top-k every=1";
  p->c.fresh_noise = 1;
  p->c.d_steps = 2;
}

/* What does not go with conditions. */
static void the_rest(struct play *p) {
  p->c.devices = "replay size=30; joint; unrolled steps=2; latent-optimisation; sample-weights fake=yes; ema decay=0.9;"
                 "instance-noise; ada by=(noise=0.3) p=0.4";
  add_weights(p, 2);
}

static void check_resuming(const char *g, const char *d, void (*with)(struct play *p)) {
  static char bytes[1 << 18];
  struct memory_file file = {.bytes = bytes, .capacity = sizeof bytes};
  gan_stream stream = memory_stream(&file);
  struct play p = play_open(NULL, 1, g, d), q = play_open(NULL, 3, g, d);
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
}

static void check_allocations(const char *g, const char *d, void (*with)(struct play *p)) {
  struct allocator a = {0};
  struct play p = play_open(&a, 2, g, d);
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
}

/* A sample of all allocations: each fails once. */
static void check_failures(const char *g, const char *d, void (*with)(struct play *p)) {
  int64_t stride = 61 * test_every();
  for (int64_t at = 1;; at += stride) {
    struct allocator a = {0};
    struct play p = play_open(&a, 1, g, d);
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
}

/* ------------------------------------------------------------------ mistakes */

static void expect_refusal(const char *loss, const char *penalty, const char *devices, const char *part) {
  struct play p = play_open(NULL, 1, SMALL_G, SMALL_D);
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
  expect_refusal(NULL, NULL, "fog", "there are ema, standing-statistics, instance-noise, augment, ada, top-k, pack, replay, sample-weights");
  expect_refusal(NULL, NULL, "ema; ema decay=0.5", "'ema' is given twice");
  expect_refusal(NULL, NULL, "ema decay=2", "decay is 2; expected 0 .. 1");
  expect_refusal(NULL, NULL, "instance-noise schedule=(linea steps=3)", "did you mean 'linear'?");
  expect_refusal(NULL, NULL, "freeze-d", "parameters is missing");
  expect_refusal(NULL, NULL, "freeze-d parameters=conv*", "no parameter of network 'D' matches 'conv*'");
  expect_refusal(NULL, NULL, "augment", "expected images");
  expect_refusal("hinge; ac-gan output=out", NULL, "replay", "labels of the generated samples are missing");
  expect_refusal(NULL, "zcr", "replay", "are missing");
  expect_refusal(NULL, NULL, "gradient-ratio", "the generator has not two losses");
  expect_refusal(NULL, NULL, "unrolled steps=0", "steps is 0; expected 1 .. 100");
  expect_refusal(NULL, NULL, "replay size=0", "size is 0; expected 1 .. 1000000000");
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
    cmocka_unit_test(scalars_follow_their_formulas),
    cmocka_unit_test(the_best_samples_count),
    cmocka_unit_test(equal_scores_are_told_apart),
    cmocka_unit_test(packed_samples_lie_side_by_side),
    cmocka_unit_test(frozen_parameters_stay),
    cmocka_unit_test(the_chance_follows_the_signs),
    cmocka_unit_test(accumulated_steps_count_once),
    cmocka_unit_test(replayed_samples_were_there),
    cmocka_unit_test(the_trainer_keeps_a_history),
    cmocka_unit_test(samples_count_as_they_weigh),
    cmocka_unit_test(both_move_against_the_other_as_it_was),
    cmocka_unit_test(unrolled_steps_are_ahead_of_d),
    cmocka_unit_test(latents_climb_the_score),
    cmocka_unit_test(standing_statistics_are_means_over_batches),
    cmocka_unit_test(measuring_may_fail),
    cmocka_unit_test(the_average_is_measured_before_it_is_sampled),
    cmocka_unit_test(losses_are_mixed_by_their_gradients),
    cmocka_unit_test(joint_steps_accumulate_together),
    cmocka_unit_test(resuming_goes_on_with_the_same_bits),
    cmocka_unit_test(steps_allocate_nothing),
    cmocka_unit_test(allocations_may_fail),
    cmocka_unit_test(mistakes_get_a_sentence),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
