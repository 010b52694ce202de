/* Data sources: what batches consist of, in which order, from memory and from callbacks. */
#include "games.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A game whose step "s" only reads slots of a source. */
struct feed { gan_context *ctx; gan_data *data; gan_game *game; gan_graph *graph; int64_t batch; };

static struct feed feed_open_on(struct allocator *a, int64_t batch, int64_t seed) {
  struct feed f = {.ctx = make_context(a, 1), .batch = batch};
  gan_game_config c;
  gan_game_config_init(&c, sizeof c);
  c.batch = batch;
  c.seed = seed;
  must(f.ctx, gan_data_create(f.ctx, &f.data));
  must(f.ctx, gan_game_create(f.ctx, &c, &f.game));
  must(f.ctx, gan_game_add_step(f.game, "s", &f.graph));
  return f;
}

static struct feed feed_open(int64_t batch, int64_t seed) {
  return feed_open_on(NULL, batch, seed);
}

static void feed_close(struct feed *f) {
  gan_game_free(f->game);
  gan_data_free(f->data);
  gan_context_free(f->ctx);
}

static void ask(struct feed *f, const char *slot) {
  gan_output(gan_data_node(f->graph, f->data, slot), slot);
}

/* The values of a slot after a step; count numbers. */
static void take(struct feed *f, const char *slot, int64_t count, double *out) {
  gan_tensor *t;
  must(f->ctx, gan_tensor_create(f->ctx, GAN_F64, 1, &count, &t));
  must(f->ctx, gan_game_read(f->game, "s", slot, t));
  memcpy(out, gan_tensor_data(t), (size_t)count * sizeof *out);
  gan_tensor_free(t);
}

/* 0, 1, 2, .. as samples of one number. */
static void add_numbers(struct feed *f, const char *slot, int64_t count, int32_t type, const char *spec) {
  gan_tensor *t;
  must(f->ctx, gan_tensor_create(f->ctx, type, 1, &count, &t));
  for (int64_t i = 0; i < count; i++) {
    int32_t value = (int32_t)i;
    must(f->ctx, gan_tensor_write(t, i, 1, GAN_I32, &value));
  }
  must(f->ctx, gan_data_add(f->data, slot, t, spec));
  gan_tensor_free(t);
}

/* ------------------------------------------------------------------ order */

enum { COUNT = 10, EPOCHS = 6 };

/* Runs steps until that many samples came. */
static void collect(struct feed *f, int64_t samples, double *order) {
  for (int64_t at = 0; at < samples; at += f->batch) {
    double batch[64];
    must(f->ctx, gan_game_step(f->game, "s"));
    take(f, "x", f->batch, batch);
    for (int64_t i = 0; i < f->batch && at + i < samples; i++) order[at + i] = batch[i];
  }
}

static void order_of(int64_t batch, int64_t seed, double *order) {
  struct feed f = feed_open(batch, seed);
  add_numbers(&f, "x", COUNT, GAN_F32, NULL);
  ask(&f, "x");
  collect(&f, COUNT * EPOCHS, order);
  feed_close(&f);
}

static void every_epoch_is_a_permutation(void **state) {
  (void)state;
  double order[COUNT * EPOCHS];
  order_of(4, 3, order); /* batches join epochs: 10 is no multiple of 4 */
  int differ = 0;
  for (int e = 0; e < EPOCHS; e++) {
    int seen[COUNT] = {0};
    for (int i = 0; i < COUNT; i++) seen[(int)order[e * COUNT + i]]++;
    for (int i = 0; i < COUNT; i++) assert_int_equal(seen[i], 1);
    differ += e > 0 && memcmp(order, order + e * COUNT, COUNT * sizeof *order) != 0;
  }
  assert_int_equal(differ, EPOCHS - 1);
}

static void order_depends_on_the_seed_alone(void **state) {
  (void)state;
  double a[COUNT * EPOCHS], b[COUNT * EPOCHS], c[COUNT * EPOCHS], d[COUNT * EPOCHS];
  order_of(4, 3, a);
  order_of(1, 3, b);
  order_of(25, 3, c); /* more than there are */
  order_of(4, 4, d);
  assert_memory_equal(a, b, sizeof a);
  assert_memory_equal(a, c, sizeof a);
  assert_memory_not_equal(a, d, sizeof a);
}

