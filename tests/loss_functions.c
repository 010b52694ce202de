#include "loss_functions.h"

#include <stdlib.h>
#include <string.h>

/* `number`: what stands behind the name, or 0. */
struct function { const char *name; int32_t count; gan_node *(*call)(gan_node *const *in, double number); };

static gan_node *cross_entropy(gan_node *const *in, double number) { return (void)number, gan_cross_entropy(in[0], in[1]); }
static gan_node *binary(gan_node *const *in, double number) { return gan_binary_cross_entropy(in[0], number); }

static const struct function functions[] = {
  {"cross-entropy", 2, cross_entropy},
  {"binary-cross-entropy", 1, binary},
};

gan_node *loss_function(const char *text, int32_t count, gan_node *const *in) {
  size_t length = strcspn(text, " ");
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    const struct function *f = &functions[i];
    if (strlen(f->name) == length && !strncmp(f->name, text, length) && f->count == count) return f->call(in, strtod(text + length, NULL));
  }
  return NULL;
}
