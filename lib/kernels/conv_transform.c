/* The transforms of Winograd's convolutions, for one instruction set, over channels, which are a multiple of the lanes.
 *
 * The matrices of F(4, 2), F(4, 3) and F(4, 5) (conv_winograd_shape.c) as straight lines: what their rows, which are products of
 * polynomials, have in common is computed once. And, where one row is wanted, sums of a few arrays times a factor each.
 */
#include "kernels/isa.h"
#include "kernels/vec.h"

#define UNROLL _Pragma("GCC unroll 8")

/* ------------------------------------------------------------------ sums with factors */

/* n is a constant. All sources walk alike, so one index serves them. */
ALWAYS_INLINE void sums(float *to, int64_t to_step, const struct combination *t, int64_t columns, int64_t channels, const int n) {
  vf factor[WINOGRAD_POINTS];
  const float *from[WINOGRAD_POINTS];
  const int64_t step = t->step;
  UNROLL for (int i = 0; i < n; i++) factor[i] = vf_set(t->factor[i]), from[i] = t->from[i];
  for (int64_t j = 0; j < columns; j++)
    for (int64_t c = 0; c < channels; c += LANES) {
      int64_t at = j * step + c;
      vf sum = factor[0] * vf_load(from[0] + at);
      UNROLL for (int i = 1; i < n; i++) sum = vf_fma(factor[i], vf_load(from[i] + at), sum);
      vf_store(to + j * to_step + c, sum);
    }
}

static void zeros(float *to, int64_t to_step, int64_t columns, int64_t channels) {
  for (int64_t j = 0; j < columns; j++) memset(to + j * to_step, 0, (size_t)channels * sizeof *to);
}

#define CASE(count) \
  case count: \
    sums(to, to_step, t, columns, channels, count); \
    break;

static void combine(float *to, int64_t to_step, const struct combination *t, int64_t columns, int64_t channels) {
  switch (t->n) {
    CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8)
    default: zeros(to, to_step, columns, channels);
  }
}

/* ------------------------------------------------------------------ the matrices of one axis */

/* B': points of the data. Every row is a product of polynomials in the shift to the next input. */
ALWAYS_INLINE void data_1(const vf *x, vf *y) {
  y[0] = x[0];
}

ALWAYS_INLINE void data_5(const vf *x, vf *y) {
  vf f[3], e1 = x[1] + x[2], e2 = x[2] + x[3]; /* (s + 1) s; f: (s - 1/2) (s - 2) */
  UNROLL for (int i = 0; i < 3; i++) f[i] = x[i + 2] - 2.5f * x[i + 1] + x[i];
  y[0] = f[1] + f[0];
  y[1] = f[1];
  y[2] = e2 - 2.0f * e1;
  y[3] = e2 - 0.5f * e1;
  y[4] = f[2] + f[1];
}

ALWAYS_INLINE void data_6(const vf *x, vf *y) {
  vf f[4], e1 = x[3] - x[1], e2 = x[4] - x[2]; /* (s^2 - 1) s; f: (s - 1/2) (s + 2) */
  UNROLL for (int i = 0; i < 4; i++) f[i] = x[i + 2] + 1.5f * x[i + 1] - x[i];
  y[0] = f[2] - f[0];
  y[1] = f[2] + f[1];
  y[2] = f[2] - f[1];
  y[3] = e2 + 2.0f * e1;
  y[4] = e2 - 0.5f * e1;
  y[5] = f[3] - f[1];
}

/* Points come in pairs, p and -p: what is even and what is odd in them. */
ALWAYS_INLINE void data_8(const vf *x, vf *y) {
  vf even = x[6] - 4.25f * x[4] + x[2], odd = x[5] - 4.25f * x[3] + x[1];
  y[0] = x[0] - x[6] + 5.25f * (x[4] - x[2]);
  y[1] = even + odd;
  y[2] = even - odd;
  even = x[6] - 5.0f * x[4] + 4.0f * x[2], odd = 0.5f * x[5] - 2.5f * x[3] + 2.0f * x[1];
  y[3] = even + odd;
  y[4] = even - odd;
  even = x[6] - 1.25f * x[4] + 0.25f * x[2], odd = 2.0f * x[5] - 2.5f * x[3] + 0.5f * x[1];
  y[5] = even + odd;
  y[6] = even - odd;
  y[7] = x[7] - x[1] + 5.25f * (x[3] - x[5]);
}

/* A': results from the points of the products. */
ALWAYS_INLINE void results_1(const vf *x, vf *y) {
  y[0] = x[0];
}

ALWAYS_INLINE void results_5(const vf *x, vf *y) {
  y[0] = x[0] + x[1] + (x[2] + x[3]);
  y[1] = 0.5f * x[2] + 2.0f * x[3] - x[1];
  y[2] = 0.25f * x[2] + 4.0f * x[3] + x[1];
  y[3] = 0.125f * x[2] + 8.0f * x[3] + (x[4] - x[1]);
}

ALWAYS_INLINE void results_6(const vf *x, vf *y) {
  vf even = x[1] + x[2], odd = x[1] - x[2];
  y[0] = x[0] + even + (x[3] + x[4]);
  y[1] = 0.5f * x[3] - 2.0f * x[4] + odd;
  y[2] = 0.25f * x[3] + 4.0f * x[4] + even;
  y[3] = 0.125f * x[3] - 8.0f * x[4] + (odd + x[5]);
}

