/* Building from text: lines, names of layers, wires by name. */
#include "nn/network.h"

#include "base/registry.h"

#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------ one layer */

static const char *kind_name(const gan_layer *l, char *buffer, size_t size) {
  if (layer_is_network(l)) return l->network->name;
  if (l->row) return l->row->name;
  line_name(l->text, buffer, size);
  return buffer;
}

/* "dense3": the kind's name and a number that makes it new. */
static void default_name(const gan_network *n, const char *kind, char name[NETWORK_NAME]) {
  int32_t number = 1;
  char buffer[NETWORK_NAME];
  for (int64_t i = 0; i < n->n_layers; i++) number += !strcmp(kind_name(n->layers[i].layer, buffer, sizeof buffer), kind);
  do snprintf(name, NETWORK_NAME, "%.50s%d", kind, number++);
  while (network_value(n, name) >= 0);
}

/* name= and from= of a line, which lose them. */
struct wires { char name[NETWORK_NAME]; int32_t named, n_from, from[NETWORK_FROM]; };

static void fail_from(gan_network *n, const char *name) {
  network_fail(n, GAN_ERROR_ARGUMENT, "network '%s': from=%s: no input or layer of this name", n->name, name);
}

static void read_from(gan_network *n, char *list, struct wires *w) {
  for (char *name = list, *comma; name; name = comma) {
    comma = strchr(name, ',');
    if (comma) *comma++ = 0;
    name += strspn(name, " \t");
    name[strcspn(name, " \t")] = 0;
    int32_t value = network_value(n, name);
    if (value < 0) {
      fail_from(n, name);
      return;
    }
    if (w->n_from == NETWORK_FROM) {
      network_fail(n, GAN_ERROR_ARGUMENT, "network '%s': from= has more than %d names", n->name, NETWORK_FROM);
      return;
    }
    w->from[w->n_from++] = value;
  }
}

static void read_wires(gan_network *n, char *line, struct wires *w) {
  char list[LAYER_LINE];
  w->n_from = 0;
  w->named = line_take(line, "name", w->name, sizeof w->name);
  if (w->named < 0) network_fail(n, GAN_ERROR_ARGUMENT, "network '%s': a name has at most %d bytes", n->name, NETWORK_NAME - 1);
  if (line_take(line, "from", list, sizeof list)) {
    read_from(n, list, w);
  } else if (n->last >= 0) {
    w->from[w->n_from++] = n->last;
  } else {
    network_fail(n, GAN_ERROR_ARGUMENT, "network '%s': '%s' has nothing to follow: declare an input first", n->name, line);
  }
  size_t length = strlen(line); /* what was taken from the end has left a blank */
  while (length && line[length - 1] == ' ') line[--length] = 0;
}

static void add_line(gan_network *n, char *line) {
  struct wires w;
  read_wires(n, line, &w);
  if (n->failed) return;
  char kind[NETWORK_NAME], path[LAYER_PATH];
  if (!line_name(line, kind, sizeof kind)) {
    network_fail(n, GAN_ERROR_ARGUMENT, "network '%s': expected a layer, came an empty text", n->name);
    return;
  }
  const struct layer_row *row = layer_find(kind);
  if (!w.named) default_name(n, row ? row->name : kind, w.name);
  network_path(n, w.name, path);
  gan_layer *layer;
  gan_status status = layer_new(n->ctx, line, path, &layer);
  if (status != GAN_OK) {
    network_fail(n, status, "%s", n->ctx->error);
    return;
  }
  network_add_layer(n, layer, w.name, w.n_from, w.from);
  layer_unref(layer);
}

/* A copy of the text, without blanks around it, that may be cut up; 0 if it is too long. */
static int32_t copy_line(gan_network *n, char line[LAYER_LINE], const char *text, size_t length) {
  for (; length && strchr(" \t\r", *text); length--) text++;
  while (length && strchr(" \t\r", text[length - 1])) length--;
  if (length >= LAYER_LINE) {
    network_fail(n, GAN_ERROR_ARGUMENT, "network '%s': a line has at most %d bytes, came %zu", n->name, LAYER_LINE - 1, length);
    return 0;
  }
  memcpy(line, text, length);
  line[length] = 0;
  return 1;
}

