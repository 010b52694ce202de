/* Matrix products: how they are cut, blocked and packed. The arithmetic is in gemm_tile.c and gemm_thin.c.
 *
 * A chunk owns a rectangle of C. It walks k in blocks; in a block it packs one panel of B (as wide as a tile) at a time, and
 * runs all of its rows over the panel while that lies in the first cache. A is read where it is, or from a copy where its
 * layout would make the cache's sets collide.
 */
#include "kernels/gemm.h"
#include "kernels/kernels.h"

#include <string.h>

enum {
  K_BLOCK = 384,             /* longest chain of additions, and rows of a packed panel */
  CHUNKS = 12,               /* of a large product, about: enough to share among 8 threads */
  CHUNK_FLOPS = 2000000,     /* a smaller piece is not worth a thread's while: about 20 us */
  A_BLOCK_BYTES = 400 << 10, /* rows of a chunk times the block of k: most of a second-level cache */
  LEAST_ROWS = 64,           /* of a chunk: for fewer, packing B takes too much of the time */
  THIN_ELEMENTS = 32768,     /* of the matrix, for one chunk of a product with vectors: they stay in the second-level cache */
  THIN_ROWS = 3,             /* for so few rows of A, packing B costs more than to read a piece of it for each row anew */
  THIN_COLUMNS = 64,
  COLLISION = 1024,          /* floats: rows so far apart, or a multiple of it, meet in the same few lines of the first cache */
  ALIGNMENT = 16             /* floats: scratch areas start on cache lines */
};

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b) {
  return a > b ? a : b;
}

static int64_t pieces(int64_t n, int64_t size) {
  return (n + size - 1) / size;
}

static int64_t round_up(int64_t n, int64_t to) {
  return pieces(n, to) * to;
}

/* ------------------------------------------------------------------ activations of finished rows */

static void activate(const struct kernels *k, const struct gemm_shape *s, float *y, int64_t n) {
  if (s->act == GEMM_TANH) k->vec[VEC_TANH](y, y, NULL, NULL, n);
  if (s->act == GEMM_SIGMOID) k->vec[VEC_SIGMOID](y, y, NULL, NULL, n);
}

static int8_t tile_finish(const struct gemm_shape *s) {
  if (s->act != GEMM_LEAKY) return GEMM_FINISH_NONE;
  return s->slope == 0.0f ? GEMM_FINISH_RELU : GEMM_FINISH_LEAKY;
}

/* What a tile does in its registers, for a row that was made without one. */
static void finish_row(const struct kernels *k, const struct gemm_shape *s, float *y, const float *bias, int64_t n) {
  if (bias) k->vec[VEC_ADD](y, y, bias, NULL, n);
  if (tile_finish(s) == GEMM_FINISH_RELU)
    for (int64_t j = 0; j < n; j++) y[j] = y[j] < 0.0f ? 0.0f : y[j];
  if (tile_finish(s) == GEMM_FINISH_LEAKY)
    for (int64_t j = 0; j < n; j++) y[j] = y[j] < 0.0f ? y[j] * s->slope : y[j];
  activate(k, s, y, n);
}

/* ------------------------------------------------------------------ products with a vector, or a few */

enum kind { TILES, THIN, OUTER };

struct operands { const float *a, *b, *bias; float *c; };

/* A row of C (or its one column) as matrix . vector: dots when the rows of the matrix run along k, else sums of rows. `next` leads
 * from the vector of one row to that of the next. */
struct thin { int64_t ld, step, next, length; int32_t dots, one_column; };

static enum kind kind_of(const struct gemm_shape *s) {
  if (s->packed || s->k == 0) return TILES;
  if (s->m == 1 || s->n == 1 || (s->m <= THIN_ROWS && s->n >= THIN_COLUMNS)) return THIN;
  return s->k == 1 ? OUTER : TILES;
}

static struct thin thin_of(const struct gemm_shape *s) {
  if (s->n == 1 && (!s->ta || s->m > 1)) return (struct thin){s->lda, s->tb ? 1 : s->ldb, 0, s->m, !s->ta, 1};
  return (struct thin){s->ldb, s->ta ? s->lda : 1, s->ta ? 1 : s->lda, s->n, s->tb, 0};
}

/* Sums of rows want a good stretch of every row. */
static int64_t thin_piece(const struct gemm_shape *s) {
  int64_t fewest = thin_of(s).dots ? 16 : 256;
  return round_up(most(fewest, THIN_ELEMENTS / s->k), ALIGNMENT);
}

