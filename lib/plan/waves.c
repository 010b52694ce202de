/* When each unit runs. A wave is a set of calls that don't depend on each other; between two waves of a stage lies a barrier.
 *
 * A unit runs as soon as what it reads is there, which gives the fewest waves. Waves so small that a barrier would cost more than
 * a second worker saves are run by one worker, one after the other. What is small is estimated, never measured, so that a plan is
 * the same on every machine; and since the cut into chunks is fixed too, so are the bits.
 */
#include "plan/build.h"

#include "base/sort.h"

enum { TINY_NANOSECONDS = 2500 };  /* about twice a barrier */

/* ------------------------------------------------------------------ cost */

static double chain_nanoseconds(const struct chain *c, int64_t chunks) {
  double elements = (double)chunks, per = 0.05 * c->n_out;
  for (int32_t d = 0; d < c->rank; d++) elements *= (double)c->shape[d];
  elements /= (double)(chain_chunks(c) ? chain_chunks(c) : 1);
  for (int32_t i = 0; i < c->n_instr; i++) per += c->instr[i].op >= VEC_EXP && c->instr[i].op <= VEC_COS ? 0.6 : 0.06;
  return elements * per;
}

static double nanoseconds(const struct unit *u, const struct call *c) {
  double bytes = 0;
  for (int32_t i = 0; i < u->n_in; i++) bytes += (double)u->in[i]->bytes;
  for (int32_t j = 0; j < u->n_out; j++) bytes += (double)u->out[j]->bytes;
  double cost = 100.0 + (double)c->flops / 60.0 + bytes / 20.0;
  if (u->kind == UNIT_CHAIN || u->kind == UNIT_COPY) cost += chain_nanoseconds(c->u.chain, c->chunks);
  if (u->kind == UNIT_CUSTOM) cost += 1000.0 * (double)c->chunks;
  return cost;
}

/* ------------------------------------------------------------------ the earliest wave of each unit */

static struct unit **list_units(struct plan *p, int64_t *count) {
  int64_t n = 0;
  for (struct unit *u = p->units; u; u = u->next) n++;
  struct unit **list = plan_alloc(p, n, sizeof *list);
  *count = 0;
  for (struct unit *u = p->units; u && list; u = u->next) {
    u->mark = 0;
    u->ready = 0;
    list[(*count)++] = u;
  }
  return list;
}

static void come_after(struct unit *u, const struct unit *before) {
  if (before && before->stage == u->stage && before->ready + before->n_calls > u->ready) u->ready = before->ready + before->n_calls;
}

static int32_t waits_for(const struct unit *u, const struct unit *other) {
  return other && other->stage == u->stage && !other->mark;
}

/* The first unit that u waits for and that has no time yet. */
static struct unit *open_need(struct unit *u) {
  for (int32_t i = 0; i < u->n_in; i++)
    if (waits_for(u, u->in[i]->writer)) return u->in[i]->writer;
  for (struct before *b = u->before; b; b = b->next)
    if (waits_for(u, b->unit)) return b->unit;
  return NULL;
}

/* Depth first without recursion; a unit is marked when its time is known. */
static void find_ready(struct unit *root, struct unit **path) {
  int64_t depth = 0;
  if (!root->mark) path[depth++] = root;
  while (depth > 0) {
    struct unit *u = path[depth - 1], *need = open_need(u);
    if (need) {
      path[depth++] = need;
      continue;
    }
    for (int32_t i = 0; i < u->n_in; i++) come_after(u, u->in[i]->writer);
    for (struct before *b = u->before; b; b = b->next) come_after(u, b->unit);
    u->mark = 1;
    depth--;
  }
}

/* An assignment is independent of customs, unless it copies what they might overwrite. */
static int32_t independent_of_customs(const struct unit *u) {
  return u->assigns && (u->n_in == 0 || u->in[0]->region != REGION_FIXED);
}

static void put_customs_last(struct unit **units, int64_t n) {
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; units[i]->kind == UNIT_CUSTOM && j < n; j++)
      if (units[j]->kind != UNIT_CUSTOM && !independent_of_customs(units[j])) come_after(units[i], units[j]);
}

/* ------------------------------------------------------------------ calls in order */

struct timed { struct unit *unit; struct call *call; int32_t wave; int64_t index; double cost; };

