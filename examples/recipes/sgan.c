/* sgan: ten labels a kind are enough to begin with. D names the kind of a few labelled pictures; of all others, and of made
 * ones, it only has to tell which are real: the sum of its logits' exponentials says so. G matches the mean of D's features. The
 * same network learns from the labelled pictures alone beside it. Salimans et al. 2016, section 5. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "sgan",
  .paper = "Salimans et al. 2016, Improved Techniques for Training GANs, section 5 (semi-supervised learning)",
  .does = "Learns kinds from 100 labelled pictures and 60000 without. Figure: the share that D names right of pictures that\n"
          "were held out, beside the same network that saw the labelled ones only.",
  .steps = 2500,
};

static const char generator[] =
  "input z 64 noise=normal\n"
  "dense units=1568; reshape shape=7x7x32; batch-norm; relu\n"
  "conv-transpose2d filters=16 kernel=4 stride=2 padding=1; batch-norm; relu\n"
  "conv-transpose2d filters=1 kernel=4 stride=2 padding=1; tanh\n";

static const char discriminator[] =
  "input x 28x28x1\n"
  "dropout rate=0.2\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1 weight-norm=yes; leaky-relu slope=0.2; dropout rate=0.3\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1 weight-norm=yes; leaky-relu slope=0.2; dropout rate=0.3\n"
  "flatten; dense units=128 weight-norm=yes; leaky-relu slope=0.2 name=features\n"
  "dense units=10 weight-norm=yes name=logits\n"
  "output logits logits; output features features\n";

void recipe_play(struct recipe *r) {
  gan_network *G = make_network(r, "G", generator), *D = make_network(r, "D", discriminator);
  gan_network *alone = make_network(r, "alone", discriminator);
  gan_optimizer *g = make_optimizer(r, "g", "adam rate=5e-4 beta1=0.5", G);
  gan_optimizer *d = make_optimizer(r, "d", "adam rate=5e-4 beta1=0.5 schedule=(linear steps=2500)", D);
  gan_optimizer *a = make_optimizer(r, "alone", "adam rate=5e-4 beta1=0.5 schedule=(linear steps=2500)", alone);
  gan_loss *loss = make_loss(r, "non-saturating");
  gan_data *labelled = clothes_few(r, 100);
  gan_node *of_x[2], *of_made[2]; /* logits and features */

  gan_graph *step = make_step(r, "train");
  gan_node *x = gan_data_node(step, clothes(r), "image"), *made = gan_apply(G, gan_noise(step, G, "z"));
  gan_node *few = gan_data_node(step, labelled, "image"), *label = gan_data_node(step, labelled, "label");
  gan_phase(step, "D");
  gan_node *real = gan_class_score(gan_apply(D, x)), *fake = gan_class_score(gan_apply(D, made));
  gan_minimize(d, gan_add(gan_cross_entropy(gan_apply(D, few), label), gan_loss_discriminator(loss, real, fake)));
  gan_minimize(a, gan_cross_entropy(gan_apply(alone, few), label));
  gan_phase(step, "G");
  gan_network_apply(D, 1, 1, &x, 2, of_x);
  gan_network_apply(D, 1, 1, &made, 2, of_made);
  gan_minimize(g, gan_feature_matching(of_x[1], of_made[1]));

  gan_graph *test = make_step(r, "test");
  gan_node *held = gan_data_node(test, held_out(r), "image"), *kind = gan_data_node(test, held_out(r), "label");
  gan_output(share_right(evaluate(D, held), kind), "right");
  gan_output(share_right(evaluate(alone, held), kind), "alone");
  show_samples(r, G);

  train(r, "train", recipe_steps(r));
  figure_above(r, "accuracy", measure(r, "test", "right"), "labels alone", measure(r, "test", "alone"));
}
