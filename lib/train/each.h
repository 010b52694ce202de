/* Losses before their mean, of each sample or of each element, so that samples can have weights: what the rows of losses.def share
 * with the public functions. Each checks its arguments; what is wrong comes as the error node.. */
#ifndef GAN_TRAIN_EACH_H
#define GAN_TRAIN_EACH_H

#include "train/train.h"

/* ------------------------------------------------------------------ of each element, of x's shape */

gan_node *each_l1(gan_node *a, gan_node *b);
gan_node *each_l2(gan_node *a, gan_node *b);
gan_node *each_huber(gan_node *a, gan_node *b, double delta);
gan_node *each_binary_cross_entropy(gan_node *logits, gan_node *targets);

/* ------------------------------------------------------------------ of each sample, (batch) */

gan_node *each_cross_entropy(gan_node *logits, gan_node *labels);
/* 0 where the label is unknown: where it equals the number of classes. Scaled so that the mean over all is the one over the samples
 * whose label is known; weights: (batch), how much each counts, NULL: all alike. */
gan_node *each_known_cross_entropy(gan_node *logits, gan_node *labels, gan_node *weights);
gan_node *each_kl_gaussian(gan_node *mean, gan_node *log_variance);
gan_node *each_kl_categorical(gan_node *p, gan_node *q);                       /* (..) of (.., classes) */
gan_node *each_gaussian_likelihood(gan_node *x, gan_node *mean, gan_node *log_variance);
gan_node *each_mutual_information(gan_node *code, gan_node *prediction, const char *distribution);
gan_node *each_perceptual(gan_network *network, gan_node *x, gan_node *target);
/* max(0, 1 + largest wrong logit - right one); own: 1 at the right class, (batch, classes), else 0. */
gan_node *each_multi_hinge(gan_node *logits, gan_node *own);

/* (batch, 1); weights: (batch), how much each sample counts among the others that one is compared with; NULL: all alike. */
gan_node *each_contrastive_2c(gan_node *features, gan_node *embeddings, gan_node *labels, double temperature, gan_node *weights);
gan_node *each_d2d_ce(gan_node *features, gan_node *embeddings, gan_node *labels, double temperature, double margin,
                      gan_node *weights);

/* ------------------------------------------------------------------ of pairs of samples: one number */

/* Each pair counts as the product of its weights, (batch); NULL: all alike. */
gan_node *pull_away(gan_node *features, gan_node *weights);

#endif
