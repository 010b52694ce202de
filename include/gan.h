/* gan.h: libgan, generative adversarial networks for C and C++ programs.
 *
 * Copyright (c) 2026 the libgan authors. SPDX-License-Identifier: MIT
 *
 * HOW TO READ THIS HEADER
 *
 * Plain C99 declarations, one a function; it compiles as C99 to C23 and C++98 to C++23. Each function, or group of
 * functions without a blank line between them, has one comment of this form:
 *
 *     What it does, shapes and units, with its source where it has one.
 *       name  DIRECTION OWNERSHIP; NULL or range; meaning
 *     Errors: the statuses it can return.  Threads: who may call it.  Since: version.
 *
 * DIRECTION is `in`, `out` or `inout`. OWNERSHIP is `value` (passed by value), `borrowed` (used during the call only),
 * `copied` (the callee keeps its own copy), `kept` (the callee counts a reference and drops it itself) or `owned` (the
 * caller gets it, and frees it with the function named). Pointers may not be NULL unless it says `NULL ok`.
 *
 * THINGS
 *
 *   gan_context    memory, threads, random seed, error text: everything else is made from one
 *   gan_tensor     an array of numbers
 *   gan_layer      parameters, state, and a function from nodes to nodes
 *   gan_network    a layer made of layers, with named inputs and outputs; generator and discriminator are roles of it
 *   gan_graph      nodes: what a step computes. gan_node *s belong to their graph
 *   gan_loss       a named pair of formulas for discriminator and generator, or a penalty
 *   gan_optimizer  an update rule on a set of parameters, with its slots
 *   gan_data       named slots of samples: images, labels, masks
 *   gan_game       named steps over any number of networks; its state is saved and resumed as a whole
 *   gan_trainer    the usual two-player game, ready made
 *   gan_sampler    a frozen network that samples in real time
 *
 * RULES
 *
 * Handles are counted: gan_x_free drops the caller's reference, accepts NULL, may be called from any thread and in any
 * order; what still needs the object keeps it. No function takes a reference over. Freeing the last handle of a context
 * joins every thread that libgan made.
 * Threads: a context and all that was made from it belong to one thread at a time (`context`). Samplers are free of their
 * context, one thread each (`sampler`). `any` means any thread at any time. Contexts are independent of each other.
 * Functions that can fail return a gan_status; on failure outputs are untouched and gan_context_error() has a sentence that
 * says what was expected, what came and where. The library never prints, aborts, exits or changes process-wide state
 * (BLAS's thread count aside, see gan_context_config).
 * Builders (networks, graphs) are sticky: after a failure further calls do nothing and the first error is reported at the
 * end. A gan_node * is never NULL: after a failure it is an error node that every function passes on.
 * Text is UTF-8. Functions that copy text out take (text, capacity, needed): at most `capacity` bytes are written, always
 * zero-terminated if capacity > 0; `needed` (NULL ok) receives the full length with its zero; text may be NULL if capacity
 * is 0. Config structs start with struct_size, are filled by their init function, and grow at the end.
 *
 * NAMES WITH PARAMETERS are one line of text: "dense units=128", "adam rate=2e-4 beta1=0.5", "wgan-gp weight=10",
 * "dropout rate=0.3 name=drop1". A value with blanks stands in parentheses: "dense units=8 init=(normal std=0.02)".
 * Numbers have a point, never a comma. gan_list_* tells which names there are.
 */
#ifndef GAN_H
#define GAN_H

#include <stddef.h>
#include <stdint.h>

#define GAN_VERSION_MAJOR 0
#define GAN_VERSION_MINOR 1
#define GAN_VERSION_PATCH 0
#define GAN_ABI_VERSION 0

#if defined(GAN_STATIC) || !defined(__GNUC__)
#define GAN_API extern
#else
#define GAN_API extern __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gan_context gan_context;
typedef struct gan_tensor gan_tensor;
typedef struct gan_layer gan_layer;
typedef struct gan_network gan_network;
typedef struct gan_graph gan_graph;
typedef struct gan_node gan_node;
typedef struct gan_loss gan_loss;
typedef struct gan_optimizer gan_optimizer;
typedef struct gan_data gan_data;
typedef struct gan_game gan_game;
typedef struct gan_trainer gan_trainer;
typedef struct gan_sampler gan_sampler;

/* ======================================================================================================= status, version */

/* What a call came to. The values are pinned for ever. */
typedef int32_t gan_status;
#define GAN_OK 0
#define GAN_ERROR_ARGUMENT 1    /* NULL, out of range, wrong type, unknown name */
#define GAN_ERROR_SHAPE 2       /* shapes do not fit together */
#define GAN_ERROR_MEMORY 3      /* the allocator gave none, or memory_limit is reached */
#define GAN_ERROR_FILE 4        /* open, read, write, sync or rename failed */
#define GAN_ERROR_FORMAT 5      /* the bytes are not what they claim to be */
#define GAN_ERROR_UNSUPPORTED 6 /* this build, CPU or version has not got it */
#define GAN_ERROR_STATE 7       /* not now: not prepared, already prepared, already running */
#define GAN_ERROR_NOT_FINITE 8  /* a loss or gradient is NaN or infinite; nothing was committed */
#define GAN_ERROR_CANCELLED 9   /* gan_game_cancel or gan_trainer_cancel was called */
#define GAN_ERROR_CALLBACK 10   /* a callback returned non-zero */
#define GAN_ERROR_THREAD 11     /* a thread could not be made */

/** The version of the library that is linked: major * 10000 + minor * 100 + patch, the number of its ABI, and as text.
 * Threads: any.  Since: 0.1 */
GAN_API int32_t gan_version(void);
GAN_API int32_t gan_abi_version(void);
GAN_API const char *gan_version_text(void);

/** A few words for a status, static; "unknown status" for a number that is none.
 *   status  in value; any
 * Threads: any.  Since: 0.1 */
GAN_API const char *gan_status_text(gan_status status);

/* =============================================================================================================== context */

#define GAN_LOG_DEBUG 0
#define GAN_LOG_INFO 1
#define GAN_LOG_WARNING 2

#define GAN_BLAS_OWN 0   /* use BLAS, set to one thread at the first context, put back at the last (default) */
#define GAN_BLAS_LEAVE 1 /* use BLAS only while it reports one thread; never change its setting */
#define GAN_BLAS_OFF 2   /* the built-in products only */

#define GAN_ISA_BEST (-1)
#define GAN_ISA_BASELINE 0
#define GAN_ISA_AVX2 1
#define GAN_ISA_AVX512 2

/* Memory for everything that belongs to a context; must be thread-safe. allocate returns at least 64-byte aligned memory or
 * NULL; size is never 0. release gets what allocate returned, with its size, and never NULL. */
typedef void *(*gan_allocate)(void *user, int64_t size);
typedef void (*gan_release)(void *user, void *memory, int64_t size);

/* Called on the thread of the call that logs; text is borrowed. May call nothing of libgan. */
typedef void (*gan_log_function)(void *user, int32_t level, const char *text);

typedef struct gan_context_config {
  int64_t struct_size;
  gan_allocate allocate;  /* NULL: aligned memory from the C library; both or neither */
  gan_release release;
  void *allocator_user;
  gan_log_function log;            /* NULL: silence */
  void *log_user;
  int64_t memory_limit;   /* bytes for weights, plans, workspace and files being read; 0: none */
  int64_t seed;           /* of initial weights and everything else that is random; default 1 */
  int32_t threads;        /* 1: no thread is made; 0: all cores that this process may use (default) */
  int32_t deterministic;  /* 1: same bits for any number of threads (one build, one instruction set) */
  int32_t blas;           /* GAN_BLAS_* */
  int32_t isa;            /* GAN_ISA_*; default GAN_ISA_BEST */
  int32_t debug;          /* 1: keep every node unfused, name the first one that is not finite */
  int32_t reserved;       /* 0 */
} gan_context_config;

/** Fills a config with defaults.
 *   config  out borrowed
 *   size    in value; sizeof(gan_context_config) as the caller was compiled
 * Errors: ARGUMENT.  Threads: any.  Since: 0.1 */
GAN_API gan_status gan_context_config_init(gan_context_config *config, int64_t size);

/** Makes a context.
 *   config   in copied; NULL ok: defaults
 *   context  out owned; gan_context_free
 * Errors: ARGUMENT, MEMORY, THREAD, UNSUPPORTED (isa).  Threads: any.  Since: 0.1 */
GAN_API gan_status gan_context_create(const gan_context_config *config, gan_context **context);

/** Drops the caller's reference.
 *   context  in borrowed; NULL ok
 * Threads: any.  Since: 0.1 */
GAN_API void gan_context_free(gan_context *context);

/** Copies out the sentence of the last failure in this context; empty if there was none. It stays until the next failure. A call
 * that fails because a handle is NULL does not replace it, so that after a row of calls the root cause is what one reads.
 *   context   in borrowed; NULL ok: the text is empty
 *   text      out borrowed; NULL ok if capacity is 0
 *   capacity  in value; bytes
 *   needed    out borrowed; NULL ok; length with the zero
 * Errors: ARGUMENT.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_context_error(const gan_context *context, char *text, int64_t capacity, int64_t *needed);

/** One line on what this context runs with: version, instruction set, threads, BLAS, deterministic or not.
 *   context   in borrowed
 *   text      out borrowed; NULL ok if capacity is 0
 *   capacity  in value; bytes
 *   needed    out borrowed; NULL ok; length with the zero
 * Errors: ARGUMENT.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_context_describe(const gan_context *context, char *text, int64_t capacity, int64_t *needed);

/** Memory held now and at most so far, in bytes, and how many allocations were made so far.
 *   context      in borrowed
 *   used         out borrowed; NULL ok
 *   peak         out borrowed; NULL ok
 *   allocations  out borrowed; NULL ok
 * Errors: ARGUMENT.  Threads: any.  Since: 0.1 */
GAN_API gan_status gan_context_memory(const gan_context *context, int64_t *used, int64_t *peak, int64_t *allocations);

/* ================================================================================================= what names there are */

#define GAN_LIST_LAYERS 0
#define GAN_LIST_LOSSES 1
#define GAN_LIST_PENALTIES 2
#define GAN_LIST_OPTIMIZERS 3
#define GAN_LIST_SCHEDULES 4
#define GAN_LIST_INITIALIZERS 5
#define GAN_LIST_PRESETS 6
#define GAN_LIST_OPS 7
#define GAN_LIST_DEVICES 8

/** Number of built-in names of a kind; 0 for a kind that is none.
 *   kind  in value; GAN_LIST_*
 * Threads: any.  Since: 0.1 */
GAN_API int32_t gan_list_count(int32_t kind);

/** Name number index of a kind, static; NULL past the end.
 *   kind   in value; GAN_LIST_*
 *   index  in value; 0 .. count - 1
 * Threads: any.  Since: 0.1 */
GAN_API const char *gan_list_name(int32_t kind, int32_t index);

/** Copies out the help of a name: a sentence, its source, then one line a parameter with type, range and default.
 *   kind      in value; GAN_LIST_*
 *   name      in borrowed
 *   text      out borrowed; NULL ok if capacity is 0
 *   capacity  in value; bytes
 *   needed    out borrowed; NULL ok; length with the zero
 * Errors: ARGUMENT.  Threads: any.  Since: 0.1 */
GAN_API gan_status gan_list_help(int32_t kind, const char *name, char *text, int64_t capacity, int64_t *needed);

/* =============================================================================================================== tensors */

#define GAN_F32 0
#define GAN_F64 1
#define GAN_I32 2
#define GAN_U8 3

#define GAN_MAX_RANK 8

/** Makes a tensor of zeros, dense and row-major.
 *   context  in kept
 *   type     in value; GAN_F32, GAN_F64, GAN_I32, GAN_U8
 *   rank     in value; 0 (one number) .. GAN_MAX_RANK
 *   shape    in copied; NULL ok if rank is 0; rank sizes, each >= 0
 *   tensor   out owned; gan_tensor_free
 * Errors: ARGUMENT, MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_tensor_create(gan_context *context, int32_t type, int32_t rank, const int64_t *shape, gan_tensor **tensor);

/** Makes a tensor on the caller's memory, without copying.
 *   context  in kept
 *   type     in value; GAN_F32 ..
 *   rank     in value; 0 .. GAN_MAX_RANK
 *   shape    in copied; NULL ok if rank is 0
 *   data     in kept; aligned to its type; valid until release is called, or until the last user of the tensor is gone
 *   release  in kept; NULL ok; called once with (user, data, bytes) when nothing needs data any more, on the freeing thread
 *   user     in kept; NULL ok
 *   tensor   out owned; gan_tensor_free
 * Errors: ARGUMENT, MEMORY (release is then not called).  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_tensor_wrap(gan_context *context, int32_t type, int32_t rank, const int64_t *shape, void *data,
                                   gan_release release, void *user, gan_tensor **tensor);

/** Drops the caller's reference.
 *   tensor  in borrowed; NULL ok
 * Threads: any.  Since: 0.1 */
