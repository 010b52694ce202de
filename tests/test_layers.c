/* Layers: every row of layers.def against central differences of the oracle, against its own formula, and in a plan. */
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
#include "base/tensor.h"
#include "nn/network.h"
#include "op_cases.h"
#include "oracle.h"
#include "plan/plan.h"

/* ------------------------------------------------------------------ the table */

struct layer_case { const char *layer, *text, *inputs; };

static const struct layer_case layer_cases[] = {
#define CASE(layer, text, inputs) {layer, text, inputs},
#include "layer_cases.def"
#undef CASE
};

enum { N_CASES = sizeof layer_cases / sizeof *layer_cases, LEAVES = 24, SEED = 7 };

static void test_every_layer_has_a_case(void **state) {
  (void)state;
  for (int32_t i = 0; i < layer_count(); i++) {
    int32_t found = 0;
    for (int32_t j = 0; j < N_CASES; j++) found |= !strcmp(layer_cases[j].layer, layer_at(i)->name);
    if (!found) fail_msg("layer '%s' has no row in layer_cases.def", layer_at(i)->name);
  }
}

/* ------------------------------------------------------------------ one case as a graph */

struct leaf { gan_node *node; double *value, *direction; };

/* What is constant for gradients is constant for differences, too: the values of such nodes at the point where both are taken. */
struct frozen { double **value; int64_t count; };   /* by id of the node; NULL: not such a node */

struct bench {
  gan_context *ctx;
  gan_graph *graph;
  gan_layer *layer;
  struct op_case shapes;
  gan_node *in[CASE_INPUTS], *y;
  struct leaf leaves[LEAVES];
  int32_t n_leaves;
  struct frozen frozen;
};

static void must_build(gan_graph *g) {
  if (g->failed) fail_msg("%s", g->error_text);
}

static struct leaf *add_leaf(struct bench *b, gan_node *node) {
  assert_true(b->n_leaves < LEAVES);
  struct leaf *l = &b->leaves[b->n_leaves++];
  l->node = node;
  l->value = calloc((size_t)node->count, sizeof *l->value);
  l->direction = calloc((size_t)node->count, sizeof *l->direction);
  return l;
}

static void fill_inputs(struct bench *b) {
  float values[512];
  for (int32_t i = 0; i < b->shapes.n_in; i++) {
    struct leaf *l = add_leaf(b, b->in[i]);
    op_case_fill(&b->shapes, i, SEED, values);
    for (int64_t j = 0; j < l->node->count; j++) l->value[j] = (double)values[j];
  }
}

static int32_t ends_with(const char *s, const char *end) {
  size_t length = strlen(s), part = strlen(end);
  return length >= part && !strcmp(s + length - part, end);
}

/* Variables away from their initial values; variances and counts are positive, vectors of spectral norms not at right angles. */
static void fill_variables(struct bench *b) {
  gan_network *n = b->layer->network;
  for (int64_t i = 0; i < (n ? n->n_variables : b->layer->n_variables); i++) {
    struct variable *v = n ? n->variables[i].variable : b->layer->variables[i];
    int32_t positive = ends_with(v->name, "_var") || ends_with(v->name, "_rows");
    struct leaf *l = add_leaf(b, node_variable(b->graph, v));
    for (int64_t j = 0; j < v->count; j++) {
      v->data[j] = (float)test_random(100 + (uint64_t)i, (uint64_t)j, positive ? 0.5 : -1, 1.5);
      l->value[j] = (double)v->data[j];
    }
  }
}

static void bench_open(struct bench *b, const struct layer_case *c, int32_t training) {
  memset(b, 0, sizeof *b);
  b->ctx = new_context();
  must(b->ctx, gan_graph_create(b->ctx, &b->graph));
  must(b->ctx, gan_layer_create(b->ctx, c->text, &b->layer));
  assert_int_equal(op_cases_read(c->inputs, &b->shapes), 1);
  for (int32_t i = 0; i < b->shapes.n_in; i++) {
    char name[16];
    const struct case_input *in = &b->shapes.in[i];
    snprintf(name, sizeof name, "x%d", i);
    b->in[i] = gan_input(b->graph, name, in->classes ? GAN_I32 : GAN_F32, in->rank, in->shape);
  }
  b->y = gan_layer_apply(b->layer, training, b->shapes.n_in, b->in);
  must_build(b->graph);
  fill_inputs(b);
  fill_variables(b);
}

