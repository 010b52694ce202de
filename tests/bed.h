/* What most tests lie in: a context of one thread whose allocator counts and fails on demand. */
#ifndef GAN_TESTS_BED_H
#define GAN_TESTS_BED_H

#include "support.h"

/* Of all contexts made here. */
extern struct allocator memory;

/* A further context on it. */
gan_context *new_context(void);

/* What a first context is made of, and such a context: memory counts from zero. */
gan_context_config fresh_config(void);
gan_context *fresh_context(void);

/* Fails the test if anything is left behind. */
void end_context(gan_context *ctx);

/* Both for cmocka: *state is a fresh context. */
int set_up(void **state);
int tear_down(void **state);

/* A finished network of the lines of a text. */
gan_network *build_network(gan_context *ctx, const char *name, const char *lines);

/* Fails the test unless the context's sentence, which `of` gave, has the part. */
void sentence_has(gan_context *ctx, const char *part, const char *of);

#endif
