/* Convolutions: each product is cut into blocks of rows (pixels of the result, or of y for W), whose patches are gathered into
 * scratch and multiplied by the matrix kernels.
 */
#include "kernels/kernels.h"

#include <string.h>

enum {
  PATCH_BYTES = 400 << 10, /* of the patches of one block: most of a second-level cache */
  CHUNK_FLOPS = 2000000,   /* a smaller piece is not worth a thread's while */
  CHUNKS = 32,             /* of a large product, about */
  ALIGNMENT = 16           /* floats: scratch areas start on cache lines */
};

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b) {
  return a > b ? a : b;
}

static int64_t pieces(int64_t n, int64_t size) {
  return (n + size - 1) / size;
}

static int64_t round_up(int64_t n, int64_t to) {
  return pieces(n, to) * to;
}

/* ------------------------------------------------------------------ shapes */

/* What one group sees. */
static int64_t channels_x(const struct conv_shape *s) {
  return s->c / s->groups;
}

static int64_t channels_y(const struct conv_shape *s) {
  return s->o / s->groups;
}

static int64_t pixels_x(const struct conv_shape *s) {
  return s->n * s->h * s->w;
}

static int64_t pixels_y(const struct conv_shape *s) {
  return s->n * s->oh * s->ow;
}

static int64_t taps(const struct conv_shape *s) {
  return s->kh * s->kw;
}

static int64_t group_weights(const struct conv_shape *s) {
  return channels_y(s) * taps(s) * channels_x(s);
}

int64_t conv_flops(const struct conv_shape *s) {
  return 2 * pixels_y(s) * s->o * taps(s) * channels_x(s);
}

/* ------------------------------------------------------------------ patches */

struct pixel { int64_t image, row, column; };

static struct pixel pixel_at(int64_t index, int64_t rows, int64_t columns) {
  return (struct pixel){index / (rows * columns), index / columns % rows, index % columns};
}

/* The pixel of x that tap (i, j) of a pixel of y meets, at the first channel of the group; NULL outside. */
static const float *under_tap(const struct conv_shape *s, const float *x, struct pixel y, int64_t i, int64_t j) {
  int64_t row = y.row * s->sh - s->ph + i * s->dh, column = y.column * s->sw - s->pw + j * s->dw;
  if (row < 0 || row >= s->h || column < 0 || column >= s->w) return NULL;
  return x + ((y.image * s->h + row) * s->w + column) * s->c;
}

/* The coordinate of y whose tap meets coordinate `at` of x; -1 if there is none. */
static int64_t source(int64_t at, int64_t padding, int64_t offset, int64_t stride, int64_t size) {
  int64_t from = at + padding - offset;
  return from < 0 || from % stride || from / stride >= size ? -1 : from / stride;
}

/* The pixel of y that meets a pixel of x with tap (i, j). */
static const float *over_tap(const struct conv_shape *s, const float *y, struct pixel x, int64_t i, int64_t j) {
  int64_t row = source(x.row, s->ph, i * s->dh, s->sh, s->oh), column = source(x.column, s->pw, j * s->dw, s->sw, s->ow);
  return row < 0 || column < 0 ? NULL : y + ((x.image * s->oh + row) * s->ow + column) * s->o;
}

static void copy_or_clear(float *to, const float *from, int64_t n) {
  if (from) memcpy(to, from, (size_t)n * sizeof *to);
  else memset(to, 0, (size_t)n * sizeof *to);
}

/* Rows of F: (taps, channels) of x, as the weights lie. */
static void patch_of_x(const struct conv_shape *s, const float *x, int64_t row, float *to) {
  struct pixel at = pixel_at(row, s->oh, s->ow);
  int64_t n = channels_x(s);
  for (int64_t t = 0; t < taps(s); t++, to += n) copy_or_clear(to, under_tap(s, x, at, t / s->kw, t % s->kw), n);
}

