/* Tiles of dots, for one instruction set: rows x columns of a product with few columns, of which a panel would be mostly empty.
 * Every element is a sum of vectors along k, whose lanes are added at the end.
 */
#include "kernels/isa.h"
#include "kernels/vec.h"

#define UNROLL _Pragma("GCC unroll 16")
#define EACH(statement) UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < columns; j++) statement

/* One vector of k: LANES numbers of every row and column, loaded by the expression load(pointer). */
#define STEP(load) \
  { \
    vf y[DOT_COLUMNS]; \
    UNROLL for (int j = 0; j < columns; j++) y[j] = load(b + j * t->b_step); \
    UNROLL for (int i = 0; i < rows; i++) { \
      vf x = load(a + i * t->row_step); \
      UNROLL for (int j = 0; j < columns; j++) acc[i * columns + j] = vf_fma(x, y[j], acc[i * columns + j]); \
    } \
  }
#define WHOLE(pointer) vf_load((pointer) + p)
#define TAIL(pointer) vf_load_tail(pointer, p, t->k)

ALWAYS_INLINE float finish(const struct gemm_tile *t, float x) {
  if (t->finish == GEMM_FINISH_NONE || !(x < 0.0f)) return x;
  return t->finish == GEMM_FINISH_RELU ? 0.0f : x * t->slope;
}

/* rows and columns are constants. */
ALWAYS_INLINE void dots(const struct gemm_tile *t, const int rows, const int columns) {
  vf acc[DOT_ROWS * DOT_COLUMNS + 3];
  UNROLL for (int i = 0; i < rows * columns + 3; i++) acc[i] = (vf){0};
  for (int64_t n = 0; n < t->stretches; n++) {
    const float *a = t->a + t->stretch[n].a, *b = t->b + t->stretch[n].b;
    int64_t p = 0;
    for (; p + LANES <= t->k; p += LANES) STEP(WHOLE)
    if (p < t->k) STEP(TAIL)
  }
  float sum[DOT_ROWS * DOT_COLUMNS + 3];
  UNROLL for (int i = 0; i < rows * columns; i += 4) vf_add_lanes_4(sum + i, acc[i], acc[i + 1], acc[i + 2], acc[i + 3]);
  EACH(t->c[i * t->ldc + j] = finish(t, sum[i * columns + j] + (t->bias ? t->bias[j] : 0.0f)));
}

#define DOTS(rows, columns) \
  static NOINLINE void dots_##rows##_##columns(const struct gemm_tile *t) { \
    dots(t, rows, columns); \
  }
#define ENTRY(rows, columns) [rows][columns] = dots_##rows##_##columns,
#define ROWS_1_TO_4(D, columns) D(1, columns) D(2, columns) D(3, columns) D(4, columns)
#if LANES == 16
#define ALL(D) ROWS_1_TO_4(D, 1) ROWS_1_TO_4(D, 2) ROWS_1_TO_4(D, 3) ROWS_1_TO_4(D, 4)
#else
#define ALL(D) ROWS_1_TO_4(D, 1) ROWS_1_TO_4(D, 2) ROWS_1_TO_4(D, 3)
#endif

ALL(DOTS)

gemm_tile_fn *const ISA_NAME(gemm_dot_tiles)[DOT_ROWS + 1][GEMM_MOST_DOTS + 1] = {ALL(ENTRY)};
