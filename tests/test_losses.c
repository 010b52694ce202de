/* Losses and penalties as handles: what they come to far out, where their points lie, custom ones, mistakes and their sentences.
 * Their values and gradients are in test_loss_tables.c and test_loss_fixtures.c. */
#include "games.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 6 };

static const float real_scores[N] = {0.3f, -1.7f, 2.2f, 40, -35, 0};
static const float fake_scores[N] = {-0.4f, 1.1f, 0.9f, -42, 38, 0.01f};

static double softplus(double x) { return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)); }
static double square(double x) { return x * x; }

/* ------------------------------------------------------------------ formulas, one sample */

static double minimax_d(double r, double f) { return softplus(-r) + softplus(f); }
static double minimax_g(double f) { return -softplus(f); }
static double non_saturating_g(double f) { return softplus(-f); }
static double smooth_d(double r, double f) { return softplus(r) - 0.9 * r + softplus(f); }
static double least_squares_d(double r, double f) { return (square(r - 1) + square(f)) / 2; }
static double least_squares_g(double f) { return square(f - 1) / 2; }
static double wasserstein_d(double r, double f) { return f - r; }
static double wasserstein_g(double f) { return -f; }

static const struct formula {
  const char *text;
  double (*d)(double r, double f), (*g)(double f);
} formulas[] = {
  {"minimax", minimax_d, minimax_g},
  {"non-saturating", minimax_d, non_saturating_g},
  {"non-saturating smooth=0.1", smooth_d, non_saturating_g},
  {"least-squares", least_squares_d, least_squares_g},
  {"wasserstein", wasserstein_d, wasserstein_g},
};

enum { FORMULAS = sizeof formulas / sizeof *formulas };

/* ------------------------------------------------------------------ a game that only evaluates */

struct bench { gan_context *ctx; gan_game *game; gan_graph *graph; };

static struct bench bench_open(void) {
  struct bench b = {.ctx = make_context(NULL, 1)};
  must(b.ctx, gan_game_create(b.ctx, NULL, &b.game));
  must(b.ctx, gan_game_add_step(b.game, "s", &b.graph));
  return b;
}

static void bench_close(struct bench *b) {
  gan_game_free(b->game);
  gan_context_free(b->ctx);
}

static gan_node *vector(struct bench *b, const char *name) {
  return gan_input(b->graph, name, GAN_F32, 2, (int64_t[]){N, 1});
}

static void bind(struct bench *b, const char *name, const float *values) {
  gan_tensor *t = make_tensor(b->ctx, 1, (int64_t[]){N}, values);
  must(b->ctx, gan_game_bind(b->game, name, t));
  gan_tensor_free(t);
}

static void read_output(struct bench *b, const char *name, int64_t count, float *values) {
  gan_tensor *t = make_tensor(b->ctx, 1, &count, NULL);
  must(b->ctx, gan_game_read(b->game, "s", name, t));
  memcpy(values, gan_tensor_data(t), (size_t)count * sizeof *values);
  gan_tensor_free(t);
}

static void assert_close(double came, double expected, double tolerance) {
  double scale = fabs(expected) > 1 ? fabs(expected) : 1;
  if (!(fabs(came - expected) <= tolerance * scale)) fail_msg("%.9g, expected %.9g", came, expected);
}

static gan_loss *make_loss(gan_context *ctx, const char *text) {
  gan_loss *loss = NULL;
  must(ctx, gan_loss_create(ctx, text, &loss));
  return loss;
}

/* ------------------------------------------------------------------ losses */

static void check_gradients(struct bench *b, const struct formula *f) {
  float dr[N], df[N], dg[N];
  const double h = 1e-4;
  read_output(b, "dr", N, dr);
  read_output(b, "df", N, df);
  read_output(b, "dg", N, dg);
  for (int i = 0; i < N; i++) {
    double r = real_scores[i], x = fake_scores[i];
    assert_close(dr[i], (f->d(r + h, x) - f->d(r - h, x)) / (2 * h) / N, 2e-6);
    assert_close(df[i], (f->d(r, x + h) - f->d(r, x - h)) / (2 * h) / N, 2e-6);
    assert_close(dg[i], (f->g(x + h) - f->g(x - h)) / (2 * h) / N, 2e-6);
  }
}

