/* The scalar reference must not depend on how it is compiled, so contraction is switched off here and not in a build file. */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif

#include "base/rng.h"

#include <math.h>
#include <string.h>

/* ------------------------------------------------------------------ Philox4x32-10 */

static void philox_round(uint32_t x[4], const uint32_t key[2]) {
  uint64_t p0 = (uint64_t)0xD2511F53u * x[0], p1 = (uint64_t)0xCD9E8D57u * x[2];
  uint32_t y0 = (uint32_t)(p1 >> 32) ^ x[1] ^ key[0], y2 = (uint32_t)(p0 >> 32) ^ x[3] ^ key[1];
  x[0] = y0;
  x[1] = (uint32_t)p1;
  x[2] = y2;
  x[3] = (uint32_t)p0;
}

void rng_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
  uint32_t x[4] = {counter[0], counter[1], counter[2], counter[3]}, k[2] = {key[0], key[1]};
  for (int round = 0; round < 10; round++) {
    philox_round(x, k);
    k[0] += 0x9E3779B9u; /* golden ratio */
    k[1] += 0xBB67AE85u; /* sqrt(3) - 1 */
  }
  memcpy(out, x, sizeof x);
}

static void block_words(const struct rng_key *k, uint64_t block, uint32_t words[4]) {
  uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), k->counter_high[0], k->counter_high[1]};
  rng_philox(counter, k->key, words);
}

static uint32_t word_of(const struct rng_key *k, uint64_t i) {
  uint32_t words[4];
  block_words(k, i / 4, words);
  return words[i % 4];
}

/* ------------------------------------------------------------------ streams */

/* The finaliser of splitmix64 (Steele, Lea, Flood, 2014): every input bit moves every output bit. */
static uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
  return x ^ (x >> 31);
}

uint64_t rng_hash(const char *text) {
  uint64_t h = UINT64_C(0xCBF29CE484222325);
  for (; *text; text++) h = (h ^ (uint8_t)*text) * UINT64_C(0x100000001B3);
  return mix(h);
}

/* (seed, name) are hashed to the key; the step is the counter's high half as it is, so no two steps can ever collide. */
struct rng_key rng_stream(uint64_t seed, uint64_t name_hash, uint64_t step) {
  uint64_t key = mix(mix(seed + UINT64_C(0x9E3779B97F4A7C15)) ^ name_hash);
  struct rng_key k = {{(uint32_t)key, (uint32_t)(key >> 32)}, {(uint32_t)step, (uint32_t)(step >> 32)}};
  return k;
}

/* ------------------------------------------------------------------ distributions */

static uint32_t float_bits(float f) {
  uint32_t u;
  memcpy(&u, &f, sizeof u);
  return u;
}

static float bits_float(uint32_t u) {
  float f;
  memcpy(&f, &u, sizeof f);
  return f;
}

#define RNG_F float
#define RNG_I int32_t
#define RNG_U uint32_t
#define RNG_TO_FLOAT(i) ((float)(i))
#define RNG_FLOAT_BITS(f) float_bits(f)
#define RNG_BITS_FLOAT(u) bits_float(u)
#define RNG_SQRT(f) sqrtf(f)
#include "base/rng_math.h"

float rng_uniform(const struct rng_key *k, uint64_t i) {
  return rng_unit(word_of(k, i));
}

float rng_normal(const struct rng_key *k, uint64_t i) {
  uint32_t words[4];
  float pair[2];
  block_words(k, i / 4, words);
  rng_normal_pair(words[i & 2], words[(i & 2) + 1], &pair[0], &pair[1]);
  return pair[i & 1];
}

float rng_truncated_normal(const struct rng_key *k, uint64_t i) {
  return rng_truncated(word_of(k, i));
}

void rng_truncate(float *x, int64_t n, float reach) {
  for (int64_t i = 0; i < n; i++) x[i] = rng_normal_within((2 * x[i] - (1 - 0x1p-24f)) * reach);
}

uint32_t rng_below(const struct rng_key *k, uint64_t i, uint32_t n) {
  return (uint32_t)(((uint64_t)word_of(k, i) * n) >> 32);
}

/* ------------------------------------------------------------------ shuffled order */

enum { FEISTEL_ROUNDS = 6 };

/* A bijection of the numbers below 4^half: six Feistel rounds, each keyed by Philox at (right half, round). */
static uint64_t feistel(const struct rng_key *k, uint64_t x, int32_t half) {
  uint64_t mask = (UINT64_C(1) << half) - 1, left = x >> half, right = x & mask;
  for (uint64_t round = 0; round < FEISTEL_ROUNDS; round++) {
    uint32_t words[4];
    block_words(k, right | round << 32, words);
    uint64_t next = left ^ (words[0] & mask);
    left = right;
    right = next;
  }
  return left << half | right;
}

int64_t rng_permute(const struct rng_key *k, int64_t i, int64_t n) {
  if (n < 2) return 0;
  int32_t half = 1;
  while (half < 31 && (UINT64_C(1) << (2 * half)) < (uint64_t)n) half++;
  uint64_t x = (uint64_t)i;
  do x = feistel(k, x, half);
  while (x >= (uint64_t)n); /* walk the cycle until it comes back below n: at most four steps on average */
  return (int64_t)x;
}
