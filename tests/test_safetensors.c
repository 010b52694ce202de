/* safetensors: round trips, types of other programs, and headers that lie. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/context.h"
#include "bed.h"
#include "io/safetensors.h"

static gan_context *ctx;

static int begin(void **state) {
  set_up(state);
  ctx = *state;
  return 0;
}

/* ------------------------------------------------------------------ files in memory */

enum { FILE_MAX = 4096 };
static char file_bytes[FILE_MAX];

/* A file of this header and n bytes of data, counting up. Returns its size. */
static int64_t make_file(const char *header, int64_t n) {
  int64_t length = (int64_t)strlen(header);
  for (int i = 0; i < 8; i++) file_bytes[i] = (char)(length >> (8 * i) & 255);
  memcpy(file_bytes + 8, header, (size_t)length);
  for (int64_t i = 0; i < n; i++) file_bytes[8 + length + i] = (char)i;
  return 8 + length + n;
}

static gan_status open_bytes(const char *bytes, int64_t size, struct reader *r, struct st_file *f) {
  must(ctx, reader_memory(r, ctx, bytes, size));
  return st_open(f, ctx, r);
}

static void expect_refused(gan_status status, const char *header, int64_t data, const char *sentence) {
  struct reader r;
  struct st_file f;
  gan_status got = open_bytes(file_bytes, make_file(header, data), &r, &f);
  if (got != status) fail_msg("%s: status %d: %s", header, got, ctx->error);
  if (!strstr(ctx->error, sentence)) fail_msg("%s: '%s' is not in '%s'", header, sentence, ctx->error);
  assert_int_equal(memory.live, 1);
}

/* ------------------------------------------------------------------ round trips */

static const float weights[6] = {1, -2.5f, 3, 4, 1e-30f, 6};
static const int32_t labels[3] = {INT32_MIN, 0, INT32_MAX};
static const double exact[2] = {0.1, -1e300};
static const uint8_t pixels[5] = {0, 1, 127, 128, 255};
static const struct st_tensor written[] = {
  {.name = "G/dense1/weight", .type = GAN_F32, .rank = 2, .shape = {2, 3}, .data = weights},
  {.name = "labels \"\xC3\xA4\"", .type = GAN_I32, .rank = 1, .shape = {3}, .data = labels},
  {.name = "none", .type = GAN_F32, .rank = 2, .shape = {0, 4}},
  {.name = "exact", .type = GAN_F64, .rank = 1, .shape = {2}, .data = exact},
  {.name = "pixels", .type = GAN_U8, .rank = 1, .shape = {5}, .data = pixels},
  {.name = "one", .type = GAN_F32, .rank = 0, .data = weights + 1},
};
enum { TENSORS = sizeof written / sizeof *written };
static const struct st_metadata metadata[] = {{"gan.format", "1"}, {"gan.kind", "net\nwork"}};

static gan_status write_all(struct memory_file *file) {
  struct writer w;
  gan_stream s = memory_stream(file);
  must(ctx, writer_stream(&w, ctx, &s));
  return st_write(&w, 2, metadata, TENSORS, written);
}

static gan_status read_all(struct reader *r) {
  struct st_file f;
  float floats[6] = {0};
  int32_t whole[3] = {0};
  TRY(st_open(&f, ctx, r));
  gan_status status = GAN_OK;
  for (int64_t i = 0; i < f.count && status == GAN_OK; i++) {
    const struct st_tensor *t = &f.tensors[i];
    if (strcmp(t->name, "G/dense1/weight") == 0) continue; /* passed over */
    status = st_read(&f, i, t->type == GAN_I32 ? (void *)whole : floats);
    if (status != GAN_OK) break;
    if (t->type == GAN_I32) assert_memory_equal(whole, labels, sizeof labels);
    if (t->type == GAN_F64) assert_true(floats[0] == (float)exact[0] && floats[1] == -INFINITY);
    if (t->type == GAN_U8) assert_true(floats[0] == 0 && floats[3] == 128 && floats[4] == 255);
    if (t->rank == 0) assert_true(floats[0] == weights[1]);
  }
  st_close(&f);
  return status;
}

