/* toys: a set of coloured pictures to train on. Balls, boxes, cones, rings and stars, plain, striped or checked, each on a ground
 * under a sky. Picture i of a seed is always the same. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "files.h"
#include "jpeg_io.h"
#include "picture.h"
#include "png_io.h"
#include "say.h"

const char *program_name = "toys";

struct settings {
  const char *out, *labels;
  int64_t count, seed, jpeg, size[2];
  int32_t help;
};

#define AT(field) offsetof(struct settings, field)

static struct cli_option options[] = {
  {CLI_INTEGER, "count", "N", "how many pictures (10000)", AT(count), 1, 1e6, NULL},
  {CLI_PAIR, "size", "HxW", "height and width (64x64)", AT(size), 8, 1024, NULL},
  {CLI_TEXT, "out", "PATH", "an IDX file if it ends in .idx, else a folder of PNG files (toys.idx)", AT(out), 0, 0, NULL},
  {CLI_INTEGER, "jpeg", "N", "JPEG files of this quality instead", AT(jpeg), 1, 100, NULL},
  {CLI_TEXT, "labels", "FILE", "an IDX file of the kinds: 0 ball, 1 box, 2 cone, 3 ring, 4 star", AT(labels), 0, 0, NULL},
  {CLI_INTEGER, "seed", "N", "of everything random (1)", AT(seed), 1, INFINITY, NULL},
  {CLI_SWITCH, "help", NULL, "this text", AT(help), 0, 0, NULL},
};

/* -------------------------------------------------------------------------------------------------------------- chance */

/* SplitMix64 (Steele et al. 2014). */
static double chance(uint64_t *state) {
  uint64_t x = *state += 0x9E3779B97F4A7C15u;
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
  x = (x ^ x >> 27) * 0x94D049BB133111EBu;
  return (double)((x ^ x >> 31) >> 11) * 0x1p-53;
}

static double between(uint64_t *state, double low, double high) {
  return low + (high - low) * chance(state);
}

/* -------------------------------------------------------------------------------------------------------------- colours */

struct light { double r, g, b; }; /* 0 .. 1 */

static struct light mix(struct light a, struct light b, double share) {
  return (struct light){a.r + share * (b.r - a.r), a.g + share * (b.g - a.g), a.b + share * (b.b - a.b)};
}

static struct light dim(struct light c, double by) {
  return mix((struct light){0, 0, 0}, c, by);
}

/* Hue once around the circle in 0 .. 1. */
static struct light of_hue(double hue, double saturation, double value) {
  struct light c = {fabs(fmod(hue * 6, 6) - 3) - 1, 2 - fabs(fmod(hue * 6, 6) - 2), 2 - fabs(fmod(hue * 6, 6) - 4)};
  c.r = fmin(fmax(c.r, 0), 1);
  c.g = fmin(fmax(c.g, 0), 1);
  c.b = fmin(fmax(c.b, 0), 1);
  return dim(mix((struct light){1, 1, 1}, c, saturation), value);
}

/* --------------------------------------------------------------------------------------------------------------- scenes */

static const double PI = 3.14159265358979;

enum kind { BALL, BOX, CONE, RING, STAR, KINDS };
enum skin { PLAIN, STRIPED, CHECKED, SKINS };

struct scene {
  enum kind kind;
  enum skin skin;
  double x, y, radius, turn, horizon;
  struct light paint, second, sky_high, sky_low, ground_far, ground_near;
};

static struct scene make_scene(uint64_t state) {
  struct scene s = {.kind = (enum kind)(chance(&state) * KINDS), .skin = (enum skin)(chance(&state) * SKINS)};
  double hue = chance(&state), sky = between(&state, 0.5, 0.7), ground = between(&state, 0.05, 0.4);
  s.radius = between(&state, 0.2, 0.3);
  s.x = between(&state, 0.38, 0.62);
  s.y = between(&state, 0.48, 0.58);
  s.turn = between(&state, -0.5, 0.5);
  s.horizon = between(&state, 0.5, 0.65);
  s.paint = of_hue(hue, between(&state, 0.7, 1), 1);
  s.second = of_hue(hue + between(&state, 0.3, 0.7), 0.3, between(&state, 0.7, 1));
  s.sky_high = of_hue(sky, 0.7, between(&state, 0.5, 0.8));
  s.sky_low = of_hue(sky, 0.25, 0.95);
  s.ground_far = of_hue(ground, 0.4, 0.7);
  s.ground_near = of_hue(ground, 0.6, between(&state, 0.3, 0.5));
  return s;
}

