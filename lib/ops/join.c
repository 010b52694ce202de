/* Parts of an axis: slice, pad, concat. All three are rows put together from pieces of other rows. */
#include "ops/build.h"

#include <string.h>
#include "ops/lower.h"

static gan_node *with_axis(const struct op *op, int32_t n_in, gan_node *const *in, const struct attributes *attr, int64_t size) {
  int64_t shape[GAN_MAX_RANK];
  memcpy(shape, in[0]->shape, sizeof shape);
  shape[attr->axis] = size;
  return graph_node(in[0]->graph, op, n_in, in, attr, in[0]->type, in[0]->rank, shape);
}

/* ----------------------------------------------------------------------------------------------------------------- nodes */

gan_node *gan_slice(gan_node *x, int32_t axis, int64_t begin, int64_t end) {
  gan_node *bad = node_bad("slice", ANY_TYPE, x);
  if (bad) return bad;
  if (!axis_ok("slice", x, &axis)) return &x->graph->error;
  if (begin < 0 || begin >= end || end > x->shape[axis]) {
    char text[SHAPE_TEXT];
    return graph_fail(x->graph, GAN_ERROR_SHAPE, "slice: %lld .. %lld is not a part of axis %d of %s", (long long)begin,
                      (long long)end, (int)axis, node_text(x, text));
  }
  if (begin == 0 && end == x->shape[axis]) return x;
  return with_axis(&op_slice, 1, &x, &(struct attributes){.axis = axis, .begin = begin, .end = end}, end - begin);
}

gan_node *gan_pad(gan_node *x, int32_t axis, int64_t before, int64_t after) {
  gan_node *bad = node_bad("pad", GAN_F32, x);
  if (bad) return bad;
  if (!axis_ok("pad", x, &axis)) return &x->graph->error;
  int64_t size = size_add(size_add(before, after), x->shape[axis]);
  if (before < 0 || after < 0 || size < 0) {
    return graph_fail(x->graph, GAN_ERROR_ARGUMENT, "pad: %lld before and %lld after are impossible", (long long)before,
                      (long long)after);
  }
  if (before == 0 && after == 0) return x;
  return with_axis(&op_pad, 1, &x, &(struct attributes){.axis = axis, .begin = before, .end = after}, size);
}

/* Everything but one axis must be the same. */
static int32_t join_ok(gan_node *a, gan_node *b, int32_t axis) {
  int32_t same = a->rank == b->rank && a->type == b->type;
  for (int32_t d = 0; same && d < a->rank; d++) same = d == axis || a->shape[d] == b->shape[d];
  if (same) return 1;
  char first[SHAPE_TEXT], second[SHAPE_TEXT];
  graph_fail(a->graph, GAN_ERROR_SHAPE, "concat: %s and %s may differ in axis %d only, and not in type", node_text(a, first),
             node_text(b, second), (int)axis);
  return 0;
}

static gan_node *concat_some(int32_t count, gan_node *const *nodes, int32_t axis) {
  int64_t size = 0;
  if (count == 1) return nodes[0];
  for (int32_t i = 0; i < count; i++) size = size_add(size, nodes[i]->shape[axis]);
  return with_axis(&op_concat, count, nodes, &(struct attributes){.axis = axis}, size);
}

/* A call takes CALL_INPUTS inputs: more are joined in groups of that many, and the groups then. */
static gan_node *concat_groups(int32_t count, gan_node *const *nodes, int32_t axis) {
  if (count <= CALL_INPUTS) return concat_some(count, nodes, axis);
  gan_graph *g = nodes[0]->graph;
  int32_t groups = (count + CALL_INPUTS - 1) / CALL_INPUTS;
  gan_node **joined = graph_alloc(g, (size_t)groups * sizeof *joined);
  if (!joined) return &g->error;
  for (int32_t i = 0; i < groups; i++) {
    int32_t first = i * CALL_INPUTS, some = count - first < CALL_INPUTS ? count - first : CALL_INPUTS;
    joined[i] = concat_some(some, nodes + first, axis);
    if (node_failed(joined[i])) return &g->error;
  }
  return concat_groups(groups, joined, axis);
}

gan_node *gan_concat(int32_t count, gan_node *const *nodes, int32_t axis) {
  if (count < 1 || !nodes) return node_none();
  gan_node *bad = nodes_bad("concat", ANY_TYPE, count, nodes);
  if (bad) return bad;
  if (!axis_ok("concat", nodes[0], &axis)) return &nodes[0]->graph->error;
  for (int32_t i = 1; i < count; i++) {
    if (!join_ok(nodes[0], nodes[i], axis)) return &nodes[0]->graph->error;
  }
  return concat_groups(count, nodes, axis);
}

/* ------------------------------------------------------------------------------------------------------------- gradients */

static void slice_gradient(gan_node *y, gan_node *dy, const uint8_t *wanted, gan_node **dx) {
  (void)wanted;
  dx[0] = gan_pad(dy, y->attr.axis, y->attr.begin, y->in[0]->shape[y->attr.axis] - y->attr.end);
}