ALWAYS_INLINE void results_8(const vf *x, vf *y) {
  vf even[3], odd[3];
  UNROLL for (int i = 0; i < 3; i++) even[i] = x[2 * i + 1] + x[2 * i + 2], odd[i] = x[2 * i + 1] - x[2 * i + 2];
  y[0] = x[0] + even[0] + (even[1] + even[2]);
  y[1] = 0.5f * odd[1] + 2.0f * odd[2] + odd[0];
  y[2] = 0.25f * even[1] + 4.0f * even[2] + even[0];
  y[3] = 0.125f * odd[1] + 8.0f * odd[2] + (odd[0] + x[7]);
}

/* A: points of a gradient to the results. */
ALWAYS_INLINE void spread_1(const vf *x, vf *y) {
  y[0] = x[0];
}

ALWAYS_INLINE void spread_5(const vf *x, vf *y) {
  y[0] = x[0];
  y[1] = x[0] - x[1] + (x[2] - x[3]);
  y[2] = x[0] + 0.5f * x[1] + (0.25f * x[2] + 0.125f * x[3]);
  y[3] = x[0] + 2.0f * x[1] + (4.0f * x[2] + 8.0f * x[3]);
  y[4] = x[3];
}

ALWAYS_INLINE void spread_6(const vf *x, vf *y) {
  vf even = x[0] + x[2], odd = x[1] + x[3];
  y[0] = x[0];
  y[1] = even + odd;
  y[2] = even - odd;
  y[3] = x[0] + 0.5f * x[1] + (0.25f * x[2] + 0.125f * x[3]);
  y[4] = x[0] - 2.0f * x[1] + (4.0f * x[2] - 8.0f * x[3]);
  y[5] = x[3];
}

ALWAYS_INLINE void spread_8(const vf *x, vf *y) {
  vf even[3] = {x[0] + x[2], x[0] + 0.25f * x[2], x[0] + 4.0f * x[2]};
  vf odd[3] = {x[1] + x[3], 0.5f * x[1] + 0.125f * x[3], 2.0f * x[1] + 8.0f * x[3]};
  y[0] = x[0];
  UNROLL for (int i = 0; i < 3; i++) y[2 * i + 1] = even[i] + odd[i], y[2 * i + 2] = even[i] - odd[i];
  y[7] = x[3];
}

/* ------------------------------------------------------------------ walking */

#define WALK(name, core, taken, made) \
  static NOINLINE void name(const struct transform *t) { \
    vf x[taken], y[made]; \
    for (int64_t j = 0; j < t->columns; j++) { \
      const float *from = t->from + j * t->from_step; \
      float *to = t->to + j * t->to_step; \
      for (int64_t c = 0; c < t->channels; c += LANES) { \
        UNROLL for (int i = 0; i < taken; i++) x[i] = vf_load(from + i * t->from_point + c); \
        core(x, y); \
        UNROLL for (int i = 0; i < made; i++) vf_store(to + i * t->to_point + c, y[i]); \
      } \
    } \
  }

/* The last transform of F and X: bias and activation, and cells that hang over the edge. */
#define FINISH(name, core, taken, made) \
  static NOINLINE void name(const struct transform *t) { \
    const vf slope = vf_set(t->finish == GEMM_FINISH_NONE ? 1.0f : t->slope); \
    const vi keep = (vi){0} - (t->finish != GEMM_FINISH_RELU); /* of what is below zero: no bits for ReLU, even of infinity */ \
    vf x[taken], y[made]; \
    for (int64_t j = 0; j < t->columns; j++) { \
      const float *from = t->from + j * t->from_step; \
      float *to = t->to + j * t->to_step; \
      for (int64_t c = 0; c < t->channels; c += LANES) { \
        UNROLL for (int i = 0; i < taken; i++) x[i] = vf_load(from + i * t->from_point + c); \
        core(x, y); \
        vf bias = t->bias ? vf_load(t->bias + c) : (vf){0}; \
        UNROLL for (int i = 0; i < made; i++) { \
          y[i] += bias; \
          y[i] = vf_select(y[i] < 0.0f, (vf)((vi)(y[i] * slope) & keep), y[i]); \
          if (i < t->results) vf_store(to + i * t->to_point + c, y[i]); \
        } \
      } \
    } \
  }

#define TRANSFORMS(points, cell) \
  WALK(data_walk_##points, data_##points, points, points) \
  WALK(results_walk_##points, results_##points, points, cell) \
  FINISH(finish_walk_##points, results_##points, points, cell) \
  WALK(spread_walk_##points, spread_##points, cell, points)

#define ENTRY(points) \
  [points] = {data_walk_##points, results_walk_##points, finish_walk_##points, spread_walk_##points}

TRANSFORMS(1, 1)
TRANSFORMS(5, 4)
TRANSFORMS(6, 4)
TRANSFORMS(8, 4)

static const struct transforms transforms[WINOGRAD_POINTS + 1] = {ENTRY(1), ENTRY(5), ENTRY(6), ENTRY(8)};

const struct conv_kernels ISA_NAME(conv_kernels) = {.deal = ISA_NAME(conv_deal), .combine = combine, .transforms = transforms};
