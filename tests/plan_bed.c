#include "plan_bed.h"

#include "base/rng.h"

static const struct rng_key test_key = {{0x706cu, 0x616eu}, {0, 0}};
uint64_t drawn;

int32_t draw(int32_t low, int32_t high) {
  return low + (int32_t)rng_below(&test_key, drawn++, (uint32_t)(high - low + 1));
}

void fill(float *x, int64_t n, float low, float high) {
  for (int64_t i = 0; i < n; i++) x[i] = low + (high - low) * rng_uniform(&test_key, drawn++);
}

void open_world(struct world *w, int32_t isa) {
  memset(w, 0, sizeof *w);
  gan_context_config c = allocator_config(&w->allocator);
  c.isa = isa;
  must(NULL, gan_context_create(&c, &w->ctx));
  must(w->ctx, gan_graph_create(w->ctx, &w->g));
}

void close_world(struct world *w) {
  for (int32_t i = 0; i < w->n_variables; i++) variable_unref(w->variables[i]);
  gan_graph_free(w->g);
  gan_context_free(w->ctx);
  assert_int_equal(w->allocator.live, 0);
}

gan_node *input(struct world *w, int32_t type, int32_t rank, const int64_t *shape) {
  gan_node *n = node_input(w->g, &w->bindings[w->n_inputs], type, rank, shape);
  return w->inputs[w->n_inputs++] = n;
}

struct variable *new_variable(struct world *w, int32_t rank, const int64_t *shape) {
  struct variable *v;
  assert_true(w->n_variables < VARIABLES_MAX);
  must(w->ctx, variable_create(w->ctx, "v", rank, shape, &v));
  fill(v->data, v->count, -0.5f, 0.5f);
  return w->variables[w->n_variables++] = v;
}

struct plan_config config_of(struct world *w, const struct plan_stage *stages, int64_t n) {
  return (struct plan_config){.ctx = w->ctx, .graph = w->g, .n_stages = n, .stages = stages, .optimize = 1};
}

void start(struct world *w, struct machine *m, const struct plan_config *c, int32_t threads) {
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

void stop(struct world *w, struct machine *m) {
  context_release(w->ctx, m->arena, (size_t)m->arena_bytes);
  context_release(w->ctx, m->scratch, (size_t)m->scratch_bytes);
  pool_free(m->pool);
  plan_free(m->plan);
}

/* Inputs by their number, so that all plans of a graph get the same. */
void set_inputs(struct world *w, struct machine *m) {
  for (int32_t i = 0; i < w->n_inputs; i++) {
    void *to = plan_input(m->plan, w->inputs[i]);
    if (!to) continue;
    drawn = 1000000u * (uint64_t)(i + 1);
    if (w->inputs[i]->type == GAN_F32) fill(to, w->inputs[i]->count, -1, 1);
    else
      for (int64_t j = 0; j < w->inputs[i]->count; j++) ((int32_t *)to)[j] = draw(0, 3);
  }
}

void run(struct machine *m, int64_t stage) {
  plan_run(m->plan, stage, m->pool, &m->e);
}

void assert_close(const float *a, const float *b, int64_t n, double tolerance) {
  for (int64_t i = 0; i < n; i++) {
    double bound = tolerance * fmax(1, fabs((double)b[i]));
    if (!(fabs((double)a[i] - b[i]) <= bound) && !(isnan(a[i]) && isnan(b[i])) && a[i] != b[i])
      fail_msg("element %lld of %lld: %.9g, expected %.9g", (long long)i, (long long)n, a[i], b[i]);
  }
}

/* ------------------------------------------------------------------ with all passes as with none */

const int32_t thread_counts[THREAD_COUNTS] = {1, 2, 3, 8};

/* Runs a stage with these roots, every other one to a target; copies values out one after the other. */
void evaluate_roots(struct world *w, gan_node *const *nodes, int32_t n, int32_t optimize, int32_t threads, float *out) {
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

void compare_passes(struct world *w, gan_node *const *nodes, int32_t n, double tolerance) {
  int64_t count = 0;
  for (int32_t i = 0; i < n; i++) count += nodes[i]->count;
  must(w->ctx, gan_graph_check(w->g));
  float *expected = calloc((size_t)count, sizeof *expected), *first = calloc((size_t)count, sizeof *first), *came = calloc((size_t)count, sizeof *came);
  evaluate_roots(w, nodes, n, 0, 1, expected);
  evaluate_roots(w, nodes, n, 1, 1, first);
  assert_close(first, expected, count, tolerance);
  for (int32_t t = 1; t < THREAD_COUNTS; t++) {
    evaluate_roots(w, nodes, n, t % 2, thread_counts[t], came);
    assert_memory_equal(came, t % 2 ? first : expected, (size_t)count * sizeof *came);
  }
  free(expected);
  free(first);
  free(came);
}

/* ------------------------------------------------------------------ small networks */

gan_node *dense(struct world *w, gan_node *x, int64_t units) {
  gan_node *weight = node_variable(w->g, VARIABLE(w, units, x->shape[1])), *bias = node_variable(w->g, VARIABLE(w, units));
  return gan_add(gan_matmul(x, weight, 0, 1), bias);
}

gan_node *batch_norm(gan_node *x) {
  int32_t axis = 0;
  gan_node *centred = gan_sub(x, gan_mean_axes(x, 1, &axis, 1));
  return gan_mul(centred, gan_power(gan_shift(gan_mean_axes(gan_square(centred), 1, &axis, 1), 1e-3), -0.5));
}

gan_node *weighted(struct world *w, gan_node *x, int64_t units, int64_t size, const char *options) {
  gan_node *weight = node_variable(w->g, VARIABLE(w, units, size, size, x->shape[3]));
  return gan_add(gan_conv2d(x, weight, options), node_variable(w->g, VARIABLE(w, units)));
}

gan_node *weighted_back(struct world *w, gan_node *x, int64_t units, int64_t size, const char *options) {
  gan_node *weight = node_variable(w->g, VARIABLE(w, x->shape[3], size, size, units));
  return gan_add(gan_conv_transpose2d(x, weight, options), node_variable(w->g, VARIABLE(w, units)));
}

void gradients_of_all(struct world *w, gan_node *loss, gan_node **out) {
  gan_node *v[VARIABLES_MAX];
  for (int32_t i = 0; i < w->n_variables; i++) v[i] = node_variable(w->g, w->variables[i]);
  gan_gradients(1, &loss, NULL, w->n_variables, v, out);
}

void network_of_relus(struct world *w, gan_node **roots, int32_t *n) {
  gan_node *h = gan_relu(dense(w, INPUT(w, 40, 30), 70));
  h = gan_leaky_relu(batch_norm(dense(w, h, 50)), 0.2);
  roots[0] = gan_mean(gan_softplus(dense(w, h, 1)));
  gradients_of_all(w, roots[0], roots + 1);
  *n = 1 + w->n_variables;
}

/* Wasserstein with gradient penalty: derivatives of derivatives. */
void network_with_penalty(struct world *w, gan_node **roots, int32_t *n) {
  gan_node *x = INPUT(w, 32, 24), *h = gan_leaky_relu(dense(w, x, 48), 0.2);
  gan_node *score = dense(w, gan_relu(dense(w, h, 40)), 1);
  gan_node *slope = gan_norm_per_sample(gan_gradient(score, x));
  roots[0] = gan_add(gan_mean(score), gan_scale(gan_mean(gan_square(gan_shift(slope, -1))), 10));
  gradients_of_all(w, roots[0], roots + 1);
  *n = 1 + w->n_variables;
}
