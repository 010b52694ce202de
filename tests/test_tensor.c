/* Tensors: making, viewing, converting, filling; who frees what, and when. */
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/context.h"
#include "base/rng.h"
#include "base/tensor.h"
#include "bed.h"

#define SHAPE(...) ((const int64_t[]){__VA_ARGS__})

static gan_context *ctx;

static int begin(void **state) {
  set_up(state);
  ctx = *state;
  return 0;
}

static gan_tensor *new_tensor(int32_t type, int32_t rank, const int64_t *shape) {
  gan_tensor *t = NULL;
  must(ctx, gan_tensor_create(ctx, type, rank, shape, &t));
  return t;
}

static const char *refused(gan_status got, gan_status expected) {
  assert_int_equal(got, expected);
  return ctx->error;
}

/* ------------------------------------------------------------------ making */

static void test_create(void **state) {
  (void)state;
  gan_tensor *t = new_tensor(GAN_F32, 3, SHAPE(2, 3, 4));
  assert_int_equal(gan_tensor_type(t), GAN_F32);
  assert_int_equal(gan_tensor_rank(t), 3);
  assert_int_equal(gan_tensor_count(t), 24);
  assert_int_equal(gan_tensor_size(t, 0), 2);
  assert_int_equal(gan_tensor_size(t, -1), 4);
  assert_int_equal(gan_tensor_size(t, 3), -1);
  assert_int_equal(gan_tensor_size(t, -4), -1);
  assert_int_equal((uintptr_t)gan_tensor_data(t) % 64, 0);
  for (int i = 0; i < 24; i++) assert_true(((float *)gan_tensor_data(t))[i] == 0);
  gan_tensor_free(t);
}

static void test_create_small(void **state) {
  (void)state;
  gan_tensor *number = new_tensor(GAN_F64, 0, NULL), *none = new_tensor(GAN_U8, 2, SHAPE(5, 0));
  assert_int_equal(gan_tensor_count(number), 1);
  assert_int_equal(gan_tensor_size(number, 0), -1);
  assert_int_equal(gan_tensor_count(none), 0);
  assert_non_null(gan_tensor_data(none));
  must(ctx, gan_tensor_fill(none, 7));
  must(ctx, gan_tensor_copy(none, none));
  must(ctx, gan_tensor_read(none, 0, 0, GAN_F32, NULL));
  gan_tensor_free(number);
  gan_tensor_free(none);
}

static void test_create_refused(void **state) {
  (void)state;
  gan_tensor *t = NULL;
  refused(gan_tensor_create(ctx, 4, 0, NULL, &t), GAN_ERROR_ARGUMENT);
  refused(gan_tensor_create(ctx, -1, 0, NULL, &t), GAN_ERROR_ARGUMENT);
  refused(gan_tensor_create(ctx, GAN_F32, 9, SHAPE(1, 1, 1, 1, 1, 1, 1, 1, 1), &t), GAN_ERROR_ARGUMENT);
  refused(gan_tensor_create(ctx, GAN_F32, -1, NULL, &t), GAN_ERROR_ARGUMENT);
  refused(gan_tensor_create(ctx, GAN_F32, 1, NULL, &t), GAN_ERROR_ARGUMENT);
  refused(gan_tensor_create(ctx, GAN_F32, 0, NULL, NULL), GAN_ERROR_ARGUMENT);
  assert_string_equal(refused(gan_tensor_create(ctx, GAN_F32, 2, SHAPE(3, -4), &t), GAN_ERROR_ARGUMENT),
                      "gan_tensor_create: 3x-4 is no shape: a size is negative, or they are too many bytes");
  refused(gan_tensor_create(ctx, GAN_F32, 1, SHAPE(INT64_MAX / 2), &t), GAN_ERROR_ARGUMENT);
  refused(gan_tensor_create(ctx, GAN_F32, 3, SHAPE(INT64_MAX, 0, 2), &t),
          GAN_ERROR_ARGUMENT); /* 0 elements, but no room for a row of them */
  refused(gan_tensor_create(ctx, GAN_U8, 1, SHAPE(INT64_MAX), &t), GAN_ERROR_MEMORY);
  assert_int_equal(gan_tensor_create(NULL, GAN_F32, 0, NULL, &t), GAN_ERROR_ARGUMENT);
  assert_null(t);
}

