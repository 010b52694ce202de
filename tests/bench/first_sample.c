/* How long a program that links libgan needs from its start to its first sample: a process of its own does it, this one looks
 * at the clock. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "measure.h"

enum { RUNS = 11, MOST_FLOATS = 4096 };

int sample_once(const struct bench_case *c) {
  static float sample[MOST_FLOATS];
  gan_context *context = NULL;
  gan_network *network = NULL;
  gan_sampler *sampler = NULL;
  if (!bench_context(&context, 1) || !bench_generator(context, c, &network)) return 0;
  gan_status status = gan_sampler_create(network, NULL, &sampler);
  if (status == GAN_OK) status = gan_sampler_draw(sampler, 0, 1, sample);
  if (status != GAN_OK) bench_failed(context, status);
  if (status == GAN_OK && write(STDOUT_FILENO, sample, 1) != 1) status = GAN_ERROR_FILE;
  gan_sampler_free(sampler);
  gan_network_free(network);
  gan_context_free(context);
  return status == GAN_OK;
}

static void become_sampler(const char *program, const char *name, int out) {
  dup2(out, STDOUT_FILENO);
  execlp(program, program, "--sample-once", name, (char *)NULL);
  _exit(127);
}

/* Seconds until the first byte of the sample comes; negative if none does. */
static double time_process(const char *program, const char *name) {
  int ends[2], status;
  char byte;
  if (pipe(ends) != 0) return -1;
  double start = clock_now();
  pid_t child = fork();
  if (child == 0) become_sampler(program, name, ends[1]);
  close(ends[1]);
  int came = child > 0 && read(ends[0], &byte, 1) == 1;
  double seconds = clock_now() - start;
  close(ends[0]);
  if (child > 0) waitpid(child, &status, 0);
  return came ? seconds : -1;
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int measure_first_sample(const struct bench_case *c, const char *program) {
  double seconds[RUNS];
  for (int i = 0; i < RUNS; i++) {
    seconds[i] = time_process(program, c->name);
    if (seconds[i] < 0) return fprintf(stderr, "gan-bench: %s cannot be started again\n", program), 0;
  }
  qsort(seconds, RUNS, sizeof seconds[0], by_size);
  printf("{\"case\": \"%s/first-sample\", \"batch\": 1, \"threads\": 1, \"ms\": %.4f, \"min_ms\": %.4f}\n", c->name,
         seconds[RUNS / 2] * 1e3, seconds[0] * 1e3);
  return 1;
}
