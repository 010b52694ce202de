/* The products F and X in Winograd's way (conv_winograd.h).
 *
 * A chunk has some tiles of the result and a range of its panels. It transforms the source under its tiles into scratch, then
 * for one panel after the other multiplies by the transformed weights and transforms what comes out into the result. The
 * weights are packed as (phase, panel, product, plane and channel of the source, channel of the result).
 */
#include "kernels/conv.h"
#include "kernels/conv_winograd.h"
#include "kernels/gemm.h"

#include <string.h>

enum {
  SOURCE_BYTES = 400 << 10, /* of the transformed source of a chunk */
  LEAST_TILES = 8,          /* of a chunk, even if they take more */
  MOST_TILES = 64,
  CHUNKS = 32,              /* of a large product, at least about */
  PACK_FLOATS = 32768,      /* weights of one chunk of packing, about */
  MOST_TAPS = 16,
  PADDING = 16              /* floats between rows of the transformed source, lest they meet in the cache */
};

static int64_t depth_of(const struct conv_shape *s) {
  return s->product == CONV_F ? s->c : s->o;
}

static int64_t columns_of(const struct conv_shape *s) {
  return s->product == CONV_F ? s->o : s->c;
}

/* ------------------------------------------------------------------ packed weights */

static int64_t panels_of(const struct kernels *k, const struct conv_shape *s) {
  return pieces(columns_of(s), k->gemm->width);
}

static int64_t panel_width(const struct kernels *k, const struct conv_shape *s, int64_t panel) {
  return least(k->gemm->width, round_up(columns_of(s) - panel * k->gemm->width, k->gemm->narrow));
}

/* Channels of the source in all planes: what is summed over. */
static int64_t k_of(const struct conv_shape *s) {
  struct winograd_form f = winograd_form(s);
  return f.planes * f.planes * depth_of(s);
}

static int64_t phase_floats(const struct conv_shape *s) {
  return winograd_form(s).products * k_of(s) * columns_of(s);
}

static size_t packed_bytes(const struct kernels *k, const struct conv_shape *s) {
  struct winograd_form f = winograd_form(s);
  (void)k;
  return (size_t)(f.phases * f.phases * phase_floats(s)) * sizeof(float);
}

/* Chunks of packing have a panel and a piece of the source's channels. */
static int64_t depth_pieces(const struct kernels *k, const struct conv_shape *s) {
  return most(1, least(depth_of(s) / WINOGRAD_CHANNELS, conv_taps(s) * depth_of(s) * k->gemm->width / PACK_FLOATS));
}

static int64_t pack_chunks(const struct kernels *k, const struct conv_shape *s) {
  return panels_of(k, s) * depth_pieces(k, s);
}

static int64_t pack_scratch(const struct kernels *k, const struct conv_shape *s) {
  return conv_taps(s) * pieces(depth_of(s), depth_pieces(k, s)) * k->gemm->width;
}

/* The piece as (tap, channel of the source, channel of the result): of X, taps backwards. */
static void pack_piece(const struct kernels *k, const struct conv_shape *s, const float *w, float *to, struct conv_range depth,
                       int64_t column, int64_t width) {
  int64_t count = depth.end - depth.first, taps = conv_taps(s), row = taps * s->c;
  for (int64_t t = 0; t < taps; t++, to += count * width) {
    if (s->product == CONV_F) k->gemm->pack_transposed(to, w + column * row + t * s->c + depth.first, row, count, width, width);
    else k->gemm->pack_rows(to, w + depth.first * row + (taps - 1 - t) * s->c + column, row, count, width, width);
  }
}

static void pack_panel(const struct kernels *k, const struct conv_shape *s, const float *w, float *packed, int64_t panel,
                       struct conv_range depth, float *scratch) {
  struct winograd_form f = winograd_form(s);
  struct conv_axis h = conv_axis_h(s), v = conv_axis_w(s);
  int64_t width = panel_width(k, s, panel), all = k_of(s), piece = (depth.end - depth.first) * width;
  pack_piece(k, s, w, scratch, depth, panel * k->gemm->width, width);
  for (int64_t i = 0; i < s->sh * s->sw; i++) { /* planes of F, phases of X */
    struct conv_line lh = winograd_line(&h, s->product, i / s->sw), lw = winograd_line(&v, s->product, i % s->sw);
    float *to = packed + panel * k->gemm->width * f.products * all + depth.first * width;
    to += s->product == CONV_X ? i * phase_floats(s) : i * depth_of(s) * width;
    k->conv->taps(to, all * width, scratch + (lh.first_tap * s->kw + lw.first_tap) * piece, lh.tap_step * s->kw * piece,
                  lw.tap_step * piece, piece, (int32_t)f.r);
  }
}

