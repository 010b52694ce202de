/* Pictures as they are drawn for a batch: another part of them, or mirrored, each time. */
#ifndef DRAW_H
#define DRAW_H

#include <gan.h>

#include "album.h"

/* What one draw may change. Draw number n of a training is decided by seed and n alone: a training that is resumed at draw n goes
 * on as it would have. */
struct drawing {
  int64_t height, width;  /* of the window, at most the album's */
  int32_t flip;           /* 1: mirrored left to right in one of two draws */
  int64_t seed;
  int64_t next;           /* number of the next draw */
};

/* One picture of the album as floats from -1 to 1: (height, width, channels). */
void draw_picture(const struct drawing *d, const struct album *a, int64_t index, int64_t draw, float *out);

#endif
