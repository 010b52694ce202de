/* Distances between nodes of one shape, and between what they are made from. */
#include <math.h>

#include "train/each.h"
#include "train/terms.h"

gan_node *each_l1(gan_node *a, gan_node *b) {
  gan_node *bad = pair_bad("l1", a, b);
  return bad ? bad : gan_abs(gan_sub(a, b));
}

gan_node *each_l2(gan_node *a, gan_node *b) {
  gan_node *bad = pair_bad("l2", a, b);
  return bad ? bad : gan_square(gan_sub(a, b));
}

/* With q = min(|d|, delta) both branches are q |d| - q^2 / 2. */
gan_node *each_huber(gan_node *a, gan_node *b, double delta) {
  gan_node *bad = pair_bad("huber", a, b);
  if (bad) return bad;
  if (!(delta > 0 && delta <= 1e30)) return graph_fail(a->graph, GAN_ERROR_ARGUMENT, "huber: delta must be positive and finite");
  gan_node *d = gan_abs(gan_sub(a, b)), *q = gan_minimum(d, gan_constant(a->graph, delta));
  return gan_mul(q, gan_sub(d, gan_scale(q, 0.5)));
}

gan_node *gan_l1(gan_node *a, gan_node *b) { return gan_mean(each_l1(a, b)); }
gan_node *gan_l2(gan_node *a, gan_node *b) { return gan_mean(each_l2(a, b)); }
gan_node *gan_huber(gan_node *a, gan_node *b, double delta) { return gan_mean(each_huber(a, b, delta)); }

/* ------------------------------------------------------------------ in the eyes of a network */

enum { OUTPUTS_MAX = 16 };

static gan_node *too_many(const gan_graph *g, const gan_network *n) {
  return graph_fail((gan_graph *)g, GAN_ERROR_ARGUMENT, "perceptual: '%s' has %d outputs, expected at most %d", n->name,
                    (int)n->n_outputs, OUTPUTS_MAX);
}

gan_node *each_perceptual(gan_network *network, gan_node *x, gan_node *target) {
  gan_node *bad = pair_bad("perceptual", x, target), *of_x[OUTPUTS_MAX], *of_target[OUTPUTS_MAX], *sum = NULL;
  if (bad) return bad;
  if (!network) return graph_fail(x->graph, GAN_ERROR_ARGUMENT, "perceptual: network may not be NULL");
  gan_status status = gan_network_finish(network);
  if (status != GAN_OK) return graph_fail(x->graph, status, "%s", network->ctx->error);
  int32_t count = (int32_t)network->n_outputs;
  if (count > OUTPUTS_MAX) return too_many(x->graph, network);
  gan_node *still = gan_stop_gradient(target);
  gan_network_apply(network, GAN_EVALUATION | GAN_FROZEN, 1, &x, count, of_x);
  gan_network_apply(network, GAN_EVALUATION | GAN_FROZEN, 1, &still, count, of_target);
  for (int32_t i = 0; i < count; i++) {
    gan_node *far = mean_per_sample(each_l2(of_x[i], of_target[i]));
    sum = sum ? gan_add(sum, far) : far;
  }
  return sum;
}

gan_node *gan_perceptual(gan_network *network, gan_node *x, gan_node *target) {
  return gan_mean(each_perceptual(network, x, target));
}

/* ------------------------------------------------------------------ of statistics of features */

gan_node *gan_feature_matching(gan_node *real, gan_node *fake) {
  gan_node *in[2] = {real, fake}, *bad = nodes_bad("feature_matching", GAN_F32, 2, in);
  const int32_t batch = 0;
  if (bad) return bad;
  if (real->rank < 1 || fake->rank < 1)
    return graph_fail(real->graph, GAN_ERROR_SHAPE, "feature_matching: one number has no axis of samples");
  gan_node *a = gan_mean_axes(real, 1, &batch, 0), *b = gan_mean_axes(fake, 1, &batch, 0);
  bad = pair_bad("feature_matching (without the batch)", a, b);
  return bad ? bad : gan_sum(gan_square(gan_sub(a, b)));
}

/* Mean of the squared cosines of all pairs; those of a row with itself are taken off the sum. */
gan_node *pull_away(gan_node *features, gan_node *weights) {
  gan_node *bad = rows_bad("pull_away", features);
  if (bad) return bad;
  int64_t n = features->shape[0];
  if (n < 2) return graph_fail(features->graph, GAN_ERROR_SHAPE, "pull_away: a batch of %d, expected at least 2", (int)n);
  gan_node *s = unit_rows(features), *alike = gan_square(gan_matmul(s, s, 0, 1));
  gan_node *others = gan_mul(alike, node_off_diagonal(features->graph, n));
  if (weights) others = gan_mul(gan_mul(others, gan_reshape(weights, 2, (int64_t[]){n, 1})), weights);
  return gan_scale(gan_sum(others), 1 / ((double)n * (double)(n - 1)));
}

gan_node *gan_pull_away(gan_node *features) { return pull_away(features, NULL); }
