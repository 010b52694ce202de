/* State of a loss: named values that move at the commit of the phase in which they were assigned, and that the game saves. They
 * belong to the handle: all steps that a loss is in share them. */
#include "train/loss.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static struct variable *find(const gan_loss *loss, const char *name) {
  for (int64_t i = 0; i < loss->n_states; i++)
    if (strcmp(loss->states[i].name, name) == 0) return loss->states[i].variable;
  return NULL;
}

/* "loss:began/k" */
static gan_status make(gan_loss *loss, const char *name, int32_t rank, const int64_t *shape, double initial,
                       struct variable **out) {
  char path[3 * NETWORK_NAME];
  snprintf(path, sizeof path, "loss:%.63s/%.100s", loss_name(loss), name);
  TRY(context_grow(loss->ctx, (void **)&loss->states, &loss->cap_states, loss->n_states + 1, sizeof *loss->states));
  char *copy = context_strdup(loss->ctx, name);
  if (!copy) return GAN_ERROR_MEMORY;
  gan_status status = variable_create(loss->ctx, path, rank, shape, out);
  if (status != GAN_OK) {
    context_strfree(loss->ctx, copy);
    return status;
  }
  for (int64_t i = 0; i < (*out)->count; i++) (*out)->data[i] = (float)initial;
  loss->states[loss->n_states++] = (struct loss_state){.name = copy, .variable = *out};
  return GAN_OK;
}

gan_node *loss_state(const struct loss_call *c, const char *name, int32_t rank, const int64_t *shape, double initial) {
  if (c->graph->failed) return &c->graph->error;
  struct variable *v = find(c->loss, name);
  gan_status status = v ? GAN_OK : make(c->loss, name, rank, shape, initial, &v);
  if (status != GAN_OK) return graph_fail(c->graph, status, "%s", c->graph->ctx->error);
  gan_node *assigned = graph_latest_assign(c->graph, v);
  return assigned ? assigned : node_variable(c->graph, v);
}

void loss_assign(const struct loss_call *c, const char *name, gan_node *value) {
  struct variable *v = find(c->loss, name);
  if (v && !node_failed(value)) graph_assign(c->graph, v, value);
}

void loss_free_states(gan_loss *loss) {
  for (int64_t i = 0; i < loss->n_states; i++) {
    context_strfree(loss->ctx, loss->states[i].name);
    variable_unref(loss->states[i].variable);
  }
  context_release(loss->ctx, loss->states, sizeof *loss->states * (size_t)loss->cap_states);
}

/* ------------------------------------------------------------------ from outside */

static gan_status number_at(gan_loss *loss, const char *state, float **out) {
  REQUIRE(loss->ctx, state, "loss '%s': the name of a state is NULL", loss_name(loss));
  struct variable *v = find(loss, state);
  REQUIRE(loss->ctx, v, "loss '%s' has no state '%s' yet: states are made when the loss is emitted", loss_name(loss), state);
  if (v->count != 1)
    return gan_fail(loss->ctx, GAN_ERROR_SHAPE, "loss '%s': the state '%s' is not one number", loss_name(loss), state);
  *out = v->data;
  return GAN_OK;
}

gan_status gan_loss_get(gan_loss *loss, const char *state, double *value) {
  float *at;
  if (!loss) return gan_fail_null(NULL, "gan_loss_get", "loss");
  REQUIRE(loss->ctx, value, "gan_loss_get: value is NULL");
  TRY(number_at(loss, state, &at));
  *value = *at;
  return GAN_OK;
}

gan_status gan_loss_set(gan_loss *loss, const char *state, double value) {
  float *at;
  if (!loss) return gan_fail_null(NULL, "gan_loss_set", "loss");
  TRY(number_at(loss, state, &at));
  REQUIRE(loss->ctx, isfinite((float)value), "gan_loss_set: the value for '%s' is not finite in f32", state);
  *at = (float)value;
  return GAN_OK;
}
