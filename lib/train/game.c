/* gan_game: making one, its steps, and what is set from outside. */
#include "train/game.h"

#include <string.h>

static const gan_game_config defaults = {.struct_size = sizeof defaults, .batch = 64};

gan_status gan_game_config_init(gan_game_config *config, int64_t size) {
  REQUIRE(NULL, config, "gan_game_config_init: config is NULL");
  return config_write(config, size, &defaults, sizeof defaults);
}

gan_status gan_game_create(gan_context *context, const gan_game_config *config, gan_game **out) {
  REQUIRE(context, context && out, "gan_game_create: context or game is NULL");
  gan_game_config c = defaults;
  if (config) TRY(config_read(context, "gan_game_config", &c, sizeof c, config));
  REQUIRE(context, c.batch >= 1 && c.batch <= INT32_MAX, "gan_game_config: batch %lld, expected at least 1", (long long)c.batch);
  gan_game *g = context_zalloc(context, sizeof *g);
  if (!g) return GAN_ERROR_MEMORY;
  atomic_init(&g->refs, 1);
  atomic_init(&g->cancel, 0);
  g->ctx = context_ref(context);
  g->batch = c.batch;
  g->seed = c.seed ? c.seed : context->seed;
  g->last_step = g->last_phase = -1;
  *out = g;
  return GAN_OK;
}

gan_game *game_ref(gan_game *g) {
  atomic_fetch_add(&g->refs, 1);
  return g;
}

static void destroy(gan_game *g) {
  gan_context *ctx = g->ctx;
  game_unplan(g);
  for (int64_t i = 0; i < g->n_steps; i++) {
    context_strfree(ctx, g->step_list[i].name);
    gan_graph_free(g->step_list[i].graph);
  }
  context_release(ctx, g->step_list, sizeof *g->step_list * (size_t)g->cap_steps);
  for (int64_t i = 0; i < g->n_sources; i++) gan_data_free(g->sources[i].data);
  context_release(ctx, g->sources, sizeof *g->sources * (size_t)g->cap_sources);
  context_release(ctx, g, sizeof *g);
  context_unref(ctx);
}

void gan_game_free(gan_game *g) {
  if (g && atomic_fetch_sub(&g->refs, 1) == 1) destroy(g);
}

/* ------------------------------------------------------------------ steps */

static struct game_step *find(const gan_game *g, const char *name) {
  for (int64_t i = 0; i < g->n_steps; i++)
    if (strcmp(g->step_list[i].name, name) == 0) return &g->step_list[i];
  return NULL;
}

struct game_step *game_find_step(gan_game *g, const char *name) {
  struct game_step *s = name ? find(g, name) : NULL;
  if (!s) gan_fail(g->ctx, GAN_ERROR_ARGUMENT, "game: there is no step '%s'", name ? name : "(NULL)");
  return s;
}

gan_status gan_game_add_step(gan_game *g, const char *name, gan_graph **graph) {
  if (!g) return gan_fail_null(NULL, "gan_game_add_step", "game");
  REQUIRE(g->ctx, name && *name && graph, "gan_game_add_step: name or graph is NULL, or the name is empty");
  REQUIRE(g->ctx, !find(g, name), "gan_game_add_step: there is a step '%s' already", name);
  if (g->prepared) return gan_fail(g->ctx, GAN_ERROR_STATE, "gan_game_add_step: the game is prepared");
  TRY(context_grow(g->ctx, (void **)&g->step_list, &g->cap_steps, g->n_steps + 1, sizeof *g->step_list));
  struct game_step s = {.name = context_strdup(g->ctx, name)};
  if (!s.name) return GAN_ERROR_MEMORY;
  gan_status status = gan_graph_create(g->ctx, &s.graph);
  if (status != GAN_OK) {
    context_strfree(g->ctx, s.name);
    return status;
  }
  s.graph->batch = g->batch;
  g->step_list[g->n_steps++] = s;
  *graph = s.graph;
  return GAN_OK;
}

int64_t gan_game_steps(const gan_game *g) {
  return g ? g->steps : 0;
}

/* ------------------------------------------------------------------ from outside */

gan_status gan_game_set_hook(gan_game *g, gan_gradient_hook hook, void *user) {
  if (!g) return gan_fail_null(NULL, "gan_game_set_hook", "game");
  g->hook = hook;
  g->hook_user = user;
  return GAN_OK;
}

void gan_game_cancel(gan_game *g) {
  if (g) atomic_store(&g->cancel, 1);
}

int32_t game_take_cancel(gan_game *g) {
  return atomic_exchange(&g->cancel, 0);
}
