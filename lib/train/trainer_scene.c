/* What a step of the trainer shows to its losses: samples as D sees them, D's outputs, labels, what G was applied to. */
#include "train/trainer.h"

#include <stdio.h>
#include <string.h>

#include "train/terms.h"

/* ------------------------------------------------------------------ samples of one shape, seen in another */

static gan_node *see_as(gan_node *x, const char *what, const char *wanted, int32_t rank, const int64_t *sizes) {
  int64_t shape[GAN_MAX_RANK] = {0};
  char a[128], b[128];
  if (node_failed(x)) return x;
  if (shape_equal(x->rank - 1, x->shape + 1, rank, sizes)) return x;
  if (x->rank < 1 || shape_count(x->rank - 1, x->shape + 1) != shape_count(rank, sizes))
    return graph_fail(x->graph, GAN_ERROR_SHAPE, "%s is %s a sample, %s is %s", what,
                      shape_text(a, sizeof a, x->rank - 1, x->shape + 1), wanted, shape_text(b, sizeof b, rank, sizes));
  shape[0] = x->shape[0];
  memcpy(shape + 1, sizes, sizeof *shape * (size_t)rank);
  return gan_reshape(x, rank + 1, shape);
}

/* x is of a slot of the data. */
static gan_node *see_slot_as(const struct scene *s, gan_node *x, int32_t slot, const gan_network *n,
                             const struct network_port *port) {
  char what[NETWORK_NAME + 32], wanted[2 * NETWORK_NAME + 32];
  snprintf(what, sizeof what, "data slot '%s'", s->t->data->slots[slot].name);
  snprintf(wanted, sizeof wanted, "input '%s' of '%s'", port->name, n->name);
  return see_as(x, what, wanted, port->info.rank, port->info.shape);
}

static gan_node *slot_as(const struct scene *s, int32_t slot, const gan_network *n, const struct network_port *port) {
  return see_slot_as(s, gan_data_node(s->g, s->t->data, s->t->data->slots[slot].name), slot, n, port);
}

/* ------------------------------------------------------------------ what D is shown */

/* Samples in the shape of D's first input, whose channels (the last axis) are those of all samples that it judges together. */
static gan_node *as_samples(const struct scene *s, gan_node *x, const char *what) {
  const gan_network *d = s->t->discriminator;
  gan_port one = d->inputs[0].info;
  char wanted[2 * NETWORK_NAME + 48];
  int64_t pack = s->t->pack;
  if (pack > 1 && (one.rank < 1 || one.shape[one.rank - 1] % pack))
    return graph_fail(s->g, GAN_ERROR_SHAPE, "pack: the last axis of the discriminator's first input holds no %lld samples",
                      (long long)pack);
  if (pack > 1) one.shape[one.rank - 1] /= pack;
  snprintf(wanted, sizeof wanted, "%sinput '%s' of '%s'", pack > 1 ? "a share of " : "", d->inputs[0].name, d->name);
  return see_as(x, what, wanted, one.rank, one.shape);
}

/* (batch, .., channels) -> (batch / pack, .., pack channels): neighbours in the batch become channels of one. */
static gan_node *pack_samples(const struct scene *s, gan_node *x) {
  int64_t pack = s->t->pack, split[GAN_MAX_RANK], joined[GAN_MAX_RANK];
  int32_t order[GAN_MAX_RANK], rank;
  if (pack == 1 || node_failed(x)) return x;
  rank = x->rank;
  if (rank + 1 > GAN_MAX_RANK)
    return graph_fail(s->g, GAN_ERROR_SHAPE, "pack: a batch has %d axes, the most is %d", rank, GAN_MAX_RANK - 1);
  split[0] = joined[0] = x->shape[0] / pack;
  split[1] = pack;
  for (int32_t i = 1; i < rank; i++) split[i + 1] = joined[i] = x->shape[i];
  joined[rank - 1] *= pack;
  for (int32_t i = 0; i <= rank; i++) order[i] = i == 0 ? 0 : i < rank - 1 ? i + 1 : i == rank - 1 ? 1 : rank;
  return gan_reshape(gan_transpose(gan_reshape(x, rank + 1, split), rank + 1, order), rank, joined);
}

