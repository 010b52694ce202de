#define _POSIX_C_SOURCE 200809L
/* How gan-train reads pictures: sizes, crops, colours, files, and what is drawn for a batch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataset.h"
#include "files.h"
#include "jpeg_io.h"
#include "picture_file.h"
#include "png_io.h"
#include "resize.h"

const char *program_name = "test_pictures";

static struct picture make(int64_t width, int64_t height, int64_t channels) {
  struct picture p;
  assert_true(picture_make(&p, width, height, channels, (struct color){0, 0, 0}));
  return p;
}

/* Something of everything: a ramp to the right, another downward, a fine pattern. */
static struct picture make_scene(int64_t width, int64_t height) {
  struct picture p = make(width, height, 3);
  for (int64_t y = 0; y < height; y++) {
    for (int64_t x = 0; x < width; x++) {
      draw_point(&p, x, y, (struct color){(uint8_t)(255 * x / width), (uint8_t)(255 * y / height), (uint8_t)(x * y * 37 % 256)});
    }
  }
  return p;
}

static struct picture resized(const struct picture *from, int64_t width, int64_t height) {
  struct picture to;
  struct box all = {.width = (double)from->width, .height = (double)from->height};
  assert_true(picture_resize(from, &all, width, height, &to));
  return to;
}

static int64_t size_of(const struct picture *p) {
  return p->width * p->height * p->channels;
}

static double mean(const struct picture *p) {
  double sum = 0;
  for (int64_t i = 0; i < size_of(p); i++) sum += p->pixels[i];
  return sum / (double)size_of(p);
}

static int farthest(const struct picture *a, const struct picture *b) {
  int most = 0;
  assert_int_equal(size_of(a), size_of(b));
  for (int64_t i = 0; i < size_of(a); i++) {
    int apart = abs(a->pixels[i] - b->pixels[i]);
    if (apart > most) most = apart;
  }
  return most;
}

/* ---------------------------------------------------------------------------------------------------------------- sizes */

static void test_same_size(void **state) {
  (void)state;
  struct picture p = make_scene(13, 9), q = resized(&p, 13, 9);
  assert_memory_equal(p.pixels, q.pixels, (size_t)size_of(&p));
  picture_free(&p);
  picture_free(&q);
}

/* One colour stays that colour, whatever the sizes: the weights sum to 1. */
static void test_flat(void **state) {
  static const int64_t sizes[] = {1, 2, 3, 5, 8, 17, 64};
  (void)state;
  for (int i = 0; i < 49; i++) {
    struct picture p = make(sizes[i % 7], sizes[i / 7], 3);
    draw_box(&p, 0, 0, p.width, p.height, (struct color){10, 200, 255});
    struct picture q = resized(&p, sizes[i / 7] + 2, sizes[i % 7] + 1);
    for (int64_t j = 0; j < size_of(&q); j += 3) assert_memory_equal(q.pixels + j, ((uint8_t[]){10, 200, 255}), 3);
    picture_free(&p);
    picture_free(&q);
  }
}

/* A pattern finer than the result's pixels becomes its mean, not one of its values. */
static void test_shrinking(void **state) {
  (void)state;
  struct picture p = make(64, 64, 1);
  for (int64_t i = 0; i < 64 * 64; i++) p.pixels[i] = (i / 64 + i) % 2 ? 255 : 0;
  struct picture q = resized(&p, 8, 8);
  for (int64_t i = 0; i < 64; i++) assert_in_range(q.pixels[i], 120, 135);
  picture_free(&p);
  picture_free(&q);
  p = make_scene(96, 64);
  q = resized(&p, 24, 16);
  assert_true(fabs(mean(&p) - mean(&q)) < 1);
  picture_free(&p);
  picture_free(&q);
}

/* Between two pixels a straight line, beyond the last ones their value. */
static void test_growing(void **state) {
  static const uint8_t expected[] = {0, 0, 25, 75, 125, 175, 200, 200};
  (void)state;
  struct picture p = make(2, 1, 1);
  p.pixels[1] = 200;
  struct picture q = resized(&p, 8, 1);
  assert_memory_equal(q.pixels, expected, 8);
  picture_free(&p);
  picture_free(&q);
}

