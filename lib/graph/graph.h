/* Graphs: nodes that own nothing but their place, variables that live outside of graphs, phases with their updates. */
#ifndef GAN_GRAPH_GRAPH_H
#define GAN_GRAPH_GRAPH_H

#include "base/context.h"
#include "base/text.h"

struct op;   /* ops/op.h */

/* A named value that outlives steps: a parameter, running statistics, an optimizer's slot, a flat gradient, a scalar. Always
 * f32. */
struct variable {
  atomic_int refs;
  gan_context *ctx;
  char *name;                 /* path within its owner's network, or what made it */
  int32_t rank;
  int32_t trainable;
  int64_t shape[GAN_MAX_RANK];
  int64_t count;
  float *data;                /* count floats; never moves */
  struct variable *base;      /* not NULL: data lies inside base (a slice of a flat gradient) */
  const void *owner;          /* the layer it belongs to; variables of one owner move together */
  char *init;                 /* initializer text; NULL: zeros */
  uint64_t stream;            /* hash that seeds its initializer */
};

/* Zeros; and a part of another variable, elements first and on. */
gan_status variable_create(gan_context *ctx, const char *name, int32_t rank, const int64_t *shape, struct variable **out);
gan_status variable_alias(struct variable *base, int64_t first, const char *name, int32_t rank, const int64_t *shape,
                          struct variable **out);
struct variable *variable_ref(struct variable *v);
void variable_unref(struct variable *v);

/* How a convolution's kernel goes over an image: x = y * stride - padding + tap * dilation along height and width. */
struct window { int32_t stride[2], dilation[2], padding[2], groups; };

/* What distinguishes two nodes of one op besides their inputs. Zero where unused, so that equal attributes compare bytewise. */
struct attributes {
  double x, y;                          /* constant: value; random: parameters */
  int64_t begin, end;                   /* slice; pad: before, after; one_hot: end = classes; scatter: end = rows */
  uint64_t stream;                      /* random: hash of its name and application */
  const struct variable *variable;      /* variable */
  const void *data;                     /* tensor: count elements, owned by the graph; input: struct binding * */
  int32_t axis, kind;                   /* random: kind of distribution */
  uint32_t axes;                        /* reductions: bit per axis */
  int32_t transpose_a, transpose_b;     /* matmul */
  int32_t order[GAN_MAX_RANK];          /* transpose */
  struct window window;                 /* convolutions; seven int32_t, so that no byte of the struct is padding */
};
_Static_assert(sizeof(struct attributes) == 8 * 7 + 4 * (5 + GAN_MAX_RANK + 7), "no padding: attributes compare bytewise");

enum random_kind { RANDOM_NORMAL, RANDOM_TRUNCATED, RANDOM_UNIFORM, RANDOM_INTEGERS };

/* Where an input node's value comes from. Lives in the graph. */
enum binding_kind { BINDING_CALLER, BINDING_SCALAR, BINDING_DATA };
struct binding {
  int32_t kind;
  char *name;
  double value;               /* scalar: initial */
  void *data;                 /* BINDING_DATA: gan_data *, kept by the graph */
  int32_t slot;
  int64_t classes;            /* i32: values must lie in 0 .. classes - 1; 0: unchecked */
};

struct gan_node {
  gan_graph *graph;           /* NULL only for the node that stands for "no graph at all" */
  const struct op *op;        /* NULL: error node */
  gan_node **in;
  char *name;                 /* NULL: none */
  struct attributes attr;
  int64_t shape[GAN_MAX_RANK];
  int64_t count;
  int32_t id, type, rank, n_in;
};

struct graph_update { void *optimizer; gan_node *loss; };                   /* gan_minimize; a gan_optimizer, kept */
struct graph_assign { struct variable *variable; gan_node *value; int32_t phase; }; /* gan_layer_assign, as applied */
/* gan_follow, gan_follow_by; decay 0 copies, by: a node of rank 0 instead of it */
struct graph_follow { struct variable *average, *variable; double decay; gan_node *by; };

