/* The products F and X: every pixel of the result gathers from the pixels of a source, one for each tap of the kernel.
 *
 * Both are products of matrices whose rows lie in the source as it is. A tile (gemm_tile.c) takes a few pixels of the result at
 * equal distances (along a row, a column, or one pixel of several images) that find the same taps inside of the source, and
 * walks along one stretch for every tap: nothing is copied but the weights, and taps on the padding cost nothing. The other
 * side is the weights, packed in panels of a tile's width as (tap, channel of the source, channel of the result). For X the
 * taps are packed backwards, so that its source is walked forwards too.
 *
 * A result of very few channels ("slim": pictures) would leave most of a panel empty. There tiles of dots (gemm_dots.c) take
 * their place, for which the weights are packed as (channel of the result, tap, channel of the source).
 *
 * Of groups of few channels each would leave most of a panel empty. So several are taken together ("dealt"), as many as a vector
 * has lanes for: the source is copied as (pixel, channel of its group, lane), where a lane is a channel of the result, the weights
 * are packed as (tap, channel of the group, lane), and tiles of lanes multiply vectors.
 */
#include "kernels/conv.h"
#include "kernels/gemm.h"

#include <string.h>

enum {
  K_BLOCK = 1024,             /* channels times taps that a tile adds up at once: what of a panel stays in the second cache */
  SOURCE_BYTES = 400 << 10,   /* that a chunk goes over for each panel */
  PANELS_BYTES = 200 << 10,   /* of all panels, for a chunk that goes over its source once, with all panels at every tile */
  CHUNK_FLOPS = 2000000,      /* a smaller piece is not worth a thread's while */
  CHUNKS = 32,                /* of a large product, at least about */
  PACK_FLOATS = 32768,        /* of one chunk of packing */
  CACHE_WAY = 4096            /* bytes: addresses that far apart share a set of the first cache ... */
};
static const int64_t CACHE_WAYS = 8; /* ... which holds so many */

/* ------------------------------------------------------------------ the two products as one */

struct side { int64_t h, w, channels, depth; }; /* depth: channels of one group */

static struct side source_of(const struct conv_shape *s) {
  if (s->product == CONV_F) return (struct side){s->h, s->w, s->c, conv_depth_x(s)};
  return (struct side){s->oh, s->ow, s->o, conv_depth_y(s)};
}

static struct side result_of(const struct conv_shape *s) {
  if (s->product == CONV_F) return (struct side){s->oh, s->ow, s->o, conv_depth_y(s)};
  return (struct side){s->h, s->w, s->c, conv_depth_x(s)};
}

/* Channels of the result in a block of groups. */
static int64_t block_columns(const struct kernels *k, const struct conv_shape *s, int64_t block) {
  return least(conv_together(k, s), s->groups - block * conv_together(k, s)) * result_of(s).depth;
}

static int32_t is_slim(const struct kernels *k, const struct conv_shape *s) {
  return !conv_is_dealt(k, s) && 2 * result_of(s).depth <= k->gemm->narrow && source_of(s).depth >= k->lanes;
}

/* ------------------------------------------------------------------ packed weights */

/* Channels of the result in all panels but the last. */
static int64_t panel_step(const struct kernels *k, const struct conv_shape *s) {
  return conv_is_dealt(k, s) ? k->lanes : is_slim(k, s) ? k->gemm->dot_columns : k->gemm->width;
}

static int64_t panels_of(const struct kernels *k, const struct conv_shape *s) {
  return pieces(result_of(s).depth, panel_step(k, s));
}

static int64_t panel_columns(const struct kernels *k, const struct conv_shape *s, int64_t panel) {
  return least(panel_step(k, s), result_of(s).depth - panel * panel_step(k, s));
}

static int64_t panel_width(const struct kernels *k, int64_t columns) {
  return columns <= k->gemm->narrow ? k->gemm->narrow : k->gemm->width;
}

