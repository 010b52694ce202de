/* Samples as pictures: floats of one range, laid out in a grid. */
#ifndef GRID_H
#define GRID_H

#include "picture.h"

struct sample_format {
  int64_t height, width, channels; /* of one sample, (height, width, channels) */
  double low, high;                /* what becomes black and white */
};

/* Fits a format to a network's output: "28x28x1", "28x28", or a row of numbers whose count is a square. shape has rank sizes.
 * 1, or 0 if it is no picture. */
int sample_format_fit(struct sample_format *f, int32_t rank, const int64_t *shape);

/* Makes a picture of count samples, columns a row, one pixel apart. Free with picture_free. 1, or 0 after a sentence. */
int grid_make(struct picture *picture, const struct sample_format *f, const float *samples, int64_t count, int64_t columns);

#endif
