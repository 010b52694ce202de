/* What this processor can do, and its floating-point control word. No state: every call asks the hardware or the kernel. */
#ifndef GAN_BASE_CPU_H
#define GAN_BASE_CPU_H

#include <stdint.h>

/* Levels of instruction set, as enum isa in kernels/kernels.h counts them. */
enum { CPU_BASELINE = 0, CPU_AVX2 = 1 /* with FMA */, CPU_AVX512 = 2 /* F, BW, DQ, VL, and all of AVX2 */ };

/* 1 if the processor and the operating system run code of this level; 0 also for a level that does not exist. */
int32_t cpu_supports(int32_t isa);

/* Cores that this process may run on, at least 1: its affinity mask where there is one, else the machine's. */
int32_t cpu_cores(void);

/* Makes denormal inputs and results zero on the calling thread; returns the control word to hand to cpu_restore. */
uint32_t cpu_flush_denormals(void);
void cpu_restore(uint32_t control);

/* One turn of a spinning wait. */
void cpu_relax(void);

#endif
