/* Every public function with bad arguments: the right status, a sentence, outputs untouched, no crash, no leak. The rows are in
 * api_calls.def; each is a test that makes the objects that its arguments name. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support.h"

/* Sets of statuses. */
#define A (1 << GAN_ERROR_ARGUMENT)
#define S (1 << GAN_ERROR_SHAPE)
#define M (1 << GAN_ERROR_MEMORY)
#define F (1 << GAN_ERROR_FILE)
#define X (1 << GAN_ERROR_FORMAT)
#define U (1 << GAN_ERROR_UNSUPPORTED)
#define T (1 << GAN_ERROR_STATE | 1 << GAN_ERROR_THREAD)

/* --------------------------------------------------------------------------------------------------- objects made on demand */

static struct allocator memory;
static gan_context *ctx, *other;
static gan_tensor *tensor, *number, *labels, *bytes, *hollow, *weights, *images;
static gan_layer *layer, *other_layer;
static gan_network *net, *critic, *twin, *building, *empty, *other_net;
static gan_graph *graph, *foreign_graph, *step;
static gan_node *a, *z, *image, *indices, *scalar, *long_node, *foreign;
static gan_loss *loss, *distance, *penalty;
static gan_optimizer *optimizer;
static gan_data *data, *empty_data;
static gan_game *game, *new_game;
static gan_trainer *trainer;
static gan_sampler *sampler;

static void need_ctx(void) {
  gan_context_config c = allocator_config(&memory);
  must(NULL, gan_context_create(&c, &ctx));
}
static void need_other(void) {
  gan_context_config c = allocator_config(&memory);
  must(NULL, gan_context_create(&c, &other));
}

static gan_tensor *make_tensor(int32_t type, int32_t rank, const int64_t *shape) {
  gan_tensor *made = NULL;
  must(ctx, gan_tensor_create(ctx, type, rank, shape, &made));
  return made;
}
static void need_tensor(void) { tensor = make_tensor(GAN_F32, 2, (int64_t[]){4, 3}); }
static void need_number(void) { number = make_tensor(GAN_F32, 0, NULL); }
static void need_bytes(void) { bytes = make_tensor(GAN_U8, 2, (int64_t[]){8, 6}); }
static void need_hollow(void) { hollow = make_tensor(GAN_F32, 2, (int64_t[]){0, 3}); }
static void need_weights(void) { weights = make_tensor(GAN_F32, 2, (int64_t[]){6, 4}); }
static void need_images(void) { images = make_tensor(GAN_F32, 2, (int64_t[]){8, 6}); }
static void need_labels(void) {
  labels = make_tensor(GAN_I32, 1, (int64_t[]){8});
  must(ctx, gan_tensor_fill(labels, 7));
}

static void need_layer(void) { must(ctx, gan_layer_create(ctx, "relu", &layer)); }
static void need_other_layer(void) { must(other, gan_layer_create(other, "relu", &other_layer)); }

static gan_network *make_network(gan_context *context, const char *name, const char *lines) {
  gan_network *made = NULL;
  must(context, gan_network_create(context, name, &made));
  gan_network_build(made, lines);
  must(context, gan_network_finish(made));
  return made;
}
static void need_net(void) { net = make_network(ctx, "G", "input z 4 noise=normal; dense units=6; tanh"); }
static void need_critic(void) { critic = make_network(ctx, "D", "input x 6; dense units=5; relu; dense units=1"); }
static void need_other_net(void) { other_net = make_network(other, "G", "input z 4 noise=normal; dense units=6; tanh"); }
static void need_twin(void) { must(ctx, gan_network_clone(net, "twin", &twin)); }
static void need_empty(void) { must(ctx, gan_network_create(ctx, "empty", &empty)); }
static void need_building(void) {
  must(ctx, gan_network_create(ctx, "building", &building));
  gan_network_input(building, "x", "3");
}

