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
#include "ops/image.h"

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

/* ------------------------------------------------------------------------------------------------------ sizes and borders
 *
 * Each function makes one element of the result from the image and its own place.
 */

struct map_case {
  const char *x, *what; /* what: function, then its text */
  int64_t h, w, c;      /* of the result */
  int64_t numbers[8];   /* as the function below reads them */
  double (*element)(const struct image *x, const struct map_case *m, int64_t n, int64_t i, int64_t j, int64_t c);
};

static int64_t clamp(int64_t i, int64_t n) { return i < 0 ? 0 : i >= n ? n - 1 : i; }

static double nearest(const struct image *x, const struct map_case *m, int64_t n, int64_t i, int64_t j, int64_t c) {
  return *pixel(x, n, (int64_t)floor((double)i * (double)x->h / (double)m->h),
                (int64_t)floor((double)j * (double)x->w / (double)m->w), c);
}

/* The four pixels around a point. */
static double bilinear(const struct image *x, const struct map_case *m, int64_t n, int64_t i, int64_t j, int64_t c) {
  double row = fmax(((double)i + 0.5) * (double)x->h / (double)m->h - 0.5, 0);
  double column = fmax(((double)j + 0.5) * (double)x->w / (double)m->w - 0.5, 0), sum = 0;
  for (int64_t k = 0; k < 4; k++) {
    int64_t a = (int64_t)row + k / 2, b = (int64_t)column + k % 2;
    double weight = (1 - fabs(row - (double)a)) * (1 - fabs(column - (double)b));
    sum += weight * *pixel(x, n, clamp(a, x->h), clamp(b, x->w), c);
  }
  return sum;
}

/* numbers: kernel, stride, padding before, all height then width; whether padding counts. */
static double average(const struct image *x, const struct map_case *m, int64_t n, int64_t i, int64_t j, int64_t c) {
  const int64_t *v = m->numbers;
  double sum = 0, count = 0;
  for (int64_t a = 0; a < v[0]; a++)
    for (int64_t b = 0; b < v[1]; b++) {
      int64_t row = i * v[2] - v[4] + a, column = j * v[3] - v[5] + b;
      int32_t inside = row >= 0 && row < x->h && column >= 0 && column < x->w;
      if (inside) sum += *pixel(x, n, row, column, c);
      if (inside || v[6]) count++;
    }
  return sum / count;
}

static double most(const struct image *x, const struct map_case *m, int64_t n, int64_t i, int64_t j, int64_t c) {
  const int64_t *v = m->numbers;
  double largest = -INFINITY;
  for (int64_t a = 0; a < v[0]; a++)
    for (int64_t b = 0; b < v[1]; b++) {
      int64_t row = i * v[2] - v[4] + a, column = j * v[3] - v[5] + b;
      if (row >= 0 && row < x->h && column >= 0 && column < x->w) largest = fmax(largest, *pixel(x, n, row, column, c));
    }
  return largest;
}

/* numbers: padding at the top and at the left. */
static double zeros_around(const struct image *x, const struct map_case *m, int64_t n, int64_t i, int64_t j, int64_t c) {
  int64_t row = i - m->numbers[0], column = j - m->numbers[1];
  return row >= 0 && row < x->h && column >= 0 && column < x->w ? *pixel(x, n, row, column, c) : 0;
}

static double replicated(const struct image *x, const struct map_case *m, int64_t n, int64_t i, int64_t j, int64_t c) {
  return *pixel(x, n, clamp(i - m->numbers[0], x->h), clamp(j - m->numbers[1], x->w), c);
}

/* There and back again is a period. */
static int64_t reflected_index(int64_t at, int64_t n) {
  int64_t period = n > 1 ? 2 * n - 2 : 1, within = (at < 0 ? -at : at) % period;
  return within < n ? within : period - within;
}

static double reflected(const struct image *x, const struct map_case *m, int64_t n, int64_t i, int64_t j, int64_t c) {
  return *pixel(x, n, reflected_index(i - m->numbers[0], x->h), reflected_index(j - m->numbers[1], x->w), c);
}

