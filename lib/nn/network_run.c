/* A network run once on tensors: a graph with constants for inputs, a plan, and its values copied out. */
#include "base/tensor.h"
#include "nn/network.h"
#include "plan/alone.h"

#include <string.h>

/* ------------------------------------------------------------------ inputs */

static gan_status check_labels(const gan_network *n, const struct network_port *p, const gan_tensor *t) {
  if (p->info.type != GAN_I32 || t->type != GAN_I32) return GAN_OK; /* other types are refused as shapes are */
  const int32_t *labels = t->data;
  int64_t bad = labels_first_bad(labels, t->count, p->info.classes);
  if (bad < 0) return GAN_OK;
  return gan_fail(n->ctx, GAN_ERROR_ARGUMENT, "gan_network_run: input '%s' of %s: label %lld is %d, expected 0 .. %lld", p->name,
                  n->name, (long long)bad, labels[bad], (long long)p->info.classes - 1);
}

static gan_status read_inputs(gan_graph *g, const gan_network *n, gan_tensor *const *in, gan_node **nodes) {
  for (int64_t i = 0; i < n->n_inputs; i++) {
    const struct network_port *p = &n->inputs[i];
    REQUIRE(n->ctx, in[i], "gan_network_run: input '%s' of %s is NULL", p->name, n->name);
    TRY(check_labels(n, p, in[i]));
    nodes[i] = gan_constant_tensor(g, in[i]);
  }
  return gan_graph_check(g);
}

/* ------------------------------------------------------------------ outputs */

static gan_status write_output(const struct plan_alone *p, const gan_node *root, gan_tensor **out) {
  TRY(gan_tensor_create(p->ctx, root->type, root->rank, root->shape, out));
  memcpy((*out)->data, plan_value(p->plan, root), (size_t)((*out)->count * type_bytes(root->type)));
  return GAN_OK;
}

/* All of them, or none. */
static gan_status write_outputs(const struct plan_alone *p, int32_t n_out, const struct plan_root *roots, gan_tensor **made,
                                gan_tensor **out) {
  gan_status status = GAN_OK;
  int32_t done = 0;
  while (done < n_out && status == GAN_OK) {
    status = write_output(p, roots[done].node, &made[done]);
    if (status == GAN_OK) done++;
  }
  if (status == GAN_OK) memcpy(out, made, (size_t)n_out * sizeof *out);
  else while (done > 0) gan_tensor_free(made[--done]);
  return status;
}

/* ------------------------------------------------------------------ the run */

static gan_status run(gan_graph *g, gan_network *n, gan_tensor *const *in, int32_t n_out, gan_tensor **out) {
  struct plan_alone plan = {0};
  gan_node **nodes = graph_alloc(g, sizeof *nodes * (size_t)(n->n_inputs + n_out));
  struct plan_root *roots = graph_alloc(g, sizeof *roots * (size_t)n_out);
  gan_tensor **made = graph_alloc(g, sizeof *made * (size_t)n_out);
  if (!nodes || !roots || !made) return gan_graph_check(g);
  TRY(read_inputs(g, n, in, nodes));
  gan_node **outputs = nodes + n->n_inputs;
  network_apply(g, n, 0, (int32_t)n->n_inputs, nodes, n_out, outputs);
  TRY(gan_graph_check(g));
  for (int32_t i = 0; i < n_out; i++) roots[i].node = outputs[i];
  gan_status status = plan_alone_create(g, "run", n_out, roots, &plan);
  if (status == GAN_OK) plan_alone_run(&plan, n->ctx->seed, 0);
  if (status == GAN_OK) status = write_outputs(&plan, n_out, roots, made, out);
  plan_alone_free(&plan);
  return status;
}

gan_status gan_network_run(gan_network *network, int32_t n_in, gan_tensor *const *in, int32_t n_out, gan_tensor **out) {
  gan_network *n = network;
  gan_graph *graph;
  if (!n) return gan_fail_null(NULL, "gan_network_run", "network");
  TRY(network_ready(n));
  REQUIRE(n->ctx, in && out, "gan_network_run: in and out may not be NULL");
  REQUIRE(n->ctx, n_in == n->n_inputs, "gan_network_run: %s has %d inputs, came %d", n->name, (int)n->n_inputs, n_in);
  REQUIRE(n->ctx, n_out >= 1 && n_out <= n->n_outputs, "gan_network_run: %d outputs are not in 1 .. %d, what %s has", n_out,
          (int)n->n_outputs, n->name);
  TRY(gan_graph_create(n->ctx, &graph));
  gan_status status = run(graph, n, in, n_out, out);
  gan_graph_free(graph);
  return status;
}
