/* Cross-entropies on logits, for classifiers beside the game. */
#include "base/tensor.h"
#include "train/train.h"

gan_node *gan_cross_entropy(gan_node *logits, gan_node *labels) {
  gan_graph *graph = logits ? logits->graph : labels ? labels->graph : NULL;
  char a[128], b[128];
  if (node_failed(logits) || node_failed(labels))
    return graph_fail(graph, GAN_ERROR_ARGUMENT, "gan_cross_entropy: logits or labels are missing");
  if (logits->rank != 2 || labels->rank != 1 || labels->type != GAN_I32 || labels->shape[0] != logits->shape[0])
    return graph_fail(graph, GAN_ERROR_SHAPE,
                      "gan_cross_entropy: logits %s and labels %s, expected (batch, classes) and (batch) of i32",
                      shape_text(a, sizeof a, logits->rank, logits->shape), shape_text(b, sizeof b, labels->rank, labels->shape));
  const int32_t classes = 1;
  gan_node *hits = gan_mul(gan_one_hot(labels, logits->shape[1]), gan_log_softmax(logits, -1));
  return gan_neg(gan_mean(gan_sum_axes(hits, 1, &classes, 0)));
}

gan_node *gan_binary_cross_entropy(gan_node *logits, double target) {
  if (node_failed(logits))
    return graph_fail(logits ? logits->graph : NULL, GAN_ERROR_ARGUMENT, "gan_binary_cross_entropy: no logits");
  if (!(target >= 0 && target <= 1))
    return graph_fail(logits->graph, GAN_ERROR_ARGUMENT, "gan_binary_cross_entropy: the target is not in 0 .. 1");
  return gan_mean(gan_sub(gan_softplus(logits), gan_scale(logits, target)));
}
