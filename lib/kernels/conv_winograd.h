/* Private to the convolutions: Winograd's way to do with fewer products.
 *
 * Along one axis, two neighbouring results of a kernel of r taps are A'((G g) * (B' d)): of the r taps g and of the n = r + 1
 * positions d of the source that they meet, by n products instead of 2 r. In the plane a tile of 2x2 results costs n n products
 * for each pair of channels: 16 instead of 36 for r = 3, 9 instead of 16 for r = 2. The matrices are those for the points 0, 1,
 * -1 and infinity (r = 3) and 0, 1 and infinity (r = 2), with nothing in them but 0, 1, -1 and 1/2, so that little is lost to
 * rounding. What remains are n n products of matrices, (tiles x channels) by (channels x channels). The gradients use the same
 * matrices transposed.
 *
 * Sources: S. Winograd, Arithmetic Complexity of Computations, SIAM 1980; A. Lavin, S. Gray, Fast Algorithms for
 * Convolutional Neural Networks, CVPR 2016.
 *
 * A kernel of 4 taps and stride 2 is the sum of two kernels of 2 taps and stride 1, one on the even and one on the odd positions
 * of the source ("planes"; four of them in the plane). X of it has two interleaved results ("phases") of 2 taps each.
 */
#ifndef GAN_KERNELS_CONV_WINOGRAD_H
#define GAN_KERNELS_CONV_WINOGRAD_H

#include "kernels/gemm.h"
#include "kernels/kernels.h"

enum {
  WINOGRAD_MOST = 16,    /* products of a tile */
  WINOGRAD_CHANNELS = 16 /* all counts of channels are multiples of it */
};

/* What is done to results before they are stored, from channel `column` of bias and pixels on. */
struct winograd_finish { const float *bias; int64_t column; float slope; int8_t finish; /* enum gemm_finish */ };

/* Compiled for each instruction set. Transformed numbers lie `step` apart, channels are dense and a multiple of the lanes.
 * Pixels of a tile are given one by one, row by row, of which channels from `first` on are taken; a result that is NULL is
 * left out. */
struct conv_kernels {
  void (*source)(float *to, int64_t step, const float *const *from, int64_t first, int64_t channels, int32_t r);
  void (*taps)(float *to, int64_t step, const float *from, int64_t row, int64_t column, int64_t count, int32_t r);
  void (*taps_back)(float *to, int64_t row, int64_t column, const float *from, int64_t step, int64_t count, int32_t r);
  void (*result)(float *const *to, const float *from, int64_t step, int64_t channels, const struct winograd_finish *f, int32_t r);
  void (*result_back)(float *to, int64_t step, const float *const *from, int64_t first, int64_t channels, int32_t r);
};

#endif
