/* Makes a game of games.c, and fills it by formula. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "games.h"

enum { LONGEST = 8192, LOSS_BATCH = 8 };

/* ------------------------------------------------------------------------------------------------------- by formula */

/* Element i of a stream, in -1 .. 1: the finalizer of MurmurHash3 (Appleby 2011) on a counter. */
static float mixed(uint32_t stream, int64_t i) {
  uint32_t x = (uint32_t)i + stream * 0x9E3779B9u;
  x = (x ^ x >> 16) * 0x85EBCA6Bu;
  x = (x ^ x >> 13) * 0xC2B2AE35u;
  return (float)((x ^ x >> 16) >> 8) * 0x1p-23f - 1;
}

static gan_status fill(gan_tensor *tensor, uint32_t stream, float scale) {
  float *at = gan_tensor_data(tensor);
  for (int64_t i = 0; i < gan_tensor_count(tensor); i++) at[i] = scale * mixed(stream, i);
  return GAN_OK;
}

static gan_status fill_labels(gan_tensor *tensor, uint32_t stream) {
  int32_t *at = gan_tensor_data(tensor);
  for (int64_t i = 0; i < gan_tensor_count(tensor); i++) at[i] = (int32_t)(5 * (mixed(stream, i) + 1));
  return GAN_OK;
}

/* Within 1 / sqrt of what a row has; biases within 0.1. Norms stay as they begin. */
static gan_status fill_variable(gan_context *context, gan_network *network, const gan_variable *v, uint32_t stream) {
  gan_tensor *tensor = NULL;
  float row = 1;
  for (int32_t i = 1; i < v->rank; i++) row *= (float)v->shape[i];
  float scale = v->rank == 1 ? 0.1f : 1 / sqrtf(row);
  gan_status status = gan_tensor_create(context, GAN_F32, v->rank, v->shape, &tensor);
  if (status == GAN_OK) status = fill(tensor, stream, scale);
  if (status == GAN_OK) status = gan_network_set(network, v->path, tensor);
  gan_tensor_free(tensor);
  return status;
}

static gan_status fill_network(gan_context *context, gan_network *network, uint32_t stream) {
  gan_status status = GAN_OK;
  for (int32_t i = 0; status == GAN_OK && i < gan_network_variable_count(network); i++) {
    gan_variable v = {.struct_size = sizeof v};
    status = gan_network_variable_info(network, i, &v);
    if (status != GAN_OK || !v.trainable || strstr(v.path, "norm")) continue;
    status = fill_variable(context, network, &v, stream++);
  }
  return status;
}

static gan_status bind_input(const struct bench_game *b, const char *name, const gan_node *node, uint32_t stream) {
  int64_t shape[GAN_MAX_RANK];
  gan_tensor *tensor = NULL;
  for (int32_t i = 0; i < gan_node_rank(node); i++) shape[i] = gan_node_size(node, i);
  gan_status status = gan_tensor_create(b->context, gan_node_type(node), gan_node_rank(node), shape, &tensor);
  if (status == GAN_OK) status = gan_node_type(node) == GAN_I32 ? fill_labels(tensor, stream) : fill(tensor, stream, 1);
  if (status == GAN_OK) status = gan_game_bind(b->game, name, tensor);
  gan_tensor_free(tensor);
  return status;
}

static gan_status fill_all(const struct bench_game *b, const struct play *p) {
  gan_status status = GAN_OK;
  for (int i = 0; status == GAN_OK && i < p->n_inputs; i++)
    status = bind_input(b, p->inputs[i].name, p->inputs[i].node, (uint32_t)i + 1);
  for (int i = 0; status == GAN_OK && p->given && i < PLAY_NETWORKS && p->networks[i]; i++)
    status = fill_network(b->context, p->networks[i], 1000 * ((uint32_t)i + 1));
  return status;
}

/* ----------------------------------------------------------------------------------------------------------- the game */

/* The lines with every rate of a dropout 0. */
static void without_dropout(const char *lines, char out[LONGEST]) {
  const char *at;
  snprintf(out, LONGEST, "%s", lines);
  while ((at = strstr(out, "rate=0."))) {
    const char *rest = at + strlen("rate=0.");
    rest += strspn(rest, "0123456789");
    memmove(out + (at - out) + strlen("rate=0"), rest, strlen(rest) + 1);
  }
}

