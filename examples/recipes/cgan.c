/* cgan: clothes of a given kind. Both networks are told the label; what G makes of a label has to look like it to a classifier
 * that learnt from real pictures. Mirza and Osindero 2014. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "cgan",
  .paper = "Mirza and Osindero 2014, Conditional Generative Adversarial Nets",
  .does = "Generates clothes of a given kind. Figure: how often a classifier agrees with the kind that was asked for.",
  .steps = 2500,
};

static const char discriminator[] =
  "input x 28x28x1\n"
  "input label classes=10\n"
  "conv2d filters=16 kernel=4 stride=2 padding=1 from=x; leaky-relu slope=0.2\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "flatten name=features\n"
  "embedding classes=10 width=64 name=kind from=label\n"
  "concat from=features,kind\n"
  "dense units=128; leaky-relu slope=0.2; dense units=1\n";

void recipe_play(struct recipe *r) {
  gan_network *G = make_network(r, "G", labelled_generator), *D = make_network(r, "D", discriminator);
  gan_network *judge = make_classifier(r);
  gan_optimizer *g = make_optimizer(r, "g", "adam rate=5e-4 beta1=0.5", G);
  gan_optimizer *d = make_optimizer(r, "d", "adam rate=5e-4 beta1=0.5", D);
  gan_loss *loss = make_loss(r, "non-saturating");

  gan_graph *step = make_step(r, "train");
  gan_node *x = gan_data_node(step, clothes(r), "image"), *label = gan_data_node(step, clothes(r), "label");
  gan_node *made = gan_apply2(G, gan_noise(step, G, "z"), label);
  gan_phase(step, "D");
  gan_minimize(d, gan_loss_discriminator(loss, gan_apply2(D, x, label), gan_apply2(D, made, label)));
  gan_phase(step, "G");
  gan_minimize(g, gan_loss_generator(loss, NULL, gan_apply2(D, made, label)));

  gan_graph *test = make_step(r, "test");
  gan_node *asked = gan_noise(test, G, "label");
  gan_output(share_right(gan_evaluate(judge, gan_evaluate2(G, gan_noise(test, G, "z"), asked)), asked), "right");
  show_samples(r, G);

  train(r, "train", recipe_steps(r));
  figure_above(r, "accuracy", measure(r, "test", "right"), "chance", 0.1);
}
