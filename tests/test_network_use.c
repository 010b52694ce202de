/* Networks in use: applied, with layers of the caller's, their values, their lifetimes, and every allocation failing once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "bed.h"
#include "nn/network.h"
#include "ops/op.h"
#include "oracle.h"

/* ------------------------------------------------------------------ applying */

static const double *ones_leaf(void *user, const gan_node *n) {
  static const double ones[64] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  (void)user;
  return strcmp(n->op->name, "input") ? NULL : ones;
}

static double first_value(gan_graph *g, gan_node *n) {
  const char *why = "";
  must(g->ctx, gan_graph_check(g));
  struct oracle *o = oracle_run(&(struct oracle_source){.leaf = ones_leaf}, 1, &n, &why);
  if (!o) fail_msg("oracle: %s", why);
  double value = oracle_value(o, n)[0];
  oracle_free(o);
  return value;
}

/* Wires cross, and an input is declared behind layers: values keep their meaning. */
static void test_wires(void **state) {
  gan_context *ctx = *state;
  gan_network *n = build_network(ctx, "W", "input x 2; scale factor=2 name=a; scale factor=3 name=b from=x; output early a; input late 2;"
                                   "scale factor=10 name=c; add from=a,b,c; output sum; output x x");
  gan_graph *g;
  gan_node *out[3];
  must(ctx, gan_graph_create(ctx, &g));
  gan_node *in[] = {gan_input(g, "x", GAN_F32, 2, (int64_t[]){3, 2}), gan_input(g, "late", GAN_F32, 2, (int64_t[]){3, 2})};
  gan_network_apply(n, 0, 2, in, 3, out);
  assert_int_equal((int)first_value(g, out[0]), 2);
  assert_int_equal((int)first_value(g, out[1]), 2 + 3 + 10);
  assert_ptr_equal(out[2], in[0]);
  assert_int_equal((int)first_value(g, gan_apply2(n, in[0], in[1])), 2);
  gan_graph_free(g);
  gan_network_free(n);
}

