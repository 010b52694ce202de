#include "cases.h"

#include <stdio.h>
#include <string.h>

#define SEED_G "input z 100 noise=normal; dense units=128; relu; dense units=256; relu; dense units=784; tanh"
#define SEED_D "input x 784; dense units=256; relu; dense units=128; relu; dense units=1"
#define PTGAN_BLOCK(units) "dense units=" units "; batch-norm epsilon=0.8; leaky-relu slope=0.2; "
#define PTGAN_G                                                                                                    \
  "input z 100 noise=normal; dense units=128; leaky-relu slope=0.2; " PTGAN_BLOCK("256") PTGAN_BLOCK("512")        \
    PTGAN_BLOCK("1024") "dense units=784; tanh"
#define PTGAN_D "input x 784; dense units=512; leaky-relu slope=0.2; dense units=256; leaky-relu slope=0.2; dense units=1"

const struct bench_case bench_cases[] = {
  {"mlp-seed-b1", SEED_G, SEED_D, 1, 100, 784, "non-saturating", NULL},
  {"mlp-seed", SEED_G, SEED_D, 64, 100, 784, "non-saturating", NULL},
  {"mlp-ptgan", PTGAN_G, PTGAN_D, 64, 100, 784, "non-saturating", NULL},
  {"mlp-ptgan-wgangp", PTGAN_G, PTGAN_D, 64, 100, 784, "wasserstein", "wgan-gp weight=10"},
};
const int bench_case_count = sizeof bench_cases / sizeof bench_cases[0];

static const char ADAM[] = "adam rate=2e-4 beta1=0.5 beta2=0.999";

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

static gan_status make_network(gan_context *context, const char *name, const char *lines, gan_network **network) {
  gan_status status = gan_network_create(context, name, network);
  if (status != GAN_OK) return status;
  gan_network_build(*network, lines);
  return gan_network_finish(*network);
}

int bench_generator(gan_context *context, const struct bench_case *c, gan_network **network) {
  gan_status status = make_network(context, "G", c->generator, network);
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
  gan_status status = make_network(context, "G", c->generator, &p->g);
  if (status == GAN_OK) status = make_network(context, "D", c->discriminator, &p->d);
  if (status == GAN_OK) status = gan_loss_create(context, c->loss, &p->loss);
  if (status == GAN_OK && c->penalty) status = gan_loss_create(context, c->penalty, &p->penalty);
  if (status == GAN_OK) status = gan_optimizer_create(context, "D", ADAM, &p->of_d);
  if (status == GAN_OK) status = gan_optimizer_create(context, "G", ADAM, &p->of_g);
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

static void build_step(const struct parts *p, gan_graph *step, const struct bench_case *c) {
  const int64_t shape[] = {c->batch, c->sample};
  gan_node *real = gan_input(step, "real", GAN_F32, 2, shape);
  gan_phase(step, "D");
  gan_node *fake = gan_apply(p->g, gan_noise(step, p->g, "z"));
  /* As the trainer does: nothing in these D's couples the batch, so that real and fake samples go through together. */
  gan_node *scores = gan_apply(p->d, gan_concat(2, (gan_node *const[]){real, fake}, 0));
  gan_node *of_real = gan_slice(scores, 0, 0, c->batch), *of_fake = gan_slice(scores, 0, c->batch, 2 * c->batch);
  gan_node *loss = gan_loss_discriminator(p->loss, of_real, of_fake);
  if (p->penalty) loss = gan_add(loss, gan_loss_penalty(p->penalty, p->d, real, fake, 0, NULL));
  gan_minimize(p->of_d, loss);
  gan_phase(step, "G");
  gan_minimize(p->of_g, gan_loss_generator(p->loss, NULL, gan_apply(p->d, fake)));
}

/* The same real batch for every step, as the peers have it. */
static gan_status bind_data(const struct bench_game *b, const struct bench_case *c) {
  const int64_t shape[] = {c->batch, c->sample};
  gan_tensor *real = NULL;
  gan_status status = gan_tensor_create(b->context, GAN_F32, 2, shape, &real);
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
  *b = (struct bench_game){0};
  if (!bench_context(&b->context, threads)) return 0;
  gan_status status = make_parts(&parts, b->context, c);
  if (status == GAN_OK) status = make_game(b, &parts, c);
  if (status == GAN_OK) status = bind_data(b, c);
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
