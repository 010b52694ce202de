/* Plans with all passes against plans with none, on graphs made at random and on small networks with their derivatives; stages,
 * assignments, targets, customs, frozen plans; bits for any number of threads; every allocation failing once. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "plan/plan.h"
#include "support.h"

/* ------------------------------------------------------------------ tools */

static const struct rng_key test_key = {{0x706cu, 0x616eu}, {0, 0}};
static uint64_t drawn; /* numbers taken from the stream */

static int32_t draw(int32_t low, int32_t high) {
  return low + (int32_t)rng_below(&test_key, drawn++, (uint32_t)(high - low + 1));
}

static void fill(float *x, int64_t n, float low, float high) {
  for (int64_t i = 0; i < n; i++) x[i] = low + (high - low) * rng_uniform(&test_key, drawn++);
}

enum { INPUTS_MAX = 8, VARIABLES_MAX = 24 };

/* A graph with what it reads. */
struct world {
  struct allocator allocator;
  gan_context *ctx;
  gan_graph *g;
  struct binding bindings[INPUTS_MAX];
  gan_node *inputs[INPUTS_MAX];
  int32_t n_inputs, n_variables;
  struct variable *variables[VARIABLES_MAX];
};

static void open_world(struct world *w, int32_t isa) {
  memset(w, 0, sizeof *w);
  gan_context_config c = allocator_config(&w->allocator);
  c.isa = isa;
  must(NULL, gan_context_create(&c, &w->ctx));
  must(w->ctx, gan_graph_create(w->ctx, &w->g));
}

static void close_world(struct world *w) {
  for (int32_t i = 0; i < w->n_variables; i++) variable_unref(w->variables[i]);
  gan_graph_free(w->g);
  gan_context_free(w->ctx);
  assert_int_equal(w->allocator.live, 0);
}

static gan_node *input(struct world *w, int32_t type, int32_t rank, const int64_t *shape) {
  gan_node *n = node_input(w->g, &w->bindings[w->n_inputs], type, rank, shape);
  return w->inputs[w->n_inputs++] = n;
}

static struct variable *new_variable(struct world *w, int32_t rank, const int64_t *shape) {
  struct variable *v;
  assert_true(w->n_variables < VARIABLES_MAX);
  must(w->ctx, variable_create(w->ctx, "v", rank, shape, &v));
  fill(v->data, v->count, -0.5f, 0.5f);
  return w->variables[w->n_variables++] = v;
}

#define SHAPE(...) (int32_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]){__VA_ARGS__}
#define INPUT(w, ...) input((w), GAN_F32, SHAPE(__VA_ARGS__))
#define VARIABLE(w, ...) new_variable((w), SHAPE(__VA_ARGS__))

/* A plan with its memory and threads. */
struct machine { struct plan *plan; void *arena, *scratch; int64_t arena_bytes, scratch_bytes; struct pool *pool; struct environment e; };

static struct plan_config config_of(struct world *w, const struct plan_stage *stages, int64_t n) {
  return (struct plan_config){.ctx = w->ctx, .graph = w->g, .n_stages = n, .stages = stages, .optimize = 1};
}

static void start(struct world *w, struct machine *m, const struct plan_config *c, int32_t threads) {
  memset(m, 0, sizeof *m);
  must(w->ctx, plan_create(c, &m->plan));
  must(w->ctx, pool_create(w->ctx, threads, &m->pool));
  m->arena_bytes = plan_arena_bytes(m->plan);
  m->scratch_bytes = plan_scratch_bytes(m->plan, threads);
  m->arena = context_alloc(w->ctx, (size_t)m->arena_bytes);
  m->scratch = context_alloc(w->ctx, (size_t)m->scratch_bytes);
  memset(m->arena, 0xff, (size_t)m->arena_bytes); /* NaN: what is read before it is written shows */
  memset(m->scratch, 0xff, (size_t)m->scratch_bytes);
  m->e = (struct environment){w->ctx->kernels, 7, 3};
  plan_bind(m->plan, m->arena, m->scratch);
}

static void stop(struct world *w, struct machine *m) {
  context_release(w->ctx, m->arena, (size_t)m->arena_bytes);
  context_release(w->ctx, m->scratch, (size_t)m->scratch_bytes);
  pool_free(m->pool);
  plan_free(m->plan);
}

/* Inputs by their number, so that all plans of a graph get the same. */
static void set_inputs(struct world *w, struct machine *m) {
  for (int32_t i = 0; i < w->n_inputs; i++) {
    void *to = plan_input(m->plan, w->inputs[i]);
    if (!to) continue;
    drawn = 1000000u * (uint64_t)(i + 1);
    if (w->inputs[i]->type == GAN_F32) fill(to, w->inputs[i]->count, -1, 1);
    else
      for (int64_t j = 0; j < w->inputs[i]->count; j++) ((int32_t *)to)[j] = draw(0, 3);
  }
}

static void run(struct machine *m, int64_t stage) {
  plan_run(m->plan, stage, m->pool, &m->e);
}

static void assert_close(const float *a, const float *b, int64_t n, double tolerance) {
  for (int64_t i = 0; i < n; i++) {
    double bound = tolerance * fmax(1, fabs((double)b[i]));
    if (!(fabs((double)a[i] - b[i]) <= bound) && !(isnan(a[i]) && isnan(b[i])) && a[i] != b[i])
      fail_msg("element %lld of %lld: %.9g, expected %.9g", (long long)i, (long long)n, a[i], b[i]);
  }
}

/* ------------------------------------------------------------------ with all passes as with none */

enum { ROOTS_MAX = 12, THREAD_COUNTS = 4 };
static const int32_t thread_counts[THREAD_COUNTS] = {1, 2, 3, 8};

