/* Making a sampler: a clone of the network, two plans on it, and all the memory that they will ever need. */
#include "nn/sampler.h"

#include "base/tensor.h"

#include <math.h>
#include <string.h>

gan_status gan_sampler_config_init(gan_sampler_config *config, int64_t size) {
  static const gan_sampler_config defaults = {.max_batch = 64, .threads = 1};
  return config_write(config, size, &defaults, sizeof defaults);
}

/* ------------------------------------------------------------------ free */

static void free_plan(const gan_sampler *s, struct sampler_plan *p) {
  plan_free(p->plan);
  gan_graph_free(p->graph);
  if (p->nodes) context_release(s->ctx, p->nodes, (size_t)s->snapshot->n_inputs * sizeof *p->nodes);
}

static size_t bound_bytes(const gan_sampler *s, const struct sampler_input *in) {
  return (size_t)(s->max_batch * in->size) * 4; /* f32 or i32 */
}

static void free_inputs(const gan_sampler *s) {
  if (!s->inputs) return;
  for (int64_t i = 0; i < s->snapshot->n_inputs; i++) {
    if (s->inputs[i].bound) context_release(s->ctx, s->inputs[i].bound, bound_bytes(s, &s->inputs[i]));
  }
  context_release(s->ctx, s->inputs, (size_t)s->snapshot->n_inputs * sizeof *s->inputs);
}

void gan_sampler_free(gan_sampler *sampler) {
  gan_sampler *s = sampler;
  if (!s) return;
  gan_context *ctx = s->ctx;
  pool_free(s->pool);
  for (int32_t i = 0; i < 2; i++) free_plan(s, &s->plans[i]);
  free_inputs(s);
  context_release(ctx, s->arena, (size_t)s->arena_bytes);
  context_release(ctx, s->scratch, (size_t)s->scratch_bytes);
  network_unref(s->snapshot);
  context_release(ctx, s, sizeof *s);
  context_unref(ctx);
}

/* ------------------------------------------------------------------ inputs */

static gan_status make_inputs(gan_sampler *s) {
  const gan_network *n = s->snapshot;
  s->inputs = context_zalloc(s->ctx, (size_t)n->n_inputs * sizeof *s->inputs);
  if (!s->inputs) return GAN_ERROR_MEMORY;
  for (int64_t i = 0; i < n->n_inputs; i++) {
    struct sampler_input *in = &s->inputs[i];
    in->port = &n->inputs[i];
    in->size = shape_count(in->port->info.rank, in->port->info.shape);
    in->key = rng_stream(s->environment.seed, rng_hash(in->port->name), 0);
    REQUIRE(s->ctx, size_mul(size_mul(s->max_batch, in->size), 4) >= 0, "gan_sampler_create: max_batch %lld is too large",
            (long long)s->max_batch);
    in->bound = context_zalloc(s->ctx, bound_bytes(s, in));
    if (!in->bound) return GAN_ERROR_MEMORY;
  }
  return GAN_OK;
}

/* ------------------------------------------------------------------ plans */

static gan_node *input_node(gan_graph *g, const struct network_port *p, int64_t batch) {
  int64_t shape[GAN_MAX_RANK] = {batch};
  memcpy(shape + 1, p->info.shape, (size_t)p->info.rank * sizeof *shape);
  struct binding b = {.kind = BINDING_CALLER, .name = (char *)p->name};
  return node_input(g, &b, p->info.type, p->info.rank + 1, shape);
}

static gan_status trace(gan_sampler *s, struct sampler_plan *p, int32_t output) {
  gan_network *n = s->snapshot;
  TRY(gan_graph_create(s->ctx, &p->graph));
  p->nodes = context_zalloc(s->ctx, (size_t)n->n_inputs * sizeof *p->nodes);
  gan_node **outputs = context_zalloc(s->ctx, (size_t)n->n_outputs * sizeof *outputs);
  if (p->nodes && outputs) {
    for (int64_t i = 0; i < n->n_inputs; i++) p->nodes[i] = input_node(p->graph, &n->inputs[i], p->batch);
    network_apply(p->graph, n, 0, (int32_t)n->n_inputs, p->nodes, output + 1, outputs);
    p->root = outputs[output];
    if (p->root && p->root->type == GAN_I32) p->root = gan_to_float(p->root);
  }
  context_release(s->ctx, outputs, (size_t)n->n_outputs * sizeof *outputs);
  return p->nodes && outputs ? gan_graph_check(p->graph) : GAN_ERROR_MEMORY;
}

static gan_status make_plan(gan_sampler *s, struct sampler_plan *p, int64_t batch, int32_t output) {
  p->batch = batch;
  TRY(trace(s, p, output));
  struct plan_root root = {.node = p->root};
  struct plan_stage stage = {.name = "sample", .n_roots = 1, .roots = &root};
  struct plan_config config = {
    .ctx = s->ctx, .graph = p->graph, .n_stages = 1, .stages = &stage, .use_blas = 0, .frozen = 1, .optimize = 1,
  };
  return plan_create(&config, &p->plan);
}

/* The plans never run at once: one arena serves both. */
static gan_status make_memory(gan_sampler *s, int32_t threads) {
  for (int32_t i = 0; i < 2 && s->plans[i].plan; i++) {
    int64_t arena = plan_arena_bytes(s->plans[i].plan), scratch = plan_scratch_bytes(s->plans[i].plan, threads);
    if (arena > s->arena_bytes) s->arena_bytes = arena;
    if (scratch > s->scratch_bytes) s->scratch_bytes = scratch;
  }
  s->arena = context_zalloc(s->ctx, (size_t)s->arena_bytes);
  s->scratch = context_zalloc(s->ctx, (size_t)s->scratch_bytes);
  if (!s->arena || !s->scratch) return GAN_ERROR_MEMORY;
  for (int32_t i = 0; i < 2 && s->plans[i].plan; i++) plan_bind(s->plans[i].plan, s->arena, s->scratch);
  return GAN_OK;
}

