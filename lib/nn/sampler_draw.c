/* Drawing samples. Real time: on a sampler of one thread nothing here allocates, locks, logs or enters the system or BLAS. */
#include "nn/sampler.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A piece of up to 1 / SINGLES of max_batch is cheaper one by one than as a batch that is mostly idle (measured: a batch of 16 to
 * 256 costs as much as a fifth to a third of as many single samples). */
enum { SINGLES = 4 };

gan_status sampler_fail(gan_sampler *s, gan_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(s->error, sizeof s->error, format, arguments);
  va_end(arguments);
  return status;
}

static const struct sampler_plan *choose_plan(const gan_sampler *s, int64_t left) {
  int32_t one_by_one = s->max_batch == 1 || left <= s->max_batch / SINGLES || left == 1;
  return &s->plans[one_by_one ? 0 : 1];
}

/* Rows behind the n-th keep what they held: each row of the network's output depends on its own row of the inputs alone. */
static void draw_piece(gan_sampler *s, const struct sampler_plan *p, int64_t first, int64_t call, int64_t n, float *out) {
  for (int64_t i = 0; i < s->snapshot->n_inputs; i++) {
    void *memory = plan_input(p->plan, p->nodes[i]);
    if (memory) sampler_fill(s, &s->inputs[i], memory, first, call, n);
  }
  plan_run(p->plan, 0, s->pool, &s->environment);
  memcpy(out, plan_value(p->plan, p->root), (size_t)(n * s->sample_size) * sizeof *out);
}

gan_status gan_sampler_draw(gan_sampler *sampler, int64_t first, int64_t count, float *out) {
  gan_sampler *s = sampler;
  if (!s) return GAN_ERROR_ARGUMENT;
  if (first < 0 || count < 0 || count > INT64_MAX - first || (count && !out)) {
    return sampler_fail(s, GAN_ERROR_ARGUMENT, "gan_sampler_draw: first and count may not be negative, out not NULL");
  }
  for (int64_t i = 0; i < s->snapshot->n_inputs; i++) TRY(sampler_check_bound(s, &s->inputs[i]));
  for (int64_t done = 0; done < count;) {
    const struct sampler_plan *p = choose_plan(s, count - done);
    int64_t n = count - done < p->batch ? count - done : p->batch;
    draw_piece(s, p, first + done, done, n, out + done * s->sample_size);
    done += n;
  }
  return GAN_OK;
}

gan_status gan_sampler_error(const gan_sampler *sampler, char *text, int64_t capacity, int64_t *needed) {
  return text_copy_out(NULL, sampler ? sampler->error : "", text, capacity, needed);
}
