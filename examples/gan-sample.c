/* gan-sample: pictures or numbers from a saved generator. */
#include <gan.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "files.h"
#include "grid.h"
#include "png_io.h"
#include "say.h"

const char *program_name = "gan-sample";

struct settings {
  const char *network, *out, *shape, *range;
  int64_t count, first, seed, label, threads, steps;
  double truncation;
  int64_t grid[2], interpolate[2];
  int32_t straight, each, raw, help, version;
};

#define AT(field) offsetof(struct settings, field)

static struct cli_option options[] = {
  {CLI_TITLE, "which samples", NULL, NULL, 0, 0, 0, NULL},
  {CLI_INTEGER, "count", "N", "how many (64, or as many as the grid holds)", AT(count), 1, 1e7, NULL},
  {CLI_INTEGER, "first", "N", "number of the first one (0)", AT(first), 0, 1e15, NULL},
  {CLI_INTEGER, "seed", "N", "of the noise: sample i of a seed is always the same (1)", AT(seed), 1, INFINITY, NULL},
  {CLI_NUMBER, "truncation", "A", "noise within so many deviations: finer, less varied (all of it)", AT(truncation), 0, 2, NULL},
  {CLI_INTEGER, "label", "N", "of this class, if the network is conditional (all in turn)", AT(label), 0, 1e6, NULL},
  {CLI_PAIR, "interpolate", "A,B", "instead: the way from sample A to sample B", AT(interpolate), 0, 1e15, NULL},
  {CLI_INTEGER, "steps", "N", "pictures on that way, both ends included (10)", AT(steps), 2, 1e6, NULL},
  {CLI_SWITCH, "straight", NULL, "a straight line, not a great circle (for uniform noise)", AT(straight), 0, 0, NULL},
  {CLI_TITLE, "what is written", NULL, NULL, 0, 0, 0, NULL},
  {CLI_TEXT, "out", "FILE", "PNG file, or raw floats (samples.png, samples.f32)", AT(out), 0, 0, NULL},
  {CLI_PAIR, "grid", "CxR", "columns and rows of the picture (as square as it can be)", AT(grid), 1, 1e4, NULL},
  {CLI_SWITCH, "each", NULL, "a file a sample: samples-0000.png ..", AT(each), 0, 0, NULL},
  {CLI_SWITCH, "raw", NULL, "numbers as they are: 32-bit floats, sample after sample", AT(raw), 0, 0, NULL},
  {CLI_TEXT, "shape", "HxWxC", "of one picture, if the network does not say", AT(shape), 0, 0, NULL},
  {CLI_TEXT, "range", "A..B", "numbers that become black and white (-1..1)", AT(range), 0, 0, NULL},
  {CLI_TITLE, "other", NULL, NULL, 0, 0, 0, NULL},
  {CLI_INTEGER, "threads", "N", "threads (1)", AT(threads), 1, 1024, NULL},
  {CLI_SWITCH, "version", NULL, "version of the library", AT(version), 0, 0, NULL},
  {CLI_SWITCH, "help", NULL, "this text", AT(help), 0, 0, NULL},
};

/* A loaded generator and what its samples look like. */
struct source {
  gan_context *context;
  gan_network *network;
  gan_sampler *sampler;
  gan_port noise;               /* the input that is noise; rank -1: none */
  gan_port label;               /* the input of labels; rank -1: none */
  struct sample_format format;
  int64_t size;                 /* floats in a sample */
};

enum { MOST_AT_ONCE = 64 };
static const double MOST_BYTES = 16e9;

/* ------------------------------------------------------------------------------------------------------------- loading */

static int failed(const struct source *s, const char *doing, gan_status status) {
  char text[1000] = "";
  if (s->sampler) gan_sampler_error(s->sampler, text, sizeof text, NULL);
  if (text[0]) return complain("%s: %s", doing, text);
  return complain_gan(s->context, doing, status);
}

static gan_port input_of_role(gan_network *network, int32_t role) {
  gan_port port = {.struct_size = sizeof port};
  for (int32_t i = 0; i < gan_network_input_count(network); i++) {
    if (gan_network_input_info(network, i, &port) == GAN_OK && port.role == role) return port;
  }
  port.rank = -1;
  return port;
}

static int load(struct source *s, const struct settings *settings) {
  gan_status status = gan_context_create(NULL, &s->context);
  if (status != GAN_OK) return complain("%s", gan_status_text(status));
  status = gan_network_load(s->context, settings->network, &s->network);
  if (status != GAN_OK) return complain_gan(s->context, settings->network, status);
  gan_sampler_config config;
  gan_sampler_config_init(&config, sizeof config);
  config.max_batch = MOST_AT_ONCE;
  config.seed = settings->seed;
  config.truncation = settings->truncation;
  config.threads = (int32_t)settings->threads;
  status = gan_sampler_create(s->network, &config, &s->sampler);
  if (status != GAN_OK) return complain_gan(s->context, settings->network, status);
  s->size = gan_sampler_sample_size(s->sampler);
  s->noise = input_of_role(s->network, GAN_ROLE_NOISE);
  s->label = input_of_role(s->network, GAN_ROLE_LABEL);
  return 1;
}

