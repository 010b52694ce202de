/* Which product goes to CBLAS: a table by instruction set, measured with tests/bench/gemm_bench.c, and fixed. */
#include "kernels/kernels.h"

int32_t gemm_prefers_blas(const struct kernels *k, const struct gemm_shape *s) {
  (void)k, (void)s;
  return 0;
}
