/* virtual-batch-norm: each sample by the statistics of one reference batch and of itself.
 *
 * The reference batch has to pass the network with its present weights before others can be compared with it. So in training the
 * first application of a phase is its: it is normalised by its own statistics, which become the state. The applications that follow
 * in the phase, and those in evaluation, take the state. Its gradient flows through the reference's pass, too. */
#include "nn/norm.h"

static const struct option virtual_batch_norm_options[] = {
  NORM_EPSILON("1e-5"),
  {"affine", OPTION_FLAG, 0, 0, "yes", "learnt scale and shift of each column"},
};

/* Statistics of the reference batch, and how many samples it had. */
struct reference { gan_node *mean, *variance, *rows; };

static struct reference stored(struct gan_layer_call *c, int64_t columns) {
  struct reference r = {.mean = layer_state(c, "reference_mean", 1, &columns, "zeros")};
  r.variance = layer_state(c, "reference_var", 1, &columns, "ones");
  r.rows = layer_state(c, "reference_rows", 0, NULL, "ones");
  return r;
}

static gan_node *of_reference(struct gan_layer_call *c, gan_node *x) {
  int32_t axes[GAN_MAX_RANK];
  for (int32_t i = 0; i < x->rank - 1; i++) axes[i] = i;
  struct moments m = norm_moments(x, x->rank - 1, axes, 0);
  layer_assign(c, "reference_mean", m.mean);
  layer_assign(c, "reference_var", m.variance);
  layer_assign(c, "reference_rows", gan_constant(c->graph, (double)x->shape[0]));
  return gan_mul(m.centred, norm_scale(c, m.variance));
}

/* The reference batch and one sample more: with shares a + b = 1 the mean is a m1 + b m2, and the variance
 * a v1 + b v2 + a b (m1 - m2)^2, which no cancellation makes negative. */
static gan_node *beside(struct gan_layer_call *c, gan_node *x, const struct reference *r) {
  int32_t axes[GAN_MAX_RANK], count = norm_places(x, axes);
  gan_node *own = gan_reciprocal(gan_shift(r->rows, 1)), *others = gan_mul(r->rows, own);
  gan_node *mean = x, *variance = gan_constant(c->graph, 0);
  if (count) {
    struct moments m = norm_moments(x, count, axes, 1);
    mean = m.mean;
    variance = m.variance;
  }
  gan_node *between = gan_mul(gan_mul(own, others), gan_square(gan_sub(mean, r->mean)));
  mean = gan_add(gan_mul(own, mean), gan_mul(others, r->mean));
  variance = gan_add(gan_add(gan_mul(own, variance), gan_mul(others, r->variance)), between);
  return gan_mul(gan_sub(x, mean), norm_scale(c, variance));
}

static gan_node *virtual_batch_norm_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  gan_node *x = in[0];
  if (norm_refuse(c, x, 2)) return &c->graph->error;
  int64_t columns = x->shape[x->rank - 1];
  int32_t first = c->training && !layer_assigned(c, "reference_mean");
  struct reference r = stored(c, columns);
  gan_node *y = first ? of_reference(c, x) : beside(c, x, &r);
  if (!layer_flag(c, "affine")) return y;
  gan_node *gamma = layer_parameter(c, "weight", 1, &columns, "ones");
  return norm_affine(y, gamma, layer_parameter(c, "bias", 1, &columns, "zeros"));
}

const struct layer_row layer_virtual_batch_norm = {
  "virtual-batch-norm", "Columns of the last axis by the statistics of a reference batch and, with the weight of one sample "
  "more, of the sample itself (Salimans et al. 2016). In training the first application of each phase is the reference batch's "
  "(trainers see to it); its statistics are state, and evaluation takes them from there. weight, bias, reference_mean, "
  "reference_var (columns), reference_rows.",
  LAYER_COUPLES | LAYER_REFERENCE, 1, 1, 2, virtual_batch_norm_options, virtual_batch_norm_forward,
};
