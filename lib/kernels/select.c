#include "kernels/kernels.h"

#include "base/cpu.h"

/* base/ may not include this floor's header, so it counts for itself. */
_Static_assert((int)CPU_BASELINE == (int)ISA_BASELINE && (int)CPU_AVX2 == (int)ISA_AVX2 && (int)CPU_AVX512 == (int)ISA_AVX512,
               "cpu_supports and enum isa number the levels alike");

static const struct kernels *built(int32_t isa) {
  switch (isa) {
    case ISA_BASELINE: return &kernels_baseline;
#if defined(GAN_HAVE_AVX2)
    case ISA_AVX2: return &kernels_avx2;
#endif
#if defined(GAN_HAVE_AVX512)
    case ISA_AVX512: return &kernels_avx512;
#endif
    default: return NULL;
  }
}

const struct kernels *kernels_select(int32_t isa) {
  if (isa >= 0) return cpu_supports(isa) ? built(isa) : NULL;
  for (isa = ISA_COUNT - 1; isa > ISA_BASELINE; isa--)
    if (cpu_supports(isa) && built(isa)) return built(isa);
  return &kernels_baseline;
}
