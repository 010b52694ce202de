/* Two losses in one, by the size of their gradients. */
#include "train/terms.h"

static gan_node *number_bad(gan_node *loss, const gan_node *other) {
  gan_node *in[2] = {loss, (gan_node *)other}, *bad = nodes_bad("mix_by_gradient", GAN_F32, 2, in);
  if (bad || (loss->rank == 0 && other->rank == 0)) return bad;
  return graph_fail(loss->graph, GAN_ERROR_SHAPE, "mix_by_gradient: the losses must be one number each");
}

static gan_node *norm_of_gradient(gan_node *loss, int32_t count, gan_node *const *at) {
  gan_node *sum = NULL;
  for (int32_t i = 0; i < count; i++) {
    gan_node *squares = gan_sum(gan_square(gan_gradient(loss, at[i])));
    sum = sum ? gan_add(sum, squares) : squares;
  }
  return gan_sqrt(sum);
}

gan_node *gan_mix_by_gradient(gan_node *loss, gan_node *other, double ratio, int32_t count, gan_node *const *at) {
  gan_node *bad = number_bad(loss, other);
  if (bad) return bad;
  if (!(ratio >= 0 && ratio <= 1e30))
    return graph_fail(loss->graph, GAN_ERROR_ARGUMENT, "mix_by_gradient: the ratio must be finite and not negative");
  if (count < 1 || !at)
    return graph_fail(loss->graph, GAN_ERROR_ARGUMENT, "mix_by_gradient: at which nodes? expected at least one");
  gan_node *mine = norm_of_gradient(loss, count, at), *others = norm_of_gradient(other, count, at);
  gan_node *factor = gan_scale(gan_div(mine, gan_shift(others, 1e-6)), ratio);
  return gan_add(loss, gan_mul(gan_stop_gradient(factor), other));
}
