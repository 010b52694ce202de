/* The transforms of Winograd's convolutions (conv_winograd.h says what they are), for one instruction set. All run over
 * channels, which are a multiple of the lanes; r is a constant after inlining.
 */
#include "kernels/isa.h"
#include "kernels/vec.h"

#define UNROLL _Pragma("GCC unroll 4")

/* ------------------------------------------------------------------ along one axis */

/* to[i] = B' from: n = r + 1 positions of the source. */
ALWAYS_INLINE void source_1(vf *to, const vf *from, const int step, const int r) {
  vf a = from[0], b = from[step], c = from[2 * step];
  if (r == 2) {
    to[0] = a - b, to[step] = b, to[2 * step] = c - b;
    return;
  }
  vf d = from[3 * step];
  to[0] = a - c, to[step] = b + c, to[2 * step] = c - b, to[3 * step] = b - d;
}

/* G: r taps to n numbers; and back, transposed. */
ALWAYS_INLINE void taps_1(vf *to, const vf *from, const int step, const int from_step, const int r) {
  vf a = from[0], b = from[from_step];
  if (r == 2) {
    to[0] = a, to[step] = a + b, to[2 * step] = b;
    return;
  }
  vf c = from[2 * from_step], half = (a + c) * 0.5f;
  to[0] = a, to[step] = half + b * 0.5f, to[2 * step] = half - b * 0.5f, to[3 * step] = c;
}

ALWAYS_INLINE void taps_back_1(vf *to, const vf *from, const int step, const int from_step, const int r) {
  vf a = from[0], b = from[from_step], c = from[2 * from_step];
  if (r == 2) {
    to[0] = a + b, to[step] = b + c;
    return;
  }
  vf half = (b + c) * 0.5f;
  to[0] = a + half, to[step] = (b - c) * 0.5f, to[2 * step] = half + from[3 * from_step];
}

/* A': n numbers to 2 results; and back, transposed. */
ALWAYS_INLINE void result_1(vf *to, const vf *from, const int step, const int from_step, const int r) {
  vf a = from[0], b = from[from_step], c = from[2 * from_step];
  if (r == 2) to[0] = a + b, to[step] = b + c;
  else to[0] = a + b + c, to[step] = b - c - from[3 * from_step];
}

ALWAYS_INLINE void result_back_1(vf *to, const vf *from, const int step, const int from_step, const int r) {
  vf a = from[0], b = from[from_step];
  to[0] = a, to[step] = a + b;
  if (r == 2) to[2 * step] = b;
  else to[2 * step] = a - b, to[3 * step] = -b;
}

/* ------------------------------------------------------------------ in the plane */

ALWAYS_INLINE void source(float *to, int64_t step, const float *const *from, int64_t first, int64_t channels, const int r) {
  const int n = r + 1;
  for (int64_t c = 0; c < channels; c += LANES) {
    vf x[16];
    UNROLL for (int i = 0; i < n; i++) {
      UNROLL for (int j = 0; j < n; j++) x[i * n + j] = vf_load(from[i * n + j] + first + c);
      source_1(x + i * n, x + i * n, 1, r);
    }
    UNROLL for (int j = 0; j < n; j++) source_1(x + j, x + j, n, r);
    UNROLL for (int i = 0; i < n; i++) UNROLL for (int j = 0; j < n; j++) vf_store(to + (i * n + j) * step + c, x[i * n + j]);
  }
}

static void run_source(float *to, int64_t step, const float *const *from, int64_t first, int64_t channels, int32_t r) {
  if (r == 2) source(to, step, from, first, channels, 2);
  else source(to, step, from, first, channels, 3);
}

ALWAYS_INLINE void taps(float *to, int64_t step, const float *from, int64_t row, int64_t column, int64_t count, const int r) {
  const int n = r + 1;
  for (int64_t c = 0; c < count; c += LANES) {
    vf x[12], u[16];
    UNROLL for (int i = 0; i < r; i++) {
      vf w[3];
      UNROLL for (int j = 0; j < r; j++) w[j] = vf_load(from + i * row + j * column + c);
      taps_1(x + i * n, w, 1, 1, r);
    }
    UNROLL for (int j = 0; j < n; j++) taps_1(u + j, x + j, n, n, r);
    UNROLL for (int i = 0; i < n; i++) UNROLL for (int j = 0; j < n; j++) vf_store(to + (i * n + j) * step + c, u[i * n + j]);
  }
}