static void check_formula(const struct formula *f) {
  struct bench b = bench_open();
  gan_loss *loss = make_loss(b.ctx, f->text);
  gan_node *r = vector(&b, "real"), *x = vector(&b, "fake");
  gan_node *d = gan_output(gan_loss_discriminator(loss, r, x), "d"), *g = gan_output(gan_loss_generator(loss, NULL, x), "g");
  gan_output(gan_gradient(d, r), "dr");
  gan_output(gan_gradient(d, x), "df");
  gan_output(gan_gradient(g, x), "dg");
  bind(&b, "real", real_scores);
  bind(&b, "fake", fake_scores);
  must(b.ctx, gan_game_step(b.game, "s"));
  double expected_d = 0, expected_g = 0;
  for (int i = 0; i < N; i++) {
    expected_d += f->d(real_scores[i], fake_scores[i]) / N;
    expected_g += f->g(fake_scores[i]) / N;
  }
  assert_close(value_of(b.game, "s", "d"), expected_d, 1e-6);
  assert_close(value_of(b.game, "s", "g"), expected_g, 1e-6);
  check_gradients(&b, f);
  gan_loss_free(loss);
  bench_close(&b);
}

static void losses_are_their_formulas(void **state) {
  (void)state;
  for (int i = 0; i < FORMULAS; i++) check_formula(&formulas[i]);
}

/* ------------------------------------------------------------------ wgan-gp */

/* D(x) = |x|^2 / 2 has the gradient x: a norm that the test knows, where real and fake are the same. */
static gan_node *half_square(void *user, gan_layer_call *call, int32_t count, gan_node *const *in) {
  const int32_t axis = 1;
  (void)user, (void)call, (void)count;
  return gan_scale(gan_sum_axes(gan_square(in[0]), 1, &axis, 1), 0.5);
}

static double expected_penalty(const float *x, double weight, double target, int one_sided) {
  double sum = 0;
  for (int i = 0; i < N; i++) {
    double excess = sqrt(square(x[2 * i]) + square(x[2 * i + 1])) - target;
    if (one_sided && excess < 0) excess = 0;
    sum += excess * excess / N;
  }
  return weight * sum;
}

static const float points[2 * N] = {0.1f, 0.2f, -2, 1, 0.5f, 0.5f, 3, -4, 0.7f, 0.1f, 0, 0};

static double penalty_at_points(const char *text) {
  struct bench b = bench_open();
  must(b.ctx, gan_context_add_layer(b.ctx, "half-square", half_square, NULL, NULL));
  gan_network *d = make_network(b.ctx, "D", "input x 2; half-square");
  gan_loss *penalty = make_loss(b.ctx, text);
  gan_tensor *t = make_tensor(b.ctx, 2, (int64_t[]){N, 2}, points);
  gan_node *x = gan_constant_tensor(b.graph, t);
  gan_output(gan_loss_penalty(penalty, d, x, x, 0, NULL), "p");
  must(b.ctx, gan_game_step(b.game, "s"));
  double value = value_of(b.game, "s", "p");
  gan_tensor_free(t);
  gan_loss_free(penalty);
  gan_network_free(d);
  bench_close(&b);
  return value;
}

static void gradient_penalty_is_its_formula(void **state) {
  (void)state;
  assert_close(penalty_at_points("wgan-gp"), expected_penalty(points, 10, 1, 0), 1e-6);
  assert_close(penalty_at_points("wgan-gp weight=3 target=0.5"), expected_penalty(points, 3, 0.5, 0), 1e-6);
  assert_close(penalty_at_points("wgan-gp one-sided"), expected_penalty(points, 10, 1, 1), 1e-6);
}

