/* Reductions over the middle of (outer, length, inner), cut into parts whose number depends on the shape alone.
 *
 * With many rows of few columns (inner small), `fold` rows are read as one wide row, so that vectors are full; the wide sum is
 * folded at the end of its part. A part's sums are added to those of the other parts pairwise in pass 1.
 */
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

enum {
  PART_ELEMENTS = 16384, /* of input, about, for one chunk or part */
  PART_ROWS = 64,        /* at least, for it to be worth another part */
  WIDE = 64,             /* columns that fill vectors well */
  COLUMNS = 256          /* accumulated at a time: a buffer on the stack */
};

/* The job as a grid of chunks: outer blocks x parts x column blocks. */
struct grid { int64_t outer_block, outer_blocks, part, parts, columns, column_blocks; };

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b) {
  return a > b ? a : b;
}

static int64_t pieces(int64_t n, int64_t size) {
  return (n + size - 1) / size;
}

static struct grid cut(const struct reduce_shape *s) {
  struct grid g = {1, 0, 0, 1, s->inner, 0};
  if (s->outer == 0 || s->inner == 0) return g;
  int64_t per_part = most(PART_ROWS, PART_ELEMENTS / least(s->inner, COLUMNS));
  if (s->length >= 2 * per_part) g.parts = pieces(s->length, per_part);
  g.part = pieces(s->length, g.parts);
  int64_t column_elements = most(g.part, 1);
  if (s->inner * column_elements > PART_ELEMENTS)
    g.columns = least(s->inner, most(WIDE, PART_ELEMENTS / column_elements / WIDE * WIDE));
  g.column_blocks = pieces(s->inner, g.columns);
  if (g.parts == 1 && g.column_blocks == 1) g.outer_block = most(1, PART_ELEMENTS / (column_elements * s->inner));
  g.outer_blocks = pieces(s->outer, g.outer_block);
  return g;
}

int64_t reduce_chunks(const struct reduce_shape *s, int32_t pass) {
  struct grid g = cut(s);
  if (pass == 0) return most(1, g.outer_blocks * g.parts * g.column_blocks);
  return g.parts > 1 ? g.outer_blocks * g.column_blocks : 0;
}

size_t reduce_partial(const struct reduce_shape *s) {
  struct grid g = cut(s);
  return g.parts > 1 ? (size_t)(s->outer * g.parts * s->inner) * sizeof(float) : 0;
}

/* ------------------------------------------------------------------ one part */

static float neutral(int32_t op) {
  return op == REDUCE_SUM ? 0.0f : -INFINITY;
}

static void combine(const struct kernels *k, int32_t op, float *acc, const float *x, int64_t n) {
  k->vec[op == REDUCE_SUM ? VEC_ADD : VEC_MAX](acc, acc, x, NULL, n);
}

static void accumulate(const struct kernels *k, int32_t op, float *acc, const float *x, int64_t rows, int64_t cols, int64_t ld) {
  for (int64_t j = 0; j < cols; j++) acc[j] = neutral(op);
  (op == REDUCE_SUM ? k->add_rows : k->max_rows)(acc, x, rows, cols, ld);
}

/* Rows of few columns, read `fold` at a time; the rows that are left are added last. */
static void narrow_part(const struct kernels *k, int32_t op, float *out, const float *x, int64_t rows, int64_t cols) {
  float wide[2 * WIDE];
  int64_t fold = pieces(WIDE, cols), groups = rows / fold;
  accumulate(k, op, wide, x, groups, fold * cols, fold * cols);
  for (int64_t half; fold > 1; fold -= half) { /* the upper half onto the lower; a middle row waits for the next turn */
    half = fold / 2;
    combine(k, op, wide, wide + (fold - half) * cols, half * cols);
  }
  int64_t done = groups * pieces(WIDE, cols);
  (op == REDUCE_SUM ? k->add_rows : k->max_rows)(wide, x + done * cols, rows - done, cols, cols);
  memcpy(out, wide, (size_t)cols * sizeof *out);
}

/* rows x cols of a (length, inner) matrix to out[0..cols). */
static void one_part(const struct kernels *k, const struct reduce_shape *s, float *out, const float *x, int64_t rows,
                     int64_t cols) {
  if (s->inner == 1) {
    *out = (s->op == REDUCE_SUM ? k->sum : k->max)(x, rows);
  } else if (s->inner < WIDE && rows >= 2 * pieces(WIDE, s->inner)) {
    narrow_part(k, s->op, out, x, rows, cols);
  } else {
    accumulate(k, s->op, out, x, rows, cols, s->inner);
  }
}

/* ------------------------------------------------------------------ passes */

static void run_parts(const struct kernels *k, const struct reduce_shape *s, const float *in, float *out, float *partial,
                      int64_t chunk) {
  struct grid g = cut(s);
  int64_t column = chunk % g.column_blocks * g.columns, part = chunk / g.column_blocks % g.parts;
  int64_t first = chunk / g.column_blocks / g.parts * g.outer_block, end = least(first + g.outer_block, s->outer);
  int64_t row = part * g.part, rows = most(0, least(g.part, s->length - row)), cols = least(g.columns, s->inner - column);
  for (int64_t o = first; o < end; o++) {
    const float *x = in + (o * s->length + row) * s->inner + column;
    float *to = g.parts > 1 ? partial + (o * g.parts + part) * s->inner : out + o * s->inner;
    one_part(k, s, to + column, x, rows, cols);
  }
}

/* The parts of one outer index are added in place as a binary tree, the last sum straight into out. */
static void add_parts(const struct kernels *k, const struct reduce_shape *s, float *out, float *partial, int64_t chunk) {
  struct grid g = cut(s);
  int64_t column = chunk % g.column_blocks * g.columns, o = chunk / g.column_blocks, cols = least(g.columns, s->inner - column);
  float *p = partial + o * g.parts * s->inner + column;
  for (int64_t step = 1; step < g.parts; step *= 2)
    for (int64_t i = 0; i + step < g.parts; i += 2 * step) combine(k, s->op, p + i * s->inner, p + (i + step) * s->inner, cols);
  memcpy(out + o * s->inner + column, p, (size_t)cols * sizeof *out);
}

void reduce_run(const struct kernels *k, const struct reduce_shape *s, const float *in, float *out, void *partial, int32_t pass,
                int64_t chunk) {
  if (s->outer == 0 || s->inner == 0) return;
  if (pass == 0) run_parts(k, s, in, out, partial, chunk);
  else add_parts(k, s, out, partial, chunk);
}
