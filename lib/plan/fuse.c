/* Gathers elementwise values into chains, so that what passes between them never leaves the first cache.
 *
 * A unit's `ready` is the earliest wave at which everything that it reads is there. A producer is joined to a consumer only if
 *   - nobody else waits for the producer, so that it may run later, or
 *   - whatever else the consumer reads is there when the producer runs, so that nothing has to wait.
 * In both cases ready grows along every dependence, as before; so no unit can come to depend on itself, and no search for cycles
 * is needed. Units of equal ready never depend on each other; those that read the same memory are joined too.
 */
#include "plan/build.h"

#include <string.h>

enum { SMALL_ELEMENTS = 64 };  /* loops so short that a call costs more than they do: joined even if they share nothing */

/* ------------------------------------------------------------------ who reads and is read */

/* Walks what the computed value v reads; an inlined value stands for what it reads itself. */
typedef int32_t source_fn(void *user, const struct value *reader, int32_t input, struct value *source);

static int32_t each_source(const struct plan *p, const struct value *v, source_fn *fn, void *user) {
  for (int32_t i = 0; i < value_inputs(v); i++) {
    struct value *s = value_source(p, v, i);
    if (s->inlined ? each_source(p, s, fn, user) : fn(user, v, i, s)) return 1;
  }
  return 0;
}

struct wait { const struct unit *a, *b; int32_t stage, ready; };

static int32_t wait_for(void *user, const struct value *reader, int32_t input, struct value *source) {
  (void)reader, (void)input;
  struct wait *w = user;
  struct unit *u = source->unit;
  if (u && u != w->a && u != w->b && u->stage == w->stage && u->ready + 1 > w->ready) w->ready = u->ready + 1;
  return 0;
}

/* When everything is there that u reads, leaving aside what `without` makes. */
static int32_t ready_without(const struct plan *p, const struct unit *u, const struct unit *without) {
  struct wait w = {u, without, u->stage, 0};
  for (int32_t i = 0; i < u->n_members; i++) each_source(p, u->members[i], wait_for, &w);
  return w.ready;
}

/* Somebody besides a and b reads v. Readers that have no unit yet count. */
static int32_t read_besides(const struct value *v, const struct unit *a, const struct unit *b) {
  for (const struct reader *r = v->readers; r; r = r->next)
    if (r->value->inlined ? read_besides(r->value, a, b) : r->value->unit != a && r->value->unit != b) return 1;
  return 0;
}

static int32_t awaited_besides(const struct unit *u, const struct unit *b) {
  for (int32_t i = 0; i < u->n_members; i++)
    if (read_besides(u->members[i], u, b)) return 1;
  return 0;
}

/* ------------------------------------------------------------------ joining */

/* The same loops, axes of size 1 aside. */
static int32_t same_loops(const gan_node *a, const gan_node *b) {
  if (a->count != b->count) return 0;
  for (int32_t i = 0, j = 0;; i++, j++) {
    while (i < a->rank && a->shape[i] == 1) i++;
    while (j < b->rank && b->shape[j] == 1) j++;
    if (i == a->rank || j == b->rank) return i == a->rank && j == b->rank;
    if (a->shape[i] != b->shape[j]) return 0;
  }
}

static int32_t may_join(const struct unit *a, const struct unit *b) {
  return a != b && a->kind == UNIT_CHAIN && b->kind == UNIT_CHAIN && a->stage == b->stage && a->n_members && b->n_members &&
         same_loops(&a->members[0]->node, &b->members[0]->node);
}

/* a takes b's members, in order. */
static gan_status join(struct plan *p, struct unit *a, struct unit *b) {
  for (int32_t i = 0; i < b->n_members; i++) TRY(unit_add_member(p, a, b->members[i]));
  b->n_members = 0;
  for (int32_t i = 1; i < a->n_members; i++) {
    struct value *v = a->members[i];
    int32_t j = i;
    for (; j > 0 && a->members[j - 1]->node.id > v->node.id; j--) a->members[j] = a->members[j - 1];
    a->members[j] = v;
  }
  return GAN_OK;
}

static gan_status try_producer(struct plan *p, struct unit *producer, struct unit *consumer) {
  if (!may_join(producer, consumer)) return GAN_OK;
  int32_t others = ready_without(p, consumer, producer);
  if (others > producer->ready && awaited_besides(producer, consumer)) return GAN_OK;
  if (!chain_fits(p, producer, consumer)) return GAN_OK;
  int32_t ready = others > producer->ready ? others : producer->ready;
  TRY(join(p, consumer, producer));
  consumer->ready = ready;
  return GAN_OK;
}

/* ------------------------------------------------------------------ values that are cheaper to compute again than to keep */

/* Its elements will lie in memory whatever is fused. */
static int32_t surely_stored(const struct value *v) {
  if (!value_computed(v) || !value_chained(v) || v->wanted || v->unit) return 1; /* by now only products have units */
  for (const struct reader *r = v->readers; r; r = r->next)
    if (!value_chained(r->value)) return 1;
  return 0;
}

static int32_t only_read_aligned(const struct plan *p, const struct value *v) {
  for (const struct reader *r = v->readers; r; r = r->next) {
    if (!value_chained(r->value)) return 0;
    for (int32_t i = 0; i < value_inputs(r->value); i++) {
      struct operand o = value_operand(p, r->value, i);
      if (o.base == v && !operand_is_dense(&o, r->value)) return 0;
    }
  }
  return 1;
}

