/* The product W in Winograd's way (conv_winograd.h).
 *
 * Sums run over all cells. A chunk has a rectangle of them (channels of y, channels of x in some pairs of segments) at all points:
 * block by block it transforms x and y at one row of points after the other, adds their products, and at last takes the sums back
 * to taps. Where there are few rectangles, the cells are shared out: then sums wait for a second pass, which adds the parts first.
 */
#include "kernels/conv_winograd.h"

enum {
  CELLS = 64,              /* of a block: what the tiles' sums are loaded and stored for */
  CHANNELS = 128,          /* of x and of y in a chunk: more would not fit the second-level cache, fewer cost more transforms */
  LEAST_CHUNKS = 8,        /* if there are so many blocks */
  PARTS_BYTES = 16 << 20,  /* of all partial sums */
  OUTPUTS = 8,             /* channels of y that are taken back at once: a chunk of the second pass */
  PADDING = 16             /* floats between rows, lest they meet in the cache */
};

/* ------------------------------------------------------------------ the cut */

/* Rows are channels of y, columns channels of x. There are several pairs of segments in a chunk if each has few columns. */
struct cut { int64_t parts, rows, row_groups, columns, column_groups, pairs, pair_groups; };

/* A rectangle's sums: a matrix (rows, columns and padding) for each point of h, point of w, and pair of its segments. */
static int64_t sums_floats(const struct winograd *p, const struct cut *u) {
  return p->h.f->points * p->w.f->points * u->pairs * u->rows * (u->columns + PADDING);
}

static int64_t rectangles(const struct cut *u) {
  return u->row_groups * u->column_groups * u->pair_groups;
}

static struct cut cut_of(const struct winograd *p) {
  int64_t pairs = p->h.segments * p->w.segments, blocks = pieces(winograd_cells(p), CELLS);
  struct cut u = {.rows = least(CHANNELS, p->out), .columns = least(CHANNELS, p->in)};
  u.pairs = least(most(1, CHANNELS / p->in), pairs);
  u.row_groups = pieces(p->out, u.rows);
  u.column_groups = pieces(p->in, u.columns);
  u.pair_groups = pieces(pairs, u.pairs);
  int64_t fitting = PARTS_BYTES / (int64_t)sizeof(float) / (rectangles(&u) * sums_floats(p, &u));
  u.parts = most(1, least(least(pieces(LEAST_CHUNKS, rectangles(&u)), blocks), fitting));
  return u;
}

/* Areas of scratch, in floats: a line; both factors at a row of points, and in their place, later, sums on their way back; the
 * rectangle's sums if they do not wait for others. */
struct areas { int64_t line, data, gradient, factors, sums; };

static struct areas areas_of(const struct winograd *p, const struct cut *u) {
  struct areas a = {
    .line = winograd_line_columns(p, least(CELLS, p->w.cells)) * most(u->columns, u->rows),
    .data = u->pairs * p->w.f->points * CELLS * u->columns,
    .gradient = p->w.f->points * CELLS * (u->rows + PADDING),
    .sums = u->parts == 1 ? sums_floats(p, u) : 0,
  };
  a.factors = most(a.data + a.gradient, p->w.f->points * OUTPUTS * u->columns);
  return a;
}

/* ------------------------------------------------------------------ a rectangle of sums */

struct job {
  const struct kernels *k;
  const struct conv_shape *s;
  const struct winograd *p;
  struct cut u;
  const float *x, *y;
  float *out, *sums, *line, *data, *gradient;
  int64_t row, rows, column, columns;
  struct conv_range pairs;
};

static int64_t segment_h(const struct job *j, int64_t pair) {
  return pair / j->p->w.segments;
}

static int64_t segment_w(const struct job *j, int64_t pair) {
  return pair % j->p->w.segments;
}

