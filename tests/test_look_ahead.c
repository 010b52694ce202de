/* Optimizer steps that are never committed: their values beside those of real steps, first and second derivatives against central
 * differences in double precision, and the unrolled trainer. */
#include "games.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/graph.h"
#include "nn/network.h"
#include "op_stage.h"
#include "train/optimizer.h"

#define LINES "input x 2; dense units=5; tanh; dense units=1"

/* ------------------------------------------------------------------ values */

static gan_node *batch(gan_graph *g, float at) {
  gan_tensor *t = make_tensor(g->ctx, 2, (int64_t[]){3, 2}, (float[]){at, 1, -1, at, 0.5f, -0.5f});
  gan_node *x = gan_constant_tensor(g, t);
  gan_tensor_free(t);
  return x;
}

static gan_node *loss_of(gan_network *n, gan_graph *g) { return gan_mean(gan_square(gan_shift(gan_apply(n, batch(g, 0.3f)), -2))); }

struct side { gan_network *n; gan_optimizer *o; gan_game *game; };

/* Steps: "move" is one real step; "look" says what the network would give three steps later. */
static struct side side_open(gan_context *ctx, const char *optimizer, int ahead) {
  struct side s = {.n = make_network(ctx, "D", LINES)};
  gan_graph *move, *look;
  must(ctx, gan_game_create(ctx, NULL, &s.game));
  s.o = make_optimizer(ctx, "D", optimizer, s.n, NULL);
  must(ctx, gan_game_add_step(s.game, "move", &move));
  gan_minimize(s.o, loss_of(s.n, move));
  must(ctx, gan_game_add_step(s.game, "look", &look));
  for (int i = 0; i < 3; i++) {
    if (ahead) {
      gan_look_ahead(s.o, loss_of(s.n, look));
      continue;
    }
    gan_minimize(s.o, loss_of(s.n, look));
    gan_phase(look, "next");
  }
  gan_output(gan_sum(gan_mul(gan_apply(s.n, batch(look, -0.7f)), batch(look, 0.9f))), "y");
  return s;
}

static void side_close(struct side *s) {
  gan_game_free(s->game);
  gan_optimizer_free(s->o);
  gan_network_free(s->n);
}

static double look(gan_context *ctx, struct side *s) {
  must(ctx, gan_game_step(s->game, "look"));
  return value_of(s->game, "look", "y");
}

static void steps_ahead_are_those_that_would_come(void **state) {
  static const char *const optimizers[] = {
    "sgd rate=0.1", "sgd rate=0.05 momentum=0.9 nesterov decay=0.1", "sgd rate=0.1 clip-norm=0.3", "rmsprop rate=0.01 momentum=0.5",
    "adam rate=0.02 schedule=(step every=2 factor=0.5)", "adam rate=0.02 clip=0.01", "adamw rate=0.02 bound=0.6",
    "adam rate=0.02 decay=0.1",
  };
  (void)state;
  for (size_t i = 0; i < sizeof optimizers / sizeof *optimizers; i++) {
    gan_context *ctx = make_context(NULL, 1);
    struct side real = side_open(ctx, optimizers[i], 0), ahead = side_open(ctx, optimizers[i], 1);
    must(ctx, gan_network_copy(ahead.n, real.n));
    double still = look(ctx, &ahead);
    assert_true(look(ctx, &ahead) == still); /* nothing is committed */
    assert_int_equal(ahead.o->step, 0);
    for (int k = 0; k < 2; k++) { /* the second time with slots that moved */
      must(ctx, gan_game_step(real.game, "move"));
      must(ctx, gan_game_step(ahead.game, "move"));
    }
    double expected = look(ctx, &real), came = look(ctx, &ahead);
    if (fabs(came - expected) > 2e-5 * fmax(1, fabs(expected)) || fabs(came - still) < 1e-3)
      fail_msg("%s: ahead %.7g, real %.7g, still %.7g", optimizers[i], came, expected, still);
    side_close(&real);
    side_close(&ahead);
    gan_context_free(ctx);
  }
}

/* A phase that looks ahead behind one that moves weights and slots, by the fused kernel or by the rule, sees both as they are then. */
static void phases_look_ahead_of_what_was_committed(void **state) {
  static const char *const optimizers[] = {"adam rate=0.02", "adam rate=0.02 clip=1", "sgd rate=0.05 momentum=0.9"};
  (void)state;
  for (int i = 0; i < 3; i++) {
    double y[2];
    for (int ahead = 0; ahead < 2; ahead++) {
      struct table t = table_open();
      gan_network *n = make_network(t.ctx, "D", LINES);
      gan_optimizer *o = make_optimizer(t.ctx, "D", optimizers[i], n, NULL);
      for (int k = 0; k < 3; k++) {
        if (ahead && k) {
          gan_look_ahead(o, loss_of(n, t.graph));
          continue;
        }
        gan_minimize(o, loss_of(n, t.graph));
        gan_phase(t.graph, "next");
      }
      gan_output(gan_sum(gan_mul(gan_apply(n, batch(t.graph, -0.7f)), batch(t.graph, 0.9f))), "y");
      must(t.ctx, gan_game_step(t.game, "s"));
      y[ahead] = value_of(t.game, "s", "y");
      gan_optimizer_free(o);
      gan_network_free(n);
      table_close(&t);
    }
    if (fabs(y[0] - y[1]) > 2e-5 * fmax(1, fabs(y[0]))) fail_msg("%s: ahead %.7g, real %.7g", optimizers[i], y[1], y[0]);
  }
}

