/* Algebra on the plan's copy of the nodes.
 *
 * Derivatives of activations ask on which side of 0 their input lies. Their output knows that too, and it is kept anyway for the
 * next product; so it is asked instead, and the input need not outlive the product that made it.
 */
#include "plan/build.h"

#include "base/tensor.h"

/* ------------------------------------------------------------------ looking */

/* The number behind v, whatever its shape; NULL if there is none. */
static struct value *constant_of(struct value *v) {
  while (v->node.op == &op_broadcast || v->node.op == &op_reshape) v = value_in(v, 0);
  return v->node.op == &op_constant ? v : NULL;
}

static int32_t constant_value(struct value *v, double *value) {
  struct value *c = constant_of(v);
  *value = c ? c->node.attr.x : 0;
  return c != NULL;
}

static int32_t is_number(struct value *v, double number) {
  double value;
  return constant_value(v, &value) && value == number;
}

static int32_t same_shape(const gan_node *a, const gan_node *b) {
  return shape_equal(a->rank, a->shape, b->rank, b->shape);
}

/* v is slope x with a constant 0 < slope < 1. */
static int32_t is_sloped(const struct value *v, const struct value *x) {
  double slope;
  if (v->node.op != &op_mul) return 0;
  for (int32_t i = 0; i < 2; i++)
    if (value_in(v, i) == x && constant_value(value_in(v, 1 - i), &slope) && slope > 0 && slope < 1) return 1;
  return 0;
}

/* ------------------------------------------------------------------ changing */

static struct value *make(struct plan *p, const struct op *op, const struct value *like, int32_t n_in, struct value *const *in) {
  gan_node n = like->node;
  n.op = op;
  n.n_in = n_in;
  n.attr = (struct attributes){0};
  struct value *v = plan_value_new(p, &n);
  if (!v) return NULL;
  v->stage = like->stage;
  v->fixed = like->fixed;
  for (int32_t i = 0; i < n_in; i++) v->node.in[i] = &in[i]->node;
  return v;
}

static struct value *make_number(struct plan *p, double number) {
  gan_node n = {.graph = p->graph, .op = &op_constant, .count = 1, .attr.x = number};
  struct value *v = plan_value_new(p, &n);
  if (v) v->fixed = 1;
  return v;
}

/* v becomes another op of the same shape. */
static gan_status become(struct plan *p, struct value *v, const struct op *op, struct value *const *in) {
  if (op->n_in > v->node.n_in && !(v->node.in = plan_alloc(p, op->n_in, sizeof *v->node.in))) return GAN_ERROR_MEMORY;
  v->node.op = op;
  v->node.n_in = op->n_in;
  v->node.attr = (struct attributes){0};
  for (int32_t i = 0; i < op->n_in; i++) v->node.in[i] = &in[i]->node;
  return GAN_OK;
}

/* ------------------------------------------------------------------ signs of activations */

/* y = maximum(0, x) or maximum(slope x, x): x knows what became of it. */
static void note_activation(struct value *y) {
  if (y->node.op != &op_maximum) return;
  for (int32_t i = 0; i < 2; i++) {
    struct value *x = value_in(y, i), *other = value_in(y, 1 - i);
    if ((is_number(other, 0) || is_sloped(other, x)) && same_shape(&x->node, &y->node)) x->activated = y;
  }
}

static struct value *activated(const struct value *x, const struct value *reader) {
  struct value *y = x->activated;
  return y && y->stage <= reader->stage && y != reader ? y : NULL;
}

/* 0 >= x and x > 0 hold for x as for max(0, x) and max(slope x, x); slope x >= x is 0 >= x. */
static gan_status ask_the_output(struct plan *p, struct value *v) {
  struct value *a = value_in(v, 0), *b = value_in(v, 1);
  if (v->node.op == &op_greater && is_number(b, 0) && activated(a, v)) v->node.in[0] = &activated(a, v)->node;
  if (v->node.op != &op_greater_equal) return GAN_OK;
  if (is_sloped(a, b)) {
    struct value *zero = make_number(p, 0);
    if (!zero) return GAN_ERROR_MEMORY;
    v->node.in[0] = &zero->node;
    a = zero;
  }
  if (is_number(a, 0) && activated(b, v)) v->node.in[1] = &activated(b, v)->node;
  return GAN_OK;
}

/* ------------------------------------------------------------------ two halves of a choice */

