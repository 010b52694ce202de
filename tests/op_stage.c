#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "op_runner.h"
#include "op_stage.h"
#include "ops/build.h"

/* ---------------------------------------------------------------------------------------------------------- graph and feeds */

void stage_open(struct stage *s, const char *what) {
  memset(s, 0, sizeof *s);
  gan_context_config config;
  assert_int_equal(gan_context_config_init(&config, sizeof config), GAN_OK);
  config.threads = 1;
  assert_int_equal(gan_context_create(&config, &s->ctx), GAN_OK);
  assert_int_equal(gan_graph_create(s->ctx, &s->g), GAN_OK);
  snprintf(s->what, sizeof s->what, "%s", what);
}

void stage_close(struct stage *s) {
  for (int32_t i = 0; i < s->n_feeds; i++) {
    free(s->feed[i].wide);
    free(s->feed[i].narrow);
  }
  gan_graph_free(s->g);
  gan_context_free(s->ctx);
}

void assert_good(const struct stage *s) {
  if (gan_graph_check(s->g) != GAN_OK) fail_msg("%s: %s", s->what, s->g->error_text);
}

static struct feed *feed_of(struct stage *s, const gan_node *node) {
  assert_good(s);
  assert_true(s->n_feeds < FEEDS);
  struct feed *f = &s->feed[s->n_feeds++];
  f->node = node;
  f->wide = calloc((size_t)f->node->count, sizeof *f->wide);
  f->narrow = calloc((size_t)f->node->count, 4);
  return f;
}

/* A new input with room for its values; `wide` is to be filled, then settle() copies it to `narrow`. */
struct feed *new_feed(struct stage *s, int32_t type, int32_t rank, const int64_t *shape) {
  char name[16];
  snprintf(name, sizeof name, "f%d", s->n_feeds);
  return feed_of(s, gan_input(s->g, name, type, rank, shape));
}

gan_node *feed_variable(struct stage *s, gan_node *variable) {
  struct feed *f = feed_of(s, variable);
  for (int64_t i = 0; i < variable->count; i++) f->wide[i] = variable->attr.variable->data[i];
  settle(f);
  return variable;
}

void settle(struct feed *f) {
  for (int64_t i = 0; i < f->node->count; i++) {
    if (f->node->type == GAN_I32) ((int32_t *)f->narrow)[i] = (int32_t)f->wide[i];
    else f->wide[i] = ((float *)f->narrow)[i] = (float)f->wide[i];
  }
}

gan_node *feed_values(struct stage *s, int32_t rank, const int64_t *shape, const double *values) {
  struct feed *f = new_feed(s, GAN_F32, rank, shape);
  memcpy(f->wide, values, (size_t)f->node->count * sizeof *values);
  settle(f);
  return (gan_node *)f->node;
}

gan_node *feed_random(struct stage *s, int32_t rank, const int64_t *shape, double low, double high) {
  struct feed *f = new_feed(s, GAN_F32, rank, shape);
  for (int64_t i = 0; i < f->node->count; i++) f->wide[i] = test_random((uint64_t)s->n_feeds + 1000, (uint64_t)i, low, high);
  settle(f);
  return (gan_node *)f->node;
}

gan_node *feed_shape(struct stage *s, const char *shape) {
  struct op_case c;
  char column[64];
  snprintf(column, sizeof column, "%s -1..1", shape);
  assert_int_equal(op_cases_read(column, &c), 1);
  return feed_random(s, c.in[0].rank, c.in[0].shape, -1, 1);
}

/* The inputs of a case. */
void feed_case(struct stage *s, const struct op_case *c, uint64_t salt, gan_node **in) {
  for (int32_t i = 0; i < c->n_in; i++) {
    struct feed *f = new_feed(s, c->in[i].classes ? GAN_I32 : GAN_F32, c->in[i].rank, c->in[i].shape);
    float *values = malloc((size_t)f->node->count * sizeof *values);
    op_case_fill(c, i, salt, values);
    for (int64_t j = 0; j < f->node->count; j++) f->wide[j] = values[j];
    free(values);
    settle(f);
    in[i] = (gan_node *)f->node;
  }
}

const struct feed *find_feed(const struct stage *s, const gan_node *n) {
  for (int32_t i = 0; i < s->n_feeds; i++) {
    if (s->feed[i].node == n) return &s->feed[i];
  }
  return NULL;
}

