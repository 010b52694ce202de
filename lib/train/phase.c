/* What ends a phase: updates of optimizers, averages that follow a network. Recorded here, emitted when a game is prepared. */
#include "train/data.h"
#include "train/optimizer.h"

static void unref_optimizer(void *o) { gan_optimizer_free(o); }
static void unref_network(void *n) { network_unref(n); }

static const struct graph_phase *present(const gan_graph *g) {
  return &g->phases[g->n_phases - 1];
}

/* ------------------------------------------------------------------ minimize */

static int32_t used_in(const struct graph_phase *p, const gan_optimizer *o) {
  for (int64_t i = 0; i < p->n_updates; i++)
    if (p->updates[i].optimizer == o) return 1;
  return 0;
}

int32_t update_is_good(const char *who, const gan_optimizer *o, gan_node *loss) {
  gan_graph *g = loss ? loss->graph : NULL;
  char shape[128];
  if (!g || node_failed(loss))
    graph_fail(g, GAN_ERROR_ARGUMENT, "%s: there is no loss", who);
  else if (!o || o->ctx != g->ctx)
    graph_fail(g, GAN_ERROR_ARGUMENT, "%s: the optimizer is NULL or of another context", who);
  else if (loss->rank != 0 || loss->type != GAN_F32)
    graph_fail(g, GAN_ERROR_SHAPE, "phase '%s': optimizer '%s' got a loss of shape %s, expected one number (gan_mean, gan_sum)",
               present(g)->name, o->name, shape_text(shape, sizeof shape, loss->rank, loss->shape));
  else if (g->sealed)
    graph_fail(g, GAN_ERROR_STATE, "%s: the game is prepared", who);
  else
    return 1;
  return 0;
}

void gan_minimize(gan_optimizer *optimizer, gan_node *loss) {
  if (!update_is_good("gan_minimize", optimizer, loss)) return;
  gan_graph *g = loss->graph;
  if (used_in(present(g), optimizer)) {
    graph_fail(g, GAN_ERROR_ARGUMENT, "phase '%s' uses optimizer '%s' twice: minimise the sum of the losses", present(g)->name,
               optimizer->name);
    return;
  }
  graph_add_update(g, optimizer, loss);
  graph_keep(g, optimizer_ref(optimizer), unref_optimizer);
}

/* ------------------------------------------------------------------ follow */

static int32_t check_follow(gan_graph *g, gan_network *average, gan_network *network) {
  if (!average || !network || average->ctx != g->ctx || network->ctx != g->ctx)
    graph_fail(g, GAN_ERROR_ARGUMENT, "gan_follow: a network is NULL or of another context");
  else if (g->sealed)
    graph_fail(g, GAN_ERROR_STATE, "gan_follow: the game is prepared");
  else if (gan_network_finish(average) != GAN_OK || gan_network_finish(network) != GAN_OK)
    graph_fail(g, GAN_ERROR_ARGUMENT, "gan_follow: %s", g->ctx->error);
  else if (!network_same_structure(average, network))
    graph_fail(g, GAN_ERROR_SHAPE, "gan_follow: '%s' has not the structure of '%s'; gan_network_clone makes one", average->name,
               network->name);
  else
    return 1;
  return 0;
}

/* Parameters are averaged, state is copied. */
static void follow(gan_graph *g, gan_network *average, gan_network *network, double decay, gan_node *by) {
  for (int64_t i = 0; i < network->n_variables; i++) {
    struct variable *v = network->variables[i].variable;
    struct graph_follow f = {.average = average->variables[i].variable, .variable = v};
    if (v->trainable) f.decay = decay;
    if (v->trainable) f.by = by;
    graph_add_follow(g, &f);
  }
  graph_keep(g, network_ref(average), unref_network);
  graph_keep(g, network_ref(network), unref_network);
}

void gan_follow(gan_graph *g, gan_network *average, gan_network *network, double decay) {
  if (!g || g->failed || !check_follow(g, average, network)) return;
  if (!(decay >= 0 && decay <= 1))
    graph_fail(g, GAN_ERROR_ARGUMENT, "gan_follow: '%s' follows '%s' with a decay outside of 0 .. 1", average->name,
               network->name);
  else
    follow(g, average, network, decay, NULL);
}

void gan_follow_by(gan_graph *g, gan_network *average, gan_network *network, gan_node *decay) {
  if (!g || g->failed || !check_follow(g, average, network)) return;
  if (node_failed(decay) || decay->graph != g || decay->rank != 0 || decay->type != GAN_F32)
    graph_fail(g, GAN_ERROR_ARGUMENT, "gan_follow_by: the decay must be a node of this graph with one number (rank 0, f32)");
  else
    follow(g, average, network, 1, decay);
}
