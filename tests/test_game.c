/* Games: phases and commits, state, several players, inputs and outputs, cost. What stops a step is in test_game_guards.c. */
#include "games.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ phases */

/* The same node before and after a commit: each phase has its own value of it. */
static void nodes_are_computed_again_after_a_commit(void **state) {
  (void)state;
  struct table t = table_open();
  gan_network *n = make_network(t.ctx, "N", "input x 2; counting name=c");
  gan_optimizer *o = make_optimizer(t.ctx, "o", "sgd rate=1", n, NULL);
  gan_node *y = apply(n, input2(&t, "x"));
  gan_phase(t.graph, "first");
  gan_output(y, "before");
  gan_minimize(o, y);
  gan_phase(t.graph, "second");
  gan_output(y, "between");
  gan_minimize(o, y);
  gan_phase(t.graph, "third");
  gan_output(y, "after");
  bind2(&t, "x", 1, 2);
  for (int i = 0; i < 3; i++) {
    double w[2], now[2];
    pair(&t, n, "c/w", w);
    must(t.ctx, gan_game_step(t.game, "s"));
    pair(&t, n, "c/w", now);
    double y0 = w[0] + 2 * w[1]; /* the gradient is (1, 2): w y falls by 5 */
    assert_true(fabs(value_of(t.game, "s", "before") - y0) < 1e-5);
    assert_true(fabs(value_of(t.game, "s", "between") - (y0 - 5)) < 1e-5);
    assert_true(fabs(value_of(t.game, "s", "after") - (y0 - 10)) < 1e-5);
    assert_true(fabs(now[0] - (w[0] - 2)) < 1e-5 && fabs(now[1] - (w[1] - 4)) < 1e-5);
  }
  gan_optimizer_free(o);
  gan_network_free(n);
  table_close(&t);
}

static void updates_of_a_phase_happen_together(void **state) {
  (void)state;
  struct table t = table_open();
  gan_network *a = make_network(t.ctx, "A", "input x 2; counting name=c"), *b = make_network(t.ctx, "B",
                                                                                             "input x 2; counting name=c");
  gan_optimizer *oa = make_optimizer(t.ctx, "a", "sgd rate=1", a, NULL), *ob = make_optimizer(t.ctx, "b", "adam rate=1", b, NULL);
  gan_node *x = input2(&t, "x"), *product = gan_mul(apply(a, x), apply(b, x));
  gan_minimize(oa, product);
  gan_minimize(ob, product);
  bind2(&t, "x", 1, 0);
  double wa[2], wb[2], na[2], nb[2];
  pair(&t, a, "c/w", wa);
  pair(&t, b, "c/w", wb);
  must(t.ctx, gan_game_step(t.game, "s"));
  pair(&t, a, "c/w", na);
  pair(&t, b, "c/w", nb);
  assert_true(fabs(na[0] - (wa[0] - wb[0])) < 1e-5);                       /* the gradient of a is b as it was */
  assert_true(fabs(nb[0] - (wb[0] - (wa[0] > 0 ? 1 : -1))) < 1e-4);         /* Adam's first step is the sign */
  assert_true(na[1] == wa[1]);
  gan_optimizer_free(oa);
  gan_optimizer_free(ob);
  gan_network_free(a);
  gan_network_free(b);
  table_close(&t);
}

