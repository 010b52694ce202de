/* Pictures in memory, all of one size: out of an IDX file or a folder. */
#ifndef ALBUM_H
#define ALBUM_H

#include <stdint.h>

#include "progress.h"

enum crop { CROP_NONE, CROP_MIDDLE, CROP_RANDOM };

/* How pictures come to have one size. */
struct fitting {
  int64_t height, width;  /* 0, 0: they have it already */
  int64_t channels;       /* 1 grey, 3 colour, 0 as the first one */
  enum crop crop;         /* none: stretched; middle: what does not fit is cut off; random: the same, with a margin to move in */
};

struct album {
  int64_t count, height, width, channels;
  uint8_t *pixels;        /* (count, height, width, channels); points into memory */
  uint8_t *memory;        /* to be freed */
};

/* path: an IDX file or a folder of PNG and JPEG files. With CROP_RANDOM the pictures are higher and wider than asked for, by
 * album_margin. 1, or 0 after a sentence. */
int album_load(struct album *a, const char *path, const struct fitting *f, struct progress_line *line);
void album_free(struct album *a);

/* An eighth: how much higher or wider than the window a picture is that the window moves over. */
int64_t album_margin(int64_t size);

#endif
