/* Normalisation whose scale and shift depend on a second input: conditional-batch-norm by class or embedding, adain by style. */
#include "nn/norm.h"
#include "nn/weight.h"

/* The second input as a linear function: (batch, width) -> (batch, columns), multiplying x. weight (columns, width). */
static gan_node *projected(struct gan_layer_call *c, const gan_node *x, gan_node *condition, const char *name) {
  int64_t columns = x->shape[x->rank - 1], width = condition->shape[1];
  struct weight weight = {
    .name = name, .init = layer_weight_init(c), .rank = 2, .shape = (int64_t[]){columns, width}, .fan_in = (double)width,
  };
  return norm_per_sample(gan_matmul(condition, layer_weight(c, &weight), 0, 1), x);
}

static gan_node *refuse_condition(struct gan_layer_call *c, const gan_node *x, const gan_node *condition, int32_t rank) {
  char text[128];
  if (condition->rank == rank && condition->shape[0] == x->shape[0]) return NULL;
  return graph_fail(c->graph, GAN_ERROR_SHAPE, "expected a second input (%lld%s), came %s", (long long)x->shape[0],
                    rank == 1 ? "" : ", width", shape_text(text, sizeof text, condition->rank, condition->shape));
}

/* ------------------------------------------------------------------ conditional-batch-norm */

static const struct option conditional_batch_norm_options[] = {
  {"classes", OPTION_INT, 0, 1e9, "0", "number of labels; 0: the second input is an embedding (batch, width)"},
  NORM_EPSILON("1e-5"),
  {"momentum", OPTION_NUMBER, 0, 1, "0.1", "share of the new batch in the running statistics"},
  {"init", OPTION_TEXT, 0, 0, "pytorch", "initializer of the weights that embeddings are multiplied by"},
  WEIGHT_OPTIONS,
};

static gan_node *by_label(struct gan_layer_call *c, gan_node *x, gan_node *label) {
  int64_t shape[] = {layer_int(c, "classes"), x->shape[x->rank - 1]};
  if (shape[0] < 1) return graph_fail(c->graph, GAN_ERROR_ARGUMENT, "the second input are labels: classes=.. is missing");
  if (refuse_condition(c, x, label, 1)) return &c->graph->error;
  gan_node *gamma = gan_gather(layer_parameter(c, "weight", 2, shape, "ones"), label);
  gan_node *beta = gan_gather(layer_parameter(c, "bias", 2, shape, "zeros"), label);
  return norm_batch(c, x, norm_per_sample(gamma, x), norm_per_sample(beta, x));
}

static gan_node *by_embedding(struct gan_layer_call *c, gan_node *x, gan_node *embedding) {
  if (layer_int(c, "classes")) return graph_fail(c->graph, GAN_ERROR_ARGUMENT, "classes=.. expects labels (i32), came f32");
  if (refuse_condition(c, x, embedding, 2)) return &c->graph->error;
  gan_node *gamma = gan_shift(projected(c, x, embedding, "scale_weight"), 1);
  return norm_batch(c, x, gamma, projected(c, x, embedding, "shift_weight"));
}

static gan_node *conditional_batch_norm_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  if (norm_refuse(c, in[0], 2)) return &c->graph->error;
  return in[1]->type == GAN_I32 ? by_label(c, in[0], in[1]) : by_embedding(c, in[0], in[1]);
}

const struct layer_row layer_conditional_batch_norm = {
  "conditional-batch-norm", "Batch norm whose scale and shift depend on a second input: from=x,label takes rows of weight and bias "
  "(classes, columns) (de Vries et al. 2017); from=x,embedding scales by 1 + e W' and shifts by e V', with scale_weight and "
  "shift_weight (columns, width) (Brock et al. 2019).",
  LAYER_COUPLES, 2, 2, 4 + WEIGHT_OPTION_COUNT, conditional_batch_norm_options, conditional_batch_norm_forward,
};

/* ------------------------------------------------------------------ adain */

static const struct option adain_options[] = {
  NORM_EPSILON("1e-5"),
  {"affine", OPTION_FLAG, 0, 0, "yes", "learns linear maps to scale and shift; no: the style is (batch, 2 channels), scales first"},
  {"init", OPTION_TEXT, 0, 0, "pytorch", "initializer of the weights"},
  WEIGHT_OPTIONS,
};

static gan_node *styled(struct gan_layer_call *c, gan_node *x, gan_node *style) {
  int64_t channels = x->shape[x->rank - 1];
  gan_node *scale = projected(c, x, style, "scale_weight");
  scale = gan_add(scale, layer_parameter(c, "scale_bias", 1, &channels, "ones"));
  gan_node *shift = projected(c, x, style, "shift_weight");
  return norm_affine(norm_instances(c, x), scale, gan_add(shift, layer_parameter(c, "shift_bias", 1, &channels, "zeros")));
}

static gan_node *adain_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  gan_node *x = in[0], *style = in[1];
  if (norm_refuse(c, x, 3) || norm_refuse(c, style, 2) || refuse_condition(c, x, style, 2)) return &c->graph->error;
  if (layer_flag(c, "affine")) return styled(c, x, style);
  int64_t channels = x->shape[x->rank - 1];
  if (style->shape[1] != 2 * channels) {
    return graph_fail(c->graph, GAN_ERROR_SHAPE, "expected a style of %lld numbers, scale and shift of each channel, came %lld",
                      (long long)(2 * channels), (long long)style->shape[1]);
  }
  gan_node *scale = norm_per_sample(gan_slice(style, 1, 0, channels), x);
  gan_node *shift = norm_per_sample(gan_slice(style, 1, channels, 2 * channels), x);
  return norm_affine(norm_instances(c, x), scale, shift);
}

const struct layer_row layer_adain = {
  "adain", "Adaptive instance norm, from=x,style: each channel of each sample to mean 0 and variance 1, then scaled and shifted as "
  "the style says (Huang and Belongie 2017; learnt maps of the style: Karras et al. 2019). scale_weight, shift_weight (channels, "
  "width), scale_bias, shift_bias (channels).",
  0, 2, 2, 3 + WEIGHT_OPTION_COUNT, adain_options, adain_forward,
};
