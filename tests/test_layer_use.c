/* Every layer of layer_cases.def as it is used: in networks, in files and samplers, and while memory is short; and its flags, which
 * the trainer and samplers rely on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bed.h"
#include "nn/network.h"
#include "op_cases.h"
#include "oracle.h"

struct layer_case { const char *layer, *text, *inputs; };

static const struct layer_case layer_cases[] = {
#define CASE(layer, text, inputs) {layer, text, inputs},
#include "layer_cases.def"
#undef CASE
};

enum { N_CASES = sizeof layer_cases / sizeof *layer_cases, VALUES = 512, SEED = 11 };

static struct op_case shapes_of(const struct layer_case *c) {
  struct op_case shapes;
  assert_int_equal(op_cases_read(c->inputs, &shapes), 1);
  return shapes;
}

/* ------------------------------------------------------------------ flags */

struct given { gan_node *node[CASE_INPUTS]; double value[CASE_INPUTS][VALUES]; int32_t n; };

static const double *given_leaf(void *user, const gan_node *n) {
  const struct given *g = user;
  for (int32_t i = 0; i < g->n; i++)
    if (g->node[i] == n) return g->value[i];
  return NULL;
}

static void fill(struct given *g, const struct op_case *shapes, int32_t input, uint64_t salt, int64_t first) {
  float values[VALUES];
  op_case_fill(shapes, input, salt, values);
  for (int64_t i = first; i < case_count(&shapes->in[input]); i++) g->value[input][i] = (double)values[i];
}

static struct oracle *evaluate(struct given *g, gan_node *y) {
  const char *why = "";
  struct oracle *o = oracle_run(&(struct oracle_source){.leaf = given_leaf, .user = g, .seed = SEED}, 1, &y, &why);
  if (!o) fail_msg("oracle: %s", why);
  return o;
}

/* Variables away from where they begin: a gamma of 0 would hide what it multiplies. */
static void fill_variable(struct variable *v, uint64_t salt) {
  for (int64_t i = 0; i < v->count; i++) v->data[i] = (float)test_random(salt, (uint64_t)i, 0.3, 1.3);
}

static int32_t draws_numbers(const gan_graph *g) {
  for (int64_t i = 0; i < g->n_nodes; i++)
    if (!strcmp(g->nodes[i]->op->name, "random")) return 1;
  return 0;
}

static void fill_layer(gan_layer *l) {
  gan_network *n = l->network;
  for (int64_t i = 0; i < l->n_variables; i++) fill_variable(l->variables[i], (uint64_t)i);
  for (int64_t i = 0; n && i < n->n_variables; i++) fill_variable(n->variables[i].variable, (uint64_t)i);
}

/* What an application shows: 1 if the first sample's output changes when all the others do; whether it draws random numbers. */
struct seen { int32_t couples, random; uint32_t flags; };

static struct seen look_at(gan_context *ctx, const struct layer_case *c, int32_t training) {
  static struct given given;
  struct op_case shapes = shapes_of(c);
  gan_graph *g;
  gan_layer *layer;
  given.n = shapes.n_in;
  must(ctx, gan_graph_create(ctx, &g));
  must(ctx, gan_layer_create(ctx, c->text, &layer));
  for (int32_t i = 0; i < shapes.n_in; i++) {
    const struct case_input *in = &shapes.in[i];
    given.node[i] = gan_input(g, (char[]){(char)('a' + i), 0}, in->classes ? GAN_I32 : GAN_F32, in->rank, in->shape);
    fill(&given, &shapes, i, SEED, 0);
  }
  gan_node *y = gan_layer_apply(layer, training, shapes.n_in, given.node);
  must(ctx, gan_graph_check(g));
  fill_layer(layer);
  struct seen seen = {.random = draws_numbers(g), .flags = layer_flags(layer)};
  struct oracle *before = evaluate(&given, y);
  for (int32_t i = 0; i < shapes.n_in; i++) fill(&given, &shapes, i, SEED + 1, case_count(&shapes.in[i]) / shapes.in[i].shape[0]);
  struct oracle *after = evaluate(&given, y);
  seen.couples = 0 != memcmp(oracle_value(before, y), oracle_value(after, y), (size_t)(y->count / y->shape[0]) * sizeof(double));
  oracle_free(before);
  oracle_free(after);
  gan_layer_free(layer);
  gan_graph_free(g);
  return seen;
}

static void test_flags(void **state) {
  for (int32_t i = 0; i < N_CASES; i++) {
    const struct layer_case *c = &layer_cases[i];
    struct seen t = look_at(*state, c, 1), e = look_at(*state, c, 0);
    if (t.couples != !!(t.flags & LAYER_COUPLES)) fail_msg("%s: couples in training: %d", c->text, t.couples);
    if (t.random != !!(t.flags & LAYER_RANDOM)) fail_msg("%s: draws random numbers in training: %d", c->text, t.random);
    if (e.couples != !!(t.flags & LAYER_MIXES)) fail_msg("%s: couples in evaluation: %d", c->text, e.couples);
    if (e.random) fail_msg("%s: draws random numbers in evaluation", c->text);
  }
}

