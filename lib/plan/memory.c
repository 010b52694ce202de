/* Where buffers lie. A buffer's content lives from the wave that writes it to the last wave that reads it; buffers that never live
 * at once share memory. The largest are placed first, each into the narrowest gap that holds it.
 */
#include "plan/build.h"

#include "base/sort.h"

enum { ALIGNMENT = 64 };

/* ------------------------------------------------------------------ lifetimes */

static void live_until(struct buffer *b, const struct unit *u) {
  int32_t wave = u->wave + u->n_calls - 1;
  if (wave == b->last && b->last_reader != u) b->last_reader = NULL;
  if (wave > b->last) {
    b->last = wave;
    b->last_reader = u;
  }
}

void plan_find_lifetimes(struct plan *p) {
  for (struct buffer *b = p->buffers; b; b = b->next) {
    b->first = b->writer ? b->writer->wave : 0;
    b->last = b->first - 1;
    if (b->writer) live_until(b, b->writer);
  }
  for (struct unit *u = p->units; u; u = u->next)
    for (int32_t i = 0; i < u->n_in; i++) live_until(u->in[i], u);
  for (struct want *w = p->wants; w; w = w->next)
    if (w->buffer) w->buffer->last = INT32_MAX;
  for (struct buffer *b = p->buffers; b; b = b->next)
    if (p->debug) b->last = INT32_MAX;
}

/* ------------------------------------------------------------------ in place */

static struct buffer *host_of(struct buffer *b) {
  while (b->host) b = b->host;
  return b;
}

/* Nobody but u reads the buffer in the wave of u, and nobody after it. */
static int32_t dies_in(const struct buffer *b, const struct unit *u) {
  return b->region == REGION_ARENA && b->last == u->wave && b->last_reader == u;
}

static void replace_inputs(struct unit *u) {
  for (int32_t j = 0; j < u->n_out; j++) {
    struct buffer *out = u->out[j];
    for (int32_t i = 0; i < u->n_in && !out->host && !out->apart && out->region == REGION_ARENA; i++) {
      if (!(u->may_replace >> i & 1) || !dies_in(u->in[i], u) || u->in[i]->bytes != out->bytes) continue;
      u->may_replace &= ~(1u << i);
      out->host = u->in[i];
      host_of(out)->last = out->last;
    }
  }
}

/* In the order of waves, so that an input's own place is settled before. */
static void work_in_place(struct plan *p) {
  for (int64_t i = 0; i < p->n_calls; i++) replace_inputs(p->owners[i]);
}

/* ------------------------------------------------------------------ placing */

/* Large ones first; then by age, so that nothing depends on how qsort treats equals. */
static int32_t by_size(const void *a, const void *b) {
  const struct buffer *x = *(struct buffer *const *)a, *y = *(struct buffer *const *)b;
  if (x->bytes != y->bytes) return x->bytes > y->bytes ? -1 : 1;
  return x->number < y->number ? -1 : 1;
}

static int32_t live_at_once(const struct buffer *a, const struct buffer *b) {
  return a->first <= b->last && b->first <= a->last;
}

/* The first byte on a cache line behind the buffer; -1 on overflow. */
static int64_t end_of(const struct buffer *b) {
  int64_t end = size_add(size_add(b->offset, b->bytes), ALIGNMENT - 1);
  return end < 0 ? -1 : end / ALIGNMENT * ALIGNMENT;
}

/* placed is in order of offsets. The narrowest gap between those that live when b does; the end if none is wide enough. */
static int64_t best_offset(struct buffer *const *placed, int64_t n, const struct buffer *b) {
  int64_t at = 0, best = -1, narrowest = INT64_MAX;
  for (int64_t i = 0; i < n; i++) {
    if (!live_at_once(placed[i], b)) continue;
    int64_t gap = placed[i]->offset - at, end = end_of(placed[i]);
    if (gap >= b->bytes && gap < narrowest) {
      narrowest = gap;
      best = at;
    }
    if (end > at) at = end;
  }
  return best >= 0 ? best : at;
}

static void insert(struct buffer **placed, int64_t n, struct buffer *b) {
  for (; n > 0 && placed[n - 1]->offset > b->offset; n--) placed[n] = placed[n - 1];
  placed[n] = b;
}

/* Places the buffers that `belongs` picks from `start` on; returns where they end, -1 on overflow. */
typedef int32_t belongs_fn(const struct plan *p, const struct buffer *b);

static int64_t place(struct plan *p, int64_t start, belongs_fn *belongs, struct buffer **list, struct buffer **placed) {
  int64_t n = 0, size = 0;
  for (struct buffer *b = p->buffers; b; b = b->next)
    if (!b->host && belongs(p, b)) list[n++] = b;
  sort_items(list, n, sizeof *list, by_size);
  for (int64_t i = 0; i < n; i++) {
    list[i]->offset = best_offset(placed, i, list[i]);
    int64_t end = end_of(list[i]);
    if (end < 0) return -1;
    if (end > size) size = end;
    insert(placed, i, list[i]);
  }
  for (int64_t i = 0; i < n; i++) list[i]->offset += start;
  return size_add(start, size);
}

static int32_t in_arena(const struct plan *p, const struct buffer *b) {
  (void)p;
  return b->region == REGION_ARENA;
}

/* Kept, but dead when the prologue is over. */
static int32_t passing(const struct plan *p, const struct buffer *b) {
  return b->region == REGION_KEPT && b->writer && b->last < p->stages[PROLOGUE].n_waves;
}

static int32_t lasting(const struct plan *p, const struct buffer *b) {
  return b->region == REGION_KEPT && !passing(p, b);
}

/* What is kept for good never shares: it is to outlive runs. */
static void make_lasting(struct plan *p) {
  for (struct buffer *b = p->buffers; b; b = b->next)
    if (lasting(p, b)) {
      b->first = 0;
      b->last = INT32_MAX;
    }
}

static void find_scratch(struct plan *p, int64_t *of_prologue) {
  p->scratch_bytes = *of_prologue = 0;
  for (int64_t i = 0; i < p->n_calls; i++) {
    int64_t need = ((int64_t)p->calls[i].scratch + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    int64_t *most = p->owners[i]->stage == PROLOGUE ? of_prologue : &p->scratch_bytes;
    if (need > *most) *most = need;
  }
}

gan_status plan_place(struct plan *p) {
  int64_t n = 0, prologue_scratch;
  for (struct buffer *b = p->buffers; b; b = b->next) b->number = n++;
  struct buffer **list = plan_alloc(p, n, sizeof *list), **placed = plan_alloc(p, n, sizeof *placed);
  if (!list || !placed) return GAN_ERROR_MEMORY;
  plan_find_lifetimes(p);
  if (p->optimize) work_in_place(p);
  make_lasting(p);
  p->arena_bytes = place(p, 0, in_arena, list, placed);
  p->prologue_scratch = place(p, place(p, 0, lasting, list, placed), passing, list, placed);
  find_scratch(p, &prologue_scratch);
  p->kept_bytes = size_add(p->prologue_scratch, prologue_scratch);
  if (p->arena_bytes >= 0 && p->kept_bytes >= 0) return GAN_OK;
  return gan_fail(p->ctx, GAN_ERROR_MEMORY, "plan: the values of the graph do not fit into memory");
}
