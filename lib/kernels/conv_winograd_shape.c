/* The arithmetic of shapes in Winograd's way, and when it pays. */
#include "kernels/conv.h"
#include "kernels/conv_winograd.h"

struct winograd_form winograd_form(const struct conv_shape *s) {
  int64_t r = s->kh / s->sh, parts = s->sh;
  return (struct winograd_form){r, r + 1, s->product == CONV_X ? 1 : parts, s->product == CONV_X ? parts : 1, (r + 1) * (r + 1)};
}

struct conv_line winograd_line(const struct conv_axis *a, int32_t product, int64_t index) {
  if (product == CONV_X) return conv_line(a, CONV_X, index);
  return (struct conv_line){.count = a->y, .out_step = 1, .move = a->stride, .base = index - a->padding, .delta = a->stride,
                            .size = a->x, .taps = a->kernel / a->stride, .first_tap = index, .tap_step = a->stride};
}

/* ------------------------------------------------------------------ tiles */

struct winograd_grid winograd_grid(const struct conv_shape *s) {
  if (s->product == CONV_X) return (struct winograd_grid){pieces(s->h, 2 * s->sh), pieces(s->w, 2 * s->sw)};
  return (struct winograd_grid){pieces(s->oh, 2), pieces(s->ow, 2)};
}

struct winograd_place winograd_place(const struct conv_shape *s, int64_t index) {
  struct winograd_grid g = winograd_grid(s);
  return (struct winograd_place){index / (g.rows * g.cols), index / g.cols % g.rows * 2, index % g.cols * 2};
}

void winograd_pixels(const float **to, const float *x, int64_t channels, struct winograd_place p, const struct conv_line *h,
                     const struct conv_line *w, int64_t n, const float *zeros) {
  int64_t top = p.h * h->delta + h->base, left = p.w * w->delta + w->base;
  for (int64_t i = 0; i < n; i++) {
    int64_t row = top + i * h->delta, in_row = row >= 0 && row < h->size;
    const float *from = x + ((p.image * h->size + (in_row ? row : 0)) * w->size) * channels;
    for (int64_t j = 0; j < n; j++) {
      int64_t column = left + j * w->delta;
      to[i * n + j] = in_row && column >= 0 && column < w->size ? from + column * channels : zeros;
    }
  }
}

/* ------------------------------------------------------------------ whether it pays */

static int32_t has_form(const struct conv_shape *s) {
  int32_t square = s->kh == s->kw && s->sh == s->sw && s->dh == 1 && s->dw == 1 && s->groups == 1;
  int32_t known = (s->kh == 3 && s->sh == 1) || (s->kh == 4 && s->sh == 2);
  return square && known && s->c % WINOGRAD_CHANNELS == 0 && s->o % WINOGRAD_CHANNELS == 0;
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

/* Both ways in multiply-adds for each pair of channels; the constants are measured with tests/bench/conv_bench. With packed
 * weights the batch must not matter: what counts then is a single image, and the reading of the weights. */
int32_t winograd_pays(const struct conv_shape *s) {
  if (!has_form(s)) return 0;
  struct winograd_form f = winograd_form(s);
  struct conv_axis h = conv_axis_h(s), w = conv_axis_w(s);
  struct winograd_grid g = winograd_grid(s);
  int32_t like = s->product == CONV_X ? CONV_X : CONV_F;
  double n = s->packed ? 1 : (double)s->n, tiles = (double)(g.rows * g.cols) * n, products = (double)f.products;
  double parts = (double)(s->sh * s->sw), weights = s->packed ? 12 : 5, plain_weights = s->packed ? 12 : 2;
  double plain = taps_met(&h, like) * taps_met(&w, like) * n + plain_weights * (double)conv_taps(s);
  double depth = (double)(s->product == CONV_F ? s->c : s->o), columns = (double)(s->product == CONV_F ? s->o : s->c);
  double each = s->product == CONV_W ? 1.2 : 1.05 + 4 / columns + 4 * (double)(f.phases * f.phases) / (parts * depth);
  return products * parts * (tiles * each + weights) < 0.93 * plain;
}
