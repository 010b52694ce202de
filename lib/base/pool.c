/* Threads that run one function together.
 *
 * Two gates do it all: `start` opens once a run, `meet` once a barrier, and the end of a run is a barrier like any other. So
 * nobody is a run ahead, and what the caller writes for the workers before `start` opens is not read by any of them later.
 */
#include "base/pool.h"

#include <signal.h>
#include <stdatomic.h>

#include "base/cpu.h"
#include "base/gate.h"

enum { SPINS = 400 /* turns before sleeping: about as long as it takes to wake a thread */ };

struct worker { struct pool *pool; pthread_t thread; int32_t index; };

struct pool {
  struct gate start, meet;
  _Alignas(CACHE_LINE) atomic_int arrived; /* at the barrier that is filling */
  _Alignas(CACHE_LINE) gan_context *ctx;
  pool_fn *fn; /* NULL: the workers leave */
  void *argument;
  struct worker *workers; /* of index 1 and up */
  int32_t threads, made, spins;
};

int32_t pool_threads(const struct pool *p) {
  return p ? p->threads : 1;
}

/* ------------------------------------------------------------------ running */

void pool_barrier(struct pool *p) {
  if (pool_threads(p) == 1) return;
  uint32_t before = atomic_load_explicit(&p->meet.value, memory_order_relaxed);
  if (atomic_fetch_add_explicit(&p->arrived, 1, memory_order_acq_rel) + 1 < p->threads) {
    gate_wait(&p->meet, before, p->spins);
    return;
  }
  /* Before the gate opens: until then nobody is on the way to the next barrier. */
  atomic_store_explicit(&p->arrived, 0, memory_order_relaxed);
  gate_advance(&p->meet);
}

static void run_all(struct pool *p, pool_fn *fn, void *argument) {
  p->fn = fn;
  p->argument = argument;
  gate_advance(&p->start);
  fn(argument, 0, p->threads);
  pool_barrier(p);
}

void pool_run(struct pool *p, pool_fn *fn, void *argument) {
  uint32_t control = cpu_flush_denormals();
  if (pool_threads(p) == 1) fn(argument, 0, 1);
  else run_all(p, fn, argument);
  cpu_restore(control);
}

static void *work(void *argument) {
  const struct worker *self = argument;
  struct pool *p = self->pool;
  cpu_flush_denormals();
  for (uint32_t runs = 0;; runs++) {
    gate_wait(&p->start, runs, p->spins);
    if (!p->fn) return NULL;
    p->fn(p->argument, self->index, p->threads);
    pool_barrier(p);
  }
}

/* ------------------------------------------------------------------ life */

/* Threads inherit the mask of signals: with all blocked, the host's handlers run on the host's threads only. */
static gan_status make_threads(struct pool *p) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int problem = 0;
  for (int32_t i = 1; i < p->threads && !problem; i++) {
    struct worker *w = &p->workers[i - 1];
    *w = (struct worker){.pool = p, .index = i};
    problem = pthread_create(&w->thread, NULL, work, w);
    p->made += !problem;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (!problem) return GAN_OK;
  return gan_fail(p->ctx, GAN_ERROR_THREAD, "threads: the system made %d of %d (error %d)", p->made, p->threads - 1, problem);
}

static size_t workers_bytes(const struct pool *p) {
  return (size_t)(p->threads - 1) * sizeof(struct worker);
}

static void release_pool(struct pool *p) {
  context_release(p->ctx, p->workers, workers_bytes(p));
  context_release(p->ctx, p, sizeof *p);
}

static gan_status init_gates(struct pool *p) {
  if (gate_init(&p->start)) {
    if (gate_init(&p->meet)) return GAN_OK;
    gate_destroy(&p->start);
  }
  return gan_fail(p->ctx, GAN_ERROR_THREAD, "threads: the system gave no lock");
}

gan_status pool_create(gan_context *ctx, int32_t threads, struct pool **out) {
  REQUIRE(ctx, threads >= 1, "threads: %d; expected at least 1", threads);
  if (threads == 1) {
    *out = NULL;
    return GAN_OK;
  }
  struct pool *p = context_zalloc(ctx, sizeof *p);
  if (!p) return GAN_ERROR_MEMORY;
  p->ctx = ctx;
  p->threads = threads;
  p->spins = threads > cpu_cores() ? 0 : SPINS; /* who spins would keep the one it waits for off its core */
  p->workers = context_alloc(ctx, workers_bytes(p));
  gan_status status = p->workers ? init_gates(p) : GAN_ERROR_MEMORY;
  if (status != GAN_OK) {
    release_pool(p);
    return status;
  }
  status = make_threads(p);
  if (status != GAN_OK) {
    pool_free(p);
    return status;
  }
  *out = p;
  return GAN_OK;
}

void pool_free(struct pool *p) {
  if (!p) return;
  p->fn = NULL;
  gate_advance(&p->start);
  for (int32_t i = 0; i < p->made; i++) pthread_join(p->workers[i].thread, NULL);
  gate_destroy(&p->meet);
  gate_destroy(&p->start);
  release_pool(p);
}
