/* The cases that are more than a generator and a discriminator of one input each, defined as in peers/torch_games.py. */
#ifndef BENCH_GAMES_H
#define BENCH_GAMES_H

#include "cases.h"

enum { PLAY_NETWORKS = 4, PLAY_OPTIMIZERS = 3, PLAY_INPUTS = 8 };

/* A game while its step is built. */
struct play {
  gan_graph *step;
  int64_t batch;
  int given; /* 1: noise and conditions are inputs, and nothing is dropped, so that a step can be computed elsewhere, too */
  gan_network *networks[PLAY_NETWORKS];
  gan_optimizer *optimizers[PLAY_OPTIMIZERS];
  struct { const char *name; gan_node *node; } inputs[PLAY_INPUTS];
  int n_inputs;
};

struct bench_play {
  const char *networks[PLAY_NETWORKS];
  int optimized[PLAY_OPTIMIZERS]; /* bit i: the optimizer has network i; losses are the outputs "loss1" .. in this order */
  void (*build)(struct play *p);
  int gentle; /* 1: losses are compared under an Adam that does not blow rounding up */
};

extern const struct bench_play play_cgan, play_acgan, play_infogan, play_pix2pix, play_cyclegan, play_projection;

/* Reports to standard error and returns 0 if something fails. given: every weight and input by formula. */
int bench_play_make(struct bench_game *b, const struct bench_case *c, int threads, int given);

/* Three steps from weights and inputs that a formula gives (peers/torch_games.py has the same): a line of losses for each. */
int bench_losses(const struct bench_case *c, int threads);

#endif
