/* ccgan: the context-conditional GAN fills a hole anywhere. G sees the picture without the hole and the whole of it in a low
 * resolution; D judges whole pictures, of which only the hole is made, and on the way learns to name their kinds from few
 * labels. Denton et al. 2016. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "ccgan",
  .paper = "Denton, Gross and Fergus 2016, Semi-Supervised Learning with Context-Conditional Generative Adversarial Networks",
  .does = "Fills holes of 12x12 pixels at any place of held-out pictures, with the help of 7x7 pixels of the whole.\n"
          "Figures: mean error a pixel in the hole, beside those 7x7 pixels enlarged; D's accuracy in naming kinds, of\n"
          "which it saw 500 labels, beside chance. Picture: with holes, filled, as they were.",
  .steps = 1000,
};

enum { HOLE = 12, LABELS = 500 };

static const char generator[] =
  "input open 28x28x1\n"
  "input coarse 28x28x1\n"
  "concat from=open,coarse\n"
  "conv2d filters=16 kernel=4 stride=2 padding=1; leaky-relu slope=0.2 name=outer\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1; batch-norm; leaky-relu slope=0.2\n"
  "conv2d filters=32 kernel=3 padding=1; batch-norm; relu\n"
  "conv-transpose2d filters=16 kernel=4 stride=2 padding=1; batch-norm; relu name=inner\n"
  "concat from=inner,outer\n"
  "conv-transpose2d filters=1 kernel=4 stride=2 padding=1; tanh\n";

static const char discriminator[] =
  "input x 28x28x1\n"
  "conv2d filters=16 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "flatten; dropout rate=0.3; dense units=128; leaky-relu slope=0.2 name=features\n"
  "dense units=1 name=score from=features; output score score\n"
  "dense units=10 name=kind from=features; output kind kind\n";

enum { SCORE, KIND, OUTPUTS }; /* of D */

/* 1 at HOLE places in a row from a random one on, else 0: (n,SIDE). */
static gan_node *stretch(gan_graph *step, const char *name) {
  gan_node *first = gan_one_hot(gan_random(step, name, "integers low=0 high=17", 1, (int64_t[]){-1}), SIDE), *sum = first;
  for (int64_t i = 1; i < HOLE; i++) sum = gan_add(sum, gan_pad(gan_slice(first, 1, 0, SIDE - i), 1, i, 0));
  return sum;
}

/* 1 in a square hole at a random place of each picture, else 0: (n,SIDE,SIDE,1). */
static gan_node *holes(gan_graph *step) {
  gan_node *rows = gan_reshape(stretch(step, "rows"), 4, (int64_t[]){-1, SIDE, 1, 1});
  return gan_mul(rows, gan_reshape(stretch(step, "columns"), 4, (int64_t[]){-1, 1, SIDE, 1}));
}

/* What G is asked: the picture without its hole, and the whole of it in 7x7 pixels, enlarged. */
struct task { gan_node *truth, *hole, *open, *coarse; };

static struct task ask(gan_node *x) {
  gan_node *hole = holes(gan_node_graph(x)), *open = gan_mul(x, gan_shift(gan_neg(hole), 1));
  return (struct task){.truth = x, .hole = hole, .open = open, .coarse = gan_resize(coarse(x), SIDE, SIDE, "bilinear")};
}

static gan_node *fill(const struct task *t, gan_node *inside) {
  return gan_add(t->open, gan_mul(t->hole, inside));
}

static gan_node *error_in_hole(const struct task *t, gan_node *inside) {
  return gan_scale(gan_l1(gan_mul(t->hole, inside), gan_mul(t->hole, t->truth)), (double)SIDE * SIDE / (HOLE * HOLE));
}

void recipe_play(struct recipe *r) {
  gan_network *G = make_network(r, "G", generator), *D = make_network(r, "D", discriminator);
  gan_optimizer *g = make_optimizer(r, "g", "adam rate=1e-3 beta1=0.5", G);
  gan_optimizer *d = make_optimizer(r, "d", "adam rate=5e-4 beta1=0.5", D);
  gan_loss *loss = make_loss(r, "non-saturating");
  gan_data *few = clothes_few(r, LABELS);
  gan_node *of_known[OUTPUTS], *of_held[OUTPUTS];

  gan_graph *step = make_step(r, "train");
  struct task t = ask(gan_data_node(step, clothes(r), "image"));
  gan_node *filled = fill(&t, gan_apply2(G, t.open, t.coarse)), *known = gan_data_node(step, few, "image");
  gan_phase(step, "D");
  gan_network_apply(D, GAN_TRAINING, 1, &known, OUTPUTS, of_known);
  gan_node *told = gan_loss_discriminator(loss, gan_apply(D, t.truth), gan_apply(D, filled));
  gan_node *named = gan_cross_entropy(of_known[KIND], gan_data_node(step, few, "label"));
  gan_minimize(d, TOTAL({1, told}, {1, named}));
  gan_phase(step, "G");
  gan_node *fooled = gan_loss_generator(loss, NULL, gan_apply(D, filled));
  gan_minimize(g, TOTAL({0.02, fooled}, {1, gan_l1(filled, t.truth)}));

  gan_graph *test = make_step(r, "test");
  struct task u = ask(gan_data_node(test, held_out(r), "image"));
  gan_node *inside = gan_evaluate2(G, u.open, u.coarse);
  gan_network_apply(D, GAN_EVALUATION, 1, &u.truth, OUTPUTS, of_held);
  gan_output(error_in_hole(&u, inside), "filled");
  gan_output(error_in_hole(&u, u.coarse), "coarse");
  gan_output(share_right(of_held[KIND], gan_data_node(test, held_out(r), "label")), "right");
  show_rows(r, "test", NODES(u.open, fill(&u, inside), u.truth));

  train(r, "train", recipe_steps(r));
  figure_below(r, "l1-in-hole", measure(r, "test", "filled"), "7x7 enlarged", measure(r, "test", "coarse"));
  figure_above(r, "accuracy", measure(r, "test", "right"), "chance", 0.1);
}
