/* A schedule made from text: "cosine steps=10000 warmup=500". */
#ifndef GAN_TRAIN_SCHEDULE_H
#define GAN_TRAIN_SCHEDULE_H

#include "train/train.h"

struct schedule { const struct schedule_row *row; struct options options; };

gan_status schedule_parse(gan_context *ctx, const char *text, struct schedule *out);   /* free it also after failure */
double schedule_factor(const struct schedule *s, int64_t step);                        /* step: how many were done before */
void schedule_free(struct schedule *s);

#endif
