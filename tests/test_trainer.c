/* The trainer: it learns, it is the game by hand, its bits do not depend on threads, it allocates nothing in a step. */
#include "play.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/presets.h"
#include "train/trainer.h"

static struct play play_open(struct allocator *a, int32_t threads) {
  struct play p = {.ctx = make_context(a, threads)};
  p.g = make_generator(p.ctx);
  p.d = make_discriminator(p.ctx);
  p.data = make_points(p.ctx, 1000);
  gan_trainer_config_init(&p.c, sizeof p.c);
  p.c.optimizer_d = p.c.optimizer_g = "adam rate=1e-3 beta1=0.5";
  return p;
}

/* Puts other players in place. */
static void players(struct play *p, const char *g, const char *d) {
  gan_network_free(p->g);
  gan_network_free(p->d);
  p->g = make_network(p->ctx, "G", g);
  p->d = make_network(p->ctx, "D", d);
}

static gan_progress progress_of(const struct play *p) {
  gan_progress now = {.struct_size = sizeof now};
  must(p->ctx, gan_trainer_progress(p->t, &now));
  return now;
}

/* ------------------------------------------------------------------ it learns */

enum { SAMPLES = 2000 };

static void it_learns_two_moments(void **state) {
  (void)state;
  struct play p = play_open(NULL, 1);
  p.c.steps = 3000;
  p.c.ema = 0.99;
  play_start(&p);
  must(p.ctx, gan_trainer_run(p.t));
  static float x[2 * SAMPLES];
  must(p.ctx, gan_trainer_sample(p.t, 0, SAMPLES, x));
  double mean[2] = {0}, square[2] = {0};
  for (int i = 0; i < SAMPLES; i++)
    for (int k = 0; k < 2; k++) mean[k] += x[2 * i + k] / SAMPLES, square[k] += (double)x[2 * i + k] * x[2 * i + k] / SAMPLES;
  assert_true(fabs(mean[0] - 2) < 0.25);
  assert_true(fabs(mean[1] + 1) < 0.25);
  for (int k = 0; k < 2; k++) assert_true(square[k] - mean[k] * mean[k] < 0.6);
  gan_progress now = progress_of(&p);
  assert_int_equal(now.step, 3000);
  assert_int_equal(now.samples, 3000 * 64);
  assert_true(now.epoch == 192);
  assert_true(isfinite(now.loss_d) && isfinite(now.loss_g) && now.norm_d > 0 && now.norm_g > 0);
  assert_true(now.d_real > 0.2 && now.d_real < 0.8 && now.d_fake > 0.2 && now.d_fake < 0.8);
  assert_true(now.samples_per_second > 0 && now.seconds > 0 && now.eta == 0);
  play_close(&p);
}

/* ------------------------------------------------------------------ the same game by hand */

/* Real and fake apart, where the trainer joins them. */
static void build_by_hand(struct play *p, gan_graph *g, gan_loss *loss, gan_optimizer *od, gan_optimizer *og) {
  gan_node *real = gan_data_node(g, p->data, "point"), *fake = gan_apply(p->g, gan_noise(g, p->g, "z"));
  gan_phase(g, "D");
  gan_minimize(od, gan_output(gan_loss_discriminator(loss, gan_apply(p->d, real), gan_apply(p->d, fake)), "loss_d"));
  gan_phase(g, "G");
  gan_minimize(og, gan_output(gan_loss_generator(loss, NULL, gan_apply(p->d, fake)), "loss_g"));
}

static void it_is_the_game_by_hand(void **state) {
  (void)state;
  struct play p = play_open(NULL, 1), q = play_open(NULL, 1);
  gan_graph *g;
  gan_game *game;
  gan_loss *loss;
  gan_optimizer *od, *og;
  play_start(&p);
  must(q.ctx, gan_game_create(q.ctx, NULL, &game));
  must(q.ctx, gan_game_add_step(game, "DG", &g));
  must(q.ctx, gan_loss_create(q.ctx, q.c.loss, &loss));
  must(q.ctx, gan_optimizer_create(q.ctx, "D", q.c.optimizer_d, &od));
  must(q.ctx, gan_optimizer_create(q.ctx, "G", q.c.optimizer_g, &og));
  must(q.ctx, gan_optimizer_add(od, q.d, NULL, 1, 1));
  must(q.ctx, gan_optimizer_add(og, q.g, NULL, 1, 1));
  build_by_hand(&q, g, loss, od, og);
  for (int i = 0; i < 5; i++) {
    must(p.ctx, gan_trainer_step(p.t));
    must(q.ctx, gan_game_step(game, "DG"));
    gan_progress now = progress_of(&p);
    assert_true(fabs(now.loss_d - value_of(game, "DG", "loss_d")) < 1e-4);
    assert_true(fabs(now.loss_g - value_of(game, "DG", "loss_g")) < 1e-4);
  }
  gan_game_free(game);
  gan_loss_free(loss);
  gan_optimizer_free(od);
  gan_optimizer_free(og);
  play_close(&p);
  play_close(&q);
}

