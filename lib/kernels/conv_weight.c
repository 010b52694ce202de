/* The product W: every weight is a sum over all pixels of y.
 *
 * A tile (gemm_tile.c) has a few channels of the one tensor as rows and a panel of channels of the other as columns, both read
 * where they are, and walks along the pixels, in stretches along the rows of the image; pixels whose tap falls on the padding
 * are left out. Usually the rows are channels of y and the columns channels of x, so that weights come out as they are stored.
 * Where x has too few channels to fill a panel, the two change places ("turned"): columns are channels of y, rows are the
 * channels of x under a whole row of the kernel, and the sums are stored the other way when they are complete.
 *
 * Of groups of few channels several are taken together, turned: a lane of a vector is a channel of y, and x is dealt out so that
 * every lane finds its own (conv_deal.c).
 *
 * Chunks have a part of the images, a range of taps and a range of y's channels. Where weights are few and pixels many, the
 * images are shared out, and the sums of the parts are added pairwise in a second pass.
 */
#include "kernels/conv.h"
#include "kernels/gemm.h"

#include <string.h>

enum {
  BLOCK_BYTES = 500 << 10,    /* of x and y together, that a chunk goes over for all of its weights before it goes on */
  CHUNK_FLOPS = 2000000,      /* a smaller piece is not worth a thread's while */
  CHUNKS = 32,                /* of a large product, about */
  PARTS_BYTES = 8 << 20,      /* of all partial sums */
  SUM_FLOATS = 16384,         /* of one chunk of the second pass */
  FEW_PIXELS = 6,             /* in a row of the image: too short for a stretch */
  ALIGNMENT = 16
};

/* ------------------------------------------------------------------ the cut */

/* Units are taps, or whole rows of the kernel where they are joined. */
struct cut { int32_t dealt, turned, joined; int64_t units, parts, unit_pieces, channel_pieces; };

/* The share of a panel's columns that so many channels use. */
static double fill(const struct kernels *k, int64_t channels) {
  return (double)channels / (double)round_up(channels, k->gemm->narrow);
}

/* Columns of the sums of a block of groups, if turned; of them, those that are channels. */
static int64_t turned_columns(const struct kernels *k, const struct conv_shape *s) {
  return conv_is_dealt(k, s) ? k->lanes : conv_depth_y(s);
}

static int64_t block_channels(const struct kernels *k, const struct conv_shape *s, int64_t block) {
  return least(conv_together(k, s), s->groups - block * conv_together(k, s)) * conv_depth_y(s);
}

static int64_t block_sums(const struct kernels *k, const struct conv_shape *s) {
  return turned_columns(k, s) * conv_taps(s) * conv_depth_x(s);
}

static int64_t dense_parts(const struct kernels *k, const struct conv_shape *s, int64_t want) {
  int64_t weights = most(1, conv_blocks(k, s) * block_sums(k, s)), inputs = s->n * (s->h * s->w * s->c + s->oh * s->ow * s->o);
  int64_t worth = inputs / 4 / weights, fitting = PARTS_BYTES / (int64_t)sizeof(float) / weights;
  return most(1, least(least(want, s->n), least(worth, fitting)));
}

static struct cut cut_of(const struct kernels *k, const struct conv_shape *s) {
  int64_t cx = conv_depth_x(s), cy = conv_depth_y(s), want = most(1, least(CHUNKS, conv_flops(s) / conv_blocks(k, s) / CHUNK_FLOPS));
  struct cut u = {.dealt = conv_is_dealt(k, s)};
  u.turned = u.dealt || fill(k, cx) < fill(k, cy);
  u.joined = s->dw == 1 && (u.dealt || (u.turned && s->groups == 1 && cx < k->gemm->rows / 2));
  u.units = u.joined ? s->kh : conv_taps(s);
  u.parts = dense_parts(k, s, want);
  u.unit_pieces = least(u.units, pieces(want, u.parts));
  u.channel_pieces = pieces(want, u.parts * u.unit_pieces);
  u.channel_pieces = least(u.channel_pieces, pieces(cy, u.turned ? k->gemm->width : k->gemm->rows));
  return u;
}

/* The result goes straight to where it belongs. */
static int32_t is_direct(const struct cut *u) {
  return u->parts == 1 && !u->turned;
}

