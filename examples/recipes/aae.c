/* aae: an autoencoder whose codes a discriminator makes normal, so that normal noise decodes to clothes. A plain autoencoder
 * learns beside it. Makhzani et al. 2016. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "aae",
  .paper = "Makhzani et al. 2016, Adversarial Autoencoders",
  .does = "An autoencoder whose codes become normal. Rows: pictures that were held out, the same out of their codes,\n"
          "pictures out of noise, the same of a plain autoencoder. Figures: how far pictures out of noise are from real\n"
          "ones, beside a plain autoencoder's; the error of reconstruction, beside that of the mean picture.",
  .steps = 4000,
};

static const char encoder[] =
  "input x 28x28x1\n"
  "flatten; dense units=256; leaky-relu slope=0.2; dense units=256; batch-norm; leaky-relu slope=0.2; dense units=8\n";

static const char decoder[] =
  "input code 8 noise=normal\n"
  "dense units=256; leaky-relu slope=0.2; dense units=256; batch-norm; leaky-relu slope=0.2\n"
  "dense units=784; tanh; reshape shape=28x28x1\n";

static const char discriminator[] =
  "input code 8\n"
  "dense units=128; leaky-relu slope=0.2; dense units=128; leaky-relu slope=0.2; dense units=1\n";

void recipe_play(struct recipe *r) {
  gan_network *Q = make_network(r, "Q", encoder), *P = make_network(r, "P", decoder), *D = make_network(r, "D", discriminator);
  gan_network *plain_Q = make_network(r, "plain-Q", encoder), *plain_P = make_network(r, "plain-P", decoder);
  gan_network *judge = make_classifier(r);
  gan_optimizer *copy = make_optimizer_of(r, "reconstruction", "adam rate=5e-4", NETWORKS(Q, P));
  gan_optimizer *plain = make_optimizer_of(r, "plain", "adam rate=5e-4", NETWORKS(plain_Q, plain_P));
  gan_optimizer *d = make_optimizer(r, "d", "adam rate=5e-4 beta1=0.5", D);
  gan_optimizer *q = make_optimizer(r, "q", "adam rate=5e-4 beta1=0.5", Q);
  gan_loss *loss = make_loss(r, "non-saturating");

  gan_graph *step = make_step(r, "train");
  gan_node *x = gan_data_node(step, clothes(r), "image"), *prior = gan_noise(step, P, "code");
  gan_phase(step, "reconstruction");
  gan_minimize(copy, gan_l2(gan_apply(P, gan_apply(Q, x)), x));
  gan_minimize(plain, gan_l2(gan_apply(plain_P, gan_apply(plain_Q, x)), x));
  gan_phase(step, "D");
  gan_minimize(d, gan_loss_discriminator(loss, gan_apply(D, prior), gan_apply(D, gan_apply(Q, x))));
  gan_phase(step, "Q");
  gan_minimize(q, gan_loss_generator(loss, NULL, gan_apply(D, gan_apply(Q, x))));

  gan_graph *test = make_step(r, "test");
  gan_node *held = gan_data_node(test, held_out(r), "image"), *noise = gan_noise(test, P, "code");
  gan_node *copied = gan_evaluate(P, gan_evaluate(Q, held));
  gan_node *made = gan_evaluate(P, noise), *plainly = gan_evaluate(plain_P, noise);
  gan_output(gan_l2(copied, held), "error");
  gan_output(gan_l2(mean_of(held), held), "spread");
  compare(judge, held, made, "made");
  compare(judge, held, plainly, "plainly");
  show_rows(r, "test", NODES(held, copied, made, plainly));

  train(r, "train", recipe_steps(r));
  figure_below(r, "distance", distance(r, "test", "made"), "plain autoencoder", distance(r, "test", "plainly"));
  figure_below(r, "error", measure(r, "test", "error"), "mean picture", measure(r, "test", "spread"));
}
