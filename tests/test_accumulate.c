/* Gradients that wait for a step, averages with a decay that moves, parameters that are left out. */
#include "games.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/game.h"

/* A network of two numbers w; the gradient of its loss is what the test binds. */
struct single { struct table t; gan_network *n, *average; gan_optimizer *o; };

static struct single single_open(const char *optimizer) {
  struct single p = {.t = table_open()};
  p.n = make_network(p.t.ctx, "N", "input x 2; counting name=c");
  must(p.t.ctx, gan_network_clone(p.n, "average", &p.average));
  p.o = make_optimizer(p.t.ctx, "o", optimizer, p.n, NULL);
  gan_minimize(p.o, apply(p.n, input2(&p.t, "x")));
  return p;
}

static void single_close(struct single *p) {
  gan_optimizer_free(p->o);
  gan_network_free(p->average);
  gan_network_free(p->n);
  table_close(&p->t);
}

static void run(struct single *p, float a, float b) {
  bind2(&p->t, "x", a, b);
  must(p->t.ctx, gan_game_step(p->t.game, "s"));
}

static void assert_pair(struct single *p, const double w[2]) {
  double came[2];
  pair(&p->t, p->n, "c/w", came);
  for (int i = 0; i < 2; i++)
    if (!(fabs(came[i] - w[i]) < 1e-6)) fail_msg("w[%d] is %.9g, expected %.9g", i, came[i], w[i]);
}

/* ------------------------------------------------------------------ accumulation */

static void three_runs_make_one_step(void **state) {
  (void)state;
  struct single p = single_open("sgd rate=0.5 accumulate=3");
  double w[2];
  pair(&p.t, p.n, "c/w", w);
  for (int step = 0; step < 2; step++) {
    run(&p, 1, 10);
    assert_pair(&p, w);
    run(&p, 2, 20);
    assert_pair(&p, w);
    assert_true(number(&p.t, p.n, "c/n") == step); /* state moves with the parameters */
    assert_int_equal(p.o->step, step);
    run(&p, 6, -3);
    w[0] -= 0.5 * 3;
    w[1] -= 0.5 * 9;
    assert_pair(&p, w);
    assert_true(number(&p.t, p.n, "c/n") == step + 1);
  }
  assert_int_equal(p.o->step, 2);
  single_close(&p);
}

/* Adam with the mean of two gradients is Adam, whose fused kernel sees the mean. */
static void adam_sees_the_mean(void **state) {
  (void)state;
  struct single p = single_open("adam rate=0.1 accumulate=2"), q = single_open("adam rate=0.1");
  double w[2];
  for (int i = 0; i < 6; i++) {
    run(&p, (float)i + 1, 3);
    run(&p, (float)i + 3, -1);
    run(&q, (float)i + 2, 1);
    pair(&q.t, q.n, "c/w", w);
    assert_pair(&p, w);
  }
  single_close(&p);
  single_close(&q);
}

static void clipping_is_of_the_mean(void **state) {
  (void)state;
  struct single p = single_open("sgd rate=1 accumulate=2 clip-norm=1");
  double w[2];
  pair(&p.t, p.n, "c/w", w);
  run(&p, 30, 80);
  run(&p, -24, -72); /* mean (3, 4), of length 5 */
  w[0] -= 0.6;
  w[1] -= 0.8;
  assert_pair(&p, w);
  char report[400];
  must(p.t.ctx, gan_game_report(p.t.game, report, sizeof report, NULL));
  assert_non_null(strstr(report, "gradient norm 5,"));
  single_close(&p);
}

static void what_waits_is_saved(void **state) {
  (void)state;
  static char bytes[1 << 16];
  struct memory_file file = {.bytes = bytes, .capacity = sizeof bytes};
  struct single p = single_open("adam rate=0.1 accumulate=3"), q = single_open("adam rate=0.1 accumulate=3");
  struct single other = single_open("adam rate=0.1");
  gan_stream stream = memory_stream(&file);
  double w[2];
  for (int i = 0; i < 5; i++) run(&p, (float)i, 1);
  must(p.t.ctx, gan_game_save_stream(p.t.game, &stream));
  file.at = 0;
  must(q.t.ctx, gan_game_restore_stream(q.t.game, &stream));
  assert_int_equal(q.o->pending, 2);
  run(&p, 7, -4);
  run(&q, 7, -4);
  pair(&p.t, p.n, "c/w", w);
  assert_pair(&q, w);
  assert_int_equal(q.o->step, 2);
  file.at = 0;
  assert_int_equal(gan_game_restore_stream(other.t.game, &stream), GAN_ERROR_SHAPE);
  assert_sentence(other.t.ctx, "'optimizer:o/sum' is not in this game");
  single_close(&p);
  single_close(&q);
  single_close(&other);
}