void gan_network_add(gan_network *network, const char *text) {
  if (!network || network->failed) return;
  if (!text) {
    network_fail(network, GAN_ERROR_ARGUMENT, "gan_network_add: text may not be NULL");
    return;
  }
  char line[LAYER_LINE];
  if (copy_line(network, line, text, strlen(text))) add_line(network, line);
}

/* ------------------------------------------------------------------ existing layers and networks */

static void add_existing(gan_network *n, gan_layer *layer, const char *options) {
  char line[LAYER_LINE], kind[NETWORK_NAME], rest[2];
  struct wires w;
  if (!copy_line(n, line, options ? options : "", options ? strlen(options) : 0)) return;
  read_wires(n, line, &w);
  if (!n->failed && line_name(line, rest, sizeof rest)) {
    network_fail(n, GAN_ERROR_ARGUMENT, "network '%s': '%s': expected name= and from= only", n->name, line);
  }
  if (n->failed) return;
  if (!w.named) default_name(n, kind_name(layer, kind, sizeof kind), w.name);
  network_add_layer(n, layer, w.name, w.n_from, w.from);
}

void gan_network_add_layer(gan_network *network, gan_layer *layer, const char *options) {
  if (!network || network->failed) return;
  if (layer) add_existing(network, layer, options);
  else network_fail_null(network, "gan_network_add_layer", "layer");
}

static gan_status check_part(gan_network *n, gan_network *part) {
  REQUIRE(n->ctx, part != n, "gan_network_add_network: '%s' cannot be a part of itself", n->name);
  TRY(network_ready(part));
  REQUIRE(n->ctx, part->n_outputs == 1, "gan_network_add_network: '%s' has %d outputs, expected 1", part->name,
          (int)part->n_outputs);
  return GAN_OK;
}

void gan_network_add_network(gan_network *network, gan_network *part, const char *options) {
  if (!network || network->failed) return;
  if (!part) {
    network_fail_null(network, "gan_network_add_network", "part");
    return;
  }
  gan_layer *layer = NULL;
  gan_status status = check_part(network, part);
  if (status == GAN_OK) status = layer_of_network(part, &layer);
  if (status != GAN_OK) {
    network_fail(network, status, "%s", part->failed ? part->error_text : network->ctx->error);
    return;
  }
  add_existing(network, layer, options);
  layer_unref(layer);
}

/* ------------------------------------------------------------------ outputs, many lines */

void gan_network_output(gan_network *network, const char *name, const char *from) {
  if (!network || network->failed) return;
  if (!name) {
    network_fail(network, GAN_ERROR_ARGUMENT, "gan_network_output: name may not be NULL");
    return;
  }
  int32_t value = from ? network_value(network, from) : network->last;
  if (from && value < 0)
    network_fail(network, GAN_ERROR_ARGUMENT, "network '%s': output '%s' of '%s': no input or layer of this name", network->name,
                 name, from);
  else network_add_output(network, name, value);
}

static void build_line(gan_network *n, char *line) {
  char word[NETWORK_NAME], name[NETWORK_NAME], from[NETWORK_NAME], extra[2];
  const char *rest = line_name(line, word, sizeof word);
  if (!rest || word[0] == '#') return;
  if (strcmp(word, "input") && strcmp(word, "output")) {
    add_line(n, line);
    return;
  }
  const char *spec = line_name(rest, name, sizeof name);
  if (!spec) {
    network_fail(n, GAN_ERROR_ARGUMENT, "network '%s': '%s' without a name", n->name, word);
  } else if (!strcmp(word, "input")) {
    gan_network_input(n, name, spec);
  } else {
    const char *after = line_name(spec, from, sizeof from);
    if (after && line_name(after, extra, sizeof extra)) {
      network_fail(n, GAN_ERROR_ARGUMENT, "network '%s': expected \"output NAME FROM\", came '%s'", n->name, line);
    } else {
      gan_network_output(n, name, after ? from : NULL);
    }
  }
}

void gan_network_build(gan_network *network, const char *lines) {
  if (!network || network->failed) return;
  if (!lines) {
    network_fail(network, GAN_ERROR_ARGUMENT, "gan_network_build: lines may not be NULL");
    return;
  }
  char line[LAYER_LINE];
  while (*lines && !network->failed) {
    size_t length = strcspn(lines, "\n;");
    if (copy_line(network, line, lines, length)) build_line(network, line);
    lines += length + (lines[length] != 0);
  }
}
