/* The table of layers. */
#include "nn/layer.h"
#include "nn/names.h"

static const struct layer_row *const rows[] = {
#define LAYER(name) &layer_##name,
#include "nn/layers.def"
#undef LAYER
};

int32_t layer_count(void) { return (int32_t)(sizeof rows / sizeof *rows); }

const struct layer_row *layer_at(int32_t index) { return index >= 0 && index < layer_count() ? rows[index] : NULL; }

const struct layer_row *layer_find(const char *name) {
  for (int32_t i = 0; i < layer_count(); i++)
    if (names_match(rows[i]->name, name)) return rows[i];
  return NULL;
}
