/* gan_trainer: the usual two-player game, ready made. */
#ifndef GAN_TRAIN_TRAINER_H
#define GAN_TRAIN_TRAINER_H

#include "train/game.h"
#include "train/loss.h"

struct gan_trainer {
  atomic_int refs;
  gan_context *ctx;
  gan_network *generator, *discriminator, *average;   /* average: NULL without EMA */
  gan_data *data;
  gan_loss *loss, *penalty;                           /* penalty: NULL without one */
  gan_optimizer *optimizer_d, *optimizer_g;
  gan_game *game;
  struct game_step *step_d, *step_dg;                 /* the game's */
  gan_sampler *sampler;                               /* NULL before the first sample */
  int32_t image;                                      /* slot of the data that goes to D */
  int32_t d_steps, fresh_noise;
  int64_t steps, progress_every;
  double ema, instance_noise;
  gan_progress_function progress;
  void *progress_user;
  struct stopwatch { double started, last, per_step; int64_t timed; } watch;
};

/* trainer_build.c: the graph of "D", or with `both` of "DG". Errors stay in the graph. */
void trainer_build(gan_trainer *t, gan_graph *g, int32_t both);

/* trainer_reference.c: an input's part of the reference batch, a constant: the first samples of a slot, or (-1) one draw. */
gan_node *trainer_reference(const gan_trainer *t, gan_graph *g, gan_network *n, int32_t input, int32_t slot);

/* trainer_run.c */
void trainer_progress(const gan_trainer *t, gan_progress *out);

#endif
