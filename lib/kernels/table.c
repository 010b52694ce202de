/* The table of one instruction set. */
#include "kernels/isa.h"

#define VEC_ENTRY(name, inputs) [VEC_##name] = ISA_NAME(vec_##name),

const struct kernels ISA_NAME(kernels) = {
  .name = ISA_TEXT,
  .isa = ISA_ID,
  .lanes = LANES,
  .vec = {VEC_LIST(VEC_ENTRY)},
  .uniform = ISA_NAME(random_uniform),
  .normal = ISA_NAME(random_normal),
  .truncated_normal = ISA_NAME(random_truncated_normal),
  .sum = ISA_NAME(sum),
  .max = ISA_NAME(max),
  .add_rows = ISA_NAME(add_rows),
  .max_rows = ISA_NAME(max_rows),
  .all_finite = ISA_NAME(all_finite),
  .sum_squares = ISA_NAME(sum_squares),
  .bytes_to_float = ISA_NAME(bytes_to_float),
  .mix_rows = ISA_NAME(mix_rows),
  .adam = ISA_NAME(adam),
  .gemm = &ISA_NAME(gemm_kernels),
  .conv = &ISA_NAME(conv_kernels),
};