/* ------------------------------------------------------------------ threads, allocations */

static float *train_wide(int32_t threads, int64_t *count) {
  struct play p = play_open(NULL, threads);
  players(&p, "input z 8 noise=normal; dense units=300; batch-norm; relu; dense units=300; relu; dropout rate=0.1; dense units=2",
          "input x 2; dense units=300; leaky-relu slope=0.2; dense units=300; leaky-relu slope=0.2; dense units=1");
  p.c.batch = 100;
  p.c.penalty = "wgan-gp";
  p.c.optimizer_d = "adam rate=1e-3 clip-norm=0.5";
  p.c.instance_noise = 0.1;
  play_start(&p);
  play_on(&p, 4);
  float *w = copy_weights(p.g, count), *d = copy_weights(p.d, NULL);
  w[0] += d[5];
  free(d);
  play_close(&p);
  return w;
}

static void threads_do_not_change_a_bit(void **state) {
  (void)state;
  int64_t count;
  float *one = train_wide(1, &count);
  static const int32_t threads[] = {2, 3, 8};
  for (int i = 0; i < 3; i++) {
    float *many = train_wide(threads[i], NULL);
    assert_memory_equal(one, many, (size_t)count * sizeof *one);
    free(many);
  }
  free(one);
}

/* Small networks, many steps: what differs once stays different. */
static float *train_long(int32_t threads, int64_t *count) {
  struct play p = play_open(NULL, threads);
  players(&p, "input z 8 noise=normal; dense units=96; batch-norm; relu; dense units=2",
          "input x 2; dense units=96; leaky-relu slope=0.2; dropout rate=0.1; dense units=1");
  p.c.batch = 100;
  p.c.steps = 1000 / test_every();
  play_start(&p);
  must(p.ctx, gan_trainer_run(p.t));
  float *w = copy_weights(p.g, count);
  play_close(&p);
  return w;
}

static void a_thousand_steps_are_the_same_for_any_threads(void **state) {
  (void)state;
  int64_t count;
  float *one = train_long(1, &count);
  static const int32_t threads[] = {1, 2, 3, 8};
  for (int i = 0; i < 4; i++) {
    float *many = train_long(threads[i], NULL);
    assert_memory_equal(one, many, (size_t)count * sizeof *one);
    free(many);
  }
  free(one);
}

static void steps_allocate_nothing(void **state) {
  (void)state;
  struct allocator a = {0};
  struct play p = play_open(&a, 2);
  float x[20];
  int64_t before, after;
  p.c.ema = 0.9;
  p.c.penalty = "wgan-gp";
  p.c.d_steps = 2;
  play_start(&p);
  must(p.ctx, gan_trainer_sample(p.t, 0, 10, x));
  must(p.ctx, gan_context_memory(p.ctx, NULL, NULL, &before));
  play_on(&p, 10);
  p.c.steps = 5;
  must(p.ctx, gan_trainer_set_steps(p.t, 15));
  must(p.ctx, gan_trainer_run(p.t));
  must(p.ctx, gan_trainer_sample(p.t, 10, 10, x));
  must(p.ctx, gan_context_memory(p.ctx, NULL, NULL, &after));
  assert_int_equal(before, after);
  play_close(&p);
  assert_int_equal(a.live, 0);
}

static int fail_at(int64_t at, int32_t for_ever) {
  struct allocator a = {0};
  struct play p = play_open(&a, 1);
  float x[4];
  p.c.ema = 0.9;
  p.c.penalty = "wgan-gp";
  p.c.batch = 2;
  return play_without_memory(&p, &a, at, for_ever, x);
}

/* For ever: a sample of them. */
static void every_allocation_may_fail(void **state) {
  (void)state;
  for (int64_t at = 0; fail_at(at, 0); at++) continue;
  for (int64_t at = 0; fail_at(at, 1); at += 7) continue;
}

/* ------------------------------------------------------------------ options */

