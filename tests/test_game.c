/* Games: phases and commits, state, hooks, numbers that are not finite, inputs and outputs, several players. */
#include "games.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ small parts */

/* Layer "vector": x times a parameter; and a state that counts the applications that were committed. */
static gan_node *counting_layer(void *user, gan_layer_call *call, int32_t count, gan_node *const *in) {
  (void)user, (void)count;
  gan_node *w = gan_layer_parameter(call, "w", 1, (int64_t[]){2}, "normal std=1");
  gan_node *n = gan_layer_state(call, "n", 0, NULL, "zeros");
  if (gan_layer_training(call)) gan_layer_assign(call, "n", gan_shift(n, 1));
  return gan_mul(in[0], w);
}

/* Layer "tally": no parameters, only a state. */
static gan_node *tally_layer(void *user, gan_layer_call *call, int32_t count, gan_node *const *in) {
  (void)user, (void)count;
  gan_layer_assign(call, "n", gan_shift(gan_layer_state(call, "n", 0, NULL, "zeros"), 1));
  return gan_scale(in[0], 2);
}

struct table { gan_context *ctx; gan_game *game; gan_graph *graph; };

static struct table table_open(void) {
  struct table t = {.ctx = make_context(NULL, 1)};
  must(t.ctx, gan_context_add_layer(t.ctx, "counting", counting_layer, NULL, NULL));
  must(t.ctx, gan_context_add_layer(t.ctx, "tally", tally_layer, NULL, NULL));
  must(t.ctx, gan_game_create(t.ctx, NULL, &t.game));
  must(t.ctx, gan_game_add_step(t.game, "s", &t.graph));
  return t;
}

static void table_close(struct table *t) {
  gan_game_free(t->game);
  gan_context_free(t->ctx);
}

static gan_optimizer *make_optimizer(gan_context *ctx, const char *name, const char *text, gan_network *n, const char *pattern) {
  gan_optimizer *o = NULL;
  must(ctx, gan_optimizer_create(ctx, name, text, &o));
  if (n) must(ctx, gan_optimizer_add(o, n, pattern, 1, 1));
  return o;
}

static void bind2(struct table *t, const char *name, float a, float b) {
  gan_tensor *x = make_tensor(t->ctx, 1, (int64_t[]){2}, (float[]){a, b});
  must(t->ctx, gan_game_bind(t->game, name, x));
  gan_tensor_free(x);
}

static double number(struct table *t, gan_network *n, const char *path) {
  gan_tensor *x;
  double value;
  must(t->ctx, gan_tensor_create(t->ctx, GAN_F64, 0, NULL, &x));
  must(t->ctx, gan_network_get(n, path, x));
  value = *(double *)gan_tensor_data(x);
  gan_tensor_free(x);
  return value;
}

static void pair(struct table *t, gan_network *n, const char *path, double out[2]) {
  gan_tensor *x;
  must(t->ctx, gan_tensor_create(t->ctx, GAN_F64, 1, (int64_t[]){2}, &x));
  must(t->ctx, gan_network_get(n, path, x));
  memcpy(out, gan_tensor_data(x), 2 * sizeof *out);
  gan_tensor_free(x);
}

static gan_node *input2(struct table *t, const char *name) {
  return gan_input(t->graph, name, GAN_F32, 2, (int64_t[]){1, 2});
}

static gan_node *apply(gan_network *n, gan_node *x) { return gan_sum(gan_apply(n, x)); }

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

/* ------------------------------------------------------------------ not finite */

/* Two phases that update A, then B; what each hook or input does to them is seen in the weights. */
struct duel { struct table t; gan_network *a, *b; gan_optimizer *oa, *ob; float *wa, *wb; };

static struct duel duel_open(void) {
  struct duel d = {.t = table_open()};
  d.a = make_network(d.t.ctx, "A", "input x 2; counting name=c");
  d.b = make_network(d.t.ctx, "B", "input x 2; counting name=c");
  d.oa = make_optimizer(d.t.ctx, "a", "adam", d.a, NULL);
  d.ob = make_optimizer(d.t.ctx, "b", "sgd momentum=0.9 clip-norm=1", d.b, NULL);
  gan_phase(d.t.graph, "first");
  gan_minimize(d.oa, gan_output(apply(d.a, input2(&d.t, "x")), "la"));
  gan_phase(d.t.graph, "second");
  gan_minimize(d.ob, gan_mul(apply(d.b, input2(&d.t, "y")), gan_scalar(d.t.graph, "factor", 1)));
  bind2(&d.t, "x", 1, 2);
  bind2(&d.t, "y", 3, 4);
  must(d.t.ctx, gan_game_run(d.t.game, "s", 2));
  d.wa = copy_weights(d.a, NULL);
  d.wb = copy_weights(d.b, NULL);
  return d;
}