/* v is select(condition, x, 0), as it is or times a constant. */
static struct value *first_half(struct value *v, struct value **factor) {
  double number;
  *factor = NULL;
  for (int32_t i = 0; v->node.op == &op_mul && i < 2; i++)
    if (constant_value(value_in(v, i), &number) && !*factor) {
      *factor = constant_of(value_in(v, i));
      v = value_in(v, 1 - i);
    }
  return v->node.op == &op_select && is_number(value_in(v, 2), 0) ? v : NULL;
}

/* f select(c, a, 0) + select(c, 0, b) is select(c, f a, b): the gradient of a leaky ReLU. */
static gan_status join_halves(struct plan *p, struct value *v) {
  for (int32_t i = 0; v->node.op == &op_add && i < 2; i++) {
    struct value *factor, *first = first_half(value_in(v, i), &factor), *second = value_in(v, 1 - i);
    if (!first || second->node.op != &op_select || !is_number(value_in(second, 1), 0)) continue;
    struct value *c = value_in(first, 0), *a = value_in(first, 1), *b = value_in(second, 2);
    if (c != value_in(second, 0) || a->node.count != v->node.count || b->node.count != v->node.count) continue;
    if (factor) a = make(p, &op_mul, a, 2, (struct value *[]){a, factor});
    if (!a) return GAN_ERROR_MEMORY;
    if (factor) a->stage = v->stage, a->fixed = v->fixed;
    return become(p, v, &op_select, (struct value *[]){c, a, b});
  }
  return GAN_OK;
}

/* ------------------------------------------------------------------ transposed operands of products */

static int32_t swaps_last_two(const struct value *v) {
  int32_t rank = v->node.rank;
  if (v->node.op != &op_transpose || rank < 2) return 0;
  for (int32_t d = 0; d < rank; d++)
    if (v->node.attr.order[d] != (d < rank - 2 ? d : d == rank - 2 ? rank - 1 : rank - 2)) return 0;
  return 1;
}

static void read_transposed(struct value *v) {
  if (v->node.op != &op_matmul) return;
  for (int32_t i = 0; i < 2; i++) {
    if (!swaps_last_two(value_in(v, i))) continue;
    int32_t *flag = i ? &v->node.attr.transpose_b : &v->node.attr.transpose_a;
    *flag = !*flag;
    v->node.in[i] = value_in(v, i)->node.in[0];
  }
}

/* ------------------------------------------------------------------ frozen: what follows a product into its weight
 *
 * y = x W' with columns scaled and shifted by fixed numbers, as batch norm does in evaluation, is x (s W)' + t. Both s W and t
 * are computed once.
 */

struct uses { int32_t count; struct value *reader; };

static struct uses *count_uses(struct plan *p) {
  struct uses *uses = plan_alloc(p, p->n_values, sizeof *uses);
  if (!uses) return NULL;
  for (struct want *w = p->wants; w; w = w->next) uses[w->value->node.id].count += 2; /* never the only reader */
  for (int64_t i = 0; i < p->n_values; i++)
    for (int32_t j = 0; j < p->values[i]->node.n_in; j++) {
      struct uses *u = &uses[p->values[i]->node.in[j]->id];
      u->count++;
      u->reader = p->values[i];
    }
  return uses;
}

/* Elementwise on fixed values, each a number or one number a column; b may be NULL. */
static struct value *fixed(struct plan *p, const struct op *op, struct value *a, struct value *b) {
  gan_node shaped = a->node;
  if (b && b->node.rank > shaped.rank) shaped = b->node;
  if (b && b->node.count > shaped.count) shaped.count = b->node.count;
  if (a->node.count > shaped.count) shaped.count = a->node.count;
  if (shaped.rank > 0) shaped.shape[shaped.rank - 1] = shaped.count;
  struct value like = {.node = shaped, .stage = PROLOGUE, .fixed = 1};
  return make(p, op, &like, b ? 2 : 1, (struct value *[]){a, b});
}

struct affine { struct value *scale, *shift; };

/* The number c is the same for all elements of a column, and fixed. */
static int32_t is_fixed_per_column(const struct value *c, const struct value *y) {
  int64_t n = y->node.shape[1];
  return c->fixed && c->node.rank <= 2 && (c->node.count == 1 || (c->node.count == n && c->node.shape[c->node.rank - 1] == n));
}