GAN_API void gan_tensor_free(gan_tensor *tensor);

/** Type, rank, number of elements, and memory of a tensor. For NULL: -1, -1, 0, NULL.
 *   tensor  in borrowed; NULL ok
 * Threads: context.  Since: 0.1 */
GAN_API int32_t gan_tensor_type(const gan_tensor *tensor);
GAN_API int32_t gan_tensor_rank(const gan_tensor *tensor);
GAN_API int64_t gan_tensor_count(const gan_tensor *tensor);
GAN_API void *gan_tensor_data(gan_tensor *tensor);

/** Size along an axis; -1 if there is no such axis.
 *   tensor  in borrowed; NULL ok
 *   axis    in value; 0 .. rank - 1, or negative from the end
 * Threads: context.  Since: 0.1 */
GAN_API int64_t gan_tensor_size(const gan_tensor *tensor, int32_t axis);

/** A view of rows begin .. end - 1 along the first axis; shares memory.
 *   tensor  in kept; rank >= 1
 *   begin   in value; 0 .. end
 *   end     in value; begin .. size of axis 0
 *   view    out owned; gan_tensor_free
 * Errors: ARGUMENT, MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_tensor_slice(gan_tensor *tensor, int64_t begin, int64_t end, gan_tensor **view);

/** A view of the same elements in another shape; shares memory.
 *   tensor  in kept
 *   rank    in value; 0 .. GAN_MAX_RANK
 *   shape   in copied; NULL ok if rank is 0; one size may be -1: what is left
 *   view    out owned; gan_tensor_free
 * Errors: ARGUMENT, SHAPE, MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_tensor_reshape(gan_tensor *tensor, int32_t rank, const int64_t *shape, gan_tensor **view);

/** Copies all elements, converting types: to integers by rounding to nearest even and clamping to the range, NaN to 0.
 *   target  inout borrowed; same number of elements
 *   source  in borrowed; may overlap only if it is target
 * Errors: ARGUMENT, SHAPE.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_tensor_copy(gan_tensor *target, const gan_tensor *source);

/** Sets every element to a value, converted as in gan_tensor_copy.
 *   tensor  inout borrowed
 *   value   in value
 * Errors: ARGUMENT.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_tensor_fill(gan_tensor *tensor, double value);

/** Fills with random numbers: "normal mean=0 std=1", "truncated-normal mean=0 std=1", "uniform low=0 high=1",
 * "integers low=0 high=10" (high excluded), "permutation" (of 0 .. count - 1). Element i depends on seed and i alone.
 * Philox4x32-10 (Salmon et al. 2011).
 *   tensor        inout borrowed; GAN_F32, GAN_F64 or GAN_I32
 *   distribution  in borrowed
 *   seed          in value
 * Errors: ARGUMENT.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_tensor_random(gan_tensor *tensor, const char *distribution, int64_t seed);

/** Copies elements first .. first + count - 1 out of or into a tensor, converting as in gan_tensor_copy.
 *   tensor  inout borrowed
 *   first   in value; element index, row-major
 *   count   in value; elements
 *   type    in value; GAN_F32 ..; the type of data
 *   data    inout borrowed; NULL ok if count is 0; count elements
 * Errors: ARGUMENT.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_tensor_read(const gan_tensor *tensor, int64_t first, int64_t count, int32_t type, void *data);
GAN_API gan_status gan_tensor_write(gan_tensor *tensor, int64_t first, int64_t count, int32_t type, const void *data);

/* ================================================================================================================= files */

/* A file of the caller's. read and write return the number of bytes done (fewer: end of file, or disk full), or negative for
 * an error. Called on the thread of the call they serve; they may call nothing of libgan on the same context. */
typedef struct gan_stream {
  int64_t struct_size;
  int64_t (*read)(void *user, void *bytes, int64_t count);
  int64_t (*write)(void *user, const void *bytes, int64_t count);
  void *user;
} gan_stream;

/** Fills a stream with NULLs.
 *   stream  out borrowed
 *   size    in value; sizeof(gan_stream) as the caller was compiled
 * Errors: ARGUMENT.  Threads: any.  Since: 0.1 */
GAN_API gan_status gan_stream_init(gan_stream *stream, int64_t size);

/* ================================================================================================================ layers */

/** Makes a layer from text: "dense units=128". Its parameters are made when it is first applied, from the shapes it meets.
 * A layer added to several networks, or applied several times, shares its parameters.
 *   context  in kept
 *   text     in copied
 *   layer    out owned; gan_layer_free
 * Errors: ARGUMENT, MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_layer_create(gan_context *context, const char *text, gan_layer **layer);

/** Drops the caller's reference.
 *   layer  in borrowed; NULL ok
 * Threads: any.  Since: 0.1 */
GAN_API void gan_layer_free(gan_layer *layer);

/* What a custom layer's callback is given. Valid during the call only. */
typedef struct gan_layer_call gan_layer_call;

/* Emits nodes from inputs to the returned output. Runs on the thread that applies the layer, once per application; it may
 * call node functions and gan_layer_* functions only. Return any node; an error node stops the building. */
typedef gan_node *(*gan_layer_function)(void *user, gan_layer_call *call, int32_t count, gan_node *const *inputs);

/** Registers a layer by name in a context, so that "NAME a=1 b=2" makes it. Files name it; a context that has not got it
 * refuses such a file with a sentence.
 *   context   in borrowed
 *   name      in copied; letters, digits and hyphens; not yet taken
 *   function  in kept
 *   user      in kept; NULL ok
 *   release   in kept; NULL ok; called with (user, user, 0) when the context goes, on the freeing thread
 * Errors: ARGUMENT, MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_context_add_layer(gan_context *context, const char *name, gan_layer_function function, void *user,
                                         gan_release release);

/** Inside a layer's callback: a parameter or a state of the layer, made at the first application.
 *   call   in borrowed
 *   name   in copied; unique within the layer
 *   rank   in value
 *   shape  in copied; rank sizes
 *   init   in copied; an initializer, "normal std=0.02"
 * Returns: the node of its present value.  Threads: the callback's.  Since: 0.1 */
GAN_API gan_node *gan_layer_parameter(gan_layer_call *call, const char *name, int32_t rank, const int64_t *shape, const char *init);
GAN_API gan_node *gan_layer_state(gan_layer_call *call, const char *name, int32_t rank, const int64_t *shape, const char *init);

/** Inside a layer's callback: random numbers of the layer's own, new in every step, as gan_random() has them: the stream is the
 * layer's path, the name, and which application of the layer in its graph this is. For training: samplers evaluate, and there a
 * sample may depend on nothing but itself.
 *   call          in borrowed
 *   name          in copied; unique within the layer
 *   distribution  in borrowed; "normal std=0.1"
 *   rank          in value
 *   shape         in copied; rank sizes
 * Returns: the node.  Threads: the callback's.  Since: 0.1 */
GAN_API gan_node *gan_layer_random(gan_layer_call *call, const char *name, const char *distribution, int32_t rank, const int64_t *shape);

/** Inside a layer's callback: the value that a state takes at the next commit of the layer's parameters.
 *   call   in borrowed
 *   name   in borrowed; a state of this layer
 *   value  in borrowed; same shape as the state
 * Threads: the callback's.  Since: 0.1 */
GAN_API void gan_layer_assign(gan_layer_call *call, const char *name, gan_node *value);

/** Inside a layer's callback: 1 if this application is for training; a number from the layer's text, or a default.
 *   call      in borrowed
 *   name      in borrowed
 *   fallback  in value
 * Threads: the callback's.  Since: 0.1 */
GAN_API int32_t gan_layer_training(const gan_layer_call *call);
GAN_API double gan_layer_option(const gan_layer_call *call, const char *name, double fallback);

/* ============================================================================================================== networks */

#define GAN_ROLE_DATA 0  /* floats that the caller supplies */
#define GAN_ROLE_NOISE 1 /* floats that samplers draw themselves if they are not bound */
#define GAN_ROLE_LABEL 2 /* i32 in 0 .. classes - 1 */

/* One input or output of a network; shapes are of one sample, without the batch. */
typedef struct gan_port {
  int64_t struct_size;
  const char *name;  /* lives as long as the network */
  int64_t shape[GAN_MAX_RANK];
  int64_t classes;   /* labels: their number; else 0 */
  int32_t rank;
  int32_t type;      /* GAN_F32 or GAN_I32 */
  int32_t role;      /* GAN_ROLE_* */
  int32_t reserved;
} gan_port;

/* One parameter or state variable of a network, in the documented logical layout. */
typedef struct gan_variable {
  int64_t struct_size;
  const char *path;  /* "block2/dense1/weight"; lives as long as the network */
  int64_t shape[GAN_MAX_RANK];
  int32_t rank;
  int32_t trainable; /* 1: parameter; 0: state */
} gan_variable;

/** Makes an empty network, to be filled by the builders below. They are sticky: errors are reported by
 * gan_network_finish(), or by the first function that uses the network.
 *   context  in kept
 *   name     in copied; letters, digits, '-', '_', '.'; seeds the initial weights together with the layers' names
 *   network  out owned; gan_network_free
 * Errors: ARGUMENT, MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_network_create(gan_context *context, const char *name, gan_network **network);

/** Drops the caller's reference.
 *   network  in borrowed; NULL ok
 * Threads: any.  Since: 0.1 */
GAN_API void gan_network_free(gan_network *network);

/** Declares an input. spec: sizes of one sample ("100", "28x28x1"; empty for one number), then options: "type=i32",
 * "classes=10" (labels, implies i32), "noise=normal|uniform|truncated-normal" (role noise, uniform in [-1, 1)).
 *   network  inout borrowed
 *   name     in copied
 *   spec     in borrowed
 * Threads: context.  Since: 0.1 */
GAN_API void gan_network_input(gan_network *network, const char *name, const char *spec);

/** Adds a layer from text. Besides the layer's own options any text takes name=NAME (default: the layer's name and a number)
 * and from=A,B (default: what was added last); A and B are inputs or layers of this network.
 *   network  inout borrowed
 *   text     in copied; "dense units=128", "concat from=h1,label name=joined"
 * Threads: context.  Since: 0.1 */
GAN_API void gan_network_add(gan_network *network, const char *text);

/** Adds several lines of gan_network_add(), gan_network_input() ("input z 100 noise=normal") and gan_network_output()
 * ("output logits dense3"), separated by newlines or ';'. Empty lines and lines that start with '#' are skipped.
 *   network  inout borrowed
 *   lines    in copied
 * Threads: context.  Since: 0.1 */
GAN_API void gan_network_build(gan_network *network, const char *lines);

/** Adds an existing layer, or a whole network as one layer; parameters are shared.
 *   network  inout borrowed
 *   layer    in kept
 *   part     in kept; has one output
 *   options  in copied; NULL ok; "name=trunk from=x"
 * Threads: context.  Since: 0.1 */
GAN_API void gan_network_add_layer(gan_network *network, gan_layer *layer, const char *options);
GAN_API void gan_network_add_network(gan_network *network, gan_network *part, const char *options);

/** Names an output. A network without one has the output "out": what was added last.
 *   network  inout borrowed
 *   name     in copied
 *   from     in borrowed; NULL ok: what was added last
 * Threads: context.  Since: 0.1 */
GAN_API void gan_network_output(gan_network *network, const char *name, const char *from);

