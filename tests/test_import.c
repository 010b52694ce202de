/* Weights of other programs by a map of names: order of elements, what fits and what does not, there and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "io/safetensors.h"
#include "nn/network.h"
#include "support.h"

enum { FILE_MAX = 1 << 16 };

static struct allocator memory;
static gan_context *ctx;
static gan_network *net;
static char bytes[FILE_MAX];
static struct memory_file file;

/* ------------------------------------------------------------------ a network with variables of every rank */

static gan_node *kernel_forward(void *user, gan_layer_call *call, int32_t count, gan_node *const *in) {
  (void)user, (void)count;
  gan_node *w = gan_layer_parameter(call, "weight", 4, (int64_t[]){3, 2, 4, 5}, "normal std=1");
  gan_node *line = gan_layer_parameter(call, "line", 3, (int64_t[]){2, 3, 4}, "normal std=1");
  gan_node *gain = gan_layer_parameter(call, "gain", 0, NULL, "ones");
  return gan_mul(in[0], gan_mul(gain, gan_add(gan_mean(w), gan_mean(line))));
}

static const char LINES[] =
  "input z 4 noise=normal; dense units=12; batch-norm; reshape shape=2x2x3; kernel; flatten; dense units=2";
static const char MAP[] =
  "# what PyTorch calls it\n"
  "dense1 = fc rows=3x2x2\n"
  "batch-norm1* = norm* rows=3x2x2   # running statistics too\n"
  "kernel1/weight = conv.weight; kernel1/line = conv.line\n"
  "kernel1/gain = gamma\n"
  "dense2/weight = out.weight columns=3x2x2\n"
  "dense2/bias = out.bias\n"
  "- = *.num_batches_tracked\n";

static int setup(void **state) {
  (void)state;
  memory = (struct allocator){0};
  gan_context_config c = allocator_config(&memory);
  must(NULL, gan_context_create(&c, &ctx));
  must(ctx, gan_context_add_layer(ctx, "kernel", kernel_forward, NULL, NULL));
  must(ctx, gan_network_create(ctx, "G", &net));
  gan_network_build(net, LINES);
  must(ctx, gan_network_finish(net));
  return 0;
}

static int teardown(void **state) {
  (void)state;
  gan_network_free(net);
  gan_context_free(ctx);
  return memory.live != 0;
}

static void sentence_has(const char *part) {
  char text[1024];
  gan_context_error(ctx, text, sizeof text, NULL);
  if (!strstr(text, part)) fail_msg("'%s', expected '%s' in it", text, part);
}

/* ------------------------------------------------------------------ files */

/* What PyTorch would write: element i of tensor t is 1000 t + i. */
static const struct { const char *name; int32_t type, rank; int64_t shape[4]; } model[] = {
  {"fc.weight", GAN_F32, 2, {12, 4}},         {"fc.bias", GAN_F32, 1, {12}},
  {"norm.weight", GAN_F32, 1, {12}},          {"norm.bias", GAN_F64, 1, {12}},
  {"norm.running_mean", GAN_F32, 1, {12}},    {"norm.running_var", GAN_F32, 1, {12}},
  {"conv.weight", GAN_F32, 4, {3, 5, 2, 4}},  {"conv.line", GAN_F32, 3, {2, 4, 3}},
  {"gamma", GAN_F32, 1, {1}},                 {"out.weight", GAN_F32, 2, {2, 12}},
  {"out.bias", GAN_F32, 1, {2}},              {"norm.num_batches_tracked", GAN_I32, 0, {0}},
};
enum { MODEL = sizeof model / sizeof *model };

/* All but number `left_out`, and `more` besides (NULL: none). */
static void write_model(int left_out, const struct st_tensor *more) {
  static double values[MODEL][128];
  struct st_tensor tensors[MODEL + 1];
  int count = 0;
  for (int t = 0; t < MODEL; t++) {
    if (t == left_out) continue;
    struct st_tensor *to = &tensors[count++];
    *to = (struct st_tensor){.name = model[t].name, .type = model[t].type, .rank = model[t].rank, .count = 1, .data = values[t]};
    for (int i = 0; i < model[t].rank; i++) to->count *= to->shape[i] = model[t].shape[i];
    for (int i = 0; i < to->count; i++) {
      if (to->type == GAN_F64) values[t][i] = 1000 * t + i;
      else ((float *)values[t])[i] = (float)(1000 * t + i);
    }
  }
  if (more) tensors[count++] = *more;
  struct writer w;
  file = (struct memory_file){.bytes = bytes, .capacity = FILE_MAX};
  gan_stream stream = memory_stream(&file);
  must(ctx, writer_stream(&w, ctx, &stream));
  must(ctx, st_write(&w, 0, NULL, count, tensors));
  must(ctx, writer_commit(&w));
}

