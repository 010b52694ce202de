/* stargan: one generator for all directions. It is told the colour to turn a picture into; D says whether it is real and which
 * colour it has; back in its own colour the picture has to be as it was. Choi et al. 2018. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "stargan",
  .paper = "Choi et al. 2018, StarGAN: Unified Generative Adversarial Networks for Multi-Domain Image-to-Image Translation",
  .does = "Turns red, green and blue clothes into each other by one generator. Rows: clothes, turned, true in that colour.\n"
          "Figure: L1 distance to the true picture in the colour that was asked for, beside that of the picture as it is.",
  .steps = 1000, .batch = 32,
};

static const char generator[] =
  "input x 28x28x3\n"
  "input color classes=3\n"
  "one-hot classes=3 from=color; reshape shape=1x1x3; resize size=28 name=map\n"
  "concat from=x,map; conv2d filters=16 kernel=3 padding=1; instance-norm affine=yes; relu\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1; instance-norm affine=yes; relu\n"
  "conv2d filters=32 kernel=3 padding=1; instance-norm affine=yes; relu\n"
  "conv-transpose2d filters=16 kernel=4 stride=2 padding=1; instance-norm affine=yes; relu\n"
  "conv2d filters=3 kernel=3 padding=1; tanh\n";

static const char discriminator[] =
  "input x 28x28x3\n"
  "conv2d filters=16 kernel=4 stride=2 padding=1; leaky-relu slope=0.01\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1; leaky-relu slope=0.01 name=features\n"
  "conv2d filters=1 kernel=3 padding=1 from=features name=score; output score score\n"
  "flatten from=features; dense units=3 name=color; output color color\n";

enum { SCORE, COLOR, OUTPUTS }; /* of D */

/* A picture in red, green or blue: its own channel whole, the others a fourth. */
static gan_node *painted(gan_node *pictures, gan_node *color) {
  return coloured(pictures, gan_shift(gan_scale(gan_one_hot(color, 3), 0.75), 0.25));
}

void recipe_play(struct recipe *r) {
  gan_network *G = make_network(r, "G", generator), *D = make_network(r, "D", discriminator);
  gan_optimizer *g = make_optimizer(r, "g", "adam rate=1e-3 beta1=0.5", G);
  gan_optimizer *d = make_optimizer(r, "d", "adam rate=1e-3 beta1=0.5", D);
  gan_loss *loss = make_loss(r, "wasserstein"), *penalty = make_loss(r, "wgan-gp weight=10");
  gan_node *of_x[OUTPUTS], *of_made[OUTPUTS];

  gan_graph *step = make_step(r, "train");
  gan_node *own = gan_noise(step, G, "color"), *asked = gan_random_like(own, "asked", "integers low=0 high=3");
  gan_node *x = painted(gan_data_node(step, clothes(r), "image"), own), *made = gan_apply2(G, x, asked);
  gan_phase(step, "D");
  gan_network_apply(D, GAN_TRAINING, 1, &x, OUTPUTS, of_x);
  gan_node *told = gan_loss_discriminator(loss, of_x[SCORE], gan_apply(D, made));
  gan_node *steep = gan_loss_penalty(penalty, D, x, made, 0, NULL);
  gan_minimize(d, TOTAL({1, told}, {1, steep}, {1, gan_cross_entropy(of_x[COLOR], own)}));
  gan_phase(step, "G");
  gan_network_apply(D, GAN_TRAINING, 1, &made, OUTPUTS, of_made);
  gan_node *fooled = gan_loss_generator(loss, NULL, of_made[SCORE]), *named = gan_cross_entropy(of_made[COLOR], asked);
  gan_minimize(g, TOTAL({1, fooled}, {1, named}, {10, gan_l1(gan_apply2(G, made, own), x)}));

  gan_graph *test = make_step(r, "test");
  gan_node *held = gan_data_node(test, held_out(r), "image"), *is = gan_noise(test, G, "color");
  gan_node *wanted = gan_random_like(is, "wanted", "integers low=0 high=3");
  gan_node *seen = painted(held, is), *truth = painted(held, wanted), *turned = gan_evaluate2(G, seen, wanted);
  gan_output(gan_l1(turned, truth), "turned");
  gan_output(gan_l1(seen, truth), "identity");
  show_rows(r, "test", NODES(seen, turned, truth));

  train(r, "train", recipe_steps(r));
  figure_below(r, "l1", measure(r, "test", "turned"), "identity", measure(r, "test", "identity"));
}
