/* Contexts: configuration, errors, what is registered in them, what they run with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/context.h"
#include "base/cpu.h"
#include "base/pool.h"
#include "base/registry.h"
#include "bed.h"
#include "kernels/kernels.h"
#include "kernels/runtime.h"

/* ------------------------------------------------------------------ version, statuses */

static void test_version(void **state) {
  (void)state;
  char text[32];
  snprintf(text, sizeof text, "%d.%d.%d", GAN_VERSION_MAJOR, GAN_VERSION_MINOR, GAN_VERSION_PATCH);
  assert_string_equal(gan_version_text(), text);
  assert_int_equal(gan_version(), GAN_VERSION_MAJOR * 10000 + GAN_VERSION_MINOR * 100 + GAN_VERSION_PATCH);
  assert_int_equal(gan_abi_version(), GAN_ABI_VERSION);
}

static void test_status_text(void **state) {
  (void)state;
  for (int32_t i = GAN_OK; i <= GAN_ERROR_THREAD; i++) {
    assert_string_not_equal(gan_status_text(i), "unknown status");
    for (int32_t j = GAN_OK; j < i; j++) assert_string_not_equal(gan_status_text(i), gan_status_text(j));
  }
  assert_string_equal(gan_status_text(-1), "unknown status");
  assert_string_equal(gan_status_text(GAN_ERROR_THREAD + 1), "unknown status");
}

/* ------------------------------------------------------------------ configuration */

/* An older program has a smaller struct, a newer one a larger: what lies behind is not touched, what is unknown is 0. */
static void test_config_sizes(void **state) {
  (void)state;
  union { gan_context_config config; unsigned char bytes[sizeof(gan_context_config) + 64]; } u;
  for (int64_t size = 8; size <= (int64_t)sizeof u.bytes; size += 8) {
    memset(&u, 0xEE, sizeof u);
    assert_int_equal(gan_context_config_init(&u.config, size), GAN_OK);
    assert_int_equal(u.config.struct_size, size);
    for (size_t i = (size_t)size; i < sizeof u.bytes; i++) assert_int_equal(u.bytes[i], 0xEE);
    for (int64_t i = sizeof(gan_context_config); i < size; i++) assert_int_equal(u.bytes[i], 0);
  }
  assert_int_equal(u.config.seed, 1);
  assert_int_equal(u.config.isa, GAN_ISA_BEST);
  static const int64_t bad[] = {0, 4, 7, -8, 9, 4104, INT64_MAX, INT64_MIN};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(gan_context_config_init(&u.config, bad[i]), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_context_config_init(NULL, sizeof(gan_context_config)), GAN_ERROR_ARGUMENT);
}

static void test_config_of_other_versions(void **state) {
  (void)state;
  union { gan_context_config config; unsigned char bytes[sizeof(gan_context_config) + 16]; } u;
  gan_context *ctx = NULL;
  memset(&u, 0, sizeof u);
  u.config = fresh_config();
  u.config.struct_size = sizeof u;
  assert_int_equal(context_new(&u.config, &ctx), GAN_OK);
  end_context(ctx);
  ctx = NULL;
  u.bytes[sizeof u - 1] = 1;
  assert_int_equal(context_new(&u.config, &ctx), GAN_ERROR_ARGUMENT);
  u.config.struct_size = offsetof(gan_context_config, seed); /* one that knew neither seed nor what follows */
  u.config.threads = -7;
  assert_int_equal(context_new(&u.config, &ctx), GAN_OK);
  assert_int_equal(ctx->seed, 1);
  assert_int_equal(ctx->threads, 0);
  end_context(ctx);
}

static char logged[200];

static void keep_log(void *user, int32_t level, const char *text) {
  (void)user;
  snprintf(logged, sizeof logged, "%d %s", level, text);
}

static void expect_refused(gan_context_config c, gan_status expected, const char *sentence) {
  gan_context *ctx = NULL;
  logged[0] = 0;
  c.log = keep_log;
  assert_int_equal(gan_context_create(&c, &ctx), expected);
  assert_null(ctx);
  assert_string_equal(logged, sentence);
  assert_int_equal(memory.live, 0);
}