static gan_status import(const char *map) { return gan_network_import_memory(net, bytes, file.size, map); }

static const float *values(const char *path) {
  const struct variable *v = network_variable(net, path);
  if (!v) fail_msg("there is no variable %s", path);
  return v->data;
}

/* ------------------------------------------------------------------ where elements go */

/* Ours is (rows h, w, c) where theirs is (c, h, w), 3x2x2. */
static int theirs_of(int i) { return i % 3 * 4 + i / 3; }

static void check_values(void) {
  for (int i = 0; i < 12; i++) {
    for (int j = 0; j < 4; j++) assert_true(values("dense1/weight")[4 * i + j] == (float)(4 * theirs_of(i) + j));
    assert_true(values("dense1/bias")[i] == (float)(1000 + theirs_of(i)));
    assert_true(values("batch-norm1/weight")[i] == (float)(2000 + theirs_of(i)));
    assert_true(values("batch-norm1/bias")[i] == (float)(3000 + theirs_of(i)));
    assert_true(values("batch-norm1/running_mean")[i] == (float)(4000 + theirs_of(i)));
    assert_true(values("batch-norm1/running_var")[i] == (float)(5000 + theirs_of(i)));
    for (int o = 0; o < 2; o++) assert_true(values("dense2/weight")[12 * o + i] == (float)(9000 + 12 * o + theirs_of(i)));
  }
  for (int i = 0; i < 120; i++) {   /* ours (3,2,4,5), theirs (3,5,2,4) */
    int c = i % 5, w = i / 5 % 4, h = i / 20 % 2, o = i / 40;
    assert_true(values("kernel1/weight")[i] == (float)(6000 + 40 * o + 8 * c + 4 * h + w));
  }
  for (int i = 0; i < 24; i++) {    /* ours (2,3,4), theirs (2,4,3) */
    int c = i % 4, x = i / 4 % 3, o = i / 12;
    assert_true(values("kernel1/line")[i] == (float)(7000 + 12 * o + 3 * c + x));
  }
  assert_true(*values("kernel1/gain") == 8000);
  assert_true(values("dense2/bias")[1] == 10001);
}

static void test_order(void **state) {
  (void)state;
  write_model(-1, NULL);
  must(ctx, import(MAP));
  check_values();
  must(ctx, gan_network_initialize(net, 3));
  file.at = 0;
  gan_stream stream = memory_stream(&file);
  must(ctx, gan_network_import_stream(net, &stream, MAP));
  check_values();
}

/* order= says which axis of theirs is ours; here as ours lies, and as TensorFlow lays a kernel out. */
static void test_given_order(void **state) {
  (void)state;
  static float as_is[120], kernel[120];
  for (int i = 0; i < 120; i++) as_is[i] = kernel[i] = (float)i;
  struct st_tensor more = {.name = "k", .type = GAN_F32, .rank = 4, .shape = {3, 2, 4, 5}, .count = 120, .data = as_is};
  write_model(6, &more);
  char map[1000] = "kernel1/weight = k order=0,1,2,3\n";
  must(ctx, import(strcat(map, MAP)));
  for (int i = 0; i < 120; i++) assert_true(values("kernel1/weight")[i] == (float)i);
  more = (struct st_tensor){.name = "k", .type = GAN_F32, .rank = 4, .shape = {2, 4, 5, 3}, .count = 120, .data = kernel};
  write_model(6, &more);
  strcpy(map, "kernel1/weight = k order=3,0,1,2\n");
  must(ctx, import(strcat(map, MAP)));
  for (int i = 0; i < 120; i++) assert_true(values("kernel1/weight")[i] == (float)(i % 40 * 3 + i / 40));
}