static void slots_belong_together(void **state) {
  (void)state;
  struct feed f = feed_open(4, 1);
  double x[4], y[4], z[4];
  add_numbers(&f, "x", COUNT, GAN_F32, NULL);
  add_numbers(&f, "y", COUNT, GAN_I32, "classes=10");
  add_numbers(&f, "z", COUNT, GAN_F64, NULL);
  ask(&f, "x");
  ask(&f, "y");
  ask(&f, "z");
  assert_ptr_equal(gan_data_node(f.graph, f.data, "x"), gan_data_node(f.graph, f.data, "x"));
  for (int i = 0; i < 5; i++) {
    must(f.ctx, gan_game_step(f.game, "s"));
    take(&f, "x", 4, x);
    take(&f, "y", 4, y);
    take(&f, "z", 4, z);
    assert_memory_equal(x, y, sizeof x);
    assert_memory_equal(x, z, sizeof x);
  }
  feed_close(&f);
}

static void sources_are_shuffled_apart(void **state) {
  (void)state;
  struct feed f = feed_open(10, 1);
  gan_data *other;
  double x[10], y[10];
  must(f.ctx, gan_data_create(f.ctx, &other));
  add_numbers(&f, "x", COUNT, GAN_F32, NULL);
  ask(&f, "x");
  gan_data *first = f.data;
  f.data = other;
  add_numbers(&f, "y", COUNT, GAN_F32, NULL);
  ask(&f, "y");
  must(f.ctx, gan_game_step(f.game, "s"));
  take(&f, "x", 10, x);
  take(&f, "y", 10, y);
  assert_memory_not_equal(x, y, sizeof x);
  gan_data_free(first);
  feed_close(&f);
}

/* ------------------------------------------------------------------ values */

static void bytes_are_mapped(void **state) {
  (void)state;
  struct feed f = feed_open(COUNT, 1);
  double a[COUNT], b[COUNT];
  add_numbers(&f, "x", COUNT, GAN_U8, NULL);
  add_numbers(&f, "y", COUNT, GAN_U8, "range=0..255");
  ask(&f, "x");
  ask(&f, "y");
  must(f.ctx, gan_game_step(f.game, "s"));
  take(&f, "x", COUNT, a);
  take(&f, "y", COUNT, b);
  for (int i = 0; i < COUNT; i++) assert_true(fabs(a[i] - (b[i] * 2 / 255 - 1)) < 1e-6);
  feed_close(&f);
}

static void ends_of_a_range_are_met(void **state) {
  (void)state;
  struct feed f = feed_open(2, 1);
  const int64_t shape[] = {2, 4};
  gan_tensor *t;
  double x[8];
  must(f.ctx, gan_tensor_create(f.ctx, GAN_U8, 2, shape, &t));
  memset(gan_tensor_data(t), 255, 4);
  must(f.ctx, gan_data_add(f.data, "x", t, "2x2x1 range=-0.5...5"));
  gan_tensor_free(t);
  ask(&f, "x");
  assert_int_equal(gan_node_rank(gan_data_node(f.graph, f.data, "x")), 4);
  must(f.ctx, gan_game_step(f.game, "s"));
  take(&f, "x", 8, x);
  for (int i = 0; i < 8; i++) assert_true(fabs(fabs(x[i]) - 0.5) < 1e-6);
  assert_true(fabs(x[0] + x[7]) < 1e-6);
  feed_close(&f);
}

/* ------------------------------------------------------------------ callbacks */

struct counter { int64_t calls, count, refuse, released; float offset; int32_t label; };

static int32_t fill(void *user, const int64_t *indices, int64_t count, gan_tensor *const *tensors) {
  struct counter *c = user;
  if (c->refuse) return (int32_t)c->refuse;
  float *x = gan_tensor_data(tensors[0]);
  int32_t *label = gan_tensor_data(tensors[1]);
  assert_int_equal(gan_tensor_rank(tensors[0]), 3);
  assert_int_equal(gan_tensor_size(tensors[0], 0), count);
  assert_int_equal(gan_tensor_type(tensors[1]), GAN_I32);
  for (int64_t i = 0; i < count; i++) {
    for (int k = 0; k < 6; k++) x[6 * i + k] = (float)indices[i] + c->offset;
    label[i] = c->label >= 0 ? c->label : (int32_t)(indices[i] % 3);
  }
  c->calls++;
  c->count += count;
  return 0;
}

static void count_release(void *user, void *memory, int64_t size) {
  struct counter *c = user;
  (void)memory, (void)size;
  c->released++;
}

