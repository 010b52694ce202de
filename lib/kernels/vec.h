/* The vector type of one instruction set, in GNU vector extensions. Every file that includes this is compiled once per
 * instruction set; -DGAN_ISA_AVX2 or -DGAN_ISA_AVX512 says which. Whatever such a file shows to others is named with
 * ISA_NAME, and all else in it and in the headers it includes is static: two objects with one inline function, compiled for
 * different processors, would be merged by the linker.
 */
#ifndef GAN_KERNELS_VEC_H
#define GAN_KERNELS_VEC_H

#include <float.h>
#include <stdint.h>
#include <string.h>

#include "kernels/kernels.h"

#if defined(__AVX__) || defined(__AVX512F__)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__ARM_NEON) && defined(__aarch64__)
#include <arm_neon.h>
#endif

#if defined(GAN_ISA_AVX512)
#define ISA_NAME(name) name##_avx512
#define ISA_ID ISA_AVX512
#define ISA_TEXT "avx512"
#define LANES 16
#elif defined(GAN_ISA_AVX2)
#define ISA_NAME(name) name##_avx2
#define ISA_ID ISA_AVX2
#define ISA_TEXT "avx2"
#define LANES 8
#else
#define ISA_NAME(name) name##_baseline
#define ISA_ID ISA_BASELINE
#define ISA_TEXT "baseline"
#define LANES 4
#endif

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define NOINLINE __attribute__((noinline))

typedef float vf __attribute__((vector_size(4 * LANES)));
typedef int32_t vi __attribute__((vector_size(4 * LANES)));
typedef uint32_t vu __attribute__((vector_size(4 * LANES)));
typedef float vf_unaligned __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

#if LANES > 4
typedef float v4 __attribute__((vector_size(16)));
typedef float v4_unaligned __attribute__((vector_size(16), aligned(4), may_alias));
#endif

/* Doubles: a register holds half as many lanes, so a vf is widened in two halves. */
typedef float vf_half __attribute__((vector_size(2 * LANES)));
typedef int32_t vi_half __attribute__((vector_size(2 * LANES)));
typedef double vd __attribute__((vector_size(4 * LANES)));
typedef int64_t vl __attribute__((vector_size(4 * LANES)));
typedef uint64_t vul __attribute__((vector_size(4 * LANES)));

#if LANES == 16
#define LOW_HALF 0, 1, 2, 3, 4, 5, 6, 7
#define HIGH_HALF 8, 9, 10, 11, 12, 13, 14, 15
#elif LANES == 8
#define LOW_HALF 0, 1, 2, 3
#define HIGH_HALF 4, 5, 6, 7
#else
#define LOW_HALF 0, 1
#define HIGH_HALF 2, 3
#endif

ALWAYS_INLINE vf vf_load(const float *p) {
  return *(const vf_unaligned *)p;
}

ALWAYS_INLINE void vf_store(float *p, vf x) {
  *(vf_unaligned *)p = x;
}

/* A scalar in every lane. The subtraction is folded away; x + 0 would not be, for the sake of -0. */
ALWAYS_INLINE vf vf_set(float x) {
  return x - (vf){0};
}

/* n < LANES values, the rest filled. */
ALWAYS_INLINE vf vf_load_part(const float *p, int64_t n, float fill) {
  float t[LANES];
  vf_store(t, vf_set(fill));
  memcpy(t, p, (size_t)n * sizeof *t);
  return vf_load(t);
}

ALWAYS_INLINE void vf_store_part(float *p, vf x, int64_t n) {
  float t[LANES];
  vf_store(t, x);
  memcpy(p, t, (size_t)n * sizeof *t);
}

/* x[p .. n), fewer than LANES, and zeros: cut out of the last whole vector where there is one. */
ALWAYS_INLINE vf vf_load_tail(const float *x, int64_t p, int64_t n) {
  if (n < LANES) return vf_load_part(x + p, n - p, 0.0f);
  vi lane;
  for (int i = 0; i < LANES; i++) lane[i] = i;
  return (vf)((vi)vf_load(x + n - LANES) & (lane >= (int32_t)(LANES - (n - p))));
}

