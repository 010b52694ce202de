/* Functions of nodes by name, for the fixtures: "huber 0.5" is gan_huber(in[0], in[1], 0.5). */
#ifndef GAN_TESTS_LOSS_FUNCTIONS_H
#define GAN_TESTS_LOSS_FUNCTIONS_H

#include "gan.h"

/* NULL: there is none of that name, or it wants another number of nodes. */
gan_node *loss_function(const char *text, int32_t count, gan_node *const *in);

#endif