/* ------------------------------------------------------------------ derivatives */

static void feed_number(struct stage *s, const gan_node *n, double value) {
  struct feed *f = &s->feed[s->n_feeds++];
  assert_true(s->n_feeds <= FEEDS);
  *f = (struct feed){.node = n, .wide = calloc(1, sizeof *f->wide), .narrow = calloc(1, sizeof(float))};
  f->wide[0] = value;
  settle(f);
}

static void check_gradients(const char *optimizer) {
  struct stage s;
  gan_node *x[4];
  stage_open(&s, optimizer);
  gan_network *n = make_network(s.ctx, "D", LINES);
  gan_optimizer *o = make_optimizer(s.ctx, "D", optimizer, n, NULL);
  x[0] = feed_random(&s, 2, (int64_t[]){3, 2}, -1, 1);
  x[1] = feed_random(&s, 2, (int64_t[]){2, 2}, -1, 1);
  for (int i = 0; i < 2; i++) {
    x[2 + i] = feed_variable(&s, node_variable(s.g, n->variables[i].variable));
    feed_variable(&s, node_variable(s.g, n->variables[2 + i].variable));
  }
  for (int i = 0; i < 2; i++) gan_look_ahead(o, gan_mean(gan_square(gan_shift(gan_apply(n, x[0]), -2))));
  gan_node *y = gan_sum(gan_softplus(gan_apply(n, x[1])));
  assert_good(&s);
  for (int64_t i = 0; i < s.g->n_looks; i++) {
    feed_number(&s, s.g->looks[i].rate, 0.1);
    feed_number(&s, s.g->looks[i].step, (double)(i + 1));
  }
  for (int32_t slot = 0; slot < o->n_slots; slot++) {
    for (int64_t i = 0; i < o->n_parameters; i++) {
      struct variable *v = o->parameters[i].slot[slot];
      for (int64_t k = 0; k < v->count; k++) v->data[k] = 0.1f + 0.01f * (float)k;
      feed_variable(&s, node_variable(s.g, v));
    }
  }
  check_derivatives(&s, y, 4, x);
  gan_optimizer_free(o);
  gan_network_free(n);
  stage_close(&s);
}

static void gradients_pass_through_the_steps(void **state) {
  (void)state;
  check_gradients("sgd momentum=0.9 nesterov decay=0.1");
  check_gradients("sgd clip-norm=0.2");
  check_gradients("rmsprop epsilon=0.1");
  check_gradients("adam epsilon=0.1");
  check_gradients("adamw epsilon=0.1 decay=0.2");
}

/* Where a gradient is 0, the roots of Adam and RMSprop are of 0. */
static void dead_units_give_numbers(void **state) {
  static const char *const optimizers[] = {"adam rate=0.1", "rmsprop rate=0.1"};
  (void)state;
  for (int i = 0; i < 2; i++) {
    struct table t = table_open();
    gan_network *n = make_network(t.ctx, "D", "input x 2; dense units=3; relu; dense units=1");
    gan_tensor *low = make_tensor(t.ctx, 1, (int64_t[]){3}, (float[]){-9, -9, 9});
    must(t.ctx, gan_network_set(n, "dense1/bias", low));
    gan_optimizer *o = make_optimizer(t.ctx, "D", optimizers[i], n, NULL);
    gan_node *x = input2(&t, "x");
    for (int k = 0; k < 2; k++) gan_look_ahead(o, gan_mean(gan_square(gan_apply(n, x))));
    gan_node *y = gan_sum(gan_apply(n, x));
    gan_output(y, "y");
    gan_output(gan_sum(gan_abs(gan_gradient(y, x))), "dx");
    bind2(&t, "x", 0.4f, -0.2f);
    must(t.ctx, gan_game_step(t.game, "s"));
    assert_true(isfinite(value_of(t.game, "s", "y")) && isfinite(value_of(t.game, "s", "dx")) && value_of(t.game, "s", "dx") > 0);
    gan_tensor_free(low);
    gan_optimizer_free(o);
    gan_network_free(n);
    table_close(&t);
  }
}

/* The next phase sees the weights as they are. */
static void phases_begin_anew(void **state) {
  (void)state;
  struct table t = table_open();
  gan_network *n = make_network(t.ctx, "D", LINES);
  gan_optimizer *o = make_optimizer(t.ctx, "D", "sgd rate=0.5", n, NULL);
  gan_output(gan_sum(gan_apply(n, batch(t.graph, 1))), "before");
  gan_look_ahead(o, loss_of(n, t.graph));
  gan_output(gan_sum(gan_apply(n, batch(t.graph, 1))), "ahead");
  gan_minimize(o, gan_scale(gan_sum(gan_square(gan_variable_node(t.graph, n, "dense1/bias"))), 0));
  gan_phase(t.graph, "next");
  gan_output(gan_sum(gan_apply(n, batch(t.graph, 1))), "after");
  must(t.ctx, gan_game_step(t.game, "s"));
  assert_true(value_of(t.game, "s", "before") == value_of(t.game, "s", "after"));
  assert_true(fabs(value_of(t.game, "s", "before") - value_of(t.game, "s", "ahead")) > 1e-2);
  gan_optimizer_free(o);
  gan_network_free(n);
  table_close(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(steps_ahead_are_those_that_would_come),
    cmocka_unit_test(phases_look_ahead_of_what_was_committed),
    cmocka_unit_test(gradients_pass_through_the_steps),
    cmocka_unit_test(dead_units_give_numbers),
    cmocka_unit_test(phases_begin_anew),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
