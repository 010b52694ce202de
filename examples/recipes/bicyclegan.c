/* bicyclegan: one outline, many clothes. G paints an outline as a code says. In one cycle the code is read off the true picture,
 * which has to come back (cVAE-GAN); in the other it is drawn by chance and has to be read off what was painted (cLR-GAN). Zhu,
 * Zhang et al. 2017. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "bicyclegan",
  .paper = "Zhu, Zhang et al. 2017, Toward Multimodal Image-to-Image Translation",
  .does = "Paints clothes into outlines in many ways. Rows: outlines, four ways by chance, as the code of the true clothes\n"
          "says, the true clothes. Figures: error of the code that is read off a painted picture, beside that of reading\n"
          "nothing; L1 distance of two ways; L1 to the true clothes with their code, beside that with one by chance, and\n"
          "that beside the outline's.",
  .steps = 1500, .batch = 32,
};

static const char generator[] =
  "input x 28x28x1\n"
  "input z 2 noise=normal\n"
  "reshape shape=1x1x2 from=z; resize size=28 name=map\n"
  "concat from=x,map; conv2d filters=16 kernel=4 stride=2 padding=1 name=outer\n"
  "leaky-relu slope=0.2; conv2d filters=32 kernel=4 stride=2 padding=1; instance-norm name=inner\n"
  "leaky-relu slope=0.2; conv2d filters=64 kernel=3 padding=1; instance-norm; relu name=deep\n"
  "concat from=deep,inner; conv-transpose2d filters=16 kernel=4 stride=2 padding=1; instance-norm; relu name=up\n"
  "concat from=up,outer; conv-transpose2d filters=1 kernel=4 stride=2 padding=1; tanh\n";

static const char encoder[] =
  "input y 28x28x1\n"
  "conv2d filters=16 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1; leaky-relu slope=0.2; flatten name=features\n"
  "dense units=2 name=mean from=features; output mean mean\n"
  "dense units=2 name=log-variance from=features; output log-variance log-variance\n";

static const char patches[] =
  "input x 28x28x1\n"
  "input y 28x28x1\n"
  "concat from=x,y\n"
  "conv2d filters=16 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1; instance-norm; leaky-relu slope=0.2\n"
  "conv2d filters=1 kernel=3 padding=1\n";

enum { MEAN, LOG_VARIANCE, CODES }; /* of E */

void recipe_play(struct recipe *r) {
  gan_network *G = make_network(r, "G", generator), *E = make_network(r, "E", encoder), *D = make_network(r, "D", patches);
  gan_optimizer *d = make_optimizer(r, "d", "adam rate=1e-3 beta1=0.5", D);
  gan_optimizer *g = make_optimizer(r, "g", "adam rate=5e-4 beta1=0.5", G);
  gan_loss *loss = make_loss(r, "least-squares");
  gan_node *code[CODES];
  optimize_too(r, g, E, NULL);

  gan_graph *step = make_step(r, "train");
  gan_node *y = gan_data_node(step, clothes(r), "image"), *x = edges(y), *z = gan_noise(step, G, "z");
  gan_network_apply(E, GAN_TRAINING, 1, &y, CODES, code);
  gan_node *read = gan_gaussian_sample(code[MEAN], code[LOG_VARIANCE], gan_random_like(z, "spread", "normal"));
  gan_node *back = gan_apply2(G, x, read), *made = gan_apply2(G, x, z);
  gan_phase(step, "D");
  gan_node *real = gan_apply2(D, x, y);
  gan_node *told_back = gan_loss_discriminator(loss, real, gan_apply2(D, x, back));
  gan_minimize(d, TOTAL({1, told_back}, {1, gan_loss_discriminator(loss, real, gan_apply2(D, x, made))}));
  gan_phase(step, "G and E");
  gan_node *fooled_back = gan_loss_generator(loss, NULL, gan_apply2(D, x, back));
  gan_node *fooled = gan_loss_generator(loss, NULL, gan_apply2(D, x, made));
  gan_node *misread = gan_l1(gan_apply_frozen(E, made), z); /* E reads, but does not learn to be told */
  gan_node *divergence = gan_kl_gaussian(code[MEAN], code[LOG_VARIANCE]);
  gan_minimize(g, TOTAL({1, fooled_back}, {1, fooled}, {10, gan_l1(back, y)}, {0.05, divergence}, {0.2, misread}));

  gan_graph *test = make_step(r, "test");
  gan_node *truth = gan_data_node(test, held_out(r), "image"), *outline = edges(truth), *ways[4];
  gan_node *codes = gan_random(test, "codes", "normal", 3, (int64_t[]){4, gan_node_size(truth, 0), 2});
  show(r, "test", outline);
  for (int i = 0; i < 4; i++) {
    gan_node *way = gan_reshape(gan_slice(codes, 0, i, i + 1), 2, (int64_t[]){-1, 2});
    show(r, "test", ways[i] = gan_evaluate2(G, outline, way));
    if (i == 0) gan_output(gan_l1(gan_evaluate(E, ways[0]), way), "read"), gan_output(gan_mean(gan_abs(way)), "unread");
  }
  gan_node *told = gan_evaluate2(G, outline, gan_evaluate(E, truth));
  gan_output(gan_l1(ways[0], ways[1]), "variety");
  gan_output(gan_l1(told, truth), "told");
  gan_output(gan_l1(ways[0], truth), "untold");
  gan_output(gan_l1(outline, truth), "identity");
  show(r, "test", told);
  show(r, "test", truth);

  train(r, "train", recipe_steps(r));
  double untold = measure(r, "test", "untold");
  figure_below(r, "code-error", measure(r, "test", "read"), "nothing read", measure(r, "test", "unread"));
  figure_above(r, "variety", measure(r, "test", "variety"), "one way", 0);
  figure_below(r, "l1", measure(r, "test", "told"), "a code by chance", untold);
  figure_below(r, "l1-by-chance", untold, "identity", measure(r, "test", "identity"));
}
