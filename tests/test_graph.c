/* Graphs as containers: sticky failure and its sentences, phases, outputs, variables, dumps, every allocation failing once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ops/build.h"

/* -------------------------------------------------------------------------------------------------------------- fixtures */

struct fixture { gan_context *ctx; gan_graph *g; gan_node *x, *row, *label; };

static int open_graph(void **state) {
  struct fixture *f = calloc(1, sizeof *f);
  gan_context_config config;
  gan_context_config_init(&config, sizeof config);
  config.threads = 1;
  assert_int_equal(gan_context_create(&config, &f->ctx), GAN_OK);
  assert_int_equal(gan_graph_create(f->ctx, &f->g), GAN_OK);
  f->x = gan_input(f->g, "x", GAN_F32, 2, (int64_t[]){3, 4});
  f->row = gan_input(f->g, "row", GAN_F32, 1, (int64_t[]){5});
  f->label = gan_input(f->g, "label", GAN_I32, 1, (int64_t[]){3});
  assert_int_equal(gan_graph_check(f->g), GAN_OK);
  *state = f;
  return 0;
}

static int close_graph(void **state) {
  struct fixture *f = *state;
  gan_graph_free(f->g);
  gan_context_free(f->ctx);
  free(f);
  return 0;
}

static void context_text(gan_context *ctx, char *text, int64_t size) {
  assert_int_equal(gan_context_error(ctx, text, size, NULL), GAN_OK);
}

/* The graph failed in this way, its sentence has all the words, and it is the context's too. */
static void assert_failed(const struct fixture *f, gan_status status, const char *const *words) {
  char text[ERROR_TEXT];
  assert_int_equal(gan_graph_check(f->g), status);
  context_text(f->ctx, text, sizeof text);
  assert_string_equal(text, f->g->error_text);
  for (; *words; words++) {
    if (!strstr(text, *words)) fail_msg("\"%s\" is not in \"%s\"", *words, text);
  }
}

#define ASSERT_FAILED(f, status, ...) assert_failed(f, status, (const char *const[]){__VA_ARGS__, NULL})

/* --------------------------------------------------------------------------------------------------------------- failures
 *
 * One wrong call each on a graph of its own; x is 3x4, row is 5, label is i32 3.
 */

