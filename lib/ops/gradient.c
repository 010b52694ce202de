/* Gradients: reverse accumulation that writes nodes. Inputs come before their users in the graph, so one walk down the numbers
 * of the nodes meets every node after all that use it. */
#include "ops/build.h"

/* One run. Arrays are indexed by node id, up to the highest that matters. */
struct backward {
  gan_graph *g;
  int32_t count;
  gan_node **grad;      /* what has come together so far; NULL: nothing */
  uint8_t *depends;     /* on one of the x, on a path along which a gradient passes */
};

/* ------------------------------------------------------------------------------------------------------------- arguments */

static int32_t highest_id(int32_t n, gan_node *const *nodes) {
  int32_t highest = 0;
  for (int32_t i = 0; i < n; i++) {
    if (nodes[i]->id > highest) highest = nodes[i]->id;
  }
  return highest;
}

static gan_node *bad_weights(int32_t n, gan_node *const *y, gan_node *const *weights) {
  gan_node *bad = nodes_bad("gradients (weights)", GAN_F32, n, weights);
  for (int32_t i = 0; !bad && i < n; i++) {
    gan_node *pair[2] = {y[i], weights[i]};
    bad = nodes_bad("gradients (weights)", GAN_F32, 2, pair);
    if (bad || nodes_same_shape(y[i], weights[i])) continue;
    char came[SHAPE_TEXT], expected[SHAPE_TEXT];
    bad = graph_fail(y[i]->graph, GAN_ERROR_SHAPE, "gradients: weight %d is %s, its y is %s", i + 1, node_text(weights[i], came),
                     node_text(y[i], expected));
  }
  return bad;
}

static int32_t has_null(int32_t n, gan_node *const *nodes) {
  for (int32_t i = 0; i < n; i++)
    if (!nodes[i]) return 1;
  return 0;
}

/* Arguments are missing: the failure goes to the graph of any node that came. */
static gan_node *fail_somewhere(int32_t n, gan_node *const *nodes) {
  for (int32_t i = 0; nodes && i < n; i++)
    if (nodes[i] && nodes[i]->graph) return graph_fail(nodes[i]->graph, GAN_ERROR_ARGUMENT, "gradients: expected at least one y, and no NULL among y, weights and x");
  return NULL;
}

static gan_node *missing_arguments(int32_t n_y, gan_node *const *y, gan_node *const *weights, int32_t n_x, gan_node *const *x) {
  if (n_y >= 1 && y && !has_null(n_y, y) && (!weights || !has_null(n_y, weights)) && (n_x <= 0 || (x && !has_null(n_x, x)))) return NULL;
  gan_node *bad = fail_somewhere(n_y, y);
  if (!bad) bad = fail_somewhere(n_x, x);
  return bad ? bad : node_none();
}

static gan_node *bad_arguments(int32_t n_y, gan_node *const *y, gan_node *const *weights, int32_t n_x, gan_node *const *x) {
  gan_node *bad = missing_arguments(n_y, y, weights, n_x, x);
  if (!bad) bad = nodes_bad("gradients (y)", GAN_F32, n_y, y);
  if (!bad && (n_x < 0 || (n_x > 0 && !x))) bad = graph_fail(y[0]->graph, GAN_ERROR_ARGUMENT, "gradients: x may not be NULL");
  if (!bad && weights) bad = bad_weights(n_y, y, weights);
  for (int32_t i = 0; !bad && i < n_x; i++) {
    gan_node *pair[2] = {y[0], x[i]};
    bad = nodes_bad("gradients (y, x)", GAN_F32, 2, pair);
  }
  return bad;
}

/* ------------------------------------------------------------------------------------------------------------ accumulation */

static int32_t any_input_depends(const struct backward *b, const gan_node *n) {
  for (int32_t i = 0; i < n->n_in; i++) {
    if (b->depends[n->in[i]->id]) return 1;
  }
  return 0;
}

static void mark(struct backward *b, int32_t n_x, gan_node *const *x) {
  for (int32_t i = 0; i < n_x; i++) {
    if (x[i]->id < b->count) b->depends[x[i]->id] = 1;
  }
  for (int32_t id = 0; id < b->count; id++) {
    const gan_node *n = b->g->nodes[id];
    if (n->op->gradient && any_input_depends(b, n)) b->depends[id] = 1;
  }
}

static void accumulate(struct backward *b, const gan_node *n, gan_node *d) {
  gan_node **sum = &b->grad[n->id];
  *sum = *sum ? gan_add(*sum, d) : d;
}

static void pass_on(struct backward *b, gan_node *n) {
  uint8_t wanted[CALL_INPUTS] = {0};
  gan_node *dx[CALL_INPUTS] = {0};
  for (int32_t i = 0; i < n->n_in; i++) wanted[i] = b->depends[n->in[i]->id];
  n->op->gradient(n, b->grad[n->id], wanted, dx);
  for (int32_t i = 0; i < n->n_in; i++) {
    if (wanted[i] && dx[i]) accumulate(b, n->in[i], dx[i]);
  }
}

static void seed(struct backward *b, int32_t n_y, gan_node *const *y, gan_node *const *weights) {
  for (int32_t i = 0; i < n_y; i++) {
    if (b->depends[y[i]->id]) accumulate(b, y[i], weights ? weights[i] : node_full(b->g, 1, y[i]->rank, y[i]->shape));
  }
}

static void walk_back(struct backward *b) {
  for (int32_t id = b->count; id-- > 0 && !b->g->failed;) {
    gan_node *n = b->g->nodes[id];
    if (b->grad[id] && n->op->gradient && any_input_depends(b, n)) pass_on(b, n);
  }
}

static gan_node *gradient_of(const struct backward *b, const gan_node *x) {
  if (b->g->failed) return &b->g->error;
  gan_node *d = x->id < b->count ? b->grad[x->id] : NULL;
  return d ? d : node_zeros(b->g, x->rank, x->shape);
}

void gan_gradients(int32_t n_y, gan_node *const *y, gan_node *const *weights, int32_t n_x, gan_node *const *x, gan_node **out) {
  if (!out) return;
  gan_node *bad = bad_arguments(n_y, y, weights, n_x, x);
  if (bad) {
    for (int32_t i = 0; i < n_x; i++) out[i] = bad;
    return;
  }
  struct backward b = {.g = y[0]->graph, .count = highest_id(n_y, y) + 1};
  b.grad = graph_alloc(b.g, (size_t)b.count * sizeof *b.grad);
  b.depends = graph_alloc(b.g, (size_t)b.count);
  if (b.grad && b.depends) {
    mark(&b, n_x, x);
    seed(&b, n_y, y, weights);
    walk_back(&b);
  }
  for (int32_t i = 0; i < n_x; i++) out[i] = gradient_of(&b, x[i]);
}

gan_node *gan_gradient(gan_node *y, gan_node *x) {
  gan_node *out = node_none();
  gan_gradients(1, &y, NULL, 1, &x, &out);
  return out;
}
