/* Initializers: how a new variable gets its values. A row of initializers.def, made from text like everything with a name. */
#ifndef GAN_NN_INITIALIZER_H
#define GAN_NN_INITIALIZER_H

#include "base/options.h"
#include "base/rng.h"
#include "graph/graph.h"

/* What a row fills: count numbers; random ones are elements 0 .. of the stream `key`. */
struct filling {
  gan_context *ctx;
  const struct options *options;
  const struct variable *variable;
  struct rng_key key;
  float *data;
  int64_t count;
  int64_t rows, columns;         /* of the weight as a matrix (shape[0], the rest) */
  double fan_in, fan_out;
};

struct initializer_row {
  const char *name, *help;
  int32_t n_options;
  const struct option *options;
  gan_status (*fill)(const struct filling *f);
};

#define INITIALIZER(name) extern const struct initializer_row initializer_##name;
#include "nn/initializers.def"
#undef INITIALIZER

int32_t initializer_count(void);
const struct initializer_row *initializer_at(int32_t index);          /* NULL past the end */
const struct initializer_row *initializer_find(const char *name);     /* '_' stands for '-' too; NULL if there is none */

/* Fills v->data by v->init with the stream (seed, v->stream). Fan-in and fan-out of a weight (out, in): in and out; of a
 * convolution's (out, .., in) the receptive field between them multiplies both; of vectors both are the number of elements. A
 * transposed convolution's weight (in, .., out) counts the same way round, as PyTorch's and TensorFlow's do. */
gan_status variable_initialize(struct variable *v, uint64_t seed);
gan_status initializer_check(gan_context *ctx, const char *who, const char *text);   /* who: for the sentence */

#endif