/** The common layers, typed; each is gan_network_add() with the text of the same name. Since: 0.1
 *   network   inout borrowed
 *   units     in value; output width, >= 1
 *   filters   in value; channels of the output, >= 1
 *   kernel    in value; height and width of the kernel, >= 1
 *   stride    in value; >= 1
 *   padding   in value; zeros around the image (transposed: fewer rows and columns of the output); negative crops
 *   slope     in value; of the negative side, 0 .. 1
 *   epsilon   in value; > 0 (default elsewhere 1e-5)
 *   momentum  in value; share of the new batch in running statistics, 0 .. 1 (default elsewhere 0.1)
 *   rate      in value; share of elements set to 0, 0 <= rate < 1
 *   shape     in borrowed; of one sample, "28x28x1"
 *   classes   in value; rows of the table
 *   width     in value; columns of the table
 * Threads: context.  Since: 0.1 */
GAN_API void gan_network_dense(gan_network *network, int64_t units);
GAN_API void gan_network_conv2d(gan_network *network, int64_t filters, int64_t kernel, int64_t stride, int64_t padding);
GAN_API void gan_network_conv_transpose2d(gan_network *network, int64_t filters, int64_t kernel, int64_t stride, int64_t padding);
GAN_API void gan_network_relu(gan_network *network);
GAN_API void gan_network_leaky_relu(gan_network *network, double slope);
GAN_API void gan_network_tanh(gan_network *network);
GAN_API void gan_network_sigmoid(gan_network *network);
GAN_API void gan_network_batch_norm(gan_network *network, double epsilon, double momentum);
GAN_API void gan_network_layer_norm(gan_network *network, double epsilon);
GAN_API void gan_network_dropout(gan_network *network, double rate);
GAN_API void gan_network_flatten(gan_network *network);
GAN_API void gan_network_reshape(gan_network *network, const char *shape);
GAN_API void gan_network_embedding(gan_network *network, int64_t classes, int64_t width);

/** Ends the building: reports the first error of it, or makes the network ready. Everything that uses a network calls it.
 *   network  inout borrowed
 * Errors: ARGUMENT, SHAPE, MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_network_finish(gan_network *network);

/** Makes generator and discriminator of a preset: "article", "dcgan-64". gan_list_name(GAN_LIST_PRESETS, ..) names all, and
 * docs/presets.md their sources. The generator's output has the shape of `size`; an architecture that cannot have that size says so.
 *   context        in kept
 *   preset         in borrowed; a name with parameters, "dcgan-64 size=96x96x3 latent=100 filters=32"
 *   generator      out owned; NULL ok; gan_network_free
 *   discriminator  out owned; NULL ok; gan_network_free
 * Errors: ARGUMENT, MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_preset_networks(gan_context *context, const char *preset, gan_network **generator, gan_network **discriminator);

/** A deep copy: same structure, own parameters with the same values.
 *   network  in borrowed
 *   name     in copied
 *   copy     out owned; gan_network_free
 * Errors: ARGUMENT, MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_network_clone(gan_network *network, const char *name, gan_network **copy);

/** Draws all parameters and state anew by their initializers.
 *   network  inout borrowed
 *   seed     in value
 * Errors: ARGUMENT and those of gan_network_finish.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_network_initialize(gan_network *network, int64_t seed);

/** Number of inputs, outputs, and variables (parameters, then state); -1 for NULL or a network that failed.
 *   network  inout borrowed; NULL ok
 * Threads: context.  Since: 0.1 */
GAN_API int32_t gan_network_input_count(gan_network *network);
GAN_API int32_t gan_network_output_count(gan_network *network);
GAN_API int32_t gan_network_variable_count(gan_network *network);

/** Describes input, output or variable number index.
 *   network  inout borrowed
 *   index    in value; 0 .. count - 1
 *   info     inout borrowed; struct_size set by the caller
 * Errors: ARGUMENT.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_network_input_info(gan_network *network, int32_t index, gan_port *info);
GAN_API gan_status gan_network_output_info(gan_network *network, int32_t index, gan_port *info);
GAN_API gan_status gan_network_variable_info(gan_network *network, int32_t index, gan_variable *info);

/** Reads or writes a variable by its path. What is written is seen by the next step and by refreshed samplers.
 *   network  inout borrowed
 *   path     in borrowed; "dense1/weight"
 *   tensor   inout borrowed; as many elements as the variable, any type
 * Errors: ARGUMENT, SHAPE.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_network_get(gan_network *network, const char *path, gan_tensor *tensor);
GAN_API gan_status gan_network_set(gan_network *network, const char *path, const gan_tensor *tensor);

/** Measures the running statistics of a network's batch norms anew, as the mean over batches that it makes in training mode from
 * noise and labels drawn uniform: standing statistics (Brock et al. 2019). Averaged weights need them, since the statistics of
 * gan_follow() are those of other weights.
 *   network  inout borrowed; its inputs are noise or labels
 *   batch    in value; samples of a batch, >= 1
 *   batches  in value; >= 1
 *   seed     in value; of the noise
 * Errors: ARGUMENT, SHAPE, MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_network_settle(gan_network *network, int64_t batch, int64_t batches, int64_t seed);

/** Runs a network on tensors, in evaluation mode: y = net(x). Graph and plan are made for this one call; what runs often is a sampler
 * or a step of a game.
 *   network  inout borrowed
 *   n_in     in value; the number of inputs
 *   in       in borrowed; n_in tensors (batch, sizes of the input), in the order of the inputs; labels are i32 and checked; f64 and
 *            u8 become f32
 *   n_out    in value; 1 .. the number of outputs
 *   out      out owned; n_out tensors (batch, sizes of the output); gan_tensor_free
 * Errors: ARGUMENT, SHAPE, MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_network_run(gan_network *network, int32_t n_in, gan_tensor *const *in, int32_t n_out, gan_tensor **out);

/** Copies every variable of one network into another of the same structure.
 *   target  inout borrowed
 *   source  inout borrowed
 * Errors: ARGUMENT, SHAPE.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_network_copy(gan_network *target, gan_network *source);

/** Copies out a table: layer, output shape, parameters, FLOPs of one sample forward (a multiply-add counts 2).
 *   network   inout borrowed
 *   text      out borrowed; NULL ok if capacity is 0
 *   capacity  in value; bytes
 *   needed    out borrowed; NULL ok; length with the zero
 * Errors: ARGUMENT and those of gan_network_finish.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_network_summary(gan_network *network, char *text, int64_t capacity, int64_t *needed);

/** Number of trainable parameters; -1 for NULL or a network that failed.
 *   network  inout borrowed; NULL ok
 * Threads: context.  Since: 0.1 */
GAN_API int64_t gan_network_parameters(gan_network *network);

/** Saves structure and weights as safetensors, the structure as JSON in its metadata. By path: a temporary file beside it is
 * written, synced and renamed, so that the old file stays whole if anything fails.
 *   network  inout borrowed
 *   path     in borrowed
 *   stream   in borrowed; needs write
 * Errors: ARGUMENT, FILE, MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_network_save(gan_network *network, const char *path);
GAN_API gan_status gan_network_save_stream(gan_network *network, const gan_stream *stream);

/** Loads a network, structure and weights, from a file, a block of memory or a stream. The bytes are not trusted.
 *   context  in kept
 *   path     in borrowed
 *   bytes    in borrowed
 *   size     in value; bytes
 *   stream   in borrowed; needs read
 *   network  out owned; gan_network_free
 * Errors: ARGUMENT, FILE, FORMAT, UNSUPPORTED (newer format, unregistered layer), MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_network_load(gan_context *context, const char *path, gan_network **network);
GAN_API gan_status gan_network_load_memory(gan_context *context, const void *bytes, int64_t size, gan_network **network);
GAN_API gan_status gan_network_load_stream(gan_context *context, const gan_stream *stream, gan_network **network);

/** Takes the weights of another program's model out of a safetensors file, by a map of names: lines, separated by newlines or ';',
 *
 *     conv1/weight = main.0.weight
 *     norm1 = main.1                      # and all below: norm1/weight = main.1.weight ..
 *     dense1 = fc rows=256x7x7            # in front of reshape shape=7x7x256
 *     dense2 = out columns=128x7x7        # behind flatten of 7x7x128
 *     prelu1 = -                          # stays as it is
 *     - = *.num_batches_tracked           # is passed over
 *
 * What follows a '#' is a comment; '*', at most once a side, is any text, the same on both but for '.' instead of '/'. The first
 * line that fits a variable holds. Tensors are taken as PyTorch has them, channels before rows and columns: of three axes or more
 * the second goes to the end, (O, C, kh, kw) to (O, kh, kw, C), unless order=0,2,3,1 says which axis of theirs is the first, second
 * .. of ours (it holds for tensors of that many axes). rows and columns name the sizes, channels first, that the first and the
 * second axis of a tensor of one or two axes was flattened from: (C,H,W) becomes (H,W,C). f32, f64, f16 and bf16 are read. Every
 * variable has to have a line, every tensor a variable. On failure the network is as before.
 *   network  inout borrowed
 *   path     in borrowed
 *   bytes    in borrowed
 *   size     in value; bytes
 *   stream   in borrowed; needs read
 *   map      in borrowed
 * Errors: ARGUMENT, FILE, FORMAT, SHAPE, UNSUPPORTED, MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_network_import(gan_network *network, const char *path, const char *map);
GAN_API gan_status gan_network_import_memory(gan_network *network, const void *bytes, int64_t size, const char *map);
GAN_API gan_status gan_network_import_stream(gan_network *network, const gan_stream *stream, const char *map);

/** Writes the weights under the names and in the order of another program, by the map of gan_network_import: the same map imports
 * and exports. A variable with "= -" is left out.
 *   network  inout borrowed
 *   path     in borrowed; written to a temporary file, synced and renamed
 *   stream   in borrowed; needs write
 *   map      in borrowed
 * Errors: ARGUMENT, FILE, MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_network_export(gan_network *network, const char *path, const char *map);
GAN_API gan_status gan_network_export_stream(gan_network *network, const gan_stream *stream, const char *map);

/* ================================================================================================================ graphs */

/** Makes a graph of its own; the graphs of a game come from gan_game_add_step(). A graph by itself can be built,
 * differentiated and dumped; a game runs it.
 *   context  in kept
 *   graph    out owned; gan_graph_free
 * Errors: ARGUMENT, MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_graph_create(gan_context *context, gan_graph **graph);

/** Drops the caller's reference; nodes go with the graph.
 *   graph  in borrowed; NULL ok
 * Threads: any.  Since: 0.1 */
GAN_API void gan_graph_free(gan_graph *graph);

/** The first error of the building, with its sentence in the context; GAN_OK if there was none.
 *   graph  in borrowed
 * Errors: ARGUMENT, SHAPE, MEMORY, whatever stopped the building.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_graph_check(gan_graph *graph);

/** Copies out the graph for Graphviz, or as text, one line a node: id, name, op, type, shape, inputs.
 *   graph     in borrowed
 *   text      out borrowed; NULL ok if capacity is 0
 *   capacity  in value; bytes
 *   needed    out borrowed; NULL ok; length with the zero
 * Errors: ARGUMENT, MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_graph_dot(gan_graph *graph, char *text, int64_t capacity, int64_t *needed);
GAN_API gan_status gan_graph_text(gan_graph *graph, char *text, int64_t capacity, int64_t *needed);

/** Type (GAN_F32 or GAN_I32), rank and size of a node; -1 for an error node or an axis it has not got.
 *   node  in borrowed
 *   axis  in value; 0 .. rank - 1, or negative from the end
 * Threads: context.  Since: 0.1 */
GAN_API int32_t gan_node_type(const gan_node *node);
GAN_API int32_t gan_node_rank(const gan_node *node);
GAN_API int64_t gan_node_size(const gan_node *node, int32_t axis);

/** The graph of a node, for functions that get nodes only, such as callbacks of layers and losses.
 *   node  in borrowed; NULL ok
 * Returns: the graph, borrowed, or NULL for NULL and for a node that failed before it met a graph.  Threads: context.  Since: 0.1 */
GAN_API gan_graph *gan_node_graph(const gan_node *node);

