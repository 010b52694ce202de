/* Threads that run together: everybody runs, nobody passes a barrier early, nobody is left behind; with more threads than cores
 * too. Meant to be run under ThreadSanitizer as well: the shared numbers below are plain ones, ordered by barriers alone. */
#include <float.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/context.h"
#include "base/cpu.h"
#include "base/pool.h"
#include "bed.h"

enum { MOST = 9, ROUNDS = 60, RUNS = 60 };

static gan_context *ctx;

static int begin(void **state) {
  set_up(state);
  ctx = *state;
  return 0;
}

static struct pool *new_pool(int32_t threads) {
  struct pool *p = NULL;
  must(ctx, pool_create(ctx, threads, &p));
  assert_int_equal(pool_threads(p), threads);
  return p;
}

/* ------------------------------------------------------------------ barriers */

/* Every worker writes its own number, and after the barrier reads all others'. */
struct table { struct pool *pool; int64_t cell[2][MOST], wrong[MOST], visits[MOST]; };

static void fill_and_check(void *argument, int32_t worker, int32_t workers) {
  struct table *t = argument;
  t->visits[worker]++;
  for (int64_t round = 0; round < ROUNDS; round++) {
    int64_t *cell = t->cell[round % 2]; /* one barrier a round is enough with two rows in turn */
    cell[worker] = round * 100 + worker;
    pool_barrier(t->pool);
    for (int32_t i = 0; i < workers; i++) t->wrong[worker] += cell[i] != round * 100 + i;
  }
}

static void test_barriers(void **state) {
  (void)state;
  for (int32_t threads = 1; threads < MOST; threads++) {
    struct table t = {.pool = new_pool(threads)};
    for (int32_t run = 1; run <= RUNS; run++) {
      pool_run(t.pool, fill_and_check, &t);
      for (int32_t i = 0; i < MOST; i++) assert_int_equal(t.visits[i], i < threads ? run : 0);
      for (int32_t i = 0; i < threads; i++) assert_int_equal(t.wrong[i], 0);
    }
    pool_free(t.pool);
  }
}

static void add_worker(void *argument, int32_t worker, int32_t workers) {
  (void)workers;
  ((int64_t *)argument)[worker * 8]++;
}

/* Thousands of runs with nothing in them: what a lost wake-up would hang. */
static void test_many_short_runs(void **state) {
  (void)state;
  for (int32_t threads = 2; threads <= 8; threads += 3) {
    int64_t count[MOST * 8] = {0};
    struct pool *p = new_pool(threads);
    for (int32_t i = 0; i < 3000; i++) pool_run(p, add_worker, count);
    for (int32_t i = 0; i < threads; i++) assert_int_equal(count[i * 8], 3000);
    pool_free(p);
  }
}

static void nap(int64_t microseconds) {
  struct timespec t = {0, (long)microseconds * 1000};
  nanosleep(&t, NULL);
}

/* Naps of different lengths at every place where a worker could be late: waiters spin, doze off, or are not there yet. */
static void run_late(void *argument, int32_t worker, int32_t workers) {
  struct table *t = argument;
  for (int64_t round = 0; round < 6; round++) {
    if ((round + worker) % workers == 0) nap(20 + 60 * round);
    t->cell[round % 2][worker] = round;
    pool_barrier(t->pool);
    for (int32_t i = 0; i < workers; i++) t->wrong[worker] += t->cell[round % 2][i] != round;
  }
}

static void test_late_workers(void **state) {
  (void)state;
  struct table t = {.pool = new_pool(4)};
  for (int32_t run = 0; run < 40; run++) {
    pool_run(t.pool, run_late, &t);
    if (run % 3 == 0) nap(500); /* the workers sleep before the next run */
  }
  for (int32_t i = 0; i < 4; i++) assert_int_equal(t.wrong[i], 0);
  pool_free(t.pool);
}

/* ------------------------------------------------------------------ one thread */

static void note_self(void *argument, int32_t worker, int32_t workers) {
  assert_int_equal(worker, 0);
  assert_int_equal(workers, 1);
  *(pthread_t *)argument = pthread_self();
  pool_barrier(NULL);
}

static void test_one_thread(void **state) {
  (void)state;
  int64_t calls = memory.calls;
  struct pool *p = new_pool(1);
  pthread_t self = {0};
  pool_run(p, note_self, &self);
  assert_true(pthread_equal(self, pthread_self()));
  memset(&self, 0, sizeof self);
  pool_run(NULL, note_self, &self);
  assert_true(pthread_equal(self, pthread_self()));
  assert_int_equal(pool_threads(NULL), 1);
  pool_barrier(p);
  pool_free(p);
  pool_free(NULL);
  assert_int_equal(memory.calls, calls);
}

/* ------------------------------------------------------------------ the state of threads */

struct denormal { volatile float least; int64_t flushed[MOST * 8]; };

static void square_denormal(void *argument, int32_t worker, int32_t workers) {
  (void)workers;
  struct denormal *d = argument;
  volatile float half = d->least / 2;
  d->flushed[worker * 8] = half == 0;
}

/* Some processors cannot, and valgrind does not. */
static int32_t machine_can_flush(void) {
  volatile float least = FLT_MIN;
  uint32_t control = cpu_flush_denormals();
  volatile float half = least / 2;
  cpu_restore(control);
  return half == 0;
}