/* Rows of X: (channels of y, taps), so that the weights are a matrix as they lie. */
static void patch_of_y(const struct conv_shape *s, const float *y, int64_t row, float *to) {
  struct pixel at = pixel_at(row, s->h, s->w);
  for (int64_t t = 0; t < taps(s); t++) {
    const float *from = over_tap(s, y, at, t / s->kw, t % s->kw);
    for (int64_t o = 0; o < channels_y(s); o++) to[o * taps(s) + t] = from ? from[o] : 0.0f;
  }
}

/* ------------------------------------------------------------------ cut */

struct cut { int64_t rows, depth, blocks, groups; }; /* rows of a block, of `depth` numbers; chunks are blocks x groups */

static struct cut cut_of(const struct conv_shape *s) {
  int64_t all = s->product == CONV_X ? pixels_x(s) : pixels_y(s);
  int64_t depth = s->product == CONV_F ? taps(s) * channels_x(s) : s->product == CONV_X ? taps(s) * channels_y(s) : channels_x(s);
  int64_t fitting = most(1, PATCH_BYTES / (int64_t)sizeof(float) / most(1, depth));
  int64_t wanted = s->product == CONV_W ? 1 : most(1, least(CHUNKS, conv_flops(s) / s->groups / CHUNK_FLOPS));
  int64_t rows = most(1, least(fitting, pieces(all, wanted)));
  return (struct cut){rows, depth, most(1, pieces(all, rows)), s->groups};
}

int32_t conv_passes(const struct kernels *k, const struct conv_shape *s) {
  (void)k, (void)s;
  return 1;
}

/* W: one for every tap of every group, which goes through all blocks. */
int64_t conv_chunks(const struct kernels *k, const struct conv_shape *s, int32_t pass) {
  (void)k, (void)pass;
  struct cut u = cut_of(s);
  return s->product == CONV_W ? u.groups * taps(s) : u.groups * u.blocks;
}

/* ------------------------------------------------------------------ products of blocks */

static struct gemm_shape block_shape(const struct conv_shape *s, const struct cut *u, int64_t rows) {
  int64_t cx = channels_x(s), cy = channels_y(s);
  switch (s->product) {
    case CONV_F:
      return (struct gemm_shape){.m = rows, .n = cy, .k = u->depth, .lda = u->depth, .ldb = u->depth, .ldc = s->o, .tb = 1,
                                 .act = s->act, .has_bias = s->has_bias, .packed = s->packed, .slope = s->slope};
    case CONV_X:
      return (struct gemm_shape){.m = rows, .n = cx, .k = u->depth, .lda = u->depth, .ldb = cx, .ldc = s->c,
                                 .act = s->act, .has_bias = s->has_bias, .packed = s->packed, .slope = s->slope};
    default:
      return (struct gemm_shape){.m = cy, .n = cx, .k = rows, .lda = s->o, .ldb = cx, .ldc = cx, .ta = 1};
  }
}

/* The matrix that rows of patches are multiplied by: packed, group after group. */
static size_t group_packed_bytes(const struct kernels *k, const struct conv_shape *s) {
  struct cut u = cut_of(s);
  return gemm_packed_bytes(k, s->product == CONV_F ? channels_y(s) : channels_x(s), u.depth);
}

size_t conv_packed_bytes(const struct kernels *k, const struct conv_shape *s) {
  return (size_t)s->groups * group_packed_bytes(k, s);
}

void conv_pack(const struct kernels *k, const struct conv_shape *s, const float *w, float *packed) {
  struct cut u = cut_of(s);
  struct gemm_shape g = block_shape(s, &u, u.rows);
  int64_t step = (int64_t)(group_packed_bytes(k, s) / sizeof *packed);
  for (int64_t i = 0; i < s->groups; i++)
    gemm_pack(k, w + i * group_weights(s), g.ldb, g.tb, g.n, g.k, packed + i * step);
}

static void multiply(const struct kernels *k, const struct gemm_shape *g, const float *a, const float *b, const float *bias,
                     float *c, void *scratch) {
  int64_t chunks = gemm_chunks(k, g);
  for (int64_t i = 0; i < chunks; i++) gemm_run(k, g, a, b, bias, c, i, scratch);
}

