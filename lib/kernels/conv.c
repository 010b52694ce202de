/* Convolutions: which way of computing serves which shape. */
#include "kernels/conv.h"

static const struct conv_method *method_of(const struct conv_shape *s) {
  if (conv_is_depthwise(s)) return &conv_depthwise;
  if (s->product == CONV_W) return conv_winograd_pays(s) ? &conv_winograd_weight : &conv_weight;
  return conv_winograd_pays(s) ? &conv_winograd : &conv_gather;
}

static int32_t has_no_result(const struct conv_shape *s) {
  if (s->product == CONV_W) return s->c == 0 || s->o == 0 || conv_taps(s) == 0;
  return s->n == 0 || (s->product == CONV_F ? s->oh * s->ow * s->o : s->h * s->w * s->c) == 0;
}

int32_t conv_passes(const struct kernels *k, const struct conv_shape *s) {
  return has_no_result(s) ? 1 : method_of(s)->passes(k, s);
}

int64_t conv_chunks(const struct kernels *k, const struct conv_shape *s, int32_t pass) {
  return has_no_result(s) ? 1 : method_of(s)->chunks(k, s, pass);
}

size_t conv_scratch(const struct kernels *k, const struct conv_shape *s) {
  return has_no_result(s) ? 0 : method_of(s)->scratch(k, s);
}

size_t conv_shared(const struct kernels *k, const struct conv_shape *s) {
  return has_no_result(s) ? 0 : method_of(s)->shared(k, s);
}

void conv_run(const struct kernels *k, const struct conv_shape *s, const float *a, const float *b, const float *bias, float *out,
              void *shared, int32_t pass, int64_t chunk, void *scratch) {
  struct conv_operands o = {a, b, s->has_bias ? bias : NULL, out, shared};
  if (!has_no_result(s)) method_of(s)->run(k, s, &o, pass, chunk, scratch);
}

size_t conv_packed_bytes(const struct kernels *k, const struct conv_shape *s) {
  struct conv_shape with = *s;
  with.packed = 1;
  return method_of(&with)->packed_bytes(k, &with);
}

void conv_pack(const struct kernels *k, const struct conv_shape *s, const float *w, float *packed) {
  struct conv_shape with = *s;
  with.packed = 1;
  method_of(&with)->pack(k, &with, w, packed);
}
