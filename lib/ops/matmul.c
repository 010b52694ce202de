/* Products of the last two axes, the leading ones broadcast. */
#include "ops/build.h"

#include <string.h>
#include "ops/lower.h"

/* ----------------------------------------------------------------------------------------------------------------- nodes */

/* (rows, columns) of a matrix as the product sees it. */
static int64_t rows_of(const gan_node *n, int32_t transposed) {
  return n->shape[n->rank - (transposed ? 1 : 2)];
}

static int64_t columns_of(const gan_node *n, int32_t transposed) {
  return n->shape[n->rank - (transposed ? 2 : 1)];
}

/* Shape of the product, or 0 if the operands do not fit. */
static int32_t product_shape(gan_node *a, gan_node *b, int32_t ta, int32_t tb, int32_t *rank, int64_t shape[GAN_MAX_RANK]) {
  if (a->rank < 2 || b->rank < 2 || columns_of(a, ta) != rows_of(b, tb)) return 0;
  gan_node leading_a = *a, leading_b = *b;
  leading_a.rank -= 2;
  leading_b.rank -= 2;
  if (!shapes_broadcast(2, (gan_node *[]){&leading_a, &leading_b}, rank, shape)) return 0;
  shape[(*rank)++] = rows_of(a, ta);
  shape[(*rank)++] = columns_of(b, tb);
  return 1;
}

static gan_node *no_product(gan_node *a, gan_node *b, int32_t ta, int32_t tb) {
  char first[SHAPE_TEXT], second[SHAPE_TEXT];
  return graph_fail(a->graph, GAN_ERROR_SHAPE, "matmul: %s%s by %s%s: expected (.., m, k) by (.., k, n), leading axes equal or 1",
                    node_text(a, first), ta ? " transposed" : "", node_text(b, second), tb ? " transposed" : "");
}

/* Many matrices by one are one taller matrix by it. */
static gan_node *stacked(gan_node *a, gan_node *b, int32_t tb, int32_t rank, const int64_t *shape) {
  int64_t k = a->shape[a->rank - 1];
  gan_node *tall = gan_reshape(a, 2, (int64_t[]){a->count / k, k});
  return gan_reshape(gan_matmul(tall, b, 0, tb), rank, shape);
}

gan_node *gan_matmul(gan_node *a, gan_node *b, int32_t transpose_a, int32_t transpose_b) {
  gan_node *in[2] = {a, b}, *bad = nodes_bad("matmul", GAN_F32, 2, in);
  if (bad) return bad;
  int32_t rank, ta = transpose_a != 0, tb = transpose_b != 0;
  int64_t shape[GAN_MAX_RANK];
  if (!product_shape(a, b, ta, tb, &rank, shape)) return no_product(a, b, ta, tb);
  if (a->rank > 2 && b->rank == 2 && !ta) return stacked(a, b, tb, rank, shape);
  struct attributes attr = {.transpose_a = ta, .transpose_b = tb};
  return graph_node(a->graph, &op_matmul, 2, in, &attr, GAN_F32, rank, shape);
}

/* With Y = A B: dA = dY B', dB = A' dY; each operand that is stored transposed has its gradient transposed. */
static void matmul_gradient(gan_node *y, gan_node *dy, const uint8_t *wanted, gan_node **dx) {
  gan_node *a = y->in[0], *b = y->in[1];
  int32_t ta = y->attr.transpose_a, tb = y->attr.transpose_b;
  if (wanted[0]) {
    gan_node *da = ta ? gan_matmul(b, dy, tb, 1) : gan_matmul(dy, b, 0, !tb);
    dx[0] = node_sum_to(da, a->rank, a->shape);
  }
  if (wanted[1]) {
    gan_node *db = tb ? gan_matmul(dy, a, 1, ta) : gan_matmul(a, dy, !ta, 0);
    dx[1] = node_sum_to(db, b->rank, b->shape);
  }
}

/* ----------------------------------------------------------------------------------------------------------------- calls */

struct operands { const float *a, *b, *bias; float *c; };

/* Operands of product number p of a batch. */
static struct operands operands_of(const struct call *c, int64_t p) {
  const struct gemm_shape *s = &c->u.product.shape;
  int64_t at_a = 0, at_b = 0, rest = p;
  for (int32_t d = c->u.product.rank; d-- > 0; rest /= c->u.product.size[d]) {
    int64_t index = rest % c->u.product.size[d];
    at_a += index * c->u.product.a[d];
    at_b += index * c->u.product.b[d];
  }
  return (struct operands){(const float *)c->in[0] + at_a, (const float *)c->in[1] + at_b, s->has_bias ? c->in[2] : NULL,
                           (float *)c->out[0] + p * s->m * s->ldc};
}

static void run_built_in(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  int64_t pieces = c->u.product.pieces;
  struct operands o = operands_of(c, chunk / pieces);
  gemm_run(e->kernels, &c->u.product.shape, o.a, o.b, o.bias, o.c, chunk % pieces, scratch);
}

