/* Memory that fails: a small training from first call to last sample, in which each allocation fails once, and from there on for
 * ever. Every call returns OK or MEMORY; what failed is tried again once there is memory, and then all comes out as if nothing had
 * happened, bit for bit; and nothing is left in the end. The same for files that end or fill up at any byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support.h"

enum { SAMPLES = 5, WIDTH = 3, FILE_BYTES = 1 << 20 };

static struct allocator memory;

static struct {
  gan_context *ctx;
  gan_tensor *images, *view;
  gan_data *data;
  gan_network *g, *d, *loaded;
  gan_layer *layer;
  gan_graph *graph, *step;
  gan_loss *loss, *penalty;
  gan_optimizer *optimizer;
  gan_game *game;
  gan_trainer *trainer;
  gan_sampler *sampler;
  struct memory_file network_file, game_file;
  char *network_bytes, *game_bytes;
  float out[4 * SAMPLES * WIDTH];
} t;

/* -------------------------------------------------------------------------------------------------------------- the scenario */

static gan_status make_context(void) {
  gan_context_config c = allocator_config(&memory);
  c.deterministic = 1;
  return gan_context_create(&c, &t.ctx);
}

static gan_status make_tensor(void) {
  gan_status status = gan_tensor_create(t.ctx, GAN_F32, 2, (int64_t[]){6, WIDTH}, &t.images);
  return status ? status : gan_tensor_random(t.images, "normal", 1);
}

static gan_status make_view(void) { return gan_tensor_slice(t.images, 0, 6, &t.view); }
static gan_status make_data(void) { return gan_data_create(t.ctx, &t.data); }
static gan_status fill_data(void) { return gan_data_add(t.data, "image", t.view, NULL); }
static gan_status make_layer(void) { return gan_layer_create(t.ctx, "dense units=4 init=(normal std=0.1)", &t.layer); }

/* A network that failed stays so: it is built anew. */
static gan_status build(gan_network **out, const char *name, const char *lines, gan_layer *layer) {
  gan_network *n = NULL;
  gan_status status = gan_network_create(t.ctx, name, &n);
  if (status) return status;
  gan_network_build(n, lines);
  if (layer) {
    gan_network_add_layer(n, layer, NULL);
    gan_network_dense(n, 1);
  }
  status = gan_network_finish(n);
  if (status) gan_network_free(n);
  else *out = n;
  return status;
}

static gan_status make_g(void) {
  return build(&t.g, "G", "input z 2 noise=normal; dense units=4; batch-norm; leaky-relu slope=0.2; dropout rate=0.3; dense units=3", NULL);
}
static gan_status make_d(void) { return build(&t.d, "D", "input x 3; dense units=4; relu", t.layer); }

static gan_status make_trainer(void) {
  gan_trainer_config c;
  gan_trainer_config_init(&c, sizeof c);
  c.batch = 2;
  c.penalty = "wgan-gp weight=10";
  c.loss = "wasserstein";
  c.ema = 0.9;
  return gan_trainer_create(t.g, t.d, t.data, &c, &t.trainer);
}
static gan_status train(void) { return gan_trainer_step(t.trainer); }
static gan_status sample_trainer(void) { return gan_trainer_sample(t.trainer, 0, SAMPLES, t.out); }

