/* Plans: a graph made executable. Simplify, fuse, place memory, cut for threads once; then replay without allocating.
 *
 * A plan is a list of stages that run in order. A stage computes its roots, then moves its assignments into their variables.
 * A node's value is kept for later stages unless a variable that it depends on was assigned since: then it is computed again.
 */
#ifndef GAN_PLAN_PLAN_H
#define GAN_PLAN_PLAN_H

#include "ops/op.h"
#include "base/pool.h"

struct plan;

/* A node that the stage must compute. target: where to (floats of the caller, e.g. a place in a flat gradient), or NULL: the
 * plan's kept memory, readable by plan_value until the plan's next run. */
struct plan_root { gan_node *node; float *target; };

/* variable := value at the end of the stage. All values of a stage are computed from the variables as they were before it. */
struct plan_assign { struct variable *variable; gan_node *value; };

/* A ready-made call that ends the stage, e.g. the fused Adam kernel: writes `writes` in place. */
struct plan_custom { struct call call; int32_t n_writes; struct variable *writes[8]; };

struct plan_stage {
  const char *name;
  int64_t n_roots, n_assigns, n_customs, n_written;
  const struct plan_root *roots;
  const struct plan_assign *assigns;
  const struct plan_custom *customs;
  struct variable *const *written;      /* variables that the caller changes between this stage and the next */
};

struct plan_config {
  gan_context *ctx;
  gan_graph *graph;
  int64_t n_stages;
  const struct plan_stage *stages;
  int32_t use_blas;                     /* products may go to CBLAS */
  int32_t frozen;                       /* variables never change between plan_refresh calls: pack them, fold what depends on them alone */
  int32_t optimize;                     /* 0: one call a node, nothing shared or fused (tests, debug) */
  int32_t debug;                        /* keep every node's value until the end of the run */
};

/* Passes over a copy: the graph is not changed. Everything is allocated here and in plan_bind. */
gan_status plan_create(const struct plan_config *config, struct plan **out);
void plan_free(struct plan *p);

int64_t plan_arena_bytes(const struct plan *p);     /* transient values and workspace; may be shared by plans that never run at once */
int64_t plan_kept_bytes(const struct plan *p);      /* inputs, root values, packed weights: the plan's own, allocated by plan_create */
int64_t plan_scratch_bytes(const struct plan *p, int32_t threads);
int64_t plan_flops(const struct plan *p);           /* of one run of all stages */
int64_t plan_calls(const struct plan *p);

/* Sets the memory that the plan runs in: 64-byte aligned; arena_bytes and scratch_bytes(threads) long. */
void plan_bind(struct plan *p, void *arena, void *scratch);

/* Memory of an input node (count elements of its type), written by the caller before a run; NULL if the plan does not read it. */
void *plan_input(struct plan *p, const gan_node *input);
/* Value of a root as of stage's last run; NULL if it is none. */
const float *plan_value(const struct plan *p, const gan_node *root);

/* Runs a stage. No allocation; with pool NULL or of one thread no lock and no system call. */
void plan_run(struct plan *p, int64_t stage, struct pool *pool, const struct environment *e);

/* Frozen plans: computes packed and folded values anew from the variables. plan_create did it once. Allocates nothing. */
void plan_refresh(struct plan *p);

/* debug: visits every computed node in order with its value (count floats). */
void plan_visit(const struct plan *p, int64_t stage, void (*visit)(void *user, const gan_node *n, const float *value), void *user);

/* The plan as text: one line a call with its nodes, chunks, memory. */
void plan_text(const struct plan *p, struct text *out);

#endif
