/* Networks into files: safetensors, the structure in its metadata. */
#include "io/safetensors.h"
#include "nn/network.h"

#include <string.h>

static gan_status write_tensors(const gan_network *n, const char *structure, struct writer *w) {
  const struct st_metadata metadata[] = {
    {"gan.format", "1"}, {"gan.kind", "network"}, {"gan.network", structure}, {"gan.version", gan_version_text()},
  };
  size_t bytes = (size_t)n->n_variables * sizeof(struct st_tensor);
  struct st_tensor *tensors = context_zalloc(n->ctx, bytes);
  if (!tensors) return GAN_ERROR_MEMORY;
  for (int64_t i = 0; i < n->n_variables; i++) {
    const struct variable *v = n->variables[i].variable;
    tensors[i] = (struct st_tensor){
      .name = n->variables[i].path, .type = GAN_F32, .rank = v->rank, .count = v->count, .data = v->data,
    };
    memcpy(tensors[i].shape, v->shape, sizeof v->shape);
  }
  gan_status status = st_write(w, 4, metadata, n->n_variables, tensors);
  context_release(n->ctx, tensors, bytes);
  return status;
}

static gan_status write_network(gan_network *n, struct writer *w) {
  struct text structure;
  text_init(&structure, n->ctx);
  gan_status status = network_to_json(n, &structure);
  if (status == GAN_OK) status = write_tensors(n, text_get(&structure), w);
  text_free(&structure);
  if (status == GAN_OK) return writer_commit(w);
  writer_abandon(w);
  return status;
}

gan_status gan_network_save(gan_network *network, const char *path) {
  if (!network) return GAN_ERROR_ARGUMENT;
  REQUIRE(network->ctx, path, "gan_network_save: path may not be NULL");
  TRY(network_ready(network));
  struct writer w;
  TRY(writer_open(&w, network->ctx, io_system(), path));
  return write_network(network, &w);
}

gan_status gan_network_save_stream(gan_network *network, const gan_stream *stream) {
  if (!network) return GAN_ERROR_ARGUMENT;
  REQUIRE(network->ctx, stream, "gan_network_save_stream: stream may not be NULL");
  TRY(network_ready(network));
  struct writer w;
  TRY(writer_stream(&w, network->ctx, stream));
  return write_network(network, &w);
}
