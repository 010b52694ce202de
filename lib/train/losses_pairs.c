/* Losses of data in pairs: what G makes of a condition has a sample that it should be, the real one of the same row. */
#include "train/loss.h"

typedef gan_node *distance_rule(const struct loss_call *c, gan_node *fake, gan_node *real);

static gan_node *apart(const struct loss_call *c, distance_rule *rule) {
  gan_node *fake = scene_fake(c), *real = scene_real(c);
  return node_failed(fake) || node_failed(real) ? &c->graph->error : loss_weighted(c, rule(c, fake, real));
}

static gan_node *l1(const struct loss_call *c, gan_node *fake, gan_node *real) { return (void)c, gan_l1(fake, real); }
static gan_node *l2(const struct loss_call *c, gan_node *fake, gan_node *real) { return (void)c, gan_l2(fake, real); }

static gan_node *huber(const struct loss_call *c, gan_node *fake, gan_node *real) {
  return gan_huber(fake, real, loss_number(c, "delta"));
}

static gan_node *l1_g(const struct loss_call *c) { return apart(c, l1); }
static gan_node *l2_g(const struct loss_call *c) { return apart(c, l2); }
static gan_node *huber_g(const struct loss_call *c) { return apart(c, huber); }

static const struct option distance_options[] = {LOSS_WEIGHT("1")};

const struct loss_row loss_l1 = {
  .name = "l1", .help = "G: mean |generated - real|, row by row, for pairs; 100 times beside a loss of scores in Isola et al. 2017",
  OPTIONS_OF(distance_options), .generator = l1_g,
};

const struct loss_row loss_l2 = {
  .name = "l2", .help = "G: mean (generated - real)^2, row by row, for pairs (Pathak et al. 2016)",
  OPTIONS_OF(distance_options), .generator = l2_g,
};

static const struct option huber_options[] = {
  LOSS_WEIGHT("1"), {"delta", OPTION_NUMBER, 1e-30, 1e30, "1", "where the square becomes a line"},
};

const struct loss_row loss_huber = {
  .name = "huber", .help = "G: mean of d^2 / 2 of d = |generated - real|, delta (d - delta / 2) from delta on (Huber 1964)",
  OPTIONS_OF(huber_options), .generator = huber_g,
};
