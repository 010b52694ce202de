/* A line of what gan-bench says of a case. */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include <stdint.h>

#include "clock.h"

struct figures {
  const char *name, *suffix;
  int64_t batch, flops, plan; /* plan: bytes of activations and workspace */
  int threads;
  struct timing time;
  double peak, allocations;   /* FMA peak of the threads used; allocations a run */
};

/* Times run as clock_time does, and the machine's peak beside it. Returns 0 if a run failed. */
int figures_time(struct figures *f, int (*run)(void *user), void *user, double seconds);
void figures_print(const struct figures *f);

#endif
