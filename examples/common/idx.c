#include "idx.h"

#include <stdlib.h>

#include "files.h"
#include "say.h"

enum { UNSIGNED_BYTES = 8 };
static const size_t LARGEST = (size_t)1 << 33;

static int64_t big_endian(const uint8_t *p) {
  return (int64_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

/* The header: two zeros, the type, the number of axes, then the sizes. */
static int parse(const char *path, const uint8_t *bytes, size_t size, struct idx *idx) {
  if (size < 4 || bytes[0] || bytes[1]) return complain("%s is no IDX file", path);
  if (bytes[2] != UNSIGNED_BYTES) return complain("%s holds no unsigned bytes, but IDX type 0x%02x", path, bytes[2]);
  idx->rank = bytes[3];
  if (idx->rank < 1 || idx->rank > 4) return complain("%s has %d axes, not 1 to 4", path, idx->rank);
  size_t header = 4 + 4 * (size_t)idx->rank, count = 1;
  if (size < header) return complain("%s ends in its header", path);
  for (int32_t i = 0; i < idx->rank; i++) {
    idx->size[i] = big_endian(bytes + 4 + 4 * i);
    if (idx->size[i] < 1) return complain("%s is empty along axis %d", path, i);
    if (count > LARGEST / (size_t)idx->size[i]) return complain("%s claims to be larger than this program takes", path);
    count *= (size_t)idx->size[i];
  }
  if (size - header < count) return complain("%s should have %zu bytes of data, but has %zu", path, count, size - header);
  return 1;
}

int idx_read(const char *path, struct idx *idx) {
  size_t size;
  *idx = (struct idx){0};
  idx->memory = file_read(path, LARGEST, &size);
  if (!idx->memory) return 0;
  if (!parse(path, idx->memory, size, idx)) {
    idx_free(idx);
    return 0;
  }
  idx->bytes = idx->memory + 4 + 4 * idx->rank;
  return 1;
}

void idx_free(struct idx *idx) {
  free(idx->memory);
  *idx = (struct idx){0};
}