static void shared_parameters_add_up_their_gradients(void **state) {
  (void)state;
  struct table t = table_open();
  gan_layer *shared;
  gan_network *a, *b;
  must(t.ctx, gan_layer_create(t.ctx, "counting", &shared));
  must(t.ctx, gan_network_create(t.ctx, "A", &a));
  must(t.ctx, gan_network_create(t.ctx, "B", &b));
  gan_network_input(a, "x", "2");
  gan_network_add_layer(a, shared, "name=c");
  gan_network_input(b, "x", "2");
  gan_network_add(b, "tally");
  gan_network_add_layer(b, shared, "name=d");
  gan_optimizer *o = make_optimizer(t.ctx, "o", "sgd rate=1", a, NULL);
  must(t.ctx, gan_optimizer_add(o, b, NULL, 1, 1)); /* nothing new in it */
  gan_node *x = input2(&t, "x");
  gan_minimize(o, gan_add(apply(a, x), apply(b, x)));
  bind2(&t, "x", 1, 10);
  double w[2], now[2];
  must(t.ctx, gan_network_finish(a));
  pair(&t, a, "c/w", w);
  must(t.ctx, gan_game_step(t.game, "s"));
  pair(&t, b, "d/w", now);
  assert_true(fabs(now[0] - (w[0] - 3)) < 1e-5 && fabs(now[1] - (w[1] - 30)) < 1e-4);
  assert_true(number(&t, b, "d/n") == 2); /* applied twice in the phase */
  gan_optimizer_free(o);
  gan_layer_free(shared);
  gan_network_free(a);
  gan_network_free(b);
  table_close(&t);
}

static void averages_follow(void **state) {
  (void)state;
  struct table t = table_open();
  gan_network *n = make_network(t.ctx, "N", "input x 2; counting name=c"), *average;
  must(t.ctx, gan_network_clone(n, "N-ema", &average));
  gan_optimizer *o = make_optimizer(t.ctx, "o", "adam rate=0.5", n, NULL);
  gan_minimize(o, apply(n, input2(&t, "x")));
  gan_follow(t.graph, average, n, 0.75);
  bind2(&t, "x", 1, -1);
  double expected[2], w[2], a[2];
  pair(&t, n, "c/w", expected);
  for (int i = 1; i <= 4; i++) {
    must(t.ctx, gan_game_step(t.game, "s"));
    pair(&t, n, "c/w", w);
    pair(&t, average, "c/w", a);
    for (int k = 0; k < 2; k++) {
      expected[k] = 0.75 * expected[k] + 0.25 * w[k];
      assert_true(fabs(a[k] - expected[k]) < 1e-5);
    }
    assert_true(number(&t, average, "c/n") == i); /* state is copied */
  }
  gan_optimizer_free(o);
  gan_network_free(n);
  gan_network_free(average);
  table_close(&t);
}

/* ------------------------------------------------------------------ state */

/* Applied in the first phase, its parameters updated in the second: state moves then, and once. */
static void state_moves_with_the_parameters(void **state) {
  (void)state;
  struct table t = table_open();
  gan_network *g = make_network(t.ctx, "G", "input x 2; counting name=c"), *d = make_network(t.ctx, "D",
                                                                                             "input x 2; counting name=c");
  gan_network *frozen = make_network(t.ctx, "F", "input x 2; counting name=c"), *bare = make_network(t.ctx, "B",
                                                                                                     "input x 2; tally name=t");
  gan_optimizer *og = make_optimizer(t.ctx, "g", "sgd", g, NULL), *od = make_optimizer(t.ctx, "d", "sgd", d, "*/w");
  gan_node *x = gan_apply(bare, input2(&t, "x")), *fake = gan_apply(frozen, gan_apply(g, x));
  gan_phase(t.graph, "D");
  gan_minimize(od, apply(d, fake));
  gan_phase(t.graph, "G");
  gan_minimize(og, apply(d, fake)); /* D is applied again, but not updated after it */
  bind2(&t, "x", 1, 1);
  for (int i = 1; i <= 3; i++) {
    must(t.ctx, gan_game_step(t.game, "s"));
    assert_true(number(&t, g, "c/n") == i);
    assert_true(number(&t, d, "c/n") == i);
    assert_true(number(&t, frozen, "c/n") == 0);
    assert_true(number(&t, bare, "t/n") == i);
  }
  gan_optimizer_free(og);
  gan_optimizer_free(od);
  gan_network_free(g);
  gan_network_free(d);
  gan_network_free(frozen);
  gan_network_free(bare);
  table_close(&t);
}

/* ------------------------------------------------------------------ inputs and outputs */

