/* Layers that remember what went through them: replay, a pool of samples; truncation, their mean. */
#include "nn/layer.h"

#include "ops/build.h"

#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------ replay */

const struct option replay_options[2] = {
  {"size", OPTION_INT, 1, 1e7, "50", "samples that are remembered, rounded up to whole batches"},
  {"chance", OPTION_NUMBER, 0, 1, "0.5", "of a sample to change places with a remembered one"},
};

/* Each row of the batch has slots of its own, so that no two rows change places with one sample. */
struct replay {
  struct gan_layer_call *call;
  gan_node *x;                   /* (batch, ..) */
  int64_t batch, slots;          /* slots of a row */
  gan_node *pool, *filled;       /* states: (batch slots, ..); how many slots of a row hold a sample */
  gan_node *full;                /* 1: all of them */
};

static struct replay replay_open(struct gan_layer_call *c, gan_node *x) {
  struct replay r = {.call = c, .x = x, .batch = x->shape[0]};
  int64_t shape[GAN_MAX_RANK];
  memcpy(shape, x->shape, sizeof shape);
  r.slots = (layer_int(c, "size") + r.batch - 1) / r.batch;
  shape[0] = r.slots * r.batch;
  r.pool = layer_state(c, "pool", x->rank, shape, "zeros");
  r.filled = layer_state(c, "filled", 0, NULL, "zeros");
  r.full = gan_greater_equal(r.filled, gan_constant(c->graph, (double)r.slots));
  return r;
}

/* x of the batch, (batch), with ones behind it up to a rank. */
static gan_node *ranked(gan_node *x, int32_t rank) {
  int64_t shape[GAN_MAX_RANK];
  if (node_failed(x)) return x;
  for (int32_t d = 0; d < rank; d++) shape[d] = d == 0 ? x->shape[0] : 1;
  return gan_reshape(x, rank, shape);
}

/* Where in the pool each row looks, (batch): while it has empty slots at the first of them, then at any. */
static gan_node *chosen(const struct replay *r) {
  gan_node *any = layer_random(r->call, "slot", RANDOM_INTEGERS, 0, (double)r->slots, 1, &r->batch);
  gan_node *slot = gan_select(r->full, gan_to_float(any), r->filled), *row = gan_to_float(node_positions(r->x->graph, r->batch));
  return node_to_int(gan_add(gan_scale(row, (double)r->slots), slot));
}

/* 1 at the rows that get what was remembered, (batch). */
static gan_node *lucky(const struct replay *r) {
  gan_node *u = layer_random(r->call, "chance", RANDOM_UNIFORM, 0, 1, 1, &r->batch);
  return gan_mul(r->full, gan_greater(gan_constant(r->x->graph, layer_number(r->call, "chance")), u));
}

/* Of the pool only the rows that were looked at are written: the sample that comes in, or what was there. */
static gan_node *change_places(const struct replay *r) {
  gan_graph *g = r->x->graph;
  gan_node *at = chosen(r), *remembered = gan_gather(r->pool, at), *old = lucky(r);
  gan_node *goes_in = gan_maximum(old, gan_sub(gan_constant(g, 1), r->full));
  gan_node *stays = gan_select(ranked(goes_in, r->x->rank), gan_stop_gradient(r->x), remembered);
  if (node_failed(stays)) return stays;
  layer_assign(r->call, "pool", node_update_rows(r->pool, at, stays));
  layer_assign(r->call, "filled", gan_minimum(gan_shift(r->filled, 1), gan_constant(g, (double)r->slots)));
  return gan_select(ranked(old, r->x->rank), remembered, r->x);
}

/* Evaluation needs no pool, and may come with batches that do not fit it; but variables are made at the first application. */
static gan_node *replay_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  if (layer_refuse(c, in[0], 1, GAN_MAX_RANK - 1, "(batch, ..)")) return &c->graph->error;
  if (!c->training && c->layer->applied) return in[0];
  struct replay r = replay_open(c, in[0]);
  if (c->graph->failed) return &c->graph->error;
  return c->training ? change_places(&r) : in[0];
}

const struct layer_row layer_replay = {
  "replay", "In training a sample changes places, by chance, with one of a pool of earlier ones, once the pool is full; x itself "
  "in evaluation. A discriminator that sees a history of generated samples (Shrivastava et al. 2017; CycleGAN, Zhu et al. 2017). "
  "State pool, filled.",
  LAYER_RANDOM, 1, 1, 2, replay_options, replay_forward,
};

/* ------------------------------------------------------------------ truncation */

static const struct option truncation_options[] = {
  {"psi", OPTION_NUMBER, -1e6, 1e6, "1", "what the state psi begins with"},
  {"decay", OPTION_NUMBER, 0, 1, "0.995", "share of the mean that a batch leaves"},
};

static gan_node *truncation_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  const int32_t batch = 0;
  char init[64];
  gan_node *x = in[0];
  (void)n;
  if (layer_refuse(c, x, 2, 2, "(batch, columns)")) return &c->graph->error;
  snprintf(init, sizeof init, "constant value=%.17g", layer_number(c, "psi"));
  gan_node *mean = layer_state(c, "mean", 1, &x->shape[1], "zeros"), *psi = layer_state(c, "psi", 0, NULL, init);
  if (!c->training) return gan_add(mean, gan_mul(psi, gan_sub(x, mean)));
  gan_node *off = gan_sub(gan_stop_gradient(gan_mean_axes(x, 1, &batch, 0)), mean);
  layer_assign(c, "mean", gan_add(mean, gan_scale(off, 1 - layer_number(c, "decay"))));
  return x;
}

const struct layer_row layer_truncation = {
  "truncation", "In evaluation mean + psi (x - mean), which trades variety for quality (Karras et al. 2019); x itself in training, "
  "which moves the mean. Programs set the state psi at any time; state mean (columns).",
  0, 1, 1, 2, truncation_options, truncation_forward,
};