static void unload(struct source *s) {
  gan_sampler_free(s->sampler);
  gan_network_free(s->network);
  gan_context_free(s->context);
}

/* -------------------------------------------------------------------------------------------------- what pictures are */

static int read_shape(const char *text, int64_t shape[3]) {
  int used = 0;
  int sizes = sscanf(text, "%" SCNd64 "x%" SCNd64 "x%" SCNd64 "%n", &shape[0], &shape[1], &shape[2], &used);
  if (sizes == 2) sizes = sscanf(text, "%" SCNd64 "x%" SCNd64 "%n", &shape[0], &shape[1], &used) + 1;
  if (sizes != 3 || text[used] || shape[0] < 1 || shape[1] < 1 || (shape[2] != 1 && shape[2] != 3)) {
    return complain("--shape takes height, width and 1 or 3 channels, \"28x28x1\", not '%s'", text);
  }
  return 1;
}

static int read_range(const char *text, double *low, double *high) {
  char *end;
  *low = strtod(text, &end);
  if (end == text || strncmp(end, "..", 2) != 0) return complain("--range takes two numbers, \"-1..1\", not '%s'", text);
  const char *second = end + 2;
  *high = strtod(second, &end);
  if (end == second || *end || !(*high > *low)) return complain("--range takes two numbers, \"-1..1\", not '%s'", text);
  return 1;
}

static int fit_format(struct source *s, const struct settings *settings) {
  gan_port output = {.struct_size = sizeof output};
  struct sample_format *f = &s->format;
  int64_t shape[3] = {0, 0, 1};
  *f = (struct sample_format){.low = -1, .high = 1};
  if (settings->raw) return 1;
  if (settings->range && !read_range(settings->range, &f->low, &f->high)) return 0;
  gan_status status = gan_network_output_info(s->network, 0, &output);
  if (status != GAN_OK) return complain_gan(s->context, settings->network, status);
  if (settings->shape && !read_shape(settings->shape, shape)) return 0;
  int fits = settings->shape ? sample_format_fit(f, 3, shape) : sample_format_fit(f, output.rank, output.shape);
  if (!fits) {
    return complain("%s makes no pictures of one or three channels; --shape says what they are, --raw writes numbers", settings->network);
  }
  if (f->height > s->size || f->width > s->size || f->height * f->width * f->channels != s->size) {
    return complain("--shape %s has not the %" PRId64 " numbers of a sample", settings->shape, s->size);
  }
  return 1;
}

/* ------------------------------------------------------------------------------------------------------------ sampling */

static int bind_label(struct source *s, const struct settings *settings) {
  if (settings->label < 0) return 1;
  if (s->label.rank < 0) return complain("%s is not conditional, --label has no meaning for it", settings->network);
  if (settings->label >= s->label.classes) {
    return complain("--label must be 0 to %" PRId64 ", not %" PRId64, s->label.classes - 1, settings->label);
  }
  int32_t label = (int32_t)settings->label;
  gan_status status = gan_sampler_bind(s->sampler, s->label.name, 1, &label);
  return status == GAN_OK || failed(s, "--label", status);
}

/* From a to b: on the great circle through both (White, "Sampling generative networks", 2016), or straight. */
static void between(float *z, const float *a, const float *b, int64_t n, double t, int32_t straight) {
  double aa = 0, bb = 0, ab = 0;
  for (int64_t i = 0; i < n; i++) aa += (double)a[i] * a[i], bb += (double)b[i] * b[i], ab += (double)a[i] * b[i];
  double angle = acos(fmin(1, fmax(-1, ab / fmax(sqrt(aa * bb), 1e-30))));
  double from = 1 - t, to = t;
  if (!straight && sin(angle) > 1e-6) {
    from = sin((1 - t) * angle) / sin(angle);
    to = sin(t * angle) / sin(angle);
  }
  for (int64_t i = 0; i < n; i++) z[i] = (float)(from * a[i] + to * b[i]);
}

static int64_t port_size(const gan_port *port) {
  int64_t size = 1;
  for (int32_t i = 0; i < port->rank; i++) size *= port->shape[i];
  return size;
}

/* One sample at a time, with bound noise; the label, if not bound, is that of sample A. */
static int draw_way(struct source *s, const struct settings *settings, float *ends, float *samples) {
  int64_t n = port_size(&s->noise);
  float *a = ends, *b = ends + n, *z = ends + 2 * n;
  gan_status status = gan_sampler_noise(s->sampler, s->noise.name, settings->interpolate[0], 1, a);
  if (status == GAN_OK) status = gan_sampler_noise(s->sampler, s->noise.name, settings->interpolate[1], 1, b);
  for (int64_t i = 0; status == GAN_OK && i < settings->count; i++) {
    between(z, a, b, n, (double)i / (double)(settings->count - 1), settings->straight);
    status = gan_sampler_bind(s->sampler, s->noise.name, 1, z);
    if (status == GAN_OK) status = gan_sampler_draw(s->sampler, settings->interpolate[0], 1, samples + i * s->size);
  }
  return status == GAN_OK || failed(s, "interpolating", status);
}

