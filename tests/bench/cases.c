#include "cases.h"

#include <stdio.h>
#include <string.h>

#include "games.h"
#include "networks.h"

#define SEED_G "input z 100 noise=normal; dense units=128; relu; dense units=256; relu; dense units=784; tanh"
#define SEED_D "input x 784; dense units=256; relu; dense units=128; relu; dense units=1"
#define PTGAN_G "input z 100 noise=normal; " PTGAN_UP "dense units=784; tanh"
#define PTGAN_D "input x 784; dense units=512; leaky-relu slope=0.2; dense units=256; leaky-relu slope=0.2; dense units=1"

/* The 28x28 DCGAN of the TensorFlow tutorial. */
#define DCGAN_28_G                                                                                                        \
  "input z 100 noise=normal; dense units=12544 bias=no; batch-norm; " LEAKY_3 "reshape shape=7x7x256; "                     \
  "conv-transpose2d filters=128 kernel=5 padding=2 bias=no; batch-norm; " LEAKY_3                                          \
  "conv-transpose2d filters=64 kernel=5 stride=2 padding=2 output-padding=1 bias=no; batch-norm; " LEAKY_3                 \
  "conv-transpose2d filters=1 kernel=5 stride=2 padding=2 output-padding=1 bias=no; tanh"
#define DCGAN_28_D                                                                                                        \
  "input x 28x28x1; conv2d filters=64 kernel=5 stride=2 padding=2; " LEAKY_3 "dropout rate=0.3; "                          \
  "conv2d filters=128 kernel=5 stride=2 padding=2; " LEAKY_3 "dropout rate=0.3; flatten; dense units=1"

/* PyTorch-GAN's dcgan. */
#define DCGAN_32_G "input z 100 noise=normal; " DCGAN_32_UP
#define DCGAN_32_D "input x 32x32x1; " DCGAN_32_DOWN "dense units=1"

/* The 64x64 DCGAN of pytorch/examples. */
#define DCGAN_64_UP(filters) "conv-transpose2d filters=" filters " kernel=4 stride=2 padding=1 bias=no; batch-norm; relu; "
#define DCGAN_64_DOWN(filters) "conv2d filters=" filters " kernel=4 stride=2 padding=1 bias=no; batch-norm; " LEAKY_2
#define DCGAN_64_G                                                                                                        \
  "input z 1x1x100 noise=normal; conv-transpose2d filters=512 kernel=4 bias=no; batch-norm; relu; " DCGAN_64_UP("256")      \
    DCGAN_64_UP("128") DCGAN_64_UP("64") "conv-transpose2d filters=3 kernel=4 stride=2 padding=1 bias=no; tanh"
#define DCGAN_64_D                                                                                                        \
  "input x 64x64x3; conv2d filters=64 kernel=4 stride=2 padding=1 bias=no; " LEAKY_2 DCGAN_64_DOWN("128")                   \
    DCGAN_64_DOWN("256") DCGAN_64_DOWN("512") "conv2d filters=1 kernel=4 bias=no; flatten"

/* The 32x32 ResNet SNGAN. */
#define SNGAN_UP "residual-block filters=256 resample=up norm=batch-norm; "
#define SNGAN_G                                                                                                           \
  "input z 128 noise=normal; dense units=4096; reshape shape=4x4x256; " SNGAN_UP SNGAN_UP SNGAN_UP                          \
  "batch-norm; relu; conv2d filters=3 kernel=3 padding=1; tanh"
#define SNGAN_D                                                                                                           \
  "input x 32x32x3; residual-block filters=128 resample=down first=yes spectral-norm=yes; "                                \
  "residual-block filters=128 resample=down spectral-norm=yes; residual-block filters=128 spectral-norm=yes; "             \
  "residual-block filters=128 spectral-norm=yes; relu; global-average-pool; dense units=1 spectral-norm=yes"