static void run_rows(const struct kernels *k, const struct conv_shape *s, const float *a, const float *w, const float *bias,
                     float *out, int64_t chunk, float *scratch) {
  struct cut u = cut_of(s);
  int64_t group = chunk / u.blocks, first = chunk % u.blocks * u.rows, all = s->product == CONV_F ? pixels_y(s) : pixels_x(s);
  int64_t rows = least(u.rows, all - first);
  int64_t width = s->product == CONV_F ? s->o : s->c, from = group * (s->product == CONV_F ? channels_x(s) : channels_y(s));
  int64_t column = group * width / s->groups;
  for (int64_t i = 0; i < rows; i++)
    (s->product == CONV_F ? patch_of_x : patch_of_y)(s, a + from, first + i, scratch + i * u.depth);
  struct gemm_shape g = block_shape(s, &u, rows);
  int64_t weights = s->packed ? (int64_t)(group_packed_bytes(k, s) / sizeof *w) : group_weights(s);
  multiply(k, &g, scratch, w + group * weights, s->has_bias ? bias + column : NULL, out + first * width + column,
           scratch + round_up(u.rows * u.depth, ALIGNMENT));
}

static void run_weights(const struct kernels *k, const struct conv_shape *s, const float *x, const float *y, float *out,
                        int64_t chunk, float *scratch) {
  struct cut u = cut_of(s);
  int64_t group = chunk / taps(s), tap = chunk % taps(s), cx = channels_x(s), cy = channels_y(s);
  float *part = scratch + round_up(u.rows * cx, ALIGNMENT), *rest = part + round_up(cy * cx, ALIGNMENT);
  float *to = out + group * group_weights(s) + tap * cx;
  for (int64_t i = 0; i < cy; i++) memset(to + i * taps(s) * cx, 0, (size_t)cx * sizeof *to);
  for (int64_t first = 0; first < pixels_y(s); first += u.rows) {
    int64_t rows = least(u.rows, pixels_y(s) - first);
    for (int64_t i = 0; i < rows; i++)
      copy_or_clear(scratch + i * cx, under_tap(s, x + group * cx, pixel_at(first + i, s->oh, s->ow), tap / s->kw, tap % s->kw), cx);
    struct gemm_shape g = block_shape(s, &u, rows);
    multiply(k, &g, y + first * s->o + group * cy, scratch, NULL, part, rest);
    for (int64_t i = 0; i < cy; i++) k->vec[VEC_ADD](to + i * taps(s) * cx, to + i * taps(s) * cx, part + i * cx, NULL, cx);
  }
}

/* ------------------------------------------------------------------ entry */

size_t conv_scratch(const struct kernels *k, const struct conv_shape *s) {
  struct cut u = cut_of(s);
  struct gemm_shape whole = block_shape(s, &u, u.rows);
  size_t product = gemm_scratch(k, &whole);
  for (int64_t rows = 1; rows < u.rows; rows++) { /* a short last block may be cut otherwise */
    struct gemm_shape g = block_shape(s, &u, rows);
    size_t need = gemm_scratch(k, &g);
    if (need > product) product = need;
  }
  int64_t part = s->product == CONV_W ? round_up(channels_y(s) * channels_x(s), ALIGNMENT) : 0;
  return (size_t)(round_up(u.rows * u.depth, ALIGNMENT) + part) * sizeof(float) + product;
}

size_t conv_shared(const struct kernels *k, const struct conv_shape *s) {
  (void)k, (void)s;
  return 0;
}

void conv_run(const struct kernels *k, const struct conv_shape *s, const float *a, const float *b, const float *bias, float *out,
              void *shared, int32_t pass, int64_t chunk, void *scratch) {
  (void)shared, (void)pass;
  if (s->c == 0 || s->o == 0) return;
  if (s->product == CONV_W) run_weights(k, s, a, b, out, chunk, scratch);
  else if ((s->product == CONV_F ? pixels_y(s) : pixels_x(s)) > 0) run_rows(k, s, a, b, bias, out, chunk, scratch);
}