static int interpolate(struct source *s, const struct settings *settings, float *samples) {
  if (s->noise.rank < 0) return complain("%s has no noise input, there is no way between its samples", settings->network);
  float *ends = malloc(3 * (size_t)port_size(&s->noise) * sizeof *ends);
  if (!ends) return complain_memory();
  int done = draw_way(s, settings, ends, samples);
  free(ends);
  return done;
}

static int draw(struct source *s, const struct settings *settings, float *samples) {
  if (!bind_label(s, settings)) return 0;
  if (settings->interpolate[0] >= 0) return interpolate(s, settings, samples);
  gan_status status = gan_sampler_draw(s->sampler, settings->first, settings->count, samples);
  return status == GAN_OK || failed(s, "sampling", status);
}

/* ------------------------------------------------------------------------------------------------------------- writing */

static int write_grid(const struct source *s, const char *path, const float *samples, int64_t count, int64_t columns) {
  struct picture picture;
  if (!grid_make(&picture, &s->format, samples, count, columns)) return 0;
  int done = png_write(path, &picture);
  picture_free(&picture);
  return done;
}

/* samples.png -> samples-0000.png */
static int write_each(const struct source *s, const struct settings *settings, const float *samples) {
  size_t length = strlen(settings->out), stem = length;
  if (length > 4 && strcmp(settings->out + length - 4, ".png") == 0) stem -= 4;
  char *path = malloc(stem + 40);
  if (!path) return complain_memory();
  int done = 1;
  for (int64_t i = 0; done && i < settings->count; i++) {
    snprintf(path, stem + 40, "%.*s-%04" PRId64 ".png", (int)stem, settings->out, settings->first + i);
    done = write_grid(s, path, samples + i * s->size, 1, 1);
  }
  free(path);
  return done;
}

static int write_samples(const struct source *s, const struct settings *settings, const float *samples) {
  if (settings->raw) return file_write(settings->out, samples, (size_t)(settings->count * s->size) * sizeof *samples);
  if (settings->each) return write_each(s, settings, samples);
  return write_grid(s, settings->out, samples, settings->count, settings->grid[0]);
}

/* ---------------------------------------------------------------------------------------------------------------- main */

static int check(struct settings *s) {
  int way = s->interpolate[0] >= 0;
  if (!s->network) return complain("which network? usage: gan-sample [option..] FILE");
  if (s->raw && s->each) return complain("--raw and --each contradict each other");
  if (way && s->count) return complain("--count has no meaning with --interpolate; --steps says how many pictures");
  if (!way && s->steps) return complain("--steps has no meaning without --interpolate");
  if (way) s->count = s->steps ? s->steps : 10;
  if (!s->count) s->count = s->grid[0] ? s->grid[0] * s->grid[1] : 64;
  if (!s->grid[0]) s->grid[0] = way ? s->count : (int64_t)ceil(sqrt((double)s->count));
  else if (s->grid[0] * s->grid[1] < s->count) return complain("the grid holds fewer than %" PRId64 " samples", s->count);
  if (!s->out) s->out = s->raw ? "samples.f32" : "samples.png";
  return 1;
}

static int make_samples(struct source *s, const struct settings *settings) {
  if (!load(s, settings) || !fit_format(s, settings)) return 0;
  if ((double)settings->count * (double)s->size * 4 > MOST_BYTES) return complain("so many samples do not fit into memory");
  float *samples = malloc((size_t)(settings->count * s->size) * sizeof *samples);
  if (!samples) return complain_memory();
  int done = draw(s, settings, samples) && write_samples(s, settings, samples);
  free(samples);
  return done;
}

int main(int argc, char **argv) {
  struct settings s = {.label = -1, .interpolate = {-1, -1}, .seed = 1, .threads = 1};
  struct cli cli = {
    .usage = "gan-sample [option..] FILE",
    .about = "Draws samples from a generator that gan-train (or gan_network_save) wrote to FILE.",
    .settings = &s,
    .options = options,
    .count = (int)(sizeof options / sizeof options[0]),
  };
  int operands = cli_parse(&cli, argc, argv, &s.network, 1);
  if (operands < 0) return 1;
  if (s.help) return cli_help(&cli, stdout), 0;
  if (s.version) return printf("libgan %s\n", gan_version_text()), 0;
  if (!check(&s)) return 1;
  struct source source = {0};
  int done = make_samples(&source, &s);
  unload(&source);
  return !done;
}