static void test_round_trip(void **state) {
  (void)state;
  struct memory_file file = {.bytes = file_bytes, .capacity = FILE_MAX};
  struct reader r;
  struct st_file f;
  must(ctx, write_all(&file));
  must(ctx, open_bytes(file.bytes, file.size, &r, &f));
  assert_int_equal(f.count, TENSORS);
  assert_int_equal(f.data_size, 24 + 12 + 16 + 5 + 4);
  assert_int_equal((file.size - f.data_size) % 8, 0); /* the data is aligned */
  assert_string_equal(st_metadata(&f, "gan.kind"), "net\nwork");
  assert_null(st_metadata(&f, "gan.nothing"));
  for (int64_t i = 0; i < TENSORS; i++) {
    const struct st_tensor *t = &f.tensors[i], *w = NULL;
    for (int k = 0; k < TENSORS; k++)
      if (strcmp(written[k].name, t->name) == 0) w = &written[k];
    assert_non_null(w);
    assert_int_equal(t->type, w->type);
    assert_int_equal(t->rank, w->rank);
    assert_memory_equal(t->shape, w->shape, (size_t)t->rank * sizeof *t->shape);
    assert_true(i == 0 || t->begin == f.tensors[i - 1].end);
  }
  float back[6];
  must(ctx, st_read(&f, 0, back));
  assert_memory_equal(back, weights, sizeof weights);
  assert_int_equal(st_read(&f, 0, back), GAN_ERROR_ARGUMENT); /* forwards only */
  assert_int_equal(st_read(&f, -1, back), GAN_ERROR_ARGUMENT);
  assert_int_equal(st_read(&f, TENSORS, back), GAN_ERROR_ARGUMENT);
  st_close(&f);
  st_close(&f);
}

static void test_round_trip_by_every_reader(void **state) {
  (void)state;
  struct memory_file file = {.bytes = file_bytes, .capacity = FILE_MAX};
  struct reader r;
  must(ctx, write_all(&file));
  must(ctx, reader_memory(&r, ctx, file.bytes, file.size));
  must(ctx, read_all(&r));
  gan_stream s = memory_stream(&file);
  file.at = 0;
  must(ctx, reader_stream(&r, ctx, &s));
  must(ctx, read_all(&r));
}

static void test_byte_for_byte(void **state) {
  (void)state;
  static const float one[1] = {1};
  const struct st_tensor t = {.name = "w", .type = GAN_F32, .rank = 1, .shape = {1}, .data = one};
  struct memory_file file = {.bytes = file_bytes, .capacity = FILE_MAX};
  struct writer w;
  gan_stream s = memory_stream(&file);
  must(ctx, writer_stream(&w, ctx, &s));
  must(ctx, st_write(&w, 0, NULL, 1, &t));
  static const char expected[] =
    "\x38\0\0\0\0\0\0\0{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}  \0\0\x80\x3F";
  assert_int_equal(file.size, sizeof expected - 1);
  assert_memory_equal(file.bytes, expected, sizeof expected - 1);
}

static void test_nothing_to_write(void **state) {
  (void)state;
  struct memory_file file = {.bytes = file_bytes, .capacity = FILE_MAX};
  struct writer w;
  struct reader r;
  struct st_file f;
  gan_stream s = memory_stream(&file);
  must(ctx, writer_stream(&w, ctx, &s));
  must(ctx, st_write(&w, 0, NULL, 0, NULL));
  must(ctx, open_bytes(file.bytes, file.size, &r, &f));
  assert_int_equal(f.count, 0);
  assert_null(st_metadata(&f, "gan.kind"));
  st_close(&f);
}

static void test_write_refused(void **state) {
  (void)state;
  static const struct st_tensor bad[] = {
    {.name = NULL, .type = GAN_F32, .rank = 1, .shape = {1}, .data = weights},
    {.name = "a", .type = 4, .rank = 1, .shape = {1}, .data = weights},
    {.name = "a", .type = GAN_F32, .rank = 9, .data = weights},
    {.name = "a", .type = GAN_F32, .rank = 1, .shape = {-1}, .data = weights},
    {.name = "a", .type = GAN_F32, .rank = 1, .shape = {1}},
    {.name = "__metadata__", .type = GAN_F32, .data = weights},
    {.name = "a", .type = GAN_F32, .rank = 2, .shape = {INT64_MAX, 4}, .data = weights},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct memory_file file = {.bytes = file_bytes, .capacity = FILE_MAX};
    struct writer w;
    gan_stream s = memory_stream(&file);
    must(ctx, writer_stream(&w, ctx, &s));
    assert_int_equal(st_write(&w, 0, NULL, 1, &bad[i]), GAN_ERROR_ARGUMENT);
    assert_int_equal(writer_commit(&w), GAN_ERROR_ARGUMENT);
    assert_int_equal(file.size, 0);
  }
}

/* ------------------------------------------------------------------ types of other programs */

