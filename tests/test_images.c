/* What works on images and sequences: convolutions by their options, against plain loops that know nothing of three products. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "op_stage.h"
#include "ops/build.h"

/* ---------------------------------------------------------------------------------------------------------------- arrays */

/* An image (n,h,w,c) of doubles. */
struct image {
  int64_t n, h, w, c;
  double *at;
};

static struct image image_new(int64_t n, int64_t h, int64_t w, int64_t c) {
  struct image m = {n, h, w, c, calloc((size_t)(n * h * w * c), sizeof(double))};
  assert_non_null(m.at);
  return m;
}

/* A node's shape as that of an image: a sequence is one row. */
static struct image image_of_shape(const gan_node *n, double *at) {
  const int64_t *s = n->shape;
  return n->rank == 4 ? (struct image){s[0], s[1], s[2], s[3], at} : (struct image){s[0], 1, s[1], s[2], at};
}

static struct image image_of(const struct stage *s, const gan_node *n) { return image_of_shape(n, find_feed(s, n)->wide); }

static double *pixel(const struct image *m, int64_t n, int64_t i, int64_t j, int64_t c) {
  return &m->at[((n * m->h + i) * m->w + j) * m->c + c];
}

/* With zeros around it, or (negative) cut. */
static struct image padded(const struct image *x, const int64_t *sides) {
  struct image y = image_new(x->n, x->h + sides[0] + sides[1], x->w + sides[2] + sides[3], x->c);
  for (int64_t n = 0; n < y.n; n++)
    for (int64_t i = 0; i < y.h; i++)
      for (int64_t j = 0; j < y.w; j++)
        for (int64_t c = 0; c < y.c; c++) {
          int64_t row = i - sides[0], column = j - sides[2];
          int32_t inside = row >= 0 && row < x->h && column >= 0 && column < x->w;
          *pixel(&y, n, i, j, c) = inside ? *pixel(x, n, row, column, c) : 0;
        }
  return y;
}

static void assert_image(struct stage *s, gan_node *y, const struct image *expected) {
  struct image shape = image_of_shape(y, NULL);
  if (shape.n != expected->n || shape.h != expected->h || shape.w != expected->w || shape.c != expected->c) {
    char text[SHAPE_TEXT];
    fail_msg("%s: came %s, expected %lldx%lldx%lldx%lld", s->what, node_text(y, text), (long long)expected->n,
             (long long)expected->h, (long long)expected->w, (long long)expected->c);
  }
  struct oracle *o = ask_oracle(s, 1, &y);
  for (int64_t i = 0; i < y->count; i++) assert_value(s, "loops", y, i, oracle_value(o, y)[i], expected->at[i], 1e-12);
  oracle_free(o);
  check_kernels(s, y, 0);
}

/* ---------------------------------------------------------------------------------------------------------- convolutions */

/* Places of the kernel on an image that is padded already, stride and dilation apart. */
static struct image slide(const struct image *x, const struct image *w, const int64_t *stride, const int64_t *dilation,
                          int64_t groups) {
  int64_t h = (x->h - (w->h - 1) * dilation[0] - 1) / stride[0] + 1, width = (x->w - (w->w - 1) * dilation[1] - 1) / stride[1] + 1;
  struct image y = image_new(x->n, h, width, w->n);
  for (int64_t n = 0; n < y.n; n++)
    for (int64_t i = 0; i < h; i++)
      for (int64_t j = 0; j < width; j++)
        for (int64_t o = 0; o < y.c; o++)
          for (int64_t a = 0; a < w->h; a++)
            for (int64_t b = 0; b < w->w; b++)
              for (int64_t c = 0; c < w->c; c++)
                *pixel(&y, n, i, j, o) +=
                    *pixel(w, o, a, b, c) *
                    *pixel(x, n, i * stride[0] + a * dilation[0], j * stride[1] + b * dilation[1], o / (y.c / groups) * w->c + c);
  return y;
}

/* Every pixel stamps the kernel into an image that is cut (or padded) afterwards. */
static struct image stamp(const struct image *x, const struct image *w, const int64_t *stride, const int64_t *dilation,
                          int64_t groups) {
  int64_t h = (x->h - 1) * stride[0] + (w->h - 1) * dilation[0] + 1, width = (x->w - 1) * stride[1] + (w->w - 1) * dilation[1] + 1;
  struct image y = image_new(x->n, h, width, w->c * groups);
  for (int64_t n = 0; n < x->n; n++)
    for (int64_t i = 0; i < x->h; i++)
      for (int64_t j = 0; j < x->w; j++)
        for (int64_t c = 0; c < x->c; c++)
          for (int64_t a = 0; a < w->h; a++)
            for (int64_t b = 0; b < w->w; b++)
              for (int64_t o = 0; o < w->c; o++)
                *pixel(&y, n, i * stride[0] + a * dilation[0], j * stride[1] + b * dilation[1], c / (x->c / groups) * w->c + o) +=
                    *pixel(x, n, i, j, c) * *pixel(w, c, a, b, o);
  return y;
}