static void duel_close(struct duel *d) {
  free(d->wa);
  free(d->wb);
  gan_optimizer_free(d->oa);
  gan_optimizer_free(d->ob);
  gan_network_free(d->a);
  gan_network_free(d->b);
  table_close(&d->t);
}

static void expect_moved(gan_network *n, const float *before, int moved) {
  int64_t count;
  float *now = copy_weights(n, &count);
  assert_int_equal(memcmp(now, before, (size_t)count * sizeof *now) != 0, moved);
  free(now);
}

static void expect_report(struct duel *d, const char *part) {
  char text[4000];
  must(d->t.ctx, gan_game_report(d->t.game, text, sizeof text, NULL));
  if (!strstr(text, part)) fail_msg("the report has no '%s':\n%s", part, text);
}

static void what_is_not_finite_is_not_committed(void **state) {
  (void)state;
  struct duel d = duel_open();
  bind2(&d.t, "x", NAN, 1);
  assert_int_equal(gan_game_step(d.t.game, "s"), GAN_ERROR_NOT_FINITE);
  assert_sentence(d.t.ctx, "step 's' (number 3), phase 'first': the loss of optimizer 'a' is not finite");
  expect_report(&d, "the loss of optimizer 'a' is not finite");
  expect_moved(d.a, d.wa, 0);
  expect_moved(d.b, d.wb, 0);
  assert_int_equal(gan_game_steps(d.t.game), 3); /* its batch is used up */
  bind2(&d.t, "x", 1, 2);
  must(d.t.ctx, gan_game_step(d.t.game, "s"));
  expect_moved(d.a, d.wa, 1);
  duel_close(&d);
}

static void earlier_phases_stand(void **state) {
  (void)state;
  struct duel d = duel_open();
  bind2(&d.t, "y", 1, INFINITY);
  assert_int_equal(gan_game_step(d.t.game, "s"), GAN_ERROR_NOT_FINITE);
  assert_sentence(d.t.ctx, "phase 'second'");
  expect_moved(d.a, d.wa, 1);
  expect_moved(d.b, d.wb, 0);
  expect_report(&d, "phase first");
  duel_close(&d);
}

/* A finite loss of an infinite slope: sqrt at 0. */
static void gradients_are_named(void **state) {
  (void)state;
  struct table t = table_open();
  gan_network *n = make_network(t.ctx, "N", "input x 2; counting name=c");
  gan_optimizer *o = make_optimizer(t.ctx, "o", "adam", n, NULL);
  gan_minimize(o, gan_sum(gan_sqrt(gan_abs(gan_apply(n, input2(&t, "x"))))));
  bind2(&t, "x", 0, 1);
  assert_int_equal(gan_game_step(t.game, "s"), GAN_ERROR_NOT_FINITE);
  assert_sentence(t.ctx, "the gradient of 'N/c/w' (optimizer 'o') is not finite");
  assert_true(number(&t, n, "c/n") == 0);
  gan_optimizer_free(o);
  gan_network_free(n);
  table_close(&t);
}

/* Layer "logging": its new state is the logarithm of what came in. */
static gan_node *logging_layer(void *user, gan_layer_call *call, int32_t count, gan_node *const *in) {
  (void)user, (void)count;
  const int32_t batch = 0;
  gan_layer_state(call, "n", 1, (int64_t[]){2}, "zeros");
  gan_layer_assign(call, "n", gan_log(gan_mean_axes(in[0], 1, &batch, 0)));
  return gan_mul(in[0], gan_layer_parameter(call, "w", 1, (int64_t[]){2}, "normal std=1"));
}

