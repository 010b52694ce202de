/* Update rules against plain C double, for every row of the table; what all rules share; parameter sets; schedules. */
#include "games.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/game.h"

/* ------------------------------------------------------------------ a game whose gradient is what the test binds */

/* Layer "vector units=n": x times a parameter of n numbers. With the loss sum(x w) the gradient is x itself. */
static gan_node *vector_layer(void *user, gan_layer_call *call, int32_t count, gan_node *const *in) {
  (void)user, (void)count;
  return gan_mul(in[0], gan_layer_parameter(call, "w", 1, (int64_t[]){gan_node_size(in[0], 1)}, "normal std=1"));
}

struct rig {
  gan_context *ctx;
  gan_network *network;
  gan_optimizer *optimizer;
  gan_game *game;
  gan_tensor *x, *w;
  int64_t n;
};

static struct rig rig_open(const char *optimizer, int64_t n, int32_t threads) {
  struct rig r = {.ctx = make_context(NULL, threads), .n = n};
  char lines[64];
  gan_graph *g;
  must(r.ctx, gan_context_add_layer(r.ctx, "vector", vector_layer, NULL, NULL));
  snprintf(lines, sizeof lines, "input x %lld; vector name=v", (long long)n);
  r.network = make_network(r.ctx, "N", lines);
  r.x = make_tensor(r.ctx, 1, &n, NULL);
  r.w = make_tensor(r.ctx, 1, &n, NULL);
  must(r.ctx, gan_optimizer_create(r.ctx, "o", optimizer, &r.optimizer));
  must(r.ctx, gan_game_create(r.ctx, NULL, &r.game));
  must(r.ctx, gan_game_add_step(r.game, "s", &g));
  gan_node *y = gan_apply(r.network, gan_input(g, "x", GAN_F32, 2, (int64_t[]){1, n}));
  gan_minimize(r.optimizer, gan_sum(y));
  return r;
}

static void rig_close(struct rig *r) {
  gan_game_free(r->game);
  gan_optimizer_free(r->optimizer);
  gan_network_free(r->network);
  gan_tensor_free(r->x);
  gan_tensor_free(r->w);
  gan_context_free(r->ctx);
}

static float *weights(struct rig *r) {
  must(r->ctx, gan_network_get(r->network, "v/w", r->w));
  return gan_tensor_data(r->w);
}

/* One step down a gradient that differs from step to step and element to element. */
static void rig_step(struct rig *r, int64_t t) {
  must(r->ctx, gan_tensor_random(r->x, "normal std=0.3", 100 + t));
  must(r->ctx, gan_game_bind(r->game, "x", r->x));
  must(r->ctx, gan_game_step(r->game, "s"));
}

static void assert_near(double came, double expected, double tolerance, const char *what) {
  if (!(fabs(came - expected) <= tolerance * (1 + fabs(expected)))) fail_msg("%s: %.9g, expected %.9g", what, came, expected);
}

/* ------------------------------------------------------------------ rules in double, one element */

struct element { double w, a, b; };   /* weight and two slots */

static void sgd(struct element *e, double g, int t) { (void)t; e->w -= 0.1 * g; }

static void sgd_full(struct element *e, double g, int t) {
  (void)t;
  g += 0.05 * e->w;
  e->a = 0.9 * e->a + g;
  e->w -= 0.1 * e->a;
}

static void sgd_nesterov(struct element *e, double g, int t) {
  (void)t;
  e->a = 0.8 * e->a + g;
  e->w -= 0.1 * (g + 0.8 * e->a);
}

static void rmsprop(struct element *e, double g, int t) {
  (void)t;
  e->a = 0.99 * e->a + 0.01 * g * g;
  e->w -= 0.01 * g / (sqrt(e->a) + 1e-8);
}

static void rmsprop_momentum(struct element *e, double g, int t) {
  (void)t;
  e->a = 0.9 * e->a + 0.1 * g * g;
  e->b = 0.5 * e->b + g / (sqrt(e->a) + 1e-4);
  e->w -= 0.02 * e->b;
}

static void adam_with(struct element *e, double g, int t, double rate, double beta1, double beta2, double epsilon) {
  e->a = beta1 * e->a + (1 - beta1) * g;
  e->b = beta2 * e->b + (1 - beta2) * g * g;
  e->w -= rate * (e->a / (1 - pow(beta1, t))) / (sqrt(e->b / (1 - pow(beta2, t))) + epsilon);
}

