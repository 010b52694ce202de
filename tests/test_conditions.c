/* Conditions, end to end: what inputs say of themselves, labels out of range, samplers that bind by name, and trainers that are
 * told classes, label maps, numbers and images by the names of the data's slots alone. */
#include "play.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 192, CLASSES = 3, BATCH = 24 };

/* ------------------------------------------------------------------ data: a point, and what it depends on */

static const float centres[CLASSES][2] = {{2, 0}, {-1, 1.5f}, {-1, -1.5f}};

static void add(struct play *p, const char *slot, int32_t type, int32_t rank, const int64_t *shape, const void *values,
                const char *spec) {
  gan_tensor *t = NULL;
  must(p->ctx, gan_tensor_create(p->ctx, type, rank, shape, &t));
  must(p->ctx, gan_tensor_write(t, 0, gan_tensor_count(t), type, values));
  must(p->ctx, gan_data_add(p->data, slot, t, spec));
  gan_tensor_free(t);
}

/* "point" near the centre of its "label"; "angle" is its direction; "map" are four labels; "photo" the point itself, as 1x2x1. */
static void fill(struct play *p, int32_t worst, const char *spec) {
  static float point[COUNT][2], angle[COUNT];
  static int32_t label[COUNT], map[COUNT][4];
  gan_tensor *noise = make_tensor(p->ctx, 2, (int64_t[]){COUNT, 2}, NULL);
  must(p->ctx, gan_tensor_random(noise, "normal std=0.1", 3));
  const float *e = gan_tensor_data(noise);
  for (int i = 0; i < COUNT; i++) {
    label[i] = i % CLASSES;
    for (int k = 0; k < 2; k++) point[i][k] = centres[label[i]][k] + e[2 * i + k];
    for (int k = 0; k < 4; k++) map[i][k] = (label[i] + k) % CLASSES;
    angle[i] = atan2f(point[i][1], point[i][0]);
  }
  label[COUNT / 2] = worst;
  must(p->ctx, gan_data_create(p->ctx, &p->data));
  add(p, "point", GAN_F32, 2, (int64_t[]){COUNT, 2}, point, NULL);
  add(p, "label", GAN_I32, 1, (int64_t[]){COUNT}, label, spec);
  add(p, "map", GAN_I32, 2, (int64_t[]){COUNT, 4}, map, "classes=3");
  add(p, "angle", GAN_F32, 2, (int64_t[]){COUNT, 1}, angle, NULL);
  add(p, "photo", GAN_F32, 4, (int64_t[]){COUNT, 1, 2, 1}, point, NULL);
  gan_tensor_free(noise);
}

static struct play play_open(struct allocator *a, const char *g, const char *d) {
  struct play p = {.ctx = make_context(a, 1)};
  fill(&p, COUNT / 2 % CLASSES, "classes=3");
  p.g = make_network(p.ctx, "G", g);
  p.d = make_network(p.ctx, "D", d);
  gan_trainer_config_init(&p.c, sizeof p.c);
  p.c.batch = BATCH;
  p.c.optimizer_d = p.c.optimizer_g = "adam rate=2e-3 beta1=0.5";
  return p;
}

/* ------------------------------------------------------------------ what inputs say of themselves */

static void inputs_are_listed(void **state) {
  gan_context *ctx = make_context(NULL, 1);
  gan_network *n = make_network(ctx, "G", "input z 4 noise=uniform; input label classes=3; input map 2x2 classes=5; input angle 2;"
                                          "one-hot classes=3 from=label name=h; concat from=z,h,angle; dense units=2");
  static const struct { const char *name; int32_t type, role, rank; int64_t classes, size; } expected[] = {
    {"z", GAN_F32, GAN_ROLE_NOISE, 1, 0, 4}, {"label", GAN_I32, GAN_ROLE_LABEL, 0, 3, 0},
    {"map", GAN_I32, GAN_ROLE_LABEL, 2, 5, 2}, {"angle", GAN_F32, GAN_ROLE_DATA, 1, 0, 2},
  };
  (void)state;
  assert_int_equal(gan_network_input_count(n), 4);
  for (int32_t i = 0; i < 4; i++) {
    gan_port port = {.struct_size = sizeof port};
    must(ctx, gan_network_input_info(n, i, &port));
    assert_string_equal(port.name, expected[i].name);
    assert_int_equal(port.type, expected[i].type);
    assert_int_equal(port.role, expected[i].role);
    assert_int_equal(port.rank, expected[i].rank);
    assert_int_equal(port.classes, expected[i].classes);
    if (port.rank) assert_int_equal(port.shape[0], expected[i].size);
  }
  gan_network_free(n);
  gan_context_free(ctx);
}

