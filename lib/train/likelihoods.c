/* Likelihoods and divergences of distributions that networks describe; cross-entropies are in cross_entropy.c. */
#include <math.h>
#include <string.h>

#include "train/each.h"
#include "train/terms.h"

#define LOG_2PI 1.8378770664093454836

static gan_node *batch_bad(const char *who, const gan_node *x) {
  return x->rank >= 1 ? NULL : graph_fail(x->graph, GAN_ERROR_SHAPE, "%s: one number has no axis of samples", who);
}

/* (e^v + m^2 - 1 - v) / 2 */
gan_node *each_kl_gaussian(gan_node *mean, gan_node *log_variance) {
  gan_node *bad = pair_bad("kl_gaussian", mean, log_variance);
  if (!bad) bad = batch_bad("kl_gaussian", mean);
  if (bad) return bad;
  gan_node *spread = gan_sub(gan_exp(log_variance), gan_shift(log_variance, 1));
  return sum_per_sample(gan_scale(gan_add(spread, gan_square(mean)), 0.5));
}

gan_node *gan_kl_gaussian(gan_node *mean, gan_node *log_variance) { return gan_mean(each_kl_gaussian(mean, log_variance)); }

/* m + e^(v/2) u */
gan_node *gan_gaussian_sample(gan_node *mean, gan_node *log_variance, gan_node *noise) {
  gan_node *bad = pair_bad("gaussian_sample", mean, log_variance);
  if (!bad) bad = pair_bad("gaussian_sample", mean, noise);
  return bad ? bad : gan_add(mean, gan_mul(gan_exp(gan_scale(log_variance, 0.5)), noise));
}

gan_node *each_kl_categorical(gan_node *p, gan_node *q) {
  gan_node *bad = pair_bad("kl_categorical", p, q);
  if (!bad) bad = batch_bad("kl_categorical", p);
  if (bad) return bad;
  gan_node *log_p = gan_log_softmax(p, -1), *log_q = gan_log_softmax(q, -1);
  return sum_columns(gan_mul(gan_exp(log_p), gan_sub(log_p, log_q)));
}

gan_node *gan_kl_categorical(gan_node *p, gan_node *q) { return gan_mean(each_kl_categorical(p, q)); }

/* ((x - m)^2 e^-v + v + log 2 pi) / 2 */
gan_node *each_gaussian_likelihood(gan_node *x, gan_node *mean, gan_node *log_variance) {
  gan_node *bad = pair_bad("gaussian_likelihood", x, mean);
  if (!bad && log_variance) bad = pair_bad("gaussian_likelihood", x, log_variance);
  if (!bad) bad = batch_bad("gaussian_likelihood", x);
  if (bad) return bad;
  gan_node *far = gan_square(gan_sub(x, mean));
  if (log_variance) far = gan_add(gan_mul(far, gan_exp(gan_neg(log_variance))), log_variance);
  return sum_per_sample(gan_scale(gan_shift(far, LOG_2PI), 0.5));
}

gan_node *gan_gaussian_likelihood(gan_node *x, gan_node *mean, gan_node *log_variance) {
  return gan_mean(each_gaussian_likelihood(x, mean, log_variance));
}

/* ------------------------------------------------------------------ mutual information (Chen et al. 2016) */

/* The entropy of a code is a constant: with it the number is a bound. */
static gan_node *categorical_bound(gan_node *code, gan_node *prediction) {
  gan_node *bad = labels_bad("mutual_information", prediction, code);
  return bad ? bad : gan_shift(each_cross_entropy(prediction, code), -log((double)prediction->shape[1]));
}

static gan_node *continuous_bound(gan_node *code, gan_node *prediction, double entropy) {
  char came[2][SHAPE_TEXT];
  gan_node *in[2] = {code, prediction}, *bad = nodes_bad("mutual_information", GAN_F32, 2, in);
  if (!bad) bad = rows_bad("mutual_information", code);
  if (!bad) bad = rows_bad("mutual_information", prediction);
  if (bad) return bad;
  int64_t n = code->shape[1], width = prediction->shape[1];
  if (width != n && width != 2 * n)
    return graph_fail(code->graph, GAN_ERROR_SHAPE,
                      "mutual_information: a code of %s and a prediction of %s, expected means, or means and log variances",
                      node_text(code, came[0]), node_text(prediction, came[1]));
  gan_node *mean = gan_slice(prediction, 1, 0, n), *log_variance = width == n ? NULL : gan_slice(prediction, 1, n, 2 * n);
  return gan_shift(each_gaussian_likelihood(code, mean, log_variance), -(double)n * entropy);
}

gan_node *each_mutual_information(gan_node *code, gan_node *prediction, const char *distribution) {
  gan_node *in[2] = {code, prediction}, *bad = nodes_bad("mutual_information", ANY_TYPE, 2, in);
  if (bad) return bad;
  if (distribution && strcmp(distribution, "categorical") == 0) return categorical_bound(code, prediction);
  if (distribution && strcmp(distribution, "uniform") == 0) return continuous_bound(code, prediction, M_LN2);
  if (distribution && strcmp(distribution, "normal") == 0) return continuous_bound(code, prediction, (LOG_2PI + 1) / 2);
  return graph_fail(code->graph, GAN_ERROR_ARGUMENT,
                    "mutual_information: no distribution '%s'; there are categorical, uniform, normal",
                    distribution ? distribution : "(NULL)");
}

gan_node *gan_mutual_information(gan_node *code, gan_node *prediction, const char *distribution) {
  return gan_mean(each_mutual_information(code, prediction, distribution));
}