static void adam(struct element *e, double g, int t) { adam_with(e, g, t, 1e-3, 0.9, 0.999, 1e-8); }
static void adam_gan(struct element *e, double g, int t) { adam_with(e, g, t, 2e-2, 0.5, 0.9, 1e-6); }
static void adam_no_mean(struct element *e, double g, int t) { adam_with(e, g, t, 1e-2, 0, 0.9, 1e-8); }
static void adam_l2(struct element *e, double g, int t) { adam_with(e, g + 0.1 * e->w, t, 1e-2, 0.9, 0.999, 1e-8); }

static void adamw(struct element *e, double g, int t) {
  e->w *= 1 - 1e-2 * 0.2;
  adam_with(e, g, t, 1e-2, 0.9, 0.999, 1e-8);
}

static const struct rule { const char *text; void (*step)(struct element *e, double g, int t); } rules[] = {
  {"sgd rate=0.1", sgd},
  {"sgd rate=0.1 momentum=0.9 decay=0.05", sgd_full},
  {"sgd rate=0.1 momentum=0.8 nesterov", sgd_nesterov},
  {"rmsprop", rmsprop},
  {"rmsprop rate=0.02 decay=0.9 momentum=0.5 epsilon=1e-4", rmsprop_momentum},
  {"adam", adam},
  {"adam bound=1e6", adam},
  {"adam rate=2e-2 beta1=0.5 beta2=0.9 epsilon=1e-6", adam_gan},
  {"adam rate=2e-2 beta1=0.5 beta2=0.9 epsilon=1e-6 clip=1e6", adam_gan},
  {"adam rate=1e-2 beta1=0 beta2=0.9", adam_no_mean},
  {"adam rate=1e-2 beta1=0 beta2=0.9 bound=1e6", adam_no_mean},
  {"adam rate=1e-2 decay=0.1", adam_l2},
  {"adamw rate=1e-2 decay=0.2", adamw},
  {"adamw rate=1e-2 decay=0.2 bound=1e6", adamw},
};

enum { RULES = sizeof rules / sizeof *rules, ELEMENTS = 37, STEPS = 12 };

static void check_rule(const struct rule *rule) {
  struct rig r = rig_open(rule->text, ELEMENTS, 1);
  struct element expected[ELEMENTS] = {{0}};
  must(r.ctx, gan_optimizer_add(r.optimizer, r.network, NULL, 1, 1));
  for (int i = 0; i < ELEMENTS; i++) expected[i].w = weights(&r)[i];
  for (int t = 1; t <= STEPS; t++) {
    rig_step(&r, t);
    const float *g = gan_tensor_data(r.x), *w = weights(&r);
    for (int i = 0; i < ELEMENTS; i++) {
      rule->step(&expected[i], g[i], t);
      assert_near(w[i], expected[i].w, 2e-6, rule->text);
    }
  }
  rig_close(&r);
}

static void rules_are_their_formulas(void **state) {
  (void)state;
  for (int i = 0; i < RULES; i++) check_rule(&rules[i]);
}

static int begins_with(const char *text, const char *word) {
  size_t n = strlen(word);
  return strncmp(text, word, n) == 0 && (text[n] == ' ' || text[n] == 0);
}

static void every_row_has_a_formula(void **state) {
  (void)state;
  for (int32_t k = 0; k < gan_list_count(GAN_LIST_OPTIMIZERS); k++) {
    const char *name = gan_list_name(GAN_LIST_OPTIMIZERS, k);
    int found = 0;
    for (int i = 0; i < RULES; i++) found |= begins_with(rules[i].text, name);
    if (!found) fail_msg("no formula for the optimizer '%s'", name);
  }
}

/* ------------------------------------------------------------------ fused and emitted */

enum { MANY = 3 * 16384 + 5 };

static float *run_many(const char *optimizer, int32_t threads) {
  struct rig r = rig_open(optimizer, MANY, threads);
  must(r.ctx, gan_optimizer_add(r.optimizer, r.network, NULL, 0.5, 2));
  for (int t = 1; t <= 5; t++) rig_step(&r, t);
  float *w = malloc(sizeof *w * MANY);
  memcpy(w, weights(&r), sizeof *w * MANY);
  rig_close(&r);
  return w;
}

