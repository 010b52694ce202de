/* Frozen plans: what follows a product into its weight.
 *
 * A product whose channels (columns) are scaled and shifted by fixed numbers, as batch norm does in evaluation, is the product with
 * a scaled weight, and a bias. Both are computed once. It makes no difference whether the product is one of matrices or a
 * convolution, nor that it is seen as an image in between.
 */
#include "plan/build.h"

#include <string.h>
#include "base/tensor.h"

/* ------------------------------------------------------------------ who reads what */

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

/* ------------------------------------------------------------------ values made anew */

static struct value *fixed_like(struct plan *p, const struct op *op, const gan_node *shape, int32_t n_in, struct value *const *in) {
  struct value like = {.node = *shape, .stage = PROLOGUE, .fixed = 1};
  return value_make(p, op, &like, n_in, in);
}

/* A fixed value in another shape, seen or repeated. */
static struct value *shaped(struct plan *p, const struct op *op, struct value *x, int32_t rank, const int64_t *shape) {
  gan_node n = x->node;
  n.rank = rank;
  memcpy(n.shape, shape, (size_t)rank * sizeof *shape);
  n.count = shape_count(rank, shape);
  return fixed_like(p, op, &n, 1, &x);
}

/* Elementwise on fixed values, each a number or one number a channel; b may be NULL. */
static struct value *fixed(struct plan *p, const struct op *op, struct value *a, struct value *b) {
  gan_node n = a->node;
  if (b && b->node.rank > n.rank) n = b->node;
  if (b && b->node.count > n.count) n.count = b->node.count;
  if (a->node.count > n.count) n.count = a->node.count;
  if (n.rank > 0) n.shape[n.rank - 1] = n.count;
  return fixed_like(p, op, &n, b ? 2 : 1, (struct value *[]){a, b});
}

/* ------------------------------------------------------------------ what scales and shifts */

struct affine { struct value *scale, *shift; };

static int64_t channels_of(const struct value *v) {
  return v->node.rank ? v->node.shape[v->node.rank - 1] : 1;
}

static int32_t is_fixed_per_channel(const struct value *c, int64_t channels) {
  return c->fixed && (c->node.count == 1 || (c->node.count == channels && channels_of(c) == channels));
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
  if (y->node.n_in != 2 || y->node.in[0] == y->node.in[1]) return GAN_OK;
  if (!shape_equal(x->node.rank, x->node.shape, y->node.rank, y->node.shape)) return GAN_OK;
  int32_t first = value_in(y, 0) == x;
  struct value *c = value_in(y, first);
  if (!is_fixed_per_channel(c, channels_of(y))) return GAN_OK;
  *taken = op == &op_add || op == &op_mul || (first && (op == &op_sub || op == &op_div));
  if (op == &op_add || (*taken && op == &op_sub)) return plus(p, &f->shift, op, c);
  if (!*taken) return GAN_OK;
  TRY(times(p, &f->scale, op, c));
  return f->shift ? times(p, &f->shift, op, c) : GAN_OK;
}

/* ------------------------------------------------------------------ weights */

/* A weight as (before, channels, after): the middle axis is that of the product's channels, or of a part of them that repeats. */
struct layout { int64_t before, channels, after; };

static struct layout layout_of(const struct value *product, int64_t channels) {
  const gan_node *w = product->node.in[1];
  int32_t first = product->node.op == &op_conv || (product->node.op == &op_matmul && product->node.attr.transpose_b);
  int64_t after = first ? w->count / w->shape[0] : 1;
  return (struct layout){w->count / (channels * after), channels, after};
}

static struct value *scaled_weight(struct plan *p, const struct value *product, struct value *scale, int64_t channels) {
  struct value *weight = value_in(product, 1), *factor = scale;
  struct layout l = layout_of(product, channels);
  struct value *apart = shaped(p, &op_reshape, weight, 3, (int64_t[]){l.before, l.channels, l.after});
  if (apart && scale->node.count > 1) factor = shaped(p, &op_reshape, scale, 2, (int64_t[]){l.channels, 1});
  if (!apart || !factor) return NULL;
  struct value *scaled = fixed_like(p, &op_mul, &apart->node, 2, (struct value *[]){apart, factor});
  return scaled ? shaped(p, &op_reshape, scaled, weight->node.rank, weight->node.shape) : NULL;
}

/* One number a column, where the product has more columns than there are channels: the channels over and over. */
static struct value *repeated(struct plan *p, struct value *shift, int64_t channels, int64_t columns) {
  if (channels == columns || shift->node.count == 1) return shift;
  struct value *row = shaped(p, &op_reshape, shift, 2, (int64_t[]){1, channels});
  struct value *rows = row ? shaped(p, &op_broadcast, row, 2, (int64_t[]){columns / channels, channels}) : NULL;
  return rows ? shaped(p, &op_reshape, rows, 1, &columns) : NULL;
}

/* ------------------------------------------------------------------ the pass */

static struct value *remade(struct plan *p, const struct value *product, const struct affine *f, int64_t channels) {
  struct value *weight = f->scale ? scaled_weight(p, product, f->scale, channels) : value_in(product, 1), *y = NULL;
  if (weight) y = value_make(p, product->node.op, product, 2, (struct value *[]){value_in(product, 0), weight});
  if (!y) return NULL;
  y->node.attr = product->node.attr;
  if (!f->shift) return y;
  struct value *shift = repeated(p, f->shift, channels, channels_of(product));
  return shift ? value_make(p, &op_add, product, 2, (struct value *[]){y, shift}) : NULL;
}

/* y, the last of the row that starts with the product, becomes a view of the product made anew. */
static gan_status replace(struct plan *p, struct value *y, const struct value *product, const struct affine *f) {
  struct value *anew = remade(p, product, f, channels_of(y));
  return anew ? value_become(p, y, &op_reshape, &anew) : GAN_ERROR_MEMORY;
}

static int32_t can_take_in(const struct value *v) {
  const struct op *op = v->node.op;
  if (v->fixed || (op != &op_matmul && op != &op_conv && op != &op_conv_input) || !value_in(v, 1)->fixed) return 0;
  if (op == &op_matmul) return v->node.rank == 2 && value_in(v, 1)->node.rank == 2;
  return op == &op_conv || v->node.attr.window.groups == 1;
}

/* A view of the product whose channels are its columns, or parts of them. */
static int32_t keeps_columns(const struct value *v, const struct value *product) {
  return v->node.op == &op_reshape && channels_of(product) % channels_of(v) == 0;
}

static gan_status fold_into_weight(struct plan *p, struct value *product, const struct uses *uses) {
  struct affine f = {NULL, NULL};
  struct value *last = product, *y = product;
  for (int32_t goes_on = 1; goes_on && uses[y->node.id].count == 1;) {
    struct value *reader = uses[y->node.id].reader;
    int32_t taken = 0;
    TRY(take_in(p, &f, reader, y, &taken));
    goes_on = taken || (!f.scale && !f.shift && keeps_columns(reader, product));
    if (goes_on) y = reader;
    if (taken) last = y;
  }
  int32_t repeats = channels_of(last) != channels_of(product);
  return f.scale || (f.shift && repeats) ? replace(p, last, product, &f) : GAN_OK;
}

gan_status plan_freeze(struct plan *p) {
  struct uses *uses = count_uses(p);
  if (!uses) return GAN_ERROR_MEMORY;
  for (int64_t i = 0, n = p->n_values; i < n; i++)
    if (can_take_in(p->values[i])) TRY(fold_into_weight(p, p->values[i], uses));
  return GAN_OK;
}