/* numbers: factor. */
static double shuffled(const struct image *x, const struct map_case *m, int64_t n, int64_t i, int64_t j, int64_t c) {
  int64_t f = m->numbers[0];
  return *pixel(x, n, i / f, j / f, c * f * f + i % f * f + j % f);
}

static double unshuffled(const struct image *x, const struct map_case *m, int64_t n, int64_t i, int64_t j, int64_t c) {
  int64_t f = m->numbers[0], place = c % (f * f);
  return *pixel(x, n, i * f + place / f, j * f + place % f, c / (f * f));
}

static const struct map_case maps[] = {
    {"2x3x4x2", "resize nearest", 6, 8, 2, {0}, nearest},
    {"2x3x4x2", "resize nearest", 9, 4, 2, {0}, nearest},
    {"2x3x4x2", "resize nearest", 3, 4, 2, {0}, nearest},
    {"2x3x4x2", "resize nearest", 4, 7, 2, {0}, nearest},
    {"2x6x8x2", "resize nearest", 3, 2, 2, {0}, nearest},
    {"2x5x7x1", "resize nearest", 3, 4, 1, {0}, nearest},
    {"1x1x1x3", "resize nearest", 3, 2, 3, {0}, nearest},
    {"2x3x4x2", "resize bilinear", 6, 8, 2, {0}, bilinear},
    {"2x3x4x2", "resize bilinear", 5, 9, 2, {0}, bilinear},
    {"2x6x7x2", "resize bilinear", 4, 3, 2, {0}, bilinear},
    {"2x1x4x2", "resize bilinear", 3, 1, 2, {0}, bilinear},
    {"2x5x2", "resize linear", 1, 10, 2, {0}, bilinear},
    {"2x5x2", "resize nearest", 1, 15, 2, {0}, nearest},
    {"2x4x6x3", "pool average kernel=2", 2, 3, 3, {2, 2, 2, 2, 0, 0, 1}, average},
    {"2x5x7x3", "pool average kernel=2x3 stride=2x3", 2, 2, 3, {2, 3, 2, 3, 0, 0, 1}, average},
    {"2x5x7x3", "pool average kernel=3 stride=2 padding=1", 3, 4, 3, {3, 3, 2, 2, 1, 1, 1}, average},
    {"2x5x7x3", "pool average kernel=3 stride=2 padding=1 count-include-pad=no", 3, 4, 3, {3, 3, 2, 2, 1, 1, 0}, average},
    {"2x5x7x3", "pool average kernel=2 stride=1 padding=same count-include-pad=no", 5, 7, 3, {2, 2, 1, 1, 0, 0, 0}, average},
    {"2x7x3", "pool average kernel=3 stride=2 padding=1,0", 1, 3, 3, {1, 3, 1, 2, 0, 1, 1}, average},
    {"2x4x6x2", "pool max kernel=2", 2, 3, 2, {2, 2, 2, 2, 0, 0}, most},
    {"2x5x7x2", "pool max kernel=3 stride=2 padding=1", 3, 4, 2, {3, 3, 2, 2, 1, 1}, most},
    {"2x5x7x2", "pool max kernel=3x2 stride=1 padding=2,1,1,0", 6, 7, 2, {3, 2, 1, 1, 2, 1}, most},
    {"2x8x2", "pool max kernel=2", 1, 4, 2, {1, 2, 1, 2, 0, 0}, most},
    {"2x8x2", "pool max kernel=3 stride=1 padding=same", 1, 8, 2, {1, 3, 1, 1, 0, 1}, most},
    {"2x3x4x2", "pad zero 1", 5, 6, 2, {1, 1}, zeros_around},
    {"2x3x4x2", "pad zero 1,-1,-2,3", 3, 5, 2, {1, -2}, zeros_around},
    {"2x3x4x2", "pad replicate 2x5", 7, 14, 2, {2, 5}, replicated},
    {"2x3x4x2", "pad reflect 2x3", 7, 10, 2, {2, 3}, reflected},
    {"2x3x4x2", "pad reflect 1,2,-1,3", 6, 6, 2, {1, -1}, reflected},
    {"2x4x2", "pad reflect 3,1", 1, 8, 2, {0, 3}, reflected},
    {"2x4x2", "pad replicate 1", 1, 6, 2, {0, 1}, replicated},
    {"2x3x2x8", "shuffle 2", 6, 4, 2, {2}, shuffled},
    {"1x1x2x9", "shuffle 3", 3, 6, 1, {3}, shuffled},
    {"2x4x6x2", "unshuffle 2", 2, 3, 8, {2}, unshuffled},
};

