/* Weights that are computed from what is learnt. Each rule takes a weight and returns one of the same shape, so that they chain. */
#include "nn/weight.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAME = 64, INIT = 192 };

/* What a rule works on. */
struct shaping {
  struct gan_layer_call *call;
  const struct weight *weight;
  int64_t outputs, inputs;       /* as a matrix: (outputs, inputs), or (inputs, outputs) if the outputs are the last axis */
};

static gan_node *as_matrix(const struct shaping *s, gan_node *weight) {
  int32_t last = s->weight->last;
  return gan_reshape(weight, 2, (int64_t[]){last ? s->inputs : s->outputs, last ? s->outputs : s->inputs});
}

static gan_node *as_weight(const struct shaping *s, gan_node *matrix) {
  return gan_reshape(matrix, s->weight->rank, s->weight->shape);
}

/* "weight_u" */
static const char *part_name(char name[NAME], const struct shaping *s, const char *part) {
  snprintf(name, NAME, "%.50s_%s", s->weight->name, part);
  return name;
}

static const char *derived_init(char text[INIT], const struct shaping *s, const char *what) {
  snprintf(text, INIT, "%s of=%.50s last=%d", what, s->weight->name, s->weight->last);
  return text;
}

/* ------------------------------------------------------------------ equalised learning rate */

static gan_node *equalise(const struct shaping *s, gan_node *weight) {
  return gan_scale(weight, layer_number(s->call, "gain") / sqrt(s->weight->fan_in));
}

/* ------------------------------------------------------------------ weight norm */

/* 1 / |v| of each output; where v is 0 the root is taken of 1, so that no infinity meets a 0 in a gradient. */
static gan_node *inverse_lengths(const struct shaping *s, gan_node *v) {
  int32_t over = s->weight->last ? 0 : 1;
  gan_node *squares = gan_sum_axes(gan_square(v), 1, &over, 1), *none = gan_equal(squares, gan_constant(v->graph, 0));
  return gan_rsqrt(gan_select(none, gan_constant(v->graph, 1), squares));
}

/* w = g v / |v| for each output. g begins as |v|, so that w begins as v; it has the weight's axes, as PyTorch's has. */
static gan_node *weight_norm(const struct shaping *s, gan_node *weight) {
  char name[NAME], init[INIT];
  int64_t shape[GAN_MAX_RANK];
  int32_t rank = s->weight->rank;
  for (int32_t d = 0; d < rank; d++) shape[d] = 1;
  shape[s->weight->last ? rank - 1 : 0] = s->outputs;
  gan_node *g = layer_parameter(s->call, part_name(name, s, "g"), rank, shape, derived_init(init, s, "lengths"));
  gan_node *v = as_matrix(s, weight), *inverse = inverse_lengths(s, v);
  if (node_failed(inverse)) return inverse;
  return as_weight(s, gan_mul(v, gan_mul(gan_reshape(g, 2, inverse->shape), inverse)));
}

/* ------------------------------------------------------------------ spectral norm
 *
 * sigma = u' W v with unit vectors that the power method brings towards the first singular ones. They are constants for gradients.
 * One training application of a phase moves them; the others of the phase take what it found, and its commit stores it. (PyTorch's
 * parametrizations.spectral_norm moves them, in the same order, at every access of the weight in training.)
 */

struct spectrum { gan_node *u, *v, *image; };   /* (1, outputs), (1, inputs), u' W (1, inputs) */

/* Of length 1, and a constant for gradients. */
static gan_node *unit(const struct shaping *s, gan_node *x) {
  gan_node *length = gan_sqrt(gan_sum(gan_square(x)));
  gan_node *divisor = gan_maximum(length, gan_constant(x->graph, layer_number(s->call, "spectral-epsilon")));
  return gan_stop_gradient(gan_div(x, divisor));
}

static gan_node *image_of(const struct shaping *s, gan_node *u, gan_node *matrix) {
  return gan_matmul(u, matrix, 0, s->weight->last);
}

static void iterate(const struct shaping *s, struct spectrum *p, gan_node *matrix) {
  for (int64_t i = layer_int(s->call, "iterations"); i-- > 0 && !s->call->graph->failed;) {
    p->u = unit(s, gan_matmul(p->v, matrix, 0, !s->weight->last));
    p->image = image_of(s, p->u, matrix);
    p->v = unit(s, p->image);
  }
}

static gan_node *spectral_norm(const struct shaping *s, gan_node *weight) {
  char of_u[NAME], of_v[NAME], init[INIT];
  struct gan_layer_call *c = s->call;
  part_name(of_u, s, "u");
  part_name(of_v, s, "v");
  struct spectrum p = {.u = layer_state(c, of_u, 1, &s->outputs, derived_init(init, s, "singular"))};
  derived_init(init, s, "image");
  snprintf(init + strlen(init), sizeof init - strlen(init), " by=%s", of_u);
  p.v = layer_state(c, of_v, 1, &s->inputs, init);
  p.u = gan_reshape(p.u, 2, (int64_t[]){1, s->outputs});
  p.v = gan_reshape(p.v, 2, (int64_t[]){1, s->inputs});

  gan_node *matrix = as_matrix(s, weight);
  if (c->training && !layer_assigned(c, of_u)) {
    iterate(s, &p, matrix);
    layer_assign(c, of_u, gan_reshape(p.u, 1, &s->outputs));
    layer_assign(c, of_v, gan_reshape(p.v, 1, &s->inputs));
  } else {
    p.image = image_of(s, p.u, matrix);
  }
  return gan_div(weight, gan_sum(gan_mul(p.image, p.v)));
}

/* ------------------------------------------------------------------ for layers */

gan_node *layer_weight(struct gan_layer_call *c, const struct weight *w) {
  gan_node *node = layer_parameter(c, w->name, w->rank, w->shape, w->init);
  if (node_failed(node)) return node;
  struct shaping s = {.call = c, .weight = w, .outputs = w->shape[w->last ? w->rank - 1 : 0]};
  s.inputs = node->count / s.outputs;
  if (layer_flag(c, "equalised")) node = equalise(&s, node);
  if (layer_flag(c, "weight-norm")) node = weight_norm(&s, node);
  if (layer_flag(c, "spectral-norm")) node = spectral_norm(&s, node);
  return node;
}

const char *layer_weight_init(const struct gan_layer_call *c) {
  return layer_flag(c, "equalised") && !layer_given(c, "init") ? "normal" : layer_text(c, "init");
}

static void write_bias_init(const struct gan_layer_call *c, char text[LAYER_LINE], double fan_in) {
  const char *asked = layer_text(c, "bias-init");
  char bound[32];
  format_double(bound, sizeof bound, 1 / sqrt(fan_in));
  if (layer_flag(c, "equalised") && !layer_given(c, "bias-init")) strcpy(text, "zeros");
  else if (strcmp(asked, "pytorch")) snprintf(text, LAYER_LINE, "%s", asked);
  else snprintf(text, LAYER_LINE, "uniform low=-%s high=%s", bound, bound);
}

gan_node *layer_bias(struct gan_layer_call *c, int64_t count, double fan_in) {
  char init[LAYER_LINE];
  write_bias_init(c, init, fan_in);
  return layer_parameter(c, "bias", 1, &count, init);
}