/* ------------------------------------------------------------------ create */

/* Sample i may depend on nothing but itself. */
static gan_status check_layers(const gan_network *n) {
  for (int64_t i = 0; i < n->n_layers; i++) {
    REQUIRE(n->ctx, !(layer_flags(n->layers[i].layer) & LAYER_MIXES),
            "gan_sampler_create: %s/%s mixes the samples of a batch, and a sampler draws each by itself", n->name,
            n->layers[i].name);
  }
  return GAN_OK;
}

static gan_status check_config(gan_network *n, const gan_sampler_config *c) {
  REQUIRE(n->ctx, c->max_batch >= 1 && c->max_batch <= 1 << 20, "gan_sampler_create: max_batch %lld is not in 1 .. 1048576",
          (long long)c->max_batch);
  REQUIRE(n->ctx, c->threads >= 1 && c->threads <= 1024, "gan_sampler_create: threads %d is not in 1 .. 1024", c->threads);
  REQUIRE(n->ctx, c->truncation >= 0 && c->truncation <= 2, "gan_sampler_create: truncation is not in 0 .. 2");
  REQUIRE(n->ctx, c->output >= 0 && c->output < n->n_outputs, "gan_sampler_create: output %d is not in 0 .. %d", c->output,
          (int)n->n_outputs - 1);
  return GAN_OK;
}

static gan_status fill_sampler(gan_sampler *s, gan_network *network, const gan_sampler_config *c) {
  const gan_port *out = &network->outputs[c->output].info;
  s->max_batch = c->max_batch;
  s->reach = (float)erf(c->truncation / sqrt(2));
  s->sample_size = shape_count(out->rank, out->shape);
  s->environment = (struct environment){.kernels = s->ctx->kernels, .seed = (uint64_t)(c->seed ? c->seed : s->ctx->seed)};
  TRY(gan_network_clone(network, network->name, &s->snapshot));
  TRY(make_inputs(s));
  TRY(make_plan(s, &s->plans[0], 1, c->output));
  if (c->max_batch > 1) TRY(make_plan(s, &s->plans[1], c->max_batch, c->output));
  TRY(make_memory(s, c->threads));
  return c->threads > 1 ? pool_create(s->ctx, c->threads, &s->pool) : GAN_OK;
}

gan_status gan_sampler_create(gan_network *network, const gan_sampler_config *config, gan_sampler **sampler) {
  if (!network) return GAN_ERROR_ARGUMENT;
  gan_context *ctx = network->ctx;
  gan_sampler_config c;
  REQUIRE(ctx, sampler, "gan_sampler_create: sampler may not be NULL");
  gan_sampler_config_init(&c, sizeof c);
  if (config) TRY(config_read(ctx, "gan_sampler_create", &c, sizeof c, config));
  TRY(network_ready(network));
  TRY(check_config(network, &c));
  TRY(check_layers(network));
  gan_sampler *s = context_zalloc(ctx, sizeof *s);
  if (!s) return GAN_ERROR_MEMORY;
  s->ctx = context_ref(ctx);
  gan_status status = fill_sampler(s, network, &c);
  if (status == GAN_OK) *sampler = s;
  else gan_sampler_free(s);
  return status;
}

/* ------------------------------------------------------------------ refresh, sizes */

gan_status gan_sampler_refresh(gan_sampler *sampler, gan_network *network) {
  gan_sampler *s = sampler;
  if (!s || !network) return GAN_ERROR_ARGUMENT;
  gan_status status = network_ready(network);
  if (status != GAN_OK) return sampler_fail(s, status, "gan_sampler_refresh: %.900s", network->error_text);
  if (!network_same_structure(s->snapshot, network)) {
    return sampler_fail(s, GAN_ERROR_SHAPE, "gan_sampler_refresh: '%s' differs in structure from the network that was sampled",
                        network->name);
  }
  for (int64_t i = 0; i < network->n_variables; i++) {
    const struct variable *from = network->variables[i].variable;
    memcpy(s->snapshot->variables[i].variable->data, from->data, (size_t)from->count * sizeof *from->data);
  }
  for (int32_t i = 0; i < 2 && s->plans[i].plan; i++) plan_refresh(s->plans[i].plan);
  return GAN_OK;
}

int64_t gan_sampler_sample_size(const gan_sampler *sampler) { return sampler ? sampler->sample_size : 0; }

int64_t gan_sampler_memory(const gan_sampler *sampler) {
  const gan_sampler *s = sampler;
  if (!s) return 0;
  int64_t bytes = (int64_t)sizeof *s + s->arena_bytes + s->scratch_bytes;
  for (int64_t i = 0; i < s->snapshot->n_variables; i++)
    bytes += s->snapshot->variables[i].variable->count * (int64_t)sizeof(float);
  for (int64_t i = 0; i < s->snapshot->n_inputs; i++) bytes += (int64_t)bound_bytes(s, &s->inputs[i]);
  for (int32_t i = 0; i < 2 && s->plans[i].plan; i++) bytes += plan_kept_bytes(s->plans[i].plan);
  return bytes;
}
