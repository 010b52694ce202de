/* Samplers: the same bits for a sample in any batch, order and number of threads; what they draw, bind, refresh and refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tensor.h"
#include "bed.h"
#include "nn/sampler.h"
#include "oracle.h"

/* What reductions, couplings and masks there are, so that any of them could betray the batch. */
static const char *const networks[] = {
  ("input z 17 noise=normal; dense units=33; batch-norm; relu; dense units=65; layer-norm; leaky-relu slope=0.2; dropout;"
   "dense units=50; tanh; reshape shape=5x10"),
  ("input z 9 noise=uniform; input y classes=7; embedding classes=7 width=5; concat from=z,embedding1; dense units=40; softmax;"
   "dense units=8"),
  "input z 3x4 noise=truncated-normal; dense units=6; gelu; layer-norm axes=1; flatten; dense units=1",
  "input z 5 noise=(normal mean=2 std=3); output same",
  "input y 2 classes=4; output labels",
  "input z noise=normal; reshape shape=1; dense units=256; silu; dense units=300; sigmoid",
  "input z 40x20x4 noise=normal; softmax axis=1; layer-norm axes=2; reshape shape=3200; layer-norm; dense units=2; layer-norm",
  "input z 30000 noise=normal; layer-norm; softmax; scale factor=1e4; dense units=3",
  ("input z 12 noise=normal; dense units=432; reshape shape=3x3x48; batch-norm; relu; conv-transpose2d filters=40 kernel=5 stride=2"
   " padding=2 bias=no; batch-norm; relu; residual-block filters=32 resample=up norm=batch-norm spectral-norm=yes;"
   "self-attention ratio=4; conv2d filters=16 kernel=3 padding=1 groups=2; instance-norm; relu; conv2d filters=3 kernel=3; tanh"),
  "input z 1x1x20 noise=normal; conv-transpose2d filters=64 kernel=4; batch-norm; relu; conv-transpose2d filters=3 kernel=4 stride=2 padding=1",
};

enum { NETWORKS = sizeof networks / sizeof *networks, COUNT = 150, SAMPLE_MAX = 30000 };

/* Running statistics and weights away from where they start, so that nothing is 0 by chance. */
static gan_network *build(gan_context *ctx, const char *lines) {
  gan_network *n;
  must(ctx, gan_network_create(ctx, "G", &n));
  gan_network_build(n, lines);
  must(ctx, gan_network_finish(n));
  for (int64_t i = 0; i < n->n_variables; i++) {
    struct variable *v = n->variables[i].variable;
    for (int64_t j = 0; j < v->count; j++) v->data[j] += 0.01f * (float)((j * 7 + i) % 11);
  }
  return n;
}

static gan_sampler *sampler(gan_network *n, int64_t max_batch, int32_t threads) {
  gan_sampler *s;
  gan_sampler_config c;
  must(n->ctx, gan_sampler_config_init(&c, sizeof c));
  c.max_batch = max_batch;
  c.threads = threads;
  must(n->ctx, gan_sampler_create(n, &c, &s));
  return s;
}

static void good(gan_sampler *s, gan_status status) {
  char text[512];
  gan_sampler_error(s, text, sizeof text, NULL);
  if (status != GAN_OK) fail_msg("%s", text);
}

static float *draw(gan_sampler *s, int64_t first, int64_t count) {
  float *out = malloc((size_t)(count * gan_sampler_sample_size(s)) * sizeof *out);
  good(s, gan_sampler_draw(s, first, count, out));
  return out;
}

/* ------------------------------------------------------------------ the same bits */

/* Draws COUNT samples in pieces and compares each with the row of one big draw. */
static void check_pieces(gan_sampler *s, const float *expected, uint32_t seed) {
  int64_t size = gan_sampler_sample_size(s);
  for (int64_t first = 0; first < COUNT;) {
    seed = seed * 1664525 + 1013904223;
    int64_t count = seed % 3 == 0 ? 1 : seed / 7 % 70 + 1;
    if (count > COUNT - first) count = COUNT - first;
    float *piece = draw(s, first, count);
    assert_memory_equal(piece, expected + first * size, (size_t)(count * size) * sizeof *piece);
    free(piece);
    first += count;
  }
}

static void check_backwards(gan_sampler *s, const float *expected) {
  int64_t size = gan_sampler_sample_size(s);
  for (int64_t first = COUNT - 10; first >= 0; first -= 10) {
    float *piece = draw(s, first, 10);
    assert_memory_equal(piece, expected + first * size, (size_t)(10 * size) * sizeof *piece);
    free(piece);
  }
}