/* Runs a stage with these roots, every other one to a target; copies values out one after the other. */
static void evaluate(struct world *w, gan_node *const *nodes, int32_t n, int32_t optimize, int32_t threads, float *out) {
  struct plan_root roots[ROOTS_MAX];
  float *at = out;
  for (int32_t i = 0; i < n; at += nodes[i++]->count) roots[i] = (struct plan_root){nodes[i], i % 2 ? at : NULL};
  struct plan_stage stage = {.name = "all", .n_roots = n, .roots = roots};
  struct plan_config c = config_of(w, &stage, 1);
  c.optimize = optimize;
  struct machine m;
  start(w, &m, &c, threads);
  set_inputs(w, &m);
  run(&m, 0);
  run(&m, 0);
  at = out;
  for (int32_t i = 0; i < n; at += nodes[i++]->count)
    if (!roots[i].target) memcpy(at, plan_value(m.plan, nodes[i]), (size_t)nodes[i]->count * sizeof *at);
  stop(w, &m);
}

static void compare_passes(struct world *w, gan_node *const *nodes, int32_t n, double tolerance) {
  int64_t count = 0;
  for (int32_t i = 0; i < n; i++) count += nodes[i]->count;
  must(w->ctx, gan_graph_check(w->g));
  float *expected = calloc((size_t)count, sizeof *expected), *first = calloc((size_t)count, sizeof *first), *came = calloc((size_t)count, sizeof *came);
  evaluate(w, nodes, n, 0, 1, expected);
  evaluate(w, nodes, n, 1, 1, first);
  assert_close(first, expected, count, tolerance);
  for (int32_t t = 1; t < THREAD_COUNTS; t++) {
    evaluate(w, nodes, n, t % 2, thread_counts[t], came);
    assert_memory_equal(came, t % 2 ? first : expected, (size_t)count * sizeof *came);
  }
  free(expected);
  free(first);
  free(came);
}

/* ------------------------------------------------------------------ graphs made at random */

enum { POOL = 40 };
struct nodes { gan_node *list[POOL]; int32_t n; };

static gan_node *pick(const struct nodes *s) {
  return s->list[draw(0, s->n - 1)];
}

static int32_t fits(const gan_node *a, const gan_node *b) {
  for (int32_t i = 1; i <= a->rank && i <= b->rank; i++) {
    int64_t x = a->shape[a->rank - i], y = b->shape[b->rank - i];
    if (x != y && x != 1 && y != 1) return 0;
  }
  return 1;
}

static gan_node *pick_fitting(const struct nodes *s, const gan_node *to) {
  for (int32_t tries = 0; tries < 30; tries++) {
    gan_node *n = pick(s);
    if (fits(n, to)) return n;
  }
  return (gan_node *)to;
}

static gan_node *random_unary(gan_node *x) {
  switch (draw(0, 9)) {
  case 0: return gan_neg(x);
  case 1: return gan_abs(x);
  case 2: return gan_tanh(x);
  case 3: return gan_sigmoid(x);
  case 4: return gan_relu(x);
  case 5: return gan_leaky_relu(x, 0.2);
  case 6: return gan_sqrt(gan_shift(gan_square(x), 1));
  case 7: return gan_softplus(x);
  case 8: return gan_scale(x, draw(-3, 3) * 0.5);
  default: return gan_sin(x);
  }
}

static gan_node *random_binary(const struct nodes *s, gan_node *x) {
  gan_node *y = pick_fitting(s, x);
  switch (draw(0, 5)) {
  case 0: return gan_add(x, y);
  case 1: return gan_sub(y, x);
  case 2: return gan_maximum(x, y);
  case 3: return gan_select(gan_greater(x, gan_scale(x, 0)), y, x);
  case 4: return gan_div(x, gan_shift(gan_abs(y), 1));
  default: return gan_mul(x, gan_tanh(y));
  }
}

static gan_node *random_shape(gan_node *x) {
  int32_t order[GAN_MAX_RANK], axis = x->rank ? draw(0, x->rank - 1) : 0;
  if (x->rank == 0) return gan_broadcast(x, SHAPE(4, 6));
  for (int32_t d = 0; d < x->rank; d++) order[d] = (d + 1) % x->rank;
  switch (draw(0, 7)) {
  case 0: return gan_transpose(x, x->rank, order);
  case 1: return gan_reshape(x, 1, (int64_t[]){-1});
  case 2: return x->count == 24 ? gan_reshape(x, SHAPE(4, 1, 6)) : gan_stop_gradient(x);
  case 3: return gan_sum_axes(x, 1, &axis, 1);
  case 4: return gan_sum_axes(x, 1, &axis, 0);
  case 5: return x->shape[axis] > 2 ? gan_slice(x, axis, 1, x->shape[axis]) : gan_max_axes(x, 1, &axis, 1);
  case 6: return x->shape[axis] < 9 ? gan_pad(x, axis, 1, 1) : x;
  default: return x->count < 200 ? gan_concat(2, (gan_node *[]){x, gan_neg(x)}, axis) : x;
  }
}

static gan_node *random_product(const struct nodes *s, gan_node *x) {
  for (int32_t tries = 0; tries < 30 && x->rank == 2; tries++) {
    gan_node *y = pick(s);
    if (y->rank != 2) continue;
    if (x->shape[1] == y->shape[0]) return gan_scale(gan_matmul(x, y, 0, 0), 0.3);
    if (x->shape[0] == y->shape[0]) return gan_scale(gan_matmul(x, y, 1, 0), 0.3);
    if (x->shape[1] == y->shape[1]) return gan_scale(gan_matmul(x, gan_transpose(y, 2, (int32_t[]){1, 0}), 0, 0), 0.3);
  }
  return random_unary(x);
}

static gan_node *random_node(const struct nodes *s) {
  gan_node *x = pick(s);
  int32_t kind = draw(0, 9);
  if (kind < 3) return random_unary(x);
  if (kind < 7) return random_binary(s, x);
  return kind < 9 ? random_shape(x) : random_product(s, x);
}

