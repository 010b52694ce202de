/* The networks of a preset: its templates with the numbers put in. */
#include "base/tensor.h"
#include "nn/network.h"
#include "nn/presets.h"

#include <stdio.h>
#include <string.h>

enum { EXPRESSION = 64 };

static const char *const words[] = {"latent", "pixels", "filters", "height", "width", "channels"};
enum { WORDS = sizeof words / sizeof *words };

/* What the templates are filled with; 0 where a sample has no height. */
struct numbers { int64_t word[WORDS]; char size[128]; };

/* ------------------------------------------------------------------ what stands in braces */

/* A number or a word of an expression; where it ends. NULL: neither. */
static const char *read_factor(const char *s, const struct numbers *n, int64_t *value) {
  const char *end;
  if (parse_int(s, &end, value)) return end;
  for (int32_t i = 0; i < WORDS; i++) {
    size_t length = strlen(words[i]);
    *value = n->word[i];
    if (!strncmp(s, words[i], length)) return s + length;
  }
  return NULL;
}

/* 1 if every division leaves nothing over and the result is a size. */
static int32_t evaluate(const char *s, const struct numbers *n, int64_t *result) {
  int64_t value;
  s = read_factor(s, n, result);
  while (s && *s) {
    char operation = *s;
    s = read_factor(s + 1, n, &value);
    if (!s || value < 1 || (operation == '/' && *result % value)) return 0;
    *result = operation == '/' ? *result / value : size_mul(*result, value);
  }
  return s && *result > 0;
}

static int32_t add_expression(struct text *out, const char *s, size_t length, const struct numbers *n) {
  char expression[EXPRESSION];
  int64_t value;
  memcpy(expression, s, length);
  expression[length] = 0;
  if (!strcmp(expression, "size")) {
    text_add(out, n->size);
    return 1;
  }
  if (!evaluate(expression, n, &value)) return 0;
  text_format(out, "%lld", (long long)value);
  return 1;
}

/* 0: a number does not come out even. */
static int32_t fill_template(struct text *out, const char *template, const struct numbers *n) {
  while (*template) {
    size_t length = strcspn(template, "{");
    text_add_n(out, template, (int64_t)length);
    template += length;
    if (!*template) break;
    length = strcspn(++template, "}");
    if (length >= EXPRESSION || !add_expression(out, template, length, n)) return 0;
    template += length + 1;
  }
  return 1;
}

/* ------------------------------------------------------------------ networks */

static gan_status make_network(gan_context *ctx, const struct preset *p, const char *name, const char *template,
                               const struct numbers *numbers, gan_network **out) {
  gan_network *n;
  TRY(gan_network_create(ctx, name, &n));
  struct text lines;
  text_init(&lines, ctx);
  int32_t filled = fill_template(&lines, template, numbers);
  if (lines.failed) network_fail(n, GAN_ERROR_MEMORY, "%s", ctx->error);
  else if (!filled) network_fail(n, GAN_ERROR_ARGUMENT, "preset %s: its layers do not come out even at these sizes", p->name);
  else gan_network_build(n, text_get(&lines));
  text_free(&lines);
  gan_status status = gan_network_finish(n);
  if (status == GAN_OK) *out = n;
  else gan_network_free(n);
  return status;
}

static gan_status check_size(gan_context *ctx, const struct preset *p, const char *size, int32_t rank, const int64_t *shape) {
  if (!p->multiple) return GAN_OK;
  REQUIRE(ctx, rank == 3, "preset %s: size=%s: expected height, width and channels, \"%s\"", p->name, size, p->size);
  REQUIRE(ctx, shape[0] % p->multiple == 0 && shape[1] % p->multiple == 0,
          "preset %s: size=%s: height and width have to be multiples of %d", p->name, size, (int)p->multiple);
  return GAN_OK;
}

static gan_status read_numbers(gan_context *ctx, const struct preset *p, const struct options *o, struct numbers *n) {
  int64_t shape[GAN_MAX_RANK] = {0}, latent = option_int(o, "latent"), filters = option_int(o, "filters");
  int32_t rank;
  const char *size = *option_text(o, "size") ? option_text(o, "size") : p->size, *end;
  REQUIRE(ctx, parse_shape(size, &end, &rank, shape) && !*end && rank < GAN_MAX_RANK,
          "preset %s: size=%s: expected the sizes of a sample, \"%s\"", p->name, size, p->size);
  TRY(check_size(ctx, p, size, rank, shape));
  REQUIRE(ctx, !filters || p->filters, "preset %s: filters=%lld: it has no convolutions", p->name, (long long)filters);
  shape_text(n->size, sizeof n->size, rank, shape);
  n->word[0] = latent ? latent : p->latent;
  n->word[1] = shape_count(rank, shape);
  n->word[2] = filters ? filters : p->filters;
  if (rank == 3) memcpy(n->word + 3, shape, 3 * sizeof *shape);
  return GAN_OK;
}

static const char *preset_name(int32_t i) {
  return i < preset_count() ? preset_at(i)->name : NULL;
}

static gan_status find_preset(gan_context *ctx, const char *line, const struct preset **preset, const char **rest) {
  char name[64];
  *rest = line_name(line, name, sizeof name);
  REQUIRE(ctx, *rest, "gan_preset_networks: expected the name of a preset, came an empty text");
  *preset = preset_find(name);
  return *preset ? GAN_OK : fail_unknown(ctx, NULL, "preset", name, preset_name);
}

static gan_status make_both(gan_context *ctx, const struct preset *p, const struct numbers *numbers, gan_network **generator,
                            gan_network **discriminator) {
  gan_network *g = NULL, *d = NULL;
  if (generator) TRY(make_network(ctx, p, "G", p->generator, numbers, &g));
  gan_status status = discriminator ? make_network(ctx, p, "D", p->discriminator, numbers, &d) : GAN_OK;
  if (status != GAN_OK) {
    gan_network_free(g);
    return status;
  }
  if (generator) *generator = g;
  if (discriminator) *discriminator = d;
  return GAN_OK;
}

gan_status gan_preset_networks(gan_context *context, const char *preset, gan_network **generator, gan_network **discriminator) {
  if (!context) return GAN_ERROR_ARGUMENT;
  REQUIRE(context, preset, "gan_preset_networks: preset may not be NULL");
  const struct preset *p;
  const char *rest;
  TRY(find_preset(context, preset, &p, &rest));
  struct options o;
  struct numbers numbers = {0};
  gan_status status = options_parse(context, p->name, preset_options, preset_option_count, rest, &o);
  if (status == GAN_OK) status = read_numbers(context, p, &o, &numbers);
  options_free(&o);
  return status == GAN_OK ? make_both(context, p, &numbers, generator, discriminator) : status;
}
