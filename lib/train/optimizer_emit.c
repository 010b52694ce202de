/* The commit of an optimizer: its rule as nodes with what all rules share, or the fused kernel of Adam. */
#include <math.h>
#include <string.h>

#include "train/optimizer.h"

/* ------------------------------------------------------------------ as nodes */

static gan_node *times(gan_node *scalar, double multiplier) {
  return multiplier == 1 ? scalar : gan_scale(scalar, multiplier);
}

void optimizer_rule(const gan_optimizer *o, const struct optimizer_parameter *p, gan_graph *g, gan_node *rate, gan_node *step,
                    struct optimizer_call *call) {
  double decay = o->decay * p->decay;
  call->options = &o->options;
  call->rate = times(rate, p->rate);
  call->step = step;
  call->decay = decay > 0 ? gan_constant(g, decay) : NULL;
  if (o->clip > 0) call->gradient = gan_clamp(call->gradient, -o->clip, o->clip);
  o->row->emit(call);
  if (o->bound > 0) call->new_weight = gan_clamp(call->new_weight, -o->bound, o->bound);
}

void optimizer_emit(const gan_optimizer *o, const struct optimizer_parameter *p, gan_graph *g, gan_node *rate, gan_node *step,
                    struct optimizer_call *call) {
  *call = (struct optimizer_call){.weight = node_variable(g, p->variable), .gradient = node_variable(g, p->gradient)};
  for (int32_t s = 0; s < o->n_slots; s++) call->slot[s] = node_variable(g, p->slot[s]);
  optimizer_rule(o, p, g, rate, step, call);
}

/* ------------------------------------------------------------------ as one kernel call */

enum { PIECE = 16384 };   /* elements: the four arrays of a piece fill a quarter of a megabyte of cache */

struct adam_piece { float *weight, *mean, *square; const float *gradient; int64_t count; const struct adam_scalars *scalars; };

struct fused_adam {
  int64_t n_pieces;
  struct adam_piece *pieces;
  struct adam_scalars *scalars;   /* one a parameter: multipliers differ */
};

int32_t optimizer_is_fused(const gan_optimizer *o) {
  return o->row->fused_adam && (o->row->fused_decay || o->decay == 0) && o->clip == 0 && o->bound == 0;
}

static int64_t count_pieces(const gan_optimizer *o) {
  int64_t n = 0;
  for (int64_t i = 0; i < o->n_parameters; i++) n += (o->parameters[i].variable->count + PIECE - 1) / PIECE;
  return n;
}

static void cut(struct fused_adam *f, const struct optimizer_parameter *p, const struct adam_scalars *scalars) {
  for (int64_t at = 0; at < p->variable->count; at += PIECE) {
    int64_t left = p->variable->count - at;
    f->pieces[f->n_pieces++] = (struct adam_piece){
      .weight = p->variable->data + at, .mean = p->slot[0]->data + at, .square = p->slot[1]->data + at,
      .gradient = p->gradient->data + at, .count = left < PIECE ? left : PIECE, .scalars = scalars,
    };
  }
}

struct fused_adam *fused_adam_create(const gan_optimizer *o, gan_graph *g) {
  struct fused_adam *f = graph_alloc(g, sizeof *f);
  struct adam_piece *pieces = graph_alloc(g, sizeof *pieces * (size_t)count_pieces(o));
  struct adam_scalars *scalars = graph_alloc(g, sizeof *scalars * (size_t)o->n_parameters);
  if (!f || !pieces || !scalars) return NULL;
  f->pieces = pieces;
  f->scalars = scalars;
  for (int64_t i = 0; i < o->n_parameters; i++) cut(f, &o->parameters[i], &scalars[i]);
  return f;
}

static void run_piece(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  const struct fused_adam *f = c->in[0];
  const struct adam_piece *p = &f->pieces[chunk];
  (void)scratch;
  e->kernels->adam(p->weight, p->gradient, p->mean, p->square, p->count, p->scalars);
}

void fused_adam_call(const struct fused_adam *f, struct call *call) {
  memset(call, 0, sizeof *call);
  call->run = run_piece;
  call->chunks = f->n_pieces;
  call->n_in = 1;
  call->in[0] = f;
}

void fused_adam_scalars(struct fused_adam *f, const gan_optimizer *o) {
  double beta1 = option_number(&o->options, "beta1"), beta2 = option_number(&o->options, "beta2");
  double t = (double)(o->step + 1), rate = optimizer_next_rate(o);
  struct adam_scalars common = {
    .beta1 = (float)beta1, .beta2 = (float)beta2, .epsilon = (float)option_number(&o->options, "epsilon"),
    .correct1 = (float)(1 / (1 - pow(beta1, t))), .correct2 = (float)(1 / (1 - pow(beta2, t))),
  };
  for (int64_t i = 0; i < o->n_parameters; i++) {
    f->scalars[i] = common;
    f->scalars[i].rate = (float)(rate * o->parameters[i].rate);
    f->scalars[i].decay = (float)(o->decay * o->parameters[i].decay);
  }
}