/* With D(x) = w x the penalty is weight (|w| - 1)^2 wherever it is taken, and its gradient 2 weight (|w| - 1) w / |w|. */
static void gradient_penalty_reaches_the_weights(void **state) {
  (void)state;
  struct bench b = bench_open();
  gan_network *d = make_network(b.ctx, "D", "input x 2; dense units=1 name=last");
  const float w[2] = {0.6f, -1.7f};
  gan_tensor *weight = make_tensor(b.ctx, 1, (int64_t[]){2}, w);
  must(b.ctx, gan_network_set(d, "last/weight", weight));
  gan_loss *penalty = make_loss(b.ctx, "wgan-gp weight=2");
  gan_node *x = gan_input(b.graph, "real", GAN_F32, 2, (int64_t[]){N / 2, 2}), *y = gan_input(b.graph, "fake", GAN_F32, 2,
                                                                                              (int64_t[]){N / 2, 2});
  gan_node *p = gan_output(gan_loss_penalty(penalty, d, x, y, 0, NULL), "p");
  gan_output(gan_gradient(p, gan_variable_node(b.graph, d, "last/weight")), "dw");
  bind(&b, "real", real_scores);
  bind(&b, "fake", fake_scores);
  must(b.ctx, gan_game_step(b.game, "s"));
  float dw[2];
  read_output(&b, "dw", 2, dw);
  double norm = sqrt(square(w[0]) + square(w[1]));
  assert_close(value_of(b.game, "s", "p"), 2 * square(norm - 1), 1e-6);
  for (int i = 0; i < 2; i++) assert_close(dw[i], 4 * (norm - 1) * w[i] / norm, 1e-6);
  gan_tensor_free(weight);
  gan_loss_free(penalty);
  gan_network_free(d);
  bench_close(&b);
}

/* Hands out the points at which the penalty is taken. */
static gan_node *spy(void *user, gan_layer_call *call, int32_t count, gan_node *const *in) {
  int32_t *seen = user;
  (void)call, (void)count;
  if (gan_node_size(in[0], 0) == N / 2) gan_output(in[0], (*seen)++ ? "more" : "points");
  return gan_scale(in[0], 1.5);
}

static void gradient_penalty_mixes_each_sample_evenly(void **state) {
  (void)state;
  struct bench b = bench_open();
  int32_t seen = 0;
  float first[N], second[N], again[N];
  must(b.ctx, gan_context_add_layer(b.ctx, "spy", spy, &seen, NULL));
  gan_network *d = make_network(b.ctx, "D", "input x 2; spy");
  gan_loss *penalty = make_loss(b.ctx, "wgan-gp");
  gan_node *zeros = gan_broadcast(gan_constant(b.graph, 0), 2, (int64_t[]){N / 2, 2});
  gan_node *ones = gan_broadcast(gan_constant(b.graph, 1), 2, (int64_t[]){N / 2, 2});
  gan_output(gan_loss_penalty(penalty, d, ones, zeros, 0, NULL), "p");
  gan_output(gan_loss_penalty(penalty, d, ones, zeros, 0, NULL), "q");
  must(b.ctx, gan_game_step(b.game, "s"));
  assert_int_equal(seen, 2);
  read_output(&b, "points", N, first);
  read_output(&b, "more", N, again);
  must(b.ctx, gan_game_step(b.game, "s"));
  read_output(&b, "points", N, second);
  for (int i = 0; i < N / 2; i++) {
    assert_true(first[2 * i] >= 0 && first[2 * i] < 1);
    assert_true(first[2 * i] == first[2 * i + 1]);
    assert_true(first[2 * i] != second[2 * i]);
    assert_true(first[2 * i] != again[2 * i]);
    for (int j = 0; j < i; j++) assert_true(first[2 * i] != first[2 * j]);
  }
  gan_loss_free(penalty);
  gan_network_free(d);
  bench_close(&b);
}

/* ------------------------------------------------------------------ cross-entropies */

