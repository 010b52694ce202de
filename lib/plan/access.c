/* Where elements lie: views alias, broadcasts and transposes become steps of whoever can follow them.
 *
 * A chain reads its inputs at steps along its axes, so a broadcast or a transpose in front of one costs nothing. Whoever reads
 * densely (products, reductions, roots) needs it laid out: then the access is *made*, as a chain that copies.
 */
#include "plan/build.h"

#include <string.h>
#include "base/tensor.h"

static void dense_steps(const gan_node *n, int64_t stride[GAN_MAX_RANK]) {
  int64_t step = 1;
  for (int32_t d = n->rank; d-- > 0; step *= n->shape[d]) stride[d] = step;
}

static struct operand dense(struct value *v, const gan_node *shaped) {
  struct operand o = {.base = v};
  dense_steps(shaped, o.stride);
  return o;
}

int32_t operand_is_dense(const struct operand *o, const struct value *reader) {
  int64_t step = 1;
  if (o->base->node.count != reader->node.count) return 0;
  for (int32_t d = reader->node.rank; d-- > 0; step *= reader->node.shape[d])
    if (o->stride[d] != step && reader->node.shape[d] != 1) return 0;
  return 1;
}

struct value *value_dense(struct value *v) {
  while (value_has(v, OP_VIEW)) v = value_in(v, 0);
  return v;
}

/* ------------------------------------------------------------------ through accesses */

/* The i-th axis that is longer than 1; rank if there is none. */
static int32_t next_axis(const gan_node *n, int32_t d) {
  while (d < n->rank && n->shape[d] == 1) d++;
  return d;
}

/* Steps along the axes of one shape as steps along those of another that differs in axes of size 1 alone; 0 if it differs more. */
static int32_t carry_over(const gan_node *from, const int64_t *stride, const gan_node *to, int64_t *result) {
  int32_t a = next_axis(from, 0), b = next_axis(to, 0);
  memset(result, 0, GAN_MAX_RANK * sizeof *result);
  for (; a < from->rank && b < to->rank; a = next_axis(from, a + 1), b = next_axis(to, b + 1)) {
    if (from->shape[a] != to->shape[b]) return 0;
    result[b] = stride[a];
  }
  return a == from->rank && b == to->rank;
}

/* Steps along the axes of `to`, which from's shape is broadcast to. */
static void spread(const gan_node *from, const int64_t *stride, const gan_node *to, int64_t *result) {
  int32_t lead = to->rank - from->rank;
  for (int32_t d = 0; d < to->rank; d++) result[d] = d < lead || from->shape[d - lead] == 1 ? 0 : stride[d - lead];
}

static void look_through_view(struct value *v) {
  struct value *in = value_in(v, 0);
  struct operand o = {.base = in->base};
  memcpy(o.stride, in->stride, sizeof o.stride);
  if (operand_is_dense(&o, in)) {
    v->base = in->base;
    dense_steps(&v->node, v->stride);
  } else if (carry_over(&in->node, in->stride, &v->node, v->stride)) {
    v->base = in->base;
  } else {
    v->base = value_dense(in);
    v->base->made = 1;
    dense_steps(&v->node, v->stride);
  }
}

static void look_through_access(struct value *v) {
  struct value *in = value_in(v, 0);
  v->base = in->base;
  if (v->node.op == &op_transpose) {
    for (int32_t d = 0; d < v->node.rank; d++) v->stride[d] = in->stride[v->node.attr.order[d]];
  } else {
    spread(&in->node, in->stride, &v->node, v->stride);
  }
}

static void look_through(struct value *v) {
  if (value_has(v, OP_VIEW)) {
    look_through_view(v);
  } else if (value_has(v, OP_ACCESS)) {
    look_through_access(v);
  } else {
    v->base = v;
    dense_steps(&v->node, v->stride);
  }
}

/* ------------------------------------------------------------------ operands */

int32_t value_inputs(const struct value *v) {
  return value_has(v, OP_ACCESS) ? 1 : v->node.n_in;
}

/* A transpose that is laid out anyway is better read from there; without optimization every access is. */
static int32_t read_where_made(const struct plan *p, const struct value *v) {
  return v->made && (!p->optimize || v->node.op == &op_transpose);
}

struct operand value_operand(const struct plan *p, const struct value *v, int32_t i) {
  struct value *in = value_in(v, i), *whole = value_dense(in);
  struct operand o = {.base = in->base}, aligned = {0};
  memcpy(o.stride, in->stride, sizeof o.stride);
  if (value_has(v, OP_ACCESS)) {
    o.base = v->base;
    memcpy(o.stride, v->stride, sizeof o.stride);
    return o;
  }
  if (read_where_made(p, whole)) o = dense(whole, &in->node);
  aligned.base = o.base;
  spread(&in->node, o.stride, &v->node, aligned.stride);
  return aligned;
}

struct value *value_source(const struct plan *p, const struct value *v, int32_t i) {
  if (value_chained(v)) return value_operand(p, v, i).base;
  return value_dense(value_in(v, i));
}

/* ------------------------------------------------------------------ the pass */

static void make(struct value *v) {
  struct value *d = value_dense(v);
  if (value_has(d, OP_ACCESS)) d->made = 1;
}

/* Who reads densely needs accesses made. A constant behind a broadcast is made too. */
static void make_accesses(struct plan *p) {
  for (struct want *w = p->wants; w; w = w->next) make(w->value);
  for (int64_t i = 0; i < p->n_values; i++) {
    struct value *v = p->values[i];
    if (!p->optimize && value_has(v, OP_ACCESS)) v->made = 1;
    if (value_has(v, OP_VIEW) || value_chained(v)) continue;
    for (int32_t j = 0; j < v->node.n_in; j++) make(value_in(v, j));
  }
}

static gan_status add_reader(struct plan *p, struct value *of, struct value *v) {
  if (of->readers && of->readers->value == v) return GAN_OK; /* it reads it twice */
  struct reader *r = plan_alloc(p, 1, sizeof *r);
  if (!r) return GAN_ERROR_MEMORY;
  *r = (struct reader){of->readers, v};
  of->readers = r;
  return GAN_OK;
}

gan_status plan_access(struct plan *p) {
  for (int64_t i = 0; i < p->n_values; i++) look_through(p->values[i]);
  make_accesses(p);
  for (struct want *w = p->wants; w; w = w->next) value_dense(w->value)->wanted = 1;
  for (int64_t i = 0; i < p->n_values; i++) {
    struct value *v = p->values[i];
    if (!value_computed(v)) continue;
    for (int32_t j = 0; j < value_inputs(v); j++) TRY(add_reader(p, value_source(p, v, j), v));
  }
  return GAN_OK;
}
