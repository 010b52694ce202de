/* The text behind a slot's name. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "train/data.h"

static const struct option spec_options[] = {
  {"range", OPTION_TEXT, 0, 0, "-1..1", "what 0 and 255 of bytes become"},
  {"classes", OPTION_INT, 0, 2147483647, "0", "labels are 0 .. classes - 1; makes the slot i32"},
};

/* "-1..1". The dots are found first: a number reader would take "-1." for itself. */
static int32_t parse_range(const char *text, double *low, double *high) {
  char first[64];
  const char *dots = strstr(text, ".."), *end;
  if (!dots || (size_t)(dots - text) >= sizeof first) return 0;
  memcpy(first, text, (size_t)(dots - text));
  first[dots - text] = 0;
  if (!parse_double(first, &end, low) || *end) return 0;
  if (!parse_double(dots + 2, &end, high) || *end) return 0;
  return isfinite(*low) && isfinite(*high) && *low < *high;
}

static gan_status read_options(gan_context *ctx, const char *slot, const struct options *o, struct data_spec *out) {
  const char *range = option_text(o, "range");
  out->classes = option_int(o, "classes");
  out->has_range = (int32_t)(o->given & 1);
  REQUIRE(ctx, parse_range(range, &out->low, &out->high), "slot '%s': range '%s', expected LOW..HIGH such as -1..1", slot, range);
  return GAN_OK;
}

gan_status data_spec_parse(gan_context *ctx, const char *slot, const char *text, struct data_spec *out) {
  const char *rest = text ? text : "";
  char who[NETWORK_NAME + 16] = "slot ";
  memset(out, 0, sizeof *out);
  strncat(who, slot, NETWORK_NAME);
  while (isspace((unsigned char)*rest)) rest++;
  if (isdigit((unsigned char)*rest)) {
    REQUIRE(ctx, parse_shape(rest, &rest, &out->rank, out->shape), "slot '%s': '%s' is no shape, expected one such as 28x28x1",
            slot, text);
    out->has_shape = 1;
  }
  struct options options;
  gan_status status = options_parse(ctx, who, spec_options, sizeof spec_options / sizeof *spec_options, rest, &options);
  if (status == GAN_OK) status = read_options(ctx, slot, &options, out);
  options_free(&options);
  return status;
}
