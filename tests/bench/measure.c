#define _POSIX_C_SOURCE 200809L
#include "measure.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "counting.h"
#include "figures.h"
#include "machine.h"

enum { MOST_COUNTED = 50 };
static const double TRAINING_SECONDS = 1.0, SAMPLING_SECONDS = 0.5, COUNTING_SECONDS = 5.0;

/* ---------------------------------------------------------------------------------------------------------------- training */

static int train_once(void *user) {
  const struct bench_game *b = user;
  gan_status status = gan_game_step(b->game, "train");
  return status == GAN_OK || bench_failed(b->context, status);
}

static int counted(double seconds) {
  double fitting = COUNTING_SECONDS / seconds;
  return fitting > MOST_COUNTED ? MOST_COUNTED : fitting < 1 ? 1 : (int)fitting;
}

/* By the context's count and by the process's, whichever is more. */
static double training_allocations(struct bench_game *b, double seconds) {
  int64_t context_before = 0, context_after = 0, before = counting_allocations();
  int count = counted(seconds);
  gan_context_memory(b->context, NULL, NULL, &context_before);
  for (int i = 0; i < count; i++) train_once(b);
  int64_t after = counting_allocations();
  gan_context_memory(b->context, NULL, NULL, &context_after);
  const double seen = (double)(after - before), told = (double)(context_after - context_before);
  return (seen > told ? seen : told) / count;
}

int measure_training(const struct bench_case *c, int threads) {
  struct bench_game b;
  struct figures f = {.name = c->name, .suffix = "", .batch = c->batch, .threads = threads};
  if (!bench_game_make(&b, c, threads)) return 0;
  gan_game_cost(b.game, "train", &f.plan, &f.flops);
  int done = figures_time(&f, train_once, &b, TRAINING_SECONDS);
  f.allocations = training_allocations(&b, f.time.least);
  if (done) figures_print(&f);
  bench_game_free(&b);
  return done;
}

/* ---------------------------------------------------------------------------------------------------------------- sampling */

struct bench_sampler {
  gan_sampler *sampler;
  int64_t batch, flops, weights; /* flops: of a draw; weights: numbers in all matrices and kernels */
  float *samples;
};

static int draw_once(void *user) {
  const struct bench_sampler *s = user;
  return gan_sampler_draw(s->sampler, 0, s->batch, s->samples) == GAN_OK;
}

static int64_t count_weights(gan_network *network) {
  int64_t count = 0;
  for (int32_t i = 0; i < gan_network_variable_count(network); i++) {
    gan_variable v = {.struct_size = sizeof v};
    if (gan_network_variable_info(network, i, &v) != GAN_OK || v.rank < 2) continue;
    int64_t elements = 1;
    for (int32_t d = 0; d < v.rank; d++) elements *= v.shape[d];
    count += elements;
  }
  return count;
}

/* The noise is given, as the peers have it. */
static gan_status bind_noise(struct bench_sampler *s, gan_network *network) {
  gan_port input = {.struct_size = sizeof input};
  int64_t latent = 1;
  gan_network_input_info(network, 0, &input);
  for (int32_t i = 0; i < input.rank; i++) latent *= input.shape[i];
  float *z = malloc((size_t)(s->batch * latent) * sizeof *z);
  if (!z) return GAN_ERROR_MEMORY;
  gan_status status = gan_sampler_noise(s->sampler, "z", 0, s->batch, z);
  if (status == GAN_OK) status = gan_sampler_bind(s->sampler, "z", s->batch, z);
  free(z);
  return status;
}

static int sampler_make(struct bench_sampler *s, const struct bench_case *c, int threads, int64_t batch) {
  gan_context *context = NULL;
  gan_network *network = NULL;
  gan_sampler_config config;
  gan_status status = GAN_OK;
  *s = (struct bench_sampler){.batch = batch};
  gan_sampler_config_init(&config, sizeof config);
  config.max_batch = batch;
  config.threads = threads;
  int done = bench_context(&context, threads) && bench_generator(context, c, &network);
  if (done) status = gan_sampler_create(network, &config, &s->sampler);
  if (done && status == GAN_OK) status = bind_noise(s, network);
  if (status != GAN_OK) done = bench_failed(context, status);
  if (done) done = bench_generator_flops(context, network, batch, &s->flops);
  if (done) s->weights = count_weights(network);
  if (done) s->samples = malloc((size_t)(batch * gan_sampler_sample_size(s->sampler)) * sizeof *s->samples);
  gan_network_free(network);
  gan_context_free(context);
  return done && s->samples;
}

