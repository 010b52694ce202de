/* Parameters of names, by tables: parsed, checked, explained. */
#include "base/options.h"

#include <math.h>
#include <string.h>

enum { NUMBER_TEXT = 32, WORD_TEXT = 64 };
static const double WHOLE_MAX = 0x1p53; /* every whole number below is a double */

/* What a parse carries along. */
struct parse { gan_context *ctx; const char *who; struct options *out; };

/* ------------------------------------------------------------------ messages */

/* A piece of a line, cut to what a sentence can carry. */
static const char *cut(char buffer[WORD_TEXT], const char *s, int64_t length) {
  size_t n = length < WORD_TEXT ? (size_t)length : WORD_TEXT - 1;
  memcpy(buffer, s, n);
  buffer[n] = 0;
  return buffer;
}

static void add_names(struct text *t, const struct option *table, int32_t count) {
  for (int32_t i = 0; i < count; i++) {
    if (i) text_add(t, i + 1 < count ? ", " : " and ");
    text_add(t, table[i].name);
  }
}

static gan_status no_parameter(const struct parse *p, const struct line_word *w) {
  char name[WORD_TEXT];
  const char *names[OPTIONS_MAX];
  const struct options *o = p->out;
  cut(name, w->key, w->key_length);
  for (int32_t i = 0; i < o->count; i++) names[i] = o->table[i].name;
  const char *close = closest_name(name, names, o->count);
  if (close) return gan_fail(p->ctx, GAN_ERROR_ARGUMENT, "%s: no parameter '%s'; did you mean '%s'?", p->who, name, close);
  if (!o->count) return gan_fail(p->ctx, GAN_ERROR_ARGUMENT, "%s: no parameter '%s'; it takes none", p->who, name);
  struct text all;
  text_init(&all, p->ctx);
  add_names(&all, o->table, o->count);
  if (!all.failed) gan_fail(p->ctx, GAN_ERROR_ARGUMENT, "%s: no parameter '%s'; there is %s", p->who, name, text_get(&all));
  gan_status status = all.failed ? GAN_ERROR_MEMORY : GAN_ERROR_ARGUMENT;
  text_free(&all);
  return status;
}

static gan_status fail_range(const struct parse *p, const struct option *o, double value) {
  char low[NUMBER_TEXT], high[NUMBER_TEXT], came[NUMBER_TEXT];
  format_double(low, sizeof low, o->low);
  format_double(high, sizeof high, o->high);
  format_double(came, sizeof came, value);
  if (isinf(o->high))
    return gan_fail(p->ctx, GAN_ERROR_ARGUMENT, "%s: %s is %s; expected at least %s", p->who, o->name, came, low);
  if (isinf(o->low))
    return gan_fail(p->ctx, GAN_ERROR_ARGUMENT, "%s: %s is %s; expected at most %s", p->who, o->name, came, high);
  return gan_fail(p->ctx, GAN_ERROR_ARGUMENT, "%s: %s is %s; expected %s .. %s", p->who, o->name, came, low, high);
}

/* ------------------------------------------------------------------ values */

static int32_t parse_flag(const char *s, double *value) {
  static const char *const words[2][3] = {{"no", "0", "false"}, {"yes", "1", "true"}};
  for (int32_t truth = 0; truth < 2; truth++)
    for (int32_t i = 0; i < 3; i++)
      if (strcmp(s, words[truth][i]) == 0) return *value = truth, 1;
  return 0;
}

static gan_status set_number(const struct parse *p, const struct option *o, const char *s, double *out) {
  double value;
  const char *end;
  int32_t whole = o->type == OPTION_INT;
  if (!parse_double(s, &end, &value) || *end || !isfinite(value) ||
      (whole && (value != floor(value) || fabs(value) >= WHOLE_MAX)))
    return gan_fail(p->ctx, GAN_ERROR_ARGUMENT, "%s: %s is '%.60s'; expected a %s", p->who, o->name, s,
                    whole ? "whole number" : "number");
  if (o->low != o->high && !(value >= o->low && value <= o->high)) return fail_range(p, o, value);
  *out = value;
  return GAN_OK;
}

