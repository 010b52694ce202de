/* Convolutional presets beside PyTorch: five steps of training, D and then G, from the same weights, noise and data, give the same
 * losses and parameters. tests/fixtures/make_presets.py has the other side, written from the presets' sources. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "nn/network.h"
#include "support.h"

enum { STEPS = 5, BATCH = 8, LATENT = 6, SAMPLED = 4 };
enum { OF_G = 1000, OF_D = 2000, VECTORS = 500, Z = 10000, REAL = 20000, FRESH = 30000, MIX = 40000, DIRECTION = 50000 };   /* streams */

struct training {
  gan_context *ctx;
  const char *name;              /* of the preset */
  char *fixture;
  gan_trainer_config config;     /* how the preset is trained */
  gan_network *g, *d;
  gan_game *game;
  gan_port image;
  uint32_t shift;                /* of all streams, chosen by the script */
  int32_t compared;              /* parameters that were in the fixture */
};

/* ------------------------------------------------------------------ networks */

/* Masks cannot be the same on both sides: in the structure's text every "dropout.. rate=0.3" gets the rate 0.00. */
static gan_network *without_dropout(gan_context *ctx, gan_network *network) {
  struct text json;
  gan_network *same = NULL;
  text_init(&json, ctx);
  must(ctx, network_to_json(network, &json));
  for (char *at = json.data; (at = strstr(at, "dropout")); at++) {
    char *rate = strstr(at, "rate=0.");
    if (rate && rate - at < 12) memset(rate + 7, '0', strspn(rate + 7, "0123456789"));
  }
  must(ctx, network_from_json(ctx, text_get(&json), json.length, &same));
  text_free(&json);
  gan_network_free(network);
  return same;
}

static int64_t count_of(const gan_variable *v) {
  int64_t count = 1;
  for (int32_t i = 0; i < v->rank; i++) count *= v->shape[i];
  return count;
}

/* Weights by their fan, scales of norms around 1, attention's gamma within +-0.5, biases within +-0.1. */
static gan_tensor *initial(gan_context *ctx, const gan_variable *v, uint32_t stream) {
  const char *slash = strrchr(v->path, '/');
  if (v->rank == 0) return fixture_numbers(ctx, stream, 0, NULL, 0.5, 0);
  if (v->rank > 1) return fixture_numbers(ctx, stream, v->rank, v->shape, 1.5 * sqrt((double)v->shape[0] / (double)count_of(v)), 0);
  if (!strcmp(slash, "/bias")) return fixture_numbers(ctx, stream, 1, v->shape, 0.1, 0);
  return fixture_numbers(ctx, stream, 1, v->shape, 0.25, 1);
}

/* Parameters from one stream on, vectors of spectral norms from another; running statistics keep what they begin with. */
static void fill(gan_context *ctx, gan_network *network, uint32_t stream) {
  uint32_t vectors = stream + VECTORS;
  for (int32_t i = 0; i < gan_network_variable_count(network); i++) {
    gan_variable v = {.struct_size = sizeof v};
    must(ctx, gan_network_variable_info(network, i, &v));
    size_t length = strlen(v.path);
    int vector = length > 2 && (!strcmp(v.path + length - 2, "_u") || !strcmp(v.path + length - 2, "_v"));
    if (!v.trainable && !vector) continue;
    gan_tensor *tensor = vector ? fixture_numbers(ctx, vectors++, 1, v.shape, 1, 0) : initial(ctx, &v, stream++);
    must(ctx, gan_network_set(network, v.path, tensor));
    gan_tensor_free(tensor);
  }
}

/* ------------------------------------------------------------------ a step */

static int64_t *shape_of(const struct training *t, int64_t shape[4]) {
  shape[0] = BATCH;
  memcpy(shape + 1, t->image.shape, 3 * sizeof *shape);
  return shape;
}

/* WGAN-GP by hand, so that the mixing numbers can be given; `wgan-gp` itself draws them. */
static gan_node *penalty(const struct training *t, gan_graph *step, gan_node *real, gan_node *fake) {
  gan_node *e = gan_input(step, "mix", GAN_F32, 4, (int64_t[]){BATCH, 1, 1, 1});
  gan_node *mix = gan_add(gan_mul(e, real), gan_mul(gan_shift(gan_neg(e), 1), gan_stop_gradient(fake)));
  gan_node *norm = gan_norm_per_sample(gan_gradient(gan_apply(t->d, mix), mix));
  return gan_scale(gan_mean(gan_square(gan_shift(norm, -1))), 10);
}