static int64_t panel_floats(const struct kernels *k, const struct conv_shape *s) {
  return conv_taps(s) * source_of(s).depth * panel_step(k, s);
}

static int64_t packed_block(const struct kernels *k, const struct conv_shape *s) {
  if (conv_is_dealt(k, s)) return panel_floats(k, s);
  return round_up(result_of(s).depth, is_slim(k, s) ? 1 : k->gemm->narrow) * conv_taps(s) * source_of(s).depth;
}

static size_t packed_bytes(const struct kernels *k, const struct conv_shape *s) {
  return (size_t)(conv_blocks(k, s) * packed_block(k, s)) * sizeof(float);
}

/* Chunks of packing are so many pieces of the taps of every panel. */
static int64_t tap_pieces(const struct kernels *k, const struct conv_shape *s) {
  return least(most(1, panel_floats(k, s) / PACK_FLOATS), conv_taps(s));
}

static int64_t pack_chunks(const struct kernels *k, const struct conv_shape *s) {
  return conv_blocks(k, s) * panels_of(k, s) * tap_pieces(k, s);
}

/* F: the weights of an output are a row of (tap, channel). X: every tap is a matrix (channel of y, channel of x). */
static void pack_taps(const struct kernels *k, const struct conv_shape *s, const float *w, float *panel, int64_t column,
                      int64_t columns, struct conv_range taps) {
  int64_t depth = source_of(s).depth, width = panel_width(k, columns), row = conv_taps(s) * conv_depth_x(s);
  if (s->product == CONV_F) {
    int64_t first = taps.first * depth, count = (taps.end - taps.first) * depth;
    k->gemm->pack_transposed(panel + first * width, w + column * row + first, row, count, columns, width);
    return;
  }
  for (int64_t t = taps.first; t < taps.end; t++) {
    const float *tap = w + (conv_taps(s) - 1 - t) * conv_depth_x(s) + column;
    k->gemm->pack_rows(panel + t * depth * width, tap, row, depth, columns, width);
  }
}

static void pack_slim(const struct conv_shape *s, const float *w, float *panel, int64_t column, int64_t columns,
                      struct conv_range taps) {
  int64_t depth = source_of(s).depth, count = conv_taps(s), cx = conv_depth_x(s);
  for (int64_t c = 0; c < columns; c++)
    for (int64_t t = taps.first; t < taps.end; t++) {
      float *to = panel + (c * count + t) * depth;
      if (s->product == CONV_F) memcpy(to, w + ((column + c) * count + t) * depth, (size_t)depth * sizeof *to);
      else
        for (int64_t o = 0; o < depth; o++) to[o] = w[(o * count + count - 1 - t) * cx + column + c];
    }
}

/* Column c of a block belongs to its group c / (channels of a group of the result). */
static void pack_dealt(const struct kernels *k, const struct conv_shape *s, const float *w, float *to, int64_t block,
                       struct conv_range taps) {
  int64_t depth = source_of(s).depth, width = result_of(s).depth, columns = block_columns(k, s, block), count = conv_taps(s);
  for (int64_t t = taps.first; t < taps.end; t++)
    for (int64_t i = 0; i < depth; i++)
      for (int64_t c = 0; c < k->lanes; c++) {
        int64_t group = block * conv_together(k, s) + c / width, own = c % width;
        int64_t at = s->product == CONV_F ? ((group * width + own) * count + t) * depth + i
                                          : ((group * depth + i) * count + count - 1 - t) * width + own;
        to[(t * depth + i) * k->lanes + c] = c < columns ? w[at] : 0.0f;
      }
}

