/* Functions of samples with classes, for discriminators that know them. */
#include "train/each.h"

#include "train/terms.h"

/* So far down that no exponential and no maximum sees it. */
static const double FAR_DOWN = -1e9;

static gan_node *other_graph(const char *who, gan_node *a, gan_node *b) {
  gan_node *in[2] = {a, b};
  return nodes_bad(who, ANY_TYPE, 2, in);
}

/* ------------------------------------------------------------------ Salimans et al. 2016, section 5 */

gan_node *gan_class_score(gan_node *logits) {
  gan_node *bad = node_bad("class_score", GAN_F32, logits);
  if (bad) return bad;
  if (logits->rank < 2) return graph_fail(logits->graph, GAN_ERROR_SHAPE, "class_score: expected (batch, .., classes)");
  gan_node *score = gan_log_sum_exp(logits, -1);
  return node_failed(score) ? score : gan_reshape(score, logits->rank - 1, logits->shape);
}

gan_node *each_known_cross_entropy(gan_node *logits, gan_node *labels, gan_node *weights) {
  gan_node *bad = labels_bad("cross_entropy", logits, labels);
  if (bad) return bad;
  int64_t classes = logits->shape[1];
  gan_node *known = gan_slice(gan_one_hot(labels, classes + 1), 1, 0, classes), *count = sum_columns(known);
  gan_node *share = gan_mean(count), *none = gan_constant(logits->graph, 1e-30);
  if (weights) share = gan_div(gan_mean(gan_mul(count, weights)), gan_maximum(gan_mean(weights), none));
  return gan_neg(gan_div(sum_columns(gan_mul(known, gan_log_softmax(logits, -1))), gan_maximum(share, none)));
}

/* ------------------------------------------------------------------ Kavalerov et al. 2021 */

gan_node *each_multi_hinge(gan_node *logits, gan_node *own) {
  const int32_t classes = 1;
  gan_node *right = sum_columns(gan_mul(own, logits));
  gan_node *wrong = gan_max_axes(gan_add(logits, gan_scale(own, FAR_DOWN)), 1, &classes, 0);
  return gan_relu(gan_shift(gan_sub(wrong, right), 1));
}

gan_node *gan_multi_hinge(gan_node *logits, gan_node *labels) {
  gan_node *bad = labels_bad("multi_hinge", logits, labels);
  return bad ? bad : gan_mean(each_multi_hinge(logits, gan_one_hot(labels, logits->shape[1])));
}

/* ------------------------------------------------------------------ contrasts between the samples of a batch */

/* features (n, d) against their embeddings: cosines (n, 1); against each other: (n, n); same: 1 where two have one label; count:
 * the logarithm of how much each of the others counts, (1, n), NULL: all alike. */
struct contrast { gan_node *to_class, *to_others, *same, *self, *count; };

static gan_node *contrast_bad(const char *who, gan_node *features, gan_node *embeddings, gan_node *labels, double temperature) {
  gan_node *bad = labels_bad(who, features, labels);
  if (!bad) bad = other_graph(who, features, embeddings);
  if (!bad) bad = pair_bad(who, features, embeddings);
  if (bad || (temperature > 0 && temperature <= 1e30)) return bad;
  return graph_fail(features->graph, GAN_ERROR_ARGUMENT, "%s: the temperature must be positive and finite", who);
}

static struct contrast contrast_of(gan_node *features, gan_node *embeddings, gan_node *labels, gan_node *weights) {
  const int32_t columns = 1;
  int64_t n = features->shape[0];
  gan_node *f = unit_rows(features), *v = unit_rows(embeddings), *number = gan_to_float(labels);
  gan_node *rows = gan_reshape(number, 2, (int64_t[]){n, 1}), *across = gan_reshape(number, 2, (int64_t[]){1, n});
  return (struct contrast){
    .to_class = gan_sum_axes(gan_mul(f, v), 1, &columns, 1), .to_others = gan_matmul(f, f, 0, 1),
    .same = gan_equal(rows, across), .self = node_identity(features->graph, n),
    .count = weights ? gan_reshape(node_log_weights(weights), 2, (int64_t[]){1, n}) : NULL,
  };
}

/* log(e^first + sum of e^others), row by row, without those that `out` marks. */
static gan_node *log_sum(const struct contrast *c, gan_node *first, gan_node *others, gan_node *out) {
  gan_node *all[2] = {first, gan_add(c->count ? gan_add(others, c->count) : others, gan_scale(out, FAR_DOWN))};
  return gan_log_sum_exp(gan_concat(2, all, 1), 1);
}

gan_node *each_contrastive_2c(gan_node *features, gan_node *embeddings, gan_node *labels, double temperature, gan_node *weights) {
  gan_node *bad = contrast_bad("contrastive_2c", features, embeddings, labels, temperature);
  if (bad) return bad;
  struct contrast c = contrast_of(features, embeddings, labels, weights);
  gan_node *to_class = gan_scale(c.to_class, 1 / temperature), *to_others = gan_scale(c.to_others, 1 / temperature);
  gan_node *friends = gan_sub(c.same, c.self);
  gan_node *near = log_sum(&c, to_class, to_others, gan_shift(gan_neg(friends), 1));
  return gan_sub(log_sum(&c, to_class, to_others, c.self), near);
}

gan_node *gan_contrastive_2c(gan_node *features, gan_node *embeddings, gan_node *labels, double temperature) {
  return gan_mean(each_contrastive_2c(features, embeddings, labels, temperature, NULL));
}

/* Pairs that are far enough apart, or near enough together, pull no more. */
gan_node *each_d2d_ce(gan_node *features, gan_node *embeddings, gan_node *labels, double temperature, double margin,
                      gan_node *weights) {
  gan_node *bad = contrast_bad("d2d_ce", features, embeddings, labels, temperature);
  if (bad) return bad;
  if (!(margin >= 0 && margin <= 1)) return graph_fail(features->graph, GAN_ERROR_ARGUMENT, "d2d_ce: the margin is not in 0 .. 1");
  struct contrast c = contrast_of(features, embeddings, labels, weights);
  gan_node *zero = gan_constant(features->graph, 0);
  gan_node *pull = gan_scale(gan_minimum(gan_shift(c.to_class, -margin), zero), 1 / temperature);
  gan_node *push = gan_scale(gan_maximum(gan_shift(c.to_others, margin - 1), zero), 1 / temperature);
  return gan_sub(log_sum(&c, pull, push, c.same), pull);
}

gan_node *gan_d2d_ce(gan_node *features, gan_node *embeddings, gan_node *labels, double temperature, double margin) {
  return gan_mean(each_d2d_ce(features, embeddings, labels, temperature, margin, NULL));
}