/* sides: what the padding in the options comes to on each side; of a transposed convolution what is cut off there. */
struct conv_case {
  const char *x, *w, *options;
  int64_t sides[4], stride[2], dilation[2], groups;
};

static const struct conv_case forward[] = {
    {"2x5x4x3", "4x3x2x3", NULL, {0}, {1, 1}, {1, 1}, 1},
    {"2x5x4x3", "4x3x2x3", "", {0}, {1, 1}, {1, 1}, 1},
    {"2x6x7x2", "3x4x4x2", "stride=2 padding=1", {1, 1, 1, 1}, {2, 2}, {1, 1}, 1},
    {"2x6x7x2", "3x4x4x2", "stride=2x1 padding=1x2", {1, 1, 2, 2}, {2, 1}, {1, 1}, 1},
    {"2x6x7x2", "3x3x3x2", "padding=1,2,3,0 dilation=2x1", {1, 2, 3, 0}, {1, 1}, {2, 1}, 1},
    {"2x6x7x2", "3x3x3x2", "padding=-1,2,0,-2", {-1, 2, 0, -2}, {1, 1}, {1, 1}, 1},
    {"2x6x7x4", "6x3x3x2", "groups=2 padding=valid", {0}, {1, 1}, {1, 1}, 2},
    {"2x6x7x3", "3x3x3x1", "groups=3 padding=same", {1, 1, 1, 1}, {1, 1}, {1, 1}, 3},
    {"2x6x7x2", "3x4x5x2", "padding=same", {1, 2, 2, 2}, {1, 1}, {1, 1}, 1},
    {"2x6x7x2", "3x3x5x2", "padding=same stride=2", {0, 1, 2, 2}, {2, 2}, {1, 1}, 1},
    {"2x6x7x2", "3x1x2x2", "padding=same stride=3x2 dilation=1x3", {0, 0, 1, 2}, {3, 2}, {1, 3}, 1},
    {"2x6x7x5", "3x1x1x5", "", {0}, {1, 1}, {1, 1}, 1},
    {"3x4x5x2", "3x4x5x2", "", {0}, {1, 1}, {1, 1}, 1},
    {"1x1x1x2", "3x3x3x2", "padding=1", {1, 1, 1, 1}, {1, 1}, {1, 1}, 1},
    {"2x9x3", "4x3x3", "stride=2 padding=1", {0, 0, 1, 1}, {1, 2}, {1, 1}, 1},
    {"2x9x4", "4x3x2", "padding=2,-1 dilation=2 groups=2", {0, 0, 2, -1}, {1, 1}, {1, 2}, 2},
    {"2x9x3", "4x4x3", "padding=same", {0, 0, 1, 2}, {1, 1}, {1, 1}, 1},
};

static const struct conv_case transposed[] = {
    {"2x3x4x3", "3x3x2x4", NULL, {0}, {1, 1}, {1, 1}, 1},
    {"2x3x4x3", "3x4x4x2", "stride=2 padding=1", {1, 1, 1, 1}, {2, 2}, {1, 1}, 1},
    {"2x3x4x3", "3x5x5x2", "stride=2 padding=2 output-padding=1", {2, 1, 2, 1}, {2, 2}, {1, 1}, 1},
    {"2x3x4x3", "3x3x3x2", "stride=3x2 padding=1,0,-1,2 output-padding=2x0 dilation=1x2", {1, -2, -1, 2}, {3, 2}, {1, 2}, 1},
    {"2x3x4x6", "6x3x3x2", "groups=3 stride=2 padding=1", {1, 1, 1, 1}, {2, 2}, {1, 1}, 3},
    {"2x3x4x3", "3x4x4x2", "padding=same stride=2", {1, 1, 1, 1}, {2, 2}, {1, 1}, 1},
    {"2x3x4x3", "3x5x3x2", "padding=same stride=2", {1, 2, 0, 1}, {2, 2}, {1, 1}, 1},
    {"2x3x4x3", "3x1x2x2", "padding=same stride=3", {0, -2, 0, -1}, {3, 3}, {1, 1}, 1},
    {"2x1x1x5", "5x4x4x3", "", {0}, {1, 1}, {1, 1}, 1},
    {"2x3x4x5", "5x1x1x3", "", {0}, {1, 1}, {1, 1}, 1},
    {"2x5x3", "3x4x2", "stride=2 padding=1", {0, 0, 1, 1}, {1, 2}, {1, 1}, 1},
    {"2x5x4", "4x3x1", "stride=4 padding=1,0 output-padding=3 groups=2", {0, 0, 1, -3}, {1, 4}, {1, 1}, 2},
};