/* 16-bit floats are what many files hold. */
static void test_half(void **state) {
  (void)state;
  static const char header[] =
    "{\"w\":{\"dtype\":\"F16\",\"shape\":[1,2],\"data_offsets\":[0,4]},"
    "\"b\":{\"dtype\":\"BF16\",\"shape\":[1],\"data_offsets\":[4,6]}}";
  static const uint8_t data[] = {0x00, 0x3e, 0x00, 0xc0, 0x20, 0x40};   /* 1.5, -2; 2.5 */
  gan_network *n;
  must(ctx, gan_network_create(ctx, "n", &n));
  gan_network_build(n, "input x 2; dense units=1");
  memset(bytes, 0, 8);
  bytes[0] = (char)(sizeof header - 1);
  memcpy(bytes + 8, header, sizeof header - 1);
  memcpy(bytes + 8 + sizeof header - 1, data, sizeof data);
  must(ctx, gan_network_import_memory(n, bytes, 8 + (int64_t)sizeof header - 1 + (int64_t)sizeof data,
                                      "dense1/weight = w; dense1/bias = b"));
  const float *w = network_variable(n, "dense1/weight")->data;
  assert_true(w[0] == 1.5f && w[1] == -2);
  assert_true(*network_variable(n, "dense1/bias")->data == 2.5f);
  gan_network_free(n);
}

/* ------------------------------------------------------------------ what does not fit */

static const struct { const char *map; int left_out; gan_status status; const char *sentence; } bad[] = {
  {"", -1, GAN_ERROR_ARGUMENT, "no line for 'dense1/weight'"},
  {"dense1* = fc*", -1, GAN_ERROR_ARGUMENT, "no line for"},
  {"fc.weight", -1, GAN_ERROR_ARGUMENT, "line 1: expected \"PATH = NAME\""},
  {"\n\n a = ", -1, GAN_ERROR_ARGUMENT, "line 3: expected"},
  {"a=b", -1, GAN_ERROR_ARGUMENT, "blanks around"},
  {"a = b c", -1, GAN_ERROR_ARGUMENT, "no parameter 'c'"},
  {"a = b row=3x2", -1, GAN_ERROR_ARGUMENT, "did you mean 'rows'"},
  {"a = b rows=12", -1, GAN_ERROR_ARGUMENT, "two to four sizes"},
  {"a = b rows=1x2x3x4x5", -1, GAN_ERROR_ARGUMENT, "two to four sizes"},
  {"a = b columns=-1x2", -1, GAN_ERROR_ARGUMENT, "two to four sizes"},
  {"a = b order=0,2", -1, GAN_ERROR_ARGUMENT, "every axis once"},
  {"a = b order=0,0", -1, GAN_ERROR_ARGUMENT, "every axis once"},
  {"a = b order=0,1,", -1, GAN_ERROR_ARGUMENT, "every axis once"},
  {"a = b order=0,1,2,3,4,5,6,7,8", -1, GAN_ERROR_ARGUMENT, "every axis once"},
  {"a = b order=x", -1, GAN_ERROR_ARGUMENT, "every axis once"},
  {"** = *", -1, GAN_ERROR_ARGUMENT, "at most one '*'"},
  {"a = *", -1, GAN_ERROR_ARGUMENT, "'*' on the left"},
  {"- = -", -1, GAN_ERROR_ARGUMENT, "on one side"},
  {"dense1* = fc* rows=5x2x2", -1, GAN_ERROR_ARGUMENT, "rows=5x2x2 makes 20, but 'dense1/weight' has 12"},
  {MAP, 0, GAN_ERROR_FORMAT, "no tensor 'fc.weight', which line 2"},
  {MAP, 9, GAN_ERROR_FORMAT, "no tensor 'out.weight'"},
  {"dense1/weight = out.weight", -1, GAN_ERROR_SHAPE, "tensor 'out.weight' is 2x12; 'dense1/weight' (12x4) needs 12x4"},
  {"dense1/weight = norm.num_batches_tracked", -1, GAN_ERROR_FORMAT, "does not hold floats"},
  {"dense1/* = -; batch-norm1/* = -; kernel1/weight = conv.weight order=0,1,2,3", -1, GAN_ERROR_SHAPE, "needs 3x2x4x5"},
  {"dense1/* = -; batch-norm1/* = -; kernel1/* = -; dense2/* = -", -1, GAN_ERROR_FORMAT, "'fc.weight' belongs to no variable"},
  {"* = -; - = fc*; - = norm*; - = conv*; - = out*", -1, GAN_ERROR_FORMAT, "'gamma' belongs to no variable"},
};

static void test_bad(void **state) {
  (void)state;
  int64_t count = gan_network_variable_count(net);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    write_model(bad[i].left_out, NULL);
    gan_network *before;
    must(ctx, gan_network_clone(net, "before", &before));
    gan_status status = import(bad[i].map);
    if (status != bad[i].status) fail_msg("map '%s': %s", bad[i].map, gan_status_text(status));
    sentence_has(bad[i].sentence);
    for (int64_t v = 0; v < count; v++) {
      const struct variable *a = net->variables[v].variable, *b = before->variables[v].variable;
      assert_memory_equal(a->data, b->data, (size_t)a->count * sizeof *a->data);
    }
    gan_network_free(before);
  }
}