static void inputs_and_scalars_are_set_by_name(void **state) {
  (void)state;
  struct table t = table_open();
  gan_network *n = make_network(t.ctx, "N", "input x 2; counting name=c");
  gan_optimizer *o = make_optimizer(t.ctx, "a", "sgd rate=1", n, NULL);
  gan_tensor *wrong = make_tensor(t.ctx, 1, (int64_t[]){3}, NULL);
  double before[2], after[2];
  gan_minimize(o, gan_mul(apply(n, input2(&t, "x")), gan_scalar(t.graph, "factor", 1)));
  assert_int_equal(gan_game_bind(t.game, "x", wrong), GAN_ERROR_SHAPE);
  assert_sentence(t.ctx, "input 'x' is 1x2, the tensor 3");
  assert_int_equal(gan_game_bind(t.game, "z", wrong), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_game_bind(t.game, NULL, wrong), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_game_set(t.game, "x", 1), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_game_set(t.game, "factor", INFINITY), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_game_set(t.game, "optimizer:a/rate/0", 1), GAN_ERROR_ARGUMENT); /* not the user's */
  bind2(&t, "x", 1, 2);
  for (int factor = 0; factor < 3; factor++) {
    must(t.ctx, gan_game_set(t.game, "factor", factor));
    pair(&t, n, "c/w", before);
    must(t.ctx, gan_game_step(t.game, "s"));
    pair(&t, n, "c/w", after);
    assert_true(fabs(after[1] - (before[1] - 2 * factor)) < 1e-5);
  }
  gan_tensor_free(wrong);
  gan_optimizer_free(o);
  gan_network_free(n);
  table_close(&t);
}

static void inputs_must_have_come(void **state) {
  (void)state;
  struct table t = table_open();
  gan_output(gan_sum(input2(&t, "x")), "y");
  assert_int_equal(gan_game_step(t.game, "s"), GAN_ERROR_ARGUMENT);
  assert_sentence(t.ctx, "input 'x' has no value yet");
  bind2(&t, "x", 2, 3);
  must(t.ctx, gan_game_step(t.game, "s"));
  assert_true(value_of(t.game, "s", "y") == 5);
  table_close(&t);
}

static void outputs_are_found_by_name(void **state) {
  (void)state;
  struct table t = table_open();
  double value = 7;
  gan_node *x = input2(&t, "x");
  gan_output(gan_scale(x, 2), "double");
  gan_output(gan_argmax(x, 1), "which");
  must(t.ctx, gan_game_prepare(t.game));
  assert_int_equal(gan_game_value(t.game, "s", "which", &value), GAN_ERROR_STATE);
  bind2(&t, "x", 2, 3);
  must(t.ctx, gan_game_step(t.game, "s"));
  assert_int_equal(gan_game_value(t.game, "s", "double", &value), GAN_ERROR_SHAPE);
  assert_int_equal(gan_game_value(t.game, "s", "none", &value), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_game_value(t.game, "none", "which", &value), GAN_ERROR_ARGUMENT);
  assert_true(value == 7);
  must(t.ctx, gan_game_value(t.game, "s", "which", &value));
  assert_true(value == 1);
  gan_tensor *out = make_tensor(t.ctx, 1, (int64_t[]){2}, NULL);
  must(t.ctx, gan_game_read(t.game, "s", "double", out));
  assert_true(((float *)gan_tensor_data(out))[1] == 6);
  assert_int_equal(gan_game_read(t.game, "s", "which", out), GAN_ERROR_SHAPE);
  gan_tensor_free(out);
  table_close(&t);
}

/* ------------------------------------------------------------------ mistakes in building */

static void expect_unprepared(struct table *t, gan_status status, const char *part) {
  assert_int_equal(gan_game_prepare(t->game), status);
  assert_sentence(t->ctx, part);
  table_close(t);
}

