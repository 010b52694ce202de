/* bgan: G seeks the boundary, where D cannot decide: it minimises the square of log D - log(1 - D), which is the score itself,
 * not its negative. Hjelm et al. 2018. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "bgan",
  .paper = "Hjelm et al. 2018, Boundary-Seeking Generative Adversarial Networks",
  .does = "Trains a generator towards the boundary of D's decision. Figures: how far made pictures are from real ones,\n"
          "beside blurred ones; how far D's verdict on them is from one half, beside its verdict on noise of normal\n"
          "numbers.",
  .steps = 1500,
};

/* Mean of |sigmoid(score) - 1/2|. */
static gan_node *decided(gan_network *D, gan_node *pictures) {
  return gan_mean(gan_abs(gan_shift(gan_sigmoid(gan_evaluate(D, pictures)), -0.5)));
}

void recipe_play(struct recipe *r) {
  gan_network *G = make_network(r, "G", plain_generator), *D = make_network(r, "D", normed_discriminator);
  gan_network *judge = make_classifier(r);
  gan_optimizer *d = make_optimizer(r, "d", "adam rate=2e-4 beta1=0.5", D);
  gan_optimizer *g = make_optimizer(r, "g", "adam rate=1e-3 beta1=0.5", G);
  gan_loss *loss = make_loss(r, "boundary-seeking");

  gan_graph *step = make_step(r, "train");
  gan_node *x = gan_data_node(step, clothes(r), "image"), *made = gan_apply(G, gan_noise(step, G, "z"));
  gan_phase(step, "D");
  gan_minimize(d, gan_loss_discriminator(loss, gan_apply(D, x), gan_apply(D, made)));
  gan_phase(step, "G");
  gan_minimize(g, gan_loss_generator(loss, NULL, gan_apply(D, made)));

  gan_graph *test = make_test(r, judge, G);
  gan_node *noise = gan_random(test, "noise", "normal", 4, (int64_t[]){64, SIDE, SIDE, 1});
  gan_output(decided(D, gan_evaluate(G, gan_noise(test, G, "z"))), "made verdict");
  gan_output(decided(D, noise), "noise verdict");
  show_samples(r, G);

  train(r, "train", recipe_steps(r));
  figure_distance(r);
  figure_below(r, "off-half", measure(r, "test", "made verdict"), "noise", measure(r, "test", "noise verdict"));
}