static void check_ways(gan_context *ctx) {
  for (int32_t i = 0; i < NETWORKS; i++) {
    gan_network *n = build(ctx, networks[i]);
    gan_sampler *reference = sampler(n, 64, 1);
    float *expected = draw(reference, 0, COUNT);
    const struct { int64_t max_batch; int32_t threads; } ways[] = {{64, 1}, {1, 1}, {2, 1}, {7, 1}, {150, 1}, {64, 2}, {33, 4}};
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
      gan_sampler *s = sampler(n, ways[w].max_batch, ways[w].threads);
      check_pieces(s, expected, 5 + (uint32_t)w);
      check_backwards(s, expected);
      gan_sampler_free(s);
    }
    free(expected);
    gan_sampler_free(reference);
    gan_network_free(n);
  }
}

/* Within one instruction set; whichever of them this machine has. */
static void test_same_bits(void **state) {
  (void)state;
  for (int32_t isa = GAN_ISA_BASELINE; isa <= GAN_ISA_AVX512; isa++) {
    gan_context *ctx;
    gan_context_config c = allocator_config(&memory);
    c.isa = isa;
    if (gan_context_create(&c, &ctx) != GAN_OK) continue;
    check_ways(ctx);
    gan_context_free(ctx);
  }
}

/* ------------------------------------------------------------------ the right values */

struct given { gan_node *node[2]; double value[2][SAMPLE_MAX]; int32_t n; };

static const double *given_leaf(void *user, const gan_node *n) {
  struct given *g = user;
  for (int32_t i = 0; i < g->n; i++)
    if (g->node[i] == n) return g->value[i];
  return NULL;
}

/* The network at the inputs that the sampler says it takes for sample `index`, in f64. */
static void check_value(gan_network *n, gan_sampler *s, int64_t index) {
  static struct given given;
  given.n = 0;
  gan_graph *g;
  gan_node *y;
  must(n->ctx, gan_graph_create(n->ctx, &g));
  for (int64_t i = 0; i < n->n_inputs; i++) {
    const gan_port *p = &n->inputs[i].info;
    static float row[SAMPLE_MAX];
    int64_t shape[GAN_MAX_RANK] = {1};
    memcpy(shape + 1, p->shape, (size_t)p->rank * sizeof *shape);
    good(s, gan_sampler_noise(s, p->name, index, 1, row));
    gan_node *node = gan_input(g, p->name, p->type, p->rank + 1, shape);
    for (int64_t j = 0; j < node->count; j++) given.value[i][j] = (double)row[j];
    given.node[given.n++] = node;
  }
  gan_network_apply(n, 0, given.n, given.node, 1, &y);
  must(n->ctx, gan_graph_check(g));
  const char *why = "";
  struct oracle *o = oracle_run(&(struct oracle_source){.leaf = given_leaf, .user = &given}, 1, &y, &why);
  if (!o) fail_msg("oracle: %s", why);
  float *out = draw(s, index, 1);
  for (int64_t j = 0; j < y->count; j++) {
    double expected = oracle_value(o, y)[j];
    if (!(fabs((double)out[j] - expected) < 2e-5 * fmax(1, fabs(expected))))
      fail_msg("[%d] is %g, expected %g", (int)j, (double)out[j], expected);
  }
  free(out);
  oracle_free(o);
  gan_graph_free(g);
}

static void test_values(void **state) {
  for (int32_t i = 0; i < NETWORKS; i++) {
    gan_network *n = build(*state, networks[i]);
    gan_sampler *s = sampler(n, 16, 1);
    for (int64_t index = 0; index < 5; index++) check_value(n, s, index);
    check_value(n, s, INT64_C(1) << 50);
    gan_sampler_free(s);
    gan_network_free(n);
  }
}

static void test_distributions(void **state) {
  const struct { const char *lines; double mean, std, bound; } cases[] = {
    {"input z 8 noise=normal; output o", 0, 1, 10},
    {"input z 8 noise=(normal mean=2 std=3); output o", 2, 3, 20},
    {"input z 8 noise=uniform; output o", 0, 2 / sqrt(12), 1},
    {"input z 8 noise=(uniform low=1 high=5); output o", 3, 4 / sqrt(12), 5},
    {"input z 8 noise=truncated-normal; output o", 0, 0.87963, 2},
  };
  enum { MANY = 4000 };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    gan_network *n = build(*state, cases[i].lines);
    gan_sampler *s = sampler(n, 64, 1);
    float *z = draw(s, 0, MANY);
    double mean = 0, square = 0;
    for (int64_t j = 0; j < MANY * 8; j++) {
      assert_true(fabs((double)z[j]) <= cases[i].bound);
      mean += (double)z[j] / (MANY * 8);
      square += (double)z[j] * (double)z[j] / (MANY * 8);
    }
    assert_true(fabs(mean - cases[i].mean) < 0.03 * cases[i].std);
    assert_true(fabs(sqrt(square - mean * mean) - cases[i].std) < 0.03 * cases[i].std);
    free(z);
    gan_sampler_free(s);
    gan_network_free(n);
  }
}

