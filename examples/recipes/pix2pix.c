/* pix2pix: from outlines to clothes, learnt from pairs. A U-Net paints; D judges every patch of outline and picture together; L1
 * keeps the whole right, D the detail. Isola et al. 2017. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "pix2pix",
  .paper = "Isola et al. 2017, Image-to-Image Translation with Conditional Adversarial Networks",
  .does = "Paints clothes into their outlines. Rows: outlines, what was painted, the true clothes. Figure: L1 distance of\n"
          "the latter two, beside that of outlines and clothes.",
  .steps = 2000,
};

static const char unet[] =
  "input x 28x28x1\n"
  "conv2d filters=16 kernel=4 stride=2 padding=1 name=outer\n"
  "leaky-relu slope=0.2; conv2d filters=32 kernel=4 stride=2 padding=1; batch-norm name=inner\n"
  "leaky-relu slope=0.2; conv2d filters=64 kernel=3 padding=1; batch-norm; relu name=deep\n"
  "concat from=deep,inner; conv-transpose2d filters=16 kernel=4 stride=2 padding=1; batch-norm; relu name=up\n"
  "concat from=up,outer; conv-transpose2d filters=1 kernel=4 stride=2 padding=1; tanh\n";

static const char patches[] =
  "input x 28x28x1\n"
  "input y 28x28x1\n"
  "concat from=x,y\n"
  "conv2d filters=16 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1; batch-norm; leaky-relu slope=0.2\n"
  "conv2d filters=1 kernel=3 padding=1\n";

void recipe_play(struct recipe *r) {
  gan_network *G = make_network(r, "G", unet), *D = make_network(r, "D", patches);
  gan_optimizer *g = make_optimizer(r, "g", "adam rate=5e-4 beta1=0.5", G);
  gan_optimizer *d = make_optimizer(r, "d", "adam rate=2e-4 beta1=0.5", D);
  gan_loss *loss = make_loss(r, "non-saturating real=0.5 fake=0.5");

  gan_graph *step = make_step(r, "train");
  gan_node *y = gan_data_node(step, clothes(r), "image"), *x = edges(y), *made = gan_apply(G, x);
  gan_phase(step, "D");
  gan_minimize(d, gan_loss_discriminator(loss, gan_apply2(D, x, y), gan_apply2(D, x, made)));
  gan_phase(step, "G");
  gan_node *fooled = gan_loss_generator(loss, NULL, gan_apply2(D, x, made));
  gan_minimize(g, TOTAL({1, fooled}, {100, gan_l1(made, y)}));

  gan_graph *test = make_step(r, "test");
  gan_node *truth = gan_data_node(test, held_out(r), "image"), *outline = edges(truth), *painted = gan_evaluate(G, outline);
  gan_output(gan_l1(painted, truth), "painted");
  gan_output(gan_l1(outline, truth), "identity");
  show_rows(r, "test", NODES(outline, painted, truth));

  train(r, "train", recipe_steps(r));
  figure_below(r, "l1", measure(r, "test", "painted"), "identity", measure(r, "test", "identity"));
}
