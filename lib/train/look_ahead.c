/* Optimizer steps that are never committed: the weights they would give, as nodes that later applications of the phase take. The
 * rules are those of optimizers.c; the gradient that they read is emitted here, so that all of it can be differentiated. */
#include "train/game.h"

static void unref_optimizer(void *o) { gan_optimizer_free(o); }

/* Nobody has the name of such an input: the game writes it. */
static gan_node *scalar_input(gan_graph *g) {
  return node_input(g, &(struct binding){.kind = BINDING_SCALAR}, GAN_F32, 0, NULL);
}

/* |gradient| <= clip-norm, as the game sees to it before a commit. */
static void clip_norm(const gan_optimizer *o, gan_graph *g, gan_node **dx) {
  gan_node *squares = gan_constant(g, 0), *one = gan_constant(g, 1), *most = gan_constant(g, o->clip_norm * o->clip_norm);
  if (o->clip_norm <= 0) return;
  for (int64_t i = 0; i < o->n_parameters; i++) squares = gan_add(squares, gan_sum(gan_square(dx[i])));
  gan_node *over = gan_greater(squares, most), *factor = gan_scale(gan_rsqrt(gan_select(over, squares, one)), o->clip_norm);
  for (int64_t i = 0; i < o->n_parameters; i++) dx[i] = gan_mul(dx[i], gan_select(over, factor, one));
}

static void step_ahead(const gan_optimizer *o, gan_graph *g, const struct graph_look *look, gan_node **x, gan_node **dx) {
  for (int64_t i = 0; i < o->n_parameters && !g->failed; i++) {
    const struct optimizer_parameter *p = &o->parameters[i];
    struct optimizer_call call = {.weight = x[i], .gradient = dx[i], .differentiable = 1};
    for (int32_t s = 0; s < o->n_slots; s++) call.slot[s] = node_present(g, p->slot[s]);
    optimizer_rule(o, p, g, look->rate, look->step, &call);
    graph_set_ahead(g, p->variable, call.new_weight);
    for (int32_t s = 0; s < o->n_slots; s++)
      if (call.new_slot[s]) graph_set_ahead(g, p->slot[s], call.new_slot[s]);
  }
}

void gan_look_ahead(gan_optimizer *optimizer, gan_node *loss) {
  gan_optimizer *o = optimizer;
  if (!update_is_good("gan_look_ahead", o, loss)) return;
  gan_graph *g = loss->graph;
  gan_status status = optimizer_seal(o);
  if (status != GAN_OK) {
    graph_fail(g, status, "gan_look_ahead: %s", g->ctx->error);
    return;
  }
  size_t bytes = sizeof(gan_node *) * (size_t)o->n_parameters;
  gan_node **x = graph_alloc(g, bytes), **dx = graph_alloc(g, bytes);
  struct graph_look look = {.optimizer = o, .rate = scalar_input(g), .step = scalar_input(g)};
  if (!x || !dx || !graph_add_look(g, &look)) return;
  graph_keep(g, optimizer_ref(o), unref_optimizer);
  for (int64_t i = 0; i < o->n_parameters; i++) x[i] = node_present(g, o->parameters[i].variable);
  gan_gradients(1, &loss, NULL, (int32_t)o->n_parameters, x, dx);
  clip_norm(o, g, dx);
  step_ahead(o, g, &look, x, dx);
}
