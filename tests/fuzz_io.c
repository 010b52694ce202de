/* Everything that reads what others wrote, fed with damaged copies of sound inputs: safetensors, JSON, lines of parameters,
 * numbers. Deterministic: fuzz_io [ITERATIONS [SEED]]. Crashes and bad accesses are for the sanitizers to see; what is checked
 * here: no memory is left behind, none is taken beyond reason, and what is accepted keeps its promises.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/options.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "io/safetensors.h"
#include "support.h"

enum { INPUT_MAX = 1200, ITERATIONS = 100000 };
static const int64_t MEMORY_LIMIT = INT64_C(1) << 20; /* the inputs are small, so what they may cost is too */

static gan_context *ctx;
static struct allocator memory;
static struct rng_key key;
static uint64_t drawn, iteration;

static uint32_t below(uint32_t n) {
  return n ? rng_below(&key, drawn++, n) : 0;
}

static void check(int ok, const char *what) {
  if (ok) return;
  fprintf(stderr, "fuzz_io: iteration %" PRIu64 ": %s (last sentence: %s)\n", iteration, what, ctx->error);
  exit(1);
}

/* ------------------------------------------------------------------ damage */

struct input { char bytes[INPUT_MAX + 1]; int64_t size; };

static void erase(struct input *in, int64_t at, int64_t count) {
  memmove(in->bytes + at, in->bytes + at + count, (size_t)(in->size - at - count));
  in->size -= count;
}

static void insert(struct input *in, int64_t at, const char *bytes, int64_t count) {
  if (in->size + count > INPUT_MAX) return;
  char kept[INPUT_MAX];
  memcpy(kept, bytes, (size_t)count); /* it may come from the input itself */
  memmove(in->bytes + at + count, in->bytes + at, (size_t)(in->size - at));
  memcpy(in->bytes + at, kept, (size_t)count);
  in->size += count;
}

/* Pieces that readers look out for. */
static const char *const words[] = {
  "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u0000", "\\ud83d\\ude00", "\\udc00", "(", ")", "=", " ", "-", "0", "1e999",
  "1e-999", "9007199254740993", "18446744073709551615", "-1", ".", "nan", "inf", "null", "true", "\xFF", "\xC3\xA4",
  "\xED\xA0\x80", "\n", "units", "init=(", "init=\"", "\"dtype\":\"F16\"", "\"shape\":[0,1]", "\"data_offsets\":[0,0]",
  "__metadata__", "[[[[[[[[[[[[[[[[", "{\"a\":{\"a\":{\"a\":", "x", "1x2x3",
};

/* A length between 0 and the smaller of two. */
static int64_t at_most(int64_t a, int64_t b) {
  return below((uint32_t)(a < b ? a : b) + 1);
}

static void damage_once(struct input *in) {
  int64_t at = below((uint32_t)in->size + 1), rest = in->size - at;
  const char *word = words[below(sizeof words / sizeof *words)];
  switch (below(7)) {
    case 0: if (rest) in->bytes[at] = (char)below(256); break;
    case 1: if (rest) in->bytes[at] ^= (char)(1 << below(8)); break;
    case 2: erase(in, at, at_most(rest, 8)); break;
    case 3: insert(in, at, word, (int64_t)strlen(word)); break;
    case 4: insert(in, below((uint32_t)in->size + 1), in->bytes + at, at_most(rest, 59)); break;
    case 5: if (rest && in->bytes[at] >= '0' && in->bytes[at] <= '9') in->bytes[at] = (char)('0' + below(10)); break;
    default: if (below(8) == 0) in->size = at; break;
  }
}

static void damage(struct input *in) {
  for (uint32_t n = below(6); n > 0; n--) damage_once(in);
  in->bytes[in->size] = 0;
}

static struct input damaged(const char *sound, int64_t size) {
  struct input in = {.size = size};
  memcpy(in.bytes, sound, (size_t)size);
  damage(&in);
  return in;
}

/* An exact copy, so that a sanitizer sees the first byte read beyond its end. */
static char *exact_copy(const struct input *in) {
  char *copy = malloc((size_t)in->size + 1);
  check(copy != NULL, "out of memory");
  memcpy(copy + 1, in->bytes, (size_t)in->size);
  return copy;
}

/* ------------------------------------------------------------------ JSON */

static void check_utf8(const char *s) {
  for (int64_t left = (int64_t)strlen(s), n; left > 0; left -= n, s += n) {
    n = utf8_sequence(s, left);
    check(n > 0, "a string that is not UTF-8 was accepted");
  }
}

