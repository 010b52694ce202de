/* Maps between the names of a network's variables and those of another program's tensors: lines of text, see gan_network_import. */
#ifndef GAN_NN_NAME_MAP_H
#define GAN_NN_NAME_MAP_H

#include "base/options.h"

enum { MAP_NAME = 512, MAP_SIZES = 4 };   /* bytes of a name with its zero; sizes of rows= and columns= */

struct map_line {
  char *ours, *theirs;                    /* at most one '*' each; "-": none; within the map's text */
  int32_t number;                         /* of the line, from 1 */
  int32_t n_order; int32_t order[GAN_MAX_RANK];             /* n_order 0: not given */
  int32_t n_rows, n_columns; int64_t rows[MAP_SIZES], columns[MAP_SIZES];
};

struct name_map {
  gan_context *ctx;
  char *text; size_t text_bytes;          /* cut up into words */
  struct map_line *lines; int64_t count, capacity;
};

/* Free with map_free, also after a failure. */
gan_status map_parse(gan_context *ctx, const char *text, struct name_map *out);
void map_free(struct name_map *m);

/* The first line for a variable, and the name of its tensor; "-" if it is left alone. NULL if there is no line. */
const struct map_line *map_find(const struct name_map *m, const char *path, char theirs[MAP_NAME]);
int32_t map_ignores(const struct name_map *m, const char *theirs);   /* a line "- = PATTERN" has it */

#endif
