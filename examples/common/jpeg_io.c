#include "jpeg_io.h"

#include "say.h"

#ifdef HAVE_JPEG

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>
#include <jerror.h>

#include "files.h"

static const int64_t MOST_PIXELS = (int64_t)1 << 28;

/* --------------------------------------------------------------------------------------------------------------- errors */

/* libjpeg leaves by a jump. */
struct trouble {
  struct jpeg_error_mgr manager; /* the first member: libjpeg knows no other */
  jmp_buf out;
  const char *path;
};

static void leave(j_common_ptr codec) {
  struct trouble *t = (struct trouble *)codec->err;
  char text[JMSG_LENGTH_MAX];
  t->manager.format_message(codec, text);
  complain(codec->is_decompressor ? "%s cannot be read: %s" : "%s cannot be written: %s", t->path, text);
  longjmp(t->out, 1);
}

/* Spare bytes between the parts of a file do no harm; whatever else libjpeg only warns of (a file that ends early) is damage. */
static void on_message(j_common_ptr codec, int level) {
  if (level < 0 && codec->err->msg_code != JWRN_EXTRANEOUS_DATA) leave(codec);
}

static struct jpeg_error_mgr *watch(struct trouble *t, const char *path) {
  struct jpeg_error_mgr *manager = jpeg_std_error(&t->manager);
  t->path = path;
  manager->error_exit = leave;
  manager->emit_message = on_message;
  return manager;
}

/* -------------------------------------------------------------------------------------------------------------- reading */

/* The largest of 1, 2, 4, 8 by which the picture can shrink while it is unpacked. */
static unsigned shrink(const struct jpeg_decompress_struct *d, int64_t least_width, int64_t least_height) {
  unsigned by = 1;
  if (least_width == 0 || least_height == 0) return by;
  while (by < 8 && d->image_width / (2 * by) >= 2 * least_width && d->image_height / (2 * by) >= 2 * least_height) by *= 2;
  return by;
}

static int choose_colors(const char *path, struct jpeg_decompress_struct *d, int64_t channels) {
  if (d->jpeg_color_space == JCS_CMYK || d->jpeg_color_space == JCS_YCCK) {
    return complain("%s has the colours of printing (CMYK); make it RGB first", path);
  }
  if (channels == 0) channels = d->num_components == 1 ? 1 : 3;
  d->out_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  return 1;
}

static int make_room(const char *path, const struct jpeg_decompress_struct *d, struct picture *p) {
  if ((int64_t)d->output_width * d->output_height > MOST_PIXELS) return complain("%s is larger than this program takes", path);
  return picture_make(p, d->output_width, d->output_height, d->output_components, (struct color){0, 0, 0});
}

static void read_lines(struct jpeg_decompress_struct *d, struct picture *p) {
  while (d->output_scanline < d->output_height) {
    JSAMPROW row = p->pixels + (size_t)d->output_scanline * d->output_width * (size_t)d->output_components;
    jpeg_read_scanlines(d, &row, 1);
  }
  jpeg_finish_decompress(d);
}

int jpeg_decode(const char *path, const uint8_t *bytes, size_t size, int64_t channels, int64_t least_width, int64_t least_height,
                struct picture *picture) {
  struct jpeg_decompress_struct d;
  struct trouble trouble;
  *picture = (struct picture){0};
  d.err = watch(&trouble, path);
  if (setjmp(trouble.out)) {
    jpeg_destroy_decompress(&d);
    picture_free(picture);
    return 0;
  }
  jpeg_create_decompress(&d);
  jpeg_mem_src(&d, bytes, size);
  jpeg_read_header(&d, TRUE);
  d.scale_num = 1;
  d.scale_denom = shrink(&d, least_width, least_height);
  int done = choose_colors(path, &d, channels);
  if (done) jpeg_start_decompress(&d);
  done = done && make_room(path, &d, picture);
  if (done) read_lines(&d, picture);
  jpeg_destroy_decompress(&d);
  return done;
}

/* -------------------------------------------------------------------------------------------------------------- writing */

/* Into memory that is to be freed with free; 1, or 0 after a sentence. */
static int encode(const char *path, const struct picture *p, int quality, unsigned char **bytes, unsigned long *size) {
  struct jpeg_compress_struct c;
  struct trouble trouble;
  c.err = watch(&trouble, path);
  if (setjmp(trouble.out)) {
    jpeg_destroy_compress(&c);
    return 0;
  }
  jpeg_create_compress(&c);
  jpeg_mem_dest(&c, bytes, size);
  c.image_width = (JDIMENSION)p->width;
  c.image_height = (JDIMENSION)p->height;
  c.input_components = (int)p->channels;
  c.in_color_space = p->channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
  jpeg_set_defaults(&c);
  jpeg_set_quality(&c, quality, TRUE);
  jpeg_start_compress(&c, TRUE);
  while (c.next_scanline < c.image_height) {
    JSAMPROW row = p->pixels + (int64_t)c.next_scanline * p->width * p->channels;
    jpeg_write_scanlines(&c, &row, 1);
  }
  jpeg_finish_compress(&c);
  jpeg_destroy_compress(&c);
  return 1;
}

int jpeg_write(const char *path, const struct picture *picture, int quality) {
  unsigned char *bytes = NULL;
  unsigned long size = 0;
  int done = encode(path, picture, quality, &bytes, &size) && file_write(path, bytes, size);
  free(bytes);
  return done;
}

#else

int jpeg_write(const char *path, const struct picture *picture, int quality) {
  (void)picture;
  (void)quality;
  return complain("%s is to be a JPEG file, but this program was built without libjpeg", path);
}

int jpeg_decode(const char *path, const uint8_t *bytes, size_t size, int64_t channels, int64_t least_width, int64_t least_height,
                struct picture *picture) {
  (void)bytes;
  (void)size;
  (void)channels;
  (void)least_width;
  (void)least_height;
  (void)picture;
  return complain("%s is a JPEG file, but this program was built without libjpeg", path);
}

#endif
