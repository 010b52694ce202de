#include "op_cases.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/rng.h"
#include "ops/conv.h"
#include "ops/resample.h"

/* --------------------------------------------------------------------------------------------------------------- reading */

const char *op_column(int32_t op) {
  static const char *const columns[] = {
#define OP(name, test) test,
#include "ops/ops.def"
#undef OP
  };
  return columns[op];
}

static int32_t read_sizes(const char *s, char between, int64_t *sizes, const char **end) {
  int32_t rank = 0;
  *end = s;
  for (;; s++) {
    if (!isdigit((unsigned char)*s) || rank == GAN_MAX_RANK) return -1;
    char *after;
    sizes[rank++] = strtoll(s, &after, 10);
    s = after;
    if (*s != between) break;
  }
  *end = s;
  return rank;
}

static int32_t read_numbers(const char *s, int32_t *numbers) {
  int64_t wide[GAN_MAX_RANK];
  const char *end;
  int32_t count = read_sizes(s, ',', wide, &end);
  for (int32_t i = 0; i < count; i++) numbers[i] = (int32_t)wide[i];
  return *end ? -1 : count;
}

static int32_t read_shape(const char *word, struct case_input *in) {
  if (strcmp(word, "scalar") == 0) return 1;
  const char *end;
  in->rank = read_sizes(word, 'x', in->shape, &end);
  if (strncmp(end, ":i", 2) == 0) in->classes = atoll(end + 2);
  return in->rank > 0 && (*end == 0 || in->classes > 0);
}

static int32_t read_input(const char *word, struct op_case *c) {
  return c->n_in < CASE_INPUTS && read_shape(word, &c->in[c->n_in++]);
}

static int32_t read_attribute(const char *word, struct op_case *c) {
  const struct { const char *name; int64_t *value; } sizes[] = {
    {"begin=", &c->begin}, {"end=", &c->end},   {"before=", &c->before},
    {"after=", &c->after}, {"rows=", &c->rows}, {"classes=", &c->classes},
  };
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    size_t length = strlen(sizes[i].name);
    if (strncmp(word, sizes[i].name, length)) continue;
    *sizes[i].value = atoll(word + length);
    return 1;
  }
  const char *end;
  int64_t pair[2];
  for (int32_t i = 0; i < 2; i++) {
    static const char *const names[2] = {"stride=", "dilation="};
    int32_t *to = i ? c->window.dilation : c->window.stride;
    size_t length = strlen(names[i]);
    if (strncmp(word, names[i], length)) continue;
    if (read_sizes(word + length, 'x', pair, &end) != 2) return 0;
    to[0] = (int32_t)pair[0], to[1] = (int32_t)pair[1];
    return 1;
  }
  if (strncmp(word, "pad=", 4) == 0) return sscanf(word + 4, "%d,%d,%d,%d", &c->pad[0], &c->pad[1], &c->pad[2], &c->pad[3]) == 4;
  if (strncmp(word, "groups=", 7) == 0) return (c->window.groups = atoi(word + 7)) > 0;
  if (strncmp(word, "axes=", 5) == 0) return (c->n_axes = read_numbers(word + 5, c->axes)) > 0;
  if (strncmp(word, "order=", 6) == 0) return (c->n_order = read_numbers(word + 6, c->order)) > 0;
  if (strncmp(word, "to=", 3) == 0) return (c->to_rank = read_sizes(word + 3, 'x', c->to, &end)) > 0;
  if (strncmp(word, "code=", 5) == 0) return read_shape(word + 5, &c->code);
  if (strncmp(word, "axis=", 5) == 0) return c->axis = atoi(word + 5), 1;
  if (strcmp(word, "still") == 0) return c->still = 1;
  if (strcmp(word, "ta") == 0) return c->ta = 1;
  if (strcmp(word, "tb") == 0) return c->tb = 1;
  return 0;
}

static int32_t read_word(const char *word, int32_t bracket, struct op_case *c) {
  const char *dots = strstr(word, "..");
  if (bracket) return read_attribute(word, c);
  if (strncmp(word, "apart=", 6) == 0) return c->apart = atof(word + 6), 1;
  if (strcmp(word, "separate") == 0) return c->separate = 1;
  if (!dots) return read_input(word, c);
  c->low = atof(word);
  c->high = atof(dots + 2);
  return c->low < c->high;
}

static int32_t read_case(char *text, struct op_case *c) {
  int32_t bracket = 0;
  *c = (struct op_case){.apart = -1, .window = {{1, 1}, {1, 1}, {0, 0}, 1}};
  for (char *rest, *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
    if (*word == '[') bracket = 1, word++;
    char *close = strchr(word, ']');
    if (close) *close = 0;
    if (*word && !read_word(word, bracket, c)) return 0;
    if (close) bracket = 0;
  }
  return c->n_in > 0;
}

