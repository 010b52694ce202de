/* infogan: codes that mean something, found without labels. Beside noise G gets a code of ten values and two numbers; Q, which
 * shares D's layers, has to read them off the picture, which bounds their mutual information from below. Chen et al. 2016. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "infogan",
  .paper = "Chen et al. 2016, InfoGAN: Interpretable Representation Learning by Information Maximizing Generative Adversarial Nets",
  .does = "Learns codes without labels: ten values (the picture's columns) and two numbers. Figures: mutual information of\n"
          "the ten values and the picture, in nats, of log 10 = 2.303 at most; the share of pictures whose kind is the\n"
          "commonest of their code.",
  .steps = 2500,
};

static const char generator[] =
  "input z 32 noise=normal\n"
  "input value classes=10\n"
  "input numbers 2 noise=uniform\n"
  "one-hot classes=10 name=hot from=value\n"
  "concat from=z,hot,numbers\n"
  "dense units=1568; reshape shape=7x7x32; batch-norm; relu\n"
  "conv-transpose2d filters=16 kernel=4 stride=2 padding=1; batch-norm; relu\n"
  "conv-transpose2d filters=1 kernel=4 stride=2 padding=1; tanh\n";

static const char discriminator[] =
  "input x 28x28x1\n"
  "conv2d filters=16 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "flatten; dense units=128; leaky-relu slope=0.2 name=features\n"
  "dense units=1 name=score from=features; output score score\n"
  "dense units=64 name=q from=features; leaky-relu slope=0.2 name=read\n"
  "dense units=10 name=value from=read; output value value\n"
  "dense units=2 name=numbers from=read; output numbers numbers\n";

enum { Z, VALUE, NUMBERS, CODES };                 /* what goes into G: noise, and the codes */
enum { SCORE, VALUE_READ, NUMBERS_READ, OUTPUTS }; /* of D, and of Q */

static void draw_code(gan_graph *step, gan_network *G, gan_node **code) {
  code[Z] = gan_noise(step, G, "z");
  code[VALUE] = gan_noise(step, G, "value");
  code[NUMBERS] = gan_noise(step, G, "numbers");
}

void recipe_play(struct recipe *r) {
  gan_network *G = make_network(r, "G", generator), *D = make_network(r, "D", discriminator);
  gan_network *judge = make_classifier(r);
  gan_optimizer *g = make_optimizer(r, "g", "adam rate=1e-3 beta1=0.5", G); /* and of Q what it does not share with D */
  gan_optimizer *d = make_optimizer(r, "d", "adam rate=2e-4 beta1=0.5", D);
  gan_loss *loss = make_loss(r, "non-saturating");
  gan_node *code[CODES], *made, *of_made[OUTPUTS];
  optimize_too(r, g, D, "q/*,value/*,numbers/*");

  gan_graph *step = make_step(r, "train");
  gan_node *x = gan_data_node(step, clothes(r), "image");
  draw_code(step, G, code);
  gan_network_apply(G, GAN_TRAINING, CODES, code, 1, &made);
  gan_phase(step, "D");
  gan_node *real = gan_apply(D, x), *fake = gan_apply(D, made);
  gan_minimize(d, gan_loss_discriminator(loss, real, fake));
  gan_phase(step, "G");
  gan_network_apply(D, GAN_TRAINING, 1, &made, OUTPUTS, of_made);
  gan_node *fooled = gan_loss_generator(loss, NULL, of_made[SCORE]);
  gan_node *value = gan_mutual_information(code[VALUE], of_made[VALUE_READ], "categorical"); /* minus the bound of it */
  gan_node *numbers = gan_mutual_information(code[NUMBERS], of_made[NUMBERS_READ], "uniform");
  gan_minimize(g, TOTAL({1, fooled}, {1, value}, {0.1, numbers}));

  gan_graph *test = make_step(r, "test");
  draw_code(test, G, code);
  gan_network_apply(G, GAN_EVALUATION, CODES, code, 1, &made);
  gan_network_apply(D, GAN_EVALUATION, 1, &made, OUTPUTS, of_made);
  gan_output(gan_neg(gan_mutual_information(code[VALUE], of_made[VALUE_READ], "categorical")), "information");
  gan_output(joint_shares(code[VALUE], gan_argmax(gan_evaluate(judge, made), 1)), "joint");
  show_samples(r, G);

  double joint[KINDS * KINDS];
  train(r, "train", recipe_steps(r));
  measure_each(r, "test", "joint", KINDS * KINDS, joint);
  figure_above(r, "information", measure(r, "test", "information"), "no code", 0);
  figure_above(r, "purity", guessed(joint), "commonest kind", guessed_blindly(joint));
}
