/* Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
 *
 * A stream is a key of 64 bits and a counter prefix of 64 bits, both derived from (seed, name, step). Element i of a stream
 * depends on the key and i alone: masks are the same in a forward pass, its gradient, after a resume, on any thread count.
 */
#ifndef GAN_BASE_RNG_H
#define GAN_BASE_RNG_H

#include <stdint.h>

struct rng_key { uint32_t key[2]; uint32_t counter_high[2]; };

/* counter = {block low 32, block high 32, counter_high[0], counter_high[1]} */
void rng_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

uint64_t rng_hash(const char *text);                                      /* FNV-1a, 64 bits, then a finaliser; stable for ever */
struct rng_key rng_stream(uint64_t seed, uint64_t name_hash, uint64_t step);

/* Scalar reference of the vector kernels: same bits. Element i uses word i % 4 of block i / 4 (uniform), and the pair of
 * words of element i & ~1 (normal, Box-Muller: even elements take the cosine, odd ones the sine). */
float rng_uniform(const struct rng_key *k, uint64_t i);                   /* [0, 1), 24 bits */
float rng_normal(const struct rng_key *k, uint64_t i);
float rng_truncated_normal(const struct rng_key *k, uint64_t i);          /* inverse CDF of a uniform between -2 and 2 */
/* Uniform numbers in [0, 1) of 24 bits become normal ones that lie within +-a, reach = erf(a / sqrt(2)), a <= 2. */
void rng_truncate(float *x, int64_t n, float reach);
uint32_t rng_below(const struct rng_key *k, uint64_t i, uint32_t n);      /* 0 .. n-1, by 64-bit multiply-shift */

/* Where position i of epoch `epoch` lies in a random order of n: a bijection computed in O(1) memory (cycle-walking Feistel
 * network on Philox), so that a shuffled epoch needs no table and resumes at any position. */
int64_t rng_permute(const struct rng_key *k, int64_t i, int64_t n);

#endif