static void bench_close(struct bench *b) {
  for (int64_t i = 0; i < b->frozen.count; i++) free(b->frozen.value[i]);
  free(b->frozen.value);
  for (int32_t i = 0; i < b->n_leaves; i++) {
    free(b->leaves[i].value);
    free(b->leaves[i].direction);
  }
  gan_layer_free(b->layer);
  gan_graph_free(b->graph);
  gan_context_free(b->ctx);
}

static const double *leaf_value(void *user, const gan_node *n) {
  const struct bench *b = user;
  if (n->id < b->frozen.count && b->frozen.value[n->id]) return b->frozen.value[n->id];
  for (int32_t i = 0; i < b->n_leaves; i++)
    if (b->leaves[i].node == n) return b->leaves[i].value;
  return NULL;
}

static struct oracle *evaluate(struct bench *b, int32_t n, gan_node *const *roots) {
  const char *why = "";
  struct oracle_source source = {.leaf = leaf_value, .user = b, .seed = SEED, .step = 3};
  must_build(b->graph);
  struct oracle *o = oracle_run(&source, n, roots, &why);
  if (!o) fail_msg("oracle: %s", why);
  return o;
}

static int32_t is_frozen(const gan_node *n) { return !strcmp(n->op->name, "stop_gradient") && n->type == GAN_F32; }

static void freeze(struct bench *b) {
  gan_node *frozen[64];
  int32_t n = 0;
  for (int64_t i = 0; i < b->graph->n_nodes; i++) {
    if (!is_frozen(b->graph->nodes[i])) continue;
    assert_true(n < 64);
    frozen[n++] = b->graph->nodes[i];
  }
  if (!n) return;
  struct oracle *o = evaluate(b, n, frozen);
  b->frozen.count = b->graph->n_nodes;
  b->frozen.value = calloc((size_t)b->frozen.count, sizeof *b->frozen.value);
  for (int32_t i = 0; i < n; i++) {
    size_t bytes = (size_t)frozen[i]->count * sizeof(double);
    b->frozen.value[frozen[i]->id] = memcpy(malloc(bytes), oracle_value(o, frozen[i]), bytes);
  }
  oracle_free(o);
}

/* ------------------------------------------------------------------ gradients */

/* A sum of the elements with random weights: plain sums of some layers are constant. */
static gan_node *weighted_sum(gan_node *x, uint64_t salt) {
  gan_tensor *weights;
  must(x->graph->ctx, gan_tensor_create(x->graph->ctx, GAN_F32, x->rank, x->shape, &weights));
  float *w = gan_tensor_data(weights);
  for (int64_t i = 0; i < x->count; i++) w[i] = (float)test_random(salt, (uint64_t)i, -1, 1);
  gan_node *sum = gan_sum(gan_mul(x, gan_constant_tensor(x->graph, weights)));
  gan_tensor_free(weights);
  return sum;
}

static void move(struct bench *b, double by) {
  for (int32_t i = 0; i < b->n_leaves; i++)
    for (int64_t j = 0; j < b->leaves[i].node->count; j++) b->leaves[i].value[j] += by * b->leaves[i].direction[j];
}

static double value_at(struct bench *b, gan_node *scalar, double by) {
  move(b, by);
  struct oracle *o = evaluate(b, 1, &scalar);
  double value = oracle_value(o, scalar)[0];
  oracle_free(o);
  move(b, -by);
  return value;
}

static void choose_direction(struct bench *b, uint64_t salt) {
  for (int32_t i = 0; i < b->n_leaves; i++) {
    struct leaf *l = &b->leaves[i];
    for (int64_t j = 0; j < l->node->count; j++)
      l->direction[j] = l->node->type == GAN_F32 ? test_random(salt + 97 * (uint64_t)i, (uint64_t)j, -1, 1) : 0;
  }
}

/* Nodes to differentiate by: all leaves of floats. */
static int32_t targets(const struct bench *b, gan_node **x) {
  int32_t n = 0;
  for (int32_t i = 0; i < b->n_leaves; i++)
    if (b->leaves[i].node->type == GAN_F32) x[n++] = b->leaves[i].node;
  return n;
}