static gan_node *build_map(gan_node *x, const struct map_case *m) {
  const char *space = strchr(m->what, ' ') + 1, *text = strrchr(m->what, ' ') + 1;
  if (!strncmp(m->what, "resize", 6)) return x->rank == 3 ? gan_resize1d(x, m->w, space) : gan_resize(x, m->h, m->w, space);
  if (!strncmp(m->what, "pool", 4)) return gan_pool(x, space);
  if (!strncmp(m->what, "shuffle", 7)) return gan_pixel_shuffle(x, m->numbers[0]);
  if (!strncmp(m->what, "unshuffle", 9)) return gan_pixel_unshuffle(x, m->numbers[0]);
  char mode[16] = "";
  memcpy(mode, space, (size_t)(text - 1 - space));
  return gan_pad_image(x, mode, text);
}

static void check_map(const struct map_case *m) {
  struct stage s;
  struct op_case c;
  char what[128], column[64];
  snprintf(what, sizeof what, "%s of %s", m->what, m->x);
  snprintf(column, sizeof column, "%s -1..1 separate", m->x);
  assert_int_equal(op_cases_read(column, &c), 1);
  stage_open(&s, what);
  gan_node *x;
  feed_case(&s, &c, 3, &x);
  gan_node *y = build_map(x, m);
  assert_good(&s);
  struct image image = image_of(&s, x), expected = image_new(image.n, m->h, m->w, m->c);
  for (int64_t n = 0; n < image.n; n++)
    for (int64_t i = 0; i < m->h; i++)
      for (int64_t j = 0; j < m->w; j++)
        for (int64_t k = 0; k < m->c; k++) *pixel(&expected, n, i, j, k) = m->element(&image, m, n, i, j, k);
  assert_image(&s, y, &expected);
  check_derivatives(&s, y, 1, &x);
  check_derivatives(&s, gan_square(y), 1, &x);
  free(expected.at);
  stage_close(&s);
}

static void test_maps(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) check_map(&maps[i]);
}

/* Nearest enlargement by whole factors is a repetition that others can look through. */
static void test_repeated(void **state) {
  (void)state;
  struct stage s;
  int64_t factor[2];
  stage_open(&s, "repeated");
  gan_node *x = feed_shape(&s, "2x3x4x5"), *line = feed_shape(&s, "2x6x5");
  assert_ptr_equal(node_repeated(gan_resize(x, 6, 12, "nearest"), factor), x);
  assert_true(factor[0] == 2 && factor[1] == 3);
  assert_ptr_equal(gan_resize(x, 3, 4, "nearest"), x);
  gan_node *reshaped = node_repeated(gan_resize(gan_reshape(x, 4, (int64_t[]){2, 4, 3, 5}), 8, 6, "nearest"), factor);
  assert_true(node_has_shape(reshaped, 4, (int64_t[]){2, 4, 3, 5}));
  assert_non_null(node_repeated(node_as_image(gan_resize1d(line, 12, "nearest")), factor));
  assert_true(factor[0] == 1 && factor[1] == 2);
  assert_null(node_repeated(gan_resize(x, 6, 8, "bilinear"), factor));
  assert_null(node_repeated(gan_reshape(x, 4, (int64_t[]){2, 4, 3, 5}), factor));
  stage_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_convolutions),
    cmocka_unit_test(test_transposed),
    cmocka_unit_test(test_maps),
    cmocka_unit_test(test_repeated),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
