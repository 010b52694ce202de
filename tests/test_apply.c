/* Ways of using a network: applied for evaluation, applied with its parameters frozen, run on tensors; leaves that take a game's
 * batch or another node's shape, sums of losses, and layers of the caller's that draw. */
#include "games.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/graph.h"
#include "nn/network.h"

enum { ROWS = 5 };

/* Everything that training and evaluation differ in, and weights of all kinds. */
static const char mixed[] = "input x 2; dense units=6 spectral-norm=yes; batch-norm; dropout rate=0.5; dense units=6 weight-norm=yes; tanh;"
                            "reshape shape=1x1x6; residual-block filters=3 norm=batch-norm; flatten; dense units=3 name=last; output y last";

static gan_tensor *points(gan_context *ctx, int64_t rows, int64_t seed) {
  gan_tensor *t = make_tensor(ctx, 2, (int64_t[]){rows, 2}, NULL);
  must(ctx, gan_tensor_random(t, "normal", seed));
  return t;
}

static gan_node *constant(gan_graph *g, int64_t seed) {
  gan_tensor *t = points(g->ctx, ROWS, seed);
  gan_node *x = gan_constant_tensor(g, t);
  gan_tensor_free(t);
  return x;
}

/* ------------------------------------------------------------------------------------------------------------- evaluation */

/* What a step says a node is; the game has that one step. */
static void value_in(gan_context *ctx, gan_game *game, const char *output, int64_t count, float *values) {
  gan_tensor *t = make_tensor(ctx, 1, &count, NULL);
  must(ctx, gan_game_read(game, "s", output, t));
  memcpy(values, gan_tensor_data(t), (size_t)count * sizeof *values);
  gan_tensor_free(t);
}

static void test_evaluate(void **state) {
  (void)state;
  struct table t = table_open();
  gan_network *n = make_network(t.ctx, "E", mixed);
  gan_network *two = make_network(t.ctx, "T", "input a 3; input b 2; concat from=a,b; dropout rate=0.9");
  gan_node *x = constant(t.graph, 1), *y;
  float evaluated[ROWS * 3], applied[ROWS * 3], trained[ROWS * 3], joined[ROWS * 5];
  gan_network_apply(n, GAN_EVALUATION, 1, &x, 1, &y);
  gan_output(gan_evaluate2(two, gan_output(gan_evaluate(n, x), "evaluated"), x), "joined");
  gan_output(y, "applied");
  gan_output(gan_apply(n, x), "trained");
  must(t.ctx, gan_game_step(t.game, "s"));
  value_in(t.ctx, t.game, "evaluated", ROWS * 3, evaluated);
  value_in(t.ctx, t.game, "applied", ROWS * 3, applied);
  value_in(t.ctx, t.game, "trained", ROWS * 3, trained);
  value_in(t.ctx, t.game, "joined", ROWS * 5, joined);
  assert_memory_equal(evaluated, applied, sizeof applied);
  assert_true(memcmp(evaluated, trained, sizeof trained) != 0);
  assert_memory_equal(joined, evaluated, 3 * sizeof *joined); /* dropout leaves them alone */
  gan_network_free(n);
  gan_network_free(two);
  table_close(&t);
}

/* ----------------------------------------------------------------------------------------------------------------- frozen */

/* G's output through E, frozen or not, and an optimizer that has `on`: what a step makes of all weights. */
static void push(int frozen, int with_e, float **of_g, float **of_e, int64_t *n_g, int64_t *n_e) {
  struct table t = table_open();
  gan_network *g = make_network(t.ctx, "G", "input x 2; dense units=4; tanh; dense units=2");
  gan_network *e = make_network(t.ctx, "E", mixed);
  gan_optimizer *o = make_optimizer(t.ctx, "o", "sgd rate=0.1", g, NULL);
  if (with_e) must(t.ctx, gan_optimizer_add(o, e, NULL, 1, 1));
  gan_node *made = gan_apply(g, constant(t.graph, 2));
  gan_minimize(o, gan_mean(gan_square(frozen ? gan_apply_frozen(e, made) : gan_apply(e, made))));
  must(t.ctx, gan_game_step(t.game, "s"));
  *of_g = copy_weights(g, n_g);
  *of_e = copy_weights(e, n_e);
  gan_optimizer_free(o);
  gan_network_free(g);
  gan_network_free(e);
  table_close(&t);
}

