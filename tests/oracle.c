#include "oracle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/rng.h"
#include "ops/resample.h"

struct oracle { gan_graph *graph; int32_t count; double **value; };

/* Computes a node that is no leaf. */
typedef void eval_fn(const gan_node *n, const double *const *in, double *out);

/* --------------------------------------------------------------------------------------------------------------- indices */

/* The place in x, which is broadcast to the shape of y, of element i of y. */
static int64_t broadcast_index(const gan_node *x, const gan_node *y, int64_t i) {
  int64_t at = 0, step = 1;
  for (int32_t d = y->rank, from = x->rank; d-- > 0;) {
    int64_t index = i % y->shape[d];
    i /= y->shape[d];
    if (--from < 0) continue;
    if (x->shape[from] > 1) at += index * step;
    step *= x->shape[from];
  }
  return at;
}

static void split(const gan_node *n, int64_t i, int64_t *index) {
  for (int32_t d = n->rank; d-- > 0; i /= n->shape[d]) index[d] = i % n->shape[d];
}

static int64_t join(const gan_node *n, const int64_t *index) {
  int64_t i = 0;
  for (int32_t d = 0; d < n->rank; d++) i = i * n->shape[d] + index[d];
  return i;
}

static int64_t clamp_index(double index, int64_t n) {
  return index < 0 ? 0 : index >= (double)n ? n - 1 : (int64_t)index;
}

/* ----------------------------------------------------------------------------------------------------------- elementwise */

#define ONE(NAME, EXPRESSION) \
  static void eval_##NAME(const gan_node *n, const double *const *in, double *out) { \
    for (int64_t i = 0; i < n->count; i++) { \
      double a = in[0][i]; \
      out[i] = (EXPRESSION); \
    } \
  }

#define TWO(NAME, EXPRESSION) \
  static void eval_##NAME(const gan_node *n, const double *const *in, double *out) { \
    for (int64_t i = 0; i < n->count; i++) { \
      double a = in[0][broadcast_index(n->in[0], n, i)], b = in[1][broadcast_index(n->in[1], n, i)]; \
      out[i] = (EXPRESSION); \
    } \
  }

ONE(neg, -a)
ONE(abs, fabs(a))
ONE(sign, isnan(a) ? a : (a > 0) - (a < 0))
ONE(floor, floor(a))
ONE(square, a * a)
ONE(sqrt, sqrt(a))
ONE(rsqrt, 1 / sqrt(a))
ONE(reciprocal, 1 / a)
ONE(exp, exp(a))
ONE(log, log(a))
ONE(tanh, tanh(a))
ONE(sigmoid, 1 / (1 + exp(-a)))
ONE(softplus, isnan(a) ? a : fmax(a, 0) + log1p(exp(-fabs(a))))
ONE(erf, erf(a))
ONE(sin, sin(a))
ONE(cos, cos(a))
ONE(copy, a)
ONE(to_int, isnan(a) ? INT32_MIN : rint(a))
TWO(add, a + b)
TWO(sub, a - b)
TWO(mul, a * b)
TWO(div, a / b)
TWO(pow, pow(a, b))
TWO(maximum, isnan(a) || isnan(b) ? NAN : a >= b ? a : b)
TWO(minimum, isnan(a) || isnan(b) ? NAN : a <= b ? a : b)
TWO(greater, a > b)
TWO(greater_equal, a >= b)
TWO(equal, a == b)

static void eval_select(const gan_node *n, const double *const *in, double *out) {
  for (int64_t i = 0; i < n->count; i++) {
    int32_t from = in[0][broadcast_index(n->in[0], n, i)] != 0 ? 1 : 2;
    out[i] = in[from][broadcast_index(n->in[from], n, i)];
  }
}

/* ------------------------------------------------------------------------------------------------------------ reductions */

/* The place in the result, whose reduced axes are dropped, of element i of x. */
static int64_t reduced_index(const gan_node *n, int64_t i) {
  const gan_node *x = n->in[0];
  int64_t index[GAN_MAX_RANK], at = 0;
  split(x, i, index);
  for (int32_t d = 0; d < x->rank; d++) {
    if (!(n->attr.axes >> d & 1)) at = at * x->shape[d] + index[d];
  }
  return at;
}

