/* What gan-bench measures; each function prints one JSON line, or a sentence on standard error and returns 0. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "cases.h"

int measure_training(const struct bench_case *c, int threads);
int measure_sampling(const struct bench_case *c, int threads, int batch);

/* A step of the trainer on a preset, "sagan-64 filters=16": all steps of D, then G. batch 0: the preset's. */
int measure_preset(const char *preset, int threads, int batch);

/* The time of a case beside the time that its memory traffic alone takes on this machine. */
int measure_training_bandwidth(const struct bench_case *c, int threads);
int measure_sampling_bandwidth(const struct bench_case *c, int threads);

/* From the start of a process to its first sample. program: this program, started again with --sample-once. */
int measure_first_sample(const struct bench_case *c, const char *program);
int sample_once(const struct bench_case *c);

#endif
