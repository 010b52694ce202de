#include "loss_functions.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* What a function is called with; number, second: what stands behind the name, or 0. */
struct arguments { gan_node *const *in; int32_t count; double number, second; const char *word; gan_network *network; };

typedef gan_node *call(const struct arguments *a);

#define ONE(NAME) static gan_node *NAME(const struct arguments *a) { return gan_##NAME(a->in[0]); }
#define TWO(NAME) static gan_node *NAME(const struct arguments *a) { return gan_##NAME(a->in[0], a->in[1]); }
#define CALL(NAME, ...) static gan_node *NAME(const struct arguments *a) { return gan_##NAME(__VA_ARGS__); }

TWO(cross_entropy)
TWO(binary_cross_entropy_to)
TWO(l1)
TWO(l2)
TWO(kl_gaussian)
TWO(kl_categorical)
TWO(feature_matching)
TWO(multi_hinge)
ONE(pull_away)
CALL(binary_cross_entropy, a->in[0], a->number)
CALL(huber, a->in[0], a->in[1], a->number)
CALL(gaussian_likelihood, a->in[0], a->in[1], a->count == 3 ? a->in[2] : NULL)
CALL(mutual_information, a->in[0], a->in[1], a->word)
CALL(contrastive_2c, a->in[0], a->in[1], a->in[2], a->number)
CALL(d2d_ce, a->in[0], a->in[1], a->in[2], a->number, a->second)
CALL(perceptual, a->network, a->in[0], a->in[1])
static gan_node *class_score(const struct arguments *a) { return gan_mean(gan_class_score(a->in[0])); }

/* Weighted twice, so that every element has its own gradient. */
static gan_node *gaussian_sample(const struct arguments *a) {
  gan_node *sample = gan_gaussian_sample(a->in[0], a->in[1], a->in[2]);
  return gan_sum(gan_mul(gan_square(sample), a->in[2]));
}

static gan_node *total(const struct arguments *a) {
  gan_node *rows = gan_mean_axes(a->in[1], 1, (int32_t[]){0}, 0);
  return gan_mean(gan_square(gan_total(3, (gan_term[]){{1, a->in[0]}, {a->number, rows}, {-0.5, gan_mul(a->in[0], a->in[1])}})));
}

/* Weighted, so that every element of the result has its own gradient. */
static gan_node *augment(const struct arguments *a) {
  return gan_sum(gan_mul(gan_augment(a->in[0], a->word, a->count == 3 ? a->in[2] : NULL), a->in[1]));
}

/* Of two losses of one input, with respect to it. */
static gan_node *mix_by_gradient(const struct arguments *a) {
  gan_node *loss = gan_mean(gan_square(a->in[0])), *other = gan_mean(gan_tanh(gan_mul(a->in[0], a->in[1])));
  return gan_mix_by_gradient(loss, other, a->number, 1, a->in);
}

static const struct row { struct loss_function public; call *call; } rows[] = {
  {{"cross-entropy", "4x3 4:i3 -3..3"}, cross_entropy},
  {{"binary-cross-entropy 0.25", "3x4 -3..3"}, binary_cross_entropy},
  {{"binary-cross-entropy-to", "3x4 3x4 -3..3"}, binary_cross_entropy_to},
  {{"l1", "3x4 3x4 -2..2 separate; 2x3x4 2x3x4 -2..2 separate"}, l1},
  {{"l2", "3x4 3x4 -2..2; 2x3x4 2x3x4 -2..2"}, l2},
  {{"huber 0.5", "3x4 3x4 -2..2 separate"}, huber},
  {{"kl-gaussian", "3x4 3x4 -2..2; 2x3x4 2x3x4 -2..2"}, kl_gaussian},
  {{"kl-categorical", "3x4 3x4 -2..2; 2x3x4 2x3x4 -2..2"}, kl_categorical},
  {{"gaussian-likelihood", "3x4 3x4 -2..2; 3x4 3x4 3x4 -2..2"}, gaussian_likelihood},
  {{"gaussian-sample", "3x4 3x4 3x4 -2..2"}, gaussian_sample},
  {{"total 10", "3x4 3x4 -2..2"}, total},
  {{"mutual-information categorical", "5:i4 5x4 -2..2"}, mutual_information},
  {{"mutual-information uniform", "4x3 4x3 -1..1; 4x3 4x6 -1..1"}, mutual_information},
  {{"mutual-information normal", "4x3 4x3 -1..1; 4x3 4x6 -1..1"}, mutual_information},
  {{"feature-matching", "4x3 4x3 -2..2; 4x3x2 6x3x2 -2..2"}, feature_matching},
  {{"pull-away", "5x3 -1..1"}, pull_away},
  {{"class-score", "5x3 -2..2; 2x3x4 -2..2"}, class_score},
  {{"multi-hinge", "5x4 5:i4 -2..2 separate"}, multi_hinge},
  {{"contrastive-2c 0.5", "6x4 6x4 6:i3 -1..1"}, contrastive_2c},
  {{"d2d-ce 0.25 0.98", "6x4 6x4 6:i3 -1..1"}, d2d_ce},
  {{"augment color flip translation=0.2 cutout=0.4 noise=0.1", "3x4x5x2 3x4x5x2 -1..1; 3x4x5x2 3x4x5x2 scalar 0.1..0.9"}, augment},
  {{"augment noise=0.5", "3x4 3x4 -1..1"}, augment},
  {{"mix-by-gradient 0.5", ""}, mix_by_gradient},   /* its factor is a constant for gradients alone */
  {{"perceptual", ""}, perceptual},                 /* needs a network, and stops at the target */
};

enum { ROWS = sizeof rows / sizeof *rows };

const struct loss_function *loss_function_at(int32_t index) { return index < ROWS ? &rows[index].public : NULL; }

static const struct row *find(const char *text, size_t length) {
  for (int32_t i = 0; i < ROWS; i++)
    if (strcspn(rows[i].public.text, " ") == length && !strncmp(rows[i].public.text, text, length)) return &rows[i];
  return NULL;
}

gan_node *loss_function_call(const char *text, gan_network *network, int32_t count, gan_node *const *in) {
  size_t length = strcspn(text, " ");
  const struct row *row = find(text, length);
  const char *word = text + length + (text[length] == ' ');
  char *rest;
  struct arguments a = {.in = in, .count = count, .word = word, .network = network};
  a.number = strtod(word, &rest);
  a.second = strtod(rest, NULL);
  return row ? row->call(&a) : NULL;
}
