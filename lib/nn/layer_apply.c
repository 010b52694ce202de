/* One application of a layer to nodes, and what its forward function may ask for. */
#include "nn/layer.h"

#include "base/registry.h"
#include "base/rng.h"
#include "base/tensor.h"
#include "nn/initializer.h"
#include "nn/network.h"
#include "ops/op.h"

#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------ the application */

static void unref_layer(void *layer) { layer_unref(layer); }

/* The graph keeps a reference for every application, so its list counts them. */
static int32_t count_applications(const gan_graph *g, const gan_layer *l) {
  int32_t count = 0;
  for (int64_t i = 0; i < g->n_kept; i++) count += g->kept[i].object == l && g->kept[i].unref == unref_layer;
  return count;
}

/* A layer that was made outside of networks and is applied by itself: numbered, so that two of them differ. */
static gan_status name_unnamed(gan_layer *l) {
  if (l->path || layer_is_network(l)) return GAN_OK;
  char name[64], path[LAYER_PATH];
  line_name(l->text, name, sizeof name);
  snprintf(path, sizeof path, "%s#%d", name, atomic_fetch_add(&l->ctx->unnamed_layers, 1) + 1);
  return layer_set_path(l, path);
}

/* The first failed application takes back what it made, so that the next one may meet other shapes. */
static void drop_variables(gan_layer *l) {
  for (int64_t i = 0; i < l->n_variables; i++) variable_unref(l->variables[i]);
  l->n_variables = 0;
  network_unref(l->network);
  l->network = NULL;
}

/* Puts the layer's path before the sentence of a failure inside it. */
static void name_failure(gan_graph *g, const char *path) {
  size_t length = strlen(path);
  if (!strncmp(g->error_text, path, length)) return;
  char sentence[ERROR_TEXT];
  strcpy(sentence, g->error_text);
  snprintf(g->error_text, sizeof g->error_text, "%s: %.*s", path, ERROR_TEXT - LAYER_PATH - 3, sentence);
}

static gan_node *check_inputs(gan_graph *g, const gan_layer *l, int32_t n, gan_node *const *in) {
  if (l->ctx != g->ctx) return graph_fail(g, GAN_ERROR_ARGUMENT, "%s: layer and graph belong to different contexts", l->path);
  for (int32_t i = 0; i < n; i++) {
    if (in[i] && in[i]->graph == g) continue;
    return graph_fail(g, GAN_ERROR_ARGUMENT, "%s: input %d is no node of this graph", l->path, i);
  }
  if (!l->row || (n >= l->row->min_inputs && (l->row->max_inputs < 0 || n <= l->row->max_inputs))) return NULL;
  return graph_fail(g, GAN_ERROR_ARGUMENT, "%s: expected %s%d input%s, came %d", l->path,
                    l->row->max_inputs < 0 ? "at least " : "", l->row->min_inputs, l->row->min_inputs == 1 ? "" : "s", n);
}

static gan_node *forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  gan_layer *l = c->layer;
  if (l->row) return l->row->forward(c, n, in);
  gan_node *y = ((gan_layer_function)l->custom->function)(l->custom->user, c, n, in);
  if (y && y->graph == c->graph) return y;
  return graph_fail(c->graph, GAN_ERROR_CALLBACK, "%s: the layer's function returned no node of this graph", l->path);
}

static gan_node *apply_network(gan_graph *g, gan_layer *l, int32_t training, int32_t n, gan_node *const *in) {
  gan_node *y = NULL;
  gan_status status = network_apply(g, l->network, training, n, in, 1, &y);
  return status == GAN_OK ? y : &g->error;
}

gan_node *layer_apply_backed(gan_graph *g, gan_layer *l, int32_t training, int64_t *backed, int32_t n, gan_node *const *in) {
  if (g->failed) return &g->error;
  if (layer_is_network(l)) return apply_network(g, l, training, n, in);
  if (name_unnamed(l) != GAN_OK) return graph_fail(g, GAN_ERROR_MEMORY, "%s", g->ctx->error);
  if (check_inputs(g, l, n, in)) return &g->error;
  struct gan_layer_call call = {
    .graph = g, .layer = l, .training = training, .application = count_applications(g, l), .backed = backed,
  };
  graph_keep(g, layer_ref(l), unref_layer);
  gan_node *y = forward(&call, n, in);
  if (!node_failed(y)) {
    l->applied = 1;
    return y;
  }
  if (!l->applied) drop_variables(l);
  if (g->failed) name_failure(g, l->path);
  return &g->error;
}

gan_node *layer_apply(gan_graph *g, gan_layer *l, int32_t training, int32_t n, gan_node *const *in) {
  return layer_apply_backed(g, l, training, NULL, n, in);
}

/* ------------------------------------------------------------------ variables */

static struct variable *find_variable(const gan_layer *l, const char *name) {
  for (int64_t i = 0; i < l->n_variables; i++)
    if (!strcmp(layer_local_name(l, l->variables[i]), name)) return l->variables[i];
  return NULL;
}

/* What a file claims must be there as bytes before memory is asked for. */
static gan_status take_backed(const struct gan_layer_call *c, const char *name, int32_t rank, const int64_t *shape) {
  if (!c->backed) return GAN_OK;
  int64_t count = shape_count(rank, shape);
  char text[128];
  if (count < 0 || count > *c->backed) {
    return gan_fail(c->graph->ctx, GAN_ERROR_FORMAT,
                    "the file has not enough numbers for %s (%s): a tensor is missing or too small", name,
                    shape_text(text, sizeof text, rank, shape));
  }
  *c->backed -= count;
  return GAN_OK;
}

