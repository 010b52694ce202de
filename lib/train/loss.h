/* Losses and penalties: rows of losses.def and penalties.def, made from text. From what a game shows (gan_scene) a row emits what
 * one side minimises. */
#ifndef GAN_TRAIN_LOSS_H
#define GAN_TRAIN_LOSS_H

#include "train/train.h"

/* One side of one scene. */
struct loss_call {
  gan_loss *loss;
  const struct options *options;
  gan_graph *graph;
  const gan_scene *scene;
  int32_t side;                          /* GAN_SIDE_D, GAN_SIDE_G */
  gan_node *real, *fake;                 /* scores; NULL: the scene has none */
  gan_node *prediction, *target;         /* of gan_loss_pair(); prediction NULL: what rules of pairs compare is the scene's */
};

/* Of the shape of the scores, element by element. */
typedef gan_node *score_rule(const struct loss_call *c, gan_node *score);
/* One number. */
typedef gan_node *side_rule(const struct loss_call *c);

/* Either three rules on scores: what D minimises at a score of a real and of a generated sample, what G minimises; the mean and the
 * options of LOSS_SIDES come by themselves. Or a rule a side, which may call the former (scores_discriminator). */
struct loss_row {
  const char *name, *help;
  int32_t n_options;
  const struct option *options;
  int32_t probabilities;                 /* sigmoid(score) is the probability of "real" */
  int32_t energies;                      /* scores are low for real samples */
  score_rule *real, *fake, *fooling;
  side_rule *discriminator, *generator;
  side_rule *each;                       /* rows that compare a prediction with a target: numbers a sample or an element */
  /* From an output of D (of a real sample, or not) to scores; NULL: it is the scores. */
  gan_node *(*score)(const struct loss_call *c, gan_node *output, int32_t real);
  gan_status (*check)(gan_context *ctx, const struct options *o);   /* what the table of options cannot say; NULL: nothing */
  int32_t (*concerns)(const struct options *o, int32_t side);       /* NULL: every side that there is a rule for */
};

#define LOSS(name, test) extern const struct loss_row loss_##name;
#include "train/losses.def"
#undef LOSS
#define PENALTY(name, test) extern const struct loss_row penalty_##name;
#include "train/penalties.def"
#undef PENALTY

const struct loss_row *loss_row_at(int32_t index);         /* NULL past the end */
const struct loss_row *penalty_row_at(int32_t index);

struct loss_state { char *name; struct variable *variable; };

struct gan_loss {
  atomic_int refs;
  gan_context *ctx;
  const struct loss_row *row;            /* or custom */
  const struct registered *custom;
  int32_t is_penalty;
  struct options options;
  struct loss_state *states; int64_t n_states, cap_states;   /* made when they are first asked for */
};

const char *loss_name(const gan_loss *loss);

/* ------------------------------------------------------------------ loss_emit.c: from a scene to a number */

/* Has this side something to minimise? */
int32_t loss_concerns(const gan_loss *loss, int32_t side);
/* One number of a side that it concerns, or the error node. */
gan_node *loss_emit(gan_loss *loss, int32_t side, const gan_scene *scene);
/* The scores that the loss takes from the outputs of a scene, for reports. */
gan_node *loss_scores(gan_loss *loss, const gan_scene *scene, int32_t real);

/* ------------------------------------------------------------------ loss_scores.c: what rules on scores share */

/* What every row with rules on scores takes; the end of its table. */
#define LOSS_SIDES \
  {"smooth", OPTION_NUMBER, 0, 1, "0", "label smoothing: share of the other label at real samples (Salimans et al. 2016)"}, \
  {"smooth-fake", OPTION_NUMBER, 0, 1, "0", "the same at generated samples, for smoothing on both sides"}, \
  {"flip", OPTION_NUMBER, 0, 1, "0", "chance that D is told the other label of a sample"}, \
  {"real", OPTION_NUMBER, 0, 1e9, "1", "factor of the real samples in D's loss"}, \
  {"fake", OPTION_NUMBER, 0, 1e9, "1", "factor of the generated samples in D's loss"}