static void d_steps_repeat_the_discriminator(void **state) {
  (void)state;
  struct play p = play_open(NULL, 1);
  p.c.d_steps = 3;
  play_start(&p);
  play_on(&p, 2);
  assert_int_equal(p.t->optimizer_d->step, 6);
  assert_int_equal(p.t->optimizer_g->step, 2);
  assert_int_equal(gan_game_steps(gan_trainer_game(p.t)), 6);
  assert_int_equal(progress_of(&p).samples, 6 * 64);
  play_close(&p);
}

static double loss_g_of(int32_t fresh, double noise, int64_t seed) {
  struct play p = play_open(NULL, 1);
  p.c.fresh_noise = fresh;
  p.c.instance_noise = noise;
  p.c.seed = seed;
  play_start(&p);
  must(p.ctx, gan_trainer_step(p.t));
  double loss = progress_of(&p).loss_g;
  play_close(&p);
  return loss;
}

static void noise_is_fresh_where_it_should_be(void **state) {
  (void)state;
  double plain = loss_g_of(0, 0, 0);
  assert_true(plain == loss_g_of(0, 0, 0));
  assert_true(plain != loss_g_of(1, 0, 0));
  assert_true(plain != loss_g_of(0, 0.5, 0));
  assert_true(plain != loss_g_of(0, 0, 99));
}

static void averages_are_sampled(void **state) {
  (void)state;
  struct play p = play_open(NULL, 1);
  float x[6], y[6];
  p.c.ema = 0.5;
  play_start(&p);
  assert_ptr_not_equal(gan_trainer_generator(p.t), p.g);
  play_on(&p, 3);
  must(p.ctx, gan_trainer_sample(p.t, 2, 3, x));
  must(p.ctx, gan_trainer_sample(p.t, 4, 1, y));
  assert_memory_equal(x + 4, y, 2 * sizeof *y);
  must(p.ctx, gan_trainer_step(p.t));
  must(p.ctx, gan_trainer_sample(p.t, 2, 3, y));
  assert_memory_not_equal(x, y, sizeof x);
  gan_sampler *s;
  gan_sampler_config c;
  must(p.ctx, gan_sampler_config_init(&c, sizeof c));
  must(p.ctx, gan_sampler_create(gan_trainer_generator(p.t), &c, &s));
  assert_int_equal(gan_sampler_draw(s, 2, 3, x), GAN_OK);
  assert_memory_equal(x, y, sizeof x);
  gan_sampler_free(s);
  play_close(&p);
}

/* Real and fake apart where D couples the batch, or draws. */
static void any_discriminator_will_do(void **state) {
  (void)state;
  static const char *const ds[] = {
    "input x 2; dense units=8; batch-norm; relu; dense units=1",
    "input x 2; dense units=8; relu; dropout rate=0.3; dense units=1",
    "input x 2; dense units=8; relu; layer-norm; dense units=3",
  };
  static const char *const losses[] = {"minimax", "non-saturating smooth=0.1", "least-squares", "wasserstein"};
  for (int i = 0; i < 3; i++)
    for (int k = 0; k < 4; k++) {
      struct play p = play_open(NULL, 1);
      players(&p, "input z 4; dense units=8; relu; dense units=2", ds[i]);
      p.c.loss = losses[k];
      p.c.penalty = i == 1 ? NULL : "wgan-gp weight=0.1";
      play_start(&p);
      play_on(&p, 3);
      gan_progress now = progress_of(&p);
      assert_true(isfinite(now.loss_d) && isfinite(now.loss_g));
      if (k < 2) assert_true(now.d_real > 0 && now.d_real < 1);
      play_close(&p);
    }
}

static void conditions_are_matched_by_name(void **state) {
  (void)state;
  struct play p = play_open(NULL, 1);
  gan_tensor *labels;
  float x[8];
  const int64_t count = 1000;
  must(p.ctx, gan_tensor_create(p.ctx, GAN_I32, 1, &count, &labels));
  must(p.ctx, gan_tensor_random(labels, "integers high=3", 1));
  must(p.ctx, gan_data_add(p.data, "label", labels, "classes=3"));
  gan_tensor_free(labels);
  players(&p, "input z 4 noise=normal; input label classes=3; input style 2 noise=uniform; one-hot classes=3 from=label name=h;"
              "concat from=z,h,style; dense units=8; relu; dense units=2",
          "input x 2; input label classes=3; embedding classes=3 width=2 from=label name=e; concat from=x,e;"
              "dense units=8; relu; dense units=1");
  p.c.penalty = "wgan-gp";
  p.c.image = "point";
  play_start(&p);
  play_on(&p, 3);
  must(p.ctx, gan_trainer_sample(p.t, 0, 4, x));
  play_close(&p);
}

