/* Networks in files: exact round trips by path, memory and stream; and files that lie, end early or come from elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bed.h"
#include "io/safetensors.h"
#include "nn/network.h"

/* ------------------------------------------------------------------ files in memory */

enum { FILE_MAX = 1 << 18 };

struct bytes { char data[FILE_MAX]; int64_t size; };

static struct bytes file, changed;

static gan_status save(gan_network *n, struct bytes *to) {
  struct memory_file f = {.bytes = to->data, .capacity = FILE_MAX};
  gan_stream stream = memory_stream(&f);
  gan_status status = gan_network_save_stream(n, &stream);
  to->size = f.size;
  return status;
}

static gan_status load(gan_context *ctx, const struct bytes *from, gan_network **n) {
  return gan_network_load_memory(ctx, from->data, from->size, n);
}

static gan_status load_as_stream(gan_context *ctx, const struct bytes *from, gan_network **n) {
  struct memory_file f = {.bytes = (char *)from->data, .size = from->size, .capacity = from->size};
  gan_stream stream = memory_stream(&f);
  return gan_network_load_stream(ctx, &stream, n);
}

static gan_node *gain_forward(void *user, gan_layer_call *call, int32_t count, gan_node *const *inputs) {
  (void)user, (void)count;
  return gan_mul(inputs[0], gan_layer_parameter(call, "gain", 0, NULL, "ones"));
}

/* Everything that a structure can hold: roles, sharing within and across nested networks, a custom layer, two outputs. */
static gan_network *rich_network(gan_context *ctx) {
  gan_layer *layer;
  gan_network *trunk, *n;
  must(ctx, gan_layer_create(ctx, "dense units=4 init=(normal std=0.5)", &layer));
  must(ctx, gan_network_create(ctx, "trunk", &trunk));
  gan_network_input(trunk, "x", "4");
  gan_network_add_layer(trunk, layer, "name=inner");
  gan_network_add(trunk, "batch-norm epsilon=0.125");
  must(ctx, gan_network_create(ctx, "rich", &n));
  gan_network_input(n, "z", "4 noise=(uniform low=-0.1 high=0.3)");
  gan_network_input(n, "y", "2 classes=5");
  gan_network_input(n, "x", "2x2");
  gan_network_build(
      n, "flatten; embedding classes=5 width=2 from=y; flatten name=flat2; concat from=z,flatten1,flat2 axis=1; dense units=4");
  gan_network_add_network(n, trunk, NULL);
  gan_network_add_layer(n, layer, "name=outer");
  gan_network_add_network(n, trunk, "name=again from=dense1");
  gan_network_build(n, "add from=outer,again; gain name=custom; output main; output side concat1");
  must(ctx, gan_network_finish(n));
  gan_network_free(trunk);
  gan_layer_free(layer);
  return n;
}

static void register_gain(gan_context *ctx) { must(ctx, gan_context_add_layer(ctx, "gain", gain_forward, NULL, NULL)); }

static void assert_same_values(gan_network *a, gan_network *b) {
  assert_true(network_same_structure(a, b));
  for (int64_t i = 0; i < a->n_variables; i++) {
    const struct variable *v = a->variables[i].variable, *w = b->variables[i].variable;
    assert_memory_equal(v->data, w->data, (size_t)v->count * sizeof *v->data);
    assert_string_equal(v->name, w->name);
    assert_int_equal(v->trainable, w->trainable);
    assert_true(v->stream == w->stream);
  }
}

static void assert_same_text(gan_network *a, gan_network *b) {
  struct text first, second;
  text_init(&first, a->ctx);
  text_init(&second, b->ctx);
  must(a->ctx, network_to_json(a, &first));
  must(b->ctx, network_to_json(b, &second));
  assert_string_equal(text_get(&first), text_get(&second));
  text_free(&first);
  text_free(&second);
}

/* ------------------------------------------------------------------ round trips */