static int64_t parameters_that_differ(const float *a, const float *b, int64_t from, int64_t to) {
  int64_t count = 0;
  for (int64_t i = from; i < to; i++) count += memcmp(&a[i], &b[i], sizeof *a) != 0;
  return count;
}

/* Parameters stand before state in a network's list. */
static int64_t parameters_of(const char *lines) {
  gan_context *ctx = make_context(NULL, 1);
  gan_network *n = make_network(ctx, "E", lines);
  int64_t count = gan_network_parameters(n);
  gan_network_free(n);
  gan_context_free(ctx);
  return count;
}

/* A frozen network shapes what comes in as ever, and stays as it is, though the optimizer has its parameters. */
static void test_frozen(void **state) {
  (void)state;
  float *g[3], *e[3], *fresh;
  int64_t n_g, n_e, parameters = parameters_of(mixed);
  push(0, 0, &g[0], &e[0], &n_g, &n_e);
  push(1, 1, &g[1], &e[1], &n_g, &n_e);
  push(0, 1, &g[2], &e[2], &n_g, &n_e);
  gan_context *ctx = make_context(NULL, 1);
  gan_network *n = make_network(ctx, "E", mixed);
  fresh = copy_weights(n, NULL);
  assert_memory_equal(g[0], g[1], (size_t)n_g * sizeof *fresh);
  assert_int_equal(parameters_that_differ(e[1], fresh, 0, parameters), 0);
  assert_true(parameters_that_differ(e[2], fresh, 0, parameters) > parameters / 4);
  assert_memory_equal(e[1] + parameters, e[2] + parameters, (size_t)(n_e - parameters) * sizeof *fresh); /* state moves the same */
  assert_true(parameters_that_differ(e[1], fresh, parameters, n_e) > 0);
  for (int i = 0; i < 3; i++) free(g[i]), free(e[i]);
  free(fresh);
  gan_network_free(n);
  gan_context_free(ctx);
}

/* A second application in the same graph is free again. */
static void test_frozen_once(void **state) {
  (void)state;
  struct table t = table_open();
  gan_network *n = make_network(t.ctx, "N", "input x 2; dense units=1 bias=no");
  gan_node *x = constant(t.graph, 3), *w = gan_variable_node(t.graph, n, "dense1/weight"), *both[2];
  gan_node *frozen = gan_apply_frozen(n, x), *free_one = gan_apply(n, x);
  gan_network_apply(n, GAN_EVALUATION | GAN_FROZEN, 1, &x, 1, &both[0]);
  both[1] = gan_evaluate(n, x);
  gan_output(gan_sum(gan_abs(gan_gradient(frozen, w))), "frozen");
  gan_output(gan_sum(gan_abs(gan_gradient(free_one, w))), "free");
  gan_output(gan_sum(gan_abs(gan_gradient(both[0], w))), "frozen evaluation");
  gan_output(gan_sum(gan_abs(gan_gradient(both[1], w))), "free evaluation");
  gan_output(gan_sum(gan_abs(gan_gradient(gan_perceptual(n, x, constant(t.graph, 7)), w))), "eyes");
  gan_output(gan_sum(gan_abs(gan_gradient(frozen, x))), "to the input");
  gan_output(gan_sum(gan_abs(gan_sub(frozen, free_one))), "off");
  must(t.ctx, gan_game_step(t.game, "s"));
  assert_true(value_of(t.game, "s", "frozen") == 0 && value_of(t.game, "s", "frozen evaluation") == 0);
  assert_true(value_of(t.game, "s", "eyes") == 0);
  assert_true(value_of(t.game, "s", "free") > 0 && value_of(t.game, "s", "free evaluation") > 0);
  assert_true(value_of(t.game, "s", "to the input") > 0);
  assert_true(value_of(t.game, "s", "off") == 0);
  gan_network_free(n);
  table_close(&t);
}

/* A layer of the caller's that applies another one, free as far as it knows, and then takes a parameter. */
static gan_node *outer_layer(void *user, gan_layer_call *call, int32_t count, gan_node *const *in) {
  gan_node *inner = gan_layer_apply(user, gan_layer_training(call), count, in);
  return gan_mul(inner, gan_layer_parameter(call, "w", 1, (int64_t[]){2}, "normal std=1"));
}

