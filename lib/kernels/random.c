/* Philox numbers by the vector, for one instruction set: bit for bit those of base/rng.c. Compiled without contraction. */
#include "kernels/isa.h"
#include "kernels/vec.h"

#include "base/rng.h"

#define RNG_F vf
#define RNG_I vi
#define RNG_U vu
#define RNG_TO_FLOAT(i) __builtin_convertvector(i, vf)
#define RNG_FLOAT_BITS(f) ((vu)(f))
#define RNG_BITS_FLOAT(u) ((vf)(u))
#define RNG_SQRT(f) vf_sqrt(f)
#include "base/rng_math.h"

/* A counter's words lie in the low halves of 64-bit lanes: products need no shuffling, and what is left in the high halves
 * does no harm, as the next multiplication ignores it. */
typedef uint64_t vq __attribute__((vector_size(4 * LANES)));
enum { COUNTERS = LANES / 2, GROUP = 4 * COUNTERS /* words of one vector of counters */ };

ALWAYS_INLINE vq multiply_low_halves(vq a, uint32_t b) {
#if defined(__AVX512F__) && LANES == 16
  return (vq)_mm512_mul_epu32((__m512i)a, _mm512_set1_epi64(b));
#elif defined(__AVX2__) && LANES == 8
  return (vq)_mm256_mul_epu32((__m256i)a, _mm256_set1_epi64x(b));
#elif defined(__SSE2__) && LANES == 4
  return (vq)_mm_mul_epu32((__m128i)a, _mm_set1_epi64x(b));
#else
  return (a & 0xffffffffu) * (uint64_t)b;
#endif
}

struct words { vq x[4]; };

/* The keys of the ten rounds, in every lane. */
struct schedule { vq key[10][2]; };

ALWAYS_INLINE struct schedule make_schedule(const struct rng_key *key) {
  struct schedule s;
  uint32_t k0 = key->key[0], k1 = key->key[1];
  for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
    s.key[round][0] = (vq){0} + k0;
    s.key[round][1] = (vq){0} + k1;
  }
  return s;
}

ALWAYS_INLINE struct words philox_round(struct words w, const vq key[2]) {
  vq p0 = multiply_low_halves(w.x[0], 0xD2511F53u), p1 = multiply_low_halves(w.x[2], 0xCD9E8D57u);
  return (struct words){{(p1 >> 32) ^ w.x[1] ^ key[0], p1, (p0 >> 32) ^ w.x[3] ^ key[1], p0}};
}

/* The counters block, block + 1, ...: one to a lane. */
ALWAYS_INLINE struct words counters(const struct rng_key *key, uint64_t block) {
  vq b, zero = {0};
  for (int i = 0; i < COUNTERS; i++) b[i] = (uint64_t)i;
  b += block;
  return (struct words){{b, b >> 32, zero + key->counter_high[0], zero + key->counter_high[1]}};
}

/* Two vectors of counters at a time: a round is a chain of slow steps, and the other's fill its gaps. */
ALWAYS_INLINE void philox_pair(struct words w[2], const struct rng_key *key, const struct schedule *s, uint64_t block) {
  w[0] = counters(key, block);
  w[1] = counters(key, block + COUNTERS);
  for (int round = 0; round < 10; round++) {
    w[0] = philox_round(w[0], s->key[round]);
    w[1] = philox_round(w[1], s->key[round]);
  }
}

/* Two words of each counter side by side: low = (w0, w1 of counter 0; w0, w1 of counter 1; ...). */
ALWAYS_INLINE vu side_by_side(vq low, vq high) {
  return (vu)((low & 0xffffffffu) | (high << 32));
}

#if LANES == 16
#define ZIP_LOW32 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define ZIP_HIGH32 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#define ZIP_LOW64 0, 8, 1, 9, 2, 10, 3, 11
#define ZIP_HIGH64 4, 12, 5, 13, 6, 14, 7, 15
#elif LANES == 8
#define ZIP_LOW32 0, 8, 1, 9, 2, 10, 3, 11
#define ZIP_HIGH32 4, 12, 5, 13, 6, 14, 7, 15
#define ZIP_LOW64 0, 4, 1, 5
#define ZIP_HIGH64 2, 6, 3, 7
#else
#define ZIP_LOW32 0, 4, 1, 5
#define ZIP_HIGH32 2, 6, 3, 7
#define ZIP_LOW64 0, 2
#define ZIP_HIGH64 1, 3
#endif

/* Words to words in the order of elements: (w0 w1) and (w2 w3) of each counter, one pair of words after the other. */
ALWAYS_INLINE void in_order(struct words w, vu out[2]) {
  vq first = (vq)side_by_side(w.x[0], w.x[1]), second = (vq)side_by_side(w.x[2], w.x[3]);
  out[0] = (vu)__builtin_shufflevector(first, second, ZIP_LOW64);
  out[1] = (vu)__builtin_shufflevector(first, second, ZIP_HIGH64);
}

ALWAYS_INLINE void make_uniform(float *out, struct words w) {
  vu word[2];
  in_order(w, word);
  vf_store(out, rng_unit(word[0]));
  vf_store(out + LANES, rng_unit(word[1]));
}

ALWAYS_INLINE void make_truncated(float *out, struct words w) {
  vu word[2];
  in_order(w, word);
  vf_store(out, rng_truncated(word[0]));
  vf_store(out + LANES, rng_truncated(word[1]));
}

/* Pairs are (w0, w1) and (w2, w3): the radius' words lie together, the angles' too, in the order of pairs. */
ALWAYS_INLINE void make_normal(float *out, struct words w) {
  vf even, odd;
  rng_normal_pair(side_by_side(w.x[0], w.x[2]), side_by_side(w.x[1], w.x[3]), &even, &odd);
  vf_store(out, __builtin_shufflevector(even, odd, ZIP_LOW32));
  vf_store(out + LANES, __builtin_shufflevector(even, odd, ZIP_HIGH32));
}

/* Groups start at a multiple of four elements, wherever the range starts; a group that sticks out at either end goes through
 * a buffer. */
#define RANDOM_FN(NAME, make) \
  void ISA_NAME(NAME)(float *out, int64_t n, const struct rng_key *key, uint64_t first) { \
    const struct schedule schedule = make_schedule(key); \
    uint64_t block = first / 4; \
    for (int64_t at = -(int64_t)(first % 4); at < n; at += 2 * GROUP, block += 2 * COUNTERS) { \
      struct words w[2]; \
      float buffer[2 * GROUP], *to = at >= 0 && at + 2 * GROUP <= n ? out + at : buffer; \
      philox_pair(w, key, &schedule, block); \
      make(to, w[0]); \
      make(to + GROUP, w[1]); \
      if (to == buffer) { \
        int64_t from = at < 0 ? -at : 0, end = n - at < 2 * GROUP ? n - at : 2 * GROUP; \
        memcpy(out + at + from, buffer + from, (size_t)(end - from) * sizeof *out); \
      } \
    } \
  }

RANDOM_FN(random_uniform, make_uniform)
RANDOM_FN(random_normal, make_normal)
RANDOM_FN(random_truncated_normal, make_truncated)