static gan_node *add_shapes(struct fixture *f) { return gan_add(f->x, f->row); }
static gan_node *add_null(struct fixture *f) { return gan_add(f->x, NULL); }
static gan_node *add_type(struct fixture *f) { return gan_add(f->x, f->label); }
static gan_node *select_shapes(struct fixture *f) { return gan_select(f->x, f->x, f->row); }
static gan_node *matmul_inner(struct fixture *f) { return gan_matmul(f->x, f->x, 0, 0); }
static gan_node *matmul_rank(struct fixture *f) { return gan_matmul(f->x, f->row, 0, 0); }
static gan_node *sum_axis(struct fixture *f) { return gan_sum_axes(f->x, 1, (int32_t[]){2}, 0); }
static gan_node *sum_axis_low(struct fixture *f) { return gan_sum_axes(f->x, 1, (int32_t[]){-3}, 0); }
static gan_node *sum_axis_twice(struct fixture *f) { return gan_sum_axes(f->x, 2, (int32_t[]){1, -1}, 0); }
static gan_node *sum_axes_null(struct fixture *f) { return gan_sum_axes(f->x, 1, NULL, 0); }
static gan_node *reshape_size(struct fixture *f) { return gan_reshape(f->x, 2, (int64_t[]){5, -1}); }
static gan_node *reshape_rank(struct fixture *f) { return gan_reshape(f->x, 9, (int64_t[]){1, 1, 1, 1, 1, 1, 1, 3, 4}); }
static gan_node *reshape_huge(struct fixture *f) { return gan_reshape(f->x, 2, (int64_t[]){INT64_MAX, 4}); }
static gan_node *reshape_null(struct fixture *f) { return gan_reshape(f->x, 2, NULL); }
static gan_node *transpose_order(struct fixture *f) { return gan_transpose(f->x, 2, (int32_t[]){0, 0}); }
static gan_node *transpose_range(struct fixture *f) { return gan_transpose(f->x, 2, (int32_t[]){0, 40}); }
static gan_node *broadcast_shape(struct fixture *f) { return gan_broadcast(f->x, 2, (int64_t[]){6, 4}); }
static gan_node *broadcast_zero(struct fixture *f) { return gan_broadcast(gan_constant(f->g, 1), 1, (int64_t[]){0}); }
static gan_node *slice_range(struct fixture *f) { return gan_slice(f->x, 1, 2, 5); }
static gan_node *slice_empty(struct fixture *f) { return gan_slice(f->x, 1, 2, 2); }
static gan_node *pad_negative(struct fixture *f) { return gan_pad(f->x, 0, -1, 0); }
static gan_node *pad_huge(struct fixture *f) { return gan_pad(f->x, 0, INT64_MAX, INT64_MAX); }
static gan_node *concat_shapes(struct fixture *f) { return gan_concat(2, (gan_node *[]){f->x, f->row}, 0); }
static gan_node *concat_types(struct fixture *f) { return gan_concat(2, (gan_node *[]){f->row, f->label}, 0); }
static gan_node *gather_types(struct fixture *f) { return gan_gather(f->x, f->x); }
static gan_node *gather_table(struct fixture *f) { return gan_gather(f->label, f->label); }
static gan_node *one_hot_classes(struct fixture *f) { return gan_one_hot(f->label, 0); }
static gan_node *one_hot_type(struct fixture *f) { return gan_one_hot(f->x, 3); }
static gan_node *norm_scalar(struct fixture *f) { return gan_norm_per_sample(gan_sum(f->x)); }
static gan_node *clamp_order(struct fixture *f) { return gan_clamp(f->x, 1, 0); }
static gan_node *softmax_axis(struct fixture *f) { return gan_softmax(f->x, 7); }
static gan_node *input_type(struct fixture *f) { return gan_input(f->g, "y", GAN_F64, 0, NULL); }
static gan_node *input_shape(struct fixture *f) { return gan_input(f->g, "y", GAN_F32, 1, (int64_t[]){-2}); }
static gan_node *input_batch(struct fixture *f) { return gan_input(f->g, "y", GAN_F32, 2, (int64_t[]){-1, 3}); }
static gan_node *input_overflow(struct fixture *f) { return gan_input(f->g, "y", GAN_F32, 2, (int64_t[]){INT64_MAX, 2}); }
static gan_node *input_again(struct fixture *f) { return gan_input(f->g, "x", GAN_F32, 1, (int64_t[]){4}); }
static gan_node *scalar_null(struct fixture *f) { return gan_scalar(f->g, NULL, 1); }
static gan_node *scalar_again(struct fixture *f) { return gan_scalar(f->g, "x", 1); }
static gan_node *random_name(struct fixture *f) { return gan_random(f->g, "z", "norml", 0, NULL); }
static gan_node *random_range(struct fixture *f) { return gan_random(f->g, "z", "uniform low=2 high=1", 0, NULL); }
static gan_node *random_option(struct fixture *f) { return gan_random(f->g, "z", "normal sd=2", 0, NULL); }
static gan_node *tensor_null(struct fixture *f) { return gan_constant_tensor(f->g, NULL); }
static gan_node *name_null(struct fixture *f) { return gan_node_name(f->x, NULL); }
static gan_node *output_twice(struct fixture *f) { gan_output(f->x, "o"); return gan_output(f->row, "o"); }
static gan_node *output_empty(struct fixture *f) { return gan_output(f->x, ""); }
static gan_node *gradient_label(struct fixture *f) { return gan_gradient(gan_sum(f->x), f->label); }
static gan_node *gradient_null(struct fixture *f) { return gan_gradient(f->x, NULL); }
static gan_node *stray(struct fixture *f) { return gan_mul(gan_constant(NULL, 1), f->x); }

static gan_node *gradient_weight(struct fixture *f) {
  gan_node *out;
  gan_gradients(1, &f->x, &f->row, 1, &f->x, &out);
  return out;
}

