#include "say.h"

#include <stdarg.h>
#include <stdio.h>

int complain(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "%s: ", program_name);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  return 0;
}

int complain_gan(const gan_context *context, const char *doing, gan_status status) {
  char text[1000] = "";
  gan_context_error(context, text, sizeof text, NULL);
  return complain("%s: %s", doing, text[0] ? text : gan_status_text(status));
}

int complain_memory(void) {
  return complain("out of memory");
}
