/* Checkpoints: a run that was saved and restored goes on with the same bits; what does not fit leaves the game as it was. */
#include "games.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/safetensors.h"
#include "train/trainer.h"

/* A trainer with everything that has state: batch norm, average, slots, schedule, dropout, labels, a place in the data. */
struct run { gan_context *ctx; gan_network *g, *d; gan_data *data; gan_trainer *t; };

static const char *const generator =
  "input z 4 noise=normal; input label classes=3; one-hot classes=3 from=label name=h; concat from=z,h;"
  "dense units=8; batch-norm; relu; dense units=2";
static const char *const discriminator =
  "input x 2; dense units=8 name=first; leaky-relu slope=0.2; dropout rate=0.2; dense units=1";

static void add_labels(const struct run *r) {
  const int64_t count = 100;
  gan_tensor *labels;
  must(r->ctx, gan_tensor_create(r->ctx, GAN_I32, 1, &count, &labels));
  must(r->ctx, gan_tensor_random(labels, "integers high=3", 1));
  must(r->ctx, gan_data_add(r->data, "label", labels, "classes=3"));
  gan_tensor_free(labels);
}

static struct run run_with(struct allocator *a, int32_t threads, const char *d, const char *optimizer_d) {
  struct run r = {.ctx = make_context(a, threads)};
  gan_trainer_config c;
  gan_trainer_config_init(&c, sizeof c);
  c.batch = 7;
  c.ema = 0.9;
  c.optimizer_d = optimizer_d;
  c.optimizer_g = "rmsprop rate=1e-3 momentum=0.5 schedule=(cosine steps=50 warmup=5)";
  r.g = make_network(r.ctx, "G", generator);
  r.d = make_network(r.ctx, "D", d);
  r.data = make_points(r.ctx, 100);
  add_labels(&r);
  must(r.ctx, gan_trainer_create(r.g, r.d, r.data, &c, &r.t));
  return r;
}

static struct run run_open(struct allocator *a, int32_t threads) {
  return run_with(a, threads, discriminator, "adam rate=1e-2 clip-norm=1");
}

static void run_close(struct run *r) {
  gan_trainer_free(r->t);
  gan_network_free(r->g);
  gan_network_free(r->d);
  gan_data_free(r->data);
  gan_context_free(r->ctx);
}

static void go(struct run *r, int steps) {
  for (int i = 0; i < steps; i++) must(r->ctx, gan_trainer_step(r->t));
}

static void assert_same_network(gan_network *a, gan_network *b) {
  int64_t n, m;
  float *x = copy_weights(a, &n), *y = copy_weights(b, &m);
  assert_int_equal(n, m);
  assert_memory_equal(x, y, (size_t)n * sizeof *x);
  free(x);
  free(y);
}

/* Same weights now, and the same bits after some more steps: then slots, positions and streams are the same, too. */
static void assert_same(struct run *a, struct run *b, int more) {
  for (int i = 0; i < 2; i++) {
    assert_same_network(a->g, b->g);
    assert_same_network(a->d, b->d);
    assert_same_network(gan_trainer_generator(a->t), gan_trainer_generator(b->t));
    assert_int_equal(gan_game_steps(gan_trainer_game(a->t)), gan_game_steps(gan_trainer_game(b->t)));
    if (i == 0) go(a, more), go(b, more);
  }
}

/* ------------------------------------------------------------------ files in memory */

enum { CAPACITY = 1 << 17 };
static char space[CAPACITY], other_space[CAPACITY];

static struct memory_file file_in(char *bytes) {
  return (struct memory_file){.bytes = bytes, .capacity = CAPACITY};
}

static gan_status save_to(struct run *r, struct memory_file *f) {
  gan_stream s = memory_stream(f);
  return gan_game_save_stream(gan_trainer_game(r->t), &s);
}

static gan_status restore_from(struct run *r, struct memory_file *f) {
  gan_stream s = memory_stream(f);
  f->at = 0;
  return gan_game_restore_stream(gan_trainer_game(r->t), &s);
}

/* ------------------------------------------------------------------ it goes on */

