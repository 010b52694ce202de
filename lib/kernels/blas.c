/* CBLAS, and the thread setting of the libraries that have one. The only file that knows of either. */
#include "kernels/kernels.h"

#if defined(GAN_HAVE_CBLAS)

#include <cblas.h>
#include <limits.h>

/* Which library answers to "libblas" is often decided at run time (Debian's alternatives), so on ELF both are looked up weakly;
 * elsewhere the build says which it is. */
#if defined(__ELF__) || defined(GAN_BLAS_OPENBLAS)
#define WITH_OPENBLAS
#endif
#if defined(__ELF__) || defined(GAN_BLAS_BLIS)
#define WITH_BLIS
#endif
#if defined(__ELF__)
#define WEAK __attribute__((weak))
#else
#define WEAK
#endif

#if defined(WITH_OPENBLAS)
extern int openblas_get_num_threads(void) WEAK;
extern void openblas_set_num_threads(int n) WEAK;
#define HAS_OPENBLAS (&openblas_set_num_threads != NULL && &openblas_get_num_threads != NULL)
#else
#define HAS_OPENBLAS 0
#define openblas_get_num_threads() 0
#define openblas_set_num_threads(n) (void)(n)
#endif

#if defined(WITH_BLIS)
extern ptrdiff_t bli_thread_get_num_threads(void) WEAK; /* dim_t: as wide as a pointer */
extern void bli_thread_set_num_threads(ptrdiff_t n) WEAK;
#define HAS_BLIS (&bli_thread_set_num_threads != NULL && &bli_thread_get_num_threads != NULL)
#else
#define HAS_BLIS 0
#define bli_thread_get_num_threads() 0
#define bli_thread_set_num_threads(n) (void)(n)
#endif

int32_t blas_available(void) {
  return 1;
}

const char *blas_name(void) {
  return HAS_OPENBLAS ? "OpenBLAS" : HAS_BLIS ? "BLIS" : "CBLAS";
}

/* BLIS says -1 for "not set", which means one. */
int32_t blas_get_threads(void) {
  if (HAS_OPENBLAS) return openblas_get_num_threads();
  if (HAS_BLIS) return bli_thread_get_num_threads() < 1 ? 1 : (int32_t)bli_thread_get_num_threads();
  return 0;
}

void blas_set_threads(int32_t n) {
  if (HAS_OPENBLAS) openblas_set_num_threads(n);
  else if (HAS_BLIS) bli_thread_set_num_threads(n);
}

void blas_sgemm(const struct gemm_shape *s, const float *a, const float *b, float *c) {
  cblas_sgemm(CblasRowMajor, s->ta ? CblasTrans : CblasNoTrans, s->tb ? CblasTrans : CblasNoTrans, (int)s->m, (int)s->n,
              (int)s->k, 1.0f, a, (int)s->lda, b, (int)s->ldb, 0.0f, c, (int)s->ldc);
}

#else

int32_t blas_available(void) {
  return 0;
}

const char *blas_name(void) {
  return "none";
}

int32_t blas_get_threads(void) {
  return 0;
}

void blas_set_threads(int32_t n) {
  (void)n;
}

void blas_sgemm(const struct gemm_shape *s, const float *a, const float *b, float *c) {
  (void)s, (void)a, (void)b, (void)c;
}

#endif
