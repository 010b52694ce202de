/* The weights of F and X in Winograd's way: G w G', in the order in which the products walk through them.
 *
 * For every phase, point of the first axis, panel and point of the second: rows of a panel, one for each channel of the source
 * and pair of segments that has a part there; of the segments, those of the first axis vary faster.
 */
#include "kernels/conv_winograd.h"

enum {
  BLOCK = 32,  /* channels and columns that are transformed at once */
  PADDING = 16 /* floats between rows that are transposed, lest they meet in the cache */
};

int64_t winograd_weights_at(const struct winograd *p, int64_t point, int64_t column) {
  int64_t row = p->in * active_before(&p->w, p->w.f->points);
  return row * (active_before(&p->h, point) * p->out + active(&p->h, point) * column);
}

int64_t winograd_weights_floats(const struct winograd *p) {
  return winograd_weights_at(p, p->h.f->points, 0);
}

int64_t winograd_weights_before(const struct conv_shape *s, int64_t phase) {
  int64_t n = 0;
  for (int64_t i = 0; i < phase; i++) {
    struct winograd p = winograd_phase(s, i);
    n += winograd_weights_floats(&p);
  }
  return n;
}

int64_t winograd_panel_width(const struct kernels *k, int64_t columns) {
  return columns <= k->gemm->narrow ? k->gemm->narrow : k->gemm->width;
}

/* ------------------------------------------------------------------ a block of a panel, for a pair of segments */

struct block {
  const struct kernels *k;
  const struct conv_shape *s;
  const struct winograd *p;
  const float *w;
  int64_t channel, channels, column, width;
  int32_t h, v; /* segments */
};

/* One array for each tap of the second axis, at a point of the first: (columns, channels) for F, (channels, columns) for X. */
static void transform_rows(const struct block *b, int64_t point, float (*to)[BLOCK * BLOCK]) {
  const struct segment *h = &b->p->h.segment[b->h], *v = &b->p->w.segment[b->v];
  int32_t f = b->s->product == CONV_F;
  int64_t row = conv_taps(b->s) * b->s->c;
  const float *w = b->w + (f ? b->column * row + b->channel : b->channel * row + b->column);
  for (int32_t i = 0; i < v->taps; i++) {
    const float *from = w + (h->tap * b->s->kw + v->tap + i * v->tap_step) * b->s->c;
    struct combination c = winograd_terms(from, h->tap_step * b->s->kw * b->s->c, b->p->h.f->g[point], 1, h->taps);
    c.step = row;
    b->k->conv->combine(to[i], BLOCK, &c, f ? b->width : b->channels, f ? b->channels : b->width);
  }
}

/* `panel` is where the row of points starts. */
static void transform_block(const struct block *b, int64_t point, float *panel) {
  const struct winograd_axis *v = &b->p->w;
  float rows[WINOGRAD_TAPS][BLOCK * BLOCK], turned[BLOCK * (BLOCK + PADDING)];
  int64_t lines = active(&b->p->h, point);
  transform_rows(b, point, rows);
  for (int64_t i = 0; i < v->f->points && b->v < active(v, i); i++) {
    struct combination c = winograd_terms(rows[0], BLOCK * BLOCK, v->f->g[i], 1, v->segment[b->v].taps);
    int64_t line = lines * active_before(v, i) + b->v * lines + b->h;
    float *to = panel + (line * b->p->in + b->channel) * b->width;
    c.step = BLOCK;
    if (b->s->product == CONV_X) {
      b->k->conv->combine(to, b->width, &c, b->channels, b->width);
    } else {
      b->k->conv->combine(turned, BLOCK + PADDING, &c, b->width, b->channels);
      b->k->gemm->pack_transposed(to, turned, BLOCK + PADDING, b->channels, b->width, b->width);
    }
  }
}

static void transform_panel(struct block b, float *to) {
  for (b.channel = 0; b.channel < b.p->in; b.channel += BLOCK) {
    b.channels = least(BLOCK, b.p->in - b.channel);
    for (b.h = 0; b.h < b.p->h.segments; b.h++)
      for (b.v = 0; b.v < b.p->w.segments; b.v++)
        for (int64_t point = 0; point < b.p->h.f->points && b.h < active(&b.p->h, point); point++)
          transform_block(&b, point, to + winograd_weights_at(b.p, point, b.column));
  }
}

/* ------------------------------------------------------------------ entry */

int64_t winograd_pack_chunks(const struct kernels *k, const struct conv_shape *s) {
  return winograd_phases(s) * pieces(s->product == CONV_F ? s->o : s->c, k->gemm->width);
}

void winograd_pack_chunk(const struct kernels *k, const struct conv_shape *s, const float *w, float *to, int64_t chunk) {
  int64_t panels = winograd_pack_chunks(k, s) / winograd_phases(s), phase = chunk / panels;
  struct winograd p = winograd_phase(s, phase);
  struct block b = {.k = k, .s = s, .p = &p, .w = w, .column = chunk % panels * k->gemm->width};
  b.width = winograd_panel_width(k, p.out - b.column);
  transform_panel(b, to + winograd_weights_before(s, phase));
}
