/* Convolutions in which every channel is a group by itself: F, X and W.
 *
 * Nothing is shared between channels, so vectors run along them: for every pixel of the result (W: of y) and every tap that finds
 * a pixel of the source (W: of x), one multiply-and-add of all channels. Weights are turned to (tap, channel) for it, and back.
 */
#include "kernels/conv.h"

#include <string.h>

enum {
  CHUNK_FLOPS = 500000, /* a smaller piece is not worth a thread's while */
  CHUNKS = 32           /* of a large product; W: as many sums, which are added pairwise */
};

/* ------------------------------------------------------------------ the taps of a position */

/* So many taps, from `tap` of the kernel and `from` of the source on. */
struct reach { int64_t count, tap, tap_step, from, from_step; };

static struct reach reach_of(const struct conv_axis *a, int32_t product, int64_t position) {
  int64_t step = product == CONV_X ? a->stride : 1, t = position / step;
  struct conv_line l = conv_line(a, product, position % step);
  struct conv_range q = conv_line_taps(&l, t);
  struct reach r = {.count = q.end - q.first, .tap = l.first_tap + q.first * l.tap_step, .tap_step = l.tap_step,
                    .from = t * l.move + l.base + q.first * l.delta, .from_step = l.delta};
  if (product == CONV_X) r.tap = a->kernel - 1 - r.tap, r.tap_step = -r.tap_step; /* lines number taps from the end */
  return r;
}

/* ------------------------------------------------------------------ rows of pixels */

struct job {
  const struct kernels *k;
  const struct conv_shape *s;
  int32_t like;                 /* W goes through the pixels as F does */
  int64_t height, width;        /* of the images that are gone through ... */
  int64_t from_height, from_width;
  const float *from, *by;
  float *to;
  int64_t to_pixel, to_tap, by_pixel, by_tap; /* steps: the result lies by pixels, and the factor by taps; for W the other way */
  struct reach *reach;          /* of every column */
};

static void run_pixel(const struct job *j, const struct reach *h, const struct reach *w, const float *from, float *to,
                      const float *by) {
  int64_t c = j->s->c;
  for (int64_t i = 0; i < h->count; i++)
    for (int64_t v = 0; v < w->count; v++) {
      int64_t tap = (h->tap + i * h->tap_step) * j->s->kw + w->tap + v * w->tap_step;
      const float *x = from + ((h->from + i * h->from_step) * j->from_width + w->from + v * w->from_step) * c;
      j->k->vec[VEC_FMA](to + tap * j->to_tap, x, by + tap * j->by_tap, to + tap * j->to_tap, c);
    }
}

static void run_row(const struct job *j, int64_t row) {
  struct conv_axis h = conv_axis_h(j->s);
  struct reach r = reach_of(&h, j->like, row % j->height);
  const float *from = j->from + row / j->height * j->from_height * j->from_width * j->s->c;
  for (int64_t i = 0; i < j->width; i++) {
    int64_t pixel = row * j->width + i;
    run_pixel(j, &r, &j->reach[i], from, j->to + pixel * j->to_pixel, j->by + pixel * j->by_pixel);
  }
}

static void set_columns(const struct job *j) {
  struct conv_axis w = conv_axis_w(j->s);
  for (int64_t i = 0; i < j->width; i++) j->reach[i] = reach_of(&w, j->like, i);
}

/* ------------------------------------------------------------------ F and X */

static void set_bias(const struct conv_shape *s, const float *bias, float *to, int64_t pixels) {
  size_t bytes = (size_t)s->c * sizeof *to;
  if (!bias) memset(to, 0, (size_t)pixels * bytes);
  for (int64_t i = 0; bias && i < pixels; i++) memcpy(to + i * s->c, bias, bytes);
}

static void activate(const struct kernels *k, const struct conv_shape *s, float *to, int64_t n) {
  if (s->act == GEMM_TANH) k->vec[VEC_TANH](to, to, NULL, NULL, n);
  if (s->act == GEMM_SIGMOID) k->vec[VEC_SIGMOID](to, to, NULL, NULL, n);
  if (s->act != GEMM_LEAKY) return;
  float slope = s->slope;
  for (int64_t i = 0; i < n; i++) to[i] = to[i] < 0.0f ? slope == 0.0f ? 0.0f : to[i] * slope : to[i];
}

static struct job job_of(const struct kernels *k, const struct conv_shape *s, const float *from, float *scratch) {
  struct job j = {.k = k, .s = s, .like = s->product == CONV_X ? CONV_X : CONV_F, .from = from};
  int32_t forwards = j.like == CONV_F;
  j.height = forwards ? s->oh : s->h, j.width = forwards ? s->ow : s->w;
  j.from_height = forwards ? s->h : s->oh, j.from_width = forwards ? s->w : s->ow;
  j.reach = (struct reach *)(void *)scratch;
  set_columns(&j);
  return j;
}

