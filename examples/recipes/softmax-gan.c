/* softmax-gan: one softmax over the scores of a whole batch, real and made; D wants all its mass on the real ones, G wants it
 * spread evenly over all. Lin 2017. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "softmax-gan",
  .paper = "Lin 2017, Softmax GAN",
  .does = "Trains by one softmax over each batch. Figure: how far made pictures are from real ones, beside blurred ones.",
  .steps = 1500,
};

void recipe_play(struct recipe *r) {
  gan_network *G = make_network(r, "G", plain_generator), *D = make_network(r, "D", normed_discriminator);
  gan_network *judge = make_classifier(r);
  gan_optimizer *d = make_optimizer(r, "d", "adam rate=2e-4 beta1=0.5", D);
  gan_optimizer *g = make_optimizer(r, "g", "adam rate=5e-4 beta1=0.5", G);
  gan_loss *loss = make_loss(r, "softmax");

  gan_graph *step = make_step(r, "train");
  gan_node *x = gan_data_node(step, clothes(r), "image"), *made = gan_apply(G, gan_noise(step, G, "z"));
  gan_phase(step, "D");
  gan_minimize(d, gan_loss_discriminator(loss, gan_apply(D, x), gan_apply(D, made)));
  gan_phase(step, "G");
  gan_minimize(g, gan_loss_generator(loss, gan_apply(D, x), gan_apply(D, made)));

  make_test(r, judge, G);
  show_samples(r, G);

  train(r, "train", recipe_steps(r));
  figure_distance(r);
}
