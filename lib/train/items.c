#include "train/items.h"

#include <string.h>

/* Where an item ends: at a ';' or a new line that stands in no parentheses and no quotes. */
static const char *item_end(const char *s) {
  int32_t depth = 0, quoted = 0;
  for (; *s; s++) {
    if (*s == '"') quoted = !quoted;
    if (quoted) continue;
    if (*s == '(') depth++;
    if (*s == ')') depth--;
    if (depth <= 0 && (*s == ';' || *s == '\n')) break;
  }
  return s;
}

gan_status items_each(gan_context *ctx, const char *what, const char *text, item_function *add, void *user) {
  char item[ITEM_TEXT];
  for (const char *s = text, *end; s && *s; s = *end ? end + 1 : end) {
    end = item_end(s);
    s += strspn(s, " \t\r");
    size_t length = end > s ? (size_t)(end - s) : 0;
    while (length && strchr(" \t\r", s[length - 1])) length--;
    REQUIRE(ctx, length < ITEM_TEXT, "%s: one of %d bytes begins with '%.40s'; expected less than %d", what, (int)length, s,
            ITEM_TEXT);
    if (!length) continue;
    memcpy(item, s, length);
    item[length] = 0;
    TRY(add(user, item));
  }
  return GAN_OK;
}
