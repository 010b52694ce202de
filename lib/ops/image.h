/* Resizing, pooling and padding of images (n,h,w,c) and sequences (n,length,c), as public functions and layers share them. */
#ifndef GAN_OPS_IMAGE_H
#define GAN_OPS_IMAGE_H

#include "ops/conv.h"

/* who: for sentences. NULL if x is an image (axes = 2) or a sequence (axes = 1); else the error node. */
gan_node *image_bad(const char *who, gan_node *x, int32_t axes);

/* ---------------------------------------------------------------------------------------------------------------- resize */

enum resize_mode { RESIZE_NEAREST, RESIZE_BILINEAR };

/* "nearest", "bilinear" or "linear"; -1 for anything else. */
int32_t resize_mode_of(const char *text);

/* An image in another size; corners are not aligned. Whole factors of nearest only repeat, so that readers can look through. */
gan_node *node_resize(const char *who, gan_node *x, int64_t height, int64_t width, int32_t mode);

/* What the image n repeats, and how often along height and width; NULL if it is no such repetition. */
gan_node *node_repeated(gan_node *n, int64_t factor[2]);

/* --------------------------------------------------------------------------------------------------------------- pooling */

struct pool_options {
  int32_t axes, average, include_padding, same;
  int64_t kernel[2], stride[2], padding[4];
};

#define POOL_OPTION_ROWS \
  {"kernel", OPTION_TEXT, 0, 0, NULL, "pixels that become one: a size, or height x width as 2x1"}, \
  {"stride", OPTION_TEXT, 0, 0, "kernel", "step between places of the kernel; default: as the kernel"}, \
  {"padding", OPTION_TEXT, 0, 0, "0", "around the image: a size below the kernel's, same, valid, or top,bottom,left,right"}
#define AVERAGE_POOL_OPTION_ROWS \
  POOL_OPTION_ROWS, {"count-include-pad", OPTION_FLAG, 0, 0, "yes", "the padding's zeros count in the mean"}
enum { POOL_OPTION_COUNT = 3, AVERAGE_POOL_OPTION_COUNT = 4 };

/* Of a table that has POOL_OPTION_ROWS (maximum) or AVERAGE_POOL_OPTION_ROWS among its rows. */
gan_status pool_options_read(const char *who, const struct options *o, int32_t axes, int32_t average, struct pool_options *out);
gan_node *node_pool(const char *who, gan_node *x, const struct pool_options *o);

/* The mean or the maximum of oh x ow tiles of an image; what no tile holds is cut off. */
gan_node *pool_tiles(gan_node *x, const int64_t tile[2], int64_t oh, int64_t ow, int32_t average);

/* --------------------------------------------------------------------------------------------------------------- padding */

enum pad_mode { PAD_ZERO, PAD_REFLECT, PAD_REPLICATE };

/* "zero", "reflect" or "replicate"; -1 for anything else. */
int32_t pad_mode_of(const char *text);

/* padding: top, bottom, left, right (of a sequence the last two); negative ones cut. */
gan_node *node_pad_image(const char *who, gan_node *x, int32_t mode, const int64_t padding[4]);

#endif
