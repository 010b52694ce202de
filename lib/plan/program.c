/* Writes the members of a unit as one program, and gives its results registers. */
#include "plan/program.h"

#include <string.h>

/* ------------------------------------------------------------------ writing */

static int32_t axes_of(const gan_node *n, int64_t shape[GAN_MAX_RANK]) {
  int32_t rank = 0;
  for (int32_t d = 0; d < n->rank; d++)
    if (n->shape[d] != 1) shape[rank++] = n->shape[d];
  return rank;
}

static int32_t constant(struct program *g, double value) {
  float number = (float)value;
  int32_t i = 0;
  while (i < g->n_const && memcmp(&g->constant[i], &number, sizeof number) != 0) i++;
  if (i == CHAIN_CONSTS) return -1;
  g->constant[i] = number;
  if (i == g->n_const) g->n_const++;
  return OPERAND_CONSTANT + i;
}

static int32_t input(struct program *g, const struct operand *o, const struct value *reader) {
  int64_t stride[GAN_MAX_RANK] = {0};
  int32_t rank = 0, i = 0;
  for (int32_t d = 0; d < reader->node.rank; d++)
    if (reader->node.shape[d] != 1) stride[rank++] = o->stride[d];
  while (i < g->n_in && (g->in[i] != o->base || memcmp(g->stride[i], stride, sizeof stride) != 0)) i++;
  if (i == CHAIN_INPUTS) return -1;
  g->in[i] = o->base;
  g->dense[i] = operand_is_dense(o, reader);
  memcpy(g->stride[i], stride, sizeof stride);
  if (i == g->n_in) g->n_in++;
  return OPERAND_INPUT + i;
}

static int32_t result_of(const struct program *g, const struct value *v) {
  for (int32_t i = 0; i < g->n_instr; i++)
    if (g->instr[i].value == v) return OPERAND_RESULT + i;
  return -1;
}

static int32_t is_member(const struct program *g, const struct value *v) {
  return v->unit && (v->unit == g->units[0] || v->unit == g->units[1]);
}

static int32_t write(struct program *g, struct value *v);

static int32_t operand(struct program *g, const struct value *v, int32_t i) {
  struct operand o = value_operand(g->p, v, i);
  if (o.base->node.op == &op_constant) return constant(g, o.base->node.attr.x);
  if (!is_member(g, o.base) && !o.base->inlined) return input(g, &o, v);
  if (!operand_is_dense(&o, v)) return -1;
  int32_t have = result_of(g, o.base);
  return have >= 0 || !o.base->inlined ? have : write(g, o.base);
}

/* Returns v as an operand, or -1 if there is no room. */
static int32_t write(struct program *g, struct value *v) {
  struct program_instr n = {v, v->node.op->vec, value_inputs(v), {0}};
  if (value_has(v, OP_ACCESS)) n.op = VEC_COPY;
  for (int32_t i = 0; i < n.n_in; i++)
    if ((n.in[i] = operand(g, v, i)) < 0) return -1;
  if (g->n_instr == CHAIN_INSTRS) return -1;
  g->instr[g->n_instr] = n;
  return OPERAND_RESULT + g->n_instr++;
}

/* ------------------------------------------------------------------ outputs */

/* Somebody outside of the program reads v from memory. */
static int32_t read_outside(const struct program *g, const struct value *v) {
  if (v->wanted || g->p->debug) return 1;
  for (const struct reader *r = v->readers; r; r = r->next)
    if (r->value->inlined ? read_outside(g, r->value) : !is_member(g, r->value) && r->value->summand != v) return 1;
  return 0;
}

static int32_t add_output(struct program *g, int32_t result, int64_t columns) {
  if (g->n_out == CHAIN_OUTPUTS) return 0;
  g->columns[g->n_out] = columns;
  g->out[g->n_out++] = result;
  return 1;
}

static int32_t mark_outputs(struct program *g) {
  for (int32_t i = 0; i < g->n_instr; i++) {
    const struct value *v = g->instr[i].value;
    if (v->inlined) continue;
    if (read_outside(g, v) && !add_output(g, i, 0)) return 0;
    if (v->sum_columns && !add_output(g, i, v->sum_columns)) return 0;
  }
  return 1;
}

static void start(struct program *g, const struct plan *p, const gan_node *shaped) {
  memset(g, 0, sizeof *g);
  g->p = p;
  g->rank = axes_of(shaped, g->shape);
}

int32_t program_write(struct program *g, const struct plan *p, const struct unit *a, const struct unit *b) {
  start(g, p, &a->members[0]->node);
  g->units[0] = a;
  g->units[1] = b;
  int32_t i = 0, j = 0, n_b = b ? b->n_members : 0;
  while (i < a->n_members || j < n_b) { /* both lists are in order; so is what this makes of them */
    int32_t first = j == n_b || (i < a->n_members && a->members[i]->node.id < b->members[j]->node.id);
    if (write(g, first ? a->members[i++] : b->members[j++]) < 0) return 0;
  }
  return mark_outputs(g);
}

void program_write_copy(struct program *g, const struct plan *p, struct value *v) {
  struct operand o = {.base = value_dense(v)};
  start(g, p, &v->node);
  int64_t step = 1;
  for (int32_t d = v->node.rank; d-- > 0; step *= v->node.shape[d]) o.stride[d] = step;
  int32_t from = o.base->node.op == &op_constant ? constant(g, o.base->node.attr.x) : input(g, &o, v);
  g->instr[g->n_instr++] = (struct program_instr){v, VEC_COPY, 1, {from}};
  g->n_out = 1;
}

/* ------------------------------------------------------------------ registers */