/** Names a node, for dumps and error messages; returns it.
 *   node  inout borrowed
 *   name  in copied
 * Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_node_name(gan_node *node, const char *name);

/** Where values come in: an input that the caller binds by name before a step; a scalar that keeps its value until
 * gan_game_set(); a constant; a constant tensor (copied); random numbers, new in every step ("normal", "uniform low=-1 high=1",
 * "truncated-normal", all f32, or "integers low=0 high=10", i32; the stream is the game's seed, the name and the step), of a shape
 * or of that of another node.
 *   graph         inout borrowed
 *   name          in copied
 *   type          in value; GAN_F32 or GAN_I32
 *   rank          in value
 *   shape         in copied; rank sizes, batch first; a first size of -1 is the game's batch
 *   x             in borrowed; of any type
 *   value         in value
 *   tensor        in copied; f64 and u8 become f32
 *   distribution  in borrowed
 * Returns: the node.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_input(gan_graph *graph, const char *name, int32_t type, int32_t rank, const int64_t *shape);
GAN_API gan_node *gan_scalar(gan_graph *graph, const char *name, double value);
GAN_API gan_node *gan_constant(gan_graph *graph, double value);
GAN_API gan_node *gan_constant_tensor(gan_graph *graph, const gan_tensor *tensor);
GAN_API gan_node *gan_random(gan_graph *graph, const char *name, const char *distribution, int32_t rank, const int64_t *shape);
GAN_API gan_node *gan_random_like(gan_node *x, const char *name, const char *distribution);

/** A batch of one slot of a data source: (batch, sizes of a sample), f32 or i32. All slots of one source that a step asks for
 * belong to the same samples. The batch size is the game's.
 *   graph  inout borrowed; a step's
 *   data   in kept
 *   slot   in borrowed; "image"
 * Returns: the node.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_data_node(gan_graph *graph, gan_data *data, const char *slot);

/** A batch of a network's noise or label input, drawn anew in every step: noise (batch, sizes of the input) as the input's spec
 * says (default normal), labels (batch) uniform over their classes, i32.
 *   graph    inout borrowed; a step's
 *   network  inout borrowed
 *   input    in borrowed; "z"
 * Returns: the node.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_noise(gan_graph *graph, gan_network *network, const char *input);

/* How networks and layers are applied. */
#define GAN_EVALUATION 0 /* running statistics, no dropout */
#define GAN_TRAINING 1   /* batch statistics, dropout; state moves with the commit of its layer's parameters */
#define GAN_FROZEN 2     /* added to either: parameters are constants; gradients pass to the inputs, not to them */

/** Applies a network to one or two inputs, and gives its first output: for training; for training with its parameters frozen, so
 * that a loss shapes what comes in and not the network; for evaluation. Applying again shares the parameters.
 *   network  in kept
 *   x        in borrowed; (batch, sizes of the first input)
 *   y        in borrowed; (batch, sizes of the second input)
 * Returns: the node of the first output.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_apply(gan_network *network, gan_node *x);
GAN_API gan_node *gan_apply2(gan_network *network, gan_node *x, gan_node *y);
GAN_API gan_node *gan_apply_frozen(gan_network *network, gan_node *x);
GAN_API gan_node *gan_evaluate(gan_network *network, gan_node *x);
GAN_API gan_node *gan_evaluate2(gan_network *network, gan_node *x, gan_node *y);

/** Applies a network to all its inputs, and gives all its outputs.
 *   network  in kept
 *   mode     in value; GAN_EVALUATION or GAN_TRAINING, with GAN_FROZEN or without
 *   n_in     in value; the number of inputs
 *   in       in borrowed; n_in nodes of one graph, in the order in which the inputs were declared
 *   n_out    in value; up to the number of outputs
 *   out      out borrowed; n_out nodes, in the order in which the outputs were named
 * Threads: context.  Since: 0.1 */
GAN_API void gan_network_apply(gan_network *network, int32_t mode, int32_t n_in, gan_node *const *in, int32_t n_out, gan_node **out);

/** Applies a layer.
 *   layer  in kept
 *   mode   in value; GAN_EVALUATION or GAN_TRAINING, with GAN_FROZEN or without
 *   n_in   in value
 *   in     in borrowed; n_in nodes of one graph
 * Returns: the node.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_layer_apply(gan_layer *layer, int32_t mode, int32_t n_in, gan_node *const *in);

/** The node of a variable of a network, for penalties on weights and for freezing parts of a formula.
 *   graph    inout borrowed
 *   network  in kept
 *   path     in borrowed; "dense1/weight"
 * Returns: the node.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_variable_node(gan_graph *graph, gan_network *network, const char *path);

/** Arithmetic on nodes, element by element. Shapes broadcast as in NumPy: aligned at the end, sizes equal or 1.
 * Comparisons give 1 or 0 and have no gradient; sign and floor have none either. maximum and minimum give the whole gradient
 * to the first operand where both are equal; abs has gradient 0 at 0.
 *   a  in borrowed
 *   b  in borrowed; same graph
 * Returns: the node.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_add(gan_node *a, gan_node *b);
GAN_API gan_node *gan_sub(gan_node *a, gan_node *b);
GAN_API gan_node *gan_mul(gan_node *a, gan_node *b);
GAN_API gan_node *gan_div(gan_node *a, gan_node *b);
GAN_API gan_node *gan_maximum(gan_node *a, gan_node *b);
GAN_API gan_node *gan_minimum(gan_node *a, gan_node *b);
GAN_API gan_node *gan_pow(gan_node *a, gan_node *b);
GAN_API gan_node *gan_greater(gan_node *a, gan_node *b);
GAN_API gan_node *gan_greater_equal(gan_node *a, gan_node *b);
GAN_API gan_node *gan_equal(gan_node *a, gan_node *b);

/** Functions of one node, element by element. softplus(x) = log(1 + e^x) without overflow; relu(x) = max(x, 0) with gradient
 * 0 at 0; gelu is x/2 (1 + erf(x/sqrt 2)) (Hendrycks and Gimpel 2016); silu is x sigmoid(x); elu and selu: Clevert et al.
 * 2015, Klambauer et al. 2017.
 *   x  in borrowed
 * Returns: the node.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_neg(gan_node *x);
GAN_API gan_node *gan_abs(gan_node *x);
GAN_API gan_node *gan_sign(gan_node *x);
GAN_API gan_node *gan_floor(gan_node *x);
GAN_API gan_node *gan_square(gan_node *x);
GAN_API gan_node *gan_sqrt(gan_node *x);
GAN_API gan_node *gan_rsqrt(gan_node *x);
GAN_API gan_node *gan_reciprocal(gan_node *x);
GAN_API gan_node *gan_exp(gan_node *x);
GAN_API gan_node *gan_log(gan_node *x);
GAN_API gan_node *gan_tanh(gan_node *x);
GAN_API gan_node *gan_sigmoid(gan_node *x);
GAN_API gan_node *gan_softplus(gan_node *x);
GAN_API gan_node *gan_erf(gan_node *x);
GAN_API gan_node *gan_sin(gan_node *x);
GAN_API gan_node *gan_cos(gan_node *x);
GAN_API gan_node *gan_relu(gan_node *x);
GAN_API gan_node *gan_gelu(gan_node *x);
GAN_API gan_node *gan_silu(gan_node *x);
GAN_API gan_node *gan_selu(gan_node *x);

/** x times, x plus, x to the power of a number; x limited to low .. high; leaky ReLU with a slope on the negative side; ELU.
 *   x       in borrowed
 *   number  in value
 *   low     in value
 *   high    in value; >= low
 *   slope   in value
 *   alpha   in value
 * Returns: the node.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_scale(gan_node *x, double number);
GAN_API gan_node *gan_shift(gan_node *x, double number);
GAN_API gan_node *gan_power(gan_node *x, double number);
GAN_API gan_node *gan_clamp(gan_node *x, double low, double high);
GAN_API gan_node *gan_leaky_relu(gan_node *x, double slope);
GAN_API gan_node *gan_elu(gan_node *x, double alpha);

/* A node and what it counts for in a sum. */
typedef struct gan_term {
  double weight;
  gan_node *node;
} gan_term;

/** The weighted sum of nodes, element by element: a loss as papers write it, adversarial + 10 cycle + 5 identity.
 *   count  in value; >= 1
 *   terms  in borrowed; count nodes of one graph, f32, whose shapes broadcast, with finite weights
 * Returns: the node.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_total(int32_t count, const gan_term *terms);

/** condition != 0 ? a : b, element by element, broadcasting. No gradient to the condition.
 *   condition  in borrowed; f32
 *   a          in borrowed
 *   b          in borrowed
 * Returns: the node.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_select(gan_node *condition, gan_node *a, gan_node *b);

/** Sum and mean of all elements, a node of rank 0; Euclidean norm of each sample over all axes but the first: (batch), with
 * gradient 0 where the norm is 0.
 *   x  in borrowed
 * Returns: the node.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_sum(gan_node *x);
GAN_API gan_node *gan_mean(gan_node *x);
GAN_API gan_node *gan_norm_per_sample(gan_node *x);

/** Sum, mean, maximum over some axes. The gradient of the maximum is shared evenly between equal elements.
 *   x      in borrowed
 *   count  in value; number of axes
 *   axes   in borrowed; each 0 .. rank - 1, or negative from the end; none twice
 *   keep   in value; 1: reduced axes stay with size 1
 * Returns: the node.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_sum_axes(gan_node *x, int32_t count, const int32_t *axes, int32_t keep);
GAN_API gan_node *gan_mean_axes(gan_node *x, int32_t count, const int32_t *axes, int32_t keep);
GAN_API gan_node *gan_max_axes(gan_node *x, int32_t count, const int32_t *axes, int32_t keep);

/** Softmax, its logarithm, log of the sum of exponentials (axis stays with size 1), and index of the largest element (i32, the
 * first of equals, axis dropped).
 *   x     in borrowed
 *   axis  in value; 0 .. rank - 1, or negative from the end
 * Returns: the node.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_softmax(gan_node *x, int32_t axis);
GAN_API gan_node *gan_log_softmax(gan_node *x, int32_t axis);
GAN_API gan_node *gan_log_sum_exp(gan_node *x, int32_t axis);
GAN_API gan_node *gan_argmax(gan_node *x, int32_t axis);

/** Matrix product of the last two axes, leading axes broadcast: (.., m, k) (.., k, n) -> (.., m, n).
 *   a            in borrowed; rank >= 2
 *   b            in borrowed; rank >= 2
 *   transpose_a  in value; 1: a is (.., k, m)
 *   transpose_b  in value; 1: b is (.., n, k)
 * Returns: the node.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_matmul(gan_node *a, gan_node *b, int32_t transpose_a, int32_t transpose_b);

/** Convolutions of images (n,h,w,c) and sequences (n,length,c), zeros outside of them; transposed ones go the other way, from the
 * result's shape to the image's. Weights are PyTorch's with the channels moved last. Options, all of them optional:
 *     stride=1    step between places of the kernel; 2x1 is height x width
 *     padding=0   around the image: 1, 1x2, "top,bottom,left,right" ("before,after" of sequences), valid (0), or same: the result has
 *                 ceil(length / stride) places (transposed: length * stride); what is negative is cut off
 *     dilation=1  step between taps of the kernel
 *     groups=1    parts of the channels that do not see each other
 *     output-padding=0  transposed only: what the result is longer by at bottom and right; below stride or dilation
 * Where it is faster, by shape alone, they and their gradients are computed in Winograd's way: results then have the error of a
 * few roundings of their largest neighbours (below 6e-6 of the largest result of all), and one NaN or infinity reaches them.
 *   x        in borrowed; f32, (n,h,w,c) or (n,length,c)
 *   weight   in borrowed; conv: (outputs,kh,kw,c/groups) or (outputs,k,c/groups); transposed: (c,kh,kw,outputs/groups) or
 *            (c,k,outputs/groups)
 *   options  in borrowed; NULL ok: all as they stand above
 * Returns: the node, (n,oh,ow,outputs) or (n,places,outputs).  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_conv2d(gan_node *x, gan_node *weight, const char *options);
GAN_API gan_node *gan_conv_transpose2d(gan_node *x, gan_node *weight, const char *options);
GAN_API gan_node *gan_conv1d(gan_node *x, gan_node *weight, const char *options);
GAN_API gan_node *gan_conv_transpose1d(gan_node *x, gan_node *weight, const char *options);

/** An image, or a sequence, in another size. "nearest": the pixel under the upper left corner; "bilinear": a mean of two pixels
 * along each axis, weighted by the distance between centres (corners are not aligned; nothing is smoothed before shrinking).
 *   x       in borrowed; f32, gan_resize: (n,h,w,c), gan_resize1d: (n,length,c)
 *   height  in value; >= 1
 *   width   in value; >= 1
 *   length  in value; >= 1
 *   mode    in borrowed; "nearest", "bilinear"
 * Returns: the node.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_resize(gan_node *x, int64_t height, int64_t width, const char *mode);
GAN_API gan_node *gan_resize1d(gan_node *x, int64_t length, const char *mode);

/** The mean or the maximum of what lies under a kernel: "average kernel=2 stride=2 padding=0 count-include-pad=yes", "max kernel=3
 * stride=2 padding=1". The stride is the kernel's size if it is not given; padding is less than the kernel, as a size, same, valid
 * or "top,bottom,left,right", and is never a maximum. Where kernels do not overlap, equal maxima share the gradient evenly; else
 * the first has it. Pooling over everything is gan_mean_axes or gan_max_axes.
 *   x        in borrowed; f32, (n,h,w,c) or (n,length,c)
 *   options  in borrowed
 * Returns: the node.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_pool(gan_node *x, const char *options);

/** Pads images and sequences by zeros, by what lies inside mirrored at the outermost pixel ("reflect", less than the image has), or
 * by the outermost pixel ("replicate"). Negative padding cuts.
 *   x        in borrowed; f32, (n,h,w,c) or (n,length,c)
 *   mode     in borrowed; "zero", "reflect", "replicate"
 *   padding  in borrowed; "1", "1x2" (height x width), "top,bottom,left,right"; of sequences "1" or "before,after"
 * Returns: the node.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_pad_image(gan_node *x, const char *mode, const char *padding);

/** Channels to pixels and back: (n, h, w, c factor^2) <-> (n, h factor, w factor, c). A pixel's channels count c, then row, then
 * column, as PyTorch's do (Shi et al. 2016).
 *   x       in borrowed; f32
 *   factor  in value; >= 1
 * Returns: the node.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_pixel_shuffle(gan_node *x, int64_t factor);
GAN_API gan_node *gan_pixel_unshuffle(gan_node *x, int64_t factor);

/** Same elements in another shape; axes in another order; repeated to a shape (as broadcasting would).
 *   x      in borrowed
 *   rank   in value
 *   shape  in borrowed; rank sizes; gan_reshape: one may be -1
 *   order  in borrowed; rank axes: axis i of the result is axis order[i] of x
 * Returns: the node.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_reshape(gan_node *x, int32_t rank, const int64_t *shape);
GAN_API gan_node *gan_transpose(gan_node *x, int32_t rank, const int32_t *order);
GAN_API gan_node *gan_broadcast(gan_node *x, int32_t rank, const int64_t *shape);

/** Elements begin .. end - 1 along an axis; zeros before and after along an axis; several nodes joined along an axis.
 *   x      in borrowed
 *   axis   in value; 0 .. rank - 1, or negative from the end
 *   begin  in value
 *   end    in value
 *   before in value; >= 0
 *   after  in value; >= 0
 *   count  in value; >= 1
 *   nodes  in borrowed; count nodes of one graph
 * Returns: the node.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_slice(gan_node *x, int32_t axis, int64_t begin, int64_t end);
GAN_API gan_node *gan_pad(gan_node *x, int32_t axis, int64_t before, int64_t after);
GAN_API gan_node *gan_concat(int32_t count, gan_node *const *nodes, int32_t axis);

/** Rows of a table by index: table (n, ..), indices (any shape) -> (indices.., ..). Indices out of 0 .. n - 1 are refused where
 * they enter (labels, inputs); computed ones are clamped. one_hot: (any shape) -> (any shape, classes). to_float: i32 -> f32.
 *   table    in borrowed; f32, rank >= 1
 *   indices  in borrowed; i32
 *   classes  in value; >= 1
 * Returns: the node.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_gather(gan_node *table, gan_node *indices);
GAN_API gan_node *gan_one_hot(gan_node *indices, int64_t classes);
GAN_API gan_node *gan_to_float(gan_node *indices);

/** x itself, but a constant for gradients.
 *   x  in borrowed
 * Returns: the node.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_stop_gradient(gan_node *x);

/** The gradient of the sum of y's elements with respect to x, as nodes: it can be differentiated again, to any order. Zero where
 * y does not depend on x.
 *   y  in borrowed
 *   x  in borrowed; any node of the same graph, f32
 * Returns: a node of x's shape.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_gradient(gan_node *y, gan_node *x);

/** The gradients of a weighted sum of several nodes with respect to several others.
 *   n_y      in value; >= 1
 *   y        in borrowed; n_y nodes
 *   weights  in borrowed; NULL ok: ones; n_y nodes, each of the shape of its y (vector-Jacobian product)
 *   n_x      in value; >= 0
 *   x        in borrowed; n_x nodes
 *   out      out borrowed; n_x nodes
 * Threads: context.  Since: 0.1 */
