/* JSON (RFC 8259), read into a tree of bounded depth and size, and written. Strings are UTF-8, checked. */
#ifndef GAN_IO_JSON_H
#define GAN_IO_JSON_H

#include "base/context.h"
#include "base/text.h"

enum json_kind { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
  int32_t kind, count;             /* children of arrays and objects */
  const char *key;                 /* inside an object */
  const char *string;              /* zero-terminated; strings with an inner zero are refused */
  double number;
  const struct json *first, *next; /* children in order */
};

struct json_document { gan_context *ctx; const struct json *root; void *blocks; };

enum { JSON_DEPTH = 64 };

/* Duplicate keys are refused. Free with json_free also after failure. */
gan_status json_parse(gan_context *ctx, const char *bytes, int64_t size, struct json_document *out);
void json_free(struct json_document *d);
const struct json *json_get(const struct json *object, const char *key);         /* NULL if absent or not an object */
const char *json_string(const struct json *object, const char *key);             /* NULL if absent or no string */
int32_t json_integer(const struct json *value, int64_t *out);                    /* 1 if it is a whole number within 2^53 */

void json_write_string(struct text *out, const char *s);                         /* with quotes and escapes */

#endif
