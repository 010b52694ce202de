/* Ops on indices: gather, scatter, update_rows, one_hot, argmax, to_float, to_int. Indices are i32; those that are out of range are
 * clamped. */
#include "ops/build.h"

#include <math.h>
#include <string.h>
#include "ops/lower.h"

/* ----------------------------------------------------------------------------------------------------------------- nodes */

static gan_node *too_many_axes(const char *who, const gan_node *n, int32_t rank) {
  return graph_fail(n->graph, GAN_ERROR_SHAPE, "%s: the result would have %d axes, the most is %d", who, (int)rank, GAN_MAX_RANK);
}

gan_node *gan_gather(gan_node *table, gan_node *indices) {
  gan_node *in[2] = {table, indices}, *bad = nodes_bad("gather", ANY_TYPE, 2, in);
  if (!bad) bad = node_bad("gather (table)", GAN_F32, table);
  if (!bad) bad = node_bad("gather (indices)", GAN_I32, indices);
  if (bad) return bad;
  if (table->rank < 1) return graph_fail(table->graph, GAN_ERROR_SHAPE, "gather: a table has at least one axis");
  int32_t rank = indices->rank + table->rank - 1;
  if (rank > GAN_MAX_RANK) return too_many_axes("gather", table, rank);
  int64_t shape[GAN_MAX_RANK];
  for (int32_t d = 0; d < indices->rank; d++) shape[d] = indices->shape[d];
  for (int32_t d = 1; d < table->rank; d++) shape[indices->rank + d - 1] = table->shape[d];
  return graph_node(table->graph, &op_gather, 2, in, NULL, GAN_F32, rank, shape);
}

/* Called by gradients of gather, or on a node that has the shape of its result. */
gan_node *node_scatter(gan_node *values, gan_node *indices, int64_t rows) {
  gan_node *in[2] = {values, indices}, *bad = nodes_bad("scatter", ANY_TYPE, 2, in);
  if (bad) return bad;
  int32_t rank = values->rank - indices->rank + 1;
  int64_t shape[GAN_MAX_RANK] = {rows};
  for (int32_t d = 1; d < rank; d++) shape[d] = values->shape[indices->rank + d - 1];
  return graph_node(values->graph, &op_scatter, 2, in, &(struct attributes){.end = rows}, GAN_F32, rank, shape);
}

gan_node *node_update_rows(gan_node *table, gan_node *indices, gan_node *values) {
  gan_node *in[3] = {table, indices, values}, *bad = nodes_bad("update_rows", ANY_TYPE, 3, in);
  return bad ? bad : graph_node(table->graph, &op_update_rows, 3, in, NULL, GAN_F32, table->rank, table->shape);
}

gan_node *gan_one_hot(gan_node *indices, int64_t classes) {
  gan_node *bad = node_bad("one_hot", GAN_I32, indices);
  if (bad) return bad;
  if (classes < 1) return graph_fail(indices->graph, GAN_ERROR_ARGUMENT, "one_hot: %lld classes", (long long)classes);
  if (indices->rank == GAN_MAX_RANK) return too_many_axes("one_hot", indices, indices->rank + 1);
  int64_t shape[GAN_MAX_RANK];
  for (int32_t d = 0; d < indices->rank; d++) shape[d] = indices->shape[d];
  shape[indices->rank] = classes;
  struct attributes attr = {.end = classes};
  return graph_node(indices->graph, &op_one_hot, 1, &indices, &attr, GAN_F32, indices->rank + 1, shape);
}

gan_node *gan_argmax(gan_node *x, int32_t axis) {
  gan_node *bad = node_bad("argmax", GAN_F32, x);
  if (bad) return bad;
  if (!axis_ok("argmax", x, &axis)) return &x->graph->error;
  int64_t shape[GAN_MAX_RANK];
  for (int32_t d = 0, to = 0; d < x->rank; d++) {
    if (d != axis) shape[to++] = x->shape[d];
  }
  return graph_node(x->graph, &op_argmax, 1, &x, &(struct attributes){.axis = axis}, GAN_I32, x->rank - 1, shape);
}

gan_node *gan_to_float(gan_node *indices) {
  gan_node *bad = node_bad("to_float", GAN_I32, indices);
  if (bad) return bad;
  return graph_node(indices->graph, &op_to_float, 1, &indices, NULL, GAN_F32, indices->rank, indices->shape);
}

gan_node *node_to_int(gan_node *x) {
  gan_node *bad = node_bad("to_int", GAN_F32, x);
  return bad ? bad : graph_node(x->graph, &op_to_int, 1, &x, NULL, GAN_I32, x->rank, x->shape);
}

/* ------------------------------------------------------------------------------------------------------------- gradients */

static void gather_gradient(gan_node *y, gan_node *dy, const uint8_t *wanted, gan_node **dx) {
  if (wanted[0]) dx[0] = node_scatter(dy, y->in[1], y->in[0]->shape[0]);
}

