#include "grid.h"

#include <math.h>

int sample_format_fit(struct sample_format *f, int32_t rank, const int64_t *shape) {
  int64_t side = rank == 1 ? llround(sqrt((double)shape[0])) : 0;
  if (rank == 1 && side * side != shape[0]) return 0;
  if (rank < 1 || rank > 3) return 0;
  f->height = rank == 1 ? side : shape[0];
  f->width = rank == 1 ? side : shape[1];
  f->channels = rank == 3 ? shape[2] : 1;
  return f->channels == 1 || f->channels == 3;
}

static uint8_t to_byte(const struct sample_format *f, float value) {
  double share = ((double)value - f->low) / (f->high - f->low);
  return share > 0 ? (uint8_t)lround(255 * fmin(share, 1)) : 0;
}

static void place(struct picture *p, const struct sample_format *f, const float *sample, int64_t x, int64_t y) {
  for (int64_t j = 0; j < f->height; j++) {
    uint8_t *row = p->pixels + ((y + j) * p->width + x) * p->channels;
    for (int64_t i = 0; i < f->width * f->channels; i++) row[i] = to_byte(f, *sample++);
  }
}

int grid_make(struct picture *picture, const struct sample_format *f, const float *samples, int64_t count, int64_t columns) {
  int64_t rows = (count + columns - 1) / columns, across = f->width + 1, down = f->height + 1;
  struct color grey = {96, 96, 96};
  if (!picture_make(picture, columns * across - 1, rows * down - 1, f->channels, grey)) return 0;
  for (int64_t i = 0; i < count; i++) {
    place(picture, f, samples + i * f->height * f->width * f->channels, i % columns * across, i / columns * down);
  }
  return 1;
}