static void pack_chunk(const struct kernels *k, const struct conv_shape *s, const float *w, float *packed, int64_t chunk,
                       float *scratch) {
  struct conv_range depth = conv_piece(depth_of(s), depth_pieces(k, s), chunk / panels_of(k, s));
  pack_panel(k, s, w, packed, chunk % panels_of(k, s), depth, scratch);
}

/* Without scratch: a few channels at a time. */
static void pack(const struct kernels *k, const struct conv_shape *s, const float *w, float *packed) {
  float room[MOST_TAPS * WINOGRAD_CHANNELS * GEMM_MOST_WIDTH];
  for (int64_t p = 0; p < panels_of(k, s); p++)
    for (int64_t c = 0; c < depth_of(s); c += WINOGRAD_CHANNELS) {
      struct conv_range depth = {c, c + WINOGRAD_CHANNELS};
      pack_panel(k, s, w, packed, p, depth, room);
    }
}

/* ------------------------------------------------------------------ the cut */

struct cut { int64_t tiles, blocks, panel_pieces; }; /* blocks of at most so many tiles, over all images */

static struct cut cut_of(const struct kernels *k, const struct conv_shape *s) {
  struct winograd_form f = winograd_form(s);
  struct winograd_grid g = winograd_grid(s);
  int64_t bytes = f.products * (k_of(s) + PADDING) * (int64_t)sizeof(float), rows = k->gemm->rows;
  int64_t fitting = least(MOST_TILES, most(LEAST_TILES, SOURCE_BYTES / bytes)), all = s->n * g.rows * g.cols;
  if (fitting > rows) fitting -= fitting % rows;
  struct cut u = {.blocks = pieces(all, fitting)};
  u.tiles = pieces(all, u.blocks);
  u.panel_pieces = least(panels_of(k, s), pieces(CHUNKS, u.blocks * f.phases * f.phases));
  return u;
}

/* ------------------------------------------------------------------ running a chunk */

struct job {
  const struct kernels *k;
  const struct conv_shape *s;
  struct winograd_form f;
  int64_t tiles, room;            /* of this chunk; that the scratch has room for */
  const float **from;             /* [n * n] pixels of a tile, or zeros */
  float **to;                     /* [tile][4] pixels of the result, or NULL */
  float *zeros, *source, *products;
  int64_t pitch;                  /* of the transformed source */
};

/* The source under all tiles, plane by plane. */
static void transform_source(const struct job *j, const float *a, int64_t first, int64_t phase) {
  const struct conv_shape *s = j->s;
  struct conv_axis ah = conv_axis_h(s), aw = conv_axis_w(s);
  for (int64_t i = 0; i < j->f.planes * j->f.planes; i++) {
    int64_t index = s->product == CONV_X ? phase : i;
    struct conv_line h = winograd_line(&ah, s->product, index / s->sw), w = winograd_line(&aw, s->product, index % s->sw);
    for (int64_t t = 0; t < j->tiles; t++) {
      winograd_pixels(j->from, a, depth_of(s), winograd_place(s, first + t), &h, &w, j->f.n, j->zeros);
      j->k->conv->source(j->source + t * j->pitch + i * depth_of(s), j->room * j->pitch, j->from, 0, depth_of(s), (int32_t)j->f.r);
    }
  }
}

static void place_results(const struct job *j, float *out, int64_t first, int64_t phase) {
  const struct conv_shape *s = j->s;
  int64_t step = s->product == CONV_X ? s->sh : 1, rows = s->product == CONV_F ? s->oh : s->h;
  int64_t cols = s->product == CONV_F ? s->ow : s->w;
  for (int64_t t = 0; t < j->tiles; t++) {
    struct winograd_place p = winograd_place(s, first + t);
    for (int64_t i = 0; i < 4; i++) {
      int64_t h = (p.h + i / 2) * step + phase / s->sw, w = (p.w + i % 2) * step + phase % s->sw;
      j->to[4 * t + i] = h < rows && w < cols ? out + ((p.image * rows + h) * cols + w) * columns_of(s) : NULL;
    }
  }
}

static void multiply(const struct job *j, const float *panel, int64_t width) {
  static const struct gemm_stretch whole = {0, 0};
  const struct gemm_kernels *g = j->k->gemm;
  int64_t all = k_of(j->s), tiles = pieces(j->tiles, g->rows);
  for (int64_t e = 0; e < j->f.products; e++) {
    struct gemm_tile t = {.a = j->source + e * j->room * j->pitch, .b = panel + e * all * width, .stretch = &whole, .stretches = 1,
                          .c = j->products + e * j->room * width, .k = all, .row_step = j->pitch, .k_step = 1,
                          .b_step = width, .ldc = width};
    for (int64_t i = 0; i < tiles; i++) {
      struct conv_range r = conv_piece(j->tiles, tiles, i);
      int64_t rows = r.end - r.first;
      (width == g->width ? g->tile : g->tile_narrow)[rows](&t);
      t.a += rows * t.row_step;
      t.c += rows * t.ldc;
    }
  }
}

