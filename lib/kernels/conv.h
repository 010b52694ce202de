/* Private to the convolutions: the arithmetic of shapes, what a way of computing has to offer, and what is compiled for each
 * instruction set. */
#ifndef GAN_KERNELS_CONV_H
#define GAN_KERNELS_CONV_H

#include "kernels/kernels.h"

static inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t pieces(int64_t n, int64_t size) { return (n + size - 1) / size; }
static inline int64_t round_up(int64_t n, int64_t to) { return pieces(n, to) * to; }

/* ------------------------------------------------------------------ shapes (conv_shape.c) */

struct conv_range { int64_t first, end; };

/* Indices from 0 on, below limit, with 0 <= start + index * step < size. */
struct conv_range conv_inside(int64_t start, int64_t step, int64_t size, int64_t limit);

/* Piece `index` of n things in so many pieces, as even as can be. */
struct conv_range conv_piece(int64_t n, int64_t pieces, int64_t index);

int64_t conv_taps(const struct conv_shape *s);
int64_t conv_depth_x(const struct conv_shape *s);       /* channels of one group */
int64_t conv_depth_y(const struct conv_shape *s);
int64_t conv_group_weights(const struct conv_shape *s); /* of one group */

/* Groups of few channels are dealt out to the lanes of vectors: several together are a block, the last one of fewer. */
int32_t conv_is_dealt(const struct kernels *k, const struct conv_shape *s);
int64_t conv_together(const struct kernels *k, const struct conv_shape *s);
int64_t conv_blocks(const struct kernels *k, const struct conv_shape *s);

/* One axis of a convolution. */
struct conv_axis { int64_t x, y, kernel, stride, dilation, padding; };
struct conv_axis conv_axis_h(const struct conv_shape *s);
struct conv_axis conv_axis_w(const struct conv_shape *s);

/* F and X along one axis: position t < count of the result lies at out + t * out_step, and takes from position
 * t * move + base + q * delta of the source, q < taps, where that is in [0, size), with tap first_tap + q * tap_step of the
 * kernel. X runs through the kernel backwards, and has a line for each position of its result within a stride. */
struct conv_line { int64_t count, out, out_step, move, base, delta, size, taps, first_tap, tap_step; };
int64_t conv_lines(const struct conv_axis *a, int32_t product);
struct conv_line conv_line(const struct conv_axis *a, int32_t product, int64_t index);
struct conv_line conv_line_within(struct conv_line line, struct conv_range out); /* the part whose results lie in a range */

/* The taps q that find a source at position t, and how many positions from t on find the same ones. */
struct conv_range conv_line_taps(const struct conv_line *line, int64_t t);
int64_t conv_line_alike(const struct conv_line *line, int64_t t);

/* The positions of y whose tap i meets x. */
struct conv_range conv_axis_meets(const struct conv_axis *a, int64_t i);

/* Places in a tensor, count of them, `step` apart; two steps where two tensors are walked together. */
struct conv_span { int64_t count, step_a, step_b; };

/* ------------------------------------------------------------------ ways of computing */

struct conv_operands { const float *a, *b, *bias; float *out; void *shared; };

struct conv_method {
  int32_t (*passes)(const struct kernels *k, const struct conv_shape *s);
  int64_t (*chunks)(const struct kernels *k, const struct conv_shape *s, int32_t pass);
  size_t (*scratch)(const struct kernels *k, const struct conv_shape *s);
  size_t (*shared)(const struct kernels *k, const struct conv_shape *s);
  void (*run)(const struct kernels *k, const struct conv_shape *s, const struct conv_operands *o, int32_t pass, int64_t chunk,
              float *scratch);
  size_t (*packed_bytes)(const struct kernels *k, const struct conv_shape *s);
  void (*pack)(const struct kernels *k, const struct conv_shape *s, const float *w, float *packed);
};

extern const struct conv_method conv_gather;          /* F and X */
extern const struct conv_method conv_weight;          /* W */
extern const struct conv_method conv_depthwise;       /* all products, where each channel is a group */
extern const struct conv_method conv_winograd;        /* F and X, for some shapes (conv_winograd.h) */
extern const struct conv_method conv_winograd_weight; /* W, for some shapes */

/* `count` numbers of part i lie at from + i * step: their sum comes to lie in part 0. */
void conv_add_pairwise(const struct kernels *k, float *from, int64_t step, int64_t parts, int64_t count);

int32_t conv_is_depthwise(const struct conv_shape *s);

/* Whether Winograd's way exists for this shape, and is expected to be faster. */
int32_t conv_winograd_pays(const struct conv_shape *s);

/* ------------------------------------------------------------------ compiled for each instruction set */

/* Groups of a source: `depth` channels each, `window` in all, for `width` channels of the result each; step: between pixels. */
struct dealing { int32_t depth, width, window; int64_t step; };

struct combination;
struct transforms; /* conv_winograd.h */

struct conv_kernels {
  /* conv_deal.c: to[p][i][lane] = channel i of the group that the lane belongs to, of pixel p; nothing is read from `end` on */
  void (*deal)(float *to, const float *from, const float *end, int64_t pixels, const struct dealing *d);
  void (*combine)(float *to, int64_t to_step, const struct combination *c, int64_t columns, int64_t channels);
  const struct transforms *transforms; /* [points] */
};

#endif
