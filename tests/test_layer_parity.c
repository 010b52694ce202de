/* Layers beside PyTorch: forward, backward, state and evaluation of every line of fixtures/layers.txt, which make_layers.py wrote.
 * Both sides make inputs and weights by one formula; of each result the file has two weighted sums and the norm. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gan.h"

enum { INPUTS = 2, RESULTS = 24, NAME = 100 };
static const double TOLERANCE = 2e-5; /* times the norm of the result, or the square root of its size if that is more */

static gan_context *context;

static void check(gan_status status, const char *what) {
  char text[1000] = "";
  if (status == GAN_OK) return;
  gan_context_error(context, text, sizeof text, NULL);
  fail_msg("%s: %s: %s", what, gan_status_text(status), text);
}

/* ------------------------------------------------------------------------------------------------------ numbers by formula */

/* As in test_parity.c. */
static float number(uint32_t stream, uint32_t i, float scale, float offset) {
  uint32_t x = i + stream * 0x9E3779B1u;
  x = (x ^ x >> 16) * 0x7FEB352Du;
  x = (x ^ x >> 15) * 0x846CA68Bu;
  x ^= x >> 16;
  volatile float unit = (float)(x >> 8) * 0x1p-23f - 1.0f, scaled = unit * scale;
  return scaled + offset;
}

static gan_tensor *numbers(uint32_t stream, int32_t rank, const int64_t *shape, float scale, float offset) {
  gan_tensor *t = NULL;
  check(gan_tensor_create(context, GAN_F32, rank, shape, &t), "numbers");
  float *data = gan_tensor_data(t);
  for (int64_t i = 0; i < gan_tensor_count(t); i++) data[i] = number(stream, (uint32_t)i, scale, offset);
  return t;
}

/* ------------------------------------------------------------------------------------------------------------------- cases */

struct shape { int32_t rank; int64_t size[GAN_MAX_RANK], classes; };
struct result { char name[NAME]; int64_t count; double sum[2], norm; };

struct line {
  char text[400];
  struct shape in[INPUTS];
  int32_t n_in, n_results;
  uint32_t stream;
  struct result results[RESULTS];
};

static const char *read_shape(const char *s, struct shape *shape) {
  char *end;
  *shape = (struct shape){0};
  do {
    shape->size[shape->rank++] = strtoll(s, &end, 10);
    s = end + 1;
  } while (*end == 'x');
  if (*end != ':') return end;
  shape->classes = strtoll(end + 2, &end, 10);
  return end;
}

static void read_result(const char *s, struct result *r) {
  struct shape shape;
  int length = 0;
  assert_int_equal(sscanf(s, " %99s %n", r->name, &length), 1);
  char *end = (char *)read_shape(s + length, &shape);
  r->count = 1;
  for (int32_t d = 0; d < shape.rank; d++) r->count *= shape.size[d];
  for (int32_t i = 0; i < 2; i++) r->sum[i] = strtod(end, &end);
  r->norm = strtod(end, &end);
}

/* TEXT | SHAPES | STREAM | RESULT | .. */
static void read_line(char *s, struct line *l) {
  memset(l, 0, sizeof *l);
  char *rest, *part = strtok_r(s, "|", &rest);
  snprintf(l->text, sizeof l->text, "%s", part);
  part = strtok_r(NULL, "|", &rest);
  for (const char *at = part; at && strspn(at, " ") < strlen(at);) {
    assert_true(l->n_in < INPUTS);
    at = read_shape(at + strspn(at, " "), &l->in[l->n_in++]);
  }
  l->stream = (uint32_t)atoll(strtok_r(NULL, "|", &rest));
  while ((part = strtok_r(NULL, "|", &rest))) {
    assert_true(l->n_results < RESULTS);
    read_result(part, &l->results[l->n_results++]);
  }
}

/* --------------------------------------------------------------------------------------------------------------- the layer */

struct bench {
  const struct line *line;
  gan_network *network;
  gan_game *game;
  gan_optimizer *optimizer;
  int32_t parameters;
};

static const char *input_name(int32_t i) { return i ? "b" : "a"; }