const struct bench_case bench_cases[] = {
  {"mlp-seed-b1", SEED_G, SEED_D, 1, "non-saturating", NULL, 1, NULL},
  {"mlp-seed", SEED_G, SEED_D, 64, "non-saturating", NULL, 1, NULL},
  {"mlp-ptgan", PTGAN_G, PTGAN_D, 64, "non-saturating", NULL, 1, NULL},
  {"mlp-ptgan-wgangp", PTGAN_G, PTGAN_D, 64, "wasserstein", "wgan-gp weight=10", 1, NULL},
  {"dcgan-28", DCGAN_28_G, DCGAN_28_D, 64, "non-saturating", NULL, 1, NULL},
  {"dcgan-28-wgangp", DCGAN_28_G, DCGAN_28_D, 64, "wasserstein", "wgan-gp weight=10", 1, NULL},
  {"dcgan-32", DCGAN_32_G, DCGAN_32_D, 64, "non-saturating", NULL, 0, NULL},
  {"dcgan-64", DCGAN_64_G, DCGAN_64_D, 64, "non-saturating", NULL, 0, NULL},
  {"sngan-32", SNGAN_G, SNGAN_D, 64, "hinge", NULL, 1, NULL},
  {.name = "cgan", .batch = 64, .play = &play_cgan},
  {.name = "acgan", .batch = 64, .play = &play_acgan},
  {.name = "infogan", .batch = 64, .play = &play_infogan},
  {.name = "pix2pix", .batch = 1, .play = &play_pix2pix},
  {.name = "cyclegan", .batch = 1, .play = &play_cyclegan},
  {.name = "projection", .batch = 64, .play = &play_projection},
};
const int bench_case_count = sizeof bench_cases / sizeof bench_cases[0];

const char bench_adam[] = "adam rate=2e-4 beta1=0.5 beta2=0.999";

const struct bench_case *bench_case_find(const char *name) {
  for (int i = 0; i < bench_case_count; i++) {
    if (strcmp(bench_cases[i].name, name) == 0) return &bench_cases[i];
  }
  return NULL;
}

int bench_failed(const gan_context *context, gan_status status) {
  char text[1000] = "";
  gan_context_error(context, text, sizeof text, NULL);
  fprintf(stderr, "gan-bench: %s\n", text[0] ? text : gan_status_text(status));
  return 0;
}

int bench_context(gan_context **context, int threads) {
  gan_context_config config;
  gan_context_config_init(&config, sizeof config);
  config.threads = threads;
  gan_status status = gan_context_create(&config, context);
  return status == GAN_OK || bench_failed(NULL, status);
}

gan_status bench_network(gan_context *context, const char *name, const char *lines, gan_network **network) {
  gan_status status = gan_network_create(context, name, network);
  if (status != GAN_OK) return status;
  gan_network_build(*network, lines);
  return gan_network_finish(*network);
}

int bench_generator(gan_context *context, const struct bench_case *c, gan_network **network) {
  gan_status status = bench_network(context, "G", c->generator, network);
  return status == GAN_OK || bench_failed(context, status);
}

/* As the plan of a game has them. */
static gan_status count_flops(gan_game *game, gan_network *network, int64_t *flops) {
  gan_graph *step;
  gan_node *out;
  gan_status status = gan_game_add_step(game, "sample", &step);
  if (status != GAN_OK) return status;
  gan_node *z = gan_noise(step, network, "z");
  gan_network_apply(network, 0, 1, &z, 1, &out);
  gan_output(out, "samples");
  return gan_game_cost(game, "sample", NULL, flops);
}

int bench_generator_flops(gan_context *context, gan_network *network, int64_t batch, int64_t *flops) {
  gan_game_config config;
  gan_game *game = NULL;
  gan_game_config_init(&config, sizeof config);
  config.batch = batch;
  gan_status status = gan_game_create(context, &config, &game);
  if (status == GAN_OK) status = count_flops(game, network, flops);
  gan_game_free(game);
  return status == GAN_OK || bench_failed(context, status);
}

/* --------------------------------------------------------------------------------------------------------- a training step */

/* Everything that a step is made of; the game keeps what it needs. */
struct parts {
  gan_network *g, *d;
  gan_loss *loss, *penalty;
  gan_optimizer *of_g, *of_d;
};

static gan_status make_parts(struct parts *p, gan_context *context, const struct bench_case *c) {
  gan_status status = bench_network(context, "G", c->generator, &p->g);
  if (status == GAN_OK) status = bench_network(context, "D", c->discriminator, &p->d);
  if (status == GAN_OK) status = gan_loss_create(context, c->loss, &p->loss);
  if (status == GAN_OK && c->penalty) status = gan_loss_create(context, c->penalty, &p->penalty);
  if (status == GAN_OK) status = gan_optimizer_create(context, "D", bench_adam, &p->of_d);
  if (status == GAN_OK) status = gan_optimizer_create(context, "G", bench_adam, &p->of_g);
  if (status == GAN_OK) status = gan_optimizer_add(p->of_d, p->d, NULL, 1, 1);
  if (status == GAN_OK) status = gan_optimizer_add(p->of_g, p->g, NULL, 1, 1);
  return status;
}

