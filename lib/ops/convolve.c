/* Convolutions of images and sequences as their users call them. */
#include "ops/conv.h"

#include <stdio.h>
#include "ops/fold.h"

static const struct option option_rows[CONV_OPTION_COUNT] = {CONV_OPTION_ROWS};
static const struct option transpose_rows[CONV_TRANSPOSE_OPTION_COUNT] = {CONV_TRANSPOSE_OPTION_ROWS};

static const int64_t LENGTH_MAX =
    INT32_MAX; /* of an axis of an image, and of a kernel with its dilation: positions cannot overflow */

/* ---------------------------------------------------------------------------------------------------------------- sizes */

/* From the first tap of a kernel to its last. */
static int64_t reach(int64_t size, int64_t dilation) { return (size - 1) * dilation + 1; }

void conv_same_padding(int64_t length, int64_t size, int64_t stride, int64_t dilation, int64_t padding[2]) {
  int64_t places = (length + stride - 1) / stride, all = (places - 1) * stride + reach(size, dilation) - length;
  padding[0] = all > 0 ? all / 2 : 0;
  padding[1] = all > 0 ? all - all / 2 : 0;
}

/* One axis of a convolution. */
struct axis {
  int64_t stride, dilation, before, after, longer;
};

static struct axis axis_of(const struct conv_options *o, int32_t i) {
  return (struct axis){o->stride[i], o->dilation[i], o->padding[2 * i], o->padding[2 * i + 1], o->output_padding[i]};
}

/* The length of the result; below 1 if there is no place for the kernel. */
static int64_t shrunk(struct axis *a, int32_t same, int64_t length, int64_t size) {
  int64_t padding[2] = {a->before, a->after};
  if (same) conv_same_padding(length, size, a->stride, a->dilation, padding);
  a->before = padding[0];
  int64_t room = length + padding[0] + padding[1] - reach(size, a->dilation);
  return room < 0 ? 0 : room / a->stride + 1;
}

static int64_t stretched(struct axis *a, int32_t same, int64_t length, int64_t size) {
  int64_t padding[2];
  if (!same) return (length - 1) * a->stride + reach(size, a->dilation) - a->before - a->after + a->longer;
  conv_same_padding(length * a->stride, size, a->stride, a->dilation, padding);
  a->before = padding[0];
  return length * a->stride;
}

static struct window window_of(const struct conv_options *o, const struct axis *axes) {
  struct window v = {.groups = (int32_t)o->groups};
  for (int32_t i = 0; i < 2; i++) {
    v.stride[i] = (int32_t)axes[i].stride;
    v.dilation[i] = (int32_t)axes[i].dilation;
    v.padding[i] = (int32_t)axes[i].before;
  }
  return v;
}

/* ---------------------------------------------------------------------------------------------------------------- checks */

/* A convolution on its way: operands as they came, and their shapes as those of images. */
struct convolution {
  const char *who;
  gan_node *x, *w;
  const struct conv_options *o;
  int32_t transposed;
  int64_t image[4], kernel[4];
};

static void image_shape(const gan_node *n, int64_t shape[4]) {
  int32_t row = n->rank == 3;
  shape[0] = n->shape[0];
  shape[1] = row ? 1 : n->shape[1];
  shape[2] = n->shape[2 - row];
  shape[3] = n->shape[3 - row];
}

static gan_node *refuse(const struct convolution *c, const char *expected) {
  char first[SHAPE_TEXT], second[SHAPE_TEXT], groups[32] = "";
  if (c->o->groups != 1) snprintf(groups, sizeof groups, " in %lld groups", (long long)c->o->groups);
  return graph_fail(c->x->graph, GAN_ERROR_SHAPE, "%s: x is %s, the weight %s%s: expected %s", c->who, node_text(c->x, first),
                    node_text(c->w, second), groups, expected);
}

static gan_node *bad_rank(const struct convolution *c) {
  if (c->x->rank == 2 + c->o->axes && c->w->rank == c->x->rank) return NULL;
  if (c->o->axes == 1)
    return refuse(c, c->transposed ? "(n,length,c) and (c,k,outputs/groups)" : "(n,length,c) and (outputs,k,c/groups)");
  return refuse(c, c->transposed ? "(n,h,w,c) and (c,kh,kw,outputs/groups)" : "(n,h,w,c) and (outputs,kh,kw,c/groups)");
}

static gan_node *bad_length(const struct convolution *c) {
  for (int32_t i = 0; i < 2; i++) {
    int64_t image = c->image[1 + i], kernel = c->kernel[1 + i];
    if (image > LENGTH_MAX || kernel > LENGTH_MAX || reach(kernel, c->o->dilation[i]) > LENGTH_MAX) {
      return refuse(c, "less than 2^31 pixels along an axis and under a kernel");
    }
  }
  return NULL;
}

