/* Replays a plan: a flat list of calls in steps, a barrier after each. No allocation, no lock, no look-up.
 *
 * The chunks of a step are numbered through and handed out by a counter. There are two counters: while the workers take from one,
 * the first worker sets the other back for the next step; nobody looks at that one before the barrier between them.
 */
#include "plan/build.h"

struct job { struct plan *p; const struct stage *stage; const struct environment *e; char *scratch; };

static void run_alone(const struct job *j, const struct step *s) {
  for (int64_t i = s->first; i < s->first + s->count; i++) {
    const struct call *c = &j->p->calls[i];
    for (int64_t chunk = 0; chunk < c->chunks; chunk++) c->run(c, j->e, chunk, j->scratch);
  }
}

static void run_shared(const struct job *j, const struct step *s, atomic_llong *taken, char *scratch) {
  const struct plan *p = j->p;
  int64_t i = s->first, begin = 0;
  for (int64_t chunk; (chunk = atomic_fetch_add_explicit(taken, 1, memory_order_relaxed)) < s->chunks;) {
    for (; chunk >= p->chunk_ends[i]; i++) begin = p->chunk_ends[i];
    p->calls[i].run(&p->calls[i], j->e, chunk - begin, scratch);
  }
}

static void run_steps(void *argument, int32_t worker, int32_t workers) {
  const struct job *j = argument;
  struct plan *p = j->p;
  char *scratch = j->scratch + worker * p->scratch_bytes;
  for (int64_t i = 0; i < j->stage->n_steps; i++) {
    const struct step *s = &p->steps[j->stage->first_step + i];
    if (workers > 1 && i > 0) pool_barrier(p->pool);
    if (workers > 1 && worker == 0) atomic_store_explicit(&p->taken[(i + 1) & 1], 0, memory_order_relaxed);
    if (workers == 1 || (s->alone && worker == 0)) run_alone(j, s);
    else if (!s->alone) run_shared(j, s, &p->taken[i & 1], scratch);
  }
}

static void run_stage(struct plan *p, int64_t stage, struct pool *pool, const struct environment *e, char *scratch) {
  struct job job = {p, &p->stages[stage], e, scratch};
  if (job.stage->n_steps == 0) return;
  p->pool = pool;
  atomic_store_explicit(&p->taken[0], 0, memory_order_relaxed);
  pool_run(pool, run_steps, &job);
}

void plan_run(struct plan *p, int64_t stage, struct pool *pool, const struct environment *e) {
  run_stage(p, stage + 1, pool, e, p->scratch);
  p->last_stage = stage + 1;
}

void plan_refresh(struct plan *p) {
  struct environment e = {.kernels = p->kernels};
  run_stage(p, PROLOGUE, NULL, &e, p->kept + p->prologue_scratch);
}