static void builders_are_checked(void **state) {
  (void)state;
  struct table t = table_open();
  gan_network *n = make_network(t.ctx, "N", "input x 2; counting name=c");
  gan_optimizer *a = make_optimizer(t.ctx, "a", "sgd", n, NULL), *b = make_optimizer(t.ctx, "b", "sgd", n, NULL);
  gan_node *y = apply(n, input2(&t, "x"));
  gan_minimize(a, y);
  gan_minimize(b, y);
  gan_network_free(n);
  gan_optimizer_free(a);
  gan_optimizer_free(b);
  expect_unprepared(&t, GAN_ERROR_ARGUMENT, "'N/c/w' is in the sets of the optimizers 'a' and 'b'");

  t = table_open();
  n = make_network(t.ctx, "N", "input x 2; counting name=c");
  a = make_optimizer(t.ctx, "a", "sgd", n, NULL);
  y = apply(n, input2(&t, "x"));
  gan_minimize(a, y);
  gan_minimize(a, y);
  gan_optimizer_free(a);
  expect_unprepared(&t, GAN_ERROR_ARGUMENT, "uses optimizer 'a' twice");

  t = table_open();
  gan_network_free(n);
  n = make_network(t.ctx, "N", "input x 2; counting name=c");
  a = make_optimizer(t.ctx, "a", "sgd", n, NULL);
  gan_minimize(a, gan_apply(n, input2(&t, "x")));
  gan_optimizer_free(a);
  gan_network_free(n);
  expect_unprepared(&t, GAN_ERROR_SHAPE, "optimizer 'a' got a loss of shape 1x2");
}

static void optimizers_have_names_of_their_own(void **state) {
  (void)state;
  struct table t = table_open();
  gan_network *n = make_network(t.ctx, "N", "input x 2; counting name=c"), *m = make_network(t.ctx, "M",
                                                                                             "input x 2; counting name=c");
  gan_optimizer *a = make_optimizer(t.ctx, "a", "sgd", n, NULL), *b = make_optimizer(t.ctx, "a", "sgd", m, NULL);
  gan_minimize(a, apply(n, input2(&t, "x")));
  gan_minimize(b, apply(m, input2(&t, "x")));
  gan_optimizer_free(a);
  gan_optimizer_free(b);
  gan_network_free(n);
  gan_network_free(m);
  expect_unprepared(&t, GAN_ERROR_ARGUMENT, "two optimizers are named 'a'");
}

static void followers_are_clones(void **state) {
  (void)state;
  struct table t = table_open();
  gan_network *n = make_network(t.ctx, "N", "input x 2; counting"), *m = make_network(t.ctx, "M", "input x 2; tally");
  gan_follow(t.graph, m, n, 0.9);
  gan_network_free(n);
  gan_network_free(m);
  expect_unprepared(&t, GAN_ERROR_SHAPE, "'M' has not the structure of 'N'");
  gan_minimize(NULL, NULL);
  gan_follow(NULL, NULL, NULL, 0);
}

/* A product of (3, 4) and (4, 5) is 120 operations, its gradient to the weights as many; nobody asks for the one to x. */
static void costs_are_known_before_anything_runs(void **state) {
  (void)state;
  struct table t = table_open();
  int64_t forward, both, bytes;
  gan_graph *second;
  gan_network *n = make_network(t.ctx, "N", "input x 4; dense units=5 bias=no");
  gan_optimizer *o = make_optimizer(t.ctx, "o", "sgd", n, NULL);
  must(t.ctx, gan_game_add_step(t.game, "update", &second));
  const int64_t shape[] = {3, 4};
  gan_output(gan_apply(n, gan_input(t.graph, "x", GAN_F32, 2, shape)), "y");
  gan_minimize(o, gan_mean(gan_square(gan_apply(n, gan_input(second, "x", GAN_F32, 2, shape)))));
  must(t.ctx, gan_game_cost(t.game, "s", &bytes, &forward));
  must(t.ctx, gan_game_cost(t.game, "update", NULL, &both));
  assert_int_equal(forward, 120);
  assert_int_equal(both, 240);
  assert_true(bytes >= 4 * (12 + 15));
  must(t.ctx, gan_game_cost(t.game, NULL, NULL, &both));
  assert_int_equal(both, 360);
  assert_int_equal(gan_game_steps(t.game), 0);
  gan_optimizer_free(o);
  gan_network_free(n);
  table_close(&t);
}

