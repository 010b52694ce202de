/* pixelda: kinds are known in one domain and wanted in another. G turns labelled pictures into ones that look like the target
 * domain's, and a classifier learns from both; no label of the target is ever seen. The same classifier learns from the source
 * alone beside it. Bousmalis et al. 2017. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "pixelda",
  .paper = "Bousmalis et al. 2017, Unsupervised Pixel-Level Domain Adaptation with Generative Adversarial Networks",
  .does = "Names clothes in faint coloured negatives, though only grey ones are labelled. Rows: grey pictures, G of them,\n"
          "pictures of the target. Figure: the share that is named right of held-out pictures of the target, beside\n"
          "learning from the source alone.",
  .steps = 1500,
};

static const char generator[] =
  "input x 28x28x3\n"
  "input z 4 noise=normal\n"
  "reshape shape=1x1x4 from=z; resize size=28 name=map\n"
  "concat from=x,map; conv2d filters=16 kernel=3 padding=1; relu\n"
  "conv2d filters=16 kernel=3 padding=1; batch-norm; relu\n"
  "conv2d filters=3 kernel=3 padding=1; tanh\n";

static const char discriminator[] =
  "input x 28x28x3\n"
  "conv2d filters=16 kernel=4 stride=2 padding=1; leaky-relu slope=0.2; dropout rate=0.1\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1; leaky-relu slope=0.2; dropout rate=0.1\n"
  "flatten; dense units=1\n";

static const char classifier[] =
  "input x 28x28x3\n"
  "conv2d filters=16 kernel=4 stride=2 padding=1; relu\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1; relu\n"
  "flatten; dense units=64; relu; dense units=10\n";

/* Negatives of half the contrast, each in a colour of its own. */
static gan_node *as_target(gan_node *pictures) {
  gan_node *color = gan_random(gan_node_graph(pictures), "color", "uniform low=0.3 high=1", 2, (int64_t[]){-1, 3});
  return coloured(gan_scale(gan_neg(pictures), 0.6), color);
}

void recipe_play(struct recipe *r) {
  gan_network *G = make_network(r, "G", generator), *D = make_network(r, "D", discriminator);
  gan_network *T = make_network(r, "T", classifier), *alone = make_network(r, "alone", classifier);
  gan_optimizer *g = make_optimizer(r, "g", "adam rate=5e-4 beta1=0.5", G);
  gan_optimizer *d = make_optimizer(r, "d", "adam rate=5e-4 beta1=0.5", D), *t = make_optimizer(r, "t", "adam rate=1e-3", T);
  gan_optimizer *a = make_optimizer(r, "alone", "adam rate=1e-3", alone);
  gan_loss *loss = make_loss(r, "non-saturating");

  gan_graph *step = make_step(r, "train");
  gan_data *source = clothes_half(r, 0), *target = clothes_half(r, 1);
  gan_node *x = tinted(gan_data_node(step, source, "image"), 1, 1, 1);
  gan_node *label = gan_data_node(step, source, "label");
  gan_node *y = as_target(gan_data_node(step, target, "image")), *made = gan_apply2(G, x, gan_noise(step, G, "z"));
  gan_phase(step, "D");
  gan_minimize(d, gan_loss_discriminator(loss, gan_apply(D, y), gan_apply(D, made)));
  gan_minimize(t, TOTAL({1, gan_cross_entropy(gan_apply(T, x), label)}, {1, gan_cross_entropy(gan_apply(T, made), label)}));
  gan_minimize(a, gan_cross_entropy(gan_apply(alone, x), label));
  gan_phase(step, "G");
  gan_node *fooled = gan_loss_generator(loss, NULL, gan_apply(D, made)), *named = gan_cross_entropy(gan_apply(T, made), label);
  gan_minimize(g, TOTAL({1, fooled}, {0.1, named}));

  gan_graph *test = make_step(r, "test");
  gan_node *held = gan_data_node(test, held_out(r), "image"), *kind = gan_data_node(test, held_out(r), "label");
  gan_node *grey = tinted(held, 1, 1, 1), *wanted = as_target(held);
  gan_output(share_right(gan_evaluate(T, wanted), kind), "right");
  gan_output(share_right(gan_evaluate(alone, wanted), kind), "alone");
  show_rows(r, "test", NODES(grey, gan_evaluate2(G, grey, gan_noise(test, G, "z")), wanted));

  train(r, "train", recipe_steps(r));
  figure_above(r, "accuracy", measure(r, "test", "right"), "source alone", measure(r, "test", "alone"));
}