static float *matrix_at(const struct job *j, int64_t point_h, int64_t point_w, int64_t pair) {
  int64_t index = (point_h * j->p->w.f->points + point_w) * j->u.pairs + pair - j->pairs.first;
  return j->sums + index * j->u.rows * (j->u.columns + PADDING);
}

/* x at a row of points: (pairs, points of w, panels, cells, width). */
static float *data_at(const struct job *j, int64_t pair, int64_t point) {
  return j->data + ((pair - j->pairs.first) * j->p->w.f->points + point) * CELLS * j->u.columns;
}

static void transform_x(const struct job *j, int64_t pair, int64_t point, int64_t at, const struct run *r) {
  const struct winograd *p = j->p;
  const struct source s = {j->x + r->image * p->h.size * p->w.size * p->in + j->column, p->h.size, p->w.size, p->in};
  struct line l = winograd_source_line(p, r, point, segment_h(j, pair), segment_w(j, pair));
  struct transform t = {.from_point = j->columns, .from_step = p->w.f->cell * j->columns, .to_point = CELLS * j->u.columns,
                        .columns = r->count};
  l.channels = j->columns;
  winograd_line(j->k, &s, &l, j->line);
  for (int64_t c = 0; c < j->columns; c += j->k->gemm->width) {
    t.to_step = t.channels = least(j->k->gemm->width, j->columns - c);
    t.from = j->line + c;
    t.to = data_at(j, pair, 0) + c * CELLS + at * t.to_step;
    j->k->conv->transforms[p->w.f->points].data(&t);
  }
}

/* y at a row of points: (points of w, cells, rows). */
static void transform_y(const struct job *j, int64_t point, int64_t at, const struct run *r) {
  const struct winograd_axis *h = &j->p->h, *w = &j->p->w;
  int64_t pitch = j->u.rows + PADDING;
  const struct source s = {j->y + r->image * h->count * w->count * j->p->out + j->row, h->count, w->count, j->p->out};
  struct line l = {.first_row = r->row * h->f->cell, .row_step = 1, .first_column = r->cell * w->f->cell, .column_step = 1,
                   .columns = r->count * w->f->cell, .channels = j->rows, .factor = h->f->a[point], .rows = h->f->cell};
  struct transform t = {.from = j->line, .from_point = j->rows, .from_step = w->f->cell * j->rows, .to = j->gradient + at * pitch,
                        .to_point = CELLS * pitch, .to_step = pitch, .columns = r->count, .channels = j->rows};
  winograd_line(j->k, &s, &l, j->line);
  j->k->conv->transforms[w->f->points].spread(&t);
}

/* Adds the products of so many cells at one point. */
static void multiply(const struct job *j, float *sums, const float *data, const float *gradient, int64_t cells, int32_t adds) {
  static const struct gemm_stretch whole = {0, 0};
  const struct gemm_kernels *g = j->k->gemm;
  int64_t tiles = pieces(j->rows, g->rows);
  for (int64_t c = 0; c < j->columns; c += g->width) {
    int64_t width = j->columns - c <= g->narrow ? g->narrow : g->width;
    struct gemm_tile t = {.a = gradient, .b = data + c * CELLS, .c = sums + c, .stretch = &whole, .stretches = 1, .k = cells,
                          .row_step = 1, .k_step = j->u.rows + PADDING, .b_step = width, .ldc = j->u.columns + PADDING,
                          .add = (int8_t)adds};
    for (int64_t i = 0; i < tiles; i++) {
      struct conv_range r = conv_piece(j->rows, tiles, i);
      (width == g->width ? g->tile : g->tile_narrow)[r.end - r.first](&t);
      t.a += r.end - r.first;
      t.c += (r.end - r.first) * t.ldc;
    }
  }
}

static void add_products(const struct job *j, int64_t point, int64_t cells, int32_t adds) {
  const struct winograd *p = j->p;
  for (int64_t i = 0; i < p->w.f->points; i++)
    for (int64_t pair = j->pairs.first; pair < j->pairs.end; pair++) {
      int64_t h = segment_h(j, pair), w = segment_w(j, pair);
      if (h >= active(&p->h, point) || w >= active(&p->w, i)) continue;
      multiply(j, matrix_at(j, point, i, pair), data_at(j, pair, i), j->gradient + i * CELLS * (j->u.rows + PADDING), cells, adds);
    }
}