static void need_graph(void) { must(ctx, gan_graph_create(ctx, &graph)); }
static gan_node *make_input(gan_graph *g, const char *name, int32_t type, int32_t rank, int64_t columns) {
  gan_node *made = gan_input(g, name, type, rank, (int64_t[]){2, columns});
  must(ctx, gan_graph_check(g));
  return made;
}
static void need_a(void) { a = make_input(graph, "a", GAN_F32, 2, 3); }
static void need_z(void) { z = make_input(graph, "z", GAN_F32, 2, 4); }
static void need_image(void) { image = make_input(graph, "image", GAN_F32, 2, 6); }
static void need_indices(void) { indices = make_input(graph, "indices", GAN_I32, 1, 0); }
static void need_scalar(void) { scalar = make_input(graph, "scalar", GAN_F32, 0, 0); }
static void need_long_node(void) { long_node = make_input(graph, "long", GAN_F32, 2, 5); }
static void need_foreign(void) {
  must(ctx, gan_graph_create(ctx, &foreign_graph));
  foreign = make_input(foreign_graph, "a", GAN_F32, 2, 3);
}

static void need_loss(void) { must(ctx, gan_loss_create(ctx, "minimax", &loss)); }
static void need_distance(void) { must(ctx, gan_loss_create(ctx, "l1", &distance)); }
static void need_penalty(void) { must(ctx, gan_loss_create(ctx, "wgan-gp weight=10", &penalty)); }
static void need_optimizer(void) { must(ctx, gan_optimizer_create(ctx, "o", "sgd rate=0.1", &optimizer)); }

static void need_empty_data(void) { must(ctx, gan_data_create(ctx, &empty_data)); }
static void need_data(void) {
  must(ctx, gan_data_create(ctx, &data));
  must(ctx, gan_data_add(data, "image", images, NULL));
}

static void need_new_game(void) { must(ctx, gan_game_create(ctx, NULL, &new_game)); }
static void need_step(void) { must(ctx, gan_game_add_step(new_game, "s", &step)); }
static void need_game(void) {
  gan_graph *s;
  must(ctx, gan_game_create(ctx, NULL, &game));
  must(ctx, gan_game_add_step(game, "s", &s));
  gan_output(gan_mul(gan_mean(gan_input(s, "x", GAN_F32, 2, (int64_t[]){4, 3})), gan_scalar(s, "k", 2)), "y");
  must(ctx, gan_game_prepare(game));
}
static void need_trainer(void) {
  gan_trainer_config c;
  gan_trainer_config_init(&c, sizeof c);
  c.batch = 4;
  must(ctx, gan_trainer_create(net, critic, data, &c, &trainer));
}
static void need_sampler(void) { must(ctx, gan_sampler_create(net, NULL, &sampler)); }

/* In the order in which they can be made; what each needs besides is named in words. */
#define OBJECTS(OBJECT) \
  OBJECT(ctx, gan_context_free, "") \
  OBJECT(other, gan_context_free, "") \
  OBJECT(tensor, gan_tensor_free, "ctx") \
  OBJECT(number, gan_tensor_free, "ctx") \
  OBJECT(labels, gan_tensor_free, "ctx") \
  OBJECT(bytes, gan_tensor_free, "ctx") \
  OBJECT(hollow, gan_tensor_free, "ctx") \
  OBJECT(weights, gan_tensor_free, "ctx") \
  OBJECT(images, gan_tensor_free, "ctx") \
  OBJECT(layer, gan_layer_free, "ctx") \
  OBJECT(other_layer, gan_layer_free, "other") \
  OBJECT(net, gan_network_free, "ctx") \
  OBJECT(critic, gan_network_free, "ctx") \
  OBJECT(twin, gan_network_free, "ctx net") \
  OBJECT(building, gan_network_free, "ctx") \
  OBJECT(empty, gan_network_free, "ctx") \
  OBJECT(other_net, gan_network_free, "other") \
  OBJECT(graph, gan_graph_free, "ctx") \
  OBJECT(a, keep_node, "ctx graph") \
  OBJECT(z, keep_node, "ctx graph") \
  OBJECT(image, keep_node, "ctx graph") \
  OBJECT(indices, keep_node, "ctx graph") \
  OBJECT(scalar, keep_node, "ctx graph") \
  OBJECT(long_node, keep_node, "ctx graph") \
  OBJECT(foreign, keep_node, "ctx") \
  OBJECT(loss, gan_loss_free, "ctx") \
  OBJECT(distance, gan_loss_free, "ctx") \
  OBJECT(penalty, gan_loss_free, "ctx") \
  OBJECT(optimizer, gan_optimizer_free, "ctx") \
  OBJECT(data, gan_data_free, "ctx images") \
  OBJECT(empty_data, gan_data_free, "ctx") \
  OBJECT(new_game, gan_game_free, "ctx") \
  OBJECT(step, keep_graph, "ctx new_game") \
  OBJECT(game, gan_game_free, "ctx") \
  OBJECT(trainer, gan_trainer_free, "ctx net critic images data") \
  OBJECT(sampler, gan_sampler_free, "ctx net")