static void test_middle(void **state) {
  (void)state;
  struct picture p = {.width = 100, .height = 60};
  struct box b = box_in_middle(&p, 32, 32), c = box_in_middle(&p, 40, 10);
  assert_true(b.x == 20 && b.y == 0 && b.width == 60 && b.height == 60);
  assert_true(c.x == 0 && c.y == 17.5 && c.width == 100 && c.height == 25);
}

static void test_colors(void **state) {
  (void)state;
  struct picture p = make(2, 1, 3);
  memcpy(p.pixels, (uint8_t[]){255, 255, 255, 255, 0, 0}, 6);
  assert_true(picture_recolor(&p, 1));
  assert_memory_equal(p.pixels, ((uint8_t[]){255, 76}), 2);
  assert_true(picture_recolor(&p, 3));
  assert_memory_equal(p.pixels, ((uint8_t[]){255, 255, 255, 76, 76, 76}), 6);
  picture_free(&p);
}

/* ---------------------------------------------------------------------------------------------------------------- files */

static const char FOLDER[] = "test_pictures.d";

static void clear_folder(void) {
  size_t count;
  assert_true(folder_make(FOLDER));
  char **paths = picture_list(FOLDER, &count);
  for (size_t i = 0; paths && i < count; i++) remove(paths[i]);
  if (paths) folder_list_free(paths, count);
}

static const char *in_folder(const char *name) {
  static char path[100];
  snprintf(path, sizeof path, "%s/%s", FOLDER, name);
  return path;
}

static void test_png(void **state) {
  (void)state;
  struct picture p = make_scene(30, 20), q;
  clear_folder();
  assert_true(png_write(in_folder("a.png"), &p));
  assert_true(picture_read(in_folder("a.png"), 0, 0, 0, &q));
  assert_int_equal(q.channels, 3);
  assert_memory_equal(p.pixels, q.pixels, (size_t)size_of(&p));
  picture_free(&q);
  assert_true(picture_read(in_folder("a.png"), 1, 0, 0, &q));
  assert_int_equal(size_of(&q), 600);
  picture_free(&p);
  picture_free(&q);
}

/* Standard error goes nowhere until it is given back. */
static int hush(void) {
  int kept = dup(2), nowhere = open("/dev/null", O_WRONLY);
  assert_true(kept >= 0 && nowhere >= 0);
  dup2(nowhere, 2);
  close(nowhere);
  return kept;
}

static void give_back(int kept) {
  dup2(kept, 2);
  close(kept);
}

/* 1: a picture came, and it is the whole one. */
static int read_cut(const struct picture *whole) {
  struct picture q = {0};
  int kept = hush(), read = picture_read(in_folder("cut.png"), 0, 0, 0, &q);
  give_back(kept);
  if (read) assert_true(farthest(whole, &q) < 40);
  picture_free(&q);
  return read;
}

/* A file cut short, byte by byte, gives a sentence or (behind the pixels) the picture; never half a picture. */
static void cut_short(const char *name, const struct picture *whole) {
  size_t size;
  uint8_t *bytes = file_read(in_folder(name), 1 << 20, &size);
  int refused = 0;
  assert_non_null(bytes);
  for (size_t cut = 0; cut < size; cut += 1 + cut / 50) {
    assert_true(file_write(in_folder("cut.png"), bytes, cut));
    refused += !read_cut(whole);
  }
  assert_true(refused > 20);
  free(bytes);
}

static void test_cut_png(void **state) {
  (void)state;
  struct picture p = make_scene(30, 20);
  clear_folder();
  assert_true(png_write(in_folder("a.png"), &p));
  cut_short("a.png", &p);
  picture_free(&p);
}

#ifdef HAVE_JPEG

static struct picture make_smooth(int64_t width, int64_t height) {
  struct picture p = make_scene(width, height);
  for (int64_t i = 2; i < size_of(&p); i += 3) p.pixels[i] = 90;
  return p;
}