static void a_restored_run_goes_on_with_the_same_bits(void **state) {
  (void)state;
  struct memory_file f = file_in(space);
  struct run a = run_open(NULL, 1), b = run_open(NULL, 3);
  go(&a, 20); /* ends within an epoch of 100 samples */
  must(a.ctx, gan_optimizer_set_rate(a.t->optimizer_d, 3e-3));
  must(a.ctx, save_to(&a, &f));
  go(&b, 3); /* somewhere else */
  must(b.ctx, restore_from(&b, &f));
  assert_true(gan_optimizer_rate(b.t->optimizer_d) == 3e-3);
  gan_progress p = {.struct_size = sizeof p};
  must(b.ctx, gan_trainer_progress(b.t, &p));
  assert_int_equal(p.step, 20);
  assert_int_equal(p.samples, 140);
  assert_same(&a, &b, 17);
  run_close(&a);
  run_close(&b);
}

static void saving_twice_gives_the_same_bytes(void **state) {
  (void)state;
  struct memory_file f = file_in(space), g = file_in(other_space);
  struct run a = run_open(NULL, 1);
  go(&a, 2);
  must(a.ctx, save_to(&a, &f));
  must(a.ctx, restore_from(&a, &f));
  must(a.ctx, save_to(&a, &g));
  assert_int_equal(f.size, g.size);
  assert_memory_equal(space, other_space, (size_t)f.size);
  run_close(&a);
}

static void files_work_as_streams_do(void **state) {
  (void)state;
  char path[] = "/tmp/libgan-checkpoint-XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  close(fd);
  struct run a = run_open(NULL, 1), b = run_open(NULL, 1);
  go(&a, 4);
  must(a.ctx, gan_trainer_save(a.t, path));
  must(b.ctx, gan_trainer_restore(b.t, path));
  assert_same(&a, &b, 3);
  unlink(path);
  assert_int_equal(gan_trainer_restore(b.t, path), GAN_ERROR_FILE);
  assert_int_equal(gan_trainer_save(b.t, "/nowhere/at/all"), GAN_ERROR_FILE);
  assert_same(&a, &b, 2);
  run_close(&a);
  run_close(&b);
}

/* ------------------------------------------------------------------ names of tensors */

static void tensors_have_names_of_their_own(void **state) {
  (void)state;
  struct run a = run_open(NULL, 1);
  struct game_tensors t;
  static const char *const expected[] = {
    "D/first/weight", "G/batch-norm1/running_mean", "G-ema/dense1/weight",
    "optimizer:D/square/D/first/bias", "optimizer:G/momentum/G/dense1/weight",
  };
  must(a.ctx, game_tensors_list(a.t->game, &t));
  for (size_t k = 0; k < sizeof expected / sizeof *expected; k++) {
    int found = 0;
    for (int64_t i = 0; i < t.count; i++) found += strcmp(t.list[i].name, expected[k]) == 0;
    if (found != 1) fail_msg("%d tensors are named '%s'", found, expected[k]);
  }
  for (int64_t i = 0; i < t.count; i++)
    for (int64_t k = 0; k < i; k++) assert_string_not_equal(t.list[i].name, t.list[k].name);
  game_tensors_free(&t);
  run_close(&a);
}

static void networks_of_one_name_are_told_apart(void **state) {
  (void)state;
  gan_context *ctx = make_context(NULL, 1);
  gan_network *a = make_network(ctx, "N", "input x 2; dense units=1"), *b = make_network(ctx, "N", "input x 2; dense units=1");
  gan_game *game;
  gan_graph *g;
  gan_optimizer *o;
  struct game_tensors t;
  must(ctx, gan_game_create(ctx, NULL, &game));
  must(ctx, gan_game_add_step(game, "s", &g));
  must(ctx, gan_optimizer_create(ctx, "o", "sgd", &o));
  must(ctx, gan_optimizer_add(o, a, NULL, 1, 1));
  gan_node *x = gan_random(g, "x", "normal", 2, (int64_t[]){3, 2});
  gan_minimize(o, gan_mean(gan_add(gan_apply(a, x), gan_apply(b, x))));
  must(ctx, gan_game_prepare(game));
  must(ctx, game_tensors_list(game, &t));
  assert_int_equal(t.count, 4); /* b is not trained, but it belongs to the game */
  assert_string_equal(t.list[2].name, "N/dense1/weight#2");
  game_tensors_free(&t);
  gan_game_free(game);
  gan_optimizer_free(o);
  gan_network_free(a);
  gan_network_free(b);
  gan_context_free(ctx);
}

