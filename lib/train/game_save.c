/* A checkpoint: safetensors with everything in it that a game is made of. */
#include "train/game.h"

#include <stdio.h>
#include <string.h>

#include "io/safetensors.h"

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "unknown compiler"
#endif

const char *game_build(void) {
  return COMPILER;
}

static gan_status write_tensors(const gan_game *g, const struct game_tensors *t, struct writer *w, const char *state) {
  char steps[32], seed[32], digest[32], format[16];
  snprintf(steps, sizeof steps, "%lld", (long long)g->steps);
  snprintf(seed, sizeof seed, "%lld", (long long)g->seed);
  snprintf(digest, sizeof digest, "%016llx", (unsigned long long)game_digest(g, t));
  snprintf(format, sizeof format, "%d", GAME_FORMAT);
  const struct st_metadata metadata[] = {
    {"gan.kind", "game"}, {"gan.format", format}, {"gan.version", gan_version_text()}, {"gan.build", game_build()},
    {"gan.isa", g->ctx->kernels->name}, {"gan.steps", steps}, {"gan.seed", seed}, {"gan.digest", digest}, {"gan.state", state},
  };
  struct st_tensor *list = context_zalloc(g->ctx, sizeof *list * (size_t)t->count);
  if (!list) return GAN_ERROR_MEMORY;
  for (int64_t i = 0; i < t->count; i++) {
    const struct variable *v = t->list[i].variable;
    list[i] = (struct st_tensor){.name = t->list[i].name, .type = GAN_F32, .rank = v->rank, .count = v->count, .data = v->data};
    memcpy(list[i].shape, v->shape, sizeof v->shape);
  }
  gan_status status = st_write(w, sizeof metadata / sizeof *metadata, metadata, t->count, list);
  context_release(g->ctx, list, sizeof *list * (size_t)t->count);
  return status;
}

static gan_status write_game(const gan_game *g, struct writer *w) {
  struct game_tensors tensors;
  struct text state;
  text_init(&state, g->ctx);
  game_state_write(g, &state);
  gan_status status = game_tensors_list(g, &tensors);
  if (status == GAN_OK && state.failed) status = GAN_ERROR_MEMORY;
  if (status == GAN_OK) status = write_tensors(g, &tensors, w, text_get(&state));
  game_tensors_free(&tensors);
  text_free(&state);
  return status;
}

static gan_status finish(const gan_game *g, struct writer *w) {
  gan_status status = write_game(g, w);
  if (status == GAN_OK) return writer_commit(w);
  writer_abandon(w);
  return status;
}

gan_status gan_game_save(gan_game *g, const char *path) {
  if (!g) return gan_fail_null(NULL, "gan_game_save", "game");
  REQUIRE(g->ctx, path, "gan_game_save: path is NULL");
  TRY(gan_game_prepare(g));
  struct writer w;
  TRY(writer_open(&w, g->ctx, io_system(), path));
  return finish(g, &w);
}

gan_status gan_game_save_stream(gan_game *g, const gan_stream *stream) {
  if (!g) return gan_fail_null(NULL, "gan_game_save_stream", "game");
  REQUIRE(g->ctx, stream, "gan_game_save_stream: stream is NULL");
  TRY(gan_game_prepare(g));
  struct writer w;
  TRY(writer_stream(&w, g->ctx, stream));
  return finish(g, &w);
}
