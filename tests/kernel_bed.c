#include "kernel_bed.h"

#include <stdlib.h>

#include "base/rng.h"

const struct rng_key kernel_key = {{0x1234u, 0x5678u}, {0, 0}};
static uint64_t drawn; /* numbers taken from the stream */

int reset_stream(void **state) {
  (void)state;
  drawn = 0;
  return 0;
}

int64_t draw_whole(int64_t low, int64_t high) {
  return low + rng_below(&kernel_key, drawn++, (uint32_t)(high - low + 1));
}

float draw_float(float low, float high) {
  return low + (high - low) * rng_uniform(&kernel_key, drawn++);
}

void *allocate(size_t bytes) {
  void *p = aligned_alloc(64, (bytes + 127) / 64 * 64);
  assert_non_null(p);
  return p;
}

float *floats(int64_t n) {
  return allocate((size_t)n * sizeof(float));
}

float *random_floats(int64_t n, float low, float high) {
  float *p = floats(n);
  for (int64_t i = 0; i < n; i++) p[i] = draw_float(low, high);
  return p;
}

float *filled(int64_t n, float value) {
  float *p = floats(n);
  for (int64_t i = 0; i < n; i++) p[i] = value;
  return p;
}

void assert_same_bits(const float *a, const float *b, int64_t n) {
  if (n) assert_memory_equal(a, b, (size_t)n * sizeof *a);
}
