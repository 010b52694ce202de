/* Names with parameters in one line of text: "dense units=128 init=(normal std=0.02)".
 *
 * Each kind (layers, losses, ...) has one table of rows; a row has a name, a help line and a list of options with types, ranges
 * and defaults. The same table parses, reports errors ("dense: no parameter 'unit'; did you mean 'units'?"), and feeds help.
 */
#ifndef GAN_BASE_OPTIONS_H
#define GAN_BASE_OPTIONS_H

#include "base/context.h"
#include "base/text.h"

enum option_type { OPTION_INT, OPTION_NUMBER, OPTION_FLAG /* yes, no, 1, 0, true, false; bare name = yes */, OPTION_TEXT };

struct option {
  const char *name;
  int32_t type;
  double low, high;        /* closed range of INT and NUMBER; equal: none */
  const char *fallback;    /* default as text; NULL: required */
  const char *help;        /* "output width" */
};

enum { OPTIONS_MAX = 24 };

/* The values of one line, in the order of the row's table. Text values are kept unquoted. */
struct options {
  gan_context *ctx;
  const struct option *table;
  int32_t count;
  double number[OPTIONS_MAX];      /* INT, NUMBER, FLAG */
  char *text[OPTIONS_MAX];         /* TEXT; owned */
  uint32_t given;                  /* bit i: option i stood in the line */
};

/* Splits "name rest of line" : copies the first word; returns a pointer to the rest (never NULL). NULL if the line has no word. */
const char *line_name(const char *line, char *name, size_t size);

/* Parses `rest` by a table. who: for messages ("layer dense"). Free with options_free even after failure. */
gan_status options_parse(gan_context *ctx, const char *who, const struct option *table, int32_t count, const char *rest, struct options *out);
void options_free(struct options *o);
double option_number(const struct options *o, const char *name);
int64_t option_int(const struct options *o, const char *name);
int32_t option_flag(const struct options *o, const char *name);
const char *option_text(const struct options *o, const char *name);   /* "" if empty */
int32_t option_given(const struct options *o, const char *name);       /* 1: it stood in the line */

/* One "key", "key=value", "key=(...)" or "key=\"...\"" of a line. */
struct line_word {
  const char *key, *value, *end;   /* into the line; value NULL: none; end: the first byte behind */
  int64_t key_length, value_length;
  char quote;                      /* '(', '"' or 0; value lies between the quotes */
};

/* The next word of a line. 1; 0 at the end of the line; -1 if quotes are not closed or something sticks to a closing one. */
int32_t line_next(const char *line, struct line_word *w);
/* Copies a value unquoted: zero-terminated, cut to size; returns its whole length. */
int64_t line_value(const struct line_word *w, char *value, size_t size);

/* Takes "key=value" out of a line: copies the value (unquoted) into value and removes it from line (in place). 1 if it was there;
 * -1 if it is too long for value (which then has its beginning). */
int32_t line_take(char *line, const char *key, char *value, size_t size);

/* "dense: width of ...\n  units  int 1..1e6  required  output width\n ..." */
void options_help(struct text *out, const char *name, const char *help, const struct option *table, int32_t count);

/* "28x28x1" or "28 28 1" -> sizes. 1 if well formed and every size >= 1 and the product fits in 2^40. */
int32_t parse_shape(const char *s, const char **end, int32_t *rank, int64_t shape[GAN_MAX_RANK]);

#endif
