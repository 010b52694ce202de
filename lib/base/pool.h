/* A pool of threads that run one function together and meet at barriers. Barriers spin briefly, then sleep. */
#ifndef GAN_BASE_POOL_H
#define GAN_BASE_POOL_H

#include <stdint.h>
#include "base/context.h"

struct pool;

/* Runs on every worker 0 .. workers-1 at once; worker 0 is the calling thread. */
typedef void pool_fn(void *argument, int32_t worker, int32_t workers);

gan_status pool_create(gan_context *ctx, int32_t threads, struct pool **out);   /* threads >= 1; 1 makes none */
void pool_free(struct pool *p);                                                  /* joins; NULL ok; may run on any thread, also a worker's caller */
int32_t pool_threads(const struct pool *p);                                      /* 1 for NULL */
/* p may be NULL (one thread): then no lock, no system call. Denormals are flushed while fn runs and the control word of the
 * caller is as before afterwards. Not reentrant. */
void pool_run(struct pool *p, pool_fn *fn, void *argument);
/* Inside fn: all workers wait for each other. No-op with one thread. */
void pool_barrier(struct pool *p);

#endif
