#include "base/sort.h"

#include <string.h>

struct heap { char *items; size_t size; compare_fn *compare; };

static char *at(const struct heap *h, int64_t i) {
  return h->items + (size_t)i * h->size;
}

static void swap(const struct heap *h, int64_t i, int64_t j) {
  char kept[SORT_ITEM_MAX];
  memcpy(kept, at(h, i), h->size);
  memcpy(at(h, i), at(h, j), h->size);
  memcpy(at(h, j), kept, h->size);
}

/* Lets item i sink below larger children, among the first n. */
static void sink(const struct heap *h, int64_t i, int64_t n) {
  for (int64_t child; (child = 2 * i + 1) < n; i = child) {
    if (child + 1 < n && h->compare(at(h, child), at(h, child + 1)) < 0) child++;
    if (h->compare(at(h, i), at(h, child)) >= 0) return;
    swap(h, i, child);
  }
}

/* Heapsort (Williams, 1964). */
void sort_items(void *items, int64_t count, size_t size, compare_fn *compare) {
  const struct heap h = {items, size, compare};
  for (int64_t i = count / 2 - 1; i >= 0; i--) sink(&h, i, count);
  for (int64_t n = count - 1; n > 0; n--) {
    swap(&h, 0, n);
    sink(&h, 0, n);
  }
}