static void make_network(struct bench *b) {
  const struct line *l = b->line;
  char spec[200], text[500];
  check(gan_network_create(context, "N", &b->network), l->text);
  for (int32_t i = 0; i < l->n_in; i++) {
    const struct shape *in = &l->in[i];
    spec[0] = 0;
    for (int32_t d = 1; d < in->rank; d++) snprintf(spec + strlen(spec), 30, "%s%d", d > 1 ? "x" : "", (int)in->size[d]);
    if (in->classes) snprintf(spec + strlen(spec), 30, " classes=%d", (int)in->classes);
    gan_network_input(b->network, input_name(i), spec);
  }
  snprintf(text, sizeof text, "%.399s name=it from=%s", l->text, l->n_in > 1 ? "a,b" : "a");
  gan_network_add(b->network, text);
  check(gan_network_finish(b->network), l->text);
}

/* As value_of() of the script. */
static void fill_variables(struct bench *b) {
  static const char *const near_one[] = {"weight", "running_var", "gamma", "scale_bias", "reference_var"};
  for (int32_t i = 0; i < gan_network_variable_count(b->network); i++) {
    gan_variable v = {.struct_size = sizeof v};
    check(gan_network_variable_info(b->network, i, &v), b->line->text);
    float offset = !strcmp(strrchr(v.path, '/') + 1, "weight_g");
    for (size_t k = 0; k < sizeof near_one / sizeof *near_one; k++)
      if (v.rank < 2 && !strcmp(strrchr(v.path, '/') + 1, near_one[k])) offset = 1;
    gan_tensor *t = numbers(b->line->stream + (uint32_t)i, v.rank, v.shape, v.rank < 2 ? 0.25f : 0.5f, offset);
    check(gan_network_set(b->network, v.path, t), v.path);
    gan_tensor_free(t);
    b->parameters += v.trainable;
  }
}

static void make_inputs(const struct bench *b, gan_graph *step, gan_node **x) {
  for (int32_t i = 0; i < b->line->n_in; i++) {
    const struct shape *in = &b->line->in[i];
    x[i] = gan_input(step, input_name(i), in->classes ? GAN_I32 : GAN_F32, in->rank, in->size);
  }
}

static void add_gradients(const struct bench *b, gan_graph *step, gan_node *loss, gan_node *const *x) {
  char name[NAME];
  for (int32_t i = 0; i < b->line->n_in; i++) {
    snprintf(name, sizeof name, "d%d", (int)i);
    if (!b->line->in[i].classes) gan_output(gan_gradient(loss, x[i]), name);
  }
  for (int32_t i = 0; i < b->parameters; i++) {
    gan_variable v = {.struct_size = sizeof v};
    check(gan_network_variable_info(b->network, i, &v), b->line->text);
    snprintf(name, sizeof name, "d:%s", v.path + strlen("it/"));
    gan_output(gan_gradient(loss, gan_variable_node(step, b->network, v.path)), name);
  }
}

/* One step that trains, by an optimizer that moves nothing, so that state moves; one that evaluates. */
static void make_game(struct bench *b) {
  gan_graph *train, *evaluate;
  gan_node *x[INPUTS], *y;
  check(gan_game_create(context, NULL, &b->game), b->line->text);
  check(gan_game_add_step(b->game, "train", &train), b->line->text);
  check(gan_game_add_step(b->game, "evaluate", &evaluate), b->line->text);
  make_inputs(b, train, x);
  gan_network_apply(b->network, 1, b->line->n_in, x, 1, &y);
  int64_t shape[GAN_MAX_RANK];
  for (int32_t d = 0; d < gan_node_rank(y); d++) shape[d] = gan_node_size(y, d);
  check(gan_graph_check(train), b->line->text);
  gan_tensor *weights = numbers(b->line->stream + 200, gan_node_rank(y), shape, 1, 0);
  gan_node *loss = gan_sum(gan_mul(gan_output(y, "y"), gan_constant_tensor(train, weights)));
  add_gradients(b, train, loss, x);
  if (b->parameters) {
    check(gan_optimizer_create(context, "o", "sgd rate=0", &b->optimizer), b->line->text);
    check(gan_optimizer_add(b->optimizer, b->network, NULL, 1, 1), b->line->text);
    gan_minimize(b->optimizer, loss);
  }
  make_inputs(b, evaluate, x);
  gan_network_apply(b->network, 0, b->line->n_in, x, 1, &y);
  gan_output(y, "e");
  gan_tensor_free(weights);
}

