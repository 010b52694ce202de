/* What a loss asks the scene for. What is not there becomes a sentence that says who needed what. */
#include "train/loss.h"

#include <string.h>

enum { INPUTS_MAX = 16 };

gan_node *scene_fail(const struct loss_call *c, const char *what) {
  const gan_loss *loss = c->loss;
  return graph_fail(c->graph, GAN_ERROR_ARGUMENT, "%s '%s': %s are missing", loss->is_penalty ? "penalty" : "loss", loss_name(loss),
                    what);
}

gan_node *scene_real(const struct loss_call *c) {
  return node_failed(c->scene->real) ? scene_fail(c, "real samples") : c->scene->real;
}

gan_node *scene_fake(const struct loss_call *c) {
  return node_failed(c->scene->fake) ? scene_fail(c, "generated samples") : c->scene->fake;
}

gan_node *scene_labels(const struct loss_call *c, int32_t real) {
  gan_node *labels = real ? c->scene->real_labels : c->scene->fake_labels;
  return node_failed(labels) ? scene_fail(c, real ? "labels of the real samples" : "labels of the generated samples") : labels;
}

/* ------------------------------------------------------------------ ports by name */

static void list_ports(struct text *out, const struct network_port *ports, int64_t count) {
  for (int64_t i = 0; i < count; i++) text_format(out, "%s%s", i ? ", " : "", ports[i].name);
}

static int32_t no_port(const struct loss_call *c, const char *what, const char *name, const gan_network *n,
                       const struct network_port *ports, int64_t count) {
  struct text list;
  text_init(&list, c->graph->ctx);
  list_ports(&list, ports, count);
  if (list.failed)
    graph_fail(c->graph, GAN_ERROR_MEMORY, "%s", c->graph->ctx->error);
  else
    graph_fail(c->graph, GAN_ERROR_ARGUMENT, "'%s': '%s' has no %s '%s'; there are %s", loss_name(c->loss), n->name, what, name,
               text_get(&list));
  text_free(&list);
  return -1;
}

static int32_t find_port(const struct loss_call *c, const char *what, const char *name, const gan_network *n,
                         const struct network_port *ports, int64_t count) {
  for (int64_t i = 0; i < count; i++)
    if (strcmp(ports[i].name, name) == 0) return (int32_t)i;
  return no_port(c, what, name, n, ports, count);
}

gan_node *scene_output(const struct loss_call *c, int32_t real, const char *option, int32_t index) {
  const gan_scene *s = c->scene;
  gan_node *const *outputs = real ? s->real_outputs : s->fake_outputs;
  const char *name = option_text(c->options, option);
  if (*name && !s->discriminator) return scene_fail(c, "a discriminator whose outputs have names");
  if (*name) index = find_port(c, "output", name, s->discriminator, s->discriminator->outputs, s->discriminator->n_outputs);
  if (index < 0) return &c->graph->error;
  if (!outputs || index >= s->n_outputs || node_failed(outputs[index]))
    return scene_fail(c, real ? "further outputs of the discriminator at real samples"
                              : "further outputs of the discriminator at generated samples");
  return outputs[index];
}

gan_node *scene_input(const struct loss_call *c, const char *option, int32_t index) {
  const gan_scene *s = c->scene;
  const char *name = option_text(c->options, option);
  if (*name && !s->generator) return scene_fail(c, "a generator whose inputs have names");
  if (*name) index = find_port(c, "input", name, s->generator, s->generator->inputs, s->generator->n_inputs);
  if (index < 0) return &c->graph->error;
  if (index >= s->n_inputs || node_failed(s->inputs[index])) return scene_fail(c, "inputs of the generator");
  return s->inputs[index];
}

/* ------------------------------------------------------------------ further networks */

static gan_network *no_network(const struct loss_call *c, const char *name) {
  struct text list;
  text_init(&list, c->graph->ctx);
  for (int32_t i = 0; i < c->scene->n_networks; i++) text_format(&list, "%s%s", i ? ", " : "", c->scene->networks[i]->name);
  if (list.failed)
    graph_fail(c->graph, GAN_ERROR_MEMORY, "%s", c->graph->ctx->error);
  else
    graph_fail(c->graph, GAN_ERROR_ARGUMENT, "'%s': no network '%s' was given; there are %s", loss_name(c->loss), name,
               text_get(&list));
  text_free(&list);
  return NULL;
}

gan_network *scene_network(const struct loss_call *c, const char *option) {
  const char *name = option_text(c->options, option);
  if (c->scene->n_networks < 1) return scene_fail(c, "networks that look at samples"), NULL;
  if (!*name) return c->scene->networks[0];
  for (int32_t i = 0; i < c->scene->n_networks; i++)
    if (strcmp(c->scene->networks[i]->name, name) == 0) return c->scene->networks[i];
  return no_network(c, name);
}

/* ------------------------------------------------------------------ G and D at other points */

gan_node *scene_generate(const struct loss_call *c, const gan_node *input, gan_node *instead) {
  const gan_scene *s = c->scene;
  gan_node *in[INPUTS_MAX], *out = NULL;
  if (node_failed(instead)) return instead;
  if (!s->generator || s->n_inputs < 1 || s->n_inputs > INPUTS_MAX) return scene_fail(c, "a generator and its inputs, 1 to 16,");
  for (int32_t i = 0; i < s->n_inputs; i++) in[i] = s->inputs[i] == input ? instead : s->inputs[i];
  gan_network_apply(s->generator, 1, s->n_inputs, in, 1, &out);
  return out;
}

gan_node *scene_as_samples(const struct loss_call *c, gan_node *x) {
  int64_t shape[GAN_MAX_RANK + 1];
  if (node_failed(x)) return x;
  if (!c->scene->discriminator) return scene_fail(c, "a discriminator and its conditions");
  gan_status status = gan_network_finish(c->scene->discriminator);
  if (status != GAN_OK) return graph_fail(c->graph, status, "%s", c->graph->ctx->error);
  const gan_port *port = &c->scene->discriminator->inputs[0].info;
  shape[0] = x->shape[0];
  memcpy(shape + 1, port->shape, sizeof *shape * (size_t)port->rank);
  return gan_reshape(x, port->rank + 1, shape);
}

gan_node *scene_scores_at(const struct loss_call *c, int32_t real, gan_node *x) {
  const gan_scene *s = c->scene;
  gan_node *const *conditions = real || !s->fake_conditions ? s->conditions : s->fake_conditions;
  gan_node *in[1 + INPUTS_MAX] = {x}, *scores = NULL;
  if (node_failed(x)) return x;
  if (!s->discriminator) return scene_fail(c, "a discriminator and its conditions");
  if (s->n_conditions > INPUTS_MAX)
    return graph_fail(c->graph, GAN_ERROR_ARGUMENT, "'%s': %d conditions, expected at most %d", loss_name(c->loss), s->n_conditions,
                      INPUTS_MAX);
  for (int32_t i = 0; i < s->n_conditions; i++) in[1 + i] = conditions[i];
  gan_network_apply(s->discriminator, 1, 1 + s->n_conditions, in, 1, &scores);
  return scores;
}
