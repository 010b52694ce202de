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

/* The bound on the information of both codes, with its sign turned: what G and Q minimise. */
static gan_node *lost(gan_node *const *code, gan_node *const *of_made) {
  return gan_add(gan_mutual_information(code[1], of_made[1], "categorical"),
                 gan_scale(gan_mutual_information(code[2], of_made[2], "uniform"), 0.1));
}

static void draw_code(gan_graph *step, gan_network *G, gan_node **code) {
  code[0] = gan_noise(step, G, "z");
  code[1] = gan_noise(step, G, "value");
  code[2] = gan_noise(step, G, "numbers");
}

/* What is guessed right of the kinds by the commonest kind of each value, given the joint shares (value,kind). */
static double purity(const double *joint, int values) {
  double sum = 0;
  for (int value = 0; value < values; value++) {
    double most = 0;
    for (int kind = 0; kind < KINDS; kind++) most = joint[value * KINDS + kind] > most ? joint[value * KINDS + kind] : most;
    sum += most;
  }
  return sum;
}

/* The same by the commonest kind of all, whatever the value. */
static double commonest(const double *joint) {
  double shares[KINDS] = {0};
  for (int i = 0; i < KINDS * KINDS; i++) shares[i % KINDS] += joint[i];
  return purity(shares, 1);
}

void recipe_play(struct recipe *r) {
  gan_network *G = make_network(r, "G", generator), *D = make_network(r, "D", discriminator);
  gan_network *judge = make_classifier(r);
  gan_optimizer *g = make_optimizer(r, "g", "adam rate=1e-3 beta1=0.5", G); /* and Q's, with the layers that it shares */
  gan_optimizer *d = make_optimizer(r, "d", "adam rate=2e-4 beta1=0.5", D);
  gan_loss *loss = make_loss(r, "non-saturating");
  gan_node *code[3], *made, *of_made[3];
  optimize_too(r, g, D, "q/*,value/*,numbers/*");

  gan_graph *step = make_step(r, "train");
  gan_node *x = gan_data_node(step, clothes(r), "image");
  draw_code(step, G, code);
  gan_network_apply(G, 1, 3, code, 1, &made);
  gan_phase(step, "D");
  gan_node *real = gan_apply(D, x), *fake = gan_apply(D, made);
  gan_minimize(d, gan_loss_discriminator(loss, real, fake));
  gan_phase(step, "G");
  gan_network_apply(D, 1, 1, &made, 3, of_made);
  gan_minimize(g, gan_add(gan_loss_generator(loss, NULL, of_made[0]), lost(code, of_made)));

  gan_graph *test = make_step(r, "test");
  draw_code(test, G, code);
  gan_network_apply(G, 0, 3, code, 1, &made);
  gan_network_apply(D, 0, 1, &made, 3, of_made);
  gan_output(gan_neg(gan_mutual_information(code[1], of_made[1], "categorical")), "information");
  gan_node *kind = gan_one_hot(gan_argmax(evaluate(judge, made), 1), KINDS);
  gan_node *pairs = gan_matmul(gan_one_hot(code[1], KINDS), kind, 1, 0); /* counts (value,kind) */
  gan_output(gan_scale(pairs, 1.0 / (double)gan_node_size(made, 0)), "joint");
  show_samples(r, G);

  double joint[KINDS * KINDS];
  train(r, "train", recipe_steps(r));
  measure_each(r, "test", "joint", KINDS * KINDS, joint);
  figure_above(r, "information", measure(r, "test", "information"), "no code", 0);
  figure_above(r, "purity", purity(joint, KINDS), "commonest kind", commonest(joint));
}