static void sampler_free(struct bench_sampler *s) {
  gan_sampler_free(s->sampler);
  free(s->samples);
}

static double sampling_allocations(struct bench_sampler *s) {
  int64_t before = counting_allocations();
  for (int i = 0; i < MOST_COUNTED; i++) draw_once(s);
  return (double)(counting_allocations() - before) / MOST_COUNTED;
}

int measure_sampling(const struct bench_case *c, int threads, int batch) {
  struct bench_sampler s;
  struct figures f = {.name = c->name, .suffix = batch == 1 ? "/infer-1" : "/infer-64", .batch = batch, .threads = threads};
  int done = sampler_make(&s, c, threads, batch);
  if (done) {
    f.flops = s.flops;
    done = figures_time(&f, draw_once, &s, SAMPLING_SECONDS);
    f.allocations = sampling_allocations(&s);
  }
  if (done) figures_print(&f);
  sampler_free(&s);
  return done;
}

/* --------------------------------------------------------------------------------------------------------------- bandwidth */

static void print_bandwidth(const char *name, const char *suffix, int threads, struct timing time, int64_t bytes, double reads,
                            double updates, double bandwidth_seconds) {
  printf("{\"case\": \"%s%s\", \"threads\": %d, \"ms\": %.4f, \"bytes\": %" PRId64 ", \"read_gb_s\": %.1f, \"update_gb_s\": %.1f, "
         "\"traffic_ms\": %.4f, \"share_of_bandwidth\": %.3f}\n",
         name, suffix, threads, time.median * 1e3, bytes, reads / 1e9, updates / 1e9, bandwidth_seconds * 1e3,
         bandwidth_seconds / time.median);
  fflush(stdout);
}

/* Bytes of the matrices of a network, and of those that are not its first. */
static int weigh(gan_context *context, const char *lines, int64_t *all, int64_t *later) {
  gan_network *network = NULL;
  gan_variable v = {.struct_size = sizeof v};
  gan_status status = gan_network_create(context, "network", &network);
  if (status == GAN_OK) {
    gan_network_build(network, lines);
    status = gan_network_finish(network);
  }
  if (status == GAN_OK) status = gan_network_variable_info(network, 0, &v);
  *all = 4 * count_weights(network);
  *later = *all - 4 * v.shape[0] * v.shape[1];
  gan_network_free(network);
  return status == GAN_OK || bench_failed(context, status);
}

/* At batch 1 a step reads each matrix for every product and updates it once:
 *   G: forward, gradient to the input of all but the first layer; D: forward on both batches at once, gradient to the inputs
 *   but the first; then, with the new weights, forward and gradient to all inputs. Adam reads and writes weight and two slots. */
int measure_training_bandwidth(const struct bench_case *c, int threads) {
  struct bench_game b;
  int64_t g, g_later, d, d_later;
  if (!bench_game_make(&b, c, threads)) return 0;
  int done = weigh(b.context, c->generator, &g, &g_later) && weigh(b.context, c->discriminator, &d, &d_later);
  struct timing time = clock_time(train_once, &b, TRAINING_SECONDS);
  if (done && time.median > 0) {
    int64_t reading = g + g_later + 3 * d + d_later, updating = 6 * (g + d), set = 3 * (g + d);
    double reads = machine_bandwidth(threads, set, 1), updates = machine_bandwidth(threads, set, 0);
    print_bandwidth(c->name, "", threads, time, reading + updating, reads, updates,
                    (double)reading / reads + (double)updating / updates);
  }
  bench_game_free(&b);
  return done;
}

/* At batch 1 sampling reads each matrix once. */
int measure_sampling_bandwidth(const struct bench_case *c, int threads) {
  struct bench_sampler s;
  int done = sampler_make(&s, c, threads, 1);
  struct timing time = done ? clock_time(draw_once, &s, SAMPLING_SECONDS) : (struct timing){-1, -1};
  if (time.median > 0) {
    double reads = machine_bandwidth(threads, 4 * s.weights, 1);
    print_bandwidth(c->name, "/infer-1", threads, time, 4 * s.weights, reads, 0, 4 * (double)s.weights / reads);
  }
  sampler_free(&s);
  return done;
}
