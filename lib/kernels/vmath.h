/* Elementary functions on one vector, by polynomials fitted to the ranges they are used on. Products and sums are meant to be
 * contracted to fused multiply-adds where the processor has them; without, the bounds of tests/test_vectors.c still hold.
 * Include only from files compiled per instruction set (see vec.h).
 */
#ifndef GAN_KERNELS_VMATH_H
#define GAN_KERNELS_VMATH_H

#include <math.h>

#include "kernels/vec.h"

/* ------------------------------------------------------------------ exp and what is made of it */

/* x = n ln 2 + r, for |x| up to 104: e^r - 1 = r + r^2 P(r), and n in the low bits of *shifted. */
ALWAYS_INLINE vf exp_reduced(vf x, vi *shifted) {
  const float round = 0x1.8p23f; /* added, it leaves the nearest integer in the low bits */
  vf sum = x * 1.44269504f + round, n = sum - round;
  vf r = x - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  vf p = r * 1.395297237e-03f + 8.370321244e-03f;
  p = p * r + 4.166616872e-02f;
  p = p * r + 1.666650623e-01f;
  p = p * r + 5.000000000e-01f;
  *shifted = (vi)sum;
  return p * (r * r) + r;
}

/* 2^n is applied in two halves, so that denormal results come out right. */
ALWAYS_INLINE vf vf_exp(vf x) {
  vf t = vf_select(x > 89.0f, vf_set(89.0f), x);
  t = vf_select(t < -104.0f, vf_set(-104.0f), t);
  vi shifted;
  vf y = exp_reduced(t, &shifted) + 1.0f;
  vi e = (vi)((vu)shifted - 0x4b400000u), half = e >> 1;
  return y * (vf)((vu)(half + 127) << 23) * (vf)((vu)(e - half + 127) << 23);
}

/* log of a normal positive number: x = 2^e (1 + f), sqrt(1/2) <= 1 + f < sqrt(2). shift is added to e. */
ALWAYS_INLINE vf vf_log_normal(vf x, vi shift) {
  vi e = (vi)((vu)x - 0x3f3504f3u) >> 23;
  vf f = (vf)((vu)x - ((vu)e << 23)) - 1.0f;
  vf n = __builtin_convertvector(e + shift, vf), z = f * f;
  vf p = f * 6.757567823e-02f - 1.169433445e-01f;
  p = p * f + 1.189351305e-01f;
  p = p * f - 1.240308359e-01f;
  p = p * f + 1.421855390e-01f;
  p = p * f - 1.666809022e-01f;
  p = p * f + 2.000216693e-01f;
  p = p * f - 2.500000894e-01f;
  p = p * f + 3.333331048e-01f;
  p = p * (f * z) + n * -2.12194440e-4f;
  p = p - z * 0.5f;
  return (f + p) + n * 0.693359375f;
}

ALWAYS_INLINE vf vf_log(vf x) {
  vi small = x < 0x1p-126f, ordinary = (x > 0.0f) & (x <= 0x1.fffffep127f);
  vf y = vf_log_normal(vf_select(small, x * 0x1p23f, x), small & -23);
  vf special = x + vf_select(x < 0.0f, vf_set(NAN), vf_select(x == 0.0f, vf_set(-INFINITY), vf_set(0.0f)));
  return vf_select(ordinary, y, special);
}

/* log(1 + t) for 0 <= t <= 1: the rounding error of 1 + t is put back to first order. */
ALWAYS_INLINE vf vf_log1p_unit(vf t) {
  vf u = t + 1.0f;
  return vf_log_normal(u, (vi){0}) + (t - (u - 1.0f)) / u;
}

ALWAYS_INLINE vf vf_softplus(vf x) {
  return vf_select(x > 0.0f, x, vf_set(0.0f)) + vf_log1p_unit(vf_exp(-vf_abs(x)));
}

ALWAYS_INLINE vf vf_sigmoid(vf x) {
  vf e = vf_exp(-vf_abs(x));
  return vf_select(x < 0.0f, e, vf_set(1.0f)) / (e + 1.0f);
}

