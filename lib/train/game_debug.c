/* With the context's debug option plans keep every node: what each came to, and which was the first that is not finite. */
#include "train/game.h"

#include <math.h>
#include <stdio.h>

/* ------------------------------------------------------------------ one node */

struct values { double least, most, mean; int64_t bad; };

static struct values look(const gan_node *n, const float *value) {
  struct values v = {.least = INFINITY, .most = -INFINITY};
  for (int64_t i = 0; i < n->count; i++) {
    double x = n->type == GAN_I32 ? (double)((const int32_t *)(const void *)value)[i] : (double)value[i];
    if (!isfinite(x)) {
      v.bad++;
      continue;
    }
    if (x < v.least) v.least = x;
    if (x > v.most) v.most = x;
    v.mean += x;
  }
  int64_t good = n->count - v.bad;
  if (good > 0) v.mean /= (double)good;
  return v;
}

static void name_node(const gan_node *n, char *text, size_t size) {
  char shape[128];
  shape_text(shape, sizeof shape, n->rank, n->shape);
  if (n->name)
    snprintf(text, size, "node %d '%s' (%s %s)", n->id, n->name, n->op->name, shape);
  else
    snprintf(text, size, "node %d (%s %s)", n->id, n->op->name, shape);
}

/* ------------------------------------------------------------------ the list */

static void describe(void *user, const gan_node *n, const float *value) {
  struct text *out = user;
  struct values v = look(n, value);
  char name[256];
  name_node(n, name, sizeof name);
  text_format(out, "%s: min ", name);
  report_number(out, v.least);
  text_add(out, " max ");
  report_number(out, v.most);
  text_add(out, " mean ");
  report_number(out, v.mean);
  text_format(out, ", %lld not finite\n", (long long)v.bad);
}

void step_describe_nodes(const struct game_step *s, int64_t stages, struct text *out) {
  for (int64_t i = 0; i < stages; i++) plan_visit(s->plan, i, describe, out);
}

/* ------------------------------------------------------------------ the first that is not finite */

static void find_bad(void *user, const gan_node *n, const float *value) {
  const gan_node **first = user;
  if (!*first && n->type == GAN_F32 && look(n, value).bad > 0) *first = n;
}

void step_first_bad(const struct game_step *s, int64_t stage, char *text, size_t size) {
  const gan_node *first = NULL;
  char name[256];
  for (int64_t i = 0; i <= stage && !first; i++) plan_visit(s->plan, i, find_bad, &first);
  if (size) text[0] = 0;
  if (!first) return;
  name_node(first, name, sizeof name);
  int length = snprintf(text, size, "the first such node is %s", name);
  for (int32_t i = 0; i < first->n_in && length > 0 && (size_t)length < size; i++) {
    name_node(first->in[i], name, sizeof name);
    int more = snprintf(text + length, size - (size_t)length, "%s%s", i ? ", " : ", computed from ", name);
    length = more < 0 ? more : length + more;
  }
}