static void eval_sum(const gan_node *n, const double *const *in, double *out) {
  for (int64_t i = 0; i < n->count; i++) out[i] = 0;
  for (int64_t i = 0; i < n->in[0]->count; i++) out[reduced_index(n, i)] += in[0][i];
}

static void eval_max(const gan_node *n, const double *const *in, double *out) {
  for (int64_t i = 0; i < n->count; i++) out[i] = -INFINITY;
  for (int64_t i = 0; i < n->in[0]->count; i++) {
    double *most = &out[reduced_index(n, i)];
    if (isnan(in[0][i]) || in[0][i] > *most) *most = isnan(*most) ? *most : in[0][i];
  }
}

static void eval_argmax(const gan_node *n, const double *const *in, double *out) {
  const gan_node *x = n->in[0];
  int64_t inner = 1, length = x->shape[n->attr.axis];
  for (int32_t d = n->attr.axis + 1; d < x->rank; d++) inner *= x->shape[d];
  for (int64_t i = 0; i < n->count; i++) {
    const double *column = in[0] + i / inner * length * inner + i % inner;
    int64_t best = 0;
    for (int64_t j = 1; j < length; j++) {
      double most = column[best * inner], here = column[j * inner];
      if (!isnan(most) && (isnan(here) || here > most)) best = j;
    }
    out[i] = (double)best;
  }
}

/* --------------------------------------------------------------------------------------------------------------- product */

static double dot(const gan_node *n, const double *a, const double *b, int64_t row, int64_t column) {
  const gan_node *x = n->in[0], *y = n->in[1];
  int64_t across_x = x->shape[x->rank - 1], across_y = y->shape[y->rank - 1];
  int64_t k = n->attr.transpose_a ? x->shape[x->rank - 2] : across_x;
  double sum = 0;
  for (int64_t j = 0; j < k; j++) {
    double left = n->attr.transpose_a ? a[j * across_x + row] : a[row * across_x + j];
    double right = n->attr.transpose_b ? b[column * across_y + j] : b[j * across_y + column];
    sum += left * right;
  }
  return sum;
}

static void eval_matmul(const gan_node *n, const double *const *in, double *out) {
  gan_node lead = *n, lead_a = *n->in[0], lead_b = *n->in[1];
  lead.rank -= 2;
  lead_a.rank -= 2;
  lead_b.rank -= 2;
  int64_t rows = n->shape[n->rank - 2], columns = n->shape[n->rank - 1];
  int64_t size_a = lead_a.shape[lead_a.rank] * lead_a.shape[lead_a.rank + 1];
  int64_t size_b = lead_b.shape[lead_b.rank] * lead_b.shape[lead_b.rank + 1];
  for (int64_t i = 0; i < n->count; i++) {
    int64_t p = i / (rows * columns), within = i % (rows * columns);
    const double *a = in[0] + broadcast_index(&lead_a, &lead, p) * size_a;
    const double *b = in[1] + broadcast_index(&lead_b, &lead, p) * size_b;
    out[i] = dot(n, a, b, within / columns, within % columns);
  }
}

/* ---------------------------------------------------------------------------------------------------------- convolutions */

/* x, w, y of y(n,oh,ow,o) = sum x(n, oh s - p + i d, .., c) w(o,i,j,c); `visit` gets the three places of each term. */
struct form { const gan_node *x, *w, *y; const struct window *v; };

typedef void term_fn(void *user, int64_t x, int64_t w, int64_t y);

static int64_t at4(const gan_node *n, int64_t a, int64_t b, int64_t c, int64_t d) {
  return ((a * n->shape[1] + b) * n->shape[2] + c) * n->shape[3] + d;
}

/* Terms of one pixel of y and one channel of it. */
static void pixel_terms(const struct form *f, int64_t image, int64_t oh, int64_t ow, int64_t o, term_fn *term, void *user) {
  const struct window *v = f->v;
  int64_t across = f->w->shape[3], first = o / (f->y->shape[3] / v->groups) * across;
  for (int64_t i = 0; i < f->w->shape[1]; i++) {
    for (int64_t j = 0; j < f->w->shape[2]; j++) {
      int64_t row = oh * v->stride[0] - v->padding[0] + i * v->dilation[0];
      int64_t column = ow * v->stride[1] - v->padding[1] + j * v->dilation[1];
      if (row < 0 || row >= f->x->shape[1] || column < 0 || column >= f->x->shape[2]) continue;
      for (int64_t c = 0; c < across; c++) {
        term(user, at4(f->x, image, row, column, first + c), at4(f->w, o, i, j, c), at4(f->y, image, oh, ow, o));
      }
    }
  }
}