static gan_node *feed_shape(struct stage *s, const char *text) {
  struct op_case c;
  char column[64];
  snprintf(column, sizeof column, "%s -1..1", text);
  assert_int_equal(op_cases_read(column, &c), 1);
  return feed_random(s, c.in[0].rank, c.in[0].shape, -1, 1);
}

static gan_node *convolve(gan_node *x, gan_node *w, const char *options, int32_t is_transposed) {
  if (x->rank == 3) return is_transposed ? gan_conv_transpose1d(x, w, options) : gan_conv1d(x, w, options);
  return is_transposed ? gan_conv_transpose2d(x, w, options) : gan_conv2d(x, w, options);
}

static void check_convolution(const struct conv_case *c, int32_t is_transposed) {
  struct stage s;
  char what[128];
  snprintf(what, sizeof what, "%sconvolution of %s by %s, %s", is_transposed ? "transposed " : "", c->x, c->w,
           c->options ? c->options : "NULL");
  stage_open(&s, what);
  gan_node *x = feed_shape(&s, c->x), *w = feed_shape(&s, c->w), *y = convolve(x, w, c->options, is_transposed);
  assert_good(&s);
  struct image image = image_of(&s, x), kernel = image_of(&s, w), between, expected;
  if (is_transposed) {
    between = stamp(&image, &kernel, c->stride, c->dilation, c->groups);
    expected = padded(&between, (int64_t[]){-c->sides[0], -c->sides[1], -c->sides[2], -c->sides[3]});
  } else {
    between = padded(&image, c->sides);
    expected = slide(&between, &kernel, c->stride, c->dilation, c->groups);
  }
  assert_image(&s, y, &expected);
  check_derivatives(&s, y, 2, (gan_node *[]){x, w});
  check_derivatives(&s, gan_square(y), 2, (gan_node *[]){x, w});
  free(between.at);
  free(expected.at);
  stage_close(&s);
}

static void test_convolutions(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof forward / sizeof *forward; i++) check_convolution(&forward[i], 0);
}

static void test_transposed(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof transposed / sizeof *transposed; i++) check_convolution(&transposed[i], 1);
}

/* --------------------------------------------------------------------------------------------------------------- mistakes */

struct mistake {
  const char *function, *x, *w, *options;
  gan_status status;
  const char *words[3];
};