static gan_status times(struct plan *p, struct value **x, const struct op *op, struct value *c) {
  *x = *x ? fixed(p, op, *x, c) : op == &op_div ? fixed(p, &op_reciprocal, c, NULL) : c;
  return *x ? GAN_OK : GAN_ERROR_MEMORY;
}

static gan_status plus(struct plan *p, struct value **x, const struct op *op, struct value *c) {
  *x = *x ? fixed(p, op, *x, c) : op == &op_sub ? fixed(p, &op_neg, c, NULL) : c;
  return *x ? GAN_OK : GAN_ERROR_MEMORY;
}

/* Takes y = op(x, c) or op(c, x) into the affine function; *taken says whether it is one. */
static gan_status take_in(struct plan *p, struct affine *f, const struct value *y, const struct value *x, int32_t *taken) {
  const struct op *op = y->node.op;
  *taken = 0;
  if (y->node.n_in != 2 || y->node.in[0] == y->node.in[1] || !same_shape(&x->node, &y->node)) return GAN_OK;
  int32_t first = value_in(y, 0) == x;
  struct value *c = value_in(y, first);
  if (!is_fixed_per_column(c, y)) return GAN_OK;
  *taken = op == &op_add || op == &op_mul || (first && (op == &op_sub || op == &op_div));
  if (op == &op_add || (*taken && op == &op_sub)) return plus(p, &f->shift, op, c);
  if (!*taken) return GAN_OK;
  TRY(times(p, &f->scale, op, c));
  return f->shift ? times(p, &f->shift, op, c) : GAN_OK;
}

/* The scale as a factor of the weight: (n) or (1, n) stands over columns, (n, 1) over the rows of a transposed weight. */
static struct value *scaled_weight(struct plan *p, const struct value *product, struct value *scale) {
  struct value *weight = value_in(product, 1), *factor = scale;
  if (product->node.attr.transpose_b && scale->node.count > 1) {
    factor = fixed(p, &op_reshape, scale, NULL);
    if (!factor) return NULL;
    factor->node.rank = 2;
    factor->node.shape[0] = scale->node.count;
    factor->node.shape[1] = 1;
  }
  struct value *result = make(p, &op_mul, weight, 2, (struct value *[]){weight, factor});
  if (!result) return NULL;
  result->stage = PROLOGUE;
  return result;
}

/* y, the last of the row that starts with the product, becomes a product with the scaled weight, or that plus the shift. */
static gan_status replace(struct plan *p, struct value *y, const struct value *product, const struct affine *f) {
  struct value *weight = scaled_weight(p, product, f->scale);
  struct value *scaled = weight ? make(p, &op_matmul, product, 2, (struct value *[]){value_in(product, 0), weight}) : NULL;
  if (!scaled) return GAN_ERROR_MEMORY;
  scaled->node.attr = product->node.attr;
  if (f->shift) return become(p, y, &op_add, (struct value *[]){scaled, f->shift});
  y->node.attr = product->node.attr;
  y->node.op = &op_matmul;
  y->node.in[0] = scaled->node.in[0];
  y->node.in[1] = scaled->node.in[1];
  return GAN_OK;
}

static gan_status fold_into_weight(struct plan *p, struct value *product, const struct uses *uses) {
  struct affine f = {NULL, NULL};
  struct value *y = product;
  if (product->node.rank != 2 || product->fixed || !value_in(product, 1)->fixed || value_in(product, 1)->node.rank != 2) return GAN_OK;
  for (int32_t taken = 1; taken && uses[y->node.id].count == 1;) {
    TRY(take_in(p, &f, uses[y->node.id].reader, y, &taken));
    if (taken) y = uses[y->node.id].reader;
  }
  return f.scale ? replace(p, y, product, &f) : GAN_OK;
}

static gan_status fold_all(struct plan *p) {
  struct uses *uses = count_uses(p);
  if (!uses) return GAN_ERROR_MEMORY;
  for (int64_t i = 0, n = p->n_values; i < n; i++)
    if (p->values[i]->node.op == &op_matmul) TRY(fold_into_weight(p, p->values[i], uses));
  return GAN_OK;
}

gan_status plan_simplify(struct plan *p) {
  for (int64_t i = 0; i < p->n_values; i++) note_activation(p->values[i]);
  for (int64_t i = 0, n = p->n_values; i < n; i++) {
    struct value *v = p->values[i];
    read_transposed(v);
    TRY(ask_the_output(p, v));
    TRY(join_halves(p, v));
  }
  return p->frozen ? fold_all(p) : GAN_OK;
}
