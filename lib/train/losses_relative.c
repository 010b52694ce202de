/* Relativistic losses: how much more real a sample looks than those of the other side (Jolicoeur-Martineau 2018). With f(x) small
 * where x is high, f(real - fake) is what D minimises, and G the same with the sides exchanged. */
#include "train/loss.h"

#include <string.h>

#include "base/tensor.h"

static gan_node *logistic(gan_node *x) { return gan_softplus(gan_neg(x)); }
static gan_node *squares(gan_node *x) { return gan_square(gan_shift(x, -1)); }
static gan_node *hinge(gan_node *x) { return gan_relu(gan_shift(gan_neg(x), 1)); }

static const struct { const char *name; gan_node *(*f)(gan_node *x); } bases[] = {
  {"logistic", logistic}, {"least-squares", squares}, {"hinge", hinge},
};

enum { BASES = sizeof bases / sizeof *bases };

static int32_t find_base(const struct options *o) {
  for (int32_t i = 0; i < BASES; i++)
    if (strcmp(bases[i].name, option_text(o, "on")) == 0) return i;
  return -1;
}

static const char *base_name(int32_t index) { return index < BASES ? bases[index].name : NULL; }

static gan_status check_base(gan_context *ctx, const struct options *o) {
  return find_base(o) >= 0 ? GAN_OK : fail_unknown(ctx, NULL, "base of a relativistic loss", option_text(o, "on"), base_name);
}

static const struct option relative_options[] = {
  {"on", OPTION_TEXT, 0, 0, "logistic", "the function of the difference: logistic, least-squares, hinge"},
};

static gan_node *f_of(const struct loss_call *c, gan_node *x) { return bases[find_base(c->options)].f(x); }

static gan_node *scores_missing(const struct loss_call *c) {
  return node_failed(c->real) || node_failed(c->fake) ? scene_fail(c, "scores of real or generated samples") : NULL;
}

/* ------------------------------------------------------------------ in pairs */

static gan_node *pairs(const struct loss_call *c, gan_node *winner, gan_node *loser) {
  char a[128], b[128];
  if (!shape_equal(winner->rank, winner->shape, loser->rank, loser->shape))
    return graph_fail(c->graph, GAN_ERROR_SHAPE, "loss '%s' pairs scores, and they are %s and %s", loss_name(c->loss),
                      shape_text(a, sizeof a, winner->rank, winner->shape), shape_text(b, sizeof b, loser->rank, loser->shape));
  return loss_mean(c, f_of(c, gan_sub(winner, loser)), loss_pair_weights(c));
}

static gan_node *pairs_d(const struct loss_call *c) {
  gan_node *missing = scores_missing(c);
  return missing ? missing : pairs(c, c->real, c->fake);
}

static gan_node *pairs_g(const struct loss_call *c) {
  gan_node *missing = scores_missing(c);
  return missing ? missing : pairs(c, c->fake, c->real);
}

const struct loss_row loss_relativistic = {
  .name = "relativistic",
  .help = "a real sample should score higher than the generated one beside it (Jolicoeur-Martineau 2018, section 3)",
  OPTIONS_OF(relative_options), .check = check_base,
  .discriminator = pairs_d, .generator = pairs_g,
};

/* ------------------------------------------------------------------ against the mean of the other side */

struct side { gan_node *scores, *weights; };

static struct side real_side(const struct loss_call *c) { return (struct side){c->real, c->scene->real_weights}; }
static struct side fake_side(const struct loss_call *c) { return (struct side){c->fake, c->scene->fake_weights}; }

static gan_node *mean_of(const struct loss_call *c, struct side s) { return gan_mean(loss_counted(c, s.scores, s.weights)); }

static gan_node *against_means(const struct loss_call *c, struct side winner, struct side loser) {
  gan_node *won = f_of(c, gan_sub(winner.scores, mean_of(c, loser))), *lost = f_of(c, gan_sub(mean_of(c, winner), loser.scores));
  return gan_add(loss_mean(c, won, winner.weights), loss_mean(c, lost, loser.weights));
}

static gan_node *average_d(const struct loss_call *c) {
  gan_node *missing = scores_missing(c);
  return missing ? missing : against_means(c, real_side(c), fake_side(c));
}

static gan_node *average_g(const struct loss_call *c) {
  gan_node *missing = scores_missing(c);
  return missing ? missing : against_means(c, fake_side(c), real_side(c));
}

const struct loss_row loss_relativistic_average = {
  .name = "relativistic-average",
  .help = "real samples should score higher than generated ones on average, and the other way round (Jolicoeur-Martineau 2018, "
          "section 4)",
  OPTIONS_OF(relative_options), .check = check_base,
  .discriminator = average_d, .generator = average_g,
};
