/* Weights that are computed: spectral norm with vectors that move once a commit, weight norm, equalised learning rate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bed.h"
#include "games.h"
#include "nn/network.h"
#include "train/game.h"

enum { OUTPUTS = 5, INPUTS = 6 };

struct vectors { double u[OUTPUTS], v[INPUTS]; };

static const float *values_of(gan_network *n, const char *path) {
  struct variable *v = network_variable(n, path);
  if (!v) fail_msg("there is no %s", path);
  return v->data;
}

static double length(const double *x, int32_t count) {
  double sum = 0;
  for (int32_t i = 0; i < count; i++) sum += x[i] * x[i];
  return sqrt(sum);
}

static struct vectors stored(gan_network *n) {
  struct vectors s;
  for (int32_t i = 0; i < OUTPUTS; i++) s.u[i] = (double)values_of(n, "dense1/weight_u")[i];
  for (int32_t i = 0; i < INPUTS; i++) s.v[i] = (double)values_of(n, "dense1/weight_v")[i];
  return s;
}

/* One iteration of the power method on (outputs, inputs). */
static void iterate(struct vectors *s, const float *w) {
  for (int32_t o = 0; o < OUTPUTS; o++) {
    s->u[o] = 0;
    for (int32_t i = 0; i < INPUTS; i++) s->u[o] += (double)w[o * INPUTS + i] * s->v[i];
  }
  double of_u = length(s->u, OUTPUTS);
  for (int32_t o = 0; o < OUTPUTS; o++) s->u[o] /= of_u;
  for (int32_t i = 0; i < INPUTS; i++) {
    s->v[i] = 0;
    for (int32_t o = 0; o < OUTPUTS; o++) s->v[i] += (double)w[o * INPUTS + i] * s->u[o];
  }
  double of_v = length(s->v, INPUTS);
  for (int32_t i = 0; i < INPUTS; i++) s->v[i] /= of_v;
}

static double sigma_of(const struct vectors *s, const float *w) {
  double sum = 0;
  for (int32_t o = 0; o < OUTPUTS; o++)
    for (int32_t i = 0; i < INPUTS; i++) sum += s->u[o] * (double)w[o * INPUTS + i] * s->v[i];
  return sum;
}

static void assert_near(double came, double expected) {
  if (!(fabs(came - expected) <= 1e-5 * fmax(1, fabs(expected)))) fail_msg("came %.9g, expected %.9g", came, expected);
}

static void assert_stored(gan_network *n, const struct vectors *expected) {
  struct vectors s = stored(n);
  for (int32_t i = 0; i < OUTPUTS; i++) assert_near(s.u[i], expected->u[i]);
  for (int32_t i = 0; i < INPUTS; i++) assert_near(s.v[i], expected->v[i]);
}

#define SPECTRAL "input x 6; dense units=5 bias=no init=(normal std=1) spectral-norm=yes"

/* The vectors begin near the first singular ones and on the same side, so that a network may be evaluated before it is trained. */
static void test_vectors_begin_well(void **state) {
  for (int32_t i = 0; i < 20; i++) {
    char name[20];
    snprintf(name, sizeof name, "N%d", i);
    gan_network *n = make_network(*state, name, SPECTRAL);
    const float *w = values_of(n, "dense1/weight");
    struct vectors s = stored(n), exact = s;
    assert_near(length(s.u, OUTPUTS), 1);
    assert_near(length(s.v, INPUTS), 1);
    for (int32_t k = 0; k < 1000; k++) iterate(&exact, w);
    assert_true(sigma_of(&s, w) > 0.9 * sigma_of(&exact, w) && sigma_of(&s, w) < 1.00001 * sigma_of(&exact, w));
    gan_network_free(n);
  }
}

/* ------------------------------------------------------------------ in a game */

/* The identity goes in, so that the transposed weight comes out. */
static gan_node *identity(gan_context *ctx, gan_graph *g) {
  float values[INPUTS * INPUTS] = {0};
  for (int32_t i = 0; i < INPUTS; i++) values[i * INPUTS + i] = 1;
  gan_tensor *t = make_tensor(ctx, 2, (int64_t[]){INPUTS, INPUTS}, values);
  gan_node *x = gan_constant_tensor(g, t);
  gan_tensor_free(t);
  return x;
}

