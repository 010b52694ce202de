/* Copies into the order in which the tiles read, for one instruction set. */
#include "kernels/isa.h"
#include "kernels/vec.h"

void ISA_NAME(gemm_pack_rows)(float *panel, const float *b, int64_t ldb, int64_t k, int64_t cols, int64_t width) {
  if (cols == 2 * LANES) {
    for (int64_t p = 0; p < k; p++, panel += 2 * LANES, b += ldb) {
      vf_store(panel, vf_load(b));
      vf_store(panel + LANES, vf_load(b + LANES));
    }
    return;
  }
  for (int64_t p = 0; p < k; p++, panel += width, b += ldb) {
    memset(panel, 0, (size_t)width * sizeof *panel);
    memcpy(panel, b, (size_t)cols * sizeof *b);
  }
}

/* ------------------------------------------------------------------ transposition */

#if LANES > 4
ALWAYS_INLINE v4 load4(const float *p) {
  return *(const v4_unaligned *)p;
}
#endif

/* Four values each of rows r, r + 4, r + 8, ... side by side: so a transposition needs no shuffle that crosses 128 bits. */
#if LANES == 16
typedef float v8 __attribute__((vector_size(32)));
ALWAYS_INLINE vf load_quarters(const float *p, int64_t ld) {
  v8 low = __builtin_shufflevector(load4(p), load4(p + 4 * ld), 0, 1, 2, 3, 4, 5, 6, 7);
  v8 high = __builtin_shufflevector(load4(p + 8 * ld), load4(p + 12 * ld), 0, 1, 2, 3, 4, 5, 6, 7);
  return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
#elif LANES == 8
ALWAYS_INLINE vf load_quarters(const float *p, int64_t ld) {
  return __builtin_shufflevector(load4(p), load4(p + 4 * ld), 0, 1, 2, 3, 4, 5, 6, 7);
}
#else
ALWAYS_INLINE vf load_quarters(const float *p, int64_t ld) {
  (void)ld;
  return vf_load(p);
}
#endif

/* LANES rows further on, which come next, a line of each for every line of these. */
ALWAYS_INLINE void fetch_next_rows(const float *b, int64_t ldb, int64_t p) {
  const float *row = b + (LANES + p % LANES) * ldb + p / LANES * LANES;
  for (int i = 0; i < 4; i++) __builtin_prefetch(row + i * ldb, 0, 2);
}

/* LANES rows of b, four columns of each, to four rows of LANES. */
ALWAYS_INLINE void transpose_4(float *to, int64_t pitch, const float *b, int64_t ldb) {
  vf r0 = load_quarters(b, ldb), r1 = load_quarters(b + ldb, ldb);
  vf r2 = load_quarters(b + 2 * ldb, ldb), r3 = load_quarters(b + 3 * ldb, ldb);
  vf low01 = __builtin_shufflevector(r0, r1, LOW1), high01 = __builtin_shufflevector(r0, r1, HIGH1);
  vf low23 = __builtin_shufflevector(r2, r3, LOW1), high23 = __builtin_shufflevector(r2, r3, HIGH1);
  vf_store(to, __builtin_shufflevector(low01, low23, LOW2));
  vf_store(to + pitch, __builtin_shufflevector(low01, low23, HIGH2));
  vf_store(to + 2 * pitch, __builtin_shufflevector(high01, high23, LOW2));
  vf_store(to + 3 * pitch, __builtin_shufflevector(high01, high23, HIGH2));
}

static void transpose_scalar(float *to, int64_t pitch, const float *b, int64_t ldb, int64_t rows, int64_t k) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t p = 0; p < k; p++) to[p * pitch + i] = b[i * ldb + p];
}

/* LANES columns of the panel at a time: with rows a power of two apart, no more of them than a cache set has ways. */
void ISA_NAME(gemm_pack_transposed)(float *panel, const float *b, int64_t ldb, int64_t k, int64_t cols, int64_t width) {
  int64_t j = 0, whole = k - k % 4;
  for (; j + LANES <= cols; j += LANES, b += LANES * ldb) {
    for (int64_t p = 0; p < whole; p += 4) {
      fetch_next_rows(b, ldb, p);
      transpose_4(panel + p * width + j, width, b + p, ldb);
    }
    transpose_scalar(panel + whole * width + j, width, b + whole, ldb, LANES, k - whole);
  }
  if (j == width) return;
  for (int64_t p = 0; p < k; p++) memset(panel + p * width + j, 0, (size_t)(width - j) * sizeof *panel);
  transpose_scalar(panel + j, width, b, ldb, cols - j, k);
}

/* A stored (k,m): the rows of one tile, pitch apart along k. What lies between rows and pitch is never read. With a constant
 * number of rows a copy is a move or two. */
#define COPY_ROWS(count) \
  case count: \
    for (int64_t p = 0; p < k; p++, to += pitch, a += lda) memcpy(to, a, count * sizeof *a); \
    break;

void ISA_NAME(gemm_pack_a)(float *to, const float *a, int64_t lda, int64_t k, int64_t rows) {
  const int64_t pitch = ISA_NAME(gemm_kernels).pitch;
  switch (rows) {
    COPY_ROWS(1) COPY_ROWS(2) COPY_ROWS(3) COPY_ROWS(4) COPY_ROWS(5) COPY_ROWS(6)
#if LANES == 16
    COPY_ROWS(7) COPY_ROWS(8) COPY_ROWS(9) COPY_ROWS(10) COPY_ROWS(11) COPY_ROWS(12) COPY_ROWS(13) COPY_ROWS(14)
#endif
  }
}