/* A run that is not finite leaves what waited as it was; a sum that overflows commits nothing. */
static void trouble_adds_nothing(void **state) {
  (void)state;
  struct single p = single_open("sgd rate=1 accumulate=2");
  double w[2];
  pair(&p.t, p.n, "c/w", w);
  run(&p, 1, 2);
  bind2(&p.t, "x", NAN, 0);
  assert_int_equal(gan_game_step(p.t.game, "s"), GAN_ERROR_NOT_FINITE);
  assert_int_equal(p.o->pending, 1);
  run(&p, 3, 4);
  w[0] -= 2;
  w[1] -= 3;
  assert_pair(&p, w);
  gan_tensor *small = make_tensor(p.t.ctx, 1, (int64_t[]){2}, (float[]){0.125f, 0.25f});
  must(p.t.ctx, gan_network_set(p.n, "c/w", small));
  gan_tensor_free(small);
  w[0] = 0.125, w[1] = 0.25;
  run(&p, 3e38f, 0);
  bind2(&p.t, "x", 3e38f, 0);
  assert_int_equal(gan_game_step(p.t.game, "s"), GAN_ERROR_NOT_FINITE);
  assert_sentence(p.t.ctx, "in the mean of several runs");
  assert_pair(&p, w);
  single_close(&p);
}

static void a_phase_waits_as_a_whole(void **state) {
  (void)state;
  struct table t = table_open();
  const char *lines = "input x 2; counting name=c";
  gan_network *a = make_network(t.ctx, "A", lines), *b = make_network(t.ctx, "B", lines);
  gan_optimizer *oa = make_optimizer(t.ctx, "a", "sgd accumulate=2", a, NULL), *ob = make_optimizer(t.ctx, "b", "sgd", b, NULL);
  gan_node *x = input2(&t, "x");
  gan_minimize(oa, apply(a, x));
  gan_minimize(ob, apply(b, x));
  assert_int_equal(gan_game_prepare(t.game), GAN_ERROR_ARGUMENT);
  assert_sentence(t.ctx, "'a' accumulates 2 gradients and 'b' 1");
  gan_optimizer_free(oa);
  gan_optimizer_free(ob);
  gan_network_free(a);
  gan_network_free(b);
  table_close(&t);
}

/* ------------------------------------------------------------------ averages by a node */

static void averages_follow_by_a_scalar(void **state) {
  (void)state;
  struct single p = single_open("sgd rate=1");
  double average[2], w[2];
  gan_follow_by(p.t.graph, p.average, p.n, gan_scalar(p.t.graph, "decay", 0.25));
  pair(&p.t, p.average, "c/w", average);
  for (int step = 0; step < 4; step++) {
    double decay = step == 0 ? 0.25 : 0.2 * step;
    if (step) must(p.t.ctx, gan_game_set(p.t.game, "decay", decay));
    run(&p, 1, -3);
    pair(&p.t, p.n, "c/w", w);
    double came[2];
    pair(&p.t, p.average, "c/w", came);
    for (int i = 0; i < 2; i++) {
      average[i] = decay * average[i] + (1 - decay) * w[i];
      assert_true(fabs(came[i] - average[i]) < 1e-6);
    }
    assert_true(number(&p.t, p.average, "c/n") == step + 1); /* state is copied */
  }
  single_close(&p);
}

/* ------------------------------------------------------------------ parameters that are left out */

static int32_t has(const gan_optimizer *o, const char *path) {
  for (int64_t i = 0; i < o->n_parameters; i++)
    if (strcmp(o->parameters[i].path, path) == 0) return 1;
  return 0;
}

static void patterns_leave_out(void **state) {
  (void)state;
  gan_context *ctx = make_context(NULL, 1);
  gan_network *n = make_network(ctx, "N", "input x 2; dense units=3; relu; dense units=3; relu; dense units=1");
  gan_optimizer *o = make_optimizer(ctx, "o", "sgd", n, "*, ! dense1/*,!*3/bias");
  assert_int_equal(o->n_parameters, 3);
  assert_true(has(o, "N/dense2/weight") && has(o, "N/dense2/bias") && has(o, "N/dense3/weight"));
  assert_int_equal(gan_optimizer_add(o, n, "*,!dense9*", 1, 1), GAN_ERROR_ARGUMENT);
  assert_sentence(ctx, "no parameter of network 'N' matches 'dense9*'");
  assert_int_equal(o->n_parameters, 3);
  must(ctx, gan_optimizer_add(o, n, "!dense1/*", 1, 1));
  assert_int_equal(o->n_parameters, 3);
  gan_optimizer_free(o);
  gan_network_free(n);
  gan_context_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(three_runs_make_one_step),
    cmocka_unit_test(adam_sees_the_mean),
    cmocka_unit_test(clipping_is_of_the_mean),
    cmocka_unit_test(what_waits_is_saved),
    cmocka_unit_test(trouble_adds_nothing),
    cmocka_unit_test(a_phase_waits_as_a_whole),
    cmocka_unit_test(averages_follow_by_a_scalar),
    cmocka_unit_test(patterns_leave_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
