/* Handles may be freed in any order: what still needs an object keeps it, and in the end nothing is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support.h"

/* The eight kinds that hold on to each other come first: they are freed in every order. */
enum { CONTEXT, NETWORK, GRAPH, OPTIMIZER, DATA, GAME, TRAINER, SAMPLER, CORE, TENSOR = CORE, CRITIC, LAYER, LOSS, VIEW, ALL };

static struct allocator memory;
static void *handles[ALL];
static gan_node *node; /* of the graph */
static gan_status graph_status;

static void drop(int which) {
  switch (which) {
  case CONTEXT: gan_context_free(handles[which]); break;
  case NETWORK: case CRITIC: gan_network_free(handles[which]); break;
  case GRAPH: gan_graph_free(handles[which]); break;
  case OPTIMIZER: gan_optimizer_free(handles[which]); break;
  case DATA: gan_data_free(handles[which]); break;
  case GAME: gan_game_free(handles[which]); break;
  case TRAINER: gan_trainer_free(handles[which]); break;
  case SAMPLER: gan_sampler_free(handles[which]); break;
  case TENSOR: case VIEW: gan_tensor_free(handles[which]); break;
  case LAYER: gan_layer_free(handles[which]); break;
  case LOSS: gan_loss_free(handles[which]); break;
  default: fail();
  }
  handles[which] = NULL;
}

static gan_network *make_network(gan_context *ctx, const char *name, const char *lines) {
  gan_network *n;
  must(ctx, gan_network_create(ctx, name, &n));
  gan_network_build(n, lines);
  must(ctx, gan_network_finish(n));
  return n;
}

/* A game that holds network, optimizer and data. */
static gan_game *make_game(gan_context *ctx, gan_network *network, gan_optimizer *optimizer, gan_data *data) {
  gan_game_config c;
  gan_game *game;
  gan_graph *step;
  gan_game_config_init(&c, sizeof c);
  c.batch = 2;
  must(ctx, gan_game_create(ctx, &c, &game));
  must(ctx, gan_game_add_step(game, "s", &step));
  gan_node *made = gan_apply(network, gan_noise(step, network, "z"));
  gan_minimize(optimizer, gan_mean(gan_square(gan_sub(made, gan_data_node(step, data, "image")))));
  must(ctx, gan_game_prepare(game));
  return game;
}

static void make_all(void) {
  gan_context_config cc = allocator_config(&memory);
  gan_context *ctx;
  graph_status = GAN_OK;
  cc.blas = GAN_BLAS_OFF;
  must(NULL, gan_context_create(&cc, &ctx));
  gan_network *net = make_network(ctx, "G", "input z 2 noise=normal; dense units=3");
  gan_network *critic = make_network(ctx, "D", "input x 3; dense units=1");
  gan_layer *layer;
  gan_loss *loss;
  gan_graph *graph;
  gan_optimizer *optimizer;
  gan_tensor *tensor, *view;
  gan_data *data;
  gan_trainer *trainer;
  gan_trainer_config tc;
  gan_sampler *sampler;
  gan_sampler_config sc;
  must(ctx, gan_layer_create(ctx, "dense units=2", &layer));
  must(ctx, gan_loss_create(ctx, "minimax", &loss));
  must(ctx, gan_graph_create(ctx, &graph));
  node = gan_layer_apply(layer, 1, 1, (gan_node *[]){gan_apply(net, gan_input(graph, "z", GAN_F32, 2, (int64_t[]){2, 2}))});
  must(ctx, gan_optimizer_create(ctx, "o", "sgd rate=0.1", &optimizer));
  must(ctx, gan_optimizer_add(optimizer, net, NULL, 1, 1));
  must(ctx, gan_tensor_create(ctx, GAN_F32, 2, (int64_t[]){4, 3}, &tensor));
  must(ctx, gan_tensor_slice(tensor, 1, 3, &view));
  must(ctx, gan_data_create(ctx, &data));
  must(ctx, gan_data_add(data, "image", tensor, NULL));
  gan_trainer_config_init(&tc, sizeof tc);
  tc.batch = 2;
  must(ctx, gan_trainer_create(net, critic, data, &tc, &trainer));
  gan_sampler_config_init(&sc, sizeof sc);
  sc.max_batch = 2;
  must(ctx, gan_sampler_create(net, &sc, &sampler));
  handles[CONTEXT] = ctx, handles[NETWORK] = net, handles[GRAPH] = graph, handles[OPTIMIZER] = optimizer, handles[DATA] = data;
  handles[GAME] = make_game(ctx, net, optimizer, data), handles[TRAINER] = trainer, handles[SAMPLER] = sampler;
  handles[TENSOR] = tensor, handles[CRITIC] = critic, handles[LAYER] = layer, handles[LOSS] = loss, handles[VIEW] = view;
}