/* Without a toy; a shadow lies below it. */
static struct light background(const struct scene *s, double x, double y) {
  if (y < s->horizon) return mix(s->sky_high, s->sky_low, y / s->horizon);
  struct light ground = mix(s->ground_far, s->ground_near, (y - s->horizon) / (1 - s->horizon));
  double across = (x - s->x) / s->radius, down = (y - s->y - s->radius) / (0.3 * s->radius);
  return dim(ground, 1 - 0.5 * fmax(0, 1 - across * across - down * down));
}

/* What a point of a toy is painted with; u and v go from -1 to 1, down and to the right. */
static struct light painted(const struct scene *s, double u, double v) {
  int stripe = (int)floor(3 * (v + 1)) & 1, square = ((int)floor(2.5 * (u + 1)) + (int)floor(2.5 * (v + 1))) & 1;
  return (s->skin == STRIPED && stripe) || (s->skin == CHECKED && square) ? s->second : s->paint;
}

/* Light from the upper left on a surface that looks along (a, b, c). */
static struct light lit(struct light paint, double a, double b, double c) {
  double bright = fmax(0, (-0.5 * a - 0.6 * b + 0.62 * c));
  return mix(dim(paint, 0.35 + 0.65 * bright), (struct light){1, 1, 1}, 0.6 * pow(bright, 24));
}

/* Five points at distance 1, five corners at 0.45 between them; folded together, one edge is left. */
static int on_star(double u, double v) {
  const double corner_x = 0.45 * cos(PI / 5), corner_y = 0.45 * sin(PI / 5);
  double angle = fabs(remainder(atan2(u, -v), 2 * PI / 5)), x = hypot(u, v) * cos(angle), y = hypot(u, v) * sin(angle);
  return (corner_x - 1) * y - corner_y * (x - 1) > 0;
}

/* 1 if the point (u, v) is on the toy, with the direction its surface looks along. */
static int on_toy(enum kind kind, double u, double v, double look[3]) {
  double r = hypot(u, v), ring = (r - 0.68) / 0.3, half = fmax(0.01, (v + 1) / 2);
  switch (kind) {
  case BALL: look[0] = u, look[1] = v; break;
  case CONE: look[0] = u / half, look[1] = -0.2; break;
  case RING: look[0] = ring * u / fmax(r, 0.01), look[1] = ring * v / fmax(r, 0.01); break;
  default: look[0] = 0.35 * u, look[1] = 0.35 * v; break; /* slightly domed */
  }
  look[2] = sqrt(fmax(0, 1 - look[0] * look[0] - look[1] * look[1]));
  switch (kind) {
  case BALL: return r < 1;
  case BOX: return fabs(u) < 0.85 && fabs(v) < 0.85;
  case CONE: return v < 0.95 && fabs(u) < half;
  case RING: return fabs(ring) < 1;
  default: return on_star(u, v);
  }
}

static struct light look_at(const struct scene *s, double x, double y) {
  double across = (x - s->x) / s->radius, down = (y - s->y) / s->radius, look[3];
  double turn = s->kind == CONE ? 0 : s->turn;
  double u = cos(turn) * across + sin(turn) * down, v = cos(turn) * down - sin(turn) * across;
  if (!on_toy(s->kind, u, v, look)) return background(s, x, y);
  return lit(painted(s, u, v), look[0], look[1], look[2]);
}

/* ------------------------------------------------------------------------------------------------------------- pictures */

/* The mean of nine points of the pixel. */
static struct color pixel(const struct scene *s, int64_t x, int64_t y, int64_t width, int64_t height) {
  struct light sum = {0, 0, 0};
  for (int i = 0; i < 9; i++) {
    double px = ((double)x + (i % 3 + 0.5) / 3) / (double)width, py = ((double)y + ((double)(i / 3) + 0.5) / 3) / (double)height;
    struct light c = look_at(s, px, py);
    sum = (struct light){sum.r + c.r, sum.g + c.g, sum.b + c.b};
  }
  return (struct color){(uint8_t)lround(sum.r / 9 * 255), (uint8_t)lround(sum.g / 9 * 255), (uint8_t)lround(sum.b / 9 * 255)};
}

