/* The floor below all: numbers that know no locale, UTF-8, text, sorting, names, lines of parameters. */
#include <float.h>
#include <limits.h>
#include <locale.h>
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
#include "base/options.h"
#include "base/registry.h"
#include "base/rng.h"
#include "base/sort.h"
#include "base/text.h"
#include "base/utf8.h"
#include "bed.h"

static gan_context *ctx;

static int begin(void **state) {
  set_up(state);
  ctx = *state;
  return 0;
}

static const char *sentence(void) {
  return ctx->error;
}

static uint64_t random_word(uint64_t i) {
  struct rng_key key = rng_stream(7, rng_hash("test_text"), 0);
  return (uint64_t)rng_below(&key, 2 * i, UINT32_MAX) << 32 | rng_below(&key, 2 * i + 1, UINT32_MAX);
}

/* ------------------------------------------------------------------ numbers */

static uint64_t bits_of(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static double double_of(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* Against the C library's, which is exact in the C locale; bit for bit, the sign of zero included. */
static void expect_same_as_strtod(const char *s) {
  char *end;
  const char *our_end = NULL;
  double expected = strtod(s, &end), value = 12345;
  if (!parse_double(s, &our_end, &value)) fail_msg("'%s' was not read", s);
  if (bits_of(value) != bits_of(expected)) fail_msg("'%s': %a, expected %a", s, value, expected);
  assert_ptr_equal(our_end, end);
}

static void test_parse_double_hard(void **state) {
  (void)state;
  static const char *const hard[] = {
    "0", "-0", "+1", "1.", ".5", "-.5e1", "1e", "1e+", "1e5x", "00012.500", "1E-2",
    "9007199254740993", "9007199254740992", "9007199254740995", "18446744073709551615", "9999999999999999999",
    "2.2250738585072014e-308", "2.2250738585072011e-308", "2.2250738585072012e-308", "4.9406564584124654e-324",
    "2.4703282292062327e-324", "2.4703282292062328e-324", "1e-323", "1e-324", "1e-400", "0e999999999999", "1e-999999999999",
    "1.7976931348623157e308", "1.7976931348623158e308", "1.7976931348623159e308", "1e309", "1e999999999999",
    "8.98846567431158e307", "0.000000000000000000000000000000000000000000000000000000000000000000000000001",
    "1000000000000000000000000000000000000000000000", "6929495644600919.5", "3.7455744005952583e15", "9214843084008499",
    "0.1e-322", "17976931348623158079e289", "1000000000000000000000000000001e-30",
  };
  for (size_t i = 0; i < sizeof hard / sizeof *hard; i++) expect_same_as_strtod(hard[i]);
}

static void test_parse_double_random(void **state) {
  (void)state;
  char s[64];
  for (uint64_t i = 0; i < 200000; i++) {
    uint64_t digits = random_word(3 * i) >> (random_word(3 * i + 1) % 60);
    int exponent = (int)(random_word(3 * i + 2) % 700) - 355;
    if (digits > UINT64_C(9999999999999999999)) digits /= 10;
    snprintf(s, sizeof s, "%llue%d", (unsigned long long)digits, exponent);
    expect_same_as_strtod(s);
  }
}

/* Beyond 19 digits the last bit may be missed, no more. */
static void test_parse_double_long(void **state) {
  (void)state;
  static const char *const many[] = {"30078505129381147446200", "1777820000000000000001",
                                     "5708990770823839524233143877797980545530986496", "1090544144181609348835077142190",
                                     "179769313486231580793e289"};
  char s[4001];
  memset(s, '3', 4000);
  s[4000] = 0;
  double value;
  for (size_t i = 0; i < sizeof many / sizeof *many; i++) {
    assert_true(parse_double(many[i], NULL, &value));
    int64_t apart = (int64_t)(bits_of(value) - bits_of(strtod(many[i], NULL)));
    assert_true(apart >= -1 && apart <= 1);
  }
  assert_true(parse_double("0.500000000000000166533453693773481063544750213623046875", NULL, &value));
  assert_true(fabs(value - 0.5000000000000001665) <= DBL_EPSILON / 2); /* halfway but for what follows the 19th digit */
  assert_true(parse_double(s, NULL, &value));
  assert_true(isinf(value));
  s[1] = '.';
  assert_true(parse_double(s, NULL, &value));
  assert_true(fabs(value - 10.0 / 3) <= DBL_EPSILON * 4);
  memset(s, '0', 3990);
  memcpy(s + 3990, "25e3995", 8); /* 25 * 10^3995 after no point at all */
  assert_true(parse_double(s, NULL, &value));
  assert_true(isinf(value));
  s[1] = '.'; /* 0.000..25e3995: the point comes after 1 digit, 3990 digits are behind it */
  assert_true(parse_double(s, NULL, &value));
  assert_true(value == 25e5);
}

static void test_parse_double_refuses(void **state) {
  (void)state;
  static const char *const not_numbers[] = {"", "-", "+", ".", "-.", "e5", ".e5", "x", " 1", "--1", "na", "in", "NAN", "0"};
  double value = 5;
  for (size_t i = 0; i + 1 < sizeof not_numbers / sizeof *not_numbers; i++)
    assert_false(parse_double(not_numbers[i], NULL, &value));
  assert_true(value == 5);
  assert_true(parse_double("nan", NULL, &value) && isnan(value));
  assert_true(parse_double("-inf", NULL, &value) && value == -HUGE_VAL);
  assert_true(parse_double("inf", NULL, &value) && value == HUGE_VAL);
}

/* Whatever bits a double has, it comes back; and 0.1 is written as anybody would. */
static void test_format_double_round_trip(void **state) {
  (void)state;
  char s[32];
  for (uint64_t i = 0; i < 100000; i++) {
    double x = double_of(random_word(i)), back;
    if (!isfinite(x)) continue;
    int32_t length = format_double(s, sizeof s, x);
    assert_int_equal(length, strlen(s));
    assert_true(parse_double(s, NULL, &back));
    assert_true(bits_of(back) == bits_of(x));
    assert_true(bits_of(strtod(s, NULL)) == bits_of(x));
  }
}

static const char *formatted(double x) {
  static char s[32];
  format_double(s, sizeof s, x);
  return s;
}

static void test_format_double_shortest(void **state) {
  (void)state;
  assert_string_equal(formatted(0.1), "0.1");
  assert_string_equal(formatted(2e-4), "0.0002");
  assert_string_equal(formatted(-0.0), "-0");
  assert_string_equal(formatted(64), "64");
  assert_string_equal(formatted(0.1 + 0.2), "0.30000000000000004");
  assert_string_equal(formatted(1e22), "1e+22");
  assert_string_equal(formatted(NAN), "nan");
  assert_string_equal(formatted(-HUGE_VAL), "-inf");
  assert_string_equal(formatted(HUGE_VAL), "inf");
}

/* The first locale at hand that writes a comma; none: nothing to see. */
static void test_numbers_know_no_locale(void **state) {
  (void)state;
  static const char *const locales[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8", "de_DE", "ps_AF",
                                        "fa_IR.UTF-8"};
  const char *set = NULL;
  for (size_t i = 0; i < sizeof locales / sizeof *locales && !set; i++) set = setlocale(LC_NUMERIC, locales[i]);
  if (!set) skip();
  char printed[32];
  snprintf(printed, sizeof printed, "%g", 0.5);
  double value = 0;
  int32_t read = parse_double("0.25", NULL, &value);
  const char *ours = formatted(0.5);
  setlocale(LC_NUMERIC, "C");
  assert_string_not_equal(printed, "0.5");
  assert_string_equal(ours, "0.5");
  assert_true(read && value == 0.25);
}

static void test_parse_int(void **state) {
  (void)state;
  static const struct { const char *text; int32_t ok; int64_t value; int32_t length; } rows[] = {
    {"0", 1, 0, 1}, {"-0", 1, 0, 2}, {"+12x", 1, 12, 3}, {"9223372036854775807", 1, INT64_MAX, 19},
    {"9223372036854775808", 0, 0, 0}, {"-9223372036854775808", 1, INT64_MIN, 20}, {"-9223372036854775809", 0, 0, 0},
    {"99999999999999999999", 0, 0, 0}, {"", 0, 0, 0}, {"-", 0, 0, 0}, {"x", 0, 0, 0}, {"000000000000000000000000007", 1, 7, 27},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    int64_t value = 77;
    const char *end = rows[i].text;
    assert_int_equal(parse_int(rows[i].text, &end, &value), rows[i].ok);
    assert_true(value == (rows[i].ok ? rows[i].value : 77));
    assert_int_equal(end - rows[i].text, rows[i].length);
  }
}

/* ------------------------------------------------------------------ UTF-8 */

/* Every code point there and back; every pair of bytes that RFC 3629 forbids. */
static void test_utf8_code_points(void **state) {
  (void)state;
  char s[4];
  for (uint32_t code = 0; code <= 0x110000; code++) {
    int32_t length = utf8_encode(code, s), expected = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    int32_t none = code > 0x10FFFF || (code >= 0xD800 && code < 0xE000);
    assert_int_equal(length, none ? 0 : expected);
    if (length) assert_int_equal(utf8_sequence(s, 4), length);
    if (length) assert_int_equal(utf8_sequence(s, length - 1), 0);
  }
}

static void test_utf8_malformed(void **state) {
  (void)state;
  static const char *const bad[] = {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xED\xA0\x80",
                                    "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xC3", "\xE2\x82",
                                    "\xE2\x28\xA1", "\xF0\x9F\x98"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_int_equal(utf8_sequence(bad[i], (int64_t)strlen(bad[i])), 0);
}

static void test_utf8_cut(void **state) {
  (void)state;
  const char *s = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80z"; /* 1, 2, 3, 4 and 1 bytes */
  static const int64_t cuts[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};
  for (int64_t limit = 0; limit <= 11; limit++) assert_int_equal(utf8_cut(s, limit), cuts[limit]);
  assert_int_equal(utf8_cut("\x80\x80\x80\x80\x80\x80", 5), 5);
}

static void test_utf8_clean(void **state) {
  (void)state;
  char s[] = "ok \xC3\xA4 \x1B[31m \n\xFF\xC2\x9B\x7F end\xE2\x82";
  utf8_clean(s);
  assert_string_equal(s, "ok \xC3\xA4 ?[31m ??""??? end??");
}

/* ------------------------------------------------------------------ text */

static void test_text_builds(void **state) {
  (void)state;
  struct text t;
  text_init(&t, ctx);
  assert_string_equal(text_get(&t), "");
  text_add(&t, "a");
  text_add_n(&t, "bcd", 2);
  text_format(&t, " %d %s ", 7, "x");
  text_number(&t, 0.1);
  text_add(&t, " ");
  text_shape(&t, 2, (const int64_t[]){64, 784});
  text_add(&t, " ");
  text_shape(&t, 0, NULL);
  assert_string_equal(text_get(&t), "abc 7 x 0.1 64x784 scalar");
  for (int i = 0; i < 10000; i++) text_add(&t, "0123456789");
  assert_int_equal(t.length, 100000 + 25);
  assert_int_equal(strlen(text_get(&t)), t.length);
  text_free(&t);
  assert_string_equal(text_get(&t), "");
}

static void test_text_without_memory(void **state) {
  (void)state;
  struct text t;
  text_init(&t, ctx);
  text_add(&t, "12345");
  memory.fail_at = memory.calls + 1, memory.fail_on = 1;
  for (int i = 0; i < 100; i++) text_format(&t, "%d", i);
  assert_true(t.failed);
  memory.fail_at = 0;
  text_add(&t, "more");
  assert_int_equal(strncmp(text_get(&t), "12345", 5), 0);
  assert_null(strstr(text_get(&t), "more"));
  text_free(&t);
  assert_false(t.failed);
}

static void test_text_copy_out(void **state) {
  (void)state;
  char s[8];
  int64_t needed = 0;
  assert_int_equal(text_copy_out(ctx, "abc", NULL, 0, &needed), GAN_OK);
  assert_int_equal(needed, 4);
  for (int64_t capacity = 1; capacity <= 5; capacity++) {
    memset(s, '#', sizeof s);
    assert_int_equal(text_copy_out(ctx, "a\xC3\xA4z", s, capacity, NULL), GAN_OK);
    assert_string_equal(s, capacity == 1 ? "" : capacity < 4 ? "a" : capacity == 4 ? "a\xC3\xA4" : "a\xC3\xA4z");
    assert_int_equal(s[capacity], '#');
  }
  assert_int_equal(text_copy_out(ctx, "abc", NULL, 1, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(text_copy_out(ctx, "abc", s, -1, NULL), GAN_ERROR_ARGUMENT);
}

static void test_shape_text(void **state) {
  (void)state;
  char s[12];
  static const int64_t shape[] = {123456, 7890, 12};
  assert_string_equal(shape_text(s, sizeof s, 0, NULL), "scalar");
  assert_string_equal(shape_text(s, sizeof s, 1, shape), "123456");
  assert_string_equal(shape_text(s, sizeof s, 3, shape), "123456x7890"); /* cut to what there is room for */
}

/* ------------------------------------------------------------------ sorting, names */

static int32_t compare_numbers(const void *a, const void *b) {
  const uint64_t *x = a, *y = b;
  return *x < *y ? -1 : *x > *y;
}

static void test_sort(void **state) {
  (void)state;
  enum { MOST = 300 };
  uint64_t items[MOST];
  for (int64_t n = 0; n <= MOST; n += n < 20 ? 1 : 70) {
    uint64_t sum = 0, sorted_sum = 0;
    for (int64_t i = 0; i < n; i++) sum += items[i] = random_word((uint64_t)i) % (uint64_t)(n + 1);
    sort_items(items, n, sizeof *items, compare_numbers);
    for (int64_t i = 0; i < n; i++) {
      sorted_sum += items[i];
      assert_true(i == 0 || items[i - 1] <= items[i]);
    }
    assert_true(sum == sorted_sum);
  }
}

static void test_closest_name(void **state) {
  (void)state;
  static const char *const names[] = {"kernel", "units", "stride", "beta1", "beta2", "rate"};
  static const struct { const char *came, *closest; } rows[] = {
    {"kernal", "kernel"}, {"unit", "units"}, {"RATE", "rate"}, {"strides", "stride"}, {"beta", "beta1"}, {"x", NULL}, {"", NULL},
    {"learning_rate", NULL}, {"krnl", "kernel"}, {"ra", NULL}, {"kernels2", "kernel"}, {"stirde", "stride"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const char *found = closest_name(rows[i].came, names, 6);
    if (!rows[i].closest) assert_null(found);
    else assert_string_equal(found, rows[i].closest);
  }
  char longest[200];
  memset(longest, 'a', 199);
  longest[199] = 0;
  assert_null(closest_name(longest, names, 6));
  assert_null(closest_name("units", (const char *const[]){longest}, 1));
  assert_null(closest_name("units", NULL, 0));
}

static void test_names(void **state) {
  (void)state;
  char s[65];
  memset(s, 'a', 64);
  s[64] = 0;
  assert_false(name_is_valid(s));
  s[63] = 0;
  assert_true(name_is_valid(s));
  assert_true(name_is_valid("A-z_0.9"));
  static const char *const bad[] = {"", "a/b", "a b", "a=b", "\xC3\xA4", "a\n", "("};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(name_is_valid(bad[i]));
  assert_false(name_is_valid(NULL));
}

/* ------------------------------------------------------------------ lines */

static void test_line_name(void **state) {
  (void)state;
  char name[8];
  assert_string_equal(line_name("  dense  units=3", name, sizeof name), "units=3");
  assert_string_equal(name, "dense");
  assert_string_equal(line_name("relu", name, sizeof name), "");
  assert_string_equal(line_name("abcdefghijk x", name, sizeof name), "x");
  assert_string_equal(name, "abcdefg");
  assert_null(line_name("", name, sizeof name));
  assert_null(line_name(" \t\n", name, sizeof name));
}

static void test_line_take(void **state) {
  (void)state;
  char line[] = "dense units=3 init=(normal name=no) name=first note=\"name=no \\\" x\" other", value[16];
  assert_int_equal(line_take(line, "name", value, sizeof value), 1);
  assert_string_equal(value, "first");
  assert_string_equal(line, "dense units=3 init=(normal name=no) note=\"name=no \\\" x\" other");
  assert_int_equal(line_take(line, "name", value, sizeof value), 0);
  assert_int_equal(line_take(line, "note", value, sizeof value), 1);
  assert_string_equal(value, "name=no \" x");
  assert_int_equal(line_take(line, "other", value, sizeof value), 0);
  assert_int_equal(line_take(line, "init", value, 7), -1);
  assert_string_equal(value, "normal");
  assert_string_equal(line, "dense units=3 other");
}

static void test_parse_shape(void **state) {
  (void)state;
  static const struct { const char *text; int32_t ok, rank; int64_t first, last; const char *end; } rows[] = {
    {"28x28x1", 1, 3, 28, 1, ""}, {"28 28 1", 1, 3, 28, 1, ""}, {"100", 1, 1, 100, 100, ""}, {"", 1, 0, 0, 0, ""},
    {"  ", 1, 0, 0, 0, "  "}, {"100 classes=10", 1, 1, 100, 100, " classes=10"}, {"noise=normal", 1, 0, 0, 0, "noise=normal"},
    {"1x2x3x4x5x6x7x8", 1, 8, 1, 8, ""}, {"1048576x1048576", 1, 2, 1048576, 1048576, ""}, {"1048576x1048577", 0, 0, 0, 0, NULL},
    {"0", 0, 0, 0, 0, NULL}, {"3x0", 0, 0, 0, 0, NULL}, {"1x2x3x4x5x6x7x8x9", 0, 0, 0, 0, NULL}, {"28x", 0, 0, 0, 0, NULL},
    {"28xx28", 0, 0, 0, 0, NULL}, {"28x28y", 0, 0, 0, 0, NULL}, {"99999999999999999999", 0, 0, 0, 0, NULL},
    {"4611686018427387904x4", 0, 0, 0, 0, NULL}, {"-1", 1, 0, 0, 0, "-1"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    int64_t shape[GAN_MAX_RANK] = {0};
    int32_t rank = -1;
    const char *end = NULL;
    assert_int_equal(parse_shape(rows[i].text, &end, &rank, shape), rows[i].ok);
    if (!rows[i].ok) continue;
    assert_int_equal(rank, rows[i].rank);
    assert_string_equal(end, rows[i].end);
    if (rank) assert_int_equal(shape[0], rows[i].first);
    if (rank) assert_int_equal(shape[rank - 1], rows[i].last);
  }
}

/* ------------------------------------------------------------------ parameters */

static const struct option table[] = {
  {"units", OPTION_INT, 1, 1000000, NULL, "output width"},
  {"slope", OPTION_NUMBER, 0, 1, "0.2", "of the negative side"},
  {"bias", OPTION_FLAG, 0, 0, "yes", "adds a bias"},
  {"init", OPTION_TEXT, 0, 0, "normal std=0.02", "initial weights"},
  {"seed", OPTION_INT, 0, 0, "0", "of the noise"},
  {"scale", OPTION_NUMBER, 0, HUGE_VAL, "1", "factor"},
};
enum { ROWS = sizeof table / sizeof *table };

static void expect_refused(const char *line, const char *expected) {
  struct options o;
  assert_int_equal(options_parse(ctx, "dense", table, ROWS, line, &o), GAN_ERROR_ARGUMENT);
  options_free(&o);
  assert_string_equal(sentence(), expected);
}

static void test_options_values(void **state) {
  (void)state;
  struct options o;
  must(ctx, options_parse(ctx, "dense", table, ROWS, " units=1e3\tbias=no init=(uniform a=(b c) q=\")\") seed=-5", &o));
  assert_int_equal(option_int(&o, "units"), 1000);
  assert_true(option_number(&o, "slope") == 0.2);
  assert_int_equal(option_flag(&o, "bias"), 0);
  assert_string_equal(option_text(&o, "init"), "uniform a=(b c) q=\")\"");
  assert_int_equal(option_int(&o, "seed"), -5);
  assert_int_equal(o.given, 1 | 4 | 8 | 16);
  assert_true(option_number(&o, "none") == 0);
  assert_string_equal(option_text(&o, "none"), "");
  assert_string_equal(option_text(&o, "units"), "");
  options_free(&o);
  must(ctx, options_parse(ctx, "dense", table, ROWS, "units=2 bias init=", &o));
  assert_int_equal(option_flag(&o, "bias"), 1);
  assert_string_equal(option_text(&o, "init"), "");
  options_free(&o);
  must(ctx, options_parse(ctx, "relu", NULL, 0, "  ", &o));
  options_free(&o);
}

static void test_options_refuse(void **state) {
  (void)state;
  expect_refused("unit=3", "dense: no parameter 'unit'; did you mean 'units'?");
  expect_refused("foo=3", "dense: no parameter 'foo'; there is units, slope, bias, init, seed and scale");
  expect_refused("", "dense: units is missing: units=..., output width");
  expect_refused("units=0", "dense: units is 0; expected 1 .. 1000000");
  expect_refused("units=2.5", "dense: units is '2.5'; expected a whole number");
  expect_refused("units=2x", "dense: units is '2x'; expected a whole number");
  expect_refused("units=nan", "dense: units is 'nan'; expected a whole number");
  expect_refused("units=", "dense: units is ''; expected a whole number");
  expect_refused("units", "dense: units needs a value: units=...");
  expect_refused("units=2 units=3", "dense: units is given twice");
  expect_refused("units=2 slope=nan", "dense: slope is 'nan'; expected a number");
  expect_refused("units=2 slope=inf", "dense: slope is 'inf'; expected a number");
  expect_refused("units=2 slope=1,5", "dense: slope is '1,5'; expected a number");
  expect_refused("units=2 slope=1.5", "dense: slope is 1.5; expected 0 .. 1");
  expect_refused("units=2 scale=-1", "dense: scale is -1; expected at least 0");
  expect_refused("units=2 seed=9007199254740992", "dense: seed is '9007199254740992'; expected a whole number");
  expect_refused("units=2 bias=maybe", "dense: bias is 'maybe'; expected yes or no");
  expect_refused("units=2 =3", "dense: there is no name in front of '='");
  expect_refused("units=2 init=(a (b)", "dense: the value of init has no closing parenthesis, or something sticks to it");
  expect_refused("units=2 init=\"a", "dense: the value of init has no closing quote, or something sticks to it");
  expect_refused("units=2 init=(a)b", "dense: the value of init has no closing parenthesis, or something sticks to it");
  struct options o;
  assert_int_equal(options_parse(ctx, "relu", NULL, 0, "x=1", &o), GAN_ERROR_ARGUMENT);
  assert_string_equal(sentence(), "relu: no parameter 'x'; it takes none");
  assert_int_equal(options_parse(ctx, "huge", table, OPTIONS_MAX + 1, "", &o), GAN_ERROR_ARGUMENT);
  options_free(&o);
}

/* Every allocation fails once, and from there on for ever; nothing is left behind (tear_down). */
static void test_options_without_memory(void **state) {
  (void)state;
  for (int32_t on = 0; on < 2; on++) {
    for (int64_t n = 1;; n++) {
      struct options o;
      memory.fail_at = memory.calls + n, memory.fail_on = on;
      gan_status status = options_parse(ctx, "dense", table, ROWS, "units=3 init=(a b)", &o);
      int32_t reached = memory.calls >= memory.fail_at;
      memory.fail_at = 0;
      options_free(&o);
      assert_int_equal(status, reached ? GAN_ERROR_MEMORY : GAN_OK);
      if (!reached) break;
      assert_true(n < 20);
    }
  }
}

static void test_options_help(void **state) {
  (void)state;
  struct text t;
  text_init(&t, ctx);
  options_help(&t, "dense", "a product with a matrix", table, ROWS);
  assert_string_equal(text_get(&t),
                      "dense: a product with a matrix\n"
                      "  units  int 1 .. 1000000  required                   output width\n"
                      "  slope  number 0 .. 1     default 0.2                of the negative side\n"
                      "  bias   yes or no         default yes                adds a bias\n"
                      "  init   text              default (normal std=0.02)  initial weights\n"
                      "  seed   int               default 0                  of the noise\n"
                      "  scale  number 0 or more  default 1                  factor\n");
  text_free(&t);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
    TEST(test_parse_double_hard), TEST(test_parse_double_random), TEST(test_parse_double_long), TEST(test_parse_double_refuses),
    TEST(test_format_double_round_trip), TEST(test_format_double_shortest), TEST(test_numbers_know_no_locale),
    TEST(test_parse_int), TEST(test_utf8_code_points), TEST(test_utf8_malformed), TEST(test_utf8_cut), TEST(test_utf8_clean),
    TEST(test_text_builds), TEST(test_text_without_memory), TEST(test_text_copy_out), TEST(test_shape_text), TEST(test_sort),
    TEST(test_closest_name), TEST(test_names), TEST(test_line_name), TEST(test_line_take), TEST(test_parse_shape),
    TEST(test_options_values), TEST(test_options_refuse), TEST(test_options_without_memory), TEST(test_options_help),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
