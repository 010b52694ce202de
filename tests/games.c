#include "games.h"

#include <stdlib.h>
#include <string.h>

#include "nn/network.h"

gan_context *make_context(struct allocator *a, int32_t threads) {
  gan_context_config c;
  gan_context *ctx = NULL;
  gan_context_config_init(&c, sizeof c);
  if (a) c = allocator_config(a);
  c.threads = threads;
  c.deterministic = 1;
  assert_int_equal(gan_context_create(&c, &ctx), GAN_OK);
  return ctx;
}

gan_network *make_network(gan_context *ctx, const char *name, const char *lines) {
  gan_network *n = NULL;
  must(ctx, gan_network_create(ctx, name, &n));
  gan_network_build(n, lines);
  must(ctx, gan_network_finish(n));
  return n;
}

gan_network *make_generator(gan_context *ctx) {
  return make_network(ctx, "G", "input z 4 noise=normal; dense units=16; batch-norm; relu; dense units=2");
}

gan_network *make_discriminator(gan_context *ctx) {
  return make_network(ctx, "D",
                      "input x 2; dense units=16; leaky-relu slope=0.2; dense units=16; leaky-relu slope=0.2; dense units=1");
}

gan_tensor *make_tensor(gan_context *ctx, int32_t rank, const int64_t *shape, const float *values) {
  gan_tensor *t = NULL;
  must(ctx, gan_tensor_create(ctx, GAN_F32, rank, shape, &t));
  if (values) memcpy(gan_tensor_data(t), values, (size_t)gan_tensor_count(t) * sizeof *values);
  return t;
}

gan_data *make_points(gan_context *ctx, int64_t count) {
  gan_data *d = NULL;
  gan_tensor *t = make_tensor(ctx, 2, (int64_t[]){count, 2}, NULL);
  must(ctx, gan_tensor_random(t, "normal", 7));
  float *x = gan_tensor_data(t);
  for (int64_t i = 0; i < count; i++) {
    x[2 * i] = 2 + 0.5f * x[2 * i];
    x[2 * i + 1] = -1 + 0.25f * x[2 * i + 1];
  }
  must(ctx, gan_data_create(ctx, &d));
  must(ctx, gan_data_add(d, "point", t, NULL));
  gan_tensor_free(t);
  return d;
}

void assert_sentence(gan_context *ctx, const char *part) {
  char text[1024];
  gan_context_error(ctx, text, sizeof text, NULL);
  if (!strstr(text, part)) fail_msg("the sentence is '%s', without '%s'", text, part);
}

float *copy_weights(gan_network *network, int64_t *count) {
  int64_t total = 0, at = 0;
  assert_int_equal(gan_network_finish(network), GAN_OK);
  for (int64_t i = 0; i < network->n_variables; i++) total += network->variables[i].variable->count;
  float *all = malloc((size_t)total * sizeof *all);
  for (int64_t i = 0; i < network->n_variables; i++) {
    const struct variable *v = network->variables[i].variable;
    memcpy(all + at, v->data, (size_t)v->count * sizeof *all);
    at += v->count;
  }
  if (count) *count = total;
  return all;
}

double value_of(gan_game *game, const char *step, const char *output) {
  double value = 0;
  assert_int_equal(gan_game_value(game, step, output, &value), GAN_OK);
  return value;
}

/* ------------------------------------------------------------------ a game with one step */

/* x times a parameter; a state counts the applications that were committed. */
static gan_node *counting_layer(void *user, gan_layer_call *call, int32_t count, gan_node *const *in) {
  (void)user, (void)count;
  gan_node *w = gan_layer_parameter(call, "w", 1, (int64_t[]){2}, "normal std=1");
  gan_node *n = gan_layer_state(call, "n", 0, NULL, "zeros");
  if (gan_layer_training(call)) gan_layer_assign(call, "n", gan_shift(n, 1));
  return gan_mul(in[0], w);
}

/* No parameters, only a state. */
static gan_node *tally_layer(void *user, gan_layer_call *call, int32_t count, gan_node *const *in) {
  (void)user, (void)count;
  gan_layer_assign(call, "n", gan_shift(gan_layer_state(call, "n", 0, NULL, "zeros"), 1));
  return gan_scale(in[0], 2);
}

void table_fill(struct table *t) {
  must(t->ctx, gan_context_add_layer(t->ctx, "counting", counting_layer, NULL, NULL));
  must(t->ctx, gan_context_add_layer(t->ctx, "tally", tally_layer, NULL, NULL));
  must(t->ctx, gan_game_create(t->ctx, NULL, &t->game));
  must(t->ctx, gan_game_add_step(t->game, "s", &t->graph));
}

struct table table_open(void) {
  struct table t = {.ctx = make_context(NULL, 1)};
  table_fill(&t);
  return t;
}

void table_close(struct table *t) {
  gan_game_free(t->game);
  gan_context_free(t->ctx);
}

gan_optimizer *make_optimizer(gan_context *ctx, const char *name, const char *text, gan_network *n, const char *pattern) {
  gan_optimizer *o = NULL;
  must(ctx, gan_optimizer_create(ctx, name, text, &o));
  if (n) must(ctx, gan_optimizer_add(o, n, pattern, 1, 1));
  return o;
}

void bind2(struct table *t, const char *name, float a, float b) {
  gan_tensor *x = make_tensor(t->ctx, 1, (int64_t[]){2}, (float[]){a, b});
  must(t->ctx, gan_game_bind(t->game, name, x));
  gan_tensor_free(x);
}

double number(struct table *t, gan_network *n, const char *path) {
  gan_tensor *x;
  double value;
  must(t->ctx, gan_tensor_create(t->ctx, GAN_F64, 0, NULL, &x));
  must(t->ctx, gan_network_get(n, path, x));
  value = *(double *)gan_tensor_data(x);
  gan_tensor_free(x);
  return value;
}

void pair(struct table *t, gan_network *n, const char *path, double out[2]) {
  gan_tensor *x;
  must(t->ctx, gan_tensor_create(t->ctx, GAN_F64, 1, (int64_t[]){2}, &x));
  must(t->ctx, gan_network_get(n, path, x));
  memcpy(out, gan_tensor_data(x), 2 * sizeof *out);
  gan_tensor_free(x);
}

gan_node *input2(struct table *t, const char *name) {
  return gan_input(t->graph, name, GAN_F32, 2, (int64_t[]){1, 2});
}

gan_node *apply(gan_network *n, gan_node *x) { return gan_sum(gan_apply(n, x)); }
