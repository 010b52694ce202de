/* gan_trainer: the usual two-player game, ready made. */
#ifndef GAN_TRAIN_TRAINER_H
#define GAN_TRAIN_TRAINER_H

#include "train/device.h"
#include "train/game.h"
#include "train/loss.h"

/* A loss or a penalty. One that is taken every so many steps has a step of its own, after the others. */
struct trainer_term { gan_loss *loss; int64_t every; struct game_step *step; };

enum { TERMS_MAX = 24 };

struct gan_trainer {
  atomic_int refs;
  gan_context *ctx;
  gan_network *generator, *discriminator, *average;   /* average: NULL without one */
  gan_network **networks; int32_t n_networks;         /* that losses look through */
  gan_data *data;
  struct trainer_term terms[TERMS_MAX]; int32_t n_terms;   /* the first is the loss of the scores */
  struct devices devices;
  gan_optimizer *optimizer_d, *optimizer_g;
  gan_game *game;
  struct game_step *step_d, *step_g;                  /* the game's; step_g is "DG", or "G" where gradients are accumulated */
  gan_sampler *sampler;                               /* NULL before the first sample */
  int32_t image;                                      /* slot of the data that goes to D */
  int32_t d_steps, fresh_noise;
  int32_t joint;                                      /* D's last update and G's are one phase */
  int64_t pack;                                       /* samples that D judges together */
  int64_t steps, progress_every;
  int64_t settled;                                    /* steps that were done when statistics were measured; -1: never */
  gan_progress_function progress;
  void *progress_user;
  struct stopwatch { double started, last, per_step; int64_t timed; } watch;
};

/* trainer_config.c: the caller's config (NULL: none) over the defaults, checked. */
gan_status trainer_config(gan_context *ctx, const gan_trainer_config *config, gan_trainer_config *out);
/* trainer_parts.c: makes everything that the config asks for, up to the prepared game. */
gan_status trainer_fill(gan_trainer *t, const gan_trainer_config *c);
/* G's first input is noise, unless the data has a slot of its name (an image that becomes another one). */
int32_t trainer_draws_first(const gan_trainer *t);

enum trainer_phases { TRAINER_D = 1, TRAINER_G = 2 };

/* trainer_build.c: the graph of a step with D's phase, G's phase, or both. Errors stay in the graph. */
void trainer_build(gan_trainer *t, gan_graph *g, int32_t phases);
/* The same of one term alone. */
void trainer_build_term(gan_trainer *t, gan_graph *g, const struct trainer_term *term);

/* trainer_scene.c: what a step shows to its losses. */
enum { PORTS_MAX = 16 };

struct scene {
  gan_trainer *t;
  gan_graph *g;
  gan_scene view;
  gan_node *inputs[PORTS_MAX], *conditions[PORTS_MAX];
  gan_node *fake_conditions[PORTS_MAX];                                           /* of past samples: what they had */
  gan_node *real_outputs[PORTS_MAX], *fake_outputs[PORTS_MAX];
  gan_node *made, *told;                                                          /* what G made, before any device; its labels */
  gan_node *moved;                                                                /* latent-optimisation: mean |step|^2, or NULL */
  struct reference { gan_node *in[PORTS_MAX]; } of_generator, of_discriminator;   /* batches that stay the same */
};

void scene_open(struct scene *s, gan_trainer *t, gan_graph *g);   /* real and generated samples */
void scene_judge(struct scene *s);                                /* D's outputs of both */
void scene_refresh(struct scene *s);                              /* for G's phase: new noise if asked for, D as it is then */
int32_t scene_is_shared(const struct scene *s);                   /* G's phase may look at what D's looked at */
gan_node *scene_score(const struct scene *s, int32_t real);       /* as the first loss takes them; high ones mean real */

/* trainer_reference.c: an input's part of the reference batch, a constant: the first samples of a slot, or (-1) one draw. */
gan_node *trainer_reference(const gan_trainer *t, gan_graph *g, gan_network *n, int32_t input, int32_t slot);

/* trainer_run.c */
int64_t trainer_steps_done(const gan_trainer *t);
void trainer_progress(const gan_trainer *t, gan_progress *out);

/* trainer_sample.c: standing statistics, if the device is asked for. */
gan_status trainer_settle(gan_trainer *t);

#endif
