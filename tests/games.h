/* Small players and data for the tests of losses, optimizers, games and trainers. What they make is the caller's to free. */
#ifndef GAN_TESTS_GAMES_H
#define GAN_TESTS_GAMES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gan.h"
#include "support.h"

/* Deterministic, with that many threads; a NULL allocator is the C library's. */
gan_context *make_context(struct allocator *a, int32_t threads);

/* A network from one input "x" or "z" of two numbers and lines of gan_network_build. */
gan_network *make_network(gan_context *ctx, const char *name, const char *lines);
gan_network *make_generator(gan_context *ctx);        /* z 4 -> 2, with a batch norm */
gan_network *make_discriminator(gan_context *ctx);    /* x 2 -> 1 */

/* Points (count, 2) around (2, -1) with deviations 0.5 and 0.25, in the slot "point". */
gan_data *make_points(gan_context *ctx, int64_t count);

/* The sentence of the last failure has `part` in it. */
void assert_sentence(gan_context *ctx, const char *part);

/* All variables of a network as one array of floats; release with free(). */
float *copy_weights(gan_network *network, int64_t *count);

/* A tensor of f32 with these elements. */
gan_tensor *make_tensor(gan_context *ctx, int32_t rank, const int64_t *shape, const float *values);

/* Value of an output. */
double value_of(gan_game *game, const char *step, const char *output);

/* A game with one step "s" to be built. Its context has two layers:
 * "counting": x times a parameter "w" of two numbers; its state "n" counts the applications that were committed.
 * "tally": twice x; only the state. */
struct table { gan_context *ctx; gan_game *game; gan_graph *graph; };
struct table table_open(void);
void table_fill(struct table *t);                    /* the same on a context that is there already */
void table_close(struct table *t);

gan_optimizer *make_optimizer(gan_context *ctx, const char *name, const char *text, gan_network *n, const char *pattern);
gan_node *input2(struct table *t, const char *name);                   /* (1, 2) */
void bind2(struct table *t, const char *name, float a, float b);
gan_node *apply(gan_network *n, gan_node *x);                          /* the sum of the output */
double number(struct table *t, gan_network *n, const char *path);      /* a variable of one number, of two */
void pair(struct table *t, gan_network *n, const char *path, double out[2]);

#endif
