/* The compute core: vector, reduction, random and matrix kernels, compiled once per instruction set from one source.
 *
 * Nothing here knows of graphs, contexts or threads. Every kernel works on a chunk of a job that the caller cuts with the
 * *_chunks functions; the cut depends on shapes alone, never on the number of threads, so the bits don't either. Kernels
 * never allocate: what scratch they need is reported by *_scratch and handed in.
 */
#ifndef GAN_KERNELS_H
#define GAN_KERNELS_H

#include <stdint.h>
#include <stddef.h>

/* ------------------------------------------------------------------ vectors: one instruction of an elementwise chain */

/* out[i] = f(a[i], b[i], c[i]) for i < n. Unused operands are NULL. out may be a, b or c. No alignment is assumed.
 * Comparisons give 1.0f or 0.0f. NaN passes through every function but comparisons (false) as in IEEE 754. */
typedef void vec_fn(float *out, const float *a, const float *b, const float *c, int64_t n);

/* VEC(NAME, inputs) : the closed list. The order is internal to one build. */
#define VEC_LIST(VEC) \
  VEC(COPY, 1) VEC(NEG, 1) VEC(ABS, 1) VEC(SIGN, 1) /* sign(0) = 0 */ \
  VEC(SQUARE, 1) VEC(SQRT, 1) VEC(RSQRT, 1) /* 1/sqrt, full precision */ VEC(RECIP, 1) \
  VEC(EXP, 1) VEC(LOG, 1) VEC(TANH, 1) VEC(SIGMOID, 1) VEC(SOFTPLUS, 1) /* log(1+e^x), no overflow */ \
  VEC(ERF, 1) VEC(SIN, 1) VEC(COS, 1) VEC(FLOOR, 1) VEC(IS_FINITE, 1) \
  VEC(ADD, 2) VEC(SUB, 2) VEC(MUL, 2) VEC(DIV, 2) VEC(MAX, 2) VEC(MIN, 2) /* NaN if either is NaN */ VEC(POW, 2) \
  VEC(GREATER, 2) VEC(GREATER_EQUAL, 2) VEC(EQUAL, 2) \
  VEC(SELECT, 3) /* a != 0 ? b : c */ VEC(FMA, 3) /* a * b + c */

#define VEC_ENUM(name, inputs) VEC_##name,
enum vec_op { VEC_LIST(VEC_ENUM) VEC_COUNT };
#undef VEC_ENUM

/* ------------------------------------------------------------------ chains: elementwise programs over L1-sized blocks */

enum { CHAIN_DIMS = 6, CHAIN_INPUTS = 16, CHAIN_CONSTS = 16, CHAIN_INSTRS = 48, CHAIN_REGS = 24, CHAIN_OUTPUTS = 8, CHAIN_BLOCK = 512 };

struct chain_instr { uint8_t op /* enum vec_op */, dst, a, b, c; };  /* operands: register numbers; unused ones any valid one */

/* Registers 0..n_in-1 hold the inputs, the next n_const the constants; neither is a destination. The rest is free for results
 * (single assignment not required). The loop space is shape[0..rank-1], row-major; input i is read at sum(index[d] * stride[i][d]); a stride of 0
 * repeats. Outputs are dense in loop order; output j is register out[j]. An output may be the same memory as a dense input.
 * Where columns[j] is not 0, output j is not stored: the loop space is seen as rows of so many elements, and the sums of the
 * columns over what one chunk computes become row `chunk` of it. */
struct chain {
  int32_t rank, n_in, n_const, n_instr, n_out;
  int64_t shape[CHAIN_DIMS];
  int64_t stride[CHAIN_INPUTS][CHAIN_DIMS];
  float constant[CHAIN_CONSTS];
  struct chain_instr instr[CHAIN_INSTRS];
  uint8_t out[CHAIN_OUTPUTS];
  int64_t columns[CHAIN_OUTPUTS];
};

struct kernels;

/* Merges dimensions that every input walks alike, drops dimensions of 1. Called once when a plan is made. */
void chain_simplify(struct chain *c);
int64_t chain_chunks(const struct chain *c);
size_t chain_scratch(const struct chain *c);                 /* bytes, per thread, 64-byte aligned */
void chain_run(const struct kernels *k, const struct chain *c, const float *const *in, float *const *out, int64_t chunk, void *scratch);

