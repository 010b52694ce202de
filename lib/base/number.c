/* Numbers as text, the same in every locale: neither strtod nor the decimal point of printf can be trusted inside a host program.
 *
 * Reading is exact: the decimal number is held as an integer times a power of ten, the power is multiplied or divided out in a
 * big integer, and the one rounding at the end is done by hand. Only digits beyond the 19th are seen as "a little more".
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* ------------------------------------------------------------------ big integers */

/* Enough for 2^64 * 5^309 and for the quotient of a number shifted up by what 5^360 takes away. */
enum { LIMBS = 40 };
struct big { int32_t count; uint32_t limb[LIMBS]; };

static void big_multiply(struct big *b, uint32_t factor) {
  uint64_t carry = 0;
  for (int32_t i = 0; i < b->count; i++) {
    carry += (uint64_t)b->limb[i] * factor;
    b->limb[i] = (uint32_t)carry;
    carry >>= 32;
  }
  if (carry) b->limb[b->count++] = (uint32_t)carry;
}

/* Returns the remainder. */
static uint32_t big_divide(struct big *b, uint32_t divisor) {
  uint64_t rest = 0;
  for (int32_t i = b->count - 1; i >= 0; i--) {
    rest = rest << 32 | b->limb[i];
    b->limb[i] = (uint32_t)(rest / divisor);
    rest %= divisor;
  }
  while (b->count > 0 && !b->limb[b->count - 1]) b->count--;
  return (uint32_t)rest;
}

static struct big big_shifted(uint64_t value, int32_t limbs) {
  struct big b = {.count = limbs + 2};
  b.limb[limbs] = (uint32_t)value;
  b.limb[limbs + 1] = (uint32_t)(value >> 32);
  if (!b.limb[limbs + 1]) b.count--;
  return b;
}

/* The 64 bits from the highest set one down; *exponent is that one's; *sticky is set if anything below is. */
static uint64_t big_top(const struct big *b, int32_t *exponent, int32_t *sticky) {
  uint64_t top = 0;
  int32_t i = b->count - 1, lead = __builtin_clz(b->limb[i]);
  for (int32_t k = 0; k < 2; k++, i--) top = top << 32 | (i >= 0 ? b->limb[i] : 0);
  uint32_t next = i >= 0 ? b->limb[i--] : 0;
  if (lead) {
    top = top << lead | next >> (32 - lead);
    next <<= lead;
  }
  *sticky |= next != 0;
  for (; i >= 0; i--) *sticky |= b->limb[i] != 0;
  *exponent = b->count * 32 - 1 - lead;
  return top;
}

/* ------------------------------------------------------------------ reading */

enum { POWER_5 = 13, EXPONENT_MAX = 310, EXPONENT_MIN = -345 /* of the first digit: beyond, all is infinite or 0 */ };
static const uint32_t FIVE_TO_13 = 1220703125;

/* (-1)^negative digits 10^exponent, and a little more if inexact. */
struct decimal { uint64_t digits; int64_t exponent; int32_t count, inexact, negative; };