static gan_node *as_image(const struct scene *s, gan_node *x) {
  char what[NETWORK_NAME + 32];
  snprintf(what, sizeof what, "data slot '%s'", s->t->data->slots[s->t->image].name);
  return as_samples(s, x, what);
}

/* As D sees them: through the devices, in the order in which they were given. */
static gan_node *seen(const struct scene *s, gan_node *x, const char *what) {
  for (int32_t i = 0; i < s->t->devices.count && !node_failed(x); i++) {
    const struct device *d = &s->t->devices.list[i];
    if (d->row->see) x = d->row->see(d, s->g, what, x);
  }
  return pack_samples(s, x);
}

/* ------------------------------------------------------------------ the players */

/* Labels that are known to go too far are refused here, others when they come. */
static gan_node *label_slot(const struct scene *s, int32_t slot, const gan_network *n, const struct network_port *port) {
  int64_t has = s->t->data->slots[slot].classes, takes = port->info.classes;
  if (!takes || has <= takes) return slot_as(s, slot, n, port);
  return graph_fail(s->g, GAN_ERROR_ARGUMENT, "data slot '%s' has %lld classes, input '%s' of '%s' %lld", port->name,
                    (long long)has, port->name, n->name, (long long)takes);
}

/* A condition is the data slot of its name; the generator draws what the data has not got. */
static gan_node *condition(const struct scene *s, gan_network *n, const struct network_port *port, int32_t may_draw) {
  int32_t slot = data_find(s->t->data, port->name);
  if (slot >= 0) return label_slot(s, slot, n, port);
  if (may_draw && port->info.role != GAN_ROLE_DATA) return gan_noise(s->g, n, port->name);
  return graph_fail(s->g, GAN_ERROR_ARGUMENT, "the data has no slot '%s' for that input of '%s'", port->name, n->name);
}

static void judge(const struct scene *s, gan_node *x, gan_node *const *conditions, gan_node **outputs) {
  gan_node *in[PORTS_MAX + 1] = {x};
  for (int32_t i = 0; i < s->view.n_conditions; i++) in[1 + i] = conditions[i];
  gan_network_apply(s->t->discriminator, 1, 1 + s->view.n_conditions, in, s->view.n_outputs, outputs);
}

static gan_node *as_generated(const struct scene *s) {
  gan_node *out = NULL;
  gan_network_apply(s->t->generator, 1, (int32_t)s->t->generator->n_inputs, s->inputs, 1, &out);
  return as_samples(s, out, "the generator's output");
}

/* z + alpha g / (damping + |g|^2), g the gradient of the score of what z makes; gradients pass through g, too. */
static gan_node *optimised(struct scene *s, const struct device *d, gan_node *z) {
  gan_node *outputs[PORTS_MAX], *x = pack_samples(s, as_generated(s));
  judge(s, x, s->conditions, outputs);
  if (s->g->failed) return &s->g->error;
  gan_loss *loss = s->t->terms[0].loss;
  gan_scene view = s->view;
  view.fake = x;
  view.fake_outputs = outputs;
  gan_node *score = loss_scores(loss, &view, 0), *g = gan_gradient(loss->row && loss->row->energies ? gan_neg(score) : score, z);
  gan_node *squares = sum_per_sample(gan_square(g));
  if (node_failed(squares)) return squares;
  int64_t shape[GAN_MAX_RANK];
  for (int32_t i = 0; i < z->rank; i++) shape[i] = i ? 1 : z->shape[0];
  gan_node *share = gan_reciprocal(gan_shift(squares, option_number(&d->options, "damping")));
  gan_node *step = gan_scale(gan_mul(g, gan_reshape(share, z->rank, shape)), option_number(&d->options, "rate"));
  s->moved = gan_mean(sum_per_sample(gan_square(step)));
  return gan_add(z, step);
}

