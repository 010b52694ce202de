/* orthogonal: rows (or columns, whichever are fewer) of the weight as a matrix are orthogonal and of length `gain`. */
#include "kernels/kernels.h"
#include "nn/initializer.h"

#include <math.h>

/* `count` vectors of `length` numbers: numbers of a vector lie `step` apart, vectors `next` apart. */
struct vectors { float *data; int64_t count, length, step, next; };

static double dot(const struct vectors *v, int64_t i, int64_t j) {
  const float *a = v->data + i * v->next, *b = v->data + j * v->next;
  double sum = 0;
  for (int64_t k = 0; k < v->length; k++) sum += (double)a[k * v->step] * (double)b[k * v->step];
  return sum;
}

/* a_i += factor * a_j */
static void add_multiple(const struct vectors *v, int64_t i, int64_t j, double factor) {
  float *a = v->data + i * v->next;
  const float *b = v->data + j * v->next;
  for (int64_t k = 0; k < v->length; k++) a[k * v->step] = (float)(a[k * v->step] + factor * (double)b[k * v->step]);
}

static void set_length(const struct vectors *v, int64_t i, double length) {
  double norm = sqrt(dot(v, i, i));
  float *a = v->data + i * v->next;
  for (int64_t k = 0; norm > 0 && k < v->length; k++) a[k * v->step] = (float)(a[k * v->step] * (length / norm));
}

/* Gram and Schmidt, twice over: once leaves an error of rounding times the condition of a random matrix. The diagonal of R is
 * positive by construction, which makes the result uniform among orthogonal matrices (Mezzadri, 2007). */
static void orthonormalise(const struct vectors *v) {
  for (int64_t i = 0; i < v->count; i++) {
    for (int32_t again = 0; again < 2; again++)
      for (int64_t j = 0; j < i; j++) add_multiple(v, i, j, -dot(v, i, j));
    set_length(v, i, 1);
  }
}

static gan_status orthogonal_fill(const struct filling *f) {
  f->ctx->kernels->normal(f->data, f->count, &f->key, 0);
  int32_t wide = f->rows <= f->columns;
  struct vectors v = {
    .data = f->data,
    .count = wide ? f->rows : f->columns, .length = wide ? f->columns : f->rows,
    .step = wide ? 1 : f->columns, .next = wide ? f->columns : 1,
  };
  orthonormalise(&v);
  double gain = option_number(f->options, "gain");
  for (int64_t i = 0; i < f->count; i++) f->data[i] = (float)(gain * (double)f->data[i]);
  return GAN_OK;
}

static const struct option orthogonal_options[] = {{"gain", OPTION_NUMBER, 0, 1e6, "1", "length of the vectors"}};

const struct initializer_row initializer_orthogonal = {
  "orthogonal", "Orthogonal rows or columns of length gain (Saxe et al. 2014).", 1, orthogonal_options, orthogonal_fill,
};
