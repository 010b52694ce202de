/* Pictures of 8-bit grey or RGB pixels, and what is drawn on them. */
#ifndef PICTURE_H
#define PICTURE_H

#include <stdint.h>

struct picture {
  int64_t width, height, channels; /* channels: 1 or 3 */
  uint8_t *pixels;                 /* (height, width, channels) */
};

struct color { uint8_t r, g, b; };

/* A picture of one colour; 1, or 0 after a sentence. */
int picture_make(struct picture *p, int64_t width, int64_t height, int64_t channels, struct color background);
void picture_free(struct picture *p);

/* Drawing; what lies outside is left out. The origin is the upper left corner. */
void draw_point(struct picture *p, int64_t x, int64_t y, struct color c);
void draw_line(struct picture *p, double x0, double y0, double x1, double y1, struct color c);
void draw_box(struct picture *p, int64_t x, int64_t y, int64_t width, int64_t height, struct color c); /* filled */
void draw_text(struct picture *p, int64_t x, int64_t y, const char *text, struct color c);             /* 6x8 pixels a letter */

enum { LETTER_WIDTH = 6, LETTER_HEIGHT = 8 };

#endif