static void check_same(const char *fused, const char *emitted) {
  float *a = run_many(fused, 1), *b = run_many(emitted, 1), *c = run_many(fused, 2);
  for (int64_t i = 0; i < MANY; i++) assert_near(a[i], b[i], 5e-7, fused);
  assert_memory_equal(a, c, sizeof *a * MANY);
  free(a);
  free(b);
  free(c);
}

static void fused_and_emitted_agree(void **state) {
  (void)state;
  check_same("adam rate=1e-2", "adam rate=1e-2 bound=1e9");
  check_same("adamw rate=1e-2 decay=0.3", "adamw rate=1e-2 decay=0.3 bound=1e9");
}

static void the_right_rules_are_fused(void **state) {
  (void)state;
  static const struct { const char *text; int32_t fused; } cases[] = {
    {"sgd", 0}, {"rmsprop", 0}, {"adam", 1}, {"adam decay=0.1", 0}, {"adam clip=1", 0}, {"adam bound=1", 0}, {"adam clip-norm=1",
      1},
    {"adamw", 1}, {"adamw decay=0", 1}, {"adamw clip=1", 0},
  };
  gan_context *ctx = make_context(NULL, 1);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    gan_optimizer *o;
    must(ctx, gan_optimizer_create(ctx, "o", cases[i].text, &o));
    assert_int_equal(optimizer_is_fused(o), cases[i].fused);
    gan_optimizer_free(o);
  }
  gan_context_free(ctx);
}

/* ------------------------------------------------------------------ what all rules share */

static void check_common(const char *text, double (*expected)(double g, double norm, double w)) {
  struct rig r = rig_open(text, ELEMENTS, 1);
  must(r.ctx, gan_optimizer_add(r.optimizer, r.network, NULL, 1, 1));
  float before[ELEMENTS];
  memcpy(before, weights(&r), sizeof before);
  rig_step(&r, 1);
  const float *g = gan_tensor_data(r.x), *w = weights(&r);
  double norm = 0;
  for (int i = 0; i < ELEMENTS; i++) norm += (double)g[i] * g[i];
  for (int i = 0; i < ELEMENTS; i++) assert_near(w[i], expected(g[i], sqrt(norm), before[i]), 2e-6, text);
  rig_close(&r);
}

static double clip(double g, double norm, double w) { (void)norm; return w - fmax(-0.2, fmin(0.2, g)); }
static double clip_norm(double g, double norm, double w) { return w - g * 0.5 / norm; }
static double loose_norm(double g, double norm, double w) { (void)norm; return w - g; }
static double bound(double g, double norm, double w) { (void)norm; return fmax(-0.25, fmin(0.25, w - g)); }
static double warm(double g, double norm, double w) { (void)norm; return w - g / 4; }

static void common_options_do_what_they_say(void **state) {
  (void)state;
  check_common("sgd rate=1 clip=0.2", clip);
  check_common("sgd rate=1 clip-norm=0.5", clip_norm);
  check_common("sgd rate=1 clip-norm=1000", loose_norm);
  check_common("sgd rate=1 bound=0.25", bound);
  check_common("sgd rate=1 schedule=(constant warmup=4)", warm);
}

static void rates_follow_their_schedule(void **state) {
  (void)state;
  struct rig r = rig_open("sgd rate=0.5 schedule=(linear steps=4 end=0.2)", 2, 1);
  must(r.ctx, gan_optimizer_add(r.optimizer, r.network, NULL, 1, 1));
  static const double factors[] = {1, 0.8, 0.6, 0.4, 0.2, 0.2};
  for (int t = 0; t < 6; t++) {
    double before = weights(&r)[0];
    if (t == 3) must(r.ctx, gan_optimizer_set_rate(r.optimizer, 2));
    rig_step(&r, t);
    assert_near(weights(&r)[0], before - (t < 3 ? 0.5 : 2) * factors[t] * ((float *)gan_tensor_data(r.x))[0], 2e-6, "linear");
  }
  assert_true(gan_optimizer_rate(r.optimizer) == 2);
  assert_int_equal(gan_optimizer_set_rate(r.optimizer, -1), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_optimizer_set_rate(r.optimizer, NAN), GAN_ERROR_ARGUMENT);
  rig_close(&r);
}

