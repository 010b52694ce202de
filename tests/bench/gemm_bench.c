/* Matrix products of libgan against CBLAS on one thread. For developers: the table of lib/kernels/gemm_choice.c comes from it.
 *
 *   gemm_bench [isa [milliseconds per measurement]]
 *
 * A row is a layer: m is the batch, B has n outputs of k inputs. NT is the forward product x W^T, NN the gradient dy W, TN the
 * gradient dy^T x. Figures are GF/s, of the fastest of many short runs: libgan / CBLAS.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/kernels.h"

enum { ROUNDS = 25 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID /* one thread, on a machine that others use too */, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float *numbers(int64_t n) {
  size_t bytes = ((size_t)n * sizeof(float) + 127) / 64 * 64;
  float *p = aligned_alloc(64, bytes);
  if (!p) exit(1);
  for (int64_t i = 0; i < n; i++) p[i] = (float)(i * 7919 % 2001) * 1e-3f - 1.0f;
  return p;
}

struct bench { const struct kernels *k; struct gemm_shape s; float *a, *b, *c, *packed; void *scratch; };

static void run_own(const struct bench *b) {
  int64_t chunks = gemm_chunks(b->k, &b->s);
  for (int64_t i = 0; i < chunks; i++) gemm_run(b->k, &b->s, b->a, b->s.packed ? b->packed : b->b, NULL, b->c, i, b->scratch);
}

static void run_blas(const struct bench *b) {
  blas_sgemm(&b->s, b->a, b->b, b->c);
}

static double seconds_of(void (*run)(const struct bench *), const struct bench *b, int64_t times) {
  double start = now();
  for (int64_t i = 0; i < times; i++) run(b);
  return (now() - start) / (double)times;
}

struct result { double own, blas; }; /* seconds */

/* The two take turns, so that what else the machine does meets both. */
static struct result measure(const struct bench *b, double seconds) {
  struct result best = {1e9, 1e9};
  run_own(b);
  int64_t times = (int64_t)(seconds / ROUNDS / seconds_of(run_own, b, 1)) + 1;
  for (int round = 0; round < ROUNDS; round++) {
    double own = seconds_of(run_own, b, times), blas = blas_available() ? seconds_of(run_blas, b, times) : 1e9;
    best.own = own < best.own ? own : best.own;
    best.blas = blas < best.blas ? blas : best.blas;
  }
  return best;
}

enum form { NN, NT, TN, PACKED /* as NT */ };

static struct result bench(const struct kernels *k, int64_t m, int64_t n, int64_t kk, enum form form, double seconds) {
  int32_t ta = form == TN, tb = form == NT || form == PACKED;
  struct bench b = {.k = k};
  b.s = (struct gemm_shape){.m = m, .n = n, .k = kk, .ta = ta, .tb = tb, .packed = form == PACKED};
  b.s.lda = ta ? m : kk, b.s.ldb = tb ? kk : n, b.s.ldc = n;
  b.a = numbers(m * kk), b.b = numbers(n * kk), b.c = numbers(m * n);
  b.packed = numbers((int64_t)gemm_packed_bytes(k, n, kk) / 4 + 1);
  gemm_pack(k, b.b, b.s.ldb, tb, n, kk, b.packed);
  b.scratch = aligned_alloc(64, (gemm_scratch(k, &b.s) + 127) / 64 * 64);
  struct result r = measure(&b, seconds);
  free(b.a), free(b.b), free(b.c), free(b.packed), free(b.scratch);
  return r;
}

static void print_cell(struct result r, double flops) {
  printf("  %6.1f / %6.1f%c", flops / r.own * 1e-9, flops / r.blas * 1e-9, r.own <= r.blas ? ' ' : '!');
}

static double peak(const struct kernels *k) {
  double best = 0;
  for (int i = 0; i < 20; i++) {
    double start = now(), flops = kernels_fma_burst(k), rate = flops / (now() - start);
    best = rate > best ? rate : best;
  }
  return best * 1e-9;
}

static void layers(const struct kernels *k, double seconds) {
  static const int64_t sizes[][2] = {{128, 100}, {256, 128}, {784, 256}, {512, 256}, {1024, 512}, {784, 1024},
                                     {256, 784}, {128, 256}, {512, 784}, {256, 512}, {1, 128},    {1, 256}};
  printf("%-16s  %-16s  %-16s  %-16s  %-16s\n", "batch x in > out", "NT forward", "NN dx", "TN dW", "packed forward / CBLAS NT");
  static const int64_t batches[] = {64, 128, 1};
  for (size_t j = 0; j < sizeof batches / sizeof *batches; j++)
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
      int64_t m = batches[j], n = sizes[i][0], kk = sizes[i][1];
      double flops = 2.0 * (double)m * (double)n * (double)kk;
      printf("%4d x %4d > %4d", (int)m, (int)kk, (int)n);
      print_cell(bench(k, m, n, kk, NT, seconds), flops);
      print_cell(bench(k, m, kk, n, NN, seconds), flops);
      print_cell(bench(k, n, kk, m, TN, seconds), flops);
      print_cell(bench(k, m, n, kk, PACKED, seconds), flops);
      printf("\n");
      fflush(stdout);
    }
}

static void squares(const struct kernels *k, double seconds) {
  static const int64_t sizes[] = {16, 32, 64, 100, 256, 512, 1024, 2048};
  printf("%-16s  %-16s  %-16s  %-16s\n", "n^3", "NN", "NT", "TN");
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    int64_t n = sizes[i];
    double flops = 2.0 * (double)n * (double)n * (double)n;
    printf("%-16d", (int)n);
    print_cell(bench(k, n, n, n, NN, seconds), flops);
    print_cell(bench(k, n, n, n, NT, seconds), flops);
    print_cell(bench(k, n, n, n, TN, seconds), flops);
    printf("\n");
  }
}

int main(int argc, char **argv) {
  const struct kernels *k = kernels_select(argc > 1 ? atoi(argv[1]) : -1);
  double seconds = (argc > 2 ? atof(argv[2]) : 100) * 1e-3;
  if (!k) return fprintf(stderr, "this processor has not got that instruction set\n"), 1;
  blas_set_threads(1);
  printf("%s, multiply-adds in registers: %.1f GF/s; CBLAS: %s\n", k->name, peak(k), blas_name());
  layers(k, seconds);
  squares(k, seconds);
  return 0;
}
