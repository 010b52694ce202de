/* Every kernel of every instruction set that this processor runs, against plain loops in double; and the promises about bits:
 * an element's bits do not depend on its place, on the order of chunks or, in packed products, on the number of rows. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cpu.h"
#include "base/rng.h"
#include "kernels/kernels.h"

/* ------------------------------------------------------------------ tools */

static const struct rng_key test_key = {{0x1234u, 0x5678u}, {0, 0}};
static uint64_t drawn; /* numbers taken from the stream: reset by every test's setup, so that tests do not affect each other */

static int reset(void **state) {
  (void)state;
  drawn = 0;
  return 0;
}

static int64_t draw(int64_t low, int64_t high) {
  return low + rng_below(&test_key, drawn++, (uint32_t)(high - low + 1));
}

static float draw_float(float low, float high) {
  return low + (high - low) * rng_uniform(&test_key, drawn++);
}

static void *allocate(size_t bytes) {
  void *p = aligned_alloc(64, (bytes + 127) / 64 * 64);
  assert_non_null(p);
  return p;
}

static float *floats(int64_t n) {
  return allocate((size_t)n * sizeof(float));
}

static float *random_floats(int64_t n, float low, float high) {
  float *p = floats(n);
  for (int64_t i = 0; i < n; i++) p[i] = draw_float(low, high);
  return p;
}

static float *filled(int64_t n, float value) {
  float *p = floats(n);
  for (int64_t i = 0; i < n; i++) p[i] = value;
  return p;
}

static void assert_same_bits(const float *a, const float *b, int64_t n) {
  if (n) assert_memory_equal(a, b, (size_t)n * sizeof *a);
}

#define assert_near(value, expected, bound) \
  do { \
    double value_ = (value), expected_ = (expected), bound_ = (bound); \
    if (!(fabs(value_ - expected_) <= bound_)) fail_msg("%.9g, expected %.9g within %.3g", value_, expected_, bound_); \
  } while (0)

/* Runs the block for every table that this processor can use. */
#define FOR_EACH_ISA(k) \
  for (int32_t isa_ = 0; isa_ < ISA_COUNT; isa_++) \
    for (const struct kernels *k = kernels_select(isa_); k; k = NULL)

/* ------------------------------------------------------------------ selection, control word */

static void test_select(void **state) {
  (void)state;
  assert_non_null(kernels_select(ISA_BASELINE));
  assert_null(kernels_select(ISA_COUNT));
  assert_ptr_equal(kernels_select(-1), kernels_select(kernels_select(-1)->isa));
  assert_int_equal(cpu_supports(ISA_COUNT), 0);
  assert_true(cpu_cores() >= 1);
  FOR_EACH_ISA(k) {
    static const char *const names[ISA_COUNT] = {"baseline", "avx2", "avx512"};
    assert_string_equal(k->name, names[k->isa]);
    assert_true(kernels_fma_burst(k) > 0);
    for (int i = 0; i < VEC_COUNT; i++) assert_non_null(k->vec[i]);
  }
}

static void test_control_word(void **state) {
  (void)state;
  volatile float tiny = 1e-39f, half = 0.5f;
  assert_true(tiny * half != 0.0f);
  uint32_t control = cpu_flush_denormals();
#if defined(__SSE__) || defined(__aarch64__)
  assert_true(tiny * half == 0.0f);
#endif
  cpu_restore(control);
  assert_true(tiny * half != 0.0f);
}

/* ------------------------------------------------------------------ vectors */

static double ref_COPY(double a, double b, double c) { return (void)b, (void)c, a; }
static double ref_NEG(double a, double b, double c) { return (void)b, (void)c, -a; }
static double ref_ABS(double a, double b, double c) { return (void)b, (void)c, fabs(a); }
static double ref_SIGN(double a, double b, double c) { return (void)b, (void)c, isnan(a) ? a : (a > 0) - (a < 0); }
static double ref_SQUARE(double a, double b, double c) { return (void)b, (void)c, a * a; }
static double ref_SQRT(double a, double b, double c) { return (void)b, (void)c, sqrt(a); }
static double ref_RSQRT(double a, double b, double c) { return (void)b, (void)c, 1 / sqrt(a); }
static double ref_RECIP(double a, double b, double c) { return (void)b, (void)c, 1 / a; }
static double ref_EXP(double a, double b, double c) { return (void)b, (void)c, exp(a); }
static double ref_LOG(double a, double b, double c) { return (void)b, (void)c, log(a); }
static double ref_TANH(double a, double b, double c) { return (void)b, (void)c, tanh(a); }
static double ref_SIGMOID(double a, double b, double c) { return (void)b, (void)c, 1 / (1 + exp(-a)); }
static double ref_SOFTPLUS(double a, double b, double c) { return (void)b, (void)c, a > 40 ? a : log1p(exp(a)); }
static double ref_ERF(double a, double b, double c) { return (void)b, (void)c, erf(a); }
static double ref_SIN(double a, double b, double c) { return (void)b, (void)c, sin(a); }
static double ref_COS(double a, double b, double c) { return (void)b, (void)c, cos(a); }
static double ref_FLOOR(double a, double b, double c) { return (void)b, (void)c, floor(a); }
static double ref_IS_FINITE(double a, double b, double c) { return (void)b, (void)c, isfinite(a) ? 1 : 0; }
static double ref_ADD(double a, double b, double c) { return (void)c, a + b; }
static double ref_SUB(double a, double b, double c) { return (void)c, a - b; }
static double ref_MUL(double a, double b, double c) { return (void)c, a * b; }
static double ref_DIV(double a, double b, double c) { return (void)c, a / b; }
static double ref_MAX(double a, double b, double c) { return (void)c, isnan(a) || isnan(b) ? (double)NAN : a > b ? a : b; }
static double ref_MIN(double a, double b, double c) { return (void)c, isnan(a) || isnan(b) ? (double)NAN : a < b ? a : b; }
static double ref_POW(double a, double b, double c) { return (void)c, pow(a, b); }
static double ref_GREATER(double a, double b, double c) { return (void)c, a > b; }
static double ref_GREATER_EQUAL(double a, double b, double c) { return (void)c, a >= b; }
static double ref_EQUAL(double a, double b, double c) { return (void)c, a == b; }
static double ref_SELECT(double a, double b, double c) { return a != 0 ? b : c; }
static double ref_FMA(double a, double b, double c) { return a * b + c; }

