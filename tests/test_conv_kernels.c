/* The convolutions of every instruction set that this processor runs, against plain loops in double, on shapes that nobody
 * would think of; and the promises about bits: neither the order of chunks nor, with packed weights, the batch changes them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel_bed.h"
#include "kernels/conv.h"

/* ------------------------------------------------------------------ tools */

static int64_t pick(const int64_t *from, int64_t count) {
  return from[draw_whole(0, count - 1)];
}

#define PICK(...) pick((const int64_t[]){__VA_ARGS__}, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

static int64_t size_x(const struct conv_shape *s) { return s->n * s->h * s->w * s->c; }
static int64_t size_y(const struct conv_shape *s) { return s->n * s->oh * s->ow * s->o; }
static int64_t size_w(const struct conv_shape *s) { return s->o * s->kh * s->kw * (s->c / s->groups); }
static int64_t size_out(const struct conv_shape *s) {
  return s->product == CONV_F ? size_y(s) : s->product == CONV_X ? size_x(s) : size_w(s);
}

static const char *text_of(const struct conv_shape *s) {
  static char text[300];
  snprintf(text, sizeof text, "%c: x (%d,%d,%d,%d) kernel %dx%d y (%d,%d,%d) stride %dx%d dilation %dx%d padding %d,%d groups %d"
           " act %d bias %d packed %d", "FXW"[s->product], (int)s->n, (int)s->h, (int)s->w, (int)s->c, (int)s->kh, (int)s->kw,
           (int)s->oh, (int)s->ow, (int)s->o, (int)s->sh, (int)s->sw, (int)s->dh, (int)s->dw, (int)s->ph, (int)s->pw,
           (int)s->groups, s->act, s->has_bias, s->packed);
  return text;
}

/* ------------------------------------------------------------------ the reference */

/* sums and sizes (sums of absolute values) of the result, in double. */
static void reference(const struct conv_shape *s, const float *a, const float *b, double *sum, double *size) {
  int64_t cg = s->c / s->groups, og = s->o / s->groups;
  for (int64_t i = 0; i < size_out(s); i++) sum[i] = size[i] = 0;
  for (int64_t n = 0; n < s->n; n++)
    for (int64_t p = 0; p < s->oh * s->ow; p++)
      for (int64_t t = 0; t < s->kh * s->kw; t++) {
        int64_t row = p / s->ow * s->sh - s->ph + t / s->kw * s->dh, column = p % s->ow * s->sw - s->pw + t % s->kw * s->dw;
        if (row < 0 || row >= s->h || column < 0 || column >= s->w) continue;
        for (int64_t o = 0; o < s->o; o++)
          for (int64_t c = 0; c < cg; c++) {
            int64_t x = ((n * s->h + row) * s->w + column) * s->c + o / og * cg + c;
            int64_t y = (n * s->oh * s->ow + p) * s->o + o, w = (o * s->kh * s->kw + t) * cg + c;
            int64_t to = s->product == CONV_F ? y : s->product == CONV_X ? x : w;
            double product = (double)a[s->product == CONV_X ? y : x] * b[s->product == CONV_W ? y : w];
            sum[to] += product, size[to] += fabs(product);
          }
      }
}

static double activated(const struct conv_shape *s, double v) {
  switch (s->act) {
    case GEMM_LEAKY: return v < 0 ? v * s->slope : v;
    case GEMM_TANH: return tanh(v);
    case GEMM_SIGMOID: return 1 / (1 + exp(-v));
    default: return v;
  }
}

/* ------------------------------------------------------------------ running */

enum order { FORWARDS, BACKWARDS, SCATTERED };
enum { PRIME = 100003 }; /* steps of it visit every chunk */

static void run(const struct kernels *k, const struct conv_shape *s, const float *a, const float *b, const float *bias, float *out,
                enum order order) {
  void *scratch = allocate(conv_scratch(k, s)), *shared = allocate(conv_shared(k, s));
  int32_t passes = conv_passes(k, s);
  assert_in_range(passes, 1, 3);
  for (int32_t pass = 0; pass < passes; pass++) {
    int64_t chunks = conv_chunks(k, s, pass);
    assert_true(chunks >= 1 && chunks < PRIME);
    for (int64_t i = 0; i < chunks; i++) {
      int64_t chunk = order == FORWARDS ? i : order == BACKWARDS ? chunks - 1 - i : i * PRIME % chunks;
      memset(scratch, 0xff, conv_scratch(k, s)); /* NaN: nobody relies on what another chunk left */
      conv_run(k, s, a, b, bias, out, shared, pass, chunk, scratch);
    }
  }
  free(scratch), free(shared);
}