/* A block is so many images, or of one image so many rows, or of one row so many columns. */
struct block { int64_t images, rows, cols; };

static struct block block_of(const struct kernels *k, const struct conv_shape *s) {
  int64_t px = most(s->c, k->gemm->width) * (int64_t)sizeof(float), py = most(s->o, k->gemm->width) * (int64_t)sizeof(float);
  if (conv_is_dealt(k, s)) py = k->lanes * (int64_t)sizeof(float), px = conv_depth_x(s) * py;
  int64_t image = s->h * s->w * px + s->oh * s->ow * py, row = s->sh * s->w * px + s->ow * py, col = s->sw * px + py;
  if (image <= BLOCK_BYTES) return (struct block){least(s->n, BLOCK_BYTES / most(1, image)), s->oh, s->ow};
  if (row <= BLOCK_BYTES) return (struct block){1, least(s->oh, BLOCK_BYTES / row), s->ow};
  return (struct block){1, 1, least(s->ow, most(1, BLOCK_BYTES / col))};
}

/* ------------------------------------------------------------------ tensors in a block */

/* Pixel (n, h, w) of a tensor or of a copy of some of its channels. */
struct view { const float *base; int64_t row, col, image_step, row_step, pixel_step; };

static const float *at(const struct view *v, int64_t h, int64_t w) {
  return v->base + (h - v->row) * v->row_step + (w - v->col) * v->pixel_step;
}

static struct view whole(const float *base, int64_t h, int64_t w, int64_t channels) {
  return (struct view){base, 0, 0, h * w * channels, w * channels, channels};
}

struct job {
  const struct kernels *k;
  const struct conv_shape *s;
  struct cut u;
  struct view x, y;            /* of the block's images and the chunk's group, or block of groups */
  float *out;
  struct conv_range units, channels;
  int64_t images;
  struct conv_range rows, cols; /* of the block, in y */
  int32_t adds;
  struct gemm_stretch *stretch;
  float *copy, *room;
  int64_t row_step;            /* from channel to channel of x, where these are rows */
  struct dealing dealing;
  const float *end;            /* of x */
  float *dealt;
};

static struct conv_range overlap(struct conv_range a, struct conv_range b) {
  struct conv_range both = {most(a.first, b.first), least(a.end, b.end)};
  return both.first < both.end ? both : (struct conv_range){0, 0};
}

/* The positions of x under those of y. */
static struct conv_range under(const struct conv_axis *a, struct conv_range y) {
  int64_t reach = (a->kernel - 1) * a->dilation + 1;
  struct conv_range x = {y.first * a->stride - a->padding, (y.end - 1) * a->stride - a->padding + reach};
  return overlap(x, (struct conv_range){0, a->x});
}

/* Some channels of the block's pixels, in a copy as wide as a panel. */
static struct view copy_channels(const struct job *j, const struct view *v, struct conv_range rows, struct conv_range cols,
                                 int64_t channel, int64_t columns, int64_t width) {
  int64_t h = rows.end - rows.first, w = cols.end - cols.first;
  for (int64_t n = 0; n < j->images; n++)
    for (int64_t r = 0; r < h; r++)
      j->k->gemm->pack_rows(j->copy + (n * h + r) * w * width, at(v, rows.first + r, cols.first) + n * v->image_step + channel,
                            v->pixel_step, w, columns, width);
  return (struct view){j->copy, rows.first, cols.first, h * w * width, w * width, width};
}

/* What the block's pixels of y meet of x, dealt out: a pixel is (channel of a group, lane). */
static struct view deal(const struct job *j, const struct view *v) {
  struct conv_axis ah = conv_axis_h(j->s), aw = conv_axis_w(j->s);
  struct conv_range rows = under(&ah, j->rows), cols = under(&aw, j->cols);
  int64_t h = rows.end - rows.first, w = cols.end - cols.first, pixel = j->dealing.depth * j->row_step;
  for (int64_t n = 0; n < j->images; n++)
    for (int64_t r = 0; r < h; r++)
      j->k->conv->deal(j->dealt + (n * h + r) * w * pixel, at(v, rows.first + r, cols.first) + n * v->image_step, j->end, w,
                       &j->dealing);
  return (struct view){j->dealt, rows.first, cols.first, h * w * pixel, w * pixel, pixel};
}