typedef double ref_fn(double a, double b, double c);

/* Errors in units in the last place of the exact result. Without an entry (ulp 0) the result must be exact. FMA without
 * fused hardware rounds the product, so its bound is relative to the operands and is checked apart. */
struct vec_case { const char *name; int32_t inputs; ref_fn *ref; };
#define VEC_CASE(name, inputs) [VEC_##name] = {#name, inputs, ref_##name},
static const struct vec_case vec_cases[VEC_COUNT] = {VEC_LIST(VEC_CASE)};

struct vec_range { int32_t op; float low, high; double ulp; };
static const struct vec_range vec_ranges[] = {
  {VEC_COPY, -9, 9, 0},        {VEC_NEG, -9, 9, 0},          {VEC_ABS, -9, 9, 0},         {VEC_SIGN, -1, 1, 0},
  {VEC_SQUARE, -9, 9, 0.5},    {VEC_SQRT, 0, 100, 0.5},      {VEC_RSQRT, 1e-6f, 100, 1.5}, {VEC_RECIP, -9, 9, 0.5},
  {VEC_EXP, -104, 89, 1.5},    {VEC_EXP, -1, 1, 1.5},        {VEC_EXP, -87, 88, 1.5},     {VEC_LOG, 0, 1e-37f, 1.5},
  {VEC_LOG, 0, 4, 1.5},        {VEC_LOG, 0.9f, 1.1f, 1.5},   {VEC_LOG, 0, 3e38f, 1.5},    {VEC_TANH, -0.7f, 0.7f, 2.6},
  {VEC_TANH, -12, 12, 2.6},    {VEC_SIGMOID, -20, 20, 2.5},  {VEC_SIGMOID, -104, 104, 2.5}, {VEC_SOFTPLUS, -104, 104, 2.5},
  {VEC_SOFTPLUS, -3, 3, 2.5},  {VEC_ERF, -1.2f, 1.2f, 2.0},  {VEC_ERF, -5, 5, 2.0},       {VEC_SIN, -4, 4, 1.5},
  {VEC_SIN, -1e4f, 1e4f, 1.5}, {VEC_SIN, -3e5f, 3e5f, 1.5},  {VEC_COS, -4, 4, 1.5},       {VEC_COS, -1e4f, 1e4f, 1.5},
  {VEC_COS, -1e9f, 1e9f, 1.5}, {VEC_FLOOR, -9, 9, 0},        {VEC_FLOOR, -1e9f, 1e9f, 0}, {VEC_IS_FINITE, -9, 9, 0},
  {VEC_ADD, -9, 9, 0.5},       {VEC_SUB, -9, 9, 0.5},        {VEC_MUL, -9, 9, 0.5},       {VEC_DIV, -9, 9, 0.5},
  {VEC_MAX, -9, 9, 0},         {VEC_MIN, -9, 9, 0},          {VEC_POW, 0, 9, 1.0},        {VEC_POW, 0, 100, 1.0},
  {VEC_GREATER, -2, 2, 0},     {VEC_GREATER_EQUAL, -2, 2, 0}, {VEC_EQUAL, -2, 2, 0},      {VEC_SELECT, -9, 9, 0},
  {VEC_FMA, -9, 9, -1},
};

static double ulp_of(double exact) {
  double magnitude = fabs(exact);
  if (!(magnitude >= 0x1p-126 && magnitude < INFINITY)) return 0x1p-149;
  return ldexp(1.0, ilogb(magnitude) - 23);
}

/* What a float can hold of an exact result. */
static int32_t overflows(double exact) {
  return fabs(exact) >= 0x1.ffffffp127;
}

static void assert_vec_result(const struct vec_range *r, float got, const float x[3]) {
  double exact = vec_cases[r->op].ref(x[0], x[1], x[2]);
  double bound = r->ulp < 0 ? ulp_of((double)x[0] * x[1]) + ulp_of(exact) : r->ulp * ulp_of(exact) * 1.0001;
  int32_t good = fabs(got - exact) <= bound;
  if (isnan(exact)) good = isnan(got);
  else if (overflows(exact)) good = isinf(got) && (got > 0) == (exact > 0);
  if (!good)
    fail_msg("%s(%.9g, %.9g, %.9g) = %.9g, exact %.9g, %.3g ulp", vec_cases[r->op].name, (double)x[0], (double)x[1], (double)x[2],
             (double)got, exact, fabs(got - exact) / ulp_of(exact));
}

static void check_vec_range(const struct kernels *k, const struct vec_range *r) {
  enum { N = 3000 };
  float *in[3], *out = floats(N);
  for (int i = 0; i < 3; i++) in[i] = random_floats(N, r->low, r->high);
  k->vec[r->op](out, in[0], in[1], in[2], N);
  for (int64_t i = 0; i < N; i++) assert_vec_result(r, out[i], (float[]){in[0][i], in[1][i], in[2][i]});
  for (int i = 0; i < 3; i++) free(in[i]);
  free(out);
}

