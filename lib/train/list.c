/* What names there are: one view on the tables of every kind. */
#include <string.h>

#include "nn/initializer.h"
#include "nn/names.h"
#include "nn/presets.h"
#include "train/device.h"

/* A row of any table. */
struct entry { const char *name, *help; const struct option *options; int32_t n_options; };

#define COPY_ROW(row, out) (*(out) = (struct entry){(row)->name, (row)->help, (row)->options, (row)->n_options})

/* One function a kind: fills the entry, or returns 0 past the end. */
#define TABLE(kind, row_type, row_at) \
  static int32_t kind##_entry(int32_t index, struct entry *out) { \
    const struct row_type *row = row_at(index); \
    if (row) COPY_ROW(row, out); \
    return row != NULL; \
  }

TABLE(layer, layer_row, layer_at)
TABLE(loss, loss_row, loss_row_at)
TABLE(penalty, loss_row, penalty_row_at)
TABLE(device, device_row, device_row_at)
TABLE(optimizer, optimizer_row, optimizer_row_at)
TABLE(schedule, schedule_row, schedule_row_at)
TABLE(initializer, initializer_row, initializer_at)

static int32_t preset_entry(int32_t index, struct entry *out) {
  const struct preset *p = preset_at(index);
  if (p) *out = (struct entry){p->name, p->help, preset_options, preset_option_count};
  return p != NULL;
}

static const char *op_help(const struct op *op) {
  if (op->flags & OP_LEAF) return "where values come into a graph";
  if (op->flags & OP_VIEW) return "the same elements in the same order";
  if (op->flags & OP_ELEMENTWISE) return op->flags & OP_FLAT ? "element by element, without a gradient" : "element by element";
  return op->flags & OP_FLAT ? "an op on whole tensors, without a gradient" : "an op on whole tensors";
}

static int32_t op_entry(int32_t index, struct entry *out) {
  const struct op *op = op_at(index);
  if (op) *out = (struct entry){op->name, op_help(op), NULL, 0};
  return op != NULL;
}

typedef int32_t entry_function(int32_t index, struct entry *out);

static entry_function *const kinds[] = {
  [GAN_LIST_LAYERS] = layer_entry, [GAN_LIST_LOSSES] = loss_entry, [GAN_LIST_PENALTIES] = penalty_entry,
  [GAN_LIST_OPTIMIZERS] = optimizer_entry, [GAN_LIST_SCHEDULES] = schedule_entry, [GAN_LIST_INITIALIZERS] = initializer_entry,
  [GAN_LIST_PRESETS] = preset_entry, [GAN_LIST_OPS] = op_entry,
  [GAN_LIST_DEVICES] = device_entry,
};

static int32_t entry_at(int32_t kind, int32_t index, struct entry *out) {
  if (kind < 0 || kind >= (int32_t)(sizeof kinds / sizeof *kinds) || index < 0) return 0;
  return kinds[kind](index, out);
}

int32_t gan_list_count(int32_t kind) {
  struct entry e;
  int32_t count = 0;
  while (entry_at(kind, count, &e)) count++;
  return count;
}

const char *gan_list_name(int32_t kind, int32_t index) {
  struct entry e;
  return entry_at(kind, index, &e) ? e.name : NULL;
}

static int32_t find(int32_t kind, const char *name, struct entry *out) {
  for (int32_t i = 0; entry_at(kind, i, out); i++)
    if (names_match(out->name, name)) return 1;
  return 0;
}

/* The texts of the lower floors live on a context's memory; this function has none, so it makes a small one for itself. */
gan_status gan_list_help(int32_t kind, const char *name, char *text, int64_t capacity, int64_t *needed) {
  struct entry e;
  gan_context *ctx;
  if (!name || !find(kind, name, &e)) return GAN_ERROR_ARGUMENT;
  TRY(context_new(NULL, &ctx));
  struct text help;
  text_init(&help, ctx);
  options_help(&help, e.name, e.help, e.options, e.n_options);
  gan_status status = help.failed ? GAN_ERROR_MEMORY : text_copy_out(ctx, text_get(&help), text, capacity, needed);
  text_free(&help);
  gan_context_free(ctx);
  return status;
}
