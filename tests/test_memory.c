/* Memory: counted, limited, aligned, refused; references and accounting from many threads at once. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/context.h"
#include "bed.h"

/* ------------------------------------------------------------------ one thread */

static void test_memory_accounting(void **state) {
  (void)state;
  gan_context *ctx = fresh_context();
  int64_t used = 0, peak = 0, count = 0;
  char *block = context_alloc(ctx, 1000), *empty = context_alloc(ctx, 0), *zeros = context_zalloc(ctx, 100);
  assert_non_null(empty);
  for (int i = 0; i < 100; i++) assert_int_equal(zeros[i], 0);
  assert_int_equal((uintptr_t)block % 64, 0);
  assert_int_equal(gan_context_memory(ctx, &used, &peak, &count), GAN_OK);
  assert_int_equal(used, (int64_t)sizeof *ctx + 1101);
  assert_int_equal(used, memory.bytes);
  assert_int_equal(peak, used);
  assert_int_equal(count, 4);
  context_release(ctx, block, 1000);
  context_release(ctx, empty, 0);
  context_release(ctx, zeros, 100);
  context_release(ctx, NULL, 100);
  assert_int_equal(gan_context_memory(ctx, &used, NULL, NULL), GAN_OK);
  assert_int_equal(used, sizeof *ctx);
  gan_context_memory(ctx, NULL, &peak, NULL);
  assert_int_equal(peak, (int64_t)sizeof *ctx + 1101);
  assert_int_equal(gan_context_memory(NULL, &used, NULL, NULL), GAN_ERROR_ARGUMENT);
  end_context(ctx);
}

static void test_memory_limit(void **state) {
  (void)state;
  gan_context_config c = fresh_config();
  gan_context *ctx = NULL;
  c.memory_limit = (int64_t)sizeof(gan_context) + 1000;
  assert_int_equal(context_new(&c, &ctx), GAN_OK);
  void *all = context_alloc(ctx, 1000);
  assert_non_null(all);
  assert_null(context_alloc(ctx, 1));
  assert_non_null(strstr(ctx->error, "memory_limit"));
  context_release(ctx, all, 1000);
  assert_null(context_alloc(ctx, 1001));
  assert_null(context_alloc(ctx, SIZE_MAX));
  assert_null(context_alloc(ctx, INT64_MAX));
  all = context_alloc(ctx, 1000);
  assert_non_null(all);
  context_release(ctx, all, 1000);
  end_context(ctx);
}

static void test_default_allocator(void **state) {
  (void)state;
  gan_context *ctx = NULL;
  assert_int_equal(context_new(NULL, &ctx), GAN_OK);
  for (size_t size = 1; size < 300; size += 37) {
    char *block = context_alloc(ctx, size);
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % 64, 0);
    memset(block, 1, size);
    context_release(ctx, block, size);
  }
  assert_null(context_alloc(ctx, SIZE_MAX));
  assert_null(context_alloc(ctx, SIZE_MAX / 2 - 10)); /* SIZE_MAX/2 + 64 must not wrap */
  gan_context_free(ctx);
}

static void *allocate_crooked(void *user, int64_t size) {
  char *block = allocator_allocate(user, size + 64);
  return block ? block + (size == (int64_t)sizeof(gan_context) ? 0 : 16) : NULL;
}

static void release_crooked(void *user, void *block, int64_t size) {
  allocator_release(user, (char *)block - (size == (int64_t)sizeof(gan_context) ? 0 : 16), size + 64);
}

static void test_allocator_without_alignment(void **state) {
  (void)state;
  gan_context_config c = fresh_config();
  gan_context *ctx = NULL;
  c.allocate = allocate_crooked;
  c.release = release_crooked;
  assert_int_equal(context_new(&c, &ctx), GAN_OK);
  assert_null(context_alloc(ctx, 10));
  assert_non_null(strstr(ctx->error, "aligned"));
  assert_int_equal(memory.live, 1);
  end_context(ctx);
}

