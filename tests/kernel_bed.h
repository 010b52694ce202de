/* What tests of kernels share: numbers at random, memory for vectors, every instruction set of this processor. */
#ifndef TEST_KERNEL_BED_H
#define TEST_KERNEL_BED_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "kernels/kernels.h"

extern const struct rng_key kernel_key;

int reset_stream(void **state); /* every test's setup: the stream begins anew, so that tests do not affect each other */
int64_t draw_whole(int64_t low, int64_t high);
float draw_float(float low, float high);
void *allocate(size_t bytes);
float *floats(int64_t n);
float *random_floats(int64_t n, float low, float high);
float *filled(int64_t n, float value);
void assert_same_bits(const float *a, const float *b, int64_t n);

#define assert_near(value, expected, bound) \
  do { \
    double value_ = (value), expected_ = (expected), bound_ = (bound); \
    if (!(fabs(value_ - expected_) <= bound_)) fail_msg("%.9g, expected %.9g within %.3g", value_, expected_, bound_); \
  } while (0)

/* Runs the block for every table that this processor can use. */
#define FOR_EACH_ISA(k) \
  for (int32_t isa_ = 0; isa_ < ISA_COUNT; isa_++) \
    for (const struct kernels *k = kernels_select(isa_); k; k = NULL)

#define TEST(name) cmocka_unit_test_setup(name, reset_stream)

#endif
