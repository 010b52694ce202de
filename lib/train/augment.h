/* gan_augment's text, checked before there is a graph. */
#ifndef GAN_TRAIN_AUGMENT_H
#define GAN_TRAIN_AUGMENT_H

#include "base/options.h"

gan_status augment_check(gan_context *ctx, const char *text);

#endif
