/* vae: how does a GAN differ from a VAE? Both learn the same decoder from noise to pictures: the VAE by encoding pictures and
 * decoding them again, pixel by pixel, with a Gaussian code (Kingma and Welling 2014); the GAN by a judge, with no way from a
 * picture to its code. So the VAE gives pictures back and blurs what it makes; the GAN makes sharp ones and gives none back. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "vae",
  .paper = "Kingma and Welling 2014, Auto-Encoding Variational Bayes",
  .does = "Trains a VAE and a GAN with the same decoder. Figures: the VAE's error a pixel in giving back held-out pictures,\n"
          "beside the mean picture's; sharpness of what each makes (mean step between neighbours), the GAN's beside the\n"
          "VAE's and the real one beside the GAN's; distances from real pictures, the GAN's beside the VAE's. Picture:\n"
          "held-out ones, given back by the VAE, made by the VAE, made by the GAN.",
  .steps = 1000,
};

enum { MEAN, LOG_VARIANCE, CODES }; /* of the encoder */

/* Minus the variational lower bound, but for a constant: a Gaussian of variance 0.2 a pixel, and the divergence of the code. */
static void build_vae(struct recipe *r, gan_network *E, gan_network *P) {
  gan_optimizer *v = make_optimizer_of(r, "v", "adam rate=1e-3", NETWORKS(E, P));
  gan_graph *step = make_step(r, "vae");
  gan_node *x = gan_data_node(step, clothes(r), "image"), *code[CODES];
  gan_network_apply(E, GAN_TRAINING, 1, &x, CODES, code);
  gan_node *z = gan_gaussian_sample(code[MEAN], code[LOG_VARIANCE], gan_noise(step, P, "z"));
  gan_node *error = gan_l2(gan_apply(P, z), x), *divergence = gan_kl_gaussian(code[MEAN], code[LOG_VARIANCE]);
  gan_minimize(v, TOTAL({SIDE * SIDE / (2 * 0.2), error}, {1, divergence}));
}

static void build_gan(struct recipe *r, gan_network *G, gan_network *D) {
  gan_optimizer *d = make_optimizer(r, "d", "adam rate=2e-4 beta1=0.5", D);
  gan_optimizer *g = make_optimizer(r, "g", "adam rate=1e-3 beta1=0.5", G);
  gan_loss *loss = make_loss(r, "non-saturating");
  gan_graph *step = make_step(r, "gan");
  gan_node *x = gan_data_node(step, clothes(r), "image"), *made = gan_apply(G, gan_noise(step, G, "z"));
  gan_phase(step, "D");
  gan_minimize(d, gan_loss_discriminator(loss, gan_apply(D, x), gan_apply(D, made)));
  gan_phase(step, "G");
  gan_minimize(g, gan_loss_generator(loss, NULL, gan_apply(D, made)));
}

/* What both make, and what the VAE gives back. */
static void build_test(struct recipe *r, gan_network *judge, gan_network *E, gan_network *P, gan_network *G) {
  gan_graph *test = make_step(r, "test");
  gan_node *x = gan_data_node(test, held_out(r), "image"), *back = gan_evaluate(P, gan_evaluate(E, x));
  gan_node *by_vae = gan_evaluate(P, gan_noise(test, P, "z")), *by_gan = gan_evaluate(G, gan_noise(test, G, "z"));
  gan_node *mean = mean_of(gan_data_node(test, clothes(r), "image"));
  gan_output(gan_l2(back, x), "back");
  gan_output(gan_l2(mean, x), "mean picture");
  gan_output(sharpness(x), "real sharpness");
  gan_output(sharpness(by_vae), "vae sharpness");
  gan_output(sharpness(by_gan), "gan sharpness");
  compare(judge, x, by_vae, "by vae");
  compare(judge, x, by_gan, "by gan");
  show_rows(r, "test", NODES(x, back, by_vae, by_gan));
}

void recipe_play(struct recipe *r) {
  gan_network *E = make_network(r, "E", plain_encoder), *P = make_network(r, "P", plain_generator);
  gan_network *G = make_network(r, "G", plain_generator), *D = make_network(r, "D", plain_discriminator);
  gan_network *judge = make_classifier(r);
  build_vae(r, E, P);
  build_gan(r, G, D);
  build_test(r, judge, E, P, G);
  train(r, "vae", recipe_steps(r));
  train(r, "gan", recipe_steps(r));
  double vae = measure(r, "test", "vae sharpness"), gan = measure(r, "test", "gan sharpness");
  figure_below(r, "error-of-vae", measure(r, "test", "back"), "mean picture", measure(r, "test", "mean picture"));
  figure_above(r, "sharpness-of-gan", gan, "vae's", vae);
  figure_below(r, "sharpness-of-vae", vae, "real", measure(r, "test", "real sharpness"));
  figure_below(r, "distance-of-gan", distance(r, "test", "by gan"), "vae's", distance(r, "test", "by vae"));
}
