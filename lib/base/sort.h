/* Sorting in place: no allocation (the C library's qsort makes some behind one's back), and no input that makes it slow. */
#ifndef GAN_BASE_SORT_H
#define GAN_BASE_SORT_H

#include <stddef.h>
#include <stdint.h>

/* Negative, 0, positive: a before, with, after b. */
typedef int32_t compare_fn(const void *a, const void *b);

/* Sorts count items of `size` bytes each, up to SORT_ITEM_MAX. Equal items may change places. */
enum { SORT_ITEM_MAX = 256 };
void sort_items(void *items, int64_t count, size_t size, compare_fn *compare);

#endif
