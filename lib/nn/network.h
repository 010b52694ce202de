/* Networks: layers with names and wires. */
#ifndef GAN_NN_NETWORK_H
#define GAN_NN_NETWORK_H

#include "nn/layer.h"

enum { NETWORK_NAME = 64 };

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
  int32_t shared;                /* came from outside (gan_network_add_layer) */
  int32_t rank, type;            /* of its output, one sample */
  int64_t shape[GAN_MAX_RANK];
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
  gan_graph *probe;              /* graph on which layers are applied while building, to learn shapes; batch of 2 */
  gan_node **probe_values; int64_t cap_probe;
  gan_status failed;
  char error_text[ERROR_TEXT];
  int32_t finished;
};

gan_network *network_ref(gan_network *n);
void network_unref(gan_network *n);

/* Emits one application; training or evaluation. */
gan_status network_apply(gan_graph *graph, gan_network *n, int32_t training, int32_t n_in, gan_node *const *in, int32_t n_out, gan_node **out);
uint32_t network_flags(const gan_network *n);                       /* enum layer_flags of all layers */
struct variable *network_variable(gan_network *n, const char *path); /* NULL if there is none */
int32_t network_same_structure(gan_network *a, gan_network *b);     /* same inputs, variables by path and shape */

/* Structure as JSON text and back (structure.c). */
gan_status network_to_json(gan_network *n, struct text *out);
gan_status network_from_json(gan_context *ctx, const char *json, int64_t size, gan_network **out);

#endif
