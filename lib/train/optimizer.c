/* gan_optimizer: making one, its rate, and the flat arrays behind it. */
#include <math.h>

#include "base/registry.h"
#include "nn/names.h"
#include "train/optimizer.h"

/* ------------------------------------------------------------------ the table */

static const struct optimizer_row *const optimizers[] = {
#define OPTIMIZER(name) &optimizer_##name,
#include "train/optimizers.def"
#undef OPTIMIZER
};

const struct optimizer_row *optimizer_row_at(int32_t index) {
  return index >= 0 && index < (int32_t)(sizeof optimizers / sizeof *optimizers) ? optimizers[index] : NULL;
}

static const char *name_at(int32_t index) {
  const struct optimizer_row *row = optimizer_row_at(index);
  return row ? row->name : NULL;
}

static const struct optimizer_row *find(const char *name) {
  for (int32_t i = 0; optimizer_row_at(i); i++)
    if (names_match(optimizers[i]->name, name)) return optimizers[i];
  return NULL;
}

/* ------------------------------------------------------------------ making */

static gan_status parse(gan_optimizer *o, const char *text) {
  char name[64];
  const char *rest = line_name(text, name, sizeof name);
  REQUIRE(o->ctx, rest, "optimizer '%s': the text is empty, expected a name such as 'adam rate=2e-4'", o->name);
  o->row = find(name);
  if (!o->row) return fail_unknown(o->ctx, NULL, "optimizer", name, name_at);
  TRY(options_parse(o->ctx, name, o->row->options, o->row->n_options, rest, &o->options));
  o->rate = option_number(&o->options, "rate");
  o->clip = option_number(&o->options, "clip");
  o->clip_norm = option_number(&o->options, "clip-norm");
  o->bound = option_number(&o->options, "bound");
  o->accumulate = option_int(&o->options, "accumulate");
  o->n_slots = o->row->used_slots ? o->row->used_slots(&o->options) : o->row->n_slots;
  o->decay = o->row->decay_option ? option_number(&o->options, o->row->decay_option) : 0;
  return schedule_parse(o->ctx, option_text(&o->options, "schedule"), &o->schedule);
}

gan_status gan_optimizer_create(gan_context *context, const char *name, const char *text, gan_optimizer **out) {
  REQUIRE(context, context && name && text && out, "gan_optimizer_create: context, name, text or optimizer is NULL");
  REQUIRE(context, name_is_valid(name), "optimizer '%s': a name has 1 to 63 letters, digits, '-', '_', '.'", name);
  gan_optimizer *o = context_zalloc(context, sizeof *o);
  if (!o) return GAN_ERROR_MEMORY;
  atomic_init(&o->refs, 1);
  o->ctx = context_ref(context);
  o->name = context_strdup(context, name);
  gan_status status = o->name ? parse(o, text) : GAN_ERROR_MEMORY;
  if (status != GAN_OK) {
    gan_optimizer_free(o);
    return status;
  }
  *out = o;
  return GAN_OK;
}

gan_optimizer *optimizer_ref(gan_optimizer *o) {
  atomic_fetch_add(&o->refs, 1);
  return o;
}

static void drop(struct variable **v) {
  if (*v) variable_unref(*v);
  *v = NULL;
}

static void drop_places(gan_optimizer *o) {
  for (int64_t i = 0; i < o->n_parameters; i++) {
    drop(&o->parameters[i].gradient);
    for (int32_t s = 0; s < OPTIMIZER_SLOTS; s++) drop(&o->parameters[i].slot[s]);
  }
  drop(&o->gradient);
  drop(&o->sum);
  for (int32_t s = 0; s < OPTIMIZER_SLOTS; s++) drop(&o->slot[s]);
}

static void destroy(gan_optimizer *o) {
  gan_context *ctx = o->ctx;
  drop_places(o);
  for (int64_t i = 0; i < o->n_parameters; i++) {
    drop(&o->parameters[i].variable);
    context_strfree(ctx, o->parameters[i].path);
  }
  for (int64_t i = 0; i < o->n_networks; i++) network_unref(o->networks[i]);
  context_release(ctx, o->parameters, sizeof *o->parameters * (size_t)o->cap_parameters);
  context_release(ctx, o->networks, sizeof *o->networks * (size_t)o->cap_networks);
  schedule_free(&o->schedule);
  if (o->row) options_free(&o->options);
  context_strfree(ctx, o->name);
  context_release(ctx, o, sizeof *o);
  context_unref(ctx);
}

void gan_optimizer_free(gan_optimizer *o) {
  if (o && atomic_fetch_sub(&o->refs, 1) == 1) destroy(o);
}

/* ------------------------------------------------------------------ the rate */

double gan_optimizer_rate(const gan_optimizer *o) {
  return o ? o->rate : 0;
}

gan_status gan_optimizer_set_rate(gan_optimizer *o, double rate) {
  if (!o) return gan_fail(NULL, GAN_ERROR_ARGUMENT, "gan_optimizer_set_rate: optimizer is NULL");
  REQUIRE(o->ctx, isfinite(rate) && rate >= 0, "optimizer '%s': the rate must be finite and not negative", o->name);
  o->rate = rate;
  return GAN_OK;
}

double optimizer_next_rate(const gan_optimizer *o) {
  return optimizer_rate_at(o, o->step);
}

double optimizer_rate_at(const gan_optimizer *o, int64_t step) {
  return o->rate * schedule_factor(&o->schedule, step);
}

/* ------------------------------------------------------------------ the flat arrays */

static gan_status flat(gan_optimizer *o, const char *name, struct variable **out) {
  return variable_create(o->ctx, name, 1, &o->count, out);
}

static gan_status place(const struct optimizer_parameter *p, struct variable *base, struct variable **out) {
  return variable_alias(base, p->first, p->path, p->variable->rank, p->variable->shape, out);
}

static gan_status make_places(gan_optimizer *o) {
  TRY(flat(o, "gradient", &o->gradient));
  if (o->accumulate > 1) TRY(flat(o, "sum", &o->sum));
  for (int32_t s = 0; s < o->n_slots; s++) TRY(flat(o, o->row->slot_names[s], &o->slot[s]));
  for (int64_t i = 0; i < o->n_parameters; i++) {
    struct optimizer_parameter *p = &o->parameters[i];
    TRY(place(p, o->gradient, &p->gradient));
    for (int32_t s = 0; s < o->n_slots; s++) TRY(place(p, o->slot[s], &p->slot[s]));
  }
  return GAN_OK;
}

gan_status optimizer_seal(gan_optimizer *o) {
  if (o->sealed) return GAN_OK;
  REQUIRE(o->ctx, o->n_parameters > 0, "optimizer '%s' has no parameters: add some with gan_optimizer_add", o->name);
  gan_status status = make_places(o);
  if (status != GAN_OK) drop_places(o);
  o->sealed = status == GAN_OK;
  return status;
}