static void build(const struct training *t, gan_graph *step, gan_loss *loss, gan_optimizer *of_d, gan_optimizer *of_g) {
  int64_t shape[4];
  gan_node *real = gan_input(step, "real", GAN_F32, 4, shape_of(t, shape));
  gan_node *z = gan_input(step, "z", GAN_F32, 2, (int64_t[]){BATCH, LATENT});
  gan_phase(step, "D");
  gan_node *fake = gan_apply(t->g, z);
  gan_node *loss_d = gan_loss_discriminator(loss, gan_apply(t->d, real), gan_apply(t->d, fake));
  if (t->config.penalty) {
    assert_string_equal(t->config.penalty, "wgan-gp weight=10");
    loss_d = gan_add(loss_d, penalty(t, step, real, fake));
  }
  gan_minimize(of_d, gan_output(loss_d, "loss_d"));
  gan_phase(step, "G");
  if (t->config.fresh_noise) fake = gan_apply(t->g, gan_input(step, "fresh", GAN_F32, 2, (int64_t[]){BATCH, LATENT}));
  gan_minimize(of_g, gan_output(gan_loss_generator(loss, NULL, gan_apply(t->d, fake)), "loss_g"));
}

static gan_optimizer *optimizer(const struct training *t, const char *name, const char *text, gan_network *network) {
  gan_optimizer *made = NULL;
  must(t->ctx, gan_optimizer_create(t->ctx, name, text, &made));
  must(t->ctx, gan_optimizer_add(made, network, NULL, 1, 1));
  return made;
}

static void make_game(struct training *t) {
  gan_game_config config;
  gan_graph *step;
  gan_loss *loss = NULL;
  must(t->ctx, gan_loss_create(t->ctx, t->config.loss, &loss));
  gan_optimizer *of_d = optimizer(t, "D", t->config.optimizer_d, t->d), *of_g = optimizer(t, "G", t->config.optimizer_g, t->g);
  must(t->ctx, gan_game_config_init(&config, sizeof config));
  config.batch = BATCH;
  must(t->ctx, gan_game_create(t->ctx, &config, &t->game));
  must(t->ctx, gan_game_add_step(t->game, "step", &step));
  build(t, step, loss, of_d, of_g);
  must(t->ctx, gan_game_prepare(t->game));
  gan_optimizer_free(of_d);
  gan_optimizer_free(of_g);
  gan_loss_free(loss);
}

/* ------------------------------------------------------------------ comparing */

static void bind(const struct training *t, const char *name, uint32_t stream, int32_t rank, const int64_t *shape, double scale,
                 double offset) {
  gan_tensor *tensor = fixture_numbers(t->ctx, t->shift + stream, rank, shape, scale, offset);
  must(t->ctx, gan_game_bind(t->game, name, tensor));
  gan_tensor_free(tensor);
}

static void expect_near(const struct training *t, const char *what, int i, double came, double expected, double tolerance) {
  if (fabs(came - expected) <= tolerance) return;
  fail_msg("%s/%s[%d]: %.8g, but PyTorch has %.8g", t->name, what, i, came, expected);
}

static void run_step(const struct training *t, uint32_t step) {
  int64_t shape[4];
  double value, expected[STEPS];
  char name[60];
  bind(t, "z", Z + step, 2, (int64_t[]){BATCH, LATENT}, 1.75, 0);
  bind(t, "real", REAL + step, 4, shape_of(t, shape), 1, 0);
  if (t->config.fresh_noise) bind(t, "fresh", FRESH + step, 2, (int64_t[]){BATCH, LATENT}, 1.75, 0);
  if (t->config.penalty) bind(t, "mix", MIX + step, 4, (int64_t[]){BATCH, 1, 1, 1}, 0.5, 0.5);
  must(t->ctx, gan_game_step(t->game, "step"));
  for (const char *const *loss = (const char *const[]){"loss_d", "loss_g", NULL}; *loss; loss++) {
    snprintf(name, sizeof name, "%s/%s", t->name, *loss);
    assert_int_equal(fixture_values(t->fixture, name, expected, STEPS), STEPS);
    must(t->ctx, gan_game_value(t->game, "step", *loss, &value));
    expect_near(t, *loss, (int)step, value, expected[step], 1e-4 * fmax(1, fabs(expected[step])));
  }
}

/* The rate of an optimizer's text. */
static double rate_of(const char *text) {
  const char *rate = strstr(text, "rate=");
  assert_non_null(rate);
  return strtod(rate + 5, NULL);
}

/* Adam moves each element by about the rate in a step, also where rounding decides the sign of a tiny gradient: half a step may be
 * off, 1e-4 at most. */
static double tolerance_of(double rate) {
  return fmin(0.5 * rate, 1e-4);
}

/* A parameter's projection and the elements that the script chose. */
static void compare_parameter(const struct training *t, const char *what, int64_t count, const float *data, int32_t i,
                              const double *expected, int64_t n, double rate) {
  double projection = 0;
  uint32_t direction = t->shift + DIRECTION + (uint32_t)i;
  for (int64_t k = 0; k < count; k++) projection += (double)data[k] * (double)fixture_number(direction, (uint32_t)k, 1, 0);
  expect_near(t, what, -1, projection / sqrt((double)count), expected[0], tolerance_of(rate));
  for (int64_t k = 1; k + 1 < n; k += 2) {
    int at = (int)expected[k];
    assert_in_range(at, 0, count - 1);
    expect_near(t, what, at, data[at], expected[k + 1], tolerance_of(rate));
  }
}

