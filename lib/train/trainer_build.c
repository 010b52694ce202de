/* The two-player game as a graph: D's phase on real and generated samples, then G's phase against the new D. */
#include "train/trainer.h"

#include <stdio.h>
#include <string.h>

enum { PORTS_MAX = 16 };

/* One step under construction. */
struct scene {
  gan_trainer *t;
  gan_graph *g;
  gan_node *real, *fake;                 /* as D sees them */
  gan_node *real_scores, *fake_scores;   /* of D's phase */
  gan_node *conditions[PORTS_MAX]; int32_t n_conditions;   /* D's further inputs */
  struct reference { gan_node *in[PORTS_MAX]; } of_generator, of_discriminator;   /* see refer() */
};

/* ------------------------------------------------------------------ samples of one shape, seen in another */

static gan_node *see_as(gan_node *x, const char *what, const char *wanted, const struct gan_port *port) {
  int64_t shape[GAN_MAX_RANK] = {0};
  char a[128], b[128];
  if (node_failed(x)) return x;
  if (shape_equal(x->rank - 1, x->shape + 1, port->rank, port->shape)) return x;
  if (x->rank < 1 || shape_count(x->rank - 1, x->shape + 1) != shape_count(port->rank, port->shape))
    return graph_fail(x->graph, GAN_ERROR_SHAPE, "%s is %s a sample, %s is %s", what,
                      shape_text(a, sizeof a, x->rank - 1, x->shape + 1), wanted,
                      shape_text(b, sizeof b, port->rank, port->shape));
  shape[0] = x->shape[0];
  memcpy(shape + 1, port->shape, sizeof *shape * (size_t)port->rank);
  return gan_reshape(x, port->rank + 1, shape);
}

static gan_node *see_slot_as(const struct scene *s, gan_node *x, int32_t slot, const gan_network *n, const struct network_port *port) {
  char what[NETWORK_NAME + 32], wanted[2 * NETWORK_NAME + 32];
  snprintf(what, sizeof what, "data slot '%s'", s->t->data->slots[slot].name);
  snprintf(wanted, sizeof wanted, "input '%s' of '%s'", port->name, n->name);
  return see_as(x, what, wanted, &port->info);
}

static gan_node *slot_as(const struct scene *s, int32_t slot, const gan_network *n, const struct network_port *port) {
  return see_slot_as(s, gan_data_node(s->g, s->t->data, s->t->data->slots[slot].name), slot, n, port);
}

/* ------------------------------------------------------------------ the players */

/* A further input is the data slot of its name; the generator draws what the data has not got. */
static gan_node *condition(const struct scene *s, gan_network *n, const struct network_port *port, int32_t may_draw) {
  int32_t slot = data_find(s->t->data, port->name);
  if (slot >= 0) return slot_as(s, slot, n, port);
  if (may_draw && port->info.role != GAN_ROLE_DATA) return gan_noise(s->g, n, port->name);
  return graph_fail(s->g, GAN_ERROR_ARGUMENT, "the data has no slot '%s' for that input of '%s'", port->name, n->name);
}

static gan_node *generate(const struct scene *s) {
  gan_network *n = s->t->generator;
  gan_node *in[PORTS_MAX], *out = NULL;
  in[0] = gan_noise(s->g, n, n->inputs[0].name);
  for (int64_t i = 1; i < n->n_inputs; i++) in[i] = condition(s, n, &n->inputs[i], 1);
  gan_network_apply(n, 1, (int32_t)n->n_inputs, in, 1, &out);
  return see_as(out, "the generator's output", "the discriminator's first input", &s->t->discriminator->inputs[0].info);
}

static gan_node *judge(const struct scene *s, gan_node *x, gan_node *const *conditions) {
  gan_node *in[PORTS_MAX + 1] = {x}, *scores = NULL;
  for (int32_t i = 0; i < s->n_conditions; i++) in[1 + i] = conditions[i];
  gan_network_apply(s->t->discriminator, 1, 1 + s->n_conditions, in, 1, &scores);
  return scores;
}

/* A network with virtual batch norm passes its reference batch first in every phase that it is applied in. */
static void refer(const struct scene *s, gan_network *n, int32_t image, struct reference *r) {
  if (!(network_flags(n) & LAYER_REFERENCE)) return;
  for (int32_t i = 0; i < n->n_inputs && !r->in[n->n_inputs - 1]; i++) {
    int32_t slot = i ? data_find(s->t->data, n->inputs[i].name) : image;
    r->in[i] = trainer_reference(s->t, s->g, n, i, slot);
    if (slot >= 0) r->in[i] = see_slot_as(s, r->in[i], slot, n, &n->inputs[i]);
  }
  gan_node *none;
  gan_network_apply(n, 1, (int32_t)n->n_inputs, r->in, 0, &none);
}

