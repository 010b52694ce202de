/* What tells kinds of clothes apart: a small classifier, trained by the library that is shown. */
#include <math.h>

#include "parts.h"

enum { JUDGE_STEPS = 1500, FEATURES = 128, COMPARED = 4 * FEATURES + KINDS };

gan_network *make_classifier(struct recipe *r) {
  gan_game *game;
  gan_graph *step;
  gan_network *judge = make_network(r, "judge",
    "input x 28x28x1\n"
    "conv2d filters=16 kernel=4 stride=2 padding=1; relu\n"
    "conv2d filters=32 kernel=4 stride=2 padding=1; relu\n"
    "flatten; dense units=128; relu name=features; dense units=10 name=logits\n"
    "output logits logits; output features features\n");
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

gan_node *joint_shares(gan_node *a, gan_node *b) {
  gan_node *counts = gan_matmul(gan_one_hot(a, KINDS), gan_one_hot(b, KINDS), 1, 0);
  return gan_scale(counts, 1.0 / (double)gan_node_size(a, 0));
}

/* Of each row of shares (rows,KINDS) the largest, added up. */
static double largest(const double *shares, int rows) {
  double sum = 0;
  for (int row = 0; row < rows; row++) {
    double most = 0;
    for (int kind = 0; kind < KINDS; kind++) most = fmax(most, shares[row * KINDS + kind]);
    sum += most;
  }
  return sum;
}

double guessed(const double *joint) { return largest(joint, KINDS); }

double guessed_blindly(const double *joint) {
  double shares[KINDS] = {0};
  for (int i = 0; i < KINDS * KINDS; i++) shares[i % KINDS] += joint[i];
  return largest(shares, 1);
}

gan_node *l1_of_others(gan_node *pictures, gan_node *truth) {
  int64_t n = gan_node_size(pictures, 0);
  return gan_l1(gan_slice(pictures, 0, 1, n), gan_slice(truth, 0, 0, n - 1));
}

/* ------------------------------------------------------------------------------------------- made beside real pictures */

/* What is compared, means over the batch: real features and their squares, those of made pictures, shares of made kinds. */
void compare(gan_network *classifier, gan_node *real, gan_node *made, const char *name) {
  gan_node *of_real[2], *of_made[2], *parts[5];
  const int32_t batch = 0;
  gan_network_apply(classifier, GAN_EVALUATION, 1, &real, 2, of_real);
  gan_network_apply(classifier, GAN_EVALUATION, 1, &made, 2, of_made);
  parts[0] = gan_mean_axes(of_real[1], 1, &batch, 0);
  parts[1] = gan_mean_axes(gan_square(of_real[1]), 1, &batch, 0);
  parts[2] = gan_mean_axes(of_made[1], 1, &batch, 0);
  parts[3] = gan_mean_axes(gan_square(of_made[1]), 1, &batch, 0);
  parts[4] = gan_mean_axes(gan_one_hot(gan_argmax(of_made[0], 1), KINDS), 1, &batch, 0);
  gan_output(gan_concat(5, parts, 0), name);
}

double distance(struct recipe *r, const char *step, const char *name) {
  double m[COMPARED], sum = 0;
  measure_each(r, step, name, COMPARED, m);
  for (int i = 0; i < FEATURES; i++) {
    double real = m[i], made = m[2 * FEATURES + i];
    double spread = sqrt(fmax(0, m[FEATURES + i] - real * real)) - sqrt(fmax(0, m[3 * FEATURES + i] - made * made));
    sum += (real - made) * (real - made) + spread * spread;
  }
  return sum;
}

double kinds(struct recipe *r, const char *step, const char *name) {
  double m[COMPARED], entropy = 0;
  measure_each(r, step, name, COMPARED, m);
  for (int i = 0; i < KINDS; i++) {
    double share = m[4 * FEATURES + i];
    if (share > 0) entropy -= share * log(share);
  }
  return exp(entropy);
}