static double along(const struct bench *b, const struct oracle *o, gan_node *const *gradients) {
  double sum = 0;
  int32_t at = 0;
  for (int32_t i = 0; i < b->n_leaves; i++) {
    const struct leaf *l = &b->leaves[i];
    if (l->node->type != GAN_F32) continue;
    const double *g = oracle_value(o, gradients[at++]);
    for (int64_t j = 0; j < l->node->count; j++) sum += g[j] * l->direction[j];
  }
  return sum;
}

static void check_gradient(struct bench *b, const struct layer_case *c, gan_node *scalar, gan_node *const *gradients, int32_t n,
                           const char *what) {
  struct oracle *o = evaluate(b, n, gradients);
  for (uint64_t salt = 1; salt <= 3; salt++) {
    choose_direction(b, 1000 * salt);
    double step = 1e-4;
    double numeric = (value_at(b, scalar, step) - value_at(b, scalar, -step)) / (2 * step);
    double wide = (value_at(b, scalar, 2 * step) - value_at(b, scalar, -2 * step)) / (4 * step);
    numeric += (numeric - wide) / 3; /* Richardson: the error of order 2 goes */
    double analytic = along(b, o, gradients);
    double scale = fmax(1, fmax(fabs(analytic), fabs(numeric)));
    if (!(fabs(analytic - numeric) / scale < 1e-6)) fail_msg("%s: %s %.9g, differences %.9g", c->text, what, analytic, numeric);
  }
  oracle_free(o);
}

static void check_case(const struct layer_case *c, int32_t training) {
  struct bench b;
  gan_node *x[LEAVES], *first[LEAVES], *second[LEAVES];
  bench_open(&b, c, training);
  freeze(&b);
  int32_t n = targets(&b, x);
  if (n > 0) {
    gan_node *loss = weighted_sum(b.y, 11);
    gan_gradients(1, &loss, NULL, n, x, first);
    check_gradient(&b, c, loss, first, n, "gradient");
    gan_node *all = gan_constant(b.graph, 0);
    for (int32_t i = 0; i < n; i++) all = gan_add(all, weighted_sum(first[i], 20 + (uint64_t)i));
    gan_gradients(1, &all, NULL, n, x, second);
    check_gradient(&b, c, all, second, n, "gradient of gradient");
  }
  bench_close(&b);
}

static void test_gradients(void **state) {
  (void)state;
  for (int32_t i = 0; i < N_CASES; i++)
    for (int32_t training = 0; training < 2; training++) check_case(&layer_cases[i], training);
}

/* ------------------------------------------------------------------ in a plan */

static void run_plan(struct bench *b, int32_t optimize, int32_t frozen, float *out) {
  struct plan *p;
  struct plan_root root = {.node = b->y};
  struct plan_stage stage = {.name = "test", .n_roots = 1, .roots = &root};
  struct plan_config config = {
    .ctx = b->ctx, .graph = b->graph, .n_stages = 1, .stages = &stage, .optimize = optimize, .frozen = frozen,
  };
  must(b->ctx, plan_create(&config, &p));
  size_t arena_bytes = (size_t)plan_arena_bytes(p), scratch_bytes = (size_t)plan_scratch_bytes(p, 1);
  void *arena = context_alloc(b->ctx, arena_bytes), *scratch = context_alloc(b->ctx, scratch_bytes);
  plan_bind(p, arena, scratch);
  for (int32_t i = 0; i < b->shapes.n_in; i++) {
    void *values = plan_input(p, b->in[i]);
    if (values) convert_elements(b->in[i]->type, values, GAN_F64, b->leaves[i].value, b->in[i]->count);
  }
  struct environment e = {.kernels = b->ctx->kernels, .seed = SEED, .step = 3};
  plan_run(p, 0, NULL, &e);
  memcpy(out, plan_value(p, b->y), (size_t)b->y->count * sizeof *out);
  plan_free(p);
  context_release(b->ctx, arena, arena_bytes);
  context_release(b->ctx, scratch, scratch_bytes);
}

static void check_plan(const struct layer_case *c, int32_t training) {
  float out[512];
  struct bench b;
  bench_open(&b, c, training);
  struct oracle *o = evaluate(&b, 1, &b.y);
  const double *expected = oracle_value(o, b.y);
  for (int32_t way = 0; way < 4; way++) {
    run_plan(&b, way & 1, way >> 1, out);
    for (int64_t i = 0; i < b.y->count; i++) {
      double error = fabs((double)out[i] - expected[i]) / fmax(1, fabs(expected[i]));
      if (!(error < 1e-5))
        fail_msg("%s, optimize %d, frozen %d: [%d] is %.8g, expected %.8g", c->text, way & 1, way >> 1, (int)i, (double)out[i],
                 expected[i]);
    }
  }
  oracle_free(o);
  bench_close(&b);
}

