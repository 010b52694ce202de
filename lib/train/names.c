/* The sentence for a name that is in no table. */
#include <stdio.h>
#include <string.h>

#include "train/train.h"

enum { NAMES_MAX = 64 };

gan_status fail_unknown(gan_context *ctx, const char *kind, const char *came, const char *(*name)(int32_t index)) {
  const char *names[NAMES_MAX];
  char list[800] = "";
  int32_t count = 0;
  size_t length = 0;
  for (; count < NAMES_MAX && (names[count] = name(count)); count++) {
    int written = snprintf(list + length, sizeof list - length, "%s%s", count ? ", " : "", names[count]);
    if (written > 0 && (size_t)written < sizeof list - length) length += (size_t)written;
  }
  const char *closest = closest_name(came, names, count);
  if (closest)
    return gan_fail(ctx, GAN_ERROR_ARGUMENT, "unknown %s '%s'; did you mean '%s'? There are %s", kind, came, closest, list);
  return gan_fail(ctx, GAN_ERROR_ARGUMENT, "unknown %s '%s'; there are %s", kind, came, list);
}
