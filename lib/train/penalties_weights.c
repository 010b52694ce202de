/* Penalties on the weights of the players. */
#include "train/loss.h"
#include "train/terms.h"

#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------ whose weights */

static const char *const players[] = {"D", "G", "both", NULL};

static const char *player_at(int32_t index) { return players[index]; }

static gan_status check_player(gan_context *ctx, const struct options *o) {
  for (int32_t i = 0; players[i]; i++)
    if (strcmp(option_text(o, "of"), players[i]) == 0) return GAN_OK;
  return fail_unknown(ctx, NULL, "player", option_text(o, "of"), player_at);
}

static int32_t concerns(const struct options *o, int32_t side) {
  const char *of = option_text(o, "of");
  return *of == 'b' || *of == (side == GAN_SIDE_D ? 'D' : 'G');
}

static gan_network *player_of(const struct loss_call *c) {
  return c->side == GAN_SIDE_D ? c->scene->discriminator : c->scene->generator;
}

/* The sum of a rule over the parameters of the side's network; rules give NULL for those they leave alone. */
static gan_node *over_weights(const struct loss_call *c, gan_node *(*rule)(const struct loss_call *c, struct variable *v)) {
  gan_network *n = player_of(c);
  gan_node *sum = NULL;
  if (!n) return scene_fail(c, "networks");
  if (gan_network_finish(n) != GAN_OK) return graph_fail(c->graph, GAN_ERROR_ARGUMENT, "%s", n->ctx->error);
  for (int64_t i = 0; i < n->n_variables && !c->graph->failed; i++) {
    struct variable *v = n->variables[i].variable;
    gan_node *of_one = v->trainable ? rule(c, v) : NULL;
    if (of_one) sum = sum ? gan_add(sum, of_one) : of_one;
  }
  return sum ? loss_weighted(c, sum) : gan_constant(c->graph, 0);
}

#define OF(fallback) {"of", OPTION_TEXT, 0, 0, fallback, "whose weights: D, G, both"}

/* ------------------------------------------------------------------ Brock et al. 2019 */

/* The rows of a weight (units, ..) should be orthogonal to each other; how long they are is free. */
static gan_node *not_orthogonal(const struct loss_call *c, struct variable *v) {
  if (v->rank < 2) return NULL;
  int64_t rows = v->shape[0];
  gan_node *w = gan_reshape(node_present(c->graph, v), 2, (int64_t[]){rows, v->count / rows});
  gan_node *products = gan_matmul(w, w, 0, 1);
  return gan_sum(gan_square(gan_mul(products, node_off_diagonal(c->graph, rows))));
}

static gan_node *orthogonal(const struct loss_call *c) { return over_weights(c, not_orthogonal); }

static const struct option orthogonal_options[] = {PENALTY_COMMON("1e-4"), OF("G")};

const struct loss_row penalty_orthogonal = {
  .name = "orthogonal",
  .help = "weight * sum of (W W' off the diagonal)^2 over the weights of rank 2 and more, as (units, rest) (Brock et al. 2019, "
          "eq. 3)",
  OPTIONS_OF(orthogonal_options), .check = check_player, .concerns = concerns,
  .discriminator = orthogonal, .generator = orthogonal,
};

/* ------------------------------------------------------------------ Yoshida and Miyato 2017 */

/* sigma = |W v| with the unit vector v = W' u, one iteration of the power method from the u that the last step left. */
static gan_node *largest_singular(const struct loss_call *c, struct variable *v) {
  char name[3 * NETWORK_NAME];
  if (v->rank < 2) return NULL;
  snprintf(name, sizeof name, "%.150s", v->name);
  const int64_t rows = v->shape[0];
  gan_node *w = gan_reshape(node_present(c->graph, v), 2, (int64_t[]){rows, v->count / rows});
  gan_node *u = gan_reshape(loss_state(c, name, 1, &rows, 1), 2, (int64_t[]){1, rows});
  gan_node *stretched = gan_matmul(unit_rows(gan_matmul(u, w, 0, 0)), w, 0, 1);
  loss_assign(c, name, gan_reshape(unit_rows(stretched), 1, &rows));
  return gan_scale(gan_sum(gan_square(stretched)), 0.5);
}

static gan_node *spectral_norm(const struct loss_call *c) { return over_weights(c, largest_singular); }

static const struct option spectral_options[] = {PENALTY_COMMON("0.01"), OF("D")};

const struct loss_row penalty_spectral_norm = {
  .name = "spectral-norm",
  .help = "weight / 2 * sum of sigma(W)^2 over the weights of rank 2 and more, as (units, rest), by an iteration of the power method a "
          "step (Yoshida and Miyato 2017, eq. 4)",
  OPTIONS_OF(spectral_options), .check = check_player, .concerns = concerns,
  .discriminator = spectral_norm, .generator = spectral_norm,
};

/* ------------------------------------------------------------------ Salimans et al. 2016 */

static gan_node *steps_of(const struct loss_call *c) {
  return loss_state(c, c->side == GAN_SIDE_D ? "n-D" : "n-G", 0, NULL, 0);
}

/* The mean of the values that the weight had in all steps so far. */
static gan_node *far_from_history(const struct loss_call *c, struct variable *v) {
  char name[3 * NETWORK_NAME];
  snprintf(name, sizeof name, "%.150s", v->name);
  gan_node *w = node_present(c->graph, v), *mean = loss_state(c, name, v->rank, v->shape, 0);
  gan_node *off = gan_sub(w, mean);
  loss_assign(c, name, gan_add(mean, gan_div(off, gan_shift(steps_of(c), 1))));
  return gan_sum(gan_square(off));
}

static gan_node *historical_averaging(const struct loss_call *c) {
  gan_node *n = steps_of(c), *far = over_weights(c, far_from_history);
  loss_assign(c, c->side == GAN_SIDE_D ? "n-D" : "n-G", gan_shift(n, 1));
  return gan_mul(gan_minimum(n, gan_constant(c->graph, 1)), far);
}

static const struct option historical_options[] = {PENALTY_COMMON("1"), OF("both")};

const struct loss_row penalty_historical_averaging = {
  .name = "historical-averaging",
  .help = "weight * squared distance of the weights from their mean over all steps so far, from the second on (Salimans et al. "
          "2016, section 3.3)",
  OPTIONS_OF(historical_options), .check = check_player, .concerns = concerns,
  .discriminator = historical_averaging, .generator = historical_averaging,
};