int32_t op_cases_read(const char *column, struct op_case *cases) {
  char copy[2048];
  int32_t count = 0;
  if (strlen(column) >= sizeof copy) return -1;
  strcpy(copy, column);
  for (char *rest, *text = strtok_r(copy, ";", &rest); text; text = strtok_r(NULL, ";", &rest)) {
    if (count == CASES_MAX || !read_case(text, &cases[count++])) return -1;
  }
  return count;
}

/* -------------------------------------------------------------------------------------------------------------- building */

static struct window window_of(const struct op_case *c) {
  struct window v = c->window;
  v.padding[0] = c->pad[0];
  v.padding[1] = c->pad[2];
  return v;
}

/* From the first tap of the kernel to the last, less what lies around the image. */
static int64_t reach(const struct op_case *c, int32_t axis) {
  return (c->in[1].shape[1 + axis] - 1) * c->window.dilation[axis] + 1 - c->pad[2 * axis] - c->pad[2 * axis + 1];
}

static gan_node *build_conv(const struct op_case *c, gan_node *const *in) {
  struct window v = window_of(c);
  int64_t size[2];
  for (int32_t i = 0; i < 2; i++) size[i] = (c->in[0].shape[1 + i] - reach(c, i)) / v.stride[i] + 1;
  return node_conv(in[0], in[1], &v, size[0], size[1]);
}

static gan_node *build_conv_input(const struct op_case *c, gan_node *const *in) {
  struct window v = window_of(c);
  int64_t size[2];
  for (int32_t i = 0; i < 2; i++) size[i] = (c->in[0].shape[1 + i] - 1) * v.stride[i] + reach(c, i);
  return node_conv_input(in[0], in[1], &v, size[0], size[1]);
}

static gan_node *build_conv_weight(const struct op_case *c, gan_node *const *in) {
  struct window v = window_of(c);
  return node_conv_weight(in[0], in[1], &v, c->to[0], c->to[1]);
}

/* Rows of none, one, two and three terms, some of them on one row. */
static gan_node *build_resample(const struct op_case *c, gan_node *const *in) {
  int64_t columns = in[0]->shape[c->axis];
  struct resample_table *t = resample_table_new(in[0]->graph, c->rows, columns, 3 * c->rows);
  for (int64_t i = 0; i < c->rows; i++, resample_end_row(t))
    for (int64_t j = 0; j < (i + 1) % 4; j++) resample_add(t, (3 * i + 5 * j * j) % columns, 0.7 - 0.01 * (double)(20 * j + i));
  return node_resample(in[0], c->axis, t);
}

static gan_node *build_shape_op(const char *name, const struct op_case *c, gan_node *const *in) {
  if (!strcmp(name, "sum")) return gan_sum_axes(in[0], c->n_axes, c->axes, 0);
  if (!strcmp(name, "max")) return gan_max_axes(in[0], c->n_axes, c->axes, 0);
  if (!strcmp(name, "matmul")) return gan_matmul(in[0], in[1], c->ta, c->tb);
  if (!strcmp(name, "conv")) return build_conv(c, in);
  if (!strcmp(name, "conv_input")) return build_conv_input(c, in);
  if (!strcmp(name, "conv_weight")) return build_conv_weight(c, in);
  if (!strcmp(name, "resample")) return build_resample(c, in);
  if (!strcmp(name, "reshape")) return gan_reshape(in[0], c->to_rank, c->to);
  if (!strcmp(name, "transpose")) return gan_transpose(in[0], c->n_order, c->order);
  if (!strcmp(name, "broadcast")) return gan_broadcast(in[0], c->to_rank, c->to);
  if (!strcmp(name, "slice")) return gan_slice(in[0], c->axis, c->begin, c->end);
  if (!strcmp(name, "pad")) return gan_pad(in[0], c->axis, c->before, c->after);
  if (!strcmp(name, "concat")) return gan_concat(c->n_in, in, c->axis);
  if (!strcmp(name, "gather")) return gan_gather(in[0], in[1]);
  if (!strcmp(name, "scatter")) return node_scatter(in[0], in[1], c->rows);
  if (!strcmp(name, "update_rows")) return node_update_rows(in[0], in[1], in[2]);
  if (!strcmp(name, "one_hot")) return gan_one_hot(in[0], c->classes);
  if (!strcmp(name, "argmax")) return gan_argmax(in[0], c->axis);
  if (!strcmp(name, "to_float")) return gan_to_float(in[0]);
  if (!strcmp(name, "to_int")) return node_to_int(in[0]);
  if (!strcmp(name, "stop_gradient")) return gan_stop_gradient(in[0]);
  return NULL;
}

gan_node *op_case_build(const struct op *op, const struct op_case *c, gan_node *const *in) {
  if (!(op->flags & OP_ELEMENTWISE)) return build_shape_op(op->name, c, in);
  return op->n_in == c->n_in ? node_elementwise(op, in) : NULL;
}

/* -------------------------------------------------------------------------------------------------------------- bigger sizes */