static void check_json(const struct json *j, int32_t depth) {
  int64_t count = 0, whole;
  check(depth <= JSON_DEPTH, "a tree that is too deep");
  if (j->key) check_utf8(j->key);
  if (j->kind == JSON_STRING) check_utf8(j->string);
  if (j->kind == JSON_NUMBER) check(isfinite(j->number), "a number that is not finite");
  if (json_integer(j, &whole)) check((double)whole == j->number, "a whole number that is another");
  for (const struct json *child = j->first; child; child = child->next, count++) check_json(child, depth + 1);
  check(count == j->count, "a wrong number of children");
}

static void fuzz_json(void) {
  static const char *const sound[] = {
    "{\"name\":\"G\",\"layers\":[{\"text\":\"dense units=128\",\"from\":[0]},{\"text\":\"relu\",\"from\":[1]}],\"n\":-1.5e-3}",
    "[1,2.5,-3e4,true,false,null,\"\\u00e4\\n\\ud83d\\ude00 \xE2\x82\xAC\",{},[],{\"a\":{\"b\":[[[1]]]}}]",
  };
  const char *from = sound[below(2)];
  struct input in = damaged(from, (int64_t)strlen(from));
  char *copy = exact_copy(&in);
  struct json_document d;
  gan_status status = json_parse(ctx, copy + 1, in.size, &d);
  check(status == GAN_OK || status == GAN_ERROR_FORMAT, "a strange status");
  if (status == GAN_OK) check_json(d.root, 0);
  json_free(&d);
  free(copy);
}

/* ------------------------------------------------------------------ safetensors */

/* The header is damaged as text and given its true length mostly, so that damage gets beyond the first check. */
static struct input damaged_file(void) {
  static const char header[] =
    "{\"__metadata__\":{\"gan.format\":\"1\",\"gan.kind\":\"network\"},"
    "\"G/dense1/weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
    "\"G/dense1/bias\":{\"dtype\":\"F16\",\"shape\":[3],\"data_offsets\":[24,30]},"
    "\"labels\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[30,34]},"
    "\"pixels\":{\"dtype\":\"U8\",\"shape\":[2,0],\"data_offsets\":[34,34]},"
    "\"count\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[34,42]}}";
  char data[42], size[8];
  struct input in = damaged(header, sizeof header - 1);
  uint64_t claimed = (uint64_t)in.size;
  if (below(20) == 0) claimed = (uint64_t)below(UINT32_MAX) << below(40);
  for (int i = 0; i < 8; i++) size[i] = (char)(claimed >> (8 * i) & 255);
  for (size_t i = 0; i < sizeof data; i++) data[i] = (char)below(256);
  insert(&in, 0, size, 8);
  insert(&in, in.size, data, sizeof data);
  if (below(10) == 0) damage(&in);
  return in;
}

/* What was accepted from a block of known size fits into it, and can be read. */
static void read_tensors(struct st_file *f, int64_t size, int32_t known) {
  static float values[INPUT_MAX];
  int64_t end = 0;
  for (int64_t i = 0; i < f->count; i++) {
    const struct st_tensor *t = &f->tensors[i];
    check(t->begin == end && t->end >= t->begin && t->rank >= 0 && t->rank <= GAN_MAX_RANK && t->count >= 0,
          "a tensor out of place");
    end = t->end;
    if (known) check(t->end <= size, "a tensor beyond the file");
    if (t->count > INPUT_MAX || below(4) == 0) continue;
    gan_status status = st_read(f, i, values);
    check(status == GAN_OK || t->type < 0 || !known, "a tensor of an accepted file cannot be read");
    if (status == GAN_ERROR_FORMAT) return;
  }
}

static void fuzz_safetensors(void) {
  struct input in = damaged_file();
  char *copy = exact_copy(&in);
  struct memory_file file = {.bytes = copy + 1, .size = in.size, .capacity = in.size};
  gan_stream s = memory_stream(&file);
  int32_t known = below(2) == 0;
  struct reader r;
  struct st_file f;
  gan_status status = known ? reader_memory(&r, ctx, copy + 1, in.size) : reader_stream(&r, ctx, &s);
  check(status == GAN_OK, "a reader that cannot be made");
  status = st_open(&f, ctx, &r);
  check(status == GAN_OK || status == GAN_ERROR_FORMAT || status == GAN_ERROR_UNSUPPORTED, "a strange status");
  if (status == GAN_OK) {
    read_tensors(&f, in.size, known);
    const char *kind = st_metadata(&f, "gan.kind");
    if (kind) check_utf8(kind);
    st_close(&f);
  }
  reader_close(&r);
  free(copy);
}

