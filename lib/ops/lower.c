/* Calls that move elements about; the helpers that all lowerings share. */
#include "ops/lower.h"

#include <string.h>

struct call *call_start(struct call *c, call_fn *run, int64_t chunks, int32_t n_in) {
  memset(c, 0, sizeof *c);
  c->run = run;
  c->chunks = chunks;
  c->n_in = n_in;
  c->n_out = 1;
  return c;
}

int64_t chunks_of(int64_t count, int64_t size) {
  return (count + size - 1) / size;
}

void chunk_range(int64_t chunk, int64_t size, int64_t count, int64_t *first, int64_t *last) {
  *first = chunk * size;
  *last = *first + size < count ? *first + size : count;
}

/* ---------------------------------------------------------------------------------------------------------------- walks */

/* Drops an axis of size 1, or joins it to the one before where a step of that is the whole of this. */
static void walk_add(struct walk *w, int64_t size, int64_t stride) {
  w->count *= size;
  if (size == 1) return;
  int32_t last = w->rank - 1;
  if (last >= 0 && w->stride[last] == stride * size) {
    w->size[last] *= size;
    w->stride[last] = stride;
    return;
  }
  w->size[w->rank] = size;
  w->stride[w->rank++] = stride;
}

static void dense_strides(int32_t rank, const int64_t *shape, int64_t *stride) {
  int64_t step = 1;
  for (int32_t d = rank; d-- > 0;) {
    stride[d] = step;
    step *= shape[d];
  }
}

struct walk walk_transposed(int32_t rank, const int64_t *shape, const int32_t *order) {
  int64_t stride[GAN_MAX_RANK];
  struct walk w = {.count = 1};
  dense_strides(rank, shape, stride);
  for (int32_t d = 0; d < rank; d++) walk_add(&w, shape[order[d]], stride[order[d]]);
  return w;
}

struct walk walk_broadcast(const gan_node *x, int32_t rank, const int64_t *shape) {
  int64_t stride[GAN_MAX_RANK];
  struct walk w = {.count = 1};
  dense_strides(x->rank, x->shape, stride);
  int32_t lead = rank - x->rank;
  for (int32_t d = 0; d < rank; d++) {
    int32_t repeats = d < lead || x->shape[d - lead] != shape[d];
    walk_add(&w, shape[d], repeats ? 0 : stride[d - lead]);
  }
  return w;
}

/* One row: the innermost axis, from element `begin` to `end` of it. */
static void copy_row(uint32_t *out, const uint32_t *in, int64_t stride, int64_t count) {
  if (stride == 1) {
    memcpy(out, in, (size_t)count * sizeof *out);
    return;
  }
  for (int64_t i = 0; i < count; i++) out[i] = in[i * stride];
}

void walk_copy(const struct walk *w, uint32_t *out, const uint32_t *in, int64_t first, int64_t last) {
  if (w->rank == 0) {
    if (first < last) out[first] = in[0];
    return;
  }
  int32_t inner = w->rank - 1;
  int64_t row = w->size[inner];
  for (int64_t i = first; i < last;) {
    int64_t begin = i % row, count = row - begin < last - i ? row - begin : last - i, from = begin * w->stride[inner];
    for (int64_t d = inner, rest = i / row; d-- > 0; rest /= w->size[d]) from += rest % w->size[d] * w->stride[d];
    copy_row(out + i, in + from, w->stride[inner], count);
    i += count;
  }
}

/* The walk lies in c->u.n: count, rank, sizes, strides. */
static void run_walk(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  (void)e, (void)scratch;
  struct walk w;
  int64_t first, last;
  memcpy(&w, c->u.n, sizeof w);
  chunk_range(chunk, CHUNK_ELEMENTS, w.count, &first, &last);
  walk_copy(&w, c->out[0], c->in[0], first, last);
}

void lower_walk(struct call *c, const struct walk *w) {
  _Static_assert(sizeof *w <= sizeof c->u.n, "a walk fits into a call");
  call_start(c, run_walk, chunks_of(w->count, CHUNK_ELEMENTS), 1);
  memcpy(c->u.n, w, sizeof *w);
}