static void cross_entropies_are_their_formulas(void **state) {
  (void)state;
  struct bench b = bench_open();
  gan_node *x = gan_input(b.graph, "x", GAN_F32, 2, (int64_t[]){2, 3}), *labels = gan_input(b.graph, "y", GAN_I32, 1,
                                                                                            (int64_t[]){2});
  gan_output(gan_cross_entropy(x, labels), "ce");
  gan_output(gan_binary_cross_entropy(x, 0.25), "bce");
  bind(&b, "x", real_scores);
  gan_tensor *y = NULL;
  must(b.ctx, gan_tensor_create(b.ctx, GAN_I32, 1, (int64_t[]){2}, &y));
  int32_t *label = gan_tensor_data(y);
  label[0] = 2, label[1] = 3;
  assert_int_equal(gan_game_bind(b.game, "y", y), GAN_ERROR_ARGUMENT); /* one_hot knows of three classes */
  label[1] = 1;
  must(b.ctx, gan_game_bind(b.game, "y", y));
  must(b.ctx, gan_game_step(b.game, "s"));
  double ce = 0, bce = 0;
  for (int i = 0; i < 2; i++) {
    double sum = 0, most = real_scores[3 * i];
    for (int k = 1; k < 3; k++) most = fmax(most, real_scores[3 * i + k]);
    for (int k = 0; k < 3; k++) sum += exp(real_scores[3 * i + k] - most);
    ce += (most + log(sum) - real_scores[3 * i + label[i]]) / 2;
  }
  for (int i = 0; i < N; i++) bce += (softplus(real_scores[i]) - 0.25 * real_scores[i]) / N;
  assert_close(value_of(b.game, "s", "ce"), ce, 1e-6);
  assert_close(value_of(b.game, "s", "bce"), bce, 1e-6);
  gan_tensor_free(y);
  bench_close(&b);
}

/* ------------------------------------------------------------------ custom losses */

static gan_node *hinge(void *user, int32_t side, gan_node *real, gan_node *fake) {
  (void)user;
  if (side == 1) return gan_neg(gan_mean(fake));
  return gan_add(gan_mean(gan_relu(gan_shift(gan_neg(real), 1))), gan_mean(gan_relu(gan_shift(fake, 1))));
}

static gan_node *no_number(void *user, int32_t side, gan_node *real, gan_node *fake) {
  (void)user, (void)side, (void)real;
  return fake;
}

static gan_node *nothing(void *user, int32_t side, gan_node *real, gan_node *fake) {
  (void)user, (void)side, (void)real, (void)fake;
  return NULL;
}

static void count_release(void *user, void *memory, int64_t size) {
  assert_ptr_equal(user, memory);
  assert_int_equal(size, 0);
  ++*(int *)user;
}