static int64_t grown(int64_t size, int32_t rank, uint64_t salt) {
  static const double most[] = {1, 30000, 200, 40, 16};
  if (size == 1) return 1;
  return (int64_t)test_random(salt, (uint64_t)size, 3, most[rank < 4 ? rank : 4]);
}

/* Convolutions: more pixels, more channels in a group; kernel, stride and padding stay. */
static void grow_channels(struct case_input *in, int32_t axis, int32_t groups, uint64_t salt) {
  in->shape[axis] = groups * grown(in->shape[axis] / groups, 3, salt);
}

static void grow_pixels(struct case_input *in, uint64_t salt) {
  for (int32_t d = 1; d < 3; d++) in->shape[d] += in->shape[d] == 1 ? 0 : grown(in->shape[d], 4, salt);
}

static void grow_convolution(struct op_case *c, uint64_t salt) {
  int32_t groups = c->window.groups, weight = c->to_rank > 0;
  for (int32_t i = 0; i < 2; i++) {
    struct case_input *in = &c->in[i];
    int32_t is_kernel = i == 1 && !weight;
    if (!is_kernel) grow_pixels(in, salt);
    grow_channels(in, 3, is_kernel ? 1 : groups, salt);
    if (is_kernel) grow_channels(in, 0, groups, salt);
  }
}

static int32_t highest_rank(const struct op_case *c) {
  int32_t rank = c->rows || c->classes ? 2 : c->to_rank;
  for (int32_t i = 0; i < c->n_in; i++) rank = c->in[i].rank > rank ? c->in[i].rank : rank;
  return rank;
}

/* What a reshape or broadcast goes to. A reshape, known by its product, gets the grown sizes backwards. */
static void grow_target(struct op_case *c, int32_t reshape, int32_t rank, uint64_t salt) {
  if (reshape) c->to_rank = c->in[0].rank;
  for (int32_t d = 0; d < c->to_rank; d++) {
    c->to[d] = reshape ? c->in[0].shape[c->to_rank - 1 - d] : grown(c->to[d], rank, salt);
  }
}

void op_case_grow(const struct op *op, struct op_case *c, uint64_t salt) {
  if (op == &op_conv || op == &op_conv_input || op == &op_conv_weight) {
    grow_convolution(c, salt);
    return;
  }
  int32_t rank = highest_rank(c);
  struct case_input to = {.rank = c->to_rank};
  memcpy(to.shape, c->to, sizeof to.shape);
  int32_t reshape = c->to_rank && case_count(&to) == case_count(&c->in[0]);
  for (int32_t i = 0; i < c->n_in; i++) {
    struct case_input *in = &c->in[i];
    for (int32_t d = 0; d < in->rank; d++) in->shape[d] = grown(in->shape[d], rank, salt);
    if (in->classes) in->classes = grown(in->classes, rank, salt);
  }
  if (c->rows) c->rows = grown(c->rows, rank, salt);
  if (c->classes) c->classes = grown(c->classes, rank, salt);
  if (c->end) {
    c->end = c->in[0].shape[c->axis] - 1;
    c->begin = c->end / 3;
  }
  grow_target(c, reshape, rank, salt);
}

/* ---------------------------------------------------------------------------------------------------------------- values */

double test_random(uint64_t salt, uint64_t i, double low, double high) {
  struct rng_key key = rng_stream(4711, salt, 0);
  return low + (high - low) * (double)rng_uniform(&key, i);
}

int64_t case_count(const struct case_input *in) {
  int64_t count = 1;
  for (int32_t d = 0; d < in->rank; d++) count *= in->shape[d];
  return count;
}

static int32_t too_near(double x, double apart) {
  double kink = apart > 0 ? round(x / apart) * apart : 0;
  return apart >= 0 && fabs(x - kink) < 0.1;
}

/* Places on a grid over all f32 inputs together, shuffled, each moved by less than a fifth of the spacing. */
static void fill_separate(const struct op_case *c, int32_t input, uint64_t salt, float *out) {
  int64_t total = 0, before = 0;
  for (int32_t i = 0; i < c->n_in; i++) {
    if (i == input) before = total;
    total += case_count(&c->in[i]);
  }
  struct rng_key key = rng_stream(4711, salt, 1);
  for (int64_t i = 0; i < case_count(&c->in[input]); i++) {
    double place = (double)rng_permute(&key, before + i, total) + test_random(salt, (uint64_t)(before + i), 0.4, 0.6);
    out[i] = (float)(c->low + (c->high - c->low) * place / (double)total);
  }
}

void op_case_fill(const struct op_case *c, int32_t input, uint64_t salt, float *out) {
  const struct case_input *in = &c->in[input];
  if (c->separate && !in->classes) {
    fill_separate(c, input, salt, out);
    return;
  }
  uint64_t draw = (uint64_t)input << 32;
  for (int64_t i = 0; i < case_count(in); i++) {
    double x;
    if (in->classes) x = floor(test_random(salt, draw++, 0, (double)in->classes));
    else do x = test_random(salt, draw++, c->low, c->high); while (too_near(x, c->apart));
    out[i] = (float)x;
  }
}
