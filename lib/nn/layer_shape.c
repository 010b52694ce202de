/* Layers that move elements without changing them: flatten, reshape, concat. */
#include "nn/layer.h"

#include <string.h>

static gan_node *refuse_scalar(struct gan_layer_call *c, const gan_node *x) {
  return x->rank ? NULL : graph_fail(c->graph, GAN_ERROR_SHAPE, "expected (batch, ..), came one number");
}

static gan_node *flatten_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  gan_node *x = in[0];
  if (refuse_scalar(c, x)) return &c->graph->error;
  int64_t batch = x->shape[0];
  return gan_reshape(x, 2, (int64_t[]){batch, x->count / batch});
}

const struct layer_row layer_flatten = {"flatten", "(batch, ..) -> (batch, all).", 0, 1, 1, 0, NULL, flatten_forward};

/* ------------------------------------------------------------------ reshape */

static const struct option reshape_options[] = {{"shape", OPTION_TEXT, 0, 0, NULL, "of one sample, \"28x28x1\""}};

static gan_node *reshape_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  gan_node *x = in[0];
  if (refuse_scalar(c, x)) return &c->graph->error;
  int64_t shape[GAN_MAX_RANK], full[GAN_MAX_RANK] = {x->shape[0]}, count = 1;
  int32_t rank;
  const char *text = layer_text(c, "shape"), *end;
  if (!parse_shape(text, &end, &rank, shape) || *end || rank >= GAN_MAX_RANK) {
    return graph_fail(c->graph, GAN_ERROR_ARGUMENT, "'%s' is no shape of a sample: \"28x28x1\", at most %d sizes", text,
                      GAN_MAX_RANK - 1);
  }
  memcpy(full + 1, shape, (size_t)rank * sizeof *shape);
  for (int32_t i = 0; i < rank; i++) count *= shape[i];
  char came[128];
  if (x->count / x->shape[0] != count) {
    return graph_fail(c->graph, GAN_ERROR_SHAPE, "expected %lld numbers a sample for %s, came %s", (long long)count, text,
                      shape_text(came, sizeof came, x->rank, x->shape));
  }
  return gan_reshape(x, rank + 1, full);
}

const struct layer_row layer_reshape = {
  "reshape", "The same numbers in another shape of a sample.", 0, 1, 1, 1, reshape_options, reshape_forward,
};

/* ------------------------------------------------------------------ concat */

static const struct option concat_options[] = {{"axis", OPTION_INT, -7, 7, "-1", "along which; axis 0 is the batch"}};

static gan_node *concat_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  int32_t axis = (int32_t)layer_int(c, "axis");
  if (axis == 0 || axis == -in[0]->rank) return graph_fail(c->graph, GAN_ERROR_ARGUMENT, "concat along axis 0, the batch");
  return gan_concat(n, in, axis);
}

const struct layer_row layer_concat = {
  "concat", "Several inputs joined along an axis: concat from=a,b.", 0, 1, -1, 1, concat_options, concat_forward,
};
