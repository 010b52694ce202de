/* Devices of a trainer: made from text, found by row. */
#include "train/device.h"

#include <stdio.h>
#include <string.h>

#include "nn/names.h"
#include "train/items.h"

/* ------------------------------------------------------------------ the table */

static const struct device_row *const rows[] = {
#define DEVICE(name) &device_##name,
#include "train/devices.def"
#undef DEVICE
};

const struct device_row *device_row_at(int32_t index) {
  return index >= 0 && index < (int32_t)(sizeof rows / sizeof *rows) ? rows[index] : NULL;
}

static const char *name_at(int32_t index) {
  const struct device_row *row = device_row_at(index);
  return row ? row->name : NULL;
}

static const struct device_row *find_row(const char *name) {
  for (int32_t i = 0; device_row_at(i); i++)
    if (names_match(rows[i]->name, name)) return rows[i];
  return NULL;
}

/* ------------------------------------------------------------------ making */

static gan_status make_state(struct device *d) {
  char name[64];
  if (!d->row->initial) return GAN_OK;
  snprintf(name, sizeof name, "device:%s", d->row->name);
  TRY(variable_create(d->ctx, name, 0, NULL, &d->state));
  d->state->data[0] = (float)option_number(&d->options, d->row->initial);
  return GAN_OK;
}

static gan_status make_layer(struct device *d, const char *rest) {
  struct text line;
  if (!d->row->remembers) return GAN_OK;
  text_init(&line, d->ctx);
  text_format(&line, "%s %s name=device-%s", d->row->name, rest, d->row->name);
  gan_status status = line.failed ? GAN_ERROR_MEMORY : gan_layer_create(d->ctx, text_get(&line), &d->layer);
  text_free(&line);
  return status;
}

static int32_t has_schedule(const struct device_row *row) {
  for (int32_t i = 0; i < row->n_options; i++)
    if (strcmp(row->options[i].name, "schedule") == 0) return 1;
  return 0;
}

static gan_status parse(struct device *d, const char *rest) {
  TRY(options_parse(d->ctx, d->row->name, d->row->options, d->row->n_options, rest, &d->options));
  if (d->row->check) TRY(d->row->check(d->ctx, &d->options));
  if (has_schedule(d->row)) TRY(schedule_parse(d->ctx, option_text(&d->options, "schedule"), &d->schedule));
  TRY(make_layer(d, rest));
  return make_state(d);
}

/* It counts in the list before it is whole, so that devices_free finds what a failure left. */
static gan_status add(void *user, const char *item) {
  struct devices *all = user;
  char name[64];
  const char *rest = line_name(item, name, sizeof name);
  const struct device_row *row = rest ? find_row(name) : NULL;
  if (!row) return fail_unknown(all->ctx, NULL, "device", name, name_at);
  REQUIRE(all->ctx, !devices_find(all, row), "device '%s' is given twice", row->name);
  struct device *d = &all->list[all->count++];
  *d = (struct device){.row = row, .ctx = all->ctx};
  return parse(d, rest);
}

gan_status devices_add(struct devices *d, const char *text) {
  return items_each(d->ctx, "devices", text, add, d);
}

const struct device *devices_find(const struct devices *d, const struct device_row *row) {
  for (int32_t i = 0; i < d->count; i++)
    if (d->list[i].row == row) return &d->list[i];
  return NULL;
}

void devices_free(struct devices *d) {
  for (int32_t i = 0; i < d->count; i++) {
    schedule_free(&d->list[i].schedule);
    options_free(&d->list[i].options);
    variable_unref(d->list[i].state);
    gan_layer_free(d->list[i].layer);
  }
  d->count = 0;
}

/* ------------------------------------------------------------------ scalars */

void device_scalar_name(const struct device *d, char *name, size_t size) {
  snprintf(name, size, "device:%s", d->row->name);
}

gan_node *device_scalar(const struct device *d, gan_graph *g) {
  char name[64];
  device_scalar_name(d, name, sizeof name);
  return gan_scalar(g, name, d->row->value(d, 0));
}
