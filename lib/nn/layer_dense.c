/* dense: y = x W' + b on the last axis. */
#include "nn/layer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct option dense_options[] = {
  {"units", OPTION_INT, 1, 1e9, NULL, "output width"},
  {"bias", OPTION_FLAG, 0, 0, "yes", "adds a vector"},
  {"init", OPTION_TEXT, 0, 0, "pytorch", "initializer of the weight (units, inputs)"},
  {"bias-init", OPTION_TEXT, 0, 0, "pytorch", "initializer of the bias; pytorch: uniform within 1/sqrt(inputs)"},
};

/* PyTorch draws the bias by the fan-in of the weight, which the bias itself does not show. */
static void write_bias_init(char *text, size_t size, const char *asked, int64_t inputs) {
  if (strcmp(asked, "pytorch")) {
    snprintf(text, size, "%s", asked);
    return;
  }
  char bound[32];
  format_double(bound, sizeof bound, 1 / sqrt((double)inputs));
  snprintf(text, size, "uniform low=-%s high=%s", bound, bound);
}

static gan_node *dense_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  gan_node *x = in[0];
  char text[128];
  if (x->type != GAN_F32 || x->rank < 2) {
    return graph_fail(c->graph, GAN_ERROR_SHAPE, "expected f32 of shape (batch, .., inputs), came %s%s",
                      x->type == GAN_F32 ? "" : "i32 ", shape_text(text, sizeof text, x->rank, x->shape));
  }
  int64_t inputs = x->shape[x->rank - 1], units = layer_int(c, "units");
  gan_node *weight = layer_parameter(c, "weight", 2, (int64_t[]){units, inputs}, layer_text(c, "init"));
  gan_node *y = gan_matmul(x, weight, 0, 1);
  if (!layer_flag(c, "bias")) return y;
  char init[LAYER_LINE];
  write_bias_init(init, sizeof init, layer_text(c, "bias-init"), inputs);
  return gan_add(y, layer_parameter(c, "bias", 1, &units, init));
}

const struct layer_row layer_dense = {
  "dense", "y = x W' + b on the last axis: (batch, .., inputs) -> (batch, .., units). weight (units, inputs), bias (units), as "
  "PyTorch's Linear.",
  0, 1, 1, 4, dense_options, dense_forward,
};