enum { GUARD = 64 };
static const float guard = -777.0f;

static float *guarded(int64_t n) {
  float *p = allocate((size_t)(n + GUARD) * sizeof *p);
  for (int64_t i = 0; i < n + GUARD; i++) p[i] = guard;
  return p;
}

static void assert_guarded(const struct conv_shape *s, const float *p, int64_t n) {
  for (int64_t i = n; i < n + GUARD; i++)
    if (p[i] != guard) fail_msg("%s: wrote beyond its end", text_of(s));
}

/* The roundings of a sum: more where Winograd's way takes five taps at once. */
static double roundings(const struct conv_shape *s) {
  return conv_winograd_pays(s) && (pieces(s->kh, s->sh) == 5 || pieces(s->kw, s->sw) == 5) ? 1e-5 : 2e-6;
}

/* Sums are right to a few roundings of the sizes of what is added up. Winograd's way shares roundings among neighbours. */
static void assert_result(const struct kernels *k, const struct conv_shape *s, const float *got, const double *sum,
                          const double *size, const float *bias) {
  int64_t channels = s->product == CONV_F ? s->o : s->c;
  double largest = 0;
  for (int64_t i = 0; i < size_out(s) && conv_winograd_pays(s); i++) largest = fmax(largest, size[i]);
  for (int64_t i = 0; i < size_out(s); i++) {
    double add = s->has_bias ? bias[i % channels] : 0, expected = activated(s, sum[i] + add);
    double bound = roundings(s) * (fmax(size[i], largest) + fabs(add)) + 1e-6;
    if (!(fabs(got[i] - expected) <= bound))
      fail_msg("%s, %s: element %d is %.9g, expected %.9g within %.2g", k->name, text_of(s), (int)i, (double)got[i], expected,
               bound);
  }
}

static void assert_same(const struct kernels *k, const struct conv_shape *s, const float *a, const float *b, int64_t n,
                        const char *why) {
  if (n && memcmp(a, b, (size_t)n * sizeof *a)) fail_msg("%s, %s: other bits %s", k->name, text_of(s), why);
}

/* An image by itself has the bits that it has in the batch. */
static void check_batch(const struct kernels *k, const struct conv_shape *s, const float *a, const float *packed, const float *bias,
                        const float *whole) {
  if (s->n < 2) return;
  struct conv_shape one = *s;
  one.n = draw_whole(1, s->n - 1);
  int64_t first = draw_whole(0, s->n - one.n), n = size_out(&one);
  int64_t from = (s->product == CONV_F ? size_x(s) : size_y(s)) / s->n;
  float *out = guarded(n);
  run(k, &one, a + first * from, packed, bias, out, FORWARDS);
  assert_guarded(&one, out, n);
  assert_same(k, s, out, whole + first * (size_out(s) / s->n), n, "in another batch");
  free(out);
}

static void check_packed(const struct kernels *k, const struct conv_shape *s, const float *a, const float *w, const float *bias,
                         const double *sum, const double *size) {
  struct conv_shape with = *s;
  with.packed = 1;
  float *packed = allocate(conv_packed_bytes(k, &with)), *out = guarded(size_out(s));
  conv_pack(k, &with, w, packed);
  run(k, &with, a, packed, bias, out, BACKWARDS);
  assert_guarded(&with, out, size_out(s));
  assert_result(k, &with, out, sum, size, bias);
  check_batch(k, &with, a, packed, bias, out);
  free(packed), free(out);
}

static void check(struct conv_shape s) {
  int64_t n = size_out(&s);
  float *a = random_floats(s.product == CONV_X ? size_y(&s) : size_x(&s), -1, 1);
  float *b = random_floats(s.product == CONV_W ? size_y(&s) : size_w(&s), -1, 1), *bias = random_floats(s.c + s.o, -1, 1);
  double *sum = allocate((size_t)n * sizeof *sum), *size = allocate((size_t)n * sizeof *size);
  reference(&s, a, b, sum, size);
  FOR_EACH_ISA(k) {
    float *out = guarded(n), *again = guarded(n);
    run(k, &s, a, b, bias, out, FORWARDS);
    assert_guarded(&s, out, n);
    assert_result(k, &s, out, sum, size, bias);
    run(k, &s, a, b, bias, again, draw_whole(0, 1) ? BACKWARDS : SCATTERED);
    assert_same(k, &s, out, again, n, "when chunks run in another order");
    if (s.product != CONV_W) check_packed(k, &s, a, b, bias, sum, size);
    free(out), free(again);
  }
  free(a), free(b), free(bias), free(sum), free(size);
}