static void test_vec_accuracy(void **state) {
  (void)state;
  int32_t covered[VEC_COUNT] = {0};
  for (size_t i = 0; i < sizeof vec_ranges / sizeof *vec_ranges; i++) {
    covered[vec_ranges[i].op] = 1;
    FOR_EACH_ISA(k) check_vec_range(k, &vec_ranges[i]);
  }
  for (int op = 0; op < VEC_COUNT; op++)
    if (!covered[op]) fail_msg("%s has no range in vec_ranges", vec_cases[op].name);
}

static const float special[] = {0.0f,    -0.0f, 1.0f,   -1.0f, 0.5f,   -0.5f,  2.0f,    -2.0f,      3.0f,    -3.0f,    1e-30f,   -1e-30f,   1e-40f,
                                -1e-45f, 1e30f, -1e30f, 88.0f, -88.0f, 150.0f, -150.0f, 8388609.0f, 3.4e38f, -3.4e38f, INFINITY, -INFINITY, NAN};
enum { SPECIALS = sizeof special / sizeof *special };

/* Every pair of special values through every function; the bounds are those of ordinary values. */
static void check_vec_special(const struct kernels *k, int32_t op) {
  struct vec_range r = {op, 0, 0, 2.5};
  float in[3][SPECIALS], out[SPECIALS];
  for (int shift = 0; shift < (vec_cases[op].inputs > 1 ? SPECIALS : 1); shift++) {
    for (int i = 0; i < SPECIALS; i++) {
      in[0][i] = special[i];
      in[1][i] = special[(i + shift) % SPECIALS];
      in[2][i] = special[(i + 7 * shift + 3) % SPECIALS];
    }
    k->vec[op](out, in[0], in[1], in[2], SPECIALS);
    for (int i = 0; i < SPECIALS; i++) {
      float x[3] = {in[0][i], in[1][i], in[2][i]};
      if (op == VEC_FMA && !isfinite(x[0] * x[1] + x[2])) continue; /* fused or not: other overflows */
      if (op == VEC_FMA) r.ulp = -1;
      assert_vec_result(&r, out[i], x);
    }
  }
}

static void test_vec_special(void **state) {
  (void)state;
  FOR_EACH_ISA(k) for (int32_t op = 0; op < VEC_COUNT; op++) check_vec_special(k, op);
}

/* Any block around an element, in place or not, gives it the same bits. */
static void test_vec_position(void **state) {
  (void)state;
  enum { N = 70 };
  FOR_EACH_ISA(k) for (int32_t op = 0; op < VEC_COUNT; op++) {
    float *in[3], *out = floats(N), *whole = floats(N);
    for (int i = 0; i < 3; i++) in[i] = random_floats(N, 0.0f, 3.0f);
    k->vec[op](whole, in[0], in[1], in[2], N);
    for (int64_t n = 0; n < 40; n++) {
      int64_t at = draw(0, N - n);
      for (int64_t i = 0; i < N; i++) out[i] = -77.0f;
      k->vec[op](out + at, in[0] + at, in[1] + at, in[2] + at, n);
      assert_same_bits(out + at, whole + at, n);
      for (int64_t i = 0; i < N; i++)
        if (i < at || i >= at + n) assert_true(out[i] == -77.0f);
    }
    for (int place = 0; place < vec_cases[op].inputs; place++) {
      memcpy(out, in[place], N * sizeof *out);
      float *from[3] = {in[0], in[1], in[2]};
      from[place] = out;
      k->vec[op](out, from[0], from[1], from[2], N);
      assert_same_bits(out, whole, N);
    }
    for (int i = 0; i < 3; i++) free(in[i]);
    free(out), free(whole);
  }
}

/* ------------------------------------------------------------------ chains */

enum { CHAIN_SPACE = 1 << 16 };

/* A random program over a random loop space: inputs with random broadcasts and, now and then, strides that leave gaps. */
static struct chain random_chain(int64_t most) {
  struct chain c = {0};
  c.rank = (int32_t)draw(0, 4);
  int64_t total = 1;
  for (int32_t d = 0; d < c.rank; d++) {
    int64_t room = most / total;
    c.shape[d] = draw(1, room < 40 ? room : draw(0, 3) ? 40 : room < 3000 ? room : 3000);
    total *= c.shape[d];
  }
  c.n_in = (int32_t)draw(1, 4);
  for (int32_t i = 0; i < c.n_in; i++) {
    int64_t step = draw(0, 5) ? 1 : 2;
    for (int32_t d = c.rank - 1; d >= 0; d--) {
      int32_t repeats = draw(0, 2) == 0;
      c.stride[i][d] = repeats ? 0 : step;
      if (!repeats) step *= c.shape[d];
    }
  }
  c.n_const = (int32_t)draw(0, 2);
  for (int32_t i = 0; i < c.n_const; i++) c.constant[i] = draw_float(-2, 2);
  c.n_instr = (int32_t)draw(1, 6);
  for (int32_t i = 0; i < c.n_instr; i++) {
    int32_t known = c.n_in + c.n_const + i;
    uint8_t op = (uint8_t)draw(0, VEC_COUNT - 1), a = (uint8_t)draw(0, known - 1), b = (uint8_t)draw(0, known - 1);
    c.instr[i] = (struct chain_instr){op, (uint8_t)known, a, b, (uint8_t)draw(0, known - 1)};
  }
  c.n_out = (int32_t)draw(1, 3);
  for (int32_t j = 0; j < c.n_out; j++) c.out[j] = (uint8_t)draw(0, c.n_in + c.n_const + c.n_instr - 1);
  return c;
}

static int64_t chain_elements(const struct chain *c) {
  int64_t n = 1;
  for (int32_t d = 0; d < c->rank; d++) n *= c->shape[d];
  return n;
}

