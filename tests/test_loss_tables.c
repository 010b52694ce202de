/* Tests made from losses.def and penalties.def: of every row, on every case of its test column, kernels and first and second
 * derivatives against the oracle. A row without cases fails. The same for the public functions that give one number. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "loss_functions.h"
#include "op_stage.h"
#include "ops/build.h"
#include "support.h"
#include "train/loss.h"

static const struct table_row { const char *test; const struct loss_row *row; } rows[] = {
#define LOSS(name, test) {test, &loss_##name},
#include "train/losses.def"
#undef LOSS
#define PENALTY(name, test) {test, &penalty_##name},
#include "train/penalties.def"
#undef PENALTY
};

enum { ROWS = sizeof rows / sizeof *rows };

static void read_cases(const struct table_row *r, struct op_case *cases, int32_t *count) {
  *count = op_cases_read(r->test, cases);
  if (*count < 1) fail_msg("'%s' has no test domain", r->row->name);
}

static int32_t has_option(const struct loss_row *row, const char *name) {
  for (int32_t i = 0; i < row->n_options; i++)
    if (strcmp(row->options[i].name, name) == 0) return 1;
  return 0;
}

static gan_loss *make_loss(struct stage *s, const char *text) {
  gan_loss *loss = NULL;
  must(s->ctx, gan_loss_create(s->ctx, text, &loss));
  return loss;
}

/* State somewhere between what it begins with and what bounds it. */
static void move_states(gan_loss *loss) {
  for (int64_t i = 0; i < loss->n_states; i++) {
    struct variable *v = loss->states[i].variable;
    for (int64_t k = 0; k < v->count; k++) v->data[k] = (float)test_random(91 + (uint64_t)i, (uint64_t)k, 0.3, 0.6);
  }
}

/* What one side emits; its states hold numbers that are none of the beginning's. NULL: nothing. */
static gan_node *emit(struct stage *s, gan_loss *loss, int32_t side, const gan_scene *scene) {
  double value;
  gan_node *y = gan_loss_term(loss, side, scene);
  assert_good(s);
  move_states(loss);
  return node_is_constant(y, &value) ? NULL : y;
}

static gan_network *make_player(struct stage *s, const char *name, const char *input, int32_t rank, const int64_t *shape,
                                const char *layers) {
  gan_network *n = NULL;
  char lines[300], sizes[64] = "";
  for (int32_t i = 0; i < rank; i++) snprintf(sizes + strlen(sizes), 16, "%s%d", i ? "x" : "", (int)shape[i]);
  snprintf(lines, sizeof lines, "input %s %s; %s", input, sizes, layers);
  must(s->ctx, gan_network_create(s->ctx, name, &n));
  gan_network_build(n, lines);
  must(s->ctx, gan_network_finish(n));
  return n;
}

/* ------------------------------------------------------------------------------------------------------------------ losses */

static gan_node *feed_labels(struct stage *s, int64_t count, int64_t classes, int32_t salt) {
  struct feed *f = new_feed(s, GAN_I32, 1, &count);
  for (int64_t i = 0; i < count; i++) f->wide[i] = (double)((i * 3 + salt) % classes);
  settle(f);
  return (gan_node *)f->node;
}

/* The generator's second input, of a case that has a code. */
static gan_node *feed_code(struct stage *s, const struct case_input *code) {
  if (code->rank == 0) return NULL;
  return code->classes ? feed_labels(s, code->shape[0], code->classes, 2) : feed_random(s, code->rank, code->shape, -1, 1);
}

/* Inputs of a case are pairs: of the real and the generated samples. */
struct shown {
  gan_node *in[CASE_INPUTS], *real[CASE_INPUTS / 2], *fake[CASE_INPUTS / 2], *inputs[2];
  gan_network *eyes;
  gan_scene scene;
  int32_t n_x; gan_node *x[CASE_INPUTS];   /* that gradients reach */
};

static void show(struct stage *s, const struct op_case *c, struct shown *w) {
  gan_scene *scene = &w->scene;
  assert_int_equal(gan_scene_init(scene, sizeof *scene), GAN_OK);
  feed_case(s, c, 11, w->in);
  for (int32_t i = 0; i < c->n_in / 2; i++) w->real[i] = w->in[2 * i], w->fake[i] = w->in[2 * i + 1];
  scene->graph = s->g;
  scene->real_outputs = w->real;
  scene->fake_outputs = w->fake;
  scene->n_outputs = c->n_in / 2;
  if (c->n_in > 2) scene->real = w->real[1], scene->fake = w->fake[1];
  if (c->classes) scene->real_labels = feed_labels(s, w->in[0]->shape[0], c->classes, 0);
  if (c->classes) scene->fake_labels = feed_labels(s, w->in[1]->shape[0], c->classes, 1);
  w->inputs[0] = w->inputs[1] = feed_code(s, &c->code);
  scene->inputs = w->inputs;
  scene->n_inputs = 2;
  w->eyes = make_player(s, "eyes", "x", 1, (int64_t[]){4},
                        "dense units=3; tanh name=first; dense units=2 name=last; output a first; output b last");
  scene->networks = &w->eyes;
  scene->n_networks = 1;
  w->n_x = 0;
  for (int32_t i = 0; i < c->n_in; i++)
    if (!c->still || i % 2) w->x[w->n_x++] = w->in[i];
}

