/* Random tensors: a distribution is a row with its parameters and the value of element i. */
#include <string.h>

#include "base/options.h"
#include "base/rng.h"
#include "base/tensor.h"

/* What a row draws from. a and b are its first two parameters. */
struct draw { struct rng_key key; double a, b; int64_t count; };

struct distribution {
  const char *name;
  int32_t n_options;
  const struct option *options;
  gan_status (*check)(const gan_tensor *t, const struct draw *d); /* NULL: all is well */
  double (*value)(const struct draw *d, int64_t i);
};

/* ------------------------------------------------------------------ the rows */

/* What an element can hold as a whole number: i32 all of its own, f32 up to 2^24. */
static const double I32_LOW = INT32_MIN, I32_HIGH = 2147483648.0, F32_WHOLE = 16777216.0;

static const struct option normal_options[] = {
  {"mean", OPTION_NUMBER, 0, 0, "0", "mean"},
  {"std", OPTION_NUMBER, 0, 1e300, "1", "standard deviation"},
};

static const struct option uniform_options[] = {
  {"low", OPTION_NUMBER, 0, 0, "0", "least value"},
  {"high", OPTION_NUMBER, 0, 0, "1", "bound of the values"},
};

static const struct option integers_options[] = {
  {"low", OPTION_INT, -2147483648.0, 2147483648.0, "0", "least number"},
  {"high", OPTION_INT, -2147483648.0, 2147483648.0, "10", "bound of the numbers, itself excluded"},
};

static double normal_value(const struct draw *d, int64_t i) {
  return d->a + d->b * (double)rng_normal(&d->key, (uint64_t)i);
}

static double truncated_value(const struct draw *d, int64_t i) {
  return d->a + d->b * (double)rng_truncated_normal(&d->key, (uint64_t)i);
}

static double uniform_value(const struct draw *d, int64_t i) {
  double u = (double)rng_uniform(&d->key, (uint64_t)i);
  return d->a * (1 - u) + d->b * u; /* b - a could overflow */
}

static double integers_value(const struct draw *d, int64_t i) {
  return d->a + rng_below(&d->key, (uint64_t)i, (uint32_t)(d->b - d->a));
}

static double permutation_value(const struct draw *d, int64_t i) {
  return (double)rng_permute(&d->key, i, d->count);
}

static gan_status uniform_check(const gan_tensor *t, const struct draw *d) {
  REQUIRE(t->ctx, d->a <= d->b, "uniform: low is above high");
  return GAN_OK;
}

static int32_t holds_whole(const gan_tensor *t, double low, double high) {
  if (t->type == GAN_I32) return low >= I32_LOW && high <= I32_HIGH;
  return t->type == GAN_F64 || (low >= -F32_WHOLE && high <= F32_WHOLE + 1);
}

static gan_status integers_check(const gan_tensor *t, const struct draw *d) {
  REQUIRE(t->ctx, d->a < d->b && d->b - d->a <= UINT32_MAX, "integers: expected low < high, and at most 4294967295 numbers");
  REQUIRE(t->ctx, holds_whole(t, d->a, d->b), "integers: %s does not hold all whole numbers of this range", type_name(t->type));
  return GAN_OK;
}

static gan_status permutation_check(const gan_tensor *t, const struct draw *d) {
  REQUIRE(t->ctx, holds_whole(t, 0, (double)d->count), "permutation: %s does not hold all whole numbers below %lld",
          type_name(t->type), (long long)d->count);
  return GAN_OK;
}

static const struct distribution distributions[] = {
  {"normal", 2, normal_options, NULL, normal_value},
  {"truncated-normal", 2, normal_options, NULL, truncated_value},
  {"uniform", 2, uniform_options, uniform_check, uniform_value},
  {"integers", 2, integers_options, integers_check, integers_value},
  {"permutation", 0, NULL, permutation_check, permutation_value},
};

enum { DISTRIBUTIONS = sizeof distributions / sizeof *distributions };

/* ------------------------------------------------------------------ from a line to numbers */

static const char *distribution_name(int32_t i) {
  return i < DISTRIBUTIONS ? distributions[i].name : NULL;
}

/* NULL after gan_fail. */
static const struct distribution *find_distribution(gan_context *ctx, const char *name) {
  for (int32_t i = 0; i < DISTRIBUTIONS; i++)
    if (strcmp(name, distributions[i].name) == 0) return &distributions[i];
  fail_unknown(ctx, "gan_tensor_random", "distribution", name, distribution_name);
  return NULL;
}

static gan_status parse_parameters(gan_context *ctx, const struct distribution *row, const char *rest, struct draw *d) {
  struct options o;
  gan_status status = options_parse(ctx, row->name, row->options, row->n_options, rest, &o);
  d->a = o.number[0];
  d->b = o.number[1];
  options_free(&o);
  return status;
}

gan_status gan_tensor_random(gan_tensor *tensor, const char *distribution, int64_t seed) {
  if (!tensor) return GAN_ERROR_ARGUMENT;
  gan_context *ctx = tensor->ctx;
  char name[64];
  struct draw d = {.key = rng_stream((uint64_t)seed, rng_hash("tensor"), 0), .count = tensor->count};
  REQUIRE(ctx, distribution, "gan_tensor_random: distribution is NULL");
  REQUIRE(ctx, tensor->type != GAN_U8, "gan_tensor_random: the tensor is u8; expected f32, f64 or i32");
  const char *rest = line_name(distribution, name, sizeof name);
  REQUIRE(ctx, rest, "gan_tensor_random: distribution is empty");
  const struct distribution *row = find_distribution(ctx, name);
  if (!row) return GAN_ERROR_ARGUMENT;
  TRY(parse_parameters(ctx, row, rest, &d));
  if (row->check) TRY(row->check(tensor, &d));

  char *data = tensor->data;
  int64_t step = type_bytes(tensor->type);
  for (int64_t i = 0; i < tensor->count; i++) {
    double value = row->value(&d, i);
    convert_elements(tensor->type, data + i * step, GAN_F64, &value, 1);
  }
  return GAN_OK;
}
