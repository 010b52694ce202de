#include "base/registry.h"

#include <string.h>

/* Pointers, for what was handed out must not move when another name comes. */
struct registry { struct registered **items; int64_t count, capacity; };

const struct registered *registry_find(const gan_context *ctx, int32_t kind, const char *name) {
  const struct registry *r = ctx->registry;
  for (int64_t i = 0; r && i < r->count; i++)
    if (r->items[i]->kind == kind && strcmp(r->items[i]->name, name) == 0) return r->items[i];
  return NULL;
}

static struct registry *registry_of(gan_context *ctx) {
  if (!ctx->registry) ctx->registry = context_zalloc(ctx, sizeof(struct registry));
  return ctx->registry;
}

static struct registered *new_item(gan_context *ctx, const char *name) {
  struct registered *item = context_zalloc(ctx, sizeof *item);
  if (!item) return NULL;
  item->name = context_strdup(ctx, name);
  if (item->name) return item;
  context_release(ctx, item, sizeof *item);
  return NULL;
}

gan_status registry_add(gan_context *ctx, int32_t kind, const char *name, registry_function function, void *user,
                        gan_release release) {
  REQUIRE(ctx, name_is_valid(name), "'%.64s' is no name; expected 1 to 63 letters, digits, '-', '_' or '.'", name ? name : "");
  REQUIRE(ctx, function, "%s: the function is NULL", name);
  REQUIRE(ctx, !registry_find(ctx, kind, name), "%s: the name is taken already", name);
  struct registry *r = registry_of(ctx);
  if (!r) return GAN_ERROR_MEMORY;
  void *items = r->items;
  gan_status status = context_grow(ctx, &items, &r->capacity, r->count + 1, sizeof *r->items);
  r->items = items;
  TRY(status);
  struct registered *item = new_item(ctx, name);
  if (!item) return GAN_ERROR_MEMORY;
  item->kind = kind;
  item->function = function;
  item->user = user;
  item->release = release;
  r->items[r->count++] = item;
  return GAN_OK;
}

static void free_item(gan_context *ctx, struct registered *item) {
  if (item->release) item->release(item->user, item->user, 0);
  context_release(ctx, (char *)item->name, strlen(item->name) + 1);
  context_release(ctx, item, sizeof *item);
}

void registry_free(gan_context *ctx) {
  struct registry *r = ctx->registry;
  if (!r) return;
  for (int64_t i = r->count - 1; i >= 0; i--) free_item(ctx, r->items[i]);
  context_release(ctx, r->items, (size_t)r->capacity * sizeof *r->items);
  context_release(ctx, r, sizeof *r);
  ctx->registry = NULL;
}
