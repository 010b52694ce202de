/* gan_optimizer: an update rule on a set of parameters. Gradient and slots are flat arrays with an alias a parameter. */
#ifndef GAN_TRAIN_OPTIMIZER_H
#define GAN_TRAIN_OPTIMIZER_H

#include "train/schedule.h"

/* What every rule takes; the end of each row's table. */
#define OPTIMIZER_COMMON(rate) \
  {"rate", OPTION_NUMBER, 0, 1e9, rate, "learning rate"}, \
  {"schedule", OPTION_TEXT, 0, 0, "constant", "factor of the rate over the steps: (cosine steps=10000 warmup=500)"}, \
  {"clip", OPTION_NUMBER, 0, 1e30, "0", "each element of the gradient is cut to +-clip; 0: none"}, \
  {"clip-norm", OPTION_NUMBER, 0, 1e30, "0", "the whole gradient is scaled down to this Euclidean norm; 0: none"}, \
  {"bound", OPTION_NUMBER, 0, 1e30, "0", "weights are cut to +-bound after the step (Arjovsky et al. 2017); 0: none"}, \
  {"accumulate", OPTION_INT, 1, 1e6, "1", "runs of a phase whose mean gradient makes one step"}

struct optimizer_parameter {
  struct variable *variable;                          /* kept */
  char *path;                                         /* "G/dense1/weight" */
  double rate, decay;                                 /* multipliers */
  int64_t first;                                      /* where it begins in the flat arrays */
  struct variable *gradient, *slot[OPTIMIZER_SLOTS];  /* its places there, made by optimizer_seal */
};

struct gan_optimizer {
  atomic_int refs;
  gan_context *ctx;
  char *name;
  const struct optimizer_row *row;
  struct options options;
  struct schedule schedule;
  double rate;                                        /* before the schedule */
  double clip, clip_norm, bound, decay;
  int64_t step;                                       /* commits so far */
  int64_t accumulate, pending;                        /* runs that make a step; those since the last one */
  struct variable *sum;                               /* of their gradients; NULL if every run makes a step */
  int32_t n_slots;                                    /* that these options use */
  struct optimizer_parameter *parameters; int64_t n_parameters, cap_parameters;
  gan_network **networks; int64_t n_networks, cap_networks;   /* kept, in the order they were added */
  int64_t count;                                      /* elements of all parameters */
  struct variable *gradient, *slot[OPTIMIZER_SLOTS];  /* flat; NULL before optimizer_seal */
  int32_t sealed;                                     /* in a prepared game: the set is closed */
};

gan_optimizer *optimizer_ref(gan_optimizer *o);

/* Closes the set and makes the flat arrays; again: nothing to do. */
gan_status optimizer_seal(gan_optimizer *o);

/* The rate of the next commit for parameters with the multiplier 1. */
double optimizer_next_rate(const gan_optimizer *o);
double optimizer_rate_at(const gan_optimizer *o, int64_t step);   /* when so many commits were done */

/* 1 if the kernel table's fused adam does what the row's rule and the common options ask for. */
int32_t optimizer_is_fused(const gan_optimizer *o);

/* Emits the rule for one parameter, with clip and bound; rate and step are input nodes of rank 0. */
void optimizer_emit(const gan_optimizer *o, const struct optimizer_parameter *p, gan_graph *g, gan_node *rate, gan_node *step,
                    struct optimizer_call *call);

/* The same from a weight, a gradient and slots that the call has. */
void optimizer_rule(const gan_optimizer *o, const struct optimizer_parameter *p, gan_graph *g, gan_node *rate, gan_node *step,
                    struct optimizer_call *call);
/* 1 if an optimizer can take a step down a loss in the present phase of its graph; else 0 after graph_fail. */
int32_t update_is_good(const char *who, const gan_optimizer *o, gan_node *loss);

/* One call for all parameters: pieces that fit a cache, each on its own thread. Lives in the graph of the step. */
struct fused_adam;
struct fused_adam *fused_adam_create(const gan_optimizer *o, gan_graph *g);            /* NULL after graph_fail */
void fused_adam_call(const struct fused_adam *f, struct call *call);
void fused_adam_scalars(struct fused_adam *f, const gan_optimizer *o);                 /* before each commit */

#endif
