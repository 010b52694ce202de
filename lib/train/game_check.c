/* Is what a phase computed finite? Losses, gradients, new state. Sums of squares answer it for gradients, and are their norms. */
#include "train/game.h"

#include <math.h>
#include <stdio.h>

/* ------------------------------------------------------------------ sums of squares, in pieces that no thread count moves */

enum { SUM_PIECE = 16384, SUM_ALONE = 4 * SUM_PIECE /* less is done before a pool is awake */ };

int64_t sum_pieces(int64_t n) {
  return (n + SUM_PIECE - 1) / SUM_PIECE;
}

struct sum_job { const struct kernels *k; const float *x; int64_t n; double *partial; };

static void sum_some(void *argument, int32_t worker, int32_t workers) {
  const struct sum_job *job = argument;
  for (int64_t i = worker; i < sum_pieces(job->n); i += workers) {
    int64_t first = i * SUM_PIECE, left = job->n - first;
    job->partial[i] = job->k->sum_squares(job->x + first, left < SUM_PIECE ? left : SUM_PIECE);
  }
}

double game_sum_squares(gan_game *g, const float *x, int64_t n) {
  struct sum_job job = {.k = g->ctx->kernels, .x = x, .n = n, .partial = g->partial};
  if (n <= SUM_ALONE)
    sum_some(&job, 0, 1);
  else
    pool_run(g->ctx->pool, sum_some, &job);
  double sum = 0;
  for (int64_t i = 0; i < sum_pieces(n); i++) sum += g->partial[i];
  return sum;
}

/* ------------------------------------------------------------------ what is not finite */

static const char *bad_parameter(const gan_game *g, const gan_optimizer *o) {
  for (int64_t i = 0; i < o->n_parameters; i++) {
    const struct variable *gradient = o->parameters[i].gradient;
    if (!g->ctx->kernels->all_finite(gradient->data, gradient->count)) return o->parameters[i].path;
  }
  return "?";
}

/* Squares of floats cannot overflow a double: the sum is finite exactly if every element is. */
static int32_t update_is_finite(gan_game *g, struct game_update *u, char *what, size_t size) {
  u->loss_value = *u->loss_at;
  double squares = game_sum_squares(g, u->optimizer->gradient->data, u->optimizer->count);
  u->norm = sqrt(squares);
  if (!isfinite(u->loss_value)) {
    snprintf(what, size, "the loss of optimizer '%s'", u->optimizer->name);
    return 0;
  }
  if (isfinite(squares)) return 1;
  snprintf(what, size, "the gradient of '%s' (optimizer '%s')", bad_parameter(g, u->optimizer), u->optimizer->name);
  return 0;
}

int32_t phase_is_finite(gan_game *g, struct game_phase *p, char *what, size_t size) {
  int32_t finite = 1;
  for (int64_t u = 0; u < p->n_updates; u++) {
    char other[256];
    /* Every loss and norm is wanted for the report; the first that is not finite gets the name. */
    finite &= update_is_finite(g, &p->updates[u], finite ? what : other, finite ? size : sizeof other);
  }
  for (int64_t i = 0; finite && i < p->n_states; i++) {
    if (g->ctx->kernels->all_finite(p->state_at[i], state_computed(&p->states[i])->count)) continue;
    snprintf(what, size, "the new state of '%s'", p->states[i].variable->name);
    finite = 0;
  }
  return finite;
}