/* Noise on what D sees makes it blind to details that are not there yet (Sonderby et al. 2017). */
static gan_node *blur(const struct scene *s, gan_node *x, const char *name) {
  if (s->t->instance_noise == 0 || node_failed(x)) return x;
  return gan_add(x, gan_scale(gan_random(s->g, name, "normal", x->rank, x->shape), s->t->instance_noise));
}

/* ------------------------------------------------------------------ D's phase */

static gan_node *twice(gan_node *x, gan_node *y) {
  return gan_concat(2, (gan_node *[]){x, y}, 0);
}

/* One pass of twice the batch costs less than two passes; but no sample may see another, and draws must not move. */
static void judge_both(struct scene *s) {
  if (network_flags(s->t->discriminator) & (LAYER_COUPLES | LAYER_RANDOM)) {
    s->real_scores = judge(s, s->real, s->conditions);
    s->fake_scores = judge(s, s->fake, s->conditions);
    return;
  }
  gan_node *conditions[PORTS_MAX];
  for (int32_t i = 0; i < s->n_conditions; i++) conditions[i] = twice(s->conditions[i], s->conditions[i]);
  gan_node *scores = judge(s, twice(s->real, s->fake), conditions);
  s->real_scores = gan_slice(scores, 0, 0, s->g->batch);
  s->fake_scores = gan_slice(scores, 0, s->g->batch, 2 * s->g->batch);
}

static void report_scores(const struct scene *s) {
  int32_t probabilities = s->t->loss->row && s->t->loss->row->probabilities;
  gan_output(gan_mean(probabilities ? gan_sigmoid(s->real_scores) : s->real_scores), "d_real");
  gan_output(gan_mean(probabilities ? gan_sigmoid(s->fake_scores) : s->fake_scores), "d_fake");
}

static void discriminator_phase(struct scene *s) {
  gan_trainer *t = s->t;
  gan_network *d = t->discriminator;
  gan_phase(s->g, "D");
  s->n_conditions = (int32_t)d->n_inputs - 1;
  for (int32_t i = 0; i < s->n_conditions; i++) s->conditions[i] = condition(s, d, &d->inputs[1 + i], 0);
  refer(s, t->generator, -1, &s->of_generator);
  refer(s, d, t->image, &s->of_discriminator);
  s->real = blur(s, slot_as(s, t->image, d, &d->inputs[0]), "instance-noise/real");
  s->fake = blur(s, generate(s), "instance-noise/fake");
  judge_both(s);
  gan_node *loss = gan_loss_discriminator(t->loss, s->real_scores, s->fake_scores);
  if (t->penalty) loss = gan_add(loss, gan_loss_penalty(t->penalty, d, s->real, s->fake, s->n_conditions, s->conditions));
  gan_output(loss, "loss_d");
  report_scores(s);
  gan_minimize(t->optimizer_d, loss);
}

/* ------------------------------------------------------------------ G's phase */

/* D's update left G alone: unless new noise is asked for, the samples that D saw are still what G makes. */
static void generator_phase(struct scene *s) {
  gan_trainer *t = s->t;
  gan_phase(s->g, "G");
  if (t->fresh_noise) refer(s, t->generator, -1, &s->of_generator);
  refer(s, t->discriminator, t->image, &s->of_discriminator);
  gan_node *fake = t->fresh_noise ? blur(s, generate(s), "instance-noise/fresh") : s->fake;
  gan_node *loss = gan_loss_generator(t->loss, s->real_scores, judge(s, fake, s->conditions));
  gan_output(loss, "loss_g");
  gan_minimize(t->optimizer_g, loss);
  if (t->average) gan_follow(s->g, t->average, t->generator, t->ema);
}

void trainer_build(gan_trainer *t, gan_graph *g, int32_t both) {
  struct scene s = {.t = t, .g = g};
  if (t->generator->n_inputs < 1 || t->generator->n_inputs > PORTS_MAX || t->discriminator->n_inputs < 1 ||
      t->discriminator->n_inputs > PORTS_MAX) {
    graph_fail(g, GAN_ERROR_ARGUMENT, "generator and discriminator have 1 to %d inputs each", PORTS_MAX);
    return;
  }
  discriminator_phase(&s);
  if (both) generator_phase(&s);
}