/* There is no context yet to ask for the reason, so the log has it. */
static void test_config_refused(void **state) {
  (void)state;
  gan_context_config c = fresh_config(), bad;
  bad = c, bad.memory_limit = -1;
  expect_refused(bad, GAN_ERROR_ARGUMENT, "2 context: memory_limit is -1; expected bytes, or 0 for none");
  bad = c, bad.threads = 1025;
  expect_refused(bad, GAN_ERROR_ARGUMENT, "2 context: threads is 1025; expected 0 (all cores) .. 1024");
  bad = c, bad.deterministic = 2;
  expect_refused(bad, GAN_ERROR_ARGUMENT, "2 context: deterministic is 2; expected 0 or 1");
  bad = c, bad.blas = 3;
  expect_refused(bad, GAN_ERROR_ARGUMENT, "2 context: blas is 3; expected one of GAN_BLAS_*");
  bad = c, bad.isa = -2;
  expect_refused(bad, GAN_ERROR_ARGUMENT, "2 context: isa is -2; expected one of GAN_ISA_*");
  bad = c, bad.debug = -1;
  expect_refused(bad, GAN_ERROR_ARGUMENT, "2 context: debug is -1; expected 0 or 1");
  bad = c, bad.reserved = 9;
  expect_refused(bad, GAN_ERROR_ARGUMENT, "2 context: reserved is 9; expected 0");
  bad = c, bad.release = NULL;
  expect_refused(bad, GAN_ERROR_ARGUMENT, "");
  bad = c, bad.allocate = NULL;
  expect_refused(bad, GAN_ERROR_ARGUMENT, "");
  bad = c, bad.memory_limit = 100;
  expect_refused(bad, GAN_ERROR_MEMORY, "");
  assert_int_equal(gan_context_create(&c, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(context_new(&c, NULL), GAN_ERROR_ARGUMENT);
}

/* Whatever this machine has not got is refused with a sentence; what it has is taken. */
static void test_instruction_sets(void **state) {
  (void)state;
  for (int32_t isa = GAN_ISA_BASELINE; isa <= GAN_ISA_AVX512; isa++) {
    gan_context_config c = fresh_config();
    gan_context *ctx = NULL;
    c.isa = isa;
    c.log = keep_log;
    gan_status status = gan_context_create(&c, &ctx);
    assert_int_equal(status, kernels_select(isa) ? GAN_OK : GAN_ERROR_UNSUPPORTED);
    if (status != GAN_OK) assert_non_null(strstr(logged, "context: isa asks for"));
    else assert_int_equal(ctx->kernels->isa, isa);
    end_context(ctx);
  }
}

/* ------------------------------------------------------------------ errors */

static void test_error_sentences(void **state) {
  (void)state;
  gan_context *ctx = fresh_context();
  char text[ERROR_TEXT];
  int64_t needed = 0;
  assert_int_equal(gan_context_error(ctx, text, sizeof text, &needed), GAN_OK);
  assert_string_equal(text, "");
  assert_int_equal(needed, 1);
  assert_int_equal(gan_fail(ctx, GAN_ERROR_SHAPE, "%s of %d", "rank", 3), GAN_ERROR_SHAPE);
  assert_int_equal(gan_fail(ctx, GAN_ERROR_SHAPE, "layer x: %s", ctx->error), GAN_ERROR_SHAPE); /* its own text as an argument */
  gan_context_error(ctx, text, sizeof text, &needed);
  assert_string_equal(text, "layer x: rank of 3");
  assert_int_equal(needed, sizeof "layer x: rank of 3");
  assert_int_equal(gan_context_error(ctx, text, -1, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_context_error(ctx, NULL, 3, NULL), GAN_ERROR_ARGUMENT);
  assert_string_equal(ctx->error, "layer x: rank of 3");
  assert_int_equal(gan_context_error(NULL, text, sizeof text, &needed), GAN_OK);
  assert_string_equal(text, "");
  assert_int_equal(gan_fail(NULL, GAN_ERROR_FILE, "no context"), GAN_ERROR_FILE);
  end_context(ctx);
}

/* The first sentence is the root cause: what fails because a handle is NULL afterwards does not replace it. */
static void test_null_handles_keep_the_cause(void **state) {
  (void)state;
  gan_context *ctx = fresh_context();
  assert_int_equal(gan_fail_null(ctx, "gan_x", "thing"), GAN_ERROR_ARGUMENT);
  assert_string_equal(ctx->error, "gan_x: thing is NULL");
  gan_fail(ctx, GAN_ERROR_FILE, "the disk burns");
  assert_int_equal(gan_fail_null(ctx, "gan_x", "thing"), GAN_ERROR_ARGUMENT);
  assert_string_equal(ctx->error, "the disk burns");
  assert_int_equal(gan_fail_null(NULL, "gan_x", "thing"), GAN_ERROR_ARGUMENT);
  end_context(ctx);
}

/* Names come from files: no control character, no broken UTF-8 gets through, and a long sentence ends with a whole character. */
static void test_error_text_is_clean(void **state) {
  (void)state;
  gan_context *ctx = fresh_context();
  char lots[3000];
  gan_fail(ctx, GAN_ERROR_FORMAT, "tensor '%s'", "a\x1B[2J\nb\xFF");
  assert_string_equal(ctx->error, "tensor 'a?[2J?b?'");
  for (size_t i = 0; i + 2 < sizeof lots; i += 2) memcpy(lots + i, "\xC3\xA4", 3);
  gan_fail(ctx, GAN_ERROR_FORMAT, "%s", lots);
  assert_int_equal(strlen(ctx->error), (ERROR_TEXT - 1) / 2 * 2);
  assert_null(strchr(ctx->error, '?'));
  end_context(ctx);
}

static void test_log(void **state) {
  (void)state;
  gan_context_config c = fresh_config();
  gan_context *ctx = NULL;
  c.log = keep_log;
  assert_int_equal(context_new(&c, &ctx), GAN_OK);
  context_log(ctx, GAN_LOG_INFO, "%d of %d\n", 1, 2);
  assert_string_equal(logged, "1 1 of 2?");
  end_context(ctx);
  ctx = fresh_context();
  context_log(ctx, GAN_LOG_INFO, "nobody listens");
  context_log(NULL, GAN_LOG_INFO, "nobody speaks");
  assert_string_equal(logged, "1 1 of 2?");
  end_context(ctx);
}

/* ------------------------------------------------------------------ what is registered */

static int32_t released;

static void count_release(void *user, void *thing, int64_t size) {
  assert_ptr_equal(user, thing);
  assert_int_equal(size, 0);
  released += *(int32_t *)user;
}

static void some_function(void) {
}

static void test_registry(void **state) {
  (void)state;
  gan_context *ctx = fresh_context();
  int32_t one = 1, ten = 10;
  released = 0;
  assert_null(registry_find(ctx, REGISTRY_LAYER, "mine"));
  must(ctx, registry_add(ctx, REGISTRY_LAYER, "mine", some_function, &one, count_release));
  const struct registered *first = registry_find(ctx, REGISTRY_LAYER, "mine");
  must(ctx, registry_add(ctx, REGISTRY_LOSS, "mine", some_function, &ten, count_release));
  for (int i = 0; i < 100; i++) {
    char name[32];
    snprintf(name, sizeof name, "layer%d", i);
    must(ctx, registry_add(ctx, REGISTRY_LAYER, name, some_function, NULL, NULL));
  }
  assert_ptr_equal(registry_find(ctx, REGISTRY_LAYER, "mine"), first); /* what was handed out stays where it is */
  assert_ptr_equal(first->user, &one);
  assert_ptr_equal(registry_find(ctx, REGISTRY_LOSS, "mine")->user, &ten);
  assert_null(registry_find(ctx, REGISTRY_LOSS, "layer7"));
  assert_int_equal(registry_add(ctx, REGISTRY_LAYER, "mine", some_function, &one, count_release), GAN_ERROR_ARGUMENT);
  assert_string_equal(ctx->error, "mine: the name is taken already");
  assert_int_equal(registry_add(ctx, REGISTRY_LAYER, "a/b", some_function, &one, count_release), GAN_ERROR_ARGUMENT);
  assert_int_equal(registry_add(ctx, REGISTRY_LAYER, NULL, some_function, &one, count_release), GAN_ERROR_ARGUMENT);
  assert_int_equal(registry_add(ctx, REGISTRY_LAYER, "x", NULL, &one, count_release), GAN_ERROR_ARGUMENT);
  assert_int_equal(released, 0);
  end_context(ctx);
  assert_int_equal(released, 11);
}

/* A name that did not get in is not released: it is still the caller's. */
static void test_registry_without_memory(void **state) {
  (void)state;
  for (int32_t on = 0; on < 2; on++) {
    for (int64_t n = 1;; n++) {
      gan_context *ctx = fresh_context();
      int32_t one = 1;
      released = 0;
      memory.fail_at = memory.calls + n, memory.fail_on = on;
      gan_status status = registry_add(ctx, REGISTRY_LAYER, "mine", some_function, &one, count_release);
      int32_t reached = memory.calls >= memory.fail_at;
      assert_int_equal(status, reached ? GAN_ERROR_MEMORY : GAN_OK);
      assert_int_equal(registry_find(ctx, REGISTRY_LAYER, "mine") == NULL, reached);
      end_context(ctx);
      assert_int_equal(released, !reached);
      if (!reached) break;
      assert_true(n < 20);
    }
  }
}

/* ------------------------------------------------------------------ whole contexts */

static void test_create_without_memory(void **state) {
  (void)state;
  for (int32_t on = 0; on < 2; on++) {
    for (int64_t n = 1;; n++) {
      gan_context_config c = fresh_config();
      gan_context *ctx = NULL;
      c.threads = 3;
      memory.fail_at = n, memory.fail_on = on;
      gan_status status = gan_context_create(&c, &ctx);
      int32_t reached = memory.calls >= n;
      assert_int_equal(status, reached ? GAN_ERROR_MEMORY : GAN_OK);
      assert_int_equal(ctx == NULL, reached);
      end_context(ctx);
      if (!reached) break;
      assert_true(n < 20);
    }
  }
}

static void test_threads_default(void **state) {
  (void)state;
  gan_context_config c = fresh_config();
  gan_context *ctx = NULL;
  c.threads = 0;
  must(NULL, gan_context_create(&c, &ctx));
  assert_int_equal(ctx->threads, cpu_cores());
  assert_int_equal(pool_threads(ctx->pool), cpu_cores());
  end_context(ctx);
}

static void test_describe(void **state) {
  (void)state;
  gan_context_config c = fresh_config();
  gan_context *ctx = NULL;
  char text[200], expected[200];
  int64_t needed = 0;
  c.deterministic = 1;
  c.isa = GAN_ISA_BASELINE;
  must(NULL, gan_context_create(&c, &ctx));
  must(ctx, gan_context_describe(ctx, text, sizeof text, &needed));
  snprintf(expected, sizeof expected, "libgan %s, baseline, 1 thread, built-in products, deterministic", gan_version_text());
  assert_string_equal(text, expected);
  assert_int_equal(needed, strlen(expected) + 1);
  assert_int_equal(gan_context_describe(NULL, text, sizeof text, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_context_describe(ctx, NULL, 1, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_context_describe(ctx, text, -1, NULL), GAN_ERROR_ARGUMENT);
  end_context(ctx);
}

static gan_context *context_with_blas(int32_t blas, int32_t deterministic) {
  gan_context_config c = fresh_config();
  gan_context *ctx = NULL;
  c.blas = blas;
  c.deterministic = deterministic;
  must(NULL, gan_context_create(&c, &ctx));
  return ctx;
}

/* The host's setting of BLAS is one thread while at least one context owns it, and back when the last is gone. */
static void test_blas_setting(void **state) {
  (void)state;
  int32_t before = blas_get_threads();
  if (!blas_available() || before < 1) skip();
  blas_set_threads(2);
  gan_context *left = context_with_blas(GAN_BLAS_LEAVE, 0), *off = context_with_blas(GAN_BLAS_OFF, 0),
      *same = context_with_blas(GAN_BLAS_OWN, 1);
  assert_int_equal(blas_get_threads(), 2);
  assert_false(runtime_may_use_blas(left) || runtime_may_use_blas(off) || runtime_may_use_blas(same));
  gan_context *a = context_with_blas(GAN_BLAS_OWN, 0), *b = context_with_blas(GAN_BLAS_OWN, 0);
  assert_int_equal(blas_get_threads(), 1);
  assert_true(runtime_may_use_blas(a) && runtime_may_use_blas(left));
  gan_context_free(a);
  assert_int_equal(blas_get_threads(), 1);
  gan_context_free(b);
  assert_int_equal(blas_get_threads(), 2);
  gan_context_free(left);
  gan_context_free(off);
  gan_context_free(same);
  blas_set_threads(before);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_version),
    cmocka_unit_test(test_status_text),
    cmocka_unit_test(test_config_sizes),
    cmocka_unit_test(test_config_of_other_versions),
    cmocka_unit_test(test_config_refused),
    cmocka_unit_test(test_instruction_sets),
    cmocka_unit_test(test_error_sentences),
    cmocka_unit_test(test_null_handles_keep_the_cause),
    cmocka_unit_test(test_error_text_is_clean),
    cmocka_unit_test(test_log),
    cmocka_unit_test(test_registry),
    cmocka_unit_test(test_registry_without_memory),
    cmocka_unit_test(test_create_without_memory),
    cmocka_unit_test(test_threads_default),
    cmocka_unit_test(test_describe),
    cmocka_unit_test(test_blas_setting),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