static void assert_output(gan_game *game, const char *output, const float *w, double sigma) {
  float y[INPUTS * OUTPUTS];
  gan_tensor *t;
  must(game->ctx, gan_tensor_wrap(game->ctx, GAN_F32, 2, (int64_t[]){INPUTS, OUTPUTS}, y, NULL, NULL, &t));
  must(game->ctx, gan_game_read(game, "s", output, t));
  for (int32_t i = 0; i < INPUTS; i++)
    for (int32_t o = 0; o < OUTPUTS; o++) assert_near((double)y[i * OUTPUTS + o], (double)w[o * INPUTS + i] / sigma);
  gan_tensor_free(t);
}

/* A discriminator's phase applies the layer twice and updates it; a generator's phase applies it again and does not. */
static gan_game *two_phases(gan_context *ctx, gan_network *d, const char *rate) {
  gan_game *game;
  gan_graph *g;
  must(ctx, gan_game_create(ctx, NULL, &game));
  must(ctx, gan_game_add_step(game, "s", &g));
  gan_node *x = identity(ctx, g);
  gan_phase(g, "D");
  gan_node *first = gan_output(gan_apply(d, x), "first"), *second = gan_output(gan_apply(d, gan_scale(x, 1)), "second");
  gan_optimizer *o = make_optimizer(ctx, "D", rate, d, NULL);
  gan_minimize(o, gan_sum(gan_square(gan_add(first, second))));
  gan_phase(g, "G");
  gan_output(gan_apply(d, x), "third");
  gan_optimizer_free(o);
  return game;
}

static void test_one_move_a_commit(void **state) {
  gan_network *d = make_network(*state, "D", SPECTRAL);
  gan_game *game = two_phases(*state, d, "sgd rate=0.01");
  struct vectors expected = stored(d);
  for (int32_t step = 0; step < 3; step++) {
    float w[OUTPUTS * INPUTS];
    memcpy(w, values_of(d, "dense1/weight"), sizeof w);
    must(*state, gan_game_step(game, "s"));
    iterate(&expected, w);
    assert_stored(d, &expected);
    assert_output(game, "first", w, sigma_of(&expected, w));
    assert_output(game, "second", w, sigma_of(&expected, w));
    assert_memory_not_equal(w, values_of(d, "dense1/weight"), sizeof w);
    struct vectors ahead = expected; /* of G's phase, which sees the new weight and stores nothing */
    iterate(&ahead, values_of(d, "dense1/weight"));
    assert_output(game, "third", values_of(d, "dense1/weight"), sigma_of(&ahead, values_of(d, "dense1/weight")));
  }
  gan_game_free(game);
  gan_network_free(d);
}

static void test_evaluation_moves_nothing(void **state) {
  gan_context *ctx = *state;
  gan_network *d = make_network(ctx, "D", SPECTRAL);
  gan_game *game;
  gan_graph *g;
  must(ctx, gan_game_create(ctx, NULL, &game));
  must(ctx, gan_game_add_step(game, "s", &g));
  gan_node *x = identity(ctx, g), *y;
  gan_network_apply(d, 0, 1, &x, 1, &y);
  gan_optimizer *o = make_optimizer(ctx, "D", "sgd rate=0.01", d, NULL);
  gan_minimize(o, gan_sum(gan_square(gan_output(y, "y"))));
  struct vectors before = stored(d);
  float w[OUTPUTS * INPUTS];
  for (int32_t step = 0; step < 2; step++) {
    memcpy(w, values_of(d, "dense1/weight"), sizeof w);
    must(ctx, gan_game_step(game, "s"));
    assert_stored(d, &before);
    assert_output(game, "y", w, sigma_of(&before, w));
  }
  gan_optimizer_free(o);
  gan_game_free(game);
  gan_network_free(d);
}

/* ------------------------------------------------------------------ weight norm, equalised learning rate */

static void draw(gan_network *n, float out[INPUTS * OUTPUTS]) {
  gan_sampler *s;
  float values[INPUTS * INPUTS] = {0};
  for (int32_t i = 0; i < INPUTS; i++) values[i * INPUTS + i] = 1;
  must(n->ctx, gan_sampler_create(n, NULL, &s));
  must(n->ctx, gan_sampler_bind(s, "x", INPUTS, values));
  must(n->ctx, gan_sampler_draw(s, 0, INPUTS, out));
  gan_sampler_free(s);
}

