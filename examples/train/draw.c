#include "draw.h"

/* 64 bits of chance for a draw: the mixer of SplitMix64 (Steele et al. 2014). */
static uint64_t chance(int64_t seed, int64_t draw) {
  uint64_t x = ((uint64_t)seed << 40) + (uint64_t)draw * 0x9E3779B97F4A7C15u;
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
  x = (x ^ x >> 27) * 0x94D049BB133111EBu;
  return x ^ x >> 31;
}

/* 0 .. most, of 16 bits. */
static int64_t pick(uint64_t bits, int64_t most) {
  return (int64_t)(bits & 0xffff) * (most + 1) >> 16;
}

static void draw_row(const uint8_t *pixels, int64_t width, int64_t channels, int mirrored, float *out) {
  for (int64_t x = 0; x < width; x++) {
    const uint8_t *pixel = pixels + (mirrored ? width - 1 - x : x) * channels;
    for (int64_t c = 0; c < channels; c++) *out++ = (float)pixel[c] * (2.0f / 255) - 1;
  }
}

void draw_picture(const struct drawing *d, const struct album *a, int64_t index, int64_t draw, float *out) {
  uint64_t bits = chance(d->seed, draw);
  int64_t left = pick(bits, a->width - d->width), top = pick(bits >> 16, a->height - d->height), row = a->width * a->channels;
  int mirrored = d->flip && bits >> 63;
  const uint8_t *window = a->pixels + index * a->height * row + top * row + left * a->channels;
  for (int64_t y = 0; y < d->height; y++) {
    draw_row(window + y * row, d->width, a->channels, mirrored, out + y * d->width * a->channels);
  }
}