/* ------------------------------------------------------------------ lines and numbers */

static void fuzz_options(void) {
  static const struct option table[] = {
    {"units", OPTION_INT, 1, 1000000, "1", "width"}, {"slope", OPTION_NUMBER, 0, 1, "0.2", "slope"},
    {"bias", OPTION_FLAG, 0, 0, "yes", "bias"}, {"init", OPTION_TEXT, 0, 0, "normal", "weights"},
    {"seed", OPTION_INT, 0, 0, "0", "seed"},
  };
  static const char sound[] = " units=128 slope=2e-1 bias init=(normal std=0.02 x=\"a)b\") seed=-5 name=\"a \\\" b\"";
  struct input in = damaged(sound, sizeof sound - 1);
  char value[20];
  struct options o;
  int32_t taken = line_take(in.bytes, "name", value, sizeof value);
  if (taken) check(strlen(value) < sizeof value && strlen(in.bytes) < (size_t)in.size, "a value that was not taken out");
  gan_status status = options_parse(ctx, "fuzz", table, 5, in.bytes, &o);
  check(status == GAN_OK || status == GAN_ERROR_ARGUMENT, "a strange status");
  if (status == GAN_OK) {
    int64_t units = option_int(&o, "units");
    double slope = option_number(&o, "slope");
    check(units >= 1 && units <= 1000000 && slope >= 0 && slope <= 1, "a value out of range was accepted");
  } else {
    check(strncmp(ctx->error, "fuzz: ", 6) == 0, "a sentence that does not say where");
  }
  options_free(&o);
}

static void fuzz_shapes(void) {
  static const char sound[] = "28x28x1 classes=10";
  struct input in = damaged(sound, sizeof sound - 1);
  int64_t shape[GAN_MAX_RANK], product = 1;
  int32_t rank;
  const char *end;
  if (!parse_shape(in.bytes, &end, &rank, shape)) return;
  for (int32_t i = 0; i < rank; i++) product *= shape[i];
  check(rank <= GAN_MAX_RANK && product >= 1 && product <= INT64_C(1) << 40 && end >= in.bytes &&
        end <= in.bytes + strlen(in.bytes), "a shape");
}

/* Against the C library, which is exact and, in a plain program, in the C locale; to the last bit but for very long numbers. */
static void fuzz_numbers(void) {
  static const char *const sound[] = {"-123.456e-7", "9007199254740993", "2.2250738585072011e-308", "1.7976931348623157e308",
                                      "0.1"};
  const char *from = sound[below(5)], *end = NULL;
  struct input in = damaged(from, (int64_t)strlen(from));
  double value, back;
  char text[32];
  if (!parse_double(in.bytes, &end, &value)) return;
  check(end > in.bytes && end <= in.bytes + strlen(in.bytes), "a number of no length");
  format_double(text, sizeof text, value);
  check(parse_double(text, NULL, &back) && (back == value || isnan(value)), "a number that does not come back");
  if (end[0] == 'x' || strpbrk(in.bytes, "nNiIxX")) return; /* strtod knows more words, and hexadecimal numbers */
  double expected = strtod(in.bytes, NULL);
  check(fabs(value - expected) <= fabs(expected) * 0x1p-52 + 0x1p-1074 || value == expected, "a number that is another");
}

int main(int count, char **arguments) {
  static void (*const targets[])(void) = {fuzz_json, fuzz_safetensors, fuzz_options, fuzz_shapes, fuzz_numbers};
  uint64_t iterations = count > 1 ? strtoull(arguments[1], NULL, 10) : ITERATIONS;
  key = rng_stream(count > 2 ? strtoull(arguments[2], NULL, 10) : 1, rng_hash("fuzz_io"), 0);
  gan_context_config c = allocator_config(&memory);
  c.memory_limit = MEMORY_LIMIT;
  if (context_new(&c, &ctx) != GAN_OK) return 1;
  for (iteration = 0; iteration < iterations; iteration++) {
    targets[iteration % 5]();
    check(memory.live == 1, "memory was left behind");
  }
  context_unref(ctx);
  printf("%" PRIu64 " damaged inputs, all well\n", iterations);
  return memory.live != 0;
}
