/* Restoring: everything is read and checked before the first byte of the game changes. */
#include "train/game.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "io/safetensors.h"

struct restore {
  gan_game *game;
  struct reader *reader;
  struct st_file file;
  struct game_tensors tensors;
  struct json_document state;
  float *values;               /* all tensors in a row */
  uint8_t *came;               /* one a tensor */
  int64_t seed, steps;
};

/* ------------------------------------------------------------------ metadata */

static gan_status whole(const struct restore *r, const char *key, int64_t *out) {
  const char *text = st_metadata(&r->file, key), *end;
  if (text && parse_int(text, &end, out) && *end == 0) return GAN_OK;
  return gan_fail(r->game->ctx, GAN_ERROR_FORMAT, "%s: metadata '%s' is missing or no number", r->reader->name, key);
}

static gan_status check_kind(const struct restore *r) {
  gan_context *ctx = r->game->ctx;
  const char *kind = st_metadata(&r->file, "gan.kind");
  if (!kind || strcmp(kind, "game") != 0)
    return gan_fail(ctx, GAN_ERROR_FORMAT, "%s: gan.kind is '%s', expected 'game'", r->reader->name, kind ? kind : "missing");
  int64_t format;
  TRY(whole(r, "gan.format", &format));
  if (format <= GAME_FORMAT) return GAN_OK;
  return gan_fail(ctx, GAN_ERROR_UNSUPPORTED, "%s: game format %lld, this library reads up to %d", r->reader->name,
                  (long long)format, GAME_FORMAT);
}

static void compare(const struct restore *r, const char *key, const char *here) {
  const char *there = st_metadata(&r->file, key);
  if (there && strcmp(there, here) == 0) return;
  context_log(r->game->ctx, GAN_LOG_WARNING, "%s: %s was '%s', here it is '%s': the run goes on, but not with the same bits",
              r->reader->name, key, there ? there : "missing", here);
}

static gan_status read_metadata(struct restore *r) {
  gan_context *ctx = r->game->ctx;
  TRY(check_kind(r));
  TRY(whole(r, "gan.seed", &r->seed));
  TRY(whole(r, "gan.steps", &r->steps));
  const char *state = st_metadata(&r->file, "gan.state");
  if (!state || r->steps < 0)
    return gan_fail(ctx, GAN_ERROR_FORMAT, "%s: gan.state is missing or gan.steps negative", r->reader->name);
  TRY(json_parse(ctx, state, (int64_t)strlen(state), &r->state));
  return game_state_read(r->game, r->state.root, 0);
}

/* Last, as what differs has a better sentence if it is a tensor. */
static gan_status check_digest(const struct restore *r) {
  char here[32];
  const char *there = st_metadata(&r->file, "gan.digest");
  snprintf(here, sizeof here, "%016" PRIx64, game_digest(r->game, &r->tensors));
  if (there && strcmp(there, here) == 0) return GAN_OK;
  return gan_fail(r->game->ctx, GAN_ERROR_SHAPE, "%s: is of a game with other steps, phases or optimizers", r->reader->name);
}

/* ------------------------------------------------------------------ tensors */

static int64_t find(const struct game_tensors *t, const char *name) {
  for (int64_t i = 0; i < t->count; i++)
    if (strcmp(t->list[i].name, name) == 0) return i;
  return -1;
}

static gan_status read_tensor(struct restore *r, int64_t index) {
  gan_context *ctx = r->game->ctx;
  const struct st_tensor *from = &r->file.tensors[index];
  int64_t i = find(&r->tensors, from->name);
  char a[128], b[128];
  if (i < 0) return gan_fail(ctx, GAN_ERROR_SHAPE, "%s: tensor '%s' is not in this game", r->reader->name, from->name);
  const struct game_tensor *to = &r->tensors.list[i];
  if (from->type == GAN_I32 || from->type == GAN_U8)
    return gan_fail(ctx, GAN_ERROR_FORMAT, "%s: tensor '%s' is %s, expected f32", r->reader->name, from->name,
                    type_name(from->type));
  if (!shape_equal(from->rank, from->shape, to->variable->rank, to->variable->shape))
    return gan_fail(ctx, GAN_ERROR_SHAPE, "%s: tensor '%s' is %s, in this game %s", r->reader->name, from->name,
                    shape_text(a, sizeof a, from->rank, from->shape),
                    shape_text(b, sizeof b, to->variable->rank, to->variable->shape));
  r->came[i] = 1;
  return st_read(&r->file, index, r->values + to->first);
}

static gan_status read_tensors(struct restore *r) {
  gan_context *ctx = r->game->ctx;
  TRY(game_tensors_list(r->game, &r->tensors));
  r->values = context_alloc(ctx, sizeof *r->values * (size_t)r->tensors.elements);
  r->came = context_zalloc(ctx, (size_t)r->tensors.count);
  if (!r->values || !r->came) return GAN_ERROR_MEMORY;
  for (int64_t i = 0; i < r->file.count; i++) TRY(read_tensor(r, i));
  for (int64_t i = 0; i < r->tensors.count; i++)
    if (!r->came[i])
      return gan_fail(ctx, GAN_ERROR_SHAPE, "%s: there is no tensor '%s'", r->reader->name, r->tensors.list[i].name);
  return GAN_OK;
}

/* ------------------------------------------------------------------ all of it */

static gan_status read_all(struct restore *r) {
  TRY(st_open(&r->file, r->game->ctx, r->reader));
  TRY(read_metadata(r));
  TRY(read_tensors(r));
  return check_digest(r);
}

/* Cannot fail: the state was checked. */
static void commit(struct restore *r) {
  gan_game *g = r->game;
  for (int64_t i = 0; i < r->tensors.count; i++) {
    struct variable *v = r->tensors.list[i].variable;
    memcpy(v->data, r->values + r->tensors.list[i].first, sizeof *v->data * (size_t)v->count);
  }
  (void)game_state_read(g, r->state.root, 1);
  g->seed = r->seed;
  g->steps = r->steps;
  compare(r, "gan.build", game_build());
  compare(r, "gan.isa", g->ctx->kernels->name);
}

static gan_status restore(gan_game *g, struct reader *reader) {
  struct restore r = {.game = g, .reader = reader, .file = {.ctx = g->ctx}, .tensors = {.ctx = g->ctx}, .state = {.ctx = g->ctx}};
  gan_status status = read_all(&r);
  if (status == GAN_OK) commit(&r);
  context_release(g->ctx, r.values, sizeof *r.values * (size_t)r.tensors.elements);
  context_release(g->ctx, r.came, (size_t)r.tensors.count);
  game_tensors_free(&r.tensors);
  json_free(&r.state);
  st_close(&r.file);
  return status;
}

gan_status gan_game_restore(gan_game *g, const char *path) {
  if (!g) return gan_fail_null(NULL, "gan_game_restore", "game");
  REQUIRE(g->ctx, path, "gan_game_restore: path is NULL");
  TRY(gan_game_prepare(g));
  struct reader reader;
  TRY(reader_open(&reader, g->ctx, io_system(), path));
  gan_status status = restore(g, &reader);
  reader_close(&reader);
  return status;
}

gan_status gan_game_restore_stream(gan_game *g, const gan_stream *stream) {
  if (!g) return gan_fail_null(NULL, "gan_game_restore_stream", "game");
  REQUIRE(g->ctx, stream, "gan_game_restore_stream: stream is NULL");
  TRY(gan_game_prepare(g));
  struct reader reader;
  TRY(reader_stream(&reader, g->ctx, stream));
  gan_status status = restore(g, &reader);
  reader_close(&reader);
  return status;
}
