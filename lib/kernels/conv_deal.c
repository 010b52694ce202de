/* Groups of few channels: the channels of a source dealt out to the lanes of the results, for one instruction set. */
#include "kernels/isa.h"
#include "kernels/vec.h"

/* Lane l is a channel of the result's group l / width. */
static vi first_channels(const struct dealing *d) {
  vi first = {0};
  for (int32_t l = 0; l < LANES && l / d->width * d->depth + d->depth <= d->window; l++) first[l] = l / d->width * d->depth;
  return first;
}

void ISA_NAME(conv_deal)(float *to, const float *from, const float *end, int64_t pixels, const struct dealing *d) {
  const vi first = first_channels(d);
  for (int64_t p = 0; p < pixels; p++, from += d->step) {
    vf x = end - from >= LANES ? vf_load(from) : vf_load_part(from, d->window, 0.0f);
    for (int32_t i = 0; i < d->depth; i++, to += LANES) vf_store(to, vf_permute(x, first + i));
  }
}
