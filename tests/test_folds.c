/* Convolutions that fold with a nearest enlargement before them or a mean behind them: the same numbers and derivatives as unfolded,
 * from fewer products, and what does not fold. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "op_stage.h"
#include "ops/image.h"

static void count_needed(const gan_node *n, uint8_t *seen, int64_t *flops, const struct op *op, int32_t *count) {
  if (seen[n->id]) return;
  seen[n->id] = 1;
  *flops += node_flops(n);
  *count += n->op == op;
  for (int32_t i = 0; i < n->n_in; i++) count_needed(n->in[i], seen, flops, op, count);
}

static int64_t flops_of(const gan_node *y, const struct op *op, int32_t *count) {
  int64_t flops = 0;
  uint8_t *seen = calloc((size_t)y->graph->n_nodes, 1);
  *count = 0;
  count_needed(y, seen, &flops, op, count);
  free(seen);
  return flops;
}

/* The same number, in f64 and on the kernels; derivatives of what is folded. */
static void assert_same(struct stage *s, gan_node *folded, gan_node *plain, int32_t n_x, gan_node *const *x) {
  assert_good(s);
  assert_true(nodes_same_shape(folded, plain));
  struct oracle *o = ask_oracle(s, 2, (gan_node *[]){folded, plain});
  for (int64_t i = 0; i < plain->count; i++) {
    assert_value(s, "folded", plain, i, oracle_value(o, folded)[i], oracle_value(o, plain)[i], 1e-12);
  }
  oracle_free(o);
  check_kernels(s, folded, 0);
  check_kernels(s, plain, 0);
  check_derivatives(s, gan_square(folded), n_x, x);
}

/* Convolution by its parts, which nothing looks through. */
static gan_node *plain_convolution(gan_node *x, gan_node *w, int64_t padding, int64_t groups) {
  struct window v = {{1, 1}, {1, 1}, {(int32_t)padding, (int32_t)padding}, (int32_t)groups};
  return node_conv(x, w, &v, x->shape[1] + 2 * padding - w->shape[1] + 1, x->shape[2] + 2 * padding - w->shape[2] + 1);
}

static gan_node *plain_mean(gan_node *x, int64_t down, int64_t across) {
  int64_t h = x->shape[1] / down, w = x->shape[2] / across;
  gan_node *cut = gan_slice(gan_slice(x, 1, 0, h * down), 2, 0, w * across);
  gan_node *tiles = gan_reshape(cut, 6, (int64_t[]){x->shape[0], h, down, w, across, x->shape[3]});
  return gan_mean_axes(tiles, 2, (int32_t[]){2, 4}, 0);
}

struct fold_case {
  const char *x, *w;
  int64_t down, across, padding, groups;
  double share; /* of products that are left, x and result without their borders; 0: nothing is folded */
};

static const struct fold_case folds[] = {
    {"2x4x3x2", "3x3x3x2", 2, 2, 1, 1, 4.0 / 9}, {"2x4x3x4", "6x3x3x2", 2, 2, 1, 2, 4.0 / 9},
    {"1x3x2x2", "3x5x5x2", 2, 2, 2, 1, 0.36},    {"2x2x3x2", "3x3x3x2", 3, 2, 1, 1, 20.0 / 54},
    {"2x2x3x2", "3x3x3x2", 2, 2, 0, 1, 0},       {"2x4x3x2", "3x2x4x2", 2, 2, 1, 1, 0},
    {"2x3x3x2", "3x1x1x2", 2, 2, 0, 1, 0.25},    {"2x3x3x2", "3x1x1x2", 2, 2, 1, 1, 0},
    {"2x3x3x4", "4x1x1x2", 2, 2, 0, 2, 0.25},    {"1x1x1x2", "3x3x3x2", 2, 2, 1, 1, 4.0 / 9},
};

static void check_repeated(const struct fold_case *f) {
  struct stage s;
  char what[96], options[48];
  snprintf(what, sizeof what, "%s repeated %dx%d, then %s", f->x, (int)f->down, (int)f->across, f->w);
  snprintf(options, sizeof options, "padding=%d groups=%d", (int)f->padding, (int)f->groups);
  stage_open(&s, what);
  gan_node *x = feed_shape(&s, f->x), *w = feed_shape(&s, f->w);
  gan_node *large = gan_resize(x, x->shape[1] * f->down, x->shape[2] * f->across, "nearest");
  gan_node *folded = gan_conv2d(large, w, options), *plain = plain_convolution(large, w, f->padding, f->groups);
  int32_t none;
  int64_t after = flops_of(folded, &op_pad, &none), before = flops_of(plain, &op_pad, &none);
  if (f->share && fabs((double)after - f->share * (double)before) > 0.5)
    fail_msg("%s: %d of %d products", what, (int)after, (int)before);
  assert_true(after <= before);
  assert_same(&s, folded, plain, 2, (gan_node *[]){x, w});
  stage_close(&s);
}

