/* Private to the matrix product: what gemm.c, compiled once, asks of the code compiled for each instruction set. */
#ifndef GAN_KERNELS_GEMM_H
#define GAN_KERNELS_GEMM_H

#include <stdint.h>

enum {
  GEMM_MOST_ROWS = 14,   /* of a tile, over all instruction sets */
  GEMM_MOST_WIDTH = 32,  /* columns of a panel */
  GEMM_STRIPS = 4,       /* panels that one row takes at a time */
  GEMM_MOST_DOTS = 4     /* columns of a tile of dots */
};

/* What the last block of k does to a tile before it is stored; the other activations run over finished rows. */
enum gemm_finish { GEMM_FINISH_NONE, GEMM_FINISH_RELU, GEMM_FINISH_LEAKY };

/* Where a stretch of k starts, in floats from a and b of the tile. */
struct gemm_stretch { int64_t a, b; };

/* C (+)= A B for a few rows and one panel of B, both walked along k, which may lie in stretches of the same length (a matrix has
 * one, a convolution one for every tap). Element (i, p) of A is a[i * row_step + p * k_step]; row p of the panel is at
 * b + p * b_step, panel j of a strip at b + j * panel_step. All columns of a panel are stored.
 *
 * A tile of dots is for results with few columns: k runs along the vectors. Column j of B is at b + j * b_step, A and B are
 * dense along k, and nothing is added to.
 *
 * A tile of lanes has an A for every column: element (i, p) is a vector. Its panel is `narrow` wide. */
struct gemm_tile {
  const float *a, *b, *bias; /* bias NULL: none */
  float *c, *packed;         /* packed: where a packing tile copies the panel to */
  const struct gemm_stretch *stretch;
  int64_t stretches, k; /* k: of each stretch */
  int64_t row_step, k_step, b_step, panel_step, ldc;
  float slope;
  int8_t add, finish; /* add: to what C holds */
};

typedef void gemm_tile_fn(const struct gemm_tile *t);

/* Runs a tile of which C has fewer columns than the panel is wide: in `room`, of (rows + 1) * width floats. */
void gemm_tile_partial(gemm_tile_fn *run, struct gemm_tile t, int64_t rows, int64_t cols, int64_t width, float *room);

/* Writes k rows of one panel of op(B): columns beyond cols are zero. */
typedef void gemm_pack_fn(float *panel, const float *b, int64_t ldb, int64_t k, int64_t cols, int64_t width);

struct gemm_kernels {
  int32_t rows, width, narrow;                     /* of a tile; a last panel of few columns is only `narrow` wide */
  int32_t pitch;                                   /* between the k of A packed by pack_a */
  gemm_tile_fn *const *tile, *const *tile_narrow;  /* [rows of the tile], 0 unused */
  gemm_tile_fn *const *tile_packing;               /* only those that others of the same rows can follow */
  gemm_tile_fn *const *strip;                      /* one row, [panels] */
  gemm_pack_fn *pack_rows, *pack_transposed;       /* B stored (k,n); (n,k) */
  void (*pack_a)(float *to, const float *a, int64_t lda, int64_t k, int64_t rows);              /* one tile of A stored (k,m) */
  void (*dots)(float *y, const float *x, const float *m, int64_t ld, int64_t rows, int64_t k);  /* y = M x, M (rows,k) */
  void (*axpys)(float *y, const float *x, const float *m, int64_t ld, int64_t k, int64_t cols); /* y = x M, M (k,cols) */
  int32_t dot_rows, dot_columns;                   /* of the largest tile of dots */
  gemm_tile_fn *const (*dot)[GEMM_MOST_DOTS + 1];  /* [rows][columns], 0 unused */
  int32_t lane_rows;                               /* of the largest tile of lanes */
  gemm_tile_fn *const *lanes;                      /* [rows], 0 unused */
  double (*burst)(void);
};

#endif