static void pack_chunk(const struct kernels *k, const struct conv_shape *s, const float *w, float *packed, int64_t chunk) {
  int64_t count = tap_pieces(k, s), panel = chunk / count % panels_of(k, s), block = chunk / count / panels_of(k, s);
  struct conv_range taps = conv_piece(conv_taps(s), count, chunk % count);
  float *to = packed + block * packed_block(k, s) + panel * panel_floats(k, s);
  if (conv_is_dealt(k, s)) {
    pack_dealt(k, s, w, to, block, taps);
    return;
  }
  w += block * conv_group_weights(s);
  if (is_slim(k, s)) pack_slim(s, w, to, panel * panel_step(k, s), panel_columns(k, s, panel), taps);
  else pack_taps(k, s, w, to, panel * panel_step(k, s), panel_columns(k, s, panel), taps);
}

static void pack(const struct kernels *k, const struct conv_shape *s, const float *w, float *packed) {
  for (int64_t i = 0; i < pack_chunks(k, s); i++) pack_chunk(k, s, w, packed, i);
}

/* ------------------------------------------------------------------ the cut */

/* A chunk has a range of images, of rows of the result and of panels of a block of groups. */
struct cut { int64_t image_pieces, row_pieces, panel_pieces; };

static struct cut cut_of(const struct kernels *k, const struct conv_shape *s) {
  struct side from = source_of(s), to = result_of(s);
  int64_t pixel = conv_is_dealt(k, s) ? from.depth * k->lanes : from.channels, panels = panels_of(k, s);
  int64_t image = most(1, from.h * from.w * pixel * (int64_t)sizeof(float));
  int64_t want = most(1, least(CHUNKS, conv_flops(s) / conv_blocks(k, s) / CHUNK_FLOPS));
  struct cut u = {1, 1, 1};
  u.image_pieces = pieces(s->n, most(1, SOURCE_BYTES / image));
  u.row_pieces = least(to.h, pieces(image, SOURCE_BYTES));
  u.panel_pieces = least(panels, pieces(want, u.image_pieces * u.row_pieces));
  u.image_pieces = least(s->n, most(u.image_pieces, pieces(want, u.row_pieces * u.panel_pieces)));
  if (panel_floats(k, s) * (int64_t)sizeof(float) > PANELS_BYTES) return u; /* every piece of rows would fetch it anew */
  u.row_pieces = least(to.h, most(u.row_pieces, pieces(want, u.image_pieces * u.panel_pieces)));
  return u;
}

/* ------------------------------------------------------------------ dealt sources */

/* The rows of the source that some rows of the result take from. */
static struct conv_range source_rows(const struct conv_shape *s, struct conv_range rows) {
  int64_t reach = (s->kh - 1) * s->dh, count = rows.end - rows.first;
  if (s->product == CONV_F) return conv_inside(s->ph - rows.first * s->sh, 1, (count - 1) * s->sh + reach + 1, s->h);
  return conv_inside(reach - s->ph - rows.first, s->sh, count + reach, s->oh);
}

/* Of the source rows of a chunk, at most. */
static int64_t dealt_floats(const struct kernels *k, const struct conv_shape *s) {
  int64_t rows = pieces(result_of(s).h, cut_of(k, s).row_pieces), reach = (s->kh - 1) * s->dh;
  int64_t most_rows = s->product == CONV_F ? (rows - 1) * s->sh + reach + 1 : (rows + reach - 1) / s->sh + 1;
  return conv_is_dealt(k, s) ? least(most_rows, source_of(s).h) * source_of(s).w * source_of(s).depth * k->lanes : 0;
}

/* ------------------------------------------------------------------ running tiles */

/* One chunk; and from line to line, block to block and rectangle to rectangle, what is being done of it. */
struct job {
  const struct kernels *k;
  const struct conv_shape *s;
  struct side from, to;
  const float *source;       /* of this chunk's block of groups, at its first image; if dealt, at row first_row of its only one */
  int64_t images, first_row;
  const float *panel;        /* the first of those that every tile goes through */
  float *result;             /* as the source, at the first column of these panels */
  const float *bias;         /* the same; NULL without, and in all but the last block of taps */
  int64_t columns, width;    /* of all these panels; of one */
  int64_t panel_floats, pitch; /* of a whole panel, of a panel for each channel of the source */
  int64_t k_step;              /* from channel to channel of the source */
  int32_t slim, dealt;
  struct conv_line rows, cols;
  struct conv_range block_rows, block_cols; /* of the lines' taps */
  int32_t adds, ends;                       /* the block adds to others before it, is the last one */
  struct gemm_stretch *stretch;
  float *room;
};

