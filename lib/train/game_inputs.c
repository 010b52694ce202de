/* What comes into a step: values that the caller binds, scalars, batches of data. */
#include "train/game.h"

#include <string.h>

#include "base/rng.h"

/* ------------------------------------------------------------------ labels */

/* Ops that give indices only move them: rows of a batch that was joined are still the input's. */
static int32_t holds(const gan_node *n, const gan_node *input) {
  if (n == input) return 1;
  for (int32_t i = 0; i < n->n_in; i++)
    if (n->type == GAN_I32 && n->in[i]->type == GAN_I32 && holds(n->in[i], input)) return 1;
  return 0;
}

static int64_t least(int64_t a, int64_t b) {
  return a == 0 || b < a ? b : a;
}

/* Labels that look rows up must lie within the table, whatever was declared. */
static int64_t label_classes(const gan_graph *g, const gan_node *input) {
  int64_t classes = ((const struct binding *)input->attr.data)->classes;
  for (int64_t i = 0; i < g->n_nodes; i++) {
    const gan_node *n = g->nodes[i];
    if (n->op == &op_gather && holds(n->in[1], input)) classes = least(classes, n->in[0]->shape[0]);
    if (n->op == &op_one_hot && holds(n->in[0], input)) classes = least(classes, n->attr.end);
  }
  return classes;
}

/* ------------------------------------------------------------------ lists */

/* The first source of a game has the stream "data"; further ones are shuffled apart from it. */
static uint64_t source_stream(int64_t index) {
  char name[] = "data/a";
  if (index == 0) return rng_hash("data");
  name[5] = (char)('a' + index % 26);
  return rng_hash(name) + (uint64_t)(index / 26);
}

static gan_status game_source(gan_game *g, gan_data *d, int32_t *out) {
  for (int64_t i = 0; i < g->n_sources; i++) {
    *out = (int32_t)i;
    if (g->sources[i].data == d) return GAN_OK;
  }
  TRY(context_grow(g->ctx, (void **)&g->sources, &g->cap_sources, g->n_sources + 1, sizeof *g->sources));
  *out = (int32_t)g->n_sources;
  g->sources[g->n_sources++] = (struct game_source){.data = data_ref(d), .stream = source_stream(*out)};
  return GAN_OK;
}

static gan_status add_source(gan_game *g, struct game_step *s, gan_data *d) {
  int32_t source;
  TRY(game_source(g, d, &source));
  for (int32_t i = 0; i < s->n_sources; i++)
    if (s->sources[i].source == source) return GAN_OK;
  s->sources[s->n_sources++] = (struct step_source){.source = source};
  return GAN_OK;
}

static int32_t is_input(const gan_node *n) {
  return n->op == &op_input;
}

gan_status step_inputs(gan_game *g, struct game_step *s) {
  gan_graph *graph = s->graph;
  if (s->inputs) return GAN_OK;
  size_t count = 1;
  for (int64_t i = 0; i < graph->n_nodes; i++) count += (size_t)is_input(graph->nodes[i]);
  s->sources = graph_alloc(graph, sizeof *s->sources * count);
  struct game_input *inputs = graph_alloc(graph, sizeof *inputs * count);
  if (!s->sources || !inputs) return gan_graph_check(graph);
  s->n_inputs = s->n_sources = 0;
  for (int64_t i = 0; i < graph->n_nodes; i++) {
    gan_node *n = graph->nodes[i];
    if (!is_input(n)) continue;
    const struct binding *b = n->attr.data;
    if (b->kind == BINDING_DATA) TRY(add_source(g, s, b->data));
    int64_t classes = n->type == GAN_I32 ? label_classes(graph, n) : 0;
    inputs[s->n_inputs++] = (struct game_input){.node = n, .binding = b, .classes = classes};
  }
  s->inputs = inputs;
  return GAN_OK;
}

/* ------------------------------------------------------------------ memory */

static gan_status wrap_slot(gan_game *g, const struct data_slot *slot, void *memory, gan_tensor **out) {
  int64_t shape[GAN_MAX_RANK] = {g->batch};
  memcpy(shape + 1, slot->shape, sizeof *shape * (size_t)slot->rank);
  return gan_tensor_wrap(g->ctx, slot->type, slot->rank + 1, shape, memory, NULL, NULL, out);
}

/* A callback fills all slots at once; those that the step does not read go to spare memory. */
static gan_status connect_callback(gan_game *g, struct step_source *source, const gan_data *d) {
  size_t spare = 0;
  for (int64_t i = 0; i < d->n_slots; i++)
    if (!source->slots[i]) spare += (size_t)(g->batch * d->slots[i].row * 4 + 63) / 64 * 64;
  source->spare = context_zalloc(g->ctx, spare);
  source->spare_bytes = spare;
  source->tensors = context_zalloc(g->ctx, sizeof *source->tensors * (size_t)d->n_slots);
  if (!source->spare || !source->tensors) return GAN_ERROR_MEMORY;
  char *at = source->spare;
  for (int64_t i = 0; i < d->n_slots; i++) {
    TRY(wrap_slot(g, &d->slots[i], source->slots[i] ? source->slots[i] : at, &source->tensors[i]));
    if (!source->slots[i]) at += (g->batch * d->slots[i].row * 4 + 63) / 64 * 64;
  }
  return GAN_OK;
}

