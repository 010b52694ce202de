/* Text that grows, and text that is handed out. */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* ------------------------------------------------------------------ building */

void text_init(struct text *t, gan_context *ctx) {
  memset(t, 0, sizeof *t);
  t->ctx = ctx;
}

void text_free(struct text *t) {
  context_release(t->ctx, t->data, (size_t)t->capacity);
  text_init(t, t->ctx);
}

/* Room for `more` bytes and the zero behind them. */
static int32_t text_room(struct text *t, int64_t more) {
  if (t->failed) return 0;
  void *data = t->data;
  int64_t need = size_add(t->length, size_add(more, 1));
  t->failed = need < 0 || context_grow(t->ctx, &data, &t->capacity, need, 1) != GAN_OK;
  t->data = data;
  return !t->failed;
}

void text_add_n(struct text *t, const char *s, int64_t n) {
  if (!text_room(t, n)) return;
  memcpy(t->data + t->length, s, (size_t)n);
  t->length += n;
  t->data[t->length] = 0;
}

void text_add(struct text *t, const char *s) {
  text_add_n(t, s, (int64_t)strlen(s));
}

void text_format(struct text *t, const char *format, ...) {
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  int length = vsnprintf(NULL, 0, format, arguments);
  if (length >= 0 && text_room(t, length)) {
    vsnprintf(t->data + t->length, (size_t)length + 1, format, again);
    t->length += length;
  }
  va_end(again);
  va_end(arguments);
}

void text_number(struct text *t, double value) {
  char buffer[32];
  text_add_n(t, buffer, format_double(buffer, sizeof buffer, value));
}

void text_shape(struct text *t, int32_t rank, const int64_t *shape) {
  char buffer[32 * GAN_MAX_RANK];
  text_add(t, shape_text(buffer, sizeof buffer, rank, shape));
}

const char *text_get(const struct text *t) {
  return t->data ? t->data : "";
}

/* ------------------------------------------------------------------ handing out */

gan_status text_copy_out(gan_context *ctx, const char *from, char *to, int64_t capacity, int64_t *needed) {
  REQUIRE(ctx, capacity >= 0, "text: capacity is %lld; expected bytes", (long long)capacity);
  REQUIRE(ctx, to || capacity == 0, "text: text is NULL while capacity is %lld", (long long)capacity);
  int64_t length = (int64_t)strlen(from);
  if (needed) *needed = length + 1;
  if (capacity == 0) return GAN_OK;
  int64_t fits = length < capacity ? length : utf8_cut(from, capacity - 1);
  memmove(to, from, (size_t)fits);
  to[fits] = 0;
  return GAN_OK;
}

const char *shape_text(char *buffer, size_t size, int32_t rank, const int64_t *shape) {
  if (rank <= 0) snprintf(buffer, size, "scalar");
  size_t length = 0;
  for (int32_t i = 0; i < rank && length < size; i++)
    length += (size_t)snprintf(buffer + length, size - length, i ? "x%lld" : "%lld", (long long)shape[i]);
  return buffer;
}