static void hide(struct stage *s, struct shown *w) {
  gan_network_free(w->eyes);
  stage_close(s);
}

/* Weights are one a sample, or one each_score. */
static void check_side(const char *text, const struct op_case *c, int32_t side, int32_t weighted, int32_t each_score) {
  struct stage s;
  struct shown w;
  stage_open(&s, text);
  show(&s, c, &w);
  if (weighted) w.scene.real_weights = feed_random(&s, 1, w.in[0]->shape, 0.2, 2);
  if (weighted) w.scene.fake_weights = feed_random(&s, each_score ? w.in[1]->rank : 1, w.in[1]->shape, 0.2, 2);
  gan_loss *loss = make_loss(&s, text);
  gan_node *y = emit(&s, loss, side, &w.scene);
  if (y) {
    check_kernels(&s, y, 0);
    check_derivatives(&s, y, w.n_x, w.x);
  }
  gan_loss_free(loss);
  hide(&s, &w);
}

/* ---------------------------------------------------------------------------------------- samples count as they weigh */

/* The first sample twice, the second not at all: as whole numbers that count, and as a batch. */
static gan_node *feed_counts(struct stage *s, const gan_node *x) {
  struct feed *f = new_feed(s, GAN_F32, 1, x->shape);
  for (int64_t i = 0; i < x->shape[0]; i++) f->wide[i] = i == 0 ? 2 : i != 1;
  settle(f);
  return (gan_node *)f->node;
}

static gan_node *repeated(struct stage *s, gan_node *x) {
  if (!x) return NULL;
  struct feed *f = new_feed(s, GAN_I32, 1, x->shape);
  const double *was = x->type == GAN_I32 ? find_feed(s, x)->wide : NULL;
  for (int64_t i = 0, from; i < x->shape[0]; i++) {
    from = i == 1 ? 0 : i;
    f->wide[i] = was ? was[from] : (double)from;
  }
  settle(f);
  return was ? (gan_node *)f->node : gan_gather(x, (gan_node *)f->node);
}

static void repeat_all(struct stage *s, gan_node **list, int32_t count) {
  for (int32_t i = 0; i < count; i++) list[i] = repeated(s, list[i]);
}

/* These compare the samples of a batch with each other: one that is there twice would meet itself. */
static int32_t compares_samples(const struct loss_row *row) {
  return row == &loss_pull_away || row == &loss_contrastive_2c || row == &loss_d2d_ce;
}

/* What a loss says of weights that are whole numbers it says of samples that are there so many times. Rows that make pairs get the
 * same node for both sides: a pair is there as often as its row. */
static void check_repeated(const struct loss_row *row, const struct op_case *c, int32_t side) {
  struct stage s;
  struct shown w;
  if (compares_samples(row)) return;
  stage_open(&s, row->name);
  show(&s, c, &w);
  gan_scene weighted = w.scene;
  weighted.real_weights = feed_counts(&s, w.in[0]);
  weighted.fake_weights = w.in[0]->shape[0] == w.in[1]->shape[0] ? weighted.real_weights : feed_counts(&s, w.in[1]);
  gan_loss *loss[2] = {make_loss(&s, row->name), make_loss(&s, row->name)};
  gan_node *y[2] = {emit(&s, loss[0], side, &weighted), NULL};
  repeat_all(&s, w.real, c->n_in / 2);
  repeat_all(&s, w.fake, c->n_in / 2);
  repeat_all(&s, w.inputs, 2);
  gan_scene *t = &w.scene;
  gan_node **others[4] = {&t->real_labels, &t->fake_labels, &t->real, &t->fake};
  for (int32_t i = 0; i < 4; i++) *others[i] = repeated(&s, *others[i]);
  y[1] = emit(&s, loss[1], side, t);
  if (y[0]) {
    struct oracle *o = ask_oracle(&s, 2, y);
    assert_value(&s, "as often as it weighs", y[0], 0, *oracle_value(o, y[0]), *oracle_value(o, y[1]), 1e-9);
    oracle_free(o);
  }
  for (int32_t i = 0; i < 2; i++) gan_loss_free(loss[i]);
  hide(&s, &w);
}

static void check_loss(const struct table_row *r, const struct op_case *c) {
  char text[200];
  for (int32_t side = GAN_SIDE_D; side <= GAN_SIDE_G; side++) {
    check_side(r->row->name, c, side, 0, 0);
    check_side(r->row->name, c, side, 1, 0);
    check_repeated(r->row, c, side);
    if (!has_option(r->row, "smooth")) continue;
    snprintf(text, sizeof text, "%s smooth=0.1 smooth-fake=0.2 flip=0.3 real=0.7 fake=1.3", r->row->name);
    check_side(text, c, side, 1, !r->row->score);
  }
}

/* ------------------------------------------------------------------------- what two players need: penalties, and identity */

