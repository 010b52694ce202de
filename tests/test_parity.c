/* libgan beside PyTorch: the same weights, data and noise give the same losses, gradients and weights. tests/fixtures holds what
 * PyTorch computed, and the script that made it; weights and noise are made here and there by one formula. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

enum { STEPS = 10, SAMPLED = 48, VALUES_MAX = 128 };
static const double TOLERANCE = 1e-4;

static gan_context *context;

static void check(gan_status status) {
  char text[1000] = "";
  if (status == GAN_OK) return;
  gan_context_error(context, text, sizeof text, NULL);
  fail_msg("%s: %s", gan_status_text(status), text);
}

/* ---------------------------------------------------------------------------------------------------------------- fixtures */

/* The text of one file: an array a line. */
static char *fixture;

static void read_fixture(const char *name) {
  free(fixture);
  fixture = fixture_read(name);
}

/* Compares values with the array of a name: |a - b| <= 1e-4 max(1, |b|). */
static void expect(const char *name, const float *values, int64_t count) {
  double wanted[VALUES_MAX];
  int64_t n = fixture_values(fixture, name, wanted, VALUES_MAX);
  if (n < 0) fail_msg("there is no fixture %s", name);
  if (n != count) fail_msg("%s has %d values, not %d", name, (int)n, (int)count);
  for (int64_t i = 0; i < n; i++) {
    int near = fabs(values[i] - wanted[i]) <= TOLERANCE * fmax(1, fabs(wanted[i]));
    if (!near) fail_msg("%s[%d]: %.8g, but PyTorch has %.8g", name, (int)i, values[i], wanted[i]);
  }
}

static void expect_part(const char *group, const char *part, const float *values, int64_t count) {
  char name[100];
  snprintf(name, sizeof name, "%s/%s", group, part);
  expect(name, values, count);
}

/* ------------------------------------------------------------------------------------------------------ numbers by formula */

static gan_tensor *numbers(uint32_t stream, int32_t rank, const int64_t *shape, double scale, double offset) {
  return fixture_numbers(context, stream, rank, shape, scale, offset);
}

static void bind_numbers(gan_game *game, const char *input, uint32_t stream, int64_t rows, int64_t columns, double scale,
                         double offset) {
  gan_tensor *tensor = numbers(stream, 2, (const int64_t[]){rows, columns}, scale, offset);
  check(gan_game_bind(game, input, tensor));
  gan_tensor_free(tensor);
}

/* Dense layers get +-1/sqrt(inputs) in weight and bias, norms 1 +- 1/4 and +-1/4; parameters come in pairs. */
static void fill(gan_network *network, uint32_t stream) {
  double scale = 0, offset = 0;
  for (int32_t i = 0; i < gan_network_variable_count(network); i++) {
    gan_variable v = {.struct_size = sizeof v};
    check(gan_network_variable_info(network, i, &v));
    if (!v.trainable) continue;
    if (i % 2 == 0) {
      scale = v.rank == 2 ? 1 / sqrt((double)v.shape[1]) : 0.25;
      offset = v.rank == 2 ? 0 : 1;
    } else {
      offset = 0;
    }
    gan_tensor *tensor = numbers(stream++, v.rank, v.shape, scale, offset);
    check(gan_network_set(network, v.path, tensor));
    gan_tensor_free(tensor);
  }
}

/* --------------------------------------------------------------------------------------------------------- common to tests */

static gan_network *network_of(const char *name, const char *lines) {
  gan_network *network = NULL;
  check(gan_network_create(context, name, &network));
  gan_network_build(network, lines);
  check(gan_network_finish(network));
  return network;
}

static gan_game *game_of(int64_t batch, gan_graph **step) {
  gan_game_config config;
  gan_game *game = NULL;
  check(gan_game_config_init(&config, sizeof config));
  config.batch = batch;
  check(gan_game_create(context, &config, &game));
  check(gan_game_add_step(game, "step", step));
  return game;
}

/* An output of the step as of its last run beside a fixture. */
static void expect_output(gan_game *game, const char *output, int64_t count, const char *group, const char *part) {
  gan_tensor *tensor = NULL;
  check(gan_tensor_create(context, GAN_F32, 1, &count, &tensor));
  check(gan_game_read(game, "step", output, tensor));
  expect_part(group, part, gan_tensor_data(tensor), count);
  gan_tensor_free(tensor);
}

