/* Which minimal filters make up a convolution: their matrices, and the cut of an axis into segments and cells. */
#include "kernels/conv_winograd.h"

#include <string.h>

enum { MOST_WEIGHTS = 6 << 20 /* floats that a third-level cache holds beside the rest */ };

/* ------------------------------------------------------------------ the matrices */

/* Those of Toom and Cook: polynomials evaluated at a few points and at infinity. Row by row: powers of a point in A; in G the same
 * over the product of its distances from the others; in B the coefficients of the product of x - q over the other points q (for
 * infinity: over all). Points that are negative, reciprocal, or both, of each other keep the numbers small: B. Barabasz, A.
 * Anderson, K. M. Soodhalter, D. Gregg, Error Analysis and Improving the Accuracy of Winograd Convolution for Deep Neural Networks,
 * 2020. The errors that were measured are in docs/performance.md. */

/* A single tap: an axis on which nothing is saved. */
static const struct minimal filter_1 = {.cell = 1, .taps = 1, .points = 1, .a = {{1}}, .g = {{1}}, .b = {{1}}};

/* 0, -1, 1/2, 2 */
static const struct minimal filter_2 = {
  .cell = 4, .taps = 2, .points = 5,
  .a = {{1}, {1, -1, 1, -1}, {1, 0.5f, 0.25f, 0.125f}, {1, 2, 4, 8}, {0, 0, 0, 1}},
  .g = {{1}, {-2 / 9.0f, 2 / 9.0f}, {-8 / 9.0f, -4 / 9.0f}, {1 / 9.0f, 2 / 9.0f}, {0, 1}},
  .b = {{1, -1.5f, -1.5f, 1}, {0, 1, -2.5f, 1}, {0, -2, -1, 1}, {0, -0.5f, 0.5f, 1}, {0, 1, -1.5f, -1.5f, 1}},
};

/* 0, 1, -1, 1/2, -2 */
static const struct minimal filter_3 = {
  .cell = 4, .taps = 3, .points = 6,
  .a = {{1}, {1, 1, 1, 1}, {1, -1, 1, -1}, {1, 0.5f, 0.25f, 0.125f}, {1, -2, 4, -8}, {0, 0, 0, 1}},
  .g = {{1}, {1 / 3.0f, 1 / 3.0f, 1 / 3.0f}, {-1 / 3.0f, 1 / 3.0f, -1 / 3.0f}, {-16 / 15.0f, -8 / 15.0f, -4 / 15.0f},
        {1 / 15.0f, -2 / 15.0f, 4 / 15.0f}, {0, 0, 1}},
  .b = {{1, -1.5f, -2, 1.5f, 1}, {0, -1, 0.5f, 2.5f, 1}, {0, 1, -2.5f, 0.5f, 1}, {0, -2, -1, 2, 1}, {0, 0.5f, -1, -0.5f, 1},
        {0, 1, -1.5f, -2, 1.5f, 1}},
};

/* 0, 1, -1, 1/2, -1/2, 2, -2 */
static const struct minimal filter_5 = {
  .cell = 4, .taps = 5, .points = 8,
  .a = {{1}, {1, 1, 1, 1}, {1, -1, 1, -1}, {1, 0.5f, 0.25f, 0.125f}, {1, -0.5f, 0.25f, -0.125f}, {1, 2, 4, 8}, {1, -2, 4, -8},
        {0, 0, 0, 1}},
  .g = {{1}, {-2 / 9.0f, -2 / 9.0f, -2 / 9.0f, -2 / 9.0f, -2 / 9.0f}, {-2 / 9.0f, 2 / 9.0f, -2 / 9.0f, 2 / 9.0f, -2 / 9.0f},
        {32 / 45.0f, 16 / 45.0f, 8 / 45.0f, 4 / 45.0f, 2 / 45.0f}, {32 / 45.0f, -16 / 45.0f, 8 / 45.0f, -4 / 45.0f, 2 / 45.0f},
        {1 / 90.0f, 2 / 90.0f, 4 / 90.0f, 8 / 90.0f, 16 / 90.0f}, {1 / 90.0f, -2 / 90.0f, 4 / 90.0f, -8 / 90.0f, 16 / 90.0f},
        {0, 0, 0, 0, 1}},
  .b = {{1, 0, -5.25f, 0, 5.25f, 0, -1}, {0, 1, 1, -4.25f, -4.25f, 1, 1}, {0, -1, 1, 4.25f, -4.25f, -1, 1},
        {0, 2, 4, -2.5f, -5, 0.5f, 1}, {0, -2, 4, 2.5f, -5, -0.5f, 1}, {0, 0.5f, 0.25f, -2.5f, -1.25f, 2, 1},
        {0, -0.5f, 0.25f, 2.5f, -1.25f, -2, 1}, {0, -1, 0, 5.25f, 0, -5.25f, 0, 1}},
};

static const struct minimal *const filters[WINOGRAD_TAPS + 1] = {NULL, &filter_1, &filter_2, &filter_3, NULL, &filter_5};

/* ------------------------------------------------------------------ an axis */

/* Taps of the longest segment where a kernel, or the longest of its phases, has so many: five, or no more than three, which take
 * fewer points and round less. */
static int64_t longest_of(int64_t taps) {
  return taps == WINOGRAD_TAPS ? WINOGRAD_TAPS : 3;
}

/* So many taps in equal segments. Given is the segment that all of them would be. */
static void add_segments(struct winograd_axis *a, int64_t longest, int64_t taps, struct segment all) {
  int64_t each = pieces(taps, pieces(taps, longest));
  for (int64_t t = 0; t < taps; t += each) {
    struct segment *s = &a->segment[a->segments++];
    *s = (struct segment){all.offset + t * a->step, all.tap + t * all.tap_step, all.tap_step, (int32_t)least(each, taps - t)};
  }
}

