#include "png_io.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "say.h"

static const int64_t MOST_PIXELS = (int64_t)1 << 28;

int png_write(const char *path, const struct picture *picture) {
  png_image image;
  memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  image.width = (png_uint_32)picture->width;
  image.height = (png_uint_32)picture->height;
  image.format = picture->channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  void *bytes = malloc(size);
  if (!bytes) return complain_memory();
  int done = png_image_write_to_memory(&image, bytes, &size, 0, picture->pixels, 0, NULL) != 0;
  if (!done) complain("%s cannot be written: %s", path, image.message);
  done = done && file_write(path, bytes, size);
  free(bytes);
  return done;
}

/* The picture's header is read; reads its pixels. Transparent ones come out on white. */
static int read_pixels(const char *path, png_image *image, struct picture *picture) {
  if ((int64_t)image->width * image->height > MOST_PIXELS) return complain("%s is larger than this program takes", path);
  image->format = picture->channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  picture->width = image->width;
  picture->height = image->height;
  picture->pixels = malloc(PNG_IMAGE_SIZE(*image));
  if (!picture->pixels) return complain_memory();
  if (png_image_finish_read(image, &(png_color){255, 255, 255}, picture->pixels, 0, NULL)) return 1;
  picture_free(picture);
  return complain("%s cannot be read: %s", path, image->message);
}

int png_decode(const char *path, const uint8_t *bytes, size_t size, int64_t channels, struct picture *picture) {
  png_image image;
  memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  if (!png_image_begin_read_from_memory(&image, bytes, size)) return complain("%s cannot be read: %s", path, image.message);
  *picture = (struct picture){.channels = channels};
  if (channels == 0) picture->channels = image.format & PNG_FORMAT_FLAG_COLOR ? 3 : 1;
  int done = read_pixels(path, &image, picture);
  png_image_free(&image);
  return done;
}
