/* Folds: a convolution beside a change of size is one convolution at the smaller size. */
#ifndef GAN_OPS_FOLD_H
#define GAN_OPS_FOLD_H

#include "ops/image.h"

/* What node_conv(x, w, v, oh, ow) comes to where x is another image with its pixels repeated; NULL if there is nothing to fold. */
gan_node *fold_repeated(gan_node *x, gan_node *w, const struct window *v, int64_t oh, int64_t ow);

/* The means of x (n,h,w,c) over tiles, oh x ow of them, where x is a convolution, with a bias perhaps, that nobody else reads;
 * NULL if there is nothing to fold. */
gan_node *fold_pooled(gan_node *x, const int64_t tile[2], int64_t oh, int64_t ow);

#endif
