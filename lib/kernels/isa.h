/* What the files compiled for one instruction set hand to its table (table.c). */
#ifndef GAN_KERNELS_ISA_H
#define GAN_KERNELS_ISA_H

#include "kernels/conv_winograd.h"
#include "kernels/gemm.h"
#include "kernels/vec.h"

/* vector.c */
#define VEC_DECLARE(name, inputs) vec_fn ISA_NAME(vec_##name);
VEC_LIST(VEC_DECLARE)
#undef VEC_DECLARE

/* random.c */
random_fn ISA_NAME(random_uniform), ISA_NAME(random_normal), ISA_NAME(random_truncated_normal);

/* sums.c */
float ISA_NAME(sum)(const float *x, int64_t n);
float ISA_NAME(max)(const float *x, int64_t n);
void ISA_NAME(add_rows)(float *acc, const float *x, int64_t rows, int64_t cols, int64_t ld);
void ISA_NAME(max_rows)(float *acc, const float *x, int64_t rows, int64_t cols, int64_t ld);
double ISA_NAME(sum_squares)(const float *x, int64_t n);

/* sweep.c */
int32_t ISA_NAME(all_finite)(const float *x, int64_t n);
void ISA_NAME(bytes_to_float)(float *out, const uint8_t *in, int64_t n, float scale, float shift);
void ISA_NAME(mix_rows)(float *out, const float *x, int64_t cols, int64_t terms, const int64_t *row, const float *weight);
void ISA_NAME(adam)(float *w, const float *g, float *m, float *v, int64_t n, const struct adam_scalars *s);

/* conv_deal.c */
void ISA_NAME(conv_deal)(float *to, const float *from, const float *end, int64_t pixels, const struct dealing *d);

/* conv_transform.c */
extern const struct conv_kernels ISA_NAME(conv_kernels);

/* gemm_pack.c */
gemm_pack_fn ISA_NAME(gemm_pack_rows), ISA_NAME(gemm_pack_transposed);
void ISA_NAME(gemm_pack_a)(float *to, const float *a, int64_t lda, int64_t k, int64_t rows);

/* gemm_thin.c */
void ISA_NAME(gemm_dots)(float *y, const float *x, const float *m, int64_t ld, int64_t rows, int64_t k);
void ISA_NAME(gemm_axpys)(float *y, const float *x, const float *m, int64_t ld, int64_t k, int64_t cols);

/* gemm_dots.c */
enum { DOT_ROWS = 4, DOT_COLUMNS = LANES == 16 ? 4 : 3 };
extern gemm_tile_fn *const ISA_NAME(gemm_dot_tiles)[DOT_ROWS + 1][GEMM_MOST_DOTS + 1];

/* gemm_tile.c */
extern const struct gemm_kernels ISA_NAME(gemm_kernels);

#endif