static gan_status make_network(struct play *p, gan_context *context, const char *lines, int index) {
  char kept[LONGEST];
  const char name[] = {(char)('1' + index), 0};
  if (p->given) without_dropout(lines, kept);
  return bench_network(context, name, p->given ? kept : lines, &p->networks[index]);
}

/* With the usual epsilon Adam's first steps are signs: gradients that are nothing but rounding move weights as far as others.
 * Deep networks that normalise single images make of this, within two steps, a difference in the third digit. With this
 * epsilon steps follow the gradients. */
static const char GENTLE_ADAM[] = "adam rate=1e-4 beta1=0.5 beta2=0.999 epsilon=1";

static gan_status make_optimizer(struct play *p, gan_context *context, const struct bench_play *play, int index) {
  const char name[] = {(char)('1' + index), 0}, *text = play->gentle && p->given ? GENTLE_ADAM : bench_adam;
  gan_status status = gan_optimizer_create(context, name, text, &p->optimizers[index]);
  for (int i = 0; status == GAN_OK && i < PLAY_NETWORKS; i++)
    if (play->optimized[index] >> i & 1) status = gan_optimizer_add(p->optimizers[index], p->networks[i], NULL, 1, 1);
  return status;
}

static gan_status make_parts(struct play *p, gan_context *context, const struct bench_play *play) {
  gan_status status = GAN_OK;
  for (int i = 0; status == GAN_OK && i < PLAY_NETWORKS && play->networks[i]; i++)
    status = make_network(p, context, play->networks[i], i);
  for (int i = 0; status == GAN_OK && i < PLAY_OPTIMIZERS && play->optimized[i]; i++)
    status = make_optimizer(p, context, play, i);
  return status;
}

static void free_parts(struct play *p) {
  for (int i = 0; i < PLAY_OPTIMIZERS; i++) gan_optimizer_free(p->optimizers[i]);
  for (int i = 0; i < PLAY_NETWORKS; i++) gan_network_free(p->networks[i]);
}

static gan_status make_game(struct bench_game *b, struct play *p, const struct bench_play *play) {
  gan_game_config config;
  gan_game_config_init(&config, sizeof config);
  config.batch = p->batch;
  gan_status status = gan_game_create(b->context, &config, &b->game);
  if (status == GAN_OK) status = gan_game_add_step(b->game, "train", &p->step);
  if (status != GAN_OK) return status;
  play->build(p);
  return gan_game_prepare(b->game);
}

int bench_play_make(struct bench_game *b, const struct bench_case *c, int threads, int given) {
  struct play p = {.batch = c->batch, .given = given};
  *b = (struct bench_game){0};
  if (!bench_context(&b->context, threads)) return 0;
  gan_status status = make_parts(&p, b->context, c->play);
  if (status == GAN_OK) status = make_game(b, &p, c->play);
  if (status == GAN_OK) status = fill_all(b, &p);
  free_parts(&p);
  if (status == GAN_OK) return 1;
  bench_failed(b->context, status);
  bench_game_free(b);
  return 0;
}

/* ------------------------------------------------------------------------------------------------------------- losses */

static gan_status print_step(const struct bench_game *b, const struct bench_case *c, int step) {
  char name[] = "loss1";
  double loss;
  gan_status status = gan_game_step(b->game, "train");
  if (status != GAN_OK) return status;
  printf("{\"case\": \"%s\", \"step\": %d, \"losses\": [", c->name, step);
  for (int i = 0; status == GAN_OK && i < PLAY_OPTIMIZERS && c->play->optimized[i]; i++) {
    name[4] = (char)('1' + i);
    status = gan_game_value(b->game, "train", name, &loss);
    if (status == GAN_OK) printf("%s%.7f", i ? ", " : "", loss);
  }
  puts("]}");
  return status;
}

int bench_losses(const struct bench_case *c, int threads) {
  struct bench_game b;
  struct bench_case few = *c;
  gan_status status = GAN_OK;
  if (!c->play) return fprintf(stderr, "gan-bench: --losses is for the games, of which %s is none\n", c->name), 0;
  if (few.batch > LOSS_BATCH) few.batch = LOSS_BATCH;
  if (!bench_play_make(&b, &few, threads, 1)) return 0;
  for (int step = 1; status == GAN_OK && step <= 3; step++) status = print_step(&b, c, step);
  if (status != GAN_OK) bench_failed(b.context, status);
  bench_game_free(&b);
  return status == GAN_OK;
}