static gan_status save_network(void) {
  t.network_file.at = t.network_file.size = 0;
  gan_stream s = memory_stream(&t.network_file);
  return gan_network_save_stream(t.g, &s);
}
static gan_status load_network(void) { return gan_network_load_memory(t.ctx, t.network_bytes, t.network_file.size, &t.loaded); }
static gan_status save_game(void) {
  t.game_file.at = t.game_file.size = 0;
  gan_stream s = memory_stream(&t.game_file);
  return gan_game_save_stream(gan_trainer_game(t.trainer), &s);
}
static gan_status restore_game(void) {
  t.game_file.at = 0;
  gan_stream s = memory_stream(&t.game_file);
  return gan_game_restore_stream(gan_trainer_game(t.trainer), &s);
}
static gan_status run_network(void) {
  gan_tensor *out = NULL;
  gan_status status = gan_network_run(t.d, 1, &t.view, 1, &out);
  if (status == GAN_OK) gan_tensor_read(out, 0, 6, GAN_F32, t.out + 3 * SAMPLES * WIDTH);
  gan_tensor_free(out);
  return status;
}
static gan_status make_sampler(void) { return gan_sampler_create(t.loaded, NULL, &t.sampler); }
static gan_status sample(void) { return gan_sampler_draw(t.sampler, 0, SAMPLES, t.out + SAMPLES * WIDTH); }

static gan_status make_loss(void) { return gan_loss_create(t.ctx, "non-saturating smooth=0.1", &t.loss); }
static gan_status make_penalty(void) { return gan_loss_create(t.ctx, "wgan-gp", &t.penalty); }
static gan_status make_optimizer(void) {
  gan_status status = gan_optimizer_create(t.ctx, "adam", "adam rate=1e-3 schedule=(cosine steps=10)", &t.optimizer);
  if (!status && (status = gan_optimizer_add(t.optimizer, t.loaded, NULL, 1, 1))) {
    gan_optimizer_free(t.optimizer);
    t.optimizer = NULL;
  }
  return status;
}

/* A game's graph that failed stays so too. */
static gan_status make_game(void) {
  gan_game_config c;
  gan_game_config_init(&c, sizeof c);
  c.batch = 2;
  gan_status status = gan_game_create(t.ctx, &c, &t.game);
  if (status) return status;
  if (!(status = gan_game_add_step(t.game, "s", &t.step))) {
    gan_node *real = gan_data_node(t.step, t.data, "image");
    gan_node *fake = gan_apply(t.loaded, gan_noise(t.step, t.loaded, "z"));
    gan_node *score = gan_loss_generator(t.loss, NULL, gan_apply(t.d, fake));
    gan_node *penalty = gan_loss_penalty(t.penalty, t.d, real, fake, 0, NULL);
    gan_minimize(t.optimizer, gan_output(gan_total(2, (gan_term[]){{1, score}, {0.1, penalty}}), "loss"));
    status = gan_game_prepare(t.game);
  }
  if (status) {
    gan_game_free(t.game);
    t.game = NULL;
  }
  return status;
}
static gan_status play(void) { return gan_game_step(t.game, "s"); }
static gan_status read_game(void) {
  double loss = 0;
  gan_status status = gan_game_value(t.game, "s", "loss", &loss);
  t.out[2 * SAMPLES * WIDTH] = (float)loss;
  return status;
}
static gan_status report(void) {
  char text[500];
  return gan_game_report(t.game, text, sizeof text, NULL);
}

static gan_status make_graph(void) {
  gan_status status = gan_graph_create(t.ctx, &t.graph);
  if (status) return status;
  gan_node *x = gan_input(t.graph, "x", GAN_F32, 2, (int64_t[]){2, 3});
  gan_gradient(gan_sum(gan_softmax(gan_matmul(x, gan_transpose(x, 2, (int32_t[]){1, 0}), 0, 0), -1)), x);
  status = gan_graph_check(t.graph);
  if (status) {
    gan_graph_free(t.graph);
    t.graph = NULL;
  }
  return status;
}
static gan_status dump(void) {
  int64_t needed;
  gan_status status = gan_graph_dot(t.graph, NULL, 0, &needed);
  return status ? status : gan_graph_text(t.graph, NULL, 0, &needed);
}
static gan_status summary(void) {
  int64_t needed;
  return gan_network_summary(t.g, NULL, 0, &needed);
}