static void test_half_precision(void **state) {
  (void)state;
  static const struct { const char *type; uint16_t bits; float value; } rows[] = {
    {"F16", 0x3C00, 1}, {"F16", 0xC000, -2}, {"F16", 0x7BFF, 65504}, {"F16", 0x0001, 0x1p-24f}, {"F16", 0x83FF, -0x1.ff8p-15f},
    {"F16", 0x0400, 0x1p-14f}, {"F16", 0x7C00, INFINITY}, {"F16", 0xFC00, -INFINITY}, {"F16", 0x8000, -0.0f},
    {"F16", 0x3555, 0x1.554p-2f}, {"BF16", 0x3F80, 1}, {"BF16", 0xC000, -2}, {"BF16", 0x7F80, INFINITY},
    {"BF16", 0x0001, 0x1p-133f},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char header[100];
    struct reader r;
    struct st_file f;
    float value = 77;
    snprintf(header, sizeof header, "{\"h\":{\"dtype\":\"%s\",\"shape\":[1],\"data_offsets\":[0,2]}}", rows[i].type);
    int64_t size = make_file(header, 2);
    file_bytes[size - 2] = (char)(rows[i].bits & 255);
    file_bytes[size - 1] = (char)(rows[i].bits >> 8);
    must(ctx, open_bytes(file_bytes, size, &r, &f));
    assert_int_equal(f.tensors[0].type, GAN_F32);
    must(ctx, st_read(&f, 0, &value));
    assert_true(value == rows[i].value && !signbit(value) == !signbit(rows[i].value));
    st_close(&f);
  }
}

/* More elements than one buffer holds. */
static void test_long_half_precision(void **state) {
  (void)state;
  enum { COUNT = 10000 };
  char header[100];
  static char bytes[COUNT * 2 + 200];
  static float values[COUNT];
  struct reader r;
  struct st_file f;
  snprintf(header, sizeof header, "{\"h\":{\"dtype\":\"BF16\",\"shape\":[100,100],\"data_offsets\":[0,%d]}}", COUNT * 2);
  int64_t start = make_file(header, 0);
  memcpy(bytes, file_bytes, (size_t)start);
  for (int i = 0; i < COUNT; i++) bytes[start + 2 * i + 1] = (char)(0x3F + (i & 1)), bytes[start + 2 * i] = (char)0x80;
  must(ctx, open_bytes(bytes, start + COUNT * 2, &r, &f));
  must(ctx, st_read(&f, 0, values));
  for (int i = 0; i < COUNT; i++) assert_true(values[i] == (i & 1 ? 4 : 1));
  st_close(&f);
}

/* PyTorch's batch norm counts its batches in I64: such a tensor may be there, and can be passed over. */
static void test_types_that_are_passed_over(void **state) {
  (void)state;
  struct reader r;
  struct st_file f;
  uint8_t values[40];
  int64_t size = make_file("{\"n\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[0,16]},"
                           "\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[16,20]},"
                           "\"b\":{\"dtype\":\"BOOL\",\"shape\":[3],\"data_offsets\":[20,23],\"more\":[]}}", 23);
  must(ctx, open_bytes(file_bytes, size, &r, &f));
  assert_int_equal(f.tensors[0].type, -1);
  assert_int_equal(st_read(&f, 0, values), GAN_ERROR_UNSUPPORTED);
  assert_non_null(strstr(ctx->error, "tensor 'n': its type cannot be read: I64"));
  must(ctx, st_read(&f, 1, values));
  assert_memory_equal(values, ((uint8_t[]){16, 17, 18, 19}), 4);
  st_close(&f);
}

/* ------------------------------------------------------------------ headers that lie */

#define ENTRY(type, shape, offsets) "{\"w\":{\"dtype\":" type ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

