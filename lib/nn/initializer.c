/* Initializers by name, applied to a variable. */
#include "nn/initializer.h"

#include "nn/names.h"

#include <stdio.h>

static const struct initializer_row *const rows[] = {
#define INITIALIZER(name) &initializer_##name,
#include "nn/initializers.def"
#undef INITIALIZER
};

int32_t initializer_count(void) { return (int32_t)(sizeof rows / sizeof *rows); }

const struct initializer_row *initializer_at(int32_t index) {
  return index >= 0 && index < initializer_count() ? rows[index] : NULL;
}

const struct initializer_row *initializer_find(const char *name) {
  for (int32_t i = 0; i < initializer_count(); i++)
    if (names_match(rows[i]->name, name)) return rows[i];
  return NULL;
}

static const char *initializer_name(int32_t i) {
  return i < initializer_count() ? rows[i]->name : NULL;
}

/* Options are to be freed if a row was found. */
static gan_status parse_initializer(gan_context *ctx, const char *who, const char *text, const struct initializer_row **row,
                                    struct options *options) {
  char name[64], where[256];
  *row = NULL;
  const char *rest = line_name(text, name, sizeof name);
  REQUIRE(ctx, rest, "%s: expected the name of an initializer, came an empty text", who);
  *row = initializer_find(name);
  if (!*row) return fail_unknown(ctx, who, "initializer", name, initializer_name);
  snprintf(where, sizeof where, "%.180s, initializer %s", who, (*row)->name);
  return options_parse(ctx, where, (*row)->options, (*row)->n_options, rest, options);
}

gan_status initializer_check(gan_context *ctx, const char *who, const char *text) {
  const struct initializer_row *row;
  struct options options = {0};
  gan_status status = parse_initializer(ctx, who, text, &row, &options);
  if (row) options_free(&options);
  return status;
}

/* (out, .., in): the axes between are the receptive field. */
static void measure(struct filling *f, const struct variable *v) {
  f->rows = v->rank ? v->shape[0] : 1;
  f->columns = f->rows ? v->count / f->rows : 0;
  double field = 1;
  for (int32_t i = 1; i < v->rank - 1; i++) field *= (double)v->shape[i];
  f->fan_in = v->rank >= 2 ? (double)v->shape[v->rank - 1] * field : (double)v->count;
  f->fan_out = v->rank >= 2 ? (double)v->shape[0] * field : (double)v->count;
}

gan_status variable_initialize(struct variable *v, uint64_t seed) {
  const struct initializer_row *row;
  struct options options = {0};
  struct filling f = {
    .ctx = v->ctx, .options = &options, .variable = v, .key = rng_stream(seed, v->stream, 0), .data = v->data, .count = v->count,
  };
  measure(&f, v);
  gan_status status = parse_initializer(v->ctx, v->name, v->init ? v->init : "zeros", &row, &options);
  if (status == GAN_OK && v->count) status = row->fill(&f);
  if (row) options_free(&options);
  return status;
}
