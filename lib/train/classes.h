/* What losses with classes share with the public functions of classes.c. */
#ifndef GAN_TRAIN_CLASSES_H
#define GAN_TRAIN_CLASSES_H

#include "train/train.h"

/* Cross-entropy over the samples whose label is known; a label that equals the number of classes stands for none. */
gan_node *known_cross_entropy(gan_node *logits, gan_node *labels);

/* mean max(0, 1 + largest wrong logit - right one); own: 1 at the right class, (batch, classes), else 0. */
gan_node *hinge_of_classes(gan_node *logits, gan_node *own);

#endif