struct registers { int32_t count, last_use[CHAIN_INSTRS], of[CHAIN_INSTRS], is_output[CHAIN_INSTRS]; uint8_t taken[CHAIN_REGS]; };

static int32_t take(struct registers *r) {
  int32_t i = 0;
  while (i < CHAIN_REGS && r->taken[i]) i++;
  if (i == CHAIN_REGS) return -1;
  r->taken[i] = 1;
  if (i == r->count) r->count++;
  return i;
}

static void release_dead(struct registers *r, const struct program_instr *n, int32_t at) {
  for (int32_t j = 0; j < n->n_in; j++) {
    int32_t i = n->in[j] - OPERAND_RESULT;
    if (i >= 0 && r->last_use[i] == at && !r->is_output[i]) r->taken[r->of[i]] = 0;
  }
}

/* Outputs have registers of their own, which nothing else was in before: then a chain may write them straight to memory. */
static int32_t assign(struct registers *r, const struct program *g) {
  memset(r, 0, sizeof *r);
  for (int32_t j = 0; j < g->n_out; j++) r->is_output[g->out[j]] = 1;
  for (int32_t i = 0; i < g->n_instr; i++)
    for (int32_t j = 0; j < g->instr[i].n_in; j++)
      if (g->instr[i].in[j] >= OPERAND_RESULT) r->last_use[g->instr[i].in[j] - OPERAND_RESULT] = i;
  for (int32_t i = 0; i < g->n_instr; i++) {
    release_dead(r, &g->instr[i], i);
    if (!r->is_output[i] && (r->of[i] = take(r)) < 0) return 0;
  }
  for (int32_t j = 0; j < g->n_out; j++)
    if (j == 0 || g->out[j] != g->out[j - 1]) r->of[g->out[j]] = r->count++; /* stored and summed: they stand together */
  return r->count <= CHAIN_REGS;
}

static uint8_t number(const struct program *g, const struct registers *r, int32_t operand) {
  int32_t i = operand & OPERAND_NUMBER;
  if (operand >= OPERAND_RESULT) return (uint8_t)(g->n_in + g->n_const + r->of[i]);
  return (uint8_t)(operand >= OPERAND_CONSTANT ? g->n_in + i : i);
}

/* ------------------------------------------------------------------ loops */

struct loops { int32_t rank; int64_t shape[GAN_MAX_RANK], stride[CHAIN_INPUTS][GAN_MAX_RANK]; };

static int32_t mergeable(const struct loops *l, int32_t n_in, int32_t d) {
  for (int32_t i = 0; i < n_in; i++)
    if (l->stride[i][d] != l->stride[i][d + 1] * l->shape[d + 1]) return 0;
  return 1;
}

/* Axis d + 1 takes in axis d. */
static void merge(struct loops *l, int32_t n_in, int32_t d) {
  l->shape[d + 1] *= l->shape[d];
  for (int32_t e = d; e + 1 < l->rank; e++) {
    l->shape[e] = l->shape[e + 1];
    for (int32_t i = 0; i < n_in; i++) l->stride[i][e] = l->stride[i][e + 1];
  }
  l->rank--;
}

static struct loops merged(const struct program *g) {
  struct loops l = {.rank = g->rank};
  memcpy(l.shape, g->shape, sizeof l.shape);
  memcpy(l.stride, g->stride, sizeof l.stride);
  for (int32_t d = l.rank - 2; d >= 0; d--)
    if (mergeable(&l, g->n_in, d)) merge(&l, g->n_in, d);
  return l;
}

static void set_loops(struct chain_loop *to, const struct loops *l, int32_t n_in) {
  to->n_outer = l->rank > CHAIN_DIMS ? l->rank - CHAIN_DIMS : 0;
  to->chain.rank = l->rank - to->n_outer;
  to->inner_count = 1;
  for (int32_t d = 0; d < to->n_outer; d++) {
    to->outer[d] = l->shape[d];
    for (int32_t i = 0; i < n_in; i++) to->outer_stride[i][d] = l->stride[i][d];
  }
  for (int32_t d = 0; d < to->chain.rank; d++) {
    to->chain.shape[d] = l->shape[to->n_outer + d];
    to->inner_count *= to->chain.shape[d];
    for (int32_t i = 0; i < n_in; i++) to->chain.stride[i][d] = l->stride[i][to->n_outer + d];
  }
  to->inner_chunks = chain_chunks(&to->chain);
}

static int32_t has_sums(const struct program *g) {
  for (int32_t j = 0; j < g->n_out; j++)
    if (g->columns[j]) return 1;
  return 0;
}

int32_t program_to_chain(const struct program *g, struct chain_loop *loop) {
  struct registers r;
  if (!assign(&r, g)) return 0;
  memset(loop, 0, sizeof *loop);
  struct chain *c = &loop->chain;
  c->n_in = g->n_in;
  c->n_const = g->n_const;
  c->n_instr = g->n_instr;
  c->n_out = g->n_out;
  memcpy(c->constant, g->constant, sizeof c->constant);
  memcpy(c->columns, g->columns, sizeof c->columns);
  for (int32_t i = 0; i < g->n_instr; i++) {
    const struct program_instr *n = &g->instr[i];
    uint8_t operands[3] = {0};
    for (int32_t j = 0; j < n->n_in; j++) operands[j] = number(g, &r, n->in[j]);
    c->instr[i] = (struct chain_instr){(uint8_t)n->op, number(g, &r, OPERAND_RESULT + i), operands[0], operands[1], operands[2]};
  }
  for (int32_t j = 0; j < g->n_out; j++) c->out[j] = number(g, &r, OPERAND_RESULT + g->out[j]);
  struct loops l = merged(g);
  set_loops(loop, &l, g->n_in);
  return loop->n_outer == 0 || !has_sums(g);
}