static void test_grow(void **state) {
  (void)state;
  gan_context *ctx = fresh_context();
  void *array = NULL;
  int64_t capacity = 0;
  for (int32_t n = 1; n <= 1000; n++) {
    assert_int_equal(context_grow(ctx, &array, &capacity, n, sizeof n), GAN_OK);
    assert_true(capacity >= n);
    ((int32_t *)array)[n - 1] = n;
  }
  for (int32_t n = 1; n <= 1000; n++) assert_int_equal(((int32_t *)array)[n - 1], n);
  assert_true(memory.calls < 20); /* it doubles */
  void *before = array;
  int64_t capacity_before = capacity;
  assert_int_equal(context_grow(ctx, &array, &capacity, INT64_MAX / 2, sizeof(int32_t)), GAN_ERROR_MEMORY);
  memory.fail_at = memory.calls + 1;
  assert_int_equal(context_grow(ctx, &array, &capacity, capacity + 1, sizeof(int32_t)), GAN_ERROR_MEMORY);
  assert_ptr_equal(array, before);
  assert_int_equal(capacity, capacity_before);
  context_release(ctx, array, (size_t)capacity * sizeof(int32_t));
  end_context(ctx);
}

static void test_sizes(void **state) {
  (void)state;
  assert_int_equal(size_mul(3, 4), 12);
  assert_int_equal(size_mul(0, INT64_MAX), 0);
  assert_int_equal(size_mul(INT64_MAX, 0), 0);
  assert_int_equal(size_mul(INT64_MAX, 1), INT64_MAX);
  assert_int_equal(size_mul(INT64_MAX, 2), -1);
  assert_int_equal(size_mul(INT64_C(1) << 32, INT64_C(1) << 31), -1);
  assert_int_equal(size_mul(-1, 1), -1);
  assert_int_equal(size_mul(1, INT64_MIN), -1);
  assert_int_equal(size_add(INT64_MAX, 0), INT64_MAX);
  assert_int_equal(size_add(INT64_MAX, 1), -1);
  assert_int_equal(size_add(-1, 5), -1);
  assert_int_equal(size_add(5, -1), -1);
}

static void test_strings(void **state) {
  (void)state;
  gan_context *ctx = fresh_context();
  char *copy = context_strdup(ctx, "text");
  assert_string_equal(copy, "text");
  context_strfree(ctx, copy);
  context_strfree(ctx, NULL);
  end_context(ctx);
}

/* ------------------------------------------------------------------ threads */

enum { THREADS = 8, ROUNDS = 2000, BLOCK = 64 };

static void *come_and_go(void *argument) {
  gan_context *ctx = argument;
  for (int i = 0; i < ROUNDS; i++) {
    context_release(ctx, context_alloc(ctx, BLOCK), BLOCK);
    context_unref(context_ref(ctx));
  }
  context_unref(ctx);
  return NULL;
}

/* The last of eight threads that drop their references frees the context, whichever it is. */
static void test_references_from_many_threads(void **state) {
  (void)state;
  gan_context *ctx = fresh_context();
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, context_ref(ctx)), 0);
  gan_context_free(ctx);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  assert_int_equal(memory.live, 0);
}

struct crowd { gan_context *ctx; atomic_int failures; pthread_barrier_t ready; };

static void *compete(void *argument) {
  struct crowd *crowd = argument;
  for (int i = 0; i < ROUNDS / 10; i++) {
    pthread_barrier_wait(&crowd->ready);
    void *block = context_alloc(crowd->ctx, BLOCK);
    if (!block) atomic_fetch_add(&crowd->failures, 1);
    pthread_barrier_wait(&crowd->ready);
    context_release(crowd->ctx, block, BLOCK);
  }
  return NULL;
}

/* Each round all threads allocate at once, and together exactly what the limit allows: a count that is too high, if only for a
 * moment, makes one of them fail. */
static void test_accounting_from_many_threads(void **state) {
  (void)state;
  gan_context_config c = fresh_config();
  struct crowd crowd = {0};
  c.memory_limit = (int64_t)sizeof(gan_context) + BLOCK * THREADS;
  assert_int_equal(context_new(&c, &crowd.ctx), GAN_OK);
  pthread_barrier_init(&crowd.ready, NULL, THREADS);
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, compete, &crowd), 0);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  pthread_barrier_destroy(&crowd.ready);
  int64_t used = 0, peak = 0, count = 0;
  gan_context_memory(crowd.ctx, &used, &peak, &count);
  assert_int_equal(crowd.failures, 0);
  assert_int_equal(used, sizeof(gan_context));
  assert_int_equal(peak, c.memory_limit);
  assert_int_equal(count, 1 + THREADS * (ROUNDS / 10));
  end_context(crowd.ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_memory_accounting),
    cmocka_unit_test(test_memory_limit),
    cmocka_unit_test(test_default_allocator),
    cmocka_unit_test(test_allocator_without_alignment),
    cmocka_unit_test(test_grow),
    cmocka_unit_test(test_sizes),
    cmocka_unit_test(test_strings),
    cmocka_unit_test(test_references_from_many_threads),
    cmocka_unit_test(test_accounting_from_many_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