static void test_denormals_are_flushed_within(void **state) {
  (void)state;
  if (!machine_can_flush()) skip();
  for (int32_t threads = 1; threads <= 3; threads++) {
    struct denormal d = {.least = FLT_MIN};
    struct pool *p = new_pool(threads);
    pool_run(p, square_denormal, &d);
    for (int32_t i = 0; i < threads; i++) assert_int_equal(d.flushed[i * 8], 1);
    volatile float half = d.least / 2;
    assert_true(half > 0); /* the caller's control word is as before */
    pool_free(p);
  }
}

static void note_mask(void *argument, int32_t worker, int32_t workers) {
  (void)workers;
  sigset_t set;
  pthread_sigmask(SIG_SETMASK, NULL, &set);
  ((int32_t *)argument)[worker * 16] = sigismember(&set, SIGUSR1);
}

/* The host's signal handlers run on the host's threads. */
static void test_workers_take_no_signals(void **state) {
  (void)state;
  int32_t blocked[3 * 16] = {0};
  struct pool *p = new_pool(3);
  pool_run(p, note_mask, blocked);
  assert_int_equal(blocked[0], 0);
  assert_int_equal(blocked[16], 1);
  assert_int_equal(blocked[32], 1);
  pool_free(p);
}

/* ------------------------------------------------------------------ life */

static void *free_elsewhere(void *argument) {
  pool_free(argument);
  return NULL;
}

static void test_free_from_another_thread(void **state) {
  (void)state;
  for (int32_t i = 0; i < 30; i++) {
    int64_t count[MOST * 8] = {0};
    struct pool *p = new_pool(1 + i % 4);
    if (i % 2) pool_run(p, add_worker, count); /* and without having run at all */
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, free_elsewhere, p), 0);
    pthread_join(thread, NULL);
  }
}

/* Two pools of two contexts on two threads know nothing of each other. */
static void *run_own(void *argument) {
  struct table *t = argument;
  for (int32_t run = 0; run < 50; run++) pool_run(t->pool, fill_and_check, t);
  return NULL;
}

static void test_two_pools_at_once(void **state) {
  (void)state;
  struct table a = {.pool = new_pool(3)}, b = {.pool = new_pool(2)};
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, run_own, &a), 0);
  run_own(&b);
  pthread_join(thread, NULL);
  for (int32_t i = 0; i < MOST; i++) assert_int_equal(a.wrong[i] + b.wrong[i], 0);
  assert_int_equal(a.visits[2], 50);
  assert_int_equal(b.visits[1], 50);
  pool_free(a.pool);
  pool_free(b.pool);
}

static void test_without_memory(void **state) {
  (void)state;
  for (int64_t n = 1;; n++) {
    struct pool *p = NULL;
    memory.fail_at = memory.calls + n, memory.fail_on = 1;
    gan_status status = pool_create(ctx, 3, &p);
    int32_t reached = memory.calls >= memory.fail_at;
    memory.fail_at = 0;
    assert_int_equal(status, reached ? GAN_ERROR_MEMORY : GAN_OK);
    assert_int_equal(p == NULL, reached);
    pool_free(p);
    if (!reached) return;
    assert_true(n < 10);
  }
}

#if defined(__has_feature)
#define FEATURE(name) __has_feature(name)
#else
#define FEATURE(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || FEATURE(address_sanitizer) || FEATURE(thread_sanitizer)
enum { LITTLE_ADDRESS_SPACE = 0 }; /* a sanitizer needs terabytes of it */
#else
enum { LITTLE_ADDRESS_SPACE = 1 };
#endif

/* In a process of its own: address space for a few stacks only. Those threads that were made have gone when it is reported. */
static int32_t run_out_of_threads(void) {
  struct rlimit limit = {INT64_C(200) << 20, INT64_C(200) << 20};
  struct pool *p = NULL;
  if (setrlimit(RLIMIT_AS, &limit) != 0) return 1;
  if (pool_create(ctx, 1000, &p) != GAN_ERROR_THREAD || p) return 2;
  if (!strstr(ctx->error, "threads: the system made ") || memory.live != 1) return 3;
  if (pool_create(ctx, 2, &p) != GAN_OK) return 4;
  pool_free(p);
  return 0;
}

static void test_system_without_threads(void **state) {
  (void)state;
  if (!LITTLE_ADDRESS_SPACE || getenv("VALGRIND_LAUNCHER")) skip();
  int result = 0;
  pid_t child = fork();
  if (child == 0) _exit(run_out_of_threads());
  assert_int_equal(waitpid(child, &result, 0), child);
  assert_true(WIFEXITED(result));
  assert_int_equal(WEXITSTATUS(result), 0);
}

static void test_threads_refused(void **state) {
  (void)state;
  struct pool *p = NULL;
  assert_int_equal(pool_create(ctx, 0, &p), GAN_ERROR_ARGUMENT);
  assert_int_equal(pool_create(ctx, -1, &p), GAN_ERROR_ARGUMENT);
  assert_null(p);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
    TEST(test_barriers), TEST(test_many_short_runs), TEST(test_late_workers), TEST(test_one_thread),
    TEST(test_denormals_are_flushed_within), TEST(test_workers_take_no_signals), TEST(test_free_from_another_thread),
    TEST(test_two_pools_at_once), TEST(test_without_memory), TEST(test_system_without_threads), TEST(test_threads_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
