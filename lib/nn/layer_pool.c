/* Pooling: by a kernel, and over all places. */
#include "nn/norm.h"
#include "ops/image.h"

static const struct option max_options[] = {POOL_OPTION_ROWS};
static const struct option average_options[] = {AVERAGE_POOL_OPTION_ROWS};

static gan_node *pool(struct gan_layer_call *c, gan_node *x, int32_t average) {
  struct pool_options o;
  const char *path = c->layer->path;
  if (layer_refuse(c, x, 3, 4, "(batch, height, width, channels) or (batch, length, channels)")) return &c->graph->error;
  gan_status status = pool_options_read(path, &c->layer->options, x->rank - 2, average, &o);
  return status == GAN_OK ? node_pool(path, x, &o) : graph_fail(c->graph, status, "%s", c->graph->ctx->error);
}

static gan_node *average_pool_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  return pool(c, in[0], 1);
}

const struct layer_row layer_average_pool = {
  "average-pool", "The mean of what lies under a kernel, of images or sequences.",
  0, 1, 1, AVERAGE_POOL_OPTION_COUNT, average_options, average_pool_forward,
};

static gan_node *max_pool_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  (void)n;
  return pool(c, in[0], 0);
}

const struct layer_row layer_max_pool = {
  "max-pool", "The maximum of what lies under a kernel, of images or sequences.",
  0, 1, 1, POOL_OPTION_COUNT, max_options, max_pool_forward,
};

/* ------------------------------------------------------------------ over all places */

#define GLOBAL_POOL(id, name, function, help) \
  static gan_node *id##_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) { \
    int32_t axes[GAN_MAX_RANK]; \
    (void)n; \
    if (norm_refuse(c, in[0], 3)) return &c->graph->error; \
    return function(in[0], norm_places(in[0], axes), axes, 0); \
  } \
  const struct layer_row layer_##id = {name, help, 0, 1, 1, 0, NULL, id##_forward};

GLOBAL_POOL(global_average_pool, "global-average-pool", gan_mean_axes,
            "The mean of each channel over all places: (batch, .., channels) -> (batch, channels) (Lin et al. 2014).")
GLOBAL_POOL(global_sum_pool, "global-sum-pool", gan_sum_axes,
            "The sum of each channel over all places: (batch, .., channels) -> (batch, channels) (Miyato et al. 2018).")
GLOBAL_POOL(global_max_pool, "global-max-pool", gan_max_axes,
            "The maximum of each channel over all places: (batch, .., channels) -> (batch, channels).")
