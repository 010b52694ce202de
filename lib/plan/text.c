/* A plan as text: a line for each call, in the order of running, steps and waves told apart. */
#include "plan/build.h"

static void add_value(struct text *t, const struct value *v) {
  const char *name = v->origin && v->origin->name ? v->origin->name : NULL;
  text_format(t, " %s:%d", v->node.op->name, (int)v->node.id);
  if (name) text_format(t, "'%s'", name);
  text_add(t, "[");
  text_shape(t, v->node.rank, v->node.shape);
  text_add(t, "]");
}

static void add_buffer(struct text *t, const struct buffer *b) {
  static const char letter[] = {[REGION_ARENA] = 'a', [REGION_KEPT] = 'k', [REGION_FIXED] = 'f'};
  const char *place = b->host ? "=" : "";
  while (b->host) b = b->host;
  text_format(t, " %s%c", place, letter[b->region]);
  if (b->region != REGION_FIXED) text_format(t, "%lld", (long long)b->offset);
  text_format(t, "+%lld", (long long)b->bytes);
}

static void add_call(struct text *t, const struct plan *p, int64_t i) {
  static const char *const kinds[] = {"node", "chain", "product", "pack", "copy", "custom"};
  const struct unit *u = p->owners[i];
  text_format(t, "    %s, %lld chunk%s:", kinds[u->kind], (long long)p->calls[i].chunks, p->calls[i].chunks == 1 ? "" : "s");
  for (int32_t j = 0; j < u->n_members; j++) add_value(t, u->members[j]);
  text_add(t, " |");
  for (int32_t j = 0; j < u->n_in; j++) add_buffer(t, u->in[j]);
  text_add(t, " ->");
  for (int32_t j = 0; j < u->n_out; j++) add_buffer(t, u->out[j]);
  text_add(t, "\n");
}

void plan_text(const struct plan *p, struct text *out) {
  text_format(out, "plan: %lld calls, %lld flops, arena %lld, kept %lld, scratch %lld\n", (long long)plan_calls(p),
              (long long)plan_flops(p), (long long)p->arena_bytes, (long long)p->kept_bytes, (long long)p->scratch_bytes);
  for (int64_t s = 0; s < p->n_stages; s++) {
    const struct stage *stage = &p->stages[s];
    if (stage->n_steps == 0) continue;
    text_format(out, "%s: %lld steps of %d waves\n", stage->name, (long long)stage->n_steps, (int)stage->n_waves);
    for (int64_t i = stage->first_step; i < stage->first_step + stage->n_steps; i++) {
      const struct step *step = &p->steps[i];
      text_format(out, "  step, %lld chunks%s\n", (long long)step->chunks, step->alone ? ", one worker" : "");
      for (int64_t c = step->first; c < step->first + step->count; c++) add_call(out, p, c);
    }
  }
}