struct mistake { const char *name; gan_node *(*make)(struct fixture *f); gan_status status; const char *words[3]; };

static const struct mistake mistakes[] = {
  {"add shapes", add_shapes, GAN_ERROR_SHAPE, {"add", "3x4", "5"}},
  {"add NULL", add_null, GAN_ERROR_ARGUMENT, {"add", "node 2 is NULL"}},
  {"add type", add_type, GAN_ERROR_ARGUMENT, {"add", "node 2 is i32", "gan_to_float"}},
  {"select shapes", select_shapes, GAN_ERROR_SHAPE, {"select", "3x4", "5"}},
  {"matmul inner", matmul_inner, GAN_ERROR_SHAPE, {"matmul", "3x4", "(.., m, k)"}},
  {"matmul rank", matmul_rank, GAN_ERROR_SHAPE, {"matmul", "5"}},
  {"axis too high", sum_axis, GAN_ERROR_SHAPE, {"axis 2", "3x4"}},
  {"axis too low", sum_axis_low, GAN_ERROR_SHAPE, {"axis -3", "3x4"}},
  {"axis twice", sum_axis_twice, GAN_ERROR_ARGUMENT, {"axis 1", "twice"}},
  {"axes NULL", sum_axes_null, GAN_ERROR_ARGUMENT, {"1 axes"}},
  {"reshape", reshape_size, GAN_ERROR_SHAPE, {"reshape", "3x4"}},
  {"reshape rank", reshape_rank, GAN_ERROR_ARGUMENT, {"reshape", "rank 9"}},
  {"reshape huge", reshape_huge, GAN_ERROR_SHAPE, {"reshape"}},
  {"reshape NULL", reshape_null, GAN_ERROR_ARGUMENT, {"reshape", "NULL"}},
  {"transpose twice", transpose_order, GAN_ERROR_ARGUMENT, {"transpose", "3x4"}},
  {"transpose range", transpose_range, GAN_ERROR_ARGUMENT, {"transpose"}},
  {"broadcast", broadcast_shape, GAN_ERROR_SHAPE, {"broadcast", "3x4", "6x4"}},
  {"broadcast to nothing", broadcast_zero, GAN_ERROR_SHAPE, {"at least 1"}},
  {"slice range", slice_range, GAN_ERROR_SHAPE, {"slice", "2 .. 5", "3x4"}},
  {"slice empty", slice_empty, GAN_ERROR_SHAPE, {"slice", "2 .. 2"}},
  {"pad negative", pad_negative, GAN_ERROR_ARGUMENT, {"pad", "-1"}},
  {"pad huge", pad_huge, GAN_ERROR_ARGUMENT, {"pad"}},
  {"concat shapes", concat_shapes, GAN_ERROR_SHAPE, {"concat", "3x4", "5"}},
  {"concat types", concat_types, GAN_ERROR_SHAPE, {"concat", "type"}},
  {"gather indices", gather_types, GAN_ERROR_ARGUMENT, {"gather (indices)", "i32"}},
  {"gather table", gather_table, GAN_ERROR_ARGUMENT, {"gather (table)"}},
  {"one_hot classes", one_hot_classes, GAN_ERROR_ARGUMENT, {"one_hot", "0 classes"}},
  {"one_hot type", one_hot_type, GAN_ERROR_ARGUMENT, {"one_hot", "i32 indices are expected"}},
  {"norm of a number", norm_scalar, GAN_ERROR_SHAPE, {"norm_per_sample"}},
  {"clamp order", clamp_order, GAN_ERROR_ARGUMENT, {"clamp"}},
  {"softmax axis", softmax_axis, GAN_ERROR_SHAPE, {"softmax", "axis 7"}},
  {"input type", input_type, GAN_ERROR_ARGUMENT, {"input 'y'", "GAN_I32"}},
  {"input shape", input_shape, GAN_ERROR_SHAPE, {"at least 1"}},
  {"input batch", input_batch, GAN_ERROR_STATE, {"input 'y'", "-1", "batch of a game"}},
  {"input overflow", input_overflow, GAN_ERROR_SHAPE, {"9223372036854775807x2"}},
  {"input again", input_again, GAN_ERROR_ARGUMENT, {"another input named 'x'"}},
  {"scalar NULL", scalar_null, GAN_ERROR_ARGUMENT, {"scalar", "NULL"}},
  {"scalar again", scalar_again, GAN_ERROR_ARGUMENT, {"another input named 'x'"}},
  {"random name", random_name, GAN_ERROR_ARGUMENT, {"random 'z'", "did you mean 'normal'"}},
  {"random range", random_range, GAN_ERROR_ARGUMENT, {"low must be less"}},
  {"random option", random_option, GAN_ERROR_ARGUMENT, {"random 'z'", "sd"}},
  {"tensor NULL", tensor_null, GAN_ERROR_ARGUMENT, {"tensor may not be NULL"}},
  {"name NULL", name_null, GAN_ERROR_ARGUMENT, {"name"}},
  {"output twice", output_twice, GAN_ERROR_ARGUMENT, {"'o'"}},
  {"output empty", output_empty, GAN_ERROR_ARGUMENT, {"name"}},
  {"gradient of a label", gradient_label, GAN_ERROR_ARGUMENT, {"gradients", "i32"}},
  {"gradient of NULL", gradient_null, GAN_ERROR_ARGUMENT, {"gradients", "NULL"}},
  {"gradient weight", gradient_weight, GAN_ERROR_SHAPE, {"weight 1 is 5", "3x4"}},
  {"no graph", stray, GAN_ERROR_ARGUMENT, {"mul", "node 1"}},
};

