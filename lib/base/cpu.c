#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* sched_getaffinity */
#endif

#include "base/cpu.h"

#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#if defined(__x86_64__) || defined(__i386__)

/* The builtin asks XGETBV too: a register file that the operating system does not save counts as missing. */
int32_t cpu_supports(int32_t isa) {
  __builtin_cpu_init();
  int32_t avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  switch (isa) {
    case CPU_BASELINE: return 1;
    case CPU_AVX2: return avx2;
    case CPU_AVX512:
      return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    default: return 0;
  }
}

#else

int32_t cpu_supports(int32_t isa) {
  return isa == CPU_BASELINE;
}

#endif

#if defined(__linux__)
/* A mask of 1024 processors is what every Linux accepts; a machine with more answers EINVAL and is asked the other way. */
static int32_t cores_allowed(void) {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
}
#else
static int32_t cores_allowed(void) {
  return 0;
}
#endif

int32_t cpu_cores(void) {
  int32_t cores = cores_allowed();
#if defined(_SC_NPROCESSORS_ONLN)
  if (cores < 1) cores = (int32_t)sysconf(_SC_NPROCESSORS_ONLN);
#endif
  return cores < 1 ? 1 : cores;
}

#if defined(__SSE__)

enum { MXCSR_DENORMALS_ARE_ZERO = 0x0040, MXCSR_FLUSH_TO_ZERO = 0x8000 };

uint32_t cpu_flush_denormals(void) {
  uint32_t control = _mm_getcsr();
  _mm_setcsr(control | MXCSR_DENORMALS_ARE_ZERO | MXCSR_FLUSH_TO_ZERO);
  return control;
}

void cpu_restore(uint32_t control) {
  _mm_setcsr(control);
}

#elif defined(__aarch64__)

static void set_control(uint64_t fpcr) {
  __asm__ volatile("msr fpcr, %0" : : "r"(fpcr) : "memory");
}

uint32_t cpu_flush_denormals(void) {
  uint64_t fpcr;
  __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
  set_control(fpcr | (UINT64_C(1) << 24) /* FZ: inputs and results */);
  return (uint32_t)fpcr;
}

void cpu_restore(uint32_t control) {
  set_control(control);
}

#else

uint32_t cpu_flush_denormals(void) {
  return 0;
}

void cpu_restore(uint32_t control) {
  (void)control;
}

#endif

void cpu_relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}
