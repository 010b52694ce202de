/* A whole context: base's, with the kernels of this processor and threads. */
#ifndef GAN_KERNELS_RUNTIME_H
#define GAN_KERNELS_RUNTIME_H

#include "base/context.h"

/* 1 if products of this context may go to BLAS now: never in deterministic mode; with GAN_BLAS_LEAVE only while it reports one
 * thread. */
int32_t runtime_may_use_blas(const gan_context *ctx);

#endif