static int8_t tile_finish(const struct conv_shape *s) {
  if (s->act != GEMM_LEAKY) return GEMM_FINISH_NONE;
  return s->slope == 0.0f ? GEMM_FINISH_RELU : GEMM_FINISH_LEAKY;
}

/* How many rows a tile may have whose rows lie `step` floats apart, so that they do not drive each other out of the cache. */
static int64_t most_rows(const struct job *j, int64_t step) {
  int64_t rows = j->slim ? j->k->gemm->dot_rows : j->dealt ? j->k->gemm->lane_rows : j->k->gemm->rows;
  return step * (int64_t)sizeof(float) % CACHE_WAY ? rows : least(rows, CACHE_WAYS);
}

/* The time that tiles along a span take for each of its pixels, about; too few rows do not keep the processor busy. */
static double tile_cost(const struct job *j, const struct conv_span *span) {
  int64_t tiles = pieces(span->count, most_rows(j, span->step_a));
  double rows = (double)span->count / (double)tiles, fewest = j->k->lanes == 16 ? 3 : 5;
  return ((rows < fewest ? fewest : rows) + 0.5) / rows;
}

/* Tiles along the best of the three directions, which goes last. */
static void choose_direction(const struct job *j, struct conv_span span[3]) {
  int best = 2;
  for (int d = 1; d >= 0; d--)
    if (tile_cost(j, &span[d]) < 0.98 * tile_cost(j, &span[best])) best = d;
  struct conv_span last = span[2];
  span[2] = span[best], span[best] = last;
}

/* t is as it was when this returns. */
static void run_tile(const struct job *j, struct gemm_tile *t, int64_t rows) {
  const struct gemm_kernels *g = j->k->gemm;
  gemm_tile_fn *const *tiles = j->dealt ? g->lanes : j->width == g->width ? g->tile : g->tile_narrow;
  const struct gemm_tile first = *t;
  for (int64_t c = 0; c < j->columns; c += j->width) {
    int64_t columns = least(j->width, j->columns - c);
    if (j->slim) g->dot[rows][columns](t);
    else if (columns == j->width) tiles[rows](t);
    else gemm_tile_partial(tiles[rows], *t, rows, columns, j->width, j->room);
    t->b += j->panel_floats;
    t->c += j->width;
    if (t->bias) t->bias += j->width;
  }
  t->b = first.b, t->c = first.c, t->bias = first.bias;
}

static void run_span(const struct job *j, struct gemm_tile *t, const struct conv_span *span) {
  int64_t tiles = pieces(span->count, most_rows(j, span->step_a)), rows = span->count / tiles, longer = span->count % tiles;
  for (int64_t i = 0; i < tiles; i++) {
    int64_t n = rows + (i < longer);
    run_tile(j, t, n);
    t->a += n * span->step_a;
    t->c += n * span->step_b;
  }
}

static struct conv_range overlap(struct conv_range a, struct conv_range b) {
  struct conv_range both = {most(a.first, b.first), least(a.end, b.end)};
  return both.first < both.end ? both : (struct conv_range){0, 0};
}

/* The stretches for the taps of a rectangle, from its first pixel's first tap on. Neighbouring taps of a row of the kernel are
 * one stretch if they are neighbours in the source too. */
