/* srgan: pictures in four times the resolution. G is residual and enlarges by pixel shuffles; what it makes has to be alike in
 * the eyes of a network that knows clothes, and to fool D. Ledig et al. 2017. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "srgan",
  .paper = "Ledig et al. 2017, Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network",
  .does = "Makes 28x28 pixels of 7x7. Figures: PSNR in dB on held-out pictures, beside bilinear enlargement; sharpness,\n"
          "beside the same. Picture: 7x7, enlarged, made, true.",
  .steps = 800,
};

#define BLOCK(from, to) \
  "conv2d filters=32 kernel=3 padding=1 from=" from "; batch-norm; prelu\n" \
  "conv2d filters=32 kernel=3 padding=1; batch-norm name=b" to "\n" \
  "add name=" to " from=b" to "," from "\n"

static const char generator[] =
  "input x 7x7x1\n"
  "conv2d filters=32 kernel=3 padding=1; prelu name=r0\n"
  BLOCK("r0", "r1")
  BLOCK("r1", "r2")
  "conv2d filters=32 kernel=3 padding=1; batch-norm name=last; add from=last,r0\n"
  "conv2d filters=64 kernel=3 padding=1; pixel-shuffle; prelu\n"
  "conv2d filters=64 kernel=3 padding=1; pixel-shuffle; prelu\n"
  "conv2d filters=1 kernel=3 padding=1; tanh\n";

void recipe_play(struct recipe *r) {
  gan_network *G = make_network(r, "G", generator), *D = make_network(r, "D", plain_discriminator);
  gan_network *eye = make_classifier(r);
  gan_optimizer *g = make_optimizer(r, "g", "adam rate=2e-3 schedule=(cosine steps=800)", G);
  gan_optimizer *d = make_optimizer(r, "d", "adam rate=2e-4", D);
  gan_loss *loss = make_loss(r, "non-saturating");

  gan_graph *step = make_step(r, "train");
  gan_node *x = gan_data_node(step, clothes(r), "image"), *made = gan_apply(G, coarse(x));
  gan_phase(step, "D");
  gan_minimize(d, gan_loss_discriminator(loss, gan_apply(D, x), gan_apply(D, made)));
  gan_phase(step, "G");
  gan_node *fooled = gan_loss_generator(loss, NULL, gan_apply(D, made));
  gan_minimize(g, TOTAL({1, gan_l2(made, x)}, {2e-3, gan_perceptual(eye, made, x)}, {1e-3, fooled})); /* the last as in the paper */

  gan_graph *test = make_step(r, "test");
  gan_node *truth = gan_data_node(test, held_out(r), "image"), *small = coarse(truth), *sharp = gan_evaluate(G, small);
  gan_node *enlarged = gan_resize(small, SIDE, SIDE, "bilinear");
  gan_output(psnr(sharp, truth), "made");
  gan_output(psnr(enlarged, truth), "enlarged");
  gan_output(sharpness(sharp), "made sharpness");
  gan_output(sharpness(enlarged), "enlarged sharpness");
  show_rows(r, "test", NODES(gan_resize(small, SIDE, SIDE, "nearest"), enlarged, sharp, truth));

  train(r, "train", recipe_steps(r));
  figure_above(r, "psnr", measure(r, "test", "made"), "bilinear", measure(r, "test", "enlarged"));
  figure_above(r, "sharpness", measure(r, "test", "made sharpness"), "bilinear", measure(r, "test", "enlarged sharpness"));
}
