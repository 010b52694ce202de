/* Layers that are made of layers: a small network that the layer builds from its options when it meets its first input. */
#ifndef GAN_NN_COMPOSE_H
#define GAN_NN_COMPOSE_H

#include "nn/network.h"

/* What a row's builder works on. Its network has the inputs "x" and, of two, "condition". */
struct composition {
  const struct gan_layer_call *call;
  gan_network *network;
  gan_node *const *in;
  int32_t n_in;
};

/* Applies the layer's network, which `build` fills at the first application. For forward functions. */
gan_node *layer_compose(struct gan_layer_call *c, int32_t n, gan_node *const *in, void (*build)(struct composition *m));

/* One line of gan_network_add. Sticky. */
void compose_add(struct composition *m, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* " key=(value)" for each of the options that stands in the layer's own text, to be handed down. */
enum { COMPOSE_OPTIONS = 512 };
void compose_given(const struct composition *m, int32_t count, const char *const *names, char text[COMPOSE_OPTIONS]);

#endif