static void lay_stretches(const struct job *j, struct conv_range qh, struct conv_range qw, struct gemm_tile *t) {
  int64_t depth = j->from.depth, row = j->rows.delta * j->from.w * j->from.channels, column = j->cols.delta * j->from.channels;
  int64_t panel_row = j->rows.tap_step * j->s->kw * depth * j->pitch, panel_column = j->cols.tap_step * depth * j->pitch;
  int64_t h = qh.end - qh.first, w = qw.end - qw.first, joined = column == depth * j->k_step && j->cols.tap_step == 1 ? w : 1;
  t->stretches = 0;
  t->k = joined * depth;
  for (int64_t i = 0; i < h; i++)
    for (int64_t q = 0; q < w; q += joined)
      j->stretch[t->stretches++] = (struct gemm_stretch){i * row + q * column, i * panel_row + q * panel_column};
}

/* Pixels [th, th + h) x [tw, tw + w) of both lines, which find the same taps. */
static void run_rectangle(const struct job *j, int64_t th, int64_t h, int64_t tw, int64_t w) {
  const struct side *from = &j->from, *to = &j->to;
  struct conv_range qh = overlap(conv_line_taps(&j->rows, th), j->block_rows);
  struct conv_range qw = overlap(conv_line_taps(&j->cols, tw), j->block_cols);
  int64_t ih = th * j->rows.move + j->rows.base + qh.first * j->rows.delta;
  int64_t iw = tw * j->cols.move + j->cols.base + qw.first * j->cols.delta;
  int64_t tap = (j->rows.first_tap + qh.first * j->rows.tap_step) * j->s->kw + j->cols.first_tap + qw.first * j->cols.tap_step;
  int64_t oh = j->rows.out + th * j->rows.out_step, ow = j->cols.out + tw * j->cols.out_step;
  int32_t none = qh.first == qh.end || qw.first == qw.end;
  struct gemm_tile t = {.a = j->source + (none ? 0 : ((ih - j->first_row) * from->w + iw) * from->channels),
                        .b = j->panel + (none ? 0 : tap * from->depth * j->pitch),
                        .c = j->result + (oh * to->w + ow) * to->channels,
                        .stretch = j->stretch, .k_step = j->k_step, .bias = j->bias, .slope = j->s->slope,
                        .add = (int8_t)j->adds, .finish = j->ends ? tile_finish(j->s) : GEMM_FINISH_NONE};
  t.b_step = j->slim ? conv_taps(j->s) * from->depth : j->width;
  if (!none) lay_stretches(j, qh, qw, &t);
  struct conv_span span[3] = {
    {j->images, from->h * from->w * from->channels, to->h * to->w * to->channels},
    {h, j->rows.move * from->w * from->channels, j->rows.out_step * to->w * to->channels},
    {w, j->cols.move * from->channels, j->cols.out_step * to->channels}};
  choose_direction(j, span);
  t.row_step = span[2].step_a, t.ldc = span[2].step_b;
  for (int64_t y = 0; y < span[0].count; y++)
    for (int64_t x = 0; x < span[1].count; x++) {
      struct gemm_tile first = t;
      first.a += y * span[0].step_a + x * span[1].step_a;
      first.c += y * span[0].step_b + x * span[1].step_b;
      run_span(j, &first, &span[2]);
    }
}

static void run_rectangles(const struct job *j) {
  for (int64_t tw = 0, w; tw < j->cols.count; tw += w) {
    w = conv_line_alike(&j->cols, tw);
    for (int64_t th = 0, h; th < j->rows.count; th += h) {
      h = conv_line_alike(&j->rows, th);
      run_rectangle(j, th, h, tw, w);
    }
  }
}

/* The taps of a pair of lines in blocks: whole rows of the kernel if they are short enough. */
static void run_blocks(struct job *j) {
  int64_t depth = j->from.depth, row = most(1, j->cols.taps * depth);
  int64_t col_blocks = j->slim ? 1 : most(1, least(j->cols.taps, pieces(row, K_BLOCK)));
  int64_t row_blocks = j->slim ? 1 : most(1, pieces(j->rows.taps, most(1, K_BLOCK / row)));
  const float *bias = j->bias;
  for (int64_t b = 0; b < row_blocks * col_blocks; b++) {
    j->block_rows = conv_piece(j->rows.taps, row_blocks, b / col_blocks);
    j->block_cols = conv_piece(j->cols.taps, col_blocks, b % col_blocks);
    j->adds = b > 0;
    j->ends = b + 1 == row_blocks * col_blocks;
    j->bias = j->ends ? bias : NULL;
    run_rectangles(j);
  }
  j->bias = bias;
}

