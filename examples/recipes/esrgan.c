/* esrgan: srgan enhanced: residual blocks of dense blocks without batch norm, a discriminator that compares real with made
 * pictures, and L1 distances. G learns distances alone first. Wang et al. 2018. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "esrgan",
  .paper = "Wang et al. 2018, ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks",
  .does = "Makes 28x28 pixels of 7x7. Figures: PSNR in dB on held-out pictures after the first part of the training, on L1\n"
          "alone, beside bilinear enlargement; sharpness after the second, with D, beside that after the first. Picture:\n"
          "7x7, enlarged, made, true.",
  .steps = 600,
};

/* x + 0.2 d(x), d a dense block and a convolution back to the channels; two of them, and the same around both. */
#define DENSE(from, to) \
  "dense-block layers=3 growth=12 norm=none activation=(leaky-relu slope=0.2) from=" from "\n" \
  "conv2d filters=24 kernel=3 padding=1; scale factor=0.2 name=s" to "; add name=" to " from=s" to "," from "\n"
#define RRDB(from, to) \
  DENSE(from, to "-1") DENSE(to "-1", to "-2") \
  "scale factor=0.2 name=s" to " from=" to "-2; add name=" to " from=s" to "," from "\n"

static const char generator[] =
  "input x 7x7x1\n"
  "conv2d filters=24 kernel=3 padding=1 name=r0\n"
  RRDB("r0", "r1")
  "conv2d filters=24 kernel=3 padding=1 name=last; add from=last,r0\n"
  "upsample; conv2d filters=24 kernel=3 padding=1; leaky-relu slope=0.2\n"
  "upsample; conv2d filters=24 kernel=3 padding=1; leaky-relu slope=0.2\n"
  "conv2d filters=1 kernel=3 padding=1; tanh\n";

void recipe_play(struct recipe *r) {
  gan_network *G = make_network(r, "G", generator), *D = make_network(r, "D", plain_discriminator);
  gan_network *eye = make_classifier(r);
  gan_optimizer *first = make_optimizer(r, "first", "adam rate=2e-3", G), *g = make_optimizer(r, "g", "adam rate=5e-4", G);
  gan_optimizer *d = make_optimizer(r, "d", "adam rate=2e-4", D);
  gan_loss *loss = make_loss(r, "relativistic-average");

  gan_graph *alone = make_step(r, "alone");
  gan_node *x = gan_data_node(alone, clothes(r), "image");
  gan_minimize(first, gan_l1(gan_apply(G, coarse(x)), x));

  gan_graph *step = make_step(r, "with D");
  x = gan_data_node(step, clothes(r), "image");
  gan_node *made = gan_apply(G, coarse(x));
  gan_phase(step, "D");
  gan_minimize(d, gan_loss_discriminator(loss, gan_apply(D, x), gan_apply(D, made)));
  gan_phase(step, "G");
  gan_node *fooled = gan_loss_generator(loss, gan_apply(D, x), gan_apply(D, made));
  gan_minimize(g, TOTAL({1, gan_l1(made, x)}, {2e-3, gan_perceptual(eye, made, x)}, {2e-2, fooled}));

  gan_graph *test = make_step(r, "test");
  gan_node *truth = gan_data_node(test, held_out(r), "image"), *small = coarse(truth), *sharp = gan_evaluate(G, small);
  gan_node *enlarged = gan_resize(small, SIDE, SIDE, "bilinear");
  gan_output(psnr(sharp, truth), "made");
  gan_output(psnr(enlarged, truth), "enlarged");
  gan_output(sharpness(sharp), "sharpness");
  show_rows(r, "test", NODES(gan_resize(small, SIDE, SIDE, "nearest"), enlarged, sharp, truth));

  train(r, "alone", recipe_steps(r));
  double sharp_alone = measure(r, "test", "sharpness");
  figure_above(r, "psnr", measure(r, "test", "made"), "bilinear", measure(r, "test", "enlarged"));
  train(r, "with D", recipe_steps(r));
  figure_above(r, "sharpness", measure(r, "test", "sharpness"), "on L1 alone", sharp_alone);
}
