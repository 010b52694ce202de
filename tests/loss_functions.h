/* Public functions that give one number, by name, for the fixtures and the generated tests: "huber 0.5" is gan_huber(in[0], in[1], 0.5). */
#ifndef GAN_TESTS_LOSS_FUNCTIONS_H
#define GAN_TESTS_LOSS_FUNCTIONS_H

#include "gan.h"

/* domain: what the generated tests feed it, as in ops.def. */
struct loss_function { const char *text, *domain; };

const struct loss_function *loss_function_at(int32_t index); /* NULL past the end */

/* NULL: there is none of that name. network: for those that look through one. */
gan_node *loss_function_call(const char *text, gan_network *network, int32_t count, gan_node *const *in);

#endif