static void test_headers_refused(void **state) {
  (void)state;
  const gan_status format = GAN_ERROR_FORMAT;
  expect_refused(format, "[]", 0, "no JSON object");
  expect_refused(format, "{\"w\"", 0, "memory: header: JSON, byte 4: expected ':'");
  expect_refused(format, "{\"w\":1}", 0, "it has no dtype");
  expect_refused(format, ENTRY("3", "[1]", "[0,4]"), 4, "it has no dtype");
  expect_refused(GAN_ERROR_UNSUPPORTED, ENTRY("\"F4\"", "[1]", "[0,4]"), 4, "dtype 'F4' is not known");
  expect_refused(format, ENTRY("\"F32\"", "1", "[0,4]"), 4, "it has no shape");
  expect_refused(format, ENTRY("\"F32\"", "[1.5]", "[0,4]"), 4, "a size is no whole number");
  expect_refused(format, ENTRY("\"F32\"", "[\"1\"]", "[0,4]"), 4, "a size is no whole number");
  expect_refused(format, ENTRY("\"F32\"", "[-1]", "[0,4]"), 4, "negative or too large");
  expect_refused(format, ENTRY("\"F32\"", "[4294967296,4294967296]", "[0,4]"), 4, "negative or too large");
  expect_refused(format, ENTRY("\"F32\"", "[9007199254740991,512]", "[0,4]"), 4, "do not have the length of its shape");
  expect_refused(format, ENTRY("\"F32\"", "[0,9007199254740991,9007199254740991]", "[0,0]"), 0, "negative or too large");
  expect_refused(GAN_ERROR_UNSUPPORTED, ENTRY("\"F32\"", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, "more than 8 axes");
  expect_refused(format, ENTRY("\"F32\"", "[1]", "[0]"), 4, "data_offsets are no range");
  expect_refused(format, ENTRY("\"F32\"", "[1]", "[0,4,8]"), 4, "data_offsets are no range");
  expect_refused(format, ENTRY("\"F32\"", "[1]", "[4,0]"), 4, "data_offsets are no range");
  expect_refused(format, ENTRY("\"F32\"", "[1]", "[-4,0]"), 4, "data_offsets are no range");
  expect_refused(format, ENTRY("\"F32\"", "[1]", "{\"0\":0,\"1\":4}"), 4, "data_offsets are no range");
  expect_refused(format, ENTRY("\"F32\"", "[1]", "[0,8]"), 8, "do not have the length of its shape");
  expect_refused(format, ENTRY("\"F32\"", "[1]", "[4,8]"), 8, "there is a hole in front of its bytes");
  expect_refused(format, ENTRY("\"F32\"", "[1]", "[0,4]"), 5, "its tensors need 4 bytes behind the header; there are 5");
  expect_refused(format, ENTRY("\"F32\"", "[1]", "[0,4]"), 3, "its tensors need 4 bytes behind the header; there are 3");
  expect_refused(format, ENTRY("\"F32\"", "[1000000000000]", "[0,4000000000000]"), 4, "its tensors need 4000000000000 bytes");
  expect_refused(format, "{\"__metadata__\":[]}", 0, "__metadata__ is no list");
  expect_refused(format, "{\"__metadata__\":{\"a\":1}}", 0, "__metadata__ is no list");
  expect_refused(format, "{\"w\":{},\"w\":{}}", 0, "the key 'w' is there twice");
}

static void test_overlaps_refused(void **state) {
  (void)state;
  static const char two[] = "{\"a\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":[%d,%d]},"
                            "\"b\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":[%d,%d]}}";
  static const struct { int a, b, c, d; const char *sentence; } rows[] = {
    {0, 4, 3, 6, "tensor 'b': its bytes are another tensor's too"},
    {3, 6, 0, 4, "tensor 'a': its bytes are another tensor's too"}, {0, 6, 0, 6, "its bytes are another tensor's too"},
    {0, 6, 2, 4, "tensor 'b': its bytes are another tensor's too"}, {0, 2, 3, 6, "tensor 'b': there is a hole"},
    {0, 6, 3, 3, "tensor 'b': its bytes are another tensor's too"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char header[300];
    snprintf(header, sizeof header, two, rows[i].b - rows[i].a, rows[i].a, rows[i].b, rows[i].d - rows[i].c, rows[i].c,
             rows[i].d);
    expect_refused(GAN_ERROR_FORMAT, header, 6, rows[i].sentence);
  }
}

static void test_header_sizes_refused(void **state) {
  (void)state;
  static const uint64_t sizes[] = {0, 1, 9, 100000001, UINT64_C(1) << 40, INT64_MAX, UINT64_MAX};
  struct reader r;
  struct st_file f;
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    for (int b = 0; b < 8; b++) file_bytes[b] = (char)(sizes[i] >> (8 * b));
    memcpy(file_bytes + 8, "{}      ", 8);
    assert_int_equal(open_bytes(file_bytes, 16, &r, &f), GAN_ERROR_FORMAT);
    assert_non_null(strstr(ctx->error, "is no safetensors file"));
  }
  for (int64_t size = 0; size < 8; size++) assert_int_equal(open_bytes(file_bytes, size, &r, &f), GAN_ERROR_FORMAT);
}