static const struct mistake mistakes[] = {
    {"conv2d", "2x5x3", "4x3x3", "", GAN_ERROR_SHAPE, {"conv2d", "2x5x3", "(n,h,w,c)"}},
    {"conv2d", "2x5x5x3", "4x3x3", "", GAN_ERROR_SHAPE, {"conv2d", "4x3x3", "(outputs,kh,kw,c/groups)"}},
    {"conv2d", "2x5x5x3", "4x3x3x2", "", GAN_ERROR_SHAPE, {"conv2d", "2x5x5x3", "4x3x3x2"}},
    {"conv2d", "2x5x5x4", "3x3x3x2", "groups=2", GAN_ERROR_SHAPE, {"conv2d", "in 2 groups", "3x3x3x2"}},
    {"conv2d", "2x5x5x3", "4x6x3x3", "", GAN_ERROR_SHAPE, {"conv2d", "4x6x3x3", "padding"}},
    {"conv2d", "2x5x5x3", "4x3x3x3", "dilation=1x3", GAN_ERROR_SHAPE, {"conv2d", "padding"}},
    {"conv2d", "2x5x5x3", "4x3x3x3", "padding=-3", GAN_ERROR_SHAPE, {"conv2d", "padding"}},
    {"conv2d", "2x5x5x3", "4x3x3x3", "stride=0", GAN_ERROR_ARGUMENT, {"conv2d", "stride", "'0'"}},
    {"conv2d", "2x5x5x3", "4x3x3x3", "stride=2x", GAN_ERROR_ARGUMENT, {"stride", "'2x'", "2x3"}},
    {"conv2d", "2x5x5x3", "4x3x3x3", "stride=2x2x2", GAN_ERROR_ARGUMENT, {"stride"}},
    {"conv2d", "2x5x5x3", "4x3x3x3", "dilation=2000000", GAN_ERROR_ARGUMENT, {"dilation", "1048576"}},
    {"conv2d", "2x5x5x3", "4x3x3x3", "padding=1,2", GAN_ERROR_ARGUMENT, {"padding", "'1,2'", "top,bottom,left,right"}},
    {"conv2d", "2x5x5x3", "4x3x3x3", "padding=sam", GAN_ERROR_ARGUMENT, {"padding", "'sam'", "same"}},
    {"conv2d", "2x5x5x3", "4x3x3x3", "padding=99999999", GAN_ERROR_ARGUMENT, {"padding"}},
    {"conv2d", "2x5x5x3", "4x3x3x3", "groups=0", GAN_ERROR_ARGUMENT, {"conv2d", "groups"}},
    {"conv2d", "2x5x5x3", "4x3x3x3", "kernel=3", GAN_ERROR_ARGUMENT, {"conv2d", "kernel"}},
    {"conv2d", "2x5x5x3", "4x3x3x3", "output-padding=1", GAN_ERROR_ARGUMENT, {"conv2d", "output-padding"}},
    {"conv1d", "2x5x5x3", "4x3x3x3", "", GAN_ERROR_SHAPE, {"conv1d", "2x5x5x3", "(n,length,c)"}},
    {"conv1d", "2x5x3", "4x3x3", "stride=2x2", GAN_ERROR_ARGUMENT, {"conv1d", "stride"}},
    {"conv1d", "2x5x3", "4x3x3", "padding=1,1,1,1", GAN_ERROR_ARGUMENT, {"conv1d", "padding", "before,after"}},
    {"conv_transpose2d", "2x5x5x3", "4x3x3x3", "", GAN_ERROR_SHAPE, {"conv_transpose2d", "4x3x3x3"}},
    {"conv_transpose2d", "2x5x5x3", "3x3x3x3", "groups=2", GAN_ERROR_SHAPE, {"conv_transpose2d", "in 2 groups"}},
    {"conv_transpose2d", "2x5x5x3", "3x3x3x3", "padding=4", GAN_ERROR_SHAPE, {"conv_transpose2d", "at least one pixel"}},
    {"conv_transpose2d", "2x5x5x3", "3x3x3x3", "stride=2 output-padding=2", GAN_ERROR_ARGUMENT, {"output-padding"}},
    {"conv_transpose2d", "2x5x5x3", "3x3x3x3", "stride=2 padding=same output-padding=1", GAN_ERROR_ARGUMENT, {"output-padding"}},
    {"conv_transpose1d", "2x5x3", "4x3x3", "", GAN_ERROR_SHAPE, {"conv_transpose1d", "4x3x3"}},
};

static gan_node *call(const char *function, gan_node *x, gan_node *w, const char *options) {
  if (!strcmp(function, "conv2d")) return gan_conv2d(x, w, options);
  if (!strcmp(function, "conv1d")) return gan_conv1d(x, w, options);
  if (!strcmp(function, "conv_transpose2d")) return gan_conv_transpose2d(x, w, options);
  return gan_conv_transpose1d(x, w, options);
}

static void test_mistakes(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
    const struct mistake *m = &mistakes[i];
    struct stage s;
    stage_open(&s, m->function);
    gan_node *y = call(m->function, feed_shape(&s, m->x), feed_shape(&s, m->w), m->options);
    if (gan_graph_check(s.g) != m->status || !node_failed(y))
      fail_msg("%s with '%s': came %d", m->function, m->options, s.g->failed);
    for (int32_t j = 0; j < 3 && m->words[j]; j++) {
      if (!strstr(s.g->error_text, m->words[j])) fail_msg("\"%s\" is not in \"%s\"", m->words[j], s.g->error_text);
    }
    stage_close(&s);
  }
}

/* Sizes at which positions could overflow; the nodes need no memory. */
static void test_huge(void **state) {
  (void)state;
  static const int64_t line[4] = {1, 1, INT64_C(1) << 40, 1}, kernel[4] = {1, 1, INT64_C(1) << 30, 1}, small[4] = {1, 1, 3, 1};
  struct stage s;
  stage_open(&s, "huge");
  gan_node *tall = gan_input(s.g, "line", GAN_F32, 4, line), *w = gan_input(s.g, "w", GAN_F32, 4, small);
  assert_true(node_failed(gan_conv2d(tall, w, "")));
  assert_non_null(strstr(s.g->error_text, "2^31"));
  stage_close(&s);
  stage_open(&s, "huge kernel");
  gan_node *x = gan_input(s.g, "x", GAN_F32, 4, small);
  assert_true(node_failed(gan_conv2d(x, gan_input(s.g, "w", GAN_F32, 4, kernel), "padding=same dilation=1000000")));
  assert_non_null(strstr(s.g->error_text, "2^31"));
  stage_close(&s);
}

/* ------------------------------------------------------------------------------------------------------------------ main */

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_convolutions),
      cmocka_unit_test(test_transposed),
      cmocka_unit_test(test_mistakes),
      cmocka_unit_test(test_huge),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
