/* gan_data: making a source and its slots. */
#include <string.h>

#include "base/registry.h"
#include "train/data.h"

gan_status gan_data_create(gan_context *context, gan_data **out) {
  REQUIRE(context, context && out, "gan_data_create: context or data is NULL");
  gan_data *d = context_zalloc(context, sizeof *d);
  if (!d) return GAN_ERROR_MEMORY;
  atomic_init(&d->refs, 1);
  d->ctx = context_ref(context);
  *out = d;
  return GAN_OK;
}

gan_data *data_ref(gan_data *d) {
  atomic_fetch_add(&d->refs, 1);
  return d;
}

void gan_data_free(gan_data *d) {
  if (!d || atomic_fetch_sub(&d->refs, 1) != 1) return;
  gan_context *ctx = d->ctx;
  for (int64_t i = 0; i < d->n_slots; i++) gan_tensor_free(d->slots[i].tensor);
  context_release(ctx, d->slots, sizeof *d->slots * (size_t)d->cap_slots);
  if (d->release) d->release(d->user, d->user, 0);
  context_release(ctx, d, sizeof *d);
  context_unref(ctx);
}

int64_t gan_data_count(const gan_data *d) {
  return d ? d->count : 0;
}

int32_t data_find(const gan_data *d, const char *slot) {
  for (int64_t i = 0; i < d->n_slots; i++)
    if (strcmp(d->slots[i].name, slot) == 0) return (int32_t)i;
  return -1;
}

static gan_status check_name(gan_data *d, const char *slot) {
  REQUIRE(d->ctx, name_is_valid(slot), "data: slot '%s': a name has 1 to 63 letters, digits, '-', '_', '.'", slot);
  REQUIRE(d->ctx, data_find(d, slot) < 0, "data: there is a slot '%s' already", slot);
  return GAN_OK;
}

static struct data_slot *new_slot(gan_data *d, const char *name) {
  if (context_grow(d->ctx, (void **)&d->slots, &d->cap_slots, d->n_slots + 1, sizeof *d->slots) != GAN_OK) return NULL;
  struct data_slot *s = &d->slots[d->n_slots];
  memset(s, 0, sizeof *s);
  strcpy(s->name, name);   /* checked: at most 63 bytes */
  return s;
}

/* ------------------------------------------------------------------ from memory */

/* A spec may see a sample in another shape of as many elements. */
static gan_status shape_slot(gan_context *ctx, const char *slot, const gan_tensor *t, const struct data_spec *spec,
                             struct data_slot *out) {
  char a[128], b[128];
  out->rank = t->rank - 1;
  memcpy(out->shape, t->shape + 1, sizeof *t->shape * (size_t)(t->rank - 1));
  out->row = shape_count(out->rank, out->shape);
  if (!spec->has_shape) return GAN_OK;
  if (spec->rank >= GAN_MAX_RANK || shape_count(spec->rank, spec->shape) != out->row)
    return gan_fail(ctx, GAN_ERROR_SHAPE, "slot '%s': samples are %s, they cannot be seen as %s", slot,
                    shape_text(a, sizeof a, out->rank, out->shape), shape_text(b, sizeof b, spec->rank, spec->shape));
  out->rank = spec->rank;
  memcpy(out->shape, spec->shape, sizeof out->shape);
  return GAN_OK;
}

static gan_status check_labels(gan_context *ctx, const char *slot, const gan_tensor *t, int64_t classes) {
  const int32_t *labels = t->data;
  int64_t bad = labels_first_bad(labels, t->count, classes);
  if (bad < 0) return GAN_OK;
  return gan_fail(ctx, GAN_ERROR_ARGUMENT, "slot '%s': label %lld is %d, expected 0 .. %lld", slot, (long long)bad, labels[bad],
                  (long long)classes - 1);
}