static void random_graph(struct world *w, uint64_t number) {
  struct nodes s = {{INPUT(w, 4, 6), INPUT(w, 6), INPUT(w, 4, 1), INPUT(w, 6, 4)}, 4};
  drawn = number << 20;
  s.list[s.n++] = node_variable(w->g, VARIABLE(w, 6, 6));
  s.list[s.n++] = gan_random(w->g, "noise", "normal", SHAPE(4, 6));
  s.list[s.n++] = gan_constant(w->g, 0.75);
  for (; s.n < POOL; s.n++) s.list[s.n] = random_node(&s);
  gan_node *roots[ROOTS_MAX], *x[3] = {s.list[0], s.list[1], s.list[4]};
  for (int32_t i = 0; i < 6; i++) roots[i] = s.list[POOL - 1 - 2 * i];
  gan_node *y = gan_sum(roots[0]);
  for (int32_t i = 1; i < 4; i++) y = gan_add(y, gan_mean(roots[i]));
  gan_gradients(1, &y, NULL, 3, x, roots + 6);
  compare_passes(w, roots, 9, 2e-5);
}

static void test_random_graphs(void **state) {
  (void)state;
  for (int32_t isa = 0; isa < ISA_COUNT; isa++) {
    if (!kernels_select(isa)) continue;
    for (uint64_t number = 1; number <= 60; number++) {
      struct world w;
      open_world(&w, isa);
      random_graph(&w, number);
      close_world(&w);
    }
  }
}

/* ------------------------------------------------------------------ networks */

static gan_node *dense(struct world *w, gan_node *x, int64_t units) {
  gan_node *weight = node_variable(w->g, VARIABLE(w, units, x->shape[1])), *bias = node_variable(w->g, VARIABLE(w, units));
  return gan_add(gan_matmul(x, weight, 0, 1), bias);
}

static gan_node *batch_norm(gan_node *x) {
  int32_t axis = 0;
  gan_node *centred = gan_sub(x, gan_mean_axes(x, 1, &axis, 1));
  return gan_mul(centred, gan_power(gan_shift(gan_mean_axes(gan_square(centred), 1, &axis, 1), 1e-3), -0.5));
}

static void gradients_of_all(struct world *w, gan_node *loss, gan_node **out) {
  gan_node *v[VARIABLES_MAX];
  for (int32_t i = 0; i < w->n_variables; i++) v[i] = node_variable(w->g, w->variables[i]);
  gan_gradients(1, &loss, NULL, w->n_variables, v, out);
}

static void network_of_relus(struct world *w, gan_node **roots, int32_t *n) {
  gan_node *h = gan_relu(dense(w, INPUT(w, 40, 30), 70));
  h = gan_leaky_relu(batch_norm(dense(w, h, 50)), 0.2);
  roots[0] = gan_mean(gan_softplus(dense(w, h, 1)));
  gradients_of_all(w, roots[0], roots + 1);
  *n = 1 + w->n_variables;
}

static void network_of_curves(struct world *w, gan_node **roots, int32_t *n) {
  gan_node *x = INPUT(w, 33, 20), *h = gan_tanh(dense(w, x, 64));
  roots[0] = gan_sigmoid(dense(w, h, 17));
  roots[1] = gan_gradient(gan_mean(gan_square(roots[0])), x);
  roots[2] = gan_sum(h);
  *n = 3;
}

/* Wasserstein with gradient penalty: derivatives of derivatives. */
static void network_with_penalty(struct world *w, gan_node **roots, int32_t *n) {
  gan_node *x = INPUT(w, 32, 24), *h = gan_leaky_relu(dense(w, x, 48), 0.2);
  gan_node *score = dense(w, gan_relu(dense(w, h, 40)), 1);
  gan_node *slope = gan_norm_per_sample(gan_gradient(score, x));
  roots[0] = gan_add(gan_mean(score), gan_scale(gan_mean(gan_square(gan_shift(slope, -1))), 10));
  gradients_of_all(w, roots[0], roots + 1);
  *n = 1 + w->n_variables;
}

static gan_node *weighted(struct world *w, gan_node *x, int64_t units, int64_t size, const char *options) {
  gan_node *weight = node_variable(w->g, VARIABLE(w, units, size, size, x->shape[3]));
  return gan_add(gan_conv2d(x, weight, options), node_variable(w->g, VARIABLE(w, units)));
}

static gan_node *weighted_back(struct world *w, gan_node *x, int64_t units, int64_t size, const char *options) {
  gan_node *weight = node_variable(w->g, VARIABLE(w, x->shape[3], size, size, units));
  return gan_add(gan_conv_transpose2d(x, weight, options), node_variable(w->g, VARIABLE(w, units)));
}

static gan_node *image_norm(gan_node *x) {
  static const int32_t axes[3] = {0, 1, 2};
  gan_node *centred = gan_sub(x, gan_mean_axes(x, 3, axes, 1));
  return gan_mul(centred, gan_power(gan_shift(gan_mean_axes(gan_square(centred), 3, axes, 1), 1e-3), -0.5));
}

static void network_of_images(struct world *w, gan_node **roots, int32_t *n) {
  gan_node *x = INPUT(w, 3, 9, 8, 3), *h = gan_leaky_relu(weighted(w, x, 9, 4, "stride=2 padding=1"), 0.2);
  h = gan_relu(image_norm(weighted(w, h, 34, 3, "padding=1")));
  h = gan_pool(weighted(w, h, 6, 3, "padding=1"), "average kernel=2");
  h = gan_tanh(weighted(w, h, 5, 1, ""));
  gan_node *flat = gan_reshape(h, 2, (int64_t[]){3, -1});
  roots[0] = gan_mean(gan_softplus(dense(w, flat, 1)));
  gradients_of_all(w, roots[0], roots + 1);
  *n = 1 + w->n_variables;
}