static void test_apply_errors(void **state) {
  gan_context *ctx = *state, *other = new_context();
  gan_network *n = build_network(ctx, "D", "input x 4; input y classes=3; one-hot classes=3; concat from=x,one-hot1; dense units=1");
  const struct { int32_t rank, type; int64_t shape[2]; const char *part; } cases[] = {
    {2, GAN_F32, {5, 3}, "D: input 'x' is (batch, 4) f32; came 5x3 f32"},
    {2, GAN_I32, {5, 4}, "D: input 'x' is (batch, 4) f32; came 5x4 i32"},
    {1, GAN_F32, {5}, "D: input 'x' is (batch, 4) f32; came 5 f32"},
    {2, GAN_F32, {6, 4}, "D: input 'y' is (batch) i32; came 5 i32, another batch"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    gan_graph *g;
    must(ctx, gan_graph_create(ctx, &g));
    gan_node *x = gan_input(g, "x", cases[i].type, cases[i].rank, cases[i].shape),
             *y = gan_input(g, "y", GAN_I32, 1, (int64_t[]){5});
    assert_int_equal(gan_node_type(gan_apply2(n, x, y)), -1);
    assert_int_equal(gan_graph_check(g), GAN_ERROR_SHAPE);
    sentence_has(ctx, cases[i].part, "apply");
    gan_graph_free(g);
  }
  gan_graph *g, *second;
  must(ctx, gan_graph_create(ctx, &g));
  must(ctx, gan_graph_create(ctx, &second));
  gan_node *x = gan_input(g, "x", GAN_F32, 2, (int64_t[]){5, 4}), *y = gan_input(second, "y", GAN_I32, 1, (int64_t[]){5}),
           *out[2];
  gan_apply2(n, x, y);
  assert_int_equal(gan_graph_check(g), GAN_ERROR_ARGUMENT);
  sentence_has(ctx, "input 'y' is no node of this graph", "a node of another graph");
  gan_graph_free(g);
  gan_graph_free(second);

  must(other, gan_graph_create(other, &g));
  x = gan_input(g, "x", GAN_F32, 2, (int64_t[]){5, 4});
  gan_network_apply(n, 1, 1, &x, 1, out);
  assert_int_equal(gan_graph_check(g), GAN_ERROR_ARGUMENT);
  sentence_has(other, "different contexts", "a graph of another context");
  gan_graph_free(g);

  must(ctx, gan_graph_create(ctx, &g));
  x = gan_input(g, "x", GAN_F32, 2, (int64_t[]){5, 4});
  gan_apply(n, x);
  assert_int_equal(gan_graph_check(g), GAN_ERROR_ARGUMENT);
  sentence_has(ctx, "D: expected 2 inputs, came 1", "too few inputs");
  gan_graph_free(g);
  gan_context_free(other);
  gan_network_free(n);
}

static void test_noise(void **state) {
  gan_context *ctx = *state;
  gan_network *n =
      build_network(ctx, "G", "input z 4 noise=uniform; input y classes=3; input plain 2; input index 2 type=i32; relu from=z");
  gan_graph *g;
  must(ctx, gan_graph_create(ctx, &g));
  gan_noise(g, n, "z");
  assert_int_equal(gan_graph_check(g), GAN_ERROR_STATE);
  gan_graph_free(g);

  must(ctx, gan_graph_create(ctx, &g));
  g->batch = 6;
  gan_node *first = gan_noise(g, n, "z"), *second = gan_noise(g, n, "z"), *labels = gan_noise(g, n, "y");
  assert_true(first->attr.stream != second->attr.stream);
  assert_int_equal(first->attr.kind, RANDOM_UNIFORM);
  assert_true(first->attr.x == -1 && first->attr.y == 1);
  assert_int_equal(gan_node_size(first, 0), 6);
  assert_int_equal(gan_node_type(labels), GAN_I32);
  assert_int_equal(gan_node_rank(labels), 1);
  gan_port p = {.struct_size = sizeof p};
  must(ctx, gan_network_input_info(n, 2, &p));
  assert_int_equal(p.role, GAN_ROLE_DATA);
  assert_int_equal(gan_noise(g, n, "plain")->attr.kind, RANDOM_NORMAL);
  must(ctx, gan_network_input_info(n, 2, &p));
  assert_int_equal(p.role, GAN_ROLE_NOISE); /* what is trained on noise is sampled from noise */
  must(ctx, gan_graph_check(g));
  gan_noise(g, n, "index");
  assert_int_equal(gan_graph_check(g), GAN_ERROR_ARGUMENT);
  gan_graph_free(g);
  gan_network_free(n);
}

static void test_variable_node(void **state) {
  gan_context *ctx = *state;
  gan_network *n = build_network(ctx, "G", "input z 4; dense units=3");
  gan_graph *g;
  must(ctx, gan_graph_create(ctx, &g));
  gan_node *w = gan_variable_node(g, n, "dense1/weight");
  assert_ptr_equal(w, gan_variable_node(g, n, "dense1/weight"));
  assert_int_equal(gan_node_size(w, 1), 4);
  gan_network_free(n);
  must(ctx, gan_graph_check(g));
  gan_graph_free(g);
}

/* ------------------------------------------------------------------ layers of the caller's */

struct custom { int32_t applied, released, mode; };

enum { CUSTOM_GOOD, CUSTOM_NULL, CUSTOM_NEW_NAME, CUSTOM_STATE_SHAPE, CUSTOM_NO_STATE, CUSTOM_BATCH_LOST, CUSTOM_BAD_NAME };

static gan_node *wrong_custom(struct custom *c, gan_layer_call *call, gan_node *x, gan_node *y) {
  int64_t two = 2;
  switch (c->mode) {
    case CUSTOM_NULL: return NULL;
    case CUSTOM_NEW_NAME: return c->applied > 1 ? gan_mul(y, gan_layer_parameter(call, "late", 0, NULL, "ones")) : y;
    case CUSTOM_STATE_SHAPE: gan_layer_assign(call, "seen", gan_layer_parameter(call, "pair", 1, &two, "ones")); return y;
    case CUSTOM_NO_STATE: gan_layer_assign(call, "gain", gan_mean(x)); return y;
    case CUSTOM_BATCH_LOST: return gan_sum(y);
    case CUSTOM_BAD_NAME: return gan_mul(y, gan_layer_parameter(call, "a/b", 0, NULL, "ones"));
    default: return y;
  }
}

/* y = gain x + shift, and a state that counts the mean of what it saw. */
static gan_node *custom_forward(void *user, gan_layer_call *call, int32_t count, gan_node *const *inputs) {
  struct custom *c = user;
  c->applied++;
  gan_node *gain = gan_layer_parameter(call, "gain", 0, NULL, "constant value=3");
  gan_node *seen = gan_layer_state(call, "seen", 0, NULL, "zeros");
  if (gan_layer_training(call)) gan_layer_assign(call, "seen", gan_add(seen, gan_mean(inputs[count - 1])));
  return wrong_custom(c, call, inputs[0], gan_shift(gan_mul(inputs[0], gain), gan_layer_option(call, "shift", 0.5)));
}

static void custom_release(void *user, void *same, int64_t size) {
  struct custom *c = user;
  assert_ptr_equal(user, same);
  assert_int_equal(size, 0);
  c->released++;
}

static void test_custom_layer(void **state) {
  (void)state;
  gan_context *ctx = new_context();
  struct custom c = {0};
  must(ctx, gan_context_add_layer(ctx, "my-gain", custom_forward, &c, custom_release));
  assert_int_equal(gan_context_add_layer(ctx, "my-gain", custom_forward, &c, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_context_add_layer(ctx, "dense", custom_forward, &c, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_context_add_layer(ctx, "my gain", custom_forward, &c, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_context_add_layer(ctx, "other", NULL, &c, NULL), GAN_ERROR_ARGUMENT);

  gan_network *n = build_network(ctx, "G", "input x 4; my-gain shift=2; my-gain name=again"), *clone;
  assert_string_equal(n->layers[0].name, "my-gain1");
  assert_int_equal(gan_network_parameters(n), 2);
  assert_int_equal(gan_network_variable_count(n), 4);
  must(ctx, gan_network_clone(n, "H", &clone));
  gan_graph *g;
  must(ctx, gan_graph_create(ctx, &g));
  gan_node *x = gan_input(g, "x", GAN_F32, 2, (int64_t[]){3, 4}), *y;
  gan_network_apply(clone, 1, 1, &x, 1, &y);
  assert_true(first_value(g, y) == (1 * 3 + 2) * 3 + 0.5);
  assert_int_equal(g->n_assigns, 2);
  gan_network_apply(clone, 0, 1, &x, 1, &y);
  assert_int_equal(g->n_assigns, 2);
  gan_graph_free(g);
  gan_network_free(n);
  gan_network_free(clone);
  assert_int_equal(c.released, 0);
  gan_context_free(ctx);
  assert_int_equal(c.released, 1);
}

static void test_wrong_custom_layers(void **state) {
  gan_context *ctx = *state;
  struct custom c = {0};
  const struct { int32_t mode; gan_status status; const char *lines, *part; } cases[] = {
    {CUSTOM_NULL, GAN_ERROR_CALLBACK, "input x 4; wrong", "G/wrong1: the layer's function returned no node"},
    {CUSTOM_STATE_SHAPE, GAN_ERROR_SHAPE, "input x 4; wrong", "G/wrong1/seen is scalar"},
    {CUSTOM_NO_STATE, GAN_ERROR_ARGUMENT, "input x 4; wrong", "'gain' is no state"},
    {CUSTOM_BATCH_LOST, GAN_ERROR_SHAPE, "input x 4; wrong", "G/wrong1: expected an output with the batch"},
    {CUSTOM_BAD_NAME, GAN_ERROR_ARGUMENT, "input x 4; wrong", "'a/b' is no name of a variable"},
    {CUSTOM_GOOD, GAN_ERROR_ARGUMENT, "input x 4; wrong shift=(a b)", "G/wrong1: 'shift=a b' is no number"},
  };
  must(ctx, gan_context_add_layer(ctx, "wrong", custom_forward, &c, NULL));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    gan_network *n;
    c = (struct custom){.mode = cases[i].mode};
    must(ctx, gan_network_create(ctx, "G", &n));
    gan_network_build(n, cases[i].lines);
    if (gan_network_finish(n) != cases[i].status) fail_msg("case %d gave status %d: %s", (int)i, n->failed, n->error_text);
    sentence_has(ctx, cases[i].part, cases[i].lines);
    gan_network_free(n);
  }
  c = (struct custom){.mode = CUSTOM_NEW_NAME};
  gan_network *n = build_network(ctx, "G", "input x 4; wrong");
  gan_graph *g;
  must(ctx, gan_graph_create(ctx, &g));
  gan_apply(n, gan_input(g, "x", GAN_F32, 2, (int64_t[]){3, 4}));
  assert_int_equal(gan_graph_check(g), GAN_ERROR_ARGUMENT);
  sentence_has(ctx, "'late' was not there at the first application", "a late parameter");
  gan_graph_free(g);
  gan_network_free(n);
}

/* ------------------------------------------------------------------ lifetimes and failures */

/* Handles go in any order. */
static void test_free_orders(void **state) {
  (void)state;
  for (int32_t order = 0; order < 24; order++) {
    gan_context *ctx = new_context();
    gan_layer *layer;
    gan_network *n;
    gan_graph *g;
    must(ctx, gan_layer_create(ctx, "batch-norm", &layer));
    must(ctx, gan_network_create(ctx, "G", &n));
    gan_network_input(n, "x", "4");
    gan_network_add_layer(n, layer, NULL);
    must(ctx, gan_graph_create(ctx, &g));
    gan_apply(n, gan_input(g, "x", GAN_F32, 2, (int64_t[]){3, 4}));
    must(ctx, gan_graph_check(g));
    int32_t left[4] = {0, 1, 2, 3};
    for (int32_t i = 4, rest = order; i > 0; rest /= i, i--) {
      int32_t which = left[rest % i];
      left[rest % i] = left[i - 1];
      if (which == 0) gan_context_free(ctx);
      if (which == 1) gan_layer_free(layer);
      if (which == 2) gan_network_free(n);
      if (which == 3) gan_graph_free(g);
    }
  }
}

/* One of everything; a failure may show anywhere, and must be MEMORY. */
static gan_status make_everything(gan_context *ctx) {
  gan_layer *layer = NULL;
  gan_network *trunk = NULL, *n = NULL, *copy = NULL;
  char text[16];
  gan_status status = gan_layer_create(ctx, "dense units=4", &layer);
  if (status == GAN_OK) status = gan_network_create(ctx, "T", &trunk);
  if (status == GAN_OK) {
    gan_network_build(trunk, "input x 4; dense units=4 init=(orthogonal); batch-norm; dropout");
    status = gan_network_create(ctx, "N", &n);
  }
  if (status == GAN_OK) {
    gan_network_build(n, "input x 4; input y classes=3; embedding classes=3 width=4; add from=x,embedding1");
    gan_network_add_layer(n, layer, NULL);
    gan_network_add_network(n, trunk, NULL);
    gan_network_build(n, "layer-norm; output o");
    status = gan_network_finish(n);
  }
  if (status == GAN_OK) status = gan_network_clone(n, "C", &copy);
  if (status == GAN_OK) status = gan_network_summary(copy, text, sizeof text, NULL);
  gan_network_free(copy);
  gan_network_free(n);
  gan_network_free(trunk);
  gan_layer_free(layer);
  return status;
}

static void test_every_allocation_fails_once(void **state) {
  gan_context_free(*state);
  for (int32_t on = 0; on < 2; on++) {
    gan_status status = GAN_ERROR_MEMORY;
    for (int64_t at = 1; status != GAN_OK; at++) {
      memory = (struct allocator){.fail_on = on};
      gan_context *ctx = new_context();
      memory.fail_at = memory.calls + at;
      status = make_everything(ctx);
      memory.fail_at = 0;
      if (status != GAN_OK && status != GAN_ERROR_MEMORY) must(ctx, status);
      gan_context_free(ctx);
      assert_int_equal(memory.live, 0);
    }
  }
  *state = new_context();
}

/* ------------------------------------------------------------------ values */

static void read_all(gan_network *n, const char *path, float *out, int64_t count) {
  gan_tensor *t;
  must(n->ctx, gan_tensor_create(n->ctx, GAN_F32, 1, &count, &t));
  must(n->ctx, gan_network_get(n, path, t));
  memcpy(out, gan_tensor_data(t), (size_t)count * sizeof *out);
  gan_tensor_free(t);
}

static void test_initial_values(void **state) {
  gan_context *ctx = *state;
  const char *lines = "input z 4; dense units=3; dense units=4";
  float first[12], again[12], other[12], second[12], seeded[12];
  gan_network *a = build_network(ctx, "G", lines), *b = build_network(ctx, "G", lines), *c = build_network(ctx, "D", lines);
  read_all(a, "dense1/weight", first, 12);
  read_all(a, "dense2/weight", second, 12);
  read_all(b, "dense1/weight", again, 12);
  read_all(c, "dense1/weight", other, 12);
  assert_memory_equal(first, again, sizeof first); /* seed, network and layer make the values */
  assert_memory_not_equal(first, other, sizeof first);
  assert_memory_not_equal(first, second, sizeof first);
  must(ctx, gan_network_initialize(a, 99));
  read_all(a, "dense1/weight", seeded, 12);
  assert_memory_not_equal(first, seeded, sizeof first);
  must(ctx, gan_network_initialize(a, 1)); /* the context's seed */
  read_all(a, "dense1/weight", seeded, 12);
  assert_memory_equal(first, seeded, sizeof first);
  gan_network_free(a);
  gan_network_free(b);
  gan_network_free(c);
}

static void test_get_set_copy(void **state) {
  gan_context *ctx = *state;
  gan_network *a = build_network(ctx, "G", "input z 4; dense units=3"), *b = build_network(ctx, "H", "input z 4; dense units=3"),
              *c = build_network(ctx, "H", "input z 4; dense units=2");
  gan_tensor *t, *small;
  float values[12];
  must(ctx, gan_tensor_create(ctx, GAN_F64, 2, (int64_t[]){4, 3}, &t));
  must(ctx, gan_tensor_create(ctx, GAN_F32, 1, (int64_t[]){3}, &small));
  must(ctx, gan_tensor_fill(t, 0.25));
  must(ctx, gan_network_set(a, "dense1/weight", t));
  must(ctx, gan_network_copy(b, a));
  read_all(b, "dense1/weight", values, 12);
  assert_true(values[11] == 0.25f);
  assert_int_equal(gan_network_set(a, "dense1/weight", small), GAN_ERROR_SHAPE);
  sentence_has(ctx, "'dense1/weight' is 3x4, the tensor is 3", "set");
  assert_int_equal(gan_network_get(a, "dense9/weight", t), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_network_copy(c, a), GAN_ERROR_SHAPE);
  gan_tensor_free(t);
  gan_tensor_free(small);
  gan_network_free(a);
  gan_network_free(b);
  gan_network_free(c);
}

static void test_clone(void **state) {
  gan_context *ctx = *state;
  gan_layer *layer;
  gan_network *trunk = build_network(ctx, "T", "input x 4; dense units=4; batch-norm"), *a, *b;
  must(ctx, gan_layer_create(ctx, "dense units=4", &layer));
  must(ctx, gan_network_create(ctx, "A", &a));
  gan_network_input(a, "x", "4 noise=(normal mean=1 std=0.5)");
  gan_network_input(a, "y", "classes=7");
  gan_network_add_layer(a, layer, "name=one from=x");
  gan_network_add_network(a, trunk, "name=trunk");
  gan_network_add_layer(a, layer, "name=two");
  gan_network_add_network(a, trunk, "name=twice");
  gan_network_output(a, "last", NULL);
  must(ctx, gan_network_finish(a));
  must(ctx, gan_network_clone(a, "B", &b));
  assert_true(network_same_structure(a, b));
  assert_ptr_equal(b->layers[0].layer, b->layers[2].layer); /* still shared within, and shared with nobody outside */
  assert_ptr_equal(b->layers[1].layer->network, b->layers[3].layer->network);
  assert_ptr_not_equal(b->layers[0].layer, layer);
  assert_int_equal(gan_network_parameters(a), gan_network_parameters(b));
  for (int64_t i = 0; i < a->n_variables; i++) {
    assert_ptr_not_equal(a->variables[i].variable, b->variables[i].variable);
    assert_memory_equal(a->variables[i].variable->data, b->variables[i].variable->data,
                        (size_t)a->variables[i].variable->count * 4);
  }
  assert_int_equal(b->inputs[0].info.role, GAN_ROLE_NOISE);
  assert_true(b->inputs[0].noise_x == 1 && b->inputs[0].noise_y == 0.5);
  assert_int_equal(gan_network_clone(a, "a b", &b), GAN_ERROR_ARGUMENT);
  gan_network_free(a);
  gan_network_free(trunk);
  gan_layer_free(layer);
  must(ctx, gan_network_initialize(b, 5)); /* needs nothing of what it was cloned from */
  gan_network_free(b);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
    TEST(test_wires),
    TEST(test_apply_errors),
    TEST(test_noise),
    TEST(test_variable_node),
    TEST(test_custom_layer),
    TEST(test_wrong_custom_layers),
    TEST(test_free_orders),
    TEST(test_every_allocation_fails_once),
    TEST(test_initial_values),
    TEST(test_get_set_copy),
    TEST(test_clone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