static void test_frozen_layers(void **state) {
  (void)state;
  struct table t = table_open();
  gan_layer *inner, *outer;
  must(t.ctx, gan_layer_create(t.ctx, "counting", &inner));
  must(t.ctx, gan_context_add_layer(t.ctx, "outer", outer_layer, inner, NULL));
  must(t.ctx, gan_layer_create(t.ctx, "outer", &outer));
  gan_node *x = constant(t.graph, 4), *y[2] = {gan_layer_apply(outer, GAN_TRAINING | GAN_FROZEN, 1, &x),
                                               gan_layer_apply(outer, GAN_TRAINING, 1, &x)};
  for (int i = 0; i < 2; i++) {
    gan_node *w[2], *d[2];
    for (int64_t k = 0, found = 0; k < t.graph->n_nodes && found < 2; k++)
      if (t.graph->nodes[k]->attr.variable && t.graph->nodes[k]->count == 2) w[found++] = t.graph->nodes[k];
    gan_gradients(1, &y[i], NULL, 2, w, d);
    for (int k = 0; k < 2; k++) gan_output(gan_sum(gan_abs(d[k])), ((const char *[]){"a", "b", "c", "d"})[2 * i + k]);
  }
  must(t.ctx, gan_game_step(t.game, "s"));
  assert_true(value_of(t.game, "s", "a") == 0 && value_of(t.game, "s", "b") == 0);
  assert_true(value_of(t.game, "s", "c") > 0 && value_of(t.game, "s", "d") > 0);
  gan_layer_free(inner);
  gan_layer_free(outer);
  table_close(&t);
}

/* --------------------------------------------------------------------------------------------------------------- on tensors */

static gan_tensor *label_tensor(gan_context *ctx, int64_t count, const int32_t *labels) {
  gan_tensor *t;
  must(ctx, gan_tensor_create(ctx, GAN_I32, 1, &count, &t));
  must(ctx, gan_tensor_write(t, 0, count, GAN_I32, labels));
  return t;
}

/* The same numbers as a sampler's, which draws each sample by itself. */
static void test_run(void **state) {
  (void)state;
  gan_context *ctx = make_context(NULL, 1);
  gan_network *n = make_network(ctx, "E", mixed);
  gan_tensor *x = points(ctx, ROWS, 5), *y;
  gan_sampler *sampler;
  float sampled[ROWS * 3];
  must(ctx, gan_network_run(n, 1, &x, 1, &y));
  must(ctx, gan_sampler_create(n, NULL, &sampler));
  must(ctx, gan_sampler_bind(sampler, "x", ROWS, gan_tensor_data(x)));
  must(ctx, gan_sampler_draw(sampler, 0, ROWS, sampled));
  assert_int_equal(gan_tensor_type(y), GAN_F32);
  assert_int_equal(gan_tensor_rank(y), 2);
  assert_int_equal(gan_tensor_size(y, 0), ROWS);
  assert_int_equal(gan_tensor_size(y, 1), 3);
  for (int i = 0; i < ROWS * 3; i++) assert_true(fabsf(((float *)gan_tensor_data(y))[i] - sampled[i]) < 1e-5f);
  gan_sampler_free(sampler);
  gan_tensor_free(x);
  gan_tensor_free(y);
  gan_network_free(n);
  gan_context_free(ctx);
}

/* Inputs of several types; outputs that are inputs, one node twice, fewer than there are. */
static void test_run_ports(void **state) {
  (void)state;
  gan_context *ctx = make_context(NULL, 1);
  gan_network *n = make_network(ctx, "P", "input x 2; input kind classes=3; one-hot classes=3 from=kind; concat from=x,one-hot1 name=all;"
                                "output first all; output again all; output kind kind; output x x");
  gan_tensor *in[2], *out[4];
  must(ctx, gan_tensor_create(ctx, GAN_F64, 2, (int64_t[]){2, 2}, &in[0]));
  must(ctx, gan_tensor_write(in[0], 0, 4, GAN_F64, (double[]){0.5, -1, 2, 3}));
  in[1] = label_tensor(ctx, 2, (int32_t[]){2, 0});
  must(ctx, gan_network_run(n, 2, in, 4, out));
  const float all[] = {0.5f, -1, 0, 0, 1, 2, 3, 1, 0, 0};
  assert_memory_equal(gan_tensor_data(out[0]), all, sizeof all);
  assert_memory_equal(gan_tensor_data(out[1]), all, sizeof all);
  assert_int_equal(gan_tensor_type(out[2]), GAN_I32);
  assert_memory_equal(gan_tensor_data(out[2]), ((int32_t[]){2, 0}), 8);
  assert_memory_equal(gan_tensor_data(out[3]), ((float[]){0.5f, -1, 2, 3}), 16);
  for (int i = 0; i < 4; i++) gan_tensor_free(out[i]);

  gan_tensor_free(in[0]);
  must(ctx, gan_tensor_create(ctx, GAN_U8, 2, (int64_t[]){2, 2}, &in[0]));
  must(ctx, gan_tensor_fill(in[0], 255));
  must(ctx, gan_network_run(n, 2, in, 1, out));
  assert_true(((float *)gan_tensor_data(out[0]))[0] == 255);
  gan_tensor_free(out[0]);

  gan_tensor_free(in[1]);
  out[0] = NULL;
  in[1] = label_tensor(ctx, 2, (int32_t[]){1, 3});
  assert_int_equal(gan_network_run(n, 2, in, 1, out), GAN_ERROR_ARGUMENT);
  assert_sentence(ctx, "input 'kind' of P: label 1 is 3, expected 0 .. 2");
  gan_tensor_free(in[1]);
  in[1] = label_tensor(ctx, 3, (int32_t[]){0, 1, 2});
  assert_int_equal(gan_network_run(n, 2, in, 1, out), GAN_ERROR_SHAPE);
  assert_sentence(ctx, "another batch than the first input's");
  assert_null(out[0]);
  gan_tensor_free(in[0]);
  gan_tensor_free(in[1]);
  gan_network_free(n);
  gan_context_free(ctx);
}

