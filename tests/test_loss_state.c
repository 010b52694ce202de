/* State of losses: moves at the commit or not at all, is saved and restored with the game bit for bit, is read and set by name; and
 * memory that fails while losses are made and emitted. */
#include "games.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ a game with every kind of state */

struct remembering { gan_context *ctx; gan_network *g, *d; gan_data *data; gan_game *game; gan_loss *began, *lecam, *path, *history; };

static const char *const texts[] = {
  "began rate=0.002 k=0.5", "lecam", "path-length rate=0.1", "historical-averaging of=both weight=0.1",
};

static gan_status make_losses(struct remembering *p) {
  gan_loss **const losses[] = {&p->began, &p->lecam, &p->path, &p->history};
  for (int i = 0; i < 4; i++) {
    gan_status status = gan_loss_create(p->ctx, texts[i], losses[i]);
    if (status != GAN_OK) return status;
  }
  return GAN_OK;
}

static gan_node *terms(const struct remembering *p, int32_t side, const gan_scene *scene) {
  gan_loss *const losses[] = {p->began, p->lecam, p->path, p->history};
  gan_node *sum = NULL;
  for (int i = 0; i < 4; i++) {
    gan_node *term = gan_loss_term(losses[i], side, scene);
    sum = sum ? gan_add(sum, term) : term;
  }
  return sum;
}

static void build(struct remembering *p, gan_graph *g, gan_optimizer *od, gan_optimizer *og) {
  gan_scene s;
  gan_scene_init(&s, sizeof s);
  gan_node *z = gan_noise(g, p->g, "z"), *real = gan_data_node(g, p->data, "point"), *fake = gan_apply(p->g, z);
  gan_node *r = gan_apply(p->d, real), *f = gan_apply(p->d, fake);
  s.graph = g;
  s.generator = p->g;
  s.discriminator = p->d;
  s.real = real;
  s.fake = fake;
  s.real_outputs = &r;
  s.fake_outputs = &f;
  s.inputs = &z;
  s.n_inputs = s.n_outputs = 1;
  gan_phase(g, "D");
  gan_minimize(od, gan_output(terms(p, GAN_SIDE_D, &s), "D"));
  gan_phase(g, "G");
  gan_minimize(og, gan_output(terms(p, GAN_SIDE_G, &s), "G"));
}

/* D is an autoencoder of points. */
static struct remembering remembering_open(void) {
  struct remembering p = {.ctx = make_context(NULL, 2)};
  gan_graph *g;
  p.g = make_generator(p.ctx);
  p.d = make_network(p.ctx, "D", "input x 2; dense units=5; tanh; dense units=2");
  p.data = make_points(p.ctx, 500);
  must(p.ctx, make_losses(&p));
  must(p.ctx, gan_game_create(p.ctx, NULL, &p.game));
  must(p.ctx, gan_game_add_step(p.game, "DG", &g));
  gan_optimizer *od = make_optimizer(p.ctx, "D", "adam rate=1e-2", p.d, NULL);
  gan_optimizer *og = make_optimizer(p.ctx, "G", "adam rate=1e-2", p.g, NULL);
  build(&p, g, od, og);
  gan_optimizer_free(od);
  gan_optimizer_free(og);
  return p;
}

static void remembering_close(struct remembering *p) {
  gan_loss *const losses[] = {p->began, p->lecam, p->path, p->history};
  for (int i = 0; i < 4; i++) gan_loss_free(losses[i]);
  gan_game_free(p->game);
  gan_network_free(p->g);
  gan_network_free(p->d);
  gan_data_free(p->data);
  gan_context_free(p->ctx);
}

static double state_of(const struct remembering *p, gan_loss *loss, const char *name) {
  double value = NAN;
  must(p->ctx, gan_loss_get(loss, name, &value));
  return value;
}

static void all_states(const struct remembering *p, double out[5]) {
  out[0] = state_of(p, p->began, "k");
  out[1] = state_of(p, p->lecam, "real");
  out[2] = state_of(p, p->lecam, "fake");
  out[3] = state_of(p, p->path, "mean");
  out[4] = state_of(p, p->history, "n-G");
}

/* ------------------------------------------------------------------ tests */

static void resuming_goes_on_with_the_same_bits(void **state) {
  (void)state;
  struct remembering p = remembering_open(), q = remembering_open();
  static char bytes[1 << 18];
  struct memory_file file = {.bytes = bytes, .capacity = sizeof bytes};
  double straight[5], resumed[5], early[5];
  gan_stream stream = memory_stream(&file);
  must(p.ctx, gan_game_run(p.game, "DG", 7));
  all_states(&p, early);
  must(p.ctx, gan_game_save_stream(p.game, &stream));
  must(p.ctx, gan_game_run(p.game, "DG", 9));
  file.at = 0;
  must(q.ctx, gan_game_restore_stream(q.game, &stream));
  all_states(&q, resumed);
  assert_memory_equal(early, resumed, sizeof early);
  must(q.ctx, gan_game_run(q.game, "DG", 9));
  all_states(&p, straight);
  all_states(&q, resumed);
  assert_memory_equal(straight, resumed, sizeof straight);
  for (int i = 0; i < 5; i++) assert_true(straight[i] != early[i]);
  int64_t count;
  float *a = copy_weights(p.g, &count), *b = copy_weights(q.g, NULL);
  assert_memory_equal(a, b, (size_t)count * sizeof *a);
  free(a);
  free(b);
  remembering_close(&p);
  remembering_close(&q);
}

