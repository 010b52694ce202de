/* Samplers: a network's snapshot that samples in real time. Creation is in sampler.c, what may run in an audio callback in
 * sampler_draw.c and sampler_inputs.c. */
#ifndef GAN_NN_SAMPLER_H
#define GAN_NN_SAMPLER_H

#include "base/rng.h"
#include "nn/network.h"
#include "plan/plan.h"

struct sampler_input {
  const struct network_port *port;     /* of the snapshot */
  int64_t size;                        /* numbers in one sample */
  struct rng_key key;                  /* of the noise */
  int64_t rows;                        /* bound; 0: none */
  void *bound;                         /* room for max_batch rows, f32 or i32 */
};

struct sampler_plan {
  int64_t batch;
  gan_graph *graph;
  gan_node **nodes;                    /* of the inputs */
  gan_node *root;
  struct plan *plan;
};

struct gan_sampler {
  gan_context *ctx;                    /* its allocator and kernels only: a sampler may run while the context is in use */
  gan_network *snapshot;
  struct pool *pool;                   /* NULL: one thread */
  struct environment environment;
  struct sampler_input *inputs;        /* as many as the snapshot has */
  struct sampler_plan plans[2];        /* one sample, max_batch samples; the second unused if max_batch is 1 */
  void *arena, *scratch;               /* of whichever plan runs */
  int64_t arena_bytes, scratch_bytes;
  int64_t max_batch, sample_size;
  float reach;                         /* share of the normal distribution that noise is drawn from; 0: as the input says */
  char error[ERROR_TEXT];
};

/* Records a sentence in the sampler: no allocation, no lock. */
gan_status sampler_fail(gan_sampler *s, gan_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Rows of an input for samples first .. first + n - 1, which are number `call` .. of the present call. */
void sampler_fill(const gan_sampler *s, const struct sampler_input *in, void *to, int64_t first, int64_t call, int64_t n);
gan_status sampler_check_bound(gan_sampler *s, const struct sampler_input *in);

#endif
