#include "base/utf8.h"

#include <string.h>

static int32_t is_continuation(char c) {
  return ((uint8_t)c & 0xC0) == 0x80;
}

/* By the table of RFC 3629: the lead byte bounds the second byte, which rules out overlong forms, surrogates and > U+10FFFF. */
static int32_t sequence_bounds(uint8_t lead, uint8_t *low, uint8_t *high) {
  *low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  *high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

int32_t utf8_sequence(const char *s, int64_t left) {
  if (left < 1) return 0;
  uint8_t low, high;
  int32_t length = sequence_bounds((uint8_t)s[0], &low, &high);
  if (length < 2) return length;
  if (left < length || (uint8_t)s[1] < low || (uint8_t)s[1] > high) return 0;
  for (int32_t i = 2; i < length; i++)
    if (!is_continuation(s[i])) return 0;
  return length;
}

static char continuation(uint32_t code, int32_t shift) {
  return (char)(0x80 | (code >> shift & 0x3F));
}

int32_t utf8_encode(uint32_t code, char out[4]) {
  if (code < 0x80) return out[0] = (char)code, 1;
  if (code < 0x800) {
    out[0] = (char)(0xC0 | code >> 6);
    out[1] = continuation(code, 0);
    return 2;
  }
  if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return 0;
  if (code < 0x10000) {
    out[0] = (char)(0xE0 | code >> 12);
    out[1] = continuation(code, 6);
    out[2] = continuation(code, 0);
    return 3;
  }
  out[0] = (char)(0xF0 | code >> 18);
  out[1] = continuation(code, 12);
  out[2] = continuation(code, 6);
  out[3] = continuation(code, 0);
  return 4;
}

/* Steps back over the character that the limit falls into: at most three bytes, so that text which is not UTF-8 loses no more. */
int64_t utf8_cut(const char *s, int64_t limit) {
  int64_t start = limit;
  while (start > 0 && limit - start < 4 && is_continuation(s[start - 1])) start--;
  if (start == 0) return limit;
  uint8_t low, high;
  int32_t length = sequence_bounds((uint8_t)s[start - 1], &low, &high);
  return length > 1 && start - 1 + length > limit ? start - 1 : limit;
}

/* The controls of ASCII, DEL, and U+0080 .. U+009F, which terminals obey too. */
static int32_t is_control(const char *s, int32_t length) {
  uint8_t first = (uint8_t)s[0];
  return length == 1 ? first < 0x20 || first == 0x7F : length == 2 && first == 0xC2 && (uint8_t)s[1] < 0xA0;
}

void utf8_clean(char *s) {
  int64_t left = (int64_t)strlen(s);
  while (left > 0) {
    int32_t length = utf8_sequence(s, left);
    if (length == 0 || is_control(s, length)) {
      if (length == 0) length = 1;
      memset(s, '?', (size_t)length);
    }
    s += length;
    left -= length;
  }
}