/* Interleavings within each 128 bits, which are cheap: of the low and of the high halves, number by number and by twos. */
#if LANES == 16
#define LOW1 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29
#define HIGH1 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31
#define LOW2 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define HIGH2 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#elif LANES == 8
#define LOW1 0, 8, 1, 9, 4, 12, 5, 13
#define HIGH1 2, 10, 3, 11, 6, 14, 7, 15
#define LOW2 0, 1, 8, 9, 4, 5, 12, 13
#define HIGH2 2, 3, 10, 11, 6, 7, 14, 15
#else
#define LOW1 0, 4, 1, 5
#define HIGH1 2, 6, 3, 7
#define LOW2 0, 1, 4, 5
#define HIGH2 2, 3, 6, 7
#endif

#define VI_SIGN ((vi){0} + INT32_MIN)

ALWAYS_INLINE vf vf_select(vi mask, vf yes, vf no) {
  return (vf)((mask & (vi)yes) | (~mask & (vi)no));
}

ALWAYS_INLINE vf vf_abs(vf x) {
  return (vf)((vi)x & 0x7fffffff);
}

/* |magnitude| with the sign of `sign`; magnitude must not be negative. */
ALWAYS_INLINE vf vf_with_sign(vf magnitude, vf sign) {
  return (vf)((vi)magnitude | ((vi)sign & VI_SIGN));
}

/* All bits of a lane set where x is NaN. */
ALWAYS_INLINE vi vf_isnan(vf x) {
  return x != x;
}

/* The larger of two, NaN if either is. */
ALWAYS_INLINE vf vf_max(vf a, vf b) {
  return vf_select((a > b) | vf_isnan(a), a, b);
}

ALWAYS_INLINE vf vf_min(vf a, vf b) {
  return vf_select((a < b) | vf_isnan(a), a, b);
}

/* a * b + c, fused wherever the processor can. Written out where bits are promised to be the same from two places in the code:
 * whether a compiler contracts an expression by itself may depend on what is around it. */
ALWAYS_INLINE vf vf_fma(vf a, vf b, vf c) {
#if defined(__AVX512F__) && LANES == 16
  return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__FMA__) && LANES == 8
  return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__ARM_NEON) && defined(__aarch64__)
  return (vf)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
  return a * b + c;
#endif
}

/* Lane i of the result is lane index[i] of x. */
ALWAYS_INLINE vf vf_permute(vf x, vi index) {
#if defined(__AVX512F__) && LANES == 16
  return (vf)_mm512_permutexvar_ps((__m512i)index, (__m512)x);
#elif defined(__AVX2__) && LANES == 8
  return (vf)_mm256_permutevar8x32_ps((__m256)x, (__m256i)index);
#else
  vf y = x;
  for (int i = 0; i < LANES; i++) y[i] = x[index[i]];
  return y;
#endif
}

/* The elementary operation that vector extensions lack. */
ALWAYS_INLINE vf vf_sqrt(vf x) {
#if defined(__AVX512F__) && LANES == 16
  return (vf)_mm512_sqrt_ps((__m512)x);
#elif defined(__AVX__) && LANES == 8
  return (vf)_mm256_sqrt_ps((__m256)x);
#elif defined(__SSE__) && LANES == 4
  return (vf)_mm_sqrt_ps((__m128)x);
#else
  for (int i = 0; i < LANES; i++) x[i] = __builtin_sqrtf(x[i]);
  return x;
#endif
}

/* The square root of x >= 0 within 2 units of the last place; of the largest number for infinity, 0 for denormals. One step of
 * Newton's after the processor's estimate: where roots and divisions wait for the same unit (Adam) a fifth faster than vf_sqrt. */
