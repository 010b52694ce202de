/* Counts every allocation of the process: malloc and its relatives are replaced by ones that count and then do the same. */
#ifndef BENCH_COUNTING_H
#define BENCH_COUNTING_H

#include <stdint.h>

int64_t counting_allocations(void); /* so far, of all threads; -1 where the C library cannot be interposed */

#endif
