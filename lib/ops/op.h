/* Ops: one descriptor each. A gradient rule only emits nodes of the same set, so derivatives of any order need no more code. */
#ifndef GAN_OPS_OP_H
#define GAN_OPS_OP_H

#include "graph/graph.h"
#include "kernels/kernels.h"

enum op_flags {
  OP_LEAF = 1,            /* no inputs: input, constant, tensor, variable, random */
  OP_ELEMENTWISE = 2,     /* out[i] from in[..][i] with broadcasting; vec is set; chains fuse it */
  OP_FLAT = 4,            /* piecewise constant: its gradient is zero everywhere it exists */
  OP_VIEW = 8,            /* same elements in the same order: reshape, stop_gradient */
  OP_ACCESS = 16,         /* an elementwise reader can fold it into strides: broadcast, transpose */
  OP_OVER = 32,           /* its call may find the result in the place of its first input: update_rows */
};

struct resample_table; /* ops/resample.h */

/* What varies from run to run. */
struct environment { const struct kernels *kernels; uint64_t seed, step; };

enum { CALL_INPUTS = 16, CALL_OUTPUTS = 8 };

/* One kernel call of a plan: `chunks` independent pieces, any order, any thread. The plan fills in, out and shared. */
struct call {
  void (*run)(const struct call *c, const struct environment *e, int64_t chunk, void *scratch);
  int64_t chunks;
  int64_t flops;                         /* of matrix products, for reports */
  size_t scratch;                        /* bytes a thread */
  size_t shared_bytes;                   /* workspace shared by the calls of one node, live between them only */
  void *shared;
  int32_t n_in, n_out;
  const void *in[CALL_INPUTS];
  void *out[CALL_OUTPUTS];
  union {
    struct chain *chain;                 /* allocated by the plan */
    struct reduce_shape reduce;
    struct gemm_shape gemm;
    struct {
      struct gemm_shape shape;           /* u.gemm is this: of one product; a fused bias and act may be set, the bias is in[2] */
      int64_t size[6], a[6], b[6];       /* leading axes: sizes, and strides of a and b in elements (0 repeats) */
      int64_t pieces;                    /* chunks that one product is cut into */
      int32_t rank;
    } product;                           /* matmul */
    struct { struct conv_shape shape; int32_t pass; } conv; /* a fused bias and act may be set, the bias is in[2] */
    struct { const struct resample_table *table; int64_t rows, inner; } resample;   /* rows: of the result, in all */
    struct { uint64_t stream; double x, y; int64_t count; int32_t kind; } random;
    int64_t n[32];                       /* whatever a row of ops needs: sizes and strides */
  } u;
};

enum { CALLS_MAX = 4 };

/* Products go to CBLAS never, where the table says so (gemm_prefers_blas), or wherever there is one (tests). */
enum blas_use { BLAS_NEVER, BLAS_BY_TABLE, BLAS_ALWAYS };

struct op {
  const char *name;
  uint32_t flags;
  int32_t n_in;                          /* -1: any number >= 1 */
  int32_t vec;                           /* enum vec_op of an elementwise op, else -1 */
  /* dx[i] receives the gradient with respect to input i, already of that input's shape, or stays NULL for zero. wanted[i]
   * says which are needed. NULL rule: flat, or leaf. */
  void (*gradient)(gan_node *y, gan_node *dy, const uint8_t *wanted, gan_node **dx);
  /* Fills 1 to CALLS_MAX calls for a node that is neither leaf (but random), elementwise nor view; returns how many. Elementwise
   * ops and accesses are lowered by the plan as chains. use_blas: enum blas_use. */
  int32_t (*lower)(const gan_node *n, const struct kernels *k, int32_t use_blas, struct call *calls);
};

/* Cuts a call of op_matmul anew after the plan changed u.product.shape: a bias (in[2], n_in = 3), an act, a packed b. */
void matmul_cut(struct call *c, const struct kernels *k);

/* The same for conv and conv_input: writes the calls anew by the shape in the first one. How many there are. */
int32_t conv_cut(struct call *calls, const struct kernels *k);

/* Calls that add up the rows of a matrix, as a sum over its first axis would. */
int32_t lower_column_sums(int64_t rows, int64_t columns, struct call *calls);

/* Of a product: two for every term of its sums. Other nodes count as none. */
int64_t node_flops(const gan_node *n);

/* Every op there is: extern const struct op op_NAME. The second column, domain and shapes, is for the tests. */
#define OP(name, test) extern const struct op op_##name;
#include "ops/ops.def"
#undef OP

/* All of them, in the order of ops.def. */
int32_t op_count(void);
const struct op *op_at(int32_t index);

/* Builders with the checks and simplifications that are always right (x + 0, x * 1, reshape to the same shape, constants
 * folded, broadcast of a scalar constant left out); public names are gan_add etc. */
gan_node *node_scalar_like(gan_node *n, double value);                        /* constant of rank 0 in n's graph */
gan_node *node_sum_to(gan_node *n, int32_t rank, const int64_t *shape);       /* undoes a broadcast: sums the repeated axes */
gan_node *node_zeros(gan_graph *g, int32_t rank, const int64_t *shape);       /* broadcast constant */
gan_node *node_variable(gan_graph *g, struct variable *v);                    /* one node a variable and graph; keeps v */
/* What a variable is in the present phase, after gan_look_ahead: a node of the steps ahead, or the variable. */
gan_node *node_present(gan_graph *g, struct variable *v);
gan_node *node_input(gan_graph *g, const struct binding *b, int32_t type, int32_t rank, const int64_t *shape);
gan_node *node_random(gan_graph *g, uint64_t stream, int32_t kind, double x, double y, int32_t rank, const int64_t *shape);
int32_t node_is_constant(const gan_node *n, double *value);                   /* of any shape: looks through broadcast */

/* "normal mean=0 std=1" and the like -> kind and two parameters. */
gan_status distribution_parse(gan_context *ctx, const char *text, int32_t *kind, double *x, double *y);

#endif