/* gan_look_ahead: what a variable would be after steps that are not committed; and what those steps read, a pair of inputs. */
struct graph_ahead { const struct variable *variable; gan_node *value; int32_t phase; };
struct graph_look { void *optimizer; gan_node *rate, *step; int32_t phase; };

struct graph_phase {
  char *name;
  struct graph_update *updates; int64_t n_updates, cap_updates;
  struct graph_follow *follows; int64_t n_follows, cap_follows;
};

struct graph_output { char *name; gan_node *node; int32_t phase; };
struct graph_kept { void *object; void (*unref)(void *object); };

struct gan_graph {
  atomic_int refs;
  gan_context *ctx;
  struct arena_block *blocks;           /* nodes, names and constant data live here */
  gan_node **nodes; int64_t n_nodes, cap_nodes;
  gan_node **variables; int64_t n_variables, cap_variables;     /* the nodes that are variables */
  struct graph_phase *phases; int64_t n_phases, cap_phases;     /* always at least one */
  struct graph_assign *assigns; int64_t n_assigns, cap_assigns;
  struct graph_ahead *aheads; int64_t n_aheads, cap_aheads;
  struct graph_look *looks; int64_t n_looks, cap_looks;
  struct graph_output *outputs; int64_t n_outputs, cap_outputs;
  struct graph_kept *kept; int64_t n_kept, cap_kept;
  gan_node error;                       /* what every failed call returns */
  gan_status failed;
  char error_text[ERROR_TEXT];
  int64_t batch;                        /* of the game that it belongs to; 0: none */
  int32_t settles;                      /* running statistics become those of the batch alone */
  int32_t frozen;                       /* layers that are applied now take their parameters as constants */
  int32_t sealed;                       /* a plan was made: no more nodes */
};

gan_graph *graph_ref(gan_graph *g);
void *graph_alloc(gan_graph *g, size_t size);             /* zeroed, freed with the graph; NULL after graph_fail */
char *graph_strdup(gan_graph *g, const char *s);
/* Drops the reference when the graph goes, or now if that cannot be noted. */
void graph_keep(gan_graph *g, void *object, void (*unref)(void *));

/* Sticky failure: remembers the first sentence, returns the graph's error node (the "no graph" node for NULL). */
gan_node *graph_fail(gan_graph *g, gan_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
int32_t node_failed(const gan_node *n);                   /* NULL, error node, or its graph failed */
gan_node *node_none(void);                                /* the immutable node of no graph */

/* A new node; inputs are copied. type and shape are the op's to set. Returns the error node on failure. */
gan_node *graph_node(gan_graph *g, const struct op *op, int32_t n_in, gan_node *const *in, const struct attributes *attr,
                     int32_t type, int32_t rank, const int64_t *shape);

/* Makes room for one more element of one of the graph's arrays. 1, or 0 after graph_fail. */
int32_t graph_room(gan_graph *g, void **array, int64_t *capacity, int64_t count, size_t element);

/* Updates of the present phase. The references that they need are the caller's to hand over, by graph_keep. */
void graph_add_update(gan_graph *g, void *optimizer, gan_node *loss);
void graph_add_follow(gan_graph *g, const struct graph_follow *follow);

/* State of layers: later applications in a phase see what earlier ones assigned. */
gan_node *graph_latest_assign(gan_graph *g, const struct variable *v);   /* value assigned in the present phase, or NULL */
void graph_assign(gan_graph *g, struct variable *v, gan_node *value);

/* Steps that are not committed: of the present phase. */
gan_node *graph_ahead(const gan_graph *g, const struct variable *v);     /* NULL: there was none */
void graph_set_ahead(gan_graph *g, const struct variable *v, gan_node *value);
int32_t graph_add_look(gan_graph *g, const struct graph_look *look);      /* 1, or 0 after graph_fail */

const struct graph_output *graph_find_output(const gan_graph *g, const char *name);

#endif