ALWAYS_INLINE vf vf_root(vf x) {
#if defined(__AVX512F__) && LANES == 16
  vf bounded = (vf)_mm512_min_ps((__m512)x, _mm512_set1_ps(FLT_MAX));
  vf inverse = (vf)_mm512_rsqrt14_ps(_mm512_max_ps((__m512)bounded, _mm512_set1_ps(FLT_MIN)));
#elif defined(__AVX__) && LANES == 8
  vf bounded = (vf)_mm256_min_ps((__m256)x, _mm256_set1_ps(FLT_MAX));
  vf inverse = (vf)_mm256_rsqrt_ps(_mm256_max_ps((__m256)bounded, _mm256_set1_ps(FLT_MIN)));
#else
  return vf_sqrt(x);
#endif
#if LANES > 4
  vf root = bounded * inverse;
  return root + (bounded - root * root) * (inverse * 0.5f);
#endif
}

ALWAYS_INLINE vd vd_low(vf x) {
  return __builtin_convertvector(__builtin_shufflevector(x, x, LOW_HALF), vd);
}

ALWAYS_INLINE vd vd_high(vf x) {
  return __builtin_convertvector(__builtin_shufflevector(x, x, HIGH_HALF), vd);
}

ALWAYS_INLINE vf vf_narrow(vd low, vd high) {
  vf_half a = __builtin_convertvector(low, vf_half), b = __builtin_convertvector(high, vf_half);
  return __builtin_shufflevector(a, b, LOW_HALF, HIGH_HALF);
}

ALWAYS_INLINE vi vi_narrow(vd low, vd high) {
  vi_half a = __builtin_convertvector(low, vi_half), b = __builtin_convertvector(high, vi_half);
  return __builtin_shufflevector(a, b, LOW_HALF, HIGH_HALF);
}

/* 1 if any lane of a mask is set. */
ALWAYS_INLINE int32_t vi_any(vi mask) {
#if defined(__AVX512DQ__) && LANES == 16
  return _mm512_movepi32_mask((__m512i)mask) != 0;
#elif defined(__AVX__) && LANES == 8
  return _mm256_movemask_ps((__m256)mask) != 0;
#elif defined(__SSE__) && LANES == 4
  return _mm_movemask_ps((__m128)mask) != 0;
#else
  int32_t any = 0;
  for (int i = 0; i < LANES; i++) any |= mask[i];
  return any != 0;
#endif
}

/* The lanes of four vectors added, each in the same fixed tree. */
ALWAYS_INLINE void vf_add_lanes_4(float to[4], vf a, vf b, vf c, vf d) {
  vf ab = __builtin_shufflevector(a, b, LOW1) + __builtin_shufflevector(a, b, HIGH1);
  vf cd = __builtin_shufflevector(c, d, LOW1) + __builtin_shufflevector(c, d, HIGH1);
  vf sum = __builtin_shufflevector(ab, cd, LOW2) + __builtin_shufflevector(ab, cd, HIGH2);
#if LANES == 16
  vf_half half = __builtin_shufflevector(sum, sum, LOW_HALF) + __builtin_shufflevector(sum, sum, HIGH_HALF);
  v4 quarter = __builtin_shufflevector(half, half, 0, 1, 2, 3) + __builtin_shufflevector(half, half, 4, 5, 6, 7);
  memcpy(to, &quarter, sizeof quarter);
#elif LANES == 8
  vf_half half = __builtin_shufflevector(sum, sum, LOW_HALF) + __builtin_shufflevector(sum, sum, HIGH_HALF);
  memcpy(to, &half, sizeof half);
#else
  memcpy(to, &sum, sizeof sum);
#endif
}

/* Lanes added in a fixed tree. */
ALWAYS_INLINE float vf_add_lanes(vf x) {
  float t[LANES];
  vf_store(t, x);
  for (int half = LANES / 2; half; half /= 2)
    for (int i = 0; i < half; i++) t[i] += t[i + half];
  return t[0];
}

#endif
