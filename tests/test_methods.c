/* What papers do in several lines of a program, by the public header alone: networks that grow, and the truncation trick. */
#include "games.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 16 };

static void sample(gan_network *n, float out[N][2]) {
  gan_sampler *s = NULL;
  assert_int_equal(gan_sampler_create(n, NULL, &s), GAN_OK);
  assert_int_equal(gan_sampler_draw(s, 0, N, &out[0][0]), GAN_OK);
  gan_sampler_free(s);
}

static double far(float a[N][2], float b[N][2]) {
  double most = 0;
  for (int i = 0; i < N; i++) most = fmax(most, hypot(a[i][0] - b[i][0], a[i][1] - b[i][1]));
  return most;
}

static void set_number(gan_context *ctx, gan_network *n, const char *path, float value) {
  gan_tensor *t = make_tensor(ctx, 0, NULL, &value);
  must(ctx, gan_network_set(n, path, t));
  gan_tensor_free(t);
}

/* ------------------------------------------------------------------ progressive growing (Karras et al. 2018) */

#define SMALL "input z 4 noise=normal; dense units=8 name=base; tanh name=h; dense units=2 name=old"
#define LARGE SMALL "; dense units=8 from=h name=more; tanh; dense units=2 name=new; fade from=old,new name=fade"

/* The new network takes what the old one has of its names. */
static void take_weights(gan_context *ctx, gan_network *to, gan_network *from) {
  for (int32_t i = 0; i < gan_network_variable_count(from); i++) {
    gan_variable v = {.struct_size = sizeof v};
    must(ctx, gan_network_variable_info(from, i, &v));
    gan_tensor *t = make_tensor(ctx, v.rank, v.shape, NULL);
    must(ctx, gan_network_get(from, v.path, t));
    must(ctx, gan_network_set(to, v.path, t));
    gan_tensor_free(t);
  }
}

static gan_trainer *new_trainer(gan_context *ctx, gan_network *g, gan_network *d, gan_data *data) {
  gan_trainer *t = NULL;
  gan_trainer_config c;
  gan_trainer_config_init(&c, sizeof c);
  c.batch = 16;
  must(ctx, gan_trainer_create(g, d, data, &c, &t));
  return t;
}

static void networks_grow(void **state) {
  (void)state;
  gan_context *ctx = make_context(NULL, 1);
  gan_network *small = make_network(ctx, "G", SMALL), *large = make_network(ctx, "G", LARGE), *d = make_discriminator(ctx);
  gan_data *data = make_points(ctx, 64);
  float before[N][2], after[N][2], trained[N][2];
  gan_trainer *t = new_trainer(ctx, small, d, data);
  for (int i = 0; i < 20; i++) must(ctx, gan_trainer_step(t));
  gan_trainer_free(t);
  take_weights(ctx, large, small);
  sample(small, before);
  sample(large, after);
  assert_memory_equal(before, after, sizeof before); /* alpha is 0: nothing has changed */
  t = new_trainer(ctx, large, d, data);
  for (int i = 0; i <= 20; i++) {
    set_number(ctx, large, "fade/alpha", (float)i / 20);
    must(ctx, gan_trainer_step(t));
  }
  gan_trainer_free(t);
  sample(large, trained);
  assert_true(far(before, trained) > 1e-3);
  gan_tensor *none = make_tensor(ctx, 2, (int64_t[]){2, 8}, NULL); /* alpha is 1: the old way out counts no more */
  must(ctx, gan_network_set(large, "old/weight", none));
  sample(large, after);
  assert_true(far(trained, after) < 1e-6);
  gan_tensor_free(none);
  gan_data_free(data);
  gan_network_free(small);
  gan_network_free(large);
  gan_network_free(d);
  gan_context_free(ctx);
}

/* ------------------------------------------------------------------ the truncation trick (Karras et al. 2019) */

#define STYLED "input z 4 noise=normal; dense units=2 name=map; truncation decay=0.5 name=w;" \
  "dense units=2 bias=no init=(orthogonal)"

/* Training moves the mean of w; with psi 0 all samples are the mean's, with 1 as if there were no truncation. */
static void samples_move_to_the_mean(void **state) {
  (void)state;
  static const float psis[3] = {1, 0, 0.5f};
  gan_context *ctx = make_context(NULL, 1);
  gan_network *g = make_network(ctx, "G", STYLED), *d = make_discriminator(ctx);
  gan_data *data = make_points(ctx, 64);
  gan_tensor *bias = make_tensor(ctx, 1, (int64_t[]){2}, (float[]){3, -2}), *mean = make_tensor(ctx, 1, (int64_t[]){2}, NULL);
  float out[3][N][2];
  must(ctx, gan_network_set(g, "map/bias", bias));
  gan_trainer *t = new_trainer(ctx, g, d, data);
  for (int i = 0; i < 30; i++) must(ctx, gan_trainer_step(t));
  must(ctx, gan_network_get(g, "w/mean", mean));
  const float *m = gan_tensor_data(mean);
  assert_true(hypot(m[0] - 3, m[1] + 2) < 0.7);
  for (int k = 0; k < 3; k++) {
    set_number(ctx, g, "w/psi", psis[k]);
    sample(g, out[k]);
  }
  for (int i = 0; i < N; i++) {
    assert_true(hypot(out[1][i][0] - out[1][0][0], out[1][i][1] - out[1][0][1]) < 1e-6);
    for (int k = 0; k < 2; k++) assert_true(fabs(out[2][i][k] - 0.5 * (out[0][i][k] + out[1][i][k])) < 1e-5);
  }
  assert_true(far(out[0], out[1]) > 0.1);
  gan_tensor_free(bias);
  gan_tensor_free(mean);
  gan_trainer_free(t);
  gan_data_free(data);
  gan_network_free(g);
  gan_network_free(d);
  gan_context_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(networks_grow), cmocka_unit_test(samples_move_to_the_mean)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
