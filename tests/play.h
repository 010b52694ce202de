/* A trainer of two players on a data source, with all that it is made of. Each test has its own way of opening one. */
#ifndef GAN_TESTS_PLAY_H
#define GAN_TESTS_PLAY_H

#include "games.h"

struct play { gan_context *ctx; gan_network *g, *d; gan_data *data; gan_trainer *t; gan_trainer_config c; };

/* The trainer of p->c; so many steps of it; everything freed. */
void play_start(struct play *p);
void play_on(struct play *p, int steps);
void play_close(struct play *p);

/* The trainer, one step of it and two samples, with allocation number `at` from now on failing (from 0), and all behind it if
 * for_ever; fails the test unless the failure comes out as one, and nothing is left once all is freed. 1 if there was such an
 * allocation. */
int play_without_memory(struct play *p, struct allocator *a, int64_t at, int32_t for_ever, float *samples);

#endif