/* ------------------------------------------------------------------ tiles */

/* Sums over pixels: of `rows` numbers of A and a panel of B, from the pixels a and b on. */
struct sums { const float *a, *b; float *out; int64_t rows, columns, width, ldc; int32_t adds; struct conv_span span[3]; };

/* Along the row of the image, if that is long enough, else along the longest way. */
static void lay_stretches(const struct job *j, struct conv_span span[3], struct gemm_tile *t) {
  int best = 2;
  for (int d = 1; d >= 0 && span[2].count < FEW_PIXELS; d--)
    if (span[d].count > span[best].count) best = d;
  struct conv_span along = span[best], one = span[best == 0], two = span[best == 2 ? 1 : 2];
  t->k = along.count, t->k_step = along.step_a, t->b_step = along.step_b;
  t->stretches = 0;
  for (int64_t p = 0; p < one.count; p++)
    for (int64_t q = 0; q < two.count; q++)
      j->stretch[t->stretches++] = (struct gemm_stretch){p * one.step_a + q * two.step_a, p * one.step_b + q * two.step_b};
}

static void run_sums(const struct job *j, struct sums *m) {
  const struct gemm_kernels *g = j->k->gemm;
  struct gemm_tile t = {.a = m->a, .b = m->b, .c = m->out, .stretch = j->stretch, .row_step = j->row_step, .ldc = m->ldc,
                        .add = (int8_t)m->adds};
  lay_stretches(j, m->span, &t);
  gemm_tile_fn *const *tile = j->u.dealt ? g->lanes : m->width == g->width ? g->tile : g->tile_narrow;
  int64_t tiles = pieces(m->rows, j->u.dealt ? g->lane_rows : g->rows);
  for (int64_t i = 0; i < tiles; i++) {
    struct conv_range r = conv_piece(m->rows, tiles, i);
    int64_t rows = r.end - r.first;
    if (m->columns == m->width) tile[rows](&t);
    else gemm_tile_partial(tile[rows], t, rows, m->columns, m->width, j->room);
    t.a += rows * t.row_step;
    t.c += rows * t.ldc;
  }
}

/* ------------------------------------------------------------------ rows of y, columns of x */

static void run_tap(const struct job *j, int64_t tap, const struct view *x, int64_t channel, int64_t columns, int64_t width) {
  const struct conv_shape *s = j->s;
  struct conv_axis ah = conv_axis_h(s), aw = conv_axis_w(s);
  struct conv_range h = overlap(conv_axis_meets(&ah, tap / s->kw), j->rows);
  struct conv_range w = overlap(conv_axis_meets(&aw, tap % s->kw), j->cols);
  int32_t none = h.first == h.end || w.first == w.end;
  if (none && j->adds) return;
  int64_t depth = conv_depth_x(s), row = conv_taps(s) * depth;
  struct sums m = {.out = j->out + j->channels.first * row + tap * depth + channel, .rows = j->channels.end - j->channels.first,
                   .columns = columns, .width = width, .ldc = row, .adds = j->adds};
  if (!none) {
    m.a = at(&j->y, h.first, w.first) + j->channels.first;
    m.b = at(x, h.first * s->sh - s->ph + tap / s->kw * s->dh, w.first * s->sw - s->pw + tap % s->kw * s->dw);
    m.span[0] = (struct conv_span){j->images, j->y.image_step, x->image_step};
    m.span[1] = (struct conv_span){h.end - h.first, j->y.row_step, s->sh * x->row_step};
    m.span[2] = (struct conv_span){w.end - w.first, j->y.pixel_step, s->sw * x->pixel_step};
  }
  run_sums(j, &m);
}

static void run_block(const struct job *j) {
  const struct gemm_kernels *g = j->k->gemm;
  struct conv_axis h = conv_axis_h(j->s), w = conv_axis_w(j->s);
  int64_t depth = conv_depth_x(j->s);
  for (int64_t c = 0; c < depth; c += g->width) {
    int64_t columns = least(g->width, depth - c), width = columns <= g->narrow ? g->narrow : g->width;
    struct view x = j->x;
    x.base += c;
    if (columns < width) x = copy_channels(j, &j->x, under(&h, j->rows), under(&w, j->cols), c, columns, width);
    for (int64_t tap = j->units.first; tap < j->units.end; tap++) run_tap(j, tap, &x, c, columns, width);
  }
}