GAN_API void gan_gradients(int32_t n_y, gan_node *const *y, gan_node *const *weights, int32_t n_x, gan_node *const *x, gan_node **out);

/** Makes a node an output of its step that gan_game_value() and gan_game_read() find by name; returns it.
 *   node  inout borrowed
 *   name  in copied; unique within the graph
 * Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_output(gan_node *node, const char *name);

/** Ends the present phase of a step and begins the next. Within a phase all parameters and state are constant; its updates
 * happen together at its end, or not at all (see gan_minimize). Nodes keep their values into later phases unless an update
 * changed what they depend on; then they are computed again. While the first phase has no update the call only names it, so that
 * what all phases share may come before.
 *   graph  inout borrowed; a step's
 *   name   in copied; for reports; "D", "G"
 * Threads: context.  Since: 0.1 */
GAN_API void gan_phase(gan_graph *graph, const char *name);

/** At the end of the present phase, one step of an optimizer on its parameters down the gradient of a loss. Several in one
 * phase happen together. Optimizers may be used in several phases and steps; their slots are shared.
 *   optimizer  in kept
 *   loss       in borrowed; rank 0
 * Threads: context.  Since: 0.1 */
GAN_API void gan_minimize(gan_optimizer *optimizer, gan_node *loss);

/** A step of an optimizer that is never committed: from here to the end of the phase, networks are applied with the weights that it
 * would give, as nodes through which gradients pass; again: one step further. So a generator learns against a discriminator that is
 * some steps ahead (unrolled GANs, Metz et al. 2017; MAML). Slots go along; each gradient makes a step, whatever `accumulate` says.
 *   optimizer  in kept; its set of parameters is closed by this
 *   loss       in borrowed; rank 0; of networks that were applied in this phase after the last step ahead
 * Threads: context.  Since: 0.1 */
GAN_API void gan_look_ahead(gan_optimizer *optimizer, gan_node *loss);

/** At the end of the present phase, after its updates: average = decay * average + (1 - decay) * network, on every variable
 * (state is copied). The usual exponential moving average of the generator (Yazici et al. 2018).
 *   graph    inout borrowed; a step's
 *   average  in kept; a clone of network
 *   network  in kept
 *   decay    in value; 0 .. 1
 * Threads: context.  Since: 0.1 */
GAN_API void gan_follow(gan_graph *graph, gan_network *average, gan_network *network, double decay);

/** The same with a decay that is a node: a scalar that the caller sets, for an average that begins fast.
 *   graph    inout borrowed; a step's
 *   average  in kept; a clone of network
 *   network  in kept
 *   decay    in borrowed; rank 0; its values lie in 0 .. 1
 * Threads: context.  Since: 0.1 */
GAN_API void gan_follow_by(gan_graph *graph, gan_network *average, gan_network *network, gan_node *decay);

/* ================================================================================================= losses and penalties */

/** Makes a loss ("non-saturating smooth=0.1") or a penalty ("wgan-gp weight=10") from text. Some have state, such as BEGAN's k: it
 * belongs to the handle, moves at the commit of the phase in which the loss was emitted, and is saved with the game.
 * docs/losses.md has them all with formulas and sources, gan_list_help() their parameters.
 *   context  in kept
 *   text     in borrowed
 *   loss     out owned; gan_loss_free
 * Errors: ARGUMENT, MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_loss_create(gan_context *context, const char *text, gan_loss **loss);

/** Drops the caller's reference.
 *   loss  in borrowed; NULL ok
 * Threads: any.  Since: 0.1 */
GAN_API void gan_loss_free(gan_loss *loss);

/** What the discriminator and the generator minimise, from the scores of real and generated samples (r and f; before any sigmoid,
 * of any shape, so that a discriminator of patches needs nothing special); means over all elements. Losses that need more than
 * scores are emitted by gan_loss_term().
 *   minimax           D: softplus(-r) + softplus(f); G: -softplus(f), saturating (Goodfellow et al. 2014, eq. 1)
 *   non-saturating    D: the same; G: softplus(-f) (Goodfellow et al. 2014, section 3)
 *   boundary-seeking  D: the same; G: f^2 / 2 (Hjelm et al. 2018, eq. 10)
 *   least-squares     D: ((r - b)^2 + (f - a)^2) / 2; G: (f - c)^2 / 2; a = 0, b = c = 1 (Mao et al. 2017)
 *   wasserstein       D: f - r; G: -f (Arjovsky et al. 2017)
 *   hinge             D: max(0, margin - r) + max(0, margin + f); G: -f; margin = 1 (Lim and Ye 2017)
 *   relativistic          D: h(r - f); G: h(f - r); on=logistic: h(x) = softplus(-x), on=least-squares: (x - 1)^2, on=hinge:
 *                         max(0, 1 - x) (Jolicoeur-Martineau 2018, section 3)
 *   relativistic-average  D: h(r - mean f) + h(mean r - f); G: h(f - mean r) + h(mean f - r) (the same, section 4)
 *   softmax           D: log sum e^(r, f) - mean r; G: log sum e^(r, f) - mean of all (Lin 2017)
 *   ebgan             energies: D: r + max(0, margin - f); G: f (Zhao et al. 2017)
 *   began             energies: D: r - k f; G: f; k += rate (gamma r - f), within 0 .. 1 (Berthelot et al. 2017)
 * Where D of ebgan or began is an autoencoder, give gan_loss_term() the samples: energies are |x - D(x)|^power.
 * Losses of single scores take smooth, smooth-fake (label smoothing: the share of the other label's formula, Salimans et al.
 * 2016), flip (chance that D is told the other label), real and fake (factors of the sides in D's loss).
 *   loss  in borrowed
 *   real  in borrowed; gan_loss_generator: NULL ok unless the loss is relativistic or softmax
 *   fake  in borrowed
 * Returns: a node of rank 0.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_loss_discriminator(gan_loss *loss, gan_node *real, gan_node *fake);
GAN_API gan_node *gan_loss_generator(gan_loss *loss, gan_node *real, gan_node *fake);

#define GAN_SIDE_D 0 /* what the discriminator minimises */
#define GAN_SIDE_G 1 /* what the generator minimises */

/* What losses and penalties look at; NULL or 0 where there is none: a loss that needs it says so. */
typedef struct gan_scene {
  int64_t struct_size;
  gan_graph *graph;                            /* the nodes' */
  gan_network *generator, *discriminator;
  gan_node *real, *fake;                       /* samples, (batch, ..) */
  gan_node *const *real_outputs;               /* the discriminator's at real, the scores first */
  gan_node *const *fake_outputs;               /* and at fake */
  gan_node *const *inputs;                     /* what fake was generated from, in the order of the generator's inputs */
  gan_node *const *conditions;                 /* the discriminator's further inputs */
  gan_node *real_labels, *fake_labels;         /* (batch), i32 */
  gan_node *real_weights, *fake_weights;       /* of the samples, (batch), or of each score: one of weight w counts as w do */
  int32_t n_outputs, n_inputs, n_conditions;
  int32_t n_networks;
  gan_network *const *networks;                /* that losses look through, by name; they stay as they are */
  gan_node *const *fake_conditions;            /* at fake, where they differ: as many as conditions; NULL: those */
} gan_scene;

/** Fills a scene with nothing.
 *   scene  out borrowed
 *   size   in value; sizeof(gan_scene) as the caller was compiled
 * Errors: ARGUMENT.  Threads: any.  Since: 0.1 */
GAN_API gan_status gan_scene_init(gan_scene *scene, int64_t size);