const double *wide_leaf(void *user, const gan_node *n) {
  const struct feed *f = find_feed(user, n);
  return f ? f->wide : NULL;
}

const void *narrow_leaf(void *user, const gan_node *n) {
  const struct feed *f = find_feed(user, n);
  return f ? f->narrow : NULL;
}

struct oracle *ask_oracle(struct stage *s, int32_t n, gan_node *const *roots) {
  struct oracle_source source = {.leaf = wide_leaf, .user = s, .seed = 5, .step = 3};
  const char *why;
  assert_good(s);
  struct oracle *o = oracle_run(&source, n, roots, &why);
  if (!o) fail_msg("%s: the oracle cannot evaluate %s", s->what, why);
  return o;
}

int32_t any_nan(struct stage *s, gan_node *y) {
  struct oracle *o = ask_oracle(s, 1, &y);
  int32_t any = 0;
  for (int64_t i = 0; i < y->count; i++) any = any || isnan(oracle_value(o, y)[i]);
  oracle_free(o);
  return any;
}

/* ----------------------------------------------------------------------------------------------------------- differences
 *
 * A sum of several nodes, each weighted elementwise by an input, as a function of the f32 inputs.
 */

struct objective { int32_t n; gan_node *y[CASE_INPUTS], *weight[CASE_INPUTS]; };

static double evaluate(struct stage *s, const struct objective *f) {
  struct oracle *o = ask_oracle(s, f->n, f->y);
  double sum = 0;
  for (int32_t i = 0; i < f->n; i++) {
    const double *y = oracle_value(o, f->y[i]), *w = find_feed(s, f->weight[i])->wide;
    for (int64_t j = 0; j < f->y[i]->count; j++) sum += y[j] * w[j];
  }
  oracle_free(o);
  return sum;
}

struct direction { int32_t n; gan_node *x[CASE_INPUTS]; double *d[CASE_INPUTS]; };

static void move(struct stage *s, const struct direction *v, double by) {
  for (int32_t i = 0; i < v->n; i++) {
    double *x = find_feed(s, v->x[i])->wide;
    for (int64_t j = 0; j < v->x[i]->count; j++) x[j] += by * v->d[i][j];
  }
}

static double evaluate_at(struct stage *s, const struct objective *f, const struct direction *v, double by) {
  move(s, v, by);
  double value = evaluate(s, f);
  for (int32_t i = 0; i < s->n_feeds; i++) { /* back to what the floats say: exactly */
    const gan_node *n = s->feed[i].node;
    for (int64_t j = 0; n->type == GAN_F32 && j < n->count; j++) s->feed[i].wide[j] = ((float *)s->feed[i].narrow)[j];
  }
  return value;
}

/* Fourth order central difference. */
static double slope(struct stage *s, const struct objective *f, const struct direction *v) {
  const double h = 1e-3;
  double near = evaluate_at(s, f, v, h) - evaluate_at(s, f, v, -h);
  double far = evaluate_at(s, f, v, 2 * h) - evaluate_at(s, f, v, -2 * h);
  return (8 * near - far) / (12 * h);
}

static double along(struct stage *s, gan_node *const *gradient, const struct direction *v) {
  struct oracle *o = ask_oracle(s, v->n, gradient);
  double sum = 0;
  for (int32_t i = 0; i < v->n; i++) {
    for (int64_t j = 0; j < v->x[i]->count; j++) sum += oracle_value(o, gradient[i])[j] * v->d[i][j];
  }
  oracle_free(o);
  return sum;
}

static struct direction new_direction(int32_t n_x, gan_node *const *x, int32_t number) {
  struct direction v = {.n = n_x};
  for (int32_t i = 0; i < n_x; i++) {
    v.x[i] = x[i];
    v.d[i] = malloc((size_t)x[i]->count * sizeof *v.d[i]);
    for (int64_t j = 0; j < x[i]->count; j++) v.d[i][j] = test_random((uint64_t)(77 + number * 10 + i), (uint64_t)j, -1, 1);
  }
  return v;
}

