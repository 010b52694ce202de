/* PNG files by libpng. */
#ifndef PNG_IO_H
#define PNG_IO_H

#include <stddef.h>

#include "picture.h"

/* Writes a whole file or none (see file_write). 1, or 0 after a sentence. */
int png_write(const char *path, const struct picture *picture);

/* A picture out of the bytes of a file, as grey (channels 1), RGB (3), or as it is (0). path is for sentences. Free with
 * picture_free. 1, or 0 after a sentence. */
int png_decode(const char *path, const uint8_t *bytes, size_t size, int64_t channels, struct picture *picture);

#endif
