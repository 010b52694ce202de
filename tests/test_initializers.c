/* Initializers: by their statistics, and by what they refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "bed.h"
#include "nn/initializer.h"
#include "nn/layer.h"

enum { SEED = 7 };

struct statistics { double mean, std, low, high; };

static struct statistics statistics_of(const struct variable *v) {
  struct statistics s = {.low = INFINITY, .high = -INFINITY};
  for (int64_t i = 0; i < v->count; i++) {
    double x = (double)v->data[i];
    s.mean += x / (double)v->count;
    s.low = fmin(s.low, x);
    s.high = fmax(s.high, x);
  }
  for (int64_t i = 0; i < v->count; i++) s.std += pow((double)v->data[i] - s.mean, 2) / (double)v->count;
  s.std = sqrt(s.std);
  return s;
}

static struct variable *filled(gan_context *ctx, const char *init, int32_t rank, const int64_t *shape) {
  struct variable *v;
  must(ctx, variable_create(ctx, "v", rank, shape, &v));
  v->init = context_strdup(ctx, init);
  v->stream = rng_hash(init);
  must(ctx, variable_initialize(v, SEED));
  return v;
}

static void test_initializers(void **state) {
  (void)state;
  enum { OUT = 200, IN = 300 };
  const struct { const char *init; double mean, std, bound; } cases[] = {
    {"zeros", 0, 0, 0}, {"ones", 1, 0, 1}, {"constant value=-2.5", -2.5, 0, 2.5},
    {"uniform low=-1 high=3", 1, 4 / sqrt(12), 3},
    {"normal mean=0.5 std=0.02", 0.5, 0.02, 0},
    {"truncated-normal std=2", 0, 2 * 0.8796256610, 4},
    {"truncated_normal", 0, 0.8796256610, 2},
    {"pytorch", 0, 1 / sqrt(3.0 * IN), 1 / sqrt(IN)},
    {"glorot-uniform", 0, sqrt(2.0 / (IN + OUT)), sqrt(6.0 / (IN + OUT))},
    {"glorot-normal gain=2", 0, 2 * sqrt(2.0 / (IN + OUT)), 0},
    {"he-uniform", 0, sqrt(2.0 / IN), sqrt(6.0 / IN)},
    {"he-normal slope=0.2", 0, sqrt(2.0 / (1.04 * IN)), 0},
    {"orthogonal gain=3", 0, 3 / sqrt(IN), 0},
  };
  gan_context *ctx = new_context();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct variable *v = filled(ctx, cases[i].init, 2, (int64_t[]){OUT, IN});
    struct statistics s = statistics_of(v);
    double error = 5 * cases[i].std / sqrt(OUT * IN) + 1e-6;
    if (fabs(s.mean - cases[i].mean) > error || fabs(s.std - cases[i].std) > error)
      fail_msg("%s: mean %g, std %g", cases[i].init, s.mean, s.std);
    if (cases[i].bound > 0) assert_true(fmax(-s.low, s.high) <= cases[i].bound * (1 + 1e-6));
    variable_unref(v);
  }
  gan_context_free(ctx);
}

static void test_fan_of_higher_ranks(void **state) {
  (void)state;
  gan_context *ctx = new_context();
  static const struct { const char *init; double bound; } cases[] = {
    {"pytorch", 1.0 / (16 * 9)}, {"glorot-uniform", 6.0 / ((16 + 32) * 9)}, {"he-uniform", 6.0 / (16 * 9)},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct variable *v = filled(ctx, cases[i].init, 4, (int64_t[]){32, 3, 3, 16});
    double high = statistics_of(v).high, bound = sqrt(cases[i].bound);
    if (!(high <= bound * (1 + 1e-6) && high > 0.99 * bound)) fail_msg("%s: up to %g, expected %g", cases[i].init, high, bound);
    variable_unref(v);
  }
  gan_context_free(ctx);
}

static void check_orthogonal(gan_context *ctx, int64_t rows, int64_t columns) {
  struct variable *v = filled(ctx, "orthogonal", 2, (int64_t[]){rows, columns});
  int64_t few = rows < columns ? rows : columns, many = rows < columns ? columns : rows;
  int64_t next = rows < columns ? columns : 1, step = rows < columns ? 1 : columns;
  for (int64_t i = 0; i < few; i++)
    for (int64_t j = 0; j <= i; j++) {
      double sum = 0;
      for (int64_t k = 0; k < many; k++) sum += (double)v->data[i * next + k * step] * (double)v->data[j * next + k * step];
      assert_true(fabs(sum - (i == j)) < 1e-6);
    }
  variable_unref(v);
}

static void test_orthogonal(void **state) {
  (void)state;
  gan_context *ctx = new_context();
  check_orthogonal(ctx, 20, 50);
  check_orthogonal(ctx, 50, 20);
  check_orthogonal(ctx, 30, 30);
  gan_context_free(ctx);
}

/* A convolution's weight is the matrix of its outputs, (out, kh kw in). */
static void test_orthogonal_convolution(void **state) {
  (void)state;
  gan_context *ctx = new_context();
  struct variable *v = filled(ctx, "orthogonal", 4, (int64_t[]){20, 3, 3, 5});
  for (int64_t i = 0; i < 20; i++)
    for (int64_t j = 0; j <= i; j++) {
      double sum = 0;
      for (int64_t k = 0; k < 45; k++) sum += (double)v->data[45 * i + k] * (double)v->data[45 * j + k];
      assert_true(fabs(sum - (i == j)) < 1e-6);
    }
  variable_unref(v);
  gan_context_free(ctx);
}