static void paint(const struct scene *s, struct picture *p) {
  for (int64_t y = 0; y < p->height; y++) {
    for (int64_t x = 0; x < p->width; x++) draw_point(p, x, y, pixel(s, x, y, p->width, p->height));
  }
}

static struct scene scene_of(const struct settings *s, int64_t index) {
  return make_scene(((uint64_t)s->seed << 32 ^ (uint64_t)index) * 0xD1342543DE82EF95u);
}

/* ---------------------------------------------------------------------------------------------------------------- files */

static void put_size(uint8_t *bytes, int64_t size) {
  for (int i = 0; i < 4; i++) bytes[i] = (uint8_t)(size >> (24 - 8 * i));
}

/* The header of an IDX file of bytes; gives its length. */
static size_t put_header(uint8_t *bytes, int rank, const int64_t *sizes) {
  memcpy(bytes, (const uint8_t[]){0, 0, 8, (uint8_t)rank}, 4);
  for (int i = 0; i < rank; i++) put_size(bytes + 4 + 4 * i, sizes[i]);
  return 4 + 4 * (size_t)rank;
}

static int write_idx(const struct settings *s, struct picture *p) {
  const int64_t sizes[] = {s->count, p->height, p->width, p->channels};
  size_t size = (size_t)(p->height * p->width * p->channels);
  uint8_t *bytes = malloc(20 + (size_t)s->count * size);
  if (!bytes) return complain_memory();
  size_t used = put_header(bytes, 4, sizes);
  for (int64_t i = 0; i < s->count; i++, used += size) {
    struct scene scene = scene_of(s, i);
    paint(&scene, p);
    memcpy(bytes + used, p->pixels, size);
  }
  int done = file_write(s->out, bytes, used);
  free(bytes);
  return done;
}

static int write_one(const struct settings *s, int64_t index, struct picture *p) {
  char name[40];
  struct scene scene = scene_of(s, index);
  snprintf(name, sizeof name, "%06" PRId64 "%s", index, s->jpeg ? ".jpg" : ".png");
  char *path = path_join(s->out, name);
  paint(&scene, p);
  int done = path && (s->jpeg ? jpeg_write(path, p, (int)s->jpeg) : png_write(path, p));
  free(path);
  return done;
}

static int write_folder(const struct settings *s, struct picture *p) {
  int done = folder_make(s->out);
  for (int64_t i = 0; done && i < s->count; i++) done = write_one(s, i, p);
  return done;
}

static int write_labels(const struct settings *s) {
  uint8_t *bytes = malloc(8 + (size_t)s->count);
  if (!bytes) return complain_memory();
  size_t used = put_header(bytes, 1, &s->count);
  for (int64_t i = 0; i < s->count; i++) bytes[used++] = (uint8_t)scene_of(s, i).kind;
  int done = file_write(s->labels, bytes, used);
  free(bytes);
  return done;
}

static int make(const struct settings *s) {
  struct picture p;
  size_t length = strlen(s->out);
  int idx = length > 4 && strcmp(s->out + length - 4, ".idx") == 0;
  if (!picture_make(&p, s->size[1], s->size[0], 3, (struct color){0, 0, 0})) return 0;
  int done = (idx ? write_idx(s, &p) : write_folder(s, &p)) && (!s->labels || write_labels(s));
  picture_free(&p);
  return done;
}

int main(int argc, char **argv) {
  struct settings s = {.count = 10000, .size = {64, 64}, .out = "toys.idx", .seed = 1};
  struct cli cli = {
    .usage = "toys [option..]",
    .about = "Makes a set of coloured pictures to train on: toys on a ground under a sky, the same ones each time.",
    .settings = &s,
    .options = options,
    .count = (int)(sizeof options / sizeof options[0]),
  };
  if (cli_parse(&cli, argc, argv, NULL, 0) < 0) return 1;
  if (s.help) return cli_help(&cli, stdout), 0;
  return !make(&s);
}
