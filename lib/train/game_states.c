/* Which state moves at the end of which phase. State moves with the parameters of its layer: what a phase assigned waits for the
 * first commit, there or later, of an update of any parameter of the same owner; without one it is dropped. Owners that have no
 * parameters commit where they were applied. */
#include "train/game.h"

static int32_t has_parameters(const void *owner) {
  const gan_layer *layer = owner;
  for (int64_t i = 0; layer && i < layer->n_variables; i++)
    if (layer->variables[i]->trainable) return 1;
  return 0;
}

static int32_t updates_owner(const struct game_phase *p, const void *owner) {
  for (int64_t u = 0; u < p->n_updates; u++) {
    const gan_optimizer *o = p->updates[u].optimizer;
    for (int64_t i = 0; i < o->n_parameters; i++)
      if (o->parameters[i].variable->owner == owner) return 1;
  }
  return 0;
}

static int32_t is_due(const struct graph_assign *a, const struct game_phase *p, int32_t phase) {
  const void *owner = a->variable->owner;
  return has_parameters(owner) ? updates_owner(p, owner) : a->phase == phase;
}

/* Later applications began with what earlier ones assigned: the last value stands for all. */
static void set_state(struct game_phase *p, const struct graph_assign *a) {
  for (int64_t i = 0; i < p->n_states; i++) {
    if (p->states[i].variable != a->variable) continue;
    p->states[i].value = a->value;
    return;
  }
  p->states[p->n_states++] = (struct plan_assign){.variable = a->variable, .value = a->value};
}

gan_status step_states(gan_graph *graph, struct game_phase *phases, int32_t n_phases) {
  size_t n = (size_t)graph->n_assigns + 1;
  uint8_t *done = graph_alloc(graph, n);
  for (int32_t k = 0; k < n_phases; k++) {
    struct game_phase *p = &phases[k];
    p->states = graph_alloc(graph, sizeof *p->states * n);
    p->state_at = graph_alloc(graph, sizeof *p->state_at * n);
    if (graph->failed) return gan_graph_check(graph);
    p->n_states = 0;
    for (int64_t i = 0; i < graph->n_assigns; i++) {
      const struct graph_assign *a = &graph->assigns[i];
      if (done[i] || a->phase > k || !is_due(a, p, k)) continue;
      set_state(p, a);
      done[i] = 1;
    }
  }
  return GAN_OK;
}

int32_t state_is_rows(const struct plan_assign *a) {
  const gan_node *n = a->value;
  return n->op == &op_update_rows && n->in[0]->op == &op_variable && n->in[0]->attr.variable == a->variable;
}

gan_node *state_computed(const struct plan_assign *a) {
  return state_is_rows(a) ? a->value->in[2] : a->value;
}
