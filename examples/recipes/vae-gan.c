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

static const char encoder[] =
  "input x 28x28x1\n"
  "conv2d filters=16 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "flatten; dense units=128; leaky-relu slope=0.2 name=features\n"
  "dense units=64 name=mean from=features; output mean mean\n"
  "dense units=64 name=log-variance from=features; output log-variance log-variance\n";

static const char discriminator[] =
  "input x 28x28x1\n"
  "conv2d filters=16 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1; leaky-relu slope=0.2 name=like\n"
  "flatten; dense units=128; leaky-relu slope=0.2; dense units=1 name=score\n"
  "output score score; output like like\n";

void recipe_play(struct recipe *r) {
  gan_network *E = make_network(r, "E", encoder), *G = make_network(r, "G", plain_generator);
  gan_network *D = make_network(r, "D", discriminator), *judge = make_classifier(r);
  gan_optimizer *e = make_optimizer(r, "e", "adam rate=1e-3 beta1=0.5", E);
  gan_optimizer *g = make_optimizer(r, "g", "adam rate=1e-3 beta1=0.5", G);
  gan_optimizer *d = make_optimizer(r, "d", "adam rate=2e-4 beta1=0.5", D);
  gan_loss *loss = make_loss(r, "non-saturating");
  gan_node *code[2], *of_x[2], *of_back[2], *of_made[2];

  gan_graph *step = make_step(r, "train");
  gan_node *x = gan_data_node(step, clothes(r), "image"), *noise = gan_noise(step, G, "z");
  gan_network_apply(E, 1, 1, &x, 2, code);
  gan_node *z = gan_add(code[0], gan_mul(noise, gan_exp(gan_scale(code[1], 0.5))));
  gan_node *prior = gan_random(step, "prior", "normal", 2, (int64_t[]){gan_node_size(x, 0), 64});
  gan_node *back = gan_apply(G, z), *made = gan_apply(G, prior);
  gan_phase(step, "D");
  gan_network_apply(D, 1, 1, &x, 2, of_x);
  gan_network_apply(D, 1, 1, &back, 2, of_back);
  gan_network_apply(D, 1, 1, &made, 2, of_made);
  gan_node *fakes = gan_concat(2, (gan_node *const[]){of_back[0], of_made[0]}, 0);
  gan_minimize(d, gan_loss_discriminator(loss, of_x[0], fakes));
  gan_phase(step, "E and G");
  gan_network_apply(D, 1, 1, &x, 2, of_x);
  gan_network_apply(D, 1, 1, &back, 2, of_back);
  gan_network_apply(D, 1, 1, &made, 2, of_made);
  fakes = gan_concat(2, (gan_node *const[]){of_back[0], of_made[0]}, 0);
  gan_node *alike = gan_l2(of_back[1], gan_stop_gradient(of_x[1])); /* the learnt metric, a mean over 1568 features */
  gan_minimize(e, gan_add(gan_scale(alike, 20), gan_scale(gan_kl_gaussian(code[0], code[1]), 0.01)));
  gan_minimize(g, gan_add(gan_scale(alike, 20), gan_loss_generator(loss, NULL, fakes)));

  const int32_t batch = 0;
  gan_graph *test = make_test(r, judge, G);
  gan_node *held = gan_data_node(test, held_out(r), "image"), *given = evaluate(G, evaluate(E, held));
  gan_node *mean = gan_mean_axes(gan_data_node(test, clothes(r), "image"), 1, &batch, 1);
  gan_output(sharpness(given), "sharpness");
  gan_output(sharpness(blurred(held)), "blurred sharpness");
  gan_output(gan_l2(given, held), "error");
  gan_output(gan_mean(gan_square(gan_sub(held, mean))), "mean picture");
  show(r, "test", held);
  show(r, "test", given);
  show(r, "test", evaluate(G, gan_noise(test, G, "z")));

  train(r, "train", recipe_steps(r));
  figure_distance(r);
  figure_above(r, "sharpness", measure(r, "test", "sharpness"), "blurred", measure(r, "test", "blurred sharpness"));
  figure_below(r, "error", measure(r, "test", "error"), "mean picture", measure(r, "test", "mean picture"));
}