static gan_node *bad_channels(const struct convolution *c) {
  int64_t groups = c->o->groups, channels = c->image[3];
  if (c->transposed) {
    if (c->kernel[0] == channels && channels % groups == 0) return NULL;
    return refuse(c, "a first axis of the weight as long as x has channels, divisible by the groups");
  }
  if (c->kernel[3] * groups == channels && c->kernel[0] % groups == 0) return NULL;
  return refuse(c, "a last axis of the weight as long as x has channels in a group, and a first one divisible by the groups");
}

static gan_node *bad_output_padding(const struct convolution *c) {
  for (int32_t i = 0; i < 2; i++) {
    int64_t longer = c->o->output_padding[i];
    if (longer == 0 || (!c->o->same && (longer < c->o->stride[i] || longer < c->o->dilation[i]))) continue;
    return graph_fail(c->x->graph, GAN_ERROR_ARGUMENT,
                      "%s: output-padding is %lld: expected less than stride or dilation, and no padding=same", c->who,
                      (long long)longer);
  }
  return NULL;
}

static gan_node *bad_operands(struct convolution *c) {
  gan_node *bad = nodes_bad(c->who, GAN_F32, 2, (gan_node *[]){c->x, c->w});
  if (!bad) bad = bad_rank(c);
  if (bad) return bad;
  image_shape(c->x, c->image);
  image_shape(c->w, c->kernel);
  bad = bad_length(c);
  if (!bad) bad = bad_channels(c);
  return bad ? bad : bad_output_padding(c);
}

/* ----------------------------------------------------------------------------------------------------------------- nodes */

gan_node *node_as_image(gan_node *x) {
  int64_t shape[4];
  if (node_failed(x)) return x;
  image_shape(x, shape);
  return gan_reshape(x, 4, shape);
}

gan_node *node_as_sequence(gan_node *x) {
  return node_failed(x) ? x : gan_reshape(x, 3, (int64_t[]){x->shape[0], x->shape[1] * x->shape[2], x->shape[3]});
}

static gan_node *convolve(struct convolution c) {
  gan_node *bad = bad_operands(&c);
  if (bad) return bad;
  struct axis axes[2];
  int64_t size[2];
  for (int32_t i = 0; i < 2; i++) {
    axes[i] = axis_of(c.o, i);
    size[i] = (c.transposed ? stretched : shrunk)(&axes[i], c.o->same, c.image[1 + i], c.kernel[1 + i]);
    if (size[i] < 1) return refuse(&c, "a result of at least one pixel; is there enough padding?");
  }
  struct window v = window_of(c.o, axes);
  gan_node *x = node_as_image(c.x), *w = node_as_image(c.w), *y = NULL;
  if (!c.transposed && !node_failed(w)) y = fold_repeated(x, w, &v, size[0], size[1]);
  if (!y) y = (c.transposed ? node_conv_input : node_conv)(x, w, &v, size[0], size[1]);
  return c.o->axes == 1 ? node_as_sequence(y) : y;
}

gan_node *node_convolve(const char *who, gan_node *x, gan_node *weight, const struct conv_options *o) {
  return convolve((struct convolution){.who = who, .x = x, .w = weight, .o = o});
}

gan_node *node_convolve_transposed(const char *who, gan_node *x, gan_node *weight, const struct conv_options *o) {
  return convolve((struct convolution){.who = who, .x = x, .w = weight, .o = o, .transposed = 1});
}

/* ---------------------------------------------------------------------------------------------------------------- public */

static gan_status read_line(gan_context *ctx, const char *who, const char *text, int32_t axes, int32_t transposed,
                            struct conv_options *out) {
  struct options o;
  const struct option *rows = transposed ? transpose_rows : option_rows;
  int32_t count = transposed ? CONV_TRANSPOSE_OPTION_COUNT : CONV_OPTION_COUNT;
  gan_status status = options_parse(ctx, who, rows, count, text ? text : "", &o);
  if (status == GAN_OK) status = conv_options_read(who, &o, axes, out);
  options_free(&o);
  return status;
}

static gan_node *from_line(const char *who, gan_node *x, gan_node *w, const char *text, int32_t axes, int32_t transposed) {
  gan_node *bad = nodes_bad(who, GAN_F32, 2, (gan_node *[]){x, w});
  if (bad) return bad;
  struct conv_options o;
  gan_status status = read_line(x->graph->ctx, who, text, axes, transposed, &o);
  if (status != GAN_OK) return graph_fail(x->graph, status, "%s", x->graph->ctx->error);
  return transposed ? node_convolve_transposed(who, x, w, &o) : node_convolve(who, x, w, &o);
}

gan_node *gan_conv2d(gan_node *x, gan_node *weight, const char *options) { return from_line("conv2d", x, weight, options, 2, 0); }

gan_node *gan_conv_transpose2d(gan_node *x, gan_node *weight, const char *options) {
  return from_line("conv_transpose2d", x, weight, options, 2, 1);
}

gan_node *gan_conv1d(gan_node *x, gan_node *weight, const char *options) { return from_line("conv1d", x, weight, options, 1, 0); }

gan_node *gan_conv_transpose1d(gan_node *x, gan_node *weight, const char *options) {
  return from_line("conv_transpose1d", x, weight, options, 1, 1);
}
