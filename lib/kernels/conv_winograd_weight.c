/* The product W in Winograd's way (conv_winograd.h).
 *
 * A chunk has a range of y's channels, some units (a panel's width of channels in one plane of x) and a part of the tiles. For a
 * block of tiles after the other it transforms x and y into scratch and adds up, for each of the products of a tile, a matrix
 * (channel of y, channel of x) over the tiles; at the end it transforms these matrices into the taps of the plane.
 */
#include "kernels/conv.h"
#include "kernels/conv_winograd.h"
#include "kernels/gemm.h"

#include <string.h>

enum {
  BLOCK = 32,              /* tiles that are transformed at once */
  ROWS = 128,              /* channels of y in a chunk */
  PRODUCTS = 131072,       /* numbers of a chunk's sums, about: half of a second-level cache */
  CHUNKS = 32,             /* at least about, if there are so many tiles */
  PART_TILES = 256,        /* of a part, at least about */
  PARTS_BYTES = 8 << 20,   /* of all partial sums */
  PADDING = 16             /* floats between the products of a block, lest they meet in the cache */
};

/* ------------------------------------------------------------------ the cut */

static int64_t panels_of(const struct kernels *k, const struct conv_shape *s) {
  return pieces(s->c, k->gemm->width);
}

/* Panels of all planes; unit u is panel u % panels of plane u / panels. */
static int64_t units_of(const struct kernels *k, const struct conv_shape *s) {
  struct winograd_form f = winograd_form(s);
  return f.planes * f.planes * panels_of(k, s);
}

static int64_t tiles_of(const struct conv_shape *s) {
  struct winograd_grid g = winograd_grid(s);
  return s->n * g.rows * g.cols;
}

/* rows and units: at most, of a chunk. */
struct cut { int64_t row_pieces, unit_pieces, parts, rows, units; };

static struct cut cut_of(const struct kernels *k, const struct conv_shape *s) {
  int64_t units = units_of(k, s), fitting = most(1, PRODUCTS / (winograd_form(s).products * ROWS * k->gemm->width));
  struct cut u = {.row_pieces = pieces(s->o, ROWS), .unit_pieces = pieces(units, fitting)};
  int64_t want = pieces(CHUNKS, u.row_pieces * u.unit_pieces), weights = conv_group_weights(s) * (int64_t)sizeof(float);
  u.parts = most(1, least(least(want, tiles_of(s) / PART_TILES), PARTS_BYTES / weights));
  u.rows = pieces(s->o, u.row_pieces);
  u.units = pieces(units, u.unit_pieces);
  return u;
}

/* ------------------------------------------------------------------ running a chunk */

struct job {
  const struct kernels *k;
  const struct conv_shape *s;
  struct winograd_form f;
  const float *x, *y;
  struct conv_range rows, units;
  const float **pixels;
  float *zeros, *from_x, *from_y, *sums; /* sums: (unit, product, row, column); from_x: (unit, product, tile, column) */
};

static int64_t unit_width(const struct job *j, int64_t unit) {
  int64_t channel = unit % panels_of(j->k, j->s) * j->k->gemm->width;
  return least(j->k->gemm->width, round_up(j->s->c - channel, j->k->gemm->narrow));
}

static float *unit_sums(const struct job *j, int64_t unit) {
  return j->sums + (unit - j->units.first) * j->f.products * (j->rows.end - j->rows.first) * j->k->gemm->width;
}

/* From one product of a block to the next, of so many channels. */
static int64_t product_step(int64_t channels) {
  return BLOCK * channels + PADDING;
}

static float *unit_source(const struct job *j, int64_t unit) {
  return j->from_x + (unit - j->units.first) * j->f.products * product_step(j->k->gemm->width);
}

/* All units of this chunk for one tile. */
static void transform_x(const struct job *j, struct winograd_place p, int64_t t) {
  struct conv_axis ah = conv_axis_h(j->s), aw = conv_axis_w(j->s);
  int64_t panels = panels_of(j->k, j->s), step = j->k->gemm->width;
  for (int64_t u = j->units.first; u < j->units.end; u++) {
    int64_t plane = u / panels, width = unit_width(j, u);
    if (u == j->units.first || u % panels == 0) {
      struct conv_line h = winograd_line(&ah, CONV_W, plane / j->s->sw), w = winograd_line(&aw, CONV_W, plane % j->s->sw);
      winograd_pixels(j->pixels, j->x, j->s->c, p, &h, &w, j->f.n, j->zeros);
    }
    j->k->conv->source(unit_source(j, u) + t * width, product_step(width), j->pixels, u % panels * step, width, (int32_t)j->f.r);
  }
}

static void transform_y(const struct job *j, struct winograd_place p, int64_t t) {
  struct conv_line h = {.delta = 1, .size = j->s->oh}, w = {.delta = 1, .size = j->s->ow};
  int64_t rows = j->rows.end - j->rows.first;
  winograd_pixels(j->pixels, j->y, j->s->o, p, &h, &w, 2, j->zeros);
  j->k->conv->result_back(j->from_y + t * rows, product_step(rows), j->pixels, j->rows.first, rows, (int32_t)j->f.r);
}