static gan_status connect_source(gan_game *g, struct game_step *s, struct step_source *source) {
  const gan_data *d = g->sources[source->source].data;
  source->n_slots = d->n_slots;
  source->slots = context_zalloc(g->ctx, sizeof *source->slots * (size_t)d->n_slots);
  if (!source->slots) return GAN_ERROR_MEMORY;
  for (int64_t i = 0; i < s->n_inputs; i++) {
    const struct binding *b = s->inputs[i].binding;
    if (b->kind == BINDING_DATA && b->data == d) source->slots[b->slot] = s->inputs[i].memory;
  }
  return d->fill ? connect_callback(g, source, d) : GAN_OK;
}

static void connect_phase(const struct game_step *s, struct game_phase *p) {
  for (int64_t i = 0; i < p->n_updates; i++) {
    struct game_update *u = &p->updates[i];
    u->loss_at = plan_value(s->plan, u->loss);
    if (u->rate) u->rate_at = plan_input(s->plan, u->rate);
    if (u->step) u->step_at = plan_input(s->plan, u->step);
  }
  for (int64_t i = 0; i < p->n_looks; i++) {
    p->looks[i].rate_at = plan_input(s->plan, p->looks[i].rate);
    p->looks[i].step_at = plan_input(s->plan, p->looks[i].step);
  }
  for (int64_t i = 0; i < p->n_states; i++) p->state_at[i] = plan_value(s->plan, state_computed(&p->states[i]));
}

gan_status step_connect(gan_game *g, struct game_step *s) {
  for (int64_t i = 0; i < s->n_inputs; i++) {
    struct game_input *in = &s->inputs[i];
    in->memory = plan_input(s->plan, in->node);
    if (in->memory && in->binding->kind == BINDING_SCALAR) *(float *)in->memory = (float)in->binding->value;
  }
  for (int32_t i = 0; i < s->n_phases; i++) connect_phase(s, &s->phases[i]);
  for (int32_t i = 0; i < s->n_sources; i++) TRY(connect_source(g, s, &s->sources[i]));
  return GAN_OK;
}

void step_disconnect(gan_game *g, struct game_step *s) {
  for (int32_t i = 0; i < s->n_sources; i++) {
    struct step_source *source = &s->sources[i];
    size_t slots = (size_t)source->n_slots;
    for (size_t t = 0; source->tensors && t < slots; t++) gan_tensor_free(source->tensors[t]);
    context_release(g->ctx, source->tensors, sizeof *source->tensors * slots);
    context_release(g->ctx, source->slots, sizeof *source->slots * slots);
    context_release(g->ctx, source->spare, source->spare_bytes);
    *source = (struct step_source){.source = source->source};
  }
}

/* ------------------------------------------------------------------ a batch */

static gan_status fill_source(gan_game *g, const struct step_source *source) {
  const struct game_source *from = &g->sources[source->source];
  const gan_data *d = from->data;
  data_order(d, (uint64_t)g->seed, from->stream, from->position, g->batch, g->indices);
  if (d->fill) {
    int32_t came = d->fill(d->user, g->indices, g->batch, source->tensors);
    return came == 0 ? GAN_OK : gan_fail(g->ctx, GAN_ERROR_CALLBACK, "data: the callback returned %d", came);
  }
  for (int32_t i = 0; i < source->n_slots; i++)
    if (source->slots[i]) data_gather(d, g->ctx->kernels, i, g->indices, g->batch, source->slots[i]);
  return GAN_OK;
}

static gan_status check_input(gan_game *g, const struct game_step *s, const struct game_input *in) {
  const char *name = in->binding->name ? in->binding->name : "";
  if (in->binding->kind == BINDING_CALLER)
    REQUIRE(g->ctx, in->bound, "step '%s': input '%s' has no value yet: gan_game_bind gives it one", s->name, name);
  if (in->binding->kind != BINDING_DATA || !in->memory) return GAN_OK;
  const int32_t *labels = in->memory;
  int64_t bad = labels_first_bad(labels, in->node->count, in->classes);
  REQUIRE(g->ctx, bad < 0, "step '%s': data slot '%s' has a label %d, expected 0 .. %lld", s->name, name,
          labels[bad < 0 ? 0 : bad], (long long)in->classes - 1);
  return GAN_OK;
}

gan_status step_load(gan_game *g, struct game_step *s) {
  for (int32_t i = 0; i < s->n_sources; i++) TRY(fill_source(g, &s->sources[i]));
  for (int64_t i = 0; i < s->n_inputs; i++) TRY(check_input(g, s, &s->inputs[i]));
  return GAN_OK;
}

void step_advance(gan_game *g, const struct game_step *s) {
  for (int32_t i = 0; i < s->n_sources; i++) g->sources[s->sources[i].source].position += g->batch;
  g->steps++;
}