static void test_plans(void **state) {
  (void)state;
  for (int32_t i = 0; i < N_CASES; i++)
    for (int32_t training = 0; training < 2; training++) check_plan(&layer_cases[i], training);
}

/* ------------------------------------------------------------------ formulas, written out */

static const struct leaf *leaf_named(const struct bench *b, const char *end) {
  for (int32_t i = 0; i < b->n_leaves; i++) {
    const char *name = b->leaves[i].node->name;
    if (name && strlen(name) >= strlen(end) && !strcmp(name + strlen(name) - strlen(end), end)) return &b->leaves[i];
  }
  fail_msg("no leaf '%s'", end);
  return NULL;
}

static void near(double came, double expected) {
  if (!(fabs(came - expected) <= 1e-9 * fmax(1, fabs(expected)))) fail_msg("came %.12g, expected %.12g", came, expected);
}

static void test_dense(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b, &(struct layer_case){"dense", "dense units=3", "2x2x4 -1..1"}, 1);
  struct oracle *o = evaluate(&b, 1, &b.y);
  const double *y = oracle_value(o, b.y), *x = b.leaves[0].value, *w = leaf_named(&b, "/weight")->value,
               *bias = leaf_named(&b, "/bias")->value;
  assert_int_equal(b.y->rank, 3);
  for (int32_t row = 0; row < 4; row++)
    for (int32_t unit = 0; unit < 3; unit++) {
      double sum = bias[unit];
      for (int32_t i = 0; i < 4; i++) sum += x[row * 4 + i] * w[unit * 4 + i];
      near(y[row * 3 + unit], sum);
    }
  oracle_free(o);
  bench_close(&b);
}

struct column { double mean, biased, unbiased; };

static struct column column_of(const double *x, int32_t rows, int32_t columns, int32_t j) {
  struct column c = {0};
  for (int32_t i = 0; i < rows; i++) c.mean += x[i * columns + j] / rows;
  for (int32_t i = 0; i < rows; i++) c.biased += (x[i * columns + j] - c.mean) * (x[i * columns + j] - c.mean) / rows;
  c.unbiased = c.biased * rows / (rows - 1);
  return c;
}

/* As torch.nn.BatchNorm1d: the batch's biased variance normalises, the unbiased one runs on. */
static void test_batch_norm_training(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b, &(struct layer_case){"batch-norm", "batch-norm epsilon=0.8 momentum=0.3", "5x4 -2..2"}, 1);
  assert_int_equal(b.graph->n_assigns, 2);
  gan_node *roots[] = {b.y, b.graph->assigns[0].value, b.graph->assigns[1].value};
  struct oracle *o = evaluate(&b, 3, roots);
  const double *y = oracle_value(o, b.y), *mean = oracle_value(o, roots[1]), *variance = oracle_value(o, roots[2]),
               *x = b.leaves[0].value;
  for (int32_t j = 0; j < 4; j++) {
    struct column c = column_of(x, 5, 4, j);
    for (int32_t i = 0; i < 5; i++) {
      double normal = (x[i * 4 + j] - c.mean) / sqrt(c.biased + 0.8);
      near(y[i * 4 + j], normal * leaf_named(&b, "/weight")->value[j] + leaf_named(&b, "/bias")->value[j]);
    }
    near(mean[j], 0.7 * leaf_named(&b, "/running_mean")->value[j] + 0.3 * c.mean);
    near(variance[j], 0.7 * leaf_named(&b, "/running_var")->value[j] + 0.3 * c.unbiased);
  }
  oracle_free(o);
  bench_close(&b);
}

static void test_batch_norm_evaluation(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b, &(struct layer_case){"batch-norm", "batch-norm epsilon=0.1", "1x4 -2..2"}, 0);
  assert_int_equal(b.graph->n_assigns, 0);
  struct oracle *o = evaluate(&b, 1, &b.y);
  for (int32_t j = 0; j < 4; j++) {
    double normal =
        (b.leaves[0].value[j] - leaf_named(&b, "/running_mean")->value[j]) / sqrt(leaf_named(&b, "/running_var")->value[j] + 0.1);
    near(oracle_value(o, b.y)[j], normal * leaf_named(&b, "/weight")->value[j] + leaf_named(&b, "/bias")->value[j]);
  }
  oracle_free(o);
  bench_close(&b);
}