/* The program on one element, one vector function at a time. */
static void chain_element(const struct kernels *k, const struct chain *c, const float *const *in, int64_t index, float *out) {
  float reg[CHAIN_INPUTS + CHAIN_CONSTS + CHAIN_REGS];
  for (int32_t i = 0; i < c->n_in; i++) {
    int64_t rest = index, at = 0;
    for (int32_t d = c->rank - 1; d >= 0; rest /= c->shape[d--]) at += rest % c->shape[d] * c->stride[i][d];
    reg[i] = in[i][at];
  }
  for (int32_t i = 0; i < c->n_const; i++) reg[c->n_in + i] = c->constant[i];
  for (int32_t i = 0; i < c->n_instr; i++) {
    const struct chain_instr *s = &c->instr[i];
    k->vec[s->op](&reg[s->dst], &reg[s->a], &reg[s->b], &reg[s->c], 1);
  }
  for (int32_t j = 0; j < c->n_out; j++) out[j] = reg[c->out[j]];
}

static void run_chain(const struct kernels *k, const struct chain *c, const float *const *in, float *const *out, int32_t backwards) {
  void *scratch = allocate(chain_scratch(c));
  int64_t chunks = chain_chunks(c);
  for (int64_t i = 0; i < chunks; i++) chain_run(k, c, in, out, backwards ? chunks - 1 - i : i, scratch);
  free(scratch);
}

static void check_chain(const struct kernels *k, struct chain c, float *const *in) {
  int64_t n = chain_elements(&c);
  float *out[CHAIN_OUTPUTS], *expected[CHAIN_OUTPUTS];
  for (int32_t j = 0; j < c.n_out; j++) out[j] = filled(n, -5), expected[j] = floats(n);
  for (int64_t i = 0; i < n; i++) {
    float value[CHAIN_OUTPUTS];
    chain_element(k, &c, (const float *const *)in, i, value);
    for (int32_t j = 0; j < c.n_out; j++) expected[j][i] = value[j];
  }
  for (int32_t simplified = 0; simplified < 2; simplified++) {
    if (simplified) chain_simplify(&c);
    assert_int_equal(chain_elements(&c), n);
    run_chain(k, &c, (const float *const *)in, out, simplified);
    for (int32_t j = 0; j < c.n_out; j++) assert_same_bits(out[j], expected[j], n);
  }
  for (int32_t i = 0; i < c.n_in && i < c.n_out; i++) { /* over a dense input */
    int32_t dense = c.rank <= 1 && (c.rank == 0 || c.stride[i][0] == 1);
    if (!dense) continue;
    float *copy = floats(n);
    memcpy(copy, in[i], (size_t)n * sizeof *copy);
    const float *from[CHAIN_INPUTS] = {0};
    for (int32_t other = 0; other < c.n_in; other++) from[other] = other == i ? copy : in[other];
    float *to[CHAIN_OUTPUTS] = {0};
    for (int32_t j = 0; j < c.n_out; j++) to[j] = j == i ? copy : out[j];
    run_chain(k, &c, from, to, 0);
    for (int32_t j = 0; j < c.n_out; j++) assert_same_bits(to[j], expected[j], n);
    free(copy);
  }
  for (int32_t j = 0; j < c.n_out; j++) free(out[j]), free(expected[j]);
}

static void test_chain_random(void **state) {
  (void)state;
  float *in[4];
  for (int i = 0; i < 4; i++) in[i] = random_floats(2 * CHAIN_SPACE, 0.0f, 2.0f);
  FOR_EACH_ISA(k) {
    for (int turn = 0; turn < 150; turn++) check_chain(k, random_chain(turn < 15 ? CHAIN_SPACE / 2 : 2000), in);
  }
  for (int i = 0; i < 4; i++) free(in[i]);
}

/* Each output once more, as sums of its columns: rows of the chunks, added up here. */
static void check_chain_sums(const struct kernels *k, struct chain c, float *const *in, int64_t columns) {
  int64_t n = chain_elements(&c), rows = chain_chunks(&c);
  int32_t stored = c.n_out;
  float *out[CHAIN_OUTPUTS];
  for (int32_t j = 0; j < stored; j++, c.n_out++) {
    c.out[c.n_out] = c.out[j];
    c.columns[c.n_out] = columns;
    out[j] = filled(n, -5);
    out[c.n_out] = filled(rows * columns, -7);
  }
  run_chain(k, &c, (const float *const *)in, out, 1);
  for (int32_t j = 0; j < stored; j++)
    for (int64_t column = 0; column < columns; column++) {
      double sum = 0, size = 0, came = 0;
      for (int64_t i = column; i < n; i += columns) sum += out[j][i], size += fabs((double)out[j][i]);
      for (int64_t row = 0; row < rows; row++) came += out[stored + j][row * columns + column];
      if (isfinite(size)) assert_near((float)came, sum, 1e-5 * size + 1e-30);
    }
  for (int32_t j = 0; j < c.n_out; j++) free(out[j]);
}

static void test_chain_sums(void **state) {
  (void)state;
  float *in[4];
  for (int i = 0; i < 4; i++) in[i] = random_floats(2 * CHAIN_SPACE, 0.0f, 2.0f);
  FOR_EACH_ISA(k) {
    for (int turn = 0; turn < 150; turn++) {
      struct chain c = random_chain(turn < 15 ? CHAIN_SPACE / 2 : 2000);
      int64_t n = chain_elements(&c), columns = draw(1, n);
      while (n % columns) columns = draw(0, 2) ? columns - 1 : 1;
      check_chain_sums(k, c, in, columns);
    }
  }
  for (int i = 0; i < 4; i++) free(in[i]);
}

