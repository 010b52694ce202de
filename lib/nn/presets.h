/* Presets: a game from the literature by name. Everything in them is text that a user could have written. */
#ifndef GAN_NN_PRESETS_H
#define GAN_NN_PRESETS_H

#include "base/options.h"

/* Networks are lines of gan_network_build in which {..} stands for a number or, {size}, for the sizes of a sample ("28x28x1"). A
 * number is made of whole numbers and the words
 *   latent    width of the noise
 *   pixels    numbers in a sample
 *   filters   how wide convolutions are
 *   height width channels    of a sample of three axes
 * with * and / between them, from left to right: {height/4*width/4*filters*8}. What does not divide evenly is refused. */
struct preset {
  const char *name, *help;          /* help names the source */
  const char *generator, *discriminator;
  const char *loss, *penalty, *optimizer_d, *optimizer_g;   /* penalty may be NULL */
  int64_t batch, latent;
  int64_t filters;                  /* 0: the networks have none */
  int64_t multiple;                 /* height and width of images are multiples of it; 0: samples of any shape */
  int32_t d_steps, fresh_noise;
  double ema;
  const char *size;                 /* of a sample, if the caller names none */
};

#define PRESET(name) extern const struct preset preset_##name;
#include "nn/presets.def"
#undef PRESET

int32_t preset_count(void);
const struct preset *preset_at(int32_t index);              /* NULL past the end */
const struct preset *preset_find(const char *name);         /* '_' stands for '-' too; NULL if there is none */

/* Options that every preset takes: size, latent, filters. */
extern const struct option preset_options[];
extern const int32_t preset_option_count;

#endif
