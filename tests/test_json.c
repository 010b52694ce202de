/* JSON: what RFC 8259 allows is read, all else is refused with its place; and what is written can be read. */
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
#include "io/json.h"

static gan_context *ctx;

static int begin(void **state) {
  set_up(state);
  ctx = *state;
  return 0;
}

static gan_status parse(const char *text, struct json_document *d) {
  return json_parse(ctx, text, (int64_t)strlen(text), d);
}

/* ------------------------------------------------------------------ reading */

static void test_values(void **state) {
  (void)state;
  struct json_document d;
  must(ctx, parse(" {\"a\": [1, -2.5e3, true, false, null, \"x\"], \"b\": {}, \"c\": []}\n\t\r ", &d));
  assert_int_equal(d.root->kind, JSON_OBJECT);
  assert_int_equal(d.root->count, 3);
  const struct json *a = json_get(d.root, "a"), *item = a->first;
  assert_int_equal(a->count, 6);
  static const int32_t kinds[] = {JSON_NUMBER, JSON_NUMBER, JSON_TRUE, JSON_FALSE, JSON_NULL, JSON_STRING};
  for (int i = 0; i < 6; i++, item = item->next) assert_int_equal(item->kind, kinds[i]);
  assert_null(item);
  assert_true(a->first->number == 1 && a->first->next->number == -2500);
  assert_int_equal(json_get(d.root, "b")->kind, JSON_OBJECT);
  assert_int_equal(json_get(d.root, "c")->kind, JSON_ARRAY);
  assert_null(json_get(d.root, "d"));
  assert_null(json_get(a, "a"));
  assert_null(json_get(NULL, "a"));
  assert_null(json_string(d.root, "a"));
  json_free(&d);
  json_free(&d);
}

static void test_strings(void **state) {
  (void)state;
  struct json_document d;
  must(ctx, parse("{\"\\u0061\": \"\\\"\\\\\\/\\b\\f\\n\\r\\t \\u00e4\\u20AC\\ud83d\\uDE00 \xC3\xA4\"}", &d));
  assert_string_equal(json_string(d.root, "a"), "\"\\/\b\f\n\r\t \xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80 \xC3\xA4");
  json_free(&d);
}

static void test_scalars_alone(void **state) {
  (void)state;
  static const char *const good[] = {"0", "-0", "1.5", "1e5", "1E+5", "-1.25e-3", "\"\"", "null", "true", "false", "[]", "{}",
                                     " [ ] ", "[[[[]]]]", "{\"\":0}", "{\"a\":{\"a\":0}}", "[{\"a\":1},{\"a\":1}]",
                                     "0.00000000000000000000000000000001"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    struct json_document d;
    must(ctx, parse(good[i], &d));
    json_free(&d);
  }
}

static void test_malformed(void **state) {
  (void)state;
  static const char *const bad[] = {
    "", " ", "{", "[", "]", "}", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{1:2}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}",
    "{\"a\":1 \"b\":2}", "{a:1}", "+1", "01", "-", "-01", "1.", ".5", "1e", "1e+", "0x10", "1e999", "-1e999", "NaN", "Infinity",
    "nan", "inf", "1_000", "1,5", "nul", "tru", "TRUE", "\"", "\"abc", "'a'", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"",
    "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\\u0000\"", "\"a\nb\"", "\"\x01\"", "\"\xFF\"", "\"\xC3\"",
    "\"\xED\xA0\x80\"", "\xEF\xBB\xBF{}", "{} x", "[]]", "1 2", "[\"a\" : 1]", "{\"a\":1,\"a\":2}",
    "{\"a\":1,\"b\":{},\"\\u0061\":2}", "// comment\n1", "[1,/**/2]", "\"a\\", "[1}", "{\"a\":1]",
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct json_document d;
    if (parse(bad[i], &d) != GAN_ERROR_FORMAT) fail_msg("'%s' was read", bad[i]);
    assert_int_equal(strncmp(ctx->error, "JSON, byte ", 11), 0);
    json_free(&d);
  }
}