static void custom_losses_are_found(void **state) {
  (void)state;
  struct bench b = bench_open();
  int released = 0;
  must(b.ctx, gan_context_add_loss(b.ctx, "my-hinge", hinge, &released, count_release));
  gan_loss *loss = make_loss(b.ctx, "my-hinge");
  gan_output(gan_loss_discriminator(loss, vector(&b, "real"), vector(&b, "fake")), "d");
  bind(&b, "real", real_scores);
  bind(&b, "fake", fake_scores);
  must(b.ctx, gan_game_step(b.game, "s"));
  double expected = 0;
  for (int i = 0; i < N; i++) expected += (fmax(0, 1 - (double)real_scores[i]) + fmax(0, 1 + (double)fake_scores[i])) / N;
  assert_close(value_of(b.game, "s", "d"), expected, 1e-6);
  assert_int_equal(gan_context_add_loss(b.ctx, "my-hinge", hinge, NULL, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_context_add_loss(b.ctx, "wasserstein", hinge, NULL, NULL), GAN_ERROR_ARGUMENT);
  assert_sentence(b.ctx, "'wasserstein' is a loss or penalty of the library");
  assert_int_equal(gan_loss_create(b.ctx, "my-hinge weight=2", &loss), GAN_ERROR_ARGUMENT);
  gan_loss_free(loss);
  bench_close(&b);
  assert_int_equal(released, 1);
}

/* Adds the mean of the squared scores of real samples to D's side. */
static gan_node *drift(void *user, int32_t side, const gan_scene *scene) {
  ++*(int *)user;
  return side == GAN_SIDE_D ? gan_mean(gan_square(scene->real_outputs[0])) : NULL;
}

static void custom_penalties_are_found(void **state) {
  (void)state;
  struct bench b = bench_open();
  int calls = 0;
  gan_node *real = vector(&b, "real"), *fake = vector(&b, "fake");
  gan_scene scene;
  gan_loss *refused = NULL;
  gan_scene_init(&scene, sizeof scene);
  scene.graph = b.graph;
  scene.real_outputs = &real;
  scene.fake_outputs = &fake;
  scene.n_outputs = 1;
  must(b.ctx, gan_context_add_penalty(b.ctx, "my-drift", drift, &calls, NULL));
  gan_loss *penalty = make_loss(b.ctx, "my-drift weight=0.5 every=4");
  gan_output(gan_loss_term(penalty, GAN_SIDE_D, &scene), "d");
  gan_output(gan_loss_term(penalty, GAN_SIDE_G, &scene), "g");
  bind(&b, "real", real_scores);
  bind(&b, "fake", fake_scores);
  must(b.ctx, gan_game_step(b.game, "s"));
  double expected = 0;
  for (int i = 0; i < N; i++) expected += 0.5 * square(real_scores[i]) / N;
  assert_close(value_of(b.game, "s", "d"), expected, 1e-6);
  assert_true(value_of(b.game, "s", "g") == 0);
  assert_int_equal(calls, 2);
  assert_int_equal(gan_context_add_loss(b.ctx, "my-drift", hinge, NULL, NULL), GAN_ERROR_ARGUMENT);
  assert_sentence(b.ctx, "there is a loss or penalty 'my-drift' already");
  assert_int_equal(gan_loss_create(b.ctx, "my-drift wight=2", &refused), GAN_ERROR_ARGUMENT);
  assert_sentence(b.ctx, "did you mean 'weight'?");
  gan_loss_free(penalty);
  bench_close(&b);
}

static void check_refused(gan_loss_function function, gan_status status, const char *part) {
  struct bench b = bench_open();
  must(b.ctx, gan_context_add_loss(b.ctx, "odd", function, NULL, NULL));
  gan_loss *loss = make_loss(b.ctx, "odd");
  gan_loss_generator(loss, NULL, vector(&b, "fake"));
  assert_int_equal(gan_graph_check(b.graph), status);
  assert_sentence(b.ctx, part);
  gan_loss_free(loss);
  bench_close(&b);
}

static void custom_losses_give_one_number(void **state) {
  (void)state;
  check_refused(no_number, GAN_ERROR_SHAPE, "loss 'odd' gave a node of shape 6x1, expected one number");
  check_refused(nothing, GAN_ERROR_CALLBACK, "loss 'odd' gave no node");
}

/* ------------------------------------------------------------------ mistakes */

static void unknown_names_are_told_what_there_is(void **state) {
  (void)state;
  gan_context *ctx = make_context(NULL, 1);
  gan_loss *loss = (gan_loss *)&loss;
  assert_int_equal(gan_loss_create(ctx, "non-saturatin", &loss), GAN_ERROR_ARGUMENT);
  assert_sentence(ctx, "did you mean 'non-saturating'?");
  assert_sentence(ctx, "minimax, non-saturating, boundary-seeking, ");
  assert_int_equal(gan_loss_create(ctx, "cosine", &loss), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_loss_create(ctx, "", &loss), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_loss_create(ctx, "non-saturating smooth=2", &loss), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_loss_create(ctx, "wgan-gp wight=2", &loss), GAN_ERROR_ARGUMENT);
  assert_sentence(ctx, "weight");
  assert_int_equal(gan_loss_create(ctx, NULL, &loss), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_loss_create(NULL, "minimax", &loss), GAN_ERROR_ARGUMENT);
  assert_ptr_equal(loss, &loss); /* untouched */
  gan_loss_free(NULL);
  gan_context_free(ctx);
}

static void expect_refusal(gan_context *ctx, gan_graph *graph, const gan_node *node, const char *part) {
  assert_int_equal(gan_node_type(node), -1);
  assert_int_not_equal(gan_graph_check(graph), GAN_OK);
  assert_sentence(ctx, part);
}

static void losses_and_penalties_are_told_apart(void **state) {
  (void)state;
  gan_context *ctx = make_context(NULL, 1);
  gan_network *d = make_discriminator(ctx);
  gan_loss *loss = make_loss(ctx, "minimax"), *penalty = make_loss(ctx, "wgan-gp");
  for (int i = 0; i < 5; i++) {
    gan_graph *g;
    must(ctx, gan_graph_create(ctx, &g));
    gan_node *a = gan_input(g, "a", GAN_F32, 2, (int64_t[]){N, 2}), *c = gan_input(g, "c", GAN_F32, 2, (int64_t[]){N, 3});
    switch (i) {
      case 0: expect_refusal(ctx, g, gan_loss_discriminator(penalty, a, a), "'wgan-gp' is a penalty"); break;
      case 1: expect_refusal(ctx, g, gan_loss_penalty(loss, d, a, a, 0, NULL), "'minimax' is a loss"); break;
      case 2: expect_refusal(ctx, g, gan_loss_penalty(penalty, d, a, c, 0, NULL), "real is 6x2 and fake 6x3"); break;
      case 3: expect_refusal(ctx, g, gan_loss_penalty(penalty, NULL, a, a, 0, NULL), "are missing"); break;
      default: expect_refusal(ctx, g, gan_loss_discriminator(loss, NULL, a), "are missing"); break;
    }
    gan_graph_free(g);
  }
  assert_non_null(gan_loss_generator(NULL, NULL, NULL));
  assert_non_null(gan_cross_entropy(NULL, NULL));
  assert_non_null(gan_binary_cross_entropy(NULL, 0));
  gan_loss_free(loss);
  gan_loss_free(penalty);
  gan_network_free(d);
  gan_context_free(ctx);
}

static void names_have_help(void **state) {
  (void)state;
  char text[8000];
  for (int32_t kind = GAN_LIST_LAYERS; kind <= GAN_LIST_DEVICES; kind++) {
    assert_true(gan_list_count(kind) > 0);
    assert_null(gan_list_name(kind, gan_list_count(kind)));
    assert_null(gan_list_name(kind, -1));
    for (int32_t i = 0; i < gan_list_count(kind); i++) {
      const char *name = gan_list_name(kind, i);
      int64_t needed = 0;
      assert_int_equal(gan_list_help(kind, name, text, sizeof text, &needed), GAN_OK);
      assert_int_equal(needed, strlen(text) + 1);
      assert_memory_equal(text, name, strlen(name));
    }
  }
  assert_int_equal(gan_list_count(-1), 0);
  assert_int_equal(gan_list_count(99), 0);
  assert_int_equal(gan_list_help(GAN_LIST_LOSSES, "none", text, sizeof text, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_list_help(GAN_LIST_LOSSES, "minimax", NULL, 0, NULL), GAN_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(losses_are_their_formulas),
    cmocka_unit_test(gradient_penalty_is_its_formula),
    cmocka_unit_test(gradient_penalty_reaches_the_weights),
    cmocka_unit_test(gradient_penalty_mixes_each_sample_evenly),
    cmocka_unit_test(cross_entropies_are_their_formulas),
    cmocka_unit_test(custom_losses_are_found),
    cmocka_unit_test(custom_penalties_are_found),
    cmocka_unit_test(custom_losses_give_one_number),
    cmocka_unit_test(unknown_names_are_told_what_there_is),
    cmocka_unit_test(losses_and_penalties_are_told_apart),
    cmocka_unit_test(names_have_help),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
