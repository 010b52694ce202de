/* Pictures from PNG and JPEG files. */
#ifndef PICTURE_FILE_H
#define PICTURE_FILE_H

#include <stddef.h>

#include "picture.h"

/* Reads a file, which its first bytes tell apart, as grey (channels 1), RGB (3), or as it is (0). least_width, least_height: see
 * jpeg_decode. Free with picture_free. 1, or 0 after a sentence. */
int picture_read(const char *path, int64_t channels, int64_t least_width, int64_t least_height, struct picture *picture);

/* Paths of the PNG and JPEG files in a folder, in alphabetical order; free with folder_list_free. NULL after a sentence. */
char **picture_list(const char *folder, size_t *count);

#endif