static void compare_network(struct training *t, const char *role, gan_network *network, double rate) {
  int32_t parameters = 0;
  for (int32_t i = 0; i < gan_network_variable_count(network); i++) {
    gan_variable v = {.struct_size = sizeof v};
    gan_tensor *tensor = NULL;
    char name[60];
    double expected[1 + 2 * SAMPLED];
    must(t->ctx, gan_network_variable_info(network, i, &v));
    if (!v.trainable) continue;
    snprintf(name, sizeof name, "%s/%s/%d", t->name, role, parameters++);
    int64_t n = fixture_values(t->fixture, name, expected, 1 + 2 * SAMPLED);
    if (n < 0) continue;   /* biases before batch norms: their gradient is rounding error, which Adam enlarges */
    must(t->ctx, gan_tensor_create(t->ctx, GAN_F32, v.rank, v.shape, &tensor));
    must(t->ctx, gan_network_get(network, v.path, tensor));
    compare_parameter(t, v.path, count_of(&v), gan_tensor_data(tensor), parameters - 1, expected, n, rate);
    gan_tensor_free(tensor);
    t->compared++;
  }
}

/* Lines of a preset in the fixture but for its stream and its losses. */
static int32_t count_lines(const struct training *t) {
  char key[60];
  int32_t count = -3;
  snprintf(key, sizeof key, "\n%s/", t->name);
  for (const char *at = t->fixture; (at = strstr(at, key)); at++) count++;
  return count;
}

/* options: what the script has for this preset. */
static void follow(const char *preset, const char *options) {
  double shift;
  struct training t = {.name = preset, .fixture = fixture_read("presets.txt"), .image = {.struct_size = sizeof t.image}};
  gan_context_config config;
  char text[200];
  snprintf(text, sizeof text, "%s/stream", preset);
  assert_int_equal(fixture_values(t.fixture, text, &shift, 1), 1);
  t.shift = (uint32_t)shift;
  must(NULL, gan_context_config_init(&config, sizeof config));
  config.threads = 2;
  must(NULL, gan_context_create(&config, &t.ctx));
  must(t.ctx, gan_trainer_config_init(&t.config, sizeof t.config));
  must(t.ctx, gan_trainer_config_preset(&t.config, preset));
  snprintf(text, sizeof text, "%s %s latent=%d", preset, options, LATENT);
  must(t.ctx, gan_preset_networks(t.ctx, text, &t.g, &t.d));
  t.d = without_dropout(t.ctx, t.d);
  must(t.ctx, gan_network_input_info(t.d, 0, &t.image));
  fill(t.ctx, t.g, t.shift + OF_G);
  fill(t.ctx, t.d, t.shift + OF_D);
  make_game(&t);
  for (uint32_t step = 0; step < STEPS; step++) run_step(&t, step);
  compare_network(&t, "G", t.g, rate_of(t.config.optimizer_g));
  compare_network(&t, "D", t.d, rate_of(t.config.optimizer_d));
  assert_int_equal(t.compared, count_lines(&t));
  gan_game_free(t.game);
  gan_network_free(t.g);
  gan_network_free(t.d);
  gan_context_free(t.ctx);
  free(t.fixture);
}

static void test_dcgan_28(void **state) { (void)state; follow("dcgan-28", "size=12x8x1 filters=6"); }
static void test_dcgan_32(void **state) { (void)state; follow("dcgan-32", "size=16x20x3 filters=4"); }
static void test_dcgan_64(void **state) { (void)state; follow("dcgan-64", "size=32x48x3 filters=4"); }
static void test_dcgan_128(void **state) { (void)state; follow("dcgan-128", "size=64x64x1 filters=2"); }
static void test_lsgan(void **state) { (void)state; follow("lsgan", "size=32x16x3 filters=4"); }
static void test_wgan_gp_64(void **state) { (void)state; follow("wgan-gp-64", "size=32x32x3 filters=4"); }
static void test_sngan_32(void **state) { (void)state; follow("sngan-32", "size=16x24x3 filters=6"); }
static void test_sagan_64(void **state) { (void)state; follow("sagan-64", "size=16x32x3 filters=8"); }
static void test_tfgan_mnist(void **state) { (void)state; follow("tfgan-mnist", "size=12x16x1 filters=4"); }

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_dcgan_28), cmocka_unit_test(test_dcgan_32),   cmocka_unit_test(test_dcgan_64),
    cmocka_unit_test(test_dcgan_128), cmocka_unit_test(test_lsgan),     cmocka_unit_test(test_wgan_gp_64),
    cmocka_unit_test(test_sngan_32), cmocka_unit_test(test_sagan_64),   cmocka_unit_test(test_tfgan_mnist),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
