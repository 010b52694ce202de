/* The picture at the end of a recipe. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grid.h"
#include "parts.h"
#include "png_io.h"
#include "say.h"

enum { COLUMNS = 16, SAMPLES = 100, SAMPLE_COLUMNS = 10 };

static float *floats(int64_t count) {
  float *memory = calloc((size_t)count, sizeof *memory);
  if (!memory) exit(complain_memory() + 1);
  return memory;
}

static void write_grid(const struct recipe *r, const struct sample_format *f, const float *samples, int64_t count,
                       int64_t columns) {
  struct picture picture;
  if (!grid_make(&picture, f, samples, count, columns) || !png_write(r->out, &picture)) exit(1);
  picture_free(&picture);
}

/* -------------------------------------------------------------------------------------------------------- what is shown */

void show(struct recipe *r, const char *step, gan_node *samples) {
  need_room(r->n_shown, ROWS, "rows of pictures");
  struct shown *s = &r->shown[r->n_shown++];
  *s = (struct shown){.step = step, .node = samples};
  snprintf(s->name, sizeof s->name, "shown %d", (int)r->n_shown);
  gan_output(samples, s->name);
}

void show_rows(struct recipe *r, const char *step, int32_t count, gan_node *const *rows) {
  for (int32_t i = 0; i < count; i++) show(r, step, rows[i]);
}

void show_samples(struct recipe *r, gan_network *generator) {
  r->sampled = generator;
}

/* ----------------------------------------------------------------------------------------------------------- rows of nodes */

/* Grey becomes colour where other rows have it. */
static void to_channels(const float *from, int64_t pixels, int64_t channels, float *to, int64_t wanted) {
  for (int64_t i = 0; i < pixels; i++) {
    for (int64_t c = 0; c < wanted; c++) to[i * wanted + c] = from[i * channels + (c < channels ? c : 0)];
  }
}

static void read_row(const struct recipe *r, const struct shown *s, const struct sample_format *f, int64_t count, float *row) {
  gan_tensor *tensor;
  int64_t shape[4];
  for (int32_t i = 0; i < 4; i++) shape[i] = gan_node_size(s->node, i);
  need(r, gan_tensor_create(r->context, GAN_F32, 4, shape, &tensor), s->name);
  need(r, gan_game_read(r->game, s->step, s->name, tensor), s->name);
  to_channels(gan_tensor_data(tensor), count * f->height * f->width, shape[3], row, f->channels);
  gan_tensor_free(tensor);
}

/* Height and width of the first row, colour if one row has it. All rows have one size, or there is none. */
static int fit_rows(const struct recipe *r, struct sample_format *f, int64_t *count) {
  for (int32_t i = 0; i < r->n_shown; i++) {
    const gan_node *node = r->shown[i].node;
    int64_t n = gan_node_size(node, 0), height = gan_node_size(node, 1), width = gan_node_size(node, 2);
    if (i == 0) *f = (struct sample_format){height, width, 1, -1, 1};
    if (gan_node_rank(node) != 4 || height != f->height || width != f->width) return complain("rows are not of one size");
    if (gan_node_size(node, 3) > 1) f->channels = 3;
    if (n < *count) *count = n;
  }
  return 1;
}

static void write_rows(const struct recipe *r) {
  struct sample_format f = {0};
  int64_t count = COLUMNS;
  if (!fit_rows(r, &f, &count)) exit(1);
  int64_t row = count * f.height * f.width * f.channels;
  float *samples = floats(r->n_shown * row);
  for (int32_t i = 0; i < r->n_shown; i++) {
    const char *step = r->shown[i].step;
    if (i == 0 || strcmp(step, r->shown[i - 1].step) != 0) need(r, gan_game_step(r->game, step), step);
    read_row(r, &r->shown[i], &f, count, samples + i * row);
  }
  write_grid(r, &f, samples, r->n_shown * count, count);
  free(samples);
}

/* ----------------------------------------------------------------------------------------------------- a grid of samples */

static void write_samples(const struct recipe *r) {
  gan_sampler *sampler;
  gan_port port = {.struct_size = sizeof port};
  struct sample_format f = {.low = -1, .high = 1};
  need(r, gan_network_output_info(r->sampled, 0, &port), "the generator");
  need(r, gan_sampler_create(r->sampled, NULL, &sampler), "the sampler");
  if (!sample_format_fit(&f, port.rank, port.shape)) exit(complain("the generator makes no pictures") + 1);
  float *samples = floats(SAMPLES * gan_sampler_sample_size(sampler));
  need(r, gan_sampler_draw(sampler, 0, SAMPLES, samples), "the samples");
  write_grid(r, &f, samples, SAMPLES, SAMPLE_COLUMNS);
  gan_sampler_free(sampler);
  free(samples);
}

void write_picture(struct recipe *r) {
  if (r->sampled) write_samples(r);
  else if (r->n_shown) write_rows(r);
}
