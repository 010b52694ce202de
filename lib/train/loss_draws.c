/* Random numbers of losses: the n-th call of a graph has the stream "wgan-gp/e@n". */
#include "train/loss.h"

#include <stdio.h>

#include "base/rng.h"

static int32_t is_drawn(const gan_graph *g, uint64_t stream) {
  for (int64_t i = 0; i < g->n_nodes; i++)
    if (g->nodes[i]->op == &op_random && g->nodes[i]->attr.stream == stream) return 1;
  return 0;
}

gan_node *loss_random(const struct loss_call *c, const char *what, const char *distribution, int32_t rank, const int64_t *shape) {
  char name[3 * NETWORK_NAME];
  int32_t call = 0;
  do snprintf(name, sizeof name, "%s/%s@%d", loss_name(c->loss), what, call++);
  while (is_drawn(c->graph, rng_hash(name)));
  return gan_random(c->graph, name, distribution, rank, shape);
}

gan_node *loss_uniform_per_sample(const struct loss_call *c, const char *what, const gan_node *like) {
  int64_t shape[GAN_MAX_RANK];
  for (int32_t i = 0; i < like->rank; i++) shape[i] = i == 0 ? like->shape[0] : 1;
  return loss_random(c, what, "uniform low=0 high=1", like->rank, shape);
}
