/* What went wrong, in words: statuses, the sentence of the last failure, the log. And which version says so. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "base/utf8.h"

/* ------------------------------------------------------------------ version and statuses */

#define TEXT_OF(x) #x
#define VERSION_TEXT(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

int32_t gan_version(void) {
  return GAN_VERSION_MAJOR * 10000 + GAN_VERSION_MINOR * 100 + GAN_VERSION_PATCH;
}

int32_t gan_abi_version(void) {
  return GAN_ABI_VERSION;
}

const char *gan_version_text(void) {
  return VERSION_TEXT(GAN_VERSION_MAJOR, GAN_VERSION_MINOR, GAN_VERSION_PATCH);
}

const char *gan_status_text(gan_status status) {
  switch (status) {
    case GAN_OK: return "no error";
    case GAN_ERROR_ARGUMENT: return "an argument is not valid";
    case GAN_ERROR_SHAPE: return "shapes do not fit together";
    case GAN_ERROR_MEMORY: return "out of memory";
    case GAN_ERROR_FILE: return "a file could not be read or written";
    case GAN_ERROR_FORMAT: return "malformed data";
    case GAN_ERROR_UNSUPPORTED: return "not supported here";
    case GAN_ERROR_STATE: return "not possible in this state";
    case GAN_ERROR_NOT_FINITE: return "a value is not finite";
    case GAN_ERROR_CANCELLED: return "cancelled";
    case GAN_ERROR_CALLBACK: return "a callback failed";
    case GAN_ERROR_THREAD: return "a thread could not be made";
    default: return "unknown status";
  }
}

/* ------------------------------------------------------------------ the sentence */

/* Names in it may come from a file: whatever could break a line or a terminal is taken out. */
static void format_clean(char text[ERROR_TEXT], const char *format, va_list arguments) {
  int length = vsnprintf(text, ERROR_TEXT, format, arguments);
  if (length < 0) text[0] = 0;
  if (length >= ERROR_TEXT) text[utf8_cut(text, ERROR_TEXT - 1)] = 0;
  utf8_clean(text);
}

/* By way of a second buffer, for the arguments may point into the first: "layer dense1: " and the sentence so far. */
gan_status gan_fail(gan_context *ctx, gan_status status, const char *format, ...) {
  if (!ctx) return status;
  char text[ERROR_TEXT];
  va_list arguments;
  va_start(arguments, format);
  format_clean(text, format, arguments);
  va_end(arguments);
  memcpy(ctx->error, text, strlen(text) + 1);
  return status;
}

gan_status gan_fail_null(gan_context *ctx, const char *function, const char *parameter) {
  if (ctx && ctx->error[0]) return GAN_ERROR_ARGUMENT;
  return gan_fail(ctx, GAN_ERROR_ARGUMENT, "%s: %s is NULL", function, parameter);
}

void context_log(gan_context *ctx, int32_t level, const char *format, ...) {
  if (!ctx || !ctx->log) return;
  char text[ERROR_TEXT];
  va_list arguments;
  va_start(arguments, format);
  format_clean(text, format, arguments);
  va_end(arguments);
  ctx->log(ctx->log_user, level, text);
}
