/* From random words to normal numbers: the arithmetic, written once for a scalar and for a vector of any width.
 *
 * Include it after defining, for one scalar or one vector type,
 *   RNG_F, RNG_I, RNG_U        float, int32_t, uint32_t, or vectors of them
 *   RNG_TO_FLOAT(i)            RNG_I -> RNG_F, rounded to nearest
 *   RNG_FLOAT_BITS(f)          RNG_F -> RNG_U, the same bits
 *   RNG_BITS_FLOAT(u)          RNG_U -> RNG_F, the same bits
 *   RNG_SQRT(f)                exact square root
 * Every operation is a single IEEE operation in a written order, and nothing compares or branches, so that all widths give the
 * same bits. That holds only where the compiler does not contract a product and a sum: -ffp-contract=off.
 */
#ifndef GAN_BASE_RNG_MATH_H
#define GAN_BASE_RNG_MATH_H

/* log(x) for normal x > 0: x = m 2^e with sqrt(1/2) <= m < sqrt(2), and a polynomial in m - 1. */
static inline RNG_F rng_log(RNG_F x) {
  RNG_U bits = RNG_FLOAT_BITS(x);
  RNG_I e = (RNG_I)(bits - 0x3f3504f3u /* sqrt(1/2) */) >> 23;
  RNG_F f = RNG_BITS_FLOAT(bits - ((RNG_U)e << 23)) - 1.0f;
  RNG_F n = RNG_TO_FLOAT(e);
  RNG_F z = f * f;
  RNG_F p = f * -7.646101713e-02f + 1.277911365e-01f;
  p = p * f - 1.316418648e-01f;
  p = p * f + 1.419969648e-01f;
  p = p * f - 1.662276536e-01f;
  p = p * f + 2.000129223e-01f;
  p = p * f - 2.500083745e-01f;
  p = p * f + 3.333333135e-01f;
  p = z * f * p + n * -2.12194440e-4f; /* ln 2 = 0.693359375 - 2.1219444e-4: n times the first is exact */
  p = p - z * 0.5f;
  return (f + p) + n * 0.693359375f;
}

/* Two normal numbers from two words (Box and Muller, 1958). The radius takes 31 bits, so it reaches 6.6; the angle's quadrant
 * is split off as an integer, so that no argument is reduced in floating point. */
static inline void rng_normal_pair(RNG_U for_radius, RNG_U for_angle, RNG_F *even, RNG_F *odd) {
  RNG_F u = RNG_TO_FLOAT((RNG_I)(for_radius >> 1)) * 0x1p-31f + 0x1p-32f; /* (0, 1] */
  RNG_F radius = RNG_SQRT(rng_log(u) * -2.0f);

  RNG_F x = RNG_TO_FLOAT((RNG_I)(for_angle << 2)) * (0x1p-31f * 7.853981634e-01f); /* -pi/4 .. pi/4 */
  RNG_U quadrant = (for_angle + 0x20000000u) >> 30;
  RNG_F z = x * x;
  RNG_F s = z * -1.951565791e-04f + 8.332166821e-03f;
  s = s * z - 1.666665524e-01f;
  s = s * z * x + x;
  RNG_F c = z * 2.443661106e-05f - 1.388735254e-03f;
  c = c * z + 4.166664556e-02f;
  c = c * z * z - z * 0.5f + 1.0f;

  RNG_U swap = 0u - (quadrant & 1u), sine = RNG_FLOAT_BITS(s), cosine = RNG_FLOAT_BITS(c);
  RNG_U turned_cosine = ((cosine & ~swap) | (sine & swap)) ^ (((quadrant + 1u) & 2u) << 30);
  RNG_U turned_sine = ((sine & ~swap) | (cosine & swap)) ^ ((quadrant & 2u) << 30);
  *even = radius * RNG_BITS_FLOAT(turned_cosine);
  *odd = radius * RNG_BITS_FLOAT(turned_sine);
}

/* The normal number that lies within +-x with the chance |t|: sqrt(2) erfinv(t), |t| <= erf(sqrt(2)), by a polynomial in
 * -log(1 - t^2) (Giles, "Approximating the erfinv function", 2010; coefficients fitted to this range). */
static inline RNG_F rng_normal_within(RNG_F t) {
  RNG_F w = rng_log(1.0f - t * t) * -1.0f;
  RNG_F p = w * -6.451147783e-06f + 9.131103434e-05f;
  p = p * w - 2.172314271e-04f;
  p = p * w - 3.275076393e-03f;
  p = p * w + 1.632327028e-02f;
  p = p * w + 3.281182647e-01f;
  p = p * w + 1.253314137e+00f;
  return t * p;
}

/* A normal number given that it lies between -2 and 2: of t uniform within +-erf(sqrt(2)). */
static inline RNG_F rng_truncated(RNG_U word) {
  RNG_I odd = (RNG_I)((word >> 9 << 1) + 1u) - 0x800000; /* symmetric about 0, 24 bits: exact in a float */
  return rng_normal_within(RNG_TO_FLOAT(odd) * (0x1p-23f * 9.544997361e-01f));
}

/* [0, 1), 24 bits. */
static inline RNG_F rng_unit(RNG_U word) {
  return RNG_TO_FLOAT((RNG_I)(word >> 8)) * 0x1p-24f;
}

#endif
