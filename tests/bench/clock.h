/* Time, and how it is taken: the same way as the peers do, so that the figures can stand side by side. */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <stdint.h>

struct timing {
  double median, least; /* seconds a run: of five blocks */
};

double clock_now(void); /* seconds, monotonic */

/* Runs once, warms up, then times five blocks of a fifth of `seconds` each. run returns 0 to stop; then the times are negative. */
struct timing clock_time(int (*run)(void *user), void *user, double seconds);

#endif