/* The second application of a phase runs on where the first one stopped. */
static void test_running_statistics_follow_each_other(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b, &(struct layer_case){"batch-norm", "batch-norm", "5x4 -2..2"}, 1);
  gan_layer_apply(b.layer, 1, 1, b.in);
  assert_int_equal(b.graph->n_assigns, 4);
  struct oracle *o = evaluate(&b, 1, &b.graph->assigns[2].value);
  for (int32_t j = 0; j < 4; j++) {
    double mean = column_of(b.leaves[0].value, 5, 4, j).mean, old = leaf_named(&b, "/running_mean")->value[j];
    near(oracle_value(o, b.graph->assigns[2].value)[j], 0.9 * (0.9 * old + 0.1 * mean) + 0.1 * mean);
  }
  oracle_free(o);
  bench_close(&b);
}

static void test_batch_norm_needs_two_rows(void **state) {
  (void)state;
  gan_context *ctx = new_context();
  gan_layer *layer;
  gan_graph *graph;
  char text[512];
  must(ctx, gan_layer_create(ctx, "batch-norm name=bn", &layer));
  must(ctx, gan_graph_create(ctx, &graph));
  gan_node *x = gan_input(graph, "x", GAN_F32, 2, (int64_t[]){1, 4});
  gan_layer_apply(layer, 1, 1, &x);
  assert_int_equal(gan_graph_check(graph), GAN_ERROR_SHAPE);
  gan_context_error(ctx, text, sizeof text, NULL);
  assert_non_null(strstr(text, "bn: "));
  assert_int_equal(layer->n_variables, 0); /* the failed application took back what it made */
  gan_graph_free(graph);
  gan_layer_free(layer);
  gan_context_free(ctx);
}

/* The second application of a phase stands beside the reference batch of the first: mean and variance of the reference and one
 * sample more. */
static void test_virtual_batch_norm(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b, &(struct layer_case){"virtual-batch-norm", "virtual-batch-norm epsilon=0.3", "3x2x2 -2..2"}, 1);
  gan_node *other = gan_scale(b.in[0], 2), *y = gan_layer_apply(b.layer, 1, 1, &other);
  assert_int_equal(b.graph->n_assigns, 3);
  gan_node *roots[] = {b.y, y, b.graph->assigns[0].value, b.graph->assigns[1].value, b.graph->assigns[2].value};
  struct oracle *o = evaluate(&b, 5, roots);
  const double *x = b.leaves[0].value, *gamma = leaf_named(&b, "/weight")->value, *beta = leaf_named(&b, "/bias")->value;
  near(oracle_value(o, roots[4])[0], 3);
  for (int32_t j = 0; j < 2; j++) {
    struct column c = column_of(x, 6, 2, j);
    near(oracle_value(o, roots[2])[j], c.mean);
    near(oracle_value(o, roots[3])[j], c.biased);
    for (int32_t i = 0; i < 6; i++) {
      near(oracle_value(o, b.y)[i * 2 + j], (x[i * 2 + j] - c.mean) / sqrt(c.biased + 0.3) * gamma[j] + beta[j]);
      const double *own = x + i / 2 * 4 + j; /* two places of the sample */
      double mean = (3 * c.mean + (2 * own[0] + 2 * own[2]) / 2) / 4;
      double square = (3 * (c.biased + c.mean * c.mean) + (4 * own[0] * own[0] + 4 * own[2] * own[2]) / 2) / 4;
      double expected = (2 * x[i * 2 + j] - mean) / sqrt(square - mean * mean + 0.3) * gamma[j] + beta[j];
      near(oracle_value(o, y)[i * 2 + j], expected);
    }
  }
  oracle_free(o);
  bench_close(&b);
}

