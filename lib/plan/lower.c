/* From units to kernel calls: which kernel, how many chunks, which buffers. Memory has no addresses yet. */
#include "plan/build.h"

#include "base/tensor.h"
#include "plan/program.h"

/* ------------------------------------------------------------------ buffers of values */

static gan_status value_bytes(struct plan *p, const struct value *v, int64_t *bytes) {
  *bytes = size_mul(v->node.count, type_bytes(v->node.type));
  if (*bytes >= 0) return GAN_OK;
  return gan_fail(p->ctx, GAN_ERROR_MEMORY, "plan: a value of %lld elements is too large", (long long)v->node.count);
}

/* Where the content of a leaf lives already. */
static char *home_of(struct plan *p, const struct value *v) {
  if (v->node.op == &op_variable) return (char *)v->node.attr.variable->data;
  if (v->node.op == &op_tensor) return (char *)v->node.attr.data;
  float *number = plan_alloc(p, 1, sizeof *number);
  if (number) *number = (float)v->node.attr.x;
  return (char *)number;
}

gan_status value_need_buffer(struct plan *p, struct value *v) {
  int64_t bytes;
  if (v->buffer) return GAN_OK;
  TRY(value_bytes(p, v, &bytes));
  int32_t leaf = !value_computed(v), input = v->node.op == &op_input;
  int32_t region = leaf && !input ? REGION_FIXED : input || v->stage == PROLOGUE ? REGION_KEPT : REGION_ARENA;
  v->buffer = plan_buffer_new(p, region, bytes);
  if (!v->buffer) return GAN_ERROR_MEMORY;
  v->buffer->writer = v->unit;
  if (region == REGION_FIXED && !(v->buffer->fixed = home_of(p, v))) return GAN_ERROR_MEMORY;
  return GAN_OK;
}

static gan_status read_value(struct plan *p, struct unit *u, struct value *v) {
  TRY(value_need_buffer(p, v));
  u->in[u->n_in++] = v->buffer;
  return GAN_OK;
}

static gan_status write_value(struct plan *p, struct unit *u, struct value *v) {
  TRY(value_need_buffer(p, v));
  u->out[u->n_out++] = v->buffer;
  return GAN_OK;
}

static struct call *make_calls(struct plan *p, struct unit *u, int32_t n) {
  u->calls = plan_alloc(p, n, sizeof *u->calls);
  if (u->calls) u->n_calls = n;
  return u->calls;
}

/* ------------------------------------------------------------------ chains */

static void run_chain(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  chain_run(e->kernels, c->u.chain, (const float *const *)c->in, (float *const *)c->out, chunk, scratch);
}

/* More axes than a chain has: its inputs are moved along the outer ones. */
static void run_chain_loop(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  const struct chain_loop *l = (const struct chain_loop *)c->u.chain;
  const float *in[CHAIN_INPUTS];
  float *out[CHAIN_OUTPUTS];
  int64_t at = chunk / l->inner_chunks;
  for (int32_t j = 0; j < c->n_out; j++) out[j] = (float *)c->out[j] + at * l->inner_count;
  for (int32_t i = 0; i < c->n_in; i++) in[i] = c->in[i];
  for (int32_t d = l->n_outer; d-- > 0; at /= l->outer[d])
    for (int32_t i = 0; i < c->n_in; i++) in[i] += at % l->outer[d] * l->outer_stride[i][d];
  chain_run(e->kernels, &l->chain, in, out, chunk % l->inner_chunks, scratch);
}

static gan_status finish_chain(struct plan *p, struct unit *u, const struct program *g) {
  struct chain_loop *loop = plan_alloc(p, 1, sizeof *loop);
  struct call *c = make_calls(p, u, 1);
  if (!loop || !c) return GAN_ERROR_MEMORY;
  program_to_chain(g, loop);
  c->u.chain = &loop->chain;
  c->run = loop->n_outer ? run_chain_loop : run_chain;
  c->chunks = loop->inner_chunks;
  for (int32_t d = 0; d < loop->n_outer; d++) c->chunks *= loop->outer[d];
  c->scratch = chain_scratch(&loop->chain);
  c->n_in = g->n_in;
  c->n_out = g->n_out;
  for (int32_t i = 0; i < g->n_in; i++) {
    TRY(read_value(p, u, g->in[i]));
    if (g->dense[i]) u->may_replace |= 1u << i;
  }
  return GAN_OK;
}

/* An input that is also read at other steps may not be overwritten. */
static void keep_what_is_read_twice(struct unit *u) {
  for (int32_t i = 0; i < u->n_in; i++)
    for (int32_t j = 0; j < u->n_in; j++)
      if (i != j && u->in[i] == u->in[j]) u->may_replace &= ~(1u << i);
}