/* ------------------------------------------------------------------ reductions */

enum reduce_op { REDUCE_SUM, REDUCE_MAX };

/* in is (outer, length, inner) dense, out is (outer, inner). Long reductions are cut into fixed parts that are added
 * pairwise: pass 0 runs chunks [0, reduce_chunks(s, 0)), then, if reduce_chunks(s, 1) > 0, pass 1 runs those. partial is
 * reduce_partial(s) bytes shared by both passes. The order of additions is a tree fixed by the shape. */
struct reduce_shape { int32_t op; int64_t outer, length, inner; };
int64_t reduce_chunks(const struct reduce_shape *s, int32_t pass);
size_t reduce_partial(const struct reduce_shape *s);
void reduce_run(const struct kernels *k, const struct reduce_shape *s, const float *in, float *out, void *partial, int32_t pass, int64_t chunk);

/* ------------------------------------------------------------------ matrix products */

enum gemm_act { GEMM_LINEAR, GEMM_LEAKY /* max(x, slope x), 0 <= slope <= 1; slope 0 is ReLU */, GEMM_TANH, GEMM_SIGMOID };

/* C(m,n) = act(op(A)(m,k) op(B)(k,n) + bias(n)); op transposes when ta/tb is 1: A is then stored (k,m), B (n,k). Row-major,
 * lda/ldb/ldc in elements. k = 0 gives act(bias). C overlaps nothing. */
struct gemm_shape {
  int64_t m, n, k, lda, ldb, ldc;
  int32_t ta, tb, act, has_bias;
  int32_t packed;      /* B comes from gemm_pack; ldb and tb are then ignored */
  float slope;
};

int64_t gemm_chunks(const struct kernels *k, const struct gemm_shape *s);    /* at least 1 */
size_t gemm_scratch(const struct kernels *k, const struct gemm_shape *s);    /* bytes, per thread, 64-byte aligned */
void gemm_run(const struct kernels *k, const struct gemm_shape *s, const float *a, const float *b, const float *bias, float *c,
              int64_t chunk, void *scratch);

/* B packed once for many products. Row i of a packed product has the same bits for every m (batch), chunk cut and position. */
size_t gemm_packed_bytes(const struct kernels *k, int64_t n, int64_t kk);
void gemm_pack(const struct kernels *k, const float *b, int64_t ldb, int32_t tb, int64_t n, int64_t kk, float *packed);

/* The table "which product goes to CBLAS": by shape and instruction set, fixed, measured with tests/bench. */
int32_t gemm_prefers_blas(const struct kernels *k, const struct gemm_shape *s);

/* CBLAS behind one file (lib/kernels/blas.c). Without a BLAS, available() is 0 and sgemm is never called. */
int32_t blas_available(void);
const char *blas_name(void);
void blas_sgemm(const struct gemm_shape *s, const float *a, const float *b, float *c);   /* the product alone: no bias, no act */
int32_t blas_get_threads(void);                  /* 0: a BLAS without such a setting, or none */
void blas_set_threads(int32_t n);

/* ------------------------------------------------------------------ convolutions */

/* One form that is linear in x, w and y,
 *   y(n,oh,ow,o) = sum over i, j, c of x(n, oh sh - ph + i dh, ow sw - pw + j dw, c) w(o,i,j,c), zeros outside of x,
 * and its three products: F makes y of x and w, X makes x of y and w (the gradient to the input, and the transposed
 * convolution), W makes w of x and y. x is (n,h,w,c), y (n,oh,ow,o), w (o,kh,kw,c/groups): group g joins the g-th part of
 * the channels of x with the g-th part of those of y. */
enum conv_product { CONV_F, CONV_X, CONV_W };

struct conv_shape {
  int64_t n, h, w, c, kh, kw, o, oh, ow;      /* c, o: channels of x and y, of all groups together */
  int64_t sh, sw, dh, dw, ph, pw, groups;     /* stride, dilation, padding before (may be negative: a crop) */
  int32_t product, act, has_bias, packed;     /* act: enum gemm_act; bias: one number a channel of the result; F and X only */
  float slope;
};

