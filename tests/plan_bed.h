/* What tests of plans share: a graph with what it reads, a plan with its memory and threads, passes against none. */
#ifndef TEST_PLAN_BED_H
#define TEST_PLAN_BED_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plan/plan.h"
#include "support.h"

enum { INPUTS_MAX = 8, VARIABLES_MAX = 24 };

/* A graph with what it reads. */
struct world {
  struct allocator allocator;
  gan_context *ctx;
  gan_graph *g;
  struct binding bindings[INPUTS_MAX];
  gan_node *inputs[INPUTS_MAX];
  int32_t n_inputs, n_variables;
  struct variable *variables[VARIABLES_MAX];
};

#define SHAPE(...) (int32_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]){__VA_ARGS__}
#define INPUT(w, ...) input((w), GAN_F32, SHAPE(__VA_ARGS__))
#define VARIABLE(w, ...) new_variable((w), SHAPE(__VA_ARGS__))

/* A plan with its memory and threads. */
struct machine {
  struct plan *plan;
  void *arena, *scratch;
  int64_t arena_bytes, scratch_bytes;
  struct pool *pool;
  struct environment e;
};

enum { ROOTS_MAX = 12, THREAD_COUNTS = 4 };
extern const int32_t thread_counts[THREAD_COUNTS];

extern uint64_t drawn; /* numbers taken from the stream */

int32_t draw(int32_t low, int32_t high);
void fill(float *x, int64_t n, float low, float high);
void open_world(struct world *w, int32_t isa);
void close_world(struct world *w);
gan_node *input(struct world *w, int32_t type, int32_t rank, const int64_t *shape);
struct variable *new_variable(struct world *w, int32_t rank, const int64_t *shape);
struct plan_config config_of(struct world *w, const struct plan_stage *stages, int64_t n);
void start(struct world *w, struct machine *m, const struct plan_config *c, int32_t threads);
void stop(struct world *w, struct machine *m);
/* Inputs by their number, so that all plans of a graph get the same. */
void set_inputs(struct world *w, struct machine *m);
void run(struct machine *m, int64_t stage);
void assert_close(const float *a, const float *b, int64_t n, double tolerance);

/* Runs a stage with these roots, every other one to a target; copies values out one after the other. */
void evaluate_roots(struct world *w, gan_node *const *nodes, int32_t n, int32_t optimize, int32_t threads, float *out);
/* Values with all passes and with none, for all thread counts. */
void compare_passes(struct world *w, gan_node *const *nodes, int32_t n, double tolerance);

gan_node *dense(struct world *w, gan_node *x, int64_t units);
gan_node *weighted_back(struct world *w, gan_node *x, int64_t units, int64_t size, const char *options);
gan_node *batch_norm(gan_node *x);
gan_node *weighted(struct world *w, gan_node *x, int64_t units, int64_t size, const char *options);
void gradients_of_all(struct world *w, gan_node *loss, gan_node **out);
void network_of_relus(struct world *w, gan_node **roots, int32_t *n);
void network_with_penalty(struct world *w, gan_node **roots, int32_t *n);

#endif