static int set_up(void **state) {
  gan_context_config config;
  (void)state;
  check(gan_context_config_init(&config, sizeof config));
  config.threads = 2;
  check(gan_context_create(&config, &context));
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  free(fixture);
  fixture = NULL;
  gan_context_free(context);
  return 0;
}

/* ---------------------------------------------------------------------------------------------------------------- training */

#define SEED_G "input z 100 noise=normal; dense units=128; relu; dense units=256; relu; dense units=784; tanh"
#define SEED_D "input x 784; dense units=256; relu; dense units=128; relu; dense units=1"
#define BLOCK(units) "dense units=" units "; batch-norm epsilon=0.8; leaky-relu slope=0.2; "
#define PTGAN_G                                                                                                 \
  "input z 100 noise=normal; dense units=128; leaky-relu slope=0.2; " BLOCK("256") BLOCK("512") BLOCK("1024")   \
    "dense units=784; tanh"
#define PTGAN_D "input x 784; dense units=512; leaky-relu slope=0.2; dense units=256; leaky-relu slope=0.2; dense units=1"

struct training {
  gan_network *g, *d;
  gan_game *game;
};

/* WGAN-GP written by hand, so that the mixing numbers can be given; `wgan-gp` itself draws them. */
static gan_node *penalty(const struct training *t, gan_graph *step, gan_node *real, gan_node *fake) {
  gan_node *e = gan_input(step, "e", GAN_F32, 2, (const int64_t[]){64, 1});
  gan_node *mix = gan_add(gan_mul(e, real), gan_mul(gan_shift(gan_neg(e), 1), gan_stop_gradient(fake)));
  gan_node *norm = gan_norm_per_sample(gan_gradient(gan_apply(t->d, mix), mix));
  return gan_scale(gan_mean(gan_square(gan_shift(norm, -1))), 10);
}

static gan_optimizer *adam(const char *name, gan_network *network) {
  gan_optimizer *optimizer = NULL;
  check(gan_optimizer_create(context, name, "adam rate=2e-4 beta1=0.5 beta2=0.999", &optimizer));
  check(gan_optimizer_add(optimizer, network, NULL, 1, 1));
  return optimizer;
}

static void build_step(const struct training *t, gan_graph *step, int wasserstein) {
  gan_loss *loss = NULL;
  gan_optimizer *of_d = adam("D", t->d), *of_g = adam("G", t->g);
  check(gan_loss_create(context, wasserstein ? "wasserstein" : "non-saturating", &loss));
  gan_node *z = gan_input(step, "z", GAN_F32, 2, (const int64_t[]){64, 100});
  gan_node *real = gan_input(step, "real", GAN_F32, 2, (const int64_t[]){64, 784});
  gan_phase(step, "D");
  gan_node *fake = gan_apply(t->g, z);
  gan_node *loss_d = gan_loss_discriminator(loss, gan_apply(t->d, real), gan_apply(t->d, fake));
  if (wasserstein) loss_d = gan_add(loss_d, penalty(t, step, real, fake));
  gan_minimize(of_d, gan_output(loss_d, "loss_d"));
  gan_phase(step, "G");
  gan_minimize(of_g, gan_output(gan_loss_generator(loss, NULL, gan_apply(t->d, fake)), "loss_g"));
  gan_optimizer_free(of_g);
  gan_optimizer_free(of_d);
  gan_loss_free(loss);
}

/* A few elements of one variable. */
static void expect_variable(gan_network *network, int32_t index, const char *name) {
  gan_variable v = {.struct_size = sizeof v};
  gan_tensor *tensor = NULL;
  float some[SAMPLED];
  check(gan_network_variable_info(network, index, &v));
  check(gan_tensor_create(context, GAN_F32, v.rank, v.shape, &tensor));
  check(gan_network_get(network, v.path, tensor));
  int64_t count = gan_tensor_count(tensor), kept = count < SAMPLED ? count : SAMPLED;
  const float *data = gan_tensor_data(tensor);
  for (int64_t k = 0; k < kept; k++) some[k] = data[k * 7919 % count];
  expect(name, some, kept);
  gan_tensor_free(tensor);
}

/* Every parameter and running statistic, but for the biases before batch norms: their gradient is 0, what is computed is rounding
 * error, and Adam enlarges it. The fixtures leave them out. */
static void expect_weights(gan_network *network, const char *group, const char *role, int left_out) {
  for (int32_t i = 0; i < gan_network_variable_count(network); i++) {
    char name[60];
    snprintf(name, sizeof name, "%s/%s/%d", group, role, i);
    if (fixture_values(fixture, name, NULL, 0) == 0) expect_variable(network, i, name);
    else left_out--;
  }
  assert_int_equal(left_out, 0);
}