static void run_lines(struct job *j, struct conv_range rows) {
  struct conv_axis h = conv_axis_h(j->s), w = conv_axis_w(j->s);
  for (int64_t i = 0; i < conv_lines(&h, j->s->product); i++) {
    j->rows = conv_line_within(conv_line(&h, j->s->product, i), rows);
    for (int64_t c = 0; c < conv_lines(&w, j->s->product) && j->rows.count; c++) {
      j->cols = conv_line(&w, j->s->product, c);
      run_blocks(j);
    }
  }
}

/* The activations that tiles do not know, over finished rows. */
static void activate(const struct job *j, float *y, struct conv_range rows, int64_t columns) {
  vec_fn *f = j->s->act == GEMM_TANH ? j->k->vec[VEC_TANH] : j->s->act == GEMM_SIGMOID ? j->k->vec[VEC_SIGMOID] : NULL;
  int64_t row = j->to.w * j->to.channels;
  for (int64_t n = 0; f && n < j->images; n++) {
    float *at = y + (n * j->to.h + rows.first) * row, *end = y + (n * j->to.h + rows.end) * row;
    if (columns == j->to.channels) f(at, at, NULL, NULL, end - at);
    else
      for (; at < end; at += j->to.channels) f(at, at, NULL, NULL, columns);
  }
}

static int64_t stretch_floats(const struct conv_shape *s) {
  return round_up(conv_taps(s) * (int64_t)(sizeof(struct gemm_stretch) / sizeof(float)), 16);
}

/* How many columns to go through at every tile: all if there is one block of taps and the panels fit the cache, but for a
 * narrow last panel, which comes by itself. */
static int64_t columns_together(const struct job *j, int64_t first, int64_t end) {
  const struct conv_shape *s = j->s;
  int64_t taps = s->product == CONV_F ? conv_taps(s) : pieces(s->kh, s->sh) * pieces(s->kw, s->sw), depth = taps * j->from.depth;
  int64_t step = panel_step(j->k, s), last = (end - first) % step;
  if (j->slim || j->dealt) return end - first;
  if (depth > K_BLOCK || depth * (end - first) * (int64_t)sizeof(float) > PANELS_BYTES) return least(step, end - first);
  return last && last <= j->k->gemm->narrow && end - first > step ? end - first - last : end - first;
}

/* Columns [first, end) of the block, whose weights, results and bias are given. */
static void run_panels(struct job *j, struct conv_range rows, int64_t first, int64_t end, const float *packed, float *result,
                       const float *bias) {
  int64_t step = panel_step(j->k, j->s);
  for (int64_t c = first; c < end; c += j->columns) {
    j->panel = packed + c / step * panel_floats(j->k, j->s);
    j->columns = columns_together(j, c, end);
    j->width = j->slim ? step : panel_width(j->k, j->columns);
    j->pitch = j->slim ? 1 : j->width;
    j->panel_floats = panel_floats(j->k, j->s);
    j->result = result + c;
    j->bias = bias ? bias + c : NULL;
    run_lines(j, rows);
  }
  activate(j, result + first, rows, end - first);
}

