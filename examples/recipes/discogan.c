/* discogan: relations between domains that nobody told. Clothes and outlines of other clothes: G_AB traces, G_BA paints, and
 * what is traced and painted again has to be as it was, as has the other way. Kim et al. 2017. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "discogan",
  .paper = "Kim et al. 2017, Learning to Discover Cross-Domain Relations with Generative Adversarial Networks",
  .does = "Discovers which outline belongs to which clothes, from pictures that are no pairs. Rows: clothes, traced, their\n"
          "true outlines, outlines painted. Figures: L1 distance of traced and true outlines, beside that of the outlines\n"
          "of other clothes; the same of the outlines of painted clothes.",
  .steps = 1500, .batch = 32,
};

static const char translator[] =
  "input x 28x28x1\n"
  "conv2d filters=16 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1; instance-norm; leaky-relu slope=0.2\n"
  "conv2d filters=64 kernel=3 padding=1; instance-norm; relu\n"
  "conv-transpose2d filters=16 kernel=4 stride=2 padding=1; instance-norm; relu\n"
  "conv-transpose2d filters=1 kernel=4 stride=2 padding=1; tanh\n";

static const char discriminator[] =
  "input x 28x28x1\n"
  "conv2d filters=16 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1; instance-norm; leaky-relu slope=0.2\n"
  "flatten; dense units=1\n";

void recipe_play(struct recipe *r) {
  gan_network *AB = make_network(r, "AB", translator), *BA = make_network(r, "BA", translator);
  gan_network *DA = make_network(r, "DA", discriminator), *DB = make_network(r, "DB", discriminator);
  gan_optimizer *g = make_optimizer_of(r, "g", "adam rate=1e-3 beta1=0.5", NETWORKS(AB, BA));
  gan_optimizer *d = make_optimizer_of(r, "d", "adam rate=2e-4 beta1=0.5", NETWORKS(DA, DB));
  gan_loss *loss = make_loss(r, "non-saturating");

  gan_graph *step = make_step(r, "train");
  gan_node *a = gan_data_node(step, clothes_half(r, 0), "image"), *b = edges(gan_data_node(step, clothes_half(r, 1), "image"));
  gan_node *made_b = gan_apply(AB, a), *made_a = gan_apply(BA, b);
  gan_phase(step, "D");
  gan_node *of_a = gan_loss_discriminator(loss, gan_apply(DA, a), gan_apply(DA, made_a));
  gan_node *of_b = gan_loss_discriminator(loss, gan_apply(DB, b), gan_apply(DB, made_b));
  gan_minimize(d, TOTAL({1, of_a}, {1, of_b}));
  gan_phase(step, "G");
  gan_node *fooled_a = gan_loss_generator(loss, NULL, gan_apply(DA, made_a));
  gan_node *fooled_b = gan_loss_generator(loss, NULL, gan_apply(DB, made_b));
  gan_node *again_a = gan_l2(gan_apply(BA, made_b), a), *again_b = gan_l2(gan_apply(AB, made_a), b);
  gan_minimize(g, TOTAL({1, fooled_a}, {1, fooled_b}, {10, again_a}, {10, again_b}));

  gan_graph *test = make_step(r, "test");
  gan_node *held = gan_data_node(test, held_out(r), "image"), *truth = edges(held);
  gan_node *traced = gan_evaluate(AB, held), *painted = gan_evaluate(BA, truth);
  gan_output(gan_l1(traced, truth), "traced");
  gan_output(l1_of_others(traced, truth), "traced others");
  gan_output(gan_l1(edges(painted), truth), "painted");
  gan_output(l1_of_others(edges(painted), truth), "painted others");
  show_rows(r, "test", NODES(held, traced, truth, painted));

  train(r, "train", recipe_steps(r));
  figure_below(r, "traced", measure(r, "test", "traced"), "other outlines", measure(r, "test", "traced others"));
  figure_below(r, "painted", measure(r, "test", "painted"), "other outlines", measure(r, "test", "painted others"));
}
