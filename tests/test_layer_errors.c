/* What layers refuse, and what they say: the layer's path, what was expected, what came. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "bed.h"
#include "games.h"
#include "nn/network.h"

/* Inputs: x 4x4x6, s 8x6 (a sequence), v 6, y labels, w 5 (an embedding). */
static const struct { const char *line; gan_status status; const char *part; } cases[] = {
  {"conv2d filters=3", GAN_ERROR_ARGUMENT, "N/it: kernel is missing"},
  {"conv2d filters=0 kernel=3", GAN_ERROR_ARGUMENT, "N/it: filters is 0"},
  {"conv2d filters=3 kernel=0", GAN_ERROR_ARGUMENT, "N/it: kernel is '0'; expected a size"},
  {"conv2d filters=3 kernel=3x3x3", GAN_ERROR_ARGUMENT, "N/it: kernel is '3x3x3'"},
  {"conv2d filters=3 kernel=three", GAN_ERROR_ARGUMENT, "N/it: kernel is 'three'"},
  {"conv2d filters=3 kernel=3 stride=0", GAN_ERROR_ARGUMENT, "N/it: stride is '0'"},
  {"conv2d filters=3 kernel=3 padding=sam", GAN_ERROR_ARGUMENT, "N/it: padding is 'sam'; expected a size"},
  {"conv2d filters=3 kernel=3 padding=1,2,3", GAN_ERROR_ARGUMENT, "N/it: padding is '1,2,3'"},
  {"conv2d filters=3 kernel=3 dilation=-1", GAN_ERROR_ARGUMENT, "N/it: dilation is '-1'"},
  {"conv2d filters=3 kernel=3 groups=4", GAN_ERROR_SHAPE, "N/it: 6 channels and 3 filters do not both go into 4 groups"},
  {"conv2d filters=4 kernel=3 groups=3", GAN_ERROR_SHAPE, "N/it: 6 channels and 4 filters do not both go into 3 groups"},
  {"conv2d filters=3 kernel=5", GAN_ERROR_SHAPE, "N/it: x is 2x4x4x6, the weight 3x5x5x6: expected a result of at least one pixel"},
  {"conv2d filters=3 kernel=3 from=s", GAN_ERROR_SHAPE, "N/it: expected f32 of shape (batch, height, width, channels), came 2x8x6"},
  {"conv2d filters=3 kernel=3 from=y", GAN_ERROR_SHAPE, "N/it: expected f32 of shape (batch, height, width, channels), came i32 2"},
  {"conv2d filters=3 kernel=3 from=x,s", GAN_ERROR_ARGUMENT, "N/it: expected 1 input, came 2"},
  {"conv2d filters=3 kernel=3 output-padding=1", GAN_ERROR_ARGUMENT, "N/it: no parameter 'output-padding'"},
  {"conv2d filters=1e9 kernel=1000000", GAN_ERROR_SHAPE, "is impossible"},
  {"conv2d filters=3 kernel=3 spectral_norm=yes", GAN_ERROR_ARGUMENT, "did you mean 'spectral-norm'?"},
  {"conv1d filters=3 kernel=3x3 from=s", GAN_ERROR_ARGUMENT, "N/it: kernel is '3x3'"},
  {"conv1d filters=3 kernel=3", GAN_ERROR_SHAPE, "N/it: expected f32 of shape (batch, length, channels), came 2x4x4x6"},
  {"conv-transpose2d filters=4 kernel=3 groups=3", GAN_ERROR_SHAPE, "N/it: 6 channels and 4 filters do not both go into 3 groups"},
  {"conv-transpose2d filters=4 kernel=3 output-padding=2 stride=2", GAN_ERROR_ARGUMENT, "N/it: output-padding is 2: expected less"},
  {"conv-transpose2d filters=4 kernel=3 padding=9", GAN_ERROR_SHAPE, "expected a result of at least one pixel"},
  {"instance-norm from=v", GAN_ERROR_SHAPE, "N/it: expected f32 with at least 3 axes, came 2x6"},
  {"instance-norm from=one", GAN_ERROR_SHAPE, "N/it: needs at least 2 values a channel and sample, came 1"},
  {"group-norm groups=4", GAN_ERROR_SHAPE, "N/it: 6 channels do not go into 4 groups"},
  {"group-norm groups=2 from=y", GAN_ERROR_SHAPE, "N/it: expected f32 with at least 2 axes, came i32 2"},
  {"pixel-norm from=y", GAN_ERROR_SHAPE, "came i32 2"},
  {"conditional-batch-norm", GAN_ERROR_ARGUMENT, "N/it: expected 2 inputs, came 1"},
  {"conditional-batch-norm from=x,y", GAN_ERROR_ARGUMENT, "N/it: the second input are labels: classes=.. is missing"},
  {"conditional-batch-norm classes=3 from=x,w", GAN_ERROR_ARGUMENT, "N/it: classes=.. expects labels (i32), came f32"},
  {"conditional-batch-norm from=x,s", GAN_ERROR_SHAPE, "N/it: expected a second input (2, width), came 2x8x6"},
  {"adain from=x,y", GAN_ERROR_SHAPE, "came i32 2"},
  {"adain from=v,w", GAN_ERROR_SHAPE, "N/it: expected f32 with at least 3 axes, came 2x6"},
  {"adain affine=no from=x,w", GAN_ERROR_SHAPE, "N/it: expected a style of 12 numbers, scale and shift of each channel, came 5"},
  {"virtual-batch-norm from=y", GAN_ERROR_SHAPE, "came i32 2"},
  {"dropout2d from=v", GAN_ERROR_SHAPE, "N/it: expected f32 of shape (batch, .., channels), came 2x6"},
  {"dropout2d rate=1", GAN_ERROR_ARGUMENT, "N/it: rate is 1"},
  {"replay from=y", GAN_ERROR_SHAPE, "N/it: expected f32 of shape (batch, ..), came i32 2"},
  {"truncation", GAN_ERROR_SHAPE, "N/it: expected f32 of shape (batch, columns), came 2x4x4x6"},
  {"self-attention", GAN_ERROR_SHAPE, "N/it: 6 channels are fewer than ratio or value-ratio, 8"},
  {"self-attention ratio=2 value-ratio=2 pool=yes from=s", GAN_ERROR_SHAPE, "N/it: pool=yes expects images"},
  {"self-attention from=v", GAN_ERROR_SHAPE, "came 2x6"},
  {"minibatch-discrimination", GAN_ERROR_SHAPE, "N/it: expected f32 of shape (batch, inputs), came 2x4x4x6"},
  {"minibatch-stddev features=4", GAN_ERROR_SHAPE, "N/it: 6 channels do not go into a number of features of 4"},
  {"average-pool", GAN_ERROR_ARGUMENT, "N/it: kernel is missing"},
  {"average-pool kernel=2 padding=2", GAN_ERROR_ARGUMENT, "N/it: padding is '2', kernel '2'; expected less padding than kernel"},
  {"max-pool kernel=5", GAN_ERROR_SHAPE, "N/it: a kernel of 5x5 has no place on 2x4x4x6"},
  {"max-pool kernel=2 from=v", GAN_ERROR_SHAPE, "N/it: expected f32 of shape (batch, height, width, channels) or (batch, length"},
  {"max-pool kernel=2 count-include-pad=no", GAN_ERROR_ARGUMENT, "N/it: no parameter 'count-include-pad'"},
  {"global-average-pool from=v", GAN_ERROR_SHAPE, "N/it: expected f32 with at least 3 axes, came 2x6"},
  {"upsample scale=0", GAN_ERROR_ARGUMENT, "N/it: scale is '0'"},
  {"upsample mode=cubic", GAN_ERROR_ARGUMENT, "N/it: mode is 'cubic'; expected nearest or bilinear"},
  {"resize", GAN_ERROR_ARGUMENT, "N/it: size is missing"},
  {"resize size=3x4 from=s", GAN_ERROR_ARGUMENT, "N/it: size is '3x4'"},
  {"pad padding=1 mode=mirror", GAN_ERROR_ARGUMENT, "N/it: mode is 'mirror'; expected zero, reflect or replicate"},
  {"pad padding=4 mode=reflect", GAN_ERROR_SHAPE, "N/it: 4 before and 4 after: reflection gives less than axis 1"},
  {"pad padding=same", GAN_ERROR_ARGUMENT, "N/it: padding is 'same', which says nothing here"},
  {"pad padding=-2", GAN_ERROR_SHAPE, "N/it: -2 before and -2 after leave nothing of axis 1"},
  {"pixel-shuffle", GAN_ERROR_SHAPE, "expected channels divisible by the factor's square"},
  {"pixel-unshuffle factor=3", GAN_ERROR_SHAPE, "expected height and width divisible by the factor"},
  {"embedding classes=3 width=4", GAN_ERROR_ARGUMENT, "N/it: expected indices (i32)"},
  {"projection from=v,y", GAN_ERROR_SHAPE, "expected a second input (batch, width) of numbers (labels want classes=..), came i32 2"},
  {"projection classes=3 from=v,w", GAN_ERROR_SHAPE, "N/it: expected a second input (batch) of labels (i32), came f32 2x5"},
  {"projection classes=3 from=y,y", GAN_ERROR_SHAPE, "N/it: expected f32 of shape (batch, .., columns), came i32 2"},
};

