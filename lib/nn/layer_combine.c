/* Layers of several inputs, element by element: add, multiply; of two and a state: fade; and of one and two constants: scale. */
#include "nn/layer.h"

#include <stdio.h>

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

/* ------------------------------------------------------------------ fade */

static const struct option fade_options[] = {{"alpha", OPTION_NUMBER, -1e6, 1e6, "0", "what the state alpha begins with"}};

static gan_node *fade_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  char init[64];
  (void)n;
  snprintf(init, sizeof init, "constant value=%.17g", layer_number(c, "alpha"));
  gan_node *alpha = layer_state(c, "alpha", 0, NULL, init);
  return gan_add(in[0], gan_mul(alpha, gan_sub(in[1], in[0])));
}

const struct layer_row layer_fade = {
  "fade", "From a first input to a second, x + alpha (y - x), as a program moves the state alpha from 0 to 1: how layers of a "
  "higher resolution are faded in (progressive growing, Karras et al. 2018).",
  0, 2, 2, 1, fade_options, fade_forward,
};
