/* JSON into a tree. The bytes are not trusted: memory taken is bounded by the bytes read, depth and number of values by
 * constants, and time by n log n. */
#include <math.h>
#include <string.h>

#include "base/sort.h"
#include "base/utf8.h"
#include "io/json.h"

/* ------------------------------------------------------------------ memory: blocks that go all at once */

enum { BLOCK_BYTES = 1 << 16, VALUES_MAX = 1 << 22 };
struct block { struct block *before; size_t size, used; };

struct parser {
  gan_context *ctx;
  const char *start, *at, *end;
  struct json_document *out;
  int32_t depth;
  int64_t values;
};

static size_t round_up(size_t size) {
  return (size + 15) & ~(size_t)15;
}

static void *take(struct parser *p, size_t size) {
  struct block *b = p->out->blocks;
  size = round_up(size);
  if (!b || size > b->size - b->used) {
    size_t header = round_up(sizeof *b), bytes = header + (size > BLOCK_BYTES - header ? size : BLOCK_BYTES - header);
    struct block *fresh = context_alloc(p->ctx, bytes);
    if (!fresh) return NULL;
    *fresh = (struct block){b, bytes, header};
    p->out->blocks = b = fresh;
  }
  void *memory = (char *)b + b->used;
  b->used += size;
  return memory;
}

void json_free(struct json_document *d) {
  for (struct block *b = d->blocks, *before; b; b = before) {
    before = b->before;
    context_release(d->ctx, b, b->size);
  }
  d->blocks = NULL;
  d->root = NULL;
}

/* ------------------------------------------------------------------ characters */

static gan_status fail(const struct parser *p, const char *what) {
  return gan_fail(p->ctx, GAN_ERROR_FORMAT, "JSON, byte %lld: %s", (long long)(p->at - p->start), what);
}

static int32_t next_is(const struct parser *p, char c) {
  return p->at < p->end && *p->at == c;
}

static int32_t accept(struct parser *p, char c) {
  if (!next_is(p, c)) return 0;
  p->at++;
  return 1;
}

