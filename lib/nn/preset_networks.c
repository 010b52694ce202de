/* The networks of a preset: its templates with the numbers put in. */
#include "base/tensor.h"
#include "nn/network.h"
#include "nn/presets.h"

#include <stdio.h>
#include <string.h>

struct numbers { char latent[24], pixels[24], size[128]; };

/* What stands at a '{': its number, and how many bytes it takes. */
static const char *value_at(const char *template, const struct numbers *numbers, size_t *length) {
  const char *names[] = {"{latent}", "{pixels}", "{size}"}, *values[] = {numbers->latent, numbers->pixels, numbers->size};
  for (int32_t i = 0; i < 3; i++) {
    *length = strlen(names[i]);
    if (!strncmp(template, names[i], *length)) return values[i];
  }
  *length = 1;
  return "{";
}

static void fill_template(struct text *out, const char *template, const struct numbers *numbers) {
  while (*template) {
    size_t length = strcspn(template, "{");
    text_add_n(out, template, (int64_t)length);
    template += length;
    if (!*template) return;
    text_add(out, value_at(template, numbers, &length));
    template += length;
  }
}

static gan_status make_network(gan_context *ctx, const char *name, const char *template, const struct numbers *numbers,
                               gan_network **out) {
  gan_network *n;
  TRY(gan_network_create(ctx, name, &n));
  struct text lines;
  text_init(&lines, ctx);
  fill_template(&lines, template, numbers);
  if (lines.failed) network_fail(n, GAN_ERROR_MEMORY, "%s", ctx->error);
  else gan_network_build(n, text_get(&lines));
  text_free(&lines);
  gan_status status = gan_network_finish(n);
  if (status == GAN_OK) *out = n;
  else gan_network_free(n);
  return status;
}

static gan_status read_numbers(gan_context *ctx, const struct preset *p, const struct options *o, struct numbers *numbers) {
  int64_t shape[GAN_MAX_RANK], latent = option_int(o, "latent");
  int32_t rank;
  const char *size = *option_text(o, "size") ? option_text(o, "size") : p->size, *end;
  REQUIRE(ctx, parse_shape(size, &end, &rank, shape) && !*end && rank < GAN_MAX_RANK,
          "preset %s: size=%s: expected the sizes of a sample, \"28x28x1\"", p->name, size);
  shape_text(numbers->size, sizeof numbers->size, rank, shape);
  snprintf(numbers->latent, sizeof numbers->latent, "%lld", (long long)(latent ? latent : p->latent));
  snprintf(numbers->pixels, sizeof numbers->pixels, "%lld", (long long)shape_count(rank, shape));
  return GAN_OK;
}

static gan_status find_preset(gan_context *ctx, const char *line, const struct preset **preset, const char **rest) {
  char name[64];
  const char *names[16];
  *rest = line_name(line, name, sizeof name);
  REQUIRE(ctx, *rest, "gan_preset_networks: expected the name of a preset, came an empty text");
  *preset = preset_find(name);
  if (*preset) return GAN_OK;
  int32_t count = preset_count() < 16 ? preset_count() : 16;
  for (int32_t i = 0; i < count; i++) names[i] = preset_at(i)->name;
  const char *near = closest_name(name, names, count);
  return gan_fail(ctx, GAN_ERROR_ARGUMENT, "no preset '%s'%s%s%s", name, near ? "; did you mean '" : "", near ? near : "",
                  near ? "'?" : "");
}

static gan_status make_both(gan_context *ctx, const struct preset *p, const struct numbers *numbers, gan_network **generator,
                            gan_network **discriminator) {
  gan_network *g = NULL, *d = NULL;
  if (generator) TRY(make_network(ctx, "G", p->generator, numbers, &g));
  gan_status status = discriminator ? make_network(ctx, "D", p->discriminator, numbers, &d) : GAN_OK;
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
  struct numbers numbers;
  gan_status status = options_parse(context, p->name, preset_options, preset_option_count, rest, &o);
  if (status == GAN_OK) status = read_numbers(context, p, &o, &numbers);
  options_free(&o);
  return status == GAN_OK ? make_both(context, p, &numbers, generator, discriminator) : status;
}
