/* Layers made of layers: what they compute written out, their paths, initial values, sharing, state and refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bed.h"
#include "games.h"
#include "nn/network.h"

/* ------------------------------------------------------------------ written out */

/* A variable of the block has the path of the layer written out, behind the block's name. */
static void copy_values(gan_network *from, gan_network *to) {
  assert_int_equal(from->n_variables, to->n_variables);
  for (int64_t i = 0; i < from->n_variables; i++) {
    struct variable *v = from->variables[i].variable, *w = network_variable(to, from->variables[i].path + strlen("block/"));
    if (!w) fail_msg("%s has no counterpart", from->variables[i].path);
    assert_int_equal(v->count, w->count);
    for (int64_t j = 0; j < v->count; j++) w->data[j] = v->data[j] += 0.01f * (float)(j % 7);
  }
}

static float *draws(gan_network *n, int64_t *count) {
  static float out[2][4096];
  static int32_t turn;
  gan_sampler *s;
  must(n->ctx, gan_sampler_create(n, NULL, &s));
  *count = 3 * gan_sampler_sample_size(s);
  assert_in_range(*count, 3, 4096);
  turn = !turn;
  must(n->ctx, gan_sampler_draw(s, 5, 3, out[turn]));
  gan_sampler_free(s);
  return out[turn];
}

static void same_draws(gan_network *a, gan_network *b) {
  int64_t count, other;
  const float *x = draws(a, &count), *y = draws(b, &other);
  assert_int_equal(count, other);
  for (int64_t i = 0; i < count; i++) {
    double came = (double)x[i], expected = (double)y[i];
    if (!(fabs(came - expected) <= 1e-5 * fmax(1, fabs(expected)))) fail_msg("[%d] %g, %g", (int)i, came, expected);
  }
}