static void test_jpeg(void **state) {
  (void)state;
  struct picture p = make_smooth(320, 160), q;
  clear_folder();
  assert_true(jpeg_write(in_folder("a.jpg"), &p, 95));
  assert_true(picture_read(in_folder("a.jpg"), 0, 0, 0, &q));
  assert_int_equal(q.width, 320);
  assert_in_range(farthest(&p, &q), 0, 12);
  picture_free(&q);
  /* No larger than it has to be: 320x160 to 40x20 can be unpacked to a quarter, 80x40. */
  assert_true(picture_read(in_folder("a.jpg"), 3, 40, 20, &q));
  assert_int_equal(q.width, 80);
  struct picture small = resized(&p, 40, 20), of_quarter = resized(&q, 40, 20);
  assert_in_range(farthest(&small, &of_quarter), 0, 12);
  picture_free(&small);
  picture_free(&of_quarter);
  picture_free(&q);
  assert_true(picture_read(in_folder("a.jpg"), 1, 0, 0, &q));
  assert_int_equal(size_of(&q), 320 * 160);
  picture_free(&p);
  picture_free(&q);
}

static void test_cut_jpeg(void **state) {
  (void)state;
  struct picture p = make_smooth(40, 24);
  clear_folder();
  assert_true(jpeg_write(in_folder("a.jpg"), &p, 95));
  cut_short("a.jpg", &p);
  picture_free(&p);
}

#endif

/* --------------------------------------------------------------------------------------------------------------- albums */

static struct progress_line silent = {.quiet = 1};

static void write_scene(const char *name, int64_t width, int64_t height) {
  struct picture p = make_scene(width, height);
  assert_true(png_write(in_folder(name), &p));
  picture_free(&p);
}

static void test_album(void **state) {
  struct album a;
  (void)state;
  clear_folder();
  write_scene("a.png", 40, 40);
  write_scene("b.png", 80, 40);
  assert_false(album_load(&a, FOLDER, &(struct fitting){0}, &silent));
  assert_null(a.memory);
  assert_true(album_load(&a, FOLDER, &(struct fitting){.height = 16, .width = 16, .channels = 1}, &silent));
  assert_true(a.count == 2 && a.height == 16 && a.width == 16 && a.channels == 1);
  album_free(&a);
  /* The ramp goes from 0 to 255 over the width: of the wide picture a crop shows the middle half of it. */
  assert_true(album_load(&a, FOLDER, &(struct fitting){.height = 16, .width = 16, .crop = CROP_MIDDLE}, &silent));
  const uint8_t *row = a.pixels + 16 * 16 * 3;
  assert_in_range(row[0], 60, 72);
  assert_in_range(row[15 * 3], 183, 195);
  album_free(&a);
  assert_true(album_load(&a, FOLDER, &(struct fitting){.height = 16, .width = 20, .crop = CROP_RANDOM}, &silent));
  assert_true(a.height == 18 && a.width == 23);
  album_free(&a);
  assert_false(album_load(&a, "nowhere", &(struct fitting){0}, &silent));
}

/* ---------------------------------------------------------------------------------------------------------------- draws */

enum { SIDE = 4, DRAWS = 400 };

/* Pixel (y, x) is 16 y + x: one sees where a window lies. */
static struct album make_album(int64_t side) {
  struct album a = {.count = 1, .height = side, .width = side, .channels = 1};
  a.memory = a.pixels = malloc((size_t)(side * side));
  assert_non_null(a.pixels);
  for (int64_t i = 0; i < side * side; i++) a.pixels[i] = (uint8_t)(16 * (i / side) + i % side);
  return a;
}

static int value(float x) {
  return (int)lroundf((x + 1) * 127.5f);
}

