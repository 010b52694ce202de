/* Products, of matrices and of images with kernels, with what follows them: a bias along the last axis and an activation are done
 * while a tile is still in registers. In a frozen plan the second operand is packed once.
 */
#include "plan/build.h"

#include <stddef.h>
#include <string.h>

/* ------------------------------------------------------------------ what can follow */

/* The only value that reads v, in the same stage and element by element; NULL if there are others, or it must be stored. */
static struct value *only_reader(const struct plan *p, const struct value *v) {
  const struct reader *r = v->readers;
  if (v->wanted || !r || r->next || !value_has(r->value, OP_ELEMENTWISE) || r->value->stage != v->stage) return NULL;
  for (int32_t i = 0; i < r->value->node.n_in; i++) {
    struct operand o = value_operand(p, r->value, i);
    if (o.base == v && !operand_is_dense(&o, r->value)) return NULL;
  }
  return r->value;
}

/* The same number for all elements of a column of n. */
static int32_t is_per_column(const struct operand *o, const struct value *reader, int64_t n) {
  int32_t last = reader->node.rank - 1;
  while (last >= 0 && reader->node.shape[last] == 1) last--;
  if (n > 1 && (last < 0 || reader->node.shape[last] != n || o->stride[last] != 1)) return 0;
  for (int32_t d = 0; d < (n > 1 ? last : reader->node.rank); d++)
    if (o->stride[d] != 0 && reader->node.shape[d] != 1) return 0;
  return 1;
}

static int64_t columns(const struct value *product) {
  return product->node.shape[product->node.rank - 1];
}

/* Which operand of a sum of v and something is a bias; -1: none. */
static int32_t bias_of(const struct plan *p, const struct value *sum, const struct value *v) {
  if (!sum || sum->node.op != &op_add) return -1;
  for (int32_t i = 0; i < 2; i++) {
    struct operand bias = value_operand(p, sum, i), other = value_operand(p, sum, 1 - i);
    if (other.base == v && bias.base != v && bias.base->node.op != &op_constant && is_per_column(&bias, sum, columns(v))) return i;
  }
  return -1;
}

static int32_t constant_operand(const struct plan *p, const struct value *v, int32_t i, double *value) {
  struct operand o = value_operand(p, v, i);
  *value = o.base->node.attr.x;
  return o.base->node.op == &op_constant;
}

/* maximum(0, x) */
static int32_t is_relu(const struct plan *p, const struct value *v) {
  double zero;
  if (v->node.op != &op_maximum) return 0;
  return (constant_operand(p, v, 0, &zero) && zero == 0) || (constant_operand(p, v, 1, &zero) && zero == 0);
}

/* mul(slope, x) with 0 < slope < 1 */
static int32_t is_sloped(const struct plan *p, const struct value *v, float *slope) {
  double number;
  if (v->node.op != &op_mul || (!constant_operand(p, v, 0, &number) && !constant_operand(p, v, 1, &number))) return 0;
  *slope = (float)number;
  return number > 0 && number < 1;
}

/* maximum(slope x, x): x is read by the two of them alone. */
static struct value *leaky_of(const struct plan *p, const struct value *x, struct value **sloped, float *slope) {
  const struct reader *r = x->readers;
  if (x->wanted || !r || !r->next || r->next->next) return NULL;
  struct value *a = r->value, *b = r->next->value, *mul = a->node.op == &op_mul ? a : b, *max = mul == a ? b : a;
  if (max->node.op != &op_maximum || max->stage != x->stage || !is_sloped(p, mul, slope) || only_reader(p, mul) != max) return NULL;
  for (int32_t i = 0; i < 2; i++) {
    struct operand o = value_operand(p, max, i);
    if (!operand_is_dense(&o, max) || (o.base != x && o.base != mul)) return NULL;
  }
  *sloped = mul;
  return max;
}

/* ------------------------------------------------------------------ making the unit */

