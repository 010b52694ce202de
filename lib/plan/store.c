/* Memory and making of the things that a plan is built of. All of it lives as long as the plan. */
#include "plan/build.h"

#include <string.h>

enum { BLOCK_BYTES = 64 << 10, ALIGNMENT = 16 };

struct plan_block { struct plan_block *next; int64_t size, used; _Alignas(ALIGNMENT) char bytes[]; };

static struct plan_block *block_new(struct plan *p, int64_t need) {
  int64_t size = size_add(need > BLOCK_BYTES ? need : BLOCK_BYTES, (int64_t)sizeof(struct plan_block));
  struct plan_block *b = context_zalloc(p->ctx, size < 0 ? SIZE_MAX : (size_t)size);
  if (!b) return NULL;
  b->size = size;
  b->used = (int64_t)sizeof *b;
  b->next = p->blocks;
  p->blocks = b;
  return b;
}

void *plan_alloc(struct plan *p, int64_t count, int64_t size) {
  int64_t need = size_add(size_mul(count, size), ALIGNMENT - 1);
  if (need < 0) {
    gan_fail(p->ctx, GAN_ERROR_MEMORY, "plan: %lld things of %lld bytes are too many", (long long)count, (long long)size);
    return NULL;
  }
  need = need / ALIGNMENT * ALIGNMENT;
  struct plan_block *b = p->blocks;
  if (!b || b->size - b->used < need) b = block_new(p, need);
  if (!b) return NULL;
  void *memory = (char *)b + b->used;
  b->used += need;
  return memory;
}

void plan_release_blocks(struct plan *p) {
  for (struct plan_block *b = p->blocks, *next; b; b = next) {
    next = b->next;
    context_release(p->ctx, b, (size_t)b->size);
  }
  p->blocks = NULL;
}

struct value *plan_value_new(struct plan *p, const gan_node *like) {
  if (context_grow(p->ctx, (void **)&p->values, &p->cap_values, p->n_values + 1, sizeof *p->values)) return NULL;
  struct value *v = plan_alloc(p, 1, sizeof *v);
  gan_node **in = plan_alloc(p, like->n_in, sizeof *in);
  if (!v || !in) return NULL;
  v->node = *like;
  v->node.in = in;
  v->node.id = (int32_t)p->n_values;
  p->values[p->n_values++] = v;
  return v;
}

struct unit *plan_unit_new(struct plan *p, int32_t kind, int32_t stage) {
  struct unit *u = plan_alloc(p, 1, sizeof *u);
  if (!u) return NULL;
  u->kind = kind;
  u->stage = stage;
  *p->last_unit = u;
  p->last_unit = &u->next;
  return u;
}

gan_status unit_add_member(struct plan *p, struct unit *u, struct value *v) {
  if (u->n_members == u->cap_members) {
    int32_t larger = u->cap_members ? 2 * u->cap_members : 4;
    struct value **members = plan_alloc(p, larger, sizeof *members);
    if (!members) return GAN_ERROR_MEMORY;
    if (u->n_members) memcpy(members, u->members, (size_t)u->n_members * sizeof *members);
    u->members = members;
    u->cap_members = larger;
  }
  u->members[u->n_members++] = v;
  v->unit = u;
  return GAN_OK;
}

gan_status unit_add_before(struct plan *p, struct unit *u, struct unit *before) {
  struct before *b = plan_alloc(p, 1, sizeof *b);
  if (!b) return GAN_ERROR_MEMORY;
  *b = (struct before){u->before, before};
  u->before = b;
  return GAN_OK;
}

struct buffer *plan_buffer_new(struct plan *p, int32_t region, int64_t bytes) {
  struct buffer *b = plan_alloc(p, 1, sizeof *b);
  if (!b) return NULL;
  b->region = region;
  b->bytes = bytes;
  *p->last_buffer = b;
  p->last_buffer = &b->next;
  return b;
}
