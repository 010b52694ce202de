/* Convolution: one form that is linear in an image x, a weight w and a result y, and its three products. conv makes y of x and w,
 * conv_input x of y and w (it is the transposed convolution), conv_weight w of x and y. The derivatives of each are the others.
 */
#include "ops/conv.h"

#include "ops/lower.h"

/* ----------------------------------------------------------------------------------------------------------------- nodes */

static gan_node *product_node(const struct op *op, gan_node *a, gan_node *b, const struct window *v, const int64_t *shape) {
  gan_node *in[2] = {a, b};
  return graph_node(a->graph, op, 2, in, &(struct attributes){.window = *v}, GAN_F32, 4, shape);
}

gan_node *node_conv(gan_node *x, gan_node *w, const struct window *v, int64_t oh, int64_t ow) {
  gan_node *bad = nodes_bad("conv", GAN_F32, 2, (gan_node *[]){x, w});
  if (bad) return bad;
  return product_node(&op_conv, x, w, v, (int64_t[]){x->shape[0], oh, ow, w->shape[0]});
}

gan_node *node_conv_input(gan_node *y, gan_node *w, const struct window *v, int64_t h, int64_t width) {
  gan_node *bad = nodes_bad("conv_input", GAN_F32, 2, (gan_node *[]){y, w});
  if (bad) return bad;
  return product_node(&op_conv_input, y, w, v, (int64_t[]){y->shape[0], h, width, w->shape[3] * v->groups});
}

gan_node *node_conv_weight(gan_node *x, gan_node *y, const struct window *v, int64_t kh, int64_t kw) {
  gan_node *bad = nodes_bad("conv_weight", GAN_F32, 2, (gan_node *[]){x, y});
  if (bad) return bad;
  return product_node(&op_conv_weight, x, y, v, (int64_t[]){y->shape[3], kh, kw, x->shape[3] / v->groups});
}

/* ------------------------------------------------------------------------------------------------------------- gradients */

static void conv_gradient(gan_node *y, gan_node *dy, const uint8_t *wanted, gan_node **dx) {
  gan_node *x = y->in[0], *w = y->in[1];
  const struct window *v = &y->attr.window;
  if (wanted[0]) dx[0] = node_conv_input(dy, w, v, x->shape[1], x->shape[2]);
  if (wanted[1]) dx[1] = node_conv_weight(x, dy, v, w->shape[1], w->shape[2]);
}

static void conv_input_gradient(gan_node *x, gan_node *dx, const uint8_t *wanted, gan_node **d) {
  gan_node *y = x->in[0], *w = x->in[1];
  const struct window *v = &x->attr.window;
  if (wanted[0]) d[0] = node_conv(dx, w, v, y->shape[1], y->shape[2]);
  if (wanted[1]) d[1] = node_conv_weight(dx, y, v, w->shape[1], w->shape[2]);
}

static void conv_weight_gradient(gan_node *w, gan_node *dw, const uint8_t *wanted, gan_node **d) {
  gan_node *x = w->in[0], *y = w->in[1];
  const struct window *v = &w->attr.window;
  if (wanted[0]) d[0] = node_conv_input(y, dw, v, x->shape[1], x->shape[2]);
  if (wanted[1]) d[1] = node_conv(x, dw, v, y->shape[1], y->shape[2]);
}

/* ----------------------------------------------------------------------------------------------------------------- calls */

static void run_conv(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  const struct conv_shape *s = &c->u.conv.shape;
  conv_run(e->kernels, s, c->in[0], c->in[1], s->has_bias ? c->in[2] : NULL, c->out[0], c->shared, c->u.conv.pass, chunk, scratch);
}

int32_t conv_cut(struct call *calls, const struct kernels *k) {
  struct conv_shape s = calls[0].u.conv.shape;
  int32_t passes = conv_passes(k, &s);
  for (int32_t i = 0; i < passes; i++) {
    struct call *c = call_start(&calls[i], run_conv, conv_chunks(k, &s, i), 2 + s.has_bias);
    c->u.conv.shape = s;
    c->u.conv.pass = i;
    c->scratch = conv_scratch(k, &s);
    c->shared_bytes = conv_shared(k, &s);
  }
  calls[s.product == CONV_W ? 0 : passes - 1].flops = conv_flops(&s); /* weights are packed before, partial sums are added after */
  return passes;
}

static struct conv_shape conv_shape_of(const gan_node *n) {
  int32_t product = n->op == &op_conv ? CONV_F : n->op == &op_conv_input ? CONV_X : CONV_W;
  const gan_node *x = product == CONV_X ? n : n->in[0], *w = product == CONV_W ? n : n->in[1];
  const gan_node *y = product == CONV_F ? n : n->in[product == CONV_W];
  const struct window *v = &n->attr.window;
  return (struct conv_shape){
      .n = x->shape[0],
      .h = x->shape[1],
      .w = x->shape[2],
      .c = x->shape[3],
      .kh = w->shape[1],
      .kw = w->shape[2],
      .o = y->shape[3],
      .oh = y->shape[1],
      .ow = y->shape[2],
      .sh = v->stride[0],
      .sw = v->stride[1],
      .dh = v->dilation[0],
      .dw = v->dilation[1],
      .ph = v->padding[0],
      .pw = v->padding[1],
      .groups = v->groups,
      .product = product,
  };
}

static int32_t lower_conv(const gan_node *n, const struct kernels *k, int32_t use_blas, struct call *calls) {
  (void)use_blas;
  calls[0].u.conv.shape = conv_shape_of(n);
  return conv_cut(calls, k);
}

int64_t node_flops(const gan_node *n) {
  if (n->op == &op_matmul) return 2 * n->count * n->in[0]->shape[n->in[0]->rank - (n->attr.transpose_a ? 2 : 1)];
  if (n->op != &op_conv && n->op != &op_conv_input && n->op != &op_conv_weight) return 0;
  struct conv_shape s = conv_shape_of(n);
  return conv_flops(&s);
}

const struct op op_conv = {"conv", 0, 2, -1, conv_gradient, lower_conv};
const struct op op_conv_input = {"conv_input", 0, 2, -1, conv_input_gradient, lower_conv};
const struct op op_conv_weight = {"conv_weight", 0, 2, -1, conv_weight_gradient, lower_conv};
