/* Layers: a row of layers.def, its options, its variables. A layer's forward function emits nodes; nobody writes a backward. */
#ifndef GAN_NN_LAYER_H
#define GAN_NN_LAYER_H

#include "base/options.h"
#include "graph/graph.h"

enum layer_flags {
  LAYER_COUPLES = 1,       /* training output of one sample depends on the others of the batch */
  LAYER_RANDOM = 2,        /* draws random numbers in training */
  LAYER_MIXES = 4,         /* its output in evaluation, too, depends on the others of the batch: samplers refuse it */
  LAYER_REFERENCE = 8,     /* in training its first application in a phase is a reference batch's */
};

enum {
  LAYER_LINE = 1024,       /* bytes of a layer's text with its zero */
  LAYER_PATH = 256,        /* bytes of a path with its zero */
};

/* One application of a layer. */
struct gan_layer_call {
  gan_graph *graph;
  gan_layer *layer;
  int32_t training;
  int32_t application;     /* how often this layer was applied to this graph before */
  int64_t *backed;         /* a file is being loaded: numbers that it still has for new variables; NULL: draw initial values */
};

struct layer_row {
  const char *name, *help;
  uint32_t flags;
  int32_t min_inputs, max_inputs;                 /* -1: any */
  int32_t n_options;
  const struct option *options;
  gan_node *(*forward)(struct gan_layer_call *call, int32_t n, gan_node *const *in);
};

/* Of the layer replay, and of the trainer's device. */
extern const struct option replay_options[2];

#define LAYER(name) extern const struct layer_row layer_##name;
#include "nn/layers.def"
#undef LAYER

/* All of them, in the order of layers.def; by name, where '_' stands for '-' too. NULL: past the end, or none. */
int32_t layer_count(void);
const struct layer_row *layer_at(int32_t index);
const struct layer_row *layer_find(const char *name);

struct gan_layer {
  atomic_int refs;
  gan_context *ctx;
  const struct layer_row *row;                    /* NULL: custom or network */
  const struct registered *custom;
  struct gan_network *network;                    /* a network used as a layer, or what a layer is made of (compose.h); kept */
  char *text;                                     /* as given, without name= and from=; NULL: a network */
  char *path;                                     /* "G/dense1": seeds initial values and masks; NULL: not yet known */
  int32_t applied;                                /* all variables are made */
  struct options options;
  struct variable **variables; int64_t n_variables, cap_variables;   /* parameters and state, in order of creation */
};

gan_layer *layer_ref(gan_layer *l);
void layer_unref(gan_layer *l);
/* text may not contain name= or from=. path: copied; NULL: the first network or application names it. */
gan_status layer_new(gan_context *ctx, const char *text, const char *path, gan_layer **out);
gan_status layer_of_network(struct gan_network *part, gan_layer **out);
gan_status layer_set_path(gan_layer *l, const char *path);      /* if it has none yet */
const char *layer_local_name(const gan_layer *l, const struct variable *v);   /* "weight" */

/* Emits one application. The layer's variables are made at the first one. */
gan_node *layer_apply(gan_graph *graph, gan_layer *layer, int32_t training, int32_t n, gan_node *const *in);
gan_node *layer_apply_backed(gan_graph *graph, gan_layer *layer, int32_t training, int64_t *backed, int32_t n,
                             gan_node *const *in);
int32_t layer_is_network(const gan_layer *layer); /* gan_network_add_network made it: it has no text */
uint32_t layer_flags(const gan_layer *layer);     /* of networks: of all layers in it; custom layers: both */

/* For forward functions. */
gan_node *layer_parameter(struct gan_layer_call *c, const char *name, int32_t rank, const int64_t *shape, const char *init);
gan_node *layer_state(struct gan_layer_call *c, const char *name, int32_t rank, const int64_t *shape, const char *init);
void layer_assign(struct gan_layer_call *c, const char *name, gan_node *value);
int32_t layer_assigned(struct gan_layer_call *c, const char *name);   /* 1: an application of this phase gave the state a value */
gan_node *layer_random(struct gan_layer_call *c, const char *name, int32_t kind, double x, double y, int32_t rank,
                       const int64_t *shape);
/* NULL if x is f32 of least .. most axes; else the error node, after "expected f32 of shape SHAPE, came 3x4". */
gan_node *layer_refuse(struct gan_layer_call *c, const gan_node *x, int32_t least, int32_t most, const char *shape);
double layer_number(const struct gan_layer_call *c, const char *name);
int64_t layer_int(const struct gan_layer_call *c, const char *name);
int32_t layer_flag(const struct gan_layer_call *c, const char *name);
const char *layer_text(const struct gan_layer_call *c, const char *name);
int32_t layer_given(const struct gan_layer_call *c, const char *name);   /* 1: the option stands in the layer's text */

#endif
