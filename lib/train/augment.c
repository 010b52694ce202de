/* Augmentations that a gradient passes through: what D sees of real and generated samples alike (Zhao et al. 2020, Karras et al.
 * 2020). Each is applied to a sample with the chance p. */
#include <math.h>
#include <stdio.h>

#include "base/rng.h"
#include "train/augment.h"
#include "train/train.h"
#include "train/terms.h"

static const struct option augment_options[] = {
  {"color", OPTION_FLAG, 0, 0, "no", "brightness + -0.5 .. 0.5, saturation * 0 .. 2, contrast * 0.5 .. 1.5"},
  {"flip", OPTION_FLAG, 0, 0, "no", "left and right change places in every other sample"},
  {"translation", OPTION_NUMBER, 0, 1, "0", "moved by up to this share of height and width, zeros come in; 0.125 is usual"},
  {"cutout", OPTION_NUMBER, 0, 1, "0", "a rectangle of this share of height and width becomes 0; 0.5 is usual"},
  {"noise", OPTION_NUMBER, 0, 1e9, "0", "standard deviation of normal noise; for samples of any shape"},
};

enum { OPTIONS = sizeof augment_options / sizeof *augment_options };

/* One call: images (N,H,W,C), and the chance of each augmentation (NULL: 1). */
struct augment { const struct options *options; gan_graph *g; gan_node *p; int32_t call; };

/* ------------------------------------------------------------------ draws */

static uint64_t stream(const char *what, int32_t call) {
  char name[64];
  snprintf(name, sizeof name, "augment/%s@%d", what, call);
  return rng_hash(name);
}

static int32_t is_drawn(const gan_graph *g, const char *what, int32_t call) {
  for (int64_t i = 0; i < g->n_nodes; i++)
    if (g->nodes[i]->op == &op_random && g->nodes[i]->attr.stream == stream(what, call)) return 1;
  return 0;
}

/* Uniform in [0, 1), one number a sample: (N,1,1,..). */
static gan_node *draw(const struct augment *a, const char *what, const gan_node *x) {
  int64_t shape[GAN_MAX_RANK];
  for (int32_t i = 0; i < x->rank; i++) shape[i] = i == 0 ? x->shape[0] : 1;
  return node_random(a->g, stream(what, a->call), RANDOM_UNIFORM, 0, 1, x->rank, shape);
}

/* 1 at the samples that it is applied to, else 0. */
static gan_node *gate(const struct augment *a, const char *what, const gan_node *x) {
  return a->p ? gan_greater(a->p, draw(a, what, x)) : gan_constant(a->g, 1);
}

/* 1 + gate (low + width u - 1): a factor, or 1. */
static gan_node *factor(const struct augment *a, const char *what, const char *when, const gan_node *x, double low, double width) {
  gan_node *off = gan_shift(gan_scale(draw(a, what, x), width), low - 1);
  return gan_shift(gan_mul(gate(a, when, x), off), 1);
}

/* ------------------------------------------------------------------ colour */

/* mean + factor (x - mean) */
static gan_node *stretch(gan_node *x, gan_node *mean, gan_node *by) {
  return gan_add(mean, gan_mul(gan_sub(x, mean), by));
}

static gan_node *color(const struct augment *a, gan_node *x) {
  const int32_t channels = 3, all[3] = {1, 2, 3};
  x = gan_add(x, gan_mul(gate(a, "brightness?", x), gan_shift(draw(a, "brightness", x), -0.5)));
  x = stretch(x, gan_mean_axes(x, 1, &channels, 1), factor(a, "saturation", "saturation?", x, 0, 2));
  return stretch(x, gan_mean_axes(x, 3, all, 1), factor(a, "contrast", "contrast?", x, 0.5, 1));
}

/* ------------------------------------------------------------------ places */

/* A whole number from -most to most, or 0 where it is not applied. */
static gan_node *offset(const struct augment *a, const char *what, gan_node *when, const gan_node *x, double most) {
  gan_node *u = gan_floor(gan_scale(draw(a, what, x), 2 * most + 1));
  return gan_mul(when, gan_shift(gan_minimum(u, gan_constant(a->g, 2 * most)), -most));
}

static gan_node *positions(const struct augment *a, int64_t n, int32_t rank, int32_t axis) {
  int64_t shape[GAN_MAX_RANK];
  for (int32_t i = 0; i < rank; i++) shape[i] = i == axis ? n : 1;
  return gan_reshape(gan_to_float(node_positions(a->g, n)), rank, shape);
}

/* Line i of the result is line from(i) of x, or 0 where there is none: a product with a matrix of ones and zeros, (N,n,n)
 * (N,n,rest). */
static gan_node *take_lines(const struct augment *a, gan_node *x, gan_node *from) {
  int64_t n = x->shape[1];
  gan_node *pick = gan_equal(from, positions(a, n, 3, 2));
  gan_node *lines = gan_reshape(x, 3, (int64_t[]){x->shape[0], n, -1});
  return node_failed(lines) ? lines : gan_reshape(gan_matmul(pick, lines, 0, 0), x->rank, x->shape);
}

static gan_node *as_column(gan_node *per_sample) {
  return node_failed(per_sample) ? per_sample : gan_reshape(per_sample, 3, (int64_t[]){per_sample->shape[0], 1, 1});
}

