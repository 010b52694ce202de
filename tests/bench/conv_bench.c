/* The convolutions of known networks, layer by layer, each of its three products: one line of JSON for each.
 *
 *   conv_bench [--threads N] [--isa 0|1|2] [--batch N] [--milliseconds N] [part of a layer's name, or F, X, W ..]
 *
 * gflops counts taps on the padding too, so share_of_peak may pass 1; the packing of the weights is included, but for
 * products of one image, which samplers run with weights packed before.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "clock.h"
#include "kernels/kernels.h"
#include "machine.h"

struct layer { const char *name; int64_t n, h, w, c, o, kernel, stride, padding, groups; const char *products; };

static const struct layer layers[] = {
  {"dcgan-28 7x7x256-128 k5s1", 64, 7, 7, 256, 128, 5, 1, 2, 1, "FXW"},
  {"dcgan-28 14x14x64-128 k5s2", 64, 14, 14, 64, 128, 5, 2, 2, 1, "FXW"},
  {"dcgan-28 28x28x1-64 k5s2", 64, 28, 28, 1, 64, 5, 2, 2, 1, "FXW"},
  {"dcgan-64 64x64x3-64 k4s2", 64, 64, 64, 3, 64, 4, 2, 1, 1, "FXW"},
  {"dcgan-64 32x32x64-128 k4s2", 64, 32, 32, 64, 128, 4, 2, 1, 1, "FXW"},
  {"dcgan-64 16x16x128-256 k4s2", 64, 16, 16, 128, 256, 4, 2, 1, 1, "FXW"},
  {"dcgan-64 8x8x256-512 k4s2", 64, 8, 8, 256, 512, 4, 2, 1, 1, "FXW"},
  {"dcgan-64 4x4x512-1 k4", 64, 4, 4, 512, 1, 4, 1, 0, 1, "FXW"},
  {"dcgan-64 4x4x512-100 k4", 64, 4, 4, 512, 100, 4, 1, 0, 1, "FXW"},
  {"sngan-32 8x8x256-256 k3", 64, 8, 8, 256, 256, 3, 1, 1, 1, "FXW"},
  {"sngan-32 16x16x256-256 k3", 64, 16, 16, 256, 256, 3, 1, 1, 1, "FXW"},
  {"sngan-32 32x32x256-256 k3", 64, 32, 32, 256, 256, 3, 1, 1, 1, "FXW"},
  {"sngan-32 32x32x128-128 k3", 64, 32, 32, 128, 128, 3, 1, 1, 1, "FXW"},
  {"sngan-32 32x32x3-128 k3", 64, 32, 32, 3, 128, 3, 1, 1, 1, "FXW"},
  {"sngan-32 32x32x256-3 k3", 64, 32, 32, 256, 3, 3, 1, 1, 1, "FXW"},
  {"sngan-32 32x32x128-128 k1", 64, 32, 32, 128, 128, 1, 1, 0, 1, "FXW"},
  {"dcgan-32 32x32x1-16 k3s2", 64, 32, 32, 1, 16, 3, 2, 1, 1, "FXW"},
  {"dcgan-32 16x16x16-32 k3s2", 64, 16, 16, 16, 32, 3, 2, 1, 1, "FXW"},
  {"dcgan-32 8x8x32-64 k3s2", 64, 8, 8, 32, 64, 3, 2, 1, 1, "FXW"},
  {"dcgan-32 4x4x64-128 k3s2", 64, 4, 4, 64, 128, 3, 2, 1, 1, "FXW"},
  {"depthwise 32x32x64 k3", 64, 32, 32, 64, 64, 3, 1, 1, 64, "FXW"},
  {"depthwise 16x16x128 k3s2", 64, 16, 16, 128, 128, 3, 2, 1, 128, "FXW"},
  {"groups of 2 32x32x64-64 k3", 64, 32, 32, 64, 64, 3, 1, 1, 32, "FXW"},
  {"groups of 4 32x32x64-64 k3", 64, 32, 32, 64, 64, 3, 1, 1, 16, "FXW"},
  {"groups of 8 32x32x64-64 k3", 64, 32, 32, 64, 64, 3, 1, 1, 8, "FXW"},
  {"groups of 16 32x32x64-64 k3", 64, 32, 32, 64, 64, 3, 1, 1, 4, "FXW"},
  {"groups of 32 16x16x128-128 k3", 64, 16, 16, 128, 128, 3, 1, 1, 4, "FXW"},
  {"wavegan 1x4096x64-128 k25s4", 64, 1, 4096, 64, 128, 25, 4, 11, 1, "FXW"},
  {"one 7x7x256-128 k5s1", 1, 7, 7, 256, 128, 5, 1, 2, 1, "FX"},
  {"one 14x14x64-128 k5s2", 1, 14, 14, 64, 128, 5, 2, 2, 1, "FX"},
  {"one 28x28x1-64 k5s2", 1, 28, 28, 1, 64, 5, 2, 2, 1, "FX"},
  {"one 4x4x512-100 k4", 1, 4, 4, 512, 100, 4, 1, 0, 1, "FX"},
  {"one 8x8x256-512 k4s2", 1, 8, 8, 256, 512, 4, 2, 1, 1, "FX"},
  {"one 16x16x128-256 k4s2", 1, 16, 16, 128, 256, 4, 2, 1, 1, "FX"},
  {"one 32x32x64-128 k4s2", 1, 32, 32, 64, 128, 4, 2, 1, 1, "FX"},
  {"one 64x64x3-64 k4s2", 1, 64, 64, 3, 64, 4, 2, 1, 1, "FX"},
  {"one 32x32x256-256 k3", 1, 32, 32, 256, 256, 3, 1, 1, 1, "FX"},
};
enum { LAYERS = sizeof layers / sizeof *layers };

static struct conv_shape shape_of(const struct layer *l, int32_t product, int64_t batch) {
  int64_t wide = l->h == 1, kh = wide ? 1 : l->kernel, sh = wide ? 1 : l->stride, ph = wide ? 0 : l->padding;
  return (struct conv_shape){.n = batch, .h = l->h, .w = l->w, .c = l->c, .kh = kh, .kw = l->kernel, .o = l->o,
                             .oh = (l->h + 2 * ph - kh) / sh + 1, .ow = (l->w + 2 * l->padding - l->kernel) / l->stride + 1,
                             .sh = sh, .sw = l->stride, .dh = 1, .dw = 1, .ph = ph, .pw = l->padding, .groups = l->groups,
                             .product = product, .packed = batch == 1 && product != CONV_W};
}

/* ------------------------------------------------------------------ running, on all threads of a pool */

