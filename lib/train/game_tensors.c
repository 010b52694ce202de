/* Everything with values in a game: variables of its networks and graphs, slots of its optimizers; named for a checkpoint. */
#include "train/game.h"

#include <string.h>

#include "base/rng.h"

/* ------------------------------------------------------------------ names */

static int32_t name_is_taken(const struct game_tensors *t, const char *name) {
  for (int64_t i = 0; i < t->count; i++)
    if (strcmp(t->list[i].name, name) == 0) return 1;
  return 0;
}

/* Two networks may have one name: the second gets "G/dense1/weight#2". The order of the list is fixed, so the numbers are. */
static char *unique_name(const struct game_tensors *t, const char *name) {
  struct text text;
  text_init(&text, t->ctx);
  text_add(&text, name);
  for (int32_t number = 2; !text.failed && name_is_taken(t, text_get(&text)); number++) {
    text_free(&text);
    text_init(&text, t->ctx);
    text_format(&text, "%s#%d", name, number);
  }
  char *unique = text.failed ? NULL : context_strdup(t->ctx, text_get(&text));
  text_free(&text);
  return unique;
}

static gan_status add(struct game_tensors *t, const char *name, struct variable *v) {
  TRY(context_grow(t->ctx, (void **)&t->list, &t->capacity, t->count + 1, sizeof *t->list));
  char *unique = unique_name(t, name);
  if (!unique) return GAN_ERROR_MEMORY;
  t->list[t->count++] = (struct game_tensor){.name = unique, .variable = v, .first = t->elements};
  t->elements += v->count;
  return GAN_OK;
}

/* ------------------------------------------------------------------ variables */

/* Aliases are places in the flat arrays of optimizers: slots come by themselves, gradients are no state. */
static gan_status add_variable(struct game_tensors *t, struct variable *v) {
  if (v->base) return GAN_OK;
  for (int64_t i = 0; i < t->count; i++)
    if (t->list[i].variable == v) return GAN_OK;
  return add(t, v->name, v);
}

static gan_status add_network(struct game_tensors *t, const gan_network *n) {
  for (int64_t i = 0; i < n->n_variables; i++) TRY(add_variable(t, n->variables[i].variable));
  return GAN_OK;
}

static gan_status add_graph(struct game_tensors *t, const gan_graph *g) {
  for (int64_t i = 0; i < g->n_nodes; i++)
    if (g->nodes[i]->op == &op_variable) TRY(add_variable(t, (struct variable *)g->nodes[i]->attr.variable));
  for (int64_t i = 0; i < g->n_assigns; i++) TRY(add_variable(t, g->assigns[i].variable));
  return GAN_OK;
}

/* ------------------------------------------------------------------ slots */

static gan_status add_slot(struct game_tensors *t, const gan_optimizer *o, const struct optimizer_parameter *p, int32_t slot) {
  struct text name;
  text_init(&name, t->ctx);
  text_format(&name, "optimizer:%s/%s/%s", o->name, o->row->slot_names[slot], p->path);
  gan_status status = name.failed ? GAN_ERROR_MEMORY : add(t, text_get(&name), p->slot[slot]);
  text_free(&name);
  return status;
}

/* Gradients that wait for a step. */
static gan_status add_sum(struct game_tensors *t, const gan_optimizer *o) {
  struct text name;
  text_init(&name, t->ctx);
  text_format(&name, "optimizer:%s/sum", o->name);
  gan_status status = name.failed ? GAN_ERROR_MEMORY : add(t, text_get(&name), o->sum);
  text_free(&name);
  return status;
}

static gan_status add_slots(struct game_tensors *t, const gan_optimizer *o) {
  if (o->sum) TRY(add_sum(t, o));
  for (int64_t i = 0; i < o->n_parameters; i++)
    for (int32_t s = 0; s < o->n_slots; s++) TRY(add_slot(t, o, &o->parameters[i], s));
  return GAN_OK;
}

/* ------------------------------------------------------------------ the list */

gan_status game_tensors_list(const gan_game *g, struct game_tensors *out) {
  *out = (struct game_tensors){.ctx = g->ctx};
  for (int64_t i = 0; game_optimizer_at(g, i); i++) {
    const gan_optimizer *o = game_optimizer_at(g, i);
    for (int64_t n = 0; n < o->n_networks; n++) TRY(add_network(out, o->networks[n]));
  }
  for (int64_t i = 0; i < g->n_steps; i++) TRY(add_graph(out, g->step_list[i].graph));
  for (int64_t i = 0; game_optimizer_at(g, i); i++) TRY(add_slots(out, game_optimizer_at(g, i)));
  return GAN_OK;
}

void game_tensors_free(struct game_tensors *t) {
  for (int64_t i = 0; i < t->count; i++) context_strfree(t->ctx, t->list[i].name);
  context_release(t->ctx, t->list, sizeof *t->list * (size_t)t->capacity);
  *t = (struct game_tensors){.ctx = t->ctx};
}

static uint64_t mix(uint64_t digest, uint64_t value) {
  return (digest ^ value) * 0x100000001b3u;
}

/* What must be the same for a checkpoint to fit: steps, phases, optimizers, tensors. Not rates, batch or the size of the data. */
uint64_t game_digest(const gan_game *g, const struct game_tensors *t) {
  uint64_t digest = 0;
  for (int64_t i = 0; i < g->n_steps; i++) {
    digest = mix(digest, rng_hash(g->step_list[i].name));
    for (int32_t p = 0; p < g->step_list[i].n_phases; p++) digest = mix(digest, rng_hash(g->step_list[i].phases[p].name));
  }
  for (int64_t i = 0; game_optimizer_at(g, i); i++) digest = mix(digest, rng_hash(game_optimizer_at(g, i)->row->name));
  for (int64_t i = 0; i < t->count; i++) {
    digest = mix(digest, rng_hash(t->list[i].name));
    for (int32_t k = 0; k < t->list[i].variable->rank; k++) digest = mix(digest, (uint64_t)t->list[i].variable->shape[k]);
  }
  return digest;
}
