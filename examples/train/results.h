/* What a run leaves in its folder. Every file is whole at any time. */
#ifndef RESULTS_H
#define RESULTS_H

#include "run.h"

#define RESULTS_CHECKPOINT "checkpoint.safetensors"
#define RESULTS_GENERATOR "generator.safetensors"
#define RESULTS_DISCRIMINATOR "discriminator.safetensors"
#define RESULTS_CURVES "curves.csv"
#define RESULTS_PLOT "curves.png"
#define RESULTS_SAMPLES "samples.png"

/* Checkpoint, networks and curves. 1, or 0 after a sentence. */
int results_save(const struct run *run);

/* A grid of samples of the same noise each time, as samples.png and, for an epoch >= 0, as epoch-0001.png too. */
int results_picture(const struct run *run, int64_t epoch);

#endif
