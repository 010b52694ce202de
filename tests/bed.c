#include "bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct allocator memory;

gan_context *new_context(void) {
  gan_context *ctx = NULL;
  gan_context_config c = allocator_config(&memory);
  assert_int_equal(gan_context_create(&c, &ctx), GAN_OK);
  return ctx;
}

gan_context_config fresh_config(void) {
  memory = (struct allocator){0};
  return allocator_config(&memory);
}

gan_context *fresh_context(void) {
  memory = (struct allocator){0};
  return new_context();
}

void end_context(gan_context *ctx) {
  gan_context_free(ctx);
  assert_int_equal(memory.live, 0);
  assert_int_equal(memory.bytes, 0);
}

int set_up(void **state) {
  *state = fresh_context();
  return 0;
}

int tear_down(void **state) {
  gan_context_free(*state);
  return memory.live != 0 || memory.bytes != 0;
}

gan_network *build_network(gan_context *ctx, const char *name, const char *lines) {
  gan_network *n;
  must(ctx, gan_network_create(ctx, name, &n));
  gan_network_build(n, lines);
  must(ctx, gan_network_finish(n));
  return n;
}

void sentence_has(gan_context *ctx, const char *part, const char *of) {
  char text[1024];
  gan_context_error(ctx, text, sizeof text, NULL);
  if (!strstr(text, part)) fail_msg("%s gave '%s', expected '%s' in it", of, text, part);
}
