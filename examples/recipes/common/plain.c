/* Small networks, and one judgement, for recipes that are about how they are trained. */
#include "parts.h"

const char plain_generator[] =
  "input z 64 noise=normal\n"
  "dense units=1568; reshape shape=7x7x32; batch-norm; relu\n"
  "conv-transpose2d filters=16 kernel=4 stride=2 padding=1; batch-norm; relu\n"
  "conv-transpose2d filters=1 kernel=4 stride=2 padding=1; tanh\n";

const char labelled_generator[] =
  "input z 64 noise=normal\n"
  "input label classes=10\n"
  "embedding classes=10 width=32 name=kind from=label\n"
  "concat from=z,kind\n"
  "dense units=1568; reshape shape=7x7x32; batch-norm; relu\n"
  "conv-transpose2d filters=16 kernel=4 stride=2 padding=1; batch-norm; relu\n"
  "conv-transpose2d filters=1 kernel=4 stride=2 padding=1; tanh\n";

const char plain_discriminator[] =
  "input x 28x28x1\n"
  "conv2d filters=16 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "flatten; dense units=128; leaky-relu slope=0.2; dense units=1\n";

/* No batch norm behind that: it would take from G what gradient all scores have in common. */
const char normed_discriminator[] =
  "input x 28x28x1\n"
  "conv2d filters=16 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1; batch-norm; leaky-relu slope=0.2\n"
  "flatten; dense units=128; leaky-relu slope=0.2; dense units=1\n";

const char plain_encoder[] =
  "input x 28x28x1\n"
  "conv2d filters=16 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "flatten; dense units=128; leaky-relu slope=0.2 name=features\n"
  "dense units=64 name=mean from=features; output mean mean\n"
  "dense units=64 name=log-variance from=features; output log-variance log-variance\n";

gan_graph *make_test(struct recipe *r, gan_network *classifier, gan_network *generator) {
  gan_graph *test = make_step(r, "test");
  gan_node *real = gan_data_node(test, held_out(r), "image");
  compare(classifier, real, gan_evaluate(generator, gan_noise(test, generator, "z")), "made");
  compare(classifier, real, blurred(gan_data_node(test, clothes(r), "image")), "blurred");
  return test;
}

void figure_distance(struct recipe *r) {
  figure_below(r, "distance", distance(r, "test", "made"), "real ones blurred", distance(r, "test", "blurred"));
}