/* ------------------------------------------------------------------ turned: rows of x, columns of y */

/* Pixels h x w of y, all of which find taps [q.first, q.end) of row i of the kernel inside of x. */
static void run_row(const struct job *j, int64_t i, struct conv_range h, struct conv_range w, struct conv_range q,
                    const struct view *y, int64_t channel, int64_t columns, int64_t width) {
  const struct conv_shape *s = j->s;
  int64_t depth = conv_depth_x(s), outputs = turned_columns(j->k, s);
  struct sums m = {.out = j->out + (i * s->kw + q.first) * depth * outputs + channel, .rows = (q.end - q.first) * depth,
                   .columns = columns, .width = width, .ldc = outputs, .adds = 1};
  m.a = at(&j->x, h.first * s->sh - s->ph + i * s->dh, w.first * s->sw - s->pw + q.first * s->dw);
  m.b = at(y, h.first, w.first);
  m.span[0] = (struct conv_span){j->images, j->x.image_step, y->image_step};
  m.span[1] = (struct conv_span){h.end - h.first, s->sh * j->x.row_step, y->row_step};
  m.span[2] = (struct conv_span){w.end - w.first, s->sw * j->x.pixel_step, y->pixel_step};
  run_sums(j, &m);
}

static void run_turned_unit(const struct job *j, int64_t unit, const struct view *y, int64_t channel, int64_t columns,
                            int64_t width) {
  struct conv_axis ah = conv_axis_h(j->s), aw = conv_axis_w(j->s);
  int64_t i = j->u.joined ? unit : unit / j->s->kw, q = unit % j->s->kw;
  struct conv_range h = overlap(conv_axis_meets(&ah, i), j->rows), w = overlap(conv_axis_meets(&aw, q), j->cols);
  if (h.first == h.end) return;
  if (!j->u.joined) {
    if (w.first < w.end) run_row(j, i, h, w, (struct conv_range){q, q + 1}, y, channel, columns, width);
    return;
  }
  struct conv_line line = conv_line(&aw, CONV_F, 0);
  for (int64_t t = j->cols.first, n; t < j->cols.end; t += n) {
    n = least(conv_line_alike(&line, t), j->cols.end - t);
    struct conv_range taps = conv_line_taps(&line, t);
    if (taps.first < taps.end) run_row(j, i, h, (struct conv_range){t, t + n}, taps, y, channel, columns, width);
  }
}

static void run_turned_block(const struct job *j) {
  const struct gemm_kernels *g = j->k->gemm;
  for (int64_t c = j->channels.first; c < j->channels.end; c += g->width) {
    int64_t columns = least(g->width, j->channels.end - c), width = columns <= g->narrow ? g->narrow : g->width;
    struct view y = j->y;
    y.base += c;
    if (columns < width) y = copy_channels(j, &j->y, j->rows, j->cols, c, columns, width);
    for (int64_t unit = j->units.first; unit < j->units.end; unit++) run_turned_unit(j, unit, &y, c, columns, width);
  }
}

static void clear_turned(const struct job *j) {
  int64_t outputs = turned_columns(j->k, j->s), unit = conv_depth_x(j->s) * (j->u.joined ? j->s->kw : 1);
  int64_t count = j->u.dealt ? outputs : j->channels.end - j->channels.first;
  for (int64_t r = j->units.first * unit; r < j->units.end * unit; r++)
    memset(j->out + r * outputs + j->channels.first, 0, (size_t)count * sizeof(float));
}

/* ------------------------------------------------------------------ chunks of the first pass */

