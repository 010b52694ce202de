/* Convolutions: the three products as nodes, and the options that builders, pooling and layers share. */
#ifndef GAN_OPS_CONV_H
#define GAN_OPS_CONV_H

#include "base/options.h"
#include "ops/build.h"

/* ----------------------------------------------------------------------------------------------------------------- nodes
 *
 * One form that is linear in x (n,h,w,c), w (o,kh,kw,c/groups) and y (n,oh,ow,o); each node makes one of the three from the other
 * two, and the derivatives of each are the other two. The sizes that do not follow from the inputs are asked for.
 */
gan_node *node_conv(gan_node *x, gan_node *w, const struct window *v, int64_t oh, int64_t ow);
gan_node *node_conv_input(gan_node *y, gan_node *w, const struct window *v, int64_t h, int64_t width);
gan_node *node_conv_weight(gan_node *x, gan_node *y, const struct window *v, int64_t kh, int64_t kw);

/* --------------------------------------------------------------------------------------------------------------- options */

enum { CONV_SIZE_MAX = 1 << 20 };   /* of strides, dilations and padding, so that positions cannot overflow */

struct conv_options {
  int32_t axes;                     /* 2: images; 1: sequences */
  int32_t same;                     /* the padding follows from the sizes instead */
  int64_t stride[2], dilation[2];   /* height, width; of one axis: 1, length */
  int64_t padding[4];               /* top, bottom, left, right; negative: a crop */
  int64_t output_padding[2];        /* transposed: what the result is longer at its end */
  int64_t groups;
};

/* Rows of struct option. A layer puts them into its own table; conv_options_read finds them by name. */
#define CONV_OPTION_PADDING \
  {"padding", OPTION_TEXT, 0, 0, "0", "around the image: a size, same, valid, or top,bottom,left,right; negative crops"}
#define CONV_OPTION_ROWS \
  {"stride", OPTION_TEXT, 0, 0, "1", "step between places of the kernel: a size, or height x width as 2x1"}, \
  CONV_OPTION_PADDING, \
  {"dilation", OPTION_TEXT, 0, 0, "1", "step between taps of the kernel"}, \
  {"groups", OPTION_INT, 1, 1e6, "1", "parts of the channels that do not see each other"}
#define CONV_TRANSPOSE_OPTION_ROWS \
  CONV_OPTION_ROWS, {"output-padding", OPTION_TEXT, 0, 0, "0", "what the result is longer by at bottom and right"}
enum { CONV_OPTION_COUNT = 4, CONV_TRANSPOSE_OPTION_COUNT = 5 };

/* "2" or "2x3" of an image (axes = 2), "2" of a sequence (axes = 1: first becomes sizes[0]), each at least `low`. */
gan_status conv_sizes_read(gan_context *ctx, const char *who, const char *option, const char *text, int32_t axes, int64_t first,
                           int64_t low, int64_t sizes[2]);
/* "1", "1x2", "1,1,2,2", "same" or "valid"; of a sequence "1", "1,2", "same" or "valid". */
gan_status conv_padding_read(gan_context *ctx, const char *who, const char *text, int32_t axes, int64_t padding[4], int32_t *same);
/* Of a table that has CONV_OPTION_ROWS or CONV_TRANSPOSE_OPTION_ROWS among its rows. */
gan_status conv_options_read(const char *who, const struct options *o, int32_t axes, struct conv_options *out);

/* ------------------------------------------------------------------------------------------------------------ convolutions
 *
 * Images (n,h,w,c) with weights (o,kh,kw,c/groups), or sequences (n,l,c) with weights (o,k,c/groups); transposed: weights
 * (c,kh,kw,o/groups) or (c,k,o/groups). who: for sentences.
 */
gan_node *node_convolve(const char *who, gan_node *x, gan_node *weight, const struct conv_options *o);
gan_node *node_convolve_transposed(const char *who, gan_node *x, gan_node *weight, const struct conv_options *o);

/* Zeros before and after of a kernel of `size` taps, so that the result has ceil(length / stride) places. */
void conv_same_padding(int64_t length, int64_t size, int64_t stride, int64_t dilation, int64_t padding[2]);

/* A sequence as an image of one row, and back. */
gan_node *node_as_image(gan_node *x);
gan_node *node_as_sequence(gan_node *x);

#endif
