/* Ties what the caller wants to memory: roots to kept memory or targets, assignments to their variables, customs to the end.
 *
 * A value is computed straight into its destination where nobody is hurt by that; otherwise a copy is the last thing done to it.
 * Who overwrites a variable comes after all units that read its old content.
 */
#include "plan/build.h"

struct range { const char *begin, *end; };

static struct range range_of(const void *data, int64_t bytes) {
  return (struct range){data, (const char *)data + bytes};
}

static int32_t reads(const struct buffer *b, struct range r) {
  return b->region == REGION_FIXED && b->fixed < r.end && r.begin < b->fixed + b->bytes;
}

/* ------------------------------------------------------------------ who depends on whom */

static int32_t push(struct unit **path, int32_t depth, struct unit *u, int32_t stage, int32_t stamp) {
  if (!u || u->stage != stage || u->mark == stamp) return depth;
  u->mark = stamp;
  path[depth] = u;
  return depth + 1;
}

struct settling { struct plan *p; struct unit **path; int32_t stamp; };

/* 1 if u needs, at whatever distance, what `on` does. */
static int32_t depends(struct settling *s, struct unit *u, const struct unit *on) {
  int32_t stamp = ++s->stamp, depth = push(s->path, 0, u, on->stage, stamp);
  while (depth > 0) {
    struct unit *now = s->path[--depth];
    if (now == on) return 1;
    for (int32_t i = 0; i < now->n_in; i++) depth = push(s->path, depth, now->in[i]->writer, on->stage, stamp);
    for (struct before *b = now->before; b; b = b->next) depth = push(s->path, depth, b->unit, on->stage, stamp);
  }
  return 0;
}

/* ------------------------------------------------------------------ computing straight into the destination */

/* Nothing outside of this stage reads the buffer, so it may lie where the caller can change it afterwards. */
static int32_t local(const struct plan *p, const struct value *d, int32_t stage) {
  if (!value_computed(d) || d->stage != stage || d->buffer->region != REGION_ARENA) return 0;
  for (struct want *w = p->wants; w; w = w->next)
    if (value_dense(w->value) == d && w->stage != stage) return 0;
  for (struct unit *u = p->units; u; u = u->next)
    for (int32_t i = 0; i < u->n_in; i++)
      if (u->in[i] == d->buffer && u->stage != stage) return 0;
  return 1;
}

/* The writer of `out` may overwrite r, where r's old content is its own input at most and of no use to those that come after it. */
static int32_t harmless(struct settling *s, struct unit *writer, const struct buffer *out, struct range r) {
  int32_t own = 0;
  for (struct unit *u = s->p->units; u; u = u->next) {
    if (u->stage != writer->stage) continue;
    for (int32_t i = 0; i < u->n_in; i++) {
      const struct buffer *in = u->in[i];
      if (in == out || !reads(in, r)) continue;
      if (u != writer && depends(s, u, writer)) return 0;
      if (u == writer && (own++ || !(u->may_replace >> i & 1) || in->fixed != r.begin || in->bytes != out->bytes)) return 0;
    }
  }
  return 1;
}

static int32_t reads_range(const struct unit *u, const struct buffer *but, struct range r) {
  for (int32_t i = 0; i < u->n_in; i++)
    if (u->in[i] != but && reads(u->in[i], r)) return 1;
  return 0;
}

/* Units of the stage that read what `writer` overwrites come before it. */
static gan_status put_readers_before(struct settling *s, struct unit *writer, const struct buffer *out, struct range r) {
  for (struct unit *u = s->p->units; u; u = u->next)
    if (u != writer && u->stage == writer->stage && reads_range(u, out, r)) TRY(unit_add_before(s->p, writer, u));
  return GAN_OK;
}

/* ------------------------------------------------------------------ copying to the destination */

static gan_status copy(struct settling *s, struct value *from, struct buffer *to, int32_t stage) {
  struct unit *u = plan_unit_new(s->p, UNIT_COPY, stage);
  if (!u) return GAN_ERROR_MEMORY;
  to->writer = u;
  return unit_lower_copy(s->p, u, from, to);
}

static struct buffer *fixed_buffer(struct plan *p, void *data, int64_t bytes) {
  struct buffer *b = plan_buffer_new(p, REGION_FIXED, bytes);
  if (b) b->fixed = data;
  return b;
}

