/* unit: two domains with one space of codes. Each has an eye and a hand of its own; the mind and the voice between them are
 * shared, so that the code of a picture in one domain is that of its counterpart in the other. Codes are those of variational
 * autoencoders (normal around the mean, with variance 1). Liu, Breuel and Kautz 2017. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "unit",
  .paper = "Liu, Breuel and Kautz 2017, Unsupervised Image-to-Image Translation Networks",
  .does = "Turns clothes into orange negatives through codes that both domains share, from pictures that are no pairs.\n"
          "Rows: clothes, out of their own codes, turned, the true negatives. Figures: L1 distance of the latter two,\n"
          "beside that of other clothes; L1 of the former two, beside that of two pictures.",
  .steps = 1200, .batch = 32,
};

#define EYE(channels) "input x 28x28x" channels "\nconv2d filters=16 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
#define HAND(channels) "input h 14x14x16\nconv-transpose2d filters=" channels " kernel=4 stride=2 padding=1; tanh\n"
#define JUDGE(channels) \
  EYE(channels) "conv2d filters=32 kernel=4 stride=2 padding=1; leaky-relu slope=0.2; conv2d filters=1 kernel=3 padding=1\n"

static const char mind[] =
  "input h 14x14x16\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1; instance-norm; leaky-relu slope=0.2; conv2d filters=32 kernel=3 padding=1\n";

static const char voice[] =
  "input code 7x7x32\n"
  "conv2d filters=32 kernel=3 padding=1; leaky-relu slope=0.2\n"
  "conv-transpose2d filters=16 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n";

struct domain { gan_network *eye, *hand, *judge; };

struct shared { gan_network *mind, *voice; };

static gan_node *encode(const struct shared *s, const struct domain *d, gan_node *x) {
  return gan_apply(s->mind, gan_apply(d->eye, x));
}

/* A code drawn around its mean, decoded. */
static gan_node *decode(const struct shared *s, const struct domain *d, gan_node *code, gan_node *noise) {
  return gan_apply(d->hand, gan_apply(s->voice, gan_add(code, noise)));
}

/* KL of N(code, 1) and N(0, 1), a number of the code. */
static gan_node *divergence(gan_node *code) {
  return gan_scale(gan_mean(gan_square(code)), 0.5);
}

void recipe_play(struct recipe *r) {
  struct shared s = {make_network(r, "mind", mind), make_network(r, "voice", voice)};
  struct domain one = {make_network(r, "eye1", EYE("1")), make_network(r, "hand1", HAND("1")), make_network(r, "D1", JUDGE("1"))};
  struct domain two = {make_network(r, "eye2", EYE("3")), make_network(r, "hand2", HAND("3")), make_network(r, "D2", JUDGE("3"))};
  gan_optimizer *g = make_optimizer_of(r, "g", "adam rate=1e-3 beta1=0.5",
                                       NETWORKS(s.mind, s.voice, one.eye, one.hand, two.eye, two.hand));
  gan_optimizer *d = make_optimizer_of(r, "d", "adam rate=5e-4 beta1=0.5", NETWORKS(one.judge, two.judge));
  gan_loss *loss = make_loss(r, "least-squares");

  gan_graph *step = make_step(r, "train");
  gan_node *x = gan_data_node(step, clothes_half(r, 0), "image"), *other = gan_data_node(step, clothes_half(r, 1), "image");
  gan_node *y = tinted(gan_neg(other), 1, 0.5, 0.2);
  gan_node *of_x = encode(&s, &one, x), *of_y = encode(&s, &two, y), *noise = gan_random_like(of_x, "noise", "normal");
  gan_node *xx = decode(&s, &one, of_x, noise), *xy = decode(&s, &two, of_x, noise);
  gan_node *yy = decode(&s, &two, of_y, noise), *yx = decode(&s, &one, of_y, noise);
  gan_phase(step, "D");
  gan_node *judged_x = gan_loss_discriminator(loss, gan_apply(one.judge, x), gan_apply(one.judge, yx));
  gan_node *judged_y = gan_loss_discriminator(loss, gan_apply(two.judge, y), gan_apply(two.judge, xy));
  gan_minimize(d, TOTAL({1, judged_x}, {1, judged_y}));
  gan_phase(step, "G");
  gan_node *of_xy = encode(&s, &two, xy), *of_yx = encode(&s, &one, yx);
  gan_node *fooled_x = gan_loss_generator(loss, NULL, gan_apply(one.judge, yx));
  gan_node *fooled_y = gan_loss_generator(loss, NULL, gan_apply(two.judge, xy));
  gan_node *again_x = decode(&s, &one, of_xy, noise), *again_y = decode(&s, &two, of_yx, noise);
  gan_minimize(g, TOTAL({1, fooled_x}, {1, fooled_y}, {10, gan_l1(xx, x)}, {10, gan_l1(yy, y)},
                        {10, gan_l1(again_x, x)}, {10, gan_l1(again_y, y)}, {0.1, divergence(of_x)}, {0.1, divergence(of_y)},
                        {0.1, divergence(of_xy)}, {0.1, divergence(of_yx)}));

  gan_graph *test = make_step(r, "test");
  gan_node *held = gan_data_node(test, held_out(r), "image"), *truth = tinted(gan_neg(held), 1, 0.5, 0.2);
  gan_node *spoken = gan_evaluate(s.voice, gan_evaluate(s.mind, gan_evaluate(one.eye, held)));
  gan_node *own = gan_evaluate(one.hand, spoken), *turned = gan_evaluate(two.hand, spoken);
  gan_output(gan_l1(turned, truth), "turned");
  gan_output(l1_of_others(turned, truth), "mistaken");
  gan_output(gan_l1(own, held), "own");
  gan_output(l1_of_others(held, held), "others");
  show_rows(r, "test", NODES(held, own, turned, truth));

  train(r, "train", recipe_steps(r));
  figure_below(r, "l1", measure(r, "test", "turned"), "truth of others", measure(r, "test", "mistaken"));
  figure_below(r, "own", measure(r, "test", "own"), "two pictures", measure(r, "test", "others"));
}
