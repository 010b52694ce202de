/* An input from its spec: "28x28x1", "classes=10", "100 noise=normal". */
#include "nn/network.h"

#include "ops/op.h"

#include <string.h>

static const struct option input_options[] = {
  {"type", OPTION_TEXT, 0, 0, "", "f32 or i32"},
  {"classes", OPTION_INT, 1, 1e9, "1", "number of labels; implies i32"},
  {"noise", OPTION_TEXT, 0, 0, "", "normal, uniform (in -1 .. 1), truncated-normal"},
};

static gan_status read_noise(gan_context *ctx, const char *noise, struct network_port *p) {
  p->info.role = GAN_ROLE_NOISE;
  const char *text = !strcmp(noise, "uniform") ? "uniform low=-1 high=1" : noise;
  TRY(distribution_parse(ctx, text, &p->noise_kind, &p->noise_x, &p->noise_y));
  REQUIRE(ctx, p->noise_kind != RANDOM_INTEGERS, "noise is normal, uniform or truncated-normal; labels are classes=..");
  return GAN_OK;
}

static gan_status read_options(gan_context *ctx, const char *rest, struct network_port *p) {
  struct options o;
  gan_status status = options_parse(ctx, "spec", input_options, 3, rest, &o);
  if (status == GAN_OK) {
    const char *type = option_text(&o, "type"), *noise = option_text(&o, "noise");
    int32_t label = (o.given & 2) != 0;
    p->info.type = label || !strcmp(type, "i32") ? GAN_I32 : GAN_F32;
    if (label) p->info.role = GAN_ROLE_LABEL;
    if (label) p->info.classes = option_int(&o, "classes");
    if (*type && strcmp(type, "i32") && strcmp(type, "f32"))
      status = gan_fail(ctx, GAN_ERROR_ARGUMENT, "type=%s: expected f32 or i32", type);
    else if (label && !strcmp(type, "f32")) status = gan_fail(ctx, GAN_ERROR_ARGUMENT, "labels (classes=..) are i32, not f32");
    else if (*noise && p->info.type != GAN_F32) status = gan_fail(ctx, GAN_ERROR_ARGUMENT, "noise is f32, not i32");
    else if (*noise) status = read_noise(ctx, noise, p);
  }
  options_free(&o);
  return status;
}

static gan_status read_spec(gan_context *ctx, const char *spec, struct network_port *p) {
  const char *rest = spec;
  while (*rest == ' ' || *rest == '\t') rest++;
  if (*rest >= '0' && *rest <= '9') {
    REQUIRE(ctx, parse_shape(rest, &rest, &p->info.rank, p->info.shape), "'%s' is no shape of a sample: \"100\", \"28x28x1\"",
            spec);
  }
  REQUIRE(ctx, p->info.rank < GAN_MAX_RANK, "a sample has at most %d axes", GAN_MAX_RANK - 1);
  return read_options(ctx, rest, p);
}

void gan_network_input(gan_network *network, const char *name, const char *spec) {
  gan_network *n = network;
  if (!n || n->failed) return;
  struct network_port p = {.info.struct_size = sizeof p.info};
  if (!name || !spec) {
    network_fail(n, GAN_ERROR_ARGUMENT, "gan_network_input: name and spec may not be NULL");
  } else if (strlen(name) >= sizeof p.name) {
    network_fail(n, GAN_ERROR_ARGUMENT, "network '%s': an input's name has at most %d bytes", n->name, NETWORK_NAME - 1);
  } else {
    strcpy(p.name, name);
    gan_status status = read_spec(n->ctx, spec, &p);
    if (status != GAN_OK) network_fail(n, status, "%s, input '%s': %.900s", n->name, name, n->ctx->error);
  }
  if (!n->failed) network_add_input(n, &p);
}
