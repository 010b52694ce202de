/* Cross-entropies on logits. */
#include "train/each.h"
#include "train/terms.h"

gan_node *each_cross_entropy(gan_node *logits, gan_node *labels) {
  gan_node *bad = labels_bad("cross_entropy", logits, labels);
  if (bad) return bad;
  return gan_neg(sum_columns(gan_mul(gan_one_hot(labels, logits->shape[1]), gan_log_softmax(logits, -1))));
}

gan_node *gan_cross_entropy(gan_node *logits, gan_node *labels) { return gan_mean(each_cross_entropy(logits, labels)); }

gan_node *gan_binary_cross_entropy(gan_node *logits, double target) {
  gan_node *bad = node_bad("binary_cross_entropy", GAN_F32, logits);
  if (bad) return bad;
  if (!(target >= 0 && target <= 1))
    return graph_fail(logits->graph, GAN_ERROR_ARGUMENT, "binary_cross_entropy: the target is not in 0 .. 1");
  return gan_mean(gan_sub(gan_softplus(logits), gan_scale(logits, target)));
}

gan_node *each_binary_cross_entropy(gan_node *logits, gan_node *targets) {
  gan_node *bad = pair_bad("binary_cross_entropy_to", logits, targets);
  return bad ? bad : gan_sub(gan_softplus(logits), gan_mul(logits, targets));
}

gan_node *gan_binary_cross_entropy_to(gan_node *logits, gan_node *targets) {
  return gan_mean(each_binary_cross_entropy(logits, targets));
}