static void test_chain_simplify(void **state) {
  (void)state;
  struct chain c = {.rank = 4, .n_in = 2, .shape = {4, 1, 6, 5}, .stride = {{30, 30, 5, 1}, {0, 0, 0, 1}}};
  chain_simplify(&c); /* (4,1,6,5), a bias of 5: 24 rows of 5 */
  assert_int_equal(c.rank, 2);
  assert_int_equal(c.shape[0], 24);
  assert_int_equal(c.shape[1], 5);
  assert_int_equal(c.stride[0][0], 5);
  assert_int_equal(c.stride[1][0], 0);
  struct chain none = {.rank = 2, .n_in = 1, .shape = {0, 5}, .stride = {{5, 1}}};
  chain_simplify(&none);
  assert_int_equal(chain_chunks(&none), 1);
  run_chain(kernels_select(-1), &none, (const float *const[]){NULL}, (float *const[]){NULL}, 0);
}

/* ------------------------------------------------------------------ reductions */

static void reduce_all(const struct kernels *k, const struct reduce_shape *s, const float *in, float *out, int32_t backwards) {
  void *partial = allocate(reduce_partial(s));
  for (int32_t pass = 0; pass < 2; pass++) {
    int64_t chunks = reduce_chunks(s, pass);
    for (int64_t i = 0; i < chunks; i++) reduce_run(k, s, in, out, partial, pass, backwards ? chunks - 1 - i : i);
  }
  free(partial);
}

static void check_reduce(const struct kernels *k, struct reduce_shape s) {
  int64_t n_out = s.outer * s.inner;
  float *in = random_floats(s.outer * s.length * s.inner, -1, 2), *out = filled(n_out, 7), *again = filled(n_out, 8);
  reduce_all(k, &s, in, out, 0);
  reduce_all(k, &s, in, again, 1);
  assert_same_bits(out, again, n_out);
  for (int64_t o = 0; o < s.outer; o++)
    for (int64_t j = 0; j < s.inner; j++) {
      double sum = 0, size = 0, max = -INFINITY;
      for (int64_t i = 0; i < s.length; i++) {
        double x = in[(o * s.length + i) * s.inner + j];
        sum += x, size += fabs(x), max = x > max ? x : max;
      }
      float got = out[o * s.inner + j];
      if (s.op == REDUCE_SUM) assert_near(got, sum, 1e-6 * size);
      else assert_true(got == (float)max);
    }
  free(in), free(out), free(again);
}

static void test_reduce(void **state) {
  (void)state;
  static const int64_t shapes[][3] = {{0, 3, 4}, {3, 4, 0}, {3, 0, 4}, {1, 1, 1}, {1, 100000, 1}, {1, 70001, 3}, {1, 64, 784},
                                      {64, 784, 1}, {2, 40000, 5}, {1, 64, 30000}, {3, 900, 64}, {1, 3000, 70}, {7, 17, 33}, {5000, 3, 1},
                                      {5000, 1, 3}};
  FOR_EACH_ISA(k) for (int32_t op = REDUCE_SUM; op <= REDUCE_MAX; op++) {
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
      check_reduce(k, (struct reduce_shape){op, shapes[i][0], shapes[i][1], shapes[i][2]});
    for (int turn = 0; turn < 60; turn++)
      check_reduce(k, (struct reduce_shape){op, draw(1, 9), draw(0, 300), draw(1, draw(0, 1) ? 9 : 90)});
  }
}

static void test_sums(void **state) {
  (void)state;
  FOR_EACH_ISA(k) for (int turn = 0; turn < 60; turn++) {
    int64_t n = turn < 50 ? turn : draw(1000, 20000);
    float *x = random_floats(n + 1, -1, 2);
    double sum = 0, squares = 0, most = -INFINITY;
    for (int64_t i = 0; i < n; i++) sum += x[i], squares += (double)x[i] * x[i], most = x[i] > most ? x[i] : most;
    assert_near(k->sum(x, n), sum, 1e-6 * (double)(n + 1));
    assert_near(k->sum_squares(x, n), squares, 3e-7 * squares);
    assert_true(k->max(x, n) == (float)most);
    assert_int_equal(k->all_finite(x, n), 1);
    if (n) {
      int64_t at = draw(0, n - 1);
      x[at] = draw(0, 1) ? -INFINITY : NAN;
      assert_int_equal(k->all_finite(x, n), 0);
      x[at] = NAN;
      assert_true(isnan(k->max(x, n)));
    }
    free(x);
  }
}

static void test_rows(void **state) {
  (void)state;
  FOR_EACH_ISA(k) for (int turn = 0; turn < 60; turn++) {
    int64_t rows = draw(0, 40), cols = draw(0, 50), ld = cols + draw(0, 5);
    float *x = random_floats(rows * ld + 1, -1, 1), *sum = filled(cols + 1, 3), *most = filled(cols + 1, -0.5f);
    k->add_rows(sum, x, rows, cols, ld);
    k->max_rows(most, x, rows, cols, ld);
    for (int64_t j = 0; j < cols; j++) {
      double s = 3, m = -0.5;
      for (int64_t r = 0; r < rows; r++) s += x[r * ld + j], m = x[r * ld + j] > m ? x[r * ld + j] : m;
      assert_near(sum[j], s, 1e-5);
      assert_true(most[j] == (float)m);
    }
    assert_true(sum[cols] == 3 && most[cols] == -0.5f);
    free(x), free(sum), free(most);
  }
}

/* ------------------------------------------------------------------ products */

static double activated(const struct gemm_shape *s, double x) {
  switch (s->act) {
    case GEMM_LEAKY: return x < 0 ? x * s->slope : x;
    case GEMM_TANH: return tanh(x);
    case GEMM_SIGMOID: return 1 / (1 + exp(-x));
    default: return x;
  }
}

/* A product's operands, larger than they need be where leading dimensions say so; C with a border that must stay. */
struct product { struct gemm_shape s; float *a, *b, *bias, *c, *packed; int64_t c_size; };

