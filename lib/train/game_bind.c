/* Inputs and scalars that the caller sets, by name and in all steps at once. */
#include "train/game.h"

#include <math.h>
#include <string.h>

static int32_t has_name(const struct game_input *in, int32_t kind, const char *name) {
  return in->binding->kind == kind && in->binding->name && strcmp(in->binding->name, name) == 0;
}

static gan_status check_bind(gan_game *g, const struct game_step *s, const struct game_input *in, const gan_tensor *t) {
  const char *name = in->binding->name;
  char a[128], b[128];
  if (t->count != in->node->count)
    return gan_fail(g->ctx, GAN_ERROR_SHAPE, "step '%s': input '%s' is %s, the tensor %s", s->name, name,
                    shape_text(a, sizeof a, in->node->rank, in->node->shape), shape_text(b, sizeof b, t->rank, t->shape));
  if (in->node->type != GAN_I32) return GAN_OK;
  REQUIRE(g->ctx, t->type == GAN_I32, "step '%s': input '%s' is i32, the tensor %s", s->name, name, type_name(t->type));
  const int32_t *labels = t->data;
  int64_t bad = labels_first_bad(labels, t->count, in->classes);
  REQUIRE(g->ctx, bad < 0, "step '%s': input '%s': label %lld is %d, expected 0 .. %lld", s->name, name, (long long)bad,
          labels[bad < 0 ? 0 : bad], (long long)in->classes - 1);
  return GAN_OK;
}

static gan_status no_such(gan_game *g, int64_t found, const char *what, const char *name) {
  REQUIRE(g->ctx, found > 0, "game: no step has %s '%s'", what, name);
  return GAN_OK;
}

static gan_status bind_all(gan_game *g, const char *name, const gan_tensor *t, int32_t write, int64_t *found) {
  for (int64_t k = 0; k < g->n_steps; k++) {
    struct game_step *s = &g->step_list[k];
    for (int64_t i = 0; i < s->n_inputs; i++) {
      struct game_input *in = &s->inputs[i];
      if (!has_name(in, BINDING_CALLER, name)) continue;
      TRY(check_bind(g, s, in, t));
      if (write && in->memory) convert_elements(in->node->type, in->memory, t->type, t->data, t->count);
      if (write) in->bound = 1;
      ++*found;
    }
  }
  return GAN_OK;
}

gan_status gan_game_bind(gan_game *g, const char *name, const gan_tensor *tensor) {
  if (!g) return gan_fail_null(NULL, "gan_game_bind", "game");
  REQUIRE(g->ctx, name && tensor, "gan_game_bind: name or tensor is NULL");
  TRY(gan_game_prepare(g));
  int64_t found = 0;
  TRY(bind_all(g, name, tensor, 0, &found));   /* all checks come before the first change */
  TRY(no_such(g, found, "an input", name));
  return bind_all(g, name, tensor, 1, &found);
}

gan_status gan_game_set(gan_game *g, const char *name, double value) {
  if (!g) return gan_fail_null(NULL, "gan_game_set", "game");
  REQUIRE(g->ctx, name, "gan_game_set: name is NULL");
  REQUIRE(g->ctx, isfinite((float)value), "gan_game_set: the value for '%s' is not finite in f32", name);
  TRY(gan_game_prepare(g));
  int64_t found = 0;
  for (int64_t k = 0; k < g->n_steps; k++) {
    struct game_step *s = &g->step_list[k];
    for (int64_t i = 0; i < s->n_inputs; i++) {
      if (!has_name(&s->inputs[i], BINDING_SCALAR, name)) continue;
      if (s->inputs[i].memory) *(float *)s->inputs[i].memory = (float)value;
      found++;
    }
  }
  return no_such(g, found, "a scalar", name);
}