static double cosine(double t) { return 0.1 + 0.9 * (1 + cos(3.14159265358979 * fmin(t / 10, 1))) / 2; }
static double in_steps(double t) { return pow(0.5, floor(t / 3)); }
static double linear(double t) { return t < 5 ? 1 - t / 5 : 0; }
static double constant(double t) { (void)t; return 1; }
static double warm_cosine(double t) { return cosine(t) * fmin((t + 1) / 4, 1); }

static void schedules_are_their_formulas(void **state) {
  (void)state;
  static const struct { const char *text; double (*factor)(double t); } cases[] = {
    {"constant", constant}, {"step every=3 factor=0.5", in_steps}, {"linear steps=5", linear}, {"cosine steps=10 end=0.1",
      cosine},
    {"cosine steps=10 end=0.1 warmup=4", warm_cosine},
  };
  gan_context *ctx = make_context(NULL, 1);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct schedule s = {0};
    must(ctx, schedule_parse(ctx, cases[i].text, &s));
    for (int t = 0; t < 20; t++) assert_near(schedule_factor(&s, t), cases[i].factor(t), 1e-12, cases[i].text);
    schedule_free(&s);
  }
  for (int32_t k = 0; k < gan_list_count(GAN_LIST_SCHEDULES); k++) {
    int found = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
      found |= begins_with(cases[i].text, gan_list_name(GAN_LIST_SCHEDULES, k));
    if (!found) fail_msg("no formula for the schedule '%s'", gan_list_name(GAN_LIST_SCHEDULES, k));
  }
  gan_context_free(ctx);
}

/* ------------------------------------------------------------------ parameter sets */

static gan_network *three_layers(gan_context *ctx) {
  return make_network(ctx, "T",
                      "input x 2; dense units=3 name=a1; dense units=3 name=a2; dense units=1 name=b; batch-norm name=n");
}

/* The paths of a set, joined by blanks. */
static void expect_set(gan_context *ctx, gan_network *n, const char *pattern, const char *expected) {
  gan_optimizer *o;
  char came[512] = "";
  must(ctx, gan_optimizer_create(ctx, "o", "sgd", &o));
  must(ctx, gan_optimizer_add(o, n, pattern, 1, 1));
  for (int64_t i = 0; i < o->n_parameters; i++) {
    if (i) strcat(came, " ");
    strcat(came, o->parameters[i].path + 2);
  }
  assert_string_equal(came, expected);
  gan_optimizer_free(o);
}

static void patterns_choose_parameters(void **state) {
  (void)state;
  gan_context *ctx = make_context(NULL, 1);
  gan_network *n = three_layers(ctx);
  expect_set(ctx, n, NULL, "a1/weight a1/bias a2/weight a2/bias b/weight b/bias n/weight n/bias");
  expect_set(ctx, n, "*", "a1/weight a1/bias a2/weight a2/bias b/weight b/bias n/weight n/bias");
  expect_set(ctx, n, "b/weight", "b/weight");
  expect_set(ctx, n, "a*", "a1/weight a1/bias a2/weight a2/bias");
  expect_set(ctx, n, "*/weight", "a1/weight a2/weight b/weight n/weight");
  expect_set(ctx, n, "a*/b*", "a1/bias a2/bias");
  expect_set(ctx, n, " b/* , a1/bias,*1/*", "b/weight b/bias a1/bias a1/weight");
  expect_set(ctx, n, "**/*i*t", "a1/weight a2/weight b/weight n/weight");
  gan_network_free(n);
  gan_context_free(ctx);
}

static void patterns_that_match_nothing_are_refused(void **state) {
  (void)state;
  gan_context *ctx = make_context(NULL, 1);
  gan_network *n = three_layers(ctx);
  gan_optimizer *o;
  must(ctx, gan_optimizer_create(ctx, "o", "sgd", &o));
  assert_int_equal(gan_optimizer_add(o, n, "a1/*,c*", 1, 1), GAN_ERROR_ARGUMENT);
  assert_sentence(ctx, "no parameter of network 'T' matches 'c*'");
  assert_int_equal(o->n_parameters, 0);
  assert_int_equal(o->count, 0);
  assert_int_equal(gan_optimizer_add(o, n, "n/mean", 1, 1), GAN_ERROR_ARGUMENT); /* state is not trained */
  assert_int_equal(gan_optimizer_add(o, n, "", 1, 1), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_optimizer_add(o, n, NULL, -1, 1), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_optimizer_add(o, n, NULL, NAN, 1), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_optimizer_add(o, n, NULL, 1, INFINITY), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_optimizer_add(o, NULL, NULL, 1, 1), GAN_ERROR_ARGUMENT);
  must(ctx, gan_optimizer_add(o, n, "b/weight", 0.5, 1));
  must(ctx, gan_optimizer_add(o, n, "b/*", 2, 1)); /* what is in the set stays as it is */
  assert_int_equal(o->n_parameters, 2);
  assert_true(o->parameters[0].rate == 0.5 && o->parameters[1].rate == 2);
  assert_int_equal(o->parameters[1].first, 3);
  gan_optimizer_free(o);
  gan_network_free(n);
  gan_context_free(ctx);
}