/* BLAS gets rows, or columns where there are more of them, in pieces worth a call; how many depends on the shape alone. */
enum { PIECE_FLOPS = 1 << 24, PIECES_MAX = 64, PIECE_ALIGN = 16 };

static int64_t piece_size(const struct gemm_shape *s) {
  int64_t across = s->m >= s->n ? s->m : s->n;
  double flops = 2.0 * (double)s->m * (double)s->n * (double)s->k;
  int64_t pieces = flops / PIECE_FLOPS > PIECES_MAX ? PIECES_MAX : (int64_t)(flops / PIECE_FLOPS);
  if (pieces <= 1) return across;
  return chunks_of(chunks_of(across, pieces), PIECE_ALIGN) * PIECE_ALIGN;
}

static int64_t piece_count(const struct gemm_shape *s) {
  return chunks_of(s->m >= s->n ? s->m : s->n, piece_size(s));
}

/* Bias and activation of a row that BLAS has computed. */
static void finish_row(const struct kernels *k, const struct gemm_shape *s, float *row, const float *bias) {
  if (bias) k->vec[VEC_ADD](row, row, bias, NULL, s->n);
  if (s->act == GEMM_TANH) k->vec[VEC_TANH](row, row, NULL, NULL, s->n);
  if (s->act == GEMM_SIGMOID) k->vec[VEC_SIGMOID](row, row, NULL, NULL, s->n);
  if (s->act != GEMM_LEAKY) return;
  for (int64_t j = 0; j < s->n; j++) {
    float slanted = s->slope * row[j];
    row[j] = row[j] < slanted ? slanted : row[j]; /* a NaN stays */
  }
}

static void run_blas(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  (void)scratch;
  int64_t pieces = c->u.product.pieces, first, last;
  struct operands o = operands_of(c, chunk / pieces);
  struct gemm_shape s = c->u.product.shape;
  chunk_range(chunk % pieces, piece_size(&s), s.m >= s.n ? s.m : s.n, &first, &last);
  if (s.m >= s.n) {
    o.a += first * (s.ta ? 1 : s.lda);
    o.c += first * s.ldc;
    s.m = last - first;
  } else {
    o.b += first * (s.tb ? s.ldb : 1);
    o.c += first;
    o.bias = o.bias ? o.bias + first : NULL;
    s.n = last - first;
  }
  blas_sgemm(&s, o.a, o.b, o.c);
  if (!o.bias && s.act == GEMM_LINEAR) return;
  for (int64_t i = 0; i < s.m; i++) finish_row(e->kernels, &s, o.c + i * s.ldc, o.bias);
}

void matmul_cut(struct call *c, const struct kernels *k) {
  const struct gemm_shape *s = &c->u.product.shape;
  int64_t products = 1;
  for (int32_t d = 0; d < c->u.product.rank; d++) products *= c->u.product.size[d];
  int32_t blas = c->run == run_blas && !s->packed;
  c->run = blas ? run_blas : run_built_in;
  c->u.product.pieces = blas ? piece_count(s) : gemm_chunks(k, s);
  c->chunks = products * c->u.product.pieces;
  c->scratch = blas ? 0 : gemm_scratch(k, s);
  c->flops = 2 * products * s->m * s->n * s->k;
}

/* Steps through an operand along the leading axes of the product. */
static void leading_strides(const gan_node *x, int32_t rank, int64_t *stride) {
  int64_t step = x->shape[x->rank - 2] * x->shape[x->rank - 1];
  for (int32_t d = rank, from = x->rank - 2; d-- > 0;) {
    int64_t size = --from >= 0 ? x->shape[from] : 1;
    stride[d] = size > 1 ? step : 0;
    step *= size;
  }
}

static int32_t lower_matmul(const gan_node *n, const struct kernels *k, int32_t use_blas, struct call *calls) {
  const gan_node *a = n->in[0], *b = n->in[1];
  struct gemm_shape s = {
    .m = n->shape[n->rank - 2], .n = n->shape[n->rank - 1], .k = columns_of(a, n->attr.transpose_a),
    .lda = a->shape[a->rank - 1], .ldb = b->shape[b->rank - 1], .ldc = n->shape[n->rank - 1],
    .ta = n->attr.transpose_a, .tb = n->attr.transpose_b,
  };
  int32_t blas = use_blas && blas_available() && (use_blas == BLAS_ALWAYS || gemm_prefers_blas(k, &s));
  struct call *c = call_start(&calls[0], blas ? run_blas : run_built_in, 1, 2);
  c->u.product.shape = s;
  c->u.product.rank = n->rank - 2;
  memcpy(c->u.product.size, n->shape, (size_t)(n->rank - 2) * sizeof *n->shape);
  leading_strides(a, n->rank - 2, c->u.product.a);
  leading_strides(b, n->rank - 2, c->u.product.b);
  matmul_cut(c, k);
  return 1;
}

const struct op op_matmul = {"matmul", 0, 2, -1, matmul_gradient, lower_matmul};
