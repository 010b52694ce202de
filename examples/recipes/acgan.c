/* acgan: a discriminator that also names the kind. Each sample is told real from made and its kind from the other nine; G has to
 * please in both. Odena, Olah and Shlens 2017. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "acgan",
  .paper = "Odena, Olah and Shlens 2017, Conditional Image Synthesis With Auxiliary Classifier GANs",
  .does = "Generates clothes of a given kind; D names kinds. Figures: how often another classifier agrees with the kind\n"
          "that was asked for, and how often D is right about pictures that were held out.",
  .steps = 2500,
};

static const char discriminator[] =
  "input x 28x28x1\n"
  "conv2d filters=16 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "flatten; dense units=128; leaky-relu slope=0.2 name=features\n"
  "dense units=1 name=score from=features; output score score\n"
  "dense units=10 name=kind from=features; output kind kind\n";

enum { SOURCE, KIND, OUTPUTS }; /* of D: S and C of the paper */

void recipe_play(struct recipe *r) {
  gan_network *G = make_network(r, "G", labelled_generator), *D = make_network(r, "D", discriminator);
  gan_network *judge = make_classifier(r);
  gan_optimizer *g = make_optimizer(r, "g", "adam rate=5e-4 beta1=0.5", G);
  gan_optimizer *d = make_optimizer(r, "d", "adam rate=5e-4 beta1=0.5", D);
  gan_loss *loss = make_loss(r, "non-saturating");
  gan_node *of_x[OUTPUTS], *of_made[OUTPUTS], *of_held[OUTPUTS];

  gan_graph *step = make_step(r, "train");
  gan_node *x = gan_data_node(step, clothes(r), "image"), *label = gan_data_node(step, clothes(r), "label");
  gan_node *asked = gan_noise(step, G, "label"), *made = gan_apply2(G, gan_noise(step, G, "z"), asked);
  gan_phase(step, "D");
  gan_network_apply(D, GAN_TRAINING, 1, &x, OUTPUTS, of_x);
  gan_network_apply(D, GAN_TRAINING, 1, &made, OUTPUTS, of_made);
  gan_node *told = gan_loss_discriminator(loss, of_x[SOURCE], of_made[SOURCE]);
  gan_node *named = gan_cross_entropy(of_x[KIND], label), *named_made = gan_cross_entropy(of_made[KIND], asked);
  gan_minimize(d, TOTAL({1, told}, {1, named}, {1, named_made}));
  gan_phase(step, "G");
  gan_network_apply(D, GAN_TRAINING, 1, &made, OUTPUTS, of_made);
  gan_node *fooled = gan_loss_generator(loss, NULL, of_made[SOURCE]);
  gan_minimize(g, TOTAL({1, fooled}, {1, gan_cross_entropy(of_made[KIND], asked)}));

  gan_graph *test = make_step(r, "test");
  gan_node *held = gan_data_node(test, held_out(r), "image");
  gan_node *wanted = gan_noise(test, G, "label"), *samples = gan_evaluate2(G, gan_noise(test, G, "z"), wanted);
  gan_output(share_right(gan_evaluate(judge, samples), wanted), "right");
  gan_network_apply(D, GAN_EVALUATION, 1, &held, OUTPUTS, of_held);
  gan_output(share_right(of_held[KIND], gan_data_node(test, held_out(r), "label")), "named");
  show_samples(r, G);

  train(r, "train", recipe_steps(r));
  figure_above(r, "accuracy", measure(r, "test", "right"), "chance", 0.1);
  figure_above(r, "accuracy-of-d", measure(r, "test", "named"), "chance", 0.1);
}
