/* Functions of one node, element by element. */
#include "ops/build.h"

#include <math.h>

/* The descriptor and the public function of one. RULE: y, dy -> dx, or NULL with OP_FLAT among the flags. */
#define UNARY(NAME, VEC, FLAGS, RULE) \
  const struct op op_##NAME = {#NAME, OP_ELEMENTWISE | (FLAGS), 1, VEC, RULE, NULL}; \
  gan_node *gan_##NAME(gan_node *x) { \
    return node_unary(&op_##NAME, x); \
  }

/* A gradient rule: dx = the expression in x, y and dy. Rules are only called for what is wanted. */
#define RULE(NAME, EXPRESSION) \
  static void NAME##_gradient(gan_node *y, gan_node *dy, const uint8_t *wanted, gan_node **dx) { \
    gan_node *x = y->in[0]; \
    (void)x, (void)wanted; \
    dx[0] = (EXPRESSION); \
  }

/* 1 - x */
static gan_node *one_minus(gan_node *x) {
  return gan_sub(node_scalar_like(x, 1), x);
}

RULE(neg, gan_neg(dy))
RULE(abs, gan_mul(dy, gan_sign(x)))
RULE(square, gan_mul(dy, gan_scale(x, 2)))
RULE(sqrt, gan_div(gan_scale(dy, 0.5), y))
RULE(rsqrt, gan_mul(dy, gan_scale(gan_mul(gan_square(y), y), -0.5)))
RULE(reciprocal, gan_neg(gan_mul(dy, gan_square(y))))
RULE(exp, gan_mul(dy, y))
RULE(log, gan_div(dy, x))
RULE(tanh, gan_mul(dy, one_minus(gan_square(y))))
RULE(sigmoid, gan_mul(dy, gan_mul(y, one_minus(y)))) /* y - y^2 would cancel near 1 */
RULE(softplus, gan_mul(dy, gan_sigmoid(x)))
RULE(erf, gan_mul(dy, gan_scale(gan_exp(gan_neg(gan_square(x))), M_2_SQRTPI)))
RULE(sin, gan_mul(dy, gan_cos(x)))
RULE(cos, gan_neg(gan_mul(dy, gan_sin(x))))

UNARY(neg, VEC_NEG, 0, neg_gradient)
UNARY(abs, VEC_ABS, 0, abs_gradient)
UNARY(sign, VEC_SIGN, OP_FLAT, NULL)
UNARY(floor, VEC_FLOOR, OP_FLAT, NULL)
UNARY(square, VEC_SQUARE, 0, square_gradient)
UNARY(sqrt, VEC_SQRT, 0, sqrt_gradient)
UNARY(rsqrt, VEC_RSQRT, 0, rsqrt_gradient)
UNARY(reciprocal, VEC_RECIP, 0, reciprocal_gradient)
UNARY(exp, VEC_EXP, 0, exp_gradient)
UNARY(log, VEC_LOG, 0, log_gradient)
UNARY(tanh, VEC_TANH, 0, tanh_gradient)
UNARY(sigmoid, VEC_SIGMOID, 0, sigmoid_gradient)
UNARY(softplus, VEC_SOFTPLUS, 0, softplus_gradient)
UNARY(erf, VEC_ERF, 0, erf_gradient)
UNARY(sin, VEC_SIN, 0, sin_gradient)
UNARY(cos, VEC_COS, 0, cos_gradient)
