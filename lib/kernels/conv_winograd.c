/* The products F and X in Winograd's way (conv_winograd.h).
 *
 * Pass 0 transforms the weights (conv_winograd_pack.c), unless they come packed. A chunk of the next makes the results of some
 * cells in some panels of channels: it goes through the points of the first axis; for each it transforms the source along both,
 * multiplies by the weights at every point of the second, and takes the products back along that axis at once. So only one row of
 * points is in the cache at a time, and what is kept for the end is what the first axis still has to take back.
 */
#include "kernels/conv_winograd.h"

enum {
  CACHE_BYTES = 470 << 10, /* of scratch: the second-level cache has to hold the source too, and weights pass through it */
  MOST_TILES = 2,          /* of registers, that share a panel of weights */
  LEAST_CHUNKS = 2,        /* of all phases, if there are panels enough: every chunk transforms the source anew */
  K_BLOCK = 256,           /* longest chain of additions */
  PADDING = 16             /* floats between rows of scratch, lest they meet in the cache */
};

/* ------------------------------------------------------------------ the cut */

/* Cells and columns of a chunk, at most. */
struct cut { int64_t cells, groups, columns, column_groups; };

/* Areas of scratch, in floats: a line of the source, the source at a row of points, products of a panel, and what of them is kept
 * for the end. pitch: from cell to cell of the source. */
struct areas { int64_t line, source, products, sums, pitch; };

static struct areas areas_of(const struct kernels *k, const struct winograd *p, const struct cut *u) {
  int64_t pitch = p->h.segments * p->w.segments * p->in + PADDING;
  return (struct areas){
    .line = winograd_line_columns(p, least(u->cells, p->w.cells)) * p->in,
    .source = p->w.f->points * u->cells * pitch,
    .products = p->w.f->points * u->cells * k->gemm->width,
    .sums = p->h.f->points * u->cells * p->w.f->cell * u->columns,
    .pitch = pitch,
  };
}

static int64_t scratch_floats(const struct kernels *k, const struct winograd *p, const struct cut *u) {
  struct areas a = areas_of(k, p, u);
  return a.line + a.source + a.products + a.sums;
}

static void cut_columns(struct cut *u, const struct kernels *k, const struct winograd *p, int64_t groups) {
  int64_t panels = pieces(p->out, k->gemm->width);
  u->columns = pieces(panels, most(1, least(groups, panels))) * k->gemm->width;
  u->column_groups = pieces(p->out, u->columns);
}

/* As many tiles as fit with all columns; if one does not, fewer columns. */
static struct cut cut_of(const struct kernels *k, const struct winograd *p) {
  int64_t cells = winograd_cells(p), fitting = CACHE_BYTES / (int64_t)sizeof(float), panels = pieces(p->out, k->gemm->width);
  struct cut u = {0};
  for (int64_t tiles = MOST_TILES; tiles > 0; tiles--) {
    u.groups = pieces(cells, tiles * k->gemm->rows);
    u.cells = pieces(cells, most(1, u.groups));
    cut_columns(&u, k, p, pieces(LEAST_CHUNKS, most(1, p->phases * u.groups)));
    if (scratch_floats(k, p, &u) <= fitting) return u;
  }
  for (int64_t i = u.column_groups + 1; i <= panels && scratch_floats(k, p, &u) > fitting; i++) cut_columns(&u, k, p, i);
  return u;
}

/* ------------------------------------------------------------------ the source, and the products */

struct job {
  const struct kernels *k;
  const struct conv_shape *s;
  const struct winograd *p;
  struct cut u;
  int64_t pitch;
  const float *from, *weights, *bias;
  float *out, *line, *source, *products, *sums;
  int64_t first, cells, column, columns; /* of this chunk */
};

/* The source at a row of points: (points of w, cells, pitch), channels in the order of the weights. */
static void transform_run(const struct job *j, int64_t point, int64_t at, const struct run *r) {
  const struct winograd *p = j->p;
  const struct source s = {j->from + r->image * p->h.size * p->w.size * p->in, p->h.size, p->w.size, p->in};
  struct transform t = {.from = j->line, .from_point = p->in, .from_step = p->w.f->cell * p->in, .to = j->source + at * j->pitch,
                        .to_point = j->u.cells * j->pitch, .to_step = j->pitch, .columns = r->count, .channels = p->in};
  for (int64_t w = 0; w < p->w.segments; w++)
    for (int64_t h = 0; h < active(&p->h, point); h++, t.to += p->in) {
      struct line l = winograd_source_line(p, r, point, h, w);
      winograd_line(j->k, &s, &l, j->line);
      j->k->conv->transforms[p->w.f->points].data(&t);
    }
}

