/* Outputs of a step, by name. */
#include "train/game.h"

#include <string.h>

static gan_status find(gan_game *g, const char *step, const char *output, const gan_node **node, const void **value) {
  REQUIRE(g->ctx, step && output, "game: step or output is NULL");
  const struct game_step *s = game_find_step(g, step);
  if (!s) return GAN_ERROR_ARGUMENT;
  const struct graph_output *o = graph_find_output(s->graph, output);
  REQUIRE(g->ctx, o, "step '%s' has no output '%s'", step, output);
  if (o->phase >= s->phases_run)
    return gan_fail(g->ctx, GAN_ERROR_STATE, "step '%s' has not run yet: no output '%s'", step, output);
  *node = o->node;
  *value = plan_value(s->plan, o->node);
  return *value ? GAN_OK : gan_fail(g->ctx, GAN_ERROR_STATE, "step '%s': output '%s' has no value", step, output);
}

gan_status gan_game_read(gan_game *g, const char *step, const char *output, gan_tensor *tensor) {
  if (!g) return gan_fail_null(NULL, "gan_game_read", "game");
  REQUIRE(g->ctx, tensor, "gan_game_read: tensor is NULL");
  const gan_node *node;
  const void *value;
  char a[128], b[128];
  TRY(find(g, step, output, &node, &value));
  if (tensor->count != node->count)
    return gan_fail(g->ctx, GAN_ERROR_SHAPE, "step '%s': output '%s' is %s, the tensor %s", step, output,
                    shape_text(a, sizeof a, node->rank, node->shape), shape_text(b, sizeof b, tensor->rank, tensor->shape));
  convert_elements(tensor->type, tensor->data, node->type, value, node->count);
  return GAN_OK;
}

gan_status gan_game_value(gan_game *g, const char *step, const char *output, double *value) {
  if (!g) return gan_fail_null(NULL, "gan_game_value", "game");
  REQUIRE(g->ctx, value, "gan_game_value: value is NULL");
  const gan_node *node;
  const void *at;
  char shape[128];
  TRY(find(g, step, output, &node, &at));
  if (node->count != 1)
    return gan_fail(g->ctx, GAN_ERROR_SHAPE, "step '%s': output '%s' is %s, not one number: gan_game_read reads it", step, output,
                    shape_text(shape, sizeof shape, node->rank, node->shape));
  convert_elements(GAN_F64, value, node->type, at, 1);
  return GAN_OK;
}