static const float *gather(float *to, const float *x, int64_t n, int64_t step) {
  if (step == 1) return x;
  for (int64_t i = 0; i < n; i++) to[i] = x[i * step];
  return to;
}

static void sum_of_rows(const struct kernels *k, float *y, const float *x, const float *m, int64_t ld, int64_t rows, int64_t cols,
                        float *part) {
  k->gemm->axpys(y, x, m, ld, least(rows, K_BLOCK), cols);
  for (int64_t p = K_BLOCK; p < rows; p += K_BLOCK) {
    k->gemm->axpys(part, x + p, m + p * ld, ld, least(rows - p, K_BLOCK), cols);
    k->vec[VEC_ADD](y, y, part, NULL, cols);
  }
}

/* Where a chunk works: the elements first .. first + n - 1 of each row. */
struct thin_job { const struct kernels *k; struct thin t; int64_t first, n, length; float *column, *part, *gathered; };

static void thin_product(const struct thin_job *j, const float *matrix, const float *vector, float *y) {
  const float *x = gather(j->gathered, vector, j->length, j->t.step);
  if (j->t.dots) j->k->gemm->dots(y, x, matrix + j->first * j->t.ld, j->t.ld, j->n, j->length);
  else sum_of_rows(j->k, y, x, matrix + j->first, j->t.ld, j->length, j->n, j->part);
}

static void thin_column(const struct thin_job *j, const struct gemm_shape *s, const struct operands *o) {
  float *y = j->column;
  thin_product(j, o->a, o->b, y);
  for (int64_t i = 0; o->bias && i < j->n; i++) y[i] += o->bias[0];
  finish_row(j->k, s, y, NULL, j->n);
  for (int64_t i = 0; i < j->n; i++) o->c[(j->first + i) * s->ldc] = y[i];
}

static void run_thin(const struct kernels *k, const struct gemm_shape *s, const struct operands *o, int64_t chunk, float *scratch) {
  int64_t piece = thin_piece(s);
  struct thin_job j = {.k = k, .t = thin_of(s), .first = chunk * piece, .length = s->k, .column = scratch};
  j.n = least(piece, j.t.length - j.first);
  j.part = j.column + piece;
  j.gathered = j.part + piece;
  if (j.t.one_column) {
    thin_column(&j, s, o);
    return;
  }
  for (int64_t row = 0; row < s->m; row++) {
    float *y = o->c + row * s->ldc + j.first;
    thin_product(&j, o->b, o->a + row * j.t.next, y);
    finish_row(k, s, y, o->bias ? o->bias + j.first : NULL, j.n);
  }
}

static int64_t outer_rows(const struct gemm_shape *s) {
  return most(1, THIN_ELEMENTS / s->n);
}

static void run_outer(const struct kernels *k, const struct gemm_shape *s, const struct operands *o, int64_t chunk, float *scratch) {
  const float *row = gather(scratch, o->b, s->n, s->tb ? s->ldb : 1);
  int64_t first = chunk * outer_rows(s), end = least(first + outer_rows(s), s->m), step = s->ta ? 1 : s->lda;
  for (int64_t i = first; i < end; i++) {
    k->gemm->axpys(o->c + i * s->ldc, o->a + i * step, row, s->n, 1, s->n);
    finish_row(k, s, o->c + i * s->ldc, o->bias, s->n);
  }
}

/* ------------------------------------------------------------------ the cut of a product by tiles */

/* Chunks are row_pieces x column_pieces rectangles of rows x columns; k_block is the same for all, and depends on k alone. */
struct cut { int64_t rows, columns, row_pieces, column_pieces, k_block; };

/* Every column of chunks packs A again, every row of chunks B: the time of it, in arbitrary units. */
static int64_t packing_cost(const struct gemm_shape *s, int64_t row_pieces, int64_t column_pieces) {
  int64_t cost_a = s->ta ? 3 : 0, cost_b = s->packed ? 0 : s->tb ? 3 : 1;
  return s->m * column_pieces * cost_a + s->n * row_pieces * cost_b;
}

/* How many rows of chunks, for about `want` chunks in all, or half as many at least: the number that packs least. */
static int64_t choose_row_pieces(const struct gemm_shape *s, int64_t want, int64_t fewest, int64_t most_rows,
                                 int64_t most_columns) {
  int64_t best = fewest, best_cost = INT64_MAX, last = most(fewest, least(want, most_rows));
  for (int64_t r = fewest; r <= last; r++) {
    int64_t c = least(pieces(want, r), most_columns);
    if (2 * r * c < want && r < last) continue;
    int64_t cost = packing_cost(s, r, c);
    if (cost < best_cost) best = r, best_cost = cost;
  }
  return best;
}

