/* Files of tests/fixtures, and the numbers that both sides of a comparison make by one formula. */
#ifndef GAN_TESTS_FIXTURE_H
#define GAN_TESTS_FIXTURE_H

#include <stdint.h>

#include "gan.h"

/* Where a fixture lies: in the folder beside that of GAN_TEST_DATA. */
const char *fixture_path(char path[1000], const char *name);

/* The text of a file of arrays, a line each: name, number of values, values. Fails the test if it cannot be read; release with free(). */
char *fixture_read(const char *name);

/* The values of a name; how many there are, at most `capacity`. -1 if there is no such name. */
int64_t fixture_values(const char *text, const char *name, double *values, int64_t capacity);

/* Element i of a stream: a hash as a float in [-1, 1), exact in 24 bits, times scale, plus offset. */
float fixture_number(uint32_t stream, uint32_t i, float scale, float offset);

/* A tensor of such elements. */
gan_tensor *fixture_numbers(gan_context *ctx, uint32_t stream, int32_t rank, const int64_t *shape, double scale, double offset);

#endif