/* Layers that look at the batch in evaluation, too, which samplers refuse; and the bits for any number of threads. */
static void test_run_threads(void **state) {
  (void)state;
  float first[40 * 4];
  for (int32_t threads = 1; threads <= 3; threads++) {
    gan_context *ctx = make_context(NULL, threads);
    gan_network *n = make_network(ctx, "M", "input x 2; dense units=300; relu; minibatch-stddev; dense units=4");
    gan_tensor *x = points(ctx, 40, 6), *y;
    must(ctx, gan_network_run(n, 1, &x, 1, &y));
    if (threads == 1) memcpy(first, gan_tensor_data(y), sizeof first);
    assert_memory_equal(first, gan_tensor_data(y), sizeof first);
    gan_tensor_free(x);
    gan_tensor_free(y);
    gan_network_free(n);
    gan_context_free(ctx);
  }
}

/* ------------------------------------------------------------------------------------------------------ leaves, sums, samples */

static void test_leaves(void **state) {
  (void)state;
  struct table t = table_open(); /* a batch of 64 */
  gan_node *color = gan_random(t.graph, "color", "uniform", 2, (int64_t[]){-1, 3}), *like = gan_random_like(color, "like", "normal");
  gan_node *kind = gan_random(t.graph, "kind", "integers low=0 high=3", 1, &(int64_t){-1});
  gan_node *other = gan_random_like(kind, "other", "integers low=3 high=6"), *x = gan_input(t.graph, "x", GAN_F32, 2, (int64_t[]){-1, 3});
  gan_node *number = gan_random_like(gan_constant(t.graph, 0), "number", "uniform low=1 high=2");
  assert_int_equal(gan_node_size(color, 0), 64);
  assert_int_equal(gan_node_size(like, 0), 64);
  assert_int_equal(gan_node_size(like, 1), 3);
  assert_int_equal(gan_node_type(other), GAN_I32);
  assert_int_equal(gan_node_rank(number), 0);
  gan_output(gan_mean(gan_sub(gan_to_float(other), gan_to_float(kind))), "apart");
  gan_output(gan_mean(gan_abs(gan_sub(color, x))), "off x");
  gan_output(gan_mean(gan_abs(gan_sub(color, like))), "off like");
  gan_output(number, "number");
  gan_tensor *zeros = make_tensor(t.ctx, 2, (int64_t[]){64, 3}, NULL);
  must(t.ctx, gan_game_bind(t.game, "x", zeros));
  must(t.ctx, gan_game_step(t.game, "s"));
  assert_true(value_of(t.game, "s", "apart") > 2 && value_of(t.game, "s", "apart") < 4);
  assert_true(value_of(t.game, "s", "off x") > 0.3 && value_of(t.game, "s", "off like") > 0.3);
  assert_true(value_of(t.game, "s", "number") >= 1 && value_of(t.game, "s", "number") < 2);
  gan_tensor_free(zeros);
  table_close(&t);

  t = table_open();
  x = gan_input(t.graph, "x", GAN_F32, 2, (int64_t[]){-1, 3});
  color = gan_random(t.graph, "color", "uniform", 2, (int64_t[]){64, 3});
  like = gan_random_like(x, "color", "uniform"); /* the same stream and shape: the same numbers */
  gan_output(gan_sum(gan_abs(gan_sub(color, like))), "same");
  gan_output(gan_mean(x), "mean");
  gan_tensor *ones = make_tensor(t.ctx, 2, (int64_t[]){64, 3}, NULL);
  must(t.ctx, gan_tensor_fill(ones, 1));
  must(t.ctx, gan_game_bind(t.game, "x", ones));
  must(t.ctx, gan_game_step(t.game, "s"));
  assert_true(value_of(t.game, "s", "same") == 0);
  assert_true(value_of(t.game, "s", "mean") == 1);
  gan_tensor_free(ones);
  table_close(&t);

  gan_context *ctx = make_context(NULL, 1);
  gan_graph *alone;
  must(ctx, gan_graph_create(ctx, &alone));
  gan_random(alone, "color", "uniform", 2, (int64_t[]){-1, 3});
  assert_int_equal(gan_graph_check(alone), GAN_ERROR_STATE);
  assert_sentence(ctx, "random 'color': a first size of -1 is the batch of a game");
  gan_graph_free(alone);
  gan_context_free(ctx);
}

