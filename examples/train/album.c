#include "album.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "grid.h"
#include "idx.h"
#include "picture_file.h"
#include "resize.h"
#include "say.h"

int64_t album_margin(int64_t size) {
  return (size + 7) / 8;
}

void album_free(struct album *a) {
  free(a->memory);
  *a = (struct album){0};
}

/* Number of bytes of one picture. */
static size_t picture_size(const struct album *a) {
  return (size_t)(a->height * a->width * a->channels);
}

static int make_room(struct album *a) {
  size_t size = picture_size(a);
  a->memory = a->pixels = (size_t)a->count <= SIZE_MAX / size ? malloc((size_t)a->count * size) : NULL;
  return a->memory ? 1 : complain_memory();
}

/* The size that pictures get; where none is asked for they keep theirs. */
static void set_size(struct album *a, const struct fitting *f, int64_t height, int64_t width, int64_t channels) {
  int64_t moves = f->crop == CROP_RANDOM;
  a->height = f->height ? f->height + moves * album_margin(f->height) : height;
  a->width = f->width ? f->width + moves * album_margin(f->width) : width;
  a->channels = f->channels ? f->channels : channels;
}

/* ---------------------------------------------------------------------------------------------------------- one picture */

/* Makes a picture fit and puts it into place; what it points to is the caller's before and after. */
static int place(struct album *a, const struct fitting *f, struct picture *p, const char *path, uint8_t *target) {
  struct picture sized = {0};
  if (!picture_recolor(p, a->channels)) return 0;
  if (p->width == a->width && p->height == a->height) {
    memcpy(target, p->pixels, picture_size(a));
    return 1;
  }
  if (!f->height) {
    return complain("%s has %" PRId64 "x%" PRId64 " pixels, the pictures before it %" PRId64 "x%" PRId64 "; --size makes all alike",
                    path, p->height, p->width, a->height, a->width);
  }
  struct box part = {.width = (double)p->width, .height = (double)p->height};
  if (f->crop != CROP_NONE) part = box_in_middle(p, a->width, a->height);
  if (!picture_resize(p, &part, a->width, a->height, &sized)) return 0;
  memcpy(target, sized.pixels, picture_size(a));
  picture_free(&sized);
  return 1;
}

/* ----------------------------------------------------------------------------------------------------------------- IDX */

/* Number index of a file with axes (N,H,W) or (N,H,W,C). */
static int idx_picture(const struct idx *idx, const struct sample_format *format, int64_t index, struct picture *p) {
  int64_t size = format->height * format->width * format->channels;
  if (!picture_make(p, format->width, format->height, format->channels, (struct color){0, 0, 0})) return 0;
  memcpy(p->pixels, idx->bytes + index * size, (size_t)size);
  return 1;
}

static int copy_idx(struct album *a, const char *path, const struct fitting *f, const struct idx *idx,
                    const struct sample_format *format, struct progress_line *line) {
  int done = make_room(a);
  for (int64_t i = 0; done && i < a->count; i++) {
    struct picture p = {0};
    done = idx_picture(idx, format, i, &p) && place(a, f, &p, path, a->pixels + (size_t)i * picture_size(a));
    picture_free(&p);
    progress_count(line, "pictures", i + 1, a->count);
  }
  return done;
}

/* Where nothing is to be changed, the file's memory becomes the album's. */
static int take_idx(struct album *a, const char *path, const struct fitting *f, struct idx *idx, struct progress_line *line) {
  struct sample_format format;
  if (idx->rank < 3 || !sample_format_fit(&format, idx->rank - 1, idx->size + 1)) {
    return complain("%s holds no pictures of one or three channels", path);
  }
  a->count = idx->size[0];
  set_size(a, f, format.height, format.width, format.channels);
  if (a->height != format.height || a->width != format.width || a->channels != format.channels) {
    return copy_idx(a, path, f, idx, &format, line);
  }
  a->pixels = idx->bytes;
  a->memory = idx->memory;
  idx->memory = NULL;
  return 1;
}

static int load_idx(struct album *a, const char *path, const struct fitting *f, struct progress_line *line) {
  struct idx idx;
  if (!idx_read(path, &idx)) return 0;
  int done = take_idx(a, path, f, &idx, line);
  idx_free(&idx);
  return done;
}

/* -------------------------------------------------------------------------------------------------------------- folder */

static int read_one(struct album *a, const struct fitting *f, const char *path, uint8_t *target) {
  struct picture p = {0};
  int64_t width = f->height ? a->width : 0, height = f->height ? a->height : 0;
  int done = picture_read(path, a->channels, width, height, &p) && place(a, f, &p, path, target);
  picture_free(&p);
  return done;
}

/* The first picture says what is not asked for. */
static int look_at_first(struct album *a, const struct fitting *f, const char *path) {
  struct picture p = {0};
  if (!picture_read(path, 0, 0, 0, &p)) return 0;
  set_size(a, f, p.height, p.width, p.channels);
  picture_free(&p);
  return 1;
}

static int load_folder(struct album *a, const char *folder, const struct fitting *f, struct progress_line *line) {
  size_t count;
  char **paths = picture_list(folder, &count);
  if (!paths) return 0;
  a->count = (int64_t)count;
  int done = look_at_first(a, f, paths[0]) && make_room(a);
  for (size_t i = 0; done && i < count; i++) {
    done = read_one(a, f, paths[i], a->pixels + i * picture_size(a));
    progress_count(line, "pictures", (int64_t)i + 1, a->count);
  }
  folder_list_free(paths, count);
  return done;
}

int album_load(struct album *a, const char *path, const struct fitting *f, struct progress_line *line) {
  *a = (struct album){0};
  int done = folder_exists(path) ? load_folder(a, path, f, line) : load_idx(a, path, f, line);
  if (!done) album_free(a);
  return done;
}
