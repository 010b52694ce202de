/* cluster-gan: kinds found without labels. G's noise is a number of a cluster beside a narrow Gaussian; an encoder is trained
 * to find both again in what G makes, and then sorts real pictures. Mukherjee et al. 2019. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "cluster-gan",
  .paper = "Mukherjee et al. 2019, ClusterGAN: Latent Space Clustering in Generative Adversarial Networks",
  .does = "Sorts pictures into ten clusters without labels. Figure: the share of held-out pictures whose kind is the\n"
          "commonest of their cluster, beside chance; how far made pictures are from real ones, beside blurred ones.\n"
          "Picture: a column a cluster.",
  .steps = 1800,
};

static const char generator[] =
  "input z 30 noise=normal\n"
  "input cluster classes=10\n"
  "scale factor=0.1 name=narrow from=z\n"
  "one-hot classes=10 name=hot from=cluster\n"
  "concat from=narrow,hot\n"
  "dense units=1568; reshape shape=7x7x32; batch-norm; relu\n"
  "conv-transpose2d filters=16 kernel=4 stride=2 padding=1; batch-norm; relu\n"
  "conv-transpose2d filters=1 kernel=4 stride=2 padding=1; tanh\n";

static const char encoder[] =
  "input x 28x28x1\n"
  "conv2d filters=16 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "flatten; dense units=128; leaky-relu slope=0.2 name=features\n"
  "dense units=30 name=z from=features; output z z\n"
  "dense units=10 name=cluster from=features; output cluster cluster\n";

enum { Z, CLUSTER, CODES }; /* what goes into G, and comes out of E */

void recipe_play(struct recipe *r) {
  gan_network *G = make_network(r, "G", generator), *D = make_network(r, "D", plain_discriminator);
  gan_network *E = make_network(r, "E", encoder), *judge = make_classifier(r);
  gan_optimizer *d = make_optimizer(r, "d", "adam rate=2e-4 beta1=0.5", D);
  gan_optimizer *g = make_optimizer_of(r, "g", "adam rate=1e-3 beta1=0.5", NETWORKS(G, E));
  gan_loss *loss = make_loss(r, "non-saturating");
  gan_node *made, *found[CODES], *sorted[CODES];

  gan_graph *step = make_step(r, "train");
  gan_node *noise[] = {gan_noise(step, G, "z"), gan_noise(step, G, "cluster")};
  gan_network_apply(G, GAN_TRAINING, CODES, noise, 1, &made);
  gan_phase(step, "D");
  gan_minimize(d, gan_loss_discriminator(loss, gan_apply(D, gan_data_node(step, clothes(r), "image")), gan_apply(D, made)));
  gan_phase(step, "G and E");
  gan_network_apply(E, GAN_TRAINING, 1, &made, CODES, found);
  gan_node *fooled = gan_loss_generator(loss, NULL, gan_apply(D, made));
  gan_node *off_z = gan_l2(found[Z], gan_scale(noise[Z], 0.1)), *off_cluster = gan_cross_entropy(found[CLUSTER], noise[CLUSTER]);
  gan_minimize(g, TOTAL({1, fooled}, {10, off_z}, {10, off_cluster})); /* the paper's weights */

  gan_graph *test = make_step(r, "test");
  gan_node *x = gan_data_node(test, held_out(r), "image"), *kind = gan_data_node(test, held_out(r), "label");
  gan_network_apply(E, GAN_EVALUATION, 1, &x, CODES, sorted);
  gan_output(joint_shares(gan_argmax(sorted[CLUSTER], 1), kind), "joint");
  gan_node *sample = gan_evaluate2(G, gan_noise(test, G, "z"), gan_noise(test, G, "cluster"));
  compare(judge, x, sample, "made");
  compare(judge, x, blurred(gan_data_node(test, clothes(r), "image")), "blurred");
  show_samples(r, G);

  double joint[KINDS * KINDS];
  train(r, "train", recipe_steps(r));
  measure_each(r, "test", "joint", KINDS * KINDS, joint);
  figure_above(r, "purity", guessed(joint), "chance", 0.1);
  figure_distance(r);
}