static void test_round_trip(void **state) {
  gan_context *ctx = *state, *other = new_context();
  gan_network *a, *b;
  register_gain(ctx);
  register_gain(other);
  a = rich_network(ctx);
  must(ctx, gan_network_initialize(a, 77));
  a->variables[0].variable->data[0] = NAN; /* a file may hold what is not finite */
  a->variables[0].variable->data[1] = -INFINITY;
  a->variables[0].variable->data[2] = 1e-42f;
  must(ctx, save(a, &file));
  must(other, load(other, &file, &b));
  assert_same_values(a, b);
  assert_same_text(a, b);
  assert_ptr_equal(b->layers[5].layer->network, b->layers[7].layer->network);
  assert_ptr_equal(b->layers[5].layer->network->layers[0].layer, b->layers[6].layer);
  assert_int_equal(b->inputs[0].noise_kind, RANDOM_UNIFORM);
  assert_true(b->inputs[0].noise_x == -0.1 && b->inputs[0].noise_y == 0.3);
  must(other, save(b, &changed));
  assert_int_equal(file.size, changed.size);
  assert_memory_equal(file.data, changed.data, (size_t)file.size);
  gan_network_free(b);
  must(other, load_as_stream(other, &file, &b));
  assert_same_values(a, b);
  gan_network_free(a);
  gan_network_free(b);
  gan_context_free(other);
}

/* A stream is read to the end of the network and no further, whatever follows. */
static void test_stream_position(void **state) {
  gan_context *ctx = *state;
  gan_network *n, *back;
  must(ctx, gan_network_create(ctx, "G", &n));
  gan_network_build(n, "input z 4; dense units=3");
  must(ctx, save(n, &file));
  struct memory_file f = {.bytes = file.data, .size = file.size + 100, .capacity = FILE_MAX};
  gan_stream stream = memory_stream(&f);
  must(ctx, gan_network_load_stream(ctx, &stream, &back));
  assert_int_equal(f.at, file.size);
  gan_network_free(back);
  f.at = 0;
  f.fail_after = 60;
  assert_int_equal(gan_network_load_stream(ctx, &stream, &back), GAN_ERROR_FORMAT);
  gan_network_free(n);
}

