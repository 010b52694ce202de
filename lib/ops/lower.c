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

/* ------------------------------------------------------------------------------------------------------------ transposes
 *
 * Where neighbours of the result are far apart in the input, squares of it are turned in a buffer: what is read and what is written
 * are whole cache lines.
 */

enum { TILE = 16 };

/* The axis along which the input is dense; -1: none. */
static int32_t dense_axis(const struct walk *w) {
  for (int32_t d = 0; d < w->rank; d++)
    if (w->stride[d] == 1) return d;
  return -1;
}

static void turn_tile(uint32_t *out, int64_t out_step, const uint32_t *in, int64_t in_step, int64_t rows, int64_t columns) {
  uint32_t tile[TILE][TILE];
  if (rows == TILE) {
    for (int64_t j = 0; j < columns; j++)
      for (int64_t i = 0; i < TILE; i++) tile[i][j] = in[j * in_step + i];
  } else {
    for (int64_t j = 0; j < columns; j++)
      for (int64_t i = 0; i < rows; i++) tile[i][j] = in[j * in_step + i];
  }
  for (int64_t i = 0; i < rows; i++) memcpy(out + i * out_step, tile[i], (size_t)columns * sizeof *out);
}

/* What a strip of TILE rows along the dense axis has of the innermost axis. Strips count the other axes first, in order. */
struct strips { int32_t axis; int64_t size[GAN_MAX_RANK], out_step[GAN_MAX_RANK], per_chunk, count; };

static struct strips strips_of(const struct walk *w) {
  struct strips s = {.axis = dense_axis(w), .count = 1};
  int32_t inner = w->rank - 1;
  int64_t step = 1;
  for (int32_t d = inner; d >= 0; step *= w->size[d--]) {
    s.out_step[d] = step;
    s.size[d] = d == s.axis ? chunks_of(w->size[d], TILE) : d == inner ? 1 : w->size[d];
    s.count *= s.size[d];
  }
  int64_t elements = TILE * w->size[inner];
  s.per_chunk = elements < CHUNK_ELEMENTS ? CHUNK_ELEMENTS / elements : 1;
  return s;
}

static void turn_strip(const struct walk *w, const struct strips *s, int64_t strip, uint32_t *out, const uint32_t *in) {
  int32_t inner = w->rank - 1;
  int64_t first = 0, columns = w->size[inner], step = w->stride[inner];
  for (int32_t d = inner; d >= 0; strip /= s->size[d--]) {
    int64_t at = strip % s->size[d] * (d == s->axis ? TILE : 1);
    out += at * s->out_step[d];
    in += at * w->stride[d];
    if (d == s->axis) first = at;
  }
  int64_t rows = w->size[s->axis] - first < TILE ? w->size[s->axis] - first : TILE;
  for (int64_t j = 0; j < columns; j += TILE) {
    int64_t some = columns - j < TILE ? columns - j : TILE;
    turn_tile(out + j, s->out_step[s->axis], in + j * step, step, rows, some);
  }
}

static void run_turned(const struct call *c, const struct environment *e, int64_t chunk, void *scratch) {
  (void)e, (void)scratch;
  struct walk w;
  int64_t first, last;
  memcpy(&w, c->u.n, sizeof w);
  struct strips s = strips_of(&w);
  chunk_range(chunk, s.per_chunk, s.count, &first, &last);
  for (int64_t i = first; i < last; i++) turn_strip(&w, &s, i, c->out[0], c->in[0]);
}

void lower_turned(struct call *c, const struct walk *w) {
  int32_t axis = dense_axis(w);
  lower_walk(c, w);
  if (axis < 0 || axis == w->rank - 1) return;
  struct strips s = strips_of(w);
  c->run = run_turned;
  c->chunks = chunks_of(s.count, s.per_chunk);
}
