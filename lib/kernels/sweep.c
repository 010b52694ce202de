/* Single passes over long arrays, for one instruction set. */
#include "kernels/isa.h"
#include "kernels/vec.h"

/* Looked at in blocks, so that a bad array is left early and a good one is scanned without a branch a vector. */
int32_t ISA_NAME(all_finite)(const float *x, int64_t n) {
  const vi exponent = (vi){0} + 0x7f800000;
  int64_t i = 0;
  for (; i + 8 * LANES <= n; i += 8 * LANES) {
    vi bad = {0};
    for (int j = 0; j < 8; j++) bad |= ((vi)vf_load(x + i + j * LANES) & exponent) == exponent;
    if (vi_any(bad)) return 0;
  }
  for (; i < n; i += LANES) {
    vf v = n - i < LANES ? vf_load_part(x + i, n - i, 0.0f) : vf_load(x + i);
    if (vi_any(((vi)v & exponent) == exponent)) return 0;
  }
  return 1;
}

void ISA_NAME(bytes_to_float)(float *out, const uint8_t *in, int64_t n, float scale, float shift) {
  for (int64_t i = 0; i < n; i++) out[i] = (float)in[i] * scale + shift;
}

void ISA_NAME(mix_rows)(float *out, const float *x, int64_t cols, int64_t terms, const int64_t *row, const float *weight) {
  int64_t j = 0;
  for (; j + LANES <= cols; j += LANES) {
    vf sum = {0};
    for (int64_t t = 0; t < terms; t++) sum = vf_fma(vf_set(weight[t]), vf_load(x + row[t] * cols + j), sum);
    vf_store(out + j, sum);
  }
  for (; j < cols; j++) {
    float sum = 0;
    for (int64_t t = 0; t < terms; t++) sum += weight[t] * x[row[t] * cols + j];
    out[j] = sum;
  }
}

struct adam_vectors { vf w, m, v; };

/* Four streams at once are more than the processor foresees, above all where large arrays start on pages alike. */
ALWAYS_INLINE void adam_fetch(const float *w, const float *g, const float *m, const float *v) {
  enum { AHEAD = 64 };
  __builtin_prefetch(w + AHEAD, 1);
  __builtin_prefetch(g + AHEAD);
  __builtin_prefetch(m + AHEAD, 1);
  __builtin_prefetch(v + AHEAD, 1);
}

/* What is the same for all elements. */
struct adam_factors { float gain1, gain2, beta2, correct2, epsilon, rate, keep; };

ALWAYS_INLINE struct adam_vectors adam_step(struct adam_vectors p, vf g, const struct adam_factors *f) {
  p.m += f->gain1 * (g - p.m);
  p.v = p.v * f->beta2 + f->gain2 * (g * g); /* an infinite square stays one: it may not become NaN */
  p.w = p.w * f->keep - p.m * f->rate / (vf_root(p.v * f->correct2) + f->epsilon);
  return p;
}

void ISA_NAME(adam)(float *w, const float *g, float *m, float *v, int64_t n, const struct adam_scalars *s) {
  const struct adam_factors f = {
    .gain1 = 1.0f - s->beta1, .gain2 = 1.0f - s->beta2, .beta2 = s->beta2, .correct2 = s->correct2, .epsilon = s->epsilon,
    .rate = s->rate * s->correct1, .keep = 1.0f - s->rate * s->decay,
  };
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    adam_fetch(w + i, g + i, m + i, v + i);
    struct adam_vectors p = {vf_load(w + i), vf_load(m + i), vf_load(v + i)};
    p = adam_step(p, vf_load(g + i), &f);
    vf_store(w + i, p.w);
    vf_store(m + i, p.m);
    vf_store(v + i, p.v);
  }
  int64_t rest = n - i;
  if (!rest) return;
  struct adam_vectors p = {vf_load_part(w + i, rest, 0.0f), vf_load_part(m + i, rest, 0.0f), vf_load_part(v + i, rest, 1.0f)};
  p = adam_step(p, vf_load_part(g + i, rest, 0.0f), &f);
  vf_store_part(w + i, p.w, rest);
  vf_store_part(m + i, p.m, rest);
  vf_store_part(v + i, p.v, rest);
}
