/* dualgan: the two-way game with critics of Wasserstein's kind: weights clipped, RMSProp, several steps of the critics to one of
 * the translators, L1 for what comes back. Clothes and negatives, from other halves of the data. Yi et al. 2017. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "dualgan",
  .paper = "Yi et al. 2017, DualGAN: Unsupervised Dual Learning for Image-to-Image Translation",
  .does = "Turns clothes into negatives and back, from pictures that are no pairs. Rows: clothes, turned, the true\n"
          "negatives, turned back. Figures: L1 distance to the true negative, beside that of other clothes; L1 of there and\n"
          "back, beside that of two pictures.",
  .steps = 1200, .batch = 32,
};

enum { CRITIC_STEPS = 3 };

static const char translator[] =
  "input x 28x28x1\n"
  "conv2d filters=16 kernel=4 stride=2 padding=1; leaky-relu slope=0.2 name=outer\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "conv2d filters=32 kernel=3 padding=1; relu\n"
  "conv-transpose2d filters=16 kernel=4 stride=2 padding=1; relu name=up\n"
  "concat from=up,outer; conv-transpose2d filters=1 kernel=4 stride=2 padding=1; tanh\n";

static const char critic[] =
  "input x 28x28x1\n"
  "conv2d filters=16 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1; leaky-relu slope=0.2\n"
  "flatten; dense units=1\n";

/* The players and what they look at in a step: pictures U and V of both domains, and what the others make of them. */
struct play {
  gan_network *A, *B, *DA, *DB; /* A: U to V, judged by DA; B: V to U, judged by DB */
  gan_loss *loss;
  gan_node *u, *v, *made_v, *made_u;
};

static void look(struct play *p, gan_graph *step, gan_data *half, gan_data *other_half) {
  p->u = gan_data_node(step, half, "image");
  p->v = gan_neg(gan_data_node(step, other_half, "image"));
  p->made_v = gan_apply(p->A, p->u);
  p->made_u = gan_apply(p->B, p->v);
}

static gan_node *critics_lose(const struct play *p) {
  gan_node *of_v = gan_loss_discriminator(p->loss, gan_apply(p->DA, p->v), gan_apply(p->DA, p->made_v));
  gan_node *of_u = gan_loss_discriminator(p->loss, gan_apply(p->DB, p->u), gan_apply(p->DB, p->made_u));
  return TOTAL({1, of_v}, {1, of_u});
}

static gan_node *translators_lose(const struct play *p) {
  gan_node *fooled_v = gan_loss_generator(p->loss, NULL, gan_apply(p->DA, p->made_v));
  gan_node *fooled_u = gan_loss_generator(p->loss, NULL, gan_apply(p->DB, p->made_u));
  gan_node *again_u = gan_l1(gan_apply(p->B, p->made_v), p->u), *again_v = gan_l1(gan_apply(p->A, p->made_u), p->v);
  return TOTAL({1, fooled_v}, {1, fooled_u}, {10, again_u}, {10, again_v});
}

void recipe_play(struct recipe *r) {
  struct play p = {make_network(r, "A", translator), make_network(r, "B", translator), make_network(r, "DA", critic),
                   make_network(r, "DB", critic), make_loss(r, "wasserstein"), NULL, NULL, NULL, NULL};
  gan_optimizer *g = make_optimizer_of(r, "g", "rmsprop rate=5e-4 decay=0.9 schedule=(linear steps=1200)", NETWORKS(p.A, p.B));
  gan_optimizer *d = make_optimizer_of(r, "d", "rmsprop rate=5e-4 decay=0.9 bound=0.05", NETWORKS(p.DA, p.DB));
  gan_data *half = clothes_half(r, 0), *other_half = clothes_half(r, 1);

  gan_graph *step = make_step(r, "critics");
  look(&p, step, half, other_half);
  gan_minimize(d, critics_lose(&p));
  step = make_step(r, "translators");
  look(&p, step, half, other_half);
  gan_minimize(g, translators_lose(&p));

  gan_graph *test = make_step(r, "test");
  gan_node *held = gan_data_node(test, held_out(r), "image"), *made = gan_evaluate(p.A, held), *truth = gan_neg(held);
  gan_node *back = gan_evaluate(p.B, made);
  gan_output(gan_l1(made, truth), "turned");
  gan_output(l1_of_others(made, truth), "mistaken");
  gan_output(gan_l1(back, held), "back");
  gan_output(l1_of_others(held, held), "others");
  show_rows(r, "test", NODES(held, made, truth, back));

  train_in_turn(r, "critics", CRITIC_STEPS, "translators", recipe_steps(r));
  figure_below(r, "l1", measure(r, "test", "turned"), "truth of others", measure(r, "test", "mistaken"));
  figure_below(r, "cycle", measure(r, "test", "back"), "two pictures", measure(r, "test", "others"));
}