static gan_node *generate(struct scene *s) {
  gan_network *n = s->t->generator;
  const struct device *latent = devices_find(&s->t->devices, &device_latent_optimisation);
  int32_t first = trainer_draws_first(s->t);
  if (first) s->inputs[0] = gan_noise(s->g, n, n->inputs[0].name);
  for (int64_t i = first; i < n->n_inputs; i++) s->inputs[i] = condition(s, n, &n->inputs[i], 1);
  if (latent) s->inputs[0] = optimised(s, latent, s->inputs[0]);
  return as_generated(s);
}

/* The slot that an input takes, -1: it is drawn. */
static int32_t slot_of(const struct scene *s, const gan_network *n, int32_t input) {
  if (input == 0 && n == s->t->discriminator) return s->t->image;
  return input == 0 && trainer_draws_first(s->t) ? -1 : data_find(s->t->data, n->inputs[input].name);
}

/* A network with virtual batch norm passes its reference batch first in every phase that it is applied in. */
static void refer(const struct scene *s, gan_network *n, struct reference *r) {
  if (!(network_flags(n) & LAYER_REFERENCE)) return;
  for (int32_t i = 0; i < n->n_inputs && !r->in[n->n_inputs - 1]; i++) {
    int32_t slot = slot_of(s, n, i), image = i == 0 && n == s->t->discriminator;
    gan_node *x = trainer_reference(s->t, s->g, n, i, slot);
    if (slot >= 0) x = image ? pack_samples(s, as_image(s, x)) : see_slot_as(s, x, slot, n, &n->inputs[i]);
    r->in[i] = x;
  }
  gan_node *none;
  gan_network_apply(n, 1, (int32_t)n->n_inputs, r->in, 0, &none);
}

static void refer_generator(struct scene *s) { refer(s, s->t->generator, &s->of_generator); }
static void refer_discriminator(struct scene *s) { refer(s, s->t->discriminator, &s->of_discriminator); }

/* ------------------------------------------------------------------ labels */

/* Those of the generated samples are what G was told; the data's have the same name, or are the first that it has. */
static void find_labels(struct scene *s) {
  const gan_network *n = s->t->generator;
  const gan_data *d = s->t->data;
  int32_t slot = -1;
  s->view.fake_labels = NULL;
  for (int64_t i = 0; i < n->n_inputs && !s->view.fake_labels; i++) {
    if (n->inputs[i].info.role != GAN_ROLE_LABEL || n->inputs[i].info.rank) continue;
    s->view.fake_labels = s->inputs[i];
    slot = data_find(d, n->inputs[i].name);
  }
  for (int32_t i = 0; slot < 0 && i < d->n_slots; i++)
    if (d->slots[i].type == GAN_I32 && d->slots[i].rank == 0) slot = i;
  if (slot >= 0 && d->slots[slot].type == GAN_I32) s->view.real_labels = gan_data_node(s->g, s->t->data, d->slots[slot].name);
}

/* ------------------------------------------------------------------ D's eyes */

static gan_node *twice(gan_node *x, gan_node *y) {
  return gan_concat(2, (gan_node *[]){x, y}, 0);
}

static const struct device *replay_of(const struct scene *s) {
  return devices_find(&s->t->devices, &device_replay);
}

/* What belongs to a sample, side by side, (batch, columns); and a part of that in the shape and type that it had. */
static gan_node *as_columns(gan_node *x) {
  if (node_failed(x)) return x;
  return gan_reshape(x->type == GAN_I32 ? gan_to_float(x) : x, 2, (int64_t[]){x->shape[0], x->count / x->shape[0]});
}