static void multipliers_and_frozen_parameters(void **state) {
  (void)state;
  struct rig r = rig_open("sgd rate=1 decay=0.5", ELEMENTS, 1);
  must(r.ctx, gan_optimizer_add(r.optimizer, r.network, NULL, 0.25, 2));
  double before = weights(&r)[3];
  rig_step(&r, 1);
  assert_near(weights(&r)[3], before - 0.25 * (((float *)gan_tensor_data(r.x))[3] + 0.5 * 2 * before), 2e-6, "multipliers");
  assert_int_equal(gan_optimizer_add(r.optimizer, r.network, NULL, 1, 1), GAN_ERROR_STATE);
  rig_close(&r);
}

static void optimizers_without_parameters_are_refused(void **state) {
  (void)state;
  struct rig r = rig_open("adam", 4, 1);
  assert_int_equal(gan_game_prepare(r.game), GAN_ERROR_ARGUMENT);
  assert_sentence(r.ctx, "optimizer 'o' has no parameters");
  must(r.ctx, gan_optimizer_add(r.optimizer, r.network, NULL, 1, 1));
  rig_step(&r, 1); /* and may be put right */
  rig_close(&r);
}

/* ------------------------------------------------------------------ mistakes */

static void unknown_names_are_told_what_there_is(void **state) {
  (void)state;
  gan_context *ctx = make_context(NULL, 1);
  gan_optimizer *o = (gan_optimizer *)&o;
  assert_int_equal(gan_optimizer_create(ctx, "o", "adm", &o), GAN_ERROR_ARGUMENT);
  assert_sentence(ctx, "did you mean 'adam'?");
  assert_sentence(ctx, "sgd, rmsprop, adam, adamw");
  assert_int_equal(gan_optimizer_create(ctx, "o", "adam schedule=(cosin steps=3)", &o), GAN_ERROR_ARGUMENT);
  assert_sentence(ctx, "cosine");
  assert_int_equal(gan_optimizer_create(ctx, "o", "adam schedule=cosine", &o), GAN_ERROR_ARGUMENT); /* steps is required */
  assert_int_equal(gan_optimizer_create(ctx, "o", "adam beta1=1", &o), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_optimizer_create(ctx, "o", "adam rate=-1", &o), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_optimizer_create(ctx, "o", "", &o), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_optimizer_create(ctx, "a/b", "adam", &o), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_optimizer_create(ctx, NULL, "adam", &o), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_optimizer_create(NULL, "o", "adam", &o), GAN_ERROR_ARGUMENT);
  assert_ptr_equal(o, &o);
  assert_true(gan_optimizer_rate(NULL) == 0);
  assert_int_equal(gan_optimizer_set_rate(NULL, 1), GAN_ERROR_ARGUMENT);
  gan_optimizer_free(NULL);
  gan_context_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(rules_are_their_formulas),
    cmocka_unit_test(every_row_has_a_formula),
    cmocka_unit_test(fused_and_emitted_agree),
    cmocka_unit_test(the_right_rules_are_fused),
    cmocka_unit_test(common_options_do_what_they_say),
    cmocka_unit_test(rates_follow_their_schedule),
    cmocka_unit_test(schedules_are_their_formulas),
    cmocka_unit_test(patterns_choose_parameters),
    cmocka_unit_test(patterns_that_match_nothing_are_refused),
    cmocka_unit_test(multipliers_and_frozen_parameters),
    cmocka_unit_test(optimizers_without_parameters_are_refused),
    cmocka_unit_test(unknown_names_are_told_what_there_is),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
