#include <stdio.h>

#include "base/utf8.h"
#include "io/json.h"

/* How a byte is written inside quotes: NULL for as it is. */
static const char *escaped(char c, char buffer[8]) {
  switch (c) {
    case '"': return "\\\"";
    case '\\': return "\\\\";
    case '\n': return "\\n";
    case '\t': return "\\t";
    case '\r': return "\\r";
  }
  if ((uint8_t)c >= 0x20) return NULL;
  snprintf(buffer, 8, "\\u%04x", (unsigned)(uint8_t)c);
  return buffer;
}

/* Bytes that are not UTF-8 become U+FFFD: what is written can be read again. */
void json_write_string(struct text *out, const char *s) {
  char buffer[8];
  text_add(out, "\"");
  while (*s) {
    const char *code = escaped(*s, buffer);
    int64_t left = 0;
    while (left < 4 && s[left]) left++;
    int32_t length = utf8_sequence(s, left);
    if (code) text_add(out, code);
    else if (length) text_add_n(out, s, length);
    else text_add(out, "\xEF\xBF\xBD");
    s += length ? length : 1;
  }
  text_add(out, "\"");
}