/* A file that ends early, or memory that does, leaves the network as it was. */
static void test_failing(void **state) {
  (void)state;
  gan_network *before;
  write_model(-1, NULL);
  must(ctx, gan_network_clone(net, "before", &before));
  for (int64_t size = 0; size < file.size; size += 3) {
    assert_int_equal(gan_network_import_memory(net, bytes, size, MAP), GAN_ERROR_FORMAT);
    file.at = 0;
    file.fail_after = size + 1;
    gan_stream stream = memory_stream(&file);
    if (size + 1 < file.size) assert_int_not_equal(gan_network_import_stream(net, &stream, MAP), GAN_OK);
    file.fail_after = 0;
  }
  int64_t calls = 0;
  for (int64_t at = 1; calls == 0; at++) {
    memory.fail_at = memory.calls + at;
    gan_status status = import(MAP);
    if (memory.calls < memory.fail_at) calls = at;
    else assert_int_equal(status, GAN_ERROR_MEMORY);
    if (calls) break;
    for (int64_t v = 0; v < net->n_variables; v++) {
      const struct variable *a = net->variables[v].variable, *b = before->variables[v].variable;
      assert_memory_equal(a->data, b->data, (size_t)a->count * sizeof *a->data);
    }
  }
  assert_true(calls > 5);
  check_values();
  gan_network_free(before);
}

/* Any text is a map or a sentence. */
static void test_nonsense(void **state) {
  (void)state;
  static const char *const pieces[] = {"a", "*", "-", " = ", "=", " ", "\n", ";", "rows=", "3x2x2", "order=", "0,1", "#", "dense1",
                                       "/weight", "fc", "\"", "(", "\xff", "columns=12"};
  uint32_t x = 1;
  write_model(-1, NULL);
  for (int i = 0; i < 20000; i += test_every()) {
    char map[200] = "";
    for (int j = 0; j < 12; j++) {
      x = x * 1664525 + 1013904223;
      strcat(map, pieces[(x >> 16) % (sizeof pieces / sizeof *pieces)]);
    }
    gan_status status = import(map);
    assert_true(status == GAN_ERROR_ARGUMENT || status == GAN_ERROR_FORMAT || status == GAN_ERROR_SHAPE);
  }
}

/* ------------------------------------------------------------------ there and back */

static void test_export(void **state) {
  (void)state;
  static char out[FILE_MAX];
  struct memory_file written = {.bytes = out, .capacity = FILE_MAX};
  gan_network *other;
  write_model(-1, NULL);
  must(ctx, import(MAP));
  gan_stream stream = memory_stream(&written);
  must(ctx, gan_network_export_stream(net, &stream, MAP));

  /* Tensor for tensor what came in, but for what was passed over, and the single number, which has no axis here. */
  struct reader r;
  struct st_file f;
  must(ctx, reader_memory(&r, ctx, out, written.size));
  must(ctx, st_open(&f, ctx, &r));
  assert_int_equal(f.count, MODEL - 1);
  assert_string_equal(st_metadata(&f, "format"), "pt");
  for (int64_t i = 0; i < f.count; i++) {
    float values[128];
    int t = 0;
    while (strcmp(model[t].name, f.tensors[i].name) != 0) assert_true(++t < MODEL);
    if (model[t].shape[0] > 1) assert_memory_equal(model[t].shape, f.tensors[i].shape, (size_t)model[t].rank * sizeof(int64_t));
    must(ctx, st_read(&f, i, values));
    for (int64_t j = 0; j < f.tensors[i].count; j++) assert_true(values[j] == (float)(1000 * t + j));
  }
  st_close(&f);

  must(ctx, gan_network_clone(net, "other", &other));
  must(ctx, gan_network_initialize(net, 5));
  must(ctx, gan_network_import_memory(net, out, written.size, MAP));
  check_values();
  gan_network_free(other);
}

