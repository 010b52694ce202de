/* Initializers of what begins as a function of a layer's weight: lengths for weight norm, singular vectors for spectral norm. */
#include "nn/initializer.h"
#include "nn/layer.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

/* A weight as a matrix: element (output, input) is data[output * by_output + input * by_input]. */
struct matrix { const float *data; int64_t outputs, inputs, by_output, by_input; };

static const struct option derived_options[] = {
  {"of", OPTION_TEXT, 0, 0, "weight", "the variable of the same layer that it follows from"},
  {"last", OPTION_FLAG, 0, 0, "no", "outputs are the last axis of it, not the first"},
};

static gan_status find_source(const struct filling *f, const char *name, const struct variable **out) {
  const gan_layer *l = f->variable->owner;
  for (int64_t i = 0; l && i < l->n_variables; i++) {
    *out = l->variables[i];
    if (*out != f->variable && !strcmp(layer_local_name(l, *out), name)) return GAN_OK;
  }
  return gan_fail(f->ctx, GAN_ERROR_ARGUMENT, "%s: its initializer follows from '%.60s', which its layer has not made before",
                  f->variable->name, name);
}

/* The source as a matrix whose outputs (or inputs) are as many as the numbers to fill. */
static gan_status find_matrix(const struct filling *f, int32_t fills_outputs, struct matrix *m) {
  const struct variable *source;
  TRY(find_source(f, option_text(f->options, "of"), &source));
  int32_t last = option_flag(f->options, "last");
  int64_t outputs = source->rank ? source->shape[last ? source->rank - 1 : 0] : 1, inputs = outputs ? source->count / outputs : 0;
  REQUIRE(f->ctx, (fills_outputs ? outputs : inputs) == f->count && source->count, "%s: has %lld numbers, %s is %lld by %lld",
          f->variable->name, (long long)f->count, source->name, (long long)outputs, (long long)inputs);
  *m = (struct matrix){source->data, outputs, inputs, last ? 1 : inputs, last ? outputs : 1};
  return GAN_OK;
}

/* ------------------------------------------------------------------ lengths */

static gan_status lengths_fill(const struct filling *f) {
  struct matrix m;
  TRY(find_matrix(f, 1, &m));
  for (int64_t o = 0; o < m.outputs; o++) {
    double sum = 0;
    for (int64_t i = 0; i < m.inputs; i++) {
      double x = (double)m.data[o * m.by_output + i * m.by_input];
      sum += x * x;
    }
    f->data[o] = (float)sqrt(sum);
  }
  return GAN_OK;
}

const struct initializer_row initializer_lengths = {
  "lengths", "Euclidean lengths of the rows of another variable of the layer: how weight norm begins.", 2, derived_options,
  lengths_fill,
};

/* ------------------------------------------------------------------ singular vectors */

static void set_unit(float *x, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += (double)x[i] * (double)x[i];
  for (int64_t i = 0; i < count && sum > 0; i++) x[i] = (float)((double)x[i] / sqrt(sum));
}

/* y = A x in the order in which A lies in memory: `rows` numbers of y, `columns` of x. */
static void multiply(const float *a, int64_t rows, int64_t columns, int64_t by_row, int64_t by_column, const float *x, float *y) {
  memset(y, 0, (size_t)rows * sizeof *y);
  for (int64_t r = 0; by_column == 1 && r < rows; r++) {
    double sum = 0;
    for (int64_t c = 0; c < columns; c++) sum += (double)a[r * by_row + c] * (double)x[c];
    y[r] = (float)sum;
  }
  for (int64_t c = 0; by_column != 1 && c < columns; c++)
    for (int64_t r = 0; r < rows; r++) y[r] += a[r * by_row + c * by_column] * x[c];
}

/* u = W v, v = W' u */
static void apply(const struct matrix *m, const float *v, float *u) {
  multiply(m->data, m->outputs, m->inputs, m->by_output, m->by_input, v, u);
}

static void apply_transposed(const struct matrix *m, const float *u, float *v) {
  multiply(m->data, m->inputs, m->outputs, m->by_input, m->by_output, u, v);
}

/* As many as PyTorch's spectral_norm begins with. */
enum { ITERATIONS = 15 };

static gan_status singular_fill(const struct filling *f) {
  struct matrix m;
  TRY(find_matrix(f, 1, &m));
  size_t bytes = (size_t)m.inputs * sizeof(float);
  float *v = context_alloc(f->ctx, bytes);
  if (!v) return GAN_ERROR_MEMORY;
  f->ctx->kernels->normal(v, m.inputs, &f->key, 0);
  for (int32_t i = 0; i < ITERATIONS; i++) {
    if (i) apply_transposed(&m, f->data, v);
    set_unit(v, m.inputs);
    apply(&m, v, f->data);
    set_unit(f->data, m.outputs);
  }
  context_release(f->ctx, v, bytes);
  return GAN_OK;
}

const struct initializer_row initializer_singular = {
  "singular", "The first left singular vector u of another variable W of the layer, by 15 iterations of the power method from "
  "normal numbers: how spectral norm begins.",
  2, derived_options, singular_fill,
};

static const struct option image_options[] = {
  {"of", OPTION_TEXT, 0, 0, "weight", "the variable of the same layer that it follows from"},
  {"last", OPTION_FLAG, 0, 0, "no", "outputs are the last axis of it, not the first"},
  {"by", OPTION_TEXT, 0, 0, "weight_u", "the variable that multiplies it"},
};

static gan_status image_fill(const struct filling *f) {
  struct matrix m;
  const struct variable *u;
  TRY(find_matrix(f, 0, &m));
  TRY(find_source(f, option_text(f->options, "by"), &u));
  REQUIRE(f->ctx, u->count == m.outputs, "%s: %s has %lld numbers, expected %lld", f->variable->name, u->name, (long long)u->count,
          (long long)m.outputs);
  apply_transposed(&m, u->data, f->data);
  set_unit(f->data, m.inputs);
  return GAN_OK;
}

const struct initializer_row initializer_image = {
  "image", "The unit vector along W'u of two other variables of the layer: the first right singular vector beside `singular`.",
  3, image_options, image_fill,
};