static void assert_nothing_left(const int *order, int count) {
  char text[100] = "";
  if (!memory.live && !memory.bytes) return;
  for (int i = 0; i < count; i++) text[i] = (char)('a' + order[i]);
  fail_msg("%lld allocations are left after the order %s", (long long)memory.live, text);
}

/* All that is still there does its work. */
static void use(void) {
  float out[8 * 3];
  char text[300];
  double rate = handles[OPTIMIZER] ? gan_optimizer_rate(handles[OPTIMIZER]) : 0.1;
  assert_true(rate == 0.1);
  if (handles[CONTEXT]) assert_int_equal(gan_context_describe(handles[CONTEXT], text, sizeof text, NULL), GAN_OK);
  if (handles[NETWORK]) assert_int_equal(gan_network_parameters(handles[NETWORK]), 2 * 3 + 3);
  if (handles[CRITIC]) assert_int_equal(gan_network_variable_count(handles[CRITIC]), 2);
  if (handles[GRAPH]) {
    gan_node *y = handles[LOSS] ? gan_loss_discriminator(handles[LOSS], node, node) : gan_sum(node);
    if (handles[LAYER]) y = gan_layer_apply(handles[LAYER], 1, 1, (gan_node *[]){gan_gradient(y, node)});
    (void)y;
    /* The layer takes 3 columns, the node has 2: a failure, which must find its graph and context. */
    if (handles[LAYER]) graph_status = GAN_ERROR_SHAPE;
    assert_int_equal(gan_graph_check(handles[GRAPH]), graph_status);
  }
  if (handles[DATA]) assert_int_equal(gan_data_count(handles[DATA]), 4);
  if (handles[GAME]) assert_int_equal(gan_game_step(handles[GAME], "s"), GAN_OK);
  if (handles[TRAINER]) {
    assert_int_equal(gan_trainer_step(handles[TRAINER]), GAN_OK);
    assert_int_equal(gan_trainer_sample(handles[TRAINER], 0, 2, out), GAN_OK);
  }
  if (handles[SAMPLER]) {
    assert_int_equal(gan_sampler_draw(handles[SAMPLER], 0, 8, out), GAN_OK);
    assert_int_equal(gan_sampler_draw(handles[SAMPLER], -1, 1, out), GAN_ERROR_ARGUMENT);
    assert_int_equal(gan_sampler_error(handles[SAMPLER], text, sizeof text, NULL), GAN_OK);
  }
  if (handles[TENSOR]) assert_int_equal(gan_tensor_fill(handles[TENSOR], 1), GAN_OK);
  if (handles[VIEW]) assert_int_equal(gan_tensor_read(handles[VIEW], 0, 6, GAN_F32, out), GAN_OK);
}

/* The next order of count numbers, as a dictionary has them; 0 after the last. */
static int next_order(int *order, int count) {
  int i = count - 2, j = count - 1;
  while (i >= 0 && order[i] > order[i + 1]) i--;
  if (i < 0) return 0;
  while (order[j] < order[i]) j--;
  int swap = order[i];
  order[i] = order[j], order[j] = swap;
  for (int low = i + 1, high = count - 1; low < high; low++, high--) {
    swap = order[low];
    order[low] = order[high], order[high] = swap;
  }
  return 1;
}

static void test_every_order(void **state) {
  int order[CORE], number = 0;
  (void)state;
  for (int i = 0; i < CORE; i++) order[i] = i;
  do {
    if (number++ % test_every()) continue;
    make_all();
    for (int i = CORE; i < ALL; i++) drop(i);
    for (int i = 0; i < CORE; i++) drop(order[i]);
    assert_nothing_left(order, CORE);
  } while (next_order(order, CORE));
}

static void test_what_is_left_works(void **state) {
  uint32_t random = 1;
  (void)state;
  for (int round = 0; round < 200; round++) {
    int order[ALL];
    for (int i = 0; i < ALL; i++) {
      random = random * 1664525u + 1013904223u;
      int j = (int)((random >> 8) % (uint32_t)(i + 1));
      order[i] = order[j], order[j] = i;
    }
    make_all();
    for (int i = 0; i < ALL; i++) {
      drop(order[i]);
      use();
    }
    assert_nothing_left(order, ALL);
  }
}

static int drop_all(void **state) {
  (void)state;
  for (int i = 0; i < ALL; i++) drop(i);
  memory = (struct allocator){0};
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown(test_what_is_left_works, drop_all),
    cmocka_unit_test_teardown(test_every_order, drop_all),
  };
  return cmocka_run_group_tests_name("lifetime", tests, NULL, NULL);
}