static void scatter_gradient(gan_node *y, gan_node *dy, const uint8_t *wanted, gan_node **dx) {
  if (wanted[0]) dx[0] = gan_gather(dy, y->in[1]);
}

static void update_rows_gradient(gan_node *y, gan_node *dy, const uint8_t *wanted, gan_node **dx) {
  const gan_node *values = y->in[2];
  if (wanted[0]) dx[0] = node_update_rows(dy, y->in[1], node_zeros(y->graph, values->rank, values->shape));
  if (wanted[2]) dx[2] = gan_gather(dy, y->in[1]);
}

/* ----------------------------------------------------------------------------------------------------------------- calls */

/* The places of c->u.n. */
enum { COUNT, ROWS, WIDTH, LENGTH, INNER };

/* Rows of `width` that make a chunk of the usual size. */
static int64_t rows_a_chunk(int64_t width) {
  return width < CHUNK_ELEMENTS ? CHUNK_ELEMENTS / width : 1;
}

static int64_t clamped(int32_t index, int64_t rows) {
  return index < 0 ? 0 : index >= rows ? rows - 1 : index;
}

static void run_gather(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  (void)e, (void)scratch;
  const int64_t *n = c->u.n;
  const float *table = c->in[0];
  const int32_t *index = c->in[1];
  float *out = c->out[0];
  int64_t first, last, width = n[WIDTH];
  chunk_range(chunk, rows_a_chunk(width), n[COUNT], &first, &last);
  for (int64_t i = first; i < last; i++) {
    memcpy(out + i * width, table + clamped(index[i], n[ROWS]) * width, (size_t)width * sizeof *out);
  }
}

static int32_t lower_gather(const gan_node *n, const struct kernels *k, int32_t use_blas, struct call *calls) {
  (void)k, (void)use_blas;
  int64_t rows = n->in[1]->count, width = n->count / rows;
  struct call *c = call_start(&calls[0], run_gather, chunks_of(rows, rows_a_chunk(width)), 2);
  c->u.n[COUNT] = rows;
  c->u.n[ROWS] = n->in[0]->shape[0];
  c->u.n[WIDTH] = width;
  return 1;
}

/* A chunk owns some columns of all rows: no two chunks add to one place, and the order of additions is that of the indices. */
enum { SCATTER_COLUMNS = 64 };

static void run_scatter(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  (void)scratch;
  const int64_t *n = c->u.n;
  const int32_t *index = c->in[1];
  int64_t first, last, width = n[WIDTH];
  chunk_range(chunk, SCATTER_COLUMNS, width, &first, &last);
  const float *values = (const float *)c->in[0] + first;
  float *out = (float *)c->out[0] + first;
  for (int64_t r = 0; r < n[ROWS]; r++) memset(out + r * width, 0, (size_t)(last - first) * sizeof *out);
  for (int64_t i = 0; i < n[COUNT]; i++) {
    float *row = out + clamped(index[i], n[ROWS]) * width;
    e->kernels->vec[VEC_ADD](row, row, values + i * width, NULL, last - first);
  }
}

static int32_t lower_scatter(const gan_node *n, const struct kernels *k, int32_t use_blas, struct call *calls) {
  (void)k, (void)use_blas;
  int64_t rows = n->attr.end, width = n->count / rows;
  struct call *c = call_start(&calls[0], run_scatter, chunks_of(width, SCATTER_COLUMNS), 2);
  c->u.n[COUNT] = n->in[1]->count;
  c->u.n[ROWS] = rows;
  c->u.n[WIDTH] = width;
  return 1;
}

/* Where the table itself is written, only the rows are touched. Chunks are of columns, as for scatter. */
static void run_update_rows(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  (void)e, (void)scratch;
  const int64_t *n = c->u.n;
  const int32_t *index = c->in[1];
  int64_t first, last, width = n[WIDTH];
  chunk_range(chunk, SCATTER_COLUMNS, width, &first, &last);
  const float *table = (const float *)c->in[0] + first, *values = (const float *)c->in[2] + first;
  float *out = (float *)c->out[0] + first;
  size_t bytes = (size_t)(last - first) * sizeof *out;
  for (int64_t r = 0; out != table && r < n[ROWS]; r++) memcpy(out + r * width, table + r * width, bytes);
  for (int64_t i = 0; i < n[COUNT]; i++) memcpy(out + clamped(index[i], n[ROWS]) * width, values + i * width, bytes);
}

static int32_t lower_update_rows(const gan_node *n, const struct kernels *k, int32_t use_blas, struct call *calls) {
  (void)k, (void)use_blas;
  int64_t rows = n->shape[0], width = n->count / rows;
  struct call *c = call_start(&calls[0], run_update_rows, chunks_of(width, SCATTER_COLUMNS), 3);
  c->u.n[COUNT] = n->in[1]->count;
  c->u.n[ROWS] = rows;
  c->u.n[WIDTH] = width;
  return 1;
}