/* The fixture says which streams of numbers were chosen for it. */
static uint32_t stream_of(const char *group) {
  char name[60];
  double stream;
  snprintf(name, sizeof name, "%s/stream", group);
  assert_int_equal(fixture_values(fixture, name, &stream, 1), 1);
  return (uint32_t)stream;
}

static void follow(struct training *t, const char *group, int wasserstein, int left_out) {
  float losses_d[STEPS], losses_g[STEPS];
  uint32_t stream = stream_of(group);
  for (uint32_t i = 0; i < STEPS; i++) {
    double value;
    bind_numbers(t->game, "z", stream + 1000 + i, 64, 100, 1.75, 0);
    bind_numbers(t->game, "real", stream + 2000 + i, 64, 784, 1, 0);
    if (wasserstein) bind_numbers(t->game, "e", stream + 3000 + i, 64, 1, 0.5, 0.5);
    check(gan_game_step(t->game, "step"));
    check(gan_game_value(t->game, "step", "loss_d", &value));
    losses_d[i] = (float)value;
    check(gan_game_value(t->game, "step", "loss_g", &value));
    losses_g[i] = (float)value;
  }
  expect_part(group, "loss_d", losses_d, STEPS);
  expect_part(group, "loss_g", losses_g, STEPS);
  expect_weights(t->g, group, "G", left_out);
  expect_weights(t->d, group, "D", 0);
}

static void train(const char *group, const char *generator, const char *discriminator, int wasserstein, int left_out) {
  gan_graph *step;
  read_fixture("training.txt");
  struct training t = {.g = network_of("G", generator), .d = network_of("D", discriminator)};
  fill(t.g, 100);
  fill(t.d, 200);
  t.game = game_of(64, &step);
  build_step(&t, step, wasserstein);
  check(gan_game_prepare(t.game));
  follow(&t, group, wasserstein, left_out);
  gan_game_free(t.game);
  gan_network_free(t.d);
  gan_network_free(t.g);
}

static void test_mlp_seed(void **state) { (void)state; train("mlp-seed", SEED_G, SEED_D, 0, 0); }
static void test_mlp_ptgan(void **state) { (void)state; train("mlp-ptgan", PTGAN_G, PTGAN_D, 0, 3); }
static void test_mlp_ptgan_wgangp(void **state) { (void)state; train("mlp-ptgan-wgangp", PTGAN_G, PTGAN_D, 1, 3); }

/* -------------------------------------------------------------------------------------------------------------- optimizers */

/* A dense layer of 16 inputs and one output; the gradient of its weight is the input, that of its bias 1. */
static void optimize(const char *group, const char *text) {
  gan_graph *step;
  gan_optimizer *optimizer = NULL;
  gan_network *network = network_of("L", "input x 16; dense units=1");
  fill(network, 300);
  gan_game *game = game_of(1, &step);
  check(gan_optimizer_create(context, "L", text, &optimizer));
  check(gan_optimizer_add(optimizer, network, NULL, 1, 1));
  gan_minimize(optimizer, gan_sum(gan_apply(network, gan_input(step, "x", GAN_F32, 2, (const int64_t[]){1, 16}))));
  for (uint32_t i = 0; i < STEPS; i++) {
    bind_numbers(game, "x", 4000 + i, 1, 16, 1, 0);
    check(gan_game_step(game, "step"));
  }
  for (int32_t i = 0; i < 2; i++) {
    gan_variable v = {.struct_size = sizeof v};
    gan_tensor *tensor = NULL;
    check(gan_network_variable_info(network, i, &v));
    check(gan_tensor_create(context, GAN_F32, v.rank, v.shape, &tensor));
    check(gan_network_get(network, v.path, tensor));
    expect_part(group, i == 0 ? "weight" : "bias", gan_tensor_data(tensor), gan_tensor_count(tensor));
    gan_tensor_free(tensor);
  }
  gan_game_free(game);
  gan_optimizer_free(optimizer);
  gan_network_free(network);
}

static void test_optimizers(void **state) {
  (void)state;
  read_fixture("optimizers.txt");
  optimize("sgd", "sgd rate=0.1");
  optimize("sgd-decay", "sgd rate=0.1 decay=0.01");
  optimize("momentum", "sgd rate=0.1 momentum=0.9");
  optimize("nesterov", "sgd rate=0.1 momentum=0.9 nesterov=yes");
  optimize("rmsprop", "rmsprop rate=0.01 decay=0.9");
  optimize("rmsprop-momentum", "rmsprop rate=0.01 decay=0.9 momentum=0.5");
  optimize("adam", "adam rate=0.01 beta1=0.5 beta2=0.999");
  optimize("adamw", "adamw rate=0.01 beta1=0.9 beta2=0.999 decay=0.1");
}

