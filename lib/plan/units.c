/* Gathers values into units: what one series of kernel calls computes. */
#include "plan/build.h"

static gan_status make_unit(struct plan *p, struct value *v) {
  struct unit *u = plan_unit_new(p, value_chained(v) ? UNIT_CHAIN : UNIT_NODE, v->stage);
  return u ? unit_add_member(p, u, v) : GAN_ERROR_MEMORY;
}

gan_status plan_make_units(struct plan *p) {
  if (p->optimize) TRY(plan_make_products(p));
  if (p->optimize) TRY(plan_fuse(p));
  for (int64_t i = 0; i < p->n_values; i++) {
    struct value *v = p->values[i];
    if (value_computed(v) && !v->unit && !v->inlined) TRY(make_unit(p, v));
  }
  return p->optimize && !p->frozen ? plan_sum_in_chains(p) : GAN_OK;
}