/* With m = e^2a - 1 = 2^n (e^r - 1) + (2^n - 1), which is as exact near zero as elsewhere, m / (m + 2). At a = 10 that is 1. */
ALWAYS_INLINE vf vf_tanh(vf x) {
  vf a = vf_abs(x), t = vf_select(a > 10.0f, vf_set(10.0f), a);
  vi shifted;
  vf p = exp_reduced(t + t, &shifted), power = (vf)(((vu)shifted << 23) + 0x3f800000u);
  vf m = p * power + (power - 1.0f);
  return vf_with_sign(m / (m + 2.0f), x);
}

/* Near zero an odd polynomial; beyond 1, 1 - erfc with -log(erfc(a)) = a + a Q(a). */
ALWAYS_INLINE vf vf_erf(vf x) {
  vf a = vf_abs(x), z = x * x, c = vf_select(a > 4.0f, vf_set(4.0f), a);
  vf p = z * 7.889122935e-05f - 8.020842215e-04f;
  p = p * z + 5.189535674e-03f;
  p = p * z - 2.685444430e-02f;
  p = p * z + 1.128360033e-01f;
  p = p * z - 3.761262596e-01f;
  p = p * z + 1.283791661e-01f;
  vf q = c * 1.413368136e-05f - 3.523306223e-04f;
  q = q * c + 3.764654044e-03f;
  q = q * c - 2.402549610e-02f;
  q = q * c + 1.065490916e-01f;
  q = q * c + 6.349583268e-01f;
  q = q * c + 1.286971569e-01f;
  vf large = 1.0f - vf_exp(-(q * c + c));
  return vf_select(a < 1.0f, p * x + x, vf_with_sign(large, x));
}

/* ------------------------------------------------------------------ circular functions */

#define CIRCULAR_LIMIT 1e5f /* reduced here up to this; beyond, by libm, one lane at a time */

/* The remainder of x by pi/2, and the quotient. In double, with pi/2 in two parts: even 1e5 loses nothing. */
ALWAYS_INLINE vd reduce_quadrant(vd x, vd *quotient) {
  const double round = 0x1.8p52;
  vd n = (x * 0.63661977236758134308 + round) - round;
  *quotient = n;
  return (x - n * 0x1.921fb544p+0) - n * 0x1.0b4611a626331p-34;
}

/* sin(x + turn pi/2) for |x| up to CIRCULAR_LIMIT. */
ALWAYS_INLINE vf vf_circular(vf x, int32_t turn) {
  vd low, high;
  vf r = vf_narrow(reduce_quadrant(vd_low(x), &low), reduce_quadrant(vd_high(x), &high)), z = r * r;
  vi quadrant = vi_narrow(low, high) + turn;
  vf s = z * -1.951565791e-04f + 8.332166821e-03f;
  s = s * z - 1.666665524e-01f;
  s = s * (z * r) + r;
  vf c = z * 2.443661106e-05f - 1.388735254e-03f;
  c = c * z + 4.166664556e-02f;
  c = c * (z * z) - z * 0.5f + 1.0f;
  vf y = vf_select((quadrant & 1) != 0, c, s);
  return (vf)((vi)y ^ (vi)((vu)(quadrant & 2) << 30));
}

static NOINLINE vf circular_far(vf x, vf near, int32_t turn) {
  for (int i = 0; i < LANES; i++)
    if (!(x[i] >= -CIRCULAR_LIMIT && x[i] <= CIRCULAR_LIMIT)) near[i] = turn ? cosf(x[i]) : sinf(x[i]);
  return near;
}

/* Lanes that are far, infinite or NaN go through the quick way as 0 first. */
ALWAYS_INLINE vf vf_sin_or_cos(vf x, int32_t turn) {
  vi near = vf_abs(x) <= CIRCULAR_LIMIT;
  vf y = vf_circular((vf)((vi)x & near), turn);
  return __builtin_expect(vi_any(~near), 0) ? circular_far(x, y, turn) : y;
}

