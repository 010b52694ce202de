/* What the builders of nodes share: checks that end in a sentence, shapes, and the ways in which an op becomes a node. */
#ifndef GAN_OPS_BUILD_H
#define GAN_OPS_BUILD_H

#include "ops/op.h"

enum { ANY_TYPE = -1, SHAPE_TEXT = 160 };

/* NULL if all nodes are good, of one graph and of the type asked for; else the error node that the caller returns. who: the
 * public name without gan_, for the sentence. */
gan_node *nodes_bad(const char *who, int32_t type, int32_t count, gan_node *const *nodes);
gan_node *node_bad(const char *who, int32_t type, gan_node *x);

/* NULL if a graph and what else it needs (any pointer) are there and a node can be added; else the error node. */
gan_node *graph_bad(gan_graph *g, const char *who, const void *needed, const char *what);

/* 1 and the shape of a leaf, whose first size may have come as -1: the batch of the graph's game; or 0 after graph_fail. */
int32_t shape_of_batch(gan_graph *g, const char *who, const char *name, int32_t rank, const int64_t *shape,
                       int64_t sizes[GAN_MAX_RANK]);

/* 1 and *axis within 0 .. rank - 1; or 0 after graph_fail. axes: several at once, as a bit an axis. */
int32_t axis_ok(const char *who, gan_node *x, int32_t *axis);
int32_t axes_ok(const char *who, gan_node *x, int32_t count, const int32_t *axes, uint32_t *bits);

/* "3x4" of a node, in the caller's buffer. */
const char *node_text(const gan_node *n, char buffer[SHAPE_TEXT]);

/* Shape that several shapes broadcast to, as in NumPy; 0 if they do not. */
int32_t shapes_broadcast(int32_t count, gan_node *const *nodes, int32_t *rank, int64_t shape[GAN_MAX_RANK]);
int32_t node_has_shape(const gan_node *n, int32_t rank, const int64_t *shape);
int32_t nodes_same_shape(const gan_node *a, const gan_node *b);

/* An elementwise op on its inputs: checks, broadcasts, simplifies (simplify.c), and makes the node if still needed. */
gan_node *node_elementwise(const struct op *op, gan_node *const *in);
gan_node *node_unary(const struct op *op, gan_node *x);
gan_node *node_binary(const struct op *op, gan_node *a, gan_node *b);

/* A simpler node of the given shape that equals op(in), or NULL. Peels broadcasts off `in` that the op does itself. */
gan_node *node_simplified(const struct op *op, gan_node **in, int32_t rank, const int64_t *shape);

/* Reductions by a bit an axis; the axes are dropped, or stay with size 1. node_unreduced gives dropped axes back, of size 1. */
gan_node *node_sum(gan_node *x, uint32_t axes, int32_t keep);
gan_node *node_max(gan_node *x, uint32_t axes, int32_t keep);
gan_node *node_unreduced(gan_node *reduced, const gan_node *x, uint32_t axes);

/* 0, 1, .. n - 1 as i32. */
gan_node *node_positions(gan_graph *g, int64_t n);

/* A constant repeated to a shape, and x repeated to the shape of another node. */
gan_node *node_full(gan_graph *g, double value, int32_t rank, const int64_t *shape);
gan_node *node_like(gan_node *x, const gan_node *shape_of);

/* values (indices.., w..) added up into rows of (rows, w..). */
gan_node *node_scatter(gan_node *values, gan_node *indices, int64_t rows);

/* table with the rows that indices (..), all different, say replaced by values (.., w..). */
gan_node *node_update_rows(gan_node *table, gan_node *indices, gan_node *values);

/* The nearest whole numbers, as i32. */
gan_node *node_to_int(gan_node *x);

#endif
