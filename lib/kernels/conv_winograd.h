/* Private to the convolutions: Winograd's way to do with fewer products.
 *
 * Along one axis, F(m, r) makes m neighbouring results of a kernel of r taps by m + r - 1 products instead of m r: they are
 * A'[(G w) . (B' x)], of the r taps w and the m + r - 1 positions x that they meet. It is one form, linear in x, w and y, so the
 * same matrices serve all products: W is G'[(B' x) . (A y)]. In the plane both axes are nested: F(4, 3) takes 36 products instead
 * of 144, F(4, 2) 25 instead of 64, F(4, 5) 64 instead of 400. What remains are products of matrices, one for each pair of
 * points: (cells x channels) by (channels x channels), where a cell is m x m results.
 *
 * A kernel of stride s is a sum of s kernels of stride 1, on every s-th position each (F, W), or has s results that are
 * interleaved (X). Kernels of four taps, and of more than five, are sums of shorter ones. Both are segments here: they share the
 * points, and their channels lie side by side.
 *
 * Sources: S. Winograd, Arithmetic Complexity of Computations, SIAM 1980; A. Lavin, S. Gray, Fast Algorithms for
 * Convolutional Neural Networks, CVPR 2016.
 */
#ifndef GAN_KERNELS_CONV_WINOGRAD_H
#define GAN_KERNELS_CONV_WINOGRAD_H

#include "kernels/conv.h"
#include "kernels/gemm.h"
#include "kernels/kernels.h"

enum {
  WINOGRAD_POINTS = 8,
  WINOGRAD_CELL = 4,
  WINOGRAD_TAPS = 5,
  WINOGRAD_SEGMENTS = 4, /* of an axis */
  WINOGRAD_CHANNELS = 16 /* all counts of channels are multiples of it */
};

/* ------------------------------------------------------------------ compiled for each instruction set (conv_transform.c) */

/* to[j][c] = sum over i < n of factor[i] from[i][j][c], for columns j, `step` or `to_step` apart. */
struct combination {
  const float *from[WINOGRAD_POINTS];
  float factor[WINOGRAD_POINTS];
  int64_t step;
  int32_t n;
};

/* One axis of a column j: input i is at from + i * from_point + j * from_step, and so the results. */
struct transform {
  const float *from;
  float *to;
  int64_t from_point, from_step, to_point, to_step, columns, channels;
  const float *bias; /* bias, slope, finish, and how many results are stored: for `finish` */
  float slope;
  int8_t finish; /* enum gemm_finish */
  int32_t results;
};

typedef void transform_fn(const struct transform *t);

/* data, results, spread: by B', A' and A; finish: results with bias and activation. */
struct transforms { transform_fn *data, *results, *finish, *spread; };

/* ------------------------------------------------------------------ shapes (conv_winograd_shape.c) */

/* F(cell, taps), a row of each matrix for each point. */
struct minimal {
  int32_t cell, taps, points;
  float a[WINOGRAD_POINTS][WINOGRAD_CELL], g[WINOGRAD_POINTS][WINOGRAD_TAPS], b[WINOGRAD_POINTS][WINOGRAD_POINTS];
};

/* Taps that result t meets at positions (t + i) * step + offset of the source, i < taps, `step` being the axis's. */
struct segment { int64_t offset, tap, tap_step; int32_t taps; };

/* One axis: results 0 .. count - 1, in cells, stand at out + t * out_step. The first `full` segments have all taps of f; the others
 * have no part at the last point, where G takes the last tap alone. */
struct winograd_axis {
  const struct minimal *f;
  int32_t segments, full;
  struct segment segment[WINOGRAD_SEGMENTS];
  int64_t step, size, count, cells, out, out_step;
};

/* What is convolved (n images, `in` channels) to what (`out` channels), in one of so many phases. W: x and y. */
struct winograd { struct winograd_axis h, w; int64_t n, in, out, phases; };

/* X has a phase for each position within a stride; F and W have one. */
int64_t winograd_phases(const struct conv_shape *s);
struct winograd winograd_phase(const struct conv_shape *s, int64_t phase);

static inline int64_t winograd_cells(const struct winograd *p) {
  return p->n * p->h.cells * p->w.cells;
}

/* Segments that have a part at a point; at all points before it. */
static inline int64_t active(const struct winograd_axis *a, int64_t point) {
  return point == a->f->points - 1 ? a->full : a->segments;
}

static inline int64_t active_before(const struct winograd_axis *a, int64_t point) {
  return point < a->f->points ? point * a->segments : (point - 1) * a->segments + a->full;
}

/* ------------------------------------------------------------------ one row of points (conv_winograd_line.c) */

/* Cells side by side: `count` of them from column `cell` of a row of cells of an image. */
struct run { int64_t image, row, cell, count; };

/* The run that starts at cell `first` and ends with its row, or before `end`. */
struct run winograd_run(const struct winograd *p, int64_t first, int64_t end);

/* sum over i < n of factor[i * factor_step] (from + i * from_step), without the terms that are zero. */
struct combination winograd_terms(const float *from, int64_t from_step, const float *factor, int64_t factor_step, int64_t n);

/* Pixels (height, width, pitch) of one image. */
struct source { const float *at; int64_t height, width, pitch; };

/* Columns first_column + j * column_step of the sum of factor[i] times row first_row + i * row_step, i < rows; zeros outside. */
struct line { int64_t first_row, row_step, first_column, column_step, columns, channels; const float *factor; int32_t rows; };

void winograd_line(const struct kernels *k, const struct source *s, const struct line *l, float *to);

/* The line of the source that a run's products at row `point` take, for segments h and w. */
struct line winograd_source_line(const struct winograd *p, const struct run *r, int64_t point, int64_t h, int64_t w);

/* Most columns of a line, for runs of so many cells. */
int64_t winograd_line_columns(const struct winograd *p, int64_t cells);

/* ------------------------------------------------------------------ transformed weights of F and X (conv_winograd_pack.c) */

/* Where the panel of a phase that starts at a column begins, at a row of points; floats of a phase; of all phases before one. */
int64_t winograd_weights_at(const struct winograd *p, int64_t point, int64_t column);
int64_t winograd_weights_floats(const struct winograd *p);
int64_t winograd_weights_before(const struct conv_shape *s, int64_t phase);

/* Of a panel that starts where so many columns are left. */
int64_t winograd_panel_width(const struct kernels *k, int64_t columns);

int64_t winograd_pack_chunks(const struct kernels *k, const struct conv_shape *s);
void winograd_pack_chunk(const struct kernels *k, const struct conv_shape *s, const float *w, float *to, int64_t chunk);

#endif