static void test_sums(void **state) {
  (void)state;
  struct table t = table_open();
  gan_node *a = gan_constant(t.graph, 3), *b = gan_scalar(t.graph, "b", 5), *half = gan_scalar(t.graph, "half", log(0.25));
  assert_ptr_equal(gan_total(1, (gan_term[]){{1, b}}), b);
  gan_output(gan_total(1, (gan_term[]){{2, b}}), "one");
  gan_output(gan_total(3, (gan_term[]){{1, a}, {10, b}, {-0.5, a}}), "three");
  gan_output(gan_gaussian_sample(b, half, gan_scalar(t.graph, "noise", 4)), "sample"); /* 5 + sqrt(0.25) 4 */
  must(t.ctx, gan_game_step(t.game, "s"));
  assert_true(value_of(t.game, "s", "one") == 10);
  assert_true(value_of(t.game, "s", "three") == 51.5);
  assert_true(fabs(value_of(t.game, "s", "sample") - 7) < 1e-5);
  table_close(&t);
}

/* ------------------------------------------------------------------------------------------------------------ StyleGAN's parts */

/* x + strength noise, one number a pixel (Karras et al. 2019, section 2). */
static gan_node *noise_layer(void *user, gan_layer_call *call, int32_t count, gan_node *const *in) {
  (void)user, (void)count;
  gan_node *x = in[0];
  gan_node *strength = gan_layer_parameter(call, "strength", 0, NULL, "ones");
  if (!gan_layer_training(call)) return x;
  const int64_t shape[] = {gan_node_size(x, 0), gan_node_size(x, 1), gan_node_size(x, 2), 1};
  return gan_add(x, gan_mul(strength, gan_layer_random(call, "noise", "normal", 4, shape)));
}

/* A convolution whose weights a style scales, each sample's by its own, and whose outputs are of variance 1 again (Karras et al. 2020,
 * section 2.2): the style goes onto the input, the norm of the weights off the output. */
static gan_node *modulated_layer(void *user, gan_layer_call *call, int32_t count, gan_node *const *in) {
  (void)user, (void)count;
  gan_node *x = in[0], *style = in[1];
  int64_t n = gan_node_size(x, 0), c = gan_node_size(x, 3), outputs = (int64_t)gan_layer_option(call, "filters", c);
  gan_node *w = gan_layer_parameter(call, "weight", 4, (const int64_t[]){outputs, 3, 3, c}, "normal std=1");
  gan_node *scaled = gan_mul(x, gan_reshape(style, 4, (const int64_t[]){n, 1, 1, c}));
  gan_node *squares = gan_sum_axes(gan_square(w), 2, (const int32_t[]){1, 2}, 0);
  gan_node *norm = gan_rsqrt(gan_shift(gan_matmul(gan_square(style), squares, 0, 1), 1e-8));
  return gan_mul(gan_conv2d(scaled, w, "padding=1"), gan_reshape(norm, 4, (const int64_t[]){n, 1, 1, outputs}));
}