static void generator_of_images(struct world *w, gan_node **roots, int32_t *n) {
  gan_node *z = INPUT(w, 4, 1, 1, 10), *h = gan_relu(image_norm(weighted_back(w, z, 20, 3, "")));
  h = gan_leaky_relu(weighted_back(w, h, 12, 4, "stride=2 padding=1"), 0.1);
  h = gan_sigmoid(weighted(w, gan_resize(h, 12, 12, "nearest"), 7, 3, "padding=1"));
  roots[0] = gan_tanh(weighted(w, gan_pad_image(h, "reflect", "1"), 3, 3, ""));
  roots[1] = gan_gradient(gan_mean(gan_square(roots[0])), z);
  roots[2] = gan_sum(gan_pool(roots[0], "max kernel=3 stride=2"));
  *n = 3;
}

/* Derivatives of derivatives of convolutions. */
static void images_with_penalty(struct world *w, gan_node **roots, int32_t *n) {
  gan_node *x = INPUT(w, 4, 8, 8, 2), *h = gan_leaky_relu(weighted(w, x, 5, 4, "stride=2 padding=1"), 0.2);
  h = gan_leaky_relu(weighted(w, h, 6, 4, "stride=2 padding=1"), 0.2);
  gan_node *score = weighted(w, h, 1, 2, "");
  gan_node *slope = gan_norm_per_sample(gan_gradient(score, x));
  roots[0] = gan_add(gan_mean(score), gan_scale(gan_mean(gan_square(gan_shift(slope, -1))), 10));
  gradients_of_all(w, roots[0], roots + 1);
  *n = 1 + w->n_variables;
}

/* Sums of what chains compute: of columns and of everything, stored besides or not, of one value twice, of few columns, of rows. */
static void sums_of_chains(struct world *w, gan_node **roots, int32_t *n) {
  static const int32_t rows[3] = {0, 1, 2}, column[1] = {3}, two[2] = {0, 2};
  gan_node *x = INPUT(w, 6, 20, 18, 37), *bias = node_variable(w->g, VARIABLE(w, 37)), *y = gan_sigmoid(gan_add(x, bias));
  roots[0] = gan_sum_axes(gan_square(y), 3, rows, 0);
  roots[1] = gan_sum_axes(y, 3, rows, 1);
  roots[2] = gan_mean(gan_tanh(y));
  roots[3] = y;
  roots[4] = gan_sum_axes(gan_exp(y), 1, column, 0);
  roots[5] = gan_sum_axes(gan_abs(y), 2, two, 0);
  roots[6] = gan_sum_axes(gan_exp(gan_reshape(y, SHAPE(6 * 20 * 18 * 37, 1))), 1, rows, 0);
  roots[7] = gan_sum_axes(gan_neg(gan_reshape(gan_exp(y), SHAPE(6 * 20 * 6 * 37, 3))), 1, rows, 0);
  gan_node *loss = gan_sum(gan_mul(roots[0], roots[1]));
  gan_gradients(1, &loss, NULL, 2, (gan_node *[]){x, bias}, roots + 8);
  *n = 10;
}

static void test_networks(void **state) {
  (void)state;
  static void (*const networks[])(struct world *, gan_node **, int32_t *) = {
    network_of_relus, network_of_curves, network_with_penalty, network_of_images, generator_of_images, images_with_penalty,
    sums_of_chains,
  };
  for (int32_t isa = 0; isa < ISA_COUNT; isa++)
    for (int32_t i = 0; i < 7 && kernels_select(isa); i++) {
      struct world w;
      gan_node *roots[ROOTS_MAX];
      int32_t n;
      open_world(&w, isa);
      networks[i](&w, roots, &n);
      compare_passes(&w, roots, n, 2e-5);
      close_world(&w);
    }
}

/* ------------------------------------------------------------------ stages */

/* A value is kept while nothing that it depends on changes, and computed anew after that. */
static void test_stages(void **state) {
  (void)state;
  for (int32_t optimize = 0; optimize < 2; optimize++) {
    struct world w;
    open_world(&w, GAN_ISA_BEST);
    struct variable *a = VARIABLE(&w, 3), *b = VARIABLE(&w, 3), *c = VARIABLE(&w, 3);
    gan_node *of_a = gan_scale(node_variable(w.g, a), 2), *of_b = gan_scale(node_variable(w.g, b), 2);
    gan_node *of_c = gan_scale(node_variable(w.g, c), 2), *all = gan_add(gan_add(of_a, of_b), of_c);
    struct plan_assign assign = {a, gan_shift(node_variable(w.g, a), 1)};
    struct plan_root first[] = {{all, NULL}}, second[] = {{all, NULL}, {of_b, NULL}, {node_variable(w.g, a), NULL}};
    struct plan_stage stages[] = {
      {.name = "one", .n_roots = 1, .roots = first, .n_assigns = 1, .assigns = &assign, .n_written = 1, .written = &c},
      {.name = "two", .n_roots = 3, .roots = second},
    };
    struct plan_config config = config_of(&w, stages, 2);
    config.optimize = optimize;
    struct machine m;
    start(&w, &m, &config, 2);
    for (int32_t i = 0; i < 3; i++) a->data[i] = 1, b->data[i] = 10, c->data[i] = 100;
    run(&m, 0);
    assert_true(plan_value(m.plan, all)[0] == 222);
    assert_true(a->data[2] == 2);
    b->data[0] = 1000; /* not declared: what was computed of it stands */
    c->data[0] = 200;
    run(&m, 1);
    assert_true(plan_value(m.plan, all)[0] == 4 + 20 + 400);
    assert_true(plan_value(m.plan, of_b)[0] == 20);
    a->data[0] = 7; /* does not reach what was read */
    assert_true(plan_value(m.plan, second[2].node)[0] == 2);
    stop(&w, &m);
    close_world(&w);
  }
}

