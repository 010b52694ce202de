/* Blocks of layers: residual-block, dense-block. */
#include "nn/compose.h"
#include "nn/weight.h"

#include <stdio.h>
#include <string.h>

/* What both blocks hand to their convolutions. */
static const char *const weight_names[] = {"init",        "bias-init", "spectral-norm", "iterations", "spectral-epsilon",
                                           "weight-norm", "equalised", "gain"};
enum { WEIGHT_NAMES = sizeof weight_names / sizeof *weight_names };

static int32_t axes_of(const struct composition *m) { return m->in[0]->rank - 2; }

static int64_t channels_of(const struct composition *m) { return m->in[0]->shape[m->in[0]->rank - 1]; }

/* "norm1" and "activation1" behind `from`; a condition goes to the norm. Writes the name of what came last. */
static void add_activated(struct composition *m, const char *from, int64_t number, char last[NETWORK_NAME]) {
  const char *norm = layer_text(m->call, "norm");
  snprintf(last, NETWORK_NAME, "%s", from);
  if (strcmp(norm, "none")) {
    compose_add(m, "%s name=norm%lld from=%s%s", norm, (long long)number, last, m->n_in > 1 ? ",condition" : "");
    snprintf(last, NETWORK_NAME, "norm%lld", (long long)number);
  }
  compose_add(m, "%s name=activation%lld from=%s", layer_text(m->call, "activation"), (long long)number, last);
  snprintf(last, NETWORK_NAME, "activation%lld", (long long)number);
}

/* A convolution that keeps height and width. weights: options that stand behind. */
static void add_conv(struct composition *m, const char *name, int64_t filters, const char *kernel, const char *from,
                     const char *weights) {
  compose_add(m, "conv%dd filters=%lld kernel=%s padding=same name=%s from=%s%s", axes_of(m), (long long)filters, kernel, name,
              from, weights);
}

static gan_node *refuse_block(struct gan_layer_call *c, int32_t n, const gan_node *x) {
  if (layer_refuse(c, x, 3, 4, "(batch, height, width, channels) or (batch, length, channels)")) return &c->graph->error;
  if (n == 1 || strcmp(layer_text(c, "norm"), "none")) return NULL;
  return graph_fail(c->graph, GAN_ERROR_ARGUMENT, "a second input conditions the norm, but norm is none");
}

#define WEIGHT_INITS \
  {"init", OPTION_TEXT, 0, 0, "pytorch", "initializer of the weights"}, \
  {"bias-init", OPTION_TEXT, 0, 0, "pytorch", "initializer of the biases"}
#define ACTIVATION {"activation", OPTION_TEXT, 0, 0, "relu", "a layer: (leaky-relu slope=0.2)"}

/* ------------------------------------------------------------------ residual-block */

static const struct option residual_options[] = {
  {"filters", OPTION_INT, 0, 1e9, "0", "channels of the output; 0: as the input"},
  {"hidden", OPTION_INT, 0, 1e9, "0", "channels between the convolutions; 0: filters, or the input's channels if resample=down"},
  {"hidden-bias", OPTION_FLAG, 0, 0, "yes", "a bias in the first convolution"},
  {"kernel", OPTION_TEXT, 0, 0, "3", "of both convolutions"},
  {"resample", OPTION_TEXT, 0, 0, "none", "none, up (nearest, by 2) or down (means of 2)"},
  {"norm", OPTION_TEXT, 0, 0, "none", "a layer before each activation: batch-norm, (conditional-batch-norm classes=10)"},
  ACTIVATION,
  {"first", OPTION_FLAG, 0, 0, "no",
   "of a discriminator: the input is an image, with no norm and activation before the first convolution"},
  {"shortcut-init", OPTION_TEXT, 0, 0, "pytorch", "initializer of the shortcut's weight; default: init"},
  WEIGHT_INITS,
  WEIGHT_OPTIONS,
};

struct residual { int32_t up, down; int64_t filters, hidden; char weights[COMPOSE_OPTIONS]; };

/* A 1x1 convolution changes places with repetition and with means: it stands where there are fewer pixels. */
static void add_shortcut(struct composition *m, struct residual *r) {
  char init[LAYER_LINE] = "";
  const char *from = "x", *names[WEIGHT_NAMES] = {0};
  if (!r->up && !r->down && r->filters == channels_of(m)) {
    compose_add(m, "add name=sum from=conv2,x");
    return;
  }
  int32_t own = layer_given(m->call, "shortcut-init");
  memcpy(names, weight_names, sizeof names);
  compose_given(m, WEIGHT_NAMES - own, names + own, r->weights); /* init is the first */
  if (own) snprintf(init, sizeof init, " init=(%.900s)", layer_text(m->call, "shortcut-init"));
  if (r->down) {
    compose_add(m, "average-pool kernel=2 name=shortcut-pool from=x");
    from = "shortcut-pool";
  }
  compose_add(m, "conv%dd filters=%lld kernel=1 name=shortcut from=%s%s%s", axes_of(m), (long long)r->filters, from, r->weights,
              init);
  if (r->up) compose_add(m, "upsample name=shortcut-up");
  compose_add(m, "add name=sum from=%s,%s", r->down ? "pool" : "conv2", r->up ? "shortcut-up" : "shortcut");
}

