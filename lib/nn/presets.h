/* Presets: a game from the literature by name. Everything in them is text that a user could have written. */
#ifndef GAN_NN_PRESETS_H
#define GAN_NN_PRESETS_H

#include "base/options.h"

struct preset {
  const char *name, *help;          /* help names the source */
  const char *generator;            /* lines of gan_network_build with {latent}, {size} ("28x28x1") and {pixels} ("784") */
  const char *discriminator;
  const char *loss, *penalty, *optimizer_d, *optimizer_g;   /* penalty may be NULL */
  int64_t batch, latent;
  int32_t d_steps;
  double ema;
  const char *size;                 /* of a sample, if the caller names none */
};

int32_t preset_count(void);
const struct preset *preset_at(int32_t index);              /* NULL past the end */
const struct preset *preset_find(const char *name);         /* '_' stands for '-' too; NULL if there is none */

/* Options that every preset takes: latent, size. */
extern const struct option preset_options[];
extern const int32_t preset_option_count;

#endif
