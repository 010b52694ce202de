/* Update rules: from (parameter, gradient, slots, scalars) to new values, as nodes. */
#include <math.h>

#include "train/optimizer.h"

/* ------------------------------------------------------------------ the words that the rules are written in */

/* The gradient with the L2 penalty decay / 2 |w|^2 in it. */
static gan_node *decayed_gradient(const struct optimizer_call *c) {
  return c->decay ? gan_add(c->gradient, gan_mul(c->decay, c->weight)) : c->gradient;
}

/* average + share (x - average): the running average that forgets `share` a step. */
static gan_node *average(gan_node *old, gan_node *x, double share) {
  return gan_add(old, gan_scale(gan_sub(x, old), share));
}

/* The running average of squares. An infinite square stays infinite and stops its weight; inf - inf would make it NaN. */
static gan_node *average_square(gan_node *old, gan_node *x, double share) {
  return gan_add(gan_scale(old, 1 - share), gan_scale(gan_square(x), share));
}

/* Of a mean square. Where it is 0 the root's derivative is infinite, and what it would be multiplied by is 0. */
static gan_node *root(const struct optimizer_call *c, gan_node *square) {
  if (!c->differentiable) return gan_sqrt(square);
  gan_node *zero = gan_constant(square->graph, 0), *none = gan_equal(square, zero);
  return gan_select(none, zero, gan_sqrt(gan_select(none, gan_constant(square->graph, 1), square)));
}

static gan_node *descend(const struct optimizer_call *c, gan_node *direction) {
  return gan_sub(c->weight, gan_mul(c->rate, direction));
}

/* The slot of the momentum is the last one. */
static int32_t slots_with_momentum(const struct options *o, int32_t all) {
  return option_number(o, "momentum") != 0 ? all : all - 1;
}

/* ------------------------------------------------------------------ sgd */

static int32_t sgd_slots(const struct options *o) { return slots_with_momentum(o, 1); }

static void sgd(struct optimizer_call *c) {
  double momentum = option_number(c->options, "momentum");
  gan_node *gradient = decayed_gradient(c), *direction = gradient;
  if (momentum != 0) {
    gan_node *velocity = gan_add(gan_scale(c->slot[0], momentum), gradient);
    c->new_slot[0] = velocity;
    direction = option_flag(c->options, "nesterov") ? gan_add(gradient, gan_scale(velocity, momentum)) : velocity;
  }
  c->new_weight = descend(c, direction);
}

static const struct option sgd_options[] = {
  {"momentum", OPTION_NUMBER, 0, 1, "0", "share of the last direction that is kept"},
  {"nesterov", OPTION_FLAG, 0, 0, "no", "look ahead along the momentum (Sutskever et al. 2013)"},
  {"decay", OPTION_NUMBER, 0, 1e9, "0", "weight decay, added to the gradient (L2)"},
  OPTIMIZER_COMMON("0.01"),
};

const struct optimizer_row optimizer_sgd = {
  .name = "sgd", .help = "stochastic gradient descent, with momentum as in PyTorch",
  .n_options = sizeof sgd_options / sizeof *sgd_options, .options = sgd_options,
  .n_slots = 1, .slot_names = {"momentum"}, .used_slots = sgd_slots, .emit = sgd, .decay_option = "decay",
};

/* ------------------------------------------------------------------ rmsprop */

static int32_t rmsprop_slots(const struct options *o) { return slots_with_momentum(o, 2); }

static void rmsprop(struct optimizer_call *c) {
  double momentum = option_number(c->options, "momentum");
  c->new_slot[0] = average_square(c->slot[0], c->gradient, 1 - option_number(c->options, "decay"));
  gan_node *direction = gan_div(c->gradient, gan_shift(root(c, c->new_slot[0]), option_number(c->options, "epsilon")));
  if (momentum != 0) direction = c->new_slot[1] = gan_add(gan_scale(c->slot[1], momentum), direction);
  c->new_weight = descend(c, direction);
}