static gan_status set_value(const struct parse *p, int32_t i, const char *s) {
  const struct option *o = &p->out->table[i];
  if (o->type == OPTION_INT || o->type == OPTION_NUMBER) return set_number(p, o, s, &p->out->number[i]);
  if (o->type == OPTION_FLAG) {
    if (parse_flag(s, &p->out->number[i])) return GAN_OK;
    return gan_fail(p->ctx, GAN_ERROR_ARGUMENT, "%s: %s is '%.60s'; expected yes or no", p->who, o->name, s);
  }
  p->out->text[i] = context_strdup(p->ctx, s);
  return p->out->text[i] ? GAN_OK : GAN_ERROR_MEMORY;
}

/* ------------------------------------------------------------------ lines */

static int32_t find_option(const struct options *o, const char *name, int64_t length) {
  for (int32_t i = 0; i < o->count; i++)
    if (strncmp(o->table[i].name, name, (size_t)length) == 0 && !o->table[i].name[length]) return i;
  return -1;
}

static gan_status set_word(const struct parse *p, int32_t i, const struct line_word *w) {
  const struct option *o = &p->out->table[i];
  if (!w->value) {
    if (o->type == OPTION_FLAG) return set_value(p, i, "yes");
    return gan_fail(p->ctx, GAN_ERROR_ARGUMENT, "%s: %s needs a value: %s=...", p->who, o->name, o->name);
  }
  size_t size = (size_t)w->value_length + 1;
  char *value = context_alloc(p->ctx, size);
  if (!value) return GAN_ERROR_MEMORY;
  line_value(w, value, size);
  gan_status status = set_value(p, i, value);
  context_release(p->ctx, value, size);
  return status;
}

static gan_status take_word(const struct parse *p, const struct line_word *w) {
  REQUIRE(p->ctx, w->key_length > 0, "%s: there is no name in front of '='", p->who);
  int32_t i = find_option(p->out, w->key, w->key_length);
  if (i < 0) return no_parameter(p, w);
  uint32_t bit = UINT32_C(1) << i;
  REQUIRE(p->ctx, !(p->out->given & bit), "%s: %s is given twice", p->who, p->out->table[i].name);
  p->out->given |= bit;
  return set_word(p, i, w);
}

static gan_status take_fallbacks(const struct parse *p) {
  for (int32_t i = 0; i < p->out->count; i++) {
    if (p->out->given >> i & 1) continue;
    const struct option *o = &p->out->table[i];
    REQUIRE(p->ctx, o->fallback, "%s: %s is missing: %s=..., %s", p->who, o->name, o->name, o->help);
    TRY(set_value(p, i, o->fallback));
  }
  return GAN_OK;
}

gan_status options_parse(gan_context *ctx, const char *who, const struct option *table, int32_t count, const char *rest,
                         struct options *out) {
  *out = (struct options){.ctx = ctx, .table = table};
  REQUIRE(ctx, count <= OPTIONS_MAX, "%s: its table has %d parameters; there is room for %d", who, count, OPTIONS_MAX);
  out->count = count;
  struct parse p = {ctx, who, out};
  struct line_word w;
  int32_t found;
  for (const char *s = rest; (found = line_next(s, &w)) == 1; s = w.end) TRY(take_word(&p, &w));
  char name[WORD_TEXT];
  REQUIRE(ctx, found == 0, "%s: the value of %s has no closing %s, or something sticks to it", who,
          cut(name, w.key, w.key_length), w.quote == '(' ? "parenthesis" : "quote");
  return take_fallbacks(&p);
}

void options_free(struct options *o) {
  for (int32_t i = 0; i < o->count; i++) {
    context_strfree(o->ctx, o->text[i]);
    o->text[i] = NULL;
  }
}

/* ------------------------------------------------------------------ reading the values */

double option_number(const struct options *o, const char *name) {
  int32_t i = find_option(o, name, (int64_t)strlen(name));
  return i < 0 ? 0 : o->number[i];
}

int64_t option_int(const struct options *o, const char *name) {
  return (int64_t)option_number(o, name);
}

int32_t option_flag(const struct options *o, const char *name) {
  return option_number(o, name) != 0;
}

const char *option_text(const struct options *o, const char *name) {
  int32_t i = find_option(o, name, (int64_t)strlen(name));
  return i < 0 || !o->text[i] ? "" : o->text[i];
}

int32_t option_given(const struct options *o, const char *name) {
  int32_t i = find_option(o, name, (int64_t)strlen(name));
  return i >= 0 && (o->given >> i & 1);
}