static gan_status add_activation(struct plan *p, struct unit *u, struct value *x) {
  struct value *y = only_reader(p, x), *sloped;
  float slope;
  if (y && (is_relu(p, y) || y->node.op == &op_tanh || y->node.op == &op_sigmoid)) return unit_add_member(p, u, y);
  y = leaky_of(p, x, &sloped, &slope);
  if (!y) return GAN_OK;
  TRY(unit_add_member(p, u, sloped));
  return unit_add_member(p, u, y);
}

static int32_t is_convolution(const struct value *v) {
  return v->node.op == &op_conv || v->node.op == &op_conv_input;
}

gan_status plan_make_products(struct plan *p) {
  for (int64_t i = 0; i < p->n_values; i++) {
    struct value *v = p->values[i];
    if (v->node.op != &op_matmul && !is_convolution(v)) continue;
    struct unit *u = plan_unit_new(p, UNIT_PRODUCT, v->stage);
    if (!u) return GAN_ERROR_MEMORY;
    TRY(unit_add_member(p, u, v));
    struct value *sum = only_reader(p, v);
    if (sum && !sum->unit && bias_of(p, sum, v) >= 0) TRY(unit_add_member(p, u, sum)); /* of two products, one takes the sum */
    TRY(add_activation(p, u, u->members[u->n_members - 1]));
  }
  return GAN_OK;
}

/* ------------------------------------------------------------------ lowering */

static gan_status read_buffer(struct plan *p, struct unit *u, struct value *v) {
  TRY(value_need_buffer(p, v));
  u->in[u->n_in++] = v->buffer;
  return GAN_OK;
}

/* What is done to a product before it is stored. */
struct finish { int32_t act, has_bias; float slope; };

static struct finish activation_of(const struct plan *p, const struct unit *u) {
  struct finish f = {.act = GEMM_LINEAR};
  const struct value *y = u->members[u->n_members - 1];
  if (y->node.op == &op_tanh) f.act = GEMM_TANH;
  if (y->node.op == &op_sigmoid) f.act = GEMM_SIGMOID;
  if (y->node.op != &op_maximum) return f;
  f.act = GEMM_LEAKY;
  if (!is_sloped(p, u->members[u->n_members - 2], &f.slope)) f.slope = 0;
  return f;
}

static gan_status read_bias(struct plan *p, struct unit *u, struct finish *f) {
  int32_t i = u->n_members > 1 ? bias_of(p, u->members[1], u->members[0]) : -1;
  if (i < 0) return GAN_OK;
  f->has_bias = 1;
  return read_buffer(p, u, value_operand(p, u->members[1], i).base);
}

static void run_pack_matrix(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  (void)chunk, (void)scratch;
  const struct gemm_shape *s = &c->u.gemm;
  gemm_pack(e->kernels, c->in[0], s->ldb, s->tb, s->n, s->k, c->out[0]);
}

static void run_pack_kernel(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  (void)chunk, (void)scratch;
  conv_pack(e->kernels, &c->u.conv.shape, c->in[0], c->out[0]);
}

/* A call that packs the second operand of a product, and the bytes of the result. */
static struct call packing_matrix(const struct plan *p, const struct gemm_shape *s, size_t *bytes) {
  struct call c = {.run = run_pack_matrix, .chunks = 1, .n_in = 1, .n_out = 1};
  c.u.gemm = *s;
  *bytes = gemm_packed_bytes(p->kernels, s->n, s->k);
  return c;
}

static struct call packing_kernel(const struct plan *p, const struct conv_shape *s, size_t *bytes) {
  struct call c = {.run = run_pack_kernel, .chunks = 1, .n_in = 1, .n_out = 1};
  c.u.conv.shape = *s;
  *bytes = conv_packed_bytes(p->kernels, s);
  return c;
}

static int32_t same_matrix(const struct gemm_shape *s, const struct gemm_shape *t) {
  return t->n == s->n && t->k == s->k && t->ldb == s->ldb && t->tb == s->tb;
}

