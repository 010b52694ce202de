/* Inside of the plan floor: what the passes hand on to each other.
 *
 * Nodes become *values* (schedule.c): a node as one stage computes or reads it. Values are simplified (simplify.c, matrices.c,
 * freeze.c), put in order (order.c), told where their elements lie (access.c), and gathered into *units*, each of which is one
 * product, one elementwise chain, or one other node (units.c, products.c, fuse.c, sums.c). Units read and write *buffers*. Lowering
 * (lower.c, program.c) gives a unit its kernel calls, wants.c ties roots and assignments to memory, waves.c gives units their time,
 * again.c runs some twice rather than to keep what they made, memory.c gives buffers their places. What is left for a run is a flat
 * list of calls (run.c).
 */
#ifndef GAN_PLAN_BUILD_H
#define GAN_PLAN_BUILD_H

#include "plan/plan.h"

/* Stage i of the caller is stage i + 1 here. Before them all lies what is computed once: values of constants, and of variables in
 * a frozen plan. */
enum { PROLOGUE = 0 };

struct unit;

/* ------------------------------------------------------------------ buffers */

enum region {
  REGION_ARENA,         /* reused as soon as its content is dead */
  REGION_KEPT,          /* the plan's own */
  REGION_FIXED,         /* somebody else's: a variable, a constant tensor, a target */
};

struct buffer {
  struct buffer *next;  /* of all buffers, in order of creation */
  int32_t region;
  int32_t first, last;  /* the waves between which its content lives */
  int64_t number;       /* in order of creation */
  int64_t bytes, offset;
  char *fixed;
  struct unit *writer;  /* NULL: content comes from outside */
  const struct unit *last_reader;   /* in wave `last`; NULL: several */
  struct buffer *host;  /* lies in this one's memory: its writer works in place */
  int32_t apart;        /* never in place: it is not written as its writer's inputs are read */
};

/* ------------------------------------------------------------------ values */

struct reader { struct reader *next; struct value *value; };

/* One node as one stage computes it, or a leaf as it stands during some stages. The node is the plan's own copy: its inputs are
 * other values' nodes, its id is the value's place in plan.values. */
struct value {
  gan_node node;              /* first, so that a node leads back to its value */
  const gan_node *origin;     /* of the caller's graph; NULL: made by a pass */
  struct value *next_equal;   /* of those with the same hash */
  struct value *activated;    /* max(0, this) or max(slope this, this) */
  int32_t stage;
  int32_t version;            /* variables: changes so far */
  int32_t fixed;              /* depends on nothing that changes between refreshes */
  int32_t wanted;             /* a root or an assigned value */
  int32_t made;               /* an access whose elements are laid out, because somebody cannot read through it */
  int32_t inlined;            /* computed anew by every chain that reads it */
  int32_t mark;

  /* Where a reader that can follow steps finds the elements; a computed value or a leaf is its own base. */
  struct value *base;
  int64_t stride[GAN_MAX_RANK];

  struct reader *readers;     /* computed values that read this one's elements */
  struct unit *unit;          /* that computes it */
  struct buffer *buffer;      /* NULL: never stored */

  struct value *summand;      /* of a sum: the value whose chain makes it, but for adding up rows of sums */
  int64_t sum_columns;        /* of such a summand: the length of a row; 0: of others */
  int64_t sum_rows;
  struct buffer *sums;
};

static inline struct value *value_of(const gan_node *n) { return (struct value *)n; }
static inline struct value *value_in(const struct value *v, int32_t i) { return value_of(v->node.in[i]); }
static inline int32_t value_has(const struct value *v, uint32_t flags) { return (v->node.op->flags & flags) != 0; }

/* Neither leaf nor view nor an access that is only read through: a kernel writes it. */
static inline int32_t value_computed(const struct value *v) {
  if (value_has(v, OP_LEAF)) return v->node.op == &op_random;
  return !value_has(v, OP_VIEW) && (!value_has(v, OP_ACCESS) || v->made);
}

/* An instruction of a chain can make it. */
static inline int32_t value_chained(const struct value *v) { return value_has(v, OP_ELEMENTWISE | OP_ACCESS); }

/* A root, or an assignment if variable is set. */
struct want {
  struct want *next;
  int32_t stage;
  const gan_node *origin;
  struct value *value;
  float *target;
  struct variable *variable;
  struct buffer *buffer;      /* where plan_value finds a root */
};

/* ------------------------------------------------------------------ units */

enum unit_kind { UNIT_NODE, UNIT_CHAIN, UNIT_PRODUCT, UNIT_PACK, UNIT_COPY, UNIT_CUSTOM };

struct before { struct before *next; struct unit *unit; };

struct unit {
  struct unit *next;          /* of all units, in order of creation */
  int32_t kind, stage;
  int32_t ready;              /* the earliest wave, counted within the stage */
  int32_t wave;               /* the first wave, counted over the plan */
  int32_t mark;
  struct value **members;     /* inputs before readers; of a product: product, sum with the bias, activation */
  int32_t n_members, cap_members;
  struct before *before;      /* units that must come first though nothing is read from them: they read what is overwritten here */

