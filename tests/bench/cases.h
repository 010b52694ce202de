/* The cases of the side-by-side benchmark, defined as in peers/torch_bench.py and built through the public header alone. */
#ifndef BENCH_CASES_H
#define BENCH_CASES_H

#include <gan.h>

struct bench_play;

struct bench_case {
  const char *name, *generator, *discriminator; /* lines of gan_network_build */
  int64_t batch;
  const char *loss, *penalty;                   /* penalty NULL: none */
  int together;                                 /* D takes real and generated samples as one batch */
  const struct bench_play *play;                /* a game of another kind; then the fields between name and batch are NULL */
};

/* A training step: D on a real and a generated batch, then G, both by Adam(2e-4, 0.5, 0.999); the data lies in memory, the noise
 * is drawn in the step. */
struct bench_game {
  gan_context *context;
  gan_game *game; /* its step is "train" */
};

extern const struct bench_case bench_cases[];
extern const int bench_case_count;
extern const char bench_adam[];

const struct bench_case *bench_case_find(const char *name);

/* The functions below report to standard error and return 0 if something fails. */
int bench_context(gan_context **context, int threads);
int bench_generator(gan_context *context, const struct bench_case *c, gan_network **network);
int bench_generator_flops(gan_context *context, gan_network *network, int64_t batch, int64_t *flops); /* of a batch */
int bench_game_make(struct bench_game *b, const struct bench_case *c, int threads);
void bench_game_free(struct bench_game *b);
gan_status bench_network(gan_context *context, const char *name, const char *lines, gan_network **network);
int bench_failed(const gan_context *context, gan_status status);

#endif