static gan_node *from_columns(gan_node *columns, int64_t *at, const gan_node *like) {
  int64_t width = like->count / like->shape[0];
  gan_node *x = gan_reshape(gan_slice(columns, 1, *at, *at + width), like->rank, like->shape);
  *at += width;
  return like->type == GAN_I32 ? node_to_int(x) : x;
}

/* Samples of some time, and with them what D and losses are told of them; what they were made from is not remembered. */
static void see_history(struct scene *s) {
  const struct device *replay = replay_of(s);
  gan_node *now[PORTS_MAX + 2] = {s->made}, *parts[PORTS_MAX + 2];
  int32_t n = 1;
  if (!replay || node_failed(s->made)) return;
  for (int32_t i = 0; i < s->view.n_conditions; i++) now[n++] = s->conditions[i];
  if (s->told) now[n++] = s->told;
  for (int32_t i = 0; i < n; i++) parts[i] = as_columns(now[i]);
  gan_node *joined = gan_concat(n, parts, 1), *past = gan_layer_apply(replay->layer, 1, 1, &joined);
  int64_t at = 0;
  if (node_failed(past)) return;
  s->view.fake = seen(s, from_columns(past, &at, s->made), "past");
  for (int32_t i = 0; i < s->view.n_conditions; i++) s->fake_conditions[i] = from_columns(past, &at, s->conditions[i]);
  if (s->told) s->view.fake_labels = from_columns(past, &at, s->told);
  s->view.n_inputs = 0;
}

/* Those of the present samples, whatever history was seen. */
static void tell_present(struct scene *s) {
  memcpy(s->fake_conditions, s->conditions, sizeof s->conditions);
  s->view.n_inputs = (int32_t)s->t->generator->n_inputs;
  find_labels(s);
  s->told = s->view.fake_labels;
}

/* One pass of twice the batch costs less than two passes; but no sample may see another, and draws must not move. */
void scene_judge(struct scene *s) {
  refer_discriminator(s);
  see_history(s);
  if (network_flags(s->t->discriminator) & (LAYER_COUPLES | LAYER_RANDOM)) {
    judge(s, s->view.real, s->conditions, s->real_outputs);
    judge(s, s->view.fake, s->fake_conditions, s->fake_outputs);
    return;
  }
  gan_node *conditions[PORTS_MAX], *outputs[PORTS_MAX];
  for (int32_t i = 0; i < s->view.n_conditions; i++) conditions[i] = twice(s->conditions[i], s->fake_conditions[i]);
  judge(s, twice(s->view.real, s->view.fake), conditions, outputs);
  int64_t half = s->g->batch / s->t->pack;
  for (int32_t i = 0; i < s->view.n_outputs; i++) {
    s->real_outputs[i] = gan_slice(outputs[i], 0, 0, half);
    s->fake_outputs[i] = gan_slice(outputs[i], 0, half, 2 * half);
  }
}

/* D's update left G alone: unless new noise is asked for, the samples that D saw are still what G makes. */
void scene_refresh(struct scene *s) {
  refer_generator(s);
  refer_discriminator(s);
  if (!scene_is_shared(s)) {
    if (s->t->fresh_noise) s->made = generate(s);
    s->view.fake = seen(s, s->made, "fresh");
    tell_present(s);
  }
  judge(s, s->view.real, s->conditions, s->real_outputs);
  judge(s, s->view.fake, s->fake_conditions, s->fake_outputs);
}

int32_t scene_is_shared(const struct scene *s) {
  return !s->t->fresh_noise && !replay_of(s) && !devices_find(&s->t->devices, &device_unrolled);
}

gan_node *scene_score(const struct scene *s, int32_t real) {
  gan_loss *loss = s->t->terms[0].loss;
  gan_node *scores = loss_scores(loss, &s->view, real);
  return loss->row && loss->row->energies ? gan_neg(scores) : scores;
}

/* ------------------------------------------------------------------ all of it */

