/* What functions of nodes that give one number share. */
#ifndef GAN_TRAIN_TERMS_H
#define GAN_TRAIN_TERMS_H

#include "ops/build.h"

/* NULL if a and b are f32 of one graph and one shape; else the error node. who: the public name without gan_. */
gan_node *pair_bad(const char *who, gan_node *a, gan_node *b);
/* NULL if x is f32, (batch, columns). */
gan_node *rows_bad(const char *who, gan_node *x);
/* NULL if rows is f32, (batch, columns), and labels i32, (batch). */
gan_node *labels_bad(const char *who, gan_node *rows, gan_node *labels);

/* Sum over all axes but the first: one number a sample. */
gan_node *sum_per_sample(gan_node *x);
gan_node *mean_per_sample(gan_node *x);
/* Sum over the last axis. */
gan_node *sum_columns(gan_node *x);

/* n x n matrices with ones on the diagonal, and everywhere else. */
gan_node *node_identity(gan_graph *g, int64_t n);
gan_node *node_off_diagonal(gan_graph *g, int64_t n);

/* Logarithms of weights, which are not negative; so far down for 0 that no exponential sees it. */
gan_node *node_log_weights(gan_node *weights);

/* Rows of x, each of length 1; a row of zeros stays so. */
gan_node *unit_rows(gan_node *x);

#endif