static void callbacks_fill_batches(void **state) {
  (void)state;
  struct feed f = feed_open(4, 3);
  struct counter c = {.label = -1};
  double order[COUNT * EPOCHS], x[24];
  must(f.ctx, gan_data_callback(f.data, COUNT, "x 2x3; label classes=3\n", fill, &c, count_release));
  assert_int_equal(gan_data_count(f.data), COUNT);
  ask(&f, "x"); /* the label goes nowhere */
  order_of(4, 3, order);
  for (int i = 0; i < 5; i++) {
    must(f.ctx, gan_game_step(f.game, "s"));
    take(&f, "x", 24, x);
    for (int k = 0; k < 4; k++) assert_true(x[6 * k] == order[4 * i + k] && x[6 * k + 5] == x[6 * k]);
  }
  assert_int_equal(c.calls, 5);
  assert_int_equal(c.count, 20);
  assert_int_equal(c.released, 0);
  feed_close(&f);
  assert_int_equal(c.released, 1);
}

static void a_callback_that_fails_may_be_asked_again(void **state) {
  (void)state;
  struct feed f = feed_open(4, 3);
  struct counter c = {.label = -1, .refuse = 7};
  double order[COUNT * EPOCHS], x[24];
  order_of(4, 3, order);
  must(f.ctx, gan_data_callback(f.data, COUNT, "x 2x3; label classes=3", fill, &c, NULL));
  ask(&f, "x");
  ask(&f, "label");
  assert_int_equal(gan_game_step(f.game, "s"), GAN_ERROR_CALLBACK);
  assert_sentence(f.ctx, "returned 7");
  assert_int_equal(gan_game_steps(f.game), 0);
  c.refuse = 0;
  must(f.ctx, gan_game_step(f.game, "s"));
  take(&f, "x", 24, x);
  assert_true(x[0] == order[0]);
  c.label = 3;
  assert_int_equal(gan_game_step(f.game, "s"), GAN_ERROR_ARGUMENT);
  assert_sentence(f.ctx, "data slot 'label' has a label 3, expected 0 .. 2");
  feed_close(&f);
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  for (int64_t at = 1;; at++) {
    struct allocator a = {0};
    struct feed f = feed_open_on(&a, 4, 3);
    struct counter c = {.label = -1};
    a.fail_at = a.calls + at;
    gan_status status = gan_data_callback(f.data, COUNT, "x 2x3; label classes=3", fill, &c, count_release);
    if (status == GAN_OK) {
      ask(&f, "x");
      status = gan_game_step(f.game, "s");
    }
    int reached = a.calls >= a.fail_at;
    a.fail_at = 0;
    feed_close(&f);
    assert_int_equal(a.live, 0);
    assert_int_equal(status, reached ? GAN_ERROR_MEMORY : GAN_OK);
    if (!reached) break;
  }
}

/* ------------------------------------------------------------------ mistakes */

static gan_status add(struct feed *f, const char *slot, int32_t type, int32_t rank, const int64_t *shape, const char *spec) {
  gan_tensor *t;
  must(f->ctx, gan_tensor_create(f->ctx, type, rank, shape, &t));
  gan_status status = gan_data_add(f->data, slot, t, spec);
  gan_tensor_free(t);
  return status;
}

