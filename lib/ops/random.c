/* Random numbers: a leaf whose values depend on seed, stream, step and position alone. */
#include "ops/build.h"

#include <math.h>
#include <string.h>
#include "base/options.h"
#include "base/rng.h"
#include "ops/lower.h"

/* --------------------------------------------------------------------------------------------------------- distributions */

/* Each is "NAME a=.. b=..": what the two parameters are called, and their defaults. */
struct distribution { const char *name; int32_t kind; struct option options[2]; };

#define NUMBER(NAME, FALLBACK, HELP) {NAME, OPTION_NUMBER, 0, 0, FALLBACK, HELP}
#define WHOLE(NAME, FALLBACK, HELP) {NAME, OPTION_INT, -1073741824, 1073741824, FALLBACK, HELP}

static const struct distribution distributions[] = {
  {"normal", RANDOM_NORMAL, {NUMBER("mean", "0", "expected value"), NUMBER("std", "1", "standard deviation")}},
  {"truncated-normal", RANDOM_TRUNCATED,
   {NUMBER("mean", "0", "expected value"), NUMBER("std", "1", "before the cut at two of it")}},
  {"uniform", RANDOM_UNIFORM, {NUMBER("low", "0", "least value"), NUMBER("high", "1", "bound, excluded")}},
  {"integers", RANDOM_INTEGERS, {WHOLE("low", "0", "least value"), WHOLE("high", NULL, "bound, excluded")}},
};

enum { DISTRIBUTIONS = sizeof distributions / sizeof *distributions };

static const struct distribution *find_distribution(const char *name) {
  for (int32_t i = 0; i < DISTRIBUTIONS; i++) {
    if (strcmp(distributions[i].name, name) == 0) return &distributions[i];
  }
  return NULL;
}

static const char *distribution_name(int32_t i) {
  return i < DISTRIBUTIONS ? distributions[i].name : NULL;
}

static gan_status check_range(gan_context *ctx, const struct distribution *d, double x, double y) {
  REQUIRE(ctx, isfinite(x) && isfinite(y), "%s: %s and %s must be finite", d->name, d->options[0].name, d->options[1].name);
  if (d->kind == RANDOM_UNIFORM || d->kind == RANDOM_INTEGERS) {
    REQUIRE(ctx, x < y, "%s: low must be less than high", d->name);
  } else {
    REQUIRE(ctx, y >= 0, "%s: std may not be negative", d->name);
  }
  return GAN_OK;
}

gan_status distribution_parse(gan_context *ctx, const char *text, int32_t *kind, double *x, double *y) {
  char name[64];
  const char *rest = text ? line_name(text, name, sizeof name) : NULL;
  REQUIRE(ctx, rest, "a distribution is expected: \"normal\", \"uniform low=-1 high=1\"");
  const struct distribution *d = find_distribution(name);
  if (!d) return fail_unknown(ctx, NULL, "distribution", name, distribution_name);
  struct options o;
  gan_status status = options_parse(ctx, name, d->options, 2, rest, &o);
  if (status == GAN_OK) status = check_range(ctx, d, o.number[0], o.number[1]);
  if (status == GAN_OK) {
    *kind = d->kind;
    *x = o.number[0];
    *y = o.number[1];
  }
  options_free(&o);
  return status;
}

/* ----------------------------------------------------------------------------------------------------------------- nodes */

gan_node *node_random(gan_graph *g, uint64_t stream, int32_t kind, double x, double y, int32_t rank, const int64_t *shape) {
  gan_node *bad = graph_bad(g, "random", g, "graph");
  if (bad) return bad;
  struct attributes attr = {.stream = stream, .kind = kind, .x = x, .y = y};
  return graph_node(g, &op_random, 0, NULL, &attr, kind == RANDOM_INTEGERS ? GAN_I32 : GAN_F32, rank, shape);
}

gan_node *gan_random(gan_graph *graph, const char *name, const char *distribution, int32_t rank, const int64_t *shape) {
  gan_node *bad = graph_bad(graph, "random", name, "name");
  if (bad) return bad;
  int64_t sizes[GAN_MAX_RANK];
  if (!shape_of_batch(graph, "random", name, rank, shape, sizes)) return &graph->error;
  int32_t kind;
  double x, y;
  gan_status status = distribution_parse(graph->ctx, distribution, &kind, &x, &y);
  if (status != GAN_OK) return graph_fail(graph, status, "random '%s': %s", name, graph->ctx->error);
  return gan_node_name(node_random(graph, rng_hash(name), kind, x, y, rank, sizes), name);
}

gan_node *gan_random_like(gan_node *x, const char *name, const char *distribution) {
  gan_node *bad = node_bad("random_like", ANY_TYPE, x);
  return bad ? bad : gan_random(x->graph, name, distribution, x->rank, x->shape);
}

/* ----------------------------------------------------------------------------------------------------------------- calls */

enum { RANDOM_CHUNK = 4096 };

static void draw_integers(int32_t *out, const struct rng_key *key, double low, double high, int64_t first, int64_t count) {
  uint32_t n = (uint32_t)(high - low);
  int32_t base = (int32_t)low;
  for (int64_t i = 0; i < count; i++) out[i] = base + (int32_t)rng_below(key, (uint64_t)(first + i), n);
}

static void scale_normal(float *out, int64_t count, float mean, float std) {
  if (mean == 0 && std == 1) return;
  for (int64_t i = 0; i < count; i++) out[i] *= std;
  for (int64_t i = 0; i < count; i++) out[i] += mean;
}

/* Rounding can lift a number to the excluded bound: then it is the float below. */
static void scale_uniform(float *out, int64_t count, float low, float high) {
  if (low == 0 && high == 1) return;
  float width = high - low, most = nextafterf(high, low);
  for (int64_t i = 0; i < count; i++) out[i] *= width;
  for (int64_t i = 0; i < count; i++) {
    float v = out[i] + low;
    out[i] = v < most ? v : most;
  }
}

static void run_random(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  (void)scratch;
  int64_t first, last;
  chunk_range(chunk, RANDOM_CHUNK, c->u.random.count, &first, &last);
  struct rng_key key = rng_stream(e->seed, c->u.random.stream, e->step);
  int64_t count = last - first;
  if (c->u.random.kind == RANDOM_INTEGERS) {
    draw_integers((int32_t *)c->out[0] + first, &key, c->u.random.x, c->u.random.y, first, count);
    return;
  }
  float *out = (float *)c->out[0] + first, x = (float)c->u.random.x, y = (float)c->u.random.y;
  switch (c->u.random.kind) {
  case RANDOM_NORMAL: e->kernels->normal(out, count, &key, (uint64_t)first); break;
  case RANDOM_TRUNCATED: e->kernels->truncated_normal(out, count, &key, (uint64_t)first); break;
  default: e->kernels->uniform(out, count, &key, (uint64_t)first); break;
  }
  if (c->u.random.kind == RANDOM_UNIFORM) scale_uniform(out, count, x, y);
  else scale_normal(out, count, x, y);
}

static int32_t lower_random(const gan_node *n, const struct kernels *k, int32_t use_blas, struct call *calls) {
  (void)k, (void)use_blas;
  struct call *c = call_start(&calls[0], run_random, chunks_of(n->count, RANDOM_CHUNK), 0);
  c->u.random.stream = n->attr.stream;
  c->u.random.kind = n->attr.kind;
  c->u.random.x = n->attr.x;
  c->u.random.y = n->attr.y;
  c->u.random.count = n->count;
  return 1;
}

const struct op op_random = {"random", OP_LEAF, 0, -1, NULL, lower_random};
