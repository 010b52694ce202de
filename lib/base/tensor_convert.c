/* Copies between the four types of elements, by way of doubles, which hold every value of each. */
#include <math.h>
#include <string.h>

#include "base/tensor.h"

enum { BLOCK = 256 /* elements: 2 KB of doubles stay in the first cache */ };

#define LOAD(type)                                                                  \
  do {                                                                              \
    const type *p = (const type *)from + first;                                     \
    for (int64_t i = 0; i < n; i++) block[i] = (double)p[i];                        \
  } while (0)

static void load_block(double *block, int32_t type, const void *from, int64_t first, int64_t n) {
  switch (type) {
    case GAN_F32: LOAD(float); break;
    case GAN_F64: LOAD(double); break;
    case GAN_I32: LOAD(int32_t); break;
    default: LOAD(uint8_t); break;
  }
}

/* To nearest, ties to even, whatever rounding mode the host has set. */
static double round_clamped(double x, double low, double high) {
  if (!(x > low)) return x != x ? 0 : low;
  if (x >= high) return high;
  double down = floor(x), above = x - down;
  return above > 0.5 || (above == 0.5 && fmod(down, 2) != 0) ? down + 1 : down;
}

#define STORE(type, expression)                                                     \
  do {                                                                              \
    type *p = (type *)to + first;                                                   \
    for (int64_t i = 0; i < n; i++) p[i] = (type)(expression);                      \
  } while (0)

static void store_block(const double *block, int32_t type, void *to, int64_t first, int64_t n) {
  switch (type) {
    case GAN_F32: STORE(float, block[i]); break;
    case GAN_F64: STORE(double, block[i]); break;
    case GAN_I32: STORE(int32_t, round_clamped(block[i], INT32_MIN, INT32_MAX)); break;
    default: STORE(uint8_t, round_clamped(block[i], 0, UINT8_MAX)); break;
  }
}

void convert_elements(int32_t to_type, void *to, int32_t from_type, const void *from, int64_t count) {
  if (count <= 0) return;
  if (to_type == from_type) {
    memmove(to, from, (size_t)(count * type_bytes(to_type)));
    return;
  }
  double block[BLOCK];
  for (int64_t first = 0; first < count; first += BLOCK) {
    int64_t n = count - first < BLOCK ? count - first : BLOCK;
    load_block(block, from_type, from, first, n);
    store_block(block, to_type, to, first, n);
  }
}
