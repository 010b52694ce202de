/* The interpreter of elementwise programs.
 *
 * The loop space is walked in blocks of at most CHAIN_BLOCK elements, each a box: a run of one dimension (the split) times all
 * of the dimensions inside it. Every register is a buffer of one block, so a program of many instructions touches memory
 * once for each input and output. An input that lies densely in memory is read where it is; any other is laid out into its
 * register, and only again when a block starts elsewhere in it: a bias over rows is expanded once a chunk.
 */
#include "kernels/kernels.h"

#include <string.h>

enum { CHUNK_ELEMENTS = 8192 };

/* ------------------------------------------------------------------ shape */

static int32_t mergeable(const struct chain *c, int32_t d) {
  for (int32_t i = 0; i < c->n_in; i++)
    if (c->stride[i][d] != c->stride[i][d + 1] * c->shape[d + 1]) return 0;
  return 1;
}

/* Dimension d takes the place of d - 1 in shape and strides. */
static void remove_dimension(struct chain *c, int32_t at) {
  for (int32_t d = at; d + 1 < c->rank; d++) {
    c->shape[d] = c->shape[d + 1];
    for (int32_t i = 0; i < c->n_in; i++) c->stride[i][d] = c->stride[i][d + 1];
  }
  c->rank--;
}

void chain_simplify(struct chain *c) {
  for (int32_t d = c->rank - 1; d >= 0; d--)
    if (c->shape[d] == 1) remove_dimension(c, d);
  for (int32_t d = c->rank - 2; d >= 0; d--) {
    if (!mergeable(c, d)) continue;
    c->shape[d + 1] *= c->shape[d];
    remove_dimension(c, d);
  }
}

/* How a loop space is cut: blocks = outer * pieces, piece p covers [p * run, (p + 1) * run) of dimension `split`. */
struct cut { int64_t outer, pieces, run, inner; int32_t split; };

static int64_t product(const struct chain *c, int32_t from, int32_t to) {
  int64_t n = 1;
  for (int32_t d = from; d < to; d++) n *= c->shape[d];
  return n;
}

/* The outermost split whose inside still fits a block; its run is cut evenly. A loop space without dimensions has one element
 * and no split (split = -1). */
static struct cut cut_blocks(const struct chain *c) {
  struct cut k = {1, 1, 1, 1, c->rank - 1};
  while (k.split > 0 && k.inner * c->shape[k.split] <= CHAIN_BLOCK) k.inner *= c->shape[k.split--];
  if (k.split < 0) return k;
  int64_t most = k.inner > 0 ? CHAIN_BLOCK / k.inner : CHAIN_BLOCK, length = c->shape[k.split];
  k.outer = product(c, 0, k.split);
  k.pieces = (length + most - 1) / most;
  k.run = k.pieces ? (length + k.pieces - 1) / k.pieces : 0;
  return k;
}

static int64_t blocks_per_chunk(const struct cut *k) {
  int64_t block = k->run * k->inner;
  return block ? (CHUNK_ELEMENTS + block - 1) / block : 1;
}

int64_t chain_chunks(const struct chain *c) {
  struct cut k = cut_blocks(c);
  int64_t per = blocks_per_chunk(&k), chunks = (k.outer * k.pieces + per - 1) / per;
  return chunks ? chunks : 1;
}

static int32_t registers(const struct chain *c) {
  int32_t n = c->n_in + c->n_const;
  for (int32_t i = 0; i < c->n_instr; i++)
    if (c->instr[i].dst >= n) n = c->instr[i].dst + 1;
  return n;
}

size_t chain_scratch(const struct chain *c) {
  return (size_t)registers(c) * CHAIN_BLOCK * sizeof(float);
}

/* ------------------------------------------------------------------ laying out an input */

/* Copies of what lies at dst[0..n) behind it, by doubling. */
static void repeat(float *dst, int64_t n, int64_t times) {
  int64_t total = n * times;
  for (int64_t have = n; have < total; have *= 2) {
    int64_t more = have < total - have ? have : total - have;
    memcpy(dst + have, dst, (size_t)more * sizeof *dst);
  }
}

static void lay_out_row(float *dst, const float *src, int64_t n, int64_t stride) {
  if (stride == 1) {
    memcpy(dst, src, (size_t)n * sizeof *dst);
  } else if (stride == 0) {
    float value = *src;
    for (int64_t i = 0; i < n; i++) dst[i] = value;
  } else {
    for (int64_t i = 0; i < n; i++) dst[i] = src[i * stride];
  }
}

