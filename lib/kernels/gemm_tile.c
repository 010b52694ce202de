/* Register tiles of the matrix product, for one instruction set.
 *
 * A tile keeps rows x vectors of C in registers and walks once along k. Each element of C is one chain of multiply-adds in
 * the order of k, whatever tile it lies in; so the bits of a row depend neither on how many rows there are nor on their
 * place. The shape is what the registers hold: 14x2 of 32, 6x2 of 16, with two for B and one for A.
 */
#include "kernels/isa.h"
#include "kernels/vec.h"

#if LANES == 16
enum { TILE_ROWS = 14, LANE_ROWS = 8 };
#else
enum { TILE_ROWS = 6, LANE_ROWS = 6 };
#endif

enum { PANEL = 2 /* vectors of a panel */, MOST_VECTORS = PANEL * GEMM_STRIPS };

#define UNROLL _Pragma("GCC unroll 16")

/* Keeps the compiler from giving every row a pointer of its own, for which there are no registers. */
#define OPAQUE(pointer) __asm__("" : "+r"(pointer))

/* A statement for every row i and vector v of the tile. */
#define EACH(statement) UNROLL for (int i = 0; i < rows; i++) UNROLL for (int v = 0; v < vectors; v++) statement

/* rows, vectors, packing and lanes are constants: after inlining, all loops but that over k are gone and acc lives in registers. */
ALWAYS_INLINE void tile(const struct gemm_tile *t, const int rows, const int vectors, const int packing, const int lanes) {
  vf acc[TILE_ROWS][MOST_VECTORS];
  EACH(acc[i][v] = (vf){0});
  EACH(__builtin_prefetch(t->c + i * t->ldc + v * LANES, 1));

  const int64_t row_step = t->row_step, k_step = t->k_step, b_step = t->b_step;
  float *packed = t->packed;
  for (int64_t n = 0; n < t->stretches; n++) {
    const float *a[(TILE_ROWS + 2) / 3], *b[GEMM_STRIPS]; /* a pointer serves three rows: [p], [p + step], [p + 2 step] */
    UNROLL for (int i = 0; i < rows; i += 3) a[i / 3] = t->a + t->stretch[n].a + i * row_step;
    UNROLL for (int v = 0; v < vectors; v += PANEL) b[v / PANEL] = t->b + t->stretch[n].b + v / PANEL * t->panel_step;
    _Pragma("GCC unroll 2") for (int64_t p = t->k; p > 0; p--) {
      vf row[MOST_VECTORS];
      UNROLL for (int v = 0; v < vectors; v++) {
        row[v] = vf_load(b[v / PANEL] + v % PANEL * LANES);
        if (!packing) continue;
        vf_store(packed + v * LANES, row[v]);
        __builtin_prefetch(b[v / PANEL] + (vectors + v) * LANES, 0, 2); /* of the next panel, to the second-level cache */
      }
      if (packing) packed += vectors * LANES;
      UNROLL for (int i = 0; i < rows; i++) {
        const float *element = a[i / 3] + i % 3 * row_step;
        vf x = lanes ? vf_load(element) : vf_set(*element);
        UNROLL for (int v = 0; v < vectors; v++) acc[i][v] = vf_fma(x, row[v], acc[i][v]);
      }
      UNROLL for (int i = 0; i < rows; i += 3) {
        a[i / 3] += k_step;
        OPAQUE(a[i / 3]);
      }
      UNROLL for (int v = 0; v < vectors; v += PANEL) b[v / PANEL] += b_step;
    }
  }

  float *const c = t->c; /* read before the stores, which might otherwise have changed them */
  const int64_t ldc = t->ldc;
  if (t->add) EACH(acc[i][v] += vf_load(c + i * ldc + v * LANES));
  if (t->bias) EACH(acc[i][v] += vf_load(t->bias + v * LANES));
  if (t->finish == GEMM_FINISH_RELU) EACH(acc[i][v] = (vf)((vi)acc[i][v] & ~(acc[i][v] < 0.0f)));
  if (t->finish == GEMM_FINISH_LEAKY) EACH(acc[i][v] = vf_select(acc[i][v] < 0.0f, acc[i][v] * t->slope, acc[i][v]));
  EACH(vf_store(c + i * ldc + v * LANES, acc[i][v]));
}

