/* Phases and what belongs to them: updates, followed averages, new state, outputs. */
#include "graph/graph.h"

#include <string.h>

static struct graph_phase *present(gan_graph *g) {
  return &g->phases[g->n_phases - 1];
}

static int32_t present_index(const gan_graph *g) {
  return (int32_t)g->n_phases - 1;
}

/* The graph's failure, or that it is in use: then nothing may be added. */
static int32_t closed(gan_graph *g, const char *who) {
  if (!g || g->failed) return 1;
  if (!g->sealed) return 0;
  gan_fail(g->ctx, GAN_ERROR_STATE, "%s: the graph is in use by a prepared game", who);
  return 1;
}

void gan_phase(gan_graph *graph, const char *name) {
  if (closed(graph, "phase")) return;
  if (!name) {
    graph_fail(graph, GAN_ERROR_ARGUMENT, "phase: name may not be NULL");
    return;
  }
  char *copy = graph_strdup(graph, name);
  if (!copy) return;
  int32_t untouched = graph->n_phases == 1 && !present(graph)->n_updates && !present(graph)->n_follows;
  if (!untouched) {
    if (!graph_room(graph, (void **)&graph->phases, &graph->cap_phases, graph->n_phases, sizeof *graph->phases)) return;
    graph->phases[graph->n_phases++] = (struct graph_phase){0};
  }
  present(graph)->name = copy;
}

void graph_add_update(gan_graph *g, void *optimizer, gan_node *loss) {
  if (closed(g, "minimize")) return;
  struct graph_phase *p = present(g);
  if (!graph_room(g, (void **)&p->updates, &p->cap_updates, p->n_updates, sizeof *p->updates)) return;
  p->updates[p->n_updates++] = (struct graph_update){optimizer, loss};
}

void graph_add_follow(gan_graph *g, const struct graph_follow *follow) {
  if (closed(g, "follow")) return;
  struct graph_phase *p = present(g);
  if (!graph_room(g, (void **)&p->follows, &p->cap_follows, p->n_follows, sizeof *p->follows)) return;
  p->follows[p->n_follows++] = *follow;
}

gan_node *graph_latest_assign(gan_graph *g, const struct variable *v) {
  for (int64_t i = g->n_assigns; i-- > 0;) {
    const struct graph_assign *a = &g->assigns[i];
    if (a->phase == present_index(g) && a->variable == v) return a->value;
  }
  return NULL;
}

void graph_assign(gan_graph *g, struct variable *v, gan_node *value) {
  if (closed(g, "assign")) return;
  if (!graph_room(g, (void **)&g->assigns, &g->cap_assigns, g->n_assigns, sizeof *g->assigns)) return;
  g->assigns[g->n_assigns++] = (struct graph_assign){v, value, present_index(g)};
}

gan_node *graph_ahead(const gan_graph *g, const struct variable *v) {
  for (int64_t i = g->n_aheads; i-- > 0;)
    if (g->aheads[i].phase == present_index(g) && g->aheads[i].variable == v) return g->aheads[i].value;
  return NULL;
}

void graph_set_ahead(gan_graph *g, const struct variable *v, gan_node *value) {
  if (closed(g, "look_ahead")) return;
  if (!graph_room(g, (void **)&g->aheads, &g->cap_aheads, g->n_aheads, sizeof *g->aheads)) return;
  g->aheads[g->n_aheads++] = (struct graph_ahead){v, value, present_index(g)};
}

int32_t graph_add_look(gan_graph *g, const struct graph_look *look) {
  if (closed(g, "look_ahead")) return 0;
  if (!graph_room(g, (void **)&g->looks, &g->cap_looks, g->n_looks, sizeof *g->looks)) return 0;
  g->looks[g->n_looks] = *look;
  g->looks[g->n_looks++].phase = present_index(g);
  return 1;
}

const struct graph_output *graph_find_output(const gan_graph *g, const char *name) {
  for (int64_t i = 0; i < g->n_outputs; i++) {
    if (strcmp(g->outputs[i].name, name) == 0) return &g->outputs[i];
  }
  return NULL;
}

gan_node *gan_output(gan_node *node, const char *name) {
  if (!node) return node_none();
  gan_graph *g = node->graph;
  if (node_failed(node) || closed(g, "output")) return g ? &g->error : node;
  if (!name || !*name) return graph_fail(g, GAN_ERROR_ARGUMENT, "output: a name is needed");
  if (graph_find_output(g, name)) return graph_fail(g, GAN_ERROR_ARGUMENT, "output: there is already one named '%s'", name);
  char *copy = graph_strdup(g, name);
  if (!copy || !graph_room(g, (void **)&g->outputs, &g->cap_outputs, g->n_outputs, sizeof *g->outputs)) return &g->error;
  g->outputs[g->n_outputs++] = (struct graph_output){copy, node, present_index(g)};
  return node;
}
