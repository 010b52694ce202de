/* dragan: D's slope is held at 1 around real pictures, where sharp gradients would make the game collapse. Kodali et al. 2017.
 * */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "dragan",
  .paper = "Kodali et al. 2017, On Convergence and Stability of GANs",
  .does = "Trains with a penalty on the slope of D's score around real pictures. Figures: how far made pictures are from\n"
          "real ones, beside blurred ones; how far that slope is from 1 in the mean, beside that of a flat D.",
  .steps = 800,
};

/* Mean of ||grad D(x)| - 1|. */
static gan_node *off_one(gan_network *D, gan_node *x) {
  gan_node *slope = gan_norm_per_sample(gan_gradient(gan_evaluate(D, x), x));
  return gan_mean(gan_abs(gan_shift(slope, -1)));
}

void recipe_play(struct recipe *r) {
  gan_network *G = make_network(r, "G", plain_generator), *D = make_network(r, "D", plain_discriminator);
  gan_network *judge = make_classifier(r);
  gan_optimizer *d = make_optimizer(r, "d", "adam rate=1e-3 beta1=0.5", D);
  gan_optimizer *g = make_optimizer(r, "g", "adam rate=1e-3 beta1=0.5", G);
  gan_loss *loss = make_loss(r, "non-saturating"), *penalty = make_loss(r, "dragan weight=10");

  gan_graph *step = make_step(r, "train");
  gan_node *x = gan_data_node(step, clothes(r), "image"), *made = gan_apply(G, gan_noise(step, G, "z"));
  gan_phase(step, "D");
  gan_node *told = gan_loss_discriminator(loss, gan_apply(D, x), gan_apply(D, made));
  gan_minimize(d, TOTAL({1, told}, {1, gan_loss_penalty(penalty, D, x, NULL, 0, NULL)}));
  gan_phase(step, "G");
  gan_minimize(g, gan_loss_generator(loss, NULL, gan_apply(D, made)));

  gan_graph *test = make_test(r, judge, G);
  gan_node *held = gan_data_node(test, held_out(r), "image");
  gan_node *noise = gan_random_like(held, "noise", "uniform low=-0.1 high=0.1");
  gan_output(off_one(D, gan_add(held, noise)), "off");
  show_samples(r, G);

  train(r, "train", recipe_steps(r));
  figure_distance(r);
  figure_below(r, "slope-off-1", measure(r, "test", "off"), "a flat D", 1);
}
