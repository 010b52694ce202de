/* Folds, done while nodes are made, so that derivatives follow from what is left.
 *
 * Pixels repeated f times, then a kernel of k taps at stride 1: each pixel meets every phase of the result with a sum of taps, so
 * that the whole is one transposed convolution of k + f - 1 taps at stride f. A kernel of k taps, then the mean of f: one
 * convolution of k + f - 1 taps at stride f, of means of shifted taps. With 3 taps and f = 2 both are 4/9 of the products. Zeros
 * around the image stay zeros around the smaller one, so borders are exact too. A kernel of one pixel does not mix pixels: it
 * changes places with either. New weights are linear in the old ones, by tables.
 */
#include "ops/fold.h"

#include "ops/resample.h"

/* --------------------------------------------------------------------------------------------------------------- weights */

/* taps + factor - 1 taps, each the sum, times `weight`, of `factor` neighbours: the last one ends with tap 0 (backwards), or the
 * first one does. Taps that do not exist are zero. */
static struct resample_table *sums_of_taps(gan_graph *g, int64_t taps, int64_t factor, int32_t backwards, double weight) {
  int64_t rows = taps + factor - 1;
  struct resample_table *t = resample_table_new(g, rows, taps, size_mul(taps, factor));
  for (int64_t i = 0; t && i < rows; i++) {
    int64_t first = backwards ? taps - 1 - i : i - factor + 1;
    for (int64_t tap = first; tap < first + factor; tap++)
      if (tap >= 0 && tap < taps) resample_add(t, tap, weight);
    resample_end_row(t);
  }
  return t;
}

/* w (o,kh,kw,c) with other taps along both axes. */
static gan_node *with_taps(gan_node *w, const int64_t factor[2], int32_t backwards, int32_t mean) {
  for (int32_t i = 0; i < 2 && !node_failed(w); i++) {
    double weight = mean ? 1 / (double)factor[i] : 1;
    w = node_resample(w, 1 + i, sums_of_taps(w->graph, w->shape[1 + i], factor[i], backwards, weight));
  }
  return w;
}

/* (outputs,kh,kw,c/groups) as a weight of the transposed convolution, (c,kh,kw,outputs/groups). */
static gan_node *turned(gan_node *w, int64_t groups) {
  if (node_failed(w)) return w;
  const int64_t *s = w->shape;
  gan_node *apart = gan_reshape(w, 5, (int64_t[]){groups, s[0] / groups, s[1], s[2], s[3]});
  gan_node *placed = gan_transpose(apart, 5, (int32_t[]){0, 4, 2, 3, 1});
  return gan_reshape(placed, 4, (int64_t[]){groups * s[3], s[1], s[2], s[0] / groups});
}

/* Products a channel of a kernel over some places. */
static double products(const int64_t *kernel, const int64_t *longer, int64_t down, int64_t across) {
  return (double)(kernel[0] + longer[0] - 1) * (double)(kernel[1] + longer[1] - 1) * (double)down * (double)across;
}

static const int64_t no_longer[2] = {1, 1};

/* ------------------------------------------------------------------------------------------------------- after a repetition */

static int32_t steps_by_one(const struct window *v) {
  return v->stride[0] == 1 && v->stride[1] == 1 && v->dilation[0] == 1 && v->dilation[1] == 1;
}

static int32_t keeps_pixels_apart(const gan_node *w, const struct window *v) {
  return w->shape[1] == 1 && w->shape[2] == 1 && v->padding[0] == 0 && v->padding[1] == 0;
}

