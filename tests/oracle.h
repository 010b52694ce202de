/* The oracle: evaluates any graph node by node in f64 with plain loops, one function an op, found by name. For tests only: it
 * knows nothing of kernels, plans or fusion, so that what it says can be compared with them. */
#ifndef GAN_TESTS_ORACLE_H
#define GAN_TESTS_ORACLE_H

#include "ops/op.h"

/* Where values of leaves come from. leaf: called for every input, variable and stop_gradient node; gives n->count numbers, or NULL:
 * then a scalar has its initial value, a variable its own floats, stop_gradient what goes into it, and an input is an error. */
struct oracle_source {
  const double *(*leaf)(void *user, const gan_node *n);
  void *user;
  uint64_t seed, step;   /* of random nodes */
};

struct oracle;

/* Values of all nodes that the roots depend on, and of no others. NULL if one of them cannot be evaluated; *why says which. */
struct oracle *oracle_run(const struct oracle_source *source, int32_t n_roots, gan_node *const *roots, const char **why);
const double *oracle_value(const struct oracle *o, const gan_node *n);   /* n->count numbers; indices as whole numbers */
void oracle_free(struct oracle *o);

/* 1 if the oracle has a function for an op of this name. */
int32_t oracle_knows(const char *op);

#endif
