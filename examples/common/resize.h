/* Pictures in another size. */
#ifndef RESIZE_H
#define RESIZE_H

#include "picture.h"

struct box { double x, y, width, height; }; /* a part of a picture, in its pixels; edges may lie within pixels */

/* The largest box in the middle of a picture that has the shape width : height. */
struct box box_in_middle(const struct picture *p, int64_t width, int64_t height);

/* A part of a picture in another size. Each axis by a triangle as wide as a pixel of the result, but at least two pixels of the
 * picture: bilinear where it grows, a weighted mean of all that falls on a pixel where it shrinks. Free `to` with picture_free.
 * 1, or 0 after a sentence. */
int picture_resize(const struct picture *from, const struct box *part, int64_t width, int64_t height, struct picture *to);

/* The same picture with 1 or 3 channels; grey is Rec. 601's luma. 1, or 0 after a sentence, then nothing changed. */
int picture_recolor(struct picture *p, int64_t channels);

#endif
