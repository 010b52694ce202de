#include "picture.h"

#include <math.h>
#include <stdlib.h>

#include "font.h"
#include "say.h"

int picture_make(struct picture *p, int64_t width, int64_t height, int64_t channels, struct color background) {
  *p = (struct picture){.width = width, .height = height, .channels = channels};
  p->pixels = malloc((size_t)(width * height * channels));
  if (!p->pixels) return complain_memory();
  draw_box(p, 0, 0, width, height, background);
  return 1;
}

void picture_free(struct picture *p) {
  free(p->pixels);
  p->pixels = NULL;
}

void draw_point(struct picture *p, int64_t x, int64_t y, struct color c) {
  if (x < 0 || y < 0 || x >= p->width || y >= p->height) return;
  uint8_t *pixel = p->pixels + (y * p->width + x) * p->channels;
  pixel[0] = c.r;
  if (p->channels < 3) return;
  pixel[1] = c.g;
  pixel[2] = c.b;
}

void draw_line(struct picture *p, double x0, double y0, double x1, double y1, struct color c) {
  int64_t steps = 1 + (int64_t)fmax(fabs(x1 - x0), fabs(y1 - y0));
  for (int64_t i = 0; i <= steps; i++) {
    double t = (double)i / (double)steps;
    draw_point(p, lround(x0 + t * (x1 - x0)), lround(y0 + t * (y1 - y0)), c);
  }
}

void draw_box(struct picture *p, int64_t x, int64_t y, int64_t width, int64_t height, struct color c) {
  for (int64_t j = y; j < y + height; j++) {
    for (int64_t i = x; i < x + width; i++) draw_point(p, i, j, c);
  }
}

static void draw_letter(struct picture *p, int64_t x, int64_t y, char letter, struct color c) {
  const char *rows = font_letter(letter);
  for (int i = 0; rows[i]; i++) {
    if (rows[i] == '#') draw_point(p, x + i % FONT_WIDTH, y + i / FONT_WIDTH, c);
  }
}

void draw_text(struct picture *p, int64_t x, int64_t y, const char *text, struct color c) {
  for (; *text; text++, x += LETTER_WIDTH) draw_letter(p, x, y, *text, c);
}
