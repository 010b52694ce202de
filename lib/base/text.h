/* Text: bounded building, copying out, and numbers that know no locale. */
#ifndef GAN_BASE_TEXT_H
#define GAN_BASE_TEXT_H

#include <stddef.h>
#include "base/context.h"

/* A growing text on the context's allocator. After a failed allocation it stays short and `failed` is set. */
struct text { gan_context *ctx; char *data; int64_t length, capacity; int32_t failed; };

void text_init(struct text *t, gan_context *ctx);
void text_free(struct text *t);
void text_add(struct text *t, const char *s);
void text_add_n(struct text *t, const char *s, int64_t n);
void text_format(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_number(struct text *t, double value);          /* shortest that reads back the same; "nan", "inf", "-inf" */
void text_shape(struct text *t, int32_t rank, const int64_t *shape);   /* "64x784"; "scalar" for rank 0 */
const char *text_get(const struct text *t);              /* never NULL */

/* (text, capacity, needed) of the public API. */
gan_status text_copy_out(gan_context *ctx, const char *from, char *to, int64_t capacity, int64_t *needed);

/* Shapes in error messages, without allocation: writes "64x784" into buffer and returns it. */
const char *shape_text(char *buffer, size_t size, int32_t rank, const int64_t *shape);

/* Locale-free numbers; `end` receives the first byte not read. 1 if a number was read. */
int32_t parse_double(const char *s, const char **end, double *value);
int32_t parse_int(const char *s, const char **end, int64_t *value);
/* Writes a double that reads back the same; returns the length. buffer has at least 32 bytes. */
int32_t format_double(char *buffer, size_t size, double value);

/* The name among names[0..count) closest to what came (edit distance at most 3 and less than half of the longer one), or NULL. */
const char *closest_name(const char *came, const char *const *names, int32_t count);

/* "G/dens1: no layer 'dens'; did you mean 'dense'? There are dense, relu, ..". who: NULL ok. */
typedef const char *(*name_function)(int32_t index); /* NULL past the end */
gan_status fail_unknown(gan_context *ctx, const char *who, const char *kind, const char *came, name_function name);

#endif
