/* The arithmetic of convolutions' shapes. */
#include "kernels/conv.h"

enum { FEW_CHANNELS = 8 /* of a group: more fill enough of a panel by themselves */ };

struct conv_range conv_piece(int64_t n, int64_t count, int64_t index) {
  int64_t size = n / count, longer = n % count, first = index * size + least(index, longer);
  return (struct conv_range){first, first + size + (index < longer)};
}

int64_t conv_taps(const struct conv_shape *s) {
  return s->kh * s->kw;
}

int64_t conv_depth_x(const struct conv_shape *s) {
  return s->c / s->groups;
}

int64_t conv_depth_y(const struct conv_shape *s) {
  return s->o / s->groups;
}

int64_t conv_group_weights(const struct conv_shape *s) {
  return conv_depth_y(s) * conv_taps(s) * conv_depth_x(s);
}

int32_t conv_is_dealt(const struct kernels *k, const struct conv_shape *s) {
  int64_t fitting = s->product == CONV_W ? k->lanes / 2 : k->lanes;
  return s->groups > 1 && most(conv_depth_x(s), conv_depth_y(s)) <= least(FEW_CHANNELS, fitting);
}

int64_t conv_together(const struct kernels *k, const struct conv_shape *s) {
  return conv_is_dealt(k, s) ? k->lanes / most(conv_depth_x(s), conv_depth_y(s)) : 1;
}

int64_t conv_blocks(const struct kernels *k, const struct conv_shape *s) {
  return pieces(s->groups, conv_together(k, s));
}

int64_t conv_flops(const struct conv_shape *s) {
  return 2 * s->n * s->oh * s->ow * s->o * conv_taps(s) * conv_depth_x(s);
}

/* ------------------------------------------------------------------ axes */

struct conv_axis conv_axis_h(const struct conv_shape *s) {
  return (struct conv_axis){s->h, s->oh, s->kh, s->sh, s->dh, s->ph};
}

struct conv_axis conv_axis_w(const struct conv_shape *s) {
  return (struct conv_axis){s->w, s->ow, s->kw, s->sw, s->dw, s->pw};
}

struct conv_range conv_inside(int64_t start, int64_t step, int64_t size, int64_t limit) {
  if (start >= 0 && start + (limit - 1) * step < size) return (struct conv_range){0, limit};
  int64_t first = start < 0 ? pieces(-start, step) : 0, end = start < size ? least((size - 1 - start) / step + 1, limit) : 0;
  return first < end ? (struct conv_range){first, end} : (struct conv_range){0, 0};
}

struct conv_range conv_axis_meets(const struct conv_axis *a, int64_t i) {
  return conv_inside(i * a->dilation - a->padding, a->stride, a->x, a->y);
}

/* ------------------------------------------------------------------ lines */

int64_t conv_lines(const struct conv_axis *a, int32_t product) {
  return product == CONV_F ? 1 : least(a->stride, a->x);
}

static int64_t common_divisor(int64_t a, int64_t b) {
  while (b) {
    int64_t rest = a % b;
    a = b, b = rest;
  }
  return a;
}

/* X, kernel backwards: result p takes from (p + padding - (kernel - 1) * dilation + tap * dilation) / stride where that has no
 * remainder, which is the case for every tap_step-th tap, if for any. */
static struct conv_line line_of_x(const struct conv_axis *a, int64_t index) {
  struct conv_line l = {.count = pieces(a->x - index, a->stride), .out = index, .out_step = a->stride, .move = 1, .size = a->y};
  int64_t start = index + a->padding - (a->kernel - 1) * a->dilation, candidates;
  l.tap_step = a->stride / common_divisor(a->dilation, a->stride);
  l.delta = l.tap_step * a->dilation / a->stride;
  candidates = least(l.tap_step, a->kernel);
  while (l.first_tap < candidates && (start + l.first_tap * a->dilation) % a->stride) l.first_tap++;
  if (l.first_tap == candidates) return l;
  l.base = (start + l.first_tap * a->dilation) / a->stride;
  l.taps = pieces(a->kernel - l.first_tap, l.tap_step);
  return l;
}

struct conv_line conv_line(const struct conv_axis *a, int32_t product, int64_t index) {
  if (product == CONV_X) return line_of_x(a, index);
  return (struct conv_line){.count = a->y, .out_step = 1, .move = a->stride, .base = -a->padding, .delta = a->dilation,
                            .size = a->x, .taps = a->kernel, .tap_step = 1};
}

struct conv_line conv_line_within(struct conv_line l, struct conv_range out) {
  struct conv_range t = conv_inside(l.out - out.first, l.out_step, out.end - out.first, l.count);
  l.out += t.first * l.out_step;
  l.base += t.first * l.move;
  l.count = t.end - t.first;
  return l;
}

struct conv_range conv_line_taps(const struct conv_line *l, int64_t t) {
  return conv_inside(t * l->move + l->base, l->delta, l->size, l->taps);
}

int64_t conv_line_alike(const struct conv_line *l, int64_t t) {
  struct conv_range here = conv_line_taps(l, t);
  int64_t n = 1;
  for (; t + n < l->count; n++) {
    struct conv_range there = conv_line_taps(l, t + n);
    if (there.first != here.first || there.end != here.end) break;
  }
  return n;
}