static gan_node *swap_axes(gan_node *x) {
  const int32_t order[4] = {0, 2, 1, 3};
  return gan_transpose(x, 4, order);
}

/* Flip and translation are one choice of columns; rows are only moved. */
static gan_node *move(const struct augment *a, gan_node *x, double share, int32_t flip) {
  double down = floor(share * (double)x->shape[1] + 0.5), across = floor(share * (double)x->shape[2] + 0.5);
  gan_node *when = share > 0 ? gate(a, "translation?", x) : NULL;
  int64_t width = x->shape[2];
  if (down > 0) x = take_lines(a, x, gan_sub(positions(a, x->shape[1], 3, 1), as_column(offset(a, "down", when, x, down))));
  if (across == 0 && !flip) return x;
  gan_node *from = positions(a, width, 3, 1);
  if (across > 0) from = gan_sub(from, as_column(offset(a, "across", when, x, across)));
  if (flip) {
    gan_node *turned = gan_mul(gate(a, "flip?", x), gan_greater(gan_constant(a->g, 0.5), draw(a, "flip", x)));
    from = gan_select(as_column(turned), gan_sub(gan_constant(a->g, (double)(width - 1)), from), from);
  }
  gan_node *columns = swap_axes(x);
  return node_failed(columns) ? columns : swap_axes(take_lines(a, columns, from));
}

/* 1 within `size` lines around a random one, which may lie at the edge. */
static gan_node *stripe(const struct augment *a, const char *what, const gan_node *x, int32_t axis, double share) {
  double n = (double)x->shape[axis], size = floor(share * n + 0.5);
  double places = n + (fmod(size, 2) == 0 ? 1 : 0);
  gan_node *at = gan_minimum(gan_floor(gan_scale(draw(a, what, x), places)), gan_constant(a->g, places - 1));
  gan_node *off = gan_sub(positions(a, x->shape[axis], x->rank, axis), gan_shift(at, -floor(size / 2)));
  return gan_mul(gan_greater_equal(off, gan_constant(a->g, 0)), gan_greater(gan_constant(a->g, size), off));
}

static gan_node *cutout(const struct augment *a, gan_node *x, double share) {
  gan_node *hole = gan_mul(stripe(a, "cutout-row", x, 1, share), stripe(a, "cutout-column", x, 2, share));
  return gan_mul(x, gan_sub(gan_constant(a->g, 1), gan_mul(gate(a, "cutout?", x), hole)));
}

/* ------------------------------------------------------------------ noise */

static gan_node *noise(const struct augment *a, gan_node *x, double deviation) {
  gan_node *drawn = node_random(a->g, stream("noise", a->call), RANDOM_NORMAL, 0, deviation, x->rank, x->shape);
  return gan_add(x, gan_mul(gate(a, "noise?", x), drawn));
}

/* ------------------------------------------------------------------ all of it */

static gan_node *apply(struct augment *a, gan_node *x) {
  static const char *const first[] = {"brightness", "down", "across", "flip", "cutout-row", "noise"};
  const struct options *o = a->options;
  double translation = option_number(o, "translation"), hole = option_number(o, "cutout"), deviation = option_number(o, "noise");
  for (size_t i = 0; i < sizeof first / sizeof *first; i++)
    while (is_drawn(a->g, first[i], a->call)) a->call++;
  if (option_flag(o, "color")) x = color(a, x);
  if (translation > 0 || option_flag(o, "flip")) x = move(a, x, translation, option_flag(o, "flip"));
  if (hole > 0) x = cutout(a, x, hole);
  return deviation > 0 ? noise(a, x, deviation) : x;
}

static int32_t wants_images(const struct options *o) {
  return option_flag(o, "color") || option_flag(o, "flip") || option_number(o, "translation") > 0 || option_number(o, "cutout") > 0;
}

gan_status augment_check(gan_context *ctx, const char *text) {
  struct options o;
  gan_status status = options_parse(ctx, "augment", augment_options, OPTIONS, text, &o);
  options_free(&o);
  return status;
}

gan_node *gan_augment(gan_node *x, const char *text, gan_node *p) {
  char came[SHAPE_TEXT];
  struct options o;
  gan_node *in[2] = {x, p}, *bad = nodes_bad("augment", GAN_F32, p ? 2 : 1, in);
  if (bad) return bad;
  if (!text || x->rank < 1 || (p && p->rank != 0))
    return graph_fail(x->graph, GAN_ERROR_ARGUMENT, "augment: expected a text, samples (batch, ..), and p of rank 0 or NULL");
  gan_status status = options_parse(x->graph->ctx, "augment", augment_options, OPTIONS, text, &o);
  struct augment a = {.options = &o, .g = x->graph, .p = p};
  gan_node *y;
  if (status != GAN_OK)
    y = graph_fail(x->graph, status, "%s", x->graph->ctx->error);
  else if (wants_images(&o) && x->rank != 4)
    y = graph_fail(x->graph, GAN_ERROR_SHAPE, "augment: %s, expected images (batch, height, width, channels)", node_text(x, came));
  else
    y = apply(&a, x);
  options_free(&o);
  return y;
}