/* PyTorch's defaults: weight and bias within 1 / sqrt(fan-in), where a transposed convolution's fan-in counts its outputs. */
static void test_defaults_of_convolutions(void **state) {
  (void)state;
  static const struct { const char *text; double fan_in; } cases[] = {
    {"conv2d filters=400 kernel=3", 9 * 8},
    {"conv2d filters=400 kernel=3x1 groups=4", 3 * 2},
    {"conv-transpose2d filters=400 kernel=3", 9 * 400},
    {"conv-transpose2d filters=400 kernel=2 groups=2", 4 * 200},
  };
  gan_context *ctx = new_context();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    gan_graph *g;
    gan_layer *layer;
    must(ctx, gan_graph_create(ctx, &g));
    must(ctx, gan_layer_create(ctx, cases[i].text, &layer));
    gan_node *x = gan_input(g, "x", GAN_F32, 4, (int64_t[]){1, 5, 5, 8});
    gan_layer_apply(layer, 1, 1, &x);
    must(ctx, gan_graph_check(g));
    assert_int_equal(layer->n_variables, 2);
    for (int64_t j = 0; j < 2; j++) {
      double high = statistics_of(layer->variables[j]).high, bound = 1 / sqrt(cases[i].fan_in);
      if (!(high <= bound * (1 + 1e-6) && high > 0.97 * bound)) fail_msg("%s: %g, expected %g", cases[i].text, high, bound);
    }
    gan_layer_free(layer);
    gan_graph_free(g);
  }
  gan_context_free(ctx);
}

static void test_initializer_errors(void **state) {
  (void)state;
  gan_context *ctx = new_context();
  const struct { const char *text, *part; } cases[] = {
    {"dense units=3 init=(norml std=1)", "did you mean 'normal'"},
    {"dense units=3 init=(normal sdt=1)", "initializer normal: no parameter 'sdt'"},
    {"dense units=3 bias-init=constant", "value is missing"},
    {"dense units=0", "units is 0"},
    {"dense", "units is missing"},
    {"dens units=3", "did you mean 'dense'"},
    {"", "empty"},
    {"dense units=3 from=x", "from="},
    {"dense units=3 name=a/b", "is no name"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    gan_layer *layer = NULL;
    char text[512];
    assert_int_equal(gan_layer_create(ctx, cases[i].text, &layer), GAN_ERROR_ARGUMENT);
    assert_null(layer);
    gan_context_error(ctx, text, sizeof text, NULL);
    if (!strstr(text, cases[i].part)) fail_msg("'%s' gave '%s'", cases[i].text, text);
  }
  gan_context_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_initializers),
    cmocka_unit_test(test_fan_of_higher_ranks),
    cmocka_unit_test(test_orthogonal),
    cmocka_unit_test(test_orthogonal_convolution),
    cmocka_unit_test(test_defaults_of_convolutions),
    cmocka_unit_test(test_initializer_errors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
