/* Deep copies: the structure through its text, the values as they are. */
#include "base/registry.h"
#include "io/json.h"
#include "nn/network.h"

#include <string.h>

static gan_status clone_structure(gan_network *n, const char *name, gan_network **out) {
  int64_t backed = INT64_MAX;       /* no initial values: they are copied */
  struct json_document document = {0};
  struct text json;
  text_init(&json, n->ctx);
  gan_status status = network_to_json(n, &json);
  if (status == GAN_OK) {
    status = json_parse(n->ctx, text_get(&json), json.length, &document);
    if (status == GAN_OK) status = network_from_tree(n->ctx, document.root, name, &backed, out);
    json_free(&document);
  }
  text_free(&json);
  return status;
}

gan_status gan_network_clone(gan_network *network, const char *name, gan_network **copy) {
  if (!network) return GAN_ERROR_ARGUMENT;
  TRY(network_ready(network));
  REQUIRE(network->ctx, name && copy, "gan_network_clone: name and copy may not be NULL");
  REQUIRE(network->ctx, name_is_valid(name), "gan_network_clone: '%s' is no name: letters, digits, '-', '_', '.'", name);
  gan_network *n;
  TRY(clone_structure(network, name, &n));
  gan_status status = gan_network_copy(n, network);
  if (status == GAN_OK) *copy = n;
  else network_unref(n);
  return status;
}