/* ------------------------------------------------------------------ labels out of range */

#define TOLD_G "input z 4 noise=normal; input label classes=3; one-hot classes=3 from=label name=h; concat from=z,h;" \
  "dense units=16; relu; dense units=2"
#define PLAIN_D "input point 2; dense units=16; leaky-relu slope=0.2; dense units=1"
#define PROJECTION_D "input point 2; input label classes=3; dense units=24 from=point; leaky-relu slope=0.2; dense units=24;" \
  "leaky-relu slope=0.2 name=f; projection classes=3 from=f,label"

/* Labels of which nobody said how many there are: refused when they come, whatever way they go to the table. */
static void unknown_labels_are_checked_as_they_come(void **state) {
  (void)state;
  for (int32_t bad = -1; bad <= CLASSES; bad += CLASSES + 1) {
    struct play p = {.ctx = make_context(NULL, 1)};
    fill(&p, bad, NULL);
    p.g = make_network(p.ctx, "G", "input z 4 noise=normal; dense units=2");
    p.d = make_network(p.ctx, "D", PROJECTION_D);
    gan_trainer_config_init(&p.c, sizeof p.c);
    p.c.batch = COUNT;
    play_start(&p);
    assert_int_equal(gan_trainer_step(p.t), GAN_ERROR_ARGUMENT);
    assert_sentence(p.ctx, bad < 0 ? "data slot 'label' has a label -1, expected 0 .. 2" : "has a label 3, expected 0 .. 2");
    play_close(&p);
  }
}

static void known_labels_are_checked_at_once(void **state) {
  (void)state;
  struct play p = play_open(NULL, "input z 4 noise=normal; input label classes=2; one-hot classes=2 from=label name=h;"
                                  "concat from=z,h; dense units=2", PLAIN_D);
  assert_int_equal(gan_trainer_create(p.g, p.d, p.data, &p.c, &p.t), GAN_ERROR_ARGUMENT);
  assert_sentence(p.ctx, "data slot 'label' has 3 classes, input 'label' of 'G' 2");
  gan_tensor *t = NULL;
  int64_t count = COUNT;
  must(p.ctx, gan_tensor_create(p.ctx, GAN_I32, 1, &count, &t));
  ((int32_t *)gan_tensor_data(t))[7] = 3;
  assert_int_equal(gan_data_add(p.data, "other", t, "classes=3"), GAN_ERROR_ARGUMENT);
  gan_tensor_free(t);
  play_close(&p);
}

/* ------------------------------------------------------------------ trainers told by names */

/* How far the samples of each class are from where they should be, in the mean; the sampler is told the class by name. */
static double off_centre(struct play *p, const char *input, int by_map) {
  enum { ROWS = 32 };
  gan_sampler *s = NULL;
  double off = 0;
  must(p->ctx, gan_sampler_create(gan_trainer_generator(p->t), NULL, &s));
  for (int32_t k = 0; k < CLASSES; k++) {
    float out[ROWS][2];
    const int32_t label = k, map[4] = {k, (k + 1) % CLASSES, (k + 2) % CLASSES, k};
    const float angle = atan2f(centres[k][1], centres[k][0]);
    const void *values = by_map ? (const void *)map : strcmp(input, "angle") ? (const void *)&label : (const void *)&angle;
    assert_int_equal(gan_sampler_bind(s, input, 1, values), GAN_OK);
    assert_int_equal(gan_sampler_draw(s, 0, ROWS, &out[0][0]), GAN_OK);
    for (int i = 0; i < ROWS; i++) off += hypot(out[i][0] - centres[k][0], out[i][1] - centres[k][1]) / (ROWS * CLASSES);
  }
  gan_sampler_free(s);
  return off;
}

struct told { const char *what, *g, *d, *loss, *input; };

/* The centres are 2.6 to 3.4 apart: what does not heed its label is further off than 1 in the mean. */
static void check_told(const struct told *t) {
  struct play p = play_open(NULL, t->g, t->d);
  p.c.loss = t->loss;
  play_start(&p);
  play_on(&p, 1500);
  double off = off_centre(&p, t->input, !strcmp(t->input, "map"));
  if (!(off < 0.9)) fail_msg("%s: samples are %g off the centres of their classes", t->what, off);
  play_close(&p);
}