static void transform_source(const struct job *j, int64_t point) {
  struct run r;
  for (int64_t at = 0; at < j->cells; at += r.count) {
    r = winograd_run(j->p, j->first + at, j->first + j->cells);
    transform_run(j, point, at, &r);
  }
}

/* products (cells, width) = source (cells, depth) . weights (depth, width) */
static void multiply(const struct job *j, float *products, const float *source, const float *weights, int64_t depth,
                     int64_t width) {
  static const struct gemm_stretch whole = {0, 0};
  const struct gemm_kernels *g = j->k->gemm;
  gemm_tile_fn *const *fn = width == g->width ? g->tile : g->tile_narrow;
  int64_t tiles = pieces(j->cells, g->rows);
  for (int64_t p = 0; p < depth; p += K_BLOCK) {
    struct gemm_tile t = {.a = source + p, .b = weights + p * width, .c = products, .stretch = &whole, .stretches = 1,
                          .k = least(K_BLOCK, depth - p), .row_step = j->pitch, .k_step = 1, .b_step = width, .ldc = width,
                          .add = p > 0};
    for (int64_t i = 0; i < tiles; i++) {
      struct conv_range r = conv_piece(j->cells, tiles, i);
      fn[r.end - r.first](&t);
      t.a += (r.end - r.first) * t.row_step;
      t.c += (r.end - r.first) * t.ldc;
    }
  }
}

/* The products of a panel back along the second axis: (points of h, cells, cell, columns). */
static void take_back(const struct job *j, int64_t point, int64_t column, int64_t width) {
  const struct minimal *f = j->p->w.f;
  struct transform t = {.from = j->products, .from_point = j->u.cells * width, .from_step = width, .to_point = j->u.columns,
                        .to_step = f->cell * j->u.columns, .columns = j->cells, .channels = width};
  t.to = j->sums + point * j->u.cells * t.to_step + column - j->column;
  j->k->conv->transforms[f->points].results(&t);
}

static void multiply_panels(const struct job *j, int64_t point) {
  const struct winograd *p = j->p;
  int64_t rows = active(&p->h, point) * p->in, width;
  for (int64_t column = j->column; column < j->column + j->columns; column += width) {
    const float *weights = j->weights + winograd_weights_at(p, point, column);
    width = winograd_panel_width(j->k, p->out - column);
    for (int64_t i = 0; i < p->w.f->points; i++) {
      int64_t depth = rows * active(&p->w, i);
      multiply(j, j->products + i * j->u.cells * width, j->source + i * j->u.cells * j->pitch, weights, depth, width);
      weights += depth * width;
    }
    take_back(j, point, column, width);
  }
}

/* ------------------------------------------------------------------ the results */

static int8_t finish_of(const struct conv_shape *s) {
  if (s->act != GEMM_LEAKY) return GEMM_FINISH_NONE;
  return s->slope == 0.0f ? GEMM_FINISH_RELU : GEMM_FINISH_LEAKY;
}

static void activate(const struct job *j, float *to, int64_t step, int64_t pixels) {
  vec_fn *f = j->s->act == GEMM_TANH ? j->k->vec[VEC_TANH] : j->s->act == GEMM_SIGMOID ? j->k->vec[VEC_SIGMOID] : NULL;
  for (int64_t i = 0; f && i < pixels; i++) f(to + i * step, to + i * step, NULL, NULL, j->columns);
}

/* Of a run whose first cell is number `at` of the chunk. */
static void store_run(const struct job *j, int64_t at, const struct run *r) {
  const struct winograd_axis *h = &j->p->h, *w = &j->p->w;
  int64_t height = j->s->product == CONV_F ? j->s->oh : j->s->h, width = j->s->product == CONV_F ? j->s->ow : j->s->w;
  int64_t row = r->row * h->f->cell, column = r->cell * w->f->cell, cell = w->f->cell * j->u.columns;
  struct transform t = {.from = j->sums + at * cell, .from_point = j->u.cells * cell, .from_step = j->u.columns,
                        .to_point = h->out_step * width * j->p->out, .to_step = w->out_step * j->p->out,
                        .columns = least(r->count * w->f->cell, w->count - column), .channels = j->columns,
                        .bias = j->bias ? j->bias + j->column : NULL, .slope = j->s->slope, .finish = finish_of(j->s),
                        .results = (int32_t)least(h->f->cell, h->count - row)};
  t.to = j->out + ((r->image * height + h->out) * width + w->out) * j->p->out + row * t.to_point + column * t.to_step + j->column;
  j->k->conv->transforms[h->f->points].finish(&t);
  for (int64_t i = 0; i < t.results; i++) activate(j, t.to + i * t.to_point, t.to_step, t.columns);
}

