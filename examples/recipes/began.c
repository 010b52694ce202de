/* began: D is an autoencoder, and what it takes for real is what it reproduces well. A weight k holds the ratio of its errors on
 * made and real pictures at gamma, so that neither network wins; at 1 there is most variety. The pull-away term keeps what a minute
 * of training makes from being of few kinds. Berthelot, Schumm and Metz 2017. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "began",
  .paper = "Berthelot, Schumm and Metz 2017, BEGAN: Boundary Equilibrium Generative Adversarial Networks",
  .does = "Generates clothes against an autoencoder, in balance. Figures: how far made pictures are from real ones in a\n"
          "classifier's features, beside real ones blurred by 5x5 pixels; how many of the ten kinds were made.",
  .steps = 3000,
};

#define DECODER \
  "dense units=1568; reshape shape=7x7x32; batch-norm; relu\n" \
  "conv-transpose2d filters=16 kernel=4 stride=2 padding=1; batch-norm; relu\n" \
  "conv-transpose2d filters=1 kernel=4 stride=2 padding=1; tanh\n"

static const char generator[] = "input z 64 noise=normal\n" DECODER;

static const char discriminator[] =
  "input x 28x28x1\n"
  "conv2d filters=16 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "flatten; dense units=64 name=code\n"
  "dense units=1568; reshape shape=7x7x32; elu\n"
  "conv-transpose2d filters=16 kernel=4 stride=2 padding=1; relu\n"
  "conv-transpose2d filters=1 kernel=4 stride=2 padding=1; tanh name=copy\n"
  "output copy copy; output code code\n";

enum { COPY, CODE, OUTPUTS }; /* of D */

void recipe_play(struct recipe *r) {
  gan_network *G = make_network(r, "G", generator), *D = make_network(r, "D", discriminator);
  gan_network *judge = make_classifier(r);
  gan_optimizer *g = make_optimizer(r, "g", "adam rate=5e-4 beta1=0.5", G);
  gan_optimizer *d = make_optimizer(r, "d", "adam rate=5e-4 beta1=0.5", D);
  gan_loss *loss = make_loss(r, "began gamma=1 rate=0.05");
  gan_node *of_made[OUTPUTS];

  gan_graph *step = make_step(r, "train");
  gan_node *x = gan_data_node(step, clothes(r), "image"), *made = gan_apply(G, gan_noise(step, G, "z"));
  gan_phase(step, "D");
  gan_node *real = gan_l1(gan_apply(D, x), x), *fake = gan_l1(gan_apply(D, made), made); /* energies */
  gan_minimize(d, gan_loss_discriminator(loss, real, fake));
  gan_phase(step, "G");
  gan_network_apply(D, GAN_TRAINING, 1, &made, OUTPUTS, of_made);
  gan_node *fooled = gan_loss_generator(loss, NULL, gan_l1(of_made[COPY], made));
  gan_minimize(g, TOTAL({1, fooled}, {0.5, gan_pull_away(of_made[CODE])}));

  gan_graph *test = make_step(r, "test");
  gan_node *held = gan_data_node(test, held_out(r), "image"), *samples = gan_evaluate(G, gan_noise(test, G, "z"));
  compare(judge, held, samples, "made");
  compare(judge, held, blurred(held), "blurred");
  show_samples(r, G);

  train(r, "train", recipe_steps(r));
  figure_below(r, "distance", distance(r, "test", "made"), "blurred", distance(r, "test", "blurred"));
  figure_above(r, "kinds", kinds(r, "test", "made"), "one kind", 1);
}