/* The variable that is copied from may be assigned too: then its old content is taken aside first. */
static int32_t is_overwritten(const struct plan *p, const struct value *from, int32_t stage) {
  if (from->node.op != &op_variable) return 0;
  for (const struct want *w = p->wants; w; w = w->next)
    if (w->variable && w->stage == stage && reads(from->buffer, range_of(w->variable->data, from->buffer->bytes))) return 1;
  return 0;
}

static gan_status take_aside(struct settling *s, struct want *w) {
  struct value *from = value_dense(w->value);
  TRY(value_need_buffer(s->p, from));
  if (!is_overwritten(s->p, from, w->stage)) return GAN_OK;
  struct value *aside = plan_value_new(s->p, &from->node);
  if (!aside) return GAN_ERROR_MEMORY;
  s->p->n_values--; /* a name for the copy, not a value of the plan */
  aside->base = w->value = aside;
  aside->stage = w->stage;
  aside->buffer = plan_buffer_new(s->p, REGION_ARENA, from->buffer->bytes);
  return aside->buffer ? copy(s, from, aside->buffer, w->stage) : GAN_ERROR_MEMORY;
}

static gan_status copy_out(struct settling *s, const struct want *w, struct value *from, void *data) {
  struct buffer *to = fixed_buffer(s->p, data, from->buffer->bytes);
  if (!to) return GAN_ERROR_MEMORY;
  TRY(copy(s, from, to, w->stage));
  to->writer->assigns = w->variable != NULL;
  return put_readers_before(s, to->writer, to, range_of(data, to->bytes));
}

/* ------------------------------------------------------------------ wants */

/* A root without a target: its buffer is kept, or a copy of what the caller may change is. */
static gan_status settle_kept(struct settling *s, struct want *w) {
  struct value *d = value_dense(w->value);
  TRY(value_need_buffer(s->p, d));
  if (value_computed(d)) {
    d->buffer->region = REGION_KEPT;
    w->buffer = d->buffer;
    return GAN_OK;
  }
  w->buffer = plan_buffer_new(s->p, REGION_KEPT, d->buffer->bytes);
  return w->buffer ? copy(s, d, w->buffer, d->fixed ? PROLOGUE : w->stage) : GAN_ERROR_MEMORY;
}

static gan_status settle_at(struct settling *s, struct want *w, void *data) {
  struct value *d = value_dense(w->value);
  TRY(value_need_buffer(s->p, d));
  struct range r = range_of(data, d->buffer->bytes);
  int32_t straight = s->p->optimize && local(s->p, d, w->stage) && harmless(s, d->unit, d->buffer, r);
  if (!straight) return copy_out(s, w, d, data);
  TRY(put_readers_before(s, d->unit, d->buffer, r));
  d->buffer->region = REGION_FIXED;
  d->buffer->fixed = data;
  return GAN_OK;
}

static gan_status settle_customs(struct plan *p, const struct plan_stage *from, int32_t stage) {
  for (int64_t i = 0; i < from->n_customs; i++) {
    struct unit *u = plan_unit_new(p, UNIT_CUSTOM, stage);
    if (!u || !(u->calls = plan_alloc(p, 1, sizeof *u->calls))) return GAN_ERROR_MEMORY;
    u->calls[0] = from->customs[i].call;
    u->n_calls = 1;
  }
  return GAN_OK;
}

static int32_t count_units(const struct plan *p) {
  int32_t n = 0;
  for (const struct unit *u = p->units; u; u = u->next) n++;
  for (const struct want *w = p->wants; w; w = w->next) n += 2; /* copies to come */
  return n;
}

gan_status plan_settle(struct plan *p, const struct plan_config *config) {
  struct settling s = {.p = p, .path = plan_alloc(p, count_units(p), sizeof *s.path)};
  if (!s.path) return GAN_ERROR_MEMORY;
  for (struct want *w = p->wants; w; w = w->next)
    if (!w->target && !w->variable) TRY(settle_kept(&s, w));
  for (struct want *w = p->wants; w; w = w->next)
    if (w->target) TRY(settle_at(&s, w, w->target));
  for (struct want *w = p->wants; w; w = w->next)
    if (w->variable) TRY(take_aside(&s, w));
  for (struct want *w = p->wants; w; w = w->next)
    if (w->variable) TRY(settle_at(&s, w, w->variable->data));
  for (int64_t i = 0; i < config->n_stages; i++) TRY(settle_customs(p, &config->stages[i], (int32_t)i + 1));
  return GAN_OK;
}
