#include "figures.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

#include "machine.h"

static double larger(double a, double b) {
  return a > b ? a : b;
}

/* The machine's clock may change: the peak is the better of one before and one after. */
int figures_time(struct figures *f, int (*run)(void *user), void *user, double seconds) {
  f->peak = machine_peak(f->threads);
  f->time = clock_time(run, user, seconds);
  f->peak = larger(f->peak, machine_peak(f->threads));
  return f->time.median > 0;
}

static double peak_rss_mib(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)usage.ru_maxrss / 1024;
}

void figures_print(const struct figures *f) {
  printf("{\"case\": \"%s%s\", \"batch\": %" PRId64 ", \"threads\": %d, \"precision\": \"fp32\", \"ms\": %.4f, \"min_ms\": %.4f, "
         "\"flops\": %" PRId64 ", \"share_of_peak\": %.3f, \"allocs_per_step\": %g, \"plan_mib\": %.1f, \"peak_rss_mib\": %.0f}\n",
         f->name, f->suffix, f->batch, f->threads, f->time.median * 1e3, f->time.least * 1e3, f->flops,
         (double)f->flops / f->time.median / f->peak, f->allocations, (double)f->plan / (1 << 20),
         peak_rss_mib());
  fflush(stdout);
}