static struct gemm_shape shape(int64_t m, int64_t n, int64_t k, int32_t ta, int32_t tb, int64_t gap) {
  int64_t lda = (ta ? m : k) + gap, ldb = (tb ? k : n) + gap, ldc = n + gap;
  return (struct gemm_shape){.m = m, .n = n, .k = k, .lda = lda, .ldb = ldb, .ldc = ldc, .ta = ta, .tb = tb};
}

static struct product make_product(const struct kernels *k, struct gemm_shape s) {
  struct product p = {.s = s, .c_size = s.m * s.ldc + 1};
  p.a = random_floats((s.ta ? s.k : s.m) * s.lda + 1, -1, 1);
  p.b = random_floats((s.tb ? s.n : s.k) * s.ldb + 1, -1, 1);
  p.bias = random_floats(s.n + 1, -1, 1);
  p.c = filled(p.c_size, NAN);
  p.packed = (float *)allocate(gemm_packed_bytes(k, s.n, s.k));
  gemm_pack(k, p.b, s.ldb, s.tb, s.n, s.k, p.packed);
  return p;
}

static void free_product(struct product *p) {
  free(p->a), free(p->b), free(p->bias), free(p->c), free(p->packed);
}

static void run_product(const struct kernels *k, const struct product *p, float *c, int32_t backwards) {
  void *scratch = allocate(gemm_scratch(k, &p->s));
  int64_t chunks = gemm_chunks(k, &p->s);
  const float *b = p->s.packed ? p->packed : p->b, *bias = p->s.has_bias ? p->bias : NULL;
  for (int64_t i = 0; i < chunks; i++) gemm_run(k, &p->s, p->a, b, bias, c, backwards ? chunks - 1 - i : i, scratch);
  free(scratch);
}

static void assert_product(const struct product *p) {
  const struct gemm_shape *s = &p->s;
  for (int64_t i = 0; i < s->m; i++) {
    for (int64_t j = 0; j < s->n; j++) {
      double sum = s->has_bias ? p->bias[j] : 0, size = fabs(sum);
      for (int64_t q = 0; q < s->k; q++) {
        double term = (double)p->a[s->ta ? q * s->lda + i : i * s->lda + q] * p->b[s->tb ? j * s->ldb + q : q * s->ldb + j];
        sum += term, size += fabs(term);
      }
      assert_near(p->c[i * s->ldc + j], activated(s, sum), 2e-6 * size + 2e-7);
    }
    for (int64_t j = s->n; j < s->ldc; j++) assert_true(isnan(p->c[i * s->ldc + j]));
  }
  assert_true(isnan(p->c[p->c_size - 1]));
}

static void check_product(const struct kernels *k, struct gemm_shape s) {
  struct product p = make_product(k, s);
  float *again = filled(p.c_size, NAN);
  for (p.s.packed = 0; p.s.packed < 2; p.s.packed++) {
    run_product(k, &p, p.c, 0);
    assert_product(&p);
    run_product(k, &p, again, 1);
    for (int64_t i = 0; i < s.m; i++) assert_same_bits(p.c + i * s.ldc, again + i * s.ldc, s.n);
  }
  free(again);
  free_product(&p);
}

static void test_gemm_random(void **state) {
  (void)state;
  FOR_EACH_ISA(k) for (int turn = 0; turn < 400; turn++) {
    int64_t most = turn % 10 ? 40 : 150;
    int32_t ta = (int32_t)draw(0, 1), tb = (int32_t)draw(0, 1);
    struct gemm_shape s = shape(draw(0, most), draw(0, most), draw(0, most), ta, tb, draw(0, 1) * draw(0, 9));
    if (draw(0, 3) == 0) *(int64_t *[]){&s.m, &s.n, &s.k}[draw(0, 2)] = 1, s = shape(s.m, s.n, s.k, s.ta, s.tb, draw(0, 3));
    s.act = (int32_t)draw(GEMM_LINEAR, GEMM_SIGMOID);
    s.slope = draw(0, 1) ? 0.2f : 0.0f;
    s.has_bias = (int32_t)draw(0, 1);
    check_product(k, s);
  }
}

/* Blocks of k, colliding strides, cuts by rows and by columns, long vectors. */
static void test_gemm_large(void **state) {
  (void)state;
  static const int64_t shapes[][3] = {{64, 100, 128}, {64, 33, 1100}, {33, 520, 256}, {3, 70, 1600},  {1, 300, 700},  {1, 1, 1500},
                                      {128, 1, 256},  {500, 90, 70},  {1, 700, 1},    {200, 300, 1},  {31, 17, 1024}, {1, 90, 1030}};
  FOR_EACH_ISA(k) for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) for (int32_t t = 0; t < 4; t++) {
    struct gemm_shape s = shape(shapes[i][0], shapes[i][1], shapes[i][2], t & 1, t >> 1, 0);
    s.has_bias = 1;
    s.act = t;
    s.slope = 0.2f;
    check_product(k, s);
  }
}

static void test_gemm_not_finite(void **state) {
  (void)state;
  FOR_EACH_ISA(k) for (int32_t packed = 0; packed < 2; packed++) for (int64_t m = 1; m < 9; m++) {
    struct gemm_shape s = shape(m, 20, 30, 0, 0, 0);
    s.act = GEMM_LEAKY;
    s.packed = packed;
    struct product p = make_product(k, s);
    for (int64_t j = 0; j < s.k; j++) p.a[j] = 1;
    p.b[3] = INFINITY, p.b[4] = -INFINITY, p.b[5] = NAN;
    gemm_pack(k, p.b, s.ldb, s.tb, s.n, s.k, p.packed);
    run_product(k, &p, p.c, 0);
    assert_true(isinf(p.c[3]) && p.c[3] > 0);
    assert_true(p.c[4] == 0);
    assert_true(isnan(p.c[5]));
    assert_true(isfinite(p.c[6]));
    free_product(&p);
  }
}