static void check_products(struct conv_shape s) {
  for (s.product = CONV_F; s.product <= CONV_W; s.product++) {
    if (s.product == CONV_W) s.act = s.has_bias = 0;
    check(s);
  }
}

/* ------------------------------------------------------------------ shapes */

/* The size of y along one axis: a few times not the one that fills x, but less or more (then taps fall far outside). */
static int64_t size_of_y(int64_t x, int64_t kernel, int64_t stride, int64_t dilation, int64_t padding) {
  int64_t room = x + 2 * padding - (kernel - 1) * dilation - 1, n = room < 0 ? 1 : room / stride + 1;
  n += draw_whole(0, 5) == 0 ? draw_whole(-2, 2) : 0;
  return n < 1 ? 1 : n;
}

static struct conv_shape random_shape(int64_t work) {
  for (;;) {
    struct conv_shape s = {.n = PICK(1, 1, 2, 3, 5, 16, 17), .h = draw_whole(1, 12), .w = PICK(1, 2, 3, 7, 8, 13, 16, 30), .groups = 1};
    s.kh = PICK(1, 2, 3, 3, 4, 5, 7), s.kw = draw_whole(0, 2) ? s.kh : draw_whole(1, 5);
    s.sh = PICK(1, 1, 2, 2, 3, 4), s.sw = draw_whole(0, 2) ? s.sh : draw_whole(1, 3);
    s.dh = PICK(1, 1, 1, 2, 3), s.dw = draw_whole(0, 2) ? s.dh : draw_whole(1, 2);
    s.ph = draw_whole(-2, s.kh + 1), s.pw = draw_whole(0, 3) ? s.ph : draw_whole(-1, s.kw);
    s.c = PICK(1, 3, 5, 16, 33, 8, 32, 64, 48), s.o = PICK(1, 3, 5, 16, 33, 8, 32, 64, 14);
    if (draw_whole(0, 3) == 0) s.groups = PICK(2, 3, 5), s.c = s.groups * PICK(1, 2, 5, 16), s.o = s.groups * PICK(1, 3, 8, 20);
    if (draw_whole(0, 9) == 0) s.groups = s.c, s.o = s.c * draw_whole(1, 2); /* depthwise */
    s.oh = size_of_y(s.h, s.kh, s.sh, s.dh, s.ph), s.ow = size_of_y(s.w, s.kw, s.sw, s.dw, s.pw);
    s.act = (int32_t)draw_whole(GEMM_LINEAR, GEMM_SIGMOID), s.has_bias = (int32_t)draw_whole(0, 1), s.slope = draw_whole(0, 1) ? 0.2f : 0.0f;
    if (conv_flops(&s) <= work) return s;
  }
}

/* Kernels that Winograd's way is open to: every size, padding and excess of y. */
static struct conv_shape random_winograd_shape(void) {
  struct conv_shape s = {.n = PICK(1, 2, 3, 8, 13), .h = draw_whole(1, 13), .w = draw_whole(1, 17), .groups = 1};
  s.sh = draw_whole(1, 3), s.sw = draw_whole(1, 3), s.kh = s.sh + draw_whole(0, 4), s.kw = s.sw + draw_whole(0, 4);
  if (draw_whole(0, 9) == 0) s.kh = 5 * s.sh - draw_whole(0, 1), s.kw = 5 * s.sw; /* phases of five taps, or of five and four */
  s.c = PICK(16, 32, 48, 64), s.o = PICK(16, 32, 48, 80);
  s.dh = s.dw = 1, s.ph = draw_whole(-2, 4), s.pw = draw_whole(-2, 4);
  s.oh = size_of_y(s.h, s.kh, s.sh, 1, s.ph), s.ow = size_of_y(s.w, s.kw, s.sw, 1, s.pw);
  s.act = (int32_t)draw_whole(GEMM_LINEAR, GEMM_SIGMOID), s.has_bias = (int32_t)draw_whole(0, 1), s.slope = draw_whole(0, 1) ? 0.2f : 0.0f;
  return s;
}

static void test_random_shapes(void **state) {
  (void)state;
  for (int turn = 0; turn < 300; turn++) check_products(random_shape(turn % 10 ? 2000000 : 20000000));
  for (int turn = 0; turn < 100; turn++) check_products(random_winograd_shape());
}

