#include "picture_file.h"

#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "jpeg_io.h"
#include "png_io.h"
#include "say.h"

static const size_t LARGEST = (size_t)1 << 30;

static int begins(const uint8_t *bytes, size_t size, const char *with, size_t length) {
  return size >= length && memcmp(bytes, with, length) == 0;
}

int picture_read(const char *path, int64_t channels, int64_t least_width, int64_t least_height, struct picture *picture) {
  size_t size;
  int done;
  uint8_t *bytes = file_read(path, LARGEST, &size);
  if (!bytes) return 0;
  if (begins(bytes, size, "\x89PNG\r\n\x1a\n", 8)) done = png_decode(path, bytes, size, channels, picture);
  else if (begins(bytes, size, "\xff\xd8\xff", 3))
    done = jpeg_decode(path, bytes, size, channels, least_width, least_height, picture);
  else done = complain(size ? "%s is neither PNG nor JPEG" : "%s is empty", path);
  free(bytes);
  return done;
}

char **picture_list(const char *folder, size_t *count) {
  static const char *const suffixes[] = {".png", ".jpg", ".jpeg", NULL};
  return folder_list(folder, suffixes, count);
}
