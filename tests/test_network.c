/* Networks: what builders make and refuse, what they tell, layers and networks shared, presets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "bed.h"
#include "nn/network.h"
#include "nn/presets.h"

/* ------------------------------------------------------------------ what builders refuse */

static void test_errors(void **state) {
  gan_context *ctx = *state;
  const struct refused { const char *lines; gan_status status; const char *part; } cases[] = {
    {"# nothing", GAN_ERROR_ARGUMENT, "has no input"},
    {"input z 5; dens units=3", GAN_ERROR_ARGUMENT, "G/dens1: no layer 'dens'; did you mean 'dense'?"},
    {"input z 5; dense unit=3", GAN_ERROR_ARGUMENT, "G/dense1: no parameter 'unit'; did you mean 'units'?"},
    {"input z 5; dense units=3 init=(norml)", GAN_ERROR_ARGUMENT, "G/dense1: no initializer 'norml'; did you mean 'normal'?"},
    {"dense units=3", GAN_ERROR_ARGUMENT, "declare an input first"},
    {"input z 5; relu; relu; relu from=relu3", GAN_ERROR_ARGUMENT, "from=relu3: no input or layer"},
    {"input z 5; relu name=z", GAN_ERROR_ARGUMENT, "two things named 'z'"},
    {"input z 5; input z 6", GAN_ERROR_ARGUMENT, "two things named 'z'"},
    {"input z 5; relu name=a/b", GAN_ERROR_ARGUMENT, "'a/b' is no name"},
    {"input z 5; relu name=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", GAN_ERROR_ARGUMENT,
     "at most 63"},
    {"input z 5; relu name=", GAN_ERROR_ARGUMENT, "is no name"},
    {"input z 5; dense units=(3", GAN_ERROR_ARGUMENT, "no closing"},
    {"input z 5; input y 2x2; concat from=z,y", GAN_ERROR_SHAPE, "G/concat1: "},
    {"input z 5; reshape shape=2x3", GAN_ERROR_SHAPE,
     "G/reshape1: expected 6 numbers a sample for 2x3, came 2x5 (axis 0 is the batch, 2"},
    {"input z 5; reshape shape=5y", GAN_ERROR_ARGUMENT, "no shape of a sample"},
    {"input z; dense units=3", GAN_ERROR_SHAPE, "expected f32 of shape (batch, .., inputs), came 2"},
    {"input y classes=10; dense units=3", GAN_ERROR_SHAPE, "came i32 2"},
    {"input z 5; embedding classes=10 width=3", GAN_ERROR_ARGUMENT, "expected indices"},
    {"input z 5; one-hot classes=10", GAN_ERROR_ARGUMENT, "expected indices"},
    {"input z 5; relu from=z,z", GAN_ERROR_ARGUMENT, "G/relu1: expected 1 input, came 2"},
    {"input z 5; softmax axis=0", GAN_ERROR_ARGUMENT, "the batch"},
    {"input z 5; concat axis=-2", GAN_ERROR_ARGUMENT, "the batch"},
    {"input z 5; softmax axis=3", GAN_ERROR_SHAPE, "G/softmax1: "},
    {"input z 5; layer-norm axes=2", GAN_ERROR_SHAPE, "G/layer-norm1: expected f32 with at least 3 axes, came 2x5"},
    {"input z 5; dropout rate=1", GAN_ERROR_ARGUMENT, "rate is 1"},
    {"input z 0", GAN_ERROR_ARGUMENT, "no shape"},
    {"input z 1x1x1x1x1x1x1x1", GAN_ERROR_ARGUMENT, "at most 7 axes"},
    {"input z 5 noise=norml", GAN_ERROR_ARGUMENT, "did you mean 'normal'"},
    {"input z 5 noise=(integers high=3)", GAN_ERROR_ARGUMENT, "labels are classes"},
    {"input z 5 type=f64", GAN_ERROR_ARGUMENT, "expected f32 or i32"},
    {"input z 5 type=f32 classes=3", GAN_ERROR_ARGUMENT, "labels (classes=..) are i32"},
    {"input z 5 type=i32 noise=normal", GAN_ERROR_ARGUMENT, "noise is f32"},
    {"input z 5 nois=normal", GAN_ERROR_ARGUMENT, "did you mean 'noise'"},
    {"input", GAN_ERROR_ARGUMENT, "without a name"},
    {"input z 5; output", GAN_ERROR_ARGUMENT, "without a name"},
    {"input z 5; output a b", GAN_ERROR_ARGUMENT, "no input or layer"},
    {"input z 5; output a z z", GAN_ERROR_ARGUMENT, "expected \"output NAME FROM\""},
    {"input z 5; output a; output a", GAN_ERROR_ARGUMENT, "two outputs named 'a'"},
    {"input z 5; output a/b", GAN_ERROR_ARGUMENT, "is no name"},
    {"input z 2000000x1000000", GAN_ERROR_ARGUMENT, "no shape"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    gan_network *n;
    must(ctx, gan_network_create(ctx, "G", &n));
    gan_network_build(n, cases[i].lines);
    if (n->failed) gan_network_relu(n); /* after a failure further calls do nothing */
    if (gan_network_finish(n) != cases[i].status) fail_msg("'%s' gave status %d", cases[i].lines, n->failed);
    assert_int_equal(gan_network_finish(n), cases[i].status);
    sentence_has(ctx, cases[i].part, cases[i].lines);
    assert_int_equal(gan_network_variable_count(n), -1);
    gan_network_free(n);
  }
}

static void test_null_handles(void **state) {
  gan_context *ctx = *state;
  gan_network *n, *part = NULL;
  gan_layer *layer = NULL;
  assert_int_equal(gan_network_create(NULL, "G", &n), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_network_create(ctx, "G/", &n), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_network_finish(NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_network_input_count(NULL), -1);
  assert_int_equal(gan_network_parameters(NULL), -1);
  gan_network_free(NULL);
  gan_layer_free(NULL);
  gan_network_add(NULL, "relu");
  gan_network_build(NULL, "relu");
  gan_network_relu(NULL);
  gan_network_reshape(NULL, NULL);
  assert_int_equal(gan_node_type(gan_apply(NULL, NULL)), -1);
  assert_int_equal(gan_node_type(gan_layer_apply(NULL, 0, 0, NULL)), -1);
  assert_int_equal(gan_node_type(gan_noise(NULL, NULL, NULL)), -1);

  /* The root cause is what one reads in the end. */
  assert_int_equal(gan_layer_create(ctx, "dens units=3", &layer), GAN_ERROR_ARGUMENT);
  must(ctx, gan_network_create(ctx, "G", &n));
  gan_network_input(n, "z", "5");
  gan_network_add_layer(n, layer, NULL);
  assert_int_equal(gan_network_finish(n), GAN_ERROR_ARGUMENT);
  sentence_has(ctx, "did you mean 'dense'", "NULL layer");
  gan_network_free(n);

  void (*const calls[])(gan_network *) = {gan_network_relu, gan_network_tanh, gan_network_sigmoid, gan_network_flatten};
  for (size_t i = 0; i < 4; i++) calls[i](NULL);
  must(ctx, gan_network_create(ctx, "G", &n));
  gan_network_add_network(n, part, NULL);
  assert_int_equal(gan_network_finish(n), GAN_ERROR_ARGUMENT);
  gan_network_free(n);
}

static void test_finished_networks_are_closed(void **state) {
  gan_context *ctx = *state;
  gan_network *n = build_network(ctx, "G", "input z 5; dense units=3");
  gan_network_relu(n);
  assert_int_equal(gan_network_finish(n), GAN_ERROR_STATE);
  sentence_has(ctx, "is finished", "relu after finish");
  gan_network_free(n);
}

/* ------------------------------------------------------------------ what a network tells */

static void test_descriptions(void **state) {
  gan_context *ctx = *state;
  gan_network *n = build_network(ctx, "G", "input z 100 noise=uniform; input y classes=10; input x 4x4 type=f32\n"
                                   "# a comment\n\n"
                                   "embedding classes=10 width=8 from=y; concat from=z,embedding1; dense units=16; batch-norm;"
                                   "reshape shape=4x4; add from=reshape1,x; output picture; output hidden dense1");
  assert_int_equal(gan_network_input_count(n), 3);
  assert_int_equal(gan_network_output_count(n), 2);
  gan_port p = {.struct_size = sizeof p};
  must(ctx, gan_network_input_info(n, 0, &p));
  assert_string_equal(p.name, "z");
  assert_int_equal(p.role, GAN_ROLE_NOISE);
  assert_int_equal(p.rank, 1);
  assert_int_equal(p.shape[0], 100);
  must(ctx, gan_network_input_info(n, 1, &p));
  assert_int_equal(p.role, GAN_ROLE_LABEL);
  assert_int_equal(p.type, GAN_I32);
  assert_int_equal(p.rank, 0);
  assert_int_equal(p.classes, 10);
  must(ctx, gan_network_output_info(n, 0, &p));
  assert_string_equal(p.name, "picture");
  assert_int_equal(p.rank, 2);
  assert_int_equal(p.shape[1], 4);
  assert_int_equal(gan_network_output_info(n, 2, &p), GAN_ERROR_ARGUMENT);
  p.struct_size = 0;
  assert_int_equal(gan_network_output_info(n, 0, &p), GAN_ERROR_ARGUMENT);

  const char *paths[] = {"embedding1/weight", "dense1/weight", "dense1/bias", "batch-norm1/weight", "batch-norm1/bias",
                         "batch-norm1/running_mean", "batch-norm1/running_var"};
  assert_int_equal(gan_network_variable_count(n), 7);
  for (int32_t i = 0; i < 7; i++) {
    gan_variable v = {.struct_size = sizeof v};
    must(ctx, gan_network_variable_info(n, i, &v));
    assert_string_equal(v.path, paths[i]);
    assert_int_equal(v.trainable, i < 5);
  }
  assert_int_equal(gan_network_parameters(n), 10 * 8 + 16 * 108 + 16 + 32);
  gan_network_free(n);
}

/* A caller compiled with a shorter struct gets what it knows. */
static void test_older_struct(void **state) {
  gan_network *n = build_network(*state, "G", "input z 5; dense units=3");
  gan_port p;
  memset(&p, 0x77, sizeof p);
  p.struct_size = 16;
  must(*state, gan_network_input_info(n, 0, &p));
  assert_string_equal(p.name, "z");
  assert_int_equal(((unsigned char *)&p)[16], 0x77);
  gan_network_free(n);
}

static void test_summary(void **state) {
  char text[2000];
  int64_t needed;
  gan_network *n = build_network(*state, "G", "input z 100 noise=normal; dense units=128; relu; dense units=64 name=last");
  must(*state, gan_network_summary(n, text, sizeof text, &needed));
  assert_int_equal(needed, strlen(text) + 1);
  assert_non_null(strstr(text, "12,928"));
  assert_non_null(strstr(text, "25,600"));
  assert_non_null(strstr(text, "total"));
  assert_non_null(strstr(text, "21,184"));
  assert_non_null(strstr(text, "41,984"));
  must(*state, gan_network_summary(n, text, 10, &needed));
  assert_int_equal(strlen(text), 9);
  gan_network_free(n);
}

static int32_t same_option(const struct options *a, const struct options *b, int32_t i) {
  if (a->table[i].type != OPTION_TEXT) return a->number[i] == b->number[i];
  return !strcmp(a->text[i], b->text[i]);
}

static void test_typed_layers(void **state) {
  gan_context *ctx = *state;
  gan_network *a,
      *b = build_network(ctx, "G",
                 "input y classes=10; embedding classes=10 width=8; dense units=6; batch-norm epsilon=0.8 momentum=0.2;"
                 "leaky-relu slope=0.2; layer-norm epsilon=0.001; dropout rate=0.5; relu; tanh; sigmoid;"
                 "reshape shape=3x2x1; conv2d filters=4 kernel=3 stride=1 padding=1;"
                 "conv-transpose2d filters=2 kernel=4 stride=2 padding=1; flatten");
  must(ctx, gan_network_create(ctx, "G", &a));
  gan_network_input(a, "y", "classes=10");
  gan_network_embedding(a, 10, 8);
  gan_network_dense(a, 6);
  gan_network_batch_norm(a, 0.8, 0.2);
  gan_network_leaky_relu(a, 0.2);
  gan_network_layer_norm(a, 1e-3);
  gan_network_dropout(a, 0.5);
  gan_network_relu(a);
  gan_network_tanh(a);
  gan_network_sigmoid(a);
  gan_network_reshape(a, "3x2x1");
  gan_network_conv2d(a, 4, 3, 1, 1);
  gan_network_conv_transpose2d(a, 2, 4, 2, 1);
  gan_network_flatten(a);
  must(ctx, gan_network_finish(a));
  assert_true(network_same_structure(a, b));
  assert_int_equal(a->n_layers, b->n_layers);
  for (int64_t i = 0; i < a->n_layers; i++) {
    assert_string_equal(a->layers[i].name, b->layers[i].name);
    for (int32_t j = 0; j < a->layers[i].layer->options.count; j++)
      assert_true(same_option(&a->layers[i].layer->options, &b->layers[i].layer->options, j));
  }
  assert_int_equal(network_flags(a), LAYER_COUPLES | LAYER_RANDOM);
  gan_network_free(a);
  gan_network_free(b);
}

/* ------------------------------------------------------------------ sharing and nesting */

static void test_shared_layer(void **state) {
  gan_context *ctx = *state;
  gan_layer *layer;
  gan_network *a, *b;
  must(ctx, gan_layer_create(ctx, "dense units=5", &layer));
  must(ctx, gan_network_create(ctx, "A", &a));
  gan_network_input(a, "x", "5");
  gan_network_add_layer(a, layer, "name=first");
  gan_network_add_layer(a, layer, "name=second");
  must(ctx, gan_network_finish(a));
  assert_int_equal(gan_network_variable_count(a), 2);
  assert_string_equal(a->variables[0].path, "first/weight");
  assert_int_equal(gan_network_parameters(a), 30);

  must(ctx, gan_network_create(ctx, "B", &b));
  gan_network_input(b, "x", "5");
  gan_network_add_layer(b, layer, NULL);
  must(ctx, gan_network_finish(b));
  assert_string_equal(b->variables[0].path, "dense1/weight");
  assert_ptr_equal(b->variables[0].variable, a->variables[0].variable);
  assert_string_equal(layer->path, "A/first");

  gan_network *c;
  must(ctx, gan_network_create(ctx, "C", &c));
  gan_network_input(c, "x", "6");
  gan_network_add_layer(c, layer, NULL);
  assert_int_equal(gan_network_finish(c), GAN_ERROR_SHAPE);
  sentence_has(ctx, "A/first/weight is 5x5, this application would need 5x6", "a shared layer of another width");
  gan_network_free(c);
  gan_layer_free(layer);
  gan_network_free(a);
  gan_network_free(b);
}

static void test_nested_networks(void **state) {
  gan_context *ctx = *state;
  gan_network *trunk = build_network(ctx, "T", "input x 5; dense units=4; batch-norm"), *n;
  must(ctx, gan_network_create(ctx, "N", &n));
  gan_network_input(n, "x", "5");
  gan_network_add_network(n, trunk, "name=trunk");
  gan_network_dense(n, 5);
  gan_network_add_network(n, trunk, NULL);
  must(ctx, gan_network_finish(n));
  assert_string_equal(n->layers[2].name, "T2");
  assert_string_equal(n->variables[0].path, "trunk/dense1/weight");
  assert_string_equal(n->variables[5].path, "dense1/bias");
  assert_string_equal(n->variables[6].path, "trunk/batch-norm1/running_mean");
  assert_int_equal(gan_network_variable_count(n), 8);
  assert_int_equal(n->applications, 5);
  assert_int_equal(network_flags(n), LAYER_COUPLES);
  gan_network_free(trunk);
  gan_network_free(n);
}

static void test_limits_of_nesting(void **state) {
  gan_context *ctx = *state;
  gan_network *inner = build_network(ctx, "n", "input x 2; relu"), *outer;
  for (int32_t depth = 2; depth <= NETWORK_DEPTH + 1; depth++) { /* too deep */
    must(ctx, gan_network_create(ctx, "n", &outer));
    gan_network_input(outer, "x", "2");
    gan_network_add_network(outer, inner, NULL);
    gan_network_free(inner);
    inner = outer;
    assert_int_equal(gan_network_finish(outer), depth <= NETWORK_DEPTH ? GAN_OK : GAN_ERROR_ARGUMENT);
  }
  gan_network_free(inner);
  inner = build_network(ctx, "n", "input x 2; relu");
  for (int32_t doubled = 0; doubled < 8; doubled++) { /* 4^n applications */
    must(ctx, gan_network_create(ctx, "n", &outer));
    gan_network_input(outer, "x", "2");
    for (int32_t i = 0; i < 4; i++) gan_network_add_network(outer, inner, NULL);
    gan_network_free(inner);
    inner = outer;
    if (gan_network_finish(outer) != GAN_OK) break;
  }
  sentence_has(ctx, "applications of layers", "4^6 applications");
  gan_network_free(inner);

  must(ctx, gan_network_create(ctx, "n", &outer));
  gan_network_input(outer, "x", "2");
  gan_network_add_network(outer, outer, NULL);
  assert_int_equal(gan_network_finish(outer), GAN_ERROR_ARGUMENT);
  sentence_has(ctx, "part of itself", "a network in itself");
  gan_network_free(outer);
}

static void test_part_with_two_outputs(void **state) {
  gan_context *ctx = *state;
  gan_network *part = build_network(ctx, "P", "input x 2; relu; output a; output b x"), *n;
  must(ctx, gan_network_create(ctx, "N", &n));
  gan_network_input(n, "x", "2");
  gan_network_add_network(n, part, NULL);
  assert_int_equal(gan_network_finish(n), GAN_ERROR_ARGUMENT);
  sentence_has(ctx, "'P' has 2 outputs, expected 1", "two outputs");
  gan_network_free(part);
  gan_network_free(n);
}

/* ------------------------------------------------------------------ presets */

static void test_presets(void **state) {
  gan_context *ctx = *state;
  for (int32_t i = 0; i < preset_count(); i++) {
    gan_network *g, *d;
    must(ctx, gan_preset_networks(ctx, preset_at(i)->name, &g, &d));
    gan_port z = {.struct_size = sizeof z}, fake = z, real = z;
    must(ctx, gan_network_input_info(g, 0, &z));
    must(ctx, gan_network_output_info(g, 0, &fake));
    must(ctx, gan_network_input_info(d, 0, &real));
    assert_int_equal(z.role, GAN_ROLE_NOISE);
    assert_int_equal(z.shape[0], preset_at(i)->latent);
    assert_memory_equal(fake.shape, real.shape, sizeof real.shape);
    gan_network_free(g);
    gan_network_free(d);
  }
}

/* Pictures of any height, width and number of channels that the stages divide evenly; of others a sentence. */
static void test_preset_sizes(void **state) {
  gan_context *ctx = *state;
  gan_network *g, *d;
  for (int32_t i = 0; i < preset_count(); i++) {
    const struct preset *p = preset_at(i);
    int64_t unit = p->multiple;
    char text[100];
    if (!unit) continue;
    for (int64_t n = 1; n <= 2; n++) {
      snprintf(text, sizeof text, "%s filters=8 latent=3 size=%dx%dx%d", p->name, (int)(n * unit), (int)(3 * unit), (int)n + 1);
      must(ctx, gan_preset_networks(ctx, text, &g, &d));
      gan_port fake = {.struct_size = sizeof fake}, real = fake, score = fake;
      must(ctx, gan_network_output_info(g, 0, &fake));
      must(ctx, gan_network_input_info(d, 0, &real));
      must(ctx, gan_network_output_info(d, 0, &score));
      assert_true(fake.rank == 3 && fake.shape[0] == n * unit && fake.shape[1] == 3 * unit && fake.shape[2] == n + 1);
      assert_memory_equal(fake.shape, real.shape, sizeof real.shape);
      assert_true(score.rank == 1 && score.shape[0] == 1);
      gan_network_free(g);
      gan_network_free(d);
    }
    snprintf(text, sizeof text, "%s size=%dx%dx1", p->name, (int)unit, (int)unit + 1);
    assert_int_equal(gan_preset_networks(ctx, text, &g, &d), GAN_ERROR_ARGUMENT);
    sentence_has(ctx, "height and width have to be multiples of", p->name);
    snprintf(text, sizeof text, "%s size=%d", p->name, (int)unit);
    assert_int_equal(gan_preset_networks(ctx, text, &g, &d), GAN_ERROR_ARGUMENT);
    sentence_has(ctx, "expected height, width and channels", p->name);
  }
  assert_int_equal(gan_preset_networks(ctx, "article filters=3", &g, &d), GAN_ERROR_ARGUMENT);
  sentence_has(ctx, "it has no convolutions", "article");
}

static void test_preset_text(void **state) {
  gan_context *ctx = *state;
  gan_network *g, *d;
  must(ctx, gan_preset_networks(ctx, "ptgan size=8x4 latent=3", &g, NULL));
  gan_port p = {.struct_size = sizeof p};
  must(ctx, gan_network_output_info(g, 0, &p));
  assert_int_equal(p.rank, 2);
  assert_int_equal(p.shape[0], 8);
  gan_network_free(g);
  must(ctx, gan_preset_networks(ctx, "article", NULL, &d));
  assert_int_equal(gan_network_parameters(d), 784 * 256 + 256 + 256 * 128 + 128 + 128 + 1);
  gan_network_free(d);
  assert_int_equal(gan_preset_networks(ctx, "artcle", &g, &d), GAN_ERROR_ARGUMENT);
  sentence_has(ctx, "did you mean 'article'", "artcle");
  assert_int_equal(gan_preset_networks(ctx, "article size=8by8", &g, &d), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_preset_networks(ctx, "article sise=8", &g, &d), GAN_ERROR_ARGUMENT);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
    TEST(test_errors), TEST(test_null_handles), TEST(test_finished_networks_are_closed),
    TEST(test_descriptions), TEST(test_older_struct), TEST(test_summary), TEST(test_typed_layers),
    TEST(test_shared_layer), TEST(test_nested_networks), TEST(test_limits_of_nesting), TEST(test_part_with_two_outputs),
    TEST(test_presets),
    TEST(test_preset_sizes),
    TEST(test_preset_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