/* Every layer and application draws for itself, the same in the gradient as forward; in evaluation nothing is drawn. */
static void test_noise_layers(void **state) {
  (void)state;
  struct table t = table_open();
  must(t.ctx, gan_context_add_layer(t.ctx, "noise", noise_layer, NULL, NULL));
  gan_network *n = make_network(t.ctx, "S", "input x 3x3x2; noise name=one; output one one; noise name=two from=x; output two two");
  const int64_t shape[] = {4, 3, 3, 2};
  gan_tensor *zeros = make_tensor(t.ctx, 4, shape, NULL);
  gan_node *x = gan_constant_tensor(t.graph, zeros), *first[2], *again[2], *still[2];
  gan_network_apply(n, GAN_TRAINING, 1, &x, 2, first);
  gan_network_apply(n, GAN_TRAINING, 1, &x, 2, again);
  gan_network_apply(n, GAN_EVALUATION, 1, &x, 2, still);
  gan_node *strength = gan_variable_node(t.graph, n, "one/strength");
  gan_output(gan_mean(gan_square(first[0])), "drawn");
  gan_output(gan_mean(gan_square(gan_sub(first[0], first[1]))), "two layers");
  gan_output(gan_mean(gan_square(gan_sub(first[0], again[0]))), "two applications");
  gan_output(gan_sum(gan_square(still[0])), "evaluation");
  gan_output(gan_sub(gan_gradient(gan_sum(first[0]), strength), gan_sum(first[0])), "off"); /* both are the sum of the noise */
  assert_ptr_equal(gan_node_graph(first[0]), t.graph);
  must(t.ctx, gan_game_step(t.game, "s"));
  assert_true(value_of(t.game, "s", "drawn") > 0.3);
  assert_true(value_of(t.game, "s", "two layers") > 0.3 && value_of(t.game, "s", "two applications") > 0.3);
  assert_true(value_of(t.game, "s", "evaluation") == 0);
  assert_true(fabs(value_of(t.game, "s", "off")) < 1e-4);
  gan_tensor_free(zeros);
  gan_network_free(n);
  table_close(&t);
}

/* Beside convolutions by each sample's own weights. */
static void test_modulated(void **state) {
  (void)state;
  struct table t = table_open();
  must(t.ctx, gan_context_add_layer(t.ctx, "modulated", modulated_layer, NULL, NULL));
  gan_network *n = make_network(t.ctx, "S", "input x 4x4x3; input style 3; modulated filters=2 from=x,style name=m");
  gan_node *x = gan_random(t.graph, "x", "normal", 4, (int64_t[]){2, 4, 4, 3});
  gan_node *style = gan_random(t.graph, "style", "uniform low=0.5 high=2", 2, (int64_t[]){2, 3});
  gan_node *y = gan_apply2(n, x, style), *w = gan_variable_node(t.graph, n, "m/weight"), *rows[2];
  for (int i = 0; i < 2; i++) {
    gan_node *mine = gan_mul(w, gan_slice(style, 0, i, i + 1)); /* (2,3,3,3) */
    gan_node *norm = gan_rsqrt(gan_shift(gan_sum_axes(gan_square(mine), 3, (const int32_t[]){1, 2, 3}, 1), 1e-8));
    rows[i] = gan_conv2d(gan_slice(x, 0, i, i + 1), gan_mul(mine, norm), "padding=1");
  }
  gan_node *plain = gan_concat(2, rows, 0);
  gan_output(gan_mean(gan_abs(gan_sub(y, plain))), "off");
  gan_output(gan_mean(gan_abs(y)), "size");
  gan_node *d = gan_gradient(gan_sum(gan_square(y)), style), *plain_d = gan_gradient(gan_sum(gan_square(plain)), style);
  gan_output(gan_div(gan_sum(gan_abs(gan_sub(d, plain_d))), gan_sum(gan_abs(plain_d))), "gradient off");
  must(t.ctx, gan_game_step(t.game, "s"));
  assert_true(value_of(t.game, "s", "size") > 0.1);
  assert_true(value_of(t.game, "s", "off") < 1e-5);
  assert_true(value_of(t.game, "s", "gradient off") < 1e-3);
  gan_network_free(n);
  table_close(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_evaluate), cmocka_unit_test(test_frozen), cmocka_unit_test(test_frozen_once),
    cmocka_unit_test(test_frozen_layers), cmocka_unit_test(test_run), cmocka_unit_test(test_run_ports),
    cmocka_unit_test(test_run_threads), cmocka_unit_test(test_leaves), cmocka_unit_test(test_sums),
    cmocka_unit_test(test_noise_layers), cmocka_unit_test(test_modulated),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
