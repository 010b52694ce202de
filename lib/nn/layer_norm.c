/* Normalisation: over the batch (batch-norm), over each sample (layer-norm). */
#include "nn/layer.h"

#include <string.h>

/* Mean and biased variance of x over some axes, which stay with size 1 if keep; `centred` is x - mean. */
struct moments { gan_node *mean, *variance, *centred; };

static struct moments moments_of(gan_node *x, int32_t count, const int32_t *axes, int32_t keep) {
  gan_node *mean = gan_mean_axes(x, count, axes, keep);
  gan_node *centred = gan_sub(x, mean);
  return (struct moments){mean, gan_mean_axes(gan_square(centred), count, axes, keep), centred};
}

static gan_node *refuse_input(struct gan_layer_call *c, const gan_node *x, int32_t rank) {
  char text[128];
  if (x->type == GAN_F32 && x->rank >= rank) return NULL;
  return graph_fail(c->graph, GAN_ERROR_SHAPE, "expected f32 with at least %d axes, came %s%s", rank,
                    x->type == GAN_F32 ? "" : "i32 ", shape_text(text, sizeof text, x->rank, x->shape));
}

/* ------------------------------------------------------------------ batch-norm */

static const struct option batch_norm_options[] = {
  {"epsilon", OPTION_NUMBER, 1e-30, 1e3, "1e-5", "added to the variance"},
  {"momentum", OPTION_NUMBER, 0, 1, "0.1", "share of the new batch in the running statistics"},
  {"affine", OPTION_FLAG, 0, 0, "yes", "learnt scale and shift of each column"},
};

struct batch_norm { gan_node *gamma, *beta, *running_mean, *running_variance; };   /* gamma, beta: NULL without affine */

static struct batch_norm batch_norm_variables(struct gan_layer_call *c, int64_t columns) {
  struct batch_norm b = {0};
  if (layer_flag(c, "affine")) {
    b.gamma = layer_parameter(c, "weight", 1, &columns, "ones");
    b.beta = layer_parameter(c, "bias", 1, &columns, "zeros");
  }
  b.running_mean = layer_state(c, "running_mean", 1, &columns, "zeros");
  b.running_variance = layer_state(c, "running_var", 1, &columns, "ones");
  return b;
}

/* old + momentum (new - old), without a gradient to the batch. */
static gan_node *run_on(gan_node *old, gan_node *new, double momentum) {
  return gan_add(gan_scale(old, 1 - momentum), gan_scale(gan_stop_gradient(new), momentum));
}

static gan_node *batch_norm_train(struct gan_layer_call *c, gan_node *x, const struct batch_norm *b) {
  int32_t axes[GAN_MAX_RANK];
  for (int32_t i = 0; i < x->rank - 1; i++) axes[i] = i;
  int64_t columns = x->shape[x->rank - 1], rows = x->count / columns;
  if (rows < 2) return graph_fail(c->graph, GAN_ERROR_SHAPE, "training needs at least 2 values a column, came %d", (int)rows);

  struct moments m = moments_of(x, x->rank - 1, axes, 0);
  gan_node *scale = gan_rsqrt(gan_shift(m.variance, layer_number(c, "epsilon")));
  double momentum = layer_number(c, "momentum"), unbiased = (double)rows / (double)(rows - 1);
  layer_assign(c, "running_mean", run_on(b->running_mean, m.mean, momentum));
  layer_assign(c, "running_var", run_on(b->running_variance, gan_scale(m.variance, unbiased), momentum));
  if (!b->gamma) return gan_mul(m.centred, scale);
  return gan_add(gan_mul(m.centred, gan_mul(scale, b->gamma)), b->beta);
}

/* One multiply-add a column, which a frozen plan computes once from the variables. */
static gan_node *batch_norm_evaluate(struct gan_layer_call *c, gan_node *x, const struct batch_norm *b) {
  gan_node *scale = gan_rsqrt(gan_shift(b->running_variance, layer_number(c, "epsilon")));
  if (b->gamma) scale = gan_mul(scale, b->gamma);
  gan_node *moved = gan_mul(b->running_mean, scale);
  gan_node *shift = b->beta ? gan_sub(b->beta, moved) : gan_neg(moved);
  return gan_add(gan_mul(x, scale), shift);
}

static gan_node *batch_norm_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  if (refuse_input(c, in[0], 2)) return &c->graph->error;
  struct batch_norm b = batch_norm_variables(c, in[0]->shape[in[0]->rank - 1]);
  return c->training ? batch_norm_train(c, in[0], &b) : batch_norm_evaluate(c, in[0], &b);
}

const struct layer_row layer_batch_norm = {
  "batch-norm", "Columns of the last axis to mean 0 and variance 1 over all other axes; in evaluation by running statistics, "
  "which move at the commit (Ioffe and Szegedy 2015). weight, bias, running_mean, running_var (columns), as PyTorch's BatchNorm.",
  LAYER_COUPLES, 1, 1, 3, batch_norm_options, batch_norm_forward,
};

/* ------------------------------------------------------------------ layer-norm */

static const struct option layer_norm_options[] = {
  {"axes", OPTION_INT, 0, GAN_MAX_RANK - 1, "0", "how many last axes are normalised together; 0: all but the batch"},
  {"epsilon", OPTION_NUMBER, 1e-30, 1e3, "1e-5", "added to the variance"},
  {"affine", OPTION_FLAG, 0, 0, "yes", "learnt scale and shift of each element"},
};

static gan_node *layer_norm_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  gan_node *x = in[0];
  int32_t asked = (int32_t)layer_int(c, "axes");
  if (refuse_input(c, x, asked ? asked + 1 : 2)) return &c->graph->error;
  int32_t count = asked ? asked : x->rank - 1, first = x->rank - count, axes[GAN_MAX_RANK];
  for (int32_t i = 0; i < count; i++) axes[i] = first + i;

  struct moments m = moments_of(x, count, axes, 1);
  gan_node *y = gan_mul(m.centred, gan_rsqrt(gan_shift(m.variance, layer_number(c, "epsilon"))));
  if (!layer_flag(c, "affine")) return y;
  gan_node *gamma = layer_parameter(c, "weight", count, x->shape + first, "ones");
  gan_node *beta = layer_parameter(c, "bias", count, x->shape + first, "zeros");
  return gan_add(gan_mul(y, gamma), beta);
}

const struct layer_row layer_layer_norm = {
  "layer-norm", "Each sample to mean 0 and variance 1 (Ba et al. 2016). weight and bias of the normalised axes, as PyTorch's "
  "LayerNorm.",
  0, 1, 1, 3, layer_norm_options, layer_norm_forward,
};