static void run_taps(float *to, int64_t step, const float *from, int64_t row, int64_t column, int64_t count, int32_t r) {
  if (r == 2) taps(to, step, from, row, column, count, 2);
  else taps(to, step, from, row, column, count, 3);
}

ALWAYS_INLINE void taps_back(float *to, int64_t row, int64_t column, const float *from, int64_t step, int64_t count, const int r) {
  const int n = r + 1;
  for (int64_t c = 0; c < count; c += LANES) {
    vf x[12];
    UNROLL for (int i = 0; i < n; i++) {
      vf m[4];
      UNROLL for (int j = 0; j < n; j++) m[j] = vf_load(from + (i * n + j) * step + c);
      taps_back_1(x + i * r, m, 1, 1, r);
    }
    UNROLL for (int j = 0; j < r; j++) {
      vf w[3];
      taps_back_1(w, x + j, 1, r, r);
      UNROLL for (int i = 0; i < r; i++) vf_store(to + i * row + j * column + c, w[i]);
    }
  }
}

static void run_taps_back(float *to, int64_t row, int64_t column, const float *from, int64_t step, int64_t count, int32_t r) {
  if (r == 2) taps_back(to, row, column, from, step, count, 2);
  else taps_back(to, row, column, from, step, count, 3);
}

ALWAYS_INLINE vf finished(const struct winograd_finish *f, vf x, int64_t c) {
  if (f->bias) x += vf_load(f->bias + f->column + c);
  if (f->finish == GEMM_FINISH_RELU) x = (vf)((vi)x & ~(x < 0.0f));
  if (f->finish == GEMM_FINISH_LEAKY) x = vf_select(x < 0.0f, x * f->slope, x);
  return x;
}

ALWAYS_INLINE void result(float *const *to, const float *from, int64_t step, int64_t channels, const struct winograd_finish *f,
                          const int r) {
  const int n = r + 1;
  for (int64_t c = 0; c < channels; c += LANES) {
    vf x[8];
    UNROLL for (int i = 0; i < n; i++) {
      vf m[4];
      UNROLL for (int j = 0; j < n; j++) m[j] = vf_load(from + (i * n + j) * step + c);
      result_1(x + i * 2, m, 1, 1, r);
    }
    UNROLL for (int j = 0; j < 2; j++) {
      vf y[2];
      result_1(y, x + j, 1, 2, r);
      UNROLL for (int i = 0; i < 2; i++)
        if (to[i * 2 + j]) vf_store(to[i * 2 + j] + f->column + c, finished(f, y[i], c));
    }
  }
}

static void run_result(float *const *to, const float *from, int64_t step, int64_t channels, const struct winograd_finish *f,
                               int32_t r) {
  if (r == 2) result(to, from, step, channels, f, 2);
  else result(to, from, step, channels, f, 3);
}

ALWAYS_INLINE void result_back(float *to, int64_t step, const float *const *from, int64_t first, int64_t channels, const int r) {
  const int n = r + 1;
  for (int64_t c = 0; c < channels; c += LANES) {
    vf x[8], m[16];
    UNROLL for (int i = 0; i < 2; i++) {
      vf y[2] = {vf_load(from[i * 2] + first + c), vf_load(from[i * 2 + 1] + first + c)};
      result_back_1(x + i * n, y, 1, 1, r);
    }
    UNROLL for (int j = 0; j < n; j++) result_back_1(m + j, x + j, n, n, r);
    UNROLL for (int i = 0; i < n; i++) UNROLL for (int j = 0; j < n; j++) vf_store(to + (i * n + j) * step + c, m[i * n + j]);
  }
}

static void run_result_back(float *to, int64_t step, const float *const *from, int64_t first, int64_t channels, int32_t r) {
  if (r == 2) result_back(to, step, from, first, channels, 2);
  else result_back(to, step, from, first, channels, 3);
}

const struct conv_kernels ISA_NAME(conv_kernels) = {
  .source = run_source,
  .taps = run_taps,
  .taps_back = run_taps_back,
  .result = run_result,
  .result_back = run_result_back,
};