static void pad_gradient(gan_node *y, gan_node *dy, const uint8_t *wanted, gan_node **dx) {
  (void)wanted;
  dx[0] = gan_slice(dy, y->attr.axis, y->attr.begin, y->attr.begin + y->in[0]->shape[y->attr.axis]);
}

static void concat_gradient(gan_node *y, gan_node *dy, const uint8_t *wanted, gan_node **dx) {
  int64_t begin = 0;
  for (int32_t i = 0; i < y->n_in; i++) {
    int64_t end = begin + y->in[i]->shape[y->attr.axis];
    if (wanted[i]) dx[i] = gan_slice(dy, y->attr.axis, begin, end);
    begin = end;
  }
}

/* ----------------------------------------------------------------------------------------------------------------- calls */

/* The places of c->u.n. Rows are what lies behind one index of the axes before the joined one. */
enum { TOTAL, ROW, SLICE_FROM, SLICE_PITCH, PIECES };

/* Elements first .. last - 1 of an array of rows that receive `length` numbers at `at` in each row: of row r of in, pitch apart;
 * zeros if in is NULL. Elements are 4 bytes of any type. */
static void copy_piece(uint32_t *out, int64_t row, int64_t at, int64_t length, const uint32_t *in, int64_t pitch, int64_t first,
                       int64_t last) {
  for (int64_t r = first / row; r * row < last; r++) {
    int64_t start = r * row + at, low = start > first ? start : first, high = start + length < last ? start + length : last;
    if (low >= high) continue;
    size_t bytes = (size_t)(high - low) * sizeof *out;
    if (in) memcpy(out + low, in + r * pitch + (low - start), bytes);
    else memset(out + low, 0, bytes);
  }
}

static void run_slice(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  (void)e, (void)scratch;
  const int64_t *n = c->u.n;
  int64_t first, last;
  chunk_range(chunk, CHUNK_ELEMENTS, n[TOTAL], &first, &last);
  copy_piece(c->out[0], n[ROW], 0, n[ROW], (const uint32_t *)c->in[0] + n[SLICE_FROM], n[SLICE_PITCH], first, last);
}

static void run_pad(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  (void)e, (void)scratch;
  const int64_t *n = c->u.n, *piece = n + PIECES;
  int64_t first, last;
  chunk_range(chunk, CHUNK_ELEMENTS, n[TOTAL], &first, &last);
  copy_piece(c->out[0], n[ROW], 0, piece[0], NULL, 0, first, last);
  copy_piece(c->out[0], n[ROW], piece[0], piece[1], c->in[0], piece[1], first, last);
  copy_piece(c->out[0], n[ROW], piece[0] + piece[1], piece[2], NULL, 0, first, last);
}

static void run_concat(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  (void)e, (void)scratch;
  const int64_t *n = c->u.n, *piece = n + PIECES;
  int64_t first, last, at = 0;
  chunk_range(chunk, CHUNK_ELEMENTS, n[TOTAL], &first, &last);
  for (int32_t i = 0; i < c->n_in; at += piece[i++]) copy_piece(c->out[0], n[ROW], at, piece[i], c->in[i], piece[i], first, last);
}

/* Elements behind one index of the axis. */
static int64_t inner_count(const gan_node *n) {
  int64_t inner = 1;
  for (int32_t d = n->attr.axis + 1; d < n->rank; d++) inner *= n->shape[d];
  return inner;
}

static int64_t *start(const gan_node *n, call_fn *run, struct call *c) {
  call_start(c, run, chunks_of(n->count, CHUNK_ELEMENTS), n->n_in);
  c->u.n[TOTAL] = n->count;
  c->u.n[ROW] = n->shape[n->attr.axis] * inner_count(n);
  return c->u.n;
}

static int32_t lower_slice(const gan_node *n, const struct kernels *k, int32_t use_blas, struct call *calls) {
  (void)k, (void)use_blas;
  int64_t *u = start(n, run_slice, calls);
  u[SLICE_FROM] = n->attr.begin * inner_count(n);
  u[SLICE_PITCH] = n->in[0]->shape[n->attr.axis] * inner_count(n);
  return 1;
}

static int32_t lower_pad(const gan_node *n, const struct kernels *k, int32_t use_blas, struct call *calls) {
  (void)k, (void)use_blas;
  int64_t *piece = start(n, run_pad, calls) + PIECES, inner = inner_count(n);
  piece[0] = n->attr.begin * inner;
  piece[1] = n->in[0]->shape[n->attr.axis] * inner;
  piece[2] = n->attr.end * inner;
  return 1;
}

static int32_t lower_concat(const gan_node *n, const struct kernels *k, int32_t use_blas, struct call *calls) {
  (void)k, (void)use_blas;
  int64_t *piece = start(n, run_concat, calls) + PIECES;
  for (int32_t i = 0; i < n->n_in; i++) piece[i] = n->in[i]->shape[n->attr.axis] * inner_count(n);
  return 1;
}

const struct op op_slice = {"slice", 0, 1, -1, slice_gradient, lower_slice};
const struct op op_pad = {"pad", 0, 1, -1, pad_gradient, lower_pad};
const struct op op_concat = {"concat", 0, -1, -1, concat_gradient, lower_concat};
