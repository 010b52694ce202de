/* Trainers whose networks have virtual batch norm: the reference batch stays, of the first samples and of one draw. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bed.h"
#include "games.h"
#include "nn/network.h"
#include "train/trainer.h"

enum { COUNT = 50, BATCH = 16, UNITS = 4 };

static int32_t fill(void *user, const int64_t *indices, int64_t count, gan_tensor *const *tensors) {
  const float *points = user;
  for (int64_t i = 0; i < count; i++) memcpy((float *)gan_tensor_data(tensors[0]) + 2 * i, points + 2 * indices[i], 8);
  return 0;
}

static void make_points_of(float points[2 * COUNT]) {
  for (int32_t i = 0; i < 2 * COUNT; i++) points[i] = (float)((i * 37) % 23) / 7 - 1;
}

static gan_data *data_of(gan_context *ctx, float *points, int32_t callback) {
  gan_data *d;
  must(ctx, gan_data_create(ctx, &d));
  if (callback) {
    must(ctx, gan_data_callback(d, COUNT, "point 2", fill, points, NULL));
    return d;
  }
  gan_tensor *t = make_tensor(ctx, 2, (int64_t[]){COUNT, 2}, points);
  must(ctx, gan_data_add(d, "point", t, NULL));
  gan_tensor_free(t);
  return d;
}

static gan_trainer *trainer_of(gan_network *g, gan_network *d, gan_data *data, int32_t fresh) {
  gan_trainer *t;
  gan_trainer_config c;
  gan_trainer_config_init(&c, sizeof c);
  c.batch = BATCH;
  c.optimizer_d = c.optimizer_g = "sgd rate=0";
  c.fresh_noise = fresh;
  must(g->ctx, gan_trainer_create(g, d, data, &c, &t));
  return t;
}

/* What the discriminator's layer has stored is what the first samples give, whatever batches came since. */
static void check_discriminator(gan_network *d, const float *points) {
  const float *w = network_variable(d, "dense1/weight")->data, *b = network_variable(d, "dense1/bias")->data;
  const float *mean = network_variable(d, "vbn/reference_mean")->data, *variance = network_variable(d, "vbn/reference_var")->data;
  assert_true(network_variable(d, "vbn/reference_rows")->data[0] == BATCH);
  for (int32_t j = 0; j < UNITS; j++) {
    double sum = 0, squares = 0;
    for (int32_t i = 0; i < BATCH; i++) {
      double y = (double)b[j] + (double)w[2 * j] * (double)points[2 * i] + (double)w[2 * j + 1] * (double)points[2 * i + 1];
      sum += y / BATCH;
      squares += y * y / BATCH;
    }
    assert_true(fabs((double)mean[j] - sum) < 1e-5);
    assert_true(fabs((double)variance[j] - (squares - sum * sum)) < 1e-5);
  }
}

static void test_reference_batches(void **state) {
  gan_context *ctx = *state;
  float points[2 * COUNT], first[UNITS];
  make_points_of(points);
  for (int32_t way = 0; way < 4; way++) {
    gan_network *g = make_network(ctx, "G", "input z 3 noise=uniform; input y classes=5; embedding classes=5 width=3;"
                                            "concat from=z,embedding1; dense units=4; virtual-batch-norm name=vbn; relu;"
                                            "dense units=2");
    gan_network *d = make_network(ctx, "D", "input x 2; dense units=4; virtual-batch-norm name=vbn; relu; dense units=1");
    gan_data *data = data_of(ctx, points, way & 1);
    gan_trainer *t = trainer_of(g, d, data, way >> 1);
    for (int32_t i = 0; i < 3; i++) {
      must(ctx, gan_trainer_step(t));
      check_discriminator(d, points);
      const float *mean = network_variable(g, "vbn/reference_mean")->data;
      if (way == 0 && i == 0) memcpy(first, mean, sizeof first);
      assert_memory_equal(mean, first, sizeof first); /* the generator's draw stays, too, and is the same for the same seed */
    }
    assert_true(network_variable(g, "vbn/reference_rows")->data[0] == BATCH);
    gan_trainer_free(t);
    gan_data_free(data);
    gan_network_free(g);
    gan_network_free(d);
  }
}

static int32_t refuse(void *user, const int64_t *indices, int64_t count, gan_tensor *const *tensors) {
  (void)user, (void)indices, (void)count, (void)tensors;
  return 7;
}

/* The callback is asked while the trainer is made. */
static void test_callback_fails(void **state) {
  gan_context *ctx = *state;
  gan_network *g = make_network(ctx, "G", "input z 3 noise=normal; dense units=2");
  gan_network *d = make_network(ctx, "D", "input x 2; virtual-batch-norm; dense units=1");
  gan_data *data;
  gan_trainer *t;
  must(ctx, gan_data_create(ctx, &data));
  must(ctx, gan_data_callback(data, COUNT, "point 2", refuse, NULL, NULL));
  assert_int_equal(gan_trainer_create(g, d, data, NULL, &t), GAN_ERROR_CALLBACK);
  assert_sentence(ctx, "the callback returned 7");
  gan_data_free(data);
  gan_network_free(g);
  gan_network_free(d);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {TEST(test_reference_batches), TEST(test_callback_fails)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