static void run_one_hot(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  (void)e, (void)scratch;
  const int64_t *n = c->u.n;
  const int32_t *index = c->in[0];
  float *out = c->out[0];
  int64_t first, last, width = n[WIDTH];
  chunk_range(chunk, rows_a_chunk(width), n[COUNT], &first, &last);
  memset(out + first * width, 0, (size_t)((last - first) * width) * sizeof *out);
  for (int64_t i = first; i < last; i++) out[i * width + clamped(index[i], width)] = 1;
}

static int32_t lower_one_hot(const gan_node *n, const struct kernels *k, int32_t use_blas, struct call *calls) {
  (void)k, (void)use_blas;
  int64_t rows = n->in[0]->count;
  struct call *c = call_start(&calls[0], run_one_hot, chunks_of(rows, rows_a_chunk(n->attr.end)), 1);
  c->u.n[COUNT] = rows;
  c->u.n[WIDTH] = n->attr.end;
  return 1;
}

/* The first of the largest; a NaN is larger than any number, as in NumPy and PyTorch. */
static int32_t index_of_largest(const float *x, int64_t length, int64_t step) {
  int64_t best = 0;
  for (int64_t i = 1; i < length && !isnan(x[best * step]); i++) {
    if (!(x[i * step] <= x[best * step])) best = i;
  }
  return (int32_t)best;
}

static void run_argmax(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  (void)e, (void)scratch;
  const int64_t *n = c->u.n;
  const float *x = c->in[0];
  int32_t *out = c->out[0];
  int64_t first, last, inner = n[INNER];
  chunk_range(chunk, rows_a_chunk(n[LENGTH]), n[COUNT], &first, &last);
  for (int64_t i = first; i < last; i++) {
    out[i] = index_of_largest(x + i / inner * n[LENGTH] * inner + i % inner, n[LENGTH], inner);
  }
}

static int32_t lower_argmax(const gan_node *n, const struct kernels *k, int32_t use_blas, struct call *calls) {
  (void)k, (void)use_blas;
  const gan_node *x = n->in[0];
  int64_t length = x->shape[n->attr.axis];
  struct call *c = call_start(&calls[0], run_argmax, chunks_of(n->count, rows_a_chunk(length)), 1);
  c->u.n[COUNT] = n->count;
  c->u.n[LENGTH] = length;
  c->u.n[INNER] = 1;
  for (int32_t d = n->attr.axis + 1; d < x->rank; d++) c->u.n[INNER] *= x->shape[d];
  return 1;
}

static void run_to_float(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  (void)e, (void)scratch;
  const int32_t *in = c->in[0];
  float *out = c->out[0];
  int64_t first, last;
  chunk_range(chunk, CHUNK_ELEMENTS, c->u.n[COUNT], &first, &last);
  for (int64_t i = first; i < last; i++) out[i] = (float)in[i];
}

static int32_t lower_to_float(const gan_node *n, const struct kernels *k, int32_t use_blas, struct call *calls) {
  (void)k, (void)use_blas;
  call_start(&calls[0], run_to_float, chunks_of(n->count, CHUNK_ELEMENTS), 1)->u.n[COUNT] = n->count;
  return 1;
}

/* Numbers that no i32 holds, and NaN, become its ends. */
static int32_t nearest_int(float x) {
  float r = rintf(x);
  return r >= 2147483648.0f ? INT32_MAX : r >= -2147483648.0f ? (int32_t)r : INT32_MIN;
}

static void run_to_int(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  (void)e, (void)scratch;
  const float *in = c->in[0];
  int32_t *out = c->out[0];
  int64_t first, last;
  chunk_range(chunk, CHUNK_ELEMENTS, c->u.n[COUNT], &first, &last);
  for (int64_t i = first; i < last; i++) out[i] = nearest_int(in[i]);
}

static int32_t lower_to_int(const gan_node *n, const struct kernels *k, int32_t use_blas, struct call *calls) {
  (void)k, (void)use_blas;
  call_start(&calls[0], run_to_int, chunks_of(n->count, CHUNK_ELEMENTS), 1)->u.n[COUNT] = n->count;
  return 1;
}

const struct op op_gather = {"gather", 0, 2, -1, gather_gradient, lower_gather};
const struct op op_scatter = {"scatter", 0, 2, -1, scatter_gradient, lower_scatter};
const struct op op_update_rows = {"update_rows", OP_OVER, 3, -1, update_rows_gradient, lower_update_rows};
const struct op op_one_hot = {"one_hot", OP_FLAT, 1, -1, NULL, lower_one_hot};
const struct op op_argmax = {"argmax", OP_FLAT, 1, -1, NULL, lower_argmax};
const struct op op_to_float = {"to_float", OP_FLAT, 1, -1, NULL, lower_to_float};
const struct op op_to_int = {"to_int", OP_FLAT, 1, -1, NULL, lower_to_int};
