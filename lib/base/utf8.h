/* UTF-8 (RFC 3629), as far as a library needs it that only passes text on. */
#ifndef GAN_BASE_UTF8_H
#define GAN_BASE_UTF8_H

#include <stdint.h>

/* Length, 1 to 4, of the well-formed sequence that starts at s and has at most `left` bytes; 0 if there is none. */
int32_t utf8_sequence(const char *s, int64_t left);
/* Writes a code point; returns its length, 0 for a number that is none (beyond U+10FFFF, surrogates). */
int32_t utf8_encode(uint32_t code, char out[4]);
/* The largest length <= limit at which s may be cut without cutting a character. */
int64_t utf8_cut(const char *s, int64_t limit);
/* Makes text safe to show in one line: control characters and bytes that are not UTF-8 become '?'. */
void utf8_clean(char *s);

#endif