static int32_t read_resample(struct composition *m, struct residual *r) {
  const char *resample = layer_text(m->call, "resample");
  r->up = !strcmp(resample, "up");
  r->down = !strcmp(resample, "down");
  if (r->up || r->down || !strcmp(resample, "none")) return 1;
  network_fail(m->network, GAN_ERROR_ARGUMENT, "%s: resample is '%.60s'; expected none, up or down", m->network->name, resample);
  return 0;
}

static void build_residual(struct composition *m) {
  struct residual r = {.filters = layer_int(m->call, "filters"), .hidden = layer_int(m->call, "hidden")};
  char last[NETWORK_NAME] = "x", hidden_weights[COMPOSE_OPTIONS + 16];
  const char *kernel = layer_text(m->call, "kernel");
  if (!read_resample(m, &r)) return;
  if (!r.filters) r.filters = channels_of(m);
  if (!r.hidden) r.hidden = r.down && !layer_flag(m->call, "first") ? channels_of(m) : r.filters;
  compose_given(m, WEIGHT_NAMES, weight_names, r.weights);
  if (!layer_flag(m->call, "first")) add_activated(m, "x", 1, last);
  if (r.up) {
    compose_add(m, "upsample name=up from=%s", last);
    strcpy(last, "up");
  }
  const char *bias = layer_flag(m->call, "hidden-bias") ? "" : " bias=no";
  snprintf(hidden_weights, sizeof hidden_weights, "%s%s", bias, r.weights);
  add_conv(m, "conv1", r.hidden, kernel, last, hidden_weights);
  add_activated(m, "conv1", 2, last);
  add_conv(m, "conv2", r.filters, kernel, last, r.weights);
  if (r.down) compose_add(m, "average-pool kernel=2 name=pool");
  add_shortcut(m, &r);
}

static gan_node *residual_block_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  return refuse_block(c, n, in[0]) ? &c->graph->error : layer_compose(c, n, in, build_residual);
}

const struct layer_row layer_residual_block = {
  "residual-block", "norm, activation, convolution, twice, added to its input (He et al. 2016), as in WGAN-GP and SNGAN "
  "(Gulrajani et al. 2017; Miyato et al. 2018): up doubles height and width before the first convolution, down halves them "
  "behind the second; a 1x1 convolution in the shortcut where shapes differ. from=x,label conditions the norms. Its layers: "
  "norm1, activation1, conv1, norm2, activation2, conv2, shortcut.",
  0, 1, 2, 11 + WEIGHT_OPTION_COUNT, residual_options, residual_block_forward,
};

/* ------------------------------------------------------------------ dense-block */

static const struct option dense_block_options[] = {
  {"layers", OPTION_INT, 1, 256, NULL, "how many convolutions"},
  {"growth", OPTION_INT, 1, 1e6, NULL, "channels that each adds"},
  {"kernel", OPTION_TEXT, 0, 0, "3", "of the convolutions"},
  {"bottleneck", OPTION_INT, 0, 1e6, "0", "times growth: channels of a 1x1 convolution before each (the source: 4); 0: none"},
  {"norm", OPTION_TEXT, 0, 0, "batch-norm", "a layer before each activation, or none"},
  ACTIVATION,
  WEIGHT_INITS,
  WEIGHT_OPTIONS,
};

/* norm, activation, convolution; behind `from` a layer of that name. Each has a number of its own. */
static void add_grown(struct composition *m, int64_t *number, const char *name, int64_t filters, const char *kernel,
                      char from[NETWORK_NAME], const char *weights) {
  char last[NETWORK_NAME];
  add_activated(m, from, ++*number, last);
  add_conv(m, name, filters, kernel, last, weights);
  snprintf(from, NETWORK_NAME, "%s", name);
}

static void build_dense(struct composition *m) {
  char weights[COMPOSE_OPTIONS], all[NETWORK_NAME] = "x", name[NETWORK_NAME];
  int64_t growth = layer_int(m->call, "growth"), bottleneck = layer_int(m->call, "bottleneck"), number = 0;
  compose_given(m, WEIGHT_NAMES, weight_names, weights);
  for (int64_t i = 1; i <= layer_int(m->call, "layers") && !m->network->failed; i++) {
    char from[NETWORK_NAME];
    strcpy(from, all);
    if (bottleneck) {
      snprintf(name, sizeof name, "narrow%lld", (long long)i);
      add_grown(m, &number, name, bottleneck * growth, "1", from, weights);
    }
    snprintf(name, sizeof name, "conv%lld", (long long)i);
    add_grown(m, &number, name, growth, layer_text(m->call, "kernel"), from, weights);
    compose_add(m, "concat name=joined%lld from=%s,%s", (long long)i, all, name);
    snprintf(all, sizeof all, "joined%lld", (long long)i);
  }
}

static gan_node *dense_block_forward(struct gan_layer_call *c, int32_t n, gan_node *const *in) {
  return refuse_block(c, n, in[0]) ? &c->graph->error : layer_compose(c, n, in, build_dense);
}

const struct layer_row layer_dense_block = {
  "dense-block", "Convolutions that each see all channels before them and add some: (batch, .., channels) -> (batch, .., "
  "channels + layers growth) (Huang et al. 2017). from=x,label conditions the norms. Its layers: norm1, activation1, conv1, "
  "joined1, ..",
  0, 1, 2, 8 + WEIGHT_OPTION_COUNT, dense_block_options, dense_block_forward,
};
