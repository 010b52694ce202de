/* Runs a graph in f32 on the kernels of one instruction set, node by node on one thread: elementwise ops through their vector
 * function, all others through the calls of their lowering. No plan is involved. */
#ifndef GAN_TESTS_OP_RUNNER_H
#define GAN_TESTS_OP_RUNNER_H

#include "ops/op.h"

struct runner {
  const struct kernels *kernels;
  const void *(*leaf)(void *user, const gan_node *n); /* values of an input: n->count floats or int32s */
  void *user;
  uint64_t seed, step;
  int32_t use_blas;
  /* results: of node id, n->count elements */
  void **value;
  int32_t count;
};

/* Evaluates what a node depends on, and itself; gives its value, which lives until runner_free. Chunks run from the last to the
 * first, and results start as NaN, so that a chunk left out or an order relied upon shows. NULL: an op that cannot be run. */
const void *runner_run(struct runner *r, const gan_node *root);
void runner_free(struct runner *r);

#endif
