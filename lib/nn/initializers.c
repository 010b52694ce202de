/* The initializers that fill every element alike: constants, uniform and normal numbers. */
#include "kernels/kernels.h"
#include "nn/initializer.h"

#include <math.h>

static gan_status fill_constant(const struct filling *f, double value) {
  for (int64_t i = 0; i < f->count; i++) f->data[i] = (float)value;
  return GAN_OK;
}

/* shift + scale * numbers of a random kernel. */
static gan_status fill_random(const struct filling *f, random_fn *random, double shift, double scale) {
  random(f->data, f->count, &f->key, 0);
  for (int64_t i = 0; i < f->count; i++) f->data[i] = (float)(shift + scale * (double)f->data[i]);
  return GAN_OK;
}

static gan_status fill_within(const struct filling *f, double bound) {
  return fill_random(f, f->ctx->kernels->uniform, -bound, 2 * bound);
}

/* ------------------------------------------------------------------ constants */

static gan_status zeros_fill(const struct filling *f) { return fill_constant(f, 0); }
const struct initializer_row initializer_zeros = {"zeros", "All 0.", 0, NULL, zeros_fill};

static gan_status ones_fill(const struct filling *f) { return fill_constant(f, 1); }
const struct initializer_row initializer_ones = {"ones", "All 1.", 0, NULL, ones_fill};

static const struct option constant_options[] = {{"value", OPTION_NUMBER, -1e38, 1e38, NULL, "of every element"}};
static gan_status constant_fill(const struct filling *f) { return fill_constant(f, option_number(f->options, "value")); }
const struct initializer_row initializer_constant = {"constant", "All one value.", 1, constant_options, constant_fill};

/* ------------------------------------------------------------------ distributions as they are */

static const struct option uniform_options[] = {
  {"low", OPTION_NUMBER, -1e38, 1e38, "0", "lower bound, included"},
  {"high", OPTION_NUMBER, -1e38, 1e38, "1", "upper bound, excluded"},
};

static gan_status uniform_fill(const struct filling *f) {
  double low = option_number(f->options, "low"), high = option_number(f->options, "high");
  return fill_random(f, f->ctx->kernels->uniform, low, high - low);
}

const struct initializer_row initializer_uniform = {"uniform", "Uniform in low .. high.", 2, uniform_options, uniform_fill};

static const struct option normal_options[] = {
  {"mean", OPTION_NUMBER, -1e38, 1e38, "0", "mean"},
  {"std", OPTION_NUMBER, 0, 1e38, "1", "standard deviation (truncated: before the cut)"},
};

static gan_status normal_fill(const struct filling *f) {
  return fill_random(f, f->ctx->kernels->normal, option_number(f->options, "mean"), option_number(f->options, "std"));
}

const struct initializer_row initializer_normal = {"normal", "Normal; DCGAN takes std=0.02.", 2, normal_options, normal_fill};

static gan_status truncated_normal_fill(const struct filling *f) {
  return fill_random(f, f->ctx->kernels->truncated_normal, option_number(f->options, "mean"), option_number(f->options, "std"));
}

const struct initializer_row initializer_truncated_normal = {
  "truncated-normal", "Normal, cut at two standard deviations.", 2, normal_options, truncated_normal_fill,
};

/* ------------------------------------------------------------------ by the widths of the weight */

static gan_status pytorch_fill(const struct filling *f) { return fill_within(f, 1 / sqrt(f->fan_in)); }

const struct initializer_row initializer_pytorch = {
  "pytorch", "Uniform within 1/sqrt(fan-in), the default of PyTorch's Linear (He's uniform with a = sqrt 5).",
  0, NULL, pytorch_fill,
};

static const struct option gain_options[] = {{"gain", OPTION_NUMBER, 0, 1e6, "1", "multiplies"}};

static gan_status glorot_uniform_fill(const struct filling *f) {
  return fill_within(f, option_number(f->options, "gain") * sqrt(6 / (f->fan_in + f->fan_out)));
}

const struct initializer_row initializer_glorot_uniform = {
  "glorot-uniform", "Uniform within gain sqrt(6 / (fan-in + fan-out)) (Glorot and Bengio 2010).",
  1, gain_options, glorot_uniform_fill,
};

static gan_status glorot_normal_fill(const struct filling *f) {
  return fill_random(f, f->ctx->kernels->normal, 0, option_number(f->options, "gain") * sqrt(2 / (f->fan_in + f->fan_out)));
}

const struct initializer_row initializer_glorot_normal = {
  "glorot-normal", "Normal with std gain sqrt(2 / (fan-in + fan-out)) (Glorot and Bengio 2010).",
  1, gain_options, glorot_normal_fill,
};

static const struct option he_options[] = {{"slope", OPTION_NUMBER, 0, 1, "0", "of the leaky ReLU that follows"}};

/* Standard deviation that keeps the variance through a leaky ReLU. */
static double he_std(const struct filling *f) {
  double slope = option_number(f->options, "slope");
  return sqrt(2 / ((1 + slope * slope) * f->fan_in));
}

static gan_status he_uniform_fill(const struct filling *f) { return fill_within(f, sqrt(3) * he_std(f)); }

const struct initializer_row initializer_he_uniform = {
  "he-uniform", "Uniform with variance 2 / ((1 + slope^2) fan-in) (He et al. 2015).", 1, he_options, he_uniform_fill,
};

static gan_status he_normal_fill(const struct filling *f) { return fill_random(f, f->ctx->kernels->normal, 0, he_std(f)); }

const struct initializer_row initializer_he_normal = {
  "he-normal", "Normal with variance 2 / ((1 + slope^2) fan-in) (He et al. 2015).", 1, he_options, he_normal_fill,
};