static int64_t row_chunks(const struct conv_shape *s) {
  int64_t rows = s->n * (s->product == CONV_X ? s->h : s->oh);
  return most(1, least(least(CHUNKS, rows), conv_flops(s) / CHUNK_FLOPS));
}

static struct conv_range rows_of(const struct conv_shape *s, int64_t chunk) {
  return conv_piece(s->n * (s->product == CONV_X ? s->h : s->oh), row_chunks(s), chunk);
}

static void run_results(const struct kernels *k, const struct conv_shape *s, const struct conv_operands *o, const float *weights,
                        int64_t chunk, float *scratch) {
  struct job j = job_of(k, s, o->a, scratch);
  j.to = o->out, j.to_pixel = s->c;
  j.by = weights, j.by_tap = s->c;
  struct conv_range rows = rows_of(s, chunk);
  for (int64_t r = rows.first; r < rows.end; r++) {
    float *row = o->out + r * j.width * s->c;
    set_bias(s, o->bias, row, j.width);
    run_row(&j, r);
    activate(k, s, row, j.width * s->c);
  }
}

/* ------------------------------------------------------------------ W */

static int64_t weights_of(const struct conv_shape *s) {
  return conv_taps(s) * s->c;
}

static void run_sums(const struct kernels *k, const struct conv_shape *s, const struct conv_operands *o, int64_t chunk,
                     float *scratch) {
  struct job j = job_of(k, s, o->a, scratch);
  j.to = (float *)o->shared + chunk * weights_of(s), j.to_tap = s->c;
  j.by = o->b, j.by_pixel = s->c;
  memset(j.to, 0, (size_t)weights_of(s) * sizeof *j.to);
  struct conv_range rows = rows_of(s, chunk);
  for (int64_t r = rows.first; r < rows.end; r++) run_row(&j, r);
}

/* to (columns, rows) = from (rows, columns) */
static void turn(float *to, const float *from, int64_t rows, int64_t columns) {
  for (int64_t c = 0; c < columns; c++)
    for (int64_t r = 0; r < rows; r++) to[c * rows + r] = from[r * columns + c];
}

/* ------------------------------------------------------------------ entry */

int32_t conv_is_depthwise(const struct conv_shape *s) {
  return s->groups > 1 && s->c == s->groups && s->o == s->groups;
}

static int32_t passes(const struct kernels *k, const struct conv_shape *s) {
  (void)k;
  return s->packed ? 1 : 2;
}

/* F and X turn the weights first, W last. */
static int32_t turns_weights(const struct conv_shape *s, int32_t pass) {
  return !s->packed && pass == (s->product == CONV_W);
}

static int64_t chunks(const struct kernels *k, const struct conv_shape *s, int32_t pass) {
  (void)k;
  return turns_weights(s, pass) ? 1 : row_chunks(s);
}

static size_t scratch_bytes(const struct kernels *k, const struct conv_shape *s) {
  (void)k;
  return (size_t)(s->product == CONV_X ? s->w : s->ow) * sizeof(struct reach);
}

static size_t packed_bytes(const struct kernels *k, const struct conv_shape *s) {
  (void)k;
  return (size_t)weights_of(s) * sizeof(float);
}

static size_t shared_bytes(const struct kernels *k, const struct conv_shape *s) {
  if (s->product == CONV_W) return (size_t)row_chunks(s) * packed_bytes(k, s);
  return s->packed ? 0 : packed_bytes(k, s);
}

static void pack(const struct kernels *k, const struct conv_shape *s, const float *w, float *packed) {
  (void)k;
  turn(packed, w, s->c, conv_taps(s));
}

static void run(const struct kernels *k, const struct conv_shape *s, const struct conv_operands *o, int32_t pass, int64_t chunk,
                float *scratch) {
  if (s->product != CONV_W) {
    if (turns_weights(s, pass)) pack(k, s, o->b, o->shared);
    else run_results(k, s, o, s->packed ? o->b : o->shared, chunk, scratch);
  } else if (turns_weights(s, pass)) {
    conv_add_pairwise(k, o->shared, weights_of(s), row_chunks(s), weights_of(s));
    turn(o->out, o->shared, conv_taps(s), s->c);
  } else {
    run_sums(k, s, o, chunk, scratch);
  }
}

const struct conv_method conv_depthwise = {passes, chunks, scratch_bytes, shared_bytes, run, packed_bytes, pack};