static gan_status check_tensor(gan_data *d, const char *slot, const gan_tensor *t, const struct data_spec *spec) {
  char shape[128];
  REQUIRE(d->ctx, t->ctx == d->ctx, "slot '%s': the tensor is of another context", slot);
  if (t->rank < 1 || t->count < 1)
    return gan_fail(d->ctx, GAN_ERROR_SHAPE, "slot '%s': the tensor is %s, expected at least one sample along its first axis",
                    slot, shape_text(shape, sizeof shape, t->rank, t->shape));
  if (d->count && t->shape[0] != d->count)
    return gan_fail(d->ctx, GAN_ERROR_SHAPE, "slot '%s': %lld samples, the other slots have %lld", slot, (long long)t->shape[0],
                    (long long)d->count);
  REQUIRE(d->ctx, t->type == GAN_I32 || spec->classes == 0, "slot '%s': classes= needs a tensor of i32, this one is %s", slot,
          type_name(t->type));
  REQUIRE(d->ctx, t->type == GAN_U8 || !spec->has_range, "slot '%s': range= needs a tensor of u8, this one is %s", slot,
          type_name(t->type));
  return t->type == GAN_I32 ? check_labels(d->ctx, slot, t, spec->classes) : GAN_OK;
}

gan_status gan_data_add(gan_data *d, const char *slot, gan_tensor *tensor, const char *text) {
  if (!d) return gan_fail(NULL, GAN_ERROR_ARGUMENT, "gan_data_add: data is NULL");
  REQUIRE(d->ctx, slot && tensor, "gan_data_add: slot or tensor is NULL");
  REQUIRE(d->ctx, !d->fill, "slot '%s': this source comes from a callback", slot);
  TRY(check_name(d, slot));
  struct data_spec spec;
  TRY(data_spec_parse(d->ctx, slot, text, &spec));
  TRY(check_tensor(d, slot, tensor, &spec));
  struct data_slot *s = new_slot(d, slot);
  if (!s) return GAN_ERROR_MEMORY;
  TRY(shape_slot(d->ctx, slot, tensor, &spec, s));
  s->type = tensor->type == GAN_I32 ? GAN_I32 : GAN_F32;
  s->classes = spec.classes;
  s->low = spec.low;
  s->high = spec.high;
  s->tensor = tensor_ref(tensor);
  d->n_slots++;
  d->count = tensor->shape[0];
  return GAN_OK;
}

/* ------------------------------------------------------------------ from a callback */

/* "image 28x28x1" */
static gan_status add_line(gan_data *d, const char *line) {
  char name[NETWORK_NAME];
  const char *rest = line_name(line, name, sizeof name);
  if (!rest) return GAN_OK;
  TRY(check_name(d, name));
  struct data_spec spec;
  TRY(data_spec_parse(d->ctx, name, rest, &spec));
  REQUIRE(d->ctx, spec.rank < GAN_MAX_RANK, "slot '%s': too many axes", name);
  REQUIRE(d->ctx, !spec.has_range, "slot '%s': range= is for bytes in memory; a callback fills f32", name);
  struct data_slot *s = new_slot(d, name);
  if (!s) return GAN_ERROR_MEMORY;
  s->type = spec.classes ? GAN_I32 : GAN_F32;
  s->classes = spec.classes;
  s->rank = spec.rank;
  memcpy(s->shape, spec.shape, sizeof s->shape);
  s->row = shape_count(s->rank, s->shape);
  d->n_slots++;
  return GAN_OK;
}

static gan_status add_lines(gan_data *d, char *lines) {
  while (1) {
    size_t length = strcspn(lines, ";\n");
    char after = lines[length];
    lines[length] = 0;
    TRY(add_line(d, lines));
    if (!after) break;
    lines += length + 1;
  }
  REQUIRE(d->ctx, d->n_slots > 0, "gan_data_callback: no slot, expected lines such as 'image 28x28x1; label classes=10'");
  return GAN_OK;
}

gan_status gan_data_callback(gan_data *d, int64_t count, const char *slots, gan_data_fill fill, void *user, gan_release release) {
  if (!d) return gan_fail(NULL, GAN_ERROR_ARGUMENT, "gan_data_callback: data is NULL");
  REQUIRE(d->ctx, slots && fill, "gan_data_callback: slots or fill is NULL");
  REQUIRE(d->ctx, count >= 1, "gan_data_callback: %lld samples, expected at least 1", (long long)count);
  if (d->n_slots) return gan_fail(d->ctx, GAN_ERROR_STATE, "gan_data_callback: the source has slots already");
  char *lines = context_strdup(d->ctx, slots);
  if (!lines) return GAN_ERROR_MEMORY;
  size_t length = strlen(lines);
  gan_status status = add_lines(d, lines);
  context_release(d->ctx, lines, length + 1);
  if (status != GAN_OK) {
    d->n_slots = 0;
    return status;
  }
  d->count = count;
  d->fill = fill;
  d->user = user;
  d->release = release;
  return GAN_OK;
}
