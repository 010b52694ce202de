/* context-encoder: fills the hole in the middle of a picture from what lies around it. The encoder sees the picture without its
 * middle and gives the middle alone; squared errors say what to expect, D, which judges middles, that it has to look like one.
 * Pathak et al. 2016. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "context-encoder",
  .paper = "Pathak et al. 2016, Context Encoders: Feature Learning by Inpainting",
  .does = "Fills a hole of 12x12 pixels in the middle of held-out pictures. Figure: the mean error a pixel in the hole,\n"
          "beside a filling by the mean of such middles. Picture: with the hole, filled, as it was.",
  .steps = 1000,
};

enum { HOLE = 12, BORDER = (SIDE - HOLE) / 2 };

static const char encoder[] =
  "input x 28x28x1\n"
  "conv2d filters=16 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1; batch-norm; leaky-relu slope=0.2\n"
  "flatten; dense units=128; relu\n"
  "dense units=288; reshape shape=3x3x32; batch-norm; relu\n"
  "conv-transpose2d filters=32 kernel=4 stride=2 padding=1; batch-norm; relu\n"
  "conv-transpose2d filters=1 kernel=4 stride=2 padding=1; tanh\n";

static const char discriminator[] =
  "input x 12x12x1\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "conv2d filters=64 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "flatten; dense units=1\n";

static gan_node *middle(gan_node *x) {
  return gan_slice(gan_slice(x, 1, BORDER, SIDE - BORDER), 2, BORDER, SIDE - BORDER);
}

/* In the place of the middle of a picture. */
static gan_node *around(gan_node *patch) {
  return gan_pad_image(patch, "zero", "8");
}

static gan_node *without_middle(gan_node *x) {
  return gan_sub(x, around(middle(x)));
}

void recipe_play(struct recipe *r) {
  gan_network *G = make_network(r, "G", encoder), *D = make_network(r, "D", discriminator);
  gan_optimizer *g = make_optimizer(r, "g", "adam rate=1e-3 beta1=0.5", G);
  gan_optimizer *d = make_optimizer(r, "d", "adam rate=2e-4 beta1=0.5", D);
  gan_loss *loss = make_loss(r, "non-saturating");

  gan_graph *step = make_step(r, "train");
  gan_node *x = gan_data_node(step, clothes(r), "image"), *truth = middle(x), *filled = gan_apply(G, without_middle(x));
  gan_phase(step, "D");
  gan_minimize(d, gan_loss_discriminator(loss, gan_apply(D, truth), gan_apply(D, filled)));
  gan_phase(step, "G");
  gan_node *fooled = gan_loss_generator(loss, NULL, gan_apply(D, filled));
  gan_minimize(g, TOTAL({0.999, gan_l2(filled, truth)}, {0.001, fooled})); /* the paper's weights */

  gan_graph *test = make_step(r, "test");
  gan_node *held = gan_data_node(test, held_out(r), "image"), *open = without_middle(held), *inside = gan_evaluate(G, open);
  gan_node *mean = mean_of(middle(gan_data_node(test, clothes(r), "image")));
  gan_output(gan_l1(inside, middle(held)), "filled");
  gan_output(gan_l1(mean, middle(held)), "mean middle");
  show_rows(r, "test", NODES(open, gan_add(open, around(inside)), held));

  train(r, "train", recipe_steps(r));
  figure_below(r, "l1-in-hole", measure(r, "test", "filled"), "mean of middles", measure(r, "test", "mean middle"));
}