/** What a loss or penalty adds to one side of a game; a constant 0 if it adds nothing to that side. Besides the losses above and
 * the penalties below:
 *   ac-gan           weight (CE(real) + fake CE(fake)); G: weight CE(fake): cross-entropies of the labels (Odena et al. 2017)
 *   semi-supervised  D gives logits of K classes: D: softplus(-s) + softplus(s') + supervised CE of the labels below K, s = log
 *                    sum e^logits; G: generator softplus(-s') (Salimans et al. 2016, section 5)
 *   multi-hinge      D gives K + 1 logits: D: max(0, 1 + wrong - right), right the label's, for generated samples the last; G: the
 *                    same with their labels (Kavalerov et al. 2021)
 *   contrastive-2c, d2d-ce  weight gan_contrastive_2c(), gan_d2d_ce(): D at real samples, G at generated ones
 *   feature-matching, pull-away  G: weight gan_feature_matching(), gan_pull_away()
 *   l1, l2, huber, binary-cross-entropy, cross-entropy, gaussian-likelihood, kl-gaussian, kl-categorical, perceptual
 *                    G: weight gan_loss_pair() of generated and real samples, row by row (labels for cross-entropy; Isola et al.
 *                    2017); output=, input=: of an output of D and an input of G, for both sides
 *   cycle            D and G: weight mean |back - x|, back an output of D, x what G was applied to (Zhu et al. 2017)
 *   identity         G: weight mean |G(real) - real| (the same, section 5.2)
 *   mutual-information  D and G: weight gan_mutual_information() (Chen et al. 2016)
 *   score-drift      D: weight mean(r^2) (Karras et al. 2018)
 *   lecam            D: weight (mean((r - F)^2) + mean((f - R)^2)), F and R moving means of f and r (Tseng et al. 2021)
 *   orthogonal       weight sum of (W W' off the diagonal)^2 over the weights of D, G or both (Brock et al. 2019)
 *   spectral-norm    weight / 2 sum of sigma(W)^2, sigma the largest singular value (Yoshida and Miyato 2017)
 *   historical-averaging  weight |weights - their mean over all steps|^2 (Salimans et al. 2016, section 3.3)
 *   path-length      G: weight mean((|J' y| - a)^2), y normal / root of the pixels, a the moving mean of |J' y| (Karras et al.
 *                    2020)
 *   consistency      D: weight mean((D(real) - D(T(real)))^2), T an augmentation of gan_augment() (Zhang et al. 2020)
 *   bcr              D: the same + fake mean((D(fake) - D(T(fake)))^2) (Zhao et al. 2021)
 *   zcr              z' = z + noise; D: weight mean((D(G(z)) - D(G(z')))^2); G: -generator mean((G(z) - G(z'))^2) (Zhao et al.
 *                    2021)
 *   loss   in borrowed
 *   side   in value; GAN_SIDE_D, GAN_SIDE_G
 *   scene  in borrowed; graph is set
 * Returns: a node of rank 0.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_loss_term(gan_loss *loss, int32_t side, const gan_scene *scene);

/** A loss that compares a prediction p with what it should be, t, anywhere in a graph; means over all elements, or sums over each
 * sample in the mean of the batch. Each takes weight.
 *   l1, l2, huber         |p - t|; its square; d^2 / 2 of d = |p - t| up to delta, then delta (d - delta / 2) (Huber 1964)
 *   cycle, identity       |p - t|, weighted 10 and 5 times (Zhu et al. 2017)
 *   binary-cross-entropy  softplus(p) - p t, of logits
 *   cross-entropy         -log softmax(p)[t], of (batch, classes) and labels (batch), i32
 *   gaussian-likelihood   sum of ((t - m)^2 e^-v + v + log 2 pi) / 2, p = m, or m and v along the last axis
 *   kl-gaussian           sum of (e^v + m^2 - 1 - v) / 2, p = m and v along the last axis (Kingma and Welling 2014)
 *   kl-categorical        sum of q (log q - log p) over the last axis, of logits
 *   loss        in borrowed
 *   prediction  in borrowed
 *   target      in borrowed; NULL ok for kl-gaussian
 *   weights     in borrowed; of the samples, (batch), or of each element; NULL ok: all alike
 * Returns: a node of rank 0.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_loss_pair(gan_loss *loss, gan_node *prediction, gan_node *target, gan_node *weights);

/** A penalty on a discriminator at real and generated samples; grad D is the gradient of the score with respect to the sample.
 *   wgan-gp   weight mean((|grad D(x)| - target)^2) at x = e real + (1 - e) fake, e uniform per sample (Gulrajani et al. 2017)
 *   wgan-lp   the same of max(0, |grad D(x)| - target) (Petzka et al. 2018)
 *   wgan-div  weight / 2 (mean(|grad D(real)|^power) + mean(|grad D(fake)|^power)), power = 6 (Wu et al. 2018)
 *   dragan    as wgan-gp at x = real + e noise std(real) u, u uniform per element, noise = 0.5 (Kodali et al. 2017)
 *   r1, r2    weight / 2 mean(|grad D(real)|^2), of fake (Mescheder et al. 2018)
 *   maximal-gradient  weight max(|grad D(x)|^2) at the points of wgan-gp (Zhou et al. 2019)
 *   penalty        in borrowed
 *   discriminator  in kept
 *   real           in borrowed; (batch, ..); NULL ok if the penalty does not look at it
 *   fake           in borrowed; (batch, ..); NULL ok if the penalty does not look at it
 *   n_conditions   in value; further inputs of the discriminator
 *   conditions     in borrowed; NULL ok if n_conditions is 0
 * Returns: a node of rank 0.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_loss_penalty(gan_loss *penalty, gan_network *discriminator, gan_node *real, gan_node *fake,
                                   int32_t n_conditions, gan_node *const *conditions);

/** Reads a state of a loss that is one number: "k" of began.
 *   loss   inout borrowed
 *   state  in borrowed
 *   value  out borrowed
 * Errors: ARGUMENT (none of that name; states are made when the loss is first emitted), SHAPE.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_loss_get(gan_loss *loss, const char *state, double *value);

/** Writes it; the next step sees it.
 *   loss   inout borrowed
 *   state  in borrowed
 *   value  in value; finite
 * Errors: those of gan_loss_get.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_loss_set(gan_loss *loss, const char *state, double value);

/** Mean of -log softmax(logits)[label]: the negative log-likelihood of a categorical distribution.
 *   logits  in borrowed; (batch, classes)
 *   labels  in borrowed; (batch), i32
 * Returns: a node of rank 0.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_cross_entropy(gan_node *logits, gan_node *labels);

/** Mean of the sigmoid cross-entropy of logits with a target in 0 .. 1: softplus(x) - x target.
 *   logits  in borrowed; any shape
 *   target  in value
 * Returns: a node of rank 0.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_binary_cross_entropy(gan_node *logits, double target);

/** The same with a target for each logit.
 *   logits   in borrowed; any shape
 *   targets  in borrowed; the same shape
 * Returns: a node of rank 0.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_binary_cross_entropy_to(gan_node *logits, gan_node *targets);

/** Distances, means over all elements of d = a - b: |d|; d^2; d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2) (Huber
 * 1964). CycleGAN's cycle and identity losses are gan_l1(back(there(x)), x) and gan_l1(there(y), y) (Zhu et al. 2017).
 *   a      in borrowed; any shape
 *   b      in borrowed; the same shape
 *   delta  in value; > 0
 * Returns: a node of rank 0.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_l1(gan_node *a, gan_node *b);
GAN_API gan_node *gan_l2(gan_node *a, gan_node *b);
GAN_API gan_node *gan_huber(gan_node *a, gan_node *b, double delta);

/** Distance in the eyes of a network: the sum over its outputs of the mean squared difference (Johnson et al. 2016). The network is
 * applied for evaluation and frozen: it stays as it is. No gradient to the target.
 *   network  in kept; of one input
 *   x        in borrowed; (batch, sizes of the input)
 *   target   in borrowed; the same shape
 * Returns: a node of rank 0.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_perceptual(gan_network *network, gan_node *x, gan_node *target);

/** Divergences from a distribution that nodes describe, per sample and in the mean of the batch: of a Gaussian from the standard
 * one, sum of (e^v + m^2 - 1 - v) / 2 (Kingma and Welling 2014); between two categorical ones, sum of p (log p - log q) over the
 * last axis.
 *   mean          in borrowed; (batch, ..)
 *   log_variance  in borrowed; the same shape
 *   p             in borrowed; logits, (.., classes)
 *   q             in borrowed; the same shape
 * Returns: a node of rank 0.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_kl_gaussian(gan_node *mean, gan_node *log_variance);
GAN_API gan_node *gan_kl_categorical(gan_node *p, gan_node *q);

/** A sample of the Gaussian that nodes describe, m + e^(v/2) noise, so that gradients pass to both (Kingma and Welling 2014, section
 * 2.4).
 *   mean          in borrowed
 *   log_variance  in borrowed; the same shape
 *   noise         in borrowed; the same shape; normal: gan_random_like(mean, "noise", "normal")
 * Returns: a node of the same shape.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_gaussian_sample(gan_node *mean, gan_node *log_variance, gan_node *noise);

/** Negative log-likelihood of x under a Gaussian, summed over each sample, in the mean of the batch: ((x - m)^2 e^-v + v + log 2
 * pi) / 2.
 *   x             in borrowed; (batch, ..)
 *   mean          in borrowed; the same shape
 *   log_variance  in borrowed; the same shape; NULL ok: variance 1
 * Returns: a node of rank 0.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_gaussian_likelihood(gan_node *x, gan_node *mean, gan_node *log_variance);

/** Minus the variational lower bound on the mutual information of a code and the samples made with it, in nats (InfoGAN, Chen et
 * al. 2016): the negative log-likelihood of the code under its prediction, less the entropy of the code.
 *   code          in borrowed; categorical: (batch), i32; else (batch, n), f32
 *   prediction    in borrowed; logits (batch, classes); else means (batch, n), or means and log variances (batch, 2 n)
 *   distribution  in borrowed; of the code: "categorical", "uniform" (in -1 .. 1), "normal"
 * Returns: a node of rank 0.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_mutual_information(gan_node *code, gan_node *prediction, const char *distribution);

/** |mean(real) - mean(fake)|^2, means over the batch (Salimans et al. 2016, section 3.1).
 *   real  in borrowed; features, (batch, ..)
 *   fake  in borrowed; (any batch, the same sizes)
 * Returns: a node of rank 0.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_feature_matching(gan_node *real, gan_node *fake);

/** Mean of the squared cosine of all pairs of different samples (Zhao et al. 2017, section 2.4).
 *   features  in borrowed; (batch, columns), batch >= 2
 * Returns: a node of rank 0.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_pull_away(gan_node *features);

/** log of the sum of e^logits over the classes: the score of being real, for a discriminator of K classes whose logit for one more,
 * "generated", is 0 (Salimans et al. 2016, section 5).
 *   logits  in borrowed; (batch, .., classes)
 * Returns: a node (batch, ..).  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_class_score(gan_node *logits);

/** Mean of max(0, 1 + largest wrong logit - right logit) (Crammer and Singer 2001; in GANs: Kavalerov et al. 2021).
 *   logits  in borrowed; (batch, classes)
 *   labels  in borrowed; (batch), i32
 * Returns: a node of rank 0.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_multi_hinge(gan_node *logits, gan_node *labels);

/** Contrasts in a batch, with c(i, j) the cosine of features i and j, c(i) that of features i and their embedding, t the
 * temperature.
 *   2C      mean of log(e^(c(i)/t) + sum over j != i of e^(c(i, j)/t)) - log(the same over j of i's label) (ContraGAN, Kang and
 *           Park 2020)
 *   D2D-CE  mean of log(e^(p(i)) + sum over j of other labels of e^(max(0, c(i, j) - 1 + margin)/t)) - p(i),
 *           p(i) = min(0, c(i) - margin)/t (ReACGAN, Kang et al. 2021)
 *   features     in borrowed; (batch, columns)
 *   embeddings   in borrowed; (batch, columns); of each sample's class
 *   labels       in borrowed; (batch), i32
 *   temperature  in value; > 0
 *   margin       in value; 0 .. 1
 * Returns: a node of rank 0.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_contrastive_2c(gan_node *features, gan_node *embeddings, gan_node *labels, double temperature);
GAN_API gan_node *gan_d2d_ce(gan_node *features, gan_node *embeddings, gan_node *labels, double temperature, double margin);

/** loss + c other, with c such that the gradient of c other is ratio times as long as that of loss: c = ratio |grad loss| /
 * (|grad other| + 1e-6), a constant for gradients.
 *   loss   in borrowed; rank 0
 *   other  in borrowed; rank 0
 *   ratio  in value; >= 0
 *   count  in value; >= 1
 *   at     in borrowed; count nodes with respect to which the gradients are taken: weights, or a generator's output
 * Returns: a node of rank 0.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_mix_by_gradient(gan_node *loss, gan_node *other, double ratio, int32_t count, gan_node *const *at);

/** Augments samples so that a gradient passes through, each augmentation at a sample with the chance p: "color" (brightness +
 * -0.5 .. 0.5, saturation * 0 .. 2, contrast * 0.5 .. 1.5), "flip" (left and right, every other sample), "translation=0.125" (by
 * up to that share of height and width, zeros come in), "cutout=0.5" (a rectangle of that share becomes 0), "noise=0.1" (normal
 * noise); several with blanks between. DiffAugment (Zhao et al. 2020); with p moved by the scores ADA (Karras et al. 2020). Each
 * call draws its own numbers.
 *   x     in borrowed; (batch, height, width, channels); noise: (batch, ..)
 *   text  in borrowed; "color translation=0.125 cutout=0.5"
 *   p     in borrowed; rank 0; NULL ok: always
 * Returns: a node of x's shape.  Threads: context.  Since: 0.1 */
