/* Values that are computed again rather than kept. In a training step an activation waits from its layer's forward product to the
 * gradient of the next layer's weights; what it was computed from, the product's result, often waits as long. Where such a value
 * lies in the wave in which memory is fullest, its chain runs once more in the wave before its next reader, and its memory is free
 * in between. Bits stay: the same program reads the same elements.
 */
#include "plan/build.h"

#include <string.h>

enum {
  LEAST_BYTES = 32 << 20,  /* less memory is not worth a pass through it */
  SMALL_PART = 64,         /* an input this many times smaller may be kept longer */
};

static int32_t last_wave(const struct unit *u) { return u->wave + u->n_calls - 1; }

/* live: room for what each of n waves holds; in doubles, since sizes may be anything. */
static int32_t fullest_wave(const struct plan *p, double *live, int32_t n) {
  int32_t fullest = 0;
  memset(live, 0, (size_t)n * sizeof *live);
  for (const struct buffer *b = p->buffers; b; b = b->next) {
    if (b->region != REGION_ARENA || b->first > b->last) continue;
    live[b->first] += (double)b->bytes;
    if (b->last < n - 1) live[b->last + 1] -= (double)b->bytes;
  }
  for (int32_t w = 1; w < n; w++)
    if ((live[w] += live[w - 1]) > live[fullest]) fullest = w;
  return fullest;
}

/* ------------------------------------------------------------------ which ones */

/* The first unit that reads b after the wave, if others did before and none does in it. */
static const struct unit *next_reader(const struct plan *p, const struct buffer *b, int32_t wave) {
  const struct unit *next = NULL;
  int32_t before = 0;
  for (const struct unit *u = p->units; u; u = u->next)
    for (int32_t i = 0; i < u->n_in; i++) {
      if (u->in[i] != b) continue;
      if (u->wave <= wave && last_wave(u) >= wave) return NULL;
      if (u->wave < wave) before = 1;
      if (u->wave > wave && (!next || u->wave < next->wave)) next = u;
    }
  return before ? next : NULL;
}

static int32_t overwritten(const struct plan *p, const struct buffer *in, int32_t stage) {
  for (const struct want *w = p->wants; w; w = w->next) {
    if (!w->variable || w->stage > stage) continue;
    const char *begin = (const char *)w->variable->data, *end = begin + w->variable->count * (int64_t)sizeof(float);
    if (in->fixed < end && begin < in->fixed + in->bytes) return 1;
  }
  return 0;
}

/* An input of b's chain has the same content in that wave, and is there anyway or small. */
static int32_t still_there(const struct plan *p, const struct buffer *in, const struct buffer *b, int32_t wave, int32_t stage) {
  if (in->region == REGION_ARENA) return in->last >= wave || in->bytes <= b->bytes / SMALL_PART;
  if (in->region == REGION_KEPT) return in->writer != NULL && in->writer->stage == PROLOGUE;
  return !in->writer && !overwritten(p, in, stage);
}

static int32_t is_wanted(const struct plan *p, const struct buffer *b) {
  for (const struct want *w = p->wants; w; w = w->next)
    if (w->buffer == b) return 1;
  return 0;
}

static int32_t large_chain(const struct unit *u) {
  return u->kind == UNIT_CHAIN && u->stage != PROLOGUE && !u->assigns && u->n_out == 1 && u->out[0]->region == REGION_ARENA &&
         u->out[0]->bytes >= LEAST_BYTES;
}

/* The unit for which u had better run once more, so that its result need not live in the wave; or NULL. */
static const struct unit *asks_again(const struct plan *p, const struct unit *u, int32_t wave) {
  const struct buffer *b = u->out[0];
  if (!large_chain(u) || last_wave(u) >= wave || b->last <= wave || is_wanted(p, b)) return NULL;
  const struct unit *reader = next_reader(p, b, wave);
  if (!reader || reader->wave - 1 <= wave || reader->wave == p->stages[reader->stage].first_wave) return NULL;
  for (int32_t i = 0; i < u->n_in; i++)
    if (!still_there(p, u->in[i], b, reader->wave - 1, reader->stage)) return NULL;
  return reader;
}

/* ------------------------------------------------------------------ once more */

static gan_status compute_again(struct plan *p, const struct unit *u, const struct unit *reader) {
  struct buffer *b = u->out[0], *again = plan_buffer_new(p, REGION_ARENA, b->bytes);
  struct unit *twin = plan_unit_new(p, u->kind, reader->stage);
  if (!again || !twin) return GAN_ERROR_MEMORY;
  twin->wave = reader->wave - 1;
  twin->members = u->members;
  twin->n_members = twin->cap_members = u->n_members;
  twin->n_in = u->n_in;
  memcpy(twin->in, u->in, sizeof twin->in);
  twin->n_out = 1;
  twin->out[0] = again;
  twin->may_replace = u->may_replace;
  twin->n_calls = u->n_calls;
  twin->calls = u->calls;
  again->writer = twin;
  for (struct unit *v = p->units; v; v = v->next)
    for (int32_t i = 0; i < v->n_in; i++)
      if (v->in[i] == b && v->wave >= reader->wave) v->in[i] = again;
  return GAN_OK;
}

static int32_t any_large(const struct plan *p) {
  for (const struct unit *u = p->units; u; u = u->next)
    if (large_chain(u)) return 1;
  return 0;
}

/* Until nothing in the fullest wave can be had again. */
gan_status plan_compute_again(struct plan *p) {
  const struct stage *last = &p->stages[p->n_stages - 1];
  int32_t n = last->first_wave + last->n_waves;
  if (!p->optimize || p->frozen || !any_large(p)) return GAN_OK;
  double *live = plan_alloc(p, n, sizeof *live);
  if (!live) return GAN_ERROR_MEMORY;
  for (const struct unit *u, *reader;;) {
    plan_find_lifetimes(p);
    int32_t wave = fullest_wave(p, live, n);
    for (u = p->units, reader = NULL; u && !(reader = asks_again(p, u, wave));) u = u->next;
    if (!reader) return GAN_OK;
    TRY(compute_again(p, u, reader));
  }
}