#define SHAPE(n_, h_, w_, c_, kh_, kw_, o_, oh_, ow_, stride, padding) \
  (struct conv_shape){.n = n_, .h = h_, .w = w_, .c = c_, .kh = kh_, .kw = kw_, .o = o_, .oh = oh_, .ow = ow_, \
                      .sh = stride, .sw = stride, .dh = 1, .dw = 1, .ph = padding, .pw = padding, .groups = 1}

/* Squares; stride and padding last. */
#define DEPTHWISE(n_, h_, c_, kh_, oh_, stride, padding) \
  (struct conv_shape){.n = n_, .h = h_, .w = h_, .c = c_, .kh = kh_, .kw = kh_, .o = c_, .oh = oh_, .ow = oh_, \
                      .sh = stride, .sw = stride, .dh = 1, .dw = 1, .ph = padding, .pw = padding, .groups = c_}

/* Squares with so many channels a group on both sides. */
#define GROUPED(n_, h_, groups_, from, to, kh_, oh_, stride, padding) \
  (struct conv_shape){.n = n_, .h = h_, .w = h_, .c = groups_ * from, .kh = kh_, .kw = kh_, .o = groups_ * to, .oh = oh_, .ow = oh_, \
                      .sh = stride, .sw = stride, .dh = 1, .dw = 1, .ph = padding, .pw = padding, .groups = groups_}

/* Layers of real networks, with small batches: the paths that speed is bought with. */
static void test_layers(void **state) {
  (void)state;
  const struct conv_shape layers[] = {
    SHAPE(3, 7, 7, 64, 5, 5, 64, 7, 7, 1, 2),     SHAPE(3, 14, 14, 32, 5, 5, 64, 7, 7, 2, 2),
    SHAPE(3, 28, 28, 1, 5, 5, 64, 14, 14, 2, 2),  SHAPE(2, 64, 64, 3, 4, 4, 64, 32, 32, 2, 1),
    SHAPE(2, 32, 32, 16, 4, 4, 32, 16, 16, 2, 1), SHAPE(15, 4, 4, 256, 4, 4, 1, 1, 1, 1, 0),
    SHAPE(16, 4, 4, 128, 4, 4, 100, 1, 1, 1, 0),  SHAPE(30, 8, 8, 48, 3, 3, 40, 8, 8, 1, 1),
    SHAPE(2, 32, 32, 3, 3, 3, 128, 32, 32, 1, 1), SHAPE(2, 32, 32, 64, 3, 3, 3, 32, 32, 1, 1),
    DEPTHWISE(3, 16, 64, 3, 16, 1, 1),            DEPTHWISE(3, 17, 48, 3, 9, 2, 1),
    DEPTHWISE(2, 9, 5, 5, 9, 1, 2),               DEPTHWISE(2, 7, 3, 2, 3, 3, 0),
    GROUPED(3, 9, 12, 4, 4, 3, 9, 1, 1),          GROUPED(2, 12, 21, 2, 3, 4, 6, 2, 1),
    GROUPED(2, 40, 9, 8, 8, 3, 40, 1, 1),         GROUPED(3, 7, 35, 2, 1, 5, 4, 2, 2),
    SHAPE(2, 32, 32, 64, 1, 1, 64, 32, 32, 1, 0), SHAPE(1, 1, 16000, 1, 1, 25, 64, 1, 4000, 4, 11),
  };
  for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
    struct conv_shape s = layers[i];
    s.act = GEMM_LEAKY, s.slope = 0.2f, s.has_bias = 1;
    check_products(s);
  }
}

/* A sum over nothing is zero, and a result without elements is no crime. */
static void test_empty(void **state) {
  (void)state;
  check_products(SHAPE(0, 4, 4, 3, 3, 3, 5, 4, 4, 1, 1));
  check_products(SHAPE(2, 4, 4, 3, 3, 3, 5, 0, 4, 1, 1));
  check_products(SHAPE(2, 0, 4, 3, 3, 3, 5, 2, 2, 1, 1));
  check_products(SHAPE(2, 4, 4, 3, 3, 3, 5, 4, 4, 1, 50));
}

static void test_flops(void **state) {
  (void)state;
  struct conv_shape s = SHAPE(64, 7, 7, 256, 5, 5, 128, 7, 7, 1, 2);
  assert_int_equal(conv_flops(&s), 2 * INT64_C(64) * 49 * 128 * 25 * 256);
  s.groups = 4;
  assert_int_equal(conv_flops(&s), 2 * INT64_C(64) * 49 * 128 * 25 * 64);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    TEST(test_random_shapes), TEST(test_layers),
    TEST(test_empty),         TEST(test_flops),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