static void free_parts(struct parts *p) {
  gan_optimizer_free(p->of_g);
  gan_optimizer_free(p->of_d);
  gan_loss_free(p->penalty);
  gan_loss_free(p->loss);
  gan_network_free(p->d);
  gan_network_free(p->g);
}

/* The shape of a batch of what D takes. */
static int32_t batch_shape(gan_network *d, const struct bench_case *c, int64_t shape[GAN_MAX_RANK]) {
  gan_port image = {.struct_size = sizeof image};
  gan_network_input_info(d, 0, &image);
  shape[0] = c->batch;
  memcpy(shape + 1, image.shape, (size_t)image.rank * sizeof *shape);
  return image.rank + 1;
}

/* Scores of real and generated samples; together, as the trainer does, where nothing in D couples the samples of a batch. */
static void apply_d(const struct parts *p, const struct bench_case *c, gan_node *real, gan_node *fake, gan_node *scores[2]) {
  if (!c->together) {
    scores[0] = gan_apply(p->d, real);
    scores[1] = gan_apply(p->d, fake);
    return;
  }
  gan_node *both = gan_apply(p->d, gan_concat(2, (gan_node *const[]){real, fake}, 0));
  scores[0] = gan_slice(both, 0, 0, c->batch);
  scores[1] = gan_slice(both, 0, c->batch, 2 * c->batch);
}

static void build_step(const struct parts *p, gan_graph *step, const struct bench_case *c) {
  int64_t shape[GAN_MAX_RANK];
  int32_t rank = batch_shape(p->d, c, shape);
  gan_node *real = gan_input(step, "real", GAN_F32, rank, shape), *scores[2];
  gan_phase(step, "D");
  gan_node *fake = gan_apply(p->g, gan_noise(step, p->g, "z"));
  apply_d(p, c, real, fake, scores);
  gan_node *loss = gan_loss_discriminator(p->loss, scores[0], scores[1]);
  if (p->penalty) loss = gan_add(loss, gan_loss_penalty(p->penalty, p->d, real, fake, 0, NULL));
  gan_minimize(p->of_d, loss);
  gan_phase(step, "G");
  gan_minimize(p->of_g, gan_loss_generator(p->loss, NULL, gan_apply(p->d, fake)));
}

/* The same real batch for every step, as the peers have it. */
static gan_status bind_data(const struct bench_game *b, const struct parts *p, const struct bench_case *c) {
  int64_t shape[GAN_MAX_RANK];
  int32_t rank = batch_shape(p->d, c, shape);
  gan_tensor *real = NULL;
  gan_status status = gan_tensor_create(b->context, GAN_F32, rank, shape, &real);
  if (status == GAN_OK) status = gan_tensor_random(real, "uniform low=-1 high=1", 2);
  if (status == GAN_OK) status = gan_game_bind(b->game, "real", real);
  gan_tensor_free(real);
  return status;
}

static gan_status make_game(struct bench_game *b, const struct parts *p, const struct bench_case *c) {
  gan_game_config config;
  gan_graph *step;
  gan_game_config_init(&config, sizeof config);
  config.batch = c->batch;
  gan_status status = gan_game_create(b->context, &config, &b->game);
  if (status == GAN_OK) status = gan_game_add_step(b->game, "train", &step);
  if (status != GAN_OK) return status;
  build_step(p, step, c);
  return gan_game_prepare(b->game);
}

int bench_game_make(struct bench_game *b, const struct bench_case *c, int threads) {
  struct parts parts = {0};
  if (c->play) return bench_play_make(b, c, threads, 0);
  *b = (struct bench_game){0};
  if (!bench_context(&b->context, threads)) return 0;
  gan_status status = make_parts(&parts, b->context, c);
  if (status == GAN_OK) status = make_game(b, &parts, c);
  if (status == GAN_OK) status = bind_data(b, &parts, c);
  free_parts(&parts);
  if (status == GAN_OK) return 1;
  bench_failed(b->context, status);
  bench_game_free(b);
  return 0;
}

void bench_game_free(struct bench_game *b) {
  gan_game_free(b->game);
  gan_context_free(b->context);
  *b = (struct bench_game){0};
}