static void test_null_tensors(void **state) {
  (void)state;
  gan_tensor *t = NULL;
  float x = 0;
  assert_int_equal(gan_tensor_type(NULL), -1);
  assert_int_equal(gan_tensor_rank(NULL), -1);
  assert_int_equal(gan_tensor_count(NULL), 0);
  assert_null(gan_tensor_data(NULL));
  assert_int_equal(gan_tensor_size(NULL, 0), -1);
  assert_int_equal(gan_tensor_slice(NULL, 0, 1, &t), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_tensor_reshape(NULL, 0, NULL, &t), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_tensor_copy(NULL, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_tensor_fill(NULL, 1), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_tensor_random(NULL, "normal", 1), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_tensor_read(NULL, 0, 1, GAN_F32, &x), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_tensor_write(NULL, 0, 1, GAN_F32, &x), GAN_ERROR_ARGUMENT);
  gan_tensor_free(NULL);
}

/* ------------------------------------------------------------------ the caller's memory */

struct owner { int32_t calls; void *memory; int64_t bytes; };

static void note_release(void *user, void *block, int64_t bytes) {
  struct owner *o = user;
  o->calls++;
  o->memory = block;
  o->bytes = bytes;
}

static void test_wrap_is_released_by_the_last(void **state) {
  (void)state;
  struct owner o = {0};
  int32_t data[6] = {1, 2, 3, 4, 5, 6};
  gan_tensor *t = NULL, *row = NULL, *flat = NULL;
  must(ctx, gan_tensor_wrap(ctx, GAN_I32, 2, SHAPE(3, 2), data, note_release, &o, &t));
  must(ctx, gan_tensor_slice(t, 1, 2, &row));
  must(ctx, gan_tensor_reshape(row, 1, SHAPE(-1), &flat));
  gan_tensor_free(t);
  gan_tensor_free(row);
  assert_int_equal(o.calls, 0);
  assert_ptr_equal(gan_tensor_data(flat), data + 2);
  gan_tensor_free(tensor_ref(flat));
  gan_tensor_free(flat);
  assert_int_equal(o.calls, 1);
  assert_ptr_equal(o.memory, data);
  assert_int_equal(o.bytes, sizeof data);
}

static void test_wrap_refused(void **state) {
  (void)state;
  struct owner o = {0};
  double data[4] = {0};
  gan_tensor *t = NULL;
  refused(gan_tensor_wrap(ctx, GAN_F64, 1, SHAPE(3), (char *)data + 4, note_release, &o, &t), GAN_ERROR_ARGUMENT);
  refused(gan_tensor_wrap(ctx, GAN_F64, 1, SHAPE(3), NULL, note_release, &o, &t), GAN_ERROR_ARGUMENT);
  refused(gan_tensor_wrap(ctx, GAN_F64, 1, SHAPE(3), data, note_release, &o, NULL), GAN_ERROR_ARGUMENT);
  refused(gan_tensor_wrap(ctx, GAN_F64, 1, SHAPE(-3), data, note_release, &o, &t), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_tensor_wrap(NULL, GAN_F64, 1, SHAPE(3), data, note_release, &o, &t), GAN_ERROR_ARGUMENT);
  for (int64_t n = 1; n <= 2; n++) { /* the storage, the tensor */
    memory.fail_at = memory.calls + n;
    assert_int_equal(gan_tensor_wrap(ctx, GAN_F64, 1, SHAPE(3), data, note_release, &o, &t), GAN_ERROR_MEMORY);
  }
  assert_null(t);
  assert_int_equal(o.calls, 0);
  memory.fail_at = 0;
  must(ctx, gan_tensor_wrap(ctx, GAN_F64, 1, SHAPE(3), data, NULL, NULL, &t));
  gan_tensor_free(t);
}

/* A tensor outlives the caller's handle of its context. */
static void test_tensor_keeps_context(void **state) {
  (void)state;
  struct allocator own = {0};
  gan_context_config c = allocator_config(&own);
  gan_context *context = NULL;
  gan_tensor *t = NULL, *view = NULL;
  must(NULL, context_new(&c, &context));
  must(context, gan_tensor_create(context, GAN_F32, 1, SHAPE(4), &t));
  must(context, gan_tensor_slice(t, 0, 2, &view));
  gan_context_free(context);
  gan_tensor_free(t);
  must(NULL, gan_tensor_fill(view, 3));
  assert_true(((float *)gan_tensor_data(view))[1] == 3);
  assert_true(own.live > 0);
  gan_tensor_free(view);
  assert_int_equal(own.live, 0);
}

static void *drop(void *argument) {
  for (int32_t i = 0; i < 1000; i++) gan_tensor_free(tensor_ref(argument));
  gan_tensor_free(argument);
  return NULL;
}

static void test_free_on_many_threads(void **state) {
  (void)state;
  pthread_t threads[6];
  gan_tensor *t = new_tensor(GAN_F32, 1, SHAPE(100));
  for (int i = 0; i < 6; i++) assert_int_equal(pthread_create(&threads[i], NULL, drop, tensor_ref(t)), 0);
  gan_tensor_free(t);
  for (int i = 0; i < 6; i++) pthread_join(threads[i], NULL);
  assert_int_equal(memory.live, 1); /* the context */
}

/* ------------------------------------------------------------------ views */

static void test_slice(void **state) {
  (void)state;
  gan_tensor *t = new_tensor(GAN_I32, 2, SHAPE(4, 3)), *rows = NULL, *none = NULL, *number = new_tensor(GAN_F32, 0, NULL);
  must(ctx, gan_tensor_slice(t, 1, 3, &rows));
  assert_int_equal(gan_tensor_size(rows, 0), 2);
  assert_int_equal(gan_tensor_count(rows), 6);
  must(ctx, gan_tensor_fill(rows, 5));
  for (int i = 0; i < 12; i++) assert_int_equal(((int32_t *)gan_tensor_data(t))[i], i >= 3 && i < 9 ? 5 : 0);
  must(ctx, gan_tensor_slice(t, 4, 4, &none));
  assert_int_equal(gan_tensor_count(none), 0);
  gan_tensor *out = NULL;
  refused(gan_tensor_slice(t, -1, 2, &out), GAN_ERROR_ARGUMENT);
  refused(gan_tensor_slice(t, 3, 2, &out), GAN_ERROR_ARGUMENT);
  assert_string_equal(refused(gan_tensor_slice(t, 0, 5, &out), GAN_ERROR_ARGUMENT),
                      "gan_tensor_slice: rows 0 .. 5; expected 0 <= begin <= end <= 4");
  refused(gan_tensor_slice(t, 0, 1, NULL), GAN_ERROR_ARGUMENT);
  refused(gan_tensor_slice(number, 0, 0, &out), GAN_ERROR_ARGUMENT);
  memory.fail_at = memory.calls + 1;
  assert_int_equal(gan_tensor_slice(t, 0, 1, &out), GAN_ERROR_MEMORY);
  assert_null(out);
  gan_tensor_free(t);
  gan_tensor_free(none);
  gan_tensor_free(rows);
  gan_tensor_free(number);
}

static void test_reshape(void **state) {
  (void)state;
  static const struct { gan_status status; int64_t first; int32_t rank; int64_t shape[4]; } rows[] = {
    {GAN_OK, 12, 1, {12}},       {GAN_OK, 12, 1, {-1}},          {GAN_OK, 2, 3, {2, -1, 3}},
    {GAN_OK, 12, 2, {-1, 1}},    {GAN_ERROR_SHAPE, 0, 1, {13}},  {GAN_ERROR_SHAPE, 0, 2, {5, -1}},
    {GAN_ERROR_SHAPE, 0, 0, {0}}, {GAN_ERROR_SHAPE, 0, 2, {0, -1}}, {GAN_ERROR_ARGUMENT, 0, 2, {-1, -1}},
    {GAN_ERROR_ARGUMENT, 0, 2, {-2, -6}}, {GAN_ERROR_SHAPE, 0, 2, {INT64_MAX, 2}}, {GAN_ERROR_SHAPE, 0, 3, {INT64_MAX, 2, -1}},
  };
  gan_tensor *t = new_tensor(GAN_F32, 2, SHAPE(3, 4)), *out = NULL;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    assert_int_equal(gan_tensor_reshape(t, rows[i].rank, rows[i].shape, &out), rows[i].status);
    if (rows[i].status == GAN_OK) {
      assert_int_equal(gan_tensor_count(out), 12);
      assert_int_equal(gan_tensor_size(out, 0), rows[i].first);
      assert_ptr_equal(gan_tensor_data(out), gan_tensor_data(t));
    }
    gan_tensor_free(out);
    out = NULL;
  }
  assert_string_equal(refused(gan_tensor_reshape(t, 2, SHAPE(5, -1), &out), GAN_ERROR_SHAPE),
                      "gan_tensor_reshape: 3x4, of 12 elements, does not go into 5x-1");
  refused(gan_tensor_reshape(t, 9, SHAPE(1), &out), GAN_ERROR_ARGUMENT);
  refused(gan_tensor_reshape(t, 1, NULL, &out), GAN_ERROR_ARGUMENT);
  refused(gan_tensor_reshape(t, 1, SHAPE(12), NULL), GAN_ERROR_ARGUMENT);
  gan_tensor_free(t);
  t = new_tensor(GAN_F32, 2, SHAPE(0, 3));
  must(ctx, gan_tensor_reshape(t, 2, SHAPE(-1, 7), &out));
  assert_int_equal(gan_tensor_size(out, 0), 0);
  gan_tensor_free(out);
  refused(gan_tensor_reshape(t, 2, SHAPE(-1, 0), &out), GAN_ERROR_SHAPE); /* anything would do */
  gan_tensor_free(t);
}