/* Slots and the count of steps are the optimizer's, wherever it is used. */
static void steps_share_optimizers(void **state) {
  (void)state;
  struct table t = table_open();
  gan_graph *first = t.graph, *second;
  gan_network *n = make_network(t.ctx, "N", "input x 2; counting name=c");
  gan_optimizer *o = make_optimizer(t.ctx, "o", "sgd rate=1 momentum=0.5 schedule=(step every=2 factor=0.1)", n, NULL);
  must(t.ctx, gan_game_add_step(t.game, "again", &second));
  gan_minimize(o, apply(n, input2(&t, "x")));
  t.graph = second;
  gan_minimize(o, apply(n, input2(&t, "x")));
  t.graph = first;
  bind2(&t, "x", 1, 0);
  double w[2], velocity = 0;
  pair(&t, n, "c/w", w);
  for (int i = 0; i < 4; i++) {
    double now[2];
    must(t.ctx, gan_game_step(t.game, i % 2 ? "again" : "s"));
    pair(&t, n, "c/w", now);
    velocity = 0.5 * velocity + 1;
    w[0] -= velocity * (i < 2 ? 1 : 0.1);
    assert_true(fabs(now[0] - w[0]) < 1e-5);
  }
  gan_optimizer_free(o);
  gan_network_free(n);
  table_close(&t);
}

static void prepared_games_are_closed(void **state) {
  (void)state;
  struct table t = table_open();
  gan_graph *g;
  gan_output(gan_constant(t.graph, 1), "one");
  must(t.ctx, gan_game_prepare(t.game));
  assert_int_equal(gan_game_add_step(t.game, "more", &g), GAN_ERROR_STATE);
  assert_int_equal(gan_game_cost(t.game, "none", NULL, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_game_run(t.game, "s", -1), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_game_run(t.game, NULL, 1), GAN_ERROR_ARGUMENT);
  must(t.ctx, gan_game_run(t.game, "s", 0));
  assert_int_equal(gan_game_steps(t.game), 0);
  table_close(&t);
}

static void null_is_refused(void **state) {
  (void)state;
  double value;
  gan_game *g = NULL;
  assert_int_equal(gan_game_create(NULL, NULL, &g), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_game_add_step(NULL, "s", NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_game_prepare(NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_game_step(NULL, "s"), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_game_value(NULL, "s", "o", &value), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_game_read(NULL, "s", "o", NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_game_report(NULL, NULL, 0, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_game_set(NULL, "s", 0), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_game_bind(NULL, "s", NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_game_cost(NULL, NULL, NULL, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_game_set_hook(NULL, NULL, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_game_save(NULL, "x"), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_game_restore(NULL, "x"), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_game_steps(NULL), 0);
  gan_game_free(NULL);
  gan_game_config c = {.struct_size = sizeof c, .batch = 0};
  gan_context *ctx = make_context(NULL, 1);
  assert_int_equal(gan_game_create(ctx, &c, &g), GAN_ERROR_ARGUMENT);
  assert_null(g);
  gan_context_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(nodes_are_computed_again_after_a_commit),
    cmocka_unit_test(updates_of_a_phase_happen_together),
    cmocka_unit_test(shared_parameters_add_up_their_gradients),
    cmocka_unit_test(averages_follow),
    cmocka_unit_test(state_moves_with_the_parameters),
    cmocka_unit_test(inputs_and_scalars_are_set_by_name),
    cmocka_unit_test(inputs_must_have_come),
    cmocka_unit_test(outputs_are_found_by_name),
    cmocka_unit_test(builders_are_checked),
    cmocka_unit_test(optimizers_have_names_of_their_own),
    cmocka_unit_test(followers_are_clones),
    cmocka_unit_test(costs_are_known_before_anything_runs),
    cmocka_unit_test(steps_share_optimizers),
    cmocka_unit_test(prepared_games_are_closed),
    cmocka_unit_test(null_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