static void add_block(const struct job *j, int64_t first, int64_t cells, int32_t adds) {
  struct run r;
  for (int64_t point = 0; point < j->p->h.f->points; point++) {
    for (int64_t at = 0; at < cells; at += r.count) {
      r = winograd_run(j->p, first + at, first + cells);
      transform_y(j, point, at, &r);
      for (int64_t pair = j->pairs.first; pair < j->pairs.end; pair++)
        if (segment_h(j, pair) < active(&j->p->h, point)) transform_x(j, pair, point, at, &r);
    }
    add_products(j, point, cells, adds);
  }
}

/* ------------------------------------------------------------------ sums back to taps, for some rows */

/* All points of the first axis to one tap, at a point of the second. */
static void gather_points(const struct job *j, struct conv_range rows, int64_t tap, int64_t point, int64_t pair, float *to) {
  const struct winograd_axis *h = &j->p->h;
  struct combination c = {.step = j->u.columns + PADDING};
  for (int64_t i = 0; i < h->f->points && segment_h(j, pair) < active(h, i); i++) {
    if (h->f->g[i][tap] == 0.0f) continue;
    c.from[c.n] = matrix_at(j, i, point, pair) + rows.first * c.step;
    c.factor[c.n++] = h->f->g[i][tap];
  }
  j->k->conv->combine(to, j->columns, &c, rows.end - rows.first, j->columns);
}

static void gather_taps(const struct job *j, struct conv_range rows, int64_t pair) {
  const struct winograd *p = j->p;
  const struct segment *h = &p->h.segment[segment_h(j, pair)], *w = &p->w.segment[segment_w(j, pair)];
  int64_t points = segment_w(j, pair) < p->w.full ? p->w.f->points : p->w.f->points - 1, count = rows.end - rows.first;
  int64_t row = conv_taps(j->s) * p->in;
  for (int64_t i = 0; i < h->taps; i++) {
    for (int64_t v = 0; v < points; v++) gather_points(j, rows, i, v, pair, j->data + v * count * j->columns);
    for (int64_t v = 0; v < w->taps; v++) {
      struct combination c = winograd_terms(j->data, count * j->columns, &p->w.f->g[0][v], WINOGRAD_TAPS, points);
      int64_t tap = (h->tap + i * h->tap_step) * j->s->kw + w->tap + v * w->tap_step;
      c.step = j->columns;
      j->k->conv->combine(j->out + (j->row + rows.first) * row + tap * p->in + j->column, row, &c, count, j->columns);
    }
  }
}

static void gather_rows(const struct job *j, struct conv_range rows) {
  for (int64_t pair = j->pairs.first; pair < j->pairs.end; pair++) gather_taps(j, rows, pair);
}

/* Pairwise, into the first part. Some of the sums have no part in anything, and never got a value. */
static void add_parts(const struct job *j, struct conv_range rows) {
  const struct winograd *p = j->p;
  int64_t pitch = j->u.columns + PADDING, apart = rectangles(&j->u) * sums_floats(p, &j->u);
  for (int64_t i = 0; i < p->h.f->points; i++)
    for (int64_t v = 0; v < p->w.f->points; v++)
      for (int64_t pair = j->pairs.first; pair < j->pairs.end; pair++) {
        if (segment_h(j, pair) >= active(&p->h, i) || segment_w(j, pair) >= active(&p->w, v)) continue;
        for (int64_t r = rows.first; r < rows.end; r++)
          conv_add_pairwise(j->k, matrix_at(j, i, v, pair) + r * pitch, apart, j->u.parts, j->columns);
      }
}

/* ------------------------------------------------------------------ entry */