/* ------------------------------------------------------------------ the rest */

/* Beyond 2^23 all floats are integers. Truncation is corrected downwards, and the sign is kept for -0. */
ALWAYS_INLINE vf vf_floor(vf x) {
  vi inside = vf_abs(x) < 0x1p23f;
  vf t = __builtin_convertvector(__builtin_convertvector((vf)((vi)x & inside), vi), vf);
  t = t - (vf)((vi)vf_set(1.0f) & (t > x));
  return vf_select(inside, (vf)((vi)t | ((vi)x & VI_SIGN)), x);
}

ALWAYS_INLINE vd vd_select(vl mask, vd yes, vd no) {
  return (vd)((mask & (vl)yes) | (~mask & (vl)no));
}

ALWAYS_INLINE vd vd_clamp(vd x, double limit) {
  vd zero = {0};
  x = vd_select(x > limit, zero + limit, x);
  return vd_select(x < -limit, zero - limit, x);
}

/* log2 of a positive double: 2^e m, sqrt(1/2) <= m < sqrt(2), log2(m) = s P(s^2) with s = (m - 1) / (m + 1). */
ALWAYS_INLINE vd vd_log2(vd x) {
  const uint64_t root_half = UINT64_C(0x3fe6a09e667f3bcd), bias = UINT64_C(1024) << 52;
  vul biased = ((vul)x - root_half + bias) >> 52; /* e + 1024: not negative, so a logical shift will do */
  vd m = (vd)((vul)x - (biased << 52) + bias);
  vd e = (vd)(biased | UINT64_C(0x4330000000000000)) - (0x1p52 + 1024.0);
  vd s = (m - 1.0) / (m + 1.0), z = s * s;
  vd p = z * 0.2829056021407389 + 0.3199053188050682;
  p = p * z + 0.4122092616414673;
  p = p * z + 0.5770779422732956;
  p = p * z + 0.9617966941137213;
  p = p * z + 2.885390081777849;
  return p * s + e;
}

ALWAYS_INLINE vd vd_exp2(vd x) {
  const double round = 0x1.8p52;
  vd shifted = x + round, r = x - (shifted - round);
  vd p = r * 1.5316462615544424e-05 + 0.00015469731680184395;
  p = p * r + 0.0013333422641144677;
  p = p * r + 0.009618025604065217;
  p = p * r + 0.05550410976114595;
  p = p * r + 0.24022651213585078;
  p = p * r + 0.6931471805350241;
  p = p * r + 0.9999999999595501;
  return (vd)((vul)p + ((vul)shifted << 52));
}

/* |x|^y, not NaN. In double, where neither over- nor underflow of float nor the error of the logarithm matters. */
ALWAYS_INLINE vd pow_magnitude(vd magnitude, vd y) {
  vd zero = {0}, l = vd_log2(magnitude);
  l = vd_select(magnitude == 0.0, zero - 1e300, l);
  l = vd_select(magnitude > 0x1.fffffep127, zero + 1e300, l);
  return vd_exp2(vd_clamp(vd_clamp(y, 1e30) * l, 200.0));
}

/* As C's pow: pow(x, 0) = pow(1, y) = 1 for any NaN; a negative base needs an integer exponent. */
ALWAYS_INLINE vf vf_pow(vf x, vf y) {
  vf a = vf_abs(x), half = y * 0.5f;
  vf r = vf_narrow(pow_magnitude(vd_low(a), vd_low(y)), pow_magnitude(vd_high(a), vd_high(y)));
  vi integer = vf_floor(y) == y, odd = integer & (vf_floor(half) != half);
  r = (vf)((vi)r | ((vi)x & odd & VI_SIGN));
  r = vf_select((x < 0.0f) & (x >= -0x1.fffffep127f) & ~integer, vf_set(NAN), r);
  r = vf_select(vf_isnan(x) | vf_isnan(y), x + y, r);
  return vf_select((y == 0.0f) | (x == 1.0f), vf_set(1.0f), r);
}

#endif
