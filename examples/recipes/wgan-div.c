/* wgan-div: the critic learns the Wasserstein divergence, in which a power of its slope takes the place of a constraint; both
 * sides are asked for their slope, so there are no points between them. Wu et al. 2018. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "wgan-div",
  .paper = "Wu et al. 2018, Wasserstein Divergence for GANs",
  .does = "Trains a critic whose loss holds a power of its slope. Figures: how far made pictures are from real ones,\n"
          "beside blurred ones; the estimate of the divergence, real less made scores, which a critic that tells them\n"
          "apart has above 0.",
  .steps = 1500,
};

void recipe_play(struct recipe *r) {
  gan_network *G = make_network(r, "G", plain_generator), *D = make_network(r, "D", plain_discriminator);
  gan_network *judge = make_classifier(r);
  gan_optimizer *d = make_optimizer(r, "d", "adam rate=5e-4 beta1=0.5", D);
  gan_optimizer *g = make_optimizer(r, "g", "adam rate=1e-3 beta1=0.5", G);
  gan_loss *loss = make_loss(r, "wasserstein"), *divergence = make_loss(r, "wgan-div weight=2 power=6");

  gan_graph *step = make_step(r, "train");
  gan_node *x = gan_data_node(step, clothes(r), "image"), *made = gan_apply(G, gan_noise(step, G, "z"));
  gan_phase(step, "D");
  gan_node *told = gan_loss_discriminator(loss, gan_apply(D, x), gan_apply(D, made));
  gan_minimize(d, TOTAL({1, told}, {1, gan_loss_penalty(divergence, D, x, made, 0, NULL)}));
  gan_phase(step, "G");
  gan_minimize(g, gan_loss_generator(loss, NULL, gan_apply(D, made)));

  gan_graph *test = make_test(r, judge, G);
  gan_node *real = gan_mean(gan_evaluate(D, gan_data_node(test, held_out(r), "image")));
  gan_output(gan_sub(real, gan_mean(gan_evaluate(D, gan_evaluate(G, gan_noise(test, G, "z"))))), "divergence");
  show_samples(r, G);

  train(r, "train", recipe_steps(r));
  figure_distance(r);
  figure_above(r, "divergence", measure(r, "test", "divergence"), "made pictures alike", 0);
}
