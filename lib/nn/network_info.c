/* What a network tells of itself, and its variables read and written. */
#include "nn/network.h"

#include "base/tensor.h"
#include "nn/initializer.h"

#include <string.h>

int32_t gan_network_input_count(gan_network *network) {
  return network && network_ready(network) == GAN_OK ? (int32_t)network->n_inputs : -1;
}

int32_t gan_network_output_count(gan_network *network) {
  return network && network_ready(network) == GAN_OK ? (int32_t)network->n_outputs : -1;
}

int32_t gan_network_variable_count(gan_network *network) {
  return network && network_ready(network) == GAN_OK ? (int32_t)network->n_variables : -1;
}

int64_t gan_network_parameters(gan_network *network) {
  if (!network || network_ready(network) != GAN_OK) return -1;
  int64_t count = 0;
  for (int64_t i = 0; i < network->n_variables; i++) {
    const struct variable *v = network->variables[i].variable;
    if (v->trainable) count += v->count;
  }
  return count;
}

/* ------------------------------------------------------------------ descriptions */

/* Fills a caller's struct, whose struct_size the caller has set. */
static gan_status fill_info(gan_context *ctx, const char *who, void *to, const void *from, int64_t known) {
  gan_status status = config_write(to, *(const int64_t *)to, from, known);
  return status == GAN_OK ? GAN_OK : gan_fail(ctx, status, "%s: struct_size is not set", who);
}

static gan_status port_info(gan_network *n, const char *who, const struct network_port *ports, int64_t count, int32_t index,
                            gan_port *info) {
  REQUIRE(n->ctx, info, "%s: info may not be NULL", who);
  REQUIRE(n->ctx, index >= 0 && index < count, "%s: index %d is not in 0 .. %d", who, index, (int)count - 1);
  return fill_info(n->ctx, who, info, &ports[index].info, sizeof *info);
}

gan_status gan_network_input_info(gan_network *network, int32_t index, gan_port *info) {
  if (!network) return GAN_ERROR_ARGUMENT;
  TRY(network_ready(network));
  return port_info(network, "gan_network_input_info", network->inputs, network->n_inputs, index, info);
}

gan_status gan_network_output_info(gan_network *network, int32_t index, gan_port *info) {
  if (!network) return GAN_ERROR_ARGUMENT;
  TRY(network_ready(network));
  return port_info(network, "gan_network_output_info", network->outputs, network->n_outputs, index, info);
}

gan_status gan_network_variable_info(gan_network *network, int32_t index, gan_variable *info) {
  if (!network) return GAN_ERROR_ARGUMENT;
  TRY(network_ready(network));
  REQUIRE(network->ctx, info, "gan_network_variable_info: info may not be NULL");
  REQUIRE(network->ctx, index >= 0 && index < network->n_variables, "gan_network_variable_info: index %d is not in 0 .. %d",
          index, (int)network->n_variables - 1);
  const struct network_variable *nv = &network->variables[index];
  gan_variable all = {.path = nv->path, .rank = nv->variable->rank, .trainable = nv->variable->trainable};
  memcpy(all.shape, nv->variable->shape, sizeof all.shape);
  return fill_info(network->ctx, "gan_network_variable_info", info, &all, sizeof all);
}

/* ------------------------------------------------------------------ values */

static gan_status find_for_tensor(gan_network *n, const char *who, const char *path, const gan_tensor *tensor,
                                  struct variable **out) {
  TRY(network_ready(n));
  if (!tensor) return gan_fail_null(n->ctx, who, "tensor");
  REQUIRE(n->ctx, path, "%s: path may not be NULL", who);
  struct variable *v = network_variable(n, path);
  REQUIRE(n->ctx, v, "%s: network '%s' has no variable '%s'", who, n->name, path);
  if (v->count == tensor->count) {
    *out = v;
    return GAN_OK;
  }
  char has[128], came[128];
  return gan_fail(n->ctx, GAN_ERROR_SHAPE, "%s: '%s' is %s, the tensor is %s", who, path,
                  shape_text(has, sizeof has, v->rank, v->shape), shape_text(came, sizeof came, tensor->rank, tensor->shape));
}

gan_status gan_network_get(gan_network *network, const char *path, gan_tensor *tensor) {
  if (!network) return GAN_ERROR_ARGUMENT;
  struct variable *v;
  TRY(find_for_tensor(network, "gan_network_get", path, tensor, &v));
  convert_elements(tensor->type, tensor->data, GAN_F32, v->data, v->count);
  return GAN_OK;
}

gan_status gan_network_set(gan_network *network, const char *path, const gan_tensor *tensor) {
  if (!network) return GAN_ERROR_ARGUMENT;
  struct variable *v;
  TRY(find_for_tensor(network, "gan_network_set", path, tensor, &v));
  convert_elements(GAN_F32, v->data, tensor->type, tensor->data, v->count);
  return GAN_OK;
}

gan_status gan_network_copy(gan_network *target, gan_network *source) {
  if (!target || !source) return GAN_ERROR_ARGUMENT;
  TRY(network_ready(target));
  TRY(network_ready(source));
  if (!network_same_structure(target, source)) {
    return gan_fail(target->ctx, GAN_ERROR_SHAPE, "gan_network_copy: '%s' and '%s' differ in structure", target->name,
                    source->name);
  }
  for (int64_t i = 0; i < target->n_variables; i++) {
    const struct variable *from = source->variables[i].variable;
    memmove(target->variables[i].variable->data, from->data, (size_t)from->count * sizeof *from->data);
  }
  return GAN_OK;
}

gan_status gan_network_initialize(gan_network *network, int64_t seed) {
  if (!network) return GAN_ERROR_ARGUMENT;
  TRY(network_ready(network));
  for (int64_t i = 0; i < network->n_variables; i++) TRY(variable_initialize(network->variables[i].variable, (uint64_t)seed));
  return GAN_OK;
}