static void test_sentences(void **state) {
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char line[400];
    gan_network *n;
    must(*state, gan_network_create(*state, "N", &n));
    gan_network_build(n, "input one 1x1x3; input s 8x6; input v 6; input y classes=3; input w 5; input x 4x4x6");
    snprintf(line, sizeof line, "%s name=it", cases[i].line);
    gan_network_add(n, line);
    gan_status status = gan_network_finish(n);
    char sentence[1024];
    gan_context_error(*state, sentence, sizeof sentence, NULL);
    if (status != cases[i].status || !strstr(sentence, cases[i].part))
      fail_msg("%s gave %s, '%s'; expected %s, '%s' in it", cases[i].line, gan_status_text(status), sentence,
               gan_status_text(cases[i].status), cases[i].part);
    gan_network_free(n);
  }
}

/* A batch that a group does not divide is met when it comes: while a network is built the batch is 2. */
static void test_groups_of_samples(void **state) {
  gan_context *ctx = *state;
  gan_network *n = make_network(ctx, "N", "input x 4; minibatch-stddev group=4");
  for (int64_t batch = 3; batch <= 8; batch++) {
    gan_graph *g;
    must(ctx, gan_graph_create(ctx, &g));
    gan_apply(n, gan_input(g, "x", GAN_F32, 2, (int64_t[]){batch, 4}));
    assert_int_equal(gan_graph_check(g), batch == 3 || batch % 4 == 0 ? GAN_OK : GAN_ERROR_SHAPE);
    if (batch == 5) assert_sentence(ctx, "N/minibatch-stddev1: 5 samples do not go into groups of 4");
    gan_graph_free(g);
  }
  gan_network_free(n);
}

/* A layer's parameters are of the shapes that it met first. */
static void test_other_shapes(void **state) {
  gan_context *ctx = *state;
  gan_layer *layer;
  gan_graph *g;
  must(ctx, gan_layer_create(ctx, "conv2d filters=3 kernel=3 padding=1 name=c", &layer));
  must(ctx, gan_graph_create(ctx, &g));
  gan_node *x = gan_input(g, "x", GAN_F32, 4, (int64_t[]){2, 4, 4, 2});
  gan_node *wide = gan_input(g, "y", GAN_F32, 4, (int64_t[]){2, 4, 4, 5});
  gan_layer_apply(layer, 1, 1, &x);
  must(ctx, gan_graph_check(g));
  gan_layer_apply(layer, 1, 1, &wide);
  assert_int_equal(gan_graph_check(g), GAN_ERROR_SHAPE);
  assert_sentence(ctx, "c/weight is 3x3x3x2, this application would need 3x3x3x5");
  gan_graph_free(g);
  gan_layer_free(layer);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {TEST(test_sentences), TEST(test_groups_of_samples), TEST(test_other_shapes)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
