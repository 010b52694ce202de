#define _POSIX_C_SOURCE 200809L
#include "machine.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

/* ----------------------------------------------------------------------------------------------- threads that start at once */

enum { MOST_THREADS = 256 };

struct worker {
  pthread_t thread;
  pthread_barrier_t *barrier;
  double (*work)(void *user, int index); /* returns how much it did */
  void *user;
  int index;
  double done, seconds;
};

static void *worker_main(void *argument) {
  struct worker *w = argument;
  w->work(w->user, w->index); /* warm up: pages, clock */
  pthread_barrier_wait(w->barrier);
  double start = clock_now();
  w->done = w->work(w->user, w->index);
  w->seconds = clock_now() - start;
  return NULL;
}

/* Work a second of all threads together. */
static double rate(int threads, double (*work)(void *user, int index), void *user) {
  struct worker workers[MOST_THREADS];
  pthread_barrier_t barrier;
  double done = 0, seconds = 0;
  if (threads > MOST_THREADS) threads = MOST_THREADS;
  pthread_barrier_init(&barrier, NULL, (unsigned)threads);
  for (int i = 0; i < threads; i++) {
    workers[i] = (struct worker){.barrier = &barrier, .work = work, .user = user, .index = i};
    if (i > 0 && pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]) != 0) abort();
  }
  worker_main(&workers[0]);
  for (int i = 0; i < threads; i++) {
    if (i > 0) pthread_join(workers[i].thread, NULL);
    done += workers[i].done;
    if (workers[i].seconds > seconds) seconds = workers[i].seconds;
  }
  pthread_barrier_destroy(&barrier);
  return done / seconds;
}

static double best_rate(int threads, double (*work)(void *user, int index), void *user) {
  double best = 0;
  for (int i = 0; i < 5; i++) {
    double now = rate(threads, work, user);
    if (now > best) best = now;
  }
  return best;
}

/* -------------------------------------------------------------------- loops for each instruction set, the widest is chosen */

enum { ROUNDS = 1000000, CHAINS = 12 };
static volatile float decay_source = 0.999f, sink;

struct sweep {
  float *array[3];
  int64_t count;   /* floats in each array of each thread */
  int64_t repeats;
};

struct loops {
  double (*multiply_add)(void *user, int index);
  double (*read)(void *user, int index);
  double (*update)(void *user, int index);
};

#define NAME loops_portable
#define TARGET
#define LANES 4
#include "machine_loops.h"

#if defined(__x86_64__)
#define NAME loops_avx2
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#include "machine_loops.h"

#define NAME loops_avx512
#define TARGET __attribute__((target("avx512f")))
#define LANES 16
#include "machine_loops.h"
#endif

static const struct loops *best_loops(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return &loops_avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &loops_avx2;
#endif
  return &loops_portable;
}

/* ---------------------------------------------------------------------------------------------------------------- measures */

double machine_peak(int threads) {
  return best_rate(threads, best_loops()->multiply_add, NULL);
}

double machine_bandwidth(int threads, int64_t bytes, int reading) {
  int arrays = reading ? 1 : 3;
  struct sweep s = {.count = bytes / arrays / threads / 512 * 128};
  size_t size = (size_t)(s.count * threads) * sizeof(float);
  if (size == 0) return 0;
  s.repeats = 1 + 100000000 / (s.count * arrays);
  float *memory = aligned_alloc(64, size * (size_t)arrays);
  if (!memory) return 0;
  memset(memory, 0, size * (size_t)arrays);
  for (int i = 0; i < arrays; i++) s.array[i] = memory + i * s.count * threads;
  const struct loops *loops = best_loops();
  double best = best_rate(threads, reading ? loops->read : loops->update, &s);
  free(memory);
  return best;
}
