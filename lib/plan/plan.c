/* Plans: making, binding, and what the caller may know of one. */
#include "plan/build.h"

#include <string.h>

/* ------------------------------------------------------------------ checks */

static gan_status check_node(const struct plan_config *c, const gan_node *n, const char *what) {
  if (n && n->graph == c->graph && n->op) return GAN_OK;
  return gan_fail(c->ctx, GAN_ERROR_ARGUMENT, "plan: %s is no node of the plan's graph", what);
}

static gan_status check_assign(const struct plan_config *c, const struct plan_assign *a) {
  TRY(check_node(c, a->value, "an assigned value"));
  if (a->value->type == GAN_F32 && a->variable->count == a->value->count) return GAN_OK;
  return gan_fail(c->ctx, GAN_ERROR_SHAPE, "plan: '%s' has %lld elements, the value assigned to it %lld", a->variable->name,
                  (long long)a->variable->count, (long long)a->value->count);
}

static gan_status check(const struct plan_config *c) {
  if (c->graph->failed) return gan_fail(c->ctx, c->graph->failed, "%s", c->graph->error_text);
  for (int64_t s = 0; s < c->n_stages; s++) {
    for (int64_t i = 0; i < c->stages[s].n_roots; i++) TRY(check_node(c, c->stages[s].roots[i].node, "a root"));
    for (int64_t i = 0; i < c->stages[s].n_assigns; i++) TRY(check_assign(c, &c->stages[s].assigns[i]));
  }
  return GAN_OK;
}

/* ------------------------------------------------------------------ addresses */

static void *address(const struct plan *p, const struct buffer *b) {
  while (b->host) b = b->host;
  if (b->region == REGION_FIXED) return b->fixed;
  char *from = b->region == REGION_KEPT ? p->kept : p->arena;
  return from ? from + b->offset : NULL;
}

static void set_addresses(struct plan *p) {
  for (int64_t i = 0; i < p->n_calls; i++) {
    const struct unit *u = p->owners[i];
    struct call *c = &p->calls[i];
    if (u->kind == UNIT_CUSTOM) continue;
    for (int32_t j = 0; j < u->n_in; j++) c->in[j] = address(p, u->in[j]);
    for (int32_t j = 0; j < u->n_out; j++) c->out[j] = address(p, u->out[j]);
    c->shared = u->shared ? address(p, u->shared) : NULL;
  }
}

void plan_bind(struct plan *p, void *arena, void *scratch) {
  p->arena = arena;
  p->scratch = scratch;
  set_addresses(p);
}

/* ------------------------------------------------------------------ making */

static gan_status start_stages(struct plan *p, const struct plan_config *c) {
  p->n_stages = c->n_stages + 1;
  p->stages = plan_alloc(p, p->n_stages, sizeof *p->stages);
  if (!p->stages) return GAN_ERROR_MEMORY;
  for (int64_t i = 0; i < p->n_stages; i++) {
    const char *name = i == PROLOGUE ? "prologue" : c->stages[i - 1].name ? c->stages[i - 1].name : "stage";
    if (!(p->stages[i].name = plan_alloc(p, (int64_t)strlen(name) + 1, 1))) return GAN_ERROR_MEMORY;
    strcpy(p->stages[i].name, name);
  }
  return GAN_OK;
}

static gan_status keep_inputs(struct plan *p) {
  for (int64_t i = 0; i < p->n_values; i++)
    if (p->values[i]->node.op == &op_input) TRY(value_need_buffer(p, p->values[i]));
  return GAN_OK;
}

static gan_status build(struct plan *p, const struct plan_config *c) {
  TRY(start_stages(p, c));
  TRY(plan_schedule(p, c));
  if (p->optimize) TRY(plan_simplify(p));
  if (p->optimize && p->frozen) TRY(plan_freeze(p));
  TRY(plan_sort(p));
  TRY(plan_access(p));
  TRY(plan_make_units(p));
  TRY(plan_lower(p));
  TRY(keep_inputs(p));
  TRY(plan_settle(p, c));
  TRY(plan_make_waves(p));
  TRY(plan_place(p));
  p->kept = context_zalloc(p->ctx, (size_t)p->kept_bytes);
  if (!p->kept) return GAN_ERROR_MEMORY;
  set_addresses(p);
  plan_refresh(p);
  return GAN_OK;
}

gan_status plan_create(const struct plan_config *config, struct plan **out) {
  TRY(check(config));
  struct plan *p = context_zalloc(config->ctx, sizeof *p);
  if (!p) return GAN_ERROR_MEMORY;
  p->ctx = context_ref(config->ctx);
  p->graph = graph_ref(config->graph);
  p->kernels = config->ctx->kernels;
  p->frozen = config->frozen;
  p->debug = config->debug;
  p->optimize = config->optimize && !config->debug;
  p->use_blas = config->use_blas && !config->frozen;
  p->last_want = &p->wants;
  p->last_unit = &p->units;
  p->last_buffer = &p->buffers;
  gan_status status = build(p, config);
  if (status == GAN_OK) *out = p;
  else plan_free(p);
  return status;
}

void plan_free(struct plan *p) {
  if (!p) return;
  gan_context *ctx = p->ctx;
  context_release(ctx, p->kept, (size_t)p->kept_bytes);
  context_release(ctx, p->values, (size_t)p->cap_values * sizeof *p->values);
  plan_release_blocks(p);
  gan_graph_free(p->graph);
  context_release(ctx, p, sizeof *p);
  context_unref(ctx);
}

/* ------------------------------------------------------------------ what there is to know */

int64_t plan_arena_bytes(const struct plan *p) { return p->arena_bytes; }

int64_t plan_kept_bytes(const struct plan *p) { return p->kept_bytes; }

int64_t plan_scratch_bytes(const struct plan *p, int32_t threads) { return size_mul(p->scratch_bytes, threads); }

int64_t plan_flops(const struct plan *p) {
  int64_t flops = 0;
  for (int64_t i = 0; i < p->n_calls; i++)
    if (p->owners[i]->stage != PROLOGUE) flops += p->calls[i].flops;
  return flops;
}

int64_t plan_calls(const struct plan *p) {
  int64_t calls = 0;
  for (int64_t i = 0; i < p->n_calls; i++) calls += p->owners[i]->stage != PROLOGUE;
  return calls;
}

void *plan_input(struct plan *p, const gan_node *input) {
  for (int64_t i = 0; i < p->n_values; i++)
    if (p->values[i]->node.op == &op_input && p->values[i]->node.attr.data == input->attr.data) return address(p, p->values[i]->buffer);
  return NULL;
}

/* A root may have had several values, one after each change of what it depends on: the latest that was computed counts. */
const float *plan_value(const struct plan *p, const gan_node *root) {
  const struct want *found = NULL;
  for (const struct want *w = p->wants; w; w = w->next)
    if (w->buffer && w->origin == root && (!found || w->stage <= p->last_stage)) found = w;
  return found ? address(p, found->buffer) : NULL;
}

void plan_visit(const struct plan *p, int64_t stage, void (*visit)(void *user, const gan_node *n, const float *value), void *user) {
  for (int64_t i = 0; i < p->n_values; i++) {
    const struct value *v = p->values[i];
    if (v->stage != stage + 1 || !value_computed(v) || !v->buffer || !v->origin || v->node.type != GAN_F32) continue;
    visit(user, v->origin, address(p, v->buffer));
  }
}
