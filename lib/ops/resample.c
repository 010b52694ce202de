/* Weighted sums of rows along one axis, by a table of constants. The gradient is the same by the transposed table. */
#include "ops/resample.h"

#include <string.h>
#include "ops/lower.h"

/* ---------------------------------------------------------------------------------------------------------------- tables */

enum { TABLE_MAX = 1 << 24 };

struct resample_table *resample_table_new(gan_graph *g, int64_t rows, int64_t columns, int64_t terms) {
  if (rows > TABLE_MAX || columns > TABLE_MAX || terms < 0 || terms > TABLE_MAX) {
    graph_fail(g, GAN_ERROR_MEMORY, "resample: %lld pixels from %lld by %lld terms are too many along one axis; the most is %d",
               (long long)rows, (long long)columns, (long long)terms, TABLE_MAX);
    return NULL;
  }
  size_t room = (size_t)terms + 1;
  struct resample_table *t = graph_alloc(g, sizeof *t);
  if (!t) return NULL;
  t->rows = rows;
  t->columns = columns;
  t->first = graph_alloc(g, (size_t)(rows + 1) * sizeof *t->first);
  t->row = graph_alloc(g, room * sizeof *t->row);
  t->weight = graph_alloc(g, room * sizeof *t->weight);
  t->narrow = graph_alloc(g, room * sizeof *t->narrow);
  return t->first && t->row && t->weight && t->narrow ? t : NULL;
}

void resample_add(struct resample_table *t, int64_t row, double weight) {
  if (!t) return;
  int64_t term = t->first[t->filled + 1]++;
  t->row[term] = row;
  t->weight[term] = weight;
  t->narrow[term] = (float)weight;
}

void resample_end_row(struct resample_table *t) {
  if (!t) return;
  t->filled++;
  if (t->filled < t->rows) t->first[t->filled + 1] = t->first[t->filled];
}

/* Terms by the row that they read, in the order of the rows that they go to. */
static struct resample_table *make_transposed(gan_graph *g, struct resample_table *t) {
  int64_t terms = t->first[t->rows];
  struct resample_table *back = resample_table_new(g, t->columns, t->rows, terms);
  if (!back) return NULL;
  int64_t *at = back->first + 1; /* where the next term of a row goes; in the end, where the next row starts */
  for (int64_t i = 0; i < terms; i++) at[t->row[i]]++;
  for (int64_t i = 1; i < back->rows; i++) at[i] += at[i - 1];
  for (int64_t i = back->rows - 1; i > 0; i--) at[i] = at[i - 1];
  at[0] = 0;
  for (int64_t i = 0; i < t->rows; i++) {
    for (int64_t term = t->first[i]; term < t->first[i + 1]; term++) {
      int64_t to = at[t->row[term]]++;
      back->row[to] = i;
      back->weight[to] = t->weight[term];
      back->narrow[to] = t->narrow[term];
    }
  }
  back->filled = back->rows;
  back->transposed = t;
  return back;
}

static int32_t changes_nothing(const struct resample_table *t) {
  if (t->rows != t->columns || t->first[t->rows] != t->rows) return 0;
  for (int64_t i = 0; i < t->rows; i++)
    if (t->first[i] != i || t->row[i] != i || t->weight[i] != 1) return 0;
  return 1;
}

/* ----------------------------------------------------------------------------------------------------------------- nodes */

gan_node *node_resample(gan_node *x, int32_t axis, struct resample_table *t) {
  gan_node *bad = node_bad("resample", GAN_F32, x);
  if (bad) return bad;
  if (!t) return &x->graph->error;
  if (changes_nothing(t)) return x;
  int64_t shape[GAN_MAX_RANK];
  memcpy(shape, x->shape, sizeof shape);
  shape[axis] = t->rows;
  return graph_node(x->graph, &op_resample, 1, &x, &(struct attributes){.axis = axis, .data = t}, GAN_F32, x->rank, shape);
}

static void resample_gradient(gan_node *y, gan_node *dy, const uint8_t *wanted, gan_node **dx) {
  (void)wanted;
  struct resample_table *t = (struct resample_table *)y->attr.data;
  if (!t->transposed) t->transposed = make_transposed(y->graph, t);
  dx[0] = node_resample(dy, y->attr.axis, t->transposed);
}

/* ----------------------------------------------------------------------------------------------------------------- calls */

static int64_t rows_a_chunk(int64_t inner) { return inner < CHUNK_ELEMENTS ? CHUNK_ELEMENTS / inner : 1; }

static void run_resample(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  (void)scratch;
  const struct resample_table *t = c->u.resample.table;
  const float *x = c->in[0];
  float *out = c->out[0];
  int64_t inner = c->u.resample.inner, first, last;
  chunk_range(chunk, rows_a_chunk(inner), c->u.resample.rows, &first, &last);
  for (int64_t i = first; i < last; i++) {
    int64_t begin = t->first[i % t->rows], terms = t->first[i % t->rows + 1] - begin;
    e->kernels->mix_rows(out + i * inner, x + i / t->rows * t->columns * inner, inner, terms, t->row + begin, t->narrow + begin);
  }
}

static int32_t lower_resample(const gan_node *n, const struct kernels *k, int32_t use_blas, struct call *calls) {
  (void)k, (void)use_blas;
  int64_t inner = 1;
  for (int32_t d = n->attr.axis + 1; d < n->rank; d++) inner *= n->shape[d];
  struct call *c = call_start(&calls[0], run_resample, chunks_of(n->count / inner, rows_a_chunk(inner)), 1);
  c->u.resample.table = n->attr.data;
  c->u.resample.inner = inner;
  c->u.resample.rows = n->count / inner;
  return 1;
}

const struct op op_resample = {"resample", 0, 1, -1, resample_gradient, lower_resample};
