/* What the layers that normalise share: moments, and batch statistics with those that run on. */
#include "nn/norm.h"

struct moments norm_moments(gan_node *x, int32_t count, const int32_t *axes, int32_t keep) {
  gan_node *mean = gan_mean_axes(x, count, axes, keep);
  gan_node *centred = gan_sub(x, mean);
  return (struct moments){mean, gan_mean_axes(gan_square(centred), count, axes, keep), centred};
}

gan_node *norm_refuse(struct gan_layer_call *c, const gan_node *x, int32_t rank) {
  char text[128];
  if (x->type == GAN_F32 && x->rank >= rank) return NULL;
  return graph_fail(c->graph, GAN_ERROR_SHAPE, "expected f32 with at least %d axes, came %s%s", rank,
                    x->type == GAN_F32 ? "" : "i32 ", shape_text(text, sizeof text, x->rank, x->shape));
}

gan_node *norm_scale(const struct gan_layer_call *c, gan_node *variance) {
  return gan_rsqrt(gan_shift(variance, layer_number(c, "epsilon")));
}

gan_node *norm_affine(gan_node *x, gan_node *gamma, gan_node *beta) {
  return gamma ? gan_add(gan_mul(x, gamma), beta) : x;
}

/* ------------------------------------------------------------------ within a sample */

int32_t norm_places(const gan_node *x, int32_t axes[GAN_MAX_RANK]) {
  int32_t count = 0;
  for (int32_t d = 1; d < x->rank - 1; d++) axes[count++] = d;
  return count;
}

gan_node *norm_instances(struct gan_layer_call *c, gan_node *x) {
  int32_t axes[GAN_MAX_RANK];
  if (norm_refuse(c, x, 3)) return &c->graph->error;
  int64_t places = x->count / (x->shape[0] * x->shape[x->rank - 1]);
  if (places < 2) return graph_fail(c->graph, GAN_ERROR_SHAPE, "needs at least 2 values a channel and sample, came 1");
  struct moments m = norm_moments(x, norm_places(x, axes), axes, 1);
  return gan_mul(m.centred, norm_scale(c, m.variance));
}

gan_node *norm_per_sample(gan_node *value, const gan_node *x) {
  if (node_failed(value)) return value;
  int64_t shape[GAN_MAX_RANK] = {value->shape[0]};
  for (int32_t d = 1; d < x->rank - 1; d++) shape[d] = 1;
  shape[x->rank - 1] = value->shape[value->rank - 1];
  return gan_reshape(value, x->rank, shape);
}

/* ------------------------------------------------------------------ over the batch */

struct running { gan_node *mean, *variance; };

/* old + momentum (new - old), without a gradient to the batch. */
static gan_node *run_on(gan_node *old, gan_node *new, double momentum) {
  return gan_add(gan_scale(old, 1 - momentum), gan_scale(gan_stop_gradient(new), momentum));
}

static gan_node *batch_train(struct gan_layer_call *c, gan_node *x, const struct running *r, gan_node *gamma, gan_node *beta) {
  int32_t axes[GAN_MAX_RANK];
  for (int32_t i = 0; i < x->rank - 1; i++) axes[i] = i;
  int64_t columns = x->shape[x->rank - 1], rows = x->count / columns;
  if (rows < 2) return graph_fail(c->graph, GAN_ERROR_SHAPE, "training needs at least 2 values a column, came %d", (int)rows);

  struct moments m = norm_moments(x, x->rank - 1, axes, 0);
  gan_node *scale = norm_scale(c, m.variance);
  double momentum = c->graph->settles ? 1 : layer_number(c, "momentum"), unbiased = (double)rows / (double)(rows - 1);
  layer_assign(c, "running_mean", run_on(r->mean, m.mean, momentum));
  layer_assign(c, "running_var", run_on(r->variance, gan_scale(m.variance, unbiased), momentum));
  if (!gamma) return gan_mul(m.centred, scale);
  return gan_add(gan_mul(m.centred, gan_mul(scale, gamma)), beta);
}

/* One multiply-add a column, which a frozen plan computes once from the variables. */
static gan_node *batch_evaluate(struct gan_layer_call *c, gan_node *x, const struct running *r, gan_node *gamma, gan_node *beta) {
  gan_node *scale = norm_scale(c, r->variance);
  if (gamma) scale = gan_mul(scale, gamma);
  gan_node *moved = gan_mul(r->mean, scale);
  gan_node *shift = beta ? gan_sub(beta, moved) : gan_neg(moved);
  return gan_add(gan_mul(x, scale), shift);
}

gan_node *norm_batch(struct gan_layer_call *c, gan_node *x, gan_node *gamma, gan_node *beta) {
  if (norm_refuse(c, x, 2)) return &c->graph->error;
  int64_t columns = x->shape[x->rank - 1];
  struct running r = {
    layer_state(c, "running_mean", 1, &columns, "zeros"),
    layer_state(c, "running_var", 1, &columns, "ones"),
  };
  return c->training ? batch_train(c, x, &r, gamma, beta) : batch_evaluate(c, x, &r, gamma, beta);
}
