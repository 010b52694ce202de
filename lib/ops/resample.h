/* Resampling: along one axis, every row of the result is a weighted sum of a few rows of x. The weights are constants, in a table
 * that the graph owns. Resizing, pooling by mean, padding by reflection and folds of kernels are such. */
#ifndef GAN_OPS_RESAMPLE_H
#define GAN_OPS_RESAMPLE_H

#include "ops/build.h"

/* Row i is the sum of weight[t] x[row[t]] for t in first[i] .. first[i + 1] - 1. */
struct resample_table {
  int64_t rows, columns;                 /* of the result, of x */
  int64_t filled;                        /* rows that are complete */
  int64_t *first, *row;
  double *weight;
  float *narrow;                         /* weight as the kernels take it */
  struct resample_table *transposed;     /* of the gradient; NULL: not made yet */
};

/* An empty table with room for `terms` in all, which are added row by row; NULL after graph_fail, which the others pass on. */
struct resample_table *resample_table_new(gan_graph *g, int64_t rows, int64_t columns, int64_t terms);
void resample_add(struct resample_table *t, int64_t row, double weight);
void resample_end_row(struct resample_table *t);

/* x with the table over its axis, which is t->columns long. x itself where the table changes nothing. */
gan_node *node_resample(gan_node *x, int32_t axis, struct resample_table *t);

#endif
