/* A plan of one stage in memory of its own: for what runs a few times, outside of games and samplers. */
#ifndef GAN_PLAN_ALONE_H
#define GAN_PLAN_ALONE_H

#include "plan/plan.h"

struct plan_alone {
  gan_context *ctx;
  struct plan *plan;
  void *arena, *scratch;
  size_t arena_bytes, scratch_bytes;
};

/* On failure, too, plan_alone_free is the caller's to call. */
gan_status plan_alone_create(gan_graph *graph, const char *name, int64_t n_roots, const struct plan_root *roots,
                             struct plan_alone *out);
void plan_alone_run(const struct plan_alone *p, int64_t seed, int64_t step);
void plan_alone_free(struct plan_alone *p); /* all zero: does nothing */

#endif