enum { ROOM = 256, MOST_PASSES = 3 };

struct bench {
  const struct kernels *k;
  struct conv_shape s;
  float *a, *b, *out, *packed;
  void *shared;
  char *scratch;
  size_t scratch_step;
  struct pool *pool;
  atomic_llong next[MOST_PASSES];
};

static float *numbers(int64_t n) {
  float *p = aligned_alloc(64, ((size_t)n * sizeof *p + ROOM) / 64 * 64);
  if (!p) exit(1);
  for (int64_t i = 0; i < n; i++) p[i] = (float)(i * 7919 % 2001) * 1e-3f - 1.0f;
  return p;
}

static void work(void *user, int32_t worker, int32_t workers) {
  struct bench *b = user;
  (void)workers;
  for (int32_t pass = 0; pass < conv_passes(b->k, &b->s); pass++) {
    int64_t chunks = conv_chunks(b->k, &b->s, pass), i;
    while ((i = atomic_fetch_add(&b->next[pass], 1)) < chunks)
      conv_run(b->k, &b->s, b->a, b->s.packed ? b->packed : b->b, NULL, b->out, b->shared, pass, i,
               b->scratch + (size_t)worker * b->scratch_step);
    pool_barrier(b->pool);
  }
}

static int run_once(void *user) {
  struct bench *b = user;
  for (int i = 0; i < MOST_PASSES; i++) atomic_store(&b->next[i], 0);
  pool_run(b->pool, work, b);
  return 1;
}

static void prepare(struct bench *b, int32_t threads) {
  const struct conv_shape *s = &b->s;
  int64_t x = s->n * s->h * s->w * s->c, y = s->n * s->oh * s->ow * s->o, w = s->o * s->kh * s->kw * (s->c / s->groups);
  b->a = numbers(s->product == CONV_X ? y : x);
  b->b = numbers(s->product == CONV_W ? y : w);
  b->out = numbers(s->product == CONV_F ? y : s->product == CONV_X ? x : w);
  b->packed = numbers(s->packed ? (int64_t)(conv_packed_bytes(b->k, s) / sizeof(float)) : 0);
  if (s->packed) conv_pack(b->k, s, b->b, b->packed);
  b->shared = numbers((int64_t)(conv_shared(b->k, s) / sizeof(float)));
  b->scratch_step = (conv_scratch(b->k, s) + ROOM) / 64 * 64;
  b->scratch = (char *)numbers((int64_t)b->scratch_step / 4 * threads);
}

