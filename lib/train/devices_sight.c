/* Devices that change what D sees of real and generated samples. */
#include <stdio.h>

#include "train/augment.h"
#include "train/device.h"

/* ------------------------------------------------------------------ Sonderby et al. 2017 */

/* It makes D blind to details that are not there yet. */
static gan_node *add_noise(const struct device *d, gan_graph *g, const char *what, gan_node *x) {
  char name[64];
  snprintf(name, sizeof name, "instance-noise/%s", what);
  return gan_add(x, gan_mul(device_scalar(d, g), gan_random(g, name, "normal", x->rank, x->shape)));
}

static double deviation(const struct device *d, int64_t step) {
  return option_number(&d->options, "std") * schedule_factor(&d->schedule, step);
}

static const struct option noise_options[] = {
  {"std", OPTION_NUMBER, 0, 1e30, "0.1", "standard deviation of the noise"},
  {"schedule", OPTION_TEXT, 0, 0, "constant", "factor of it over the steps: (linear steps=5000)"},
};

const struct device_row device_instance_noise = {
  .name = "instance-noise", .help = "normal noise on what D sees of real and generated samples (Sonderby et al. 2017)",
  OPTIONS_OF(noise_options), .see = add_noise, .value = deviation,
};

/* ------------------------------------------------------------------ Zhao et al. 2020 */

static gan_status check_text(gan_context *ctx, const struct options *o) {
  return augment_check(ctx, option_text(o, "by"));
}

static gan_node *augment(const struct device *d, gan_graph *g, const char *what, gan_node *x) {
  (void)what;
  return gan_augment(x, option_text(&d->options, "by"), gan_constant(g, option_number(&d->options, "p")));
}

static const struct option augment_options[] = {
  {"by", OPTION_TEXT, 0, 0, "color translation=0.125 cutout=0.5", "what is done to the samples, as gan_augment has it"},
  {"p", OPTION_NUMBER, 0, 1, "1", "chance of each at a sample"},
};

const struct device_row device_augment = {
  .name = "augment", .help = "differentiable augmentation of what D sees of real and generated samples (Zhao et al. 2020)",
  OPTIONS_OF(augment_options), .check = check_text, .see = augment,
};

/* ------------------------------------------------------------------ Karras et al. 2020 */

static gan_node *augment_by_p(const struct device *d, gan_graph *g, const char *what, gan_node *x) {
  (void)what;
  return gan_augment(x, option_text(&d->options, "by"), node_variable(g, d->state));
}

/* Where more real samples have positive scores than the target says, D begins to know them by heart. */
static void move_p(const struct device *d, gan_graph *g, gan_node *scores) {
  gan_node *heart = gan_sign(gan_shift(gan_mean(gan_sign(scores)), -option_number(&d->options, "target")));
  gan_node *by = gan_scale(heart, (double)d->samples / option_number(&d->options, "speed"));
  gan_node *within = gan_clamp(gan_add(node_variable(g, d->state), by), 0, 1);
  if (!node_failed(within)) graph_assign(g, d->state, within);
}

static const struct option ada_options[] = {
  {"by", OPTION_TEXT, 0, 0, "color flip translation=0.125 cutout=0.5", "what is done to the samples, as gan_augment has it"},
  {"target", OPTION_NUMBER, -1, 1, "0.6", "mean sign of D's scores of real samples above which p rises, below which it falls"},
  {"speed", OPTION_NUMBER, 1, 1e15, "500000", "real samples in which p could go from 0 to 1"},
  {"p", OPTION_NUMBER, 0, 1, "0", "where the chance begins"},
};

const struct device_row device_ada = {
  .name = "ada", .help = "augmentation with a chance p that the signs of D's scores move (adaptive, Karras et al. 2020)",
  OPTIONS_OF(ada_options), .check = check_text, .initial = "p",
  .see = augment_by_p, .learn = move_p,
};
