/* Networks applied to nodes: every wire's value in turn. */
#include "nn/network.h"

#include "base/rng.h"
#include "base/tensor.h"
#include "ops/op.h"

#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------ inputs */

static void fail_input(gan_graph *g, const gan_network *n, const struct network_port *p, const gan_node *x, const char *came) {
  char expected[128], actual[128];
  graph_fail(g, GAN_ERROR_SHAPE, "%s: input '%s' is (batch%s%s) %s; came %s %s%s", n->name, p->name, p->info.rank ? ", " : "",
             p->info.rank ? shape_text(expected, sizeof expected, p->info.rank, p->info.shape) : "",
             p->info.type == GAN_F32 ? "f32" : "i32", shape_text(actual, sizeof actual, x->rank, x->shape),
             x->type == GAN_F32 ? "f32" : "i32", came);
}

static void check_input(gan_graph *g, const gan_network *n, const struct network_port *p, const gan_node *x,
                        const gan_node *first) {
  if (!x || x->graph != g) {
    graph_fail(g, GAN_ERROR_ARGUMENT, "%s: input '%s' is no node of this graph", n->name, p->name);
  } else if (x->rank < 1 || x->type != p->info.type || !shape_equal(p->info.rank, p->info.shape, x->rank - 1, x->shape + 1)) {
    fail_input(g, n, p, x, "");
  } else if (x->shape[0] != first->shape[0]) {
    fail_input(g, n, p, x, ", another batch than the first input's");
  }
}

gan_status network_check_inputs(gan_graph *g, gan_network *n, int32_t n_in, gan_node *const *in) {
  if (n_in != n->n_inputs) {
    graph_fail(g, GAN_ERROR_ARGUMENT, "%s: expected %d input%s, came %d", n->name, (int)n->n_inputs, n->n_inputs == 1 ? "" : "s",
               n_in);
  }
  for (int32_t i = 0; i < n_in && !g->failed; i++) check_input(g, n, &n->inputs[i], in[i], in[0]);
  return g->failed;
}

static gan_status check_call(gan_graph *g, gan_network *n, int32_t n_in, gan_node *const *in, int32_t n_out) {
  if (g->ctx != n->ctx) {
    graph_fail(g, GAN_ERROR_ARGUMENT, "%s: network and graph belong to different contexts", n->name);
    return g->failed;
  }
  gan_status status = network_ready(n);
  if (status != GAN_OK) graph_fail(g, status, "%s", n->ctx->error);
  else if (n_out < 0 || n_out > n->n_outputs) {
    graph_fail(g, GAN_ERROR_ARGUMENT, "%s: asked for %d outputs, has %d", n->name, n_out, (int)n->n_outputs);
  }
  return g->failed ? g->failed : network_check_inputs(g, n, n_in, in);
}

/* ------------------------------------------------------------------ one application */

static void apply_layers(gan_graph *g, const gan_network *n, int32_t training, gan_node **values) {
  for (int64_t i = 0; i < n->n_layers; i++) {
    const struct network_layer *l = &n->layers[i];
    gan_node *in[NETWORK_FROM];
    for (int32_t j = 0; j < l->n_from; j++) in[j] = values[l->from[j]];
    values[n->n_inputs + i] = layer_apply(g, l->layer, training, l->n_from, in);
  }
}

gan_status network_apply(gan_graph *g, gan_network *n, int32_t training, int32_t n_in, gan_node *const *in, int32_t n_out,
                         gan_node **out) {
  if (g->failed) return g->failed;
  TRY(check_call(g, n, n_in, in, n_out));
  gan_node **values = context_alloc(g->ctx, (size_t)(n->n_inputs + n->n_layers) * sizeof *values);
  if (!values) {
    graph_fail(g, GAN_ERROR_MEMORY, "%s", g->ctx->error);
    return g->failed;
  }
  memcpy(values, in, (size_t)n_in * sizeof *in);
  apply_layers(g, n, training, values);
  for (int32_t i = 0; i < n_out && !g->failed; i++) out[i] = values[n->outputs[i].from];
  context_release(g->ctx, values, (size_t)(n->n_inputs + n->n_layers) * sizeof *values);
  return g->failed;
}

/* ------------------------------------------------------------------ public */

/* 1, or 0 after graph_fail. */
static int32_t mode_ok(gan_graph *g, const char *who, int32_t mode) {
  if (!(mode & ~(GAN_TRAINING | GAN_FROZEN))) return 1;
  graph_fail(g, GAN_ERROR_ARGUMENT, "%s: %d is no mode; expected GAN_EVALUATION or GAN_TRAINING, with or without GAN_FROZEN", who,
             mode);
  return 0;
}

void gan_network_apply(gan_network *network, int32_t mode, int32_t n_in, gan_node *const *in, int32_t n_out, gan_node **out) {
  if (!out) return;
  gan_graph *g = NULL;
  for (int32_t i = 0; in && i < n_in && !g; i++) g = in[i] ? in[i]->graph : NULL;
  for (int32_t i = 0; i < n_out; i++) out[i] = g ? &g->error : node_none();
  if (!g) return;
  if (!mode_ok(g, "gan_network_apply", mode)) return;
  int32_t outer = g->frozen; /* a layer's callback may apply layers, too */
  g->frozen = outer || (mode & GAN_FROZEN);
  if (network) network_apply(g, network, mode & GAN_TRAINING, n_in, in, n_out, out);
  else graph_fail(g, GAN_ERROR_ARGUMENT, "gan_network_apply: network may not be NULL");
  g->frozen = outer;
}

