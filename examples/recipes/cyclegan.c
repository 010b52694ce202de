/* cyclegan: translation without pairs. Clothes become blueprints (light lines on blue) by G, blueprints clothes by F; both ways
 * and back again everything has to be as it was. The two domains are other halves of the data. Zhu, Park et al. 2017. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "cyclegan",
  .paper = "Zhu, Park et al. 2017, Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks",
  .does = "Turns clothes into blue negatives and back, from pictures that are no pairs. Rows: clothes, G of them, the true\n"
          "negatives, F of G. Figures: L1 distance of G and the truth, beside that of other clothes; L1 of F of G and the\n"
          "picture, beside that of two pictures.",
  .steps = 1200, .batch = 32,
};

#define TRANSLATOR(from, to) \
  "input x 28x28x" from "\n" \
  "conv2d filters=16 kernel=4 stride=2 padding=1; instance-norm; relu\n" \
  "conv2d filters=32 kernel=4 stride=2 padding=1; instance-norm; relu name=x1\n" \
  "conv2d filters=32 kernel=3 padding=1; instance-norm; relu; conv2d filters=32 kernel=3 padding=1; instance-norm name=inner\n" \
  "add from=x1,inner\n" \
  "conv-transpose2d filters=16 kernel=4 stride=2 padding=1; instance-norm; relu\n" \
  "conv-transpose2d filters=" to " kernel=4 stride=2 padding=1; tanh\n"

#define PATCHES(channels) \
  "input x 28x28x" channels "\n" \
  "conv2d filters=16 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n" \
  "conv2d filters=32 kernel=4 stride=2 padding=1; instance-norm; leaky-relu slope=0.2\n" \
  "conv2d filters=1 kernel=3 padding=1\n"

void recipe_play(struct recipe *r) {
  gan_network *G = make_network(r, "G", TRANSLATOR("1", "3")), *F = make_network(r, "F", TRANSLATOR("3", "1"));
  gan_network *DX = make_network(r, "DX", PATCHES("1")), *DY = make_network(r, "DY", PATCHES("3"));
  gan_optimizer *g = make_optimizer_of(r, "g", "adam rate=1e-3 beta1=0.5", NETWORKS(G, F));
  gan_optimizer *d = make_optimizer_of(r, "d", "adam rate=5e-4 beta1=0.5", NETWORKS(DX, DY));
  gan_loss *loss = make_loss(r, "least-squares");

  gan_graph *step = make_step(r, "train");
  gan_node *x = gan_data_node(step, clothes_half(r, 0), "image"), *other = gan_data_node(step, clothes_half(r, 1), "image");
  gan_node *y = tinted(gan_neg(other), 0.2, 0.4, 1);
  gan_node *made_y = gan_apply(G, x), *made_x = gan_apply(F, y);
  gan_phase(step, "D");
  gan_node *of_x = gan_loss_discriminator(loss, gan_apply(DX, x), gan_apply(DX, made_x));
  gan_node *of_y = gan_loss_discriminator(loss, gan_apply(DY, y), gan_apply(DY, made_y));
  gan_minimize(d, TOTAL({1, of_x}, {1, of_y}));
  gan_phase(step, "G and F");
  gan_node *fooled_x = gan_loss_generator(loss, NULL, gan_apply(DX, made_x));
  gan_node *fooled_y = gan_loss_generator(loss, NULL, gan_apply(DY, made_y));
  gan_node *cycle_x = gan_l1(gan_apply(F, made_y), x), *cycle_y = gan_l1(gan_apply(G, made_x), y);
  gan_minimize(g, TOTAL({1, fooled_x}, {1, fooled_y}, {10, cycle_x}, {10, cycle_y}));

  gan_graph *test = make_step(r, "test");
  gan_node *held = gan_data_node(test, held_out(r), "image");
  gan_node *made = gan_evaluate(G, held);
  gan_node *truth = tinted(gan_neg(held), 0.2, 0.4, 1), *back = gan_evaluate(F, made);
  gan_output(gan_l1(made, truth), "translated");
  gan_output(l1_of_others(made, truth), "mistaken");
  gan_output(gan_l1(back, held), "cycle");
  gan_output(l1_of_others(held, held), "others");
  show_rows(r, "test", NODES(held, made, truth, back));

  train(r, "train", recipe_steps(r));
  figure_below(r, "l1", measure(r, "test", "translated"), "truth of others", measure(r, "test", "mistaken"));
  figure_below(r, "cycle", measure(r, "test", "cycle"), "two pictures", measure(r, "test", "others"));
}
