/* What the functions of images and sequences refuse, a sentence each, and sizes at which positions could overflow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "op_stage.h"

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
    {"resize", "2x5x3", NULL, "nearest", GAN_ERROR_SHAPE, {"resize", "2x5x3", "(n,h,w,c)"}},
    {"resize", "2x5x3x3", NULL, "cubic", GAN_ERROR_ARGUMENT, {"resize", "'cubic'", "bilinear"}},
    {"resize to nothing", "2x5x3x3", NULL, "nearest", GAN_ERROR_ARGUMENT, {"resize", "0 x 5"}},
    {"resize to too much", "2x5x3x3", NULL, "bilinear", GAN_ERROR_MEMORY, {"resample", "16777216"}},
    {"resize1d", "2x5x3x3", NULL, "linear", GAN_ERROR_SHAPE, {"resize1d", "2x5x3x3", "(n,length,c)"}},
    {"pool", "5x3", NULL, "max kernel=2", GAN_ERROR_SHAPE, {"pool", "5x3"}},
    {"pool", "2x5x5x3", NULL, "min kernel=2", GAN_ERROR_ARGUMENT, {"pool", "'min kernel=2'", "average"}},
    {"pool", "2x5x5x3", NULL, "max", GAN_ERROR_ARGUMENT, {"pool", "kernel"}},
    {"pool", "2x5x5x3", NULL, "max kernel=6", GAN_ERROR_SHAPE, {"pool", "6x6", "2x5x5x3"}},
    {"pool", "2x5x5x3", NULL, "max kernel=2 padding=2", GAN_ERROR_ARGUMENT, {"pool", "less padding"}},
    {"pool", "2x5x5x3", NULL, "max kernel=2 count-include-pad", GAN_ERROR_ARGUMENT, {"pool", "count-include-pad"}},
    {"pad_image", "2x5x5x3", NULL, "reflect 5", GAN_ERROR_SHAPE, {"pad_image", "5 before", "reflection"}},
    {"pad_image", "2x5x5x3", NULL, "zero -3", GAN_ERROR_SHAPE, {"pad_image", "-3 before"}},
    {"pad_image", "2x5x5x3", NULL, "zero same", GAN_ERROR_ARGUMENT, {"pad_image", "same"}},
    {"pad_image", "2x5x5x3", NULL, "mirror 1", GAN_ERROR_ARGUMENT, {"pad_image", "'mirror'", "reflect"}},
    {"pixel_shuffle", "2x5x5x6", NULL, "", GAN_ERROR_SHAPE, {"pixel_shuffle", "2x5x5x6", "square"}},
    {"pixel_unshuffle", "2x5x4x6", NULL, "", GAN_ERROR_SHAPE, {"pixel_unshuffle", "2x5x4x6", "divisible"}},
    {"conv_transpose1d", "2x5x3", "4x3x3", "", GAN_ERROR_SHAPE, {"conv_transpose1d", "4x3x3"}},
};

static gan_node *call(const char *function, gan_node *x, gan_node *w, const char *options) {
  const char *last = strrchr(options, ' ');
  char first[16] = "";
  if (!strcmp(function, "resize")) return gan_resize(x, 5, 5, options);
  if (!strcmp(function, "resize to nothing")) return gan_resize(x, 0, 5, options);
  if (!strcmp(function, "resize to too much")) return gan_resize(x, 5, INT32_MAX, options);
  if (!strcmp(function, "resize1d")) return gan_resize1d(x, 5, options);
  if (!strcmp(function, "pool")) return gan_pool(x, options);
  if (!strcmp(function, "pixel_shuffle")) return gan_pixel_shuffle(x, 2);
  if (!strcmp(function, "pixel_unshuffle")) return gan_pixel_unshuffle(x, 2);
  if (!strcmp(function, "pad_image")) return gan_pad_image(x, memcpy(first, options, (size_t)(last - options)), last + 1);
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
    gan_node *y = call(m->function, feed_shape(&s, m->x), m->w ? feed_shape(&s, m->w) : NULL, m->options);
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

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_mistakes),
    cmocka_unit_test(test_huge),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