/* Row i of a packed product: the same bits alone, in any batch, in any place. */
static void test_gemm_packed_rows(void **state) {
  (void)state;
  static const int64_t sizes[][2] = {{1, 256}, {784, 256}, {100, 1100}, {24, 7}, {130, 33}, {512, 600}};
  FOR_EACH_ISA(k) for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    struct gemm_shape s = shape(70, sizes[i][0], sizes[i][1], 0, 1, 0);
    s.packed = s.has_bias = 1;
    s.act = (int32_t)i % 4;
    struct product p = make_product(k, s);
    run_product(k, &p, p.c, 0);
    for (int turn = 0; turn < 12; turn++) {
      int64_t first = draw(0, 69), rows = turn < 4 ? 1 : draw(1, 70 - first);
      struct product part = p;
      part.s.m = rows;
      part.a = p.a + first * s.lda;
      float *c = filled(rows * s.ldc, NAN);
      run_product(k, &part, c, turn & 1);
      assert_same_bits(c, p.c + first * s.ldc, rows * s.ldc);
      free(c);
    }
    free_product(&p);
  }
}

static void test_blas(void **state) {
  (void)state;
  if (!blas_available()) skip();
  const struct kernels *k = kernels_select(-1);
  int32_t threads = blas_get_threads();
  blas_set_threads(1);
  for (int32_t t = 0; t < 4; t++) {
    struct product p = make_product(k, shape(20, 30, 40, t & 1, t >> 1, 3));
    blas_sgemm(&p.s, p.a, p.b, p.c);
    assert_product(&p);
    free_product(&p);
  }
  if (threads > 0) {
    assert_int_equal(blas_get_threads(), 1);
    blas_set_threads(threads);
  }
  assert_non_null(blas_name());
}

/* ------------------------------------------------------------------ random numbers */

static void test_philox(void **state) {
  (void)state;
  static const uint32_t known[][10] = { /* counter, key, result: from the authors' test vectors */
    {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
    {~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
    {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}};
  for (int i = 0; i < 3; i++) {
    uint32_t out[4];
    rng_philox(known[i], known[i] + 4, out);
    assert_memory_equal(out, known[i] + 6, sizeof out);
  }
}

static void check_random(random_fn *fn, float (*reference)(const struct rng_key *, uint64_t)) {
  enum { N = 200 };
  float out[N + 2];
  for (int turn = 0; turn < 40; turn++) {
    struct rng_key key = rng_stream((uint64_t)turn, rng_hash("G/dense1"), 5);
    uint64_t first = turn == 0 ? 0 : turn == 1 ? (UINT64_C(1) << 34) - 30 : (uint64_t)draw(0, 1000);
    int64_t n = turn < 20 ? turn : draw(0, N);
    for (int i = 0; i < N + 2; i++) out[i] = -77;
    fn(out + 1, n, &key, first);
    for (int64_t i = 0; i < n; i++) {
      float expected = reference(&key, first + (uint64_t)i);
      assert_same_bits(out + 1 + i, &expected, 1);
    }
    assert_true(out[0] == -77 && out[n + 1] == -77);
  }
}

static void test_random_bits(void **state) {
  (void)state;
  FOR_EACH_ISA(k) {
    check_random(k->uniform, rng_uniform);
    check_random(k->normal, rng_normal);
    check_random(k->truncated_normal, rng_truncated_normal);
  }
}

/* These are in every checkpoint and fixture: they may never change. */
static void test_random_pinned(void **state) {
  (void)state;
  struct rng_key key = rng_stream(42, rng_hash("G/dense1/weight"), 7);
  uint32_t words[4];
  rng_philox((uint32_t[]){0, 0, key.counter_high[0], key.counter_high[1]}, key.key, words);
  assert_true(rng_uniform(&key, 0) == (float)(words[0] >> 8) * 0x1p-24f);
  double u = ((double)(words[0] >> 1) * 2 + 1) * 0x1p-32, angle = words[1] * 0x1p-31 * 3.14159265358979323846;
  assert_near(rng_normal(&key, 0), sqrt(-2 * log(u)) * cos(angle), 2e-6);
  assert_near(rng_normal(&key, 1), sqrt(-2 * log(u)) * sin(angle), 2e-6);
  double p = (double)((words[0] >> 9) * 2 + 1) * 0x1p-24; /* of the truncated normal's distribution function */
  double x = rng_truncated_normal(&key, 0), edge = erf(sqrt(2));
  assert_near((erf(x / sqrt(2)) / edge + 1) / 2, p, 1e-6);
  assert_true(rng_hash("") != rng_hash("a"));
  assert_true(rng_hash("G/dense1") == rng_hash("G/dense1"));
}

static void test_random_moments(void **state) {
  (void)state;
  enum { N = 200000 };
  float *x = floats(N);
  const struct kernels *k = kernels_select(-1);
  static const double variance[3] = {1.0 / 12, 1.0, 0.773741};
  random_fn *const fns[3] = {k->uniform, k->normal, k->truncated_normal};
  for (int i = 0; i < 3; i++) {
    fns[i](x, N, &test_key, 0);
    double sum = 0, squares = 0, cross = 0, most = 0;
    for (int64_t j = 0; j < N; j++) {
      sum += x[j], squares += (double)x[j] * x[j];
      if (j) cross += (double)x[j] * x[j - 1];
      most = fabs((double)x[j]) > most ? fabs((double)x[j]) : most;
    }
    double mean = sum / N;
    assert_near(mean, i ? 0 : 0.5, 0.01);
    assert_near(squares / N - mean * mean, variance[i], 0.01);
    assert_near(cross / N - mean * mean, 0, 0.01);
    assert_true(most < (i == 0 ? 1 : i == 1 ? 6.7 : 2.0));
  }
  free(x);
}

static void test_permute(void **state) {
  (void)state;
  static const int64_t sizes[] = {1, 2, 3, 5, 16, 17, 100, 1000, 4097};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    int64_t n = sizes[i], fixed = 0;
    char *seen = calloc((size_t)n, 1);
    for (int64_t j = 0; j < n; j++) {
      int64_t at = rng_permute(&test_key, j, n);
      assert_true(at >= 0 && at < n && !seen[at]);
      seen[at] = 1;
      fixed += at == j;
    }
    if (n >= 100) assert_true(fixed < 20);
    free(seen);
  }
  assert_in_range(rng_permute(&test_key, 12345678901, 1000000000000), 0, 999999999999);
  for (int i = 0; i < 1000; i++) assert_true(rng_below(&test_key, (uint64_t)i, 7) < 7);
}

/* ------------------------------------------------------------------ sweeps */

static void test_bytes(void **state) {
  (void)state;
  uint8_t in[256 + 7];
  float out[256 + 8];
  for (int i = 0; i < 256 + 7; i++) in[i] = (uint8_t)i;
  FOR_EACH_ISA(k) {
    out[256 + 7] = -77;
    k->bytes_to_float(out, in, 256 + 7, 2.0f / 255, -1);
    for (int i = 0; i < 256 + 7; i++) assert_near(out[i], in[i] * (2.0 / 255) - 1, 1e-6);
    assert_true(out[256 + 7] == -77);
  }
}

/* What a float's square cannot hold, in one block or in all of them. */
static void test_squares_out_of_range(void **state) {
  (void)state;
  const float sizes[] = {0, 1e-30f, 1e-16f, 1, 1e19f, 1e30f, FLT_MAX};
  FOR_EACH_ISA(k) for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    enum { N = 3000 };
    float *x = random_floats(N, 0, 1);
    double squares = 0;
    for (int i = 0; i < N; i++) {
      if (i < 1500 || i % 7 == 0) x[i] *= sizes[s];
      squares += (double)x[i] * x[i];
    }
    assert_near(k->sum_squares(x, N), squares, 3e-7 * squares);
    x[draw(0, N - 1)] = NAN;
    assert_true(isnan(k->sum_squares(x, N)));
    for (int i = 0; i < N; i++) x[i] = 1;
    x[draw(0, N - 1)] = INFINITY;
    assert_true(isinf(k->sum_squares(x, N)));
    free(x);
  }
}

