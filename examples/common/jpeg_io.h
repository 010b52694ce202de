/* JPEG files by libjpeg, if the build has it. */
#ifndef JPEG_IO_H
#define JPEG_IO_H

#include <stddef.h>

#include "picture.h"

/* Writes a whole file or none (see file_write), in a quality of 1 to 100. 1, or 0 after a sentence. */
int jpeg_write(const char *path, const struct picture *picture, int quality);

/* A picture out of the bytes of a file, as grey (channels 1), RGB (3), or as it is (0). path is for sentences. If least_width and
 * least_height are not 0, a larger picture may come out smaller, but at least twice as large as these: much quicker. Free with
 * picture_free. 1, or 0 after a sentence. */
int jpeg_decode(const char *path, const uint8_t *bytes, size_t size, int64_t channels, int64_t least_width, int64_t least_height,
                struct picture *picture);

#endif