enum { MISTAKES = sizeof mistakes / sizeof *mistakes };

static void test_mistakes(void **state) {
  (void)state;
  for (int32_t i = 0; i < MISTAKES; i++) {
    const struct mistake *m = &mistakes[i];
    void *fixture;
    open_graph(&fixture);
    struct fixture *f = fixture;
    gan_node *n = m->make(f);
    assert_non_null(n);
    if (!node_failed(n)) fail_msg("%s: nothing failed", m->name);
    assert_int_equal(gan_node_type(n), -1);
    assert_int_equal(gan_node_rank(n), -1);
    const char *words[4] = {m->words[0], m->words[1], m->words[2]};
    assert_failed(f, m->status, words);
    close_graph(&fixture);
  }
}

static void test_sticky(void **state) {
  struct fixture *f = *state;
  gan_node *bad = gan_add(f->x, f->row);
  int64_t nodes = f->g->n_nodes;
  assert_ptr_equal(gan_matmul(bad, f->x, 0, 0), bad);
  assert_ptr_equal(gan_exp(f->x), bad);
  assert_ptr_equal(gan_softmax(bad, 0), bad);
  assert_ptr_equal(gan_output(bad, "o"), bad);
  assert_ptr_equal(gan_node_name(bad, "b"), bad);
  assert_ptr_equal(gan_gradient(bad, f->x), bad);
  assert_ptr_equal(gan_constant(f->g, 1), bad);
  gan_phase(f->g, "later");
  assert_int_equal(f->g->n_nodes, nodes);
  assert_int_equal(gan_node_size(f->x, 0), 3); /* what was good can still be asked */
  ASSERT_FAILED(f, GAN_ERROR_SHAPE, "add", "3x4");
}