static void assert_slope(struct stage *s, const struct objective *f, gan_node *const *gradient, int32_t n_x, gan_node *const *x,
                         int32_t order) {
  for (int32_t number = 0; number < 3; number++) {
    struct direction v = new_direction(n_x, x, number);
    double a = along(s, gradient, &v), n = slope(s, f, &v);
    if (!(fabs(a - n) / fmax(1, fmax(fabs(a), fabs(n))) < 1e-6)) {
      fail_msg("%s: derivative of order %d is %.10g, the difference quotient %.10g", s->what, order, a, n);
    }
    for (int32_t i = 0; i < n_x; i++) free(v.d[i]);
  }
}

/* Every node there is has a gradient rule, or is flat, or a leaf. */
static void assert_closed(const struct stage *s) {
  for (int64_t i = 0; i < s->g->n_nodes; i++) {
    const struct op *op = s->g->nodes[i]->op;
    if (op->gradient || op->flags & (OP_FLAT | OP_LEAF)) continue;
    fail_msg("%s: op %s is emitted and has no gradient rule", s->what, op->name);
  }
}

/* Orders 1 and 2 against differences, order 3 for closure. */
void check_derivatives(struct stage *s, gan_node *y, int32_t n_x, gan_node *const *x) {
  struct objective f = {.n = 1, .y = {y}};
  for (int32_t order = 1; order <= 3; order++) {
    for (int32_t i = 0; i < f.n; i++) f.weight[i] = feed_random(s, f.y[i]->rank, f.y[i]->shape, -1, 1);
    gan_node *gradient[CASE_INPUTS];
    gan_gradients(f.n, f.y, f.weight, n_x, x, gradient);
    assert_good(s);
    for (int32_t i = 0; i < n_x; i++) assert_true(nodes_same_shape(gradient[i], x[i]));
    if (order <= 2) assert_slope(s, &f, gradient, n_x, x, order);
    f.n = n_x;
    memcpy(f.y, gradient, sizeof gradient);
  }
  assert_closed(s);
}

/* ---------------------------------------------------------------------------------------------------------------- kernels */

/* How many numbers are added up into one of the result: errors grow with its root. */
static double terms(const gan_node *n) {
  if (n->op == &op_sum) return (double)(n->in[0]->count / n->count);
  if (n->op == &op_matmul) return (double)n->in[0]->shape[n->in[0]->rank - (n->attr.transpose_a ? 2 : 1)];
  if (n->op == &op_conv) return (double)(n->in[1]->count / n->in[1]->shape[0]);
  if (n->op == &op_conv_input) return (double)(n->in[1]->count / n->in[1]->shape[3]);
  if (n->op == &op_conv_weight) return (double)(n->in[1]->count / n->in[1]->shape[3]);
  if (n->op == &op_scatter) return (double)n->in[1]->count;
  double most = 1;
  for (int32_t i = 0; i < n->n_in; i++) most = fmax(most, terms(n->in[i]));
  return most;
}

double element(const gan_node *n, const void *values, int64_t i) {
  return n->type == GAN_I32 ? ((const int32_t *)values)[i] : (double)((const float *)values)[i];
}

void assert_value(const struct stage *s, const char *isa, const gan_node *y, int64_t i, double came, double expected,
                  double tolerance) {
  if (isnan(came) && (isnan(expected) || s->nan_spreads)) return;
  if (came == expected || fabs(came - expected) <= tolerance * fmax(1, fabs(expected))) return;
  char shape[SHAPE_TEXT];
  node_text(y, shape);
  fail_msg("%s on %s: element %lld of %s is %.9g, the oracle has %.9g", s->what, isa, (long long)i, shape, came, expected);
}

/* The node on every instruction set against the oracle. */
void check_kernels(struct stage *s, gan_node *y, int32_t use_blas) {
  struct oracle *o = ask_oracle(s, 1, &y);
  const double *expected = oracle_value(o, y);
  double tolerance = 3e-6 * sqrt(terms(y));
  for (int32_t isa = ISA_BASELINE; isa < ISA_COUNT; isa++) {
    struct runner r = {.kernels = kernels_select(isa), .leaf = narrow_leaf, .user = s, .use_blas = use_blas};
    r.seed = 5, r.step = 3;
    if (!r.kernels) continue;
    const void *came = runner_run(&r, y);
    if (!came) fail_msg("%s: no way to run it", s->what);
    for (int64_t i = 0; i < y->count; i++) assert_value(s, r.kernels->name, y, i, element(y, came, i), expected[i], tolerance);
    runner_free(&r);
  }
  oracle_free(o);
}