/* A comparison of one stored value with constants, or with something small: reading what it compares costs what reading its
 * result would. Masks of activations are such. */
static int32_t cheap(const struct plan *p, const struct value *v) {
  const struct op *op = v->node.op;
  if (op != &op_greater && op != &op_greater_equal && op != &op_equal) return 0;
  int32_t large = 0;
  for (int32_t i = 0; i < 2; i++) {
    struct value *s = value_source(p, v, i);
    if (s->node.count < v->node.count) continue;
    large++;
    if (!surely_stored(s) || s->inlined) return 0;
  }
  return large == 1 && !v->wanted && only_read_aligned(p, v);
}

/* ------------------------------------------------------------------ the passes */

struct joining { struct plan *p; struct unit *best; const struct unit *unit, *tried[CHAIN_INPUTS]; int32_t n_tried; };

static int32_t was_tried(const struct joining *j, const struct unit *u) {
  for (int32_t i = 0; i < j->n_tried; i++)
    if (j->tried[i] == u) return 1;
  return 0;
}

/* The latest of the units that make what the value reads. */
static int32_t choose_producer(void *user, const struct value *reader, int32_t input, struct value *source) {
  struct joining *j = user;
  struct unit *u = source->unit;
  if (!u || !may_join(u, j->unit) || was_tried(j, u) || (j->best && j->best->ready >= u->ready)) return 0;
  struct operand o = value_operand(j->p, reader, input);
  if (operand_is_dense(&o, reader)) j->best = u;
  return 0;
}

static gan_status join_producers(struct plan *p, struct value *v) {
  struct joining j = {.p = p};
  do {
    j.best = NULL;
    j.unit = v->unit;
    each_source(p, v, choose_producer, &j);
    if (!j.best) return GAN_OK;
    j.tried[j.n_tried++] = j.best;
    TRY(try_producer(p, j.best, v->unit));
  } while (j.n_tried < CHAIN_INPUTS);
  return GAN_OK;
}

static int32_t is_last_member(const struct value *v) {
  return v->unit->members[v->unit->n_members - 1] == v;
}

static gan_status join_all_producers(struct plan *p) {
  for (int64_t i = 0; i < p->n_values; i++) {
    struct value *v = p->values[i];
    if (!value_computed(v) || v->inlined) continue;
    if (!v->unit) {
      struct unit *u = plan_unit_new(p, value_chained(v) ? UNIT_CHAIN : UNIT_NODE, v->stage);
      if (!u) return GAN_ERROR_MEMORY;
      TRY(unit_add_member(p, u, v));
    }
    if (is_last_member(v)) v->unit->ready = ready_without(p, v->unit, NULL);
    if (v->unit->kind == UNIT_CHAIN) TRY(join_producers(p, v));
  }
  return GAN_OK;
}

/* Joins left some units later than they need be. */
static void find_ready(struct plan *p) {
  for (struct unit *u = p->units; u; u = u->next) u->ready = 0;
  for (int32_t changed = 1; changed;) {
    changed = 0;
    for (struct unit *u = p->units; u; u = u->next) {
      int32_t ready = ready_without(p, u, NULL);
      changed |= ready != u->ready;
      u->ready = ready;
    }
  }
}

static gan_status try_siblings(struct plan *p, struct unit *a, struct unit *b) {
  if (!a || !b || !may_join(a, b) || a->ready != b->ready || !chain_fits(p, a, b)) return GAN_OK;
  return join(p, a, b);
}

/* Chains of one wave that read this value. */
static gan_status join_readers(struct plan *p, const struct value *v) {
  for (const struct reader *r = v->readers; r; r = r->next)
    for (const struct reader *s = r->next; s; s = s->next) TRY(try_siblings(p, r->value->unit, s->value->unit));
  return GAN_OK;
}

static gan_status join_small(struct plan *p) {
  for (struct unit *a = p->units; a; a = a->next)
    for (struct unit *b = a->next; b && a->n_members && a->members[0]->node.count <= SMALL_ELEMENTS; b = b->next)
      TRY(try_siblings(p, a, b));
  return GAN_OK;
}

static gan_status join_siblings(struct plan *p) {
  for (int64_t i = 0; i < p->n_values; i++) TRY(join_readers(p, p->values[i]));
  return join_small(p);
}

static void drop_empty(struct plan *p) {
  struct unit **link = &p->units;
  while (*link)
    if ((*link)->n_members) link = &(*link)->next;
    else *link = (*link)->next;
  p->last_unit = link;
}

gan_status plan_fuse(struct plan *p) {
  for (int64_t i = 0; i < p->n_values; i++) p->values[i]->inlined = value_computed(p->values[i]) && cheap(p, p->values[i]);
  TRY(join_all_producers(p));
  drop_empty(p);
  find_ready(p);
  for (int64_t i = 0; i < p->n_values; i++)
    if (p->values[i]->unit && p->values[i]->unit->kind == UNIT_CHAIN) TRY(join_producers(p, p->values[i]));
  drop_empty(p);
  find_ready(p);
  TRY(join_siblings(p));
  drop_empty(p);
  return GAN_OK;
}
