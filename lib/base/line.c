/* Lines of words: "name key=value key=(a nested line) key=\"any text\"". */
#include <string.h>

#include "base/options.h"

static int32_t is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_blanks(const char *s) {
  while (is_blank(*s)) s++;
  return s;
}

/* From an opening quote to the closing one; NULL if there is none. A backslash takes the next byte as it is. */
static const char *closing_quote(const char *s) {
  for (s++; *s && *s != '"'; s++)
    if (*s == '\\' && s[1]) s++;
  return *s ? s : NULL;
}

/* The same for parentheses, which nest; those within quotes do not count. */
static const char *closing_parenthesis(const char *s) {
  for (int64_t depth = 0; s && *s; s++) {
    if (*s == '(') depth++;
    if (*s == ')' && --depth == 0) return s;
    if (*s == '"' && !(s = closing_quote(s))) return NULL;
  }
  return NULL;
}

int32_t line_next(const char *line, struct line_word *w) {
  const char *s = skip_blanks(line);
  *w = (struct line_word){.key = s, .end = s};
  if (!*s) return 0;
  while (*s && *s != '=' && !is_blank(*s)) s++;
  w->key_length = s - w->key;
  w->end = s;
  if (*s != '=') return 1;

  w->value = ++s;
  if (*s == '(' || *s == '"') {
    w->quote = *s;
    w->value = s + 1;
    s = *s == '(' ? closing_parenthesis(s) : closing_quote(s);
    if (!s) return -1;
    w->value_length = s++ - w->value;
    w->end = s;
    return is_blank(*s) || !*s ? 1 : -1;
  }
  while (*s && !is_blank(*s)) s++;
  w->value_length = s - w->value;
  w->end = s;
  return 1;
}

int64_t line_value(const struct line_word *w, char *value, size_t size) {
  int64_t length = 0;
  for (int64_t i = 0; i < w->value_length; i++) {
    if (w->quote == '"' && w->value[i] == '\\' && i + 1 < w->value_length) i++;
    if (length + 1 < (int64_t)size) value[length] = w->value[i];
    length++;
  }
  if (size) value[length < (int64_t)size ? length : (int64_t)size - 1] = 0;
  return length;
}

const char *line_name(const char *line, char *name, size_t size) {
  const char *start = skip_blanks(line), *s = start;
  while (*s && !is_blank(*s)) s++;
  if (s == start) return NULL;
  size_t length = (size_t)(s - start) < size ? (size_t)(s - start) : size - 1;
  memcpy(name, start, length);
  name[length] = 0;
  return skip_blanks(s);
}

int32_t line_take(char *line, const char *key, char *value, size_t size) {
  struct line_word w;
  int64_t key_length = (int64_t)strlen(key);
  for (const char *s = line; line_next(s, &w) == 1; s = w.end) {
    if (!w.value || w.key_length != key_length || memcmp(w.key, key, (size_t)key_length) != 0) continue;
    int64_t length = line_value(&w, value, size);
    const char *rest = skip_blanks(w.end);
    memmove(line + (w.key - line), rest, strlen(rest) + 1);
    return length < (int64_t)size ? 1 : -1;
  }
  return 0;
}

/* ------------------------------------------------------------------ shapes */

static const int64_t SHAPE_PRODUCT_MAX = INT64_C(1) << 40;

/* After a size comes 'x' and a size, a blank, or what ends a list. */
static int32_t size_ends_at(const char *s) {
  return !*s || is_blank(*s) || *s == ',' || *s == ')' || *s == ';' || (*s == 'x' && s[1] >= '0' && s[1] <= '9');
}

int32_t parse_shape(const char *s, const char **end, int32_t *rank, int64_t shape[GAN_MAX_RANK]) {
  int64_t product = 1;
  int32_t n = 0;
  const char *p = skip_blanks(s), *read = s;
  while (*p >= '0' && *p <= '9') {
    int64_t size;
    if (n == GAN_MAX_RANK || !parse_int(p, &read, &size) || !size_ends_at(read)) return 0;
    if (size < 1 || size > SHAPE_PRODUCT_MAX / product) return 0;
    product *= size;
    shape[n++] = size;
    p = *read == 'x' ? read + 1 : skip_blanks(read);
  }
  *rank = n;
  if (end) *end = read;
  return 1;
}
