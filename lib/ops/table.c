/* All ops, in the order of ops.def. */
#include "ops/op.h"

static const struct op *const table[] = {
#define OP(name, test) &op_##name,
#include "ops/ops.def"
#undef OP
};

int32_t op_count(void) {
  return (int32_t)(sizeof table / sizeof *table);
}

const struct op *op_at(int32_t index) {
  return index >= 0 && index < op_count() ? table[index] : NULL;
}
