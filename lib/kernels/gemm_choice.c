/* Which product goes to CBLAS: a fixed table by shape and instruction set, measured with tests/bench/gemm_bench.c.
 *
 * AVX2 (Zen 3, OpenBLAS 0.3.21, one thread): the built-in product is ahead wherever the batch is the short side, which is what
 * training does. OpenBLAS blocks better for the second-level cache, and wins by up to a tenth when all sides are long, or when
 * A has to be packed for a long sum. AVX-512 could not be measured, and follows AVX2. The baseline code gives way early:
 * a BLAS picks its own instruction set.
 */
#include "kernels/kernels.h"

struct limits { int64_t all_sides, transposed_k, transposed_side; };

static const struct limits table[ISA_COUNT] = {
  [ISA_BASELINE] = {16, 16, 16},
  [ISA_AVX2] = {500, 192, 48},
  [ISA_AVX512] = {500, 192, 48},
};

int32_t gemm_prefers_blas(const struct kernels *k, const struct gemm_shape *s) {
  const struct limits *t = &table[k->isa];
  if (s->packed) return 0;
  if (s->m >= t->all_sides && s->n >= t->all_sides && s->k >= t->all_sides) return 1;
  return s->ta && s->k >= t->transposed_k && s->m >= t->transposed_side && s->n >= t->transposed_side;
}
