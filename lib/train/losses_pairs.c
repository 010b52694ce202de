/* Losses of a prediction and what it should be. Of a scene these are what G made and the real sample of the same row, as in data of
 * pairs; or an output of D that tells from a sample an input of G. gan_loss_pair() gives any two nodes. */
#include "ops/build.h"
#include "train/each.h"
#include "train/loss.h"

/* ------------------------------------------------------------------ which two */

static int32_t names(const struct options *o, const char *option) { return *option_text(o, option) != 0; }

static gan_node *prediction_of(const struct loss_call *c) {
  if (c->prediction) return c->prediction;
  return names(c->options, "output") ? scene_output(c, 0, "output", 1) : scene_fake(c);
}

static gan_node *target_of(const struct loss_call *c) {
  if (c->prediction) return c->target;
  return names(c->options, "input") ? scene_input(c, "input", 0) : scene_real(c);
}

/* What G was told of its samples, or what the data says of the real ones of their rows. */
static gan_node *labels_of(const struct loss_call *c) {
  if (c->prediction || names(c->options, "input")) return target_of(c);
  return scene_labels(c, c->scene->fake_labels == NULL);
}

/* ------------------------------------------------------------------ one number */

static gan_node *pair_loss(const struct loss_call *c) {
  gan_node *each = c->loss->row->each(c);
  return loss_weighted(c, loss_mean(c, each, names(c->options, "input") ? c->scene->fake_weights : loss_pair_weights(c)));
}

/* An output of D is D's to learn, too. */
static int32_t pair_concerns(const struct options *o, int32_t side) { return side == GAN_SIDE_G || names(o, "output"); }

#define PAIR(rule, table) \
  OPTIONS_OF(table), .each = rule, .discriminator = pair_loss, .generator = pair_loss, .concerns = pair_concerns

#define WHICH \
  {"output", OPTION_TEXT, 0, 0, "", "D's output at generated samples that predicts, for both sides; empty: G's samples, for G"}, \
  {"input", OPTION_TEXT, 0, 0, "", "G's input that is predicted; empty: the real sample of the row, or its label"}

static const struct option pair_options[] = {LOSS_WEIGHT("1"), WHICH};

/* ------------------------------------------------------------------ distances */

static gan_node *l1(const struct loss_call *c) { return each_l1(prediction_of(c), target_of(c)); }
static gan_node *l2(const struct loss_call *c) { return each_l2(prediction_of(c), target_of(c)); }
static gan_node *huber(const struct loss_call *c) { return each_huber(prediction_of(c), target_of(c), loss_number(c, "delta")); }

const struct loss_row loss_l1 = {
  .name = "l1", .help = "mean |prediction - target|; 100 times beside a loss of scores in Isola et al. 2017",
  PAIR(l1, pair_options),
};

const struct loss_row loss_l2 = {
  .name = "l2", .help = "mean (prediction - target)^2 (Pathak et al. 2016)", PAIR(l2, pair_options),
};

static const struct option huber_options[] = {
  LOSS_WEIGHT("1"), WHICH, {"delta", OPTION_NUMBER, 1e-30, 1e30, "1", "where the square becomes a line"},
};

const struct loss_row loss_huber = {
  .name = "huber", .help = "mean of d^2 / 2 of d = |prediction - target|, delta (d - delta / 2) from delta on (Huber 1964)",
  PAIR(huber, huber_options),
};

/* ------------------------------------------------------------------ likelihoods */

static gan_node *binary(const struct loss_call *c) { return each_binary_cross_entropy(prediction_of(c), target_of(c)); }
static gan_node *categorical(const struct loss_call *c) { return each_cross_entropy(prediction_of(c), labels_of(c)); }
static gan_node *divergence(const struct loss_call *c) { return each_kl_categorical(target_of(c), prediction_of(c)); }

const struct loss_row loss_binary_cross_entropy = {
  .name = "binary-cross-entropy", .help = "mean softplus(x) - x target of a prediction x of logits, targets in 0 .. 1",
  PAIR(binary, pair_options),
};

const struct loss_row loss_cross_entropy = {
  .name = "cross-entropy",
  .help = "mean -log softmax(prediction)[label], (batch, classes): the likelihood of a categorical distribution",
  PAIR(categorical, pair_options),
};

const struct loss_row loss_kl_categorical = {
  .name = "kl-categorical",
  .help = "mean sum of q (log q - log p) over the last axis, q = softmax(target), p = softmax(prediction)",
  PAIR(divergence, pair_options),
};

/* Means, and in the second half of the last axis, if it is twice as long, log variances. */
static gan_node *half(gan_node *x, int64_t size, int32_t second) {
  return gan_slice(x, x->rank - 1, second ? size : 0, second ? 2 * size : size);
}