/* All values of a stage come from the variables as they were before it. */
static void check_assigns(const struct plan_assign *assigns, int64_t n, struct world *w, int32_t optimize, int32_t threads) {
  float before[3][6] = {{1, 2, 3, 4, 5, 6}, {10, 20, 30, 40, 50, 60}, {.5f, .25f, 2, 4, 8, 16}};
  struct plan_stage stage = {.name = "all", .n_assigns = n, .assigns = assigns};
  struct plan_config config = config_of(w, &stage, 1);
  config.optimize = optimize;
  struct machine m;
  start(w, &m, &config, threads);
  for (int32_t turn = 0; turn < 3; turn++) {
    for (int32_t i = 0; i < 3; i++) memcpy(w->variables[i]->data, before[i], sizeof before[i]);
    run(&m, 0);
    for (int32_t j = 0; j < 6; j++) {
      float a = before[0][j], b = before[1][j], c = before[2][j];
      float expected[3] = {n == 2 ? b : b + c, n == 2 ? a : a - b, n == 2 ? c : before[0][(j % 3) * 2 + j / 3] * c};
      for (int32_t i = 0; i < 3; i++) assert_true(w->variables[i]->data[j] == expected[i]);
    }
  }
  stop(w, &m);
}

/* a moves to b as it was, though b's own new value is computed in place. */
static void check_old_value(struct world *w, int32_t optimize, int32_t threads) {
  struct variable *a = w->variables[0], *b = w->variables[1];
  gan_node *y = node_variable(w->g, b);
  struct plan_assign assigns[] = {{b, gan_scale(y, 2)}, {a, y}};
  struct plan_stage stage = {.name = "all", .n_assigns = 2, .assigns = assigns};
  struct plan_config config = config_of(w, &stage, 1);
  config.optimize = optimize;
  struct machine m;
  start(w, &m, &config, threads);
  for (int32_t i = 0; i < 6; i++) b->data[i] = (float)i;
  run(&m, 0);
  for (int32_t i = 0; i < 6; i++) assert_true(b->data[i] == 2 * i && a->data[i] == i);
  stop(w, &m);
}

static void test_assigns(void **state) {
  (void)state;
  for (int32_t mode = 0; mode < 4; mode++) {
    struct world w;
    open_world(&w, GAN_ISA_BEST);
    struct variable *a = VARIABLE(&w, 3, 2), *b = VARIABLE(&w, 3, 2), *c = VARIABLE(&w, 3, 2);
    gan_node *x = node_variable(w.g, a), *y = node_variable(w.g, b), *z = node_variable(w.g, c);
    struct plan_assign swap[] = {{a, y}, {b, x}};
    check_assigns(swap, 2, &w, mode % 2, 1 + mode / 2);
    check_old_value(&w, mode % 2, 1 + mode / 2);
    /* element j of the reshaped transpose of a (2x3) is a[j % 3][j / 3] */
    gan_node *turned = gan_reshape(gan_transpose(x, 2, (int32_t[]){1, 0}), SHAPE(3, 2));
    struct plan_assign mixed[] = {{a, gan_add(y, z)}, {b, gan_sub(x, y)}, {c, gan_mul(turned, z)}};
    check_assigns(mixed, 3, &w, mode % 2, 1 + mode / 2);
    close_world(&w);
  }
}

/* The rule of an optimizer: everything in one chain, in place. */
static void test_assign_in_place(void **state) {
  (void)state;
  struct world w;
  open_world(&w, GAN_ISA_BEST);
  struct variable *weight = VARIABLE(&w, 100, 30), *slot = VARIABLE(&w, 100, 30);
  gan_node *x = node_variable(w.g, weight), *v = node_variable(w.g, slot), *g = INPUT(&w, 100, 30);
  gan_node *moved = gan_add(gan_scale(v, 0.5), gan_scale(gan_square(g), 0.5));
  gan_node *result = gan_sub(x, gan_mul(g, gan_power(gan_shift(moved, 1), -0.5)));
  struct plan_assign assigns[] = {{weight, result}, {slot, moved}};
  struct plan_stage stage = {.name = "step", .n_assigns = 2, .assigns = assigns};
  struct plan_config config = config_of(&w, &stage, 1);
  struct machine m;
  start(&w, &m, &config, 2);
  assert_int_equal(plan_calls(m.plan), 1);
  assert_int_equal(plan_arena_bytes(m.plan), 0);
  float *before = malloc(2 * 3000 * sizeof *before);
  memcpy(before, weight->data, 3000 * sizeof *before);
  memcpy(before + 3000, slot->data, 3000 * sizeof *before);
  set_inputs(&w, &m);
  run(&m, 0);
  for (int32_t i = 0; i < 3000; i++) {
    float grad = ((float *)plan_input(m.plan, g))[i], v1 = 0.5f * before[3000 + i] + 0.5f * grad * grad;
    assert_true(fabsf(slot->data[i] - v1) < 1e-6f);
    assert_true(fabsf(weight->data[i] - (before[i] - grad / sqrtf(v1 + 1))) < 1e-5f);
  }
  free(before);
  stop(&w, &m);
  close_world(&w);
}

/* A value that reads what is assigned, after the in-place writer would have run. */
static void test_assign_waits_for_readers(void **state) {
  (void)state;
  for (int32_t optimize = 0; optimize < 2; optimize++) {
    struct world w;
    open_world(&w, GAN_ISA_BEST);
    struct variable *a = VARIABLE(&w, 4, 4);
    gan_node *x = node_variable(w.g, a), *grown = gan_scale(x, 2);
    gan_node *late = gan_matmul(gan_matmul(gan_matmul(grown, x, 0, 0), grown, 0, 0), x, 0, 0);
    struct plan_root roots[] = {{late, NULL}, {grown, NULL}};
    struct plan_assign assign = {a, grown};
    struct plan_stage stage = {.name = "all", .n_roots = 1, .roots = roots, .n_assigns = 1, .assigns = &assign};
    struct plan_config config = config_of(&w, &stage, 1);
    config.optimize = optimize;
    struct machine m;
    start(&w, &m, &config, 2);
    for (int32_t i = 0; i < 16; i++) a->data[i] = i % 5 == 0 ? 3 : 0;
    run(&m, 0);
    assert_true(plan_value(m.plan, late)[5] == 6 * 3 * 6 * 3);
    assert_true(a->data[5] == 6);
    stop(&w, &m);
    close_world(&w);
  }
}