static void trainers_are_told_by_name(void **state) {
  static const struct told all[] = {
    {"embedding",
     "input z 4 noise=normal; input label classes=3; embedding classes=3 width=4 from=label name=e; concat from=z,e; dense units=16;"
     "relu; dense units=2",
     "input point 2; input label classes=3; embedding classes=3 width=4 from=label name=e; concat from=point,e; dense units=24;"
     "leaky-relu slope=0.2; dense units=24; leaky-relu slope=0.2; dense units=1",
     "hinge", "label"},
    {"one-hot", TOLD_G,
     "input point 2; input label classes=3; one-hot classes=3 from=label name=h; concat from=point,h; dense units=24;"
     "leaky-relu slope=0.2; dense units=24; leaky-relu slope=0.2; dense units=1",
     "non-saturating", "label"},
    {"conditional batch norm and projection",
     "input z 4 noise=normal; input label classes=3; dense units=16 from=z name=a; conditional-batch-norm classes=3 from=a,label;"
     "relu; dense units=2", PROJECTION_D, "hinge", "label"},
    {"auxiliary classifier", TOLD_G,
     "input point 2; dense units=24; leaky-relu slope=0.2 name=f; dense units=1 from=f name=score; dense units=3 from=f name=logits;"
     "output score score; output logits logits", "hinge; ac-gan output=logits", "label"},
    {"label map",
     "input z 4 noise=normal; input map 4 classes=3; one-hot classes=3 from=map; flatten name=h; concat from=z,h; dense units=16;"
     "relu; dense units=2",
     "input point 2; input map 4 classes=3; one-hot classes=3 from=map; flatten name=h; concat from=point,h; dense units=24;"
     "leaky-relu slope=0.2; dense units=24; leaky-relu slope=0.2; dense units=1", "hinge", "map"},
    {"a number",
     "input z 4 noise=normal; input angle 1; concat from=z,angle; dense units=24; tanh; dense units=24; tanh; dense units=2",
     "input point 2; input angle 1; concat from=point,angle; dense units=24; leaky-relu slope=0.2; dense units=24;"
     "leaky-relu slope=0.2; dense units=1", "non-saturating", "angle"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) check_told(&all[i]);
}

/* Another image is the condition, and G's first input: no noise at all. The distance to its pair draws G to the image itself. */
static void images_become_images(void **state) {
  (void)state;
  struct play p = play_open(NULL, "input photo 1x2x1; flatten; dense units=16; relu; dense units=2",
                            "input point 2; input photo 1x2x1; flatten from=photo name=f; concat from=point,f; dense units=16;"
                            "leaky-relu slope=0.2; dense units=1");
  gan_port port = {.struct_size = sizeof port};
  gan_sampler *s = NULL;
  p.c.loss = "non-saturating; l1 weight=20";
  play_start(&p);
  play_on(&p, 400);
  must(p.ctx, gan_network_input_info(p.g, 0, &port));
  assert_int_equal(port.role, GAN_ROLE_DATA);
  must(p.ctx, gan_sampler_create(p.g, NULL, &s));
  float out[CLASSES][2];
  assert_int_equal(gan_sampler_draw(s, 0, CLASSES, &out[0][0]), GAN_ERROR_ARGUMENT); /* nothing is bound */
  assert_int_equal(gan_sampler_bind(s, "photo", CLASSES, centres), GAN_OK);
  assert_int_equal(gan_sampler_draw(s, 0, CLASSES, &out[0][0]), GAN_OK);
  for (int k = 0; k < CLASSES; k++) assert_true(hypot(out[k][0] - centres[k][0], out[k][1] - centres[k][1]) < 0.4);
  gan_sampler_free(s);

  /* The trainer's samples are of the data's images, in their order, which begins anew. */
  static float samples[COUNT + 9][2], point[2];
  must(p.ctx, gan_trainer_sample(p.t, 3, COUNT + 9, &samples[0][0]));
  assert_memory_equal(samples[0], samples[COUNT], 9 * sizeof *samples);
  for (int i = 0; i < COUNT; i++) {
    memcpy(point, centres[(i + 3) % CLASSES], sizeof point);
    assert_true(hypot(samples[i][0] - point[0], samples[i][1] - point[1]) < 1);
  }
  play_close(&p);
  struct play q = play_open(NULL, "input photo 1x2x1; flatten; dense units=2", PLAIN_D);
  q.c.devices = "standing-statistics";
  assert_int_equal(gan_trainer_create(q.g, q.d, q.data, &q.c, &q.t), GAN_ERROR_ARGUMENT);
  assert_sentence(q.ctx, "standing-statistics: the generator's input 'photo' is data");
  play_close(&q);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(inputs_are_listed),
    cmocka_unit_test(unknown_labels_are_checked_as_they_come),
    cmocka_unit_test(known_labels_are_checked_at_once),
    cmocka_unit_test(trainers_are_told_by_name),
    cmocka_unit_test(images_become_images),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
