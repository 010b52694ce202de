/* sgan: ten labels a kind are enough to begin with. D names the kind of a few labelled pictures; of all others, and of made
 * ones, it only has to tell which are real: the sum of its logits' exponentials says so. G matches the mean of D's features. The
 * same network learns from the labelled pictures alone beside it. Salimans et al. 2016, section 5. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "sgan",
  .paper = "Salimans et al. 2016, Improved Techniques for Training GANs, section 5 (semi-supervised learning)",
  .does = "Learns kinds from 100 labelled pictures and 60000 without. Figure: the share that D names right of pictures that\n"
          "were held out, beside the same network that saw the labelled ones only.",
  .steps = 2500, .batch = 100,
};

static const char generator[] =
  "input z 100 noise=uniform\n"
  "dense units=400; batch-norm; relu\n"
  "dense units=400; batch-norm; relu\n"
  "dense units=784 weight-norm=yes; reshape shape=28x28x1; tanh\n";

static const char discriminator[] =
  "input x 28x28x1\n"
  "flatten; dropout rate=0.3\n"
  "dense units=500 weight-norm=yes; relu; dropout rate=0.3\n"
  "dense units=250 weight-norm=yes; relu; dropout rate=0.3\n"
  "dense units=250 weight-norm=yes; relu name=features\n"
  "dense units=10 weight-norm=yes name=logits\n"
  "output logits logits; output features features\n";

enum { LOGITS, FEATURES, OUTPUTS }; /* of D */

/* How far off a network names the labelled pictures. */
static gan_node *misnamed(gan_network *network, gan_graph *step, gan_data *labelled) {
  gan_node *logits = gan_apply(network, gan_data_node(step, labelled, "image"));
  return gan_cross_entropy(logits, gan_data_node(step, labelled, "label"));
}

void recipe_play(struct recipe *r) {
  gan_network *G = make_network(r, "G", generator), *D = make_network(r, "D", discriminator);
  gan_network *alone = make_network(r, "alone", discriminator);
  gan_optimizer *g = make_optimizer(r, "g", "adam rate=3e-3 beta1=0.5", G);
  gan_optimizer *d = make_optimizer(r, "d", "adam rate=3e-3 beta1=0.5 schedule=(linear steps=2500)", D);
  gan_optimizer *a = make_optimizer(r, "alone", "adam rate=3e-3 beta1=0.5 schedule=(linear steps=500)", alone);
  gan_loss *loss = make_loss(r, "non-saturating");
  gan_data *labelled = clothes_few(r, 100);
  gan_node *of_x[OUTPUTS], *of_made[OUTPUTS];

  gan_graph *step = make_step(r, "train");
  gan_node *x = gan_data_node(step, clothes(r), "image"), *made = gan_apply(G, gan_noise(step, G, "z"));
  gan_phase(step, "D");
  gan_node *real = gan_class_score(gan_apply(D, x)), *fake = gan_class_score(gan_apply(D, made));
  gan_minimize(d, TOTAL({1, misnamed(D, step, labelled)}, {0.5, gan_loss_discriminator(loss, real, fake)}));
  gan_phase(step, "G");
  gan_network_apply(D, GAN_TRAINING, 1, &x, OUTPUTS, of_x);
  gan_network_apply(D, GAN_TRAINING, 1, &made, OUTPUTS, of_made);
  gan_minimize(g, gan_feature_matching(of_x[FEATURES], of_made[FEATURES]));

  gan_graph *without = make_step(r, "alone");
  gan_minimize(a, misnamed(alone, without, labelled));

  gan_graph *test = make_step(r, "test");
  gan_node *held = gan_data_node(test, held_out(r), "image"), *kind = gan_data_node(test, held_out(r), "label");
  gan_output(share_right(gan_evaluate(D, held), kind), "right");
  gan_output(share_right(gan_evaluate(alone, held), kind), "alone");
  show_samples(r, G);

  train(r, "alone", recipe_steps(r) / 5); /* all that there is to learn from 100 pictures */
  train(r, "train", recipe_steps(r));
  figure_above(r, "accuracy", measure(r, "test", "right"), "labels alone", measure(r, "test", "alone"));
}
