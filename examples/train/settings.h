/* What gan-train is told: on the command line, and with --resume by the settings that the run was begun with. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdint.h>

struct settings {
  const char *data, *labels;                         /* file or folder; NULL: none */
  const char *model, *generator, *discriminator;     /* preset, or files with lines */
  const char *network;                               /* saved, for losses; NULL: none */
  const char *loss, *penalty, *devices, *optimizer, *optimizer_d, *optimizer_g; /* NULL: the model's */
  int64_t latent, batch, d_steps, steps, threads, seed, every, log_every; /* latent, batch, d_steps, steps: 0 if not given */
  double epochs, seconds, ema, instance_noise;       /* epochs, seconds: 0 if not given; ema: -1 if not given */
  int64_t size[2];                                   /* height, width of the images; 0, 0: as they are */
  const char *crop;                                  /* NULL: stretched */
  int32_t flip, gray, color;
  int64_t grid[2];                                   /* columns, rows */
  const char *out, *describe;
  int32_t fresh_noise, deterministic, resume, overwrite, quiet, list, version, help;
  char *kept;                                        /* memory of the texts that were read from a file */
};

/* Reads the command line and, if it says --resume, the folder's settings. 1, or 0 after a sentence. */
int settings_read(struct settings *s, int argc, char **argv);

/* Writes what was given to the folder, for --resume. 1, or 0 after a sentence. */
int settings_write(const struct settings *s);

void settings_help(struct settings *s);
void settings_free(struct settings *s);

#endif
