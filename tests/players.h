/* Two players that any loss, penalty and device can be played with, on points with labels. */
#ifndef GAN_TESTS_PLAYERS_H
#define GAN_TESTS_PLAYERS_H

#include "play.h"

#define G_LINES \
  "input z 4 noise=normal; input label classes=3; input code 2 noise=uniform; one-hot classes=3 from=label name=h;" \
  "concat from=z,h,code; dense units=8; tanh; dense units=2"

/* Scores, features, embeddings of the labels, logits of the classes, means of the code. */
#define D_LINES \
  "input x 2; input label classes=3; dense units=8 from=x name=trunk; tanh name=t;" \
  "dense units=1 from=t name=scores; dense units=4 from=t name=features; embedding classes=3 width=4 from=label name=proxy;" \
  "dense units=3 from=t name=logits; dense units=2 from=t name=means;" \
  "output scores scores; output features features; output embeddings proxy; output logits logits; output means means"

#define SMALL_G "input z 4 noise=normal; dense units=8; batch-norm; tanh; dense units=2"
#define SMALL_D "input x 2; dense units=8 name=first; tanh; dense units=1 name=last"

/* Players from lines, 300 points with a label each, a config of batches of 12. */
struct play players_open(struct allocator *a, int32_t threads, const char *g, const char *d);
/* A slot "weight" of the data, the same for all samples. */
void add_weights(struct play *p, float weight);
gan_progress progress_of(const struct play *p);

#endif
