/* Plans: stages, assignments, targets, customs, frozen plans, memory, text; every allocation failing once. */
#include "plan_bed.h"

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
    cmocka_unit_test(test_stages),
    cmocka_unit_test(test_assigns),
    cmocka_unit_test(test_assign_in_place),
    cmocka_unit_test(test_assign_waits_for_readers),
    cmocka_unit_test(test_targets),
    cmocka_unit_test(test_customs),
    cmocka_unit_test(test_frozen),
    cmocka_unit_test(test_memory),
    cmocka_unit_test(test_sums_in_chains),
    cmocka_unit_test(test_computed_again),
    cmocka_unit_test(test_debug),
    cmocka_unit_test(test_text),
    cmocka_unit_test(test_faults),
    cmocka_unit_test(test_refusals),
  };
  return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