/* A stream does not say how long it is. It may claim the largest header, but memory is taken only as bytes come. */
static void test_claims_of_a_stream(void **state) {
  (void)state;
  struct memory_file file = {.bytes = file_bytes, .size = FILE_MAX, .capacity = FILE_MAX};
  gan_stream s = memory_stream(&file);
  struct reader r;
  struct st_file f;
  int64_t peak = 0;
  memset(file_bytes, ' ', FILE_MAX);
  for (int b = 0; b < 8; b++) file_bytes[b] = (char)(100000000 >> (8 * b % 32) & (b < 4 ? 255 : 0));
  must(ctx, reader_stream(&r, ctx, &s));
  assert_int_equal(st_open(&f, ctx, &r), GAN_ERROR_FORMAT);
  assert_non_null(strstr(ctx->error, "ends early"));
  gan_context_memory(ctx, NULL, &peak, NULL);
  assert_true(peak < 100000);
}

/* A tensor of terabytes in a stream: what is read goes where the caller has room, and ends where the bytes do. */
static void test_stream_that_ends(void **state) {
  (void)state;
  struct memory_file file = {.bytes = file_bytes, .capacity = FILE_MAX};
  gan_stream s = memory_stream(&file);
  struct reader r;
  struct st_file f;
  float values[300];
  file.size = make_file("{\"a\":{\"dtype\":\"F16\",\"shape\":[1000000000000],\"data_offsets\":[0,2000000000000]},"
                        "\"b\":{\"dtype\":\"F32\",\"shape\":[300],\"data_offsets\":[2000000000000,2000000001200]}}", 100);
  must(ctx, reader_stream(&r, ctx, &s));
  must(ctx, st_open(&f, ctx, &r));
  assert_int_equal(st_read(&f, 1, values), GAN_ERROR_FORMAT); /* after passing over what there is of the first */
  assert_int_equal(st_read(&f, 1, values), GAN_ERROR_ARGUMENT); /* nobody knows where the stream stands now */
  st_close(&f);
}

/* ------------------------------------------------------------------ faults */

static void test_without_memory(void **state) {
  (void)state;
  struct memory_file file = {.bytes = file_bytes, .capacity = FILE_MAX};
  for (int32_t on = 0; on < 2; on++) {
    for (int64_t n = 1;; n++) {
      struct reader r;
      file.at = file.size = 0;
      memory.fail_at = memory.calls + n, memory.fail_on = on;
      gan_status status = write_all(&file);
      must(NULL, reader_memory(&r, ctx, file.bytes, file.size));
      if (status == GAN_OK) status = read_all(&r);
      int32_t reached = memory.calls >= memory.fail_at;
      memory.fail_at = 0;
      assert_int_equal(status, reached ? GAN_ERROR_MEMORY : GAN_OK);
      assert_int_equal(memory.live, 1);
      if (!reached) break;
      assert_true(n < 40);
    }
  }
}

/* A file that ends anywhere, and a disk that is full anywhere. */
static void test_cut_anywhere(void **state) {
  (void)state;
  struct memory_file file = {.bytes = file_bytes, .capacity = FILE_MAX};
  must(ctx, write_all(&file));
  int64_t size = file.size;
  for (int64_t n = 0; n < size; n++) {
    struct reader r;
    char *exact_copy = malloc((size_t)n + 1);
    memcpy(exact_copy, file_bytes, (size_t)n);
    must(ctx, reader_memory(&r, ctx, exact_copy, n));
    assert_int_equal(read_all(&r), GAN_ERROR_FORMAT);
    free(exact_copy);
    struct memory_file cut = {.bytes = file_bytes, .size = n, .capacity = n};
    gan_stream s = memory_stream(&cut);
    must(ctx, reader_stream(&r, ctx, &s));
    assert_int_equal(read_all(&r), GAN_ERROR_FORMAT);
    static char disk[FILE_MAX];
    struct memory_file full = {.bytes = disk, .capacity = n};
    assert_int_equal(write_all(&full), GAN_ERROR_FILE);
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
    TEST(test_round_trip), TEST(test_round_trip_by_every_reader), TEST(test_byte_for_byte), TEST(test_nothing_to_write),
    TEST(test_write_refused), TEST(test_half_precision), TEST(test_long_half_precision), TEST(test_types_that_are_passed_over),
    TEST(test_headers_refused), TEST(test_overlaps_refused), TEST(test_header_sizes_refused), TEST(test_claims_of_a_stream),
    TEST(test_stream_that_ends), TEST(test_without_memory), TEST(test_cut_anywhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
