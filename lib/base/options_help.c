/* Help on a name and its parameters, from the table that also parses them. */
#include <math.h>
#include <string.h>

#include "base/options.h"

static void fill_range(struct text *t, const struct option *o) {
  static const char *const kinds[] = {
    [OPTION_INT] = "int", [OPTION_NUMBER] = "number", [OPTION_FLAG] = "yes or no", [OPTION_TEXT] = "text",
  };
  text_add(t, kinds[o->type]);
  if (o->type > OPTION_NUMBER || o->low == o->high) return;
  text_add(t, isinf(o->low) ? " up to " : " ");
  if (!isinf(o->low)) text_number(t, o->low);
  if (!isinf(o->low)) text_add(t, isinf(o->high) ? " or more" : " .. ");
  if (!isinf(o->high)) text_number(t, o->high);
}

static void fill_fallback(struct text *t, const struct option *o) {
  if (!o->fallback) {
    text_add(t, "required");
    return;
  }
  const char *quote = strpbrk(o->fallback, " \t") ? "()" : "";
  text_add(t, "default ");
  text_add_n(t, quote, *quote != 0);
  text_add(t, *o->fallback ? o->fallback : "none");
  text_add(t, *quote ? quote + 1 : "");
}

typedef void fill_cell(struct text *t, const struct option *o);

/* Bytes that a cell takes, by writing it to a text of its own. */
static int64_t cell_width(gan_context *ctx, fill_cell *fill, const struct option *table, int32_t count) {
  int64_t width = 0;
  for (int32_t i = 0; i < count; i++) {
    struct text t;
    text_init(&t, ctx);
    fill(&t, &table[i]);
    if (t.length > width) width = t.length;
    text_free(&t);
  }
  return width;
}

static void fill_name(struct text *t, const struct option *o) {
  text_add(t, o->name);
}

void options_help(struct text *out, const char *name, const char *help, const struct option *table, int32_t count) {
  static fill_cell *const columns[] = {fill_name, fill_range, fill_fallback};
  int64_t width[3];
  for (int32_t c = 0; c < 3; c++) width[c] = cell_width(out->ctx, columns[c], table, count);
  text_format(out, "%s: %s\n", name, help);
  for (int32_t i = 0; i < count; i++) {
    for (int32_t c = 0; c < 3; c++) {
      text_add(out, "  ");
      int64_t start = out->length;
      columns[c](out, &table[i]);
      while (!out->failed && out->length - start < width[c]) text_add(out, " ");
    }
    text_format(out, "  %s\n", table[i].help);
  }
}