static void all_terms(const struct form *f, term_fn *term, void *user) {
  for (int64_t i = 0; i < f->y->count; i++) {
    int64_t at[GAN_MAX_RANK];
    split(f->y, i, at);
    pixel_terms(f, at[0], at[1], at[2], at[3], term, user);
  }
}

struct sums { const double *a, *b; double *out; };

static void term_of_y(void *user, int64_t x, int64_t w, int64_t y) {
  struct sums *s = user;
  s->out[y] += s->a[x] * s->b[w];
}

static void term_of_x(void *user, int64_t x, int64_t w, int64_t y) {
  struct sums *s = user;
  s->out[x] += s->a[y] * s->b[w];
}

static void term_of_w(void *user, int64_t x, int64_t w, int64_t y) {
  struct sums *s = user;
  s->out[w] += s->a[x] * s->b[y];
}

static void eval_form(const gan_node *n, const gan_node *x, const gan_node *w, const gan_node *y, term_fn *term,
                      const double *const *in, double *out) {
  struct sums s = {in[0], in[1], out};
  memset(out, 0, (size_t)n->count * sizeof *out);
  all_terms(&(struct form){x, w, y, &n->attr.window}, term, &s);
}

static void eval_conv(const gan_node *n, const double *const *in, double *out) {
  eval_form(n, n->in[0], n->in[1], n, term_of_y, in, out);
}

static void eval_conv_input(const gan_node *n, const double *const *in, double *out) {
  eval_form(n, n, n->in[1], n->in[0], term_of_x, in, out);
}

static void eval_conv_weight(const gan_node *n, const double *const *in, double *out) {
  eval_form(n, n->in[0], n, n->in[1], term_of_w, in, out);
}

static void eval_resample(const gan_node *n, const double *const *in, double *out) {
  const struct resample_table *t = n->attr.data;
  for (int64_t i = 0; i < n->count; i++) {
    int64_t index[GAN_MAX_RANK], row;
    split(n, i, index);
    row = index[n->attr.axis];
    out[i] = 0;
    for (int64_t term = t->first[row]; term < t->first[row + 1]; term++) {
      index[n->attr.axis] = t->row[term];
      out[i] += t->weight[term] * in[0][join(n->in[0], index)];
    }
  }
}

/* ----------------------------------------------------------------------------------------------------------------- shape */

static void eval_broadcast(const gan_node *n, const double *const *in, double *out) {
  for (int64_t i = 0; i < n->count; i++) out[i] = in[0][broadcast_index(n->in[0], n, i)];
}

static void eval_transpose(const gan_node *n, const double *const *in, double *out) {
  for (int64_t i = 0; i < n->count; i++) {
    int64_t to[GAN_MAX_RANK], from[GAN_MAX_RANK];
    split(n, i, to);
    for (int32_t d = 0; d < n->rank; d++) from[n->attr.order[d]] = to[d];
    out[i] = in[0][join(n->in[0], from)];
  }
}

static void eval_slice(const gan_node *n, const double *const *in, double *out) {
  for (int64_t i = 0; i < n->count; i++) {
    int64_t index[GAN_MAX_RANK];
    split(n, i, index);
    index[n->attr.axis] += n->attr.begin;
    out[i] = in[0][join(n->in[0], index)];
  }
}

static void eval_pad(const gan_node *n, const double *const *in, double *out) {
  for (int64_t i = 0; i < n->count; i++) {
    int64_t index[GAN_MAX_RANK], *along = &index[n->attr.axis];
    split(n, i, index);
    *along -= n->attr.begin;
    out[i] = *along >= 0 && *along < n->in[0]->shape[n->attr.axis] ? in[0][join(n->in[0], index)] : 0;
  }
}

static void eval_concat(const gan_node *n, const double *const *in, double *out) {
  for (int64_t i = 0; i < n->count; i++) {
    int64_t index[GAN_MAX_RANK], *along = &index[n->attr.axis];
    int32_t part = 0;
    split(n, i, index);
    while (*along >= n->in[part]->shape[n->attr.axis]) *along -= n->in[part++]->shape[n->attr.axis];
    out[i] = in[part][join(n->in[part], index)];
  }
}

