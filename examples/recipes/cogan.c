/* cogan: two generators with one trunk make pairs, though none was ever seen. One paints clothes, the other negatives of
 * clothes; the last layers of their discriminators are shared, too. Each learns from a half of the data. Liu and Tuzel 2016. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "cogan",
  .paper = "Liu and Tuzel 2016, Coupled Generative Adversarial Networks",
  .does = "Two generators with one trunk learn clothes and negatives of clothes from pictures that are no pairs. Rows:\n"
          "clothes, their negatives by the other generator, negatives computed from the clothes. Figure: L1 distance of the\n"
          "latter two, beside that of negatives of other clothes.",
  .steps = 2500,
};

static const char trunk[] = "input z 64 noise=normal\ndense units=1568; reshape shape=7x7x32; batch-norm; relu\n"
  "conv-transpose2d filters=24 kernel=4 stride=2 padding=1; batch-norm; relu\n";
static const char painter[] = "input h 14x14x24\nconv-transpose2d filters=1 kernel=4 stride=2 padding=1; tanh\n";
static const char eye[] = "input x 28x28x1\nconv2d filters=24 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n";
static const char brain[] = "input h 14x14x24\nconv2d filters=32 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "flatten; dense units=128; leaky-relu slope=0.2; dense units=1\n";

void recipe_play(struct recipe *r) {
  gan_network *G = make_network(r, "G", trunk), *D = make_network(r, "D", brain);
  gan_network *paint = make_network(r, "paint", painter), *negative = make_network(r, "negative", painter);
  gan_network *see = make_network(r, "see", eye), *see_negative = make_network(r, "see-negative", eye);
  gan_optimizer *g = make_optimizer_of(r, "g", "adam rate=5e-4 beta1=0.5", NETWORKS(G, paint, negative));
  gan_optimizer *d = make_optimizer_of(r, "d", "adam rate=5e-4 beta1=0.5", NETWORKS(D, see, see_negative));
  gan_loss *loss = make_loss(r, "non-saturating");

  gan_graph *step = make_step(r, "train");
  gan_node *x = gan_data_node(step, clothes_half(r, 0), "image"), *y = gan_neg(gan_data_node(step, clothes_half(r, 1), "image"));
  gan_node *h = gan_apply(G, gan_noise(step, G, "z")), *made_x = gan_apply(paint, h), *made_y = gan_apply(negative, h);
  gan_phase(step, "D");
  gan_node *real_x = gan_apply(D, gan_apply(see, x)), *fake_x = gan_apply(D, gan_apply(see, made_x));
  gan_node *real_y = gan_apply(D, gan_apply(see_negative, y)), *fake_y = gan_apply(D, gan_apply(see_negative, made_y));
  gan_minimize(d, TOTAL({1, gan_loss_discriminator(loss, real_x, fake_x)}, {1, gan_loss_discriminator(loss, real_y, fake_y)}));
  gan_phase(step, "G");
  fake_x = gan_apply(D, gan_apply(see, made_x));
  fake_y = gan_apply(D, gan_apply(see_negative, made_y));
  gan_minimize(g, TOTAL({1, gan_loss_generator(loss, NULL, fake_x)}, {1, gan_loss_generator(loss, NULL, fake_y)}));

  gan_graph *test = make_step(r, "test");
  gan_node *code = gan_evaluate(G, gan_noise(test, G, "z"));
  gan_node *painted = gan_evaluate(paint, code), *printed = gan_evaluate(negative, code), *truth = gan_neg(painted);
  gan_output(gan_l1(printed, truth), "pairs");
  gan_output(l1_of_others(printed, truth), "others");
  show_rows(r, "test", NODES(painted, printed, truth));

  train(r, "train", recipe_steps(r));
  figure_below(r, "distance", measure(r, "test", "pairs"), "of other clothes", measure(r, "test", "others"));
}