static void bind(const struct bench *b) {
  for (int32_t i = 0; i < b->line->n_in; i++) {
    const struct shape *in = &b->line->in[i];
    gan_tensor *t = NULL;
    if (in->classes) check(gan_tensor_create(context, GAN_I32, in->rank, in->size, &t), b->line->text);
    else t = numbers(b->line->stream + 100 + (uint32_t)i, in->rank, in->size, 1, 0);
    int32_t *labels = gan_tensor_data(t);
    for (int64_t j = 0; in->classes && j < gan_tensor_count(t); j++) labels[j] = (int32_t)((j * 7 + 3) % in->classes);
    check(gan_game_bind(b->game, input_name(i), t), b->line->text);
    gan_tensor_free(t);
  }
}

/* ----------------------------------------------------------------------------------------------------------------- results */

static void compare(const struct bench *b, const struct result *r, const float *values) {
  double sum[2] = {0}, squares = 0;
  for (int64_t i = 0; i < r->count; i++) {
    for (uint32_t k = 0; k < 2; k++) sum[k] += (double)values[i] * (double)number(b->line->stream + 300 + k, (uint32_t)i, 1, 0);
    squares += (double)values[i] * (double)values[i];
  }
  double allowed = TOLERANCE * fmax(r->norm, sqrt((double)r->count));
  double came[3] = {sum[0], sum[1], sqrt(squares)}, expected[3] = {r->sum[0], r->sum[1], r->norm};
  for (int32_t k = 0; k < 3; k++) {
    if (fabs(came[k] - expected[k]) <= allowed) continue;
    fail_msg("%s: %s: number %d is %.8g, but PyTorch has %.8g", b->line->text, r->name, k, came[k], expected[k]);
  }
}

static void compare_result(const struct bench *b, const struct result *r) {
  gan_tensor *t = NULL;
  char path[NAME + 10];
  check(gan_tensor_create(context, GAN_F32, 1, &r->count, &t), r->name);
  if (!strncmp(r->name, "s:", 2)) {
    snprintf(path, sizeof path, "it/%s", r->name + 2);
    check(gan_network_get(b->network, path, t), b->line->text);
  } else {
    check(gan_game_read(b->game, strcmp(r->name, "e") ? "train" : "evaluate", r->name, t), b->line->text);
  }
  compare(b, r, gan_tensor_data(t));
  gan_tensor_free(t);
}

static void follow(const struct line *l) {
  struct bench b = {.line = l};
  make_network(&b);
  fill_variables(&b);
  make_game(&b);
  bind(&b);
  check(gan_game_step(b.game, "train"), l->text);
  check(gan_game_step(b.game, "evaluate"), l->text);
  for (int32_t i = 0; i < l->n_results; i++) compare_result(&b, &l->results[i]);
  gan_game_free(b.game);
  gan_optimizer_free(b.optimizer);
  gan_network_free(b.network);
}

/* Every line of the file, on every instruction set that there is. */
static void test_layers(void **state) {
  char path[1000], text[8192];
  const char *data = getenv("GAN_TEST_DATA"), *end = data ? strrchr(data, '/') : NULL; /* fixtures lie beside data */
  static struct line line;
  int32_t count = 0;
  (void)state;
  snprintf(path, sizeof path, "%.*s/fixtures/layers.txt", end ? (int)(end - data) : 5, end ? data : "tests");
  FILE *file = fopen(path, "rb");
  if (!file) fail_msg("%s cannot be opened", path);
  while (fgets(text, sizeof text, file)) {
    read_line(text, &line);
    for (int32_t isa = GAN_ISA_BASELINE; isa <= GAN_ISA_AVX512; isa++) {
      gan_context_config config;
      check(gan_context_config_init(&config, sizeof config), "config");
      config.threads = 1;
      config.isa = isa;
      if (gan_context_create(&config, &context) != GAN_OK) continue;
      follow(&line);
      gan_context_free(context);
    }
    count++;
  }
  fclose(file);
  assert_true(count >= 400);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_layers)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
