/* Schedules: what the learning rate is multiplied with, by the number of steps that were done. */
#include <math.h>

#include "nn/names.h"
#include "train/schedule.h"

/* 0 at the start, 1 from `steps` on. */
static double progress(const struct options *o, int64_t step) {
  double share = (double)step / option_number(o, "steps");
  return share < 1 ? share : 1;
}

static double from_one_to(double end, double share) {
  return 1 + (end - 1) * share;
}

#define WARMUP {"warmup", OPTION_INT, 0, 1e12, "0", "steps over which the rate first rises from 0 in a line"}

/* ------------------------------------------------------------------ the rows */

static double constant(const struct options *o, int64_t step) {
  (void)o, (void)step;
  return 1;
}

static const struct option constant_options[] = {WARMUP};

const struct schedule_row schedule_constant = {
  .name = "constant", .help = "the rate as it is", .n_options = 1, .options = constant_options, .factor = constant,
};

static double in_steps(const struct options *o, int64_t step) {
  return pow(option_number(o, "factor"), floor((double)step / option_number(o, "every")));
}

static const struct option step_options[] = {
  {"every", OPTION_INT, 1, 1e12, NULL, "steps between two changes"},
  {"factor", OPTION_NUMBER, 0, 1, "0.1", "multiplies the rate at each change"},
  WARMUP,
};

const struct schedule_row schedule_step = {
  .name = "step", .help = "the rate times factor^floor(step / every)",
  .n_options = 3, .options = step_options, .factor = in_steps,
};

static double linear(const struct options *o, int64_t step) {
  return from_one_to(option_number(o, "end"), progress(o, step));
}

static const struct option ramp_options[] = {
  {"steps", OPTION_INT, 1, 1e12, NULL, "length of the way down; the rate stays at the end after it"},
  {"end", OPTION_NUMBER, 0, 1, "0", "share of the rate that is left at the end"},
  WARMUP,
};

const struct schedule_row schedule_linear = {
  .name = "linear", .help = "down to rate * end in a line", .n_options = 3, .options = ramp_options, .factor = linear,
};

static double cosine(const struct options *o, int64_t step) {
  return from_one_to(option_number(o, "end"), (1 - cos(3.14159265358979323846 * progress(o, step))) / 2);
}

const struct schedule_row schedule_cosine = {
  .name = "cosine", .help = "down to rate * end in half a cosine wave (Loshchilov and Hutter 2017, without restarts)",
  .n_options = 3, .options = ramp_options, .factor = cosine,
};

/* ------------------------------------------------------------------ the table */

static const struct schedule_row *const schedules[] = {
#define SCHEDULE(name) &schedule_##name,
#include "train/schedules.def"
#undef SCHEDULE
};

const struct schedule_row *schedule_row_at(int32_t index) {
  return index >= 0 && index < (int32_t)(sizeof schedules / sizeof *schedules) ? schedules[index] : NULL;
}

static const char *name_at(int32_t index) {
  const struct schedule_row *row = schedule_row_at(index);
  return row ? row->name : NULL;
}

static const struct schedule_row *find(const char *name) {
  for (int32_t i = 0; schedule_row_at(i); i++)
    if (names_match(schedules[i]->name, name)) return schedules[i];
  return NULL;
}

gan_status schedule_parse(gan_context *ctx, const char *text, struct schedule *out) {
  char name[64];
  const char *rest = line_name(text, name, sizeof name);
  REQUIRE(ctx, rest, "schedule: the text is empty, expected a name such as 'cosine steps=10000'");
  out->row = find(name);
  if (!out->row) return fail_unknown(ctx, NULL, "schedule", name, name_at);
  return options_parse(ctx, name, out->row->options, out->row->n_options, rest, &out->options);
}

double schedule_factor(const struct schedule *s, int64_t step) {
  double warmup = option_number(&s->options, "warmup");
  double factor = s->row->factor(&s->options, step);
  return (double)(step + 1) < warmup ? factor * (double)(step + 1) / warmup : factor;
}

void schedule_free(struct schedule *s) {
  if (s->row) options_free(&s->options);
}