/* One image after the other is dealt out; `from` is the first one, at the first channel of the block. */
static void run_dealt(struct job *j, struct conv_range rows, int64_t columns, const float *from, const float *end,
                      const float *packed, float *result, const float *bias) {
  const struct conv_shape *s = j->s;
  struct side source = source_of(s);
  struct dealing d = {.depth = (int32_t)source.depth, .width = (int32_t)j->to.depth, .step = source.channels};
  struct conv_range taken = source_rows(s, rows);
  float *dealt = j->room + (j->k->gemm->rows + 1) * j->k->gemm->width;
  int64_t images = j->images, row = source.w * source.channels, pixels = (taken.end - taken.first) * source.w;
  d.window = (int32_t)(columns / j->to.depth * source.depth);
  j->images = 1, j->first_row = taken.first;
  j->source = dealt;
  for (int64_t n = 0; n < images; n++) {
    j->k->conv->deal(dealt, from + (n * source.h + taken.first) * row, end, pixels, &d);
    run_panels(j, rows, 0, columns, packed, result + n * j->to.h * j->to.w * j->to.channels, bias);
  }
}

static void run_chunk(const struct kernels *k, const struct conv_shape *s, const struct conv_operands *o, const float *packed,
                      int64_t chunk, float *scratch) {
  struct cut u = cut_of(k, s);
  struct job j = {.k = k, .s = s, .from = source_of(s), .to = result_of(s), .slim = is_slim(k, s), .dealt = conv_is_dealt(k, s)};
  struct conv_range panels = conv_piece(panels_of(k, s), u.panel_pieces, chunk % u.panel_pieces);
  chunk /= u.panel_pieces;
  struct conv_range rows = conv_piece(j.to.h, u.row_pieces, chunk % u.row_pieces);
  chunk /= u.row_pieces;
  struct conv_range images = conv_piece(s->n, u.image_pieces, chunk % u.image_pieces);
  int64_t block = chunk / u.image_pieces, group = block * conv_together(k, s), column = group * j.to.depth, step = panel_step(k, s);
  int64_t columns = block_columns(k, s, block), image = j.from.h * j.from.w * j.from.channels;
  const float *from = o->a + images.first * image + group * j.from.depth, *bias = o->bias ? o->bias + column : NULL;
  float *result = o->out + images.first * j.to.h * j.to.w * j.to.channels + column;
  packed += block * packed_block(k, s);
  j.images = images.end - images.first;
  j.stretch = (struct gemm_stretch *)(void *)scratch;
  j.room = scratch + stretch_floats(s);
  j.k_step = j.dealt ? k->lanes : 1;
  if (j.dealt) {
    j.from.channels = j.from.depth * k->lanes;
    run_dealt(&j, rows, columns, from, o->a + s->n * image, packed, result, bias);
    return;
  }
  j.source = from;
  run_panels(&j, rows, panels.first * step, least(panels.end * step, columns), packed, result, bias);
}

/* ------------------------------------------------------------------ entry */

static int32_t passes(const struct kernels *k, const struct conv_shape *s) {
  (void)k;
  return s->packed ? 1 : 2;
}

static int64_t chunks(const struct kernels *k, const struct conv_shape *s, int32_t pass) {
  struct cut u = cut_of(k, s);
  if (!s->packed && pass == 0) return most(1, pack_chunks(k, s));
  return conv_blocks(k, s) * u.image_pieces * u.row_pieces * u.panel_pieces;
}

static size_t scratch_bytes(const struct kernels *k, const struct conv_shape *s) {
  return (size_t)(stretch_floats(s) + (k->gemm->rows + 1) * (int64_t)k->gemm->width + dealt_floats(k, s)) * sizeof(float);
}

static size_t shared_bytes(const struct kernels *k, const struct conv_shape *s) {
  return s->packed ? 0 : packed_bytes(k, s);
}

static void run(const struct kernels *k, const struct conv_shape *s, const struct conv_operands *o, int32_t pass, int64_t chunk,
                float *scratch) {
  if (s->packed) run_chunk(k, s, o, o->b, chunk, scratch);
  else if (pass == 1) run_chunk(k, s, o, o->shared, chunk, scratch);
  else if (chunk < pack_chunks(k, s)) pack_chunk(k, s, o->b, o->shared, chunk);
}

const struct conv_method conv_gather = {passes, chunks, scratch_bytes, shared_bytes, run, packed_bytes, pack};
