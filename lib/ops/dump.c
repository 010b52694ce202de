/* A graph as text and for Graphviz. It stands on this floor because it names ops. */
#include "ops/op.h"

#include <stdio.h>
#include "base/tensor.h"

/* ------------------------------------------------------------------------------------------------------------ attributes */

static void add_number(struct text *t, const char *name, double value) {
  text_format(t, " %s=", name);
  text_number(t, value);
}

static void add_list(struct text *t, const char *name, const int32_t *values, int32_t count) {
  text_format(t, " %s=", name);
  for (int32_t i = 0; i < count; i++) text_format(t, i ? ",%d" : "%d", values[i]);
}

static void add_axes(struct text *t, uint32_t bits) {
  int32_t axes[GAN_MAX_RANK], count = 0;
  for (int32_t d = 0; d < GAN_MAX_RANK; d++) {
    if (bits >> d & 1) axes[count++] = d;
  }
  add_list(t, "axes", axes, count);
}

static void add_random(struct text *t, const struct attributes *a) {
  static const char *const kinds[] = {"normal", "truncated-normal", "uniform", "integers"};
  text_format(t, " %s", kinds[a->kind]);
  int32_t range = a->kind == RANDOM_UNIFORM || a->kind == RANDOM_INTEGERS;
  add_number(t, range ? "low" : "mean", a->x);
  add_number(t, range ? "high" : "std", a->y);
}

static void add_input(struct text *t, const struct binding *b) {
  static const char *const kinds[] = {"caller", "scalar", "data"};
  text_format(t, " from=%s", kinds[b->kind]);
  if (b->kind == BINDING_SCALAR) add_number(t, "value", b->value);
}

static void add_window(struct text *t, const struct window *v) {
  text_format(t, " stride=%dx%d padding=%dx%d", v->stride[0], v->stride[1], v->padding[0], v->padding[1]);
  if (v->dilation[0] != 1 || v->dilation[1] != 1) text_format(t, " dilation=%dx%d", v->dilation[0], v->dilation[1]);
  if (v->groups != 1) text_format(t, " groups=%d", v->groups);
}

/* What tells a node from others of its op. */
static void add_attributes(struct text *t, const gan_node *n) {
  const struct attributes *a = &n->attr;
  long long begin = a->begin, end = a->end;
  if (n->op == &op_input) add_input(t, a->data);
  if (n->op == &op_constant) add_number(t, "value", a->x);
  if (n->op == &op_random) add_random(t, a);
  if (n->op == &op_sum || n->op == &op_max) add_axes(t, a->axes);
  if (n->op == &op_matmul) text_format(t, "%s%s", a->transpose_a ? " transpose_a" : "", a->transpose_b ? " transpose_b" : "");
  if (n->op == &op_conv || n->op == &op_conv_input || n->op == &op_conv_weight) add_window(t, &a->window);
  if (n->op == &op_transpose) add_list(t, "order", a->order, n->rank);
  if (n->op == &op_slice) text_format(t, " axis=%d begin=%lld end=%lld", a->axis, begin, end);
  if (n->op == &op_pad) text_format(t, " axis=%d before=%lld after=%lld", a->axis, begin, end);
  if (n->op == &op_concat || n->op == &op_argmax || n->op == &op_resample) text_format(t, " axis=%d", a->axis);
}

/* ------------------------------------------------------------------------------------------------------------------ text */

static void add_line(struct text *t, const gan_node *n) {
  text_format(t, "%d %s = %s", n->id, n->name ? n->name : "-", n->op->name);
  for (int32_t i = 0; i < n->n_in; i++) text_format(t, " %d", n->in[i]->id);
  add_attributes(t, n);
  text_format(t, ": %s ", type_name(n->type));
  text_shape(t, n->rank, n->shape);
  text_add(t, "\n");
}

static void graph_text(struct text *t, const gan_graph *g) {
  for (int64_t i = 0; i < g->n_nodes; i++) add_line(t, g->nodes[i]);
  for (int64_t i = 0; i < g->n_outputs; i++) {
    const struct graph_output *o = &g->outputs[i];
    text_format(t, "output %s = %d in phase %s\n", o->name, o->node->id, g->phases[o->phase].name);
  }
  if (g->failed) text_format(t, "failed: %s\n", g->error_text);
}

/* ------------------------------------------------------------------------------------------------------------------- dot */

static void add_quoted(struct text *t, const char *s) {
  for (; *s; s++) {
    if (*s == '"' || *s == '\\') text_add_n(t, "\\", 1);
    text_add_n(t, s, 1);
  }
}

static void add_box(struct text *t, const gan_node *n) {
  text_format(t, "  n%d [label=\"%s", n->id, n->op->name);
  if (n->name) {
    text_add(t, "\\n");
    add_quoted(t, n->name);
  }
  add_attributes(t, n);
  text_add(t, "\\n");
  text_shape(t, n->rank, n->shape);
  text_format(t, "\"%s];\n", n->op->flags & OP_LEAF ? " style=filled" : "");
  for (int32_t i = 0; i < n->n_in; i++) text_format(t, "  n%d -> n%d;\n", n->in[i]->id, n->id);
}

static void graph_dot(struct text *t, const gan_graph *g) {
  text_add(t, "digraph gan {\n  node [shape=box];\n");
  for (int64_t i = 0; i < g->n_nodes; i++) add_box(t, g->nodes[i]);
  for (int64_t i = 0; i < g->n_outputs; i++) {
    text_format(t, "  o%lld [shape=plain label=\"", (long long)i);
    add_quoted(t, g->outputs[i].name);
    text_format(t, "\"];\n  n%d -> o%lld;\n", g->outputs[i].node->id, (long long)i);
  }
  text_add(t, "}\n");
}

/* ---------------------------------------------------------------------------------------------------------------- public */

typedef void write_fn(struct text *t, const gan_graph *g);

static gan_status dump(gan_graph *g, write_fn *write, char *text, int64_t capacity, int64_t *needed) {
  REQUIRE(NULL, g, "graph: graph may not be NULL");
  struct text t;
  text_init(&t, g->ctx);
  write(&t, g);
  gan_status status = t.failed ? GAN_ERROR_MEMORY : text_copy_out(g->ctx, text_get(&t), text, capacity, needed);
  text_free(&t);
  return status;
}

gan_status gan_graph_text(gan_graph *graph, char *text, int64_t capacity, int64_t *needed) {
  return dump(graph, graph_text, text, capacity, needed);
}

gan_status gan_graph_dot(gan_graph *graph, char *text, int64_t capacity, int64_t *needed) {
  return dump(graph, graph_dot, text, capacity, needed);
}