/* --------------------------------------------------------------------------------------------------------------- indices */

static void eval_gather(const gan_node *n, const double *const *in, double *out) {
  int64_t width = n->count / n->in[1]->count;
  for (int64_t i = 0; i < n->count; i++) out[i] = in[0][clamp_index(in[1][i / width], n->in[0]->shape[0]) * width + i % width];
}

static void eval_scatter(const gan_node *n, const double *const *in, double *out) {
  int64_t width = n->in[0]->count / n->in[1]->count;
  for (int64_t i = 0; i < n->count; i++) out[i] = 0;
  for (int64_t i = 0; i < n->in[0]->count; i++) out[clamp_index(in[1][i / width], n->shape[0]) * width + i % width] += in[0][i];
}

static void eval_update_rows(const gan_node *n, const double *const *in, double *out) {
  int64_t width = n->count / n->shape[0];
  for (int64_t i = 0; i < n->count; i++) out[i] = in[0][i];
  for (int64_t i = 0; i < n->in[2]->count; i++) out[clamp_index(in[1][i / width], n->shape[0]) * width + i % width] = in[2][i];
}

static void eval_one_hot(const gan_node *n, const double *const *in, double *out) {
  int64_t width = n->attr.end;
  for (int64_t i = 0; i < n->count; i++) out[i] = clamp_index(in[0][i / width], width) == i % width;
}

/* ---------------------------------------------------------------------------------------------------------------- leaves */

/* In float arithmetic, as the kernels have it: the numbers are the same, not only near. */
static double random_element(const struct attributes *a, const struct rng_key *key, uint64_t i) {
  float x = (float)a->x, y = (float)a->y;
  if (a->kind == RANDOM_INTEGERS) return a->x + rng_below(key, i, (uint32_t)(a->y - a->x));
  if (a->kind == RANDOM_UNIFORM) {
    volatile float scaled = rng_uniform(key, i) * (y - x);   /* volatile: rounded before the sum */
    float sum = scaled + x;
    return sum < y ? sum : nextafterf(y, x);
  }
  volatile float scaled = (a->kind == RANDOM_NORMAL ? rng_normal(key, i) : rng_truncated_normal(key, i)) * y;
  return scaled + x;
}

static void eval_random(const struct oracle_source *s, const gan_node *n, double *out) {
  struct rng_key key = rng_stream(s->seed, n->attr.stream, s->step);
  for (int64_t i = 0; i < n->count; i++) out[i] = random_element(&n->attr, &key, (uint64_t)i);
}

static void eval_tensor(const gan_node *n, double *out) {
  for (int64_t i = 0; i < n->count; i++) {
    out[i] = n->type == GAN_I32 ? ((const int32_t *)n->attr.data)[i] : ((const float *)n->attr.data)[i];
  }
}

static void eval_variable(const gan_node *n, double *out) {
  for (int64_t i = 0; i < n->count; i++) out[i] = n->attr.variable->data[i];
}

/* A value that is constant for gradients may be given. */
static int32_t eval_stopped(const struct oracle_source *s, const gan_node *n, const double *const *in, double *out) {
  const double *given = s->leaf ? s->leaf(s->user, n) : NULL;
  memcpy(out, given ? given : in[0], (size_t)n->count * sizeof *out);
  return 1;
}

/* 0 if nobody knows the value. */
static int32_t eval_fed(const struct oracle_source *s, const gan_node *n, double *out) {
  const double *given = s->leaf ? s->leaf(s->user, n) : NULL;
  const struct binding *b = n->attr.data;
  if (given) memcpy(out, given, (size_t)n->count * sizeof *out);
  else if (!strcmp(n->op->name, "variable")) eval_variable(n, out);
  else if (b->kind == BINDING_SCALAR) out[0] = b->value;
  else return 0;
  return 1;
}

static int32_t eval_leaf(const struct oracle_source *s, const gan_node *n, double *out) {
  const char *op = n->op->name;
  if (!strcmp(op, "constant")) out[0] = n->attr.x;
  else if (!strcmp(op, "tensor")) eval_tensor(n, out);
  else if (!strcmp(op, "random")) eval_random(s, n, out);
  else return eval_fed(s, n, out);
  return 1;
}

