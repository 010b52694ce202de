/* What tells kinds of clothes apart: a small classifier, trained by the library that is shown. */
#include "parts.h"

enum { JUDGE_STEPS = 1500 };

gan_network *make_classifier(struct recipe *r) {
  gan_game *game;
  gan_graph *step;
  gan_network *judge = make_network(r, "judge",
    "input x 28x28x1\n"
    "conv2d filters=16 kernel=4 stride=2 padding=1; relu\n"
    "conv2d filters=32 kernel=4 stride=2 padding=1; relu\n"
    "flatten; dense units=128; relu; dense units=10\n");
  gan_optimizer *optimizer = make_optimizer(r, "judge", "adam rate=2e-3 schedule=(cosine steps=1500)", judge);
  need(r, gan_game_create(r->context, NULL, &game), "the classifier's game");
  need(r, gan_game_add_step(game, "judge", &step), "the classifier's step");
  gan_node *logits = gan_apply(judge, gan_data_node(step, r->clothes, "image"));
  gan_minimize(optimizer, gan_cross_entropy(logits, gan_data_node(step, r->clothes, "label")));
  run_steps(r, game, "judge", r->steps < JUDGE_STEPS ? r->steps : JUDGE_STEPS);
  gan_game_free(game);
  return judge;
}

gan_node *share_same(gan_node *a, gan_node *b) {
  return gan_mean(gan_equal(gan_to_float(a), gan_to_float(b)));
}

gan_node *share_right(gan_node *logits, gan_node *labels) {
  return share_same(gan_argmax(logits, 1), labels);
}