static int32_t ports_fit(const gan_trainer *t) {
  return t->generator->n_inputs >= 1 && t->generator->n_inputs <= PORTS_MAX && t->discriminator->n_inputs >= 1 &&
         t->discriminator->n_inputs <= PORTS_MAX && t->discriminator->n_outputs <= PORTS_MAX;
}

static void set_view(struct scene *s) {
  gan_network *d = s->t->discriminator;
  s->view = (gan_scene){
    .struct_size = sizeof s->view, .graph = s->g, .generator = s->t->generator, .discriminator = d,
    .real_outputs = s->real_outputs, .fake_outputs = s->fake_outputs, .inputs = s->inputs, .conditions = s->conditions,
    .fake_conditions = s->fake_conditions,
    .n_outputs = (int32_t)d->n_outputs, .n_inputs = (int32_t)s->t->generator->n_inputs, .n_conditions = (int32_t)d->n_inputs - 1,
    .networks = s->t->networks, .n_networks = s->t->n_networks,
  };
}

/* Past samples have other real ones beside them than those that they were made for. */
static void refuse_rows_of_the_past(const struct scene *s, const gan_loss *loss) {
  if (!loss->row || !loss->row->each || !loss_concerns(loss, GAN_SIDE_D)) return;
  graph_fail(s->g, GAN_ERROR_ARGUMENT,
             "replay: '%s' compares an output of D with what belongs to the samples of now, not to past ones", loss_name(loss));
}

/* What devices cannot do with these players. */
static void refuse_mixtures(const struct scene *s) {
  const char *latent = !devices_find(&s->t->devices, &device_latent_optimisation) ? NULL
                       : network_flags(s->t->discriminator) & LAYER_REFERENCE ? "the discriminator has virtual batch norm"
                       : !trainer_draws_first(s->t) ? "the generator's first input is no noise" : NULL;
  if (latent) graph_fail(s->g, GAN_ERROR_ARGUMENT, "latent-optimisation: %s", latent);
  if (s->t->pack > 1 && s->t->discriminator->n_inputs > 1)
    graph_fail(s->g, GAN_ERROR_ARGUMENT, "pack: the discriminator has conditions, expected none");
  if (s->t->pack > 1 && devices_find(&s->t->devices, &device_sample_weights))
    graph_fail(s->g, GAN_ERROR_ARGUMENT, "pack: samples that are judged together have no weights of their own");
  for (int32_t i = 0; replay_of(s) && i < s->t->n_terms; i++) refuse_rows_of_the_past(s, s->t->terms[i].loss);
}

static void weigh_samples(struct scene *s) {
  const struct device *d = devices_find(&s->t->devices, &device_sample_weights);
  if (!d) return;
  gan_node *weights = gan_data_node(s->g, s->t->data, option_text(&d->options, "slot"));
  s->view.real_weights = see_as(weights, "the slot of sample-weights", "a weight", 0, NULL);
  if (option_flag(&d->options, "fake")) s->view.fake_weights = s->view.real_weights;
}

void scene_open(struct scene *s, gan_trainer *t, gan_graph *g) {
  *s = (struct scene){.t = t, .g = g};
  if (!ports_fit(t)) {
    graph_fail(g, GAN_ERROR_ARGUMENT, "generator and discriminator have 1 to %d inputs and outputs each", PORTS_MAX);
    return;
  }
  gan_network *d = t->discriminator;
  set_view(s);
  refuse_mixtures(s);
  for (int64_t i = 1; i < d->n_inputs; i++) s->conditions[i - 1] = condition(s, d, &d->inputs[i], 0);
  refer_generator(s);
  s->view.real = seen(s, as_image(s, gan_data_node(g, t->data, t->data->slots[t->image].name)), "real");
  s->made = generate(s);
  s->view.fake = seen(s, s->made, "fake");
  weigh_samples(s);
  tell_present(s);
}
