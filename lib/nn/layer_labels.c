/* Layers that take indices: embedding, one-hot. */
#include "nn/weight.h"

static gan_node *refuse_floats(struct gan_layer_call *c, const gan_node *x) {
  if (x->type == GAN_I32) return NULL;
  return graph_fail(c->graph, GAN_ERROR_ARGUMENT, "expected indices (i32): an input with classes=..; came f32");
}

static const struct option embedding_options[] = {
  {"classes", OPTION_INT, 1, 1e9, NULL, "rows of the table"},
  {"width", OPTION_INT, 1, 1e9, NULL, "columns of the table"},
  {"init", OPTION_TEXT, 0, 0, "normal", "initializer of the table"},
  WEIGHT_OPTIONS,
};

static gan_node *embedding_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  if (refuse_floats(c, in[0])) return &c->graph->error;
  struct weight weight = {
    .name = "weight", .init = layer_weight_init(c), .rank = 2,
    .shape = (int64_t[]){layer_int(c, "classes"), layer_int(c, "width")}, .fan_in = 1,
  };
  return gan_gather(layer_weight(c, &weight), in[0]);
}

const struct layer_row layer_embedding = {
  "embedding", "A learnt row for each class: (batch, ..) i32 -> (batch, .., width). weight (classes, width).",
  0, 1, 1, 3 + WEIGHT_OPTION_COUNT, embedding_options, embedding_forward,
};

static const struct option one_hot_options[] = {{"classes", OPTION_INT, 1, 1e9, NULL, "width of the output"}};

static gan_node *one_hot_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  if (refuse_floats(c, in[0])) return &c->graph->error;
  return gan_one_hot(in[0], layer_int(c, "classes"));
}

const struct layer_row layer_one_hot = {
  "one-hot", "1 at the index, 0 elsewhere: (batch, ..) i32 -> (batch, .., classes).",
  0, 1, 1, 1, one_hot_options, one_hot_forward,
};