static void test_labels_cycle(void **state) {
  gan_network *n = build(*state, networks[4]);
  gan_sampler *s = sampler(n, 8, 1);
  float *labels = draw(s, 2, 9);
  for (int32_t i = 0; i < 9; i++) assert_int_equal((int)labels[2 * i + 1], (2 + i) % 4);
  free(labels);
  gan_sampler_free(s);
  gan_network_free(n);
}

static void test_seeds(void **state) {
  gan_network *n = build(*state, networks[0]);
  gan_sampler_config c;
  gan_sampler *s[3];
  float *out[3];
  for (int32_t i = 0; i < 3; i++) {
    gan_sampler_config_init(&c, sizeof c);
    c.seed = i; /* 0 is the context's: 1 */
    must(*state, gan_sampler_create(n, &c, &s[i]));
    out[i] = draw(s[i], 3, 1);
  }
  assert_memory_equal(out[0], out[1], 200);
  assert_memory_not_equal(out[0], out[2], 200);
  for (int32_t i = 0; i < 3; i++) {
    free(out[i]);
    gan_sampler_free(s[i]);
  }
  gan_network_free(n);
}

/* ------------------------------------------------------------------ binding */

static void test_bind(void **state) {
  gan_network *n = build(*state, "input z 3 noise=normal; input y classes=4; one-hot classes=4; concat from=z,one-hot1");
  gan_sampler *s = sampler(n, 8, 1);
  float z[6] = {1, 2, 3, 4, 5, 6};
  int32_t y[3] = {3, 0, 2}, wrong[2] = {0, 4};
  good(s, gan_sampler_bind(s, "z", 2, z));
  good(s, gan_sampler_bind(s, "y", 3, y));
  memset(z, 0, sizeof z); /* copied */
  float *out = draw(s, 1000, 20);
  for (int32_t i = 0; i < 20; i++) {
    assert_true(out[7 * i + 2] == (float)(i % 2 ? 6 : 3));
    const int32_t labels[] = {3, 0, 2};
    for (int32_t j = 0; j < 4; j++) assert_true(out[7 * i + 3 + j] == (labels[i % 3] == j));
  }
  free(out);
  float noise[9];
  good(s, gan_sampler_noise(s, "y", 5, 3, noise));
  assert_true(noise[0] == 3 && noise[1] == 0 && noise[2] == 2);
  assert_int_equal(gan_sampler_bind(s, "y", 2, wrong), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_sampler_bind(s, "y", 9, wrong), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_sampler_bind(s, "y", -1, wrong), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_sampler_bind(s, "y", 1, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_sampler_bind(s, "w", 1, z), GAN_ERROR_ARGUMENT);

  good(s, gan_sampler_bind(s, "z", 0, NULL));
  good(s, gan_sampler_bind(s, "y", 0, NULL));
  gan_sampler *fresh = sampler(n, 8, 1);
  float *bound = draw(s, 0, 20), *unbound = draw(fresh, 0, 20);
  assert_memory_equal(bound, unbound, 20 * 7 * sizeof(float));
  free(bound);
  free(unbound);
  gan_sampler_free(fresh);
  gan_sampler_free(s);
  gan_network_free(n);
}

/* An interpolation: noise read, changed, bound. What was read and bound unchanged gives the same sample. */
static void test_noise_bound_again(void **state) {
  gan_network *n = build(*state, networks[0]);
  gan_sampler *s = sampler(n, 8, 1);
  float noise[5 * 17];
  float *expected = draw(s, 40, 5);
  good(s, gan_sampler_noise(s, "z", 40, 5, noise));
  good(s, gan_sampler_bind(s, "z", 5, noise));
  float *again = draw(s, 0, 5);
  assert_memory_equal(again, expected, 5 * 50 * sizeof(float));
  free(again);
  free(expected);
  gan_sampler_free(s);
  gan_network_free(n);
}

static void test_data_must_be_bound(void **state) {
  gan_network *n = build(*state, "input x 3; relu");
  gan_sampler *s = sampler(n, 8, 1);
  float out[3], x[3] = {-1, 0, 2};
  char text[256];
  assert_int_equal(gan_sampler_draw(s, 0, 1, out), GAN_ERROR_ARGUMENT);
  gan_sampler_error(s, text, sizeof text, NULL);
  assert_non_null(strstr(text, "input 'x' holds data: bind it"));
  good(s, gan_sampler_bind(s, "x", 1, x));
  good(s, gan_sampler_draw(s, 0, 1, out));
  assert_true(out[0] == 0 && out[2] == 2);
  gan_sampler_free(s);
  gan_network_free(n);
}

/* ------------------------------------------------------------------ snapshots */

static void test_refresh(void **state) {
  gan_context *ctx = *state;
  gan_network *n = build(ctx, networks[0]), *other = build(ctx, networks[1]);
  gan_sampler *s = sampler(n, 16, 1);
  float *before = draw(s, 0, 20);
  must(ctx, gan_network_initialize(n, 123));
  float *still = draw(s, 0, 20);
  assert_memory_equal(before, still, 20 * 50 * sizeof(float));
  int64_t calls = memory.calls;
  good(s, gan_sampler_refresh(s, n));
  assert_int_equal(memory.calls, calls);
  gan_sampler *fresh = sampler(n, 16, 1);
  float *after = draw(s, 0, 20), *expected = draw(fresh, 0, 20);
  assert_memory_equal(after, expected, 20 * 50 * sizeof(float));
  assert_memory_not_equal(after, before, 20 * 50 * sizeof(float));
  assert_int_equal(gan_sampler_refresh(s, other), GAN_ERROR_SHAPE);
  assert_int_equal(gan_sampler_refresh(s, NULL), GAN_ERROR_ARGUMENT);
  float *unharmed = draw(s, 0, 20);
  assert_memory_equal(after, unharmed, 20 * 50 * sizeof(float));
  float *all[] = {before, still, after, expected, unharmed};
  for (int32_t i = 0; i < 5; i++) free(all[i]);
  gan_sampler_free(s);
  gan_sampler_free(fresh);
  gan_network_free(n);
  gan_network_free(other);
}

/* The sampler needs neither the network nor the caller's context handle. */
static void test_lifetimes(void **state) {
  (void)state;
  for (int32_t order = 0; order < 2; order++) {
    gan_context *ctx = new_context();
    gan_network *n = build(ctx, networks[0]);
    gan_sampler *s = sampler(n, 16, 2);
    float *first = draw(s, 0, 20);
    if (order) gan_context_free(ctx);
    gan_network_free(n);
    if (!order) gan_context_free(ctx);
    float *second = draw(s, 0, 20);
    assert_memory_equal(first, second, 20 * 50 * sizeof(float));
    free(first);
    free(second);
    gan_sampler_free(s);
  }
}

static void test_outputs(void **state) {
  gan_context *ctx = *state;
  gan_network *n =
      build(ctx, "input z 3 noise=normal; scale factor=2 name=a; dense units=5 name=b; output first a; output second b");
  gan_sampler_config c;
  gan_sampler *s;
  gan_sampler_config_init(&c, sizeof c);
  c.output = 1;
  must(ctx, gan_sampler_create(n, &c, &s));
  assert_int_equal(gan_sampler_sample_size(s), 5);
  assert_true(gan_sampler_memory(s) > 0);
  gan_sampler_free(s);
  c.output = 2;
  assert_int_equal(gan_sampler_create(n, &c, &s), GAN_ERROR_ARGUMENT);
  c.output = 0;
  c.max_batch = 0;
  assert_int_equal(gan_sampler_create(n, &c, &s), GAN_ERROR_ARGUMENT);
  c.max_batch = 1;
  c.threads = 0;
  assert_int_equal(gan_sampler_create(n, &c, &s), GAN_ERROR_ARGUMENT);
  gan_network_free(n);
}

/* ------------------------------------------------------------------ real time, failures */

static void test_draws_allocate_nothing(void **state) {
  for (int32_t i = 0; i < NETWORKS; i++) {
    gan_network *n = build(*state, networks[i]);
    gan_sampler *s = sampler(n, 16, 1);
    int64_t calls = memory.calls;
    for (int64_t count = 0; count < 40; count += 13) free(draw(s, count, count));
    gan_sampler_draw(s, -1, 1, NULL);
    assert_int_equal(memory.calls, calls);
    gan_sampler_free(s);
    gan_network_free(n);
  }
}

static void test_refusals(void **state) {
  gan_network *n = build(*state, networks[0]);
  gan_sampler *s = sampler(n, 16, 1), *none = NULL;
  float out[64];
  char text[64] = "x";
  int64_t needed;
  assert_int_equal(gan_sampler_draw(s, -1, 1, out), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_sampler_draw(s, 0, -1, out), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_sampler_draw(s, 0, 1, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_sampler_draw(s, INT64_MAX, 2, out), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_sampler_draw(s, 0, 0, NULL), GAN_OK);
  assert_int_equal(gan_sampler_noise(s, "z", 0, 1, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_sampler_noise(s, NULL, 0, 1, out), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_sampler_error(s, text, sizeof text, &needed), GAN_OK);
  assert_true(needed > 10);
  assert_int_equal(gan_sampler_draw(none, 0, 1, out), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_sampler_error(none, text, sizeof text, &needed), GAN_OK);
  assert_int_equal(needed, 1);
  assert_int_equal(gan_sampler_sample_size(none), 0);
  assert_int_equal(gan_sampler_memory(none), 0);
  assert_int_equal(gan_sampler_create(NULL, NULL, &none), GAN_ERROR_ARGUMENT);
  gan_sampler_free(NULL);
  gan_sampler_free(s);
  gan_network_free(n);
}

static void test_every_allocation_fails_once(void **state) {
  gan_network *n = build(*state, networks[1]);
  gan_sampler_config c;
  gan_sampler_config_init(&c, sizeof c);
  c.threads = 2;
  for (int32_t on = 0; on < 2; on++) {
    gan_status status = GAN_ERROR_MEMORY;
    for (int64_t at = 1; status != GAN_OK; at++) {
      gan_sampler *s = NULL;
      int64_t live = memory.live;
      memory.fail_on = on;
      memory.fail_at = memory.calls + at;
      status = gan_sampler_create(n, &c, &s);
      memory.fail_at = 0;
      if (status != GAN_OK) assert_null(s);
      if (status != GAN_OK && status != GAN_ERROR_MEMORY) must(*state, status);
      gan_sampler_free(s);
      assert_int_equal(memory.live, live);
    }
  }
  gan_network_free(n);
}

static int by_size(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

/* Noise within a distance of the middle: normal there (Kolmogorov's distance), the same for a sample in any batch. */
static void test_truncation(void **state) {
  enum { DRAWN = 20000 };
  static const double distances[] = {0.1, 0.5, 1, 2};
  static float z[DRAWN], again[7];
  gan_network *n = build(*state, "input z noise=normal; output o");
  for (size_t i = 0; i < sizeof distances / sizeof *distances; i++) {
    gan_sampler *s;
    gan_sampler_config c;
    double far = 0, off = 0, within = erf(distances[i] / sqrt(2));
    gan_sampler_config_init(&c, sizeof c);
    c.truncation = distances[i];
    must(*state, gan_sampler_create(n, &c, &s));
    assert_int_equal(gan_sampler_draw(s, 0, DRAWN, z), GAN_OK);
    assert_int_equal(gan_sampler_noise(s, "z", 1000, 7, again), GAN_OK);
    assert_memory_equal(z + 1000, again, sizeof again);
    for (int k = 0; k < DRAWN; k++) far = fmax(far, fabs(z[k]));
    assert_true(far <= distances[i] * (1 + 1e-5) && far > 0.99 * distances[i]);
    qsort(z, DRAWN, sizeof *z, by_size);
    for (int k = 0; k < DRAWN; k++) off = fmax(off, fabs(0.5 + 0.5 * erf(z[k] / sqrt(2)) / within - (k + 0.5) / DRAWN));
    assert_true(off < 1.95 / sqrt(DRAWN));
    gan_sampler_free(s);
  }
  for (int i = 0; i < 3; i++) {
    gan_sampler *s;
    gan_sampler_config c;
    gan_sampler_config_init(&c, sizeof c);
    c.truncation = i == 0 ? -0.1 : i == 1 ? 2.1 : (double)NAN;
    assert_int_equal(gan_sampler_create(n, &c, &s), GAN_ERROR_ARGUMENT);
  }
  gan_network_free(n);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
    TEST(test_same_bits), TEST(test_values), TEST(test_distributions), TEST(test_truncation), TEST(test_labels_cycle),
    TEST(test_seeds), TEST(test_bind), TEST(test_noise_bound_again), TEST(test_data_must_be_bound),
    TEST(test_refresh), TEST(test_lifetimes), TEST(test_outputs),
    TEST(test_draws_allocate_nothing), TEST(test_refusals), TEST(test_every_allocation_fails_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
