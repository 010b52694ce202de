/* self-attention: a place of a picture looks at all others, where convolutions see neighbours alone. Both networks have a layer
 * of it; spectral norm and the hinge loss as in the paper, with D faster than G. Zhang et al. 2019. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "self-attention",
  .paper = "Zhang et al. 2019, Self-Attention Generative Adversarial Networks",
  .does = "Trains with self-attention on maps of 7x7. Figures: how far made pictures are from real ones, beside blurred\n"
          "ones; the share gamma with which G adds what it attends to, beside its beginning.",
  .steps = 2500,
};

static const char generator[] =
  "input z 64 noise=normal\n"
  "dense units=1568 spectral-norm=yes; reshape shape=7x7x32; batch-norm; relu\n"
  "self-attention name=attention\n"
  "conv-transpose2d filters=16 kernel=4 stride=2 padding=1 spectral-norm=yes; batch-norm; relu\n"
  "conv-transpose2d filters=1 kernel=4 stride=2 padding=1; tanh\n";

static const char discriminator[] =
  "input x 28x28x1\n"
  "conv2d filters=16 kernel=4 stride=2 padding=1 spectral-norm=yes; leaky-relu slope=0.1\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1 spectral-norm=yes; leaky-relu slope=0.1\n"
  "self-attention name=attention spectral-norm=yes\n"
  "flatten; dense units=1 spectral-norm=yes\n";

void recipe_play(struct recipe *r) {
  gan_network *G = make_network(r, "G", generator), *D = make_network(r, "D", discriminator);
  gan_network *judge = make_classifier(r);
  gan_optimizer *d = make_optimizer(r, "d", "adam rate=2e-3 beta1=0 beta2=0.9", D);
  gan_optimizer *g = make_optimizer(r, "g", "adam rate=5e-4 beta1=0 beta2=0.9", G);
  gan_loss *loss = make_loss(r, "hinge");

  gan_graph *step = make_step(r, "train");
  gan_node *x = gan_data_node(step, clothes(r), "image"), *made = gan_apply(G, gan_noise(step, G, "z"));
  gan_phase(step, "D");
  gan_minimize(d, gan_loss_discriminator(loss, gan_apply(D, x), gan_apply(D, made)));
  gan_phase(step, "G");
  gan_minimize(g, gan_loss_generator(loss, NULL, gan_apply(D, made)));

  gan_graph *test = make_test(r, judge, G);
  gan_output(gan_abs(gan_variable_node(test, G, "attention/gamma")), "gamma");
  show_samples(r, G);

  train(r, "train", recipe_steps(r));
  figure_distance(r);
  figure_above(r, "gamma", measure(r, "test", "gamma"), "the beginning", 0);
}
