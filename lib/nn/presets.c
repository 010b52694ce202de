/* The table of presets. */
#include "nn/presets.h"

#include "nn/names.h"

static const struct preset *const presets[] = {
#define PRESET(name) &preset_##name,
#include "nn/presets.def"
#undef PRESET
};

const struct option preset_options[] = {
  {"size", OPTION_TEXT, 0, 0, "", "of a sample, \"28x28x1\" (height, width, channels); empty: the preset's own"},
  {"latent", OPTION_INT, 0, 1e6, "0", "width of the noise; 0: the preset's own"},
  {"filters", OPTION_INT, 0, 1e6, "0", "channels of the narrowest convolution, on which the others depend; 0: the preset's own"},
};

const int32_t preset_option_count = 3;

int32_t preset_count(void) { return (int32_t)(sizeof presets / sizeof *presets); }

const struct preset *preset_at(int32_t index) { return index >= 0 && index < preset_count() ? presets[index] : NULL; }

const struct preset *preset_find(const char *name) {
  for (int32_t i = 0; i < preset_count(); i++)
    if (names_match(presets[i]->name, name)) return presets[i];
  return NULL;
}
