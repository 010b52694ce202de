/* What all recipes share: a context, Fashion-MNIST, a game, a progress line, a picture and a figure. Nothing here knows a method.
 *
 * A recipe is one file that defines `recipe_card` and `recipe_play`. It makes networks, adds steps to the game, trains, and ends in
 * figures. What fails says why and ends the program, so that recipes need not look at statuses; what is made here is freed
 * by main. */
#ifndef RECIPE_H
#define RECIPE_H

#include <gan.h>

struct recipe;

struct recipe_card {
  const char *name, *paper; /* "Mirza and Osindero 2014, Conditional Generative Adversarial Nets" */
  const char *does;         /* what it does here, a few lines of the help */
  int64_t steps, batch;     /* --steps changes the steps; batch 0: 64 */
};

extern const struct recipe_card recipe_card;
void recipe_play(struct recipe *r);

enum { SIDE = 28, KINDS = 10 }; /* of the pictures: (SIDE,SIDE,1), -1 .. 1; KINDS kinds of clothes */

/* ------------------------------------------------------------------------------------------------- what there is */

gan_context *recipe_context(const struct recipe *r);
gan_game *recipe_game(const struct recipe *r);
int64_t recipe_steps(const struct recipe *r);

/* Sources with the slots "image" and "label": the 60000 pictures to train with; the 10000 that are held out; half 0 or 1 of the
 * former, for domains that are not paired; its first few. Each has an order of its own. */
gan_data *clothes(struct recipe *r);
gan_data *held_out(struct recipe *r);
gan_data *clothes_half(struct recipe *r, int half);
gan_data *clothes_few(struct recipe *r, int64_t count);

/* ------------------------------------------------------------------------------------------------- what is made */

gan_network *make_network(struct recipe *r, const char *name, const char *lines); /* lines as for gan_network_build */
gan_optimizer *make_optimizer(struct recipe *r, const char *name, const char *text, gan_network *network);
gan_loss *make_loss(struct recipe *r, const char *text);
gan_graph *make_step(struct recipe *r, const char *name); /* a step of the game; all of them before the first is run */

gan_optimizer *make_optimizer_of(struct recipe *r, const char *name, const char *text, int32_t count,
                                 gan_network *const *networks);
void optimize_too(struct recipe *r, gan_optimizer *optimizer, gan_network *network, const char *pattern); /* pattern NULL: all */

/* How many, and which, where a function takes both: gan_concat(NODES(a, b), 0). */
#define LIST(type, ...) (int32_t)(sizeof((type[]){__VA_ARGS__}) / sizeof(type)), (type[]){__VA_ARGS__}
#define NODES(...) LIST(gan_node *, __VA_ARGS__)
#define NETWORKS(...) LIST(gan_network *, __VA_ARGS__)

/* A loss as papers write it: TOTAL({1, adversarial}, {10, cycle}). */
#define TOTAL(...) gan_total(LIST(gan_term, __VA_ARGS__))

/* ------------------------------------------------------------------------------------------- training, measuring */

void train(struct recipe *r, const char *step, int64_t count); /* with the progress line */
void train_in_turn(struct recipe *r, const char *first, int64_t times, const char *then, int64_t count); /* times, then once */

/* The mean of an output of one number over some runs of a step, after the training. */
double measure(struct recipe *r, const char *step, const char *output);
void measure_each(struct recipe *r, const char *step, const char *output, int64_t count, double *means); /* of count numbers */

/* The result: "cgan accuracy=0.931 (above chance 0.100)", with "not above" where it is missed. */
void figure_above(struct recipe *r, const char *what, double value, const char *reference, double reference_value);
void figure_below(struct recipe *r, const char *what, double value, const char *reference, double reference_value);

/* The picture at the end. Each node that is shown is a row: the first samples of (n,h,w,1 or 3) in one run of its step, -1 black, 1
 * white. Or a grid of a generator's samples, whose labels count along the columns. */
void show(struct recipe *r, const char *step, gan_node *samples);
void show_rows(struct recipe *r, const char *step, int32_t count, gan_node *const *rows);
void show_samples(struct recipe *r, gan_network *generator);

/* ---------------------------------------------------------------------------------------------- judges, domains */

/* A classifier of the pictures, input "x", trained here in seconds; about 0.88 right on what is held out. Outputs: 10 logits and
 * 128 features. */
gan_network *make_classifier(struct recipe *r);

/* Looks at made pictures beside real ones (n,28,28,1), as outputs of their step under a name. distance: how far apart they are
 * in the classifier's features, the Frechet distance of Gaussians with these means and variances (after Heusel et al. 2017,
 * without covariances); 0: alike. kinds: how many kinds of clothes were made, e to the entropy of their shares, 1 to 10. */
void compare(gan_network *classifier, gan_node *real, gan_node *made, const char *name);
double distance(struct recipe *r, const char *step, const char *name);
double kinds(struct recipe *r, const char *step, const char *name);

gan_node *share_right(gan_node *logits, gan_node *labels); /* (n,classes), (n) -> one number */
gan_node *share_same(gan_node *a, gan_node *b);            /* how often two (n) of i32 agree */

/* Two of KINDS values each, (n) and (n), i32: the shares of their pairs, (KINDS,KINDS); and how often the second is guessed right
 * that knows the first, or nothing, given the shares' means. */
gan_node *joint_shares(gan_node *a, gan_node *b);
double guessed(const double *joint);
double guessed_blindly(const double *joint);

/* How far pictures are from the truth of their neighbours in the batch: what it would look like if all were mixed up. */
gan_node *l1_of_others(gan_node *pictures, gan_node *truth);

/* Small networks for recipes that are about how they are trained: "z" 64 to (28,28,1); from there to a score, and the same with
 * batch norm, as DCGAN's D has it (Radford et al. 2016), for losses that leave D without a hold; from there to a Gaussian code of
 * 64, its mean and the logarithm of its variance. */
extern const char plain_generator[], plain_discriminator[], normed_discriminator[], plain_encoder[];
extern const char labelled_generator[]; /* "z" 64 and "label" to (28,28,1) */

/* A step "test" that compares what a generator makes of its noise "z" with pictures that are held out, and, for reference,
 * blurred ones of the training; the figure of both distances. */
gan_graph *make_test(struct recipe *r, gan_network *classifier, gan_network *generator);
void figure_distance(struct recipe *r);

/* Other looks of the same pictures, (n,h,w,1) -> (n,h,w,1 or 3), all within -1 .. 1. */
gan_node *edges(gan_node *pictures);                     /* 1 where the brightness changes, else -1 */
gan_node *sharpness(gan_node *pictures);                 /* one number: how far neighbours differ in the mean */
gan_node *blurred(gan_node *pictures);                   /* means over 5x5 pixels */
gan_node *mean_of(gan_node *pictures);                   /* that of the batch, as often */
gan_node *coarse(gan_node *pictures);                    /* a fourth of height and width: means over 4x4 pixels */
gan_node *psnr(gan_node *pictures, gan_node *truth);     /* one number, dB */
gan_node *coloured(gan_node *pictures, gan_node *color); /* color (n,3): red, green, blue, each 0 .. 1 */
gan_node *tinted(gan_node *pictures, double red, double green, double blue); /* all in one */

#endif