/* Writes the box of `run` steps in the first of `dims` dimensions and all of the others; returns the number of elements. */
static int64_t lay_out(float *dst, const float *src, int64_t run, const int64_t *shape, const int64_t *stride, int32_t dims) {
  if (dims <= 1) {
    lay_out_row(dst, src, run, dims ? stride[0] : 0);
    return run;
  }
  if (stride[0] == 0) {
    int64_t n = lay_out(dst, src, shape[1], shape + 1, stride + 1, dims - 1);
    repeat(dst, n, run);
    return n * run;
  }
  int64_t n = 0;
  for (int64_t i = 0; i < run; i++) n += lay_out(dst + n, src + i * stride[0], shape[1], shape + 1, stride + 1, dims - 1);
  return n;
}

/* 1 if the dimensions from the split inwards lie in memory as they are walked. */
static int32_t dense_within(const struct chain *c, int32_t input, int32_t split) {
  int64_t expected = 1;
  for (int32_t d = c->rank - 1; d >= split && d >= 0; d--) {
    if (c->stride[input][d] != expected && c->shape[d] != 1) return 0;
    expected *= c->shape[d];
  }
  return split >= 0;
}

/* ------------------------------------------------------------------ running */

struct input { const float *base, *laid_out; int64_t laid_out_run; int32_t dense; };

struct run {
  const struct chain *chain;
  struct cut cut;
  float *buffer[CHAIN_REGS + CHAIN_INPUTS + CHAIN_CONSTS];  /* a register's own block */
  float *home[CHAIN_OUTPUTS];                               /* start of output j */
  int8_t direct[CHAIN_OUTPUTS];                             /* output j is computed in place, not copied there */
  struct input in[CHAIN_INPUTS];
};

static int32_t first_write(const struct chain *c, uint8_t reg) {
  int32_t i = 0;
  while (i < c->n_instr && c->instr[i].dst != reg) i++;
  return i;
}

static int32_t reads(const struct chain_instr *i, int32_t inputs, uint8_t reg) {
  return i->a == reg || (inputs > 1 && i->b == reg) || (inputs > 2 && i->c == reg);
}

#define VEC_INPUTS(name, inputs) [VEC_##name] = inputs,
static const uint8_t inputs_of[VEC_COUNT] = {VEC_LIST(VEC_INPUTS)};

/* The last instruction that reads a register; outputs are copied from it after the last. */
static int32_t last_read(const struct chain *c, uint8_t reg) {
  for (int32_t j = 0; j < c->n_out; j++)
    if (c->out[j] == reg) return c->n_instr;
  int32_t i = c->n_instr - 1;
  while (i >= 0 && !reads(&c->instr[i], inputs_of[c->instr[i].op], reg)) i--;
  return i;
}

/* A result may be computed straight into its output unless that memory is also an input still to be read, or the register
 * serves two outputs, or is no result at all. */
static int8_t may_be_direct(const struct run *r, int32_t j) {
  const struct chain *c = r->chain;
  uint8_t reg = c->out[j];
  if (reg < c->n_in + c->n_const || c->columns[j]) return 0;
  for (int32_t i = 0; i < j; i++)
    if (c->out[i] == reg && !c->columns[i]) return 0;
  int32_t written = first_write(c, reg);
  for (int32_t i = 0; i < c->n_in; i++)
    if (r->in[i].dense && r->in[i].base == r->home[j] && last_read(c, (uint8_t)i) > written) return 0;
  return 1;
}

/* An input that is handed out as it came, while its memory is some output's, must be taken aside first. */
static int32_t handed_out_and_overwritten(const struct run *r, int32_t i) {
  const struct chain *c = r->chain;
  int32_t handed_out = 0, overwritten = 0;
  for (int32_t j = 0; j < c->n_out; j++) {
    handed_out |= c->out[j] == i;
    overwritten |= r->home[j] == r->in[i].base;
  }
  return handed_out && overwritten;
}

/* Where output j of a chunk goes. */
static float *home_of(const struct chain *c, int32_t j, float *out, int64_t chunk) {
  if (!c->columns[j]) return out;
  float *row = out + chunk * c->columns[j];
  memset(row, 0, (size_t)c->columns[j] * sizeof *row);
  return row;
}