static void test_export_fails(void **state) {
  (void)state;
  static char out[1000];
  struct memory_file written = {.bytes = out, .capacity = sizeof out};
  gan_stream stream = memory_stream(&written);
  assert_int_equal(gan_network_export_stream(net, &stream, "* = x"), GAN_ERROR_ARGUMENT);
  sentence_has("two variables of network 'G' are to be 'x'");
  assert_int_equal(gan_network_export_stream(net, &stream, "dense1* = fc*"), GAN_ERROR_ARGUMENT);
  sentence_has("no line for 'batch-norm1/weight'");
  assert_int_equal(written.size, 0);
  assert_int_equal(gan_network_export_stream(net, &stream, MAP), GAN_ERROR_FILE);
  assert_int_equal(gan_network_export(net, "no/such/file", MAP), GAN_ERROR_FILE);
  must(ctx, gan_network_export(net, "test_import.safetensors", MAP));
  must(ctx, gan_network_import(net, "test_import.safetensors", MAP));
  remove("test_import.safetensors");
}

/* ------------------------------------------------------------------ a model of PyTorch */

static const char GENERATOR[] =
  "input z 6 noise=normal; dense units=128; batch-norm; relu; reshape shape=4x4x8;"
  "conv-transpose2d filters=6 kernel=4 stride=2 padding=1 bias=no; batch-norm; relu; conv2d filters=3 kernel=3 padding=1; tanh";
static const char GENERATOR_MAP[] =
  "dense1 = generator.0 rows=8x4x4; batch-norm1 = generator.1 rows=8x4x4; conv-transpose2d1 = generator.4\n"
  "batch-norm2 = generator.5; conv2d1 = generator.7; - = *.num_batches_tracked; - = discriminator";
static const char DISCRIMINATOR[] =
  "input z 8x8x3; conv2d filters=5 kernel=4 stride=2 padding=1; leaky-relu slope=0.2;"
  "conv2d filters=6 kernel=3 stride=2 padding=1 spectral-norm=yes; leaky-relu slope=0.2; flatten; dense units=2";
static const char DISCRIMINATOR_MAP[] =
  "conv2d1 = discriminator.0; conv2d2/bias = discriminator.2.bias\n"
  "conv2d2/weight = discriminator.2.parametrizations.weight.original\n"
  "conv2d2/weight_u = discriminator.2.parametrizations.weight.0._u\n"
  "conv2d2/weight_v = discriminator.2.parametrizations.weight.0._v rows=5x3x3\n"
  "dense1 = discriminator.5 columns=6x2x2; - = generator";

/* The array of a name in import.txt. */
static void read_values(const char *name, float *to, int count) {
  double values[4 * 192];
  char *text = fixture_read("import.txt");
  assert_int_equal(fixture_values(text, name, values, 4 * 192), count);
  for (int i = 0; i < count; i++) to[i] = (float)values[i];
  free(text);
}

/* Imports, and compares four samples from the inputs of a name with the outputs of another. */
static void compare_model(const char *lines, const char *map, const char *inputs, int n_in, const char *outputs, int n_out) {
  char path[1000];
  float in[4 * 192], expected[4 * 192], came[4 * 192];
  gan_network *network;
  gan_sampler *sampler;
  must(ctx, gan_network_create(ctx, "N", &network));
  gan_network_build(network, lines);
  must(ctx, gan_network_import(network, fixture_path(path, "import.safetensors"), map));
  must(ctx, gan_sampler_create(network, NULL, &sampler));
  read_values(inputs, in, 4 * n_in);
  read_values(outputs, expected, 4 * n_out);
  must(ctx, gan_sampler_bind(sampler, "z", 4, in));
  must(ctx, gan_sampler_draw(sampler, 0, 4, came));
  for (int i = 0; i < 4 * n_out; i++)
    if (!(fabsf(came[i] - expected[i]) <= 1e-5f)) fail_msg("%s %d: %g, PyTorch has %g", outputs, i, came[i], expected[i]);
  gan_sampler_free(sampler);
  gan_network_free(network);
}

static void test_pytorch(void **state) {
  (void)state;
  compare_model(GENERATOR, GENERATOR_MAP, "z", 6, "pictures", 192);
  compare_model(DISCRIMINATOR, DISCRIMINATOR_MAP, "pictures", 192, "scores", 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(test_order, setup, teardown),
    cmocka_unit_test_setup_teardown(test_given_order, setup, teardown),
    cmocka_unit_test_setup_teardown(test_half, setup, teardown),
    cmocka_unit_test_setup_teardown(test_bad, setup, teardown),
    cmocka_unit_test_setup_teardown(test_failing, setup, teardown),
    cmocka_unit_test_setup_teardown(test_nonsense, setup, teardown),
    cmocka_unit_test_setup_teardown(test_export, setup, teardown),
    cmocka_unit_test_setup_teardown(test_export_fails, setup, teardown),
    cmocka_unit_test_setup_teardown(test_pytorch, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