static void skip_blanks(struct parser *p) {
  while (p->at < p->end && (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r')) p->at++;
}

static int32_t accept_word(struct parser *p, const char *word) {
  size_t length = strlen(word);
  if ((size_t)(p->end - p->at) < length || memcmp(p->at, word, length) != 0) return 0;
  p->at += length;
  return 1;
}

/* ------------------------------------------------------------------ strings */

static int32_t hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Four hexadecimal digits, or -1. */
static int32_t hex4(struct parser *p) {
  int32_t code = 0;
  if (p->end - p->at < 4) return -1;
  for (int32_t i = 0; i < 4; i++, p->at++) {
    int32_t digit = hex_digit(*p->at);
    if (digit < 0) return -1;
    code = code * 16 + digit;
  }
  return code;
}

/* Behind "\u": a code point, from one group of digits or, beyond U+FFFF, from a pair of surrogates. */
static gan_status unicode_escape(struct parser *p, char **to) {
  int32_t code = hex4(p);
  if (code >= 0xD800 && code <= 0xDBFF && accept(p, '\\') && accept(p, 'u')) {
    int32_t low = hex4(p);
    code = low >= 0xDC00 && low <= 0xDFFF ? 0x10000 + (code - 0xD800) * 0x400 + (low - 0xDC00) : -1;
  }
  if (code == 0) return fail(p, "a string with a zero byte inside");
  int32_t length = code > 0 ? utf8_encode((uint32_t)code, *to) : 0;
  if (!length) return fail(p, "\\u needs four hexadecimal digits, and surrogates come in pairs");
  *to += length;
  return GAN_OK;
}

static gan_status escape(struct parser *p, char **to) {
  static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
  if (accept(p, 'u')) return unicode_escape(p, to);
  const char *found = p->at < p->end && *p->at ? strchr(from, *p->at) : NULL;
  if (!found) return fail(p, "no such escape");
  *(*to)++ = into[found - from];
  p->at++;
  return GAN_OK;
}

static gan_status plain_character(struct parser *p, char **to) {
  if ((uint8_t)*p->at < 0x20) return fail(p, "a control character in a string");
  int32_t length = utf8_sequence(p->at, p->end - p->at);
  if (!length) return fail(p, "a string is not UTF-8");
  memcpy(*to, p->at, (size_t)length);
  *to += length;
  p->at += length;
  return GAN_OK;
}

/* Upper bound of a string's bytes: up to the closing quote. Escapes only get shorter. */
static int64_t raw_length(const struct parser *p) {
  const char *s = p->at;
  while (s < p->end && *s != '"') s += *s == '\\' && s + 1 < p->end ? 2 : 1;
  return s - p->at;
}

static gan_status parse_string(struct parser *p, const char **out) {
  if (!accept(p, '"')) return fail(p, "expected a string");
  char *text = take(p, (size_t)raw_length(p) + 1), *to = text;
  if (!text) return GAN_ERROR_MEMORY;
  while (!accept(p, '"')) {
    if (p->at == p->end) return fail(p, "a string has no end");
    TRY(accept(p, '\\') ? escape(p, &to) : plain_character(p, &to));
  }
  *to = 0;
  *out = text;
  return GAN_OK;
}

/* ------------------------------------------------------------------ numbers */

static int64_t skip_digits(struct parser *p) {
  const char *first = p->at;
  while (p->at < p->end && *p->at >= '0' && *p->at <= '9') p->at++;
  return p->at - first;
}

/* JSON's grammar is narrower than parse_double's: no plus, no leading zero, digits on both sides of the point. */
static gan_status parse_number(struct parser *p, double *out) {
  const char *first = p->at;
  char text[512];
  accept(p, '-');
  int32_t zero = accept(p, '0');
  if (!zero && !skip_digits(p)) return fail(p, "expected a value");
  if (accept(p, '.') && !skip_digits(p)) return fail(p, "a number ends in its point");
  if (next_is(p, 'e') || next_is(p, 'E')) {
    p->at++;
    if (!accept(p, '-')) accept(p, '+');
    if (!skip_digits(p)) return fail(p, "a number's exponent has no digits");
  }
  size_t length = (size_t)(p->at - first);
  if (length >= sizeof text) return fail(p, "a number has more than 500 digits");
  memcpy(text, first, length);
  text[length] = 0;
  if (!parse_double(text, NULL, out) || !isfinite(*out)) return fail(p, "a number is too large");
  return GAN_OK;
}

/* ------------------------------------------------------------------ values */

static gan_status parse_value(struct parser *p, struct json *value);

static int32_t compare_keys(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* By sorting: comparing each key with each would let a file of many keys take hours. */
static gan_status check_keys(struct parser *p, const struct json *object) {
  if (object->count < 2) return GAN_OK;
  size_t bytes = (size_t)object->count * sizeof(const char *);
  const char **keys = context_alloc(p->ctx, bytes);
  if (!keys) return GAN_ERROR_MEMORY;
  int64_t n = 0;
  for (const struct json *child = object->first; child; child = child->next) keys[n++] = child->key;
  sort_items(keys, n, sizeof *keys, compare_keys);
  gan_status status = GAN_OK;
  for (int64_t i = 1; i < n && status == GAN_OK; i++)
    if (strcmp(keys[i - 1], keys[i]) == 0)
      status = gan_fail(p->ctx, GAN_ERROR_FORMAT, "JSON, byte %lld: the key '%.100s' is there twice",
                        (long long)(p->at - p->start), keys[i]);
  context_release(p->ctx, keys, bytes);
  return status;
}

static gan_status parse_child(struct parser *p, struct json *child, int32_t in_object) {
  if (in_object) {
    TRY(parse_string(p, &child->key));
    skip_blanks(p);
    if (!accept(p, ':')) return fail(p, "expected ':' behind a key");
    skip_blanks(p);
  }
  return parse_value(p, child);
}

static gan_status parse_children(struct parser *p, struct json *parent, char closing) {
  int32_t in_object = parent->kind == JSON_OBJECT;
  const struct json **link = &parent->first;
  skip_blanks(p);
  if (accept(p, closing)) return GAN_OK;
  do {
    if (p->values++ == VALUES_MAX) return fail(p, "there are more than 4194304 values");
    struct json *child = take(p, sizeof *child);
    if (!child) return GAN_ERROR_MEMORY;
    memset(child, 0, sizeof *child);
    skip_blanks(p);
    TRY(parse_child(p, child, in_object));
    *link = child;
    link = &child->next;
    parent->count++;
    skip_blanks(p);
  } while (accept(p, ','));
  if (!accept(p, closing)) return fail(p, in_object ? "expected ',' or '}'" : "expected ',' or ']'");
  return in_object ? check_keys(p, parent) : GAN_OK;
}

static gan_status parse_nested(struct parser *p, struct json *value, int32_t kind, char closing) {
  if (p->depth == JSON_DEPTH) return fail(p, "nested too deeply");
  value->kind = kind;
  p->depth++;
  TRY(parse_children(p, value, closing));
  p->depth--;
  return GAN_OK;
}

static gan_status parse_value(struct parser *p, struct json *value) {
  if (accept(p, '{')) return parse_nested(p, value, JSON_OBJECT, '}');
  if (accept(p, '[')) return parse_nested(p, value, JSON_ARRAY, ']');
  if (next_is(p, '"')) return value->kind = JSON_STRING, parse_string(p, &value->string);
  if (accept_word(p, "null")) return value->kind = JSON_NULL, GAN_OK;
  if (accept_word(p, "true")) return value->kind = JSON_TRUE, GAN_OK;
  if (accept_word(p, "false")) return value->kind = JSON_FALSE, GAN_OK;
  value->kind = JSON_NUMBER;
  return parse_number(p, &value->number);
}

gan_status json_parse(gan_context *ctx, const char *bytes, int64_t size, struct json_document *out) {
  *out = (struct json_document){.ctx = ctx};
  struct parser p = {.ctx = ctx, .start = bytes, .at = bytes, .end = bytes + size, .out = out};
  struct json *root = take(&p, sizeof *root);
  if (!root) return GAN_ERROR_MEMORY;
  memset(root, 0, sizeof *root);
  skip_blanks(&p);
  TRY(parse_value(&p, root));
  skip_blanks(&p);
  if (p.at < p.end) return fail(&p, "something stands behind the end");
  out->root = root;
  return GAN_OK;
}

/* ------------------------------------------------------------------ looking things up */

const struct json *json_get(const struct json *object, const char *key) {
  if (!object || object->kind != JSON_OBJECT) return NULL;
  for (const struct json *child = object->first; child; child = child->next)
    if (strcmp(child->key, key) == 0) return child;
  return NULL;
}

const char *json_string(const struct json *object, const char *key) {
  const struct json *value = json_get(object, key);
  return value && value->kind == JSON_STRING ? value->string : NULL;
}

/* Beyond 2^53 a double may stand for several whole numbers, so such a number is none. */
int32_t json_integer(const struct json *value, int64_t *out) {
  if (!value || value->kind != JSON_NUMBER || fabs(value->number) >= 0x1p53 || value->number != floor(value->number)) return 0;
  *out = (int64_t)value->number;
  return 1;
}
