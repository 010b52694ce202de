/* gan_loss: a loss or penalty made from text. */
#include "train/loss.h"

#include <string.h>

#include "base/registry.h"
#include "nn/names.h"

/* ------------------------------------------------------------------ the tables */

static const struct loss_row *const losses[] = {
#define LOSS(name, test) &loss_##name,
#include "train/losses.def"
#undef LOSS
};

static const struct loss_row *const penalties[] = {
#define PENALTY(name, test) &penalty_##name,
#include "train/penalties.def"
#undef PENALTY
};

enum { LOSSES = sizeof losses / sizeof *losses, PENALTIES = sizeof penalties / sizeof *penalties };

const struct loss_row *loss_row_at(int32_t index) {
  return index >= 0 && index < LOSSES ? losses[index] : NULL;
}

const struct loss_row *penalty_row_at(int32_t index) {
  return index >= 0 && index < PENALTIES ? penalties[index] : NULL;
}

/* Both tables in a row. */
static const struct loss_row *row_at(int32_t index) {
  return index < LOSSES ? loss_row_at(index) : penalty_row_at(index - LOSSES);
}

static const char *name_at(int32_t index) {
  const struct loss_row *row = row_at(index);
  return row ? row->name : NULL;
}

static int32_t find(const char *name) {
  for (int32_t i = 0; i < LOSSES + PENALTIES; i++)
    if (names_match(row_at(i)->name, name)) return i;
  return -1;
}

/* ------------------------------------------------------------------ making */

/* What the library does for penalties it does for those of the caller: a factor, and how often. */
static const struct option custom_penalty_options[] = {PENALTY_COMMON("1")};

static gan_status parse_custom(gan_loss *loss, const char *rest) {
  if (!loss->is_penalty) return options_parse(loss->ctx, loss->custom->name, NULL, 0, rest, &loss->options);
  return options_parse(loss->ctx, loss->custom->name, custom_penalty_options, 2, rest, &loss->options);
}

static gan_status parse(gan_loss *loss, const char *text) {
  char name[NETWORK_NAME];
  const char *rest = line_name(text, name, sizeof name);
  REQUIRE(loss->ctx, rest, "loss: the text is empty, expected a name such as 'non-saturating'");
  int32_t index = find(name);
  if (index >= 0) {
    loss->row = row_at(index);
    loss->is_penalty = index >= LOSSES;
    TRY(options_parse(loss->ctx, name, loss->row->options, loss->row->n_options, rest, &loss->options));
    return loss->row->check ? loss->row->check(loss->ctx, &loss->options) : GAN_OK;
  }
  loss->custom = registry_find(loss->ctx, REGISTRY_LOSS, name);
  if (!loss->custom) loss->custom = registry_find(loss->ctx, REGISTRY_PENALTY, name);
  loss->is_penalty = loss->custom && loss->custom->kind == REGISTRY_PENALTY;
  if (loss->custom) return parse_custom(loss, rest);
  return fail_unknown(loss->ctx, NULL, "loss or penalty", name, name_at);
}

gan_status gan_loss_create(gan_context *context, const char *text, gan_loss **out) {
  REQUIRE(context, context && text && out, "gan_loss_create: context, text or loss is NULL");
  gan_loss *loss = context_zalloc(context, sizeof *loss);
  if (!loss) return GAN_ERROR_MEMORY;
  atomic_init(&loss->refs, 1);
  loss->ctx = context_ref(context);
  gan_status status = parse(loss, text);
  if (status != GAN_OK) {
    gan_loss_free(loss);
    return status;
  }
  *out = loss;
  return GAN_OK;
}

void gan_loss_free(gan_loss *loss) {
  if (!loss || atomic_fetch_sub(&loss->refs, 1) != 1) return;
  gan_context *ctx = loss->ctx;
  loss_free_states(loss);
  options_free(&loss->options);
  context_release(ctx, loss, sizeof *loss);
  context_unref(ctx);
}

const char *loss_name(const gan_loss *loss) {
  return loss->row ? loss->row->name : loss->custom->name;
}

/* Losses and penalties have one name space. */
static gan_status add_custom(gan_context *ctx, const char *who, int32_t kind, const char *name, registry_function function,
                             void *user, gan_release release) {
  REQUIRE(ctx, ctx && name && function, "%s: context, name or function is NULL", who);
  REQUIRE(ctx, find(name) < 0, "%s: '%s' is a loss or penalty of the library", who, name);
  REQUIRE(ctx, !registry_find(ctx, kind == REGISTRY_LOSS ? REGISTRY_PENALTY : REGISTRY_LOSS, name),
          "%s: there is a loss or penalty '%s' already", who, name);
  return registry_add(ctx, kind, name, function, user, release);
}

gan_status gan_context_add_loss(gan_context *context, const char *name, gan_loss_function function, void *user,
                                gan_release release) {
  return add_custom(context, "gan_context_add_loss", REGISTRY_LOSS, name, (registry_function)function, user, release);
}

gan_status gan_context_add_penalty(gan_context *context, const char *name, gan_penalty_function function, void *user,
                                   gan_release release) {
  return add_custom(context, "gan_context_add_penalty", REGISTRY_PENALTY, name, (registry_function)function, user, release);
}
