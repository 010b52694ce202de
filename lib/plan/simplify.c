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

struct value *value_make(struct plan *p, const struct op *op, const struct value *like, int32_t n_in, struct value *const *in) {
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

gan_status value_become(struct plan *p, struct value *v, const struct op *op, struct value *const *in) {
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
  if (v->node.op != &op_greater && v->node.op != &op_greater_equal) return GAN_OK;
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
    if (factor) a = value_make(p, &op_mul, a, 2, (struct value *[]){a, factor});
    if (!a) return GAN_ERROR_MEMORY;
    if (factor) a->stage = v->stage, a->fixed = v->fixed;
    return value_become(p, v, &op_select, (struct value *[]){c, a, b});
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

gan_status plan_simplify(struct plan *p) {
  for (int64_t i = 0, n = p->n_values; i < n; i++) TRY(value_as_matrices(p, p->values[i]));
  for (int64_t i = 0; i < p->n_values; i++) note_activation(p->values[i]);
  for (int64_t i = 0, n = p->n_values; i < n; i++) {
    struct value *v = p->values[i];
    read_transposed(v);
    TRY(ask_the_output(p, v));
    TRY(join_halves(p, v));
  }
  return GAN_OK;
}