/* At first the weight is what its initializer drew; then each row has the length that g says. */
static void test_weight_norm(void **state) {
  gan_network *n = make_network(*state, "N", "input x 6; dense units=5 bias=no weight-norm=yes");
  const float *w = values_of(n, "dense1/weight");
  float *g = network_variable(n, "dense1/weight_g")->data, y[INPUTS * OUTPUTS];
  draw(n, y);
  for (int32_t i = 0; i < INPUTS; i++)
    for (int32_t o = 0; o < OUTPUTS; o++) assert_near((double)y[i * OUTPUTS + o], (double)w[o * INPUTS + i]);
  for (int32_t o = 0; o < OUTPUTS; o++) g[o] = (float)(o + 1);
  draw(n, y);
  for (int32_t o = 0; o < OUTPUTS; o++) {
    double column[INPUTS];
    for (int32_t i = 0; i < INPUTS; i++) column[i] = (double)y[i * OUTPUTS + o];
    assert_near(length(column, INPUTS), o + 1);
    assert_near(column[0] * (double)w[o * INPUTS + 1], column[1] * (double)w[o * INPUTS]);
  }
  gan_network_free(n);
}

/* A row of zeros stays one, with a gradient that is finite. */
static void test_weight_norm_of_zeros(void **state) {
  gan_network *n = make_network(*state, "N", "input x 6; dense units=5 bias=no weight-norm=yes init=zeros");
  float y[INPUTS * OUTPUTS];
  draw(n, y);
  for (int32_t i = 0; i < INPUTS * OUTPUTS; i++) assert_true(y[i] == 0);
  gan_game *game = two_phases(*state, n, "sgd rate=0.01");
  must(*state, gan_game_step(game, "s"));
  gan_game_free(game);
  gan_network_free(n);
}

static void test_equalised(void **state) {
  gan_network *n = make_network(*state, "N", "input x 100; dense units=400 equalised=yes");
  const float *w = values_of(n, "dense1/weight"), *bias = values_of(n, "dense1/bias");
  double sum = 0;
  for (int32_t i = 0; i < 40000; i++) sum += (double)w[i] * (double)w[i];
  assert_true(fabs(sqrt(sum / 40000) - 1) < 0.02);
  for (int32_t i = 0; i < 400; i++) assert_true(bias[i] == 0);
  gan_network_free(n);

  n = make_network(*state, "N", "input x 6; dense units=5 bias=no equalised=yes gain=3");
  float y[INPUTS * OUTPUTS];
  draw(n, y);
  w = values_of(n, "dense1/weight");
  for (int32_t i = 0; i < INPUTS; i++)
    for (int32_t o = 0; o < OUTPUTS; o++) assert_near((double)y[i * OUTPUTS + o], (double)w[o * INPUTS + i] * 3 / sqrt(6));
  gan_network_free(n);
}

/* ------------------------------------------------------------------ refusals */

static void test_derived_initializers_refuse(void **state) {
  static const struct { const char *line, *part; } cases[] = {
    {"dense units=3 init=lengths", "N/dense1/weight: its initializer follows from 'weight'"},
    {"dense units=6 bias-init=(image by=other)", "follows from 'other'"},
    {"dense units=3 bias-init=image", "N/dense1/bias: has 3 numbers, N/dense1/weight is 3 by 6"},
    {"dense units=6 bias-init=(image by=weight)", "N/dense1/weight has 36 numbers, expected 6"},
    {"dense units=3 spectral-norm=yes iterations=0", "iterations is 0"},
    {"dense units=3 spectral-norm=perhaps", "expected yes or no"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    gan_network *n;
    must(*state, gan_network_create(*state, "N", &n));
    gan_network_input(n, "x", "6");
    gan_network_add(n, cases[i].line);
    assert_int_equal(gan_network_finish(n), GAN_ERROR_ARGUMENT);
    assert_sentence(*state, cases[i].part);
    gan_network_free(n);
  }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
    TEST(test_vectors_begin_well),
    TEST(test_one_move_a_commit),
    TEST(test_evaluation_moves_nothing),
    TEST(test_weight_norm),
    TEST(test_weight_norm_of_zeros),
    TEST(test_equalised),
    TEST(test_derived_initializers_refuse),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
