/* A training run: progress, pictures and curves, checkpoints, a clean stop. */
#ifndef RUN_H
#define RUN_H

#include "dataset.h"
#include "game.h"
#include "history.h"
#include "progress.h"
#include "settings.h"

struct run {
  gan_context *context;
  const struct settings *settings;
  struct dataset dataset;
  struct game game;
  struct history history;
  struct progress_line line;
  int64_t epoch;   /* finished epochs */
  int32_t out_of_time;
};

/* Loads the data, makes or restores the game, prepares the folder. 1, or 0 after a sentence. */
int run_begin(struct run *run, gan_context *context, const struct settings *settings);

/* Trains until the end, Ctrl-C or a failure, and saves. 1, or 0 after a sentence. */
int run_train(struct run *run);
void run_free(struct run *run);

#endif
