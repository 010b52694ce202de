/* What stops a step, and that all is then as it was: numbers that are not finite, hooks, cancelling; and reports. */
#include "games.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

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

/* ------------------------------------------------------------------ reports */

static void debug_names_the_first_bad_node(void **state) {
  (void)state;
  struct table t = {.ctx = NULL};
  gan_context_config c;
  gan_context_config_init(&c, sizeof c);
  c.threads = 1;
  c.debug = 1;
  assert_int_equal(gan_context_create(&c, &t.ctx), GAN_OK);
  table_fill(&t);
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
    cmocka_unit_test(what_is_not_finite_is_not_committed),
    cmocka_unit_test(earlier_phases_stand),
    cmocka_unit_test(gradients_are_named),
    cmocka_unit_test(new_state_is_checked),
    cmocka_unit_test(hooks_see_and_change_gradients),
    cmocka_unit_test(hooks_can_refuse),
    cmocka_unit_test(cancel_stops_before_the_next_step),
    cmocka_unit_test(debug_names_the_first_bad_node),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
