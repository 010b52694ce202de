/* vae-gan: a VAE whose decoder is a GAN's generator. Pictures are given back alike in the eyes of the discriminator's layers
 * rather than pixel by pixel, and have to fool it, so that they keep their texture. Larsen et al. 2016. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "vae-gan",
  .paper = "Larsen et al. 2016, Autoencoding beyond Pixels Using a Learned Similarity Metric",
  .does = "Trains encoder, generator and discriminator together. Figures: distance of pictures made from noise, beside that\n"
          "of blurred ones; sharpness of pictures given back, beside blurred ones; their error a pixel, beside the mean\n"
          "picture's. Picture: held-out ones, given back, made.",
  .steps = 1000,
};

static const char discriminator[] =
  "input x 28x28x1\n"
  "conv2d filters=16 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1; leaky-relu slope=0.2 name=like\n"
  "flatten; dense units=128; leaky-relu slope=0.2; dense units=1 name=score\n"
  "output score score; output like like\n";

enum { MEAN, LOG_VARIANCE, CODES }; /* of E */
enum { SCORE, LIKE, OUTPUTS };      /* of D */

void recipe_play(struct recipe *r) {
  gan_network *E = make_network(r, "E", plain_encoder), *G = make_network(r, "G", plain_generator);
  gan_network *D = make_network(r, "D", discriminator), *judge = make_classifier(r);
  gan_optimizer *e = make_optimizer(r, "e", "adam rate=1e-3 beta1=0.5", E);
  gan_optimizer *g = make_optimizer(r, "g", "adam rate=1e-3 beta1=0.5", G);
  gan_optimizer *d = make_optimizer(r, "d", "adam rate=2e-4 beta1=0.5", D);
  gan_loss *loss = make_loss(r, "non-saturating");
  gan_node *code[CODES], *of_x[OUTPUTS], *of_back[OUTPUTS];

  gan_graph *step = make_step(r, "train");
  gan_node *x = gan_data_node(step, clothes(r), "image"), *noise = gan_noise(step, G, "z");
  gan_network_apply(E, GAN_TRAINING, 1, &x, CODES, code);
  gan_node *z = gan_gaussian_sample(code[MEAN], code[LOG_VARIANCE], noise), *prior = gan_random_like(z, "prior", "normal");
  gan_node *back = gan_apply(G, z), *made = gan_apply(G, prior);
  gan_phase(step, "D");
  gan_minimize(d, gan_loss_discriminator(loss, gan_apply(D, x), gan_concat(NODES(gan_apply(D, back), gan_apply(D, made)), 0)));
  gan_phase(step, "E and G");
  gan_network_apply(D, GAN_TRAINING, 1, &x, OUTPUTS, of_x);
  gan_network_apply(D, GAN_TRAINING, 1, &back, OUTPUTS, of_back);
  gan_node *fooled = gan_loss_generator(loss, NULL, gan_concat(NODES(of_back[SCORE], gan_apply(D, made)), 0));
  gan_node *alike = gan_l2(of_back[LIKE], gan_stop_gradient(of_x[LIKE])); /* the learnt metric, a mean over 1568 features */
  gan_minimize(e, TOTAL({20, alike}, {0.01, gan_kl_gaussian(code[MEAN], code[LOG_VARIANCE])}));
  gan_minimize(g, TOTAL({20, alike}, {1, fooled}));

  gan_graph *test = make_test(r, judge, G);
  gan_node *held = gan_data_node(test, held_out(r), "image"), *given = gan_evaluate(G, gan_evaluate(E, held));
  gan_node *mean = mean_of(gan_data_node(test, clothes(r), "image"));
  gan_output(sharpness(given), "sharpness");
  gan_output(sharpness(blurred(held)), "blurred sharpness");
  gan_output(gan_l2(given, held), "error");
  gan_output(gan_l2(mean, held), "mean picture");
  show_rows(r, "test", NODES(held, given, gan_evaluate(G, gan_noise(test, G, "z"))));

  train(r, "train", recipe_steps(r));
  figure_distance(r);
  figure_above(r, "sharpness", measure(r, "test", "sharpness"), "blurred", measure(r, "test", "blurred sharpness"));
  figure_below(r, "error", measure(r, "test", "error"), "mean picture", measure(r, "test", "mean picture"));
}