static void run_cells(const struct job *j) {
  struct run r;
  for (int64_t point = 0; point < j->p->h.f->points; point++) {
    transform_source(j, point);
    multiply_panels(j, point);
  }
  for (int64_t at = 0; at < j->cells; at += r.count) {
    r = winograd_run(j->p, j->first + at, j->first + j->cells);
    store_run(j, at, &r);
  }
}

/* ------------------------------------------------------------------ entry */

static int64_t phase_chunks(const struct kernels *k, const struct winograd *p) {
  struct cut u = cut_of(k, p);
  return u.groups * u.column_groups;
}

static void run_phase(struct job j, int64_t chunk, float *scratch) {
  const struct winograd *p = j.p;
  j.u = cut_of(j.k, p);
  struct areas a = areas_of(j.k, p, &j.u);
  j.pitch = a.pitch;
  j.line = scratch;
  j.source = j.line + a.line;
  j.products = j.source + a.source;
  j.sums = j.products + a.products;
  j.first = chunk % j.u.groups * j.u.cells;
  j.cells = least(j.u.cells, winograd_cells(p) - j.first);
  j.column = chunk / j.u.groups * j.u.columns;
  j.columns = least(j.u.columns, p->out - j.column);
  run_cells(&j);
}

static void run_chunk(const struct kernels *k, const struct conv_shape *s, const struct conv_operands *o, const float *weights,
                      int64_t chunk, float *scratch) {
  for (int64_t i = 0; i < winograd_phases(s); i++) {
    struct winograd p = winograd_phase(s, i);
    int64_t chunks = phase_chunks(k, &p);
    if (chunk < chunks) {
      struct job j = {.k = k, .s = s, .p = &p, .from = o->a, .weights = weights, .bias = o->bias, .out = o->out};
      run_phase(j, chunk, scratch);
      return;
    }
    chunk -= chunks;
    weights += winograd_weights_floats(&p);
  }
}

static int32_t passes(const struct kernels *k, const struct conv_shape *s) {
  (void)k;
  return s->packed ? 1 : 2;
}

static int64_t chunks(const struct kernels *k, const struct conv_shape *s, int32_t pass) {
  int64_t n = 0;
  if (!s->packed && pass == 0) return winograd_pack_chunks(k, s);
  for (int64_t i = 0; i < winograd_phases(s); i++) {
    struct winograd p = winograd_phase(s, i);
    n += phase_chunks(k, &p);
  }
  return n;
}

static size_t scratch_bytes(const struct kernels *k, const struct conv_shape *s) {
  int64_t floats = 0;
  for (int64_t i = 0; i < winograd_phases(s); i++) {
    struct winograd p = winograd_phase(s, i);
    struct cut u = cut_of(k, &p);
    floats = most(floats, scratch_floats(k, &p, &u));
  }
  return (size_t)floats * sizeof(float);
}

static size_t packed_bytes(const struct kernels *k, const struct conv_shape *s) {
  (void)k;
  return (size_t)winograd_weights_before(s, winograd_phases(s)) * sizeof(float);
}

static size_t shared_bytes(const struct kernels *k, const struct conv_shape *s) {
  return s->packed ? 0 : packed_bytes(k, s);
}

static void run(const struct kernels *k, const struct conv_shape *s, const struct conv_operands *o, int32_t pass, int64_t chunk,
                float *scratch) {
  if (s->packed) run_chunk(k, s, o, o->b, chunk, scratch);
  else if (pass == 1) run_chunk(k, s, o, o->shared, chunk, scratch);
  else winograd_pack_chunk(k, s, o->b, o->shared, chunk);
}

static void pack(const struct kernels *k, const struct conv_shape *s, const float *w, float *packed) {
  for (int64_t i = 0; i < winograd_pack_chunks(k, s); i++) winograd_pack_chunk(k, s, w, packed, i);
}

const struct conv_method conv_winograd = {passes, chunks, scratch_bytes, shared_bytes, run, packed_bytes, pack};
