/* From a step's graph to what it commits: gradients, update rules and averages are emitted as nodes, once. */
#include "train/game.h"

#include <stdio.h>
#include <string.h>

#include "ops/build.h"

/* ------------------------------------------------------------------ checks across updates */

static gan_status check_owner(const gan_game *g, const struct game_step *s, const struct game_phase *p, int64_t update,
                              const struct optimizer_parameter *parameter) {
  for (int64_t u = 0; u < update; u++) {
    const gan_optimizer *other = p->updates[u].optimizer;
    for (int64_t i = 0; i < other->n_parameters; i++)
      REQUIRE(g->ctx, other->parameters[i].variable != parameter->variable,
              "step '%s', phase '%s': '%s' is in the sets of the optimizers '%s' and '%s'", s->name, p->name, parameter->path,
              other->name, p->updates[update].optimizer->name);
  }
  return GAN_OK;
}

/* A phase commits as a whole: its optimizers wait for as many runs. */
static gan_status check_accumulate(const gan_game *g, const struct game_step *s, const struct game_phase *p, int64_t update) {
  const gan_optimizer *first = p->updates[0].optimizer, *o = p->updates[update].optimizer;
  REQUIRE(g->ctx, o->accumulate == first->accumulate,
          "step '%s', phase '%s': '%s' accumulates %lld gradients and '%s' %lld; expected the same number", s->name, p->name,
          first->name, (long long)first->accumulate, o->name, (long long)o->accumulate);
  return GAN_OK;
}

static gan_status check_updates(const gan_game *g, const struct game_step *s, const struct game_phase *p) {
  for (int64_t u = 1; u < p->n_updates; u++) {
    const gan_optimizer *o = p->updates[u].optimizer;
    TRY(check_accumulate(g, s, p, u));
    for (int64_t i = 0; i < o->n_parameters; i++) TRY(check_owner(g, s, p, u, &o->parameters[i]));
  }
  return GAN_OK;
}

/* ------------------------------------------------------------------ lists that a stage is made of */

struct stage_lists {
  gan_graph *graph;
  struct plan_root *roots; int64_t n_roots;
  struct plan_assign *assigns; int64_t n_assigns;
  struct plan_custom *customs; int64_t n_customs;
  struct variable **gradients; int64_t n_gradients;   /* written by the compute stage */
  struct variable **fused; int64_t n_fused;           /* written by the fused kernels */
};

/* Rooms for the most that a phase can need. */
static int32_t lists_create(struct stage_lists *l, gan_graph *graph, const struct graph_phase *gp, const struct game_phase *p) {
  int64_t parameters = 0;
  for (int64_t u = 0; u < p->n_updates; u++) parameters += p->updates[u].optimizer->n_parameters;
  size_t n = (size_t)parameters;
  *l = (struct stage_lists){.graph = graph};
  l->roots = graph_alloc(graph, sizeof *l->roots * (n + (size_t)(p->n_updates + p->n_states + graph->n_outputs)));
  l->assigns = graph_alloc(graph, sizeof *l->assigns * (n * (1 + OPTIMIZER_SLOTS) + (size_t)(p->n_states + gp->n_follows)));
  l->customs = graph_alloc(graph, sizeof *l->customs * (size_t)(p->n_updates + 1));
  l->gradients = graph_alloc(graph, sizeof *l->gradients * (n + 1));
  l->fused = graph_alloc(graph, sizeof *l->fused * (n * (1 + OPTIMIZER_SLOTS) + 1));
  return !graph->failed;
}

static void add_root(struct stage_lists *l, gan_node *node, float *target) {
  for (int64_t i = 0; !target && i < l->n_roots; i++)
    if (l->roots[i].node == node && !l->roots[i].target) return;
  l->roots[l->n_roots++] = (struct plan_root){.node = node, .target = target};
}

static void add_assign(struct stage_lists *l, struct variable *variable, gan_node *value) {
  if (value) l->assigns[l->n_assigns++] = (struct plan_assign){.variable = variable, .value = value};
}

/* ------------------------------------------------------------------ gradients */

/* The gradients go straight into their places in the flat array. */
static void emit_gradients(struct stage_lists *l, const struct game_update *u) {
  const gan_optimizer *o = u->optimizer;
  size_t bytes = sizeof(gan_node *) * (size_t)o->n_parameters;
  gan_node **x = graph_alloc(l->graph, bytes), **dx = graph_alloc(l->graph, bytes);
  if (!x || !dx) return;
  for (int64_t i = 0; i < o->n_parameters; i++) x[i] = node_variable(l->graph, o->parameters[i].variable);
  gan_node *loss = u->loss;
  gan_gradients(1, &loss, NULL, (int32_t)o->n_parameters, x, dx);
  for (int64_t i = 0; i < o->n_parameters && !l->graph->failed; i++) {
    add_root(l, dx[i], o->parameters[i].gradient->data);
    l->gradients[l->n_gradients++] = o->parameters[i].gradient;
  }
}

