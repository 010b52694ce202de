/* What a training run came to, step by step: kept in memory, written as CSV and as curves. */
#ifndef HISTORY_H
#define HISTORY_H

#include <gan.h>
#include <stddef.h>

struct point {
  int64_t step;
  double epoch, loss_d, loss_g, d_real, d_fake, norm_d, norm_g, samples_per_second;
};

struct history {
  struct point *points;
  size_t count, capacity;
};

/* Each returns 1, or 0 after a sentence. */
int history_add(struct history *h, const gan_progress *progress);
int history_read(struct history *h, const char *path, int64_t last_step); /* the rows of a CSV up to a step */
int history_write(const struct history *h, const char *path);             /* CSV */
int history_plot(const struct history *h, const char *path);              /* PNG */

void history_free(struct history *h);

#endif
