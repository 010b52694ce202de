/* Products with one row or one column: bound by the reading of the matrix, so it is read once, in long streams, and nothing
 * is packed. For one instruction set. */
#include "kernels/isa.h"
#include "kernels/vec.h"

enum { THIN_ROWS = 4, THIN_CHAINS = 2, AXPY_ROWS = 8 };

#define UNROLL _Pragma("GCC unroll 8")

/* y[i] = M[i] . x: two chains of vectors a row; rows is a constant. */
ALWAYS_INLINE void dot_rows(float *y, const float *x, const float *m, int64_t ld, int64_t k, const int rows) {
  vf acc[THIN_ROWS][THIN_CHAINS] = {{{0}}};
  int64_t p = 0;
  for (; p + THIN_CHAINS * LANES <= k; p += THIN_CHAINS * LANES)
    UNROLL for (int c = 0; c < THIN_CHAINS; c++) {
      vf v = vf_load(x + p + c * LANES);
      UNROLL for (int i = 0; i < rows; i++) acc[i][c] = vf_fma(v, vf_load(m + i * ld + p + c * LANES), acc[i][c]);
    }
  if (p + LANES <= k) {
    vf v = vf_load(x + p);
    UNROLL for (int i = 0; i < rows; i++) acc[i][0] = vf_fma(v, vf_load(m + i * ld + p), acc[i][0]);
    p += LANES;
  }
  if (p < k) {
    vf v = vf_load_tail(x, p, k);
    UNROLL for (int i = 0; i < rows; i++) acc[i][1] = vf_fma(v, vf_load_tail(m + i * ld, p, k), acc[i][1]);
  }
  UNROLL for (int i = 0; i < rows; i++) y[i] = vf_add_lanes(acc[i][0] + acc[i][1]);
}

void ISA_NAME(gemm_dots)(float *y, const float *x, const float *m, int64_t ld, int64_t rows, int64_t k) {
  int64_t i = 0;
  for (; i + THIN_ROWS <= rows; i += THIN_ROWS) dot_rows(y + i, x, m + i * ld, ld, k, THIN_ROWS);
  for (; i < rows; i++) dot_rows(y + i, x, m + i * ld, ld, k, 1);
}

/* y = y + x M for `rows` rows (a constant) of M; with first, y is not read. */
ALWAYS_INLINE void axpy_rows(float *y, const float *x, const float *m, int64_t ld, int64_t cols, int32_t first, const int rows) {
  vf factor[AXPY_ROWS];
  const float *row[AXPY_ROWS];
  UNROLL for (int i = 0; i < rows; i++) {
    factor[i] = vf_set(x[i]);
    row[i] = m + i * ld;
  }
  int64_t j = 0;
  for (; j + LANES <= cols; j += LANES) {
    vf sum = first ? (vf){0} : vf_load(y + j);
    UNROLL for (int i = 0; i < rows; i++) sum = vf_fma(factor[i], vf_load(row[i] + j), sum);
    vf_store(y + j, sum);
  }
  for (; j < cols; j++) {
    float sum = first ? 0.0f : y[j];
    UNROLL for (int i = 0; i < rows; i++) sum += x[i] * row[i][j];
    y[j] = sum;
  }
}

void ISA_NAME(gemm_axpys)(float *y, const float *x, const float *m, int64_t ld, int64_t k, int64_t cols) {
  int64_t p = 0;
  for (; p + AXPY_ROWS <= k; p += AXPY_ROWS) axpy_rows(y, x + p, m + p * ld, ld, cols, p == 0, AXPY_ROWS);
  for (; p < k; p++) axpy_rows(y, x + p, m + p * ld, ld, cols, p == 0, 1);
  if (k == 0) memset(y, 0, (size_t)cols * sizeof *y);
}