static void shapes_of_as_many_numbers_fit(void **state) {
  (void)state;
  struct play p = play_open(NULL, 1);
  players(&p, "input z 4; dense units=2; reshape shape=1x2", "input x 2x1x1; flatten; dense units=1");
  play_start(&p);
  must(p.ctx, gan_trainer_step(p.t));
  play_close(&p);
}

static void every_preset_makes_a_config(void **state) {
  (void)state;
  for (int32_t i = 0; i < gan_list_count(GAN_LIST_PRESETS); i++) {
    gan_trainer_config c;
    assert_int_equal(gan_trainer_config_init(&c, sizeof c), GAN_OK);
    c.steps = 7;
    assert_int_equal(gan_trainer_config_preset(&c, gan_list_name(GAN_LIST_PRESETS, i)), GAN_OK);
    assert_true(c.batch >= 1 && c.d_steps >= 1 && c.steps == 7);
    struct play p = play_open(NULL, 1);
    gan_network_free(p.g);
    gan_network_free(p.d);
    char small[128];
    const struct preset *preset = preset_at(i);
    snprintf(small, sizeof small, "%s latent=5 %s", preset->name, preset->multiple ? "size=32x32x1 filters=8" : "size=6x6x1");
    must(p.ctx, gan_preset_networks(p.ctx, small, &p.g, &p.d));
    gan_port port = {.struct_size = sizeof port};
    must(p.ctx, gan_network_input_info(p.d, 0, &port));
    gan_data_free(p.data);
    must(p.ctx, gan_data_create(p.ctx, &p.data));
    int64_t shape[GAN_MAX_RANK] = {16};
    memcpy(shape + 1, port.shape, sizeof *shape * (size_t)port.rank);
    gan_tensor *images;
    must(p.ctx, gan_tensor_create(p.ctx, GAN_U8, port.rank + 1, shape, &images));
    must(p.ctx, gan_data_add(p.data, "image", images, NULL));
    gan_tensor_free(images);
    p.c = c;
    p.c.batch = 8;
    play_start(&p);
    must(p.ctx, gan_trainer_step(p.t));
    play_close(&p);
  }
}

/* ------------------------------------------------------------------ progress, cancel */

struct watcher { int calls; int64_t last; int32_t result; int cancel; float x[4]; };

static int32_t watch(void *user, gan_trainer *t, const gan_progress *p) {
  struct watcher *w = user;
  w->calls++;
  w->last = p->step;
  assert_true(p->seconds >= 0 && p->eta >= 0 && p->steps == 25);
  assert_int_equal(gan_trainer_sample(t, 0, 2, w->x), GAN_OK);
  if (w->cancel) gan_trainer_cancel(t);
  return w->result;
}

static void progress_comes_as_asked(void **state) {
  (void)state;
  struct play p = play_open(NULL, 1);
  struct watcher w = {0};
  p.c.steps = 25;
  p.c.progress_every = 10;
  p.c.progress = watch;
  p.c.progress_user = &w;
  play_start(&p);
  must(p.ctx, gan_trainer_run(p.t));
  assert_int_equal(w.calls, 3); /* 10, 20, and the last one */
  assert_int_equal(w.last, 25);
  must(p.ctx, gan_trainer_run(p.t)); /* nothing left */
  assert_int_equal(w.calls, 3);
  play_close(&p);
}

static void progress_and_cancel_stop_the_run(void **state) {
  (void)state;
  struct play p = play_open(NULL, 1);
  struct watcher w = {.result = 9};
  p.c.steps = 25;
  p.c.progress_every = 10;
  p.c.progress = watch;
  p.c.progress_user = &w;
  play_start(&p);
  assert_int_equal(gan_trainer_run(p.t), GAN_ERROR_CALLBACK);
  assert_sentence(p.ctx, "returned 9");
  w.result = 0;
  w.cancel = 1;
  assert_int_equal(gan_trainer_run(p.t), GAN_ERROR_CANCELLED);
  assert_int_equal(progress_of(&p).step, 20);
  w.cancel = 0;
  must(p.ctx, gan_trainer_run(p.t));
  gan_trainer_cancel(p.t);
  assert_int_equal(gan_trainer_step(p.t), GAN_ERROR_CANCELLED);
  must(p.ctx, gan_trainer_step(p.t));
  play_close(&p);
}

/* ------------------------------------------------------------------ mistakes */

