/* The test column of ops.def, read: shapes, domains and attributes of what the generated tests feed an op.
 *
 *     "3x4 4 -2..2 apart=0 [axis=1]; 5:i4 ..."
 *
 * Shapes come first, one an input ("scalar": rank 0; "5:i4": i32, below 4), then low..high of the values. apart=K: values keep
 * 0.1 away from the multiples of K (K = 0: from 0). separate: all values of all inputs differ. Attributes stand in brackets. */
#ifndef GAN_TESTS_OP_CASES_H
#define GAN_TESTS_OP_CASES_H

#include "ops/op.h"

enum { CASE_INPUTS = 6, CASES_MAX = 12 };

struct case_input {
  int64_t shape[GAN_MAX_RANK], classes; /* classes: 0 for f32 */
  int32_t rank;
};

struct op_case {
  struct case_input in[CASE_INPUTS], code; /* code, still: losses only */
  double low, high, apart; /* apart < 0: no matter */
  int64_t begin, end, before, after, rows, classes, to[GAN_MAX_RANK];
  int32_t axes[GAN_MAX_RANK], order[GAN_MAX_RANK];
  struct window window;          /* convolutions; to: kernel of a weight */
  int32_t pad[4];                /* of the image: top, bottom, left, right */
  int32_t n_in, separate, still, n_axes, n_order, to_rank, axis, ta, tb;
};

/* The column of an op, by its index; how many cases it has, or -1 if it cannot be read. */
const char *op_column(int32_t op);
int32_t op_cases_read(const char *column, struct op_case *cases);

/* The op by its builder on inputs of the case; NULL if there is no builder for it here. */
gan_node *op_case_build(const struct op *op, const struct op_case *c, gan_node *const *in);

/* The same case in bigger sizes, of `salt`. Sizes that were equal stay so. */
void op_case_grow(const struct op *op, struct op_case *c, uint64_t salt);

/* Values of one input: floats, or (classes > 0) whole numbers. */
int64_t case_count(const struct case_input *in);
void op_case_fill(const struct op_case *c, int32_t input, uint64_t salt, float *out);

/* Uniform in low .. high; element i of a stream named by salt. */
double test_random(uint64_t salt, uint64_t i, double low, double high);

#endif