/* In evaluation the state is the reference. */
static void test_virtual_batch_norm_evaluation(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b, &(struct layer_case){"virtual-batch-norm", "virtual-batch-norm affine=no", "2x3 -2..2"}, 0);
  assert_int_equal(b.graph->n_assigns, 0);
  struct oracle *o = evaluate(&b, 1, &b.y);
  double rows = leaf_named(&b, "/reference_rows")->value[0];
  for (int32_t i = 0; i < 6; i++) {
    double x = b.leaves[0].value[i], m = leaf_named(&b, "/reference_mean")->value[i % 3];
    double square = leaf_named(&b, "/reference_var")->value[i % 3] + m * m;
    double mean = (rows * m + x) / (rows + 1), variance = (rows * square + x * x) / (rows + 1) - mean * mean;
    near(oracle_value(o, b.y)[i], (x - mean) / sqrt(variance + 1e-5));
  }
  oracle_free(o);
  bench_close(&b);
}

/* A mask holds for all places of a channel. */
static void test_dropout2d(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b, &(struct layer_case){"dropout2d", "dropout2d rate=0.5", "8x2x2x16 1..2"}, 1);
  struct oracle *o = evaluate(&b, 1, &b.y);
  const double *y = oracle_value(o, b.y), *x = b.leaves[0].value;
  int32_t dropped = 0;
  for (int32_t i = 0; i < 512; i++) {
    int32_t first = i / 64 * 64 + i % 16;
    near(y[i], y[first] != 0 ? x[i] / 0.5 : 0);
    dropped += y[i] == 0;
  }
  assert_in_range(dropped / 4, 64 - 23, 64 + 23); /* four standard deviations of 128 channels */
  oracle_free(o);
  bench_close(&b);
}

static void test_dropout(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b, &(struct layer_case){"dropout", "dropout rate=0.25", "8x64 1..2"}, 1);
  gan_node *roots[] = {b.y, gan_layer_apply(b.layer, 1, 1, b.in)}, *evaluated = gan_layer_apply(b.layer, 0, 1, b.in);
  assert_ptr_equal(evaluated, b.in[0]);
  struct oracle *o = evaluate(&b, 2, roots);
  int32_t dropped = 0, differ = 0;
  for (int64_t i = 0; i < 512; i++) {
    double first = oracle_value(o, roots[0])[i], second = oracle_value(o, roots[1])[i];
    if (first != 0) near(first, b.leaves[0].value[i] / 0.75);
    dropped += first == 0;
    differ += (first == 0) != (second == 0);
  }
  assert_in_range(dropped, 512 / 4 - 40, 512 / 4 + 40); /* four standard deviations */
  assert_in_range(differ, 120, 270);                    /* an application has a mask of its own */
  oracle_free(o);
  bench_close(&b);
}

/* ------------------------------------------------------------------ streams */

/* Two layers from one text are different layers, of other initial values; a name makes them repeatable. */
static void test_streams_of_layers(void **state) {
  (void)state;
  gan_context *ctx = new_context();
  gan_graph *graph;
  gan_layer *layers[4];
  const char *texts[] = {"dense units=3", "dense units=3", "dense units=3 name=a", "dense units=3 name=a"};
  must(ctx, gan_graph_create(ctx, &graph));
  gan_node *x = gan_input(graph, "x", GAN_F32, 2, (int64_t[]){2, 4});
  for (int32_t i = 0; i < 4; i++) {
    must(ctx, gan_layer_create(ctx, texts[i], &layers[i]));
    gan_layer_apply(layers[i], 1, 1, &x);
  }
  must_build(graph);
  assert_memory_not_equal(layers[0]->variables[0]->data, layers[1]->variables[0]->data, 12 * sizeof(float));
  assert_memory_equal(layers[2]->variables[0]->data, layers[3]->variables[0]->data, 12 * sizeof(float));
  for (int32_t i = 0; i < 4; i++) gan_layer_free(layers[i]);
  gan_graph_free(graph);
  gan_context_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_every_layer_has_a_case),
    cmocka_unit_test(test_gradients),
    cmocka_unit_test(test_plans),
    cmocka_unit_test(test_dense),
    cmocka_unit_test(test_batch_norm_training),
    cmocka_unit_test(test_batch_norm_evaluation),
    cmocka_unit_test(test_running_statistics_follow_each_other),
    cmocka_unit_test(test_batch_norm_needs_two_rows),
    cmocka_unit_test(test_virtual_batch_norm),
    cmocka_unit_test(test_virtual_batch_norm_evaluation),
    cmocka_unit_test(test_dropout),
    cmocka_unit_test(test_dropout2d),
    cmocka_unit_test(test_streams_of_layers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