static gan_node *first_output(gan_network *network, int32_t mode, int32_t n_in, gan_node *const *in) {
  gan_node *y = node_none();
  gan_network_apply(network, mode, n_in, in, 1, &y);
  return y;
}

gan_node *gan_apply(gan_network *network, gan_node *x) { return first_output(network, GAN_TRAINING, 1, &x); }

gan_node *gan_apply2(gan_network *network, gan_node *x, gan_node *y) {
  return first_output(network, GAN_TRAINING, 2, (gan_node *[]){x, y});
}

gan_node *gan_apply_frozen(gan_network *network, gan_node *x) {
  return first_output(network, GAN_TRAINING | GAN_FROZEN, 1, &x);
}

gan_node *gan_evaluate(gan_network *network, gan_node *x) { return first_output(network, GAN_EVALUATION, 1, &x); }

gan_node *gan_evaluate2(gan_network *network, gan_node *x, gan_node *y) {
  return first_output(network, GAN_EVALUATION, 2, (gan_node *[]){x, y});
}

gan_node *gan_layer_apply(gan_layer *layer, int32_t mode, int32_t n_in, gan_node *const *in) {
  if (n_in < 1 || !in || !in[0] || !in[0]->graph) return node_none();
  gan_graph *g = in[0]->graph;
  if (!layer) return graph_fail(g, GAN_ERROR_ARGUMENT, "gan_layer_apply: layer may not be NULL");
  if (!mode_ok(g, "gan_layer_apply", mode)) return &g->error;
  int32_t outer = g->frozen;
  g->frozen = outer || (mode & GAN_FROZEN);
  gan_node *y = layer_apply(g, layer, mode & GAN_TRAINING, n_in, in);
  g->frozen = outer;
  return y;
}

static void unref_network(void *network) { network_unref(network); }

gan_node *gan_variable_node(gan_graph *graph, gan_network *network, const char *path) {
  if (!graph) return node_none();
  if (graph->failed) return &graph->error;
  if (!network || !path) return graph_fail(graph, GAN_ERROR_ARGUMENT, "gan_variable_node: network and path may not be NULL");
  gan_status status = network_ready(network);
  if (status != GAN_OK) return graph_fail(graph, status, "%s", network->ctx->error);
  struct variable *v = network_variable(network, path);
  if (!v) return graph_fail(graph, GAN_ERROR_ARGUMENT, "%s has no variable '%s'", network->name, path);
  graph_keep(graph, network_ref(network), unref_network);
  return node_present(graph, v);
}

/* ------------------------------------------------------------------ noise */

static int32_t stream_is_taken(const gan_graph *g, uint64_t stream) {
  for (int64_t i = 0; i < g->n_nodes; i++)
    if (g->nodes[i]->op == &op_random && g->nodes[i]->attr.stream == stream) return 1;
  return 0;
}

/* Every call draws numbers of its own: the n-th one in a graph has the stream "G/z@n". */
static uint64_t noise_stream(const gan_graph *g, const gan_network *n, const struct network_port *p) {
  char text[LAYER_PATH];
  uint64_t stream;
  int32_t call = 0;
  do {
    snprintf(text, sizeof text, "%.63s/%.63s@%d", n->name, p->name, call++);
    stream = rng_hash(text);
  } while (stream_is_taken(g, stream));
  return stream;
}

void network_feed_noise(gan_network *n, int32_t input) {
  if (input < 0 || input >= n->n_inputs) return;
  struct network_port *p = &n->inputs[input];
  if (p->info.role != GAN_ROLE_DATA || p->info.type != GAN_F32) return;
  p->info.role = GAN_ROLE_NOISE;
  p->noise_kind = RANDOM_NORMAL;
  p->noise_x = 0;
  p->noise_y = 1;
}

static gan_node *draw_input(gan_graph *g, gan_network *n, const struct network_port *p) {
  int64_t shape[GAN_MAX_RANK] = {g->batch};
  memcpy(shape + 1, p->info.shape, (size_t)p->info.rank * sizeof *shape);
  int32_t rank = p->info.rank + 1;
  if (p->info.role == GAN_ROLE_NOISE)
    return node_random(g, noise_stream(g, n, p), p->noise_kind, p->noise_x, p->noise_y, rank, shape);
  if (!p->info.classes)
    return graph_fail(g, GAN_ERROR_ARGUMENT, "gan_noise: input '%s' of %s has no classes to draw from", p->name, n->name);
  return node_random(g, noise_stream(g, n, p), RANDOM_INTEGERS, 0, (double)p->info.classes, rank, shape);
}

gan_node *gan_noise(gan_graph *graph, gan_network *network, const char *input) {
  if (!graph) return node_none();
  if (graph->failed) return &graph->error;
  if (!network || !input) return graph_fail(graph, GAN_ERROR_ARGUMENT, "gan_noise: network and input may not be NULL");
  gan_status status = network_ready(network);
  if (status != GAN_OK) return graph_fail(graph, status, "%s", network->ctx->error);
  if (graph->batch < 1)
    return graph_fail(graph, GAN_ERROR_STATE, "gan_noise: this graph has no batch size; graphs of gan_game_add_step() have");
  int32_t index = network_input(network, input);
  if (index < 0) return graph_fail(graph, GAN_ERROR_ARGUMENT, "gan_noise: %s has no input '%s'", network->name, input);
  network_feed_noise(network, index);
  return draw_input(graph, network, &network->inputs[index]);
}