/* ------------------------------------------------------------------ converting */

static const double values[] = {0, -0.0, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 254.5, 255.5, 255.49, 256, -1, 1e30, -1e30, 3e9, -3e9,
                                2147483646.5, 2147483647.5, -2147483648.5, 0.49999999999999994, 123456789.25, NAN, HUGE_VAL,
                                -HUGE_VAL, 1e300};
static const int32_t as_i32[] = {0, 0, 0, 2, 2, 0, -2, -2, 254, 256, 255, 256, -1, INT32_MAX, INT32_MIN, INT32_MAX, INT32_MIN,
                                 2147483646, INT32_MAX, INT32_MIN, 0, 123456789, 0, INT32_MAX, INT32_MIN, INT32_MAX};
static const uint8_t as_u8[] = {0, 0, 0, 2, 2, 0, 0, 0, 254, 255, 255, 255, 0, 255, 0, 255, 0, 255, 255, 0, 0, 255, 0, 255, 0,
                                255};
enum { VALUES = sizeof values / sizeof *values };

static void expect_conversions(void) {
  int32_t whole[VALUES];
  uint8_t bytes[VALUES];
  float floats[VALUES];
  convert_elements(GAN_I32, whole, GAN_F64, values, VALUES);
  convert_elements(GAN_U8, bytes, GAN_F64, values, VALUES);
  convert_elements(GAN_F32, floats, GAN_F64, values, VALUES);
  for (int i = 0; i < VALUES; i++) {
    assert_int_equal(whole[i], as_i32[i]);
    assert_int_equal(bytes[i], as_u8[i]);
    if (isnan(values[i])) assert_true(isnan(floats[i]));
    else assert_true(floats[i] == (float)values[i] && !signbit(floats[i]) == !signbit(values[i]));
  }
}