static gan_node *gaussian(const struct loss_call *c) {
  gan_node *x = target_of(c), *p = prediction_of(c), *bad = nodes_bad("gaussian-likelihood", GAN_F32, 2, (gan_node *[]){x, p});
  if (bad) return bad;
  int64_t size = x->rank >= 2 && p->rank == x->rank ? x->shape[x->rank - 1] : 0;
  if (!size || p->shape[p->rank - 1] != 2 * size) return each_gaussian_likelihood(x, p, NULL);
  return each_gaussian_likelihood(x, half(p, size, 0), half(p, size, 1));
}

static gan_node *from_standard(const struct loss_call *c) {
  gan_node *p = prediction_of(c), *bad = node_bad("kl-gaussian", GAN_F32, p);
  if (bad) return bad;
  int64_t size = p->rank >= 2 ? p->shape[p->rank - 1] : 1;
  if (size % 2) return graph_fail(c->graph, GAN_ERROR_SHAPE, "kl-gaussian: expected (batch, .., 2 n), means and log variances");
  return each_kl_gaussian(half(p, size / 2, 0), half(p, size / 2, 1));
}

const struct loss_row loss_gaussian_likelihood = {
  .name = "gaussian-likelihood",
  .help = "mean ((target - m)^2 e^-v + v + log 2 pi) / 2, summed over a sample, of a prediction m, or m and v along the last axis",
  PAIR(gaussian, pair_options),
};

static const struct option kl_gaussian_options[] = {
  LOSS_WEIGHT("1"),
  {"output", OPTION_TEXT, 0, 0, "", "D's output at generated samples with m and v, for both sides; empty: G's samples, for G"},
};

const struct loss_row loss_kl_gaussian = {
  .name = "kl-gaussian",
  .help = "mean (e^v + m^2 - 1 - v) / 2, summed over a sample, of a prediction of m and v along the last axis: how far it is from "
          "the standard normal (Kingma and Welling 2014)",
  PAIR(from_standard, kl_gaussian_options),
};

/* ------------------------------------------------------------------ Zhu et al. 2017 */

static gan_node *way_back(const struct loss_call *c) {
  gan_node *back = c->prediction ? c->prediction : scene_output(c, 0, "output", 1);
  gan_node *from = c->prediction ? c->target : scene_input(c, "input", 0);
  return each_l1(back, from);
}

static gan_node *cycle(const struct loss_call *c) { return loss_weighted(c, loss_mean(c, way_back(c), c->scene->fake_weights)); }

static const struct option cycle_options[] = {
  LOSS_WEIGHT("10"),
  {"output", OPTION_TEXT, 0, 0, "", "D's output that leads from a sample back to what it was made from; empty: its second"},
  {"input", OPTION_TEXT, 0, 0, "", "G's input that it was made from; empty: its first"},
};

const struct loss_row loss_cycle = {
  .name = "cycle",
  .help = "both sides: mean |back(G(x)) - x|: what leads there and back should end where it began (Zhu et al. 2017)",
  OPTIONS_OF(cycle_options), .each = way_back, .discriminator = cycle, .generator = cycle,
};

/* G at real samples instead of one of its inputs. */
static gan_node *unchanged(const struct loss_call *c) {
  char came[2][SHAPE_TEXT];
  if (c->prediction) return each_l1(c->prediction, c->target);
  gan_node *real = scene_real(c), *input = scene_input(c, "input", 0);
  if (node_failed(real) || node_failed(input)) return &c->graph->error;
  if (real->count != input->count)
    return graph_fail(c->graph, GAN_ERROR_SHAPE,
                      "loss 'identity': real samples are %s and the generator's input %s, expected as many numbers",
                      node_text(real, came[0]), node_text(input, came[1]));
  gan_node *made = scene_generate(c, input, gan_reshape(real, input->rank, input->shape));
  return each_l1(scene_as_samples(c, made), real);
}

static gan_node *identity(const struct loss_call *c) {
  return loss_weighted(c, loss_mean(c, unchanged(c), c->scene->real_weights));
}

static const struct option identity_options[] = {
  LOSS_WEIGHT("5"), {"input", OPTION_TEXT, 0, 0, "", "G's input that takes the real samples; empty: its first"},
};

const struct loss_row loss_identity = {
  .name = "identity", .help = "G: mean |G(real) - real|: what is of the kind already stays as it is (Zhu et al. 2017, section 5.2)",
  OPTIONS_OF(identity_options), .each = unchanged, .generator = identity,
};

/* ------------------------------------------------------------------ Johnson et al. 2016 */

static gan_node *perceptual(const struct loss_call *c) {
  gan_node *x = prediction_of(c), *target = target_of(c);
  gan_network *eyes = scene_network(c, "network");
  return eyes ? each_perceptual(eyes, x, target) : &c->graph->error;
}

static const struct option perceptual_options[] = {
  LOSS_WEIGHT("1"), WHICH,
  {"network", OPTION_TEXT, 0, 0, "", "name of the network that looks, of those that were given; empty: the first"},
};

const struct loss_row loss_perceptual = {
  .name = "perceptual",
  .help = "mean (N(prediction) - N(target))^2, summed over the outputs of a network N that stays as it is (Johnson et al. 2016)",
  PAIR(perceptual, perceptual_options),
};