static void test_zero_bytes(void **state) {
  (void)state;
  static const char inside_string[] = "\"a\0b\"", escaped[] = "\"\\\0\"", between[] = "[1,\0 2]";
  struct json_document d;
  assert_int_equal(json_parse(ctx, inside_string, sizeof inside_string - 1, &d), GAN_ERROR_FORMAT);
  json_free(&d);
  assert_int_equal(json_parse(ctx, escaped, sizeof escaped - 1, &d), GAN_ERROR_FORMAT);
  json_free(&d);
  assert_int_equal(json_parse(ctx, between, sizeof between - 1, &d), GAN_ERROR_FORMAT);
  json_free(&d);
}

static void test_sentences(void **state) {
  (void)state;
  struct json_document d;
  assert_int_equal(parse("{\"a\" 1}", &d), GAN_ERROR_FORMAT);
  assert_string_equal(ctx->error, "JSON, byte 5: expected ':' behind a key");
  json_free(&d);
  assert_int_equal(parse("{\"key\":1,\"key\":2}", &d), GAN_ERROR_FORMAT);
  assert_string_equal(ctx->error, "JSON, byte 17: the key 'key' is there twice");
  json_free(&d);
}

static void test_depth(void **state) {
  (void)state;
  char text[2 * JSON_DEPTH + 3];
  for (int32_t depth = JSON_DEPTH; depth <= JSON_DEPTH + 1; depth++) {
    struct json_document d;
    memset(text, '[', (size_t)depth);
    memset(text + depth, ']', (size_t)depth);
    text[2 * depth] = 0;
    assert_int_equal(parse(text, &d), depth == JSON_DEPTH ? GAN_OK : GAN_ERROR_FORMAT);
    json_free(&d);
  }
  struct json_document d;
  char *deep = malloc(1000000); /* what would end a parser that follows it on the stack */
  memset(deep, '[', 1000000);
  assert_int_equal(json_parse(ctx, deep, 1000000, &d), GAN_ERROR_FORMAT);
  assert_non_null(strstr(ctx->error, "nested too deeply"));
  json_free(&d);
  free(deep);
}

/* Many keys: the search for twins must not take the square of their number. The last is one. */
static void test_many_keys(void **state) {
  (void)state;
  enum { KEYS = 200000 };
  struct text t;
  struct json_document d;
  text_init(&t, ctx);
  text_add(&t, "{");
  for (int i = 0; i < KEYS; i++) text_format(&t, "\"a long beginning that all have in common %d\":%d,", i, i);
  text_add(&t, "\"a long beginning that all have in common 777\":0}");
  assert_false(t.failed);
  assert_int_equal(json_parse(ctx, t.data, t.length, &d), GAN_ERROR_FORMAT);
  assert_non_null(strstr(ctx->error, "common 777' is there twice"));
  json_free(&d);
  t.data[t.length - 5] = '8'; /* common 778 is a twin as well; common 7778 is not beyond KEYS either */
  assert_int_equal(json_parse(ctx, t.data, t.length, &d), GAN_ERROR_FORMAT);
  json_free(&d);
  text_free(&t);
}

static void test_too_many_values(void **state) {
  (void)state;
  enum { BYTES = 9000000 };
  char *text = malloc(BYTES);
  struct json_document d;
  text[0] = '[';
  for (size_t i = 1; i + 1 < BYTES; i += 2) memcpy(text + i, "1,", 2);
  assert_int_equal(json_parse(ctx, text, BYTES - 1, &d), GAN_ERROR_FORMAT);
  assert_non_null(strstr(ctx->error, "more than 4194304 values"));
  json_free(&d);
  free(text);
}

static void test_long_numbers(void **state) {
  (void)state;
  char text[600];
  struct json_document d;
  memset(text, '3', sizeof text);
  text[1] = '.';
  text[500] = 0;
  must(ctx, parse(text, &d));
  assert_true(d.root->number > 3.33 && d.root->number < 3.34);
  json_free(&d);
  text[500] = '3';
  text[599] = 0;
  assert_int_equal(parse(text, &d), GAN_ERROR_FORMAT);
  json_free(&d);
}