/* Passes 0 .. conv_passes() - 1 run one after the other; the chunks of one in any order. What a pass leaves for the next is in
 * `shared`. F takes a = x, b = w; X a = y, b = w; W a = x, b = y. The result overlaps nothing. */
int32_t conv_passes(const struct kernels *k, const struct conv_shape *s);               /* 1 .. 3 */
int64_t conv_chunks(const struct kernels *k, const struct conv_shape *s, int32_t pass); /* at least 1 */
size_t conv_scratch(const struct kernels *k, const struct conv_shape *s);               /* bytes, per thread, 64-byte aligned */
size_t conv_shared(const struct kernels *k, const struct conv_shape *s);                /* bytes, 64-byte aligned */
void conv_run(const struct kernels *k, const struct conv_shape *s, const float *a, const float *b, const float *bias, float *out,
              void *shared, int32_t pass, int64_t chunk, void *scratch);

/* Weights of F or X packed once for many products: then s->packed = 1 and b = packed, which is 64-byte aligned. An image has
 * the same bits in every batch. */
size_t conv_packed_bytes(const struct kernels *k, const struct conv_shape *s);
void conv_pack(const struct kernels *k, const struct conv_shape *s, const float *w, float *packed);

/* Two for every product of a tap and a channel, taps that fall outside of x counted too. */
int64_t conv_flops(const struct conv_shape *s);

/* ------------------------------------------------------------------ random numbers: counter-based, bits equal on every ISA */

/* Element i of a stream is a function of (key, i) alone; [first, first + n) may be any range. See base/rng.h for streams and
 * the scalar reference that these must match bit for bit. */
struct rng_key;
typedef void random_fn(float *out, int64_t n, const struct rng_key *key, uint64_t first);

/* ------------------------------------------------------------------ the table of one instruction set */

enum isa { ISA_BASELINE, ISA_AVX2, ISA_AVX512, ISA_COUNT };

struct adam_scalars { float rate, beta1, beta2, epsilon, correct1, correct2, decay; };  /* correct = 1 / (1 - beta^t); decay: decoupled, AdamW */

struct kernels {
  const char *name;                                  /* "baseline", "avx2", "avx512" */
  int32_t isa, lanes;                                /* floats in one vector */
  vec_fn *vec[VEC_COUNT];
  random_fn *uniform, *normal, *truncated_normal;    /* [0,1), N(0,1), N(0,1) cut at +-2 */
  float (*sum)(const float *x, int64_t n);           /* fixed tree */
  float (*max)(const float *x, int64_t n);           /* NaN if any is; -inf for n = 0 */
  void (*add_rows)(float *acc, const float *x, int64_t rows, int64_t cols, int64_t ld);   /* acc[j] += sum over rows of x[r*ld+j] */
  void (*max_rows)(float *acc, const float *x, int64_t rows, int64_t cols, int64_t ld);
  int32_t (*all_finite)(const float *x, int64_t n);
  double (*sum_squares)(const float *x, int64_t n);
  void (*bytes_to_float)(float *out, const uint8_t *in, int64_t n, float scale, float shift);   /* in * scale + shift */
  void (*mix_rows)(float *out, const float *x, int64_t cols, int64_t terms, const int64_t *row, const float *weight);
  /* out[j] = sum of weight[t] x[row[t] * cols + j] over the terms, in their order; out overlaps nothing */
  void (*adam)(float *w, const float *g, float *m, float *v, int64_t n, const struct adam_scalars *s);
  /* w -= rate * (m' c1) / (sqrt(v' c2) + eps) + rate * decay * w, m' = m + (1-b1)(g-m), v' = b2 v + (1-b2) g^2 */
  const struct gemm_kernels *gemm;                   /* private to products ... */
  const struct conv_kernels *conv;                   /* ... and convolutions */
};

extern const struct kernels kernels_baseline;
#if defined(GAN_HAVE_AVX2)
extern const struct kernels kernels_avx2;
#endif
#if defined(GAN_HAVE_AVX512)
extern const struct kernels kernels_avx512;
#endif

/* The best table that this CPU can run (isa < 0), or the one asked for; NULL if the CPU or the build has not got it. */
const struct kernels *kernels_select(int32_t isa);

/* Peak of fused multiply-adds in registers, flops done by one call; for the benchmark's share of peak. */
double kernels_fma_burst(const struct kernels *k);

#endif
