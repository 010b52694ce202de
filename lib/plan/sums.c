/* Sums over rows of what a chain computes are begun in the chain, while the elements are in the first cache: every chunk leaves the
 * sums of its columns, and the sum itself adds up those. What is summed and not read otherwise is never stored: the squares of a
 * batch norm, the products in its gradient. Not in frozen plans: a sample has the same bits alone as in a batch, where the rows
 * are no longer all there is.
 */
#include "plan/build.h"

/* Rows shorter than a vector are better summed by the reduction, which reads several as one; rows of one element are not. */
enum { FEWEST_COLUMNS = 16 };

/* The length of the rows that s adds up; 0 if its axes are not all before those that it keeps. */
static int64_t columns_of_sum(const struct value *s) {
  const gan_node *x = s->node.in[0];
  int64_t columns = 1;
  int32_t d = x->rank;
  for (; d > 0 && (x->shape[d - 1] == 1 || !(s->node.attr.axes >> (d - 1) & 1)); d--) columns *= x->shape[d - 1];
  for (; d > 0; d--)
    if (x->shape[d - 1] != 1 && !(s->node.attr.axes >> (d - 1) & 1)) return 0;
  return columns;
}

static int32_t can_be_summed(const struct value *x, const struct value *s, int64_t columns) {
  if (!value_computed(x) || !value_has(x, OP_ELEMENTWISE) || x->inlined || x->stage != s->stage) return 0;
  if (!x->unit || x->unit->kind != UNIT_CHAIN) return 0;
  return !x->sum_columns || x->sum_columns == columns;
}

static void sum_in_chain(struct plan *p, struct value *s) {
  int64_t columns = columns_of_sum(s), before;
  struct value *x = value_dense(value_in(s, 0));
  if (columns == 0 || (columns > 1 && columns < FEWEST_COLUMNS) || !can_be_summed(x, s, columns)) return;
  before = x->sum_columns;
  s->summand = x;
  x->sum_columns = columns;
  if (chain_fits(p, x->unit, NULL)) return;
  s->summand = NULL;
  x->sum_columns = before;
}

gan_status plan_sum_in_chains(struct plan *p) {
  for (int64_t i = 0; i < p->n_values; i++)
    if (p->values[i]->node.op == &op_sum && p->values[i]->unit) sum_in_chain(p, p->values[i]);
  return GAN_OK;
}