/* A gradient so large that its square is infinite leaves the weights finite, one of 0 leaves them alone. */
static void test_adam_extremes(void **state) {
  (void)state;
  const struct adam_scalars s = {2e-3f, 0.5f, 0.999f, 1e-8f, 2.0f, 1000.0f, 0};
  FOR_EACH_ISA(k) for (int turn = 0; turn < 2; turn++) {
    float w[40], g[40], m[40] = {0}, v[40] = {0};
    for (int i = 0; i < 40; i++) w[i] = (float)i, g[i] = turn ? 1e25f : 0;
    for (int step = 0; step < 3; step++) k->adam(w, g, m, v, 40, &s);
    for (int i = 0; i < 40; i++) assert_true(turn ? isfinite(w[i]) : w[i] == (float)i);
  }
}

static void test_adam(void **state) {
  (void)state;
  const struct adam_scalars s = {2e-3f, 0.5f, 0.999f, 1e-8f, 2.0f, 1000.0f, 0.01f};
  FOR_EACH_ISA(k) for (int64_t n = 0; n < 70; n++) {
    float *w = random_floats(n + 1, -1, 1), *g = random_floats(n + 1, -1, 1);
    float *m = random_floats(n + 1, -1, 1), *v = random_floats(n + 1, 0, 1);
    double *expected = allocate((size_t)(3 * n + 1) * sizeof *expected);
    for (int64_t i = 0; i < n; i++) {
      double m1 = m[i] + (1.0 - s.beta1) * (g[i] - m[i]), v1 = v[i] + (1.0 - s.beta2) * ((double)g[i] * g[i] - v[i]);
      double step = m1 * s.correct1 / (sqrt(v1 * s.correct2) + s.epsilon);
      expected[3 * i] = w[i] - s.rate * step - s.rate * s.decay * w[i];
      expected[3 * i + 1] = m1;
      expected[3 * i + 2] = v1;
    }
    float border[3] = {w[n], m[n], v[n]};
    k->adam(w, g, m, v, n, &s);
    for (int64_t i = 0; i < n; i++) {
      assert_near(w[i], expected[3 * i], 1e-6);
      assert_near(m[i], expected[3 * i + 1], 1e-6);
      assert_near(v[i], expected[3 * i + 2], 1e-6);
    }
    assert_true(w[n] == border[0] && m[n] == border[1] && v[n] == border[2]);
    free(w), free(g), free(m), free(v), free(expected);
  }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup(name, reset)
  const struct CMUnitTest tests[] = {
    TEST(test_select),       TEST(test_control_word), TEST(test_vec_accuracy),   TEST(test_vec_special),      TEST(test_vec_position),
    TEST(test_chain_random), TEST(test_chain_sums),
    TEST(test_chain_simplify), TEST(test_reduce),       TEST(test_sums),             TEST(test_rows),
    TEST(test_gemm_random),  TEST(test_gemm_large),   TEST(test_gemm_not_finite), TEST(test_gemm_packed_rows), TEST(test_blas),
    TEST(test_philox),       TEST(test_random_bits),  TEST(test_random_pinned),  TEST(test_random_moments),   TEST(test_permute),
    TEST(test_bytes),        TEST(test_adam),         TEST(test_adam_extremes),    TEST(test_squares_out_of_range),
  };
  return cmocka_run_group_tests_name("kernels", tests, NULL, NULL);
}
