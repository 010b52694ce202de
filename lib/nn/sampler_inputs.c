/* What goes into a sampler's network: noise, labels, and what the caller bound. Real time: nothing here allocates or locks. */
#include "base/tensor.h"
#include "kernels/kernels.h"
#include "nn/sampler.h"

#include <string.h>

/* ------------------------------------------------------------------ rows of an input */

static void fill_bound(const struct sampler_input *in, void *to, int64_t call, int64_t n) {
  size_t row = (size_t)in->size * 4; /* f32 or i32 */
  for (int64_t i = 0; i < n; i++)
    memcpy((char *)to + (size_t)i * row, (const char *)in->bound + (size_t)((call + i) % in->rows) * row, row);
}

static void fill_labels(const struct sampler_input *in, int32_t *to, int64_t first, int64_t n) {
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < in->size; j++) to[i * in->size + j] = (int32_t)((first + i) % in->port->info.classes);
}

/* Element j of sample i is element i * size + j of the input's stream: the same in any batch. */
static void fill_noise(const gan_sampler *s, const struct sampler_input *in, float *to, int64_t first, int64_t n) {
  const struct kernels *k = s->environment.kernels;
  const struct network_port *p = in->port;
  int32_t uniform = p->noise_kind == RANDOM_UNIFORM;
  int32_t closer = !uniform && s->reach > 0;
  random_fn *draw = uniform || closer ? k->uniform : p->noise_kind == RANDOM_TRUNCATED ? k->truncated_normal : k->normal;
  draw(to, n * in->size, &in->key, (uint64_t)first * (uint64_t)in->size);
  if (closer) rng_truncate(to, n * in->size, s->reach);
  float shift = (float)p->noise_x, scale = (float)(uniform ? p->noise_y - p->noise_x : p->noise_y);
  if (shift == 0 && scale == 1) return;
  for (int64_t i = 0; i < n * in->size; i++) to[i] = shift + scale * to[i];
}

void sampler_fill(const gan_sampler *s, const struct sampler_input *in, void *to, int64_t first, int64_t call, int64_t n) {
  if (in->rows) fill_bound(in, to, call, n);
  else if (in->port->info.role == GAN_ROLE_LABEL) fill_labels(in, to, first, n);
  else fill_noise(s, in, to, first, n);
}

gan_status sampler_check_bound(gan_sampler *s, const struct sampler_input *in) {
  if (in->rows || in->port->info.role != GAN_ROLE_DATA) return GAN_OK;
  return sampler_fail(s, GAN_ERROR_ARGUMENT,
                      "input '%s' holds data: bind it with gan_sampler_bind(), or declare it with noise=normal", in->port->name);
}

/* ------------------------------------------------------------------ public */

static struct sampler_input *find_input(gan_sampler *s, const char *who, const char *name) {
  int32_t index = name ? network_input(s->snapshot, name) : -1;
  if (index >= 0) return &s->inputs[index];
  sampler_fail(s, GAN_ERROR_ARGUMENT, "%s: the network has no input '%.63s'", who, name ? name : "(NULL)");
  return NULL;
}

static gan_status check_labels(gan_sampler *s, const struct sampler_input *in, int64_t rows, const int32_t *labels) {
  int64_t classes = in->port->info.classes, bad = labels_first_bad(labels, rows * in->size, classes);
  if (bad < 0) return GAN_OK;
  return sampler_fail(s, GAN_ERROR_ARGUMENT, "gan_sampler_bind: input '%s': label %d is not in 0 .. %lld", in->port->name,
                      labels[bad], (long long)classes - 1);
}

gan_status gan_sampler_bind(gan_sampler *sampler, const char *input, int64_t rows, const void *values) {
  gan_sampler *s = sampler;
  if (!s) return GAN_ERROR_ARGUMENT;
  struct sampler_input *in = find_input(s, "gan_sampler_bind", input);
  if (!in) return GAN_ERROR_ARGUMENT;
  if (rows < 0 || rows > s->max_batch) {
    return sampler_fail(s, GAN_ERROR_ARGUMENT, "gan_sampler_bind: %lld rows are not in 0 .. %lld (max_batch)", (long long)rows,
                        (long long)s->max_batch);
  }
  if (rows && !values) return sampler_fail(s, GAN_ERROR_ARGUMENT, "gan_sampler_bind: values may not be NULL");
  if (in->port->info.type == GAN_I32) TRY(check_labels(s, in, rows, values));
  if (rows) memcpy(in->bound, values, (size_t)(rows * in->size) * 4);
  in->rows = rows;
  return GAN_OK;
}

static void indices_to_floats(float *out, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    int32_t index;
    memcpy(&index, &out[i], sizeof index);
    out[i] = (float)index;
  }
}

gan_status gan_sampler_noise(gan_sampler *sampler, const char *input, int64_t first, int64_t count, float *out) {
  gan_sampler *s = sampler;
  if (!s) return GAN_ERROR_ARGUMENT;
  const struct sampler_input *in = find_input(s, "gan_sampler_noise", input);
  if (!in) return GAN_ERROR_ARGUMENT;
  if (first < 0 || count < 0 || count > INT64_MAX - first || (count && !out)) {
    return sampler_fail(s, GAN_ERROR_ARGUMENT, "gan_sampler_noise: first and count may not be negative, out not NULL");
  }
  TRY(sampler_check_bound(s, in));
  sampler_fill(s, in, out, first, 0, count);
  if (in->port->info.type == GAN_I32) indices_to_floats(out, count * in->size);
  return GAN_OK;
}
