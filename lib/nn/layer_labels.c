/* Layers that take indices: embedding, one-hot, projection. */
#include "nn/norm.h"
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

/* ------------------------------------------------------------------ projection */

static const struct option projection_options[] = {
  {"classes", OPTION_INT, 0, 1e9, "0", "number of labels; 0: the second input is numbers (batch, width)"},
  {"bias", OPTION_FLAG, 0, 0, "yes", "adds a number to the score"},
  {"init", OPTION_TEXT, 0, 0, "pytorch", "initializer of the weight (1, columns)"},
  {"bias-init", OPTION_TEXT, 0, 0, "pytorch", "initializer of the bias; pytorch: uniform within 1/sqrt(columns)"},
  {"embedding-init", OPTION_TEXT, 0, 0, "normal", "initializer of the embedding"},
  WEIGHT_OPTIONS,
};

static gan_node *refuse_condition(struct gan_layer_call *c, const gan_node *x, const gan_node *y) {
  char text[128];
  int64_t classes = layer_int(c, "classes");
  int32_t rank = classes ? 1 : 2;
  if (y->type == (classes ? GAN_I32 : GAN_F32) && y->rank == rank && y->shape[0] == x->shape[0]) return NULL;
  return graph_fail(c->graph, GAN_ERROR_SHAPE, "expected a second input %s, came %s %s",
                    classes ? "(batch) of labels (i32)" : "(batch, width) of numbers (labels want classes=..)",
                    y->type == GAN_I32 ? "i32" : "f32", shape_text(text, sizeof text, y->rank, y->shape));
}

/* The condition as a direction in the space of the features: (batch, columns). */
static gan_node *embedded(struct gan_layer_call *c, int64_t columns, gan_node *y) {
  int64_t classes = layer_int(c, "classes"), rows = classes ? classes : y->shape[1];
  struct weight weight = {
    .name = "embedding", .init = layer_text(c, "embedding-init"), .rank = 2, .shape = (int64_t[]){rows, columns},
    .fan_in = classes ? 1 : (double)rows,
  };
  gan_node *table = layer_weight(c, &weight);
  return classes ? gan_gather(table, y) : gan_matmul(y, table, 0, 0);
}

/* <w, x> + <e, x> = <w + e, x> */
static gan_node *projection_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  const int32_t last = -1;
  gan_node *x = in[0];
  (void)n;
  if (layer_refuse(c, x, 2, GAN_MAX_RANK, "(batch, .., columns)") || refuse_condition(c, x, in[1])) return &c->graph->error;
  int64_t columns = x->shape[x->rank - 1];
  struct weight weight = {
    .name = "weight", .init = layer_weight_init(c), .rank = 2, .shape = (int64_t[]){1, columns}, .fan_in = (double)columns,
  };
  gan_node *linear = layer_weight(c, &weight), *direction = gan_add(linear, embedded(c, columns, in[1]));
  if (node_failed(direction)) return direction;
  gan_node *score = gan_sum_axes(gan_mul(x, norm_per_sample(direction, x)), 1, &last, 1);
  return layer_flag(c, "bias") ? gan_add(score, layer_bias(c, 1, (double)columns)) : score;
}

const struct layer_row layer_projection = {
  "projection", "The score of features under a condition, from=features,label: a linear map of the features and their inner "
  "product with the label's embedding, (batch, .., columns) and (batch) -> (batch, .., 1); of a continuous condition (batch, "
  "width) with y E (Miyato and Koyama 2018). weight (1, columns), embedding E (classes, columns) or (width, columns), bias (1).",
  0, 2, 2, 5 + WEIGHT_OPTION_COUNT, projection_options, projection_forward,
};