/* ------------------------------------------------------------------ networks of one layer */

static gan_network *network_of(gan_context *ctx, const struct layer_case *c, const char *name) {
  struct op_case shapes = shapes_of(c);
  gan_network *n;
  char line[512], spec[128], shape[100];
  if (gan_network_create(ctx, name, &n) != GAN_OK) return NULL;
  snprintf(line, sizeof line, "%s name=it from=", c->text);
  for (int32_t i = 0; i < shapes.n_in; i++) {
    const struct case_input *in = &shapes.in[i];
    shape_text(shape, sizeof shape, in->rank - 1, in->shape + 1);
    snprintf(spec, sizeof spec, in->classes ? "%s classes=%d" : "%s", in->rank > 1 ? shape : "", (int)in->classes);
    char input[] = {(char)('a' + i), 0};
    gan_network_input(n, input, spec);
    strcat(strcat(line, i ? "," : ""), input);
  }
  gan_network_add(n, line);
  return n;
}

static gan_status save_and_load(gan_network *n, char *bytes, int64_t capacity, gan_network **out) {
  struct memory_file f = {.bytes = bytes, .capacity = capacity};
  gan_stream stream = memory_stream(&f);
  gan_status status = gan_network_save_stream(n, &stream);
  return status == GAN_OK ? gan_network_load_memory(n->ctx, bytes, f.size, out) : status;
}

static void same_values(const gan_network *a, const gan_network *b) {
  assert_int_equal(a->n_variables, b->n_variables);
  for (int64_t i = 0; i < a->n_variables; i++) {
    const struct variable *v = a->variables[i].variable, *w = b->variables[i].variable;
    assert_string_equal(a->variables[i].path, b->variables[i].path);
    assert_memory_equal(v->data, w->data, (size_t)v->count * sizeof *v->data);
  }
}

static void test_files(void **state) {
  static char bytes[1 << 16];
  for (int32_t i = 0; i < N_CASES; i++) {
    gan_network *n = network_of(*state, &layer_cases[i], "N"), *copy;
    must(*state, gan_network_finish(n));
    for (int64_t j = 0; j < n->n_variables; j++) fill_variable(n->variables[j].variable, (uint64_t)j);
    must(*state, save_and_load(n, bytes, sizeof bytes, &copy));
    assert_true(network_same_structure(n, copy));
    same_values(n, copy);
    assert_int_equal(network_flags(n), network_flags(copy));
    assert_int_equal(n->layers[0].flops, copy->layers[0].flops);
    gan_network_free(copy);
    gan_network_free(n);
  }
}

/* Files whose structure was changed: numbers, names and signs within the layer's text. They load or are refused with a sentence, and
 * no layer asks for memory that the file has no numbers for. */
static void test_damaged_files(void **state) {
  static char sound[1 << 16], bytes[1 << 16];
  static const char replacements[] = "0123456789-=x,. ()\"abcdehinopstuy";
  uint64_t draw = 0;
  for (int32_t i = 0; i < N_CASES; i += test_every()) {
    gan_network *n = network_of(*state, &layer_cases[i], "N");
    struct memory_file f = {.bytes = sound, .capacity = sizeof sound};
    gan_stream stream = memory_stream(&f);
    must(*state, gan_network_save_stream(n, &stream));
    gan_network_free(n);
    const char *text = strstr(sound + 8, layer_cases[i].layer);
    int64_t live = memory.live, most = memory.bytes + 4 * f.size + (1 << 20);
    for (int32_t k = 0; k < 200; k++) {
      memcpy(bytes, sound, (size_t)f.size);
      for (int32_t m = 0; m <= k % 3; m++) {
        int64_t at = text - sound + (int64_t)test_random(3, draw++, 0, (double)strlen(layer_cases[i].text));
        bytes[at] = replacements[(int64_t)test_random(3, draw++, 0, (double)strlen(replacements))];
      }
      gan_network *copy = NULL;
      if (gan_network_load_memory(*state, bytes, f.size, &copy) == GAN_OK) assert_true(memory.bytes < most);
      gan_network_free(copy);
      assert_int_equal(memory.live, live);
    }
  }
}

static void test_summaries(void **state) {
  char text[4000], shape[100];
  for (int32_t i = 0; i < N_CASES; i++) {
    gan_network *n = network_of(*state, &layer_cases[i], "N");
    must(*state, gan_network_summary(n, text, sizeof text, NULL));
    const struct network_layer *l = &n->layers[0];
    assert_non_null(strstr(text, layer_cases[i].layer));
    assert_non_null(strstr(text, shape_text(shape, sizeof shape, l->rank, l->shape)));
    gan_network_free(n);
  }
}