static const struct option rmsprop_options[] = {
  {"decay", OPTION_NUMBER, 0, 1, "0.99", "share of the running mean square that is kept; PyTorch's alpha"},
  {"epsilon", OPTION_NUMBER, 0, 1, "1e-8", "added to the root"},
  {"momentum", OPTION_NUMBER, 0, 1, "0", "share of the last direction that is kept"},
  OPTIMIZER_COMMON("0.01"),
};

const struct optimizer_row optimizer_rmsprop = {
  .name = "rmsprop", .help = "steps divided by the root of the running mean square (Tieleman and Hinton 2012)",
  .n_options = sizeof rmsprop_options / sizeof *rmsprop_options, .options = rmsprop_options,
  .n_slots = 2, .slot_names = {"square", "momentum"}, .used_slots = rmsprop_slots, .emit = rmsprop,
};

/* ------------------------------------------------------------------ adam, adamw */

/* 1 - beta^t. Subtracting in f32 would leave four digits where beta is near 1 and t small; with a = -t log(beta) it is
 * 1 - e^-a = 2 tanh(a/2) / (1 + tanh(a/2)), where nothing cancels. */
static gan_node *one_minus_power(double beta, gan_node *t) {
  if (beta == 0) return node_scalar_like(t, 1);
  gan_node *half = gan_tanh(gan_scale(t, -0.5 * log(beta)));
  return gan_div(gan_scale(half, 2), gan_shift(half, 1));
}

static gan_node *adam_direction(struct optimizer_call *c, gan_node *gradient) {
  double beta1 = option_number(c->options, "beta1"), beta2 = option_number(c->options, "beta2");
  c->new_slot[0] = average(c->slot[0], gradient, 1 - beta1);
  c->new_slot[1] = average_square(c->slot[1], gradient, 1 - beta2);
  gan_node *mean = gan_div(c->new_slot[0], one_minus_power(beta1, c->step));
  gan_node *length = root(c, gan_div(c->new_slot[1], one_minus_power(beta2, c->step)));
  return gan_div(mean, gan_shift(length, option_number(c->options, "epsilon")));
}

static void adam(struct optimizer_call *c) {
  c->new_weight = descend(c, adam_direction(c, decayed_gradient(c)));
}

static void adamw(struct optimizer_call *c) {
  gan_node *direction = adam_direction(c, c->gradient);
  c->new_weight = descend(c, c->decay ? gan_add(direction, gan_mul(c->decay, c->weight)) : direction);
}

/* The largest double below 1: betas of 1 would divide by 0. */
#define BELOW_ONE 0.9999999999999999

#define ADAM_OPTIONS \
  {"beta1", OPTION_NUMBER, 0, BELOW_ONE, "0.9", "share of the running mean that is kept"}, \
  {"beta2", OPTION_NUMBER, 0, BELOW_ONE, "0.999", "share of the running mean square that is kept"}, \
  {"epsilon", OPTION_NUMBER, 0, 1, "1e-8", "added to the root"}

static const struct option adam_options[] = {
  ADAM_OPTIONS,
  {"decay", OPTION_NUMBER, 0, 1e9, "0", "weight decay, added to the gradient (L2)"},
  OPTIMIZER_COMMON("0.001"),
};

const struct optimizer_row optimizer_adam = {
  .name = "adam", .help = "running mean over the root of the running mean square, both corrected (Kingma and Ba 2015)",
  .n_options = sizeof adam_options / sizeof *adam_options, .options = adam_options,
  .n_slots = 2, .slot_names = {"mean", "square"}, .emit = adam, .decay_option = "decay", .fused_adam = 1,
};

static const struct option adamw_options[] = {
  ADAM_OPTIONS,
  {"decay", OPTION_NUMBER, 0, 1e9, "0.01", "weight decay, beside the gradient"},
  OPTIMIZER_COMMON("0.001"),
};

const struct optimizer_row optimizer_adamw = {
  .name = "adamw", .help = "adam with decoupled weight decay (Loshchilov and Hutter 2019)",
  .n_options = sizeof adamw_options / sizeof *adamw_options, .options = adamw_options,
  .n_slots = 2, .slot_names = {"mean", "square"}, .emit = adamw, .decay_option = "decay", .fused_adam = 1, .fused_decay = 1,
};