GAN_API gan_node *gan_augment(gan_node *x, const char *text, gan_node *p);

/* Emits the nodes of a loss: side 0 is what D minimises, 1 what G minimises; real is NULL where the game has none. */
typedef gan_node *(*gan_loss_function)(void *user, int32_t side, gan_node *real, gan_node *fake);

/** Registers a loss by name in a context, so that gan_loss_create() and the trainer find it.
 *   context   in borrowed
 *   name      in copied; letters, digits and hyphens; not yet taken
 *   function  in kept; runs on the thread that builds; may call node functions only
 *   user      in kept; NULL ok
 *   release   in kept; NULL ok; called with (user, user, 0) when the context goes
 * Errors: ARGUMENT, MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_context_add_loss(gan_context *context, const char *name, gan_loss_function function, void *user, gan_release release);

/* Emits what a penalty adds to one side of a game (GAN_SIDE_D, GAN_SIDE_G); NULL: nothing. The scene is borrowed. */
typedef gan_node *(*gan_penalty_function)(void *user, int32_t side, const gan_scene *scene);

/** Registers a penalty by name in a context, so that gan_loss_create() and the trainer find it: "NAME weight=2 every=4".
 *   context   in borrowed
 *   name      in copied; letters, digits and hyphens; not yet taken by a loss or penalty
 *   function  in kept; runs on the thread that builds; may call node functions only
 *   user      in kept; NULL ok
 *   release   in kept; NULL ok; called with (user, user, 0) when the context goes
 * Errors: ARGUMENT, MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_context_add_penalty(gan_context *context, const char *name, gan_penalty_function function, void *user,
                                           gan_release release);

/* ============================================================================================================ optimizers */

/** Makes an optimizer from text. Common parameters: rate, schedule=(cosine steps=10000), clip (each element of the gradient),
 * clip-norm (the whole gradient), bound (weights are cut to +-bound after the step: WGAN's clipping), accumulate (runs of a phase
 * whose mean gradient makes one step; until then the phase ends without a commit, and state stays, too).
 *   sgd      rate momentum nesterov decay
 *   rmsprop  rate decay epsilon momentum (Tieleman and Hinton 2012; as PyTorch: alpha is the decay)
 *   adam     rate beta1 beta2 epsilon (Kingma and Ba 2015)
 *   adamw    the same and decay, decoupled (Loshchilov and Hutter 2019)
 * Schedules: "constant", "step every=1000 factor=0.5", "linear end=0 steps=10000", "cosine end=0 steps=10000", each with
 * warmup=N; they multiply the rate.
 *   context    in kept
 *   name       in copied; its slots and scalars carry it in checkpoints; unique within a game
 *   text       in borrowed; "adam rate=2e-4 beta1=0.5"
 *   optimizer  out owned; gan_optimizer_free
 * Errors: ARGUMENT, MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_optimizer_create(gan_context *context, const char *name, const char *text, gan_optimizer **optimizer);

/** Drops the caller's reference.
 *   optimizer  in borrowed; NULL ok
 * Threads: any.  Since: 0.1 */
GAN_API void gan_optimizer_free(gan_optimizer *optimizer);

/** Adds parameters of a network to the optimizer's set; those not added stay as they are (frozen). A parameter is in a set once.
 *   optimizer  inout borrowed; not yet in a prepared game
 *   network    in kept
 *   pattern    in borrowed; NULL ok: all; paths with '*' (any run of characters), several separated by ','; those that match a
 *              pattern behind a '!' are left out: "*,!block1*"
 *   rate       in value; multiplies the learning rate; 1 is usual
 *   decay      in value; multiplies the weight decay; 1 is usual
 * Errors: ARGUMENT (no path matches), MEMORY and those of gan_network_finish.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_optimizer_add(gan_optimizer *optimizer, gan_network *network, const char *pattern, double rate, double decay);

/** The learning rate before its schedule: reads it (0 for NULL); sets it from the next step on.
 *   optimizer  inout borrowed
 *   rate       in value; >= 0 and finite
 * Errors: ARGUMENT.  Threads: context.  Since: 0.1 */
GAN_API double gan_optimizer_rate(const gan_optimizer *optimizer);
GAN_API gan_status gan_optimizer_set_rate(gan_optimizer *optimizer, double rate);

/* ================================================================================================================== data */

/** Makes an empty data source, to be filled with slots. All slots have the same number of samples.
 *   context  in kept
 *   data     out owned; gan_data_free
 * Errors: ARGUMENT, MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_data_create(gan_context *context, gan_data **data);

/** Drops the caller's reference.
 *   data  in borrowed; NULL ok
 * Threads: any.  Since: 0.1 */
GAN_API void gan_data_free(gan_data *data);

/** Adds a slot from memory: samples along the first axis.
 *   data    inout borrowed
 *   slot    in copied; "image"
 *   tensor  in kept; u8 is mapped from 0 .. 255 to the range; i32 are labels; f32 and f64 are taken as they are
 *   spec    in borrowed; NULL ok; "range=-1..1" (u8; the default), "classes=10" (i32: checked now, all of them)
 * Errors: ARGUMENT, SHAPE, MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_data_add(gan_data *data, const char *slot, gan_tensor *tensor, const char *spec);

/* Fills tensors[s] (count, sizes of slot s; f32 or i32, in the order of the slots) with samples indices[0 .. count - 1]. Runs on
 * the thread of the step, or of gan_trainer_create() for a reference batch. Non-zero stops that with GAN_ERROR_CALLBACK. May call
 * tensor functions only. */
typedef int32_t (*gan_data_fill)(void *user, const int64_t *indices, int64_t count, gan_tensor *const *tensors);

/** Makes the slots come from a callback with random access.
 *   data     inout borrowed; empty
 *   count    in value; number of samples, >= 1
 *   slots    in borrowed; one line a slot, separated by ';' or newlines: "image 28x28x1; label classes=10"
 *   fill     in kept
 *   user     in kept; NULL ok
 *   release  in kept; NULL ok; called with (user, user, 0) when nothing needs it any more
 * Errors: ARGUMENT, STATE, MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_data_callback(gan_data *data, int64_t count, const char *slots, gan_data_fill fill, void *user, gan_release release);

/** Number of samples; 0 for NULL or an empty source.
 *   data  in borrowed; NULL ok
 * Threads: context.  Since: 0.1 */
GAN_API int64_t gan_data_count(const gan_data *data);

/* ================================================================================================================= games */

typedef struct gan_game_config {
  int64_t struct_size;
  int64_t batch;  /* samples in a batch; default 64 */
  int64_t seed;   /* 0: the context's */
} gan_game_config;

/** Fills a config with defaults.
 *   config  out borrowed
 *   size    in value; sizeof(gan_game_config) as the caller was compiled
 * Errors: ARGUMENT.  Threads: any.  Since: 0.1 */
GAN_API gan_status gan_game_config_init(gan_game_config *config, int64_t size);

/** Makes a game without steps.
 *   context  in kept
 *   config   in copied; NULL ok: defaults
 *   game     out owned; gan_game_free
 * Errors: ARGUMENT, MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_game_create(gan_context *context, const gan_game_config *config, gan_game **game);

/** Drops the caller's reference.
 *   game  in borrowed; NULL ok
 * Threads: any.  Since: 0.1 */
GAN_API void gan_game_free(gan_game *game);

/** Adds a named step and gives its graph, which is built with the node functions, gan_phase and gan_minimize.
 *   game   inout borrowed; not yet prepared
 *   name   in copied; unique within the game
 *   graph  out borrowed; the game's; valid as long as it
 * Errors: ARGUMENT, STATE, MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_game_add_step(gan_game *game, const char *name, gan_graph **graph);

/** Makes the plans of all steps. After it, steps allocate nothing. Called by the first step if it was not.
 *   game  inout borrowed
 * Errors: the first of the graphs', MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_game_prepare(gan_game *game);

/** Bytes that the plans need for activations and workspace, and floating-point operations of one run of a step (products
 * only: 2 m n k each). Known before anything runs.
 *   game   inout borrowed; is prepared if it was not
 *   step   in borrowed; NULL ok: all steps
 *   bytes  out borrowed; NULL ok
 *   flops  out borrowed; NULL ok
 * Errors: ARGUMENT and those of gan_game_prepare.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_game_cost(gan_game *game, const char *step, int64_t *bytes, int64_t *flops);

/** Runs a step once, or count times.
 *   game   inout borrowed
 *   step   in borrowed; its name
 *   count  in value; >= 0
 * Errors: NOT_FINITE (gan_game_report names step, phase and tensor; earlier phases stand), CANCELLED (before a step, nothing lost),
 * CALLBACK, ARGUMENT and those of gan_game_prepare.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_game_step(gan_game *game, const char *step);
GAN_API gan_status gan_game_run(gan_game *game, const char *step, int64_t count);

/** Sets an input (by copying; labels are checked) or a scalar of every step that has one of this name, until it is set again.
 *   game    inout borrowed; is prepared if it was not
 *   name    in borrowed
 *   tensor  in borrowed; as many elements as the input
 *   value   in value
 * Errors: ARGUMENT, SHAPE and those of gan_game_prepare.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_game_bind(gan_game *game, const char *name, const gan_tensor *tensor);
GAN_API gan_status gan_game_set(gan_game *game, const char *name, double value);

/** Reads an output of a step as of its last run: one number, or a tensor.
 *   game    in borrowed
 *   step    in borrowed
 *   output  in borrowed; a name given by gan_output
 *   value   out borrowed
 *   tensor  inout borrowed; as many elements as the output
 * Errors: ARGUMENT, SHAPE, STATE (not run yet).  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_game_value(gan_game *game, const char *step, const char *output, double *value);
GAN_API gan_status gan_game_read(gan_game *game, const char *step, const char *output, gan_tensor *tensor);

/** Number of steps run so far, of all names.
 *   game  in borrowed; NULL ok: 0
 * Threads: context.  Since: 0.1 */
GAN_API int64_t gan_game_steps(const gan_game *game);

/** Copies out what the last step came to: step, phase, losses, norms of gradients; after GAN_ERROR_NOT_FINITE the tensor that is
 * not finite; with the context's debug option a line a node with min, max, mean and how many elements are not finite.
 *   game      in borrowed
 *   text      out borrowed; NULL ok if capacity is 0
 *   capacity  in value; bytes
 *   needed    out borrowed; NULL ok; length with the zero
 * Errors: ARGUMENT, MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_game_report(gan_game *game, char *text, int64_t capacity, int64_t *needed);

/** Asks the running gan_game_run or gan_trainer_run to stop before its next step, with GAN_ERROR_CANCELLED. The request is
 * used up by that. Async-signal-safe.
 *   game  inout borrowed; NULL ok
 * Threads: any, and signal handlers.  Since: 0.1 */
GAN_API void gan_game_cancel(gan_game *game);

/* Gets the flat gradient of one optimizer between check and update, and may change it (an all-reduce sits here). Runs on the
 * thread of the step; may call nothing of libgan on the same context. Non-zero stops the phase: nothing is committed. */
typedef int32_t (*gan_gradient_hook)(void *user, const char *optimizer, float *gradient, int64_t count);

