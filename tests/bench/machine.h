/* What the machine can do: multiply-adds and memory traffic of some threads at once, measured now. */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include <stdint.h>

/* Floating-point operations a second of `threads` threads that do nothing but multiply-adds in registers, with the widest
 * vectors of this CPU; a multiply-add counts 2. */
double machine_peak(int threads);

/* Bytes a second of `threads` threads that go again and again over `bytes` in all. reading: sums one array; otherwise what Adam
 * does: reads and writes three arrays (both ways counted). 0 if there is no memory. */
double machine_bandwidth(int threads, int64_t bytes, int reading);

#endif