  int32_t n_in, n_out;
  struct buffer *in[CALL_INPUTS], *out[CALL_OUTPUTS];
  int32_t assigns;            /* a copy into a variable */
  uint32_t may_replace;       /* bit per input: an output of the same size may take its memory */
  struct buffer *shared;
  int32_t n_calls;
  struct call *calls;
};

/* ------------------------------------------------------------------ the plan */

struct plan_block;

/* Calls that run together between two barriers, or one after the other on one worker. */
struct step { int64_t first, count, chunks; int32_t alone; };

struct stage { char *name; int64_t first_step, n_steps; int32_t first_wave, n_waves; };

struct plan {
  gan_context *ctx;
  gan_graph *graph;
  const struct kernels *kernels;
  int32_t use_blas, frozen, optimize, debug;
  struct plan_block *blocks;

  struct value **values;
  int64_t n_values, cap_values;
  struct want *wants, **last_want;
  struct unit *units, **last_unit;
  struct buffer *buffers, **last_buffer;

  /* In the order of running: calls, the units that they belong to, chunks of their step up to and including them. */
  int64_t n_calls;
  struct call *calls;
  struct unit **owners;
  int64_t *chunk_ends;
  struct step *steps;
  int64_t n_steps, n_stages;                         /* stages: with the prologue */
  struct stage *stages;

  char *kept, *arena, *scratch;
  int64_t kept_bytes, arena_bytes, scratch_bytes;    /* scratch: of one worker */
  int64_t prologue_scratch;                          /* where it starts in kept */
  int64_t last_stage;                                /* that ran */
  struct pool *pool;                                 /* of the present run */
  _Alignas(64) atomic_llong taken[2];                /* chunks of the present step and of the next */
};

/* ------------------------------------------------------------------ things (store.c) */

void *plan_alloc(struct plan *p, int64_t count, int64_t size);  /* zeroed, freed with the plan */
void plan_release_blocks(struct plan *p);
/* A copy of a node (which may be another value's) with room for its inputs, which are not set. */
struct value *plan_value_new(struct plan *p, const gan_node *like);
/* One of a pass: an op on other values, of the shape, stage and constancy of `like`; and v made another op of the same shape. */
struct value *value_make(struct plan *p, const struct op *op, const struct value *like, int32_t n_in, struct value *const *in);
gan_status value_become(struct plan *p, struct value *v, const struct op *op, struct value *const *in);
struct unit *plan_unit_new(struct plan *p, int32_t kind, int32_t stage);
gan_status unit_add_member(struct plan *p, struct unit *u, struct value *v);
gan_status unit_add_before(struct plan *p, struct unit *u, struct unit *before);
struct buffer *plan_buffer_new(struct plan *p, int32_t region, int64_t bytes);

/* ------------------------------------------------------------------ where elements lie (access.c) */

struct operand { struct value *base; int64_t stride[GAN_MAX_RANK]; };

/* The value whose elements these are, in the same order: looks through views alone. */
struct value *value_dense(struct value *v);
/* Input i as a chained value finds it: steps along its own axes. */
struct operand value_operand(const struct plan *p, const struct value *v, int32_t i);
int32_t operand_is_dense(const struct operand *o, const struct value *reader);
/* Value whose elements the computed value v reads through input i. */
struct value *value_source(const struct plan *p, const struct value *v, int32_t i);
int32_t value_inputs(const struct value *v);

/* ------------------------------------------------------------------ units and their calls */

int32_t chain_fits(const struct plan *p, const struct unit *a, const struct unit *b);   /* both together make one chain */
gan_status plan_make_products(struct plan *p);
gan_status plan_fuse(struct plan *p);
gan_status plan_sum_in_chains(struct plan *p);
gan_status unit_lower_copy(struct plan *p, struct unit *u, struct value *from, struct buffer *to);
gan_status unit_lower_product(struct plan *p, struct unit *u);
gan_status unit_share_workspace(struct plan *p, struct unit *u);   /* that its calls ask for */
gan_status value_need_buffer(struct plan *p, struct value *v);

/* ------------------------------------------------------------------ passes, in this order */

gan_status plan_schedule(struct plan *p, const struct plan_config *config);
gan_status plan_simplify(struct plan *p);
gan_status value_as_matrices(struct plan *p, struct value *v);   /* a part of it: convolutions that are no more than products */
gan_status plan_freeze(struct plan *p);             /* frozen plans: what scales and shifts products, into their weights */
gan_status plan_sort(struct plan *p);               /* drops what nobody needs; inputs before readers */
gan_status plan_access(struct plan *p);             /* bases and steps; readers */
gan_status plan_make_units(struct plan *p);         /* products, fused chains, other nodes */
gan_status plan_lower(struct plan *p);              /* calls */
gan_status plan_settle(struct plan *p, const struct plan_config *config);   /* roots, assignments, customs */
gan_status plan_make_waves(struct plan *p);
gan_status plan_compute_again(struct plan *p);      /* a part of it: large values that need not be kept where memory is fullest */
void plan_find_lifetimes(struct plan *p);           /* of buffers, in waves */
gan_status plan_place(struct plan *p);

#endif