static void run_blocks(struct job *j, const float *x, const float *y, struct conv_range images) {
  const struct conv_shape *s = j->s;
  struct block b = block_of(j->k, s);
  int64_t block_images = most(1, b.images), rows = most(1, b.rows), cols = most(1, b.cols);
  for (int64_t n = images.first; n < images.end; n += block_images) {
    j->images = least(block_images, images.end - n);
    const struct view all = whole(x + n * s->h * s->w * s->c, s->h, s->w, s->c);
    j->x = all;
    j->y = whole(y + n * s->oh * s->ow * s->o, s->oh, s->ow, s->o);
    for (int64_t h = 0; h < s->oh; h += rows)
      for (int64_t w = 0; w < s->ow; w += cols) {
        j->rows = (struct conv_range){h, least(h + rows, s->oh)};
        j->cols = (struct conv_range){w, least(w + cols, s->ow)};
        if (j->u.dealt) j->x = deal(j, &all);
        (j->u.turned ? run_turned_block : run_block)(j);
        j->adds = 1;
      }
  }
}

static int64_t stretch_floats(const struct conv_shape *s, const struct block *b) {
  int64_t count = most(1, b->images) * most(1, b->rows) * most(1, b->cols);
  (void)s;
  return round_up(count * (int64_t)(sizeof(struct gemm_stretch) / sizeof(float)), ALIGNMENT);
}

static struct conv_range channel_range(const struct kernels *k, const struct conv_shape *s, const struct cut *u, int64_t block,
                                       int64_t piece) {
  int64_t channels = block_channels(k, s, block), width = k->gemm->width;
  if (!u->turned) return conv_piece(channels, u->channel_pieces, piece);
  struct conv_range panels = conv_piece(pieces(channels, width), u->channel_pieces, piece);
  return (struct conv_range){panels.first * width, least(panels.end * width, channels)};
}

/* The dealt x lies behind the copy of y. */
static void set_dealing(struct job *j, const struct conv_operands *o, const struct block *b) {
  const struct conv_shape *s = j->s;
  int64_t depth = conv_depth_x(s), width = conv_depth_y(s), window = (j->channels.end - j->channels.first) / width * depth;
  j->dealing = (struct dealing){(int32_t)depth, (int32_t)width, (int32_t)window, s->c};
  j->dealt = j->copy + b->images * b->rows * b->cols * j->k->lanes;
  j->end = o->a + s->n * s->h * s->w * s->c;
}

static void sum_pixels(const struct kernels *k, const struct conv_shape *s, const struct conv_operands *o, int64_t chunk,
                       float *scratch) {
  struct job j = {.k = k, .s = s, .u = cut_of(k, s)};
  struct block b = block_of(k, s);
  int64_t channel_piece = chunk % j.u.channel_pieces;
  chunk /= j.u.channel_pieces;
  j.units = conv_piece(j.u.units, j.u.unit_pieces, chunk % j.u.unit_pieces);
  chunk /= j.u.unit_pieces;
  struct conv_range images = conv_piece(s->n, j.u.parts, chunk % j.u.parts);
  int64_t block = chunk / j.u.parts, part = chunk % j.u.parts, group = block * conv_together(k, s), sums = block_sums(k, s);
  j.channels = channel_range(k, s, &j.u, block, channel_piece);
  j.out = is_direct(&j.u) ? o->out + block * sums : (float *)o->shared + (part * conv_blocks(k, s) + block) * sums;
  j.stretch = (struct gemm_stretch *)(void *)scratch;
  j.room = scratch + stretch_floats(s, &b);
  j.copy = j.room + (k->gemm->rows + 1) * k->gemm->width;
  j.row_step = j.u.dealt ? k->lanes : 1;
  if (j.u.dealt) set_dealing(&j, o, &b);
  if (j.u.turned) clear_turned(&j);
  run_blocks(&j, o->a + group * conv_depth_x(s), o->b + group * conv_depth_y(s), images);
  if (!j.adds && !j.u.turned) { /* not one pixel */
    int64_t row = conv_taps(s) * conv_depth_x(s), first = j.units.first * conv_depth_x(s), end = j.units.end * conv_depth_x(s);
    for (int64_t c = j.channels.first; c < j.channels.end; c++)
      memset(j.out + c * row + first, 0, (size_t)(end - first) * sizeof(float));
  }
}

/* ------------------------------------------------------------------ the second pass */

void conv_add_pairwise(const struct kernels *k, float *from, int64_t step, int64_t parts, int64_t count) {
  for (int64_t apart = 1; apart < parts; apart *= 2)
    for (int64_t i = 0; i + apart < parts; i += 2 * apart)
      k->vec[VEC_ADD](from + i * step, from + i * step, from + (i + apart) * step, NULL, count);
}