/* Segments with all taps come first. */
static void set_filter(struct winograd_axis *a) {
  struct segment sorted[WINOGRAD_SEGMENTS] = {{0}};
  int32_t taps = 0, n = 0;
  for (int32_t i = 0; i < a->segments; i++) taps = a->segment[i].taps > taps ? a->segment[i].taps : taps;
  for (int32_t i = 0; i < a->segments; i++)
    if (a->segment[i].taps == taps) sorted[n++] = a->segment[i];
  a->full = n;
  for (int32_t i = 0; i < a->segments; i++)
    if (a->segment[i].taps != taps) sorted[n++] = a->segment[i];
  memcpy(a->segment, sorted, sizeof sorted);
  a->f = filters[taps];
  a->cells = pieces(a->count, a->f->cell);
}

/* F and W: a kernel for each phase of the source. */
static struct winograd_axis forward_axis(const struct conv_axis *a) {
  struct winograd_axis v = {.step = a->stride, .size = a->x, .count = a->y, .out_step = 1};
  int64_t longest = longest_of(pieces(a->kernel, a->stride));
  for (int64_t i = 0; i < a->stride; i++)
    add_segments(&v, longest, pieces(a->kernel - i, a->stride), (struct segment){i - a->padding, i, a->stride, 0});
  set_filter(&v);
  return v;
}

/* X: lines number their taps from the end of the kernel. */
static struct winograd_axis backward_axis(const struct conv_axis *a, int64_t index) {
  struct conv_line l = conv_line(a, CONV_X, index);
  struct winograd_axis v = {.step = l.delta, .size = l.size, .count = l.count, .out = l.out, .out_step = l.out_step};
  add_segments(&v, longest_of(l.taps), l.taps, (struct segment){l.base, a->kernel - 1 - l.first_tap, -l.tap_step, 0});
  set_filter(&v);
  return v;
}

/* ------------------------------------------------------------------ a convolution */

int64_t winograd_phases(const struct conv_shape *s) {
  struct conv_axis h = conv_axis_h(s), w = conv_axis_w(s);
  return s->product == CONV_X ? conv_lines(&h, CONV_X) * conv_lines(&w, CONV_X) : 1;
}

struct winograd winograd_phase(const struct conv_shape *s, int64_t phase) {
  struct conv_axis h = conv_axis_h(s), w = conv_axis_w(s);
  if (s->product != CONV_X) return (struct winograd){forward_axis(&h), forward_axis(&w), s->n, s->c, s->o, 1};
  int64_t lines = conv_lines(&w, CONV_X);
  return (struct winograd){backward_axis(&h, phase / lines), backward_axis(&w, phase % lines), s->n, s->o, s->c,
                           winograd_phases(s)};
}

/* ------------------------------------------------------------------ whether it pays */

static int32_t axis_fits(const struct conv_axis *a) {
  int64_t segments = 0, longest = longest_of(pieces(a->kernel, a->stride));
  if (a->dilation != 1 || a->stride > a->kernel || a->stride > WINOGRAD_SEGMENTS) return 0;
  for (int64_t i = 0; i < a->stride; i++) segments += pieces(pieces(a->kernel - i, a->stride), longest);
  return segments <= WINOGRAD_SEGMENTS;
}

static int32_t fits(const struct conv_shape *s) {
  struct conv_axis h = conv_axis_h(s), w = conv_axis_w(s);
  return axis_fits(&h) && axis_fits(&w) && s->groups == 1 && s->c % WINOGRAD_CHANNELS == 0 && s->o % WINOGRAD_CHANNELS == 0;
}

/* Taps that find a source, over all positions of an axis. */
static double taps_met(const struct conv_axis *a, int32_t product) {
  double sum = 0;
  for (int64_t i = 0; i < conv_lines(a, product); i++) {
    struct conv_line line = conv_line(a, product, i);
    for (int64_t t = 0; t < line.count; t++) {
      struct conv_range q = conv_line_taps(&line, t);
      sum += (double)(q.end - q.first);
    }
  }
  return sum;
}

/* Of F and X: those of all points are written and read, from memory if they are many; which also bounds the workspace. */
static double weights_cost(const struct conv_shape *s) {
  if (s->product == CONV_W) return 12;
  return winograd_weights_before(s, winograd_phases(s)) > MOST_WEIGHTS ? 60 : s->packed ? 2 : 12;
}

/* Both ways in multiply-adds for each pair of channels; the constants are measured with tests/bench/conv_bench. With packed
 * weights the batch must not matter: what counts then is a single image, and the reading of the weights. */
int32_t conv_winograd_pays(const struct conv_shape *s) {
  if (!fits(s)) return 0;
  struct conv_axis h = conv_axis_h(s), w = conv_axis_w(s);
  int32_t like = s->product == CONV_X ? CONV_X : CONV_F;
  double n = s->packed ? 1 : (double)s->n, images = s->packed || s->n == 0 ? 1 : (double)s->n, weights = weights_cost(s);
  double met = taps_met(&h, like) * taps_met(&w, like), plain = met * n + (s->packed ? 12 : 2) * (double)conv_taps(s), own = 0;
  if (met == 0) return 0; /* sums over nothing are exact */
  for (int64_t i = 0; i < winograd_phases(s); i++) {
    struct winograd p = winograd_phase(s, i);
    double points = (double)(active_before(&p.h, p.h.f->points) * active_before(&p.w, p.w.f->points));
    own += points * ((double)(p.h.cells * p.w.cells) * images * (1.1 + 8 / (double)p.in + 8 / (double)p.out) + weights);
  }
  return own < 0.95 * plain;
}
