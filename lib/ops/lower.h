/* What lowerings share: starting a call, cutting work into chunks, moving elements about. */
#ifndef GAN_OPS_LOWER_H
#define GAN_OPS_LOWER_H

#include "ops/op.h"

typedef void call_fn(const struct call *c, const struct environment *e, int64_t chunk, void *scratch);

enum { CHUNK_ELEMENTS = 16384 };   /* of calls that only move elements: 64 KiB */

/* One call with one output and the rest zero. */
struct call *call_start(struct call *c, call_fn *run, int64_t chunks, int32_t n_in);

/* A call over `count` elements in chunks of `size`; the elements first .. last - 1 of a chunk. */
int64_t chunks_of(int64_t count, int64_t size);
void chunk_range(int64_t chunk, int64_t size, int64_t count, int64_t *first, int64_t *last);

/* A walk through a dense array that reads another one in any order: sizes, and where a step along each axis leads (0 repeats). */
struct walk { int64_t count; int32_t rank; int64_t size[GAN_MAX_RANK], stride[GAN_MAX_RANK]; };
struct walk walk_transposed(int32_t rank, const int64_t *shape, const int32_t *order);   /* shape: of what is read */
struct walk walk_broadcast(const gan_node *x, int32_t rank, const int64_t *shape);

/* A call that copies elements (of 4 bytes) along a walk from in[0] to out[0]; walk_copy does a part of it. */
void lower_walk(struct call *c, const struct walk *w);
void lower_turned(struct call *c, const struct walk *w);   /* the same, better where the input is dense along another axis */
void walk_copy(const struct walk *w, uint32_t *out, const uint32_t *in, int64_t first, int64_t last);

#endif
