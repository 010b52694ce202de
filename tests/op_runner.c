#include "op_runner.h"

#include <stdlib.h>
#include <string.h>

static void *memory(size_t bytes) {
  size_t whole = (bytes + 64) / 64 * 64;
  void *p = aligned_alloc(64, whole);
  if (p) memset(p, 0xff, whole);
  return p;
}

/* ----------------------------------------------------------------------------------------------------------- elementwise */

/* The place in x of element i of y, to whose shape it is broadcast. */
static int64_t place(const gan_node *x, const gan_node *y, int64_t i) {
  int64_t at = 0, step = 1;
  for (int32_t d = x->rank, to = y->rank; d-- > 0;) {
    int64_t index = i % y->shape[--to];
    i /= y->shape[to];
    if (x->shape[d] > 1) at += index * step;
    step *= x->shape[d];
  }
  return at;
}

static int32_t run_elementwise(struct runner *r, const gan_node *n, float *out) {
  float *operand[3] = {NULL};
  for (int32_t i = 0; i < n->n_in; i++) {
    const float *from = r->value[n->in[i]->id];
    operand[i] = memory((size_t)n->count * sizeof(float));
    for (int64_t j = 0; j < n->count; j++) operand[i][j] = from[place(n->in[i], n, j)];
  }
  r->kernels->vec[n->op->vec](out, operand[0], operand[1], operand[2], n->count);
  for (int32_t i = 0; i < n->n_in; i++) free(operand[i]);
  return 1;
}

/* ----------------------------------------------------------------------------------------------------------------- calls */

static size_t largest_shared(const struct call *calls, int32_t count) {
  size_t bytes = 0;
  for (int32_t i = 0; i < count; i++) bytes = calls[i].shared_bytes > bytes ? calls[i].shared_bytes : bytes;
  return bytes;
}

static int32_t run_calls(struct runner *r, const gan_node *n, void *out) {
  struct call calls[CALLS_MAX];
  struct environment e = {r->kernels, r->seed, r->step};
  memset(calls, 0xff, sizeof calls); /* a lowering must not rely on zeros */
  if (!n->op->lower) return 0;
  int32_t count = n->op->lower(n, r->kernels, r->use_blas, calls);
  if (count < 1 || count > CALLS_MAX) return 0;
  void *shared = memory(largest_shared(calls, count));
  for (int32_t i = 0; i < count; i++) {
    struct call *c = &calls[i];
    void *scratch = memory(c->scratch);
    for (int32_t j = 0; j < n->n_in; j++) c->in[j] = r->value[n->in[j]->id];
    c->out[0] = out;
    c->shared = shared;
    for (int64_t chunk = c->chunks; chunk-- > 0;) c->run(c, &e, chunk, scratch);
    free(scratch);
  }
  free(shared);
  return 1;
}

/* ----------------------------------------------------------------------------------------------------------------- nodes */

static int32_t run_leaf(struct runner *r, const gan_node *n, void *out) {
  if (n->op == &op_random) return run_calls(r, n, out);
  if (n->op == &op_constant) {
    *(float *)out = (float)n->attr.x;
    return 1;
  }
  const void *from = n->op == &op_tensor ? n->attr.data : n->op == &op_variable ? n->attr.variable->data : r->leaf(r->user, n);
  if (from) memcpy(out, from, (size_t)n->count * 4);
  return from != NULL;
}

static int32_t run_node(struct runner *r, const gan_node *n) {
  if (r->value[n->id]) return 1;
  for (int32_t i = 0; i < n->n_in; i++) {
    if (!run_node(r, n->in[i])) return 0;
  }
  void *out = r->value[n->id] = memory((size_t)n->count * 4);
  if (!out) return 0;
  if (n->op->flags & OP_LEAF) return run_leaf(r, n, out);
  if (n->op->flags & OP_ELEMENTWISE) return run_elementwise(r, n, out);
  if (!(n->op->flags & OP_VIEW)) return run_calls(r, n, out);
  memcpy(out, r->value[n->in[0]->id], (size_t)n->count * 4);
  return 1;
}

const void *runner_run(struct runner *r, const gan_node *root) {
  if (!r->value) {
    r->count = (int32_t)root->graph->n_nodes;
    r->value = calloc((size_t)r->count, sizeof *r->value);
  }
  return r->value && root->id < r->count && run_node(r, root) ? r->value[root->id] : NULL;
}

void runner_free(struct runner *r) {
  for (int32_t i = 0; i < r->count; i++) free(r->value[i]);
  free(r->value);
  r->value = NULL;
  r->count = 0;
}