static const struct { const char *name; gan_status (*run)(void); } parts[] = {
  {"context", make_context}, {"tensor", make_tensor}, {"view", make_view}, {"data", make_data}, {"data_add", fill_data},
  {"layer", make_layer}, {"G", make_g}, {"D", make_d}, {"summary", summary}, {"graph", make_graph}, {"dump", dump},
  {"trainer", make_trainer}, {"train", train}, {"train again", train}, {"sample by the trainer", sample_trainer},
  {"save the network", save_network}, {"load the network", load_network}, {"save the game", save_game}, {"train more", train},
  {"restore the game", restore_game}, {"train as before", train}, {"run the network", run_network}, {"sampler", make_sampler}, {"sample", sample},
  {"loss", make_loss}, {"penalty", make_penalty}, {"optimizer", make_optimizer}, {"game", make_game}, {"play", play},
  {"play again", play}, {"read", read_game}, {"report", report},
};
enum { PARTS = sizeof parts / sizeof *parts };

static void start(void) {
  if (!t.network_bytes) t.network_bytes = malloc(FILE_BYTES);
  if (!t.game_bytes) t.game_bytes = malloc(FILE_BYTES);
  t.network_file = (struct memory_file){.bytes = t.network_bytes, .capacity = FILE_BYTES};
  t.game_file = (struct memory_file){.bytes = t.game_bytes, .capacity = FILE_BYTES};
  memory = (struct allocator){0};
}

static void stop(void) {
  gan_context_free(t.ctx);
  gan_tensor_free(t.images);
  gan_tensor_free(t.view);
  gan_data_free(t.data);
  gan_network_free(t.g);
  gan_network_free(t.d);
  gan_network_free(t.loaded);
  gan_layer_free(t.layer);
  gan_graph_free(t.graph);
  gan_loss_free(t.loss);
  gan_loss_free(t.penalty);
  gan_optimizer_free(t.optimizer);
  gan_game_free(t.game);
  gan_trainer_free(t.trainer);
  gan_sampler_free(t.sampler);
  char *network_bytes = t.network_bytes, *game_bytes = t.game_bytes;
  memset(&t, 0, sizeof t);
  t.network_bytes = network_bytes, t.game_bytes = game_bytes;
}

/* --------------------------------------------------------------------------------------------------------------- failing memory */

static void check_failure(int part, gan_status status, int64_t at) {
  char text[300] = "";
  if (status != GAN_ERROR_MEMORY)
    fail_msg("allocation %lld failed: %s gives status %d, %s", (long long)at, parts[part].name, status, gan_status_text(status));
  if (!t.ctx) return; /* no context, no sentence */
  gan_context_error(t.ctx, text, sizeof text, NULL);
  if (!text[0]) fail_msg("allocation %lld failed: %s has no sentence", (long long)at, parts[part].name);
}

/* Runs all parts; a part that fails runs again with memory. Returns how many failed. */
static int run_all(int64_t at) {
  int failures = 0;
  for (int i = 0; i < PARTS; i++) {
    gan_status status = parts[i].run();
    if (status == GAN_OK) continue;
    failures++;
    check_failure(i, status, at);
    memory.fail_at = 0;
    status = parts[i].run();
    if (status) {
      char text[300] = "";
      gan_context_error(t.ctx, text, sizeof text, NULL);
      fail_msg("allocation %lld failed: %s does not work afterwards: %s", (long long)at, parts[i].name, text);
    }
  }
  return failures;
}

static void fail_each(int32_t for_ever) {
  start();
  assert_int_equal(run_all(0), 0);
  int64_t calls = memory.calls;
  float expected[sizeof t.out / sizeof *t.out];
  memcpy(expected, t.out, sizeof expected);
  stop();
  assert_int_equal(memory.live, 0);
  int64_t unheard = 0;
  for (int64_t at = 1; at <= calls; at += test_every()) {
    start();
    memory.fail_at = at;
    memory.fail_on = for_ever;
    if (!run_all(at)) unheard++;
    if (memcmp(expected, t.out, sizeof expected)) fail_msg("allocation %lld failed: other samples than without", (long long)at);
    stop();
    if (memory.live) fail_msg("allocation %lld failed: %lld are left", (long long)at, (long long)memory.live);
  }
  print_message("%lld allocations; %lld times nobody minded\n", (long long)calls, (long long)unheard);
}