/* --------------------------------------------------------------------------------------------------------------- functions */

static void compare_loss(const char *group, const char *text) {
  const int64_t shape[] = {12, 1};
  gan_graph *step;
  gan_loss *loss = NULL;
  gan_game *game = game_of(12, &step);
  check(gan_loss_create(context, text, &loss));
  gan_node *r = gan_input(step, "r", GAN_F32, 2, shape), *f = gan_input(step, "f", GAN_F32, 2, shape);
  gan_node *d = gan_output(gan_loss_discriminator(loss, r, f), "d"), *g = gan_output(gan_loss_generator(loss, NULL, f), "g");
  gan_output(gan_gradient(d, r), "d-real");
  gan_output(gan_gradient(d, f), "d-fake");
  gan_output(gan_gradient(g, f), "g-fake");
  bind_numbers(game, "r", 400, 12, 1, 4, 0);
  bind_numbers(game, "f", 401, 12, 1, 4, 0);
  check(gan_game_step(game, "step"));
  expect_output(game, "d", 1, group, "d");
  expect_output(game, "g", 1, group, "g");
  expect_output(game, "d-real", 12, group, "d-real");
  expect_output(game, "d-fake", 12, group, "d-fake");
  expect_output(game, "g-fake", 12, group, "g-fake");
  gan_loss_free(loss);
  gan_game_free(game);
}

static void test_losses(void **state) {
  (void)state;
  read_fixture("functions.txt");
  compare_loss("loss/minimax", "minimax");
  compare_loss("loss/non-saturating", "non-saturating");
  compare_loss("loss/smooth", "non-saturating smooth=0.1");
  compare_loss("loss/least-squares", "least-squares");
  compare_loss("loss/wasserstein", "wasserstein");
}

static void test_cross_entropy(void **state) {
  gan_graph *step;
  gan_tensor *labels = NULL;
  (void)state;
  read_fixture("functions.txt");
  gan_game *game = game_of(8, &step);
  gan_node *x = gan_input(step, "x", GAN_F32, 2, (const int64_t[]){8, 10});
  gan_node *value = gan_cross_entropy(x, gan_input(step, "labels", GAN_I32, 1, (const int64_t[]){8}));
  gan_output(value, "value");
  gan_output(gan_gradient(value, x), "gradient");
  check(gan_tensor_create(context, GAN_I32, 1, (const int64_t[]){8}, &labels));
  for (int32_t i = 0; i < 8; i++) ((int32_t *)gan_tensor_data(labels))[i] = i * 3 % 10;
  check(gan_game_bind(game, "labels", labels));
  bind_numbers(game, "x", 402, 8, 10, 3, 0);
  check(gan_game_step(game, "step"));
  expect_output(game, "value", 1, "loss/cross-entropy", "value");
  expect_output(game, "gradient", 80, "loss/cross-entropy", "gradient");
  gan_tensor_free(labels);
  gan_game_free(game);
}

static void compare_activation(const char *group, const char *lines) {
  const int64_t shape[] = {6, 5};
  gan_graph *step;
  gan_network *network = network_of("A", lines);
  gan_game *game = game_of(6, &step);
  gan_node *x = gan_input(step, "x", GAN_F32, 2, shape), *weight = gan_input(step, "weight", GAN_F32, 2, shape);
  gan_node *y = gan_output(gan_apply(network, x), "value");
  gan_output(gan_gradient(gan_mul(y, weight), x), "gradient");
  bind_numbers(game, "x", 500, 6, 5, 4, 0);
  bind_numbers(game, "weight", 501, 6, 5, 1, 0);
  check(gan_game_step(game, "step"));
  expect_output(game, "value", 30, group, "value");
  expect_output(game, "gradient", 30, group, "gradient");
  gan_game_free(game);
  gan_network_free(network);
}

static void test_activations(void **state) {
  static const char *const layers[] = {"relu", "leaky-relu slope=0.2", "elu",      "selu",    "gelu", "silu",
                                       "tanh", "sigmoid",              "softplus", "softmax", "prelu"};
  (void)state;
  read_fixture("functions.txt");
  for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
    char group[60], lines[60];
    snprintf(group, sizeof group, "activation/%.*s", (int)strcspn(layers[i], " "), layers[i]);
    snprintf(lines, sizeof lines, "input x 5; %s", layers[i]);
    compare_activation(group, lines);
  }
}

