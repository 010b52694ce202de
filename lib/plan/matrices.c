/* Convolutions that are products of matrices: a kernel of one pixel at every pixel, or one kernel over a whole image, as behind the
 * noise of a DCGAN. x, w and y are seen as (pixels of y, taps and channels), (channels of y, taps and channels), (pixels, channels).
 */
#include "plan/build.h"

#include <string.h>

struct form { const int64_t *x, *w, *y; int32_t product; };

static struct form form_of(const struct value *v) {
  const gan_node *n = &v->node;
  const int64_t *a = n->in[0]->shape, *b = n->in[1]->shape;
  if (n->op == &op_conv) return (struct form){a, b, n->shape, CONV_F};
  if (n->op == &op_conv_input) return (struct form){n->shape, b, a, CONV_X};
  return (struct form){a, n->shape, b, CONV_W};
}

static int32_t is_pointwise(const struct form *f, const struct window *v) {
  return f->w[1] == 1 && f->w[2] == 1 && v->stride[0] == 1 && v->stride[1] == 1 && f->x[1] == f->y[1] && f->x[2] == f->y[2];
}

static int32_t is_whole(const struct form *f, const struct window *v) {
  int32_t together = (v->dilation[0] == 1 || f->w[1] == 1) && (v->dilation[1] == 1 || f->w[2] == 1);
  return together && f->y[1] == 1 && f->y[2] == 1 && f->x[1] == f->w[1] && f->x[2] == f->w[2];
}

/* The weight of a kernel of one pixel is a sum over all pixels, which the kernels of convolutions cut better. */
static int32_t is_product(const struct form *f, const struct window *v) {
  if (v->groups != 1 || v->padding[0] != 0 || v->padding[1] != 0) return 0;
  return is_whole(f, v) || (is_pointwise(f, v) && f->product != CONV_W);
}

static struct value *matrix(struct plan *p, struct value *x, int64_t columns) {
  struct value like = *x;
  like.node.rank = 2;
  like.node.shape[0] = x->node.count / columns;
  like.node.shape[1] = columns;
  return value_make(p, &op_reshape, &like, 1, &x);
}

gan_status value_as_matrices(struct plan *p, struct value *v) {
  const struct op *op = v->node.op;
  if (op != &op_conv && op != &op_conv_input && op != &op_conv_weight) return GAN_OK;
  struct form f = form_of(v);
  if (!is_product(&f, &v->node.attr.window)) return GAN_OK;
  int64_t depth = f.w[1] * f.w[2] * f.w[3], channels = f.w[0];
  int64_t columns[3] = {[CONV_F] = channels, [CONV_X] = depth, [CONV_W] = depth};
  int64_t first = f.product == CONV_F ? depth : channels; /* columns of the operands as they lie */
  struct value *a = matrix(p, value_in(v, f.product == CONV_W), f.product == CONV_W ? channels : first);
  struct value *b = matrix(p, value_in(v, f.product != CONV_W), depth), like = *v;
  like.node.rank = 2;
  like.node.shape[0] = v->node.count / columns[f.product];
  like.node.shape[1] = columns[f.product];
  struct value *y = a && b ? value_make(p, &op_matmul, &like, 2, (struct value *[]){a, b}) : NULL;
  if (!y) return GAN_ERROR_MEMORY;
  y->node.attr.transpose_a = f.product == CONV_W;
  y->node.attr.transpose_b = f.product == CONV_F;
  return value_become(p, v, &op_reshape, &y);
}