static void test_once(void **state) {
  (void)state;
  fail_each(0);
}

static void test_for_ever(void **state) {
  (void)state;
  fail_each(1);
}

/* -------------------------------------------------------------------------------------------------------------- memory_limit */

/* A context with less memory than is needed says so, and holds to it. */
static void test_limit(void **state) {
  (void)state;
  start();
  assert_int_equal(run_all(0), 0);
  int64_t peak;
  assert_int_equal(gan_context_memory(t.ctx, NULL, &peak, NULL), GAN_OK);
  stop();
  for (int64_t limit = 1024; limit < peak + 1024; limit += 1 + peak / (200 / test_every() + 1)) {
    start();
    gan_context_config c = allocator_config(&memory);
    c.memory_limit = limit;
    gan_status status = gan_context_create(&c, &t.ctx);
    for (int i = 1; i < PARTS && status == GAN_OK; i++) {
      status = parts[i].run();
      assert_true(memory.bytes <= limit);
      if (status) check_failure(i, status, limit);
    }
    assert_true(status == GAN_OK || status == GAN_ERROR_MEMORY);
    stop();
    assert_int_equal(memory.live, 0);
  }
}

/* ------------------------------------------------------------------------------------------------------------- failing files */

static void test_full_disk(void **state) {
  (void)state;
  start();
  assert_int_equal(run_all(0), 0);
  int64_t network_size = t.network_file.size, game_size = t.game_file.size;
  for (int64_t size = 0; size < network_size; size += test_every()) {
    t.network_file.capacity = size;
    assert_int_equal(save_network(), GAN_ERROR_FILE);
  }
  for (int64_t size = 0; size < game_size; size += 7 * test_every()) {
    t.game_file.capacity = size;
    assert_int_equal(save_game(), GAN_ERROR_FILE);
  }
  stop();
  assert_int_equal(memory.live, 0);
}

/* A file that ends early: an error, and the game goes on as if it had not been asked. */
static void test_short_file(void **state) {
  (void)state;
  start();
  assert_int_equal(run_all(0), 0);
  int64_t network_size = t.network_file.size, game_size = t.game_file.size;
  gan_network *network = NULL;
  for (int64_t size = 0; size < network_size; size += test_every()) {
    assert_int_equal(gan_network_load_memory(t.ctx, t.network_bytes, size, &network), GAN_ERROR_FORMAT);
    assert_null(network);
  }
  float before[SAMPLES * WIDTH], after[SAMPLES * WIDTH];
  must(t.ctx, gan_trainer_sample(t.trainer, 0, SAMPLES, before));
  for (int64_t size = 0; size < game_size; size += 7 * test_every()) {
    t.game_file.size = size;
    gan_status status = restore_game();
    assert_true(status == GAN_ERROR_FORMAT || status == GAN_ERROR_FILE);
  }
  must(t.ctx, gan_trainer_sample(t.trainer, 0, SAMPLES, after));
  assert_memory_equal(before, after, sizeof before);
  stop();
  assert_int_equal(memory.live, 0);
}

static int clean(void **state) {
  (void)state;
  memory.fail_at = 0;
  stop();
  return 0;
}

static int end(void **state) {
  (void)state;
  free(t.network_bytes);
  free(t.game_bytes);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown(test_once, clean),
    cmocka_unit_test_teardown(test_for_ever, clean),
    cmocka_unit_test_teardown(test_limit, clean),
    cmocka_unit_test_teardown(test_full_disk, clean),
    cmocka_unit_test_teardown(test_short_file, clean),
  };
  return cmocka_run_group_tests_name("faults", tests, NULL, end);
}
