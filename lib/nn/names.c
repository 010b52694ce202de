/* Names in tables. */
#include "nn/names.h"

static char same(char c) {
  return c == '_' ? '-' : c;
}

int32_t names_match(const char *name, const char *came) {
  while (*name && same(*name) == same(*came)) {
    name++;
    came++;
  }
  return *name == *came;
}