/* value = (top / 2^63) 2^exponent, to nearest, ties to even. Below 2^-1022 there is less room for digits. */
static double round_to_double(uint64_t top, int32_t exponent, int32_t sticky) {
  if (exponent > 1023) return HUGE_VAL;
  int32_t precision = exponent >= -1022 ? 53 : 53 + 1022 + exponent;
  if (precision < 0) return 0;
  uint64_t kept = precision ? top >> (64 - precision) : 0, half = UINT64_C(1) << (63 - precision), rest = top & (half - 1 + half);
  if (rest > half || (rest == half && (sticky || (kept & 1)))) kept++;
  /* A carry out of the digits moves the exponent by itself: 1.11..1 becomes 10.0, a denormal the least normal number. */
  uint64_t bits = precision == 53 ? kept + ((uint64_t)(exponent + 1022) << 52) : kept;
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static double magnitude(const struct decimal *d) {
  if (!d->digits || d->exponent + d->count < EXPONENT_MIN) return 0;
  if (d->exponent + d->count > EXPONENT_MAX) return HUGE_VAL;
  int32_t power = (int32_t)d->exponent, left = power < 0 ? -power : power, sticky = d->inexact;
  int32_t shift = power < 0 ? left * 3 / 40 + 3 : 0; /* limbs: each 5 takes log2(5) / 32 = 0.073 of one away, 64 bits stay */
  struct big b = big_shifted(d->digits, shift);
  for (; left > 0; left -= POWER_5) {
    uint32_t factor = FIVE_TO_13;
    for (int32_t i = left; i < POWER_5; i++) factor /= 5;
    if (power < 0) sticky |= big_divide(&b, factor) != 0;
    else big_multiply(&b, factor);
  }
  int32_t exponent;
  uint64_t top = big_top(&b, &exponent, &sticky);
  return round_to_double(top, exponent - 32 * shift + power, sticky);
}

static int32_t is_digit(char c) {
  return c >= '0' && c <= '9';
}

enum { DIGITS_MAX = 19 /* what 64 bits hold for certain */ };

/* Digits, in front of the point or behind it; leading zeros do not count. Returns the first other character. */
static const char *scan_digits(const char *s, struct decimal *d, int32_t behind_point) {
  for (; is_digit(*s); s++) {
    if (d->count < DIGITS_MAX) {
      d->digits = d->digits * 10 + (uint64_t)(*s - '0');
      d->count += d->digits != 0;
      d->exponent -= behind_point;
    } else {
      d->inexact |= *s != '0';
      d->exponent += !behind_point;
    }
  }
  return s;
}

/* "e-12"; what is no exponent stays unread. */
static const char *scan_exponent(const char *s, struct decimal *d) {
  if (*s != 'e' && *s != 'E') return s;
  const char *p = s + 1;
  int32_t negative = *p == '-';
  if (*p == '-' || *p == '+') p++;
  if (!is_digit(*p)) return s;
  int64_t exponent = 0;
  for (; is_digit(*p); p++)
    if (exponent < INT32_MAX) exponent = exponent * 10 + (*p - '0');
  d->exponent += negative ? -exponent : exponent;
  return p;
}

static const char *scan_decimal(const char *s, struct decimal *d) {
  const char *digits = s, *p = scan_digits(s, d, 0);
  int64_t read = p - digits;
  if (*p == '.') {
    digits = p + 1;
    const char *q = scan_digits(digits, d, 1);
    read += q - digits;
    if (read) p = q;
  }
  return read ? scan_exponent(p, d) : NULL;
}

static const char *scan_special(const char *s, double *value) {
  *value = *s == 'n' ? NAN : HUGE_VAL;
  return strncmp(s, "nan", 3) == 0 || strncmp(s, "inf", 3) == 0 ? s + 3 : NULL;
}

int32_t parse_double(const char *s, const char **end, double *value) {
  struct decimal d = {.negative = *s == '-'};
  if (*s == '-' || *s == '+') s++;
  double result;
  const char *p = is_digit(*s) || *s == '.' ? scan_decimal(s, &d) : scan_special(s, &result);
  if (!p) return 0;
  if (is_digit(*s) || *s == '.') result = magnitude(&d);
  *value = d.negative ? -result : result;
  if (end) *end = p;
  return 1;
}

int32_t parse_int(const char *s, const char **end, int64_t *value) {
  int32_t negative = *s == '-';
  if (*s == '-' || *s == '+') s++;
  if (!is_digit(*s)) return 0;
  uint64_t n = 0, limit = (uint64_t)INT64_MAX + (uint64_t)negative;
  for (; is_digit(*s); s++) {
    uint64_t digit = (uint64_t)(*s - '0');
    if (n > (limit - digit) / 10) return 0;
    n = n * 10 + digit;
  }
  *value = negative ? (int64_t)(0 - n) : (int64_t)n;
  if (end) *end = s;
  return 1;
}

/* ------------------------------------------------------------------ writing */

/* The one thing in "%g" that a locale changes is the decimal point, which may have several bytes. */
static void put_point(char *s) {
  char *to = s;
  int32_t in_point = 0;
  for (; *s; s++) {
    int32_t plain = is_digit(*s) || *s == '-' || *s == '+' || *s == 'e';
    if (plain) *to++ = *s;
    else if (!in_point) *to++ = '.';
    in_point = !plain;
  }
  *to = 0;
}

static int32_t format_special(char *buffer, size_t size, double value) {
  return snprintf(buffer, size, "%s", isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
}

int32_t format_double(char *buffer, size_t size, double value) {
  if (!isfinite(value)) return format_special(buffer, size, value);
  for (int precision = 15; precision <= 17; precision++) {
    double back;
    snprintf(buffer, size, "%.*g", precision, value);
    put_point(buffer);
    if (parse_double(buffer, NULL, &back) && back == value) break;
  }
  return (int32_t)strlen(buffer);
}