static int32_t same_kernel(const struct conv_shape *s, const struct conv_shape *t) {
  return !memcmp(s, t, offsetof(struct conv_shape, act)); /* sizes, windows, and which product it is */
}

static int32_t packs_the_same(const struct unit *u, const struct buffer *b, const struct call *c) {
  if (u->kind != UNIT_PACK || u->in[0] != b || u->calls[0].run != c->run) return 0;
  if (c->run == run_pack_matrix) return same_matrix(&u->calls[0].u.gemm, &c->u.gemm);
  return same_kernel(&u->calls[0].u.conv.shape, &c->u.conv.shape);
}

/* The second operand as the kernel likes it best: packed in the prologue if it never changes. Packed products have the same bits
 * for a row, or an image, whatever the number of them, so a frozen plan packs also what does change. */
static gan_status pack_operand(struct plan *p, struct unit *user, const struct value *b, const struct call *pack, size_t bytes) {
  struct buffer *from = user->in[1];
  for (const struct unit *u = p->units; u; u = u->next)
    if (packs_the_same(u, from, pack) && (u->stage == PROLOGUE || u->stage == user->stage)) {
      user->in[1] = u->out[0];
      return GAN_OK;
    }
  int32_t stage = b->fixed ? PROLOGUE : user->stage;
  struct unit *u = plan_unit_new(p, UNIT_PACK, stage);
  struct buffer *to = plan_buffer_new(p, stage == PROLOGUE ? REGION_KEPT : REGION_ARENA, (int64_t)bytes);
  if (!u || !to || !(u->calls = plan_alloc(p, 1, sizeof *u->calls))) return GAN_ERROR_MEMORY;
  u->n_calls = u->n_in = u->n_out = 1;
  u->in[0] = from;
  u->out[0] = user->in[1] = to;
  to->writer = u;
  u->calls[0] = *pack;
  return GAN_OK;
}

static gan_status finish_matrix(struct plan *p, struct unit *u, const struct value *b, const struct finish *f) {
  struct gemm_shape *s = &u->calls[0].u.product.shape;
  s->act = f->act;
  s->has_bias = f->has_bias;
  s->slope = f->slope;
  if (p->frozen && u->calls[0].u.product.rank == 0) {
    size_t bytes;
    struct call pack = packing_matrix(p, s, &bytes);
    TRY(pack_operand(p, u, b, &pack, bytes));
    s->packed = 1;
  }
  matmul_cut(&u->calls[0], p->kernels);
  u->calls[0].n_in = u->n_in;
  return GAN_OK;
}

static gan_status finish_convolution(struct plan *p, struct unit *u, const struct value *b, const struct finish *f) {
  struct conv_shape *s = &u->calls[0].u.conv.shape;
  s->act = f->act;
  s->has_bias = f->has_bias;
  s->slope = f->slope;
  if (p->frozen) {
    size_t bytes;
    struct call pack = packing_kernel(p, s, &bytes);
    TRY(pack_operand(p, u, b, &pack, bytes));
    s->packed = 1;
  }
  u->n_calls = conv_cut(u->calls, p->kernels);
  return unit_share_workspace(p, u);
}

gan_status unit_lower_product(struct plan *p, struct unit *u) {
  const struct value *v = u->members[0];
  struct value *a = value_dense(value_in(v, 0)), *b = value_dense(value_in(v, 1)), *y = u->members[u->n_members - 1];
  if (!(u->calls = plan_alloc(p, CALLS_MAX, sizeof *u->calls))) return GAN_ERROR_MEMORY;
  u->n_calls = v->node.op->lower(&v->node, p->kernels, p->use_blas, u->calls);
  struct finish f = activation_of(p, u);
  TRY(read_buffer(p, u, a));
  TRY(read_buffer(p, u, b));
  TRY(read_bias(p, u, &f));
  TRY((is_convolution(v) ? finish_convolution : finish_matrix)(p, u, b, &f));
  TRY(value_need_buffer(p, y));
  u->out[u->n_out++] = y->buffer;
  return GAN_OK;
}