static void test_path(void **state) {
  gan_context *ctx = *state;
  gan_network *n, *back = NULL;
  const char *path = "test_network_file.safetensors";
  must(ctx, gan_network_create(ctx, "G", &n));
  gan_network_build(n, "input z 4; dense units=3");
  must(ctx, gan_network_save(n, path));
  must(ctx, gan_network_load(ctx, path, &back));
  assert_same_values(n, back);
  gan_network_free(back);
  assert_int_equal(gan_network_load(ctx, "no/such/file", &back), GAN_ERROR_FILE);
  assert_int_equal(gan_network_save(n, "no/such/file"), GAN_ERROR_FILE);
  assert_int_equal(gan_network_load(ctx, ".", &back), GAN_ERROR_FILE);
  assert_int_equal(gan_network_save(n, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_network_load(ctx, NULL, &back), GAN_ERROR_ARGUMENT);
  struct memory_file full = {.bytes = file.data, .capacity = 100};
  gan_stream stream = memory_stream(&full);
  assert_int_equal(gan_network_save_stream(n, &stream), GAN_ERROR_FILE);
  gan_network_free(n);
  remove(path);
}

/* A network that cannot be saved says so before a file is touched. */
static void test_unfinished(void **state) {
  gan_context *ctx = *state;
  gan_network *n;
  must(ctx, gan_network_create(ctx, "G", &n));
  gan_network_build(n, "input z 4; dens units=3");
  assert_int_equal(gan_network_save(n, "never.safetensors"), GAN_ERROR_ARGUMENT);
  assert_null(fopen("never.safetensors", "rb"));
  gan_network_free(n);
}

/* ------------------------------------------------------------------ files by hand */

/* JSON is written with single quotes here. */
static void requote(char *json) {
  for (; *json; json++)
    if (*json == '\'') *json = '"';
}

/* A file with one tensor list and one structure, as its parts claim. */
static void write_file(struct bytes *to, const char *metadata, const char *tensors, int64_t data_bytes) {
  char header[16384];
  int32_t length = snprintf(header, sizeof header, "{\"__metadata__\":{%s}%s%s}", metadata, *tensors ? "," : "", tensors);
  assert_true(length < (int32_t)sizeof header);
  requote(header);
  uint64_t size = (uint64_t)length;
  for (int32_t i = 0; i < 8; i++) to->data[i] = (char)(size >> (8 * i));
  memcpy(to->data + 8, header, (size_t)length);
  memset(to->data + 8 + length, 0, (size_t)data_bytes);
  to->size = 8 + length + data_bytes;
}

static void quoted(char *to, const char *from) {
  for (; *from; from++) {
    if (*from == '\'' || *from == '"') *to++ = '\\';
    *to++ = *from;
  }
  *to = 0;
}

static void write_structure(struct bytes *to, const char *structure, const char *tensors, int64_t data_bytes) {
  static char metadata[12000], escaped[8000];
  quoted(escaped, structure);
  snprintf(metadata, sizeof metadata, "\"gan.format\":\"1\",\"gan.kind\":\"network\",\"gan.network\":\"%s\"", escaped);
  write_file(to, metadata, tensors, data_bytes);
}

#define INPUT "'inputs':[{'name':'z','type':'f32','shape':[4]}]"
#define OUTPUT "'outputs':[{'name':'o','from':'d'}]"
#define LAYER(text) "'layers':[{'name':'d','id':0,'text':'" text "','from':['z']}]"
#define STRUCTURE(text) "{'name':'G'," INPUT "," LAYER(text) "," OUTPUT "}"
#define WEIGHT "'d/weight':{'dtype':'F32','shape':[3,4],'data_offsets':[0,48]}"
#define BIAS "'d/bias':{'dtype':'F32','shape':[3],'data_offsets':[48,60]}"

static void refuse(gan_context *ctx, gan_status status, const char *part) {
  gan_network *n = NULL;
  for (int32_t stream = 0; stream < 2; stream++) {
    gan_status came = stream ? load_as_stream(ctx, &file, &n) : load(ctx, &file, &n);
    if (came != status) must(ctx, came);
    assert_int_equal(came, status);
    assert_null(n);
    sentence_has(ctx, part, stream ? "the stream" : "the file");
  }
}

static void test_foreign_files(void **state) {
  gan_context *ctx = *state;
  gan_network *n;
  write_structure(&file, STRUCTURE("dense units=3"), WEIGHT "," BIAS, 60);
  must(ctx, load(ctx, &file, &n)); /* what the others differ from is good */
  gan_network_free(n);

  write_file(&file, "'format':'pt'", WEIGHT, 48);
  refuse(ctx, GAN_ERROR_FORMAT, "no network of libgan");
  write_file(&file, "'gan.format':'2','gan.kind':'network','gan.network':'{}'", WEIGHT, 48);
  refuse(ctx, GAN_ERROR_UNSUPPORTED, "format 2 is newer");
  write_file(&file, "'gan.format':'one','gan.kind':'network'", "", 0);
  refuse(ctx, GAN_ERROR_FORMAT, "'one' is no number");
  write_file(&file, "'gan.format':'1','gan.kind':'game'", "", 0);
  refuse(ctx, GAN_ERROR_FORMAT, "the file holds a game");
  write_file(&file, "'gan.format':'1','gan.kind':'network'", "", 0);
  refuse(ctx, GAN_ERROR_FORMAT, "no gan.network");
}

static void test_unknown_layer(void **state) {
  gan_context *ctx = *state;
  write_structure(&file, STRUCTURE("spectral units=3"), "", 0);
  refuse(ctx, GAN_ERROR_UNSUPPORTED, "layer 'spectral'");
}

static void test_tensors_that_do_not_fit(void **state) {
  gan_context *ctx = *state;
  write_structure(&file, STRUCTURE("dense units=3"), WEIGHT, 48);
  refuse(ctx, GAN_ERROR_FORMAT, "not enough numbers for");
  write_structure(&file, STRUCTURE("dense units=3 bias=no"), WEIGHT "," BIAS, 60);
  refuse(ctx, GAN_ERROR_FORMAT, "'d/bias' belongs to no variable");
  write_structure(&file, STRUCTURE("dense units=4 bias=no"),
                  WEIGHT "," BIAS ",'e':{'dtype':'F32','shape':[1],'data_offsets':[60,64]}", 64);
  refuse(ctx, GAN_ERROR_FORMAT, "'d/weight' is 3x4, the network's variable is 4x4");
  write_structure(&file, STRUCTURE("dense units=3"),
                  WEIGHT ",'d/bais':{'dtype':'F32','shape':[3],'data_offsets':[48,60]}", 60);
  refuse(ctx, GAN_ERROR_FORMAT, "'d/bais' belongs to no variable");
  write_structure(&file, STRUCTURE("dense units=3 bias=no"),
                  "'d/weight':{'dtype':'I32','shape':[3,4],'data_offsets':[0,48]}", 48);
  refuse(ctx, GAN_ERROR_FORMAT, "'d/weight' is i32, expected floats");
}

/* Weights that another program has written in 16 or 64 bits are read. */
static void test_other_widths(void **state) {
  gan_context *ctx = *state;
  gan_network *n;
  write_structure(&file, STRUCTURE("dense units=3"),
                  "'d/weight':{'dtype':'BF16','shape':[3,4],'data_offsets':[0,24]},"
                  "'d/bias':{'dtype':'F64','shape':[3],'data_offsets':[24,48]}", 48);
  double three = 3;
  memcpy(file.data + file.size - 8, &three, 8);
  must(ctx, load(ctx, &file, &n));
  assert_true(n->variables[1].variable->data[2] == 3);
  gan_network_free(n);
}

static void test_missing_tensor(void **state) {
  gan_context *ctx = *state;
  write_structure(&file,
                  "{'name':'G'," INPUT
                  ",'layers':[{'name':'d','id':0,'text':'batch-norm','from':['z']}]," OUTPUT "}",
                  "'d/weight':{'dtype':'U8','shape':[16],'data_offsets':[0,16]}", 16);
  refuse(ctx, GAN_ERROR_FORMAT, "'d/weight' is u8");
  write_structure(&file,
                  "{'name':'G'," INPUT ",'layers':[{'name':'e','id':0,'text':'dense units=1','from':['z']},"
                  "{'name':'d','id':1,'text':'dense units=1 bias=no','from':['z']}]," OUTPUT "}",
                  "'e/weight':{'dtype':'F32','shape':[1,4],'data_offsets':[0,16]},"
                  "'d/weight':{'dtype':'F32','shape':[1,4],'data_offsets':[16,32]}", 32);
  refuse(ctx, GAN_ERROR_FORMAT, "G/d: the file has not enough numbers for weight (1x4)");
}

/* ------------------------------------------------------------------ structures that are malformed */

static void test_structures(void **state) {
  gan_context *ctx = *state;
  const struct malformed { const char *structure, *part; } cases[] = {
    {"", "JSON"},
    {"[]", "is no name"},
    {"{}", "is no name"},
    {"{'name':'a/b'}", "is no name"},
    {"{'name':'G'}", "expected an array 'inputs'"},
    {"{'name':'G','inputs':[],'layers':[],'outputs':[]}", "has no input"},
    {"{'name':'G','inputs':{},'layers':[],'outputs':[]}", "expected an array 'inputs'"},
    {"{'name':'G','inputs':[1],'layers':[],'outputs':[]}", "is no name"},
    {"{'name':'G','inputs':[{'name':'z','type':'f64','shape':[4]}],'layers':[],'outputs':[]}",
     "type of an input"},
    {"{'name':'G','inputs':[{'name':'z','type':'f32','shape':[-4]}],'layers':[],'outputs':[]}",
     "whole number from 1"},
    {"{'name':'G','inputs':[{'name':'z','type':'f32','shape':[4.5]}],'layers':[],'outputs':[]}",
     "whole number from 1"},
    {"{'name':'G','inputs':[{'name':'z','type':'f32','shape':[1,1,1,1,1,1,1,1]}],'layers':[],'outputs':[]}",
     "too many axes"},
    {"{'name':'G','inputs':[{'name':'z','type':'f32','shape':[9007199254740000]}],'layers':[],'outputs':[]"
     "}",
     "too large"},
    {"{'name':'G','inputs':[{'name':'z','type':'f32','shape':[4],'classes':3}],'layers':[],'outputs':[]}",
     "type and role"},
    {"{'name':'G','inputs':[{'name':'z','type':'i32','shape':[4],'classes':0}],'layers':[],'outputs':[]}",
     "classes"},
    {"{'name':'G','inputs':[{'name':'z','type':'f32','shape':[4],'noise':'x'}],'layers':[],'outputs':[]"
     "}",
     "distribution"},
    {"{'name':'G'," INPUT ",'layers':[{'name':'d'}],'outputs':[]}", "expected an array 'from'"},
    {"{'name':'G'," INPUT ",'layers':[{'name':'d','from':[]}],'outputs':[]}", "comes from nowhere"},
    {"{'name':'G'," INPUT ",'layers':[{'name':'d','from':['q']}],'outputs':[]}", "comes from nowhere"},
    {"{'name':'G'," INPUT ",'layers':[{'name':'d','from':['z']}],'outputs':[]}", "has no text"},
    {"{'name':'G'," INPUT ",'layers':[{'name':'d','from':['z'],'text':'relu','id':1}],'outputs':[]}",
     "ids do not count"},
    {"{'name':'G'," INPUT ",'layers':[{'name':'d','from':['z'],'same':0}],'outputs':[]}",
     "no id that came before"},
    {"{'name':'G'," INPUT ",'layers':[{'name':'d','from':['z'],'network':{},'id':0}],'outputs':[]}",
     "is no name"},
    {"{'name':'G'," INPUT ",'layers':[{'name':'d','from':['z'],'text':'','id':0}],'outputs':[]}",
     "text of a layer"},
    {"{'name':'G'," INPUT ",'layers':[],'outputs':[{'name':'o','from':'q'}]}", "comes from nowhere"},
    {STRUCTURE("relu slope=3"), "takes none"},
    {STRUCTURE("softmax axis=0"), "the batch"},
    {STRUCTURE("reshape shape=5"), "expected 5 numbers"},
    {STRUCTURE("dense units=1000000000"), "not enough numbers for"},
    {STRUCTURE("dense units=3 name=x"), "no parameter 'name'"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    write_structure(&file, cases[i].structure, "", 0);
    refuse(ctx, GAN_ERROR_FORMAT, cases[i].part);
  }
}

/* Networks within networks, deeper than any is built. */
static void test_deep_structure(void **state) {
  static char deep[7000];
  char *at = deep;
  for (int32_t i = 0; i < 40; i++)
    at += sprintf(at, "{'name':'G'," INPUT
                      ",'outputs':[{'name':'o','from':'d'}],'layers':[{'name':'d','from':['z'],'network':");
  write_structure(&file, deep, "", 0);
  refuse(*state, GAN_ERROR_FORMAT, "");
}

/* ------------------------------------------------------------------ claims, cuts, flips */

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Terabytes that are claimed and not there cost neither memory nor time. */
static void test_claims(void **state) {
  gan_context *ctx = *state;
  const char *tensors[] = {
    "'d/weight':{'dtype':'F32','shape':[1000000000,1000],'data_offsets':[0,4000000000000]}",
    "'d/weight':{'dtype':'F32','shape':[4000000000,4000000000],'data_offsets':[0,48]}",
    "'d/weight':{'dtype':'F32','shape':[12],'data_offsets':[0,4611686018427387904]}",
  };
  double start = seconds();
  int64_t before = memory.bytes;
  for (int32_t i = 0; i < 3; i++) {
    write_structure(&file, STRUCTURE("dense units=1000000000 bias=no"), tensors[i], 48);
    refuse(ctx, GAN_ERROR_FORMAT, "");
    assert_int_equal(memory.bytes, before);
  }
  uint64_t huge = UINT64_C(1) << 62;
  memcpy(file.data, &huge, 8);
  refuse(ctx, GAN_ERROR_FORMAT, "header");
  assert_true(seconds() - start < 0.5);
}

static void test_cuts(void **state) {
  gan_context *ctx = *state;
  gan_network *n, *back = NULL;
  register_gain(ctx);
  n = rich_network(ctx);
  must(ctx, save(n, &changed));
  int64_t whole = changed.size;
  for (int64_t size = 0; size < whole; size += size < whole - 64 ? 7 : 1) {
    changed.size = size;
    assert_int_equal(load(ctx, &changed, &back), GAN_ERROR_FORMAT);
    assert_int_equal(load_as_stream(ctx, &changed, &back), GAN_ERROR_FORMAT);
  }
  gan_network_free(n);
}

/* A flipped bit gives an error, or a network that is whole: a name or a number may have become another. */
static void test_flips(void **state) {
  gan_context *ctx = *state;
  gan_network *n;
  register_gain(ctx);
  n = rich_network(ctx);
  must(ctx, save(n, &changed));
  for (int64_t bit = 0; bit < changed.size * 8; bit += 3) {
    gan_network *back = NULL;
    changed.data[bit / 8] ^= (char)(1 << bit % 8);
    if (load(ctx, &changed, &back) == GAN_OK) assert_int_equal(gan_network_parameters(back), gan_network_parameters(n));
    changed.data[bit / 8] ^= (char)(1 << bit % 8);
    gan_network_free(back);
  }
  gan_network_free(n);
}

static gan_status save_and_load(gan_context *ctx, gan_network *n, int32_t stream) {
  gan_network *back = NULL;
  gan_status status = save(n, &changed);
  if (status == GAN_OK) status = stream ? load_as_stream(ctx, &file, &back) : load(ctx, &file, &back);
  gan_network_free(back);
  return status;
}

static void test_every_allocation_fails_once(void **state) {
  gan_context *ctx = *state;
  register_gain(ctx);
  gan_network *n = rich_network(ctx);
  must(ctx, save(n, &file));
  for (int32_t way = 0; way < 4; way++) {
    gan_status status = GAN_ERROR_MEMORY;
    for (int64_t at = 1; status != GAN_OK; at++) {
      int64_t live = memory.live;
      memory.fail_on = way & 1;
      memory.fail_at = memory.calls + at;
      status = save_and_load(ctx, n, way >> 1);
      memory.fail_at = 0;
      if (status != GAN_OK && status != GAN_ERROR_MEMORY) must(ctx, status);
      assert_int_equal(memory.live, live);
    }
  }
  gan_network_free(n);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(test_round_trip),
      TEST(test_stream_position),
      TEST(test_path),
      TEST(test_unfinished),
      TEST(test_foreign_files),
      TEST(test_unknown_layer),
      TEST(test_tensors_that_do_not_fit),
      TEST(test_other_widths),
      TEST(test_missing_tensor),
      TEST(test_structures),
      TEST(test_deep_structure),
      TEST(test_claims),
      TEST(test_cuts),
      TEST(test_flips),
      TEST(test_every_allocation_fails_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