static void scalars_are_saved(void **state) {
  (void)state;
  gan_context *ctx = make_context(NULL, 1);
  struct memory_file f = file_in(space);
  gan_stream s = memory_stream(&f);
  gan_game *game;
  gan_graph *g;
  must(ctx, gan_game_create(ctx, NULL, &game));
  for (int i = 0; i < 2; i++) {
    must(ctx, gan_game_add_step(game, i ? "b" : "a", &g));
    gan_output(gan_scale(gan_scalar(g, "weight \"w\"", 3), 2), "y");
  }
  must(ctx, gan_game_set(game, "weight \"w\"", 0.1));
  must(ctx, gan_game_save_stream(game, &s));
  must(ctx, gan_game_set(game, "weight \"w\"", 5));
  f.at = 0;
  must(ctx, gan_game_restore_stream(game, &s));
  must(ctx, gan_game_step(game, "b"));
  assert_true((float)value_of(game, "b", "y") == 2 * 0.1f);
  gan_game_free(game);
  gan_context_free(ctx);
}

/* ------------------------------------------------------------------ what does not fit */

static void check_misfit(const char *d, const char *optimizer_d, gan_status status, const char *part) {
  struct memory_file f = file_in(space);
  struct run a = run_open(NULL, 1), b = run_with(NULL, 1, d, optimizer_d), c = run_with(NULL, 1, d, optimizer_d);
  go(&a, 2);
  must(a.ctx, save_to(&a, &f));
  go(&b, 3);
  go(&c, 3);
  assert_int_equal(restore_from(&b, &f), status);
  assert_sentence(b.ctx, part);
  assert_same(&b, &c, 2);
  run_close(&a);
  run_close(&b);
  run_close(&c);
}

static void what_does_not_fit_changes_nothing(void **state) {
  (void)state;
  static const char *const adam = "adam rate=1e-2";
  check_misfit("input x 2; dense units=9 name=first; leaky-relu slope=0.2; dropout rate=0.2; dense units=1", adam,
               GAN_ERROR_SHAPE,
               "tensor 'D/first/weight' is 8x2, in this game 9x2");
  check_misfit("input x 2; dense units=8 name=other; leaky-relu slope=0.2; dropout rate=0.2; dense units=1", adam,
               GAN_ERROR_SHAPE,
               "tensor 'D/first/");
  check_misfit("input x 2; dense units=8 name=first; dense units=4 name=more; dense units=1 name=dense1", adam, GAN_ERROR_SHAPE,
               "");
  check_misfit(discriminator, "sgd rate=1e-2", GAN_ERROR_SHAPE, "is not in this game");
  check_misfit(discriminator, "adamw rate=1e-2", GAN_ERROR_SHAPE, "is of a game with other steps, phases or optimizers");
}

static void other_files_are_refused(void **state) {
  (void)state;
  struct memory_file f = file_in(space);
  gan_stream s = memory_stream(&f);
  struct run a = run_open(NULL, 1), b = run_open(NULL, 1);
  must(a.ctx, gan_network_save_stream(a.g, &s));
  assert_int_equal(restore_from(&a, &f), GAN_ERROR_FORMAT);
  assert_sentence(a.ctx, "expected 'game'");
  assert_same(&a, &b, 2);
  run_close(&a);
  run_close(&b);
}

