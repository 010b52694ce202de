/* From nodes to values: what each stage has to compute, and what it still has from the stages before.
 *
 * A node's value is made once and serves until a variable that it depends on changes; then the next stage that needs it makes
 * another. Nodes that nobody asks for never become values. Equal values (op, attributes, inputs) become one.
 */
#include "plan/build.h"

#include <string.h>

struct schedule {
  struct plan *p;
  int64_t n_nodes;
  struct value **now;           /* by node: its value as of the present stage; NULL: none, or out of date */
  uint8_t *flags;               /* by node: scratch of one sweep */
  struct value **buckets;       /* of equal values */
  int64_t n_buckets;
  int32_t stage, version;
};

/* ------------------------------------------------------------------ equal values */

static uint64_t mix(uint64_t hash, const void *bytes, size_t size) {
  const unsigned char *b = bytes;
  for (size_t i = 0; i < size; i++) hash = (hash ^ b[i]) * 0x100000001b3u;
  return hash;
}

static uint64_t hash_of(const struct value *v) {
  const gan_node *n = &v->node;
  uint64_t hash = mix(0xcbf29ce484222325u, &n->op, sizeof n->op);
  hash = mix(hash, &n->attr, sizeof n->attr);
  hash = mix(hash, n->shape, (size_t)n->rank * sizeof *n->shape);
  return mix(hash, n->in, (size_t)n->n_in * sizeof *n->in);
}

static int32_t equal(const struct value *a, const struct value *b) {
  const gan_node *m = &a->node, *n = &b->node;
  return m->op == n->op && a->version == b->version && m->type == n->type && m->rank == n->rank && m->n_in == n->n_in &&
         !memcmp(m->shape, n->shape, (size_t)m->rank * sizeof *m->shape) && !memcmp(&m->attr, &n->attr, sizeof m->attr) &&
         !memcmp(m->in, n->in, (size_t)m->n_in * sizeof *m->in);
}

/* The value that was there before, if there is an equal one; v itself otherwise. */
static struct value *unique(struct schedule *s, struct value *v) {
  struct value **bucket = &s->buckets[hash_of(v) % (uint64_t)s->n_buckets];
  for (struct value *have = *bucket; have; have = have->next_equal)
    if (equal(have, v)) return have;
  v->next_equal = *bucket;
  *bucket = v;
  return v;
}

/* ------------------------------------------------------------------ values of a stage */

static int32_t is_fixed(const struct plan *p, const struct value *v) {
  const struct op *op = v->node.op;
  if (!p->optimize || op == &op_input || op == &op_random) return 0;
  if (op == &op_variable) return p->frozen;
  for (int32_t i = 0; i < v->node.n_in; i++)
    if (!value_in(v, i)->fixed) return 0;
  return 1;
}

static gan_status make_value(struct schedule *s, const gan_node *n) {
  struct plan *p = s->p;
  struct value *v = plan_value_new(p, n);
  if (!v) return GAN_ERROR_MEMORY;
  v->origin = n;
  for (int32_t i = 0; i < n->n_in; i++) v->node.in[i] = &s->now[n->in[i]->id]->node;
  v->version = n->op == &op_variable ? s->version : 0;
  v->fixed = is_fixed(p, v);
  v->stage = v->fixed ? PROLOGUE : s->stage;
  struct value *have = p->optimize ? unique(s, v) : v;
  if (have != v) p->n_values--; /* its memory waits for the end of the plan */
  s->now[n->id] = have;
  return GAN_OK;
}

/* Marks the nodes that the stage has to make, then makes them, inputs first: a node's inputs are older than itself. */
static gan_status make_needed(struct schedule *s, const struct plan_stage *stage) {
  memset(s->flags, 0, (size_t)s->n_nodes);
  for (int64_t i = 0; i < stage->n_roots; i++) s->flags[stage->roots[i].node->id] = 1;
  for (int64_t i = 0; i < stage->n_assigns; i++) s->flags[stage->assigns[i].value->id] = 1;
  for (int64_t id = s->n_nodes - 1; id >= 0; id--) {
    const gan_node *n = s->p->graph->nodes[id];
    if (!s->flags[id] || s->now[id]) continue;
    for (int32_t i = 0; i < n->n_in; i++) s->flags[n->in[i]->id] = 1;
  }
  for (int64_t id = 0; id < s->n_nodes; id++)
    if (s->flags[id] && !s->now[id]) TRY(make_value(s, s->p->graph->nodes[id]));
  return GAN_OK;
}

static gan_status want(struct schedule *s, const gan_node *n, float *target, struct variable *variable) {
  struct want *w = plan_alloc(s->p, 1, sizeof *w);
  if (!w) return GAN_ERROR_MEMORY;
  *w = (struct want){.stage = s->stage, .origin = n, .value = s->now[n->id], .target = target, .variable = variable};
  *s->p->last_want = w;
  s->p->last_want = &w->next;
  return GAN_OK;
}

static gan_status want_all(struct schedule *s, const struct plan_stage *stage) {
  for (int64_t i = 0; i < stage->n_roots; i++) TRY(want(s, stage->roots[i].node, stage->roots[i].target, NULL));
  for (int64_t i = 0; i < stage->n_assigns; i++) TRY(want(s, stage->assigns[i].value, NULL, stage->assigns[i].variable));
  return GAN_OK;
}

/* ------------------------------------------------------------------ what a stage changes */

/* Variables may share memory: a slice of a flat gradient with the whole. */
static int32_t overlap(const struct variable *a, const struct variable *b) {
  return a->data < b->data + b->count && b->data < a->data + a->count;
}

static int32_t changes(const struct plan_stage *stage, const struct variable *v) {
  for (int64_t i = 0; i < stage->n_written; i++)
    if (overlap(v, stage->written[i])) return 1;
  for (int64_t i = 0; i < stage->n_assigns; i++)
    if (overlap(v, stage->assigns[i].variable)) return 1;
  for (int64_t i = 0; i < stage->n_customs; i++)
    for (int32_t j = 0; j < stage->customs[i].n_writes; j++)
      if (overlap(v, stage->customs[i].writes[j])) return 1;
  return 0;
}

static void forget_stale(struct schedule *s, const struct plan_stage *stage) {
  s->version++;
  for (int64_t id = 0; id < s->n_nodes; id++) {
    const gan_node *n = s->p->graph->nodes[id];
    s->flags[id] = n->op == &op_variable && changes(stage, n->attr.variable);
    for (int32_t i = 0; i < n->n_in; i++) s->flags[id] |= s->flags[n->in[i]->id];
    if (s->flags[id]) s->now[id] = NULL;
  }
}

gan_status plan_schedule(struct plan *p, const struct plan_config *config) {
  struct schedule s = {.p = p, .n_nodes = p->graph->n_nodes};
  s.n_buckets = 2 * s.n_nodes + 1;
  s.now = plan_alloc(p, s.n_nodes, sizeof *s.now);
  s.flags = plan_alloc(p, s.n_nodes, 1);
  s.buckets = plan_alloc(p, s.n_buckets, sizeof *s.buckets);
  if (!s.now || !s.flags || !s.buckets) return GAN_ERROR_MEMORY;
  for (int64_t i = 0; i < config->n_stages; i++) {
    s.stage = (int32_t)i + 1;
    TRY(make_needed(&s, &config->stages[i]));
    TRY(want_all(&s, &config->stages[i]));
    forget_stale(&s, &config->stages[i]);
  }
  return GAN_OK;
}
