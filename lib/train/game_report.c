/* What the last step came to, in words. */
#include "train/game.h"

#include <math.h>

/* Six digits: these are floats. */
void report_number(struct text *out, double x) {
  double scale = isfinite(x) && x != 0 ? pow(10, 5 - floor(log10(fabs(x)))) : 0;
  text_number(out, isfinite(scale) && scale > 0 ? round(x * scale) / scale : x);
}

static void report_update(const struct game_update *u, struct text *out) {
  text_format(out, "  %s: loss ", u->optimizer->name);
  report_number(out, u->loss_value);
  text_add(out, ", gradient norm ");
  report_number(out, u->norm);
  text_add(out, ", rate ");
  report_number(out, u->used_rate);
  text_add(out, "\n");
}

static void report_phase(const struct game_step *s, int32_t phase, struct text *out) {
  const struct game_phase *p = &s->phases[phase];
  text_format(out, "phase %s\n", p->name);
  for (int64_t u = 0; u < p->n_updates; u++) report_update(&p->updates[u], out);
  for (int64_t i = 0; i < s->graph->n_outputs; i++) {
    const struct graph_output *o = &s->graph->outputs[i];
    const void *value = plan_value(s->plan, o->node);
    double number;
    if (o->phase != phase || o->node->count != 1 || !value) continue;
    convert_elements(GAN_F64, &number, o->node->type, value, 1);
    text_format(out, "  %s = ", o->name);
    report_number(out, number);
    text_add(out, "\n");
  }
}

static void report(const gan_game *g, struct text *out) {
  if (g->last_step < 0) {
    text_add(out, "no step was run yet\n");
    return;
  }
  const struct game_step *s = &g->step_list[g->last_step];
  text_format(out, "step %s, %lld done in all\n", s->name, (long long)g->steps);
  for (int32_t i = 0; i <= g->last_phase; i++) report_phase(s, i, out);
  if (*g->trouble) text_format(out, "stopped: %s\n", g->trouble);
  if (g->ctx->debug && g->last_phase >= 0) step_describe_nodes(s, s->phases[g->last_phase].first_stage + 1, out);
}

gan_status gan_game_report(gan_game *g, char *text, int64_t capacity, int64_t *needed) {
  if (!g) return gan_fail_null(NULL, "gan_game_report", "game");
  struct text t;
  text_init(&t, g->ctx);
  report(g, &t);
  gan_status status = t.failed ? GAN_ERROR_MEMORY : text_copy_out(g->ctx, text_get(&t), text, capacity, needed);
  text_free(&t);
  return status;
}
