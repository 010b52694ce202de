/* The insides of a recipe's common part; recipes do not see them. */
#ifndef PARTS_H
#define PARTS_H

#include "recipe.h"

enum { PARTS = 16, ROWS = 12 };

struct shown { const char *step; gan_node *node; char name[24]; };

struct recipe {
  const struct recipe_card *card;
  const char *folder, *out; /* where Fashion-MNIST lies; the picture */
  int64_t steps, seed, threads;
  int32_t help;
  double began;             /* CPU seconds of the process */
  gan_context *context;
  gan_game *game;
  gan_tensor *images, *labels;  /* (60000,SIDE,SIDE,1), u8; (60000), i32 */
  gan_data *clothes, *held_out;
  gan_network *networks[PARTS], *sampled; /* sampled: one of them or NULL */
  gan_optimizer *optimizers[PARTS];
  gan_loss *losses[PARTS];
  gan_data *sources[PARTS];
  struct shown shown[ROWS];
  int32_t n_networks, n_optimizers, n_losses, n_sources, n_shown, n_figures;
};

void need(const struct recipe *r, gan_status status, const char *doing); /* ends the program after a sentence if it failed */
void need_room(int32_t count, int32_t capacity, const char *of);         /* the same where a recipe makes too much */
double cpu_seconds(void);

void load_clothes(struct recipe *r);
void write_picture(struct recipe *r);

void run_steps(struct recipe *r, gan_game *game, const char *step, int64_t count); /* of any game, with the progress line */

#endif