static void prepare(struct run *r, const float *const *in, float *const *out, int64_t chunk, float *scratch) {
  const struct chain *c = r->chain;
  int64_t block = r->cut.run * r->cut.inner;
  for (int32_t i = 0, n = registers(c); i < n; i++) r->buffer[i] = scratch + (int64_t)i * CHAIN_BLOCK;
  for (int32_t i = 0; i < c->n_in; i++) r->in[i] = (struct input){in[i], NULL, 0, dense_within(c, i, r->cut.split)};
  for (int32_t i = 0; i < c->n_const; i++) lay_out_row(r->buffer[c->n_in + i], &c->constant[i], block, 0);
  for (int32_t j = 0; j < c->n_out; j++) r->home[j] = home_of(c, j, out[j], chunk);
  for (int32_t i = 0; i < c->n_in; i++) r->in[i].dense &= !handed_out_and_overwritten(r, i);
  for (int32_t j = 0; j < c->n_out; j++) r->direct[j] = may_be_direct(r, j);
}

/* Where input i starts for the block at piece `piece` of outer index `outer`. */
static const float *block_start(const struct run *r, int32_t i, int64_t outer, int64_t piece) {
  const struct chain *c = r->chain;
  const int64_t *stride = c->stride[i];
  const float *p = r->in[i].base;
  for (int32_t d = r->cut.split - 1; d >= 0; d--) {
    p += outer % c->shape[d] * stride[d];
    outer /= c->shape[d];
  }
  return r->cut.split < 0 ? p : p + piece * r->cut.run * stride[r->cut.split];
}

static const float *read_input(struct run *r, int32_t i, int64_t block, int64_t run) {
  struct input *in = &r->in[i];
  const float *start = block_start(r, i, block / r->cut.pieces, block % r->cut.pieces);
  if (in->dense) return start;
  if (in->laid_out != start || in->laid_out_run < run) {
    int32_t split = r->cut.split < 0 ? 0 : r->cut.split;
    lay_out(r->buffer[i], start, run, r->chain->shape + split, r->chain->stride[i] + split, r->chain->rank - split);
    in->laid_out = start;
    in->laid_out_run = run;
  }
  return r->buffer[i];
}

/* Adds n elements, of which the first is number `at` of the loop space, to the sums of their columns. */
static void add_columns(const struct kernels *k, float *sum, int64_t columns, int64_t at, const float *x, int64_t n) {
  if (columns == 1) {
    *sum += k->sum(x, n);
    return;
  }
  for (int64_t column = at % columns, some; n > 0; column = (column + some) % columns, x += some, n -= some) {
    some = columns - column < n ? columns - column : n;
    if (column == 0 && some == columns) {
      some = n / columns * columns;
      k->add_rows(sum, x, n / columns, columns, columns);
    } else {
      k->vec[VEC_ADD](sum + column, sum + column, x, NULL, some);
    }
  }
}

static void run_block(const struct kernels *k, struct run *r, int64_t block) {
  const struct chain *c = r->chain;
  int64_t length = r->cut.split < 0 ? 1 : c->shape[r->cut.split], piece = block % r->cut.pieces;
  int64_t left = length - piece * r->cut.run, run = left < r->cut.run ? left : r->cut.run, n = run * r->cut.inner;
  if (n <= 0) return; /* an even cut may leave its last piece empty */
  int64_t at = (block / r->cut.pieces * length + piece * r->cut.run) * r->cut.inner;

  float *reg[CHAIN_REGS + CHAIN_INPUTS + CHAIN_CONSTS];
  memcpy(reg, r->buffer, sizeof reg);
  for (int32_t i = 0; i < c->n_in; i++) reg[i] = (float *)read_input(r, i, block, run); /* never written: results go elsewhere */
  for (int32_t j = 0; j < c->n_out; j++)
    if (r->direct[j]) reg[c->out[j]] = r->home[j] + at;
  for (int32_t i = 0; i < c->n_instr; i++) {
    const struct chain_instr *s = &c->instr[i];
    k->vec[s->op](reg[s->dst], reg[s->a], reg[s->b], reg[s->c], n);
  }
  for (int32_t j = 0; j < c->n_out; j++)
    if (c->columns[j]) add_columns(k, r->home[j], c->columns[j], at, reg[c->out[j]], n);
  for (int32_t j = 0; j < c->n_out; j++)
    if (!c->columns[j] && !r->direct[j]) memmove(r->home[j] + at, reg[c->out[j]], (size_t)n * sizeof(float));
}

void chain_run(const struct kernels *k, const struct chain *c, const float *const *in, float *const *out, int64_t chunk,
               void *scratch) {
  struct run r = {.chain = c, .cut = cut_blocks(c)};
  int64_t blocks = r.cut.outer * r.cut.pieces, per = blocks_per_chunk(&r.cut), first = chunk * per;
  int64_t end = first + per < blocks ? first + per : blocks;
  if (first >= end || r.cut.run * r.cut.inner == 0) return;
  prepare(&r, in, out, chunk, scratch);
  for (int64_t block = first; block < end; block++) run_block(k, &r, block);
}
