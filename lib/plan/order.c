/* Drops the values that nobody needs any more and numbers the others anew, inputs before readers. */
#include "plan/build.h"

enum { NEW, OPEN, DONE };

/* Depth first without recursion: chains of nodes are as long as an unrolled step. `path` holds a value while its inputs are visited;
 * mark holds NEW, OPEN or DONE. */
static int64_t visit(struct value *root, struct value **path, struct value **sorted, int64_t n) {
  int64_t depth = 0;
  path[depth++] = root;
  while (depth > 0) {
    struct value *v = path[depth - 1];
    if (v->mark == DONE) {
      depth--;
    } else if (v->mark == OPEN) {
      v->mark = DONE;
      v->node.id = (int32_t)n;
      sorted[n++] = v;
      depth--;
    } else {
      v->mark = OPEN;
      for (int32_t i = v->node.n_in; i-- > 0;)
        if (value_in(v, i)->mark == NEW) path[depth++] = value_in(v, i);
    }
  }
  return n;
}

/* A value is put on the path once for every reader at most. */
static int64_t longest_path(const struct plan *p) {
  int64_t n = p->n_values + 1;
  for (int64_t i = 0; i < p->n_values; i++) n += p->values[i]->node.n_in;
  return n;
}

gan_status plan_sort(struct plan *p) {
  struct value **path = plan_alloc(p, longest_path(p), sizeof *path), **sorted = plan_alloc(p, p->n_values, sizeof *sorted);
  if (!path || !sorted) return GAN_ERROR_MEMORY;
  for (int64_t i = 0; i < p->n_values; i++) p->values[i]->mark = NEW;
  int64_t n = 0;
  for (struct want *w = p->wants; w; w = w->next) n = visit(w->value, path, sorted, n);
  for (int64_t i = 0; i < n; i++) p->values[i] = sorted[i];
  p->n_values = n;
  return GAN_OK;
}