static void slots_are_checked(void **state) {
  (void)state;
  struct feed f = feed_open(4, 1);
  const int64_t shape[] = {5, 6};
  assert_int_equal(gan_data_count(f.data), 0);
  assert_int_equal(add(&f, "x", GAN_F32, 0, NULL, NULL), GAN_ERROR_SHAPE);
  assert_int_equal(add(&f, "x/y", GAN_F32, 2, shape, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(add(&f, "x", GAN_F32, 2, shape, "range=0..1"), GAN_ERROR_ARGUMENT);
  assert_int_equal(add(&f, "x", GAN_F32, 2, shape, "classes=3"), GAN_ERROR_ARGUMENT);
  assert_int_equal(add(&f, "x", GAN_U8, 2, shape, "range=1..0"), GAN_ERROR_ARGUMENT);
  assert_int_equal(add(&f, "x", GAN_U8, 2, shape, "range=1"), GAN_ERROR_ARGUMENT);
  assert_int_equal(add(&f, "x", GAN_U8, 2, shape, "rang=0..1"), GAN_ERROR_ARGUMENT);
  assert_sentence(f.ctx, "range");
  assert_int_equal(add(&f, "x", GAN_F32, 2, shape, "2x4"), GAN_ERROR_SHAPE);
  assert_sentence(f.ctx, "cannot be seen as 2x4");
  assert_int_equal(gan_data_count(f.data), 0);
  must(f.ctx, add(&f, "x", GAN_F32, 2, shape, "2x3"));
  assert_int_equal(gan_data_count(f.data), 5);
  assert_int_equal(add(&f, "x", GAN_F32, 2, shape, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(add(&f, "y", GAN_F32, 1, (int64_t[]){6}, NULL), GAN_ERROR_SHAPE);
  assert_sentence(f.ctx, "6 samples, the other slots have 5");
  assert_int_equal(gan_data_callback(f.data, 5, "z 2", fill, NULL, NULL), GAN_ERROR_STATE);
  assert_int_equal(gan_data_add(NULL, "x", NULL, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_data_add(f.data, NULL, NULL, NULL), GAN_ERROR_ARGUMENT);
  feed_close(&f);
}

static void labels_are_checked_when_they_come(void **state) {
  (void)state;
  struct feed f = feed_open(4, 1);
  gan_tensor *t;
  const int64_t count = 5;
  must(f.ctx, gan_tensor_create(f.ctx, GAN_I32, 1, &count, &t));
  ((int32_t *)gan_tensor_data(t))[3] = 4;
  assert_int_equal(gan_data_add(f.data, "y", t, "classes=4"), GAN_ERROR_ARGUMENT);
  assert_sentence(f.ctx, "label 3 is 4, expected 0 .. 3");
  must(f.ctx, gan_data_add(f.data, "y", t, "classes=5"));
  ask(&f, "y");
  must(f.ctx, gan_game_run(f.game, "s", 5));
  ((int32_t *)gan_tensor_data(t))[2] = -1; /* the tensor is the caller's, too */
  assert_int_equal(gan_game_run(f.game, "s", 5), GAN_ERROR_ARGUMENT);
  assert_sentence(f.ctx, "has a label -1");
  gan_tensor_free(t);
  feed_close(&f);
}

/* Nobody said how many classes there are; the table does. */
static void labels_must_lie_in_the_table(void **state) {
  (void)state;
  struct feed f = feed_open(4, 1);
  gan_tensor *table = make_tensor(f.ctx, 2, (int64_t[]){7, 2}, NULL);
  add_numbers(&f, "y", COUNT, GAN_I32, NULL);
  gan_output(gan_gather(gan_constant_tensor(f.graph, table), gan_data_node(f.graph, f.data, "y")), "rows");
  assert_int_equal(gan_game_run(f.game, "s", 3), GAN_ERROR_ARGUMENT);
  assert_sentence(f.ctx, "expected 0 .. 6");
  gan_tensor_free(table);
  feed_close(&f);
}

static void callbacks_are_checked(void **state) {
  (void)state;
  struct feed f = feed_open(4, 1);
  assert_int_equal(gan_data_callback(f.data, 0, "x 2", fill, NULL, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_data_callback(f.data, 5, " ;\n", fill, NULL, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_data_callback(f.data, 5, "x 2; x 3", fill, NULL, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_data_callback(f.data, 5, "x 2y3", fill, NULL, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_data_callback(f.data, 5, "x 2 range=0..1", fill, NULL, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_data_callback(f.data, 5, NULL, fill, NULL, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_data_callback(f.data, 5, "x 2", NULL, NULL, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_data_count(f.data), 0);
  must(f.ctx, gan_data_callback(f.data, 5, "x 2", fill, NULL, NULL));
  assert_int_equal(add(&f, "y", GAN_F32, 1, (int64_t[]){5}, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_node_type(gan_data_node(f.graph, f.data, "z")), -1);
  assert_int_equal(gan_game_prepare(f.game), GAN_ERROR_ARGUMENT);
  assert_sentence(f.ctx, "no slot 'z'");
  feed_close(&f);
}

static void only_games_have_a_batch(void **state) {
  (void)state;
  struct feed f = feed_open(4, 1);
  gan_graph *g;
  add_numbers(&f, "x", COUNT, GAN_F32, NULL);
  must(f.ctx, gan_graph_create(f.ctx, &g));
  gan_data_node(g, f.data, "x");
  assert_int_equal(gan_graph_check(g), GAN_ERROR_STATE);
  assert_non_null(gan_data_node(NULL, f.data, "x"));
  gan_graph_free(g);
  gan_data_free(NULL);
  assert_int_equal(gan_data_count(NULL), 0);
  feed_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_epoch_is_a_permutation),
    cmocka_unit_test(order_depends_on_the_seed_alone),
    cmocka_unit_test(slots_belong_together),
    cmocka_unit_test(sources_are_shuffled_apart),
    cmocka_unit_test(bytes_are_mapped),
    cmocka_unit_test(ends_of_a_range_are_met),
    cmocka_unit_test(callbacks_fill_batches),
    cmocka_unit_test(a_callback_that_fails_may_be_asked_again),
    cmocka_unit_test(every_allocation_may_fail),
    cmocka_unit_test(slots_are_checked),
    cmocka_unit_test(labels_are_checked_when_they_come),
    cmocka_unit_test(labels_must_lie_in_the_table),
    cmocka_unit_test(callbacks_are_checked),
    cmocka_unit_test(only_games_have_a_batch),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