static void keep_node(gan_node *n) { (void)n; }
static void keep_graph(gan_graph *g) { (void)g; }

static int letter(char c) { return (c >= 'a' && c <= 'z') || c == '_' || c == '.'; }

static int has_word(const char *text, const char *word) {
  size_t length = strlen(word);
  int in_string = 0;
  for (const char *at = text; *at; at++) {
    if (*at == '"') in_string = !in_string;
    else if (!in_string && !strncmp(at, word, length) && !letter(at[length]) && (at == text || !letter(at[-1]))) return 1;
  }
  return 0;
}

/* Makes what the words of a row's arguments name, and what that needs. */
static void make_objects(const char *words) {
  char all[2000] = "";
  strncat(all, words, 600);
  /* Needs may need in turn; the list is in order, so from its end one pass finds all. */
#define OBJECT(name, drop, needs) {#name, needs},
  static const struct { const char *name, *needs; } objects[] = {OBJECTS(OBJECT)};
#undef OBJECT
  for (size_t i = sizeof objects / sizeof *objects; i-- > 0;) {
    if (!has_word(all, objects[i].name)) continue;
    strcat(all, " ");
    strcat(all, objects[i].needs);
  }
#define OBJECT(name, drop, needs) \
  if (has_word(all, #name)) need_##name();
  OBJECTS(OBJECT)
#undef OBJECT
}

static int drop_objects(void **state) {
  (void)state;
#define OBJECT(name, drop, needs) \
  drop(name); \
  name = NULL;
  OBJECTS(OBJECT)
#undef OBJECT
  gan_graph_free(foreign_graph);
  foreign_graph = NULL;
  int64_t live = memory.live, held = memory.bytes;
  memory = (struct allocator){0};
  if (live || held) print_message("left behind: %lld allocations, %lld bytes\n", (long long)live, (long long)held);
  return live || held;
}

/* ------------------------------------------------------------------------------------------------- what the rows are made of */

static const int64_t shape[GAN_MAX_RANK + 1] = {2, 3, 1, 1, 1, 1, 1, 1, 1};
static float floats[64];
static char text[200];
static int64_t needed;
static gan_node *nodes_out[8];
static gan_port port, empty_port;
static gan_variable variable, empty_variable;
static gan_progress progress, empty_progress;
static struct memory_file full_disk;
static gan_stream stream, empty_stream, sizeless_stream;
static gan_context_config context_config;
static gan_game_config game_config;
static gan_trainer_config trainer_config;
static gan_sampler_config sampler_config;
static gan_scene scene;
static gan_layer_call *call;

#define SHAPE(...) ((const int64_t[]){__VA_ARGS__})
#define AXES(...) ((const int32_t[]){__VA_ARGS__})
#define NODES(...) ((gan_node *[]){__VA_ARGS__})
#define TENSORS(...) ((gan_tensor *[]){__VA_ARGS__})
#define TERMS(...) ((const gan_term[]){__VA_ARGS__})
#define CONFIG(name, member, value) (gan_##name##_init(&name, sizeof name), name.member = (value), &name)
#define CONTEXT(member, value) CONFIG(context_config, member, value)
#define GAME(member, value) CONFIG(game_config, member, value)
#define TRAINER(member, value) CONFIG(trainer_config, member, value)
#define SAMPLER(member, value) CONFIG(sampler_config, member, value)
#define SCENE(member, value) CONFIG(scene, member, value)

static gan_node *nothing_layer(void *user, gan_layer_call *c, int32_t count, gan_node *const *inputs) {
  (void)user, (void)c, (void)count;
  return inputs[0];
}
static gan_node *nothing_loss(void *user, int32_t side, gan_node *real, gan_node *fake) {
  (void)user, (void)side, (void)real;
  return gan_mean(fake);
}
static gan_node *nothing_penalty(void *user, int32_t side, const gan_scene *s) {
  (void)user, (void)side, (void)s;
  return NULL;
}
static int32_t nothing_fill(void *user, const int64_t *which, int64_t count, gan_tensor *const *tensors) {
  (void)user, (void)which, (void)count, (void)tensors;
  return 0;
}

/* Where outputs would go. */
struct outputs {
  gan_context *context;
  gan_tensor *tensor;
  gan_layer *layer;
  gan_network *network;
  gan_graph *graph;
  gan_loss *loss;
  gan_optimizer *optimizer;
  gan_data *data;
  gan_game *game;
  gan_trainer *trainer;
  gan_sampler *sampler;
  gan_context_config context_config;
  gan_game_config game_config;
  gan_trainer_config trainer_config;
  gan_sampler_config sampler_config;
  gan_scene scene;
  gan_stream stream;
  int64_t number;
  double real;
  float floats[64];
  char text[200];
};
static struct outputs o, untouched;

/* ------------------------------------------------------------------------------------------------------ before and after a row */

static void begin(const char *words) {
  memset(&untouched, 0xA5, sizeof untouched);
  o = untouched;
  memset(text, 0, sizeof text);
  port = (gan_port){.struct_size = sizeof port};
  variable = (gan_variable){.struct_size = sizeof variable};
  progress = (gan_progress){.struct_size = sizeof progress};
  full_disk = (struct memory_file){0};
  stream = memory_stream(&full_disk);
  gan_stream_init(&empty_stream, sizeof empty_stream);
  sizeless_stream = stream;
  sizeless_stream.struct_size = 0;
  make_objects(words);
}

static void assert_untouched(void) {
  if (memcmp(&o, &untouched, sizeof o)) fail_msg("an output was written");
}

static void assert_one_of(gan_status status, int32_t set) {
  if (status < 0 || status > 31 || !(set >> status & 1)) fail_msg("status %d: %s", (int)status, gan_status_text(status));
}

static void assert_told(void) {
  assert_int_equal(gan_context_error(ctx, text, sizeof text, NULL), GAN_OK);
  if (!text[0]) fail_msg("the context has no sentence");
}

static void assert_not_told(void) {
  if (!ctx) return;
  assert_int_equal(gan_context_error(ctx, text, sizeof text, NULL), GAN_OK);
  if (text[0]) fail_msg("the context got the sentence: %s", text);
}

static void check_lost(gan_status status, int32_t set) {
  assert_one_of(status, set);
  assert_untouched();
  assert_not_told();
}

static void check_told(gan_status status, int32_t set) {
  assert_one_of(status, set);
  assert_untouched();
  assert_told();
}

static void check_said(gan_status status, int32_t set) {
  assert_one_of(status, set);
  assert_untouched();
  assert_int_equal(gan_sampler_error(sampler, text, sizeof text, NULL), GAN_OK);
  if (!text[0]) fail_msg("the sampler has no sentence");
}

static void check_lone(const gan_node *n) {
  assert_non_null(n);
  assert_int_equal(gan_node_rank(n), -1);
  assert_int_equal(gan_node_type(n), -1);
  assert_int_equal(gan_node_size(n, 0), -1);
}

static void check_graph(gan_graph *g) {
  if (gan_graph_check(g) == GAN_OK) fail_msg("the graph did not fail");
  assert_told();
}

static void check_node(const gan_node *n) {
  check_lone(n);
  check_graph(graph);
}

static void check_building(void) {
  if (gan_network_finish(building) == GAN_OK) fail_msg("the network was finished without an error");
  assert_told();
}

/* Runs a row's body inside a custom layer. */
static gan_node *run_body(void *user, gan_layer_call *c, int32_t count, gan_node *const *inputs) {
  void (*const *body)(void) = user;
  (void)count;
  call = c;
  (*body)();
  return inputs[0];
}

static void check_call(void (*body)(void)) {
  must(ctx, gan_context_add_layer(ctx, "probe", run_body, &body, NULL));
  must(ctx, gan_layer_create(ctx, "probe", &layer));
  check_node(gan_layer_apply(layer, 1, 1, &a));
}

/* ------------------------------------------------------------------------------------------------------------------- the rows */

#define PASTE(x, y) x##y
#define NAME(x, y) PASTE(x, y)
#define ROW(words, ...) \
  static void NAME(row_, __LINE__)(void **state) { \
    (void)state; \
    begin(words); \
    __VA_ARGS__; \
  }

#define LOST(f, set, args) ROW(#args, check_lost(f args, set))
#define TOLD(f, set, args) ROW(#args, check_told(f args, set))
#define SAID(f, set, args) ROW(#args, check_said(f args, set))
#define GIVES(f, v, args) ROW(#args, assert_float_equal((double)f args, v, 0))
#define NULLS(f, args) ROW(#args, assert_null(f args))
#define TEXT(f, t, args) ROW(#args, assert_string_equal(f args, t))
#define NODE(f, args) ROW(#args, check_node(f args))
#define LONE(f, args) ROW(#args, check_lone(f args))
#define GRAPH(f, args) ROW(#args, f args; check_graph(graph))
#define STEP(f, args) ROW(#args, (void)(f args); check_graph(step))
#define BUILD(f, args) ROW(#args, f args; check_building())
#define QUIET(f, args) ROW(#args, (void)(f args))
#define CALL(f, args) \
  static void NAME(body_, __LINE__)(void) { (void)(f args); } \
  ROW("graph a", check_call(NAME(body_, __LINE__)))

#include "api_calls.def"

#undef LOST
#undef TOLD
#undef SAID
#undef GIVES
#undef NULLS
#undef TEXT
#undef NODE
#undef LONE
#undef GRAPH
#undef STEP
#undef BUILD
#undef QUIET
#undef CALL

#define TEST(name) {name, NAME(row_, __LINE__), NULL, drop_objects, NULL},
#define LOST(f, set, args) TEST(#f #args)
#define TOLD(f, set, args) TEST(#f #args)
#define SAID(f, set, args) TEST(#f #args)
#define GIVES(f, v, args) TEST(#f #args)
#define NULLS(f, args) TEST(#f #args)
#define TEXT(f, t, args) TEST(#f #args)
#define NODE(f, args) TEST(#f #args)
#define LONE(f, args) TEST(#f #args)
#define GRAPH(f, args) TEST(#f #args)
#define STEP(f, args) TEST(#f #args)
#define BUILD(f, args) TEST(#f #args)
#define QUIET(f, args) TEST(#f #args)
#define CALL(f, args) TEST(#f #args)

int main(void) {
  static const struct CMUnitTest tests[] = {
#include "api_calls.def"
  };
  return cmocka_run_group_tests_name("api", tests, NULL, NULL);
}
