/* progressive: networks that grow. Pictures of 7x7 are learnt first, then of 14x14, then of 28x28; the layers of a new size
 * fade in beside the enlarged picture of the size before. Karras et al. 2018. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "progressive",
  .paper = "Karras et al. 2018, Progressive Growing of GANs for Improved Quality, Stability, and Variation",
  .does = "Trains three sizes one after the other. Figures: how far made pictures are from real ones, beside blurred ones;\n"
          "the same beside what the middle size made, enlarged. Picture: samples of 28x28, and of 14x14 enlarged.",
  .steps = 1500,
};

enum { SIZES = 3 };

/* Each size adds layers to both networks, and its own way from features to a picture and back. */
static const char *const grow_g[SIZES] = {
  "input z 64 noise=normal\ndense units=1568; reshape shape=7x7x32; leaky-relu slope=0.2; pixel-norm\n",
  "input h 7x7x32\nupsample; conv2d filters=32 kernel=3 padding=1; leaky-relu slope=0.2; pixel-norm\n",
  "input h 14x14x32\nupsample; conv2d filters=16 kernel=3 padding=1; leaky-relu slope=0.2; pixel-norm\n",
};
static const char *const to_picture[SIZES] = {
  "input h 7x7x32\nconv2d filters=1 kernel=1\n",
  "input h 14x14x32\nconv2d filters=1 kernel=1\n",
  "input h 28x28x16\nconv2d filters=1 kernel=1\n",
};
static const char *const from_picture[SIZES] = {
  "input x 7x7x1\nconv2d filters=32 kernel=1; leaky-relu slope=0.2\n",
  "input x 14x14x1\nconv2d filters=32 kernel=1; leaky-relu slope=0.2\n",
  "input x 28x28x1\nconv2d filters=16 kernel=1; leaky-relu slope=0.2\n",
};
static const char *const shrink_d[SIZES] = {
  "input h 7x7x32\nminibatch-stddev; conv2d filters=32 kernel=3 padding=1; leaky-relu slope=0.2; flatten; dense units=1\n",
  "input h 14x14x32\nconv2d filters=32 kernel=3 padding=1; leaky-relu slope=0.2; average-pool kernel=2\n",
  "input h 28x28x16\nconv2d filters=32 kernel=3 padding=1; leaky-relu slope=0.2; average-pool kernel=2\n",
};
static const char *const sizes[SIZES] = {"7", "14", "28"};

struct growing { gan_network *g[SIZES], *picture[SIZES], *from[SIZES], *d[SIZES]; };

static gan_node *mix(gan_node *old, gan_node *new, gan_node *alpha) {
  return gan_add(old, gan_mul(gan_sub(new, old), alpha));
}

static gan_node *twice(gan_node *x) {
  return gan_resize(x, 2 * gan_node_size(x, 1), 2 * gan_node_size(x, 2), "nearest");
}

/* Pictures of a size; its layers count alpha, the enlarged picture of the size before the rest. */
static gan_node *generate(const struct growing *n, int size, gan_node *z, gan_node *alpha) {
  gan_node *h = z, *before = NULL;
  for (int i = 0; i <= size; i++) before = h, h = gan_apply(n->g[i], h);
  gan_node *picture = gan_apply(n->picture[size], h);
  return size ? mix(twice(gan_apply(n->picture[size - 1], before)), picture, alpha) : picture;
}

static gan_node *discriminate(const struct growing *n, int size, gan_node *x, gan_node *alpha) {
  gan_node *h = gan_apply(n->from[size], x);
  if (size) {
    gan_node *old = gan_apply(n->from[size - 1], gan_pool(x, "average kernel=2"));
    h = mix(old, gan_apply(n->d[size], h), alpha);
  }
  for (int i = size ? size - 1 : 0; i >= 0; i--) h = gan_apply(n->d[i], h);
  return h;
}

/* A step a size, with optimizers for all that there is by then. */
static void build_size(struct recipe *r, const struct growing *n, int size) {
  const char names[2][3] = {{'d', sizes[size][0], 0}, {'g', sizes[size][0], 0}};
  gan_optimizer *d = make_optimizer(r, names[0], "adam rate=1e-3 beta1=0 beta2=0.99", n->d[0]);
  gan_optimizer *g = make_optimizer(r, names[1], "adam rate=1e-3 beta1=0 beta2=0.99", n->g[0]);
  gan_loss *loss = make_loss(r, "non-saturating");
  for (int i = 1; i <= size; i++) optimize_too(r, d, n->d[i], NULL), optimize_too(r, g, n->g[i], NULL);
  for (int i = size ? size - 1 : 0; i <= size; i++) optimize_too(r, d, n->from[i], NULL), optimize_too(r, g, n->picture[i], NULL);

  gan_graph *step = make_step(r, sizes[size]);
  gan_node *alpha = gan_scalar(step, "alpha", 1), *x = gan_data_node(step, clothes(r), "image");
  for (int i = size; i < SIZES - 1; i++) x = gan_pool(x, "average kernel=2");
  gan_phase(step, "D");
  gan_node *made = generate(n, size, gan_noise(step, n->g[0], "z"), alpha), *score = discriminate(n, size, x, alpha);
  gan_node *slope = gan_mean(gan_square(gan_norm_per_sample(gan_gradient(score, x)))); /* R1 */
  gan_node *told = gan_loss_discriminator(loss, score, discriminate(n, size, made, alpha));
  gan_minimize(d, TOTAL({1, told}, {0.5, slope}));
  gan_phase(step, "G");
  gan_minimize(g, gan_loss_generator(loss, NULL, discriminate(n, size, made, alpha)));
}

/* The first half of a size's steps fades it in. */
static void train_size(struct recipe *r, int size, int64_t steps) {
  enum { FADES = 20 };
  for (int i = 0; size && i < FADES; i++) {
    gan_game_set(recipe_game(r), "alpha", (i + 1.0) / FADES);
    train(r, sizes[size], steps / 2 / FADES);
  }
  train(r, sizes[size], size ? steps - steps / 2 / FADES * FADES : steps);
}

static gan_network *make_part(struct recipe *r, char of, int size, const char *lines) {
  const char name[] = {of, (char)('0' + size), 0};
  return make_network(r, name, lines);
}

void recipe_play(struct recipe *r) {
  struct growing n;
  for (int i = 0; i < SIZES; i++) {
    n.g[i] = make_part(r, 'g', i, grow_g[i]);
    n.picture[i] = make_part(r, 'p', i, to_picture[i]);
    n.from[i] = make_part(r, 'f', i, from_picture[i]);
    n.d[i] = make_part(r, 'd', i, shrink_d[i]);
  }
  gan_network *judge = make_classifier(r);
  for (int i = 0; i < SIZES; i++) build_size(r, &n, i);

  gan_graph *test = make_step(r, "test");
  gan_node *one = gan_constant(test, 1), *z = gan_noise(test, n.g[0], "z"), *x = gan_data_node(test, held_out(r), "image");
  gan_node *large = gan_clamp(generate(&n, 2, z, one), -1, 1), *middle = gan_clamp(twice(generate(&n, 1, z, one)), -1, 1);
  compare(judge, x, large, "made");
  compare(judge, x, middle, "middle");
  compare(judge, x, blurred(gan_data_node(test, clothes(r), "image")), "blurred");
  show_rows(r, "test", NODES(large, middle));

  for (int i = 0; i < SIZES; i++) train_size(r, i, (recipe_steps(r) + SIZES - 1) / SIZES);
  figure_distance(r);
  figure_below(r, "distance-of-28", distance(r, "test", "made"), "14 enlarged", distance(r, "test", "middle"));
}
