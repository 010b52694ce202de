/* The two networks and their trainer, as the settings say. */
#ifndef GAME_H
#define GAME_H

#include <gan.h>

#include "dataset.h"
#include "settings.h"

struct game {
  gan_network *generator, *discriminator, *network;   /* network: what losses look through; NULL: none */
  gan_trainer *trainer;
  int64_t steps;          /* at which training ends; NO_END if only time ends it */
  gan_trainer_config config;
};

#define NO_END ((int64_t)1 << 40)

/* 1, or 0 after a sentence. progress and user go to the trainer. */
int game_make(struct game *g, gan_context *context, const struct settings *s, const struct dataset *d,
              gan_progress_function progress, void *user);
void game_free(struct game *g);

#endif