/* What every penalty takes; the beginning of its table. */
#define PENALTY_COMMON(weight) \
  {"weight", OPTION_NUMBER, 0, 1e9, weight, "factor of the penalty in the loss"}, \
  {"every", OPTION_INT, 1, 1e6, "1", \
   "the trainer takes it once in so many steps, and as many times as strong (lazy regularisation, Karras et al. 2020)"}

/* The factor of losses beside those of scores; what loss_weighted() takes. */
#define LOSS_WEIGHT(fallback) {"weight", OPTION_NUMBER, 0, 1e9, fallback, "factor in the loss, of both sides if it has two"}

gan_node *scores_discriminator(const struct loss_call *c);
gan_node *scores_generator(const struct loss_call *c);

/* A sample of weight w counts as w samples do, whatever the loss. Weights are (batch) or of x's shape, NULL: all alike.
 * Mean over all elements, each times its weight: */
gan_node *loss_mean(const struct loss_call *c, gan_node *x, gan_node *weights);
/* x times weights of mean 1: a mean of this is the mean of x, if samples count as they weigh. */
gan_node *loss_counted(const struct loss_call *c, gan_node *x, gan_node *weights);
/* Weights as they multiply x: one a sample repeats over the rest. */
gan_node *loss_weights(const struct loss_call *c, gan_node *weights, const gan_node *x);
/* Those of a side, (batch), for x of (batch, ..); NULL: all alike. */
gan_node *loss_sample_weights(const struct loss_call *c, int32_t real, const gan_node *x);
/* Of a real and a generated sample that are looked at together: the product; that of both, if they are the same node. */
gan_node *loss_pair_weights(const struct loss_call *c);

/* ------------------------------------------------------------------ loss_scene.c: what a rule asks the scene for */

/* What is missing comes as the error node, with a sentence. */
gan_node *scene_fail(const struct loss_call *c, const char *what);
gan_node *scene_real(const struct loss_call *c);                        /* samples */
gan_node *scene_fake(const struct loss_call *c);
/* The output of D that an option names; the option is empty: output number `index`. */
gan_node *scene_output(const struct loss_call *c, int32_t real, const char *option, int32_t index);
/* The node that the generator's input of the name in an option got; the option is empty: input number `index`. */
gan_node *scene_input(const struct loss_call *c, const char *option, int32_t index);
gan_node *scene_labels(const struct loss_call *c, int32_t real);
/* The network that an option names; the option is empty: the first. NULL: there is none. */
gan_network *scene_network(const struct loss_call *c, const char *option);
/* The first output of D at other samples, under the conditions of the real or of the generated ones. */
gan_node *scene_scores_at(const struct loss_call *c, int32_t real, gan_node *x);
/* What G makes of the scene's inputs, one of which is another node. */
gan_node *scene_generate(const struct loss_call *c, const gan_node *input, gan_node *instead);
/* x in the shape of D's first input. */
gan_node *scene_as_samples(const struct loss_call *c, gan_node *x);

/* ------------------------------------------------------------------ loss_state.c: values that move at the commit */

/* The present value of a state; made of `initial` at the first call. */
gan_node *loss_state(const struct loss_call *c, const char *name, int32_t rank, const int64_t *shape, double initial);
void loss_assign(const struct loss_call *c, const char *name, gan_node *value);
void loss_free_states(gan_loss *loss);

/* ------------------------------------------------------------------ loss_draws.c: random numbers, each call its own */

gan_node *loss_random(const struct loss_call *c, const char *what, const char *distribution, int32_t rank, const int64_t *shape);
/* One number a sample, uniform in [0, 1), of shape (batch, 1, 1, ..) to repeat over the rest. */
gan_node *loss_uniform_per_sample(const struct loss_call *c, const char *what, const gan_node *like);

/* ------------------------------------------------------------------ short words of the rules */

/* A table of options in a row. */
#define OPTIONS_OF(table) .n_options = (int32_t)(sizeof(table) / sizeof *(table)), .options = table

/* x times the option "weight". */
gan_node *loss_weighted(const struct loss_call *c, gan_node *x);

double loss_number(const struct loss_call *c, const char *option);
int32_t loss_flag(const struct loss_call *c, const char *option);

#endif