/* ------------------------------------------------------------------ rules */

static gan_node *scalar_input(gan_graph *graph, const char *what, int64_t phase, const gan_optimizer *o) {
  char name[NETWORK_NAME + 48];
  snprintf(name, sizeof name, "optimizer:%s/%s/%lld", o->name, what, (long long)phase);
  struct binding b = {.kind = BINDING_SCALAR, .name = name};
  return node_input(graph, &b, GAN_F32, 0, NULL);
}

static void emit_rule(struct stage_lists *l, struct game_update *u, int64_t phase) {
  const gan_optimizer *o = u->optimizer;
  u->rate = scalar_input(l->graph, "rate", phase, o);
  u->step = scalar_input(l->graph, "step", phase, o);
  for (int64_t i = 0; i < o->n_parameters && !l->graph->failed; i++) {
    const struct optimizer_parameter *p = &o->parameters[i];
    struct optimizer_call call;
    optimizer_emit(o, p, l->graph, u->rate, u->step, &call);
    add_assign(l, p->variable, call.new_weight);
    for (int32_t s = 0; s < o->n_slots; s++) add_assign(l, p->slot[s], call.new_slot[s]);
  }
}

static void emit_fused(struct stage_lists *l, struct game_update *u) {
  const gan_optimizer *o = u->optimizer;
  u->fused = fused_adam_create(o, l->graph);
  if (!u->fused) return;
  struct plan_custom *custom = &l->customs[l->n_customs++];
  fused_adam_call(u->fused, &custom->call);
  for (int64_t i = 0; i < o->n_parameters; i++) {
    l->fused[l->n_fused++] = o->parameters[i].variable;
    for (int32_t s = 0; s < o->n_slots; s++) l->fused[l->n_fused++] = o->parameters[i].slot[s];
  }
}

/* ------------------------------------------------------------------ the stages of a phase */

static struct plan_stage *new_stage(struct game_step *s, const char *name) {
  struct plan_stage *stage = &s->stages[s->n_stages++];
  stage->name = name;
  return stage;
}

/* A value that an earlier phase keeps, too, may have changed since: each phase reads its own, under a node of its own. */
static void add_kept(const struct game_step *s, struct stage_lists *l, gan_node **node) {
  for (int64_t i = 0; i < s->n_stages; i++)
    for (int64_t r = 0; r < s->stages[i].n_roots; r++)
      if (s->stages[i].roots[r].node == *node && !s->stages[i].roots[r].target) {
        *node = gan_stop_gradient(*node);
        add_root(l, *node, NULL);
        return;
      }
  add_root(l, *node, NULL);
}

/* Rows that go into a variable are put there by the commit, in place: no other copy of the variable is made. */
static void add_state(const struct game_step *s, struct stage_lists *l, struct plan_assign *a) {
  gan_node *computed = state_computed(a);
  add_kept(s, l, &computed);
  a->value = state_is_rows(a) ? node_update_rows(a->value->in[0], a->value->in[1], computed) : computed;
}

static void add_compute_stage(struct game_step *s, struct game_phase *p, struct stage_lists *l) {
  for (int64_t u = 0; u < p->n_updates; u++) add_kept(s, l, &p->updates[u].loss);
  for (int64_t i = 0; i < p->n_states; i++) add_state(s, l, &p->states[i]);
  for (int64_t i = 0; i < s->graph->n_outputs; i++)
    if (s->graph->outputs[i].phase == p - s->phases) add_kept(s, l, &s->graph->outputs[i].node);
  struct plan_stage *stage = new_stage(s, p->name);
  stage->n_roots = l->n_roots;
  stage->roots = l->roots;
  stage->n_written = l->n_gradients;
  stage->written = l->gradients;
}

/* Rules as nodes and new state come first: they read the variables as they were. The fused kernels write in place, so they
 * have a stage of their own after that. */
static void add_commit_stages(struct game_step *s, const struct game_phase *p, struct stage_lists *l) {
  for (int64_t i = 0; i < p->n_states; i++) add_assign(l, p->states[i].variable, p->states[i].value);
  if (l->n_assigns) {
    struct plan_stage *stage = new_stage(s, "commit");
    stage->n_assigns = l->n_assigns;
    stage->assigns = l->assigns;
  }
  if (l->n_customs) {
    struct plan_stage *stage = new_stage(s, "adam");
    stage->n_customs = l->n_customs;
    stage->customs = l->customs;
    stage->n_written = l->n_fused;
    stage->written = l->fused;
  }
}

