/* The product W in Winograd's way (conv_winograd.h).
 *
 * Sums run over all cells. A chunk of pass 0 has a rectangle of the sums (channels of y, channels of x in some pairs of segments)
 * at all points, for a part of the cells: block by block it transforms x and y at one row of points after the other and adds their
 * products. Pass 1 adds the parts and takes the sums back to taps.
 */
#include "kernels/conv_winograd.h"

enum {
  CELLS = 64,              /* of a block: what the tiles' sums are loaded and stored for */
  CHANNELS = 128,          /* of x and of y in a chunk: more would not fit the second-level cache, fewer cost more transforms */
  LEAST_CHUNKS = 8,        /* if there are so many blocks */
  PARTS_BYTES = 16 << 20,  /* of all partial sums, if there is more than one part */
  OUTPUTS = 8,             /* channels of y in a chunk of pass 1 */
  PADDING = 16             /* floats between rows, lest they meet in the cache */
};

/* ------------------------------------------------------------------ the sums at all points */

/* A matrix (channels of y, pitch) for each point of h, point of w, and pair of segments that has a part there. */
static int64_t pitch_of(const struct winograd *p) {
  return p->in + PADDING;
}

static int64_t matrix_at(const struct winograd *p, int64_t point_h, int64_t point_w, int64_t h, int64_t w) {
  int64_t before = active_before(&p->h, point_h) * active_before(&p->w, p->w.f->points);
  before += active(&p->h, point_h) * active_before(&p->w, point_w) + h * active(&p->w, point_w) + w;
  return before * p->out * pitch_of(p);
}

static int64_t sums_floats(const struct winograd *p) {
  return matrix_at(p, p->h.f->points, 0, 0, 0);
}

/* ------------------------------------------------------------------ the cut */

/* Rows are channels of y, columns channels of x. There are several pairs of segments in a chunk if each has few columns. */
struct cut { int64_t parts, rows, row_groups, columns, column_groups, pairs, pair_groups; };

static struct cut cut_of(const struct winograd *p) {
  int64_t pairs = p->h.segments * p->w.segments, blocks = pieces(winograd_cells(p), CELLS);
  struct cut u = {.rows = least(CHANNELS, p->out), .columns = least(CHANNELS, p->in)};
  u.pairs = least(most(1, CHANNELS / p->in), pairs);
  u.row_groups = pieces(p->out, u.rows);
  u.column_groups = pieces(p->in, u.columns);
  u.pair_groups = pieces(pairs, u.pairs);
  int64_t want = pieces(LEAST_CHUNKS, u.row_groups * u.column_groups * u.pair_groups);
  int64_t fitting = PARTS_BYTES / (int64_t)sizeof(float) / sums_floats(p);
  u.parts = most(1, least(least(want, blocks), fitting));
  return u;
}

/* Areas of scratch, in floats: a line, and both factors at a row of points. */
struct areas { int64_t line, data, gradient; };

static struct areas areas_of(const struct winograd *p, const struct cut *u) {
  return (struct areas){
    .line = winograd_line_columns(p, least(CELLS, p->w.cells)) * most(u->columns, u->rows),
    .data = u->pairs * p->w.f->points * CELLS * u->columns,
    .gradient = p->w.f->points * CELLS * (u->rows + PADDING),
  };
}

/* ------------------------------------------------------------------ a chunk of pass 0 */

struct job {
  const struct kernels *k;
  const struct winograd *p;
  struct cut u;
  const float *x, *y;
  float *sums, *line, *data, *gradient;
  int64_t row, rows, column, columns;
  struct conv_range pairs;
};

static int64_t segment_h(const struct job *j, int64_t pair) {
  return pair / j->p->w.segments;
}

