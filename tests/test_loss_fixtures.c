/* Losses, penalties and functions of nodes beside PyTorch: values, gradients, and gradients to weights, each within 1e-5 of the
 * largest number of its kind. tests/fixtures/losses.txt holds the cases, make_loss_fixtures.py says how it is written. */
#include "games.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "loss_functions.h"
#include "train/loss.h"

static const double TOLERANCE = 1e-5;

enum { WORD = 400, ARRAYS = 40, NETWORKS = 2, PORTS = 8 };

struct array { char name[WORD]; int32_t rank, type; int64_t shape[GAN_MAX_RANK], count; double *values; };

/* One case under way. */
struct scene_case {
  char kind[WORD], text[WORD];
  struct array in[ARRAYS], drawn[ARRAYS];
  int32_t n_in, n_drawn, built;
  gan_context *ctx;
  gan_game *game;
  gan_graph *graph;
  gan_loss *loss;
  gan_network *network[NETWORKS];     /* discriminator, generator */
  gan_node *node[ARRAYS], *outputs[2][PORTS], *generated[PORTS];
  int32_t n_generated;
  int64_t checked;
};

/* ---------------------------------------------------------------------------------------------------------------- reading */

static char *fixture;

static void read_fixture(void) {
  char path[1000];
  const char *data = getenv("GAN_TEST_DATA"), *end = data ? strrchr(data, '/') : NULL; /* fixtures lie beside data */
  snprintf(path, sizeof path, "%.*s/fixtures/losses.txt", end ? (int)(end - data) : 5, end ? data : "tests");
  FILE *file = fopen(path, "rb");
  if (!file) fail_msg("%s cannot be opened", path);
  fseek(file, 0, SEEK_END);
  size_t size = (size_t)ftell(file);
  rewind(file);
  fixture = malloc(size + 1);
  assert_non_null(fixture);
  assert_int_equal(fread(fixture, 1, size, file), size);
  fixture[size] = 0;
  fclose(file);
}

static char *take_word(char **at, char *word) {
  size_t n = strcspn(*at, " ");
  assert_true(n < WORD);
  memcpy(word, *at, n);
  word[n] = 0;
  *at += n + ((*at)[n] == ' ');
  return word;
}

/* "2x3 values" */
static void read_array(struct array *a, char *at) {
  char shape[WORD], *s = take_word(&at, shape);
  a->rank = 0;
  a->count = 1;
  for (; isdigit((unsigned char)*s); s += *s == 'x') a->count *= a->shape[a->rank++] = strtoll(s, &s, 10);
  a->values = malloc((size_t)a->count * sizeof *a->values);
  for (int64_t i = 0; i < a->count; i++) a->values[i] = strtod(at, &at);
}

static void free_arrays(struct array *list, int32_t count) {
  for (int32_t i = 0; i < count; i++) free(list[i].values);
}

static gan_tensor *tensor_of(gan_context *ctx, const struct array *a) {
  gan_tensor *t = NULL;
  must(ctx, gan_tensor_create(ctx, a->type, a->rank, a->shape, &t));
  must(ctx, gan_tensor_write(t, 0, a->count, GAN_F64, a->values));
  return t;
}

/* --------------------------------------------------------------------------------------------------------------- building */

static int32_t role_index(const char *role) { return strcmp(role, "G") == 0; }

/* The node of an input; NULL if the case has none of that name. */
static gan_node *input(struct scene_case *c, const char *name) {
  for (int32_t i = 0; i < c->n_in; i++)
    if (strcmp(c->in[i].name, name) == 0) return c->node[i];
  return NULL;
}

/* "real", "real1", "real2": scores and further outputs of D at real samples. */
static int32_t outputs_of(struct scene_case *c, const char *side, gan_node **outputs) {
  char name[WORD];
  for (int32_t i = 0; i < PORTS; i++) {
    snprintf(name, sizeof name, i ? "%s%d" : "%s", side, i);
    outputs[i] = input(c, name);
    if (!outputs[i]) return i;
  }
  return PORTS;
}

/* "z0", "z1": what G is applied to, if there is a G. */
static void generate(struct scene_case *c, gan_scene *scene) {
  char name[WORD];
  gan_network *g = c->network[1];
  for (c->n_generated = 0; c->n_generated < PORTS; c->n_generated++) {
    snprintf(name, sizeof name, "z%d", c->n_generated);
    c->generated[c->n_generated] = input(c, name);
    if (!c->generated[c->n_generated]) break;
  }
  scene->inputs = c->generated;
  scene->n_inputs = c->n_generated;
  if (g && c->n_generated) gan_network_apply(g, 1, c->n_generated, c->generated, 1, &scene->fake);
}