static struct cut cut_tiles(const struct gemm_kernels *g, const struct gemm_shape *s) {
  struct cut u;
  u.k_block = round_up(pieces(s->k, most(1, pieces(s->k, K_BLOCK))), 8);
  int64_t panels = most(1, pieces(s->n, g->width)), most_columns = most(1, panels / 2), most_rows = most(1, s->m / LEAST_ROWS);
  double flops = 2.0 * (double)s->m * (double)s->n * (double)s->k;
  int64_t want = flops < (double)CHUNK_FLOPS * CHUNKS ? most(1, (int64_t)(flops / CHUNK_FLOPS)) : CHUNKS;
  int64_t fewest = most(1, pieces(s->m * u.k_block * (int64_t)sizeof(float), A_BLOCK_BYTES));
  u.row_pieces = choose_row_pieces(s, want, fewest, most_rows, most_columns);
  u.column_pieces = least(pieces(want, u.row_pieces), most_columns);
  u.rows = most(1, pieces(s->m, u.row_pieces));
  u.columns = pieces(panels, u.column_pieces) * g->width;
  u.row_pieces = most(1, pieces(s->m, u.rows));
  u.column_pieces = pieces(panels * g->width, u.columns);
  return u;
}

int64_t gemm_chunks(const struct kernels *k, const struct gemm_shape *s) {
  if (s->m == 0 || s->n == 0) return 1;
  switch (kind_of(s)) {
    case THIN: return pieces(thin_of(s).length, thin_piece(s));
    case OUTER: return pieces(s->m, outer_rows(s));
    default: {
      struct cut u = cut_tiles(k->gemm, s);
      return u.row_pieces * u.column_pieces;
    }
  }
}

/* ------------------------------------------------------------------ blocks of A */

/* How the tiles of a block read A: tile t, whose first row is i, starts at base + i * row_start + t * tile_start. */
struct view { const float *base; int64_t row_start, tile_start, row_step, k_step; };

/* Rows are shared out evenly among the tiles: the first `longer` have one more. */
struct tiling { int64_t tiles, rows, longer; };

static struct tiling tile_rows(const struct gemm_kernels *g, int64_t rows) {
  int64_t tiles = pieces(rows, g->rows);
  return (struct tiling){tiles, rows / tiles, rows % tiles};
}

/* The packed tiles of A lie this far apart: a cache line more than they fill, or all would meet in a few sets of the cache. */
static int64_t packed_tile(const struct gemm_kernels *g, int64_t kc) {
  return kc * g->pitch + ALIGNMENT;
}

/* The rows of a tile would drive each other out of the first cache, which has fewer ways. */
static int32_t rows_collide(const struct gemm_shape *s) {
  return !s->ta && s->lda % COLLISION == 0;
}

static int64_t copied_row(int64_t kc) {
  return kc + ALIGNMENT;
}

static int64_t a_copy_floats(const struct gemm_kernels *g, const struct gemm_shape *s, const struct cut *u) {
  if (rows_collide(s)) return u->rows * copied_row(u->k_block);
  return s->ta ? pieces(u->rows, g->rows) * packed_tile(g, u->k_block) : 0;
}

/* A stored (k,m) is read a few rows at a time, each in sequence. */
static void pack_a(const struct gemm_kernels *g, float *to, const float *a, int64_t lda, int64_t rows, int64_t kc) {
  enum { STREAMS = 8 };
  struct tiling g_rows = tile_rows(g, rows);
  for (int64_t p = 0; p < kc; p += STREAMS) {
    const float *from = a + p * lda;
    for (int64_t t = 0; t < g_rows.tiles; t++) {
      int64_t count = g_rows.rows + (t < g_rows.longer);
      g->pack_a(to + t * packed_tile(g, kc) + p * g->pitch, from, lda, least(STREAMS, kc - p), count);
      from += count;
    }
  }
}

/* a is the element (0, 0) of the block. */
static struct view view_a(const struct gemm_kernels *g, const struct gemm_shape *s, const float *a, int64_t rows, int64_t kc,
                          float *copy) {
  if (rows_collide(s)) {
    int64_t step = copied_row(kc);
    for (int64_t i = 0; i < rows; i++) memcpy(copy + i * step, a + i * s->lda, (size_t)kc * sizeof *a);
    return (struct view){copy, step, 0, step, 1};
  }
  if (!s->ta) return (struct view){a, s->lda, 0, s->lda, 1};
  pack_a(g, copy, a, s->lda, rows, kc);
  return (struct view){copy, 0, packed_tile(g, kc), 1, g->pitch};
}

