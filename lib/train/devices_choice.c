/* Devices that choose: samples, parameters, averages. Those without rules are asked for by the trainer itself. */
#include <math.h>

#include "train/device.h"
#include "train/terms.h"

/* ------------------------------------------------------------------ Sinha et al. 2020 */

/* How many samples of the batch score higher; of equals the first goes before. */
static gan_node *ranks(gan_graph *g, gan_node *scores) {
  int64_t n = scores->shape[0];
  gan_node *mean = gan_stop_gradient(gan_scale(sum_per_sample(scores), (double)n / (double)scores->count));
  gan_node *own = gan_reshape(mean, 2, (int64_t[]){n, 1}), *other = gan_reshape(mean, 2, (int64_t[]){1, n});
  gan_node *place = gan_to_float(node_positions(g, n));
  gan_node *earlier = gan_greater(gan_reshape(place, 2, (int64_t[]){n, 1}), gan_reshape(place, 2, (int64_t[]){1, n}));
  return sum_columns(gan_add(gan_greater(other, own), gan_mul(gan_equal(other, own), earlier)));
}

/* The mean over the k best is the mean over all with the weight batch / k for those, and 0 for the others. */
static gan_node *weigh_best(const struct device *d, gan_graph *g, gan_node *scores) {
  gan_node *k = device_scalar(d, g);
  if (node_failed(scores) || scores->rank < 1) return gan_constant(g, 1);
  return gan_mul(gan_greater(k, ranks(g, scores)), gan_div(gan_constant(g, (double)scores->shape[0]), k));
}

static double best(const struct device *d, int64_t step) {
  double least = option_number(&d->options, "share"), every = option_number(&d->options, "every");
  double share = pow(option_number(&d->options, "decay"), floor((double)step / every));
  return fmax(1, floor((double)d->batch * fmax(least, share) + 1e-9));
}

static const struct option top_k_options[] = {
  {"share", OPTION_NUMBER, 0, 1, "0.5", "of the batch that is left in the end"},
  {"decay", OPTION_NUMBER, 0, 1, "0.99", "of the share, beginning with all of them"},
  {"every", OPTION_INT, 1, 1e12, "1000", "steps between two decays"},
};

const struct device_row device_top_k = {
  .name = "top-k", .help = "G learns from the samples of a batch that D takes for the most real (Sinha et al. 2020)",
  OPTIONS_OF(top_k_options), .weigh = weigh_best, .value = best,
};

/* ------------------------------------------------------------------ averages */

/* As long as few steps were done, what was there at the beginning should soon be forgotten. */
static double decay(const struct device *d, int64_t step) {
  double most = option_number(&d->options, "decay"), warmup = option_number(&d->options, "warmup");
  return warmup > 0 ? fmin(most, (1 + (double)step) / (warmup + (double)step)) : most;
}

static const struct option ema_options[] = {
  {"decay", OPTION_NUMBER, 0, 1, "0.999", "share of the average that is kept in a step"},
  {"warmup", OPTION_NUMBER, 0, 1e12, "0", "W: the decay is at most (1 + step) / (W + step); 0: no warm-up; 10 is usual"},
};

const struct device_row device_ema = {
  .name = "ema", .help = "samples come from an exponential moving average of the generator (Yazici et al. 2018)",
  OPTIONS_OF(ema_options), .value = decay,
};

static const struct option standing_options[] = {
  {"batches", OPTION_INT, 1, 1e9, "16", "that the statistics are the mean of"},
};

const struct device_row device_standing_statistics = {
  .name = "standing-statistics",
  .help = "batch norms' running statistics of what is sampled from are measured anew before sampling, and at the end of a run "
          "(Brock et al. 2019)",
  OPTIONS_OF(standing_options),
};

/* ------------------------------------------------------------------ Lin et al. 2018 */

static const struct option pack_options[] = {
  {"samples", OPTION_INT, 1, 1e6, "2", "that D sees at once, as channels of one"},
};

const struct device_row device_pack = {
  .name = "pack", .help = "D judges several samples together, so that it sees a lack of variety (PacGAN, Lin et al. 2018)",
  OPTIONS_OF(pack_options),
};

/* ------------------------------------------------------------------ Shrivastava et al. 2017 */

const struct device_row device_replay = {
  .name = "replay", .help = "D sees a history of generated samples: the layer replay (Shrivastava et al. 2017; Zhu et al. 2017)",
  OPTIONS_OF(replay_options), .remembers = 1,
};

/* ------------------------------------------------------------------ weights, and who moves when */

static const struct option sample_weights_options[] = {
  {"slot", OPTION_TEXT, 0, 0, "weight", "of the data, one number a sample"},
  {"fake", OPTION_FLAG, 0, 0, "no", "generated samples have the weights of the real ones of their rows, too"},
};

const struct device_row device_sample_weights = {
  .name = "sample-weights", .help = "losses count each sample as much as a slot of the data says",
  OPTIONS_OF(sample_weights_options),
};

const struct device_row device_joint = {
  .name = "joint", .help = "D and G move together, each against the other as it was (Goodfellow et al. 2014)",
};

static const struct option clipping_options[] = {
  {"bound", OPTION_NUMBER, 1e-30, 1e30, "0.01", "weights of D are cut to +-bound after each of its steps"},
};

const struct device_row device_weight_clipping = {
  .name = "weight-clipping", .help = "D's weights stay in a box: the bound of its optimizer (Arjovsky et al. 2017)",
  OPTIONS_OF(clipping_options),
};

static const struct option ratio_options[] = {
  {"ratio", OPTION_NUMBER, 0, 1e9, "1", "length of the gradient of the scores' loss over that of all others, at G's output"},
};

const struct device_row device_gradient_ratio = {
  .name = "gradient-ratio", .help = "G's loss of the scores is weighted by the lengths of gradients: gan_mix_by_gradient",
  OPTIONS_OF(ratio_options),
};

static const struct option unrolled_options[] = {
  {"steps", OPTION_INT, 1, 100, "5", "of D's optimizer, on the same samples"},
};

const struct device_row device_unrolled = {
  .name = "unrolled", .help = "G learns against D as it would be some steps later, through those steps (Metz et al. 2017)",
  OPTIONS_OF(unrolled_options),
};

/* Natural gradient with a damped empirical Fisher matrix of rank 1. */
static const struct option latent_options[] = {
  {"rate", OPTION_NUMBER, 0, 1e6, "0.9", "alpha of the step alpha g / (damping + |g|^2)"},
  {"damping", OPTION_NUMBER, 1e-30, 1e6, "5", "keeps the step short where the gradient is"},
  {"weight", OPTION_NUMBER, 0, 1e9, "0", "w of w mean |step|^2 in both losses: the regulariser, 300 in the paper"},
};

const struct device_row device_latent_optimisation = {
  .name = "latent-optimisation", .help = "G's first input takes a step up D's score before both learn (LOGAN, Wu et al. 2019)",
  OPTIONS_OF(latent_options),
};

/* ------------------------------------------------------------------ Mo et al. 2020 */

static const struct option freeze_options[] = {
  {"parameters", OPTION_TEXT, 0, 0, NULL, "paths with '*', several separated by ',': \"dense1/*,dense2/*\""},
};

const struct device_row device_freeze_d = {
  .name = "freeze-d", .help = "parameters of D that stay as they are (FreezeD, Mo et al. 2020)",
  OPTIONS_OF(freeze_options),
};

const struct device_row device_freeze_g = {
  .name = "freeze-g", .help = "parameters of G that stay as they are",
  OPTIONS_OF(freeze_options),
};