static void add_parts(const struct kernels *k, const struct conv_shape *s, const struct cut *u, float *out, float *shared,
                      int64_t chunk) {
  int64_t all = s->groups * conv_group_weights(s), first = chunk * SUM_FLOATS, count = least(SUM_FLOATS, all - first);
  conv_add_pairwise(k, shared + first, all, u->parts, count);
  memcpy(out + first, shared + first, (size_t)count * sizeof *out);
}

/* Of a block's (tap and channel of x, column), some rows. */
static int64_t turned_rows(const struct kernels *k, const struct conv_shape *s) {
  return most(1, SUM_FLOATS / turned_columns(k, s));
}

static int64_t turned_chunks(const struct kernels *k, const struct conv_shape *s) {
  return pieces(conv_taps(s) * conv_depth_x(s), turned_rows(k, s));
}

static void add_turned(const struct kernels *k, const struct conv_shape *s, const struct cut *u, float *out, float *shared,
                       int64_t chunk) {
  int64_t block = chunk / turned_chunks(k, s), first = chunk % turned_chunks(k, s) * turned_rows(k, s);
  int64_t all = conv_taps(s) * conv_depth_x(s), rows = least(turned_rows(k, s), all - first), outputs = turned_columns(k, s);
  float *from = shared + block * block_sums(k, s) + first * outputs;
  float *to = out + block * conv_together(k, s) * conv_group_weights(s) + first;
  conv_add_pairwise(k, from, conv_blocks(k, s) * block_sums(k, s), u->parts, rows * outputs);
  for (int64_t c = 0; c < block_channels(k, s, block); c++)
    for (int64_t r = 0; r < rows; r++) to[c * all + r] = from[r * outputs + c];
}

/* ------------------------------------------------------------------ entry */

static int32_t passes(const struct kernels *k, const struct conv_shape *s) {
  struct cut u = cut_of(k, s);
  return is_direct(&u) ? 1 : 2;
}

static int64_t chunks(const struct kernels *k, const struct conv_shape *s, int32_t pass) {
  struct cut u = cut_of(k, s);
  if (pass == 0) return conv_blocks(k, s) * u.parts * u.unit_pieces * u.channel_pieces;
  return u.turned ? conv_blocks(k, s) * turned_chunks(k, s) : pieces(s->groups * conv_group_weights(s), SUM_FLOATS);
}

static int64_t copy_floats(const struct kernels *k, const struct conv_shape *s, const struct block *b) {
  struct conv_axis h = conv_axis_h(s), w = conv_axis_w(s);
  int64_t x = least(h.x, (b->rows - 1) * h.stride + (h.kernel - 1) * h.dilation + 1) *
              least(w.x, (b->cols - 1) * w.stride + (w.kernel - 1) * w.dilation + 1);
  if (conv_is_dealt(k, s)) return b->images * (b->rows * b->cols + x * conv_depth_x(s)) * k->lanes;
  return b->images * most(x, b->rows * b->cols) * k->gemm->width;
}

static size_t scratch_bytes(const struct kernels *k, const struct conv_shape *s) {
  struct block b = block_of(k, s);
  int64_t tile = (k->gemm->rows + 1) * k->gemm->width;
  return (size_t)(stretch_floats(s, &b) + tile + most(0, copy_floats(k, s, &b))) * sizeof(float);
}

static size_t shared_bytes(const struct kernels *k, const struct conv_shape *s) {
  struct cut u = cut_of(k, s);
  return is_direct(&u) ? 0 : (size_t)(u.parts * conv_blocks(k, s) * block_sums(k, s)) * sizeof(float);
}

static void run(const struct kernels *k, const struct conv_shape *s, const struct conv_operands *o, int32_t pass, int64_t chunk,
                float *scratch) {
  struct cut u = cut_of(k, s);
  if (pass == 0) sum_pixels(k, s, o, chunk, scratch);
  else (u.turned ? add_turned : add_parts)(k, s, &u, o->out, o->shared, chunk);
}

const struct conv_method conv_weight = {.passes = passes, .chunks = chunks, .scratch = scratch_bytes, .shared = shared_bytes,
                                        .run = run};