static int64_t segment_w(const struct job *j, int64_t pair) {
  return pair % j->p->w.segments;
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
                          .row_step = 1, .k_step = j->u.rows + PADDING, .b_step = width, .ldc = pitch_of(j->p),
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
      float *sums = j->sums + matrix_at(p, point, i, h, w) + j->row * pitch_of(p) + j->column;
      multiply(j, sums, data_at(j, pair, i), j->gradient + i * CELLS * (j->u.rows + PADDING), cells, adds);
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

static void run_products(const struct kernels *k, const struct winograd *p, const struct conv_operands *o, int64_t chunk,
                         float *scratch) {
  struct job j = {.k = k, .p = p, .u = cut_of(p), .x = o->a, .y = o->b, .line = scratch};
  struct areas a = areas_of(p, &j.u);
  j.data = j.line + a.line;
  j.gradient = j.data + a.data;
  j.row = chunk % j.u.row_groups * j.u.rows, chunk /= j.u.row_groups;
  j.column = chunk % j.u.column_groups * j.u.columns, chunk /= j.u.column_groups;
  j.pairs = conv_piece(p->h.segments * p->w.segments, j.u.pair_groups, chunk % j.u.pair_groups), chunk /= j.u.pair_groups;
  j.rows = least(j.u.rows, p->out - j.row);
  j.columns = least(j.u.columns, p->in - j.column);
  j.sums = (float *)o->shared + chunk * sums_floats(p);
  struct conv_range cells = conv_piece(winograd_cells(p), j.u.parts, chunk);
  for (int64_t i = cells.first; i < cells.end; i += CELLS) add_block(&j, i, least(CELLS, cells.end - i), i > cells.first);
}

/* ------------------------------------------------------------------ a chunk of pass 1: the taps of some outputs */

struct taps {
  const struct kernels *k;
  const struct conv_shape *s;
  const struct winograd *p;
  float *sums, *out, *line; /* line: (points of w, outputs, channels) */
  int64_t output, outputs;
};

/* Pairwise, into the first part. */
static void add_parts(const struct taps *t, int64_t parts) {
  int64_t pitch = pitch_of(t->p), whole = sums_floats(t->p), matrix = t->p->out * pitch;
  for (int64_t step = 1; step < parts; step *= 2)
    for (int64_t i = 0; i + step < parts; i += 2 * step)
      for (int64_t m = 0; m < whole; m += matrix) {
        float *to = t->sums + i * whole + m + t->output * pitch;
        for (int64_t o = 0; o < t->outputs; o++, to += pitch) t->k->vec[VEC_ADD](to, to, to + step * whole, NULL, t->p->in);
      }
}

/* All points of the first axis to one tap, at a point of the second. */
static void gather_points(const struct taps *t, int64_t tap, int64_t point_w, int64_t h, int64_t w) {
  const struct winograd *p = t->p;
  struct combination c = {.step = pitch_of(p)};
  for (int64_t i = 0; i < p->h.f->points && h < active(&p->h, i); i++) {
    if (p->h.f->g[i][tap] == 0.0f) continue;
    c.from[c.n] = t->sums + matrix_at(p, i, point_w, h, w) + t->output * pitch_of(p);
    c.factor[c.n++] = p->h.f->g[i][tap];
  }
  t->k->conv->combine(t->line + point_w * t->outputs * p->in, p->in, &c, t->outputs, p->in);
}

static void gather_taps(const struct taps *t, int64_t h, int64_t w) {
  const struct winograd *p = t->p;
  const struct segment *sh = &p->h.segment[h], *sw = &p->w.segment[w];
  int64_t points = w < p->w.full ? p->w.f->points : p->w.f->points - 1, row = conv_taps(t->s) * p->in;
  for (int64_t i = 0; i < sh->taps; i++) {
    for (int64_t point = 0; point < points; point++) gather_points(t, i, point, h, w);
    for (int64_t v = 0; v < sw->taps; v++) {
      struct combination c = winograd_terms(t->line, t->outputs * p->in, &p->w.f->g[0][v], WINOGRAD_TAPS, points);
      int64_t tap = (sh->tap + i * sh->tap_step) * t->s->kw + sw->tap + v * sw->tap_step;
      c.step = p->in;
      t->k->conv->combine(t->out + t->output * row + tap * p->in, row, &c, t->outputs, p->in);
    }
  }
}

static void run_taps(const struct kernels *k, const struct conv_shape *s, const struct winograd *p, const struct conv_operands *o,
                     int64_t chunk, float *scratch) {
  struct taps t = {.k = k, .s = s, .p = p, .sums = o->shared, .out = o->out, .line = scratch, .output = chunk * OUTPUTS};
  t.outputs = least(OUTPUTS, p->out - t.output);
  add_parts(&t, cut_of(p).parts);
  for (int64_t h = 0; h < p->h.segments; h++)
    for (int64_t w = 0; w < p->w.segments; w++) gather_taps(&t, h, w);
}

/* ------------------------------------------------------------------ entry */

static int32_t passes(const struct kernels *k, const struct conv_shape *s) {
  (void)k, (void)s;
  return 2;
}

static int64_t chunks(const struct kernels *k, const struct conv_shape *s, int32_t pass) {
  struct winograd p = winograd_phase(s, 0);
  struct cut u = cut_of(&p);
  (void)k;
  return pass ? pieces(p.out, OUTPUTS) : u.parts * u.pair_groups * u.row_groups * u.column_groups;
}

static size_t scratch_bytes(const struct kernels *k, const struct conv_shape *s) {
  struct winograd p = winograd_phase(s, 0);
  struct cut u = cut_of(&p);
  struct areas a = areas_of(&p, &u);
  (void)k;
  return (size_t)most(a.line + a.data + a.gradient, p.w.f->points * OUTPUTS * p.in) * sizeof(float);
}

static size_t shared_bytes(const struct kernels *k, const struct conv_shape *s) {
  struct winograd p = winograd_phase(s, 0);
  (void)k;
  return (size_t)(cut_of(&p).parts * sums_floats(&p)) * sizeof(float);
}

static void run(const struct kernels *k, const struct conv_shape *s, const struct conv_operands *o, int32_t pass, int64_t chunk,
                float *scratch) {
  struct winograd p = winograd_phase(s, 0);
  if (pass == 0) run_products(k, &p, o, chunk, scratch);
  else run_taps(k, s, &p, o, chunk, scratch);
}

const struct conv_method conv_winograd_weight = {.passes = passes, .chunks = chunks, .scratch = scratch_bytes,
                                                 .shared = shared_bytes, .run = run};