/* ------------------------------------------------------------------ targets, customs */

static void test_targets(void **state) {
  (void)state;
  for (int32_t optimize = 0; optimize < 2; optimize++) {
    struct world w;
    open_world(&w, GAN_ISA_BEST);
    struct variable *a = VARIABLE(&w, 5);
    gan_node *x = INPUT(&w, 5), *y = gan_square(x), *view = gan_reshape(y, SHAPE(5, 1)), *nine = gan_broadcast(gan_constant(w.g, 9), SHAPE(5));
    float to[6][5];
    struct plan_root roots[] = {{y, to[0]}, {y, to[1]}, {view, to[2]}, {x, to[3]}, {nine, to[4]}, {node_variable(w.g, a), to[5]}, {y, NULL}};
    struct plan_stage stage = {.name = "all", .n_roots = 7, .roots = roots};
    struct plan_config config = config_of(&w, &stage, 1);
    config.optimize = optimize;
    struct machine m;
    start(&w, &m, &config, 1);
    memset(to, 0, sizeof to);
    for (int32_t i = 0; i < 5; i++) ((float *)plan_input(m.plan, x))[i] = (float)i;
    run(&m, 0);
    for (int32_t i = 0; i < 5; i++) {
      assert_true(to[0][i] == i * i && to[1][i] == i * i && to[2][i] == i * i && to[3][i] == i && to[4][i] == 9 && to[5][i] == a->data[i]);
      assert_true(plan_value(m.plan, y)[i] == i * i);
    }
    stop(&w, &m);
    close_world(&w);
  }
}

/* Adds what in[0] points to, chunk by chunk. */
static void run_addition(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  (void)e;
  assert_non_null(scratch);
  for (int64_t i = chunk * 10; i < chunk * 10 + 10; i++) ((float *)c->out[0])[i] += ((const float *)c->in[0])[i];
}

/* A custom reads the stage's targets and writes a variable that the stage and the next read. */
static void test_customs(void **state) {
  (void)state;
  for (int32_t mode = 0; mode < 4; mode++) {
    struct world w;
    open_world(&w, GAN_ISA_BEST);
    struct variable *a = VARIABLE(&w, 40), *copy = VARIABLE(&w, 40);
    float gradient[40];
    gan_node *x = node_variable(w.g, a), *g = gan_scale(x, 2), *after = gan_scale(x, 10);
    struct plan_root roots[] = {{g, gradient}}, later[] = {{after, NULL}};
    struct plan_assign assign = {copy, x};
    struct plan_custom custom = {.call = {.run = run_addition, .chunks = 4, .scratch = 64, .n_in = 1, .n_out = 1}, .n_writes = 1, .writes = {a}};
    custom.call.in[0] = gradient;
    custom.call.out[0] = a->data;
    struct plan_stage stages[] = {
      {.name = "one", .n_roots = 1, .roots = roots, .n_assigns = 1, .assigns = &assign, .n_customs = 1, .customs = &custom},
      {.name = "two", .n_roots = 1, .roots = later},
    };
    struct plan_config config = config_of(&w, stages, 2);
    config.optimize = mode % 2;
    struct machine m;
    start(&w, &m, &config, 1 + mode / 2);
    for (int32_t i = 0; i < 40; i++) a->data[i] = (float)i;
    run(&m, 0);
    run(&m, 1);
    for (int32_t i = 0; i < 40; i++) {
      assert_true(copy->data[i] == i && gradient[i] == 2 * i && a->data[i] == 3 * i);
      assert_true(plan_value(m.plan, after)[i] == 30 * i);
    }
    stop(&w, &m);
    close_world(&w);
  }
}

/* ------------------------------------------------------------------ frozen plans */

static gan_node *evaluated_norm(struct world *w, gan_node *x) {
  int64_t n = x->shape[x->rank - 1];
  struct variable *v[4];
  gan_node *p[4];
  for (int32_t i = 0; i < 4; i++) p[i] = node_variable(w->g, v[i] = VARIABLE(w, n));
  for (int64_t i = 0; i < n; i++) v[1]->data[i] += 1; /* a variance */
  gan_node *scaled = gan_mul(gan_sub(x, p[0]), gan_power(gan_shift(p[1], 1e-3), -0.5));
  return gan_add(gan_mul(scaled, p[2]), p[3]);
}

static gan_node *generator(struct world *w, int64_t batch) {
  drawn = 4242;
  gan_node *h = gan_relu(evaluated_norm(w, dense(w, INPUT(w, batch, 40), 70)));
  h = gan_leaky_relu(evaluated_norm(w, dense(w, h, 33)), 0.2);
  return gan_tanh(dense(w, h, 20));
}

/* Noise, one pixel, 4x4, 8x8, 16x16, and 16x16 once more. */
static gan_node *image_generator(struct world *w, int64_t batch) {
  drawn = 4242;
  gan_node *h = gan_reshape(INPUT(w, batch, 40), 4, (int64_t[]){batch, 1, 1, 40});
  h = gan_relu(evaluated_norm(w, weighted_back(w, h, 24, 4, "")));
  h = gan_leaky_relu(evaluated_norm(w, weighted_back(w, h, 10, 4, "stride=2 padding=1")), 0.2);
  h = gan_relu(evaluated_norm(w, weighted(w, gan_resize(h, 16, 16, "nearest"), 9, 3, "padding=1")));
  h = gan_tanh(weighted(w, h, 3, 3, "padding=1"));
  return gan_reshape(gan_pool(h, "average kernel=16x4"), 2, (int64_t[]){batch, 12});
}

