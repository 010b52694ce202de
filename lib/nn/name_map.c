/* Lines "conv1/weight = main.0.weight order=0,2,3,1", read and looked up. */
#include "nn/name_map.h"

#include <string.h>

static const struct option map_options[] = {
  {"order", OPTION_TEXT, 0, 0, "", "axes of the tensor in the order of the variable"},
  {"rows", OPTION_TEXT, 0, 0, "", "sizes that the first axis is made of, channels first"},
  {"columns", OPTION_TEXT, 0, 0, "", "the same of the second axis"},
};

/* ------------------------------------------------------------------ parsing */

static gan_status fail_line(const struct name_map *m, const struct map_line *l, const char *expected) {
  return gan_fail(m->ctx, GAN_ERROR_ARGUMENT, "name map, line %d: expected %s", l->number, expected);
}

/* Cuts a word off; its end is made a zero. */
static char *take_word(char **rest) {
  char *word = *rest + strspn(*rest, " \t\r");
  size_t length = strcspn(word, " \t\r");
  *rest = word + length + (word[length] != 0);
  word[length] = 0;
  return word;
}

static int32_t stars(const char *s) {
  int32_t count = 0;
  for (; *s; s++) count += *s == '*';
  return count;
}

/* "0,2,3,1": every axis once. */
static int32_t read_order(const char *s, struct map_line *l) {
  uint32_t seen = 0;
  while (*s) {
    int64_t axis;
    if (l->n_order == GAN_MAX_RANK || !parse_int(s, &s, &axis) || axis < 0 || axis >= GAN_MAX_RANK) return 0;
    if (seen & 1u << axis || (*s && *s != ',') || (*s && !s[1])) return 0;
    seen |= 1u << axis;
    l->order[l->n_order++] = (int32_t)axis;
    s += *s == ',';
  }
  return seen == (1u << l->n_order) - 1;
}

static int32_t read_sizes(const char *s, int32_t *count, int64_t sizes[MAP_SIZES]) {
  int64_t shape[GAN_MAX_RANK];
  const char *end;
  if (!*s) return 1;
  if (!parse_shape(s, &end, count, shape) || *end || *count < 2 || *count > MAP_SIZES) return 0;
  memcpy(sizes, shape, (size_t)*count * sizeof *sizes);
  return 1;
}

static gan_status read_options(const struct name_map *m, struct map_line *l, const char *rest) {
  char who[48] = "name map, line ";
  struct options o;
  format_double(who + strlen(who), 32, l->number);
  gan_status status = options_parse(m->ctx, who, map_options, 3, rest, &o);
  if (status == GAN_OK && !read_order(option_text(&o, "order"), l))
    status = fail_line(m, l, "order= with every axis once, \"0,2,3,1\"");
  if (status == GAN_OK && !(read_sizes(option_text(&o, "rows"), &l->n_rows, l->rows) &&
                            read_sizes(option_text(&o, "columns"), &l->n_columns, l->columns)))
    status = fail_line(m, l, "rows= and columns= with two to four sizes, \"256x7x7\"");
  options_free(&o);
  return status;
}

static gan_status read_line(struct name_map *m, struct map_line *l, char *line) {
  l->ours = take_word(&line);
  const char *equals = take_word(&line);
  l->theirs = take_word(&line);
  if (strcmp(equals, "=") != 0 || !*l->theirs) return fail_line(m, l, "\"PATH = NAME\", with blanks around the sign");
  if (strlen(l->ours) >= MAP_NAME || strlen(l->theirs) >= MAP_NAME) return fail_line(m, l, "names of less than 512 bytes");
  if (stars(l->ours) > 1 || stars(l->theirs) > 1) return fail_line(m, l, "at most one '*' in a name");
  if (!strcmp(l->ours, "-") && !strcmp(l->theirs, "-")) return fail_line(m, l, "a name on one side at least");
  if (stars(l->theirs) > stars(l->ours) && strcmp(l->ours, "-") != 0)
    return fail_line(m, l, "a '*' on the left for that on the right");
  return read_options(m, l, line);
}

gan_status map_parse(gan_context *ctx, const char *text, struct name_map *out) {
  *out = (struct name_map){.ctx = ctx};
  out->text = context_strdup(ctx, text);
  if (!out->text) return GAN_ERROR_MEMORY;
  out->text_bytes = strlen(text) + 1;
  int32_t number = 1;
  for (char *at = out->text, *next; at; at = next, number++) {
    next = strpbrk(at, "\n;");
    if (next) *next++ = 0;
    at[strcspn(at, "#")] = 0;
    at += strspn(at, " \t\r");
    if (!*at) continue;
    TRY(context_grow(ctx, (void **)&out->lines, &out->capacity, out->count + 1, sizeof *out->lines));
    struct map_line *l = &out->lines[out->count++];
    *l = (struct map_line){.number = number};
    TRY(read_line(out, l, at));
  }
  return GAN_OK;
}

void map_free(struct name_map *m) {
  context_release(m->ctx, m->lines, (size_t)m->capacity * sizeof *m->lines);
  context_release(m->ctx, m->text, m->text_bytes);
  *m = (struct name_map){0};
}

/* ------------------------------------------------------------------ looking up */

/* The part of a name that a '*' stands for, or what is below a name. */
struct part { const char *at; size_t length; };

/* 1 if a name fits a pattern. Without a '*' that has also what is below the name, behind one of the bytes `below`. */
static int32_t fits(const char *pattern, const char *name, const char *below, struct part *rest) {
  size_t before = strcspn(pattern, "*"), all = strlen(name);
  size_t after = pattern[before] ? strlen(pattern + before + 1) : 0;
  if (all < before + after || strncmp(pattern, name, before) != 0) return 0;
  *rest = (struct part){name + before, all - before - after};
  if (!pattern[before]) return strchr(below, name[before]) != NULL;
  return !strcmp(pattern + before + 1, name + all - after);
}

/* Their name for what is a '*' or below a name of ours, where paths have slashes and names have dots; cut to the room there is. */
static void write_name(const struct map_line *l, const struct part *rest, char out[MAP_NAME]) {
  size_t at = strcspn(l->theirs, "*");
  const char *after = l->theirs + at + (l->theirs[at] != 0);
  int32_t goes_on = strcmp(l->theirs, "-") && (l->theirs[at] || !strchr(l->ours, '*'));
  memcpy(out, l->theirs, at);
  for (size_t i = 0; goes_on && i < rest->length && at < MAP_NAME - 1; i++) out[at++] = rest->at[i] == '/' ? '.' : rest->at[i];
  while (*after && at < MAP_NAME - 1) out[at++] = *after++;
  out[at] = 0;
}

const struct map_line *map_find(const struct name_map *m, const char *path, char theirs[MAP_NAME]) {
  struct part rest;
  for (int64_t i = 0; i < m->count; i++) {
    if (!fits(m->lines[i].ours, path, "/", &rest)) continue;
    write_name(&m->lines[i], &rest, theirs);
    return &m->lines[i];
  }
  return NULL;
}

int32_t map_ignores(const struct name_map *m, const char *theirs) {
  struct part rest;
  for (int64_t i = 0; i < m->count; i++)
    if (!strcmp(m->lines[i].ours, "-") && fits(m->lines[i].theirs, theirs, "./", &rest)) return 1;
  return 0;
}