/* Random values for all variables, and feeds for the first few of those that the result depends on. */
static int32_t feed_weights(struct stage *s, gan_network *n, gan_node **x, int32_t room) {
  int32_t count = 0;
  for (int64_t i = 0; i < n->n_variables; i++) {
    struct variable *v = n->variables[i].variable;
    for (int64_t k = 0; k < v->count; k++) v->data[k] = (float)test_random(31 + (uint64_t)i, (uint64_t)k, -1, 1);
    if (v->trainable && count < room) x[count++] = feed_variable(s, node_variable(s->g, v));
  }
  return count;
}

struct players { gan_network *g, *d; gan_node *z, *outputs[2]; };

/* Real samples and generated ones, which come from z through a generator. */
static void set_scene(struct stage *s, struct players *p, const struct op_case *c, gan_scene *scene) {
  const struct case_input *in = &c->in[0];
  char layers[100];
  int64_t latent = 2, z_shape[2] = {in->shape[0], 2};
  p->d = make_player(s, "D", "x", in->rank - 1, in->shape + 1, "flatten; dense units=4; tanh; dense units=1");
  snprintf(layers, sizeof layers, "dense units=3; tanh; dense units=%d", (int)(case_count(in) / in->shape[0]));
  p->g = make_player(s, "G", "z", 1, &latent, layers);
  assert_int_equal(gan_scene_init(scene, sizeof *scene), GAN_OK);
  feed_case(s, c, 7, &scene->real);
  p->z = feed_random(s, 2, z_shape, -1, 1);
  scene->graph = s->g;
  scene->generator = p->g;
  scene->discriminator = p->d;
  scene->fake = gan_reshape(gan_apply(p->g, p->z), in->rank, in->shape);
  scene->inputs = &p->z;
  p->outputs[0] = gan_apply(p->d, scene->real);
  p->outputs[1] = gan_apply(p->d, scene->fake);
  scene->real_outputs = &p->outputs[0];
  scene->fake_outputs = &p->outputs[1];
  scene->n_inputs = scene->n_outputs = 1;
}

static void check_played_side(const struct table_row *r, const struct op_case *c, int32_t side) {
  struct stage s;
  struct players p;
  gan_scene scene;
  gan_node *x[CASE_INPUTS];
  stage_open(&s, r->row->name);
  set_scene(&s, &p, c, &scene);
  int32_t n_x = feed_weights(&s, side == GAN_SIDE_D ? p.d : p.g, x, 3);
  feed_weights(&s, side == GAN_SIDE_D ? p.g : p.d, x + n_x, 0);
  gan_loss *loss = make_loss(&s, r->row->name);
  gan_node *y = emit(&s, loss, side, &scene);
  if (y) {
    check_kernels(&s, y, 0);
    check_derivatives(&s, y, n_x, x);
  }
  gan_loss_free(loss);
  gan_network_free(p.g);
  gan_network_free(p.d);
  stage_close(&s);
}

static void test_row(void **state) {
  const struct table_row *r = *state;
  struct op_case cases[CASES_MAX];
  int32_t count;
  read_cases(r, cases, &count);
  for (int32_t i = 0; i < count; i++) {
    if (cases[i].n_in > 1) check_loss(r, &cases[i]);
    for (int32_t side = GAN_SIDE_D; side <= GAN_SIDE_G && cases[i].n_in == 1; side++) check_played_side(r, &cases[i], side);
  }
}

/* --------------------------------------------------------------------------------------------------------------- functions */

/* Derivatives are with respect to the inputs that are floats. */
static void check_function(const char *text, const struct op_case *c) {
  struct stage s;
  gan_node *in[CASE_INPUTS], *x[CASE_INPUTS];
  int32_t n_x = 0;
  stage_open(&s, text);
  feed_case(&s, c, 5, in);
  for (int32_t i = 0; i < c->n_in; i++)
    if (in[i]->type == GAN_F32) x[n_x++] = in[i];
  gan_node *y = loss_function_call(text, NULL, c->n_in, in);
  assert_non_null(y);
  check_kernels(&s, y, 0);
  check_derivatives(&s, y, n_x, x);
  stage_close(&s);
}

static void test_functions(void **state) {
  (void)state;
  for (int32_t i = 0; loss_function_at(i); i++) {
    const struct loss_function *f = loss_function_at(i);
    struct op_case cases[CASES_MAX];
    int32_t count = op_cases_read(f->domain, cases);
    assert_true(count > 0 || !*f->domain);
    for (int32_t k = 0; k < count; k++) check_function(f->text, &cases[k]);
  }
}

int main(void) {
  static struct CMUnitTest tests[ROWS + 1];
  for (int32_t i = 0; i < ROWS; i++) {
    tests[i] = (struct CMUnitTest){.name = rows[i].row->name, .test_func = test_row, .initial_state = (void *)&rows[i]};
  }
  tests[ROWS] = (struct CMUnitTest)cmocka_unit_test(test_functions);
  return _cmocka_run_group_tests("loss tables", tests, ROWS + 1, NULL, NULL);
}