/* Writes a checkpoint again with one metadata entry replaced. */
static void forge(gan_context *ctx, const struct memory_file *from, struct memory_file *to, const char *key, const char *value) {
  static const char *const keys[] = {"gan.kind", "gan.format", "gan.version", "gan.build", "gan.isa", "gan.steps", "gan.seed",
    "gan.digest", "gan.state"};
  enum { KEYS = sizeof keys / sizeof *keys };
  struct st_metadata metadata[KEYS];
  struct st_file f;
  struct reader r;
  struct writer w;
  gan_stream out = memory_stream(to);
  must(ctx, reader_memory(&r, ctx, from->bytes, from->size));
  must(ctx, st_open(&f, ctx, &r));
  struct st_tensor *tensors = calloc((size_t)f.count, sizeof *tensors);
  for (int64_t i = 0; i < f.count; i++) {
    tensors[i] = f.tensors[i];
    float *data = malloc((size_t)(f.tensors[i].count + 1) * sizeof *data);
    must(ctx, st_read(&f, i, data));
    tensors[i].data = data;
  }
  for (int i = 0; i < KEYS; i++)
    metadata[i] = (struct st_metadata){keys[i], strcmp(keys[i], key) == 0 ? value : st_metadata(&f, keys[i])};
  must(ctx, writer_stream(&w, ctx, &out));
  must(ctx, st_write(&w, KEYS, metadata, f.count, tensors));
  must(ctx, writer_commit(&w));
  for (int64_t i = 0; i < f.count; i++) free((void *)tensors[i].data);
  free(tensors);
  st_close(&f);
  reader_close(&r);
}

static void metadata_is_checked(void **state) {
  (void)state;
  static const struct { const char *key, *value; gan_status status; } cases[] = {
    {"gan.format", "2", GAN_ERROR_UNSUPPORTED},
    {"gan.format", "one", GAN_ERROR_FORMAT},
    {"gan.kind", "sampler", GAN_ERROR_FORMAT},
    {"gan.steps", "-4", GAN_ERROR_FORMAT},
    {"gan.steps", "", GAN_ERROR_FORMAT},
    {"gan.seed", "12x", GAN_ERROR_FORMAT},
    {"gan.digest", "0", GAN_ERROR_SHAPE},
    {"gan.state", "[]", GAN_ERROR_FORMAT},
    {"gan.state", "{", GAN_ERROR_FORMAT},
    {"gan.state", "{\"runs\":[1,2]}", GAN_ERROR_FORMAT},
    {"gan.state", "{\"runs\":[1],\"data\":[1],\"optimizers\":[],\"scalars\":[]}", GAN_ERROR_SHAPE},
    {"gan.state", "{\"runs\":[1,-2],\"data\":[1],\"optimizers\":[],\"scalars\":[]}", GAN_ERROR_FORMAT},
    {"gan.state", "{\"runs\":[1,2],\"data\":[1.5],\"optimizers\":[],\"scalars\":[]}", GAN_ERROR_FORMAT},
    {"gan.state", "{\"runs\":[1,2],\"data\":[1],\"optimizers\":[],\"scalars\":[]}", GAN_ERROR_SHAPE},
    {"gan.state", "{\"runs\":[1,2],\"data\":[1],\"optimizers\":[{\"name\":\"D\",\"step\":1,\"rate\":-1},{}],\"scalars\":[]}",
      GAN_ERROR_FORMAT},
    {"gan.state", "{\"runs\":[1,2],\"data\":[1],\"optimizers\":[{\"name\":\"X\",\"step\":1,\"rate\":1},{}],\"scalars\":[]}",
      GAN_ERROR_SHAPE},
  };
  struct run a = run_open(NULL, 1), b = run_open(NULL, 1);
  struct memory_file f = file_in(space);
  go(&a, 1);
  go(&b, 1);
  must(a.ctx, save_to(&a, &f));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct memory_file g = file_in(other_space);
    forge(a.ctx, &f, &g, cases[i].key, cases[i].value);
    gan_status status = restore_from(&a, &g);
    if (status != cases[i].status) fail_msg("%s = %s: %s", cases[i].key, cases[i].value, gan_status_text(status));
  }
  assert_same(&a, &b, 2);
  run_close(&a);
  run_close(&b);
}

static int warnings;