static void refused(struct play *p, gan_status status, const char *part) {
  gan_trainer *t = NULL;
  assert_int_equal(gan_trainer_create(p->g, p->d, p->data, &p->c, &t), status);
  assert_null(t);
  assert_sentence(p->ctx, part);
  play_close(p);
}

static void mistakes_get_a_sentence(void **state) {
  (void)state;
  struct play p = play_open(NULL, 1);
  p.c.loss = "wgan-gp";
  refused(&p, GAN_ERROR_ARGUMENT, "'wgan-gp' is a penalty, not a loss");
  p = play_open(NULL, 1);
  p.c.penalty = "minimax";
  refused(&p, GAN_ERROR_ARGUMENT, "'minimax' is a loss, not a penalty");
  p = play_open(NULL, 1);
  p.c.optimizer_g = "adan";
  refused(&p, GAN_ERROR_ARGUMENT, "did you mean 'adam'");
  p = play_open(NULL, 1);
  p.c.image = "images";
  refused(&p, GAN_ERROR_ARGUMENT, "no slot 'images'");
  p = play_open(NULL, 1);
  p.c.batch = 0;
  refused(&p, GAN_ERROR_ARGUMENT, "batch 0, expected at least 1");
  p = play_open(NULL, 1);
  p.c.ema = 1;
  refused(&p, GAN_ERROR_ARGUMENT, "ema");
  p = play_open(NULL, 1);
  players(&p, "input z 4; dense units=3", "input x 2; dense units=1");
  refused(&p, GAN_ERROR_SHAPE, "the generator's output is 3 a sample, input 'x' of 'D' is 2");
  p = play_open(NULL, 1);
  players(&p, "input z 4; dense units=3", "input x 3; dense units=1");
  refused(&p, GAN_ERROR_SHAPE, "data slot 'point' is 2 a sample, input 'x' of 'D' is 3");
  p = play_open(NULL, 1);
  players(&p, "input z 4; dense units=2",
          "input x 2; input label classes=2; one-hot classes=2 from=label name=h; concat from=x,h; dense units=1");
  refused(&p, GAN_ERROR_ARGUMENT, "the data has no slot 'label' for that input of 'D'");
  p = play_open(NULL, 1);
  gan_data_free(p.data);
  must(p.ctx, gan_data_create(p.ctx, &p.data));
  refused(&p, GAN_ERROR_ARGUMENT, "the data has no slots");
}

static void null_is_refused(void **state) {
  (void)state;
  gan_progress p = {.struct_size = sizeof p};
  gan_trainer *t = NULL;
  float x;
  assert_int_equal(gan_trainer_create(NULL, NULL, NULL, NULL, &t), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_trainer_step(NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_trainer_run(NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_trainer_progress(NULL, &p), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_trainer_sample(NULL, 0, 1, &x), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_trainer_save(NULL, "x"), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_trainer_restore(NULL, "x"), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_trainer_set_steps(NULL, 1), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_trainer_config_init(NULL, 8), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_trainer_config_preset(NULL, "article"), GAN_ERROR_ARGUMENT);
  assert_null(gan_trainer_game(NULL));
  assert_null(gan_trainer_generator(NULL));
  gan_trainer_cancel(NULL);
  gan_trainer_free(NULL);
  struct play q = play_open(NULL, 1);
  play_start(&q);
  assert_int_equal(gan_trainer_sample(q.t, -1, 1, &x), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_trainer_sample(q.t, 0, 0, &x), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_trainer_config_preset(&q.c, "nobody"), GAN_ERROR_ARGUMENT);
  play_close(&q);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(it_learns_two_moments),
    cmocka_unit_test(it_is_the_game_by_hand),
    cmocka_unit_test(threads_do_not_change_a_bit),
    cmocka_unit_test(a_thousand_steps_are_the_same_for_any_threads),
    cmocka_unit_test(steps_allocate_nothing),
    cmocka_unit_test(every_allocation_may_fail),
    cmocka_unit_test(d_steps_repeat_the_discriminator),
    cmocka_unit_test(noise_is_fresh_where_it_should_be),
    cmocka_unit_test(averages_are_sampled),
    cmocka_unit_test(any_discriminator_will_do),
    cmocka_unit_test(conditions_are_matched_by_name),
    cmocka_unit_test(shapes_of_as_many_numbers_fit),
    cmocka_unit_test(every_preset_makes_a_config),
    cmocka_unit_test(progress_comes_as_asked),
    cmocka_unit_test(progress_and_cancel_stop_the_run),
    cmocka_unit_test(mistakes_get_a_sentence),
    cmocka_unit_test(null_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