static void check_pooled(const struct fold_case *f, int32_t with_bias) {
  struct stage s;
  char what[96], options[48], tiles[48];
  snprintf(what, sizeof what, "%s by %s, then the mean of %dx%d", f->x, f->w, (int)f->down, (int)f->across);
  snprintf(options, sizeof options, "padding=%d groups=%d", (int)f->padding, (int)f->groups);
  snprintf(tiles, sizeof tiles, "average kernel=%dx%d", (int)f->down, (int)f->across);
  stage_open(&s, what);
  gan_node *x = feed_shape(&s, f->x), *w = feed_shape(&s, f->w), *b = feed_random(&s, 1, w->shape, -1, 1);
  x = gan_pad_image(x, "replicate", "1,2,2,1"); /* room for tiles, and for what is left over */
  gan_node *y = gan_conv2d(x, w, options), *plain = plain_convolution(x, w, f->padding, f->groups);
  if (with_bias) y = gan_add(b, y);
  int32_t sums;
  gan_node *pooled = gan_pool(y, tiles), *mean = plain_mean(with_bias ? gan_add(plain, b) : plain, f->down, f->across);
  int64_t after = flops_of(pooled, &op_sum, &sums), before = flops_of(mean, &op_sum, &sums);
  assert_true(f->share && f->padding == 0 ? after < before : after <= before);
  gan_node *in[3] = {(gan_node *)s.feed[0].node, w, b};
  assert_same(&s, pooled, mean, with_bias ? 3 : 2, in);
  stage_close(&s);
}

static void test_folds(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof folds / sizeof *folds; i++) {
    check_repeated(&folds[i]);
    check_pooled(&folds[i], 0);
    check_pooled(&folds[i], 1);
  }
}

/* What is folded, what is left alone. */
static void test_fold_limits(void **state) {
  (void)state;
  struct stage s;
  int32_t count;
  stage_open(&s, "limits of folds");
  gan_node *x = feed_shape(&s, "2x4x4x3"), *w = feed_shape(&s, "5x3x3x3"), *point = feed_shape(&s, "2x1x1x5");
  /* Exactly 4/9 of the products. */
  gan_node *up = gan_conv2d(gan_resize(x, 8, 8, "nearest"), w, "padding=1");
  assert_int_equal(flops_of(up, &op_conv_input, &count), 2 * 2 * 16 * 16 * 3 * 5);
  assert_int_equal(count, 1);
  gan_node *down = gan_pool(gan_conv2d(x, w, "padding=1"), "average kernel=2");
  assert_int_equal(flops_of(down, &op_conv, &count), 2 * 2 * 4 * 16 * 3 * 5);
  assert_int_equal(count, 1);
  /* Through a kernel of one pixel and two biases. */
  gan_node *b = feed_random(&s, 1, (int64_t[]){5}, -1, 1), *c = feed_random(&s, 1, (int64_t[]){2}, -1, 1);
  gan_node *both = gan_pool(gan_add(gan_conv2d(gan_add(gan_conv2d(x, w, "padding=1"), b), point, ""), c), "average kernel=2");
  assert_int_equal(flops_of(both, &op_conv, &count), 2 * 2 * 4 * (16 * 3 * 5 + 5 * 2));
  assert_same(&s, both, plain_mean(gan_add(plain_convolution(gan_add(plain_convolution(x, w, 1, 1), b), point, 0, 1), c), 2, 2), 2,
              (gan_node *[]){x, w});
  /* Somebody else reads the convolution: it is there anyway. */
  gan_node *shared = gan_conv2d(x, w, "padding=1");
  gan_relu(shared);
  flops_of(gan_pool(shared, "average kernel=2"), &op_sum, &count);
  assert_int_equal(count, 1);
  /* No fold of maxima, strides, overlapping means. */
  flops_of(gan_pool(gan_conv2d(x, w, "padding=1"), "max kernel=2"), &op_max, &count);
  assert_int_equal(count, 1);
  flops_of(gan_pool(gan_conv2d(x, w, "padding=1 stride=2"), "average kernel=2"), &op_sum, &count);
  assert_int_equal(count, 1);
  flops_of(gan_pool(gan_conv2d(x, w, "padding=1"), "average kernel=2 stride=1"), &op_resample, &count);
  assert_int_equal(count, 2);
  flops_of(gan_conv2d(gan_resize(x, 8, 8, "nearest"), w, "padding=1 stride=2"), &op_conv, &count);
  assert_int_equal(count, 1);
  assert_good(&s);
  stage_close(&s);
}

static void test_fold_sequences(void **state) {
  (void)state;
  struct stage s;
  int32_t count;
  stage_open(&s, "folds of sequences");
  gan_node *x = feed_shape(&s, "2x6x3"), *w = feed_shape(&s, "4x3x3"), *b = feed_random(&s, 1, (int64_t[]){4}, -1, 1);
  gan_node *wide = node_as_image(gan_resize1d(x, 12, "nearest")), *kernel = node_as_image(w);
  struct window v = {{1, 1}, {1, 1}, {0, 1}, 1};
  gan_node *up = gan_conv1d(gan_resize1d(x, 12, "nearest"), w, "padding=1");
  assert_int_equal(flops_of(up, &op_conv_input, &count), 2 * 2 * 6 * 4 * 3 * 4);
  assert_same(&s, up, node_as_sequence(node_conv(wide, kernel, &v, 1, 12)), 2, (gan_node *[]){x, w});
  gan_node *down = gan_pool(gan_add(gan_conv1d(x, w, "padding=1"), b), "average kernel=2");
  assert_int_equal(flops_of(down, &op_conv, &count), 2 * 2 * 3 * 4 * 3 * 4);
  gan_node *plain = gan_add(node_conv(node_as_image(x), kernel, &v, 1, 6), b);
  assert_same(&s, down, node_as_sequence(plain_mean(plain, 1, 2)), 3, (gan_node *[]){x, w, b});
  stage_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_folds),
    cmocka_unit_test(test_fold_limits),
    cmocka_unit_test(test_fold_sequences),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