/* ----------------------------------------------------------------------------------------------------------------- table */

#define ROW(NAME) {#NAME, eval_##NAME}

static const struct { const char *name; eval_fn *eval; } table[] = {
  ROW(neg), ROW(abs), ROW(sign), ROW(floor), ROW(square), ROW(sqrt), ROW(rsqrt), ROW(reciprocal), ROW(exp), ROW(log), ROW(tanh),
  ROW(sigmoid), ROW(softplus), ROW(erf), ROW(sin), ROW(cos), ROW(add), ROW(sub), ROW(mul), ROW(div), ROW(maximum), ROW(minimum),
  ROW(pow), ROW(greater), ROW(greater_equal), ROW(equal), ROW(select), ROW(sum), ROW(max), ROW(matmul), ROW(conv),
  ROW(conv_input), ROW(conv_weight), ROW(resample), ROW(transpose),
  ROW(broadcast), ROW(slice), ROW(pad), ROW(concat), ROW(gather), ROW(scatter), ROW(update_rows), ROW(one_hot), ROW(argmax),
  {"reshape", eval_copy}, {"stop_gradient", NULL}, {"to_float", eval_copy}, ROW(to_int),
  {"input", NULL}, {"constant", NULL}, {"tensor", NULL}, {"variable", NULL}, {"random", NULL},
};

enum { TABLE = sizeof table / sizeof *table };

static int32_t find(const char *op) {
  for (int32_t i = 0; i < TABLE; i++) {
    if (strcmp(table[i].name, op) == 0) return i;
  }
  return -1;
}

int32_t oracle_knows(const char *op) {
  return find(op) >= 0;
}

/* ------------------------------------------------------------------------------------------------------------------- run */

static uint8_t *needed_nodes(const gan_graph *g, int32_t n_roots, gan_node *const *roots) {
  uint8_t *needed = calloc((size_t)g->n_nodes + 1, 1);
  for (int32_t i = 0; needed && i < n_roots; i++) needed[roots[i]->id] = 1;
  for (int64_t id = g->n_nodes; needed && id-- > 0;) {
    for (int32_t i = 0; needed[id] && i < g->nodes[id]->n_in; i++) needed[g->nodes[id]->in[i]->id] = 1;
  }
  return needed;
}

static int32_t eval_node(struct oracle *o, const struct oracle_source *source, const gan_node *n) {
  const double *in[64];
  int32_t row = find(n->op->name);
  double *out = o->value[n->id] = malloc((size_t)n->count * sizeof *out);
  if (row < 0 || !out || n->n_in > 64) return 0;
  for (int32_t i = 0; i < n->n_in; i++) in[i] = o->value[n->in[i]->id];
  if (!table[row].eval) return n->n_in ? eval_stopped(source, n, in, out) : eval_leaf(source, n, out);
  table[row].eval(n, in, out);
  return 1;
}

struct oracle *oracle_run(const struct oracle_source *source, int32_t n_roots, gan_node *const *roots, const char **why) {
  struct oracle *o = calloc(1, sizeof *o);
  *why = NULL;
  for (int32_t i = 0; i < n_roots; i++) {
    if (node_failed(roots[i])) *why = "an error node";
  }
  if (!o || *why) {
    free(o);
    return NULL;
  }
  o->graph = roots[0]->graph;
  o->count = (int32_t)o->graph->n_nodes;
  o->value = calloc((size_t)o->count, sizeof *o->value);
  uint8_t *needed = needed_nodes(o->graph, n_roots, roots);
  for (int32_t id = 0; !*why && id < o->count; id++) {
    const gan_node *n = o->graph->nodes[id];
    if (needed[id] && !eval_node(o, source, n)) *why = n->name ? n->name : n->op->name;
  }
  free(needed);
  if (!*why) return o;
  oracle_free(o);
  return NULL;
}

const double *oracle_value(const struct oracle *o, const gan_node *n) {
  return n->id >= 0 && n->id < o->count ? o->value[n->id] : NULL;
}

void oracle_free(struct oracle *o) {
  if (!o) return;
  for (int32_t i = 0; i < o->count; i++) free(o->value[i]);
  free(o->value);
  free(o);
}
