/* Losses of what the discriminator sees in samples besides their score. */
#include <string.h>

#include "train/each.h"
#include "train/loss.h"

#define FEATURES {"output", OPTION_TEXT, 0, 0, "", "D's output with the features; empty: its second"}

/* ------------------------------------------------------------------ Salimans et al. 2016 */

static gan_node *feature_matching(const struct loss_call *c) {
  gan_node *real = scene_output(c, 1, "output", 1), *fake = scene_output(c, 0, "output", 1);
  if (node_failed(real) || node_failed(fake)) return &c->graph->error;
  real = loss_counted(c, real, c->scene->real_weights);
  fake = loss_counted(c, fake, c->scene->fake_weights);
  return loss_weighted(c, gan_feature_matching(real, fake));
}

static const struct option feature_matching_options[] = {FEATURES, LOSS_WEIGHT("1")};

const struct loss_row loss_feature_matching = {
  .name = "feature-matching",
  .help = "G: squared distance between the mean features of real and generated samples (Salimans et al. 2016, section 3.1)",
  OPTIONS_OF(feature_matching_options), .generator = feature_matching,
};

/* ------------------------------------------------------------------ Zhao et al. 2017 */

static gan_node *pull_away_g(const struct loss_call *c) {
  gan_node *features = scene_output(c, 0, "output", 1);
  return node_failed(features) ? features : loss_weighted(c, pull_away(features, loss_sample_weights(c, 0, features)));
}

static const struct option pull_away_options[] = {FEATURES, LOSS_WEIGHT("0.1")};

const struct loss_row loss_pull_away = {
  .name = "pull-away",
  .help = "G: mean squared cosine between the features of generated samples, beside ebgan (Zhao et al. 2017, section 2.4)",
  OPTIONS_OF(pull_away_options), .generator = pull_away_g,
};

/* ------------------------------------------------------------------ Chen et al. 2016 */

/* What is not said follows from the code: labels are categorical, floats as the generator draws them. */
static const char *distribution_of(const struct loss_call *c, const gan_node *code) {
  const char *given = option_text(c->options, "distribution");
  const gan_network *g = c->scene->generator;
  if (*given) return given;
  if (code->type == GAN_I32) return "categorical";
  const char *name = option_text(c->options, "code");
  int32_t index = !g ? -1 : *name ? network_input(g, name) : g->n_inputs > 1 ? 1 : -1;
  return index >= 0 && g->inputs[index].noise_kind == RANDOM_UNIFORM ? "uniform" : "normal";
}

static gan_node *mutual_information(const struct loss_call *c) {
  gan_node *code = scene_input(c, "code", 1), *prediction = scene_output(c, 0, "output", 1);
  if (node_failed(code) || node_failed(prediction)) return &c->graph->error;
  gan_node *each = each_mutual_information(code, prediction, distribution_of(c, code));
  return loss_weighted(c, loss_mean(c, each, c->scene->fake_weights));
}

static const char *const distributions[] = {"categorical", "uniform", "normal", NULL};

static const char *distribution_at(int32_t index) { return distributions[index]; }

static gan_status check_distribution(gan_context *ctx, const struct options *o) {
  const char *given = option_text(o, "distribution");
  for (int32_t i = 0; *given && distributions[i]; i++)
    if (strcmp(given, distributions[i]) == 0) return GAN_OK;
  return *given ? fail_unknown(ctx, NULL, "distribution", given, distribution_at) : GAN_OK;
}

static const struct option mutual_information_options[] = {
  {"code", OPTION_TEXT, 0, 0, "", "G's input with the code; empty: its second"},
  {"output", OPTION_TEXT, 0, 0, "", "D's output that predicts it: logits, means, or means and log variances; empty: its second"},
  {"distribution", OPTION_TEXT, 0, 0, "", "of the code: categorical, uniform, normal; empty: as G's input says"},
  LOSS_WEIGHT("1"),
};

const struct loss_row loss_mutual_information = {
  .name = "mutual-information",
  .help = "both sides: minus the lower bound on the information that samples have of a code (InfoGAN, Chen et al. 2016)",
  OPTIONS_OF(mutual_information_options), .check = check_distribution,
  .discriminator = mutual_information, .generator = mutual_information,
};
