#include "resize.h"

#include <math.h>
#include <stdlib.h>

#include "say.h"

struct box box_in_middle(const struct picture *p, int64_t width, int64_t height) {
  double scale = fmin((double)p->width / (double)width, (double)p->height / (double)height);
  struct box b = {.width = scale * (double)width, .height = scale * (double)height};
  b.x = ((double)p->width - b.width) / 2;
  b.y = ((double)p->height - b.height) / 2;
  return b;
}

/* ------------------------------------------------------------------------------------------------------------- one axis */

/* What each pixel of the result takes from the picture: `taps` weights from pixel `first` on. */
struct axis {
  int64_t taps, *first;
  float *weights; /* (size, taps) */
};

static int64_t limit(int64_t value, int64_t low, int64_t high) {
  return value < low ? low : value > high ? high : value;
}

/* Weights of one pixel, whose middle is at `middle` of the picture: a triangle, cut off at the edges, with sum 1. */
static void weigh(float *weights, int64_t taps, int64_t first, double middle, double reach) {
  double sum = 0;
  for (int64_t t = 0; t < taps; t++) {
    double weight = fmax(0, 1 - fabs((double)(first + t) + 0.5 - middle) / reach);
    weights[t] = (float)weight;
    sum += weight;
  }
  for (int64_t t = 0; t < taps; t++) weights[t] = (float)(weights[t] / sum);
}

static int axis_make(struct axis *a, int64_t from, double begin, double length, int64_t size) {
  double step = length / (double)size, reach = fmax(1, step);
  a->taps = limit((int64_t)ceil(2 * reach) + 1, 1, from);
  a->first = malloc((size_t)size * sizeof *a->first);
  a->weights = malloc((size_t)(size * a->taps) * sizeof *a->weights);
  if (!a->first || !a->weights) return complain_memory();
  for (int64_t i = 0; i < size; i++) {
    double middle = begin + ((double)i + 0.5) * step;
    a->first[i] = limit((int64_t)floor(middle - reach), 0, from - a->taps);
    weigh(a->weights + i * a->taps, a->taps, a->first[i], middle, reach);
  }
  return 1;
}

static void axis_free(struct axis *a) {
  free(a->first);
  free(a->weights);
}

/* ------------------------------------------------------------------------------------------------------------ both axes */

/* (height of the picture, width of the result, channels) */
static void resize_rows(const struct picture *from, const struct axis *a, int64_t width, float *rows) {
  int64_t channels = from->channels;
  for (int64_t y = 0; y < from->height; y++) {
    for (int64_t x = 0; x < width; x++) {
      const uint8_t *pixel = from->pixels + (y * from->width + a->first[x]) * channels;
      for (int64_t c = 0; c < channels; c++) {
        float sum = 0;
        for (int64_t t = 0; t < a->taps; t++) sum += a->weights[x * a->taps + t] * (float)pixel[t * channels + c];
        *rows++ = sum;
      }
    }
  }
}

static void resize_columns(const float *rows, const struct axis *a, struct picture *to) {
  int64_t pitch = to->width * to->channels;
  for (int64_t y = 0; y < to->height; y++) {
    for (int64_t i = 0; i < pitch; i++) {
      float sum = 0;
      for (int64_t t = 0; t < a->taps; t++) sum += a->weights[y * a->taps + t] * rows[(a->first[y] + t) * pitch + i];
      to->pixels[y * pitch + i] = (uint8_t)limit(lroundf(sum), 0, 255);
    }
  }
}

int picture_resize(const struct picture *from, const struct box *part, int64_t width, int64_t height, struct picture *to) {
  struct axis across = {0}, down = {0};
  float *rows = malloc((size_t)(from->height * width * from->channels) * sizeof *rows);
  int done = rows || complain_memory();
  done = done && axis_make(&across, from->width, part->x, part->width, width);
  done = done && axis_make(&down, from->height, part->y, part->height, height);
  done = done && picture_make(to, width, height, from->channels, (struct color){0, 0, 0});
  if (done) {
    resize_rows(from, &across, width, rows);
    resize_columns(rows, &down, to);
  }
  axis_free(&across);
  axis_free(&down);
  free(rows);
  return done;
}

/* --------------------------------------------------------------------------------------------------------------- colour */

static uint8_t luma(const uint8_t *rgb) {
  return (uint8_t)lround(0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]);
}

int picture_recolor(struct picture *p, int64_t channels) {
  int64_t count = p->width * p->height;
  if (p->channels == channels) return 1;
  uint8_t *pixels = malloc((size_t)(count * channels));
  if (!pixels) return complain_memory();
  for (int64_t i = 0; i < count; i++) {
    if (channels == 1) pixels[i] = luma(p->pixels + 3 * i);
    else pixels[3 * i] = pixels[3 * i + 1] = pixels[3 * i + 2] = p->pixels[i];
  }
  free(p->pixels);
  p->pixels = pixels;
  p->channels = channels;
  return 1;
}