static void count_warnings(void *user, int32_t level, const char *text) {
  (void)user;
  warnings += level == GAN_LOG_WARNING && strstr(text, "gan.isa") != NULL;
}

static void another_build_is_restored_with_a_warning(void **state) {
  (void)state;
  struct memory_file f = file_in(space), g = file_in(other_space);
  struct run a = run_open(NULL, 1);
  go(&a, 1);
  must(a.ctx, save_to(&a, &f));
  forge(a.ctx, &f, &g, "gan.isa", "abacus");
  a.ctx->log = count_warnings;
  must(a.ctx, restore_from(&a, &f));
  assert_int_equal(warnings, 0);
  must(a.ctx, restore_from(&a, &g));
  assert_int_equal(warnings, 1);
  run_close(&a);
}

/* ------------------------------------------------------------------ broken files */

static void files_that_end_early_change_nothing(void **state) {
  (void)state;
  struct memory_file f = file_in(space);
  struct run a = run_open(NULL, 1), b = run_open(NULL, 1);
  go(&a, 2);
  must(a.ctx, save_to(&a, &f));
  go(&a, 1);
  go(&b, 3);
  int64_t size = f.size;
  for (f.size = 0; f.size < size; f.size += 1 + f.size / 30) {
    gan_status status = restore_from(&a, &f);
    assert_true(status == GAN_ERROR_FORMAT || status == GAN_ERROR_FILE);
  }
  f.size = size;
  for (f.fail_after = 1; f.fail_after < size; f.fail_after += 1 + f.fail_after / 3) assert_int_not_equal(restore_from(&a, &f),
                                                                                                         GAN_OK);
  assert_same(&a, &b, 2);
  run_close(&a);
  run_close(&b);
}

static void full_disks_are_noticed(void **state) {
  (void)state;
  struct memory_file f = file_in(space);
  struct run a = run_open(NULL, 1), b = run_open(NULL, 1);
  must(a.ctx, save_to(&a, &f));
  for (int64_t capacity = 0; capacity < f.size; capacity += 1 + capacity / 2) {
    struct memory_file g = file_in(other_space);
    g.capacity = capacity;
    assert_int_equal(save_to(&a, &g), GAN_ERROR_FILE);
  }
  assert_same(&a, &b, 2);
  run_close(&a);
  run_close(&b);
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  struct memory_file f = file_in(space), g = file_in(other_space);
  struct allocator a = {0};
  struct run r = run_open(&a, 1), b = run_open(NULL, 1);
  go(&r, 2);
  must(r.ctx, save_to(&r, &f));
  go(&r, 1);
  go(&b, 3);
  for (int32_t restore = 0; restore < 2; restore++)
    for (int64_t at = 1;; at++) {
      int64_t live = a.live;
      a.fail_at = a.calls + at;
      g = file_in(other_space);
      gan_status status = restore ? restore_from(&r, &f) : save_to(&r, &g);
      int reached = a.calls >= a.fail_at;
      a.fail_at = 0;
      assert_int_equal(a.live, live);
      assert_int_equal(status, reached ? GAN_ERROR_MEMORY : GAN_OK);
      if (!reached) break;
    }
  must(b.ctx, restore_from(&b, &f));
  assert_same(&r, &b, 2);
  run_close(&r);
  run_close(&b);
  assert_int_equal(a.live, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_restored_run_goes_on_with_the_same_bits),
    cmocka_unit_test(saving_twice_gives_the_same_bytes),
    cmocka_unit_test(files_work_as_streams_do),
    cmocka_unit_test(tensors_have_names_of_their_own),
    cmocka_unit_test(networks_of_one_name_are_told_apart),
    cmocka_unit_test(scalars_are_saved),
    cmocka_unit_test(what_does_not_fit_changes_nothing),
    cmocka_unit_test(other_files_are_refused),
    cmocka_unit_test(metadata_is_checked),
    cmocka_unit_test(another_build_is_restored_with_a_warning),
    cmocka_unit_test(files_that_end_early_change_nothing),
    cmocka_unit_test(full_disks_are_noticed),
    cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
