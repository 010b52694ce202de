/* Sum and maximum over axes. */
#include "ops/build.h"

#include <string.h>
#include "base/tensor.h"
#include "ops/lower.h"

/* ----------------------------------------------------------------------------------------------------------------- nodes */

static int32_t reduced_shape(const gan_node *x, uint32_t axes, int32_t keep, int64_t shape[GAN_MAX_RANK]) {
  int32_t rank = 0;
  for (int32_t d = 0; d < x->rank; d++) {
    if (!(axes >> d & 1)) shape[rank++] = x->shape[d];
    else if (keep) shape[rank++] = 1;
  }
  return rank;
}

static int64_t reduced_count(const gan_node *x, uint32_t axes) {
  int64_t count = 1;
  for (int32_t d = 0; d < x->rank; d++) {
    if (axes >> d & 1) count *= x->shape[d];
  }
  return count;
}

gan_node *node_unreduced(gan_node *reduced, const gan_node *x, uint32_t axes) {
  int64_t shape[GAN_MAX_RANK];
  int32_t rank = reduced_shape(x, axes, 1, shape);
  return gan_reshape(reduced, rank, shape);
}

/* The node drops its axes; that they stay with size 1 is a view of it. */
static gan_node *reduce(const struct op *op, gan_node *x, uint32_t axes, int32_t keep) {
  int64_t shape[GAN_MAX_RANK];
  int32_t rank = reduced_shape(x, axes, 0, shape);
  struct attributes attr = {.axes = axes};
  gan_node *y = graph_node(x->graph, op, 1, &x, &attr, GAN_F32, rank, shape);
  return keep ? node_unreduced(y, x, axes) : y;
}

/* The maximum of a constant, or the reduction over axes of size 1, is x in the other shape. */
static gan_node *without_axes(gan_node *x, uint32_t axes, int32_t keep, double factor) {
  int64_t shape[GAN_MAX_RANK];
  int32_t rank = reduced_shape(x, axes, keep, shape);
  double value;
  if (node_is_constant(x, &value)) return node_full(x->graph, value * factor, rank, shape);
  return reduced_count(x, axes) == 1 ? gan_reshape(x, rank, shape) : NULL;
}

gan_node *node_sum(gan_node *x, uint32_t axes, int32_t keep) {
  if (node_failed(x)) return node_bad("sum", GAN_F32, x);
  gan_node *simple = without_axes(x, axes, keep, (double)reduced_count(x, axes));
  return simple ? simple : reduce(&op_sum, x, axes, keep);
}

gan_node *node_max(gan_node *x, uint32_t axes, int32_t keep) {
  if (node_failed(x)) return node_bad("max", GAN_F32, x);
  gan_node *simple = without_axes(x, axes, keep, 1);
  return simple ? simple : reduce(&op_max, x, axes, keep);
}

gan_node *node_sum_to(gan_node *n, int32_t rank, const int64_t *shape) {
  if (node_failed(n) || node_has_shape(n, rank, shape)) return n;
  int32_t lead = n->rank - rank;
  uint32_t axes = 0;
  for (int32_t d = 0; d < n->rank; d++) {
    if (d < lead || (shape[d - lead] == 1 && n->shape[d] != 1)) axes |= 1u << d;
  }
  return gan_reshape(node_sum(n, axes, 0), rank, shape);
}

static uint32_t all_axes(const gan_node *x) {
  return (1u << x->rank) - 1;
}

gan_node *gan_sum(gan_node *x) {
  gan_node *bad = node_bad("sum", GAN_F32, x);
  return bad ? bad : node_sum(x, all_axes(x), 0);
}

gan_node *gan_mean(gan_node *x) {
  gan_node *bad = node_bad("mean", GAN_F32, x);
  return bad ? bad : gan_scale(gan_sum(x), 1 / (double)x->count);
}

gan_node *gan_sum_axes(gan_node *x, int32_t count, const int32_t *axes, int32_t keep) {
  gan_node *bad = node_bad("sum_axes", GAN_F32, x);
  if (bad) return bad;
  uint32_t bits;
  return axes_ok("sum_axes", x, count, axes, &bits) ? node_sum(x, bits, keep) : &x->graph->error;
}

gan_node *gan_mean_axes(gan_node *x, int32_t count, const int32_t *axes, int32_t keep) {
  gan_node *bad = node_bad("mean_axes", GAN_F32, x);
  if (bad) return bad;
  uint32_t bits;
  if (!axes_ok("mean_axes", x, count, axes, &bits)) return &x->graph->error;
  return gan_scale(node_sum(x, bits, keep), 1 / (double)reduced_count(x, bits));
}

