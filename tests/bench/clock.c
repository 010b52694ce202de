#define _POSIX_C_SOURCE 200809L
#include "clock.h"

#include <stdlib.h>
#include <time.h>

enum { BLOCKS = 5, WARM_UPS = 20 };
static const double WARM_UP_SECONDS = 0.3;
static const struct timing FAILED = {-1, -1};

double clock_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds a run of `count` runs; negative if one failed. */
static double block(int (*run)(void *user), void *user, int64_t count) {
  double start = clock_now();
  for (int64_t i = 0; i < count; i++) {
    if (!run(user)) return -1;
  }
  return (clock_now() - start) / (double)count;
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static int64_t between(double value, int64_t low, int64_t high) {
  return value < (double)low ? low : value > (double)high ? high : (int64_t)value;
}

struct timing clock_time(int (*run)(void *user), void *user, double seconds) {
  double once = block(run, user, 1), blocks[BLOCKS];
  if (once < 0) return FAILED;
  int64_t warm_ups = between(WARM_UP_SECONDS / (once + 1e-7), 0, WARM_UPS);
  if (block(run, user, warm_ups) < 0) return FAILED;
  once = block(run, user, 1);
  if (once < 0) return FAILED;
  int64_t count = between(seconds / BLOCKS / (once + 1e-7), 1, INT64_C(1) << 30);
  for (int i = 0; i < BLOCKS; i++) {
    blocks[i] = block(run, user, count);
    if (blocks[i] < 0) return FAILED;
  }
  qsort(blocks, BLOCKS, sizeof blocks[0], by_size);
  return (struct timing){.median = blocks[BLOCKS / 2], .least = blocks[0]};
}