/* To nearest even, clamped, NaN to 0; whatever the host has set. */
static void test_convert_to_integers(void **state) {
  (void)state;
  expect_conversions();
#if defined(FE_UPWARD) && defined(FE_DOWNWARD)
  fesetround(FE_UPWARD);
  int32_t whole;
  convert_elements(GAN_I32, &whole, GAN_F64, &values[2], 1);
  fesetround(FE_DOWNWARD);
  int32_t whole_down;
  convert_elements(GAN_I32, &whole_down, GAN_F64, &values[3], 1);
  fesetround(FE_TONEAREST);
  assert_int_equal(whole, 0);
  assert_int_equal(whole_down, 2);
#endif
}

/* All pairs of types, more elements than a block: numbers that every type holds come through unchanged. */
static void test_convert_all_pairs(void **state) {
  (void)state;
  enum { COUNT = 1000 };
  static _Alignas(8) char from[COUNT * 8], to[COUNT * 8];
  double numbers[COUNT], back[COUNT];
  for (int i = 0; i < COUNT; i++) numbers[i] = i % 256;
  for (int32_t a = GAN_F32; a <= GAN_U8; a++) {
    for (int32_t b = GAN_F32; b <= GAN_U8; b++) {
      convert_elements(a, from, GAN_F64, numbers, COUNT);
      convert_elements(b, to, a, from, COUNT);
      convert_elements(GAN_F64, back, b, to, COUNT);
      assert_memory_equal(back, numbers, sizeof numbers);
    }
  }
}

