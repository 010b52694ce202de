/* The instructions of elementwise chains (VEC_LIST), for one instruction set. */
#include "kernels/isa.h"
#include "kernels/vmath.h"

/* Runs a body on whole vectors, then once more on the tail, copied into a vector of its own: the same machine code serves
 * every element, so an element's bits do not depend on where in a block it stands. */
static void run(vec_fn *body, int32_t inputs, float *out, const float *a, const float *b, const float *c, int64_t n) {
  int64_t rest = n % LANES, whole = n - rest;
  body(out, a, b, c, whole);
  if (!rest) return;
  float operand[3][LANES], result[LANES];
  const float *from[3] = {a, b, c};
  for (int32_t i = 0; i < inputs; i++) vf_store(operand[i], vf_load_part(from[i] + whole, rest, 1.0f));
  body(result, operand[0], operand[1], operand[2], LANES);
  memcpy(out + whole, result, (size_t)rest * sizeof *out);
}

#define VECTOR_FN(NAME, inputs, expression) \
  static NOINLINE void body_##NAME(float *out, const float *a, const float *b, const float *c, int64_t n) { \
    (void)b, (void)c; \
    for (int64_t i = 0; i < n; i += LANES) vf_store(out + i, expression); \
  } \
  void ISA_NAME(vec_##NAME)(float *out, const float *a, const float *b, const float *c, int64_t n) { \
    run(body_##NAME, inputs, out, a, b, c, n); \
  }

#define X vf_load(a + i)
#define Y vf_load(b + i)
#define Z vf_load(c + i)

ALWAYS_INLINE vf one_where(vi mask) {
  return (vf)(mask & (vi)vf_set(1.0f));
}

ALWAYS_INLINE vf vf_sign(vf x) {
  return vf_select(vf_isnan(x), x, one_where(x > 0.0f) - one_where(x < 0.0f));
}

VECTOR_FN(COPY, 1, X)
VECTOR_FN(NEG, 1, -X)
VECTOR_FN(ABS, 1, vf_abs(X))
VECTOR_FN(SIGN, 1, vf_sign(X))
VECTOR_FN(SQUARE, 1, X *X)
VECTOR_FN(SQRT, 1, vf_sqrt(X))
VECTOR_FN(RSQRT, 1, 1.0f / vf_sqrt(X))
VECTOR_FN(RECIP, 1, 1.0f / X)
VECTOR_FN(EXP, 1, vf_exp(X))
VECTOR_FN(LOG, 1, vf_log(X))
VECTOR_FN(TANH, 1, vf_tanh(X))
VECTOR_FN(SIGMOID, 1, vf_sigmoid(X))
VECTOR_FN(SOFTPLUS, 1, vf_softplus(X))
VECTOR_FN(ERF, 1, vf_erf(X))
VECTOR_FN(SIN, 1, vf_sin_or_cos(X, 0))
VECTOR_FN(COS, 1, vf_sin_or_cos(X, 1))
VECTOR_FN(FLOOR, 1, vf_floor(X))
VECTOR_FN(IS_FINITE, 1, one_where(vf_abs(X) <= 0x1.fffffep127f))
VECTOR_FN(ADD, 2, X + Y)
VECTOR_FN(SUB, 2, X - Y)
VECTOR_FN(MUL, 2, X *Y)
VECTOR_FN(DIV, 2, X / Y)
VECTOR_FN(MAX, 2, vf_max(X, Y))
VECTOR_FN(MIN, 2, vf_min(X, Y))
VECTOR_FN(POW, 2, vf_pow(X, Y))
VECTOR_FN(GREATER, 2, one_where(X > Y))
VECTOR_FN(GREATER_EQUAL, 2, one_where(X >= Y))
VECTOR_FN(EQUAL, 2, one_where(X == Y))
VECTOR_FN(SELECT, 3, vf_select(X != 0.0f, Y, Z))
VECTOR_FN(FMA, 3, vf_fma(X, Y, Z))