/* In the order of the sources: pooling behind the shortcut's convolution, repetition before it. */
static void test_written_out(void **state) {
  static const struct { const char *input, *block, *lines; } cases[] = {
    {"input x 4x4x3 noise=normal", "residual-block",
     "relu name=a; conv2d filters=3 kernel=3 padding=1 name=conv1; relu; conv2d filters=3 kernel=3 padding=1 name=conv2; add "
     "from=conv2,x"},
    {"input x 4x4x3 noise=normal", "residual-block filters=5 resample=up norm=batch-norm",
     "batch-norm name=norm1; relu; upsample; conv2d filters=5 kernel=3 padding=1 name=conv1; batch-norm name=norm2; relu;"
     "conv2d filters=5 kernel=3 padding=1 name=conv2; upsample from=x; conv2d filters=5 kernel=1 name=shortcut; add "
     "from=conv2,shortcut"},
    {"input x 4x6x3 noise=normal", "residual-block filters=5 resample=down spectral-norm=yes activation=(leaky-relu slope=0.2)",
     "leaky-relu slope=0.2; conv2d filters=3 kernel=3 padding=1 name=conv1 spectral-norm=yes; leaky-relu slope=0.2;"
     "conv2d filters=5 kernel=3 padding=1 name=conv2 spectral-norm=yes; average-pool kernel=2 name=p;"
     "conv2d filters=5 kernel=1 name=shortcut from=x spectral-norm=yes; average-pool kernel=2 name=q; add from=q,p"},
    {"input x 4x4x3 noise=normal", "residual-block filters=5 resample=down first=yes",
     "conv2d filters=5 kernel=3 padding=1 name=conv1; relu; conv2d filters=5 kernel=3 padding=1 name=conv2; average-pool "
     "kernel=2 name=p; average-pool kernel=2 from=x; conv2d filters=5 kernel=1 name=shortcut; add from=shortcut,p"},
    {"input x 8x3 noise=normal", "residual-block filters=3 hidden=7 kernel=5",
     "relu; conv1d filters=7 kernel=5 padding=2 name=conv1; relu; conv1d filters=3 kernel=5 padding=2 name=conv2; add "
     "from=conv2,x"},
    {"input x 4x4x3 noise=normal", "dense-block layers=2 growth=4 bottleneck=2",
     "batch-norm name=norm1; relu; conv2d filters=8 kernel=1 name=narrow1; batch-norm name=norm2; relu;"
     "conv2d filters=4 kernel=3 padding=1 name=conv1; concat from=x,conv1 name=j; batch-norm name=norm3; relu;"
     "conv2d filters=8 kernel=1 name=narrow2; batch-norm name=norm4; relu; conv2d filters=4 kernel=3 padding=1 name=conv2;"
     "concat from=j,conv2"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char lines[1024];
    snprintf(lines, sizeof lines, "%s; %s name=block", cases[i].input, cases[i].block);
    gan_network *a = make_network(*state, "A", lines);
    snprintf(lines, sizeof lines, "%s; %s", cases[i].input, cases[i].lines);
    gan_network *b = make_network(*state, "A", lines);
    copy_values(a, b);
    same_draws(a, b);
    gan_network_free(a);
    gan_network_free(b);
  }
}

/* ------------------------------------------------------------------ names */

static void test_paths(void **state) {
  static const char *const paths[] = {
    "residual-block1/conv1/weight", "residual-block1/conv1/bias", "residual-block1/conv2/weight", "residual-block1/conv2/bias",
    "residual-block1/shortcut/weight", "residual-block1/shortcut/bias", "residual-block1/conv1/weight_v",
  };
  gan_network *n = make_network(*state, "N", "input x 4x4x2; residual-block filters=3 spectral-norm=yes");
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
    if (!network_variable(n, paths[i])) fail_msg("there is no %s", paths[i]);
  assert_string_equal(network_variable(n, paths[0])->name, "N/residual-block1/conv1/weight");
  assert_int_equal(gan_network_parameters(n), 3 * 2 * 9 + 3 + 3 * 3 * 9 + 3 + 3 * 2 + 3);
  assert_int_equal(n->layers[0].flops, 2 * 16 * (3 * 2 * 9 + 3 * 3 * 9 + 3 * 2));
  gan_network_free(n);
}

/* Blocks differ in their initial values, also where names are long and differ at their ends. */
static void test_initial_values_differ(void **state) {
#define LONG "a-name-of-sixty-letters-which-two-blocks-share-up-to-its-end"
  gan_network *n = make_network(*state, LONG "xyz",
                                "input x 4x4x2; residual-block; residual-block;"
                                "residual-block name=" LONG "1; residual-block name=" LONG "2");
  static const char *const names[] = {"residual-block1", "residual-block2", LONG "1", LONG "2"};
  for (int32_t i = 0; i < 4; i++)
    for (int32_t j = 0; j < i; j++) {
      char a[200], b[200];
      snprintf(a, sizeof a, "%s/conv1/weight", names[i]);
      snprintf(b, sizeof b, "%s/conv1/weight", names[j]);
      assert_memory_not_equal(network_variable(n, a)->data, network_variable(n, b)->data, 8 * sizeof(float));
    }
  gan_network_free(n);
}

/* ------------------------------------------------------------------ sharing, state */

static void test_shared_block(void **state) {
  gan_context *ctx = *state;
  gan_layer *block;
  gan_network *n, *copy;
  must(ctx, gan_layer_create(ctx, "residual-block norm=batch-norm", &block));
  must(ctx, gan_network_create(ctx, "N", &n));
  gan_network_input(n, "x", "4x4x2 noise=normal");
  gan_network_add_layer(n, block, "name=first");
  gan_network_add_layer(n, block, "name=second");
  gan_layer_free(block);
  must(ctx, gan_network_finish(n));
  assert_int_equal(n->n_variables, 12);
  assert_true(n->layers[0].flops > 0 && n->layers[0].flops == n->layers[1].flops);
  must(ctx, gan_network_clone(n, "M", &copy));
  assert_int_equal(copy->n_variables, 12);
  assert_ptr_equal(copy->layers[0].layer, copy->layers[1].layer);
  same_draws(n, copy);
  gan_network_free(copy);
  gan_network_free(n);
}

/* The layers of a block are owners of their own: state moves with their parameters. */
static void test_state_moves(void **state) {
  gan_context *ctx = *state;
  gan_network *n = make_network(ctx, "N", "input x 2x2x2 noise=normal; residual-block norm=batch-norm name=b;"
                                          "flatten; dense units=1");
  gan_game_config config;
  gan_game *game;
  gan_graph *g;
  gan_game_config_init(&config, sizeof config);
  config.batch = 8;
  must(ctx, gan_game_create(ctx, &config, &game));
  must(ctx, gan_game_add_step(game, "s", &g));
  gan_optimizer *o = make_optimizer(ctx, "o", "sgd rate=0.1", n, "b/norm2/*");
  gan_minimize(o, gan_mean(gan_square(gan_apply(n, gan_noise(g, n, "x")))));
  must(ctx, gan_game_run(game, "s", 2));
  assert_true(network_variable(n, "b/norm1/running_mean")->data[0] == 0);
  assert_true(network_variable(n, "b/norm2/running_mean")->data[0] != 0);
  gan_optimizer_free(o);
  gan_game_free(game);
  gan_network_free(n);
}

/* ------------------------------------------------------------------ refusals */

static void test_errors(void **state) {
  static const struct { const char *line; gan_status status; const char *part; } cases[] = {
    {"residual-block norm=batchnorm", GAN_ERROR_ARGUMENT,
     "N/residual-block1/norm1: no layer 'batchnorm'; did you mean 'batch-norm'?"},
    {"residual-block activation=(leaky-relu slop=1)", GAN_ERROR_ARGUMENT, "N/residual-block1/activation1: no parameter 'slop'"},
    {"residual-block resample=sideways", GAN_ERROR_ARGUMENT,
     "N/residual-block1: resample is 'sideways'; expected none, up or down"},
    {"residual-block init=(norml std=1)", GAN_ERROR_ARGUMENT, "N/residual-block1: no initializer 'norml'"},
    {"residual-block from=x,y norm=batch-norm", GAN_ERROR_ARGUMENT, "N/residual-block1/norm1: expected 1 input, came 2"},
    {"residual-block from=x,y", GAN_ERROR_ARGUMENT, "N/residual-block1: a second input conditions the norm, but norm is none"},
    {"residual-block norm=(conditional-batch-norm classes=3)", GAN_ERROR_ARGUMENT,
     "N/residual-block1/norm1: expected 2 inputs, came 1"},
    {"residual-block resample=down from=narrow", GAN_ERROR_SHAPE, "N/residual-block1/pool"},
    {"residual-block from=y", GAN_ERROR_SHAPE, "N/residual-block1: expected f32 of shape (batch, height, width, channels)"},
    {"dense-block growth=3", GAN_ERROR_ARGUMENT, "layers is missing"},
    {"dense-block layers=256 growth=1000000 bottleneck=1000000", GAN_ERROR_ARGUMENT,
     "N/dense-block1/narrow1: filters is 1000000000000"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    gan_network *n;
    must(*state, gan_network_create(*state, "N", &n));
    gan_network_build(n, "input y classes=3; input narrow 1x4x2; input x 4x4x2");
    gan_network_add(n, cases[i].line);
    gan_status status = gan_network_finish(n);
    assert_sentence(*state, cases[i].part);
    assert_int_equal(status, cases[i].status);
    gan_network_free(n);
  }
}

/* A first application that failed leaves nothing behind: the layer meets other shapes next. */
static void test_second_try(void **state) {
  gan_context *ctx = *state;
  gan_layer *block;
  must(ctx, gan_layer_create(ctx, "residual-block resample=down name=b", &block));
  for (int32_t good = 0; good < 2; good++) {
    gan_graph *g;
    must(ctx, gan_graph_create(ctx, &g));
    gan_node *x = gan_input(g, "x", GAN_F32, 4, (int64_t[]){2, good ? 4 : 1, 4, 3});
    gan_node *y = gan_layer_apply(block, 1, 1, &x);
    assert_int_equal(gan_graph_check(g), good ? GAN_OK : GAN_ERROR_SHAPE);
    if (good) assert_int_equal(gan_node_size(y, 1), 2);
    gan_graph_free(g);
  }
  gan_layer_free(block);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
    TEST(test_written_out), TEST(test_paths), TEST(test_initial_values_differ), TEST(test_shared_block),
    TEST(test_state_moves), TEST(test_errors), TEST(test_second_try),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