/* The same samples in a batch of `batch`, one after the other. */
static void sample(int32_t images, int64_t batch, int32_t isa, int32_t frozen, int32_t refreshed, float *out) {
  struct world w;
  open_world(&w, isa);
  gan_node *y = images ? image_generator(&w, batch) : generator(&w, batch);
  int64_t size = y->shape[1];
  struct plan_root root = {y, NULL};
  struct plan_stage stage = {.name = "sample", .n_roots = 1, .roots = &root};
  struct plan_config config = config_of(&w, &stage, 1);
  config.frozen = frozen;
  struct machine m;
  start(&w, &m, &config, 1);
  /* Norms went into the weights, activations into the products; the last pooling is a reduction of two calls and a factor. */
  if (frozen) assert_int_equal(plan_calls(m.plan), images ? 7 : 3);
  if (refreshed)
    for (int32_t i = 0; i < w.n_variables; i++) w.variables[i]->data[0] += 0.25f;
  if (refreshed) plan_refresh(m.plan);
  for (int64_t first = 0; first < 12; first += batch) {
    drawn = 99 + 40 * (uint64_t)first;
    fill(plan_input(m.plan, w.inputs[0]), 40 * batch, -1, 1);
    run(&m, 0);
    memcpy(out + size * first, plan_value(m.plan, y), (size_t)(size * batch) * sizeof *out);
  }
  stop(&w, &m);
  close_world(&w);
}

static void test_frozen(void **state) {
  (void)state;
  for (int32_t isa = 0; isa < ISA_COUNT; isa++)
    for (int32_t mode = 0; mode < 4 && kernels_select(isa); mode++) {
      float expected[240] = {0}, whole[240] = {0}, single[240] = {0};
      int32_t refreshed = mode % 2, images = mode / 2;
      sample(images, 12, isa, 0, refreshed, expected);
      sample(images, 12, isa, 1, refreshed, whole);
      assert_close(whole, expected, 240, 2e-5);
      for (int64_t batch = 1; batch < 12; batch += batch < 4 ? 1 : 2) {
        if (12 % batch) continue;
        sample(images, batch, isa, 1, refreshed, single);
        assert_memory_equal(single, whole, sizeof whole);
      }
    }
}

/* ------------------------------------------------------------------ what is promised of memory */

static void test_memory(void **state) {
  (void)state;
  struct world w;
  gan_node *roots[ROOTS_MAX];
  int32_t n;
  open_world(&w, GAN_ISA_BEST);
  network_with_penalty(&w, roots, &n);
  struct plan_root list[ROOTS_MAX];
  for (int32_t i = 0; i < n; i++) list[i] = (struct plan_root){roots[i], NULL};
  struct plan_stage stage = {.name = "all", .n_roots = n, .roots = list};
  struct plan_config config = config_of(&w, &stage, 1);
  int64_t bytes[3], calls[3];
  for (int32_t mode = 0; mode < 3; mode++) {
    struct machine m;
    config.optimize = mode > 0;
    config.debug = mode == 2;
    start(&w, &m, &config, 1);
    bytes[mode] = plan_arena_bytes(m.plan);
    calls[mode] = plan_calls(m.plan);
    assert_true(plan_flops(m.plan) > 2 * 32 * 24 * 48);
    int64_t before, after;
    gan_context_memory(w.ctx, NULL, NULL, &before);
    set_inputs(&w, &m);
    for (int32_t i = 0; i < 3; i++) run(&m, 0);
    plan_refresh(m.plan);
    gan_context_memory(w.ctx, NULL, NULL, &after);
    assert_int_equal(before, after);
    stop(&w, &m);
  }
  assert_true(bytes[1] < bytes[0] && bytes[0] < bytes[2] / 3);
  assert_true(2 * calls[1] < calls[0] && calls[0] == calls[2]);
  close_world(&w);
}

/* What is only summed takes no memory but for the sums. */
static void test_sums_in_chains(void **state) {
  (void)state;
  struct world w;
  open_world(&w, GAN_ISA_BEST);
  gan_node *y = gan_sum_axes(gan_square(gan_tanh(INPUT(&w, 1000, 64))), 1, (int32_t[]){0}, 0);
  struct plan_root root = {y, NULL};
  struct plan_stage stage = {.name = "all", .n_roots = 1, .roots = &root};
  struct plan_config config = config_of(&w, &stage, 1);
  struct machine m;
  start(&w, &m, &config, 2);
  assert_true(plan_arena_bytes(m.plan) < 1000 * 64 * 4 / 8);
  set_inputs(&w, &m);
  run(&m, 0);
  const float *x = plan_input(m.plan, w.inputs[0]);
  for (int32_t j = 0; j < 64; j++) {
    double sum = 0;
    for (int32_t i = 0; i < 1000; i++) sum += tanh((double)x[64 * i + j]) * tanh((double)x[64 * i + j]);
    assert_true(fabs(plan_value(m.plan, y)[j] - sum) < 1e-5 * sum);
  }
  stop(&w, &m);
  close_world(&w);
}

/* Two layers so large that the first one's squares are had anew for the gradient of what they are multiplied by: between the two
 * products that read them, in the second layer's gradients, they are not there. */
static void test_computed_again(void **state) {
  enum { ROWS = 4096, COLUMNS = 2048, LARGE = ROWS * COLUMNS * (int)sizeof(float) };
  (void)state;
  struct world w;
  open_world(&w, GAN_ISA_BEST);
  gan_node *x = INPUT(&w, ROWS, 4), *weights[4], *roots[4];
  for (int32_t i = 0; i < 4; i++) {
    weights[i] = node_variable(w.g, i % 2 ? VARIABLE(&w, COLUMNS, 4) : VARIABLE(&w, 4, COLUMNS));
    x = gan_matmul(x, weights[i], 0, 0);
    if (i % 2 == 0) x = gan_square(x);
  }
  gan_gradients(1, (gan_node *[]){gan_mean(gan_square(x))}, NULL, 4, weights, roots);
  struct plan_root list[4] = {{roots[0], NULL}, {roots[1], NULL}, {roots[2], NULL}, {roots[3], NULL}};
  struct plan_stage stage = {.name = "all", .n_roots = 4, .roots = list};
  struct plan_config config = config_of(&w, &stage, 1);
  struct machine m;
  start(&w, &m, &config, 1);
  assert_true(plan_arena_bytes(m.plan) < 5 * (int64_t)LARGE);
  stop(&w, &m);
  compare_passes(&w, roots, 4, 1e-5);
  close_world(&w);
}