/* average + (1 - decay) (variable - average) */
static gan_node *followed(gan_graph *g, const struct graph_follow *f) {
  gan_node *average = node_variable(g, f->average), *variable = node_variable(g, f->variable), *off = gan_sub(variable, average);
  if (f->by) return gan_add(average, gan_mul(gan_sub(gan_constant(g, 1), f->by), off));
  return f->decay == 0 ? variable : gan_add(average, gan_scale(off, 1 - f->decay));
}

/* After the phase's updates. */
static void add_follow_stage(struct game_step *s, const struct graph_phase *gp, struct stage_lists *l) {
  if (!gp->n_follows) return;
  int64_t first = l->n_assigns;
  for (int64_t i = 0; i < gp->n_follows; i++) add_assign(l, gp->follows[i].average, followed(s->graph, &gp->follows[i]));
  struct plan_stage *stage = new_stage(s, "follow");
  stage->n_assigns = l->n_assigns - first;
  stage->assigns = l->assigns + first;
}

static gan_status emit_phase(gan_game *g, struct game_step *s, int64_t index) {
  const struct graph_phase *gp = &s->graph->phases[index];
  struct game_phase *p = &s->phases[index];
  struct stage_lists lists;
  TRY(check_updates(g, s, p));
  if (!lists_create(&lists, s->graph, gp, p)) return gan_graph_check(s->graph);
  p->first_stage = s->n_stages;
  for (int64_t u = 0; u < p->n_updates; u++) emit_gradients(&lists, &p->updates[u]);
  add_compute_stage(s, p, &lists);
  for (int64_t u = 0; u < p->n_updates; u++) {
    if (optimizer_is_fused(p->updates[u].optimizer))
      emit_fused(&lists, &p->updates[u]);
    else
      emit_rule(&lists, &p->updates[u], index);
  }
  add_commit_stages(s, p, &lists);
  add_follow_stage(s, gp, &lists);
  p->end_stage = s->n_stages;
  return gan_graph_check(s->graph);
}

/* ------------------------------------------------------------------ the step */

static gan_status make_looks(const struct game_step *s, int64_t index) {
  struct game_phase *p = &s->phases[index];
  p->looks = graph_alloc(s->graph, sizeof *p->looks * (size_t)(s->graph->n_looks + 1));
  if (!p->looks) return gan_graph_check(s->graph);
  p->n_looks = 0;
  for (int64_t i = 0; i < s->graph->n_looks; i++) {
    const struct graph_look *l = &s->graph->looks[i];
    int64_t ahead = 0;
    if (l->phase != index) continue;
    for (int64_t k = 0; k < p->n_looks; k++) ahead += p->looks[k].optimizer == l->optimizer;
    p->looks[p->n_looks++] = (struct game_look){.optimizer = l->optimizer, .rate = l->rate, .step = l->step, .ahead = ahead};
  }
  return GAN_OK;
}

static gan_status make_phase(const struct game_step *s, int64_t index) {
  const struct graph_phase *gp = &s->graph->phases[index];
  struct game_phase *p = &s->phases[index];
  p->name = gp->name;
  p->n_updates = gp->n_updates;
  p->updates = graph_alloc(s->graph, sizeof *p->updates * (size_t)(gp->n_updates + 1));
  if (!p->updates) return gan_graph_check(s->graph);
  for (int64_t u = 0; u < gp->n_updates; u++) {
    p->updates[u] = (struct game_update){.optimizer = gp->updates[u].optimizer, .loss = gp->updates[u].loss};
    TRY(optimizer_seal(p->updates[u].optimizer));
  }
  return make_looks(s, index);
}

enum { STAGES_PER_PHASE = 4 };

static gan_status make_lists(struct game_step *s) {
  s->n_phases = (int32_t)s->graph->n_phases;
  s->n_stages = 0;
  s->phases = graph_alloc(s->graph, sizeof *s->phases * (size_t)s->n_phases);
  s->stages = graph_alloc(s->graph, sizeof *s->stages * (size_t)(STAGES_PER_PHASE * s->n_phases));
  return gan_graph_check(s->graph);
}

gan_status step_emit(gan_game *g, struct game_step *s) {
  if (s->emitted) return GAN_OK;
  TRY(gan_graph_check(s->graph));
  TRY(step_inputs(g, s));
  TRY(make_lists(s));
  for (int32_t i = 0; i < s->n_phases; i++) TRY(make_phase(s, i));
  TRY(step_states(s->graph, s->phases, s->n_phases));
  for (int32_t i = 0; i < s->n_phases; i++) TRY(emit_phase(g, s, i));
  s->emitted = 1;
  s->graph->sealed = 1;
  return GAN_OK;
}
