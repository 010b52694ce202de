#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support.h"

const char *fixture_path(char path[1000], const char *name) {
  const char *data = getenv("GAN_TEST_DATA"), *end = data ? strrchr(data, '/') : NULL;
  snprintf(path, 1000, "%.*s/fixtures/%s", end ? (int)(end - data) : 5, end ? data : "tests", name);
  return path;
}

char *fixture_read(const char *name) {
  char path[1000];
  FILE *file = fopen(fixture_path(path, name), "rb");
  if (!file) fail_msg("%s cannot be opened", path);
  fseek(file, 0, SEEK_END);
  size_t size = (size_t)ftell(file);
  rewind(file);
  char *text = malloc(size + 2);
  assert_non_null(text);
  text[0] = '\n'; /* so that every name stands behind one */
  assert_int_equal(fread(text + 1, 1, size, file), size);
  text[size + 1] = 0;
  fclose(file);
  return text;
}

int64_t fixture_values(const char *text, const char *name, double *values, int64_t capacity) {
  char key[200], *at;
  snprintf(key, sizeof key, "\n%s ", name);
  const char *line = strstr(text, key);
  if (!line) return -1;
  int64_t count = strtoll(line + strlen(key), &at, 10);
  for (int64_t i = 0; i < count && i < capacity; i++) values[i] = strtod(at, &at);
  return count < capacity ? count : capacity;
}

float fixture_number(uint32_t stream, uint32_t i, float scale, float offset) {
  uint32_t x = i + stream * 0x9E3779B1u;
  x = (x ^ x >> 16) * 0x7FEB352Du;
  x = (x ^ x >> 15) * 0x846CA68Bu;
  x ^= x >> 16;
  volatile float unit = (float)(x >> 8) * 0x1p-23f - 1.0f, scaled = unit * scale; /* rounded twice, as PyTorch does */
  return scaled + offset;
}

gan_tensor *fixture_numbers(gan_context *ctx, uint32_t stream, int32_t rank, const int64_t *shape, double scale, double offset) {
  gan_tensor *tensor = NULL;
  must(ctx, gan_tensor_create(ctx, GAN_F32, rank, shape, &tensor));
  float *data = gan_tensor_data(tensor);
  for (int64_t i = 0; i < gan_tensor_count(tensor); i++) data[i] = fixture_number(stream, (uint32_t)i, (float)scale, (float)offset);
  return tensor;
}