static void multiply(const struct job *j, int64_t unit, int64_t tiles, int32_t adds) {
  static const struct gemm_stretch whole = {0, 0};
  const struct gemm_kernels *g = j->k->gemm;
  int64_t rows = j->rows.end - j->rows.first, width = unit_width(j, unit), count = pieces(rows, g->rows);
  for (int64_t e = 0; e < j->f.products; e++) {
    struct gemm_tile t = {.a = j->from_y + e * product_step(rows), .b = unit_source(j, unit) + e * product_step(width),
                          .c = unit_sums(j, unit) + e * rows * width, .stretch = &whole, .stretches = 1, .k = tiles,
                          .row_step = 1, .k_step = rows, .b_step = width, .ldc = width, .add = (int8_t)adds};
    for (int64_t i = 0; i < count; i++) {
      struct conv_range r = conv_piece(rows, count, i);
      int64_t n = r.end - r.first;
      (width == g->width ? g->tile : g->tile_narrow)[n](&t);
      t.a += n;
      t.c += n * width;
    }
  }
}

static void add_tiles(const struct job *j, struct conv_range tiles) {
  for (int64_t first = tiles.first; first < tiles.end; first += BLOCK) {
    int64_t count = least(BLOCK, tiles.end - first);
    for (int64_t t = 0; t < count; t++) {
      struct winograd_place p = winograd_place(j->s, first + t);
      transform_x(j, p, t);
      transform_y(j, p, t);
    }
    for (int64_t u = j->units.first; u < j->units.end; u++) multiply(j, u, count, first > tiles.first);
  }
}

/* The sums of a unit to the taps of its plane. */
static void store_unit(const struct job *j, int64_t unit, float *out) {
  const struct conv_shape *s = j->s;
  int64_t panels = panels_of(j->k, s), plane = unit / panels, width = unit_width(j, unit), rows = j->rows.end - j->rows.first;
  int64_t tap = plane / s->sw * s->kw + plane % s->sw, channel = unit % panels * j->k->gemm->width;
  for (int64_t i = 0; i < rows; i++)
    j->k->conv->taps_back(out + ((j->rows.first + i) * conv_taps(s) + tap) * s->c + channel, s->sh * s->kw * s->c, s->sw * s->c,
                          unit_sums(j, unit) + i * width, rows * width, width, (int32_t)j->f.r);
}

static size_t scratch_bytes(const struct kernels *k, const struct conv_shape *s) {
  struct cut u = cut_of(k, s);
  int64_t width = u.units * k->gemm->width, rows = round_up(u.rows, WINOGRAD_CHANNELS) + WINOGRAD_CHANNELS;
  int64_t floats = winograd_form(s).products * (rows * width + product_step(rows) + u.units * product_step(k->gemm->width)) +
                   most(s->c, s->o);
  return (size_t)floats * sizeof(float) + WINOGRAD_MOST * sizeof(float *);
}

/* Ranges of y's channels are whole vectors. */
static struct conv_range rows_of(const struct conv_shape *s, const struct cut *u, int64_t piece) {
  struct conv_range r = conv_piece(s->o / WINOGRAD_CHANNELS, u->row_pieces, piece);
  return (struct conv_range){r.first * WINOGRAD_CHANNELS, r.end * WINOGRAD_CHANNELS};
}

static void run_chunk(const struct kernels *k, const struct conv_shape *s, const struct conv_operands *o, int64_t chunk,
                      float *scratch) {
  struct cut u = cut_of(k, s);
  struct job j = {.k = k, .s = s, .f = winograd_form(s), .x = o->a, .y = o->b};
  int64_t part = chunk / u.row_pieces / u.unit_pieces, zeros = most(s->c, s->o);
  j.rows = rows_of(s, &u, chunk % u.row_pieces);
  j.units = conv_piece(units_of(k, s), u.unit_pieces, chunk / u.row_pieces % u.unit_pieces);
  j.zeros = scratch;
  j.sums = j.zeros + zeros;
  j.from_x = j.sums + (j.units.end - j.units.first) * j.f.products * (j.rows.end - j.rows.first) * k->gemm->width;
  j.from_y = j.from_x + (j.units.end - j.units.first) * j.f.products * product_step(k->gemm->width);
  j.pixels = (const float **)(void *)(j.from_y + j.f.products * product_step(j.rows.end - j.rows.first));
  memset(j.zeros, 0, (size_t)zeros * sizeof(float));
  add_tiles(&j, conv_piece(tiles_of(s), u.parts, part));
  float *out = u.parts == 1 ? o->out : (float *)o->shared + part * conv_group_weights(s);
  for (int64_t i = j.units.first; i < j.units.end; i++) store_unit(&j, i, out);
}

/* ------------------------------------------------------------------ entry */

static int32_t passes(const struct kernels *k, const struct conv_shape *s) {
  return cut_of(k, s).parts == 1 ? 1 : 2;
}

static int64_t chunks(const struct kernels *k, const struct conv_shape *s, int32_t pass) {
  struct cut u = cut_of(k, s);
  return pass == 0 ? u.row_pieces * u.unit_pieces * u.parts : conv_sum_chunks(conv_group_weights(s));
}

static size_t shared_bytes(const struct kernels *k, const struct conv_shape *s) {
  int64_t parts = cut_of(k, s).parts;
  return parts == 1 ? 0 : (size_t)(parts * conv_group_weights(s)) * sizeof(float);
}

static void run(const struct kernels *k, const struct conv_shape *s, const struct conv_operands *o, int32_t pass, int64_t chunk,
                float *scratch) {
  if (pass == 0) run_chunk(k, s, o, chunk, scratch);
  else conv_sum_parts(k, o->out, o->shared, cut_of(k, s).parts, conv_group_weights(s), chunk);
}

const struct conv_method conv_winograd_weight = {.passes = passes, .chunks = chunks, .scratch = scratch_bytes,
                                                 .shared = shared_bytes, .run = run};