/* Three training steps of a norm whose weights stay (the optimizer's rate is 0), so that running statistics move. */
static gan_game *norm_game(gan_network *network) {
  const int64_t shape[] = {8, 6};
  gan_graph *step;
  gan_variable scale = {.struct_size = sizeof scale}, shift = {.struct_size = sizeof shift};
  gan_optimizer *optimizer = NULL;
  gan_game *game = game_of(8, &step);
  check(gan_network_variable_info(network, 0, &scale));
  check(gan_network_variable_info(network, 1, &shift));
  check(gan_optimizer_create(context, "N", "sgd rate=0", &optimizer));
  check(gan_optimizer_add(optimizer, network, NULL, 1, 1));
  gan_node *x = gan_input(step, "x", GAN_F32, 2, shape), *weight = gan_input(step, "weight", GAN_F32, 2, shape);
  gan_node *y = gan_output(gan_apply(network, x), "value"), *sum = gan_sum(gan_mul(y, weight));
  gan_output(gan_gradient(sum, x), "gradient");
  gan_output(gan_gradient(sum, gan_variable_node(step, network, scale.path)), "gradient-0");
  gan_output(gan_gradient(sum, gan_variable_node(step, network, shift.path)), "gradient-1");
  gan_minimize(optimizer, sum);
  gan_optimizer_free(optimizer);
  return game;
}

static void expect_state(gan_network *network, int32_t index, const char *name) {
  const int64_t shape[] = {6};
  gan_variable v = {.struct_size = sizeof v};
  gan_tensor *tensor = NULL;
  check(gan_network_variable_info(network, index, &v));
  assert_int_equal(v.trainable, 0);
  check(gan_tensor_create(context, GAN_F32, 1, shape, &tensor));
  check(gan_network_get(network, v.path, tensor));
  expect(name, gan_tensor_data(tensor), 6);
  gan_tensor_free(tensor);
}

/* In evaluation mode, by a sampler. */
static void expect_evaluated(gan_network *network, const char *name) {
  const int64_t shape[] = {8, 6};
  float out[48];
  gan_sampler *sampler = NULL;
  gan_tensor *x = numbers(613, 2, shape, 2, 0.5);
  check(gan_sampler_create(network, NULL, &sampler));
  check(gan_sampler_bind(sampler, "x", 8, gan_tensor_data(x)));
  check(gan_sampler_draw(sampler, 0, 8, out));
  expect(name, out, 48);
  gan_tensor_free(x);
  gan_sampler_free(sampler);
}

static void compare_norm(const char *group, gan_network *network) {
  static const char *const parts[] = {"value", "gradient", "gradient-0", "gradient-1"};
  static const int64_t counts[] = {48, 48, 6, 6};
  fill(network, 600);
  gan_game *game = norm_game(network);
  for (uint32_t i = 0; i < 3; i++) {
    char step[60];
    snprintf(step, sizeof step, "%s/%u", group, i);
    bind_numbers(game, "x", 610 + i, 8, 6, 2, 0.5);
    bind_numbers(game, "weight", 620 + i, 8, 6, 1, 0);
    check(gan_game_step(game, "step"));
    for (int part = 0; part < 4; part++) expect_output(game, parts[part], counts[part], step, parts[part]);
  }
  gan_game_free(game);
}

static void test_batch_norm(void **state) {
  (void)state;
  read_fixture("functions.txt");
  gan_network *network = network_of("N", "input x 6; batch-norm epsilon=1e-3 momentum=0.2");
  compare_norm("norm/batch-norm", network);
  expect_state(network, 2, "norm/batch-norm/mean");
  expect_state(network, 3, "norm/batch-norm/variance");
  expect_evaluated(network, "norm/batch-norm/evaluated");
  gan_network_free(network);
}

static void test_layer_norm(void **state) {
  (void)state;
  read_fixture("functions.txt");
  gan_network *network = network_of("N", "input x 6; layer-norm epsilon=1e-3");
  compare_norm("norm/layer-norm", network);
  gan_network_free(network);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(test_losses, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_cross_entropy, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_activations, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_batch_norm, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_layer_norm, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_optimizers, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_mlp_seed, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_mlp_ptgan, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_mlp_ptgan_wgangp, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