/* A row of sums for each chunk. */
static gan_status write_sums(struct plan *p, struct unit *u, struct value *v) {
  v->sum_rows = u->calls[0].chunks;
  int64_t bytes = size_mul(size_mul(v->sum_rows, v->sum_columns), (int64_t)sizeof(float));
  if (bytes < 0) return gan_fail(p->ctx, GAN_ERROR_MEMORY, "plan: sums of %lld columns are too large", (long long)v->sum_columns);
  v->sums = plan_buffer_new(p, u->stage == PROLOGUE ? REGION_KEPT : REGION_ARENA, bytes);
  if (!v->sums) return GAN_ERROR_MEMORY;
  v->sums->writer = u;
  v->sums->apart = 1;
  u->out[u->n_out++] = v->sums;
  return GAN_OK;
}

static gan_status lower_chain(struct plan *p, struct unit *u) {
  struct program g;
  program_write(&g, p, u, NULL);
  TRY(finish_chain(p, u, &g));
  keep_what_is_read_twice(u);
  for (int32_t j = 0; j < g.n_out; j++) TRY((g.columns[j] ? write_sums : write_value)(p, u, g.instr[g.out[j]].value));
  return GAN_OK;
}

gan_status unit_lower_copy(struct plan *p, struct unit *u, struct value *from, struct buffer *to) {
  struct program g;
  program_write_copy(&g, p, from);
  TRY(finish_chain(p, u, &g));
  u->out[u->n_out++] = to;
  return GAN_OK;
}

int32_t chain_fits(const struct plan *p, const struct unit *a, const struct unit *b) {
  struct program g;
  struct chain_loop loop;
  return program_write(&g, p, a, b) && program_to_chain(&g, &loop);
}

/* ------------------------------------------------------------------ other nodes */

/* Calls of one node share a workspace, which holds what the largest of them needs. */
gan_status unit_share_workspace(struct plan *p, struct unit *u) {
  size_t bytes = 0;
  for (int32_t i = 0; i < u->n_calls; i++)
    if (u->calls[i].shared_bytes > bytes) bytes = u->calls[i].shared_bytes;
  if (bytes == 0) return GAN_OK;
  u->shared = plan_buffer_new(p, u->stage == PROLOGUE ? REGION_KEPT : REGION_ARENA, (int64_t)bytes);
  if (!u->shared) return GAN_ERROR_MEMORY;
  u->shared->writer = u;
  return GAN_OK;
}

/* What the chain before left to be added. */
static gan_status lower_sum_of_sums(struct plan *p, struct unit *u) {
  struct value *v = u->members[0], *of = v->summand;
  u->n_calls = lower_column_sums(of->sum_rows, of->sum_columns, u->calls);
  u->in[u->n_in++] = of->sums;
  TRY(write_value(p, u, v));
  return unit_share_workspace(p, u);
}

static gan_status lower_node(struct plan *p, struct unit *u) {
  struct value *v = u->members[0];
  struct call *calls = make_calls(p, u, CALLS_MAX);
  if (!calls) return GAN_ERROR_MEMORY;
  if (v->summand) return lower_sum_of_sums(p, u);
  u->n_calls = v->node.op->lower(&v->node, p->kernels, p->use_blas, calls);
  for (int32_t i = 0; i < v->node.n_in; i++) TRY(read_value(p, u, value_dense(value_in(v, i))));
  if (v->node.op->flags & OP_OVER) u->may_replace = 1;
  keep_what_is_read_twice(u);
  TRY(write_value(p, u, v));
  return unit_share_workspace(p, u);
}

/* A transpose that is laid out and has nothing else to do: its own calls know cache lines. */
static int32_t only_transposes(const struct plan *p, const struct unit *u) {
  const struct value *v = u->n_members == 1 ? u->members[0] : NULL;
  return v && v->node.op == &op_transpose && value_operand(p, v, 0).base == value_dense(value_in(v, 0));
}

gan_status plan_lower(struct plan *p) {
  for (struct unit *u = p->units; u; u = u->next) {
    if (u->kind == UNIT_CHAIN && only_transposes(p, u)) u->kind = UNIT_NODE;
    if (u->kind == UNIT_CHAIN) TRY(lower_chain(p, u)); /* all of them first: they tell how many rows of sums there are */
  }
  for (struct unit *u = p->units; u; u = u->next) {
    if (u->kind == UNIT_NODE) TRY(lower_node(p, u));
    if (u->kind == UNIT_PRODUCT) TRY(unit_lower_product(p, u));
  }
  return GAN_OK;
}