struct visited { int64_t count, roots; gan_node *root; const float *value; };

static void visit(void *user, const gan_node *n, const float *value) {
  struct visited *v = user;
  v->count++;
  v->roots += n == v->root;
  if (n == v->root) v->value = value;
  for (int64_t i = 0; i < n->count; i++) assert_true(isfinite(value[i]));
}

static void test_debug(void **state) {
  (void)state;
  struct world w;
  open_world(&w, GAN_ISA_BEST);
  gan_node *x = INPUT(&w, 8, 8), *inner = gan_tanh(x), *y = gan_sum(gan_exp(gan_square(inner)));
  struct plan_root root = {y, NULL};
  struct plan_stage stage = {.name = "all", .n_roots = 1, .roots = &root};
  struct plan_config config = config_of(&w, &stage, 1);
  config.debug = 1;
  struct machine m;
  start(&w, &m, &config, 1);
  set_inputs(&w, &m);
  run(&m, 0);
  struct visited v = {.root = inner};
  plan_visit(m.plan, 0, visit, &v);
  assert_int_equal(v.count, 4);
  assert_int_equal(v.roots, 1);
  assert_true(fabsf(v.value[3] - tanhf(((float *)plan_input(m.plan, x))[3])) < 1e-6f);
  stop(&w, &m);
  close_world(&w);
}

static void test_text(void **state) {
  (void)state;
  struct world w;
  open_world(&w, GAN_ISA_BEST);
  gan_node *y = gan_node_name(gan_sum(gan_exp(gan_relu(dense(&w, INPUT(&w, 8, 8), 4)))), "total");
  struct plan_root root = {y, NULL};
  struct plan_stage stage = {.name = "the stage", .n_roots = 1, .roots = &root};
  struct plan_config config = config_of(&w, &stage, 1);
  struct machine m;
  start(&w, &m, &config, 1);
  struct text t;
  text_init(&t, w.ctx);
  plan_text(m.plan, &t);
  static const char *const words[] = {"the stage", "total", "product", "maximum", "chain", "exp", "8x4"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (!strstr(text_get(&t), words[i])) fail_msg("no '%s' in:\n%s", words[i], text_get(&t));
  text_free(&t);
  stop(&w, &m);
  close_world(&w);
}

/* ------------------------------------------------------------------ failures */

static void test_faults(void **state) {
  (void)state;
  struct world w;
  gan_node *roots[ROOTS_MAX];
  int32_t n;
  open_world(&w, GAN_ISA_BEST);
  network_of_relus(&w, roots, &n);
  struct plan_root list[ROOTS_MAX];
  for (int32_t i = 0; i < n; i++) list[i] = (struct plan_root){roots[i], NULL};
  struct plan_assign assign = {w.variables[0], roots[1]};
  struct plan_stage stage = {.name = "all", .n_roots = n, .roots = list, .n_assigns = 1, .assigns = &assign};
  struct plan_config config = config_of(&w, &stage, 1);
  for (int32_t mode = 0; mode < 8; mode++) {
    config.optimize = mode & 1;
    config.frozen = mode >> 1 & 1;
    w.allocator.fail_on = mode >> 2;
    for (int64_t at = 1;; at++) {
      struct plan *p = NULL;
      int64_t live = w.allocator.live;
      w.allocator.calls = 0;
      w.allocator.fail_at = at;
      gan_status status = plan_create(&config, &p);
      int32_t failed = w.allocator.calls >= at;
      w.allocator.fail_at = 0;
      assert_int_equal(status, failed ? GAN_ERROR_MEMORY : GAN_OK);
      plan_free(p);
      assert_int_equal(w.allocator.live, live);
      if (!failed) break;
    }
  }
  close_world(&w);
}

static void test_refusals(void **state) {
  (void)state;
  struct world w, other;
  open_world(&w, GAN_ISA_BEST);
  open_world(&other, GAN_ISA_BEST);
  struct variable *a = VARIABLE(&w, 3);
  gan_node *x = INPUT(&w, 4);
  struct plan_root root = {INPUT(&other, 4), NULL};
  struct plan_assign assign = {a, x};
  struct plan_stage foreign = {.n_roots = 1, .roots = &root}, wrong = {.n_assigns = 1, .assigns = &assign};
  struct plan *p = NULL;
  struct plan_config config = config_of(&w, &foreign, 1);
  assert_int_equal(plan_create(&config, &p), GAN_ERROR_ARGUMENT);
  config.stages = &wrong;
  assert_int_equal(plan_create(&config, &p), GAN_ERROR_SHAPE);
  gan_matmul(x, x, 0, 0);
  assert_int_equal(plan_create(&config, &p), GAN_ERROR_SHAPE);
  assert_null(p);
  close_world(&other);
  close_world(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_random_graphs),
    cmocka_unit_test(test_networks),
    cmocka_unit_test(test_stages),
    cmocka_unit_test(test_assigns),
    cmocka_unit_test(test_assign_in_place),
    cmocka_unit_test(test_assign_waits_for_readers),
    cmocka_unit_test(test_targets),
    cmocka_unit_test(test_customs),
    cmocka_unit_test(test_frozen),
    cmocka_unit_test(test_sums_in_chains),
    cmocka_unit_test(test_memory),
    cmocka_unit_test(test_computed_again),
    cmocka_unit_test(test_debug),
    cmocka_unit_test(test_text),
    cmocka_unit_test(test_faults),
    cmocka_unit_test(test_refusals),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