static void test_integers(void **state) {
  (void)state;
  static const struct { const char *text; int32_t ok; int64_t value; } rows[] = {
    {"0", 1, 0}, {"-0", 1, 0}, {"12", 1, 12}, {"-7", 1, -7}, {"1e3", 1, 1000}, {"2.0", 1, 2}, {"2.5", 0, 0},
    {"9007199254740991", 1, 9007199254740991}, {"9007199254740992", 0, 0}, {"9007199254740993", 0, 0},
    {"-9007199254740991", 1, -9007199254740991}, {"1e300", 0, 0}, {"\"1\"", 0, 0}, {"null", 0, 0},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct json_document d;
    int64_t value = 77;
    must(ctx, parse(rows[i].text, &d));
    assert_int_equal(json_integer(d.root, &value), rows[i].ok);
    assert_true(value == (rows[i].ok ? rows[i].value : 77));
    json_free(&d);
  }
  assert_false(json_integer(NULL, NULL));
}

/* ------------------------------------------------------------------ writing */

static void test_write_strings(void **state) {
  (void)state;
  struct text t;
  text_init(&t, ctx);
  json_write_string(&t, "a\"b\\c\n\t\r\x01\x1F \xC3\xA4 \xFF\xC3");
  assert_string_equal(text_get(&t), "\"a\\\"b\\\\c\\n\\t\\r\\u0001\\u001f \xC3\xA4 \xEF\xBF\xBD\xEF\xBF\xBD\"");
  text_free(&t);
}

/* Every byte but 0, alone and at the end of a text, comes back; what is no UTF-8 as U+FFFD. */
static void test_write_then_read(void **state) {
  (void)state;
  for (int c = 1; c < 256; c++) {
    char s[] = {'a', (char)c, 0};
    struct text t;
    struct json_document d;
    text_init(&t, ctx);
    json_write_string(&t, s);
    must(ctx, json_parse(ctx, t.data, t.length, &d));
    assert_string_equal(d.root->string, c < 0x80 ? s : "a\xEF\xBF\xBD");
    json_free(&d);
    text_free(&t);
  }
}

/* ------------------------------------------------------------------ faults */

static void test_without_memory(void **state) {
  (void)state;
  static char text[200000]; /* several blocks, one of them for a single string */
  size_t n = 0;
  text[n++] = '[';
  for (int i = 0; i < 2000; i++) n += (size_t)sprintf(text + n, "{\"key%d\":[1,2],\"b\":\"text\"},", i);
  text[n++] = '"';
  memset(text + n, 'x', 70000), n += 70000;
  text[n++] = '"';
  text[n++] = ']';
  for (int32_t on = 0; on < 2; on++) {
    for (int64_t at = 1;; at += at < 10 ? 1 : 97) {
      struct json_document d;
      memory.fail_at = memory.calls + at, memory.fail_on = on;
      gan_status status = json_parse(ctx, text, (int64_t)n, &d);
      int32_t reached = memory.calls >= memory.fail_at;
      memory.fail_at = 0;
      json_free(&d);
      assert_int_equal(status, reached ? GAN_ERROR_MEMORY : GAN_OK);
      if (!reached) break;
    }
  }
}

/* Cut anywhere, a document is refused: nothing is read beyond the end (a sanitizer would see it in an exact copy). */
static void test_cut_anywhere(void **state) {
  (void)state;
  static const char text[] = "{\"a\": [1, -2.5e3, true, null, \"x\\u00e4\\n\"], \"b\": {\"c\": \"\xE2\x82\xAC\"}}";
  for (size_t n = 0; n < sizeof text - 1; n++) {
    char *exact = malloc(n + 1);
    struct json_document d;
    memcpy(exact + 1, text, n);
    assert_int_equal(json_parse(ctx, exact + 1, (int64_t)n, &d), GAN_ERROR_FORMAT);
    json_free(&d);
    free(exact);
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
    TEST(test_values), TEST(test_strings), TEST(test_scalars_alone), TEST(test_malformed), TEST(test_zero_bytes),
    TEST(test_sentences), TEST(test_depth), TEST(test_many_keys), TEST(test_too_many_values), TEST(test_long_numbers),
    TEST(test_integers), TEST(test_write_strings), TEST(test_write_then_read), TEST(test_without_memory), TEST(test_cut_anywhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