static void state_is_set_from_outside(void **state) {
  (void)state;
  struct remembering p = remembering_open();
  double value = 7;
  assert_int_equal(gan_loss_get(p.began, "K", &value), GAN_ERROR_ARGUMENT);
  assert_sentence(p.ctx, "'began' has no state 'K'");
  assert_int_equal(gan_loss_get(p.history, "D/dense1/weight", &value), GAN_ERROR_SHAPE);
  assert_int_equal(gan_loss_set(p.began, "k", NAN), GAN_ERROR_ARGUMENT);
  assert_true(value == 7);
  must(p.ctx, gan_loss_set(p.began, "k", 0.75));
  assert_true(state_of(&p, p.began, "k") == 0.75);
  must(p.ctx, gan_game_step(p.game, "DG"));
  assert_true(fabs(state_of(&p, p.began, "k") - 0.75) < 0.05);
  assert_true(state_of(&p, p.began, "k") != 0.75);
  remembering_close(&p);
}

/* NaN in D's weights: nothing of the phase moves. */
static void state_stays_where_a_phase_fails(void **state) {
  (void)state;
  struct remembering p = remembering_open();
  double before[5], after[5];
  must(p.ctx, gan_game_run(p.game, "DG", 3));
  all_states(&p, before);
  const float nan[10] = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
  gan_tensor *t = make_tensor(p.ctx, 1, (int64_t[]){10}, nan);
  must(p.ctx, gan_network_set(p.d, "dense1/weight", t));
  assert_int_equal(gan_game_step(p.game, "DG"), GAN_ERROR_NOT_FINITE);
  all_states(&p, after);
  assert_memory_equal(before, after, sizeof before);
  gan_tensor_free(t);
  remembering_close(&p);
}

/* ------------------------------------------------------------------ memory that fails */

/* What those losses want that do not fit with the first thing at hand. */
static const char *text_of(const char *name) {
  static const char *const special[] = {
    "consistency augment=(noise=0.1)", "bcr augment=(noise=0.1)", "kl-gaussian output=embeddings", "identity input=c",
    "mutual-information code=z",
  };
  for (size_t i = 0; i < sizeof special / sizeof *special; i++)
    if (strncmp(special[i], name, strlen(name)) == 0 && special[i][strlen(name)] == ' ') return special[i];
  return name;
}

/* Every loss and penalty once, in a scene that has all that any of them asks for. */
static gan_status emit_all(gan_context *ctx, gan_network *g, gan_network *d, gan_network *eyes) {
  gan_graph *graph;
  gan_status status = gan_graph_create(ctx, &graph);
  if (status != GAN_OK) return status;
  const int64_t z_shape[2] = {4, 4}, x_shape[2] = {4, 3}, batch = 4;
  gan_node *in[2] = {gan_input(graph, "z", GAN_F32, 2, z_shape), gan_input(graph, "c", GAN_F32, 2, x_shape)};
  gan_node *real[3] = {NULL}, *fake[3] = {NULL};
  gan_scene s;
  gan_scene_init(&s, sizeof s);
  s.graph = graph;
  s.generator = g;
  s.discriminator = d;
  s.real = gan_input(graph, "x", GAN_F32, 2, x_shape);
  gan_network_apply(g, 1, 2, in, 1, &s.fake);
  gan_network_apply(d, 1, 1, &s.real, 3, real);
  gan_network_apply(d, 1, 1, &s.fake, 3, fake);
  s.inputs = in;
  s.real_outputs = real;
  s.fake_outputs = fake;
  s.real_labels = s.fake_labels = gan_input(graph, "y", GAN_I32, 1, &batch);
  s.n_inputs = 2;
  s.n_outputs = 3;
  s.networks = &eyes;
  s.n_networks = 1;
  s.real_weights = gan_input(graph, "w", GAN_F32, 1, &batch);
  s.fake_weights = gan_input(graph, "v", GAN_F32, 1, &batch);
  for (int32_t kind = GAN_LIST_LOSSES; kind <= GAN_LIST_PENALTIES && status == GAN_OK; kind++) {
    for (int32_t i = 0; i < gan_list_count(kind) && status == GAN_OK; i++) {
      gan_loss *loss = NULL;
      status = gan_loss_create(ctx, text_of(gan_list_name(kind, i)), &loss);
      for (int32_t side = 0; side < 2 && status == GAN_OK; side++) gan_loss_term(loss, side, &s);
      gan_loss_free(loss);
    }
  }
  if (status == GAN_OK) status = gan_graph_check(graph);
  gan_graph_free(graph);
  return status;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  struct allocator a = {0};
  gan_context *ctx = make_context(&a, 1);
  gan_network *g = make_network(ctx, "G", "input z 4; input c 3; concat from=z,c; dense units=3");
  gan_network *eyes = make_network(ctx, "eyes", "input x 3; dense units=2");
  gan_network *d = make_network(ctx, "D", "input x 3; dense units=4 name=logits; dense units=4 from=x name=features; "
                                          "dense units=4 from=x name=means; output scores logits; output features features; "
                                          "output embeddings means");
  must(ctx, emit_all(ctx, g, d, eyes));
  int64_t live = a.live;
  for (int64_t at = 1;; at++) {
    a.fail_at = a.calls + at;
    gan_status status = emit_all(ctx, g, d, eyes);
    int reached = a.calls >= a.fail_at;
    a.fail_at = 0;
    assert_int_equal(status, reached ? GAN_ERROR_MEMORY : GAN_OK);
    assert_int_equal(a.live, live);
    if (!reached) break;
  }
  gan_network_free(g);
  gan_network_free(d);
  gan_network_free(eyes);
  gan_context_free(ctx);
  assert_int_equal(a.live, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(resuming_goes_on_with_the_same_bits),
    cmocka_unit_test(state_is_set_from_outside),
    cmocka_unit_test(state_stays_where_a_phase_fails),
    cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
