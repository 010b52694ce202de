/* Sums and maxima of arrays and of columns, in a fixed order, for one instruction set. */
#include "kernels/isa.h"
#include "kernels/vec.h"

#include <math.h>

/* ------------------------------------------------------------------ one number from an array */

enum { SUM_LEAF = 4096 /* longest run without a tree above it */, CHAINS = 8 /* hides the latency of an addition */ };

static float sum_leaf(const float *x, int64_t n) {
  vf acc[CHAINS] = {{0}};
  int64_t i = 0;
  for (; i + CHAINS * LANES <= n; i += CHAINS * LANES)
    for (int j = 0; j < CHAINS; j++) acc[j] += vf_load(x + i + j * LANES);
  for (int j = 0; i + LANES <= n; i += LANES, j++) acc[j] += vf_load(x + i);
  vf rest = vf_load_part(x + i, n - i, 0.0f);
  for (int half = CHAINS / 2; half; half /= 2)
    for (int j = 0; j < half; j++) acc[j] += acc[j + half];
  return vf_add_lanes(acc[0] + rest);
}

float ISA_NAME(sum)(const float *x, int64_t n) {
  if (n <= SUM_LEAF) return sum_leaf(x, n);
  int64_t half = (n / 2 + SUM_LEAF - 1) / SUM_LEAF * SUM_LEAF;
  return ISA_NAME(sum)(x, half) + ISA_NAME(sum)(x + half, n - half);
}

float ISA_NAME(max)(const float *x, int64_t n) {
  vf most[2] = {vf_set(-INFINITY), vf_set(-INFINITY)};
  int64_t i = 0;
  for (; i + 2 * LANES <= n; i += 2 * LANES)
    for (int j = 0; j < 2; j++) most[j] = vf_max(most[j], vf_load(x + i + j * LANES));
  for (; i < n; i += LANES) {
    int64_t rest = n - i;
    most[0] = vf_max(most[0], rest < LANES ? vf_load_part(x + i, rest, -INFINITY) : vf_load(x + i));
  }
  vf both = vf_max(most[0], most[1]);
  float result = both[0];
  for (int j = 1; j < LANES; j++) result = !(both[j] <= result) && result == result ? both[j] : result;
  return result;
}

/* Squares in doubles, which no float's square overflows. Two vectors a turn: four chains hide the latency. */
static double wide_squares(const float *x, int64_t n) {
  vd acc[4] = {{0}};
  int64_t i = 0;
  for (; i + 2 * LANES <= n; i += 2 * LANES)
    for (int j = 0; j < 2; j++) {
      vf v = vf_load(x + i + j * LANES);
      vd low = vd_low(v), high = vd_high(v);
      acc[2 * j] += low * low;
      acc[2 * j + 1] += high * high;
    }
  for (; i < n; i += LANES) {
    vf v = n - i < LANES ? vf_load_part(x + i, n - i, 0.0f) : vf_load(x + i);
    vd low = vd_low(v), high = vd_high(v);
    acc[0] += low * low;
    acc[1] += high * high;
  }
  vd all = (acc[0] + acc[1]) + (acc[2] + acc[3]);
  double sum = 0;
  for (int j = 0; j < LANES / 2; j++) sum += all[j];
  return sum;
}

enum { SQUARES_RUN = 4 /* squares that one lane adds up as floats */, SQUARES_BLOCK = SQUARES_RUN * CHAINS * LANES };

/* A block's squares in floats, a third of the conversions' time; *fits says whether none was too large or too small for that. */
ALWAYS_INLINE vf block_squares(const float *x, int32_t *fits) {
  vf acc[CHAINS] = {{0}};
  for (int i = 0; i < SQUARES_RUN; i++)
    for (int j = 0; j < CHAINS; j++) {
      vf v = vf_load(x + (i * CHAINS + j) * LANES);
      acc[j] = vf_fma(v, v, acc[j]);
    }
  for (int half = CHAINS / 2; half; half /= 2)
    for (int j = 0; j < half; j++) acc[j] += acc[j + half];
  *fits = !vi_any(~((acc[0] > 1e-28f) & (acc[0] < 1e38f)));
  return acc[0];
}

double ISA_NAME(sum_squares)(const float *x, int64_t n) {
  double apart = 0;
  vd low = {0}, high = {0};
  int64_t i = 0;
  for (; i + SQUARES_BLOCK <= n; i += SQUARES_BLOCK) {
    int32_t fits;
    vf sum = block_squares(x + i, &fits);
    if (!fits) {
      apart += wide_squares(x + i, SQUARES_BLOCK);
      continue;
    }
    low += vd_low(sum);
    high += vd_high(sum);
  }
  apart += wide_squares(x + i, n - i);
  vd all = low + high;
  for (int j = 0; j < LANES / 2; j++) apart += all[j];
  return apart;
}

/* ------------------------------------------------------------------ a row from rows */

/* acc = acc (+) rows, four rows at a pass: a quarter of the traffic on acc, and a tree of two levels in every group. Columns
 * are taken by vectors, then one by one: each column's own operations are the same either way. */
#define ROWS_FN(NAME, TYPE, load, store, step, OP) \
  static inline int64_t NAME##_columns(float *acc, const float *x, int64_t rows, int64_t j, int64_t cols, int64_t ld) { \
    for (; j + (step) <= cols; j += (step)) { \
      TYPE total = load(acc + j); \
      const float *p = x + j; \
      int64_t r = 0; \
      for (; r + 4 <= rows; r += 4, p += 4 * ld) \
        total = OP(total, OP(OP(load(p), load(p + ld)), OP(load(p + 2 * ld), load(p + 3 * ld)))); \
      for (; r < rows; r++, p += ld) total = OP(total, load(p)); \
      store(acc + j, total); \
    } \
    return j; \
  }

#define ADD(a, b) ((a) + (b))
#define LOAD(p) (*(p))
#define STORE(p, x) (*(p) = (x))

ALWAYS_INLINE float larger(float a, float b) {
  return a > b || a != a ? a : b;
}

ROWS_FN(add_vectors, vf, vf_load, vf_store, LANES, ADD)
ROWS_FN(add_scalars, float, LOAD, STORE, 1, ADD)
ROWS_FN(max_vectors, vf, vf_load, vf_store, LANES, vf_max)
ROWS_FN(max_scalars, float, LOAD, STORE, 1, larger)

/* Rows at a pass over the columns: few enough to be streams that the processor prefetches. */
enum { ROWS_AT_ONCE = 16 };

#define ALL_ROWS(VECTORS, SCALARS) \
  for (int64_t r = 0; r < rows; r += ROWS_AT_ONCE) { \
    int64_t count = rows - r < ROWS_AT_ONCE ? rows - r : ROWS_AT_ONCE; \
    int64_t done = VECTORS(acc, x + r * ld, count, 0, cols, ld); \
    SCALARS(acc, x + r * ld, count, done, cols, ld); \
  }

void ISA_NAME(add_rows)(float *acc, const float *x, int64_t rows, int64_t cols, int64_t ld) {
  ALL_ROWS(add_vectors_columns, add_scalars_columns)
}

void ISA_NAME(max_rows)(float *acc, const float *x, int64_t rows, int64_t cols, int64_t ld) {
  ALL_ROWS(max_vectors_columns, max_scalars_columns)
}
