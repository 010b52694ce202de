/* IDX files (LeCun, the format of MNIST): arrays of bytes with up to four axes, gzip or not. */
#ifndef IDX_H
#define IDX_H

#include <stdint.h>

struct idx {
  int32_t rank;
  int64_t size[4];
  uint8_t *bytes;  /* row-major; points into memory */
  uint8_t *memory;
};

/* Reads a file of unsigned bytes. 1, or 0 after a sentence. */
int idx_read(const char *path, struct idx *idx);
void idx_free(struct idx *idx);

#endif