static void test_no_graph(void **state) {
  (void)state;
  gan_node *none = node_none();
  assert_ptr_equal(gan_constant(NULL, 1), none);
  assert_ptr_equal(gan_input(NULL, "x", GAN_F32, 0, NULL), none);
  assert_ptr_equal(gan_scalar(NULL, "x", 1), none);
  assert_ptr_equal(gan_random(NULL, "x", "normal", 0, NULL), none);
  assert_ptr_equal(gan_constant_tensor(NULL, NULL), none);
  assert_ptr_equal(gan_add(NULL, NULL), none);
  assert_ptr_equal(gan_relu(NULL), none);
  assert_ptr_equal(gan_leaky_relu(none, 0.2), none);
  assert_ptr_equal(gan_select(none, NULL, none), none);
  assert_ptr_equal(gan_concat(0, NULL, 0), none);
  assert_ptr_equal(gan_softmax(NULL, 0), none);
  assert_ptr_equal(gan_gradient(NULL, NULL), none);
  assert_ptr_equal(gan_output(NULL, "x"), none);
  assert_ptr_equal(gan_output(none, "x"), none);
  assert_ptr_equal(gan_node_name(none, "x"), none);
  assert_int_equal(gan_node_size(none, 0), -1);
  assert_int_equal(gan_node_type(NULL), -1);
  gan_gradients(0, NULL, NULL, 0, NULL, NULL);
  gan_phase(NULL, "x");
  gan_graph_free(NULL);
  assert_int_equal(gan_graph_check(NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_graph_create(NULL, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_graph_text(NULL, NULL, 0, NULL), GAN_ERROR_ARGUMENT);
}

static void test_two_graphs(void **state) {
  struct fixture *f = *state;
  gan_graph *other;
  assert_int_equal(gan_graph_create(f->ctx, &other), GAN_OK);
  gan_node *y = gan_constant(other, 1);
  assert_true(node_failed(gan_add(f->x, y)));
  ASSERT_FAILED(f, GAN_ERROR_ARGUMENT, "node 2 belongs to another graph");
  assert_int_equal(gan_graph_check(other), GAN_ERROR_ARGUMENT);
  gan_graph_free(other);
}

/* ---------------------------------------------------------------------------------------------------------------- content */

static void test_nodes(void **state) {
  struct fixture *f = *state;
  assert_int_equal(gan_node_type(f->x), GAN_F32);
  assert_int_equal(gan_node_type(f->label), GAN_I32);
  assert_int_equal(gan_node_rank(f->x), 2);
  assert_int_equal(gan_node_size(f->x, -1), 4);
  assert_int_equal(gan_node_size(f->x, 2), -1);
  assert_int_equal(gan_node_size(f->x, -3), -1);
  assert_ptr_equal(gan_input(f->g, "x", GAN_F32, 2, (int64_t[]){3, 4}), f->x);
  assert_ptr_equal(gan_scalar(f->g, "rate", 0.5), gan_scalar(f->g, "rate", 0.5));
  assert_ptr_equal(gan_node_name(f->x, "picture"), f->x);
  assert_string_equal(f->x->name, "picture");
  for (int64_t i = 0; i < f->g->n_nodes; i++) assert_int_equal(f->g->nodes[i]->id, i);
}

static void test_constant_tensor(void **state) {
  struct fixture *f = *state;
  gan_tensor *t;
  const double values[4] = {0, 1, 2.5, -1};
  assert_int_equal(gan_tensor_create(f->ctx, GAN_F64, 2, (int64_t[]){2, 2}, &t), GAN_OK);
  memcpy(gan_tensor_data(t), values, sizeof values);
  gan_node *n = gan_constant_tensor(f->g, t);
  gan_tensor_free(t);
  assert_int_equal(gan_node_type(n), GAN_F32);
  for (int32_t i = 0; i < 4; i++) assert_true((double)((const float *)n->attr.data)[i] == values[i]);
}

static void test_phases(void **state) {
  struct fixture *f = *state;
  gan_graph *g = f->g;
  assert_int_equal(g->n_phases, 1);
  assert_string_equal(g->phases[0].name, "1");
  gan_phase(g, "D");
  assert_int_equal(g->n_phases, 1);
  assert_string_equal(g->phases[0].name, "D");
  gan_output(f->x, "first");
  graph_add_update(g, g, f->x);
  gan_phase(g, "G");
  assert_int_equal(g->n_phases, 2);
  gan_output(f->row, "second");
  assert_int_equal(graph_find_output(g, "first")->phase, 0);
  assert_int_equal(graph_find_output(g, "second")->phase, 1);
  assert_null(graph_find_output(g, "third"));
  gan_phase(g, "empty");
  assert_int_equal(g->n_phases, 3);
  assert_int_equal(gan_graph_check(g), GAN_OK);
  gan_phase(g, NULL);
  ASSERT_FAILED(f, GAN_ERROR_ARGUMENT, "phase");
}

static void test_variables(void **state) {
  struct fixture *f = *state;
  struct variable *v, *part;
  assert_int_equal(variable_create(f->ctx, "flat", 1, (int64_t[]){10}, &v), GAN_OK);
  assert_int_equal(variable_alias(v, 4, "part", 2, (int64_t[]){2, 3}, &part), GAN_OK);
  assert_ptr_equal(part->data, v->data + 4);
  assert_int_equal(variable_alias(v, 5, "part", 2, (int64_t[]){2, 3}, &part), GAN_ERROR_ARGUMENT);
  gan_node *n = node_variable(f->g, v), *value = gan_scale(n, 2);
  assert_ptr_equal(node_variable(f->g, v), n);
  assert_string_equal(n->name, "flat");
  assert_null(graph_latest_assign(f->g, v));
  graph_assign(f->g, v, value);
  graph_assign(f->g, v, n);
  assert_ptr_equal(graph_latest_assign(f->g, v), n);
  graph_add_update(f->g, NULL, n);
  gan_phase(f->g, "next");
  assert_null(graph_latest_assign(f->g, v));
  variable_unref(v); /* the graph and the alias keep it */
  assert_true(node_variable(f->g, part)->attr.variable->base == v);
  variable_unref(part);
}

static void test_sealed(void **state) {
  struct fixture *f = *state;
  char text[ERROR_TEXT];
  gan_node *product = gan_matmul(f->x, f->x, 0, 1), *most = gan_max_axes(product, 1, (int32_t[]){0}, 1);
  gan_node *y = gan_norm_per_sample(gan_pow(most, gan_tanh(product)));
  assert_int_equal(gan_graph_check(f->g), GAN_OK);
  int64_t nodes = f->g->n_nodes;
  f->g->sealed = 1;
  assert_true(gan_node_type(gan_exp(f->x)) == -1);
  assert_true(gan_node_type(gan_gradient(y, f->x)) == -1);
  assert_int_equal(f->g->n_nodes, nodes);
  context_text(f->ctx, text, sizeof text);
  assert_non_null(strstr(text, "prepared"));
  assert_int_equal(gan_graph_check(f->g), GAN_OK); /* what is in use stays good */
}

static void test_dumps(void **state) {
  struct fixture *f = *state;
  char text[4096];
  int64_t needed;
  gan_output(gan_node_name(gan_matmul(f->x, gan_constant(f->g, 0.5), 0, 0), "never"), "never");
  gan_graph *g;
  assert_int_equal(gan_graph_create(f->ctx, &g), GAN_OK);
  gan_node *x = gan_input(g, "a \"b\"", GAN_F32, 2, (int64_t[]){3, 4});
  gan_output(gan_node_name(gan_sum_axes(gan_matmul(x, x, 0, 1), 1, (int32_t[]){1}, 0), "rows"), "total");
  assert_int_equal(gan_graph_text(g, text, sizeof text, &needed), GAN_OK);
  assert_int_equal(needed, strlen(text) + 1);
  assert_string_equal(text, "0 a \"b\" = input from=caller: f32 3x4\n"
                            "1 - = matmul 0 0 transpose_b: f32 3x3\n"
                            "2 rows = sum 1 axes=1: f32 3\n"
                            "output total = 2 in phase 1\n");
  assert_int_equal(gan_graph_dot(g, text, sizeof text, NULL), GAN_OK);
  assert_non_null(strstr(text, "digraph"));
  assert_non_null(strstr(text, "a \\\"b\\\""));
  assert_non_null(strstr(text, "n0 -> n1;"));
  assert_int_equal(gan_graph_text(f->g, text, sizeof text, NULL), GAN_OK);
  assert_non_null(strstr(text, "failed: matmul"));
  gan_graph_free(g);
}

/* ----------------------------------------------------------------------------------------------------------------- memory */

struct flaky { int64_t left; int32_t forever; }; /* allocations that still succeed */

static void *flaky_allocate(void *user, int64_t size) {
  struct flaky *f = user;
  int32_t fails = f->forever ? f->left <= 0 : f->left == 0;
  f->left--;
  return fails ? NULL : aligned_alloc(64, ((size_t)size + 63) / 64 * 64);
}

static void flaky_release(void *user, void *memory, int64_t size) {
  (void)user, (void)size;
  free(memory);
}

/* A graph with many kinds of nodes, a gradient of a gradient, a large tensor and outputs. */
static gan_status build_all(gan_context *ctx) {
  gan_graph *g;
  gan_status status = gan_graph_create(ctx, &g);
  if (status != GAN_OK) return status;
  gan_tensor *t = NULL;
  struct variable *v = NULL;
  if (gan_tensor_create(ctx, GAN_F32, 2, (int64_t[]){64, 100}, &t) == GAN_OK) gan_constant_tensor(g, t);
  gan_tensor_free(t);
  gan_node *x = gan_random(g, "z", "normal std=2", 2, (int64_t[]){8, 8});
  if (variable_create(ctx, "w", 2, (int64_t[]){8, 8}, &v) == GAN_OK) x = gan_matmul(x, node_variable(g, v), 0, 0);
  variable_unref(v);
  gan_node *many[40];
  for (int32_t i = 0; i < 40; i++) many[i] = gan_scale(gan_softmax(gan_gelu(x), 1), i);
  gan_node *norm = gan_norm_per_sample(gan_gradient(gan_concat(40, many, 0), x));
  gan_output(gan_node_name(gan_gradient(norm, x), "second"), "out");
  graph_add_update(g, NULL, norm);
  gan_phase(g, "next");
  graph_add_follow(g, &(struct graph_follow){.decay = 0});
  status = gan_graph_check(g);
  if (status == GAN_OK) status = gan_graph_dot(g, NULL, 0, NULL);
  gan_graph_free(g);
  return status;
}

static int64_t count_allocations(void) {
  struct flaky f = {.left = INT64_MAX};
  gan_context_config config;
  gan_context *ctx;
  gan_context_config_init(&config, sizeof config);
  config.threads = 1;
  config.allocate = flaky_allocate, config.release = flaky_release, config.allocator_user = &f;
  assert_int_equal(gan_context_create(&config, &ctx), GAN_OK);
  int64_t before = f.left;
  assert_int_equal(build_all(ctx), GAN_OK);
  gan_context_free(ctx);
  return before - f.left;
}

static void test_no_memory(void **state) {
  (void)state;
  int64_t count = count_allocations();
  for (int64_t i = 0; i < 2 * count; i++) {
    struct flaky f = {.left = INT64_MAX, .forever = i >= count};
    gan_context_config config;
    gan_context *ctx;
    gan_context_config_init(&config, sizeof config);
    config.threads = 1;
    config.allocate = flaky_allocate, config.release = flaky_release, config.allocator_user = &f;
    assert_int_equal(gan_context_create(&config, &ctx), GAN_OK);
    f.left = i % count;
    gan_status status = build_all(ctx);
    /* A failed tensor or variable is left out by build_all itself, so success is possible as well. */
    assert_true(status == GAN_ERROR_MEMORY || status == GAN_OK);
    f.left = INT64_MAX;
    int64_t used, peak;
    assert_int_equal(gan_context_memory(ctx, &used, &peak, NULL), GAN_OK);
    assert_true(used <= peak);
    gan_context_free(ctx);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_mistakes),
    cmocka_unit_test_setup_teardown(test_sticky, open_graph, close_graph),
    cmocka_unit_test(test_no_graph),
    cmocka_unit_test_setup_teardown(test_two_graphs, open_graph, close_graph),
    cmocka_unit_test_setup_teardown(test_nodes, open_graph, close_graph),
    cmocka_unit_test_setup_teardown(test_constant_tensor, open_graph, close_graph),
    cmocka_unit_test_setup_teardown(test_phases, open_graph, close_graph),
    cmocka_unit_test_setup_teardown(test_variables, open_graph, close_graph),
    cmocka_unit_test_setup_teardown(test_sealed, open_graph, close_graph),
    cmocka_unit_test_setup_teardown(test_dumps, open_graph, close_graph),
    cmocka_unit_test(test_no_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
