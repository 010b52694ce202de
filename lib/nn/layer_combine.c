/* Layers of several inputs, element by element: add, multiply; and of one and two constants: scale. */
#include "nn/layer.h"

static gan_node *add_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)c;
  gan_node *sum = in[0];
  for (int32_t i = 1; i < n; i++) sum = gan_add(sum, in[i]);
  return sum;
}

const struct layer_row layer_add = {
  "add", "The sum of several inputs, broadcasting: add from=block,x is a residual connection.", 0, 1, -1, 0, NULL, add_forward,
};

static gan_node *multiply_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)c;
  gan_node *product = in[0];
  for (int32_t i = 1; i < n; i++) product = gan_mul(product, in[i]);
  return product;
}

const struct layer_row layer_multiply = {
  "multiply", "The product of several inputs, element by element, broadcasting.", 0, 1, -1, 0, NULL, multiply_forward,
};

static const struct option scale_options[] = {
  {"factor", OPTION_NUMBER, -1e30, 1e30, "1", "multiplies"},
  {"shift", OPTION_NUMBER, -1e30, 1e30, "0", "is added after"},
};

static gan_node *scale_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  return gan_shift(gan_scale(in[0], layer_number(c, "factor")), layer_number(c, "shift"));
}

const struct layer_row layer_scale = {"scale", "factor x + shift, two constants.", 0, 1, 1, 2, scale_options, scale_forward};