/* ------------------------------------------------------------------ panels of B */

static int64_t panel_width(const struct gemm_kernels *g, int64_t cols) {
  return cols <= g->narrow ? g->narrow : g->width;
}

static void pack_panel(const struct gemm_kernels *g, float *panel, const float *b, int64_t ldb, int32_t tb, int64_t p, int64_t k,
                       int64_t j, int64_t cols, int64_t width) {
  if (tb) g->pack_transposed(panel, b + j * ldb + p, ldb, k, cols, width);
  else g->pack_rows(panel, b + p * ldb + j, ldb, k, cols, width);
}

size_t gemm_packed_bytes(const struct kernels *k, int64_t n, int64_t kk) {
  return (size_t)(round_up(n, k->gemm->narrow) * kk) * sizeof(float);
}

void gemm_pack(const struct kernels *k, const float *b, int64_t ldb, int32_t tb, int64_t n, int64_t kk, float *packed) {
  const struct gemm_kernels *g = k->gemm;
  for (int64_t j = 0; j < n; j += g->width) {
    int64_t cols = least(g->width, n - j);
    pack_panel(g, packed + j * kk, b, ldb, tb, 0, kk, j, cols, panel_width(g, cols));
  }
}

/* ------------------------------------------------------------------ running a chunk by tiles */

struct job {
  const struct gemm_kernels *g;
  const struct gemm_shape *s;
  const float *b, *bias; /* bias only in the last block of k */
  float *c, *panel, *tile;
  int64_t first_row, rows, first_column, end_column, p, kc;
  struct view a;
  struct tiling tiling;
};

static struct gemm_tile tile_template(const struct job *j) {
  static const struct gemm_stretch whole = {0, 0};
  const struct gemm_shape *s = j->s;
  int8_t last = j->p + j->kc == s->k;
  return (struct gemm_tile){.stretch = &whole,
                            .stretches = 1,
                            .row_step = j->a.row_step,
                            .k_step = j->a.k_step,
                            .ldc = s->ldc,
                            .k = j->kc,
                            .slope = s->slope,
                            .add = j->p > 0,
                            .finish = last ? tile_finish(s) : GEMM_FINISH_NONE};
}

void gemm_tile_partial(gemm_tile_fn *run, struct gemm_tile t, int64_t rows, int64_t cols, int64_t width, float *room) {
  float *c = t.c, *bias = room + rows * width;
  int64_t ldc = t.ldc;
  if (t.add)
    for (int64_t i = 0; i < rows; i++) memcpy(room + i * width, c + i * ldc, (size_t)cols * sizeof *c);
  if (t.bias) t.bias = memcpy(bias, t.bias, (size_t)cols * sizeof *c);
  t.c = room;
  t.ldc = width;
  run(&t);
  for (int64_t i = 0; i < rows; i++) memcpy(c + i * ldc, room + i * width, (size_t)cols * sizeof *c);
}

/* All rows over one panel. B stored (k,n) is read in place by the first tile, which packs it for the others, if any, as it goes. */
static void run_panel(const struct job *j, int64_t column, const float *panel, int64_t cols, int32_t in_place) {
  const struct gemm_kernels *g = j->g;
  int64_t width = panel_width(g, cols);
  gemm_tile_fn *const *fn = width == g->width ? g->tile : g->tile_narrow;
  gemm_tile_fn *const *first = in_place && j->tiling.tiles > 1 ? g->tile_packing : fn;
  struct gemm_tile t = tile_template(j);
  t.a = j->a.base;
  t.b = in_place ? j->b + j->p * j->s->ldb + column : panel;
  t.b_step = in_place ? j->s->ldb : width;
  t.bias = j->bias ? j->bias + column : NULL;
  t.c = j->c + j->first_row * j->s->ldc + column;
  t.packed = j->panel;
  for (int64_t i = 0; i < j->tiling.tiles; i++) {
    int64_t rows = j->tiling.rows + (i < j->tiling.longer);
    gemm_tile_fn *run = i == 0 ? first[rows] : fn[rows];
    if (cols == width) run(&t);
    else gemm_tile_partial(run, t, rows, cols, width, j->tile);
    t.a += rows * j->a.row_start + j->a.tile_start;
    t.c += rows * t.ldc;
    t.b = panel;
    t.b_step = width;
  }
}