gan_node *gan_max_axes(gan_node *x, int32_t count, const int32_t *axes, int32_t keep) {
  gan_node *bad = node_bad("max_axes", GAN_F32, x);
  if (bad) return bad;
  uint32_t bits;
  return axes_ok("max_axes", x, count, axes, &bits) ? node_max(x, bits, keep) : &x->graph->error;
}

/* ------------------------------------------------------------------------------------------------------------- gradients */

static void sum_gradient(gan_node *y, gan_node *dy, const uint8_t *wanted, gan_node **dx) {
  (void)wanted;
  gan_node *x = y->in[0];
  dx[0] = node_like(node_unreduced(dy, x, y->attr.axes), x);
}

/* Equal elements share evenly. */
static void max_gradient(gan_node *y, gan_node *dy, const uint8_t *wanted, gan_node **dx) {
  (void)wanted;
  gan_node *x = y->in[0];
  uint32_t axes = y->attr.axes;
  gan_node *largest = gan_equal(x, node_unreduced(y, x, axes));
  gan_node *share = gan_div(node_unreduced(dy, x, axes), node_sum(largest, axes, 1));
  dx[0] = gan_mul(largest, share);
}

/* ----------------------------------------------------------------------------------------------------------------- calls
 *
 * The kernel reduces the middle of (outer, length, inner). Neighbouring axes that are all reduced, or all kept, are one to it. Two
 * such groups, as tiles of an image have them, are reduced one after the other, the inner one into the shared workspace; what
 * still does not fit is brought into the form (kept, reduced) by a transposing copy there.
 */

static void reduce_pass(const struct call *c, const void *in, void *out, void *partial, int32_t pass, const struct environment *e,
                        int64_t chunk) {
  reduce_run(e->kernels, &c->u.reduce, in, out, partial, pass, chunk);
}

static void run_first(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  (void)scratch;
  reduce_pass(c, c->in[0], c->out[0], c->shared, 0, e, chunk);
}

static void run_second(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  (void)scratch;
  reduce_pass(c, c->in[0], c->out[0], c->shared, 1, e, chunk);
}

/* Workspace that begins with an array, partial results behind it, both on 64 bytes: the input of a reduction, or the result. */
static size_t array_bytes(int64_t count) {
  return ((size_t)count * sizeof(float) + 63) / 64 * 64;
}

static size_t input_bytes(const struct reduce_shape *s) {
  return array_bytes(s->outer * s->length * s->inner);
}

static size_t result_bytes(const struct reduce_shape *s) {
  return array_bytes(s->outer * s->inner);
}

static void run_shared_first(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  (void)scratch;
  reduce_pass(c, c->shared, c->out[0], (char *)c->shared + input_bytes(&c->u.reduce), 0, e, chunk);
}

static void run_shared_second(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  (void)scratch;
  reduce_pass(c, c->shared, c->out[0], (char *)c->shared + input_bytes(&c->u.reduce), 1, e, chunk);
}

static void run_inner_first(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  (void)scratch;
  reduce_pass(c, c->in[0], c->shared, (char *)c->shared + result_bytes(&c->u.reduce), 0, e, chunk);
}

static void run_inner_second(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  (void)scratch;
  reduce_pass(c, c->in[0], c->shared, (char *)c->shared + result_bytes(&c->u.reduce), 1, e, chunk);
}

static int32_t lower_passes(const struct reduce_shape *s, call_fn *first, call_fn *second, struct call *calls) {
  call_start(&calls[0], first, reduce_chunks(s, 0), 1)->u.reduce = *s;
  int64_t chunks = reduce_chunks(s, 1);
  if (chunks > 0) call_start(&calls[1], second, chunks, 1)->u.reduce = *s;
  return chunks > 0 ? 2 : 1;
}

static int32_t with_workspace(struct call *calls, int32_t count, size_t bytes) {
  for (int32_t i = 0; i < count; i++) calls[i].shared_bytes = bytes;
  return count;
}

/* The copy's walk reads (kept.., reduced..) out of x; it writes to the workspace rather than to the node. */
static void run_copy(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  (void)e, (void)scratch;
  struct walk w;
  int64_t first, last;
  memcpy(&w, c->u.n, sizeof w);
  chunk_range(chunk, CHUNK_ELEMENTS, w.count, &first, &last);
  walk_copy(&w, c->shared, c->in[0], first, last);
}