gan_node *fold_repeated(gan_node *x, gan_node *w, const struct window *v, int64_t oh, int64_t ow) {
  int64_t factor[2];
  gan_node *source = steps_by_one(v) ? node_repeated(x, factor) : NULL;
  if (!source) return NULL;
  if (keeps_pixels_apart(w, v) && oh == x->shape[1] && ow == x->shape[2]) {
    return node_resize("resize", node_conv(source, w, v, source->shape[1], source->shape[2]), oh, ow, RESIZE_NEAREST);
  }
  if (products(w->shape + 1, factor, source->shape[1], source->shape[2]) >= products(w->shape + 1, no_longer, oh, ow)) return NULL;
  struct window back = *v;
  for (int32_t i = 0; i < 2; i++) {
    back.stride[i] = (int32_t)factor[i];
    back.padding[i] = (int32_t)w->shape[1 + i] - 1 - v->padding[i];
  }
  return node_conv_input(source, turned(with_taps(w, factor, 1, 0), v->groups), &back, oh, ow);
}

/* --------------------------------------------------------------------------------------------------------- before a pooling */

/* How many nodes read n so far, or what reshapes make of it. */
static int32_t readers(const gan_node *n) {
  int32_t count = 0;
  for (int64_t id = n->id + 1; id < n->graph->n_nodes; id++) {
    const gan_node *m = n->graph->nodes[id];
    for (int32_t i = 0; i < m->n_in; i++)
      if (m->in[i] == n) count += m->op == &op_reshape ? readers(m) : 1;
  }
  return count;
}

static gan_node *pooled(gan_node *x, const int64_t tile[2], int64_t oh, int64_t ow, int32_t allowed_readers);

static gan_node *means(gan_node *x, const int64_t tile[2], int64_t oh, int64_t ow) {
  gan_node *folded = pooled(x, tile, oh, ow, 1);
  return folded ? folded : pool_tiles(x, tile, oh, ow, 1);
}

static gan_node *pooled_convolution(gan_node *y, const int64_t tile[2], int64_t oh, int64_t ow) {
  gan_node *x = y->in[0], *w = y->in[1];
  struct window v = y->attr.window;
  if (!steps_by_one(&v)) return NULL;
  if (keeps_pixels_apart(w, &v) && y->shape[1] == x->shape[1] && y->shape[2] == x->shape[2]) {
    return node_conv(means(x, tile, oh, ow), w, &v, oh, ow);
  }
  if (products(w->shape + 1, tile, oh, ow) >= products(w->shape + 1, no_longer, y->shape[1], y->shape[2])) return NULL;
  for (int32_t i = 0; i < 2; i++) v.stride[i] = (int32_t)tile[i];
  return node_conv(x, with_taps(w, tile, 0, 1), &v, oh, ow);
}

static int32_t is_per_channel(const gan_node *b, int64_t channels) {
  return b->count == 1 || (b->count == channels && b->shape[b->rank - 1] == channels);
}

/* The mean of a sum with a bias is the mean and the bias. */
static gan_node *pooled_sum(gan_node *sum, const gan_node *x, const int64_t tile[2], int64_t oh, int64_t ow) {
  for (int32_t i = 0; i < 2; i++) {
    gan_node *bias = sum->in[1 - i];
    if (sum->in[i]->count != x->count || !is_per_channel(bias, x->shape[3])) continue;
    gan_node *mean = pooled(gan_reshape(sum->in[i], 4, x->shape), tile, oh, ow, 1);
    if (mean) return gan_add(mean, gan_reshape(bias, 1, (int64_t[]){bias->count}));
  }
  return NULL;
}

static gan_node *pooled(gan_node *x, const int64_t tile[2], int64_t oh, int64_t ow, int32_t allowed_readers) {
  gan_node *y = x;
  while (!node_failed(y) && y->op == &op_reshape) y = y->in[0];
  if (node_failed(y) || readers(y) > allowed_readers) return NULL;
  if (y->op == &op_conv && nodes_same_shape(x, y)) return pooled_convolution(y, tile, oh, ow);
  return y->op == &op_add && y->rank >= 1 && y->shape[y->rank - 1] == x->shape[3] ? pooled_sum(y, x, tile, oh, ow) : NULL;
}

gan_node *fold_pooled(gan_node *x, const int64_t tile[2], int64_t oh, int64_t ow) { return pooled(x, tile, oh, ow, 0); }
