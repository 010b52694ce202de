/* What may be a name, and which name was meant. */
#include <string.h>

#include "base/registry.h"
#include "base/text.h"

enum { NAME_MAX_BYTES = 63, DISTANCE_MAX = 3 };

static int32_t is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

int32_t name_is_valid(const char *name) {
  if (!name || !*name) return 0;
  size_t length = 0;
  for (; name[length]; length++)
    if (length == NAME_MAX_BYTES || !is_name_byte(name[length])) return 0;
  return 1;
}

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int32_t smaller(int32_t a, int32_t b) {
  return a < b ? a : b;
}

/* Letters to insert, delete or replace (Levenshtein, 1966), a row of the table at a time; the case does not matter. */
static int32_t distance(const char *a, const char *b) {
  int32_t row[NAME_MAX_BYTES + 1], n = (int32_t)strlen(b);
  for (int32_t j = 0; j <= n; j++) row[j] = j;
  for (int32_t i = 0; a[i]; i++) {
    int32_t diagonal = row[0];
    row[0] = i + 1;
    for (int32_t j = 0; j < n; j++) {
      int32_t replaced = diagonal + (lower(a[i]) != lower(b[j]));
      diagonal = row[j + 1];
      row[j + 1] = smaller(replaced, smaller(row[j], diagonal) + 1);
    }
  }
  return row[n];
}

const char *closest_name(const char *came, const char *const *names, int32_t count) {
  const char *best = NULL;
  size_t length = strlen(came);
  int32_t bound = DISTANCE_MAX + 1;
  for (int32_t i = 0; i < count && length <= NAME_MAX_BYTES; i++) {
    size_t longer = strlen(names[i]) > length ? strlen(names[i]) : length;
    if (longer > NAME_MAX_BYTES) continue;
    int32_t d = distance(came, names[i]);
    if (d < bound && 2 * (size_t)d < longer) bound = d, best = names[i];
  }
  return best;
}