static int32_t lower_copied(const gan_node *x, uint32_t axes, int32_t kind, struct call *calls) {
  int32_t order[GAN_MAX_RANK], n = 0;
  for (int32_t d = 0; d < x->rank; d++) {
    if (!(axes >> d & 1)) order[n++] = d;
  }
  for (int32_t d = 0; d < x->rank; d++) {
    if (axes >> d & 1) order[n++] = d;
  }
  struct walk w = walk_transposed(x->rank, x->shape, order);
  lower_walk(&calls[0], &w);
  calls[0].run = run_copy;
  int64_t length = reduced_count(x, axes);
  struct reduce_shape s = {.op = kind, .outer = x->count / length, .length = length, .inner = 1};
  int32_t count = 1 + lower_passes(&s, run_shared_first, run_shared_second, calls + 1);
  return with_workspace(calls, count, input_bytes(&s) + reduce_partial(&s));
}

/* 1 if the axes fit (outer, length, inner). */
static int32_t fits(const gan_node *x, uint32_t axes, struct reduce_shape *s) {
  int32_t part = 0; /* outer, length, inner */
  s->outer = s->length = s->inner = 1;
  for (int32_t d = 0; d < x->rank; d++) {
    int32_t reduced = axes >> d & 1;
    if (x->shape[d] == 1) continue;
    if (reduced && part == 2) return 0;
    if (reduced) part = 1;
    else if (part == 1) part = 2;
    *(part == 0 ? &s->outer : part == 1 ? &s->length : &s->inner) *= x->shape[d];
  }
  return 1;
}

/* The reduced axes that have no kept one between them and the last of them. */
static uint32_t innermost(const gan_node *x, uint32_t axes) {
  uint32_t group = 0;
  for (int32_t d = x->rank; d-- > 0;) {
    int32_t reduced = axes >> d & 1;
    if (x->shape[d] == 1) continue;
    if (reduced) group |= 1u << d;
    else if (group) break;
  }
  return group;
}

/* 0 if there are more groups of axes than two. */
static int32_t lower_groups(const gan_node *x, uint32_t axes, int32_t kind, struct call *calls) {
  struct reduce_shape inner = {.op = kind}, outer = {.op = kind};
  uint32_t group = innermost(x, axes);
  gan_node rest = *x;
  for (int32_t d = 0; d < x->rank; d++) {
    if (group >> d & 1) rest.shape[d] = 1;
  }
  if (!fits(&rest, axes & ~group, &outer)) return 0;
  fits(x, group, &inner);
  int32_t count = lower_passes(&inner, run_inner_first, run_inner_second, calls);
  count += lower_passes(&outer, run_shared_first, run_shared_second, calls + count);
  size_t of_inner = reduce_partial(&inner), of_outer = reduce_partial(&outer);
  return with_workspace(calls, count, result_bytes(&inner) + (of_inner > of_outer ? of_inner : of_outer));
}

int32_t lower_column_sums(int64_t rows, int64_t columns, struct call *calls) {
  struct reduce_shape s = {.op = REDUCE_SUM, .outer = 1, .length = rows, .inner = columns};
  return with_workspace(calls, lower_passes(&s, run_first, run_second, calls), reduce_partial(&s));
}

static int32_t lower_reduce(const gan_node *n, int32_t kind, struct call *calls) {
  const gan_node *x = n->in[0];
  struct reduce_shape s = {.op = kind};
  if (fits(x, n->attr.axes, &s)) {
    return with_workspace(calls, lower_passes(&s, run_first, run_second, calls), reduce_partial(&s));
  }
  int32_t count = lower_groups(x, n->attr.axes, kind, calls);
  return count ? count : lower_copied(x, n->attr.axes, kind, calls);
}

static int32_t lower_sum(const gan_node *n, const struct kernels *k, int32_t use_blas, struct call *calls) {
  (void)k, (void)use_blas;
  return lower_reduce(n, REDUCE_SUM, calls);
}

static int32_t lower_max(const gan_node *n, const struct kernels *k, int32_t use_blas, struct call *calls) {
  (void)k, (void)use_blas;
  return lower_reduce(n, REDUCE_MAX, calls);
}

const struct op op_sum = {"sum", 0, 1, -1, sum_gradient, lower_sum};
const struct op op_max = {"max", 0, 1, -1, max_gradient, lower_max};