/* By wave; within one by cost of a chunk, dear ones first, so that the end is ragged by little. */
static int32_t compare(const void *a, const void *b) {
  const struct timed *x = a, *y = b;
  if (x->wave != y->wave) return x->wave < y->wave ? -1 : 1;
  double cost_x = x->cost / (double)x->call->chunks, cost_y = y->cost / (double)y->call->chunks;
  if (cost_x != cost_y) return cost_x > cost_y ? -1 : 1;
  return x->index < y->index ? -1 : 1;
}

static void number_waves(struct plan *p, struct unit **units, int64_t n) {
  int32_t wave = 0;
  for (int64_t s = 0; s < p->n_stages; s++) {
    struct stage *stage = &p->stages[s];
    stage->first_wave = wave;
    for (int64_t i = 0; i < n; i++) {
      if (units[i]->stage != s) continue;
      units[i]->wave = stage->first_wave + units[i]->ready;
      if (units[i]->wave + units[i]->n_calls > wave) wave = units[i]->wave + units[i]->n_calls;
    }
    stage->n_waves = wave - stage->first_wave;
  }
}

static struct timed *time_calls(struct plan *p, struct unit **units, int64_t n) {
  for (int64_t i = 0; i < n; i++) p->n_calls += units[i]->n_calls;
  struct timed *timed = plan_alloc(p, p->n_calls, sizeof *timed);
  int64_t at = 0;
  for (int64_t i = 0; i < n && timed; i++)
    for (int32_t j = 0; j < units[i]->n_calls; j++, at++) {
      struct call *c = &units[i]->calls[j];
      timed[at] = (struct timed){units[i], c, units[i]->wave + j, at, nanoseconds(units[i], c)};
    }
  if (timed) sort_items(timed, p->n_calls, sizeof *timed, compare);
  return timed;
}

static int64_t wave_end(const struct plan *p, const struct timed *timed, int64_t first, double *cost) {
  int64_t end = first;
  for (*cost = 0; end < p->n_calls && timed[end].wave == timed[first].wave; end++) *cost += timed[end].cost;
  return end;
}

/* One step a wave; tiny ones join the tiny one before. */
static void make_steps(struct plan *p, const struct timed *timed) {
  for (int64_t first = 0, end; first < p->n_calls; first = end) {
    double cost;
    end = wave_end(p, timed, first, &cost);
    struct stage *stage = &p->stages[timed[first].unit->stage];
    int32_t tiny = cost < TINY_NANOSECONDS, joins = tiny && stage->n_steps > 0 && p->steps[p->n_steps - 1].alone;
    if (stage->n_steps == 0) stage->first_step = p->n_steps;
    if (!joins) {
      p->steps[p->n_steps++] = (struct step){.first = first, .alone = tiny};
      stage->n_steps++;
    }
    struct step *step = &p->steps[p->n_steps - 1];
    step->count += end - first;
    for (int64_t i = first; i < end; i++) p->chunk_ends[i] = step->chunks += timed[i].call->chunks;
  }
}

gan_status plan_make_waves(struct plan *p) {
  int64_t n;
  struct unit **units = list_units(p, &n), **path = plan_alloc(p, n + 1, sizeof *path);
  if (!units || !path) return GAN_ERROR_MEMORY;
  for (int64_t i = 0; i < n; i++) find_ready(units[i], path);
  put_customs_last(units, n);
  number_waves(p, units, n);
  TRY(plan_compute_again(p));
  if (!(units = list_units(p, &n))) return GAN_ERROR_MEMORY;
  struct timed *timed = time_calls(p, units, n);
  p->calls = plan_alloc(p, p->n_calls, sizeof *p->calls);
  p->owners = plan_alloc(p, p->n_calls, sizeof *p->owners);
  p->chunk_ends = plan_alloc(p, p->n_calls, sizeof *p->chunk_ends);
  p->steps = plan_alloc(p, p->n_calls, sizeof *p->steps);
  if (!timed || !p->calls || !p->owners || !p->chunk_ends || !p->steps) return GAN_ERROR_MEMORY;
  for (int64_t i = 0; i < p->n_calls; i++) {
    p->calls[i] = *timed[i].call;
    p->owners[i] = timed[i].unit;
  }
  make_steps(p, timed);
  return GAN_OK;
}