static void test_draw(void **state) {
  (void)state;
  struct album a = make_album(6);
  struct drawing d = {.height = SIDE, .width = SIDE, .flip = 1, .seed = 5};
  int seen[2][3][3] = {{{0}}}, most = 0, least = DRAWS;
  for (int64_t draw = 0; draw < DRAWS; draw++) {
    float out[SIDE * SIDE], again[SIDE * SIDE];
    draw_picture(&d, &a, 0, draw, out);
    draw_picture(&d, &a, 0, draw, again);
    assert_memory_equal(out, again, sizeof out);
    int mirrored = value(out[0]) > value(out[1]), corner = value(out[mirrored ? SIDE - 1 : 0]);
    for (int i = 0; i < SIDE * SIDE; i++) {
      int x = mirrored ? SIDE - 1 - i % SIDE : i % SIDE;
      assert_int_equal(value(out[i]), corner + 16 * (i / SIDE) + x);
    }
    seen[mirrored][corner / 16][corner % 16]++;
  }
  for (int i = 0; i < 18; i++) {
    int times = (&seen[0][0][0])[i];
    if (times > most) most = times;
    if (times < least) least = times;
  }
  assert_in_range(least, 8, DRAWS / 18);
  assert_in_range(most, DRAWS / 18, 45);
  album_free(&a);
}

static void draw_batch(gan_context *context, gan_game *game, float *out, int64_t count) {
  gan_tensor *tensor = NULL;
  assert_int_equal(gan_tensor_create(context, GAN_F32, 1, &count, &tensor), GAN_OK);
  assert_int_equal(gan_game_step(game, "look"), GAN_OK);
  assert_int_equal(gan_game_read(game, "look", "x", tensor), GAN_OK);
  memcpy(out, gan_tensor_data(tensor), (size_t)count * sizeof *out);
  gan_tensor_free(tensor);
}

/* Two samples a step, seen as they come in. */
static gan_game *make_game(gan_context *context, struct dataset *d) {
  gan_game_config config;
  gan_game *game = NULL;
  gan_graph *step;
  gan_game_config_init(&config, sizeof config);
  config.batch = 2;
  assert_int_equal(gan_game_create(context, &config, &game), GAN_OK);
  assert_int_equal(gan_game_add_step(game, "look", &step), GAN_OK);
  gan_output(gan_scale(gan_data_node(step, d->data, "image"), 1), "x");
  assert_int_equal(gan_game_prepare(game), GAN_OK);
  return game;
}

/* What a training sees after it was resumed is what it would have seen. */
static void test_resume(void **state) {
  enum { STEPS = 12, SIZE = 2 * 16 * 16 * 3 };
  static float whole[STEPS][SIZE], rest[SIZE];
  struct dataset d;
  gan_context *context;
  (void)state;
  clear_folder();
  for (int i = 0; i < 5; i++) write_scene((char[]){(char)('a' + i), '.', 'p', 'n', 'g', 0}, 20 + i, 30);
  struct dataset_request r = {.path = FOLDER, .flip = 1, .quiet = 1, .seed = 3};
  r.fitting = (struct fitting){.height = 16, .width = 16, .crop = CROP_RANDOM};
  assert_int_equal(gan_context_create(NULL, &context), GAN_OK);
  assert_true(dataset_load(&d, context, &r));
  gan_game *game = make_game(context, &d);
  for (int i = 0; i < STEPS; i++) {
    draw_batch(context, game, whole[i], SIZE);
    if (i == 6) assert_int_equal(gan_game_save(game, in_folder("game")), GAN_OK);
  }
  gan_game_free(game);
  dataset_free(&d);
  assert_true(dataset_load(&d, context, &r));
  game = make_game(context, &d);
  assert_int_equal(gan_game_restore(game, in_folder("game")), GAN_OK);
  dataset_seek(&d, 7 * 2);
  for (int i = 7; i < STEPS; i++) {
    draw_batch(context, game, rest, SIZE);
    assert_memory_equal(rest, whole[i], sizeof rest);
  }
  gan_game_free(game);
  dataset_free(&d);
  gan_context_free(context);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_same_size), cmocka_unit_test(test_flat),    cmocka_unit_test(test_shrinking),
    cmocka_unit_test(test_growing),   cmocka_unit_test(test_middle),  cmocka_unit_test(test_colors),
    cmocka_unit_test(test_png),       cmocka_unit_test(test_album),   cmocka_unit_test(test_draw),
    cmocka_unit_test(test_resume),    cmocka_unit_test(test_cut_png),
#ifdef HAVE_JPEG
    cmocka_unit_test(test_jpeg),      cmocka_unit_test(test_cut_jpeg),
#endif
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
