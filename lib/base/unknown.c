/* The sentence for a name that is in no table. */
#include <stdio.h>

#include "base/text.h"

enum { NAMES_MAX = 96, LIST_MAX = ERROR_TEXT };

gan_status fail_unknown(gan_context *ctx, const char *who, const char *kind, const char *came, name_function name) {
  const char *names[NAMES_MAX], *closest;
  char list[LIST_MAX] = "";
  int32_t count = 0;
  size_t length = 0;
  for (; count < NAMES_MAX && (names[count] = name(count)); count++) {
    int written = snprintf(list + length, sizeof list - length, "%s%s", count ? ", " : "", names[count]);
    if (written > 0 && (size_t)written < sizeof list - length) length += (size_t)written;
  }
  closest = closest_name(came, names, count);
  return gan_fail(ctx, GAN_ERROR_ARGUMENT, "%s%sno %s '%s'; %s%s%s are %s", who ? who : "", who ? ": " : "", kind, came,
                  closest ? "did you mean '" : "", closest ? closest : "", closest ? "'? There" : "there", list);
}
