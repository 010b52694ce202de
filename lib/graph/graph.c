/* The graph as an owner: its memory, its references, its sticky failure. */
#include "graph/graph.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* -------------------------------------------------------------------------------------------------------------- memory */

/* Nodes are many and small and go all at once, so they come out of blocks. */
struct arena_block {
  struct arena_block *next;
  size_t size, used; /* bytes, this header counted */
};

enum { BLOCK_BYTES = 16384, HEADER_BYTES = 64, SMALL_ALIGN = 16, LARGE_ALIGN = 64 };

static size_t round_up(size_t n, size_t to) {
  return (n + to - 1) / to * to;
}

static struct arena_block *add_block(gan_graph *g, size_t size) {
  size_t bytes = size > BLOCK_BYTES - HEADER_BYTES ? size + HEADER_BYTES : BLOCK_BYTES;
  struct arena_block *block = context_zalloc(g->ctx, bytes);
  if (!block) return NULL;
  block->size = bytes;
  block->used = HEADER_BYTES;
  /* A block made for one large thing is full: it goes second, and the open block stays first. */
  if (bytes > BLOCK_BYTES && g->blocks) {
    block->next = g->blocks->next;
    g->blocks->next = block;
  } else {
    block->next = g->blocks;
    g->blocks = block;
  }
  return block;
}

void *graph_alloc(gan_graph *g, size_t size) {
  size_t align = size < LARGE_ALIGN ? SMALL_ALIGN : LARGE_ALIGN;
  struct arena_block *block = g->blocks;
  size_t at = block ? round_up(block->used, align) : 0;
  if (size > SIZE_MAX / 2) block = NULL;
  else if (!block || at > block->size || block->size - at < size) {
    block = add_block(g, size);
    at = HEADER_BYTES;
  }
  if (!block) {
    graph_fail(g, GAN_ERROR_MEMORY, "graph: no memory for %zu bytes", size);
    return NULL;
  }
  block->used = at + size;
  return (char *)block + at;
}

char *graph_strdup(gan_graph *g, const char *s) {
  size_t size = strlen(s) + 1;
  char *copy = graph_alloc(g, size);
  return copy ? memcpy(copy, s, size) : NULL;
}

int32_t graph_room(gan_graph *g, void **array, int64_t *capacity, int64_t count, size_t element) {
  if (count < *capacity) return 1;
  int64_t need = count < 8 ? 16 : 2 * count;
  if (context_grow(g->ctx, array, capacity, need, element) == GAN_OK) return 1;
  graph_fail(g, GAN_ERROR_MEMORY, "graph: no memory for %lld entries", (long long)need);
  return 0;
}

/* ---------------------------------------------------------------------------------------------------- life and references */

gan_graph *graph_ref(gan_graph *g) {
  atomic_fetch_add(&g->refs, 1);
  return g;
}

void graph_keep(gan_graph *g, void *object, void (*unref)(void *)) {
  if (!graph_room(g, (void **)&g->kept, &g->cap_kept, g->n_kept, sizeof *g->kept)) {
    unref(object);
    return;
  }
  g->kept[g->n_kept++] = (struct graph_kept){object, unref};
}

static void free_phases(gan_graph *g) {
  for (int64_t i = 0; i < g->n_phases; i++) {
    struct graph_phase *p = &g->phases[i];
    context_release(g->ctx, p->updates, (size_t)p->cap_updates * sizeof *p->updates);
    context_release(g->ctx, p->follows, (size_t)p->cap_follows * sizeof *p->follows);
  }
  context_release(g->ctx, g->phases, (size_t)g->cap_phases * sizeof *g->phases);
}

static void free_blocks(gan_graph *g) {
  for (struct arena_block *block = g->blocks, *next; block; block = next) {
    next = block->next;
    context_release(g->ctx, block, block->size);
  }
}

static void destroy(gan_graph *g) {
  gan_context *ctx = g->ctx;
  for (int64_t i = g->n_kept; i-- > 0;) g->kept[i].unref(g->kept[i].object);
  context_release(ctx, g->kept, (size_t)g->cap_kept * sizeof *g->kept);
  context_release(ctx, g->nodes, (size_t)g->cap_nodes * sizeof *g->nodes);
  context_release(ctx, g->variables, (size_t)g->cap_variables * sizeof *g->variables);
  context_release(ctx, g->assigns, (size_t)g->cap_assigns * sizeof *g->assigns);
  context_release(ctx, g->outputs, (size_t)g->cap_outputs * sizeof *g->outputs);
  context_release(ctx, g->aheads, (size_t)g->cap_aheads * sizeof *g->aheads);
  context_release(ctx, g->looks, (size_t)g->cap_looks * sizeof *g->looks);
  free_phases(g);
  free_blocks(g);
  context_release(ctx, g, sizeof *g);
  context_unref(ctx);
}

void gan_graph_free(gan_graph *graph) {
  if (graph && atomic_fetch_sub(&graph->refs, 1) == 1) destroy(graph);
}

gan_status gan_graph_create(gan_context *context, gan_graph **graph) {
  REQUIRE(context, context && graph, "graph: context and graph may not be NULL");
  gan_graph *g = context_zalloc(context, sizeof *g);
  if (!g) return GAN_ERROR_MEMORY;
  g->ctx = context_ref(context);
  atomic_init(&g->refs, 1);
  g->error = (gan_node){.graph = g, .id = -1, .type = -1};
  gan_phase(g, "1");
  if (g->failed) {
    gan_graph_free(g);
    return GAN_ERROR_MEMORY;
  }
  *graph = g;
  return GAN_OK;
}

/* -------------------------------------------------------------------------------------------------------------- failure */

gan_node *node_none(void) {
  static const gan_node none = {.id = -1, .type = -1};
  return (gan_node *)&none; /* never written: every function asks node_failed first */
}

gan_node *graph_fail(gan_graph *g, gan_status status, const char *format, ...) {
  if (!g) return node_none();
  if (!g->failed) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(g->error_text, sizeof g->error_text, format, arguments);
    va_end(arguments);
    g->failed = status;
  }
  return &g->error;
}

int32_t node_failed(const gan_node *n) {
  return !n || !n->op || n->graph->failed != GAN_OK;
}

gan_status gan_graph_check(gan_graph *graph) {
  REQUIRE(NULL, graph, "graph: graph may not be NULL");
  return graph->failed ? gan_fail(graph->ctx, graph->failed, "%s", graph->error_text) : GAN_OK;
}