/* One row over full packed panels, several at a time, so that there are chains enough; returns the first column left. */
static int64_t run_strips(const struct job *j) {
  const struct gemm_kernels *g = j->g;
  struct gemm_tile t = tile_template(j);
  t.a = j->a.base;
  t.b_step = g->width;
  t.panel_step = g->width * j->s->k;
  int64_t column = j->first_column;
  for (int64_t panels; (panels = least(GEMM_STRIPS, (j->end_column - column) / g->width)) > 0; column += panels * g->width) {
    t.b = j->b + column * j->s->k + j->p * g->width;
    t.bias = j->bias ? j->bias + column : NULL;
    t.c = j->c + j->first_row * j->s->ldc + column;
    g->strip[panels](&t);
  }
  return column;
}

static void run_block(const struct job *j) {
  const struct gemm_kernels *g = j->g;
  const struct gemm_shape *s = j->s;
  int64_t column = s->packed && j->rows == 1 ? run_strips(j) : j->first_column;
  for (; column < j->end_column; column += g->width) {
    int64_t cols = least(g->width, j->end_column - column), width = panel_width(g, cols);
    int32_t in_place = !s->packed && !s->tb && cols == g->width;
    if (!s->packed && !in_place) pack_panel(g, j->panel, j->b, s->ldb, s->tb, j->p, j->kc, column, cols, width);
    run_panel(j, column, s->packed ? j->b + column * s->k + j->p * width : j->panel, cols, in_place);
  }
}

static size_t tiles_scratch(const struct gemm_kernels *g, const struct gemm_shape *s) {
  struct cut u = cut_tiles(g, s);
  int64_t floats = (s->packed ? 0 : u.k_block * g->width) + (g->rows + 1) * (int64_t)g->width + a_copy_floats(g, s, &u);
  return (size_t)floats * sizeof(float);
}

static void run_tiles(const struct kernels *k, const struct gemm_shape *s, const struct operands *o, int64_t chunk, float *scratch) {
  const struct gemm_kernels *g = k->gemm;
  struct cut u = cut_tiles(g, s);
  struct job j = {.g = g, .s = s, .b = o->b, .c = o->c};
  j.first_row = chunk / u.column_pieces * u.rows;
  j.rows = least(u.rows, s->m - j.first_row);
  j.first_column = chunk % u.column_pieces * u.columns;
  j.end_column = least(j.first_column + u.columns, s->n);
  j.tiling = tile_rows(g, j.rows);
  j.tile = scratch;
  j.panel = j.tile + (g->rows + 1) * g->width;
  float *a_copy = j.panel + (s->packed ? 0 : u.k_block * g->width);
  do {
    j.kc = least(u.k_block, s->k - j.p);
    j.bias = j.p + j.kc == s->k ? o->bias : NULL;
    j.a = view_a(g, s, o->a + (s->ta ? j.p * s->lda + j.first_row : j.first_row * s->lda + j.p), j.rows, j.kc, a_copy);
    run_block(&j);
    j.p += j.kc;
  } while (j.p < s->k);
  for (int64_t i = j.first_row; i < j.first_row + j.rows; i++)
    activate(k, s, o->c + i * s->ldc + j.first_column, j.end_column - j.first_column);
}

/* ------------------------------------------------------------------ entry */

size_t gemm_scratch(const struct kernels *k, const struct gemm_shape *s) {
  if (s->m == 0 || s->n == 0) return 0;
  switch (kind_of(s)) {
    case THIN: return (size_t)(2 * thin_piece(s) + s->k) * sizeof(float);
    case OUTER: return (size_t)s->n * sizeof(float);
    default: return tiles_scratch(k->gemm, s);
  }
}

void gemm_run(const struct kernels *k, const struct gemm_shape *s, const float *a, const float *b, const float *bias, float *c,
              int64_t chunk, void *scratch) {
  if (s->m == 0 || s->n == 0) return;
  struct operands o = {a, b, s->has_bias ? bias : NULL, c};
  switch (kind_of(s)) {
    case THIN: run_thin(k, s, &o, chunk, scratch); break;
    case OUTER: run_outer(k, s, &o, chunk, scratch); break;
    default: run_tiles(k, s, &o, chunk, scratch); break;
  }
}

double kernels_fma_burst(const struct kernels *k) {
  return k->gemm->burst();
}
