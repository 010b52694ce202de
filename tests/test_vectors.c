/* Functions of vectors and chains of them, of every instruction set that this processor runs, against plain loops in double; an
 * element's bits do not depend on its place or on the order of chunks. */
#include <stdlib.h>

#include "kernel_bed.h"

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
      int64_t at = draw_whole(0, N - n);
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
  c.rank = (int32_t)draw_whole(0, 4);
  int64_t total = 1;
  for (int32_t d = 0; d < c.rank; d++) {
    int64_t room = most / total;
    c.shape[d] = draw_whole(1, room < 40 ? room : draw_whole(0, 3) ? 40 : room < 3000 ? room : 3000);
    total *= c.shape[d];
  }
  c.n_in = (int32_t)draw_whole(1, 4);
  for (int32_t i = 0; i < c.n_in; i++) {
    int64_t step = draw_whole(0, 5) ? 1 : 2;
    for (int32_t d = c.rank - 1; d >= 0; d--) {
      int32_t repeats = draw_whole(0, 2) == 0;
      c.stride[i][d] = repeats ? 0 : step;
      if (!repeats) step *= c.shape[d];
    }
  }
  c.n_const = (int32_t)draw_whole(0, 2);
  for (int32_t i = 0; i < c.n_const; i++) c.constant[i] = draw_float(-2, 2);
  c.n_instr = (int32_t)draw_whole(1, 6);
  for (int32_t i = 0; i < c.n_instr; i++) {
    int32_t known = c.n_in + c.n_const + i;
    uint8_t op = (uint8_t)draw_whole(0, VEC_COUNT - 1), a = (uint8_t)draw_whole(0, known - 1), b = (uint8_t)draw_whole(0, known - 1);
    c.instr[i] = (struct chain_instr){op, (uint8_t)known, a, b, (uint8_t)draw_whole(0, known - 1)};
  }
  c.n_out = (int32_t)draw_whole(1, 3);
  for (int32_t j = 0; j < c.n_out; j++) c.out[j] = (uint8_t)draw_whole(0, c.n_in + c.n_const + c.n_instr - 1);
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
      int64_t n = chain_elements(&c), columns = draw_whole(1, n);
      while (n % columns) columns = draw_whole(0, 2) ? columns - 1 : 1;
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

int main(void) {
  const struct CMUnitTest tests[] = {
    TEST(test_vec_accuracy),
    TEST(test_vec_special),
    TEST(test_vec_position),
    TEST(test_chain_random),
    TEST(test_chain_sums),
    TEST(test_chain_simplify),
  };
  return cmocka_run_group_tests_name("vectors", tests, NULL, NULL);
}