static gan_scene scene_of(struct scene_case *c) {
  gan_scene s;
  assert_int_equal(gan_scene_init(&s, sizeof s), GAN_OK);
  s.graph = c->graph;
  s.discriminator = c->network[0];
  s.generator = c->network[1];
  s.real = input(c, "real_samples");
  s.fake = input(c, "fake_samples");
  s.real_labels = input(c, "real_labels");
  s.fake_labels = input(c, "fake_labels");
  s.real_weights = input(c, "real_weights");
  s.fake_weights = input(c, "fake_weights");
  s.real_outputs = c->outputs[0];
  s.fake_outputs = c->outputs[1];
  s.n_outputs = outputs_of(c, "real", c->outputs[0]);
  int32_t n_fake = outputs_of(c, "fake", c->outputs[1]);
  if (n_fake > s.n_outputs) s.n_outputs = n_fake;
  generate(c, &s);
  return s;
}

static const struct array *drawn_by(const struct scene_case *c, const gan_node *n) {
  for (int32_t i = 0; i < c->n_drawn; i++)
    if (rng_hash(c->drawn[i].name) == n->attr.stream && c->drawn[i].count == n->count) return &c->drawn[i];
  fail_msg("%s: a node draws numbers that are not in the case", c->text);
  return NULL;
}

/* Random nodes get the numbers of the case. */
static void fix_random(struct scene_case *c) {
  int32_t fixed = 0;
  for (int64_t i = 0; i < c->graph->n_nodes; i++) {
    gan_node *n = c->graph->nodes[i];
    if (n->op != &op_random) continue;
    const struct array *a = drawn_by(c, n);
    float *values = graph_alloc(c->graph, (size_t)n->count * sizeof *values);
    for (int64_t k = 0; k < n->count; k++) values[k] = (float)a->values[k];
    n->op = &op_tensor;
    n->attr = (struct attributes){.data = values};
    fixed++;
  }
  assert_int_equal(fixed, c->n_drawn);
}

static void output_gradients(struct scene_case *c, gan_node *y, const char *side) {
  char name[2 * WORD];
  for (int32_t i = 0; i < c->n_in; i++) {
    if (c->in[i].type != GAN_F32) continue;
    snprintf(name, sizeof name, "%s/%s", side, c->in[i].name);
    gan_output(gan_gradient(y, c->node[i]), name);
  }
  for (int32_t k = 0; k < NETWORKS; k++) {
    for (int64_t i = 0; c->network[k] && i < c->network[k]->n_variables; i++) {
      const struct network_variable *v = &c->network[k]->variables[i];
      snprintf(name, sizeof name, "%s/%s:%s", side, k ? "G" : "D", v->path);
      gan_output(gan_gradient(y, node_variable(c->graph, v->variable)), name);
    }
  }
}

static void build(struct scene_case *c) {
  for (int32_t i = 0; i < c->n_in; i++) {
    const struct array *a = &c->in[i];
    c->node[i] = gan_input(c->graph, a->name, a->type, a->rank, a->shape);
  }
  gan_node *y[2] = {NULL};
  if (strcmp(c->kind, "function") == 0) {
    y[0] = loss_function_call(c->text, c->network[0], c->n_in, c->node);
    if (!y[0]) fail_msg("there is no function %s", c->text);
  } else if (strcmp(c->kind, "pair") == 0) {
    must(c->ctx, gan_loss_create(c->ctx, c->text, &c->loss));
    y[0] = gan_loss_pair(c->loss, c->node[0], c->node[1], c->n_in > 2 ? c->node[2] : NULL);
  } else {
    gan_scene scene = scene_of(c);
    must(c->ctx, gan_loss_create(c->ctx, c->text, &c->loss));
    for (int32_t side = 0; side < 2; side++) y[side] = gan_loss_term(c->loss, side, &scene);
  }
  fix_random(c);
  for (int32_t side = 0; side < 2 && y[side]; side++) {
    gan_output(y[side], side ? "G" : "D");
    output_gradients(c, y[side], side ? "G" : "D");
  }
  must(c->ctx, gan_graph_check(c->graph));
  c->built = 1;
}

static void run(struct scene_case *c) {
  if (!c->built) build(c);
  for (int32_t i = 0; i < c->n_in; i++) {
    gan_tensor *t = tensor_of(c->ctx, &c->in[i]);
    must(c->ctx, gan_game_bind(c->game, c->in[i].name, t));
    gan_tensor_free(t);
  }
  must(c->ctx, gan_game_step(c->game, "s"));
}

/* -------------------------------------------------------------------------------------------------------------- comparing */