/* The rectangle, and where its sums are: in scratch, or part `part` of all that wait. */
static struct job job_of(const struct kernels *k, const struct conv_shape *s, const struct winograd *p,
                         const struct conv_operands *o, int64_t rectangle, int64_t part, float *scratch) {
  struct job j = {.k = k, .s = s, .p = p, .u = cut_of(p), .x = o->a, .y = o->b, .out = o->out, .line = scratch};
  struct areas a = areas_of(p, &j.u);
  j.data = j.line + a.line;
  j.gradient = j.data + a.data;
  j.sums = j.u.parts == 1 ? j.data + a.factors
                          : (float *)o->shared + (part * rectangles(&j.u) + rectangle) * sums_floats(p, &j.u);
  j.row = rectangle % j.u.row_groups * j.u.rows, rectangle /= j.u.row_groups;
  j.column = rectangle % j.u.column_groups * j.u.columns, rectangle /= j.u.column_groups;
  j.pairs = conv_piece(p->h.segments * p->w.segments, j.u.pair_groups, rectangle);
  j.rows = least(j.u.rows, p->out - j.row);
  j.columns = least(j.u.columns, p->in - j.column);
  return j;
}

static void run_sums(const struct job *j, int64_t part) {
  struct conv_range cells = conv_piece(winograd_cells(j->p), j->u.parts, part);
  for (int64_t i = cells.first; i < cells.end; i += CELLS) add_block(j, i, least(CELLS, cells.end - i), i > cells.first);
  for (int64_t r = 0; r < j->rows && j->u.parts == 1; r += OUTPUTS)
    gather_rows(j, (struct conv_range){r, least(r + OUTPUTS, j->rows)});
}

/* The second pass: some rows of a rectangle. */
static void run_taps(const struct job *j, int64_t piece) {
  struct conv_range rows = {piece * OUTPUTS, least((piece + 1) * OUTPUTS, j->rows)};
  if (rows.first >= rows.end) return;
  add_parts(j, rows);
  gather_rows(j, rows);
}

static int32_t passes(const struct kernels *k, const struct conv_shape *s) {
  struct winograd p = winograd_phase(s, 0);
  (void)k;
  return cut_of(&p).parts == 1 ? 1 : 2;
}

static int64_t chunks(const struct kernels *k, const struct conv_shape *s, int32_t pass) {
  struct winograd p = winograd_phase(s, 0);
  struct cut u = cut_of(&p);
  (void)k;
  return rectangles(&u) * (pass ? pieces(u.rows, OUTPUTS) : u.parts);
}

static size_t scratch_bytes(const struct kernels *k, const struct conv_shape *s) {
  struct winograd p = winograd_phase(s, 0);
  struct cut u = cut_of(&p);
  struct areas a = areas_of(&p, &u);
  (void)k;
  return (size_t)(a.line + a.factors + a.sums) * sizeof(float);
}

static size_t shared_bytes(const struct kernels *k, const struct conv_shape *s) {
  struct winograd p = winograd_phase(s, 0);
  struct cut u = cut_of(&p);
  (void)k;
  return u.parts == 1 ? 0 : (size_t)(u.parts * rectangles(&u) * sums_floats(&p, &u)) * sizeof(float);
}

static void run(const struct kernels *k, const struct conv_shape *s, const struct conv_operands *o, int32_t pass, int64_t chunk,
                float *scratch) {
  struct winograd p = winograd_phase(s, 0);
  struct cut u = cut_of(&p);
  int64_t count = rectangles(&u), rectangle = chunk % count, rest = chunk / count;
  struct job j = job_of(k, s, &p, o, rectangle, pass ? 0 : rest, scratch);
  if (pass == 0) run_sums(&j, rest);
  else run_taps(&j, rest);
}

const struct conv_method conv_winograd_weight = {.passes = passes, .chunks = chunks, .scratch = scratch_bytes,
                                                 .shared = shared_bytes, .run = run};
