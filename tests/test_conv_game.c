/* What the house promises, kept by convolutional games: bits that do not depend on threads, resuming, no allocation in a step,
 * failures of the allocator. The networks have every layer whose sums or state could betray one of these. */
#include "play.h"

#include <stdlib.h>
#include <string.h>

/* Folds (upsampling, mean pooling), strides, odd sizes, groups, few and many channels, norms with and without a batch. */
static const char *const generator =
  "input z 16 noise=normal; dense units=432; reshape shape=3x3x48; batch-norm; relu;"
  "conv-transpose2d filters=40 kernel=5 stride=2 padding=2 bias=no; batch-norm; leaky-relu slope=0.2;"
  "residual-block filters=32 resample=up norm=batch-norm; pixel-norm; relu;"
  "upsample; conv2d filters=16 kernel=3 padding=1; instance-norm; relu; conv2d filters=1 kernel=3 padding=1; tanh";
static const char *const discriminator =
  "input x 20x20x1; conv2d filters=24 kernel=4 stride=2 padding=1 spectral-norm=yes; leaky-relu slope=0.2; dropout2d rate=0.2;"
  "residual-block filters=40 resample=down spectral-norm=yes; self-attention ratio=4 spectral-norm=yes;"
  "conv2d filters=40 kernel=3 padding=2 dilation=2 groups=4 weight-norm=yes; leaky-relu slope=0.2; minibatch-stddev;"
  "max-pool kernel=3 stride=2; flatten; dense units=1 equalised=yes";

static gan_data *make_images(gan_context *ctx) {
  gan_data *data = NULL;
  gan_tensor *images = make_tensor(ctx, 4, (int64_t[]){50, 20, 20, 1}, NULL);
  must(ctx, gan_tensor_random(images, "uniform low=-1 high=1", 5));
  must(ctx, gan_data_create(ctx, &data));
  must(ctx, gan_data_add(data, "image", images, NULL));
  gan_tensor_free(images);
  return data;
}

static struct play play_open(struct allocator *a, int32_t threads, int64_t batch) {
  struct play p = {.ctx = make_context(a, threads)};
  p.g = make_network(p.ctx, "G", generator);
  p.d = make_network(p.ctx, "D", discriminator);
  p.data = make_images(p.ctx);
  gan_trainer_config_init(&p.c, sizeof p.c);
  p.c.batch = batch;
  p.c.penalty = "wgan-gp weight=1";
  p.c.loss = "hinge";
  p.c.ema = 0.9;
  return p;
}

/* Variables of both networks and of the average. */
static void assert_same(struct play *a, struct play *b) {
  gan_network *of_a[] = {a->g, a->d, gan_trainer_generator(a->t)}, *of_b[] = {b->g, b->d, gan_trainer_generator(b->t)};
  for (int i = 0; i < 3; i++) {
    int64_t n, m;
    float *x = copy_weights(of_a[i], &n), *y = copy_weights(of_b[i], &m);
    assert_int_equal(n, m);
    assert_memory_equal(x, y, (size_t)n * sizeof *x);
    free(x);
    free(y);
  }
}

static void threads_do_not_change_a_bit(void **state) {
  (void)state;
  static const int32_t threads[] = {2, 3, 8};
  struct play one = play_open(NULL, 1, 12);
  play_start(&one);
  play_on(&one, 4);
  for (int i = 0; i < 3; i++) {
    struct play many = play_open(NULL, threads[i], 12);
    play_start(&many);
    play_on(&many, 4);
    assert_same(&one, &many);
    play_close(&many);
  }
  play_close(&one);
}

static void a_restored_game_goes_on_with_the_same_bits(void **state) {
  (void)state;
  enum { CAPACITY = 1 << 22 };
  struct memory_file file = {.bytes = malloc(CAPACITY), .capacity = CAPACITY};
  gan_stream stream = memory_stream(&file);
  struct play a = play_open(NULL, 1, 8), b = play_open(NULL, 2, 8);
  play_start(&a);
  play_start(&b);
  play_on(&a, 5);
  play_on(&b, 2);
  must(a.ctx, gan_game_save_stream(gan_trainer_game(a.t), &stream));
  file.at = 0;
  must(b.ctx, gan_game_restore_stream(gan_trainer_game(b.t), &stream));
  assert_same(&a, &b);
  play_on(&a, 3);
  play_on(&b, 3);
  assert_same(&a, &b);
  play_close(&a);
  play_close(&b);
  free(file.bytes);
}

static void steps_allocate_nothing(void **state) {
  (void)state;
  struct allocator a = {0};
  struct play p = play_open(&a, 2, 8);
  float samples[10 * 400];
  play_start(&p);
  play_on(&p, 1);
  must(p.ctx, gan_trainer_sample(p.t, 0, 10, samples));
  int64_t calls = a.calls;
  play_on(&p, 5);
  must(p.ctx, gan_trainer_sample(p.t, 10, 10, samples));
  assert_int_equal(a.calls, calls);
  play_close(&p);
  assert_int_equal(a.live, 0);
}

static int fail_at(int64_t at, int32_t for_ever) {
  struct allocator a = {0};
  struct play p = play_open(&a, 1, 2);
  float samples[2 * 400];
  return play_without_memory(&p, &a, at, for_ever, samples);
}

/* A sample of them, since building takes its time. */
static void allocations_may_fail(void **state) {
  (void)state;
  for (int64_t at = 0; fail_at(at, 0); at += 7 * test_every()) continue;
  for (int64_t at = 0; fail_at(at, 1); at += 41 * test_every()) continue;
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(threads_do_not_change_a_bit),
    cmocka_unit_test(a_restored_game_goes_on_with_the_same_bits),
    cmocka_unit_test(steps_allocate_nothing),
    cmocka_unit_test(allocations_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
