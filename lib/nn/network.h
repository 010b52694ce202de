/* Networks: layers with names and wires. */
#ifndef GAN_NN_NETWORK_H
#define GAN_NN_NETWORK_H

#include "nn/layer.h"

enum {
  NETWORK_NAME = 64,
  NETWORK_LAYERS = 4096,         /* of one network */
  NETWORK_APPLICATIONS = 4096,   /* of layers, in one application of the network, with all that is nested */
  NETWORK_DEPTH = 16,            /* networks within networks */
  NETWORK_FROM = 64,             /* inputs of one layer */
};

struct network_port {
  char name[NETWORK_NAME];
  struct gan_port info;
  int32_t noise_kind;            /* enum random_kind; inputs */
  double noise_x, noise_y;
  int32_t from;                  /* outputs: value index */
};

/* Values are numbered: inputs first, then the layers' outputs in the order they were added. */
struct network_layer {
  char name[NETWORK_NAME];       /* unique within the network; "dense1" */
  gan_layer *layer;              /* kept */
  int32_t *from; int32_t n_from; /* value indices */
  int32_t rank, type;            /* of its output, one sample */
  int64_t shape[GAN_MAX_RANK];
  int64_t flops;                 /* of matrix products, one sample */
};

struct network_variable { char *path; struct variable *variable; };

struct gan_network {
  atomic_int refs;
  gan_context *ctx;
  char *name;
  struct network_port *inputs; int64_t n_inputs, cap_inputs;
  struct network_layer *layers; int64_t n_layers, cap_layers;
  struct network_port *outputs; int64_t n_outputs, cap_outputs;
  struct network_variable *variables; int64_t n_variables, cap_variables;   /* parameters first, then state; filled by finish */
  int32_t last;                  /* value that was added last; -1: none */
  int32_t depth;                 /* 1: no networks in it */
  int64_t applications;
  int64_t *backed;               /* as in struct gan_layer_call, while a file is being loaded */
  gan_status failed;
  char error_text[ERROR_TEXT];
  int32_t finished;
};

/* name: copied, any text; the public function takes names only. */
gan_status network_new(gan_context *ctx, const char *name, gan_network **out);
gan_network *network_ref(gan_network *n);
void network_unref(gan_network *n);

/* Sticky failure of the building. */
void network_fail(gan_network *n, gan_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A handle that came as NULL: the sentence of what made it NULL, if there is one. */
void network_fail_null(gan_network *n, const char *function, const char *parameter);
/* finish: also its failure, with the sentence in the network's context. For functions that use a network. */
gan_status network_ready(gan_network *n);

/* Emits one application; training or evaluation. */
gan_status network_check_inputs(gan_graph *graph, gan_network *n, int32_t n_in, gan_node *const *in);   /* fails the graph */
gan_status network_apply(gan_graph *graph, gan_network *n, int32_t training, int32_t n_in, gan_node *const *in, int32_t n_out,
                         gan_node **out);
uint32_t network_flags(const gan_network *n);                       /* enum layer_flags of all layers */
struct variable *network_variable(gan_network *n, const char *path); /* NULL if there is none */
int32_t network_same_structure(gan_network *a, gan_network *b);     /* same inputs and outputs, variables by path and shape */
int32_t network_input(const gan_network *n, const char *name);      /* index, or -1 */

/* An input that is fed noise in training is noise in samplers and files too: floats of role data become normal noise. */
void network_feed_noise(gan_network *n, int32_t input);

/* Building with everything resolved: what text, and files, come down to. Sticky. */
void network_add_input(gan_network *n, const struct network_port *port);
void network_add_layer(gan_network *n, gan_layer *layer, const char *name, int32_t n_from, const int32_t *from);
void network_add_output(gan_network *n, const char *name, int32_t from);
int32_t network_value(const gan_network *n, const char *name);      /* index of an input's or layer's value, or -1 */
void network_path(const gan_network *n, const char *layer, char path[LAYER_PATH]);   /* "G/dense1" */
const char *network_value_name(const gan_network *n, int32_t value);
void network_describe(const gan_network *n, int32_t value, gan_port *info);     /* type and sizes of one sample */
void network_probe(gan_network *n, struct network_layer *l);        /* what a layer puts out: fills rank, type, shape, flops */

/* Structure as JSON text and back. */
struct json;
gan_status network_to_json(gan_network *n, struct text *out);
gan_status network_from_json(gan_context *ctx, const char *json, int64_t size, gan_network **out);
/* name: instead of the one in the structure, NULL ok; backed: as in struct gan_layer_call. The values are then to be filled. */
gan_status network_from_tree(gan_context *ctx, const struct json *root, const char *name, int64_t *backed, gan_network **out);

#endif
