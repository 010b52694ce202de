/* A graph with inputs, and the values that the oracle (f64) and the runner (f32) are fed alike; what the tests of ops assert
 * about a node of it. Failures end the cmocka test with a sentence that begins with the stage's `what`. */
#ifndef GAN_TESTS_OP_STAGE_H
#define GAN_TESTS_OP_STAGE_H

#include "op_cases.h"
#include "oracle.h"

enum { FEEDS = 40 };

struct feed { const gan_node *node; double *wide; void *narrow; /* f32 or i32 */ };

struct stage {
  gan_context *ctx;
  gan_graph *g;
  struct feed feed[FEEDS];
  int32_t n_feeds;
  int32_t nan_spreads;   /* a NaN may come out where the oracle has none: it may have met a zero that lies around an image */
  char what[200];
};

void stage_open(struct stage *s, const char *what);
void stage_close(struct stage *s);
void assert_good(const struct stage *s);

/* A new input with room for its values: fill `wide`, then settle() rounds it to `narrow` and back. */
struct feed *new_feed(struct stage *s, int32_t type, int32_t rank, const int64_t *shape);
void settle(struct feed *f);
const struct feed *find_feed(const struct stage *s, const gan_node *n);

/* Inputs with their values: given, uniform in low .. high, or those of a case. */
gan_node *feed_values(struct stage *s, int32_t rank, const int64_t *shape, const double *values);
gan_node *feed_random(struct stage *s, int32_t rank, const int64_t *shape, double low, double high);
gan_node *feed_shape(struct stage *s, const char *shape);       /* "2x5x3", in -1 .. 1 */
gan_node *feed_variable(struct stage *s, gan_node *variable);   /* the node of a variable, which keeps its values */
void feed_case(struct stage *s, const struct op_case *c, uint64_t salt, gan_node **in);

/* What the two interpreters read them by; user is the stage. */
const double *wide_leaf(void *user, const gan_node *n);
const void *narrow_leaf(void *user, const gan_node *n);

struct oracle *ask_oracle(struct stage *s, int32_t n, gan_node *const *roots);
int32_t any_nan(struct stage *s, gan_node *y);

/* First and second derivatives of y against central differences along three random directions; up to the third, no op is emitted
 * that has no gradient rule itself. */
void check_derivatives(struct stage *s, gan_node *y, int32_t n_x, gan_node *const *x);

/* y on every instruction set that this processor runs, against the oracle. */
void check_kernels(struct stage *s, gan_node *y, int32_t use_blas);

/* Element i of a node's values, and that it is the expected one: |difference| <= tolerance * max(1, |expected|), NaN for NaN. */
double element(const gan_node *n, const void *values, int64_t i);
void assert_value(const struct stage *s, const char *isa, const gan_node *y, int64_t i, double came, double expected,
                  double tolerance);

#endif