static void compare(struct scene_case *c, const char *name, const struct array *a) {
  gan_tensor *t = NULL;
  double most = 0;
  must(c->ctx, gan_tensor_create(c->ctx, GAN_F32, a->rank, a->shape, &t));
  must(c->ctx, gan_game_read(c->game, "s", name, t));
  const float *came = gan_tensor_data(t);
  for (int64_t i = 0; i < a->count; i++) most = fmax(most, fabs(a->values[i]));
  for (int64_t i = 0; i < a->count; i++) {
    if (fabs(came[i] - a->values[i]) <= TOLERANCE * most) continue;
    fail_msg("%s %s: %s[%d] is %.9g, but PyTorch has %.9g", c->kind, c->text, name, (int)i, came[i], a->values[i]);
  }
  c->checked += a->count;
  gan_tensor_free(t);
}

static void compare_state(const struct scene_case *c, char *at) {
  char name[WORD];
  double came, expected;
  take_word(&at, name);
  expected = strtod(at, NULL);
  must(c->ctx, gan_loss_get(c->loss, name, &came));
  if (fabs(came - expected) > TOLERANCE * fmax(1, fabs(expected)))
    fail_msg("%s: the state %s is %.9g, expected %.9g", c->text, name, came, expected);
}

/* ------------------------------------------------------------------------------------------------------------------ lines */

static void add_input(struct scene_case *c, char *at, int32_t type) {
  char name[WORD];
  take_word(&at, name);
  int32_t i = 0;
  while (i < c->n_in && strcmp(c->in[i].name, name)) i++;
  if (i == c->n_in) c->n_in++;
  assert_true(c->n_in < ARRAYS);
  free(c->in[i].values);
  strcpy(c->in[i].name, name);
  c->in[i].type = type;
  read_array(&c->in[i], at);
}

static void add_drawn(struct scene_case *c, char *at) {
  assert_true(c->n_drawn < ARRAYS);
  struct array *a = &c->drawn[c->n_drawn++];
  take_word(&at, a->name);
  read_array(a, at);
}

static void add_network(struct scene_case *c, char *at) {
  char role[WORD];
  take_word(&at, role);
  gan_network **n = &c->network[role_index(role)];
  must(c->ctx, gan_network_create(c->ctx, role, n));
  gan_network_build(*n, at);
  must(c->ctx, gan_network_finish(*n));
}

static void set_weights(struct scene_case *c, char *at) {
  char role[WORD], path[WORD];
  struct array a = {.type = GAN_F32};
  take_word(&at, role);
  take_word(&at, path);
  read_array(&a, at);
  gan_tensor *t = tensor_of(c->ctx, &a);
  must(c->ctx, gan_network_set(c->network[role_index(role)], path, t));
  gan_tensor_free(t);
  free(a.values);
}

static void expect(struct scene_case *c, char *at) {
  char name[WORD];
  struct array a = {.type = GAN_F32};
  take_word(&at, name);
  read_array(&a, at);
  compare(c, name, &a);
  free(a.values);
}

static void obey(struct scene_case *c, char *line) {
  char word[WORD], *at = line;
  take_word(&at, word);
  if (!strcmp(word, "in")) add_input(c, at, GAN_F32);
  else if (!strcmp(word, "in-i32")) add_input(c, at, GAN_I32);
  else if (!strcmp(word, "network")) add_network(c, at);
  else if (!strcmp(word, "weights")) set_weights(c, at);
  else if (!strcmp(word, "random")) add_drawn(c, at);
  else if (!strcmp(word, "run")) run(c);
  else if (!strcmp(word, "out")) expect(c, at);
  else if (!strcmp(word, "state")) compare_state(c, at);
  else fail_msg("fixture: a line begins with '%s'", word);
}

static void open_case(struct scene_case *c, char *line) {
  *c = (struct scene_case){0};
  take_word(&line, c->kind);
  snprintf(c->text, sizeof c->text, "%s", line);
  c->ctx = make_context(NULL, 1);
  must(c->ctx, gan_game_create(c->ctx, NULL, &c->game));
  must(c->ctx, gan_game_add_step(c->game, "s", &c->graph));
}

static int64_t close_case(struct scene_case *c) {
  free_arrays(c->in, c->n_in);
  free_arrays(c->drawn, c->n_drawn);
  gan_loss_free(c->loss);
  gan_game_free(c->game);
  for (int32_t i = 0; i < NETWORKS; i++) gan_network_free(c->network[i]);
  gan_context_free(c->ctx);
  return c->checked;
}

/* ------------------------------------------------------------------------------------------------------------------- tests */

enum { CASES_LEAST = 260 };

static void cases_are_as_in_pytorch(void **state) {
  static struct scene_case c;
  int32_t open = 0, cases = 0;
  (void)state;
  read_fixture();
  for (char *line = fixture, *next; line; line = next) {
    next = strchr(line, '\n');
    if (next) *next++ = 0;
    if (*line && open) obey(&c, line);
    if (*line && !open) open_case(&c, line), open = 1, cases++;
    if (*line || !open) continue;
    assert_true(close_case(&c) > 0);
    open = 0;
  }
  free(fixture);
  assert_true(cases >= CASES_LEAST);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(cases_are_as_in_pytorch)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