static int8_t tile_finish(const struct conv_shape *s) {
  if (s->act != GEMM_LEAKY) return GEMM_FINISH_NONE;
  return s->slope == 0.0f ? GEMM_FINISH_RELU : GEMM_FINISH_LEAKY;
}

static void run_panels(const struct job *j, const float *packed, const float *bias, struct conv_range panels) {
  struct winograd_finish f = {.bias = bias, .slope = j->s->slope, .finish = tile_finish(j->s)};
  for (int64_t p = panels.first; p < panels.end; p++) {
    int64_t width = panel_width(j->k, j->s, p);
    f.column = p * j->k->gemm->width;
    multiply(j, packed + f.column * j->f.products * k_of(j->s), width);
    for (int64_t t = 0; t < j->tiles; t++)
      j->k->conv->result(j->to + 4 * t, j->products + t * width, j->room * width, width, &f, (int32_t)j->f.r);
  }
}

static void activate(const struct job *j, struct conv_range panels) {
  vec_fn *f = j->s->act == GEMM_TANH ? j->k->vec[VEC_TANH] : j->s->act == GEMM_SIGMOID ? j->k->vec[VEC_SIGMOID] : NULL;
  int64_t first = panels.first * j->k->gemm->width, end = least(panels.end * j->k->gemm->width, columns_of(j->s));
  for (int64_t i = 0; f && i < 4 * j->tiles; i++)
    if (j->to[i]) f(j->to[i] + first, j->to[i] + first, NULL, NULL, end - first);
}

static void run_chunk(const struct kernels *k, const struct conv_shape *s, const struct conv_operands *o, const float *packed,
                      int64_t chunk, float *scratch) {
  struct cut u = cut_of(k, s);
  struct winograd_grid g = winograd_grid(s);
  struct job j = {.k = k, .s = s, .f = winograd_form(s), .room = u.tiles, .pitch = k_of(s) + PADDING};
  struct conv_range panels = conv_piece(panels_of(k, s), u.panel_pieces, chunk % u.panel_pieces);
  struct conv_range tiles = conv_piece(s->n * g.rows * g.cols, u.blocks, chunk / u.panel_pieces % u.blocks);
  int64_t phase = chunk / u.panel_pieces / u.blocks;
  j.tiles = tiles.end - tiles.first;
  j.source = scratch;
  j.products = j.source + j.f.products * u.tiles * j.pitch;
  j.zeros = j.products + j.f.products * u.tiles * k->gemm->width;
  j.from = (const float **)(void *)(j.zeros + depth_of(s));
  j.to = (float **)(void *)(j.from + WINOGRAD_MOST);
  memset(j.zeros, 0, (size_t)depth_of(s) * sizeof(float));
  transform_source(&j, o->a, tiles.first, phase);
  place_results(&j, o->out, tiles.first, phase);
  run_panels(&j, packed + phase * phase_floats(s), o->bias, panels);
  activate(&j, panels);
}

/* ------------------------------------------------------------------ entry */

static int32_t passes(const struct kernels *k, const struct conv_shape *s) {
  (void)k;
  return s->packed ? 1 : 2;
}

static int64_t chunks(const struct kernels *k, const struct conv_shape *s, int32_t pass) {
  struct winograd_form f = winograd_form(s);
  struct cut u = cut_of(k, s);
  return !s->packed && pass == 0 ? pack_chunks(k, s) : f.phases * f.phases * u.blocks * u.panel_pieces;
}

static size_t scratch_bytes(const struct kernels *k, const struct conv_shape *s) {
  struct winograd_form f = winograd_form(s);
  struct cut u = cut_of(k, s);
  int64_t floats = f.products * u.tiles * (k_of(s) + PADDING + k->gemm->width) + depth_of(s);
  size_t pointers = (size_t)(WINOGRAD_MOST + 4 * u.tiles) * sizeof(float *), bytes = (size_t)floats * sizeof(float) + pointers;
  size_t packing = s->packed ? 0 : (size_t)pack_scratch(k, s) * sizeof(float);
  return bytes > packing ? bytes : packing;
}

static size_t shared_bytes(const struct kernels *k, const struct conv_shape *s) {
  return s->packed ? 0 : packed_bytes(k, s);
}

static void run(const struct kernels *k, const struct conv_shape *s, const struct conv_operands *o, int32_t pass, int64_t chunk,
                float *scratch) {
  if (s->packed) run_chunk(k, s, o, o->b, chunk, scratch);
  else if (pass == 1) run_chunk(k, s, o, o->shared, chunk, scratch);
  else pack_chunk(k, s, o->b, o->shared, chunk, scratch);
}

const struct conv_method conv_winograd = {passes, chunks, scratch_bytes, shared_bytes, run, packed_bytes, pack};
