/* The numbers of a game that are no tensors: how often each step ran, where it stands in the data, steps and rates of optimizers,
 * scalars. As JSON in a checkpoint's metadata. */
#include "train/game.h"

#include <math.h>
#include <string.h>

#include "io/json.h"

/* ------------------------------------------------------------------ writing */

/* name NULL: any. */
static int32_t is_scalar(const struct game_input *in, const char *name) {
  const struct binding *b = in->binding;
  return b->kind == BINDING_SCALAR && in->memory && b->name && (!name || strcmp(b->name, name) == 0);
}

/* Several steps may have a scalar of one name; they have one value, and the first of them writes it. */
static int32_t is_first(const gan_game *g, int64_t step, const char *name) {
  for (int64_t k = 0; k < step; k++)
    for (int64_t i = 0; i < g->step_list[k].n_inputs; i++)
      if (is_scalar(&g->step_list[k].inputs[i], name)) return 0;
  return 1;
}

static void write_scalars(const gan_game *g, struct text *out) {
  const char *separator = "";
  for (int64_t k = 0; k < g->n_steps; k++)
    for (int64_t i = 0; i < g->step_list[k].n_inputs; i++) {
      const struct game_input *in = &g->step_list[k].inputs[i];
      if (!is_scalar(in, NULL) || !is_first(g, k, in->binding->name)) continue;
      text_format(out, "%s{\"name\":", separator);
      json_write_string(out, in->binding->name);
      text_add(out, ",\"value\":");
      text_number(out, *(const float *)in->memory);
      text_add(out, "}");
      separator = ",";
    }
}

static void write_optimizers(const gan_game *g, struct text *out) {
  for (int64_t i = 0; game_optimizer_at(g, i); i++) {
    const gan_optimizer *o = game_optimizer_at(g, i);
    text_add(out, i ? ",{\"name\":" : "{\"name\":");
    json_write_string(out, o->name);
    text_format(out, ",\"step\":%lld,", (long long)o->step);
    if (o->sum) text_format(out, "\"pending\":%lld,", (long long)o->pending);
    text_add(out, "\"rate\":");
    text_number(out, o->rate);
    text_add(out, "}");
  }
}

void game_state_write(const gan_game *g, struct text *out) {
  text_add(out, "{\"runs\":[");
  for (int64_t i = 0; i < g->n_steps; i++) text_format(out, "%s%lld", i ? "," : "", (long long)g->step_list[i].runs);
  text_add(out, "],\"data\":[");
  for (int64_t i = 0; i < g->n_sources; i++) text_format(out, "%s%lld", i ? "," : "", (long long)g->sources[i].position);
  text_add(out, "],\"optimizers\":[");
  write_optimizers(g, out);
  text_add(out, "],\"scalars\":[");
  write_scalars(g, out);
  text_add(out, "]}");
}

/* ------------------------------------------------------------------ reading */

static gan_status bad(const gan_game *g, const char *what) {
  return gan_fail(g->ctx, GAN_ERROR_FORMAT, "checkpoint: the game's state: %s", what);
}

static gan_status count_of(const gan_game *g, const struct json *value, int64_t *out) {
  return json_integer(value, out) && *out >= 0 ? GAN_OK : bad(g, "a count is no whole number that is 0 or more");
}

static gan_status list_of(const gan_game *g, const struct json *state, const char *key, int64_t count, const struct json **out) {
  const struct json *list = json_get(state, key);
  if (!list || list->kind != JSON_ARRAY) return bad(g, "a list is missing");
  if (count >= 0 && list->count != count)
    return gan_fail(g->ctx, GAN_ERROR_SHAPE, "checkpoint: %d %s, this game has %lld", list->count, key, (long long)count);
  *out = list->first;
  return GAN_OK;
}

static gan_status read_runs(gan_game *g, const struct json *state, int32_t commit) {
  const struct json *item;
  TRY(list_of(g, state, "runs", g->n_steps, &item));
  for (int64_t i = 0; i < g->n_steps; i++, item = item->next) {
    int64_t runs;
    TRY(count_of(g, item, &runs));
    if (commit) g->step_list[i].runs = runs;
  }
  return GAN_OK;
}

static gan_status read_positions(gan_game *g, const struct json *state, int32_t commit) {
  const struct json *item;
  TRY(list_of(g, state, "data", g->n_sources, &item));
  for (int64_t i = 0; i < g->n_sources; i++, item = item->next) {
    int64_t position;
    TRY(count_of(g, item, &position));
    if (commit) g->sources[i].position = position;
  }
  return GAN_OK;
}

static gan_status read_number(const gan_game *g, const struct json *object, const char *key, double *out) {
  const struct json *value = json_get(object, key);
  if (!value || value->kind != JSON_NUMBER || !isfinite(value->number)) return bad(g, "a number is missing or not finite");
  *out = value->number;
  return GAN_OK;
}

static gan_status read_optimizer(const gan_game *g, gan_optimizer *o, const struct json *item, int32_t commit) {
  const char *name = json_string(item, "name");
  const struct json *step = json_get(item, "step"), *pending = json_get(item, "pending");
  int64_t steps, waiting = 0;
  double rate = 0;
  if (!name || strcmp(name, o->name) != 0)
    return gan_fail(g->ctx, GAN_ERROR_SHAPE, "checkpoint: optimizer '%s', this game has '%s' there", name ? name : "?", o->name);
  if (!step) return bad(g, "an optimizer has no step");
  TRY(count_of(g, step, &steps));
  if (pending) TRY(count_of(g, pending, &waiting));
  TRY(read_number(g, item, "rate", &rate));
  if (rate < 0) return bad(g, "a rate is negative");
  if (commit) {
    o->step = steps;
    o->pending = waiting;
    o->rate = rate;
  }
  return GAN_OK;
}

static gan_status read_optimizers(gan_game *g, const struct json *state, int32_t commit) {
  const struct json *item;
  int64_t count = 0;
  while (game_optimizer_at(g, count)) count++;
  TRY(list_of(g, state, "optimizers", count, &item));
  for (int64_t i = 0; i < count; i++, item = item->next) TRY(read_optimizer(g, game_optimizer_at(g, i), item, commit));
  return GAN_OK;
}

static void set_scalar(gan_game *g, const char *name, double value) {
  for (int64_t k = 0; k < g->n_steps; k++)
    for (int64_t i = 0; i < g->step_list[k].n_inputs; i++)
      if (is_scalar(&g->step_list[k].inputs[i], name)) *(float *)g->step_list[k].inputs[i].memory = (float)value;
}

static gan_status read_scalars(gan_game *g, const struct json *state, int32_t commit) {
  const struct json *item = NULL;
  TRY(list_of(g, state, "scalars", -1, &item));
  for (; item; item = item->next) {
    const char *name = json_string(item, "name");
    double value = 0;
    if (!name) return bad(g, "a scalar has no name");
    TRY(read_number(g, item, "value", &value));
    if (commit) set_scalar(g, name, value);
  }
  return GAN_OK;
}

gan_status game_state_read(gan_game *g, const struct json *state, int32_t commit) {
  if (!state || state->kind != JSON_OBJECT) return bad(g, "it is no object");
  TRY(read_runs(g, state, commit));
  TRY(read_positions(g, state, commit));
  TRY(read_optimizers(g, state, commit));
  return read_scalars(g, state, commit);
}