static void new_state_is_checked(void **state) {
  (void)state;
  struct table t = table_open();
  must(t.ctx, gan_context_add_layer(t.ctx, "logging", logging_layer, NULL, NULL));
  gan_network *n = make_network(t.ctx, "N", "input x 2; logging name=l");
  gan_optimizer *o = make_optimizer(t.ctx, "o", "adam", n, NULL);
  gan_minimize(o, apply(n, input2(&t, "x")));
  double before[2], after[2];
  pair(&t, n, "l/w", before);
  bind2(&t, "x", -1, 1);
  assert_int_equal(gan_game_step(t.game, "s"), GAN_ERROR_NOT_FINITE);
  assert_sentence(t.ctx, "the new state of 'N/l/n' is not finite");
  pair(&t, n, "l/w", after);
  assert_memory_equal(before, after, sizeof before);
  bind2(&t, "x", 2, 1);
  must(t.ctx, gan_game_step(t.game, "s"));
  pair(&t, n, "l/n", after);
  assert_true(fabs(after[0] - log(2)) < 1e-6 && after[1] == 0);
  gan_optimizer_free(o);
  gan_network_free(n);
  table_close(&t);
}

/* ------------------------------------------------------------------ hooks */

struct hook { int calls; int32_t result; float poison; char names[8]; double sum; gan_game *cancel; };

static int32_t hook(void *user, const char *optimizer, float *gradient, int64_t count) {
  struct hook *h = user;
  assert_int_equal(count, 2);
  h->names[h->calls++ % 8] = *optimizer;
  h->sum += gradient[0] + gradient[1];
  if (h->poison != 0) gradient[1] = h->poison;
  if (h->cancel) gan_game_cancel(h->cancel);
  return h->result;
}

static void hooks_see_and_change_gradients(void **state) {
  (void)state;
  struct duel d = duel_open();
  struct hook h = {.poison = 100};
  must(d.t.ctx, gan_game_set_hook(d.t.game, hook, &h));
  must(d.t.ctx, gan_game_step(d.t.game, "s"));
  assert_int_equal(h.calls, 2);
  assert_memory_equal(h.names, "ab", 2);
  assert_true(h.sum == 1 + 2 + 3 + 4);
  expect_report(&d, "norm 100.0"); /* as the hook left it: (1, 100), (3, 100) */
  must(d.t.ctx, gan_game_set_hook(d.t.game, NULL, NULL));
  must(d.t.ctx, gan_game_step(d.t.game, "s"));
  assert_int_equal(h.calls, 2);
  duel_close(&d);
}

static void hooks_can_refuse(void **state) {
  (void)state;
  struct duel d = duel_open();
  struct hook h = {.result = 5};
  must(d.t.ctx, gan_game_set_hook(d.t.game, hook, &h));
  assert_int_equal(gan_game_step(d.t.game, "s"), GAN_ERROR_CALLBACK);
  assert_sentence(d.t.ctx, "the hook on the gradient of optimizer 'a' returned 5");
  expect_moved(d.a, d.wa, 0);
  assert_int_equal(gan_game_steps(d.t.game), 2); /* it can be tried again */
  h = (struct hook){.poison = NAN};
  assert_int_equal(gan_game_step(d.t.game, "s"), GAN_ERROR_NOT_FINITE);
  assert_sentence(d.t.ctx, "'A/c/w' (optimizer 'a') is not finite after the hook");
  expect_moved(d.a, d.wa, 0);
  duel_close(&d);
}

/* ------------------------------------------------------------------ cancel */

static gan_game *to_cancel;

static void on_signal(int number) {
  (void)number;
  gan_game_cancel(to_cancel);
}

static void cancel_stops_before_the_next_step(void **state) {
  (void)state;
  struct duel d = duel_open();
  struct hook h = {.cancel = d.t.game};
  must(d.t.ctx, gan_game_set_hook(d.t.game, hook, &h));
  assert_int_equal(gan_game_run(d.t.game, "s", 10), GAN_ERROR_CANCELLED);
  assert_int_equal(gan_game_steps(d.t.game), 3); /* the step that was running was finished */
  must(d.t.ctx, gan_game_set_hook(d.t.game, NULL, NULL));
  must(d.t.ctx, gan_game_run(d.t.game, "s", 3)); /* the request is used up */
  to_cancel = d.t.game;
  signal(SIGUSR1, on_signal);
  raise(SIGUSR1);
  signal(SIGUSR1, SIG_DFL);
  assert_int_equal(gan_game_run(d.t.game, "s", 3), GAN_ERROR_CANCELLED);
  assert_int_equal(gan_game_steps(d.t.game), 6);
  gan_game_cancel(NULL);
  duel_close(&d);
}

/* ------------------------------------------------------------------ inputs and outputs */

