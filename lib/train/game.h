/* gan_game: what the files of a game share. A step is a graph, its plan, and for every phase what to check and to commit. */
#ifndef GAN_TRAIN_GAME_H
#define GAN_TRAIN_GAME_H

#include "train/data.h"
#include "train/optimizer.h"

/* One optimizer in one phase. */
struct game_update {
  gan_optimizer *optimizer;            /* kept by the graph */
  gan_node *loss;
  const float *loss_at;                /* its value */
  struct fused_adam *fused;            /* NULL: the rule is emitted as nodes, which read */
  gan_node *rate, *step;               /* these inputs, */
  float *rate_at, *step_at;            /* whose memory is here; NULL if the rule does not read it */
  double loss_value, norm, used_rate;  /* of the last run, for reports */
};

/* A step ahead: what it reads besides weights. */
struct game_look { const gan_optimizer *optimizer; gan_node *rate, *step; float *rate_at, *step_at; int64_t ahead; };

struct game_phase {
  const char *name;
  int64_t n_updates, n_states, n_looks;
  struct game_look *looks;
  struct game_update *updates;
  struct plan_assign *states;          /* due at the end of this phase, one a variable */
  const float **state_at;              /* their new values */
  int64_t first_stage, end_stage;      /* the first computes, the others commit */
};

/* An input of a step, as the user built it. */
struct game_input {
  gan_node *node;
  const struct binding *binding;
  void *memory;                        /* NULL: nothing reads it */
  int64_t classes;                     /* of labels; 0: not known */
  int32_t bound;                       /* BINDING_CALLER: a value came */
};

/* What a step asks of one data source. */
struct step_source {
  int32_t source;                      /* in the game */
  int64_t n_slots;                     /* when the step was prepared; the source may have got more since */
  void **slots;                        /* where each slot of the source goes; NULL: nobody reads it */
  gan_tensor **tensors;                /* callback sources: a tensor on the memory of each slot */
  void *spare;                         /* memory of the slots that nobody reads */
  size_t spare_bytes;
};

struct game_step {
  char *name;
  gan_graph *graph;
  struct plan *plan;                   /* NULL: not prepared */
  int32_t emitted;                     /* phases, inputs and stages are filled; they live in the graph */
  int32_t n_phases, n_sources;
  struct game_phase *phases;
  struct step_source *sources;
  struct game_input *inputs; int64_t n_inputs;
  struct plan_stage *stages; int64_t n_stages;
  int64_t runs;                        /* finished ones */
  int32_t phases_run;                  /* phases whose values are there */
};

struct game_source { gan_data *data; int64_t position; uint64_t stream; };

struct gan_game {
  atomic_int refs;
  atomic_int cancel;
  gan_context *ctx;
  int64_t batch, seed, steps;
  struct game_step *step_list; int64_t n_steps, cap_steps;
  struct game_source *sources; int64_t n_sources, cap_sources;
  int32_t prepared;
  void *arena, *scratch; int64_t arena_bytes, scratch_bytes;
  int64_t *indices;                    /* batch */
  double *partial; int64_t n_partial;  /* sums of squares of pieces of a gradient */
  gan_gradient_hook hook;
  void *hook_user;
  int32_t last_step, last_phase;       /* -1: none ran */
  char trouble[ERROR_TEXT];            /* what stopped the last step; empty: nothing */
};

gan_game *game_ref(gan_game *g);
struct game_step *game_find_step(gan_game *g, const char *name);       /* NULL after gan_fail */

/* game_emit.c: gradients, rules and averages as nodes; lists of phases. Once a step. */
gan_status step_emit(gan_game *g, struct game_step *s);
/* game_states.c: which state moves at the end of which phase; and what is computed before a commit may follow: the new state, or
 * the rows alone that are put into the variable. */
gan_status step_states(gan_graph *graph, struct game_phase *phases, int32_t n_phases);
int32_t state_is_rows(const struct plan_assign *a);
gan_node *state_computed(const struct plan_assign *a);
/* game_inputs.c: lists inputs and sources, before anything else is emitted; memory once there is a plan. */
gan_status step_inputs(gan_game *g, struct game_step *s);
gan_status step_connect(gan_game *g, struct game_step *s);
void step_disconnect(gan_game *g, struct game_step *s);
gan_status step_load(gan_game *g, struct game_step *s);                /* a batch of every source, labels checked */
void step_advance(gan_game *g, const struct game_step *s);             /* that batch is used up */
/* game_plan.c */
void game_unplan(gan_game *g);

/* game_step.c: one step; consumes nothing of the cancel flag. */
gan_status game_run_step(gan_game *g, struct game_step *s);
int32_t game_take_cancel(gan_game *g);                                 /* 1 if it was asked for; used up by that */

/* game_check.c: is what a phase computed finite? Fills loss values and norms. what: a sentence part that names the tensor. */
int32_t phase_is_finite(gan_game *g, struct game_phase *p, char *what, size_t size);
double game_sum_squares(gan_game *g, const float *x, int64_t n);
int64_t sum_pieces(int64_t n);

/* game_report.c */
void report_number(struct text *out, double x);                        /* with six digits */
/* game_debug.c: the first node of the stages up to `stage` that is not finite, with its inputs; "" if there is none. */
void step_first_bad(const struct game_step *s, int64_t stage, char *text, size_t size);
void step_describe_nodes(const struct game_step *s, int64_t stages, struct text *out);

/* game_plan.c: every optimizer of the game once, in a fixed order; NULL past the end. */
gan_optimizer *game_optimizer_at(const gan_game *g, int64_t index);

/* game_tensors.c: everything with values that a checkpoint holds, under unique names. */
struct game_tensor { char *name; struct variable *variable; int64_t first; /* element where it begins when all lie in a row */ };
struct game_tensors { gan_context *ctx; struct game_tensor *list; int64_t count, capacity, elements; };
gan_status game_tensors_list(const gan_game *g, struct game_tensors *out);   /* free also after failure */
void game_tensors_free(struct game_tensors *t);
uint64_t game_digest(const gan_game *g, const struct game_tensors *t);

/* game_state.c: positions, steps, rates and scalars as JSON. Reading checks first, and changes the game only if commit is 1. */
struct json;
void game_state_write(const gan_game *g, struct text *out);
gan_status game_state_read(gan_game *g, const struct json *state, int32_t commit);

enum { GAME_FORMAT = 1 };
const char *game_build(void);                                          /* version and compiler that made this library */

#endif
