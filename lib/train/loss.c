/* gan_loss: a loss or penalty made from text, and what it emits. */
#include "base/registry.h"
#include "base/tensor.h"
#include "nn/names.h"
#include "train/train.h"

/* ------------------------------------------------------------------ the tables */

static const struct loss_row *const losses[] = {
#define LOSS(name) &loss_##name,
#include "train/losses.def"
#undef LOSS
};

static const struct penalty_row *const penalties[] = {
#define PENALTY(name) &penalty_##name,
#include "train/penalties.def"
#undef PENALTY
};

enum { LOSSES = sizeof losses / sizeof *losses, PENALTIES = sizeof penalties / sizeof *penalties };

const struct loss_row *loss_row_at(int32_t index) {
  return index >= 0 && index < LOSSES ? losses[index] : NULL;
}

const struct penalty_row *penalty_row_at(int32_t index) {
  return index >= 0 && index < PENALTIES ? penalties[index] : NULL;
}

static const char *name_at(int32_t index) {
  if (index < LOSSES) return losses[index]->name;
  return index < LOSSES + PENALTIES ? penalties[index - LOSSES]->name : NULL;
}

static const struct loss_row *find_loss(const char *name) {
  for (int32_t i = 0; i < LOSSES; i++)
    if (names_match(losses[i]->name, name)) return losses[i];
  return NULL;
}

static const struct penalty_row *find_penalty(const char *name) {
  for (int32_t i = 0; i < PENALTIES; i++)
    if (names_match(penalties[i]->name, name)) return penalties[i];
  return NULL;
}

/* ------------------------------------------------------------------ making */

static gan_status loss_parse(gan_loss *loss, const char *text) {
  char name[NETWORK_NAME];
  const char *rest = line_name(text, name, sizeof name);
  REQUIRE(loss->ctx, rest, "loss: the text is empty, expected a name such as 'non-saturating'");
  loss->loss = find_loss(name);
  if (loss->loss) return options_parse(loss->ctx, name, loss->loss->options, loss->loss->n_options, rest, &loss->options);
  loss->penalty = find_penalty(name);
  if (loss->penalty)
    return options_parse(loss->ctx, name, loss->penalty->options, loss->penalty->n_options, rest, &loss->options);
  loss->custom = registry_find(loss->ctx, REGISTRY_LOSS, name);
  if (loss->custom) return options_parse(loss->ctx, name, NULL, 0, rest, &loss->options);
  return fail_unknown(loss->ctx, "loss or penalty", name, name_at);
}

gan_status gan_loss_create(gan_context *context, const char *text, gan_loss **out) {
  REQUIRE(context, context && text && out, "gan_loss_create: context, text or loss is NULL");
  gan_loss *loss = context_zalloc(context, sizeof *loss);
  if (!loss) return GAN_ERROR_MEMORY;
  atomic_init(&loss->refs, 1);
  loss->ctx = context_ref(context);
  gan_status status = loss_parse(loss, text);
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
  options_free(&loss->options);
  context_release(ctx, loss, sizeof *loss);
  context_unref(ctx);
}

gan_status gan_context_add_loss(gan_context *context, const char *name, gan_loss_function function, void *user,
                                gan_release release) {
  REQUIRE(context, context && name && function, "gan_context_add_loss: context, name or function is NULL");
  REQUIRE(context, !find_loss(name) && !find_penalty(name), "gan_context_add_loss: '%s' is a loss or penalty of the library",
          name);
  return registry_add(context, REGISTRY_LOSS, name, (registry_function)function, user, release);
}

/* ------------------------------------------------------------------ emitting */

static const char *loss_name(const gan_loss *loss) {
  if (loss->loss) return loss->loss->name;
  return loss->penalty ? loss->penalty->name : loss->custom->name;
}

static gan_node *expect_number(const gan_loss *loss, gan_graph *graph, gan_node *node) {
  char shape[128];
  if (node_failed(node)) return graph_fail(graph, GAN_ERROR_CALLBACK, "loss '%s' gave no node", loss_name(loss));
  if (node->rank == 0 && node->type == GAN_F32) return node;
  return graph_fail(graph, GAN_ERROR_SHAPE, "loss '%s' gave a node of shape %s, expected one number (rank 0, f32)",
                    loss_name(loss), shape_text(shape, sizeof shape, node->rank, node->shape));
}

static gan_node *emit(gan_loss *loss, int32_t side, gan_node *real, gan_node *fake) {
  gan_graph *graph = fake ? fake->graph : real ? real->graph : NULL;
  if (!loss)
    return graph_fail(graph, GAN_ERROR_ARGUMENT, "%s: loss is NULL", side ? "gan_loss_generator" : "gan_loss_discriminator");
  if (loss->penalty)
    return graph_fail(graph, GAN_ERROR_ARGUMENT, "'%s' is a penalty: gan_loss_penalty emits it", loss_name(loss));
  if (node_failed(fake) || ((real || side == 0) && node_failed(real)))
    return graph_fail(graph, GAN_ERROR_ARGUMENT, "loss '%s': scores of real or generated samples are missing", loss_name(loss));
  struct loss_call call = {.options = &loss->options, .real = real, .fake = fake};
  gan_node *node;
  if (loss->custom)
    node = ((gan_loss_function)loss->custom->function)(loss->custom->user, side, real, fake);
  else
    node = side ? loss->loss->generator(&call) : loss->loss->discriminator(&call);
  return expect_number(loss, graph, node);
}

gan_node *gan_loss_discriminator(gan_loss *loss, gan_node *real, gan_node *fake) {
  return emit(loss, 0, real, fake);
}

gan_node *gan_loss_generator(gan_loss *loss, gan_node *real, gan_node *fake) {
  return emit(loss, 1, real, fake);
}

static gan_node *check_points(const gan_loss *loss, gan_graph *graph, const gan_node *real, const gan_node *fake) {
  char a[128], b[128];
  if (real->rank >= 1 && shape_equal(real->rank, real->shape, fake->rank, fake->shape)) return NULL;
  shape_text(a, sizeof a, real->rank, real->shape);
  shape_text(b, sizeof b, fake->rank, fake->shape);
  return graph_fail(graph, GAN_ERROR_SHAPE, "penalty '%s': real is %s and fake %s, expected the same shape with the batch first",
                    loss_name(loss), a, b);
}

gan_node *gan_loss_penalty(gan_loss *penalty, gan_network *discriminator, gan_node *real, gan_node *fake,
                           int32_t n_conditions, gan_node *const *conditions) {
  gan_graph *graph = fake ? fake->graph : real ? real->graph : NULL;
  if (!penalty || !discriminator || n_conditions < 0 || (n_conditions > 0 && !conditions))
    return graph_fail(graph, GAN_ERROR_ARGUMENT, "gan_loss_penalty: penalty, discriminator or conditions are missing");
  if (!penalty->penalty)
    return graph_fail(graph, GAN_ERROR_ARGUMENT, "'%s' is a loss, not a penalty", loss_name(penalty));
  if (node_failed(real) || node_failed(fake))
    return graph_fail(graph, GAN_ERROR_ARGUMENT, "penalty '%s': real or generated samples are missing", loss_name(penalty));
  gan_node *wrong = check_points(penalty, graph, real, fake);
  if (wrong) return wrong;
  struct penalty_call call = {.options = &penalty->options, .discriminator = discriminator, .real = real, .fake = fake,
                              .n_conditions = n_conditions, .conditions = conditions};
  return expect_number(penalty, graph, penalty->penalty->emit(&call));
}
