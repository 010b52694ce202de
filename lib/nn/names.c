/* Names in tables. */
#include "nn/names.h"

int32_t names_match(const char *name, const char *came) {
  while (*name && *name == (*came == '_' ? '-' : *came)) {
    name++;
    came++;
  }
  return *name == *came;
}