/* Two networks of one name begin alike, and drawing anew with the same seed gives the same again. */
static void test_initial_values(void **state) {
  for (int32_t i = 0; i < N_CASES; i++) {
    gan_network *n = network_of(*state, &layer_cases[i], "N"), *m = network_of(*state, &layer_cases[i], "N");
    must(*state, gan_network_finish(n));
    must(*state, gan_network_finish(m));
    same_values(n, m);
    for (int64_t j = 0; j < n->n_variables; j++) fill_variable(n->variables[j].variable, (uint64_t)j);
    must(*state, gan_network_initialize(n, 1));
    same_values(n, m);
    gan_network_free(n);
    gan_network_free(m);
  }
}

/* ------------------------------------------------------------------ samplers */

static void bind_rows(gan_sampler *s, const struct op_case *shapes, struct given *g, int32_t i) {
  float values[VALUES];
  int32_t labels[VALUES];
  for (int64_t j = 0; j < case_count(&shapes->in[i]); j++) labels[j] = (int32_t)(values[j] = (float)g->value[i][j]);
  const void *rows = shapes->in[i].classes ? (const void *)labels : values;
  assert_int_equal(gan_sampler_bind(s, (char[]){(char)('a' + i), 0}, shapes->in[i].shape[0], rows), GAN_OK);
}

/* What a sampler draws is what the network evaluates to. */
static void check_sampler(gan_network *n, gan_sampler *s, const struct layer_case *c) {
  static struct given given;
  struct op_case shapes = shapes_of(c);
  float out[VALUES];
  gan_graph *g;
  gan_node *y;
  given.n = shapes.n_in;
  must(n->ctx, gan_graph_create(n->ctx, &g));
  for (int32_t i = 0; i < shapes.n_in; i++) {
    const gan_port *p = &n->inputs[i].info;
    given.node[i] = gan_input(g, n->inputs[i].name, p->type, shapes.in[i].rank, shapes.in[i].shape);
    fill(&given, &shapes, i, SEED, 0);
    bind_rows(s, &shapes, &given, i);
  }
  gan_network_apply(n, 0, given.n, given.node, 1, &y);
  must(n->ctx, gan_graph_check(g));
  struct oracle *o = evaluate(&given, y);
  assert_int_equal(gan_sampler_draw(s, 0, shapes.in[0].shape[0], out), GAN_OK);
  for (int64_t i = 0; i < y->count; i++) {
    double expected = oracle_value(o, y)[i];
    if (!(fabs((double)out[i] - expected) < 2e-5 * fmax(1, fabs(expected))))
      fail_msg("%s: [%d] is %g, expected %g", c->text, (int)i, (double)out[i], expected);
  }
  oracle_free(o);
  gan_graph_free(g);
}

static void test_samplers(void **state) {
  char sentence[1000];
  for (int32_t i = 0; i < N_CASES; i++) {
    gan_network *n = network_of(*state, &layer_cases[i], "N");
    gan_sampler *s = NULL;
    must(*state, gan_network_finish(n));
    for (int64_t j = 0; j < n->n_variables; j++) fill_variable(n->variables[j].variable, (uint64_t)j);
    gan_status status = gan_sampler_create(n, NULL, &s);
    if (network_flags(n) & LAYER_MIXES) {
      assert_int_equal(status, GAN_ERROR_ARGUMENT);
      gan_context_error(*state, sentence, sizeof sentence, NULL);
      assert_non_null(strstr(sentence, "N/it"));
    } else {
      must(*state, status);
      check_sampler(n, s, &layer_cases[i]);
    }
    gan_sampler_free(s);
    gan_network_free(n);
  }
}

/* ------------------------------------------------------------------ short of memory */

/* Every allocation of building, applying, saving and loading fails once; nothing leaks, and the error says what it is. */
static gan_status live(gan_context *ctx, const struct layer_case *c) {
  static char bytes[1 << 16];
  gan_network *n = network_of(ctx, c, "N"), *copy = NULL;
  if (!n) return GAN_ERROR_MEMORY;
  gan_status status = gan_network_finish(n);
  if (status == GAN_OK) status = save_and_load(n, bytes, sizeof bytes, &copy);
  gan_network_free(copy);
  gan_network_free(n);
  return status;
}

static void test_short_of_memory(void **state) {
  for (int32_t i = 0; i < N_CASES; i += test_every()) {
    int64_t before = memory.live;
    for (int64_t k = 1;; k++) {
      memory.fail_at = memory.calls + k;
      gan_status status = live(*state, &layer_cases[i]);
      int32_t failed = memory.calls >= memory.fail_at;
      memory.fail_at = 0;
      assert_int_equal(memory.live, before);
      if (!failed) {
        must(*state, status);
        break;
      }
      if (status != GAN_OK) assert_int_equal(status, GAN_ERROR_MEMORY);
    }
  }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
    TEST(test_flags),
    TEST(test_files),
    TEST(test_damaged_files),
    TEST(test_summaries),
    TEST(test_initial_values),
    TEST(test_samplers),
    TEST(test_short_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
