/* Standing statistics: batch norms' running statistics measured anew, alone and by the trainer. */
#include "players.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/trainer.h"

/* Of one batch, and of three: the same noise gives the same statistics as steps of a game whose momentum is 1. */
static void standing_statistics_are_means_over_batches(void **state) {
  (void)state;
  gan_context *ctx = make_context(NULL, 2);
  gan_network *n = make_network(ctx, "G", "input z 4 noise=normal; input label classes=3; dense units=3 from=z name=h;"
                                          "conditional-batch-norm classes=3 from=h,label;"
                                          "dense units=2 spectral-norm=yes name=last");
  gan_network *fast = make_network(ctx, "G", "input z 4 noise=normal; input label classes=3; dense units=3 from=z name=h;"
                                             "conditional-batch-norm classes=3 from=h,label momentum=1; dense units=2");
  const gan_game_config config = {.struct_size = sizeof config, .batch = 8, .seed = 5};
  gan_tensor *mean[2], *sum = make_tensor(ctx, 1, (int64_t[]){3}, NULL), *u[2];
  gan_game *game = NULL;
  gan_graph *g;
  gan_node *in[2], *y;
  for (int i = 0; i < 2; i++) mean[i] = make_tensor(ctx, 1, (int64_t[]){3}, NULL), u[i] = make_tensor(ctx, 1, (int64_t[]){2}, NULL);
  must(ctx, gan_game_create(ctx, &config, &game));
  must(ctx, gan_game_add_step(game, "s", &g));
  in[0] = gan_noise(g, fast, "z"), in[1] = gan_noise(g, fast, "label");
  gan_network_apply(fast, 1, 2, in, 1, &y);
  gan_optimizer *o = make_optimizer(ctx, "o", "sgd rate=0", fast, NULL);
  gan_minimize(o, gan_sum(y));
  must(ctx, gan_network_get(n, "last/weight_u", u[0]));
  for (int k = 1; k <= 3; k++) {
    must(ctx, gan_game_step(game, "s"));
    must(ctx, gan_network_get(fast, "conditional-batch-norm1/running_mean", mean[0]));
    for (int i = 0; i < 3; i++) ((float *)gan_tensor_data(sum))[i] += ((float *)gan_tensor_data(mean[0]))[i];
    must(ctx, gan_network_settle(n, 8, k, 5));
    must(ctx, gan_network_get(n, "conditional-batch-norm1/running_mean", mean[1]));
    for (int i = 0; i < 3; i++)
      assert_true(fabsf(((float *)gan_tensor_data(mean[1]))[i] * (float)k - ((float *)gan_tensor_data(sum))[i]) < 1e-5f);
  }
  must(ctx, gan_network_get(n, "last/weight_u", u[1]));
  assert_memory_equal(gan_tensor_data(u[0]), gan_tensor_data(u[1]), 2 * sizeof(float)); /* other state stays */
  for (int i = 0; i < 2; i++) gan_tensor_free(mean[i]), gan_tensor_free(u[i]);
  gan_tensor_free(sum);
  gan_game_free(game);
  gan_optimizer_free(o);
  gan_network_free(n);
  gan_network_free(fast);
  gan_context_free(ctx);
}

static void the_average_is_measured_before_it_is_sampled(void **state) {
  (void)state;
  struct play p = players_open(NULL, 1, SMALL_G, SMALL_D);
  float out[2], statistics[3][8];
  gan_tensor *mean = make_tensor(p.ctx, 1, (int64_t[]){8}, NULL);
  p.c.devices = "ema decay=0.9; standing-statistics batches=4";
  play_start(&p);
  for (int i = 0; i < 3; i++) {
    if (i == 0) play_on(&p, 5);
    if (i) must(p.ctx, gan_trainer_sample(p.t, 0, 1, out)); /* the second sample measures nothing */
    must(p.ctx, gan_network_get(gan_trainer_generator(p.t), "batch-norm1/running_mean", mean));
    memcpy(statistics[i], gan_tensor_data(mean), sizeof statistics[i]);
  }
  assert_memory_not_equal(statistics[0], statistics[1], sizeof *statistics);
  assert_memory_equal(statistics[1], statistics[2], sizeof *statistics);
  must(p.ctx, gan_network_settle(gan_trainer_generator(p.t), 12, 4, p.t->game->seed));
  must(p.ctx, gan_network_get(gan_trainer_generator(p.t), "batch-norm1/running_mean", mean));
  assert_memory_equal(statistics[1], gan_tensor_data(mean), sizeof *statistics);
  gan_tensor_free(mean);
  play_close(&p);
}

/* Each allocation fails once: nothing is lost, and the statistics stay as they were. */
static void measuring_may_fail(void **state) {
  (void)state;
  for (int64_t at = 1;; at += 3 * test_every()) {
    struct allocator a = {0};
    gan_context *ctx = make_context(&a, 1);
    gan_network *n = make_network(ctx, "G", SMALL_G);
    int64_t count;
    float *before = copy_weights(n, &count);
    a.fail_at = a.calls + at;
    gan_status status = gan_network_settle(n, 8, 2, 1);
    int reached = a.calls >= a.fail_at;
    a.fail_at = 0;
    float *after = copy_weights(n, NULL);
    assert_int_equal(status, reached ? GAN_ERROR_MEMORY : GAN_OK);
    assert_int_equal(memcmp(before, after, (size_t)count * sizeof *after) == 0, reached);
    free(before);
    free(after);
    gan_network_free(n);
    gan_context_free(ctx);
    assert_int_equal(a.live, 0);
    if (!reached) break;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(standing_statistics_are_means_over_batches),
    cmocka_unit_test(the_average_is_measured_before_it_is_sampled),
    cmocka_unit_test(measuring_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