static gan_status keep_variable(gan_layer *l, struct variable *v) {
  gan_status status = context_grow(l->ctx, (void **)&l->variables, &l->cap_variables, l->n_variables + 1, sizeof *l->variables);
  if (status == GAN_OK) l->variables[l->n_variables++] = v;
  return status;
}

static gan_status fill_variable(struct gan_layer_call *c, struct variable *v, const char *init) {
  v->owner = c->layer;
  v->stream = rng_hash(v->name);
  if (init) {
    v->init = context_strdup(v->ctx, init);
    if (!v->init) return GAN_ERROR_MEMORY;
  }
  if (!c->backed) TRY(variable_initialize(v, (uint64_t)v->ctx->seed));
  return keep_variable(c->layer, v);
}

static gan_status make_variable(struct gan_layer_call *c, const char *name, int32_t trainable, int32_t rank, const int64_t *shape,
                                const char *init, struct variable **out) {
  gan_context *ctx = c->graph->ctx;
  char path[LAYER_PATH + 64];
  REQUIRE(ctx, name_is_valid(name), "'%s' is no name of a variable: letters, digits, '-', '_', '.'", name);
  REQUIRE(ctx, !c->layer->applied, "variable '%s' was not there at the first application", name);
  TRY(take_backed(c, name, rank, shape));
  snprintf(path, sizeof path, "%s/%s", c->layer->path, name);
  struct variable *v;
  TRY(variable_create(ctx, path, rank, shape, &v));
  v->trainable = trainable;
  gan_status status = fill_variable(c, v, init);
  if (status == GAN_OK) *out = v;
  else variable_unref(v);
  return status;
}

static gan_node *wrong_shape(struct gan_layer_call *c, const struct variable *v, int32_t rank, const int64_t *shape) {
  char has[128], needs[128];
  return graph_fail(c->graph, GAN_ERROR_SHAPE, "%s is %s, this application would need %s", v->name,
                    shape_text(has, sizeof has, v->rank, v->shape), shape_text(needs, sizeof needs, rank, shape));
}

static gan_node *variable_for(struct gan_layer_call *c, const char *name, int32_t trainable, int32_t rank, const int64_t *shape,
                              const char *init) {
  if (c->graph->failed) return &c->graph->error;
  struct variable *v = find_variable(c->layer, name);
  if (!v) {
    gan_status status = make_variable(c, name, trainable, rank, shape, init, &v);
    if (status != GAN_OK) return graph_fail(c->graph, status, "%s", c->graph->ctx->error);
  }
  if (v->trainable != trainable) {
    return graph_fail(c->graph, GAN_ERROR_ARGUMENT, "%s is a %s already", v->name, v->trainable ? "parameter" : "state");
  }
  if (!shape_equal(v->rank, v->shape, rank, shape)) return wrong_shape(c, v, rank, shape);
  gan_node *assigned = graph_latest_assign(c->graph, v);
  gan_node *present = assigned ? assigned : node_present(c->graph, v);
  return trainable && c->graph->frozen ? gan_stop_gradient(present) : present;
}

gan_node *layer_parameter(struct gan_layer_call *c, const char *name, int32_t rank, const int64_t *shape, const char *init) {
  return variable_for(c, name, 1, rank, shape, init);
}

gan_node *layer_state(struct gan_layer_call *c, const char *name, int32_t rank, const int64_t *shape, const char *init) {
  return variable_for(c, name, 0, rank, shape, init);
}

void layer_assign(struct gan_layer_call *c, const char *name, gan_node *value) {
  gan_graph *g = c->graph;
  if (g->failed || node_failed(value)) return;
  struct variable *v = find_variable(c->layer, name);
  if (!v || v->trainable) {
    graph_fail(g, GAN_ERROR_ARGUMENT, "'%s' is no state of this layer", name);
  } else if (value->graph != g || value->type != GAN_F32 || !shape_equal(v->rank, v->shape, value->rank, value->shape)) {
    wrong_shape(c, v, value->rank, value->shape);
  } else {
    graph_assign(g, v, value);
  }
}

int32_t layer_assigned(struct gan_layer_call *c, const char *name) {
  const struct variable *v = find_variable(c->layer, name);
  return v && graph_latest_assign(c->graph, v);
}

/* ------------------------------------------------------------------ inputs, random numbers, options */

gan_node *layer_refuse(struct gan_layer_call *c, const gan_node *x, int32_t least, int32_t most, const char *shape) {
  char text[128];
  if (x->type == GAN_F32 && x->rank >= least && x->rank <= most) return NULL;
  return graph_fail(c->graph, GAN_ERROR_SHAPE, "expected f32 of shape %s, came %s%s", shape, x->type == GAN_F32 ? "" : "i32 ",
                    shape_text(text, sizeof text, x->rank, x->shape));
}

gan_node *layer_random(struct gan_layer_call *c, const char *name, int32_t kind, double x, double y, int32_t rank,
                       const int64_t *shape) {
  char text[LAYER_PATH + 96];
  snprintf(text, sizeof text, "%s/%.63s@%d", c->layer->path, name, c->application);
  return node_random(c->graph, rng_hash(text), kind, x, y, rank, shape);
}

double layer_number(const struct gan_layer_call *c, const char *name) { return option_number(&c->layer->options, name); }
int64_t layer_int(const struct gan_layer_call *c, const char *name) { return option_int(&c->layer->options, name); }
int32_t layer_flag(const struct gan_layer_call *c, const char *name) { return option_flag(&c->layer->options, name); }
const char *layer_text(const struct gan_layer_call *c, const char *name) { return option_text(&c->layer->options, name); }
int32_t layer_given(const struct gan_layer_call *c, const char *name) { return option_given(&c->layer->options, name); }