static void clean(struct bench *b) {
  free(b->a), free(b->b), free(b->out), free(b->packed), free(b->shared), free(b->scratch);
}

/* ------------------------------------------------------------------ the program */

struct request {
  const struct kernels *k;
  int32_t threads;
  int64_t batch; /* 0: the layer's own */
  double seconds;
  char **words;
  int count;
};

static int wanted(const struct request *r, const struct layer *l, char product) {
  int products = 0, product_named = 0, names = 0, named = 0;
  for (int i = 0; i < r->count; i++) {
    const char *word = r->words[i];
    int is_product = word[0] && !word[1] && strchr("FXW", word[0]);
    if (is_product) products++, product_named += word[0] == product;
    else names++, named += strstr(l->name, word) != NULL;
  }
  return (!products || product_named) && (!names || named) && strchr(l->products, product);
}

static void measure(const struct request *r, struct pool *pool, const struct layer *l, int32_t product, double peak) {
  struct bench b = {.k = r->k, .s = shape_of(l, product, r->batch ? r->batch : l->n), .pool = pool};
  prepare(&b, r->threads);
  struct timing t = clock_time(run_once, &b, r->seconds);
  const struct conv_shape *s = &b.s;
  double flops = (double)conv_flops(s);
  printf("{\"layer\": \"%s\", \"product\": \"%c\", \"n\": %d, \"h\": %d, \"w\": %d, \"c\": %d, \"o\": %d, \"kernel\": [%d, %d], "
         "\"stride\": [%d, %d], \"padding\": [%d, %d], \"groups\": %d, ",
         l->name, "FXW"[product], (int)s->n, (int)s->h, (int)s->w, (int)s->c, (int)s->o, (int)s->kh, (int)s->kw, (int)s->sh,
         (int)s->sw, (int)s->ph, (int)s->pw, (int)s->groups);
  printf("\"threads\": %d, \"isa\": \"%s\", \"ms\": %.4f, \"min_ms\": %.4f, \"gflops\": %.1f, \"share_of_peak\": %.3f, "
         "\"scratch_kib\": %.0f, \"shared_kib\": %.0f}\n",
         r->threads, r->k->name, t.median * 1e3, t.least * 1e3, flops / t.least * 1e-9, flops / t.least / peak,
         (double)conv_scratch(r->k, s) / 1024, (double)conv_shared(r->k, s) / 1024);
  fflush(stdout);
  clean(&b);
}

static int parse(struct request *r, int argc, char **argv) {
  int32_t isa = -1;
  r->threads = 1, r->seconds = 0.2;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc) r->threads = atoi(argv[++i]);
    else if (strcmp(argv[i], "--isa") == 0 && i + 1 < argc) isa = atoi(argv[++i]);
    else if (strcmp(argv[i], "--batch") == 0 && i + 1 < argc) r->batch = atoi(argv[++i]);
    else if (strcmp(argv[i], "--milliseconds") == 0 && i + 1 < argc) r->seconds = atof(argv[++i]) * 1e-3;
    else if (argv[i][0] == '-') return fprintf(stderr, "conv_bench: there is no option %s\n", argv[i]), 0;
    else r->words[r->count++] = argv[i];
  }
  r->k = kernels_select(isa);
  if (!r->k) return fprintf(stderr, "conv_bench: this processor has not got that instruction set\n"), 0;
  return r->batch >= 0 && r->threads >= 1 && r->threads <= 256;
}

int main(int argc, char **argv) {
  struct request r = {.words = argv};
  gan_context *context;
  struct pool *pool;
  if (!parse(&r, argc, argv)) return 2;
  if (gan_context_create(NULL, &context) != GAN_OK || pool_create(context, r.threads, &pool) != GAN_OK) return 1;
  double peak = machine_peak(r.threads);
  for (int i = 0; i < LAYERS; i++)
    for (int32_t product = CONV_F; product <= CONV_W; product++)
      if (wanted(&r, &layers[i], "FXW"[product])) measure(&r, pool, &layers[i], product, peak);
  pool_free(pool);
  gan_context_free(context);
  return 0;
}