static void test_copy(void **state) {
  (void)state;
  gan_tensor *a = new_tensor(GAN_F32, 2, SHAPE(2, 3)), *b = new_tensor(GAN_U8, 1, SHAPE(6)),
      *c = new_tensor(GAN_F32, 1, SHAPE(5));
  float x[6] = {1.5f, -4, 300, 2, 3, 4};
  must(ctx, gan_tensor_write(a, 0, 6, GAN_F32, x));
  must(ctx, gan_tensor_copy(b, a));
  assert_memory_equal(gan_tensor_data(b), ((uint8_t[]){2, 0, 255, 2, 3, 4}), 6);
  must(ctx, gan_tensor_copy(a, a));
  assert_memory_equal(gan_tensor_data(a), x, sizeof x);
  assert_string_equal(refused(gan_tensor_copy(c, a), GAN_ERROR_SHAPE),
                      "gan_tensor_copy: target is 5, source is 2x3; expected as many elements");
  assert_int_equal(gan_tensor_copy(a, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_tensor_copy(NULL, a), GAN_ERROR_ARGUMENT);
  assert_non_null(strstr(ctx->error, "target is 5")); /* the cause stays */
  gan_tensor_free(a);
  gan_tensor_free(b);
  gan_tensor_free(c);
}

static void test_fill(void **state) {
  (void)state;
  for (int32_t type = GAN_F32; type <= GAN_U8; type++) {
    for (int64_t n = 0; n < 70; n++) {
      double back[70];
      gan_tensor *t = new_tensor(type, 1, &n);
      must(ctx, gan_tensor_fill(t, 2.5));
      must(ctx, gan_tensor_read(t, 0, n, GAN_F64, back));
      for (int64_t i = 0; i < n; i++) assert_true(back[i] == (type == GAN_F32 || type == GAN_F64 ? 2.5 : 2));
      gan_tensor_free(t);
    }
  }
}

static void test_read_write(void **state) {
  (void)state;
  gan_tensor *t = new_tensor(GAN_F32, 2, SHAPE(3, 4));
  int32_t in[3] = {7, 8, 9}, out[12];
  must(ctx, gan_tensor_write(t, 9, 3, GAN_I32, in));
  must(ctx, gan_tensor_read(t, 0, 12, GAN_I32, out));
  for (int i = 0; i < 12; i++) assert_int_equal(out[i], i < 9 ? 0 : i - 2);
  must(ctx, gan_tensor_read(t, 12, 0, GAN_I32, NULL));
  static const struct { int64_t first, count; } bad[] = {{-1, 1}, {0, -1}, {0, 13}, {13, 0}, {12, 1}, {INT64_MAX, INT64_MAX},
                                                         {1, INT64_MAX}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    refused(gan_tensor_read(t, bad[i].first, bad[i].count, GAN_I32, out), GAN_ERROR_ARGUMENT);
    refused(gan_tensor_write(t, bad[i].first, bad[i].count, GAN_I32, in), GAN_ERROR_ARGUMENT);
  }
  refused(gan_tensor_read(t, 0, 1, 9, out), GAN_ERROR_ARGUMENT);
  refused(gan_tensor_read(t, 0, 1, GAN_I32, NULL), GAN_ERROR_ARGUMENT);
  refused(gan_tensor_write(t, 0, 1, GAN_I32, NULL), GAN_ERROR_ARGUMENT);
  gan_tensor_free(t);
}

/* ------------------------------------------------------------------ random */

enum { DRAWS = 20000 };

struct moments { double mean, std, low, high; };

static struct moments moments_of(int32_t type, const char *distribution) {
  static double x[DRAWS];
  gan_tensor *t = new_tensor(type, 1, SHAPE(DRAWS));
  must(ctx, gan_tensor_random(t, distribution, 42));
  must(ctx, gan_tensor_read(t, 0, DRAWS, GAN_F64, x));
  gan_tensor_free(t);
  struct moments m = {0, 0, x[0], x[0]};
  for (int i = 0; i < DRAWS; i++) {
    m.mean += x[i] / DRAWS;
    m.std += x[i] * x[i] / DRAWS;
    m.low = fmin(m.low, x[i]);
    m.high = fmax(m.high, x[i]);
  }
  m.std = sqrt(m.std - m.mean * m.mean);
  return m;
}

static void expect_near(double got, double expected, double tolerance) {
  if (!(fabs(got - expected) <= tolerance)) fail_msg("%g, expected %g +- %g", got, expected, tolerance);
}

static void test_random_distributions(void **state) {
  (void)state;
  struct moments m = moments_of(GAN_F32, "normal mean=3 std=2");
  expect_near(m.mean, 3, 0.06), expect_near(m.std, 2, 0.04);
  m = moments_of(GAN_F64, "truncated-normal");
  expect_near(m.mean, 0, 0.03), expect_near(m.std, 0.8796, 0.02);
  assert_true(m.low >= -2 && m.high <= 2 && m.low < -1.95 && m.high > 1.95);
  m = moments_of(GAN_F32, "uniform low=-1 high=3");
  expect_near(m.mean, 1, 0.04), expect_near(m.std, 4 / sqrt(12), 0.03);
  assert_true(m.low >= -1 && m.high < 3);
  m = moments_of(GAN_I32, "integers low=-3 high=4");
  expect_near(m.mean, 0, 0.06), expect_near(m.std, 2, 0.03);
  assert_true(m.low == -3 && m.high == 3);
  m = moments_of(GAN_F32, "uniform low=2 high=2");
  assert_true(m.low == 2 && m.high == 2);
}

/* Element i depends on seed and i alone, so a longer tensor begins like a shorter one; and it is what rng.h says. */
static void test_random_by_index(void **state) {
  (void)state;
  gan_tensor *a = new_tensor(GAN_F32, 1, SHAPE(10)), *b = new_tensor(GAN_F32, 2, SHAPE(50, 2));
  struct rng_key key = rng_stream(5, rng_hash("tensor"), 0);
  must(ctx, gan_tensor_random(a, "normal", 5));
  must(ctx, gan_tensor_random(b, "normal", 5));
  assert_memory_equal(gan_tensor_data(a), gan_tensor_data(b), 40);
  for (uint64_t i = 0; i < 10; i++) assert_true(((float *)gan_tensor_data(a))[i] == rng_normal(&key, i));
  must(ctx, gan_tensor_random(b, "normal", 6));
  assert_memory_not_equal(gan_tensor_data(a), gan_tensor_data(b), 40);
  gan_tensor_free(a);
  gan_tensor_free(b);
}

static void test_random_permutation(void **state) {
  (void)state;
  for (int64_t n = 0; n < 40; n++) {
    gan_tensor *t = new_tensor(GAN_I32, 1, &n);
    uint64_t seen = 0;
    must(ctx, gan_tensor_random(t, "permutation", n));
    for (int64_t i = 0; i < n; i++) seen |= UINT64_C(1) << ((int32_t *)gan_tensor_data(t))[i];
    assert_true(seen == (UINT64_C(1) << n) - 1);
    gan_tensor_free(t);
  }
}

static void test_random_refused(void **state) {
  (void)state;
  gan_tensor *t = new_tensor(GAN_F32, 1, SHAPE(4)), *bytes = new_tensor(GAN_U8, 1, SHAPE(4)),
      *whole = new_tensor(GAN_I32, 1, SHAPE(4));
  assert_string_equal(refused(gan_tensor_random(t, "norml", 1), GAN_ERROR_ARGUMENT),
                      "gan_tensor_random: no distribution 'norml'; did you mean 'normal'? There are normal, "
                      "truncated-normal, uniform, integers, permutation");
  assert_string_equal(refused(gan_tensor_random(t, "normal st=1", 1), GAN_ERROR_ARGUMENT),
                      "normal: no parameter 'st'; did you mean 'std'?");
  refused(gan_tensor_random(t, "poisson", 1), GAN_ERROR_ARGUMENT);
  refused(gan_tensor_random(t, "", 1), GAN_ERROR_ARGUMENT);
  refused(gan_tensor_random(t, NULL, 1), GAN_ERROR_ARGUMENT);
  refused(gan_tensor_random(t, "normal std=-1", 1), GAN_ERROR_ARGUMENT);
  refused(gan_tensor_random(t, "uniform low=2 high=1", 1), GAN_ERROR_ARGUMENT);
  refused(gan_tensor_random(t, "permutation x=1", 1), GAN_ERROR_ARGUMENT);
  refused(gan_tensor_random(t, "integers low=0 high=20000000", 1), GAN_ERROR_ARGUMENT); /* f32 has no odd numbers there */
  refused(gan_tensor_random(bytes, "normal", 1), GAN_ERROR_ARGUMENT);
  refused(gan_tensor_random(whole, "integers low=3 high=3", 1), GAN_ERROR_ARGUMENT);
  refused(gan_tensor_random(whole, "integers low=-2147483648 high=2147483648", 1), GAN_ERROR_ARGUMENT);
  must(ctx, gan_tensor_random(whole, "integers low=-2147483648 high=2147483647", 1));
  must(ctx, gan_tensor_random(whole, "normal std=1e30", 1)); /* converted as by gan_tensor_copy: clamped */
  memory.fail_at = memory.calls + 1, memory.fail_on = 1;
  assert_int_equal(gan_tensor_random(t, "normal std=1", 1), GAN_ERROR_MEMORY);
  gan_tensor_free(t);
  gan_tensor_free(bytes);
  gan_tensor_free(whole);
}

/* ------------------------------------------------------------------ small things that others build on */

static void test_types_and_shapes(void **state) {
  (void)state;
  assert_int_equal(type_bytes(GAN_F32) + 10 * type_bytes(GAN_F64) + 100 * type_bytes(GAN_I32) + 1000 * type_bytes(GAN_U8), 1484);
  assert_int_equal(type_bytes(4) + type_bytes(-1), 0);
  assert_string_equal(type_name(GAN_I32), "i32");
  assert_string_equal(type_name(99), "unknown type");
  assert_int_equal(shape_count(0, NULL), 1);
  assert_int_equal(shape_count(2, SHAPE(3, 5)), 15);
  assert_int_equal(shape_count(2, SHAPE(3, 0)), 0);
  assert_int_equal(shape_count(2, SHAPE(0, -1)), -1);
  assert_int_equal(shape_count(2, SHAPE(INT64_MAX, 2)), -1);
  assert_int_equal(shape_count(3, SHAPE(0, INT64_MAX, 2)), -1);
  assert_true(shape_equal(2, SHAPE(1, 2), 2, SHAPE(1, 2)));
  assert_false(shape_equal(2, SHAPE(1, 2), 2, SHAPE(2, 1)));
  assert_false(shape_equal(2, SHAPE(1, 2), 1, SHAPE(1)));
  assert_true(shape_equal(0, NULL, 0, NULL));
}

static void test_without_memory(void **state) {
  (void)state;
  for (int64_t n = 1;; n++) {
    gan_tensor *t = NULL;
    memory.fail_at = memory.calls + n;
    gan_status status = gan_tensor_create(ctx, GAN_F32, 1, SHAPE(4), &t);
    int32_t reached = memory.calls >= memory.fail_at;
    memory.fail_at = 0;
    assert_int_equal(status, reached ? GAN_ERROR_MEMORY : GAN_OK);
    gan_tensor_free(t);
    if (!reached) return;
    assert_true(n < 10);
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
    TEST(test_create), TEST(test_create_small), TEST(test_create_refused), TEST(test_null_tensors),
    TEST(test_wrap_is_released_by_the_last), TEST(test_wrap_refused), TEST(test_tensor_keeps_context),
    TEST(test_free_on_many_threads), TEST(test_slice), TEST(test_reshape), TEST(test_convert_to_integers),
    TEST(test_convert_all_pairs), TEST(test_copy), TEST(test_fill), TEST(test_read_write), TEST(test_random_distributions),
    TEST(test_random_by_index), TEST(test_random_permutation), TEST(test_random_refused), TEST(test_types_and_shapes),
    TEST(test_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
