/* fgsm: adversarial examples. A step of one size along the sign of the loss's gradient with respect to the picture turns a
 * classifier's answer, though a person sees the same picture; a classifier that is trained on such pictures withstands.
 * Goodfellow et al. 2015. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "fgsm",
  .paper = "Goodfellow, Shlens and Szegedy 2015, Explaining and Harnessing Adversarial Examples",
  .does = "Attacks a classifier by the fast gradient sign method, and trains another one against it. Figures: the first\n"
          "one's accuracy under attack, beside none; the second one's under the same attack, beside the first one's.\n"
          "Picture: held-out ones, then attacked ones, then the changes.",
  .steps = 1500,
};

static const char classifier[] =
  "input x 28x28x1\n"
  "conv2d filters=16 kernel=4 stride=2 padding=1; relu\n"
  "conv2d filters=32 kernel=4 stride=2 padding=1; relu\n"
  "flatten; dense units=128; relu; dense units=10\n";

static const double EPSILON = 0.1; /* of pictures in -1 .. 1: a twentieth of their range */

/* x + epsilon sign(grad of the loss at x), section 4 of the paper. The change is a constant for training. */
static gan_node *attacked(gan_network *C, gan_node *x, gan_node *label) {
  gan_node *loss = gan_cross_entropy(gan_evaluate(C, x), label);
  return gan_stop_gradient(gan_clamp(gan_add(x, gan_scale(gan_sign(gan_gradient(loss, x)), EPSILON)), -1, 1));
}

/* Half of the loss is that of attacked pictures if `hardened` (section 6). */
static void learn(struct recipe *r, const char *name, gan_network *C, int hardened) {
  gan_optimizer *optimizer = make_optimizer(r, name, "adam rate=2e-3 schedule=(cosine steps=1500)", C);
  gan_graph *step = make_step(r, name);
  gan_node *x = gan_data_node(step, clothes(r), "image"), *label = gan_data_node(step, clothes(r), "label");
  gan_node *loss = gan_cross_entropy(gan_apply(C, x), label);
  if (hardened) loss = TOTAL({0.5, loss}, {0.5, gan_cross_entropy(gan_apply(C, attacked(C, x, label)), label)});
  gan_minimize(optimizer, loss);
}

void recipe_play(struct recipe *r) {
  gan_network *plain = make_network(r, "plain", classifier), *hard = make_network(r, "hard", classifier);
  learn(r, "plain", plain, 0);
  learn(r, "hardened", hard, 1);

  gan_graph *test = make_step(r, "test");
  gan_node *x = gan_data_node(test, held_out(r), "image"), *label = gan_data_node(test, held_out(r), "label");
  gan_node *changed = attacked(plain, x, label);
  gan_output(share_right(gan_evaluate(plain, x), label), "right");
  gan_output(share_right(gan_evaluate(plain, changed), label), "attacked");
  gan_output(share_right(gan_evaluate(hard, attacked(hard, x, label)), label), "hardened");
  show_rows(r, "test", NODES(x, changed, gan_sub(changed, x)));

  train(r, "plain", recipe_steps(r));
  train(r, "hardened", recipe_steps(r));
  double attack = measure(r, "test", "attacked");
  figure_below(r, "accuracy-under-attack", attack, "without attack", measure(r, "test", "right"));
  figure_above(r, "accuracy-of-hardened", measure(r, "test", "hardened"), "not hardened", attack);
}