#define TILE(rows) \
  static NOINLINE void tile_##rows(const struct gemm_tile *t) { \
    tile(t, rows, PANEL, 0, 0); \
  } \
  static NOINLINE void tile_narrow_##rows(const struct gemm_tile *t) { \
    tile(t, rows, 1, 0, 0); \
  }
#define PACKING_TILE(rows) \
  static NOINLINE void tile_packing_##rows(const struct gemm_tile *t) { \
    tile(t, rows, PANEL, 1, 0); \
  }
#define LANE_TILE(rows) \
  static NOINLINE void tile_lanes_##rows(const struct gemm_tile *t) { \
    tile(t, rows, 1, 0, 1); \
  }
#define STRIP(panels) \
  static NOINLINE void strip_##panels(const struct gemm_tile *t) { \
    tile(t, 1, panels * PANEL, 0, 0); \
  }
/* Packing tiles have others behind them, so that they are more than half as tall as a tile can be. */
#if LANES == 16
#define LOW_TILES(T) T(1) T(2) T(3) T(4) T(5) T(6) T(7)
#define TALL_TILES(T) T(8) T(9) T(10) T(11) T(12) T(13) T(14)
#define LANE_TILES(T) LOW_TILES(T) T(8)
#else
#define LOW_TILES(T) T(1) T(2) T(3)
#define TALL_TILES(T) T(4) T(5) T(6)
#define LANE_TILES(T) TILES(T)
#endif
#define TILES(T) LOW_TILES(T) TALL_TILES(T)

TILES(TILE)
TALL_TILES(PACKING_TILE)
LANE_TILES(LANE_TILE)
STRIP(2)
STRIP(3)
STRIP(4)

#define TILE_ENTRY(rows) [rows] = tile_##rows,
#define PACKING_ENTRY(rows) [rows] = tile_packing_##rows,
#define NARROW_ENTRY(rows) [rows] = tile_narrow_##rows,
#define LANE_ENTRY(rows) [rows] = tile_lanes_##rows,
static gemm_tile_fn *const tiles[TILE_ROWS + 1] = {TILES(TILE_ENTRY)};
static gemm_tile_fn *const tiles_packing[TILE_ROWS + 1] = {TALL_TILES(PACKING_ENTRY)};
static gemm_tile_fn *const tiles_narrow[TILE_ROWS + 1] = {TILES(NARROW_ENTRY)};
static gemm_tile_fn *const tiles_lanes[LANE_ROWS + 1] = {LANE_TILES(LANE_ENTRY)};
static gemm_tile_fn *const strips[GEMM_STRIPS + 1] = {NULL, tile_1, strip_2, strip_3, strip_4};

/* Multiply-adds in registers, enough chains to hide their latency: what the processor can do at best. */
static NOINLINE double burst(void) {
  enum { CHAINS = LANES == 16 ? 16 : 12, TURNS = 100000 };
  vf acc[CHAINS], x = vf_set(0.999f), y = vf_set(0.001f);
  UNROLL for (int i = 0; i < CHAINS; i++) acc[i] = vf_set((float)i);
  for (int turn = 0; turn < TURNS; turn++) {
    UNROLL for (int i = 0; i < CHAINS; i++) acc[i] = vf_fma(acc[i], x, y);
    __asm__ volatile("" : : : "memory");
  }
  vf sum = acc[0];
  UNROLL for (int i = 1; i < CHAINS; i++) sum += acc[i];
  volatile float sink = vf_add_lanes(sum);
  (void)sink;
  return 2.0 * CHAINS * LANES * TURNS;
}

const struct gemm_kernels ISA_NAME(gemm_kernels) = {
  .rows = TILE_ROWS,
  .width = PANEL * LANES,
  .narrow = LANES,
  .pitch = (TILE_ROWS + LANES - 1) / LANES * LANES,
  .tile = tiles,
  .tile_packing = tiles_packing,
  .tile_narrow = tiles_narrow,
  .strip = strips,
  .pack_rows = ISA_NAME(gemm_pack_rows),
  .pack_transposed = ISA_NAME(gemm_pack_transposed),
  .pack_a = ISA_NAME(gemm_pack_a),
  .dots = ISA_NAME(gemm_dots),
  .axpys = ISA_NAME(gemm_axpys),
  .dot_rows = DOT_ROWS,
  .dot_columns = DOT_COLUMNS,
  .dot = ISA_NAME(gemm_dot_tiles),
  .lane_rows = LANE_ROWS,
  .lanes = tiles_lanes,
  .burst = burst,
};