/** Sets the hook on flat gradients.
 *   game  inout borrowed
 *   hook  in kept; NULL ok: none
 *   user  in kept; NULL ok
 * Errors: ARGUMENT.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_game_set_hook(gan_game *game, gan_gradient_hook hook, void *user);

/** Saves and restores the whole state: variables of all networks, slots, averages, random streams, position in the data, steps. In
 * deterministic mode a run that was saved and restored goes on with the same bits. Restoring needs a game of the same structure;
 * on failure the game is as before. A file of another build or instruction set is restored, with a warning in the log.
 *   game    inout borrowed; is prepared if it was not
 *   path    in borrowed; written to a temporary file, synced and renamed
 *   stream  in borrowed
 * Errors: ARGUMENT, FILE, FORMAT, SHAPE, UNSUPPORTED, MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_game_save(gan_game *game, const char *path);
GAN_API gan_status gan_game_save_stream(gan_game *game, const gan_stream *stream);
GAN_API gan_status gan_game_restore(gan_game *game, const char *path);
GAN_API gan_status gan_game_restore_stream(gan_game *game, const gan_stream *stream);

/* =============================================================================================================== trainer */

/* What a trainer reports. d_real and d_fake are means of sigmoid(score) (of the score itself for losses without probabilities). */
typedef struct gan_progress {
  int64_t struct_size;
  int64_t step;              /* finished steps */
  int64_t steps;             /* to do in all */
  int64_t samples;           /* real samples seen */
  double epoch;              /* passes through the data, with fraction */
  double loss_d, loss_g;     /* of the last step */
  double d_real, d_fake;
  double norm_d, norm_g;     /* Euclidean norms of the gradients */
  double samples_per_second; /* smoothed */
  double seconds;            /* since this gan_trainer_run began (the counts above are of the whole training) */
  double eta;                /* seconds left of this gan_trainer_run, estimated */
} gan_progress;

/* Runs on the thread of gan_trainer_run. May sample, save, read weights. Non-zero stops the run with GAN_ERROR_CALLBACK. */
typedef int32_t (*gan_progress_function)(void *user, gan_trainer *trainer, const gan_progress *progress);

typedef struct gan_trainer_config {
  int64_t struct_size;
  int64_t batch;                  /* default 64 */
  int64_t steps;                  /* generator steps of gan_trainer_run; default 10000 */
  int64_t seed;                   /* 0: the context's */
  int64_t progress_every;         /* steps between calls of progress; default 100 */
  const char *loss;               /* default "non-saturating"; several between ';': "hinge; ac-gan weight=0.5" */
  const char *penalty;            /* NULL: none; "wgan-gp weight=10"; several between ';': "r1 weight=10 every=16; lecam" */
  const char *optimizer_d;        /* default "adam rate=2e-4 beta1=0.5" */
  const char *optimizer_g;        /* default "adam rate=2e-4 beta1=0.5" */
  const char *image;              /* slot of the data that goes to D; default: the first */
  gan_progress_function progress; /* NULL: none */
  void *progress_user;
  double ema;                     /* decay of the averaged generator, 0: none; short for the device ema, which goes before it */
  double instance_noise;          /* standard deviation of noise added to D's inputs; 0: none; short for the device */
  int32_t d_steps;                /* steps of D per step of G; default 1 */
  int32_t fresh_noise;            /* 1: G's phase draws its own noise; 0: it reuses the batch that D saw (default) */
  const char *devices;            /* NULL: none; "ema decay=0.999 warmup=10; augment; top-k", see GAN_LIST_DEVICES */
  gan_network *const *networks;   /* NULL: none; that losses look through, "perceptual network=eyes"; kept, they stay as they are */
  int32_t n_networks;
  int32_t reserved;               /* 0 */
} gan_trainer_config;

/** Fills a config with defaults.
 *   config  out borrowed
 *   size    in value; sizeof(gan_trainer_config) as the caller was compiled
 * Errors: ARGUMENT.  Threads: any.  Since: 0.1 */
GAN_API gan_status gan_trainer_config_init(gan_trainer_config *config, int64_t size);

/** Sets loss, penalty, optimizers, d_steps, batch, ema and fresh_noise as a preset's source has them.
 *   config  inout borrowed
 *   preset  in borrowed; "article", "dcgan-64 filters=32"; text is static, nothing to free
 * Errors: ARGUMENT.  Threads: any.  Since: 0.1 */
GAN_API gan_status gan_trainer_config_preset(gan_trainer_config *config, const char *preset);

/** Makes the two-player game of a generator and a discriminator on a data source. Inputs of both networks take the data's slots of
 * their names: labels (i32), numbers, label maps, images. What the generator takes and the data has not got is drawn: noise, labels
 * uniform over their classes. A network with virtual batch norm passes a reference batch first in each phase: the
 * data's first samples, and one draw of noise and labels, all through the training.
 *   generator      in kept; the first input is noise unless the data has its name; its first output has the shape of the image slot
 *   discriminator  in kept; its first input has the shape of the image slot
 *   data           in kept
 *   config         in copied; NULL ok: defaults
 *   trainer        out owned; gan_trainer_free
 * Errors: ARGUMENT, SHAPE, MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_trainer_create(gan_network *generator, gan_network *discriminator, gan_data *data,
                                      const gan_trainer_config *config, gan_trainer **trainer);

/** Drops the caller's reference.
 *   trainer  in borrowed; NULL ok
 * Threads: any.  Since: 0.1 */
GAN_API void gan_trainer_free(gan_trainer *trainer);

/** One step: d_steps updates of D, one of G. Or all that are left up to config.steps, with progress.
 *   trainer  inout borrowed
 * Errors: those of gan_game_step.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_trainer_step(gan_trainer *trainer);
GAN_API gan_status gan_trainer_run(gan_trainer *trainer);

/** Changes the number of steps at which gan_trainer_run stops.
 *   trainer  inout borrowed
 *   steps    in value; >= 0
 * Errors: ARGUMENT.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_trainer_set_steps(gan_trainer *trainer, int64_t steps);

/** What the last step came to.
 *   trainer   in borrowed
 *   progress  inout borrowed; struct_size set by the caller
 * Errors: ARGUMENT.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_trainer_progress(const gan_trainer *trainer, gan_progress *progress);

/** The game below the trainer, for hooks, reports and cost; its steps are named "D" (only D's update) and "DG", or "D" and "G"
 * where an optimizer accumulates gradients; each penalty with every=N has one of its name, "r1".
 *   trainer  in borrowed
 * Returns: the game, the trainer's, or NULL for NULL.  Threads: context.  Since: 0.1 */
GAN_API gan_game *gan_trainer_game(const gan_trainer *trainer);

/** The generator to sample from: the averaged one if config.ema is set, else the generator itself.
 *   trainer  in borrowed
 * Returns: the network, the trainer's, or NULL for NULL.  Threads: context.  Since: 0.1 */
GAN_API gan_network *gan_trainer_generator(const gan_trainer *trainer);

/** Generates samples from the present weights, in evaluation mode. Sample i depends on the seed and i; labels cycle through their
 * classes. A generator that takes numbers or images of the data gets those of the data's sample i, and its label. The sampler
 * behind it is made at the first call.
 *   trainer  inout borrowed
 *   first    in value; index of the first sample
 *   count    in value; >= 1
 *   out      out borrowed; count samples, f32
 * Errors: ARGUMENT, MEMORY.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_trainer_sample(gan_trainer *trainer, int64_t first, int64_t count, float *out);

/** Stops gan_trainer_run before its next step. Async-signal-safe.
 *   trainer  inout borrowed; NULL ok
 * Threads: any, and signal handlers.  Since: 0.1 */
GAN_API void gan_trainer_cancel(gan_trainer *trainer);

/** Saves and restores as gan_game_save and gan_game_restore.
 *   trainer  inout borrowed
 *   path     in borrowed
 * Errors: those of gan_game_save.  Threads: context.  Since: 0.1 */
GAN_API gan_status gan_trainer_save(gan_trainer *trainer, const char *path);
GAN_API gan_status gan_trainer_restore(gan_trainer *trainer, const char *path);

/* =============================================================================================================== sampler */

typedef struct gan_sampler_config {
  int64_t struct_size;
  int64_t max_batch; /* samples computed together; default 64 */
  int64_t seed;      /* of the noise; 0: the context's */
  int32_t threads;   /* default 1: the calls make no system call */
  int32_t output;    /* which output of the network; default 0 */
  double truncation; /* normal noise is drawn from what lies within so many standard deviations, up to 2: quality for variety (Brock
                        et al. 2019); 0: as the input says (default) */
} gan_sampler_config;

/** Fills a config with defaults.
 *   config  out borrowed
 *   size    in value; sizeof(gan_sampler_config) as the caller was compiled
 * Errors: ARGUMENT.  Threads: any.  Since: 0.1 */
GAN_API gan_status gan_sampler_config_init(gan_sampler_config *config, int64_t size);

/** Takes a packed snapshot of a network in evaluation mode. All that can wait or fail happens here. From then on the functions
 * below marked `real time`, on a sampler of one thread, allocate nothing, lock nothing, make no system call, log nothing and
 * never enter BLAS.
 *   network  in borrowed; may go before the sampler
 *   config   in copied; NULL ok: defaults
 *   sampler  out owned; gan_sampler_free
 * Errors: ARGUMENT, MEMORY, THREAD.  Threads: context (of the network).  Since: 0.1 */
GAN_API gan_status gan_sampler_create(gan_network *network, const gan_sampler_config *config, gan_sampler **sampler);

/** Drops the caller's reference.
 *   sampler  in borrowed; NULL ok
 * Threads: any.  Since: 0.1 */
GAN_API void gan_sampler_free(gan_sampler *sampler);

/** Samples first .. first + count - 1: inputs that are not bound are drawn (noise) or cycle through their classes (labels) by the
 * sample's index. Sample i depends on seed, i, weights and bound inputs alone: not on batch, count or threads. Real time.
 *   sampler  inout borrowed
 *   first    in value; >= 0
 *   count    in value; >= 0
 *   out      out borrowed; count samples of the output's shape, f32
 * Errors: ARGUMENT.  Threads: sampler.  Since: 0.1 */
GAN_API gan_status gan_sampler_draw(gan_sampler *sampler, int64_t first, int64_t count, float *out);

/** Binds an input to values of the caller's: call number j of a draw takes row j modulo rows. rows = 0 unbinds. Real time.
 *   sampler  inout borrowed
 *   input    in borrowed; its name
 *   rows     in value; 0 .. max_batch
 *   values   in copied; NULL ok if rows is 0; rows times the input's sizes, f32 or (labels; checked) i32
 * Errors: ARGUMENT.  Threads: sampler.  Since: 0.1 */
GAN_API gan_status gan_sampler_bind(gan_sampler *sampler, const char *input, int64_t rows, const void *values);

/** Takes the present weights of a network of the same structure. Not for use during a draw; allocates nothing.
 *   sampler  inout borrowed
 *   network  in borrowed
 * Errors: ARGUMENT, SHAPE.  Threads: sampler and the network's context.  Since: 0.1 */
GAN_API gan_status gan_sampler_refresh(gan_sampler *sampler, gan_network *network);

/** Copies out the noise (or label numbers as f32) that a draw uses for an input, to reproduce or interpolate. Real time.
 *   sampler  in borrowed
 *   input    in borrowed; its name
 *   first    in value; >= 0
 *   count    in value; >= 0
 *   out      out borrowed; count rows of the input's sizes
 * Errors: ARGUMENT.  Threads: sampler.  Since: 0.1 */
GAN_API gan_status gan_sampler_noise(gan_sampler *sampler, const char *input, int64_t first, int64_t count, float *out);

/** Number of floats in one sample, and bytes that the sampler holds; 0 for NULL.
 *   sampler  in borrowed; NULL ok
 * Threads: sampler.  Since: 0.1 */
GAN_API int64_t gan_sampler_sample_size(const gan_sampler *sampler);
GAN_API int64_t gan_sampler_memory(const gan_sampler *sampler);

/** Copies out the sentence of the sampler's last failure. Real time.
 *   sampler   in borrowed; NULL ok: the text is empty
 *   text      out borrowed; NULL ok if capacity is 0
 *   capacity  in value; bytes
 *   needed    out borrowed; NULL ok; length with the zero
 * Errors: ARGUMENT.  Threads: sampler.  Since: 0.1 */
GAN_API gan_status gan_sampler_error(const gan_sampler *sampler, char *text, int64_t capacity, int64_t *needed);

#ifdef __cplusplus
}
#endif

#endif
