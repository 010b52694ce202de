/* The common layers, typed: each writes the text of the layer of the same name. */
#include "nn/network.h"

#include <stdio.h>
#include <string.h>

static void add_int(gan_network *n, const char *layer, const char *option, int64_t value) {
  char line[128];
  snprintf(line, sizeof line, "%s %s=%lld", layer, option, (long long)value);
  gan_network_add(n, line);
}

static void add_number(gan_network *n, const char *layer, const char *option, double value) {
  char line[128], number[32];
  format_double(number, sizeof number, value);
  snprintf(line, sizeof line, "%s %s=%s", layer, option, number);
  gan_network_add(n, line);
}

void gan_network_dense(gan_network *network, int64_t units) { add_int(network, "dense", "units", units); }
void gan_network_relu(gan_network *network) { gan_network_add(network, "relu"); }
void gan_network_leaky_relu(gan_network *network, double slope) { add_number(network, "leaky-relu", "slope", slope); }
void gan_network_tanh(gan_network *network) { gan_network_add(network, "tanh"); }
void gan_network_sigmoid(gan_network *network) { gan_network_add(network, "sigmoid"); }
void gan_network_layer_norm(gan_network *network, double epsilon) { add_number(network, "layer-norm", "epsilon", epsilon); }
void gan_network_dropout(gan_network *network, double rate) { add_number(network, "dropout", "rate", rate); }
void gan_network_flatten(gan_network *network) { gan_network_add(network, "flatten"); }

void gan_network_batch_norm(gan_network *network, double epsilon, double momentum) {
  char line[128], first[32], second[32];
  format_double(first, sizeof first, epsilon);
  format_double(second, sizeof second, momentum);
  snprintf(line, sizeof line, "batch-norm epsilon=%s momentum=%s", first, second);
  gan_network_add(network, line);
}

static void add_conv(gan_network *n, const char *layer, int64_t filters, int64_t kernel, int64_t stride, int64_t padding) {
  char line[256];
  snprintf(line, sizeof line, "%s filters=%lld kernel=%lld stride=%lld padding=%lld", layer, (long long)filters, (long long)kernel,
           (long long)stride, (long long)padding);
  gan_network_add(n, line);
}

void gan_network_conv2d(gan_network *network, int64_t filters, int64_t kernel, int64_t stride, int64_t padding) {
  add_conv(network, "conv2d", filters, kernel, stride, padding);
}

void gan_network_conv_transpose2d(gan_network *network, int64_t filters, int64_t kernel, int64_t stride, int64_t padding) {
  add_conv(network, "conv-transpose2d", filters, kernel, stride, padding);
}

void gan_network_reshape(gan_network *network, const char *shape) {
  char line[LAYER_LINE];
  if (network && shape && strlen(shape) > 256) {
    network_fail(network, GAN_ERROR_ARGUMENT, "gan_network_reshape: '%.40s..' is no shape", shape);
    return;
  }
  snprintf(line, sizeof line, "reshape shape=(%s)", shape ? shape : "");
  gan_network_add(network, line);
}

void gan_network_embedding(gan_network *network, int64_t classes, int64_t width) {
  char line[128];
  snprintf(line, sizeof line, "embedding classes=%lld width=%lld", (long long)classes, (long long)width);
  gan_network_add(network, line);
}
