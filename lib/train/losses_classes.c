/* Losses of discriminators that know classes. */
#include "train/each.h"
#include "train/loss.h"
#include "train/terms.h"

#define OUTPUT(name, help) {name, OPTION_TEXT, 0, 0, "", help}

/* ------------------------------------------------------------------ Odena et al. 2017 */

static gan_node *weights_of(const struct loss_call *c, int32_t real) {
  return real ? c->scene->real_weights : c->scene->fake_weights;
}

static gan_node *class_entropy(const struct loss_call *c, int32_t real) {
  gan_node *logits = scene_output(c, real, "output", 1), *labels = scene_labels(c, real);
  if (node_failed(logits) || node_failed(labels)) return &c->graph->error;
  return loss_mean(c, each_cross_entropy(logits, labels), weights_of(c, real));
}

static gan_node *ac_gan_d(const struct loss_call *c) {
  gan_node *real = class_entropy(c, 1);
  double share = loss_number(c, "fake");
  return loss_weighted(c, share == 0 ? real : gan_add(real, gan_scale(class_entropy(c, 0), share)));
}

static gan_node *ac_gan_g(const struct loss_call *c) { return loss_weighted(c, class_entropy(c, 0)); }

static const struct option ac_gan_options[] = {
  OUTPUT("output", "D's output with the logits of the classes; empty: its second"),
  LOSS_WEIGHT("1"),
  {"fake", OPTION_NUMBER, 0, 1e9, "1", "factor of the generated samples' cross-entropy in D's loss"},
};

const struct loss_row loss_ac_gan = {
  .name = "ac-gan",
  .help = "beside a loss of scores: both sides want the class of a sample recognised (Odena et al. 2017)",
  OPTIONS_OF(ac_gan_options),
  .discriminator = ac_gan_d, .generator = ac_gan_g,
};

/* ------------------------------------------------------------------ Salimans et al. 2016 */

/* Of K + 1 classes the last, "generated", has the logit 0. */
static gan_node *any_class(const struct loss_call *c, gan_node *logits, int32_t real) {
  return (void)c, (void)real, gan_class_score(logits);
}

static gan_node *minus_log_real(const struct loss_call *c, gan_node *x) { return (void)c, gan_softplus(gan_neg(x)); }
static gan_node *minus_log_fake(const struct loss_call *c, gan_node *x) { return (void)c, gan_softplus(x); }

static gan_node *semi_supervised_d(const struct loss_call *c) {
  gan_node *scores = scores_discriminator(c), *labels = scene_labels(c, 1);
  if (node_failed(scores) || node_failed(labels)) return &c->graph->error;
  gan_node *logits = c->scene->real_outputs[0], *weights = loss_sample_weights(c, 1, logits);
  gan_node *supervised = loss_mean(c, each_known_cross_entropy(logits, labels, weights), weights);
  return gan_add(scores, gan_scale(supervised, loss_number(c, "supervised")));
}

static gan_node *semi_supervised_g(const struct loss_call *c) {
  return gan_scale(scores_generator(c), loss_number(c, "generator"));
}

static int32_t semi_supervised_concerns(const struct options *o, int32_t side) {
  return side == GAN_SIDE_D || option_number(o, "generator") > 0;
}

static const struct option semi_supervised_options[] = {
  {"supervised", OPTION_NUMBER, 0, 1e9, "1", "factor of the cross-entropy of the samples whose label is known"},
  {"generator", OPTION_NUMBER, 0, 1e9, "1", "factor of G's loss; 0 leaves it to feature-matching, as in the paper"},
  LOSS_SIDES,
};

const struct loss_row loss_semi_supervised = {
  .name = "semi-supervised",
  .help = "D's first output are logits of K classes, and one more means generated; a label K means that it is not known "
          "(Salimans et al. 2016, section 5)",
  OPTIONS_OF(semi_supervised_options), .probabilities = 1, .score = any_class,
  .real = minus_log_real, .fake = minus_log_fake, .fooling = minus_log_real,
  .discriminator = semi_supervised_d, .generator = semi_supervised_g, .concerns = semi_supervised_concerns,
};

/* ------------------------------------------------------------------ Kavalerov et al. 2021 */

static gan_node *logits_bad(const struct loss_call *c, gan_node *logits) {
  if (node_failed(logits)) return scene_fail(c, "logits of the classes");
  gan_node *bad = rows_bad("multi-hinge", logits);
  if (bad || logits->shape[1] >= 2) return bad;
  return graph_fail(c->graph, GAN_ERROR_SHAPE, "multi-hinge: one logit; expected one a class, and one for generated samples");
}

