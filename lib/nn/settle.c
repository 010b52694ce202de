/* Standing statistics: batch norms' running statistics measured anew, as the mean over batches that a network makes from its own
 * noise. The graph is that of training, in which such a state becomes the statistic of the batch itself. */
#include "nn/network.h"

#include "plan/alone.h"

#include <string.h>

struct settling {
  gan_context *ctx;
  gan_graph *graph;
  struct plan_alone plan;
  struct plan_root *roots;             /* the statistics of a batch, */
  struct variable **variables;         /* which are those of these */
  double **sums;
  int64_t count;
};

/* ------------------------------------------------------------------ the graph */

static gan_status apply(struct settling *s, gan_network *n, int64_t batch) {
  TRY(gan_graph_create(s->ctx, &s->graph));
  s->graph->batch = batch;
  s->graph->settles = 1;
  gan_node **in = graph_alloc(s->graph, sizeof *in * (size_t)(n->n_inputs + 1));
  if (!in) return gan_graph_check(s->graph);
  for (int64_t i = 0; i < n->n_inputs; i++) {
    const struct network_port *p = &n->inputs[i];
    REQUIRE(s->ctx, p->info.role != GAN_ROLE_DATA, "gan_network_settle: input '%s' of '%s' holds data, expected noise or labels",
            p->name, n->name);
    in[i] = gan_noise(s->graph, n, p->name);
  }
  network_apply(s->graph, n, 1, (int32_t)n->n_inputs, in, 0, NULL);
  return gan_graph_check(s->graph);
}

static int32_t is_statistic(const struct variable *v) {
  const char *name = strrchr(v->name, '/');
  return name && (!strcmp(name, "/running_mean") || !strcmp(name, "/running_var"));
}

/* A layer that is applied several times leaves its last statistic, as in training. */
static void add(struct settling *s, const struct graph_assign *a) {
  int64_t i = 0;
  if (!is_statistic(a->variable)) return;
  while (i < s->count && s->variables[i] != a->variable) i++;
  s->variables[i] = a->variable;
  s->roots[i] = (struct plan_root){.node = a->value};
  if (i == s->count) s->count++;
}

static gan_status list_statistics(struct settling *s) {
  gan_graph *g = s->graph;
  size_t most = (size_t)g->n_assigns + 1;
  s->roots = graph_alloc(g, sizeof *s->roots * most);
  s->variables = graph_alloc(g, sizeof *s->variables * most);
  s->sums = graph_alloc(g, sizeof *s->sums * most);
  for (int64_t i = 0; i < g->n_assigns && !g->failed; i++) add(s, &g->assigns[i]);
  for (int64_t i = 0; i < s->count && !g->failed; i++)
    s->sums[i] = graph_alloc(g, sizeof **s->sums * (size_t)s->variables[i]->count);
  return gan_graph_check(g);
}

/* ------------------------------------------------------------------ batches */

static void add_batch(const struct settling *s, int64_t seed, int64_t step) {
  plan_alone_run(&s->plan, seed, step);
  for (int64_t i = 0; i < s->count; i++) {
    const float *value = plan_value(s->plan.plan, s->roots[i].node);
    for (int64_t k = 0; k < s->variables[i]->count; k++) s->sums[i][k] += (double)value[k];
  }
}

static gan_status settle(struct settling *s, gan_network *n, int64_t batch, int64_t batches, int64_t seed) {
  TRY(apply(s, n, batch));
  TRY(list_statistics(s));
  if (!s->count) return GAN_OK;
  TRY(plan_alone_create(s->graph, "settle", s->count, s->roots, &s->plan));
  for (int64_t step = 0; step < batches; step++) add_batch(s, seed, step);
  for (int64_t i = 0; i < s->count; i++)
    for (int64_t k = 0; k < s->variables[i]->count; k++)
      s->variables[i]->data[k] = (float)(s->sums[i][k] / (double)batches);
  return GAN_OK;
}

gan_status gan_network_settle(gan_network *network, int64_t batch, int64_t batches, int64_t seed) {
  gan_network *n = network;
  if (!n) return gan_fail_null(NULL, "gan_network_settle", "network");
  TRY(network_ready(n));
  REQUIRE(n->ctx, batch >= 1 && batch <= INT32_MAX && batches >= 1,
          "gan_network_settle: %lld batches of %lld samples, expected at least 1 of 1", (long long)batches, (long long)batch);
  struct settling s = {.ctx = n->ctx};
  gan_status status = settle(&s, n, batch, batches, seed);
  plan_alone_free(&s.plan);
  gan_graph_free(s.graph);
  return status;
}