static void inputs_and_scalars_are_set_by_name(void **state) {
  (void)state;
  struct duel d = duel_open();
  gan_tensor *wrong = make_tensor(d.t.ctx, 1, (int64_t[]){3}, NULL);
  assert_int_equal(gan_game_bind(d.t.game, "x", wrong), GAN_ERROR_SHAPE);
  assert_sentence(d.t.ctx, "input 'x' is 1x2, the tensor 3");
  assert_int_equal(gan_game_bind(d.t.game, "z", wrong), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_game_bind(d.t.game, NULL, wrong), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_game_set(d.t.game, "x", 1), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_game_set(d.t.game, "factor", INFINITY), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_game_set(d.t.game, "optimizer:a/rate/0", 1), GAN_ERROR_ARGUMENT); /* not the user's */
  must(d.t.ctx, gan_game_set(d.t.game, "factor", 0));
  struct hook h = {.calls = 0};
  must(d.t.ctx, gan_game_set_hook(d.t.game, hook, &h));
  must(d.t.ctx, gan_game_step(d.t.game, "s"));
  assert_true(h.sum == 3); /* of b nothing is left */
  gan_tensor_free(wrong);
  duel_close(&d);
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
  struct duel d = duel_open();
  gan_graph *g;
  int64_t bytes = 0, flops = -1;
  assert_int_equal(gan_game_add_step(d.t.game, "more", &g), GAN_ERROR_STATE);
  must(d.t.ctx, gan_game_cost(d.t.game, NULL, &bytes, &flops));
  assert_true(bytes > 0 && flops >= 0);
  must(d.t.ctx, gan_game_cost(d.t.game, "s", &bytes, NULL));
  assert_int_equal(gan_game_cost(d.t.game, "none", NULL, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_game_run(d.t.game, "s", -1), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_game_run(d.t.game, NULL, 1), GAN_ERROR_ARGUMENT);
  must(d.t.ctx, gan_game_run(d.t.game, "s", 0));
  duel_close(&d);
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

/* ------------------------------------------------------------------ reports */

static void debug_names_the_first_bad_node(void **state) {
  (void)state;
  struct table t = {.ctx = NULL};
  gan_context_config c;
  gan_context_config_init(&c, sizeof c);
  c.threads = 1;
  c.debug = 1;
  assert_int_equal(gan_context_create(&c, &t.ctx), GAN_OK);
  must(t.ctx, gan_context_add_layer(t.ctx, "counting", counting_layer, NULL, NULL));
  must(t.ctx, gan_game_create(t.ctx, NULL, &t.game));
  must(t.ctx, gan_game_add_step(t.game, "s", &t.graph));
  gan_network *n = make_network(t.ctx, "N", "input x 2; counting name=c");
  gan_optimizer *o = make_optimizer(t.ctx, "o", "adam", n, NULL);
  gan_node *culprit = gan_node_name(gan_log(input2(&t, "x")), "culprit");
  gan_minimize(o, apply(n, gan_scale(culprit, 2)));
  bind2(&t, "x", 1, 2);
  must(t.ctx, gan_game_step(t.game, "s"));
  char text[8000];
  must(t.ctx, gan_game_report(t.game, text, sizeof text, NULL));
  assert_non_null(strstr(text, "'culprit' (log 1x2): min 0 max 0.693147 mean 0.346574, 0 not finite"));
  bind2(&t, "x", -1, 2);
  assert_int_equal(gan_game_step(t.game, "s"), GAN_ERROR_NOT_FINITE);
  assert_sentence(t.ctx, "the first such node is node");
  assert_sentence(t.ctx, "'culprit' (log 1x2), computed from node");
  gan_optimizer_free(o);
  gan_network_free(n);
  table_close(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(nodes_are_computed_again_after_a_commit),
    cmocka_unit_test(updates_of_a_phase_happen_together),
    cmocka_unit_test(shared_parameters_add_up_their_gradients),
    cmocka_unit_test(averages_follow),
    cmocka_unit_test(state_moves_with_the_parameters),
    cmocka_unit_test(what_is_not_finite_is_not_committed),
    cmocka_unit_test(earlier_phases_stand),
    cmocka_unit_test(gradients_are_named),
    cmocka_unit_test(new_state_is_checked),
    cmocka_unit_test(hooks_see_and_change_gradients),
    cmocka_unit_test(hooks_can_refuse),
    cmocka_unit_test(cancel_stops_before_the_next_step),
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
    cmocka_unit_test(debug_names_the_first_bad_node),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