/* own: 1 at the class that a sample should have. */
static gan_node *hinge(const struct loss_call *c, int32_t real, gan_node *own) {
  return loss_mean(c, each_multi_hinge(real ? c->real : c->fake, own), weights_of(c, real));
}

static gan_node *hinge_of_labels(const struct loss_call *c, int32_t real) {
  gan_node *logits = real ? c->real : c->fake, *labels = scene_labels(c, real), *bad = logits_bad(c, logits);
  if (!bad) bad = node_failed(labels) ? labels : labels_bad("multi-hinge", logits, labels);
  return bad ? bad : hinge(c, real, gan_one_hot(labels, logits->shape[1]));
}

/* 1 in the last column: the class of what was generated. */
static gan_node *last_class(const gan_node *logits) {
  return gan_pad(node_full(logits->graph, 1, 2, (int64_t[]){1, 1}), 1, logits->shape[1] - 1, 0);
}

static gan_node *multi_hinge_d(const struct loss_call *c) {
  gan_node *bad = logits_bad(c, c->fake);
  return bad ? bad : gan_add(hinge_of_labels(c, 1), hinge(c, 0, last_class(c->fake)));
}

static gan_node *multi_hinge_g(const struct loss_call *c) { return hinge_of_labels(c, 0); }

const struct loss_row loss_multi_hinge = {
  .name = "multi-hinge",
  .help = "D's first output are logits of K classes and, last, of generated samples: a hinge over all of them (Kavalerov et al. "
          "2021)",
  .discriminator = multi_hinge_d, .generator = multi_hinge_g,
};

/* ------------------------------------------------------------------ Kang and Park 2020, Kang et al. 2021 */

/* D looks at real samples, G at its own. */
struct contrasted { gan_node *features, *embeddings, *labels, *weights; };

static struct contrasted contrasted_of(const struct loss_call *c) {
  int32_t real = c->side == GAN_SIDE_D;
  gan_node *features = scene_output(c, real, "features", 1);
  return (struct contrasted){features, scene_output(c, real, "embeddings", 2), scene_labels(c, real),
                             loss_sample_weights(c, real, features)};
}

static gan_node *contrastive(const struct loss_call *c) {
  struct contrasted x = contrasted_of(c);
  if (c->graph->failed) return &c->graph->error;
  gan_node *each = each_contrastive_2c(x.features, x.embeddings, x.labels, loss_number(c, "temperature"), x.weights);
  return loss_weighted(c, loss_mean(c, each, x.weights));
}

#define CONTRAST(fallback) \
  OUTPUT("features", "D's output with the features of the samples; empty: its second"), \
  OUTPUT("embeddings", "D's output with the embedding of each sample's class; empty: its third"), \
  LOSS_WEIGHT("1"), \
  {"temperature", OPTION_NUMBER, 1e-6, 1e6, fallback, "cosines are divided by it"}

static const struct option contrastive_options[] = {CONTRAST("1")};

const struct loss_row loss_contrastive_2c = {
  .name = "contrastive-2c",
  .help = "beside a loss of scores: samples lie near the embedding of their class and others of it (ContraGAN, Kang and Park 2020)",
  OPTIONS_OF(contrastive_options),
  .discriminator = contrastive, .generator = contrastive,
};

static gan_node *d2d_ce(const struct loss_call *c) {
  struct contrasted x = contrasted_of(c);
  if (c->graph->failed) return &c->graph->error;
  gan_node *each = each_d2d_ce(x.features, x.embeddings, x.labels, loss_number(c, "temperature"), loss_number(c, "margin"),
                               x.weights);
  return loss_weighted(c, loss_mean(c, each, x.weights));
}

static const struct option d2d_ce_options[] = {
  CONTRAST("0.25"),
  {"margin", OPTION_NUMBER, 0, 1, "0.98", "cosine to the embedding that is near enough; 1 - margin is far enough from others"},
};

const struct loss_row loss_d2d_ce = {
  .name = "d2d-ce",
  .help = "beside a loss of scores: samples lie near the embedding of their class and away from those of others (ReACGAN, Kang et "
          "al. 2021)",
  OPTIONS_OF(d2d_ce_options),
  .discriminator = d2d_ce, .generator = d2d_ce,
};
