/* From a scene to the number that one side minimises. */
#include "train/loss.h"

#include "base/registry.h"
#include "base/tensor.h"

/* ------------------------------------------------------------------ one call */

static const char *kind(const gan_loss *loss) {
  return loss->is_penalty ? "penalty" : "loss";
}

static gan_node *score_of(const struct loss_call *c, int32_t real) {
  gan_node *const *outputs = real ? c->scene->real_outputs : c->scene->fake_outputs;
  if (c->scene->n_outputs < 1 || !outputs || !outputs[0]) return NULL;
  const struct loss_row *row = c->loss->row;
  return row && row->score && !node_failed(outputs[0]) ? row->score(c, outputs[0], real) : outputs[0];
}

static struct loss_call call_of(gan_loss *loss, int32_t side, const gan_scene *scene) {
  struct loss_call c = {.loss = loss, .options = &loss->options, .graph = scene->graph, .scene = scene, .side = side};
  c.real = score_of(&c, 1);
  c.fake = score_of(&c, 0);
  return c;
}

static gan_node *expect_number(const gan_loss *loss, gan_graph *graph, gan_node *node) {
  char shape[128];
  if (node_failed(node)) return graph_fail(graph, GAN_ERROR_CALLBACK, "%s '%s' gave no node", kind(loss), loss_name(loss));
  if (node->rank == 0 && node->type == GAN_F32) return node;
  return graph_fail(graph, GAN_ERROR_SHAPE, "%s '%s' gave a node of shape %s, expected one number (rank 0, f32)", kind(loss),
                    loss_name(loss), shape_text(shape, sizeof shape, node->rank, node->shape));
}

static gan_node *emit_custom(const struct loss_call *c) {
  const struct registered *custom = c->loss->custom;
  if (c->loss->is_penalty) {
    gan_node *x = ((gan_penalty_function)custom->function)(custom->user, c->side, c->scene);
    return x ? loss_weighted(c, x) : gan_constant(c->graph, 0);
  }
  if (node_failed(c->fake) || ((c->real || c->side == GAN_SIDE_D) && node_failed(c->real)))
    return scene_fail(c, "scores of real or generated samples");
  return ((gan_loss_function)custom->function)(custom->user, c->side, c->real, c->fake);
}

static side_rule *rule_of(const struct loss_row *row, int32_t side) {
  side_rule *rule = side == GAN_SIDE_D ? row->discriminator : row->generator;
  if (rule || !row->real) return rule;
  return side == GAN_SIDE_D ? scores_discriminator : scores_generator;
}

int32_t loss_concerns(const gan_loss *loss, int32_t side) {
  if (loss->custom) return 1;
  return rule_of(loss->row, side) && (!loss->row->concerns || loss->row->concerns(&loss->options, side));
}

gan_node *loss_emit(gan_loss *loss, int32_t side, const gan_scene *scene) {
  struct loss_call c = call_of(loss, side, scene);
  return expect_number(loss, c.graph, loss->custom ? emit_custom(&c) : rule_of(loss->row, side)(&c));
}

gan_node *loss_scores(gan_loss *loss, const gan_scene *scene, int32_t real) {
  struct loss_call c = call_of(loss, GAN_SIDE_D, scene);
  return real ? c.real : c.fake;
}

/* ------------------------------------------------------------------ public */

static const gan_scene empty = {.struct_size = sizeof empty};

gan_status gan_scene_init(gan_scene *scene, int64_t size) {
  REQUIRE(NULL, scene, "gan_scene_init: scene is NULL");
  return config_write(scene, size, &empty, sizeof empty);
}

static const char *what_is_wrong(const gan_scene *s) {
  if (s->n_outputs < 0 || (s->n_outputs > 0 && !s->real_outputs && !s->fake_outputs)) return "outputs";
  if (s->n_inputs < 0 || (s->n_inputs > 0 && !s->inputs)) return "inputs";
  if (s->n_conditions < 0 || (s->n_conditions > 0 && !s->conditions)) return "conditions";
  if (s->n_networks < 0 || (s->n_networks > 0 && !s->networks)) return "networks";
  for (int32_t i = 0; i < s->n_networks; i++)
    if (!s->networks[i]) return "networks";
  return NULL;
}

static gan_node *loss_bad(const gan_loss *loss, gan_graph *graph, const char *who) {
  if (graph->failed) return &graph->error;
  if (!loss) return graph_fail(graph, GAN_ERROR_ARGUMENT, "%s: loss is NULL", who);
  if (loss->ctx == graph->ctx) return NULL;
  return graph_fail(graph, GAN_ERROR_ARGUMENT, "%s '%s' is of another context", kind(loss), loss_name(loss));
}

/* A side with nothing to minimise adds nothing. */
static gan_node *number(gan_loss *loss, int32_t side, const gan_scene *scene) {
  gan_node *bad = loss_bad(loss, scene->graph, "gan_loss_term");
  if (bad) return bad;
  const char *wrong = what_is_wrong(scene);
  if (wrong)
    return graph_fail(scene->graph, GAN_ERROR_ARGUMENT, "%s '%s': the scene's %s are missing", kind(loss), loss_name(loss), wrong);
  return loss_concerns(loss, side) ? loss_emit(loss, side, scene) : gan_constant(scene->graph, 0);
}

gan_node *gan_loss_term(gan_loss *loss, int32_t side, const gan_scene *scene) {
  gan_scene s = empty;
  if (!scene || !scene->graph) return node_none();
  if (!loss) return graph_fail(scene->graph, GAN_ERROR_ARGUMENT, "gan_loss_term: loss is NULL");
  if (side != GAN_SIDE_D && side != GAN_SIDE_G)
    return graph_fail(scene->graph, GAN_ERROR_ARGUMENT, "gan_loss_term: side %d, expected GAN_SIDE_D or GAN_SIDE_G", side);
  gan_status status = config_read(loss->ctx, "gan_scene", &s, sizeof s, scene);
  if (status != GAN_OK) return graph_fail(scene->graph, status, "%s", loss->ctx->error);
  return number(loss, side, &s);
}

static gan_node *of_scores(gan_loss *loss, int32_t side, gan_node *real, gan_node *fake) {
  gan_graph *graph = fake ? fake->graph : real ? real->graph : NULL;
  if (!graph) return node_none();
  if (!loss)
    return graph_fail(graph, GAN_ERROR_ARGUMENT, "%s: loss is NULL", side ? "gan_loss_generator" : "gan_loss_discriminator");
  if (loss->is_penalty)
    return graph_fail(graph, GAN_ERROR_ARGUMENT, "'%s' is a penalty: gan_loss_penalty emits it", loss_name(loss));
  gan_scene scene = {.graph = graph, .real_outputs = &real, .fake_outputs = &fake, .n_outputs = 1};
  return number(loss, side, &scene);
}

gan_node *gan_loss_discriminator(gan_loss *loss, gan_node *real, gan_node *fake) {
  return of_scores(loss, GAN_SIDE_D, real, fake);
}

gan_node *gan_loss_generator(gan_loss *loss, gan_node *real, gan_node *fake) {
  return of_scores(loss, GAN_SIDE_G, real, fake);
}

/* "l1, l2, huber, .." */
static gan_node *no_pair(const gan_loss *loss, gan_graph *graph) {
  struct text list;
  text_init(&list, graph->ctx);
  for (int32_t i = 0; loss_row_at(i); i++)
    if (loss_row_at(i)->each) text_format(&list, "%s%s", text_get(&list)[0] ? ", " : "", loss_row_at(i)->name);
  gan_node *error = list.failed ? graph_fail(graph, GAN_ERROR_MEMORY, "%s", graph->ctx->error)
                                : graph_fail(graph, GAN_ERROR_ARGUMENT,
                                             "gan_loss_pair: '%s' compares no prediction with a target; there are %s",
                                             loss_name(loss), text_get(&list));
  text_free(&list);
  return error;
}

gan_node *gan_loss_pair(gan_loss *loss, gan_node *prediction, gan_node *target, gan_node *weights) {
  gan_graph *graph = prediction ? prediction->graph : NULL;
  if (!graph) return node_none();
  gan_node *bad = loss_bad(loss, graph, "gan_loss_pair");
  if (bad) return bad;
  if (!loss->row || !loss->row->each) return no_pair(loss, graph);
  gan_scene scene = {.graph = graph, .real_weights = weights, .fake_weights = weights};
  struct loss_call c = call_of(loss, GAN_SIDE_G, &scene);
  c.prediction = prediction;
  c.target = target;
  return expect_number(loss, graph, loss->row->generator(&c));
}

gan_node *gan_loss_penalty(gan_loss *penalty, gan_network *discriminator, gan_node *real, gan_node *fake,
                           int32_t n_conditions, gan_node *const *conditions) {
  gan_graph *graph = fake ? fake->graph : real ? real->graph : NULL;
  if (!graph) return node_none();
  if (!penalty || !discriminator)
    return graph_fail(graph, GAN_ERROR_ARGUMENT, "gan_loss_penalty: penalty or discriminator are missing");
  if (!penalty->is_penalty)
    return graph_fail(graph, GAN_ERROR_ARGUMENT, "'%s' is a loss, not a penalty", loss_name(penalty));
  gan_scene scene = {.graph = graph, .discriminator = discriminator, .real = real, .fake = fake, .conditions = conditions,
                     .n_conditions = n_conditions};
  return number(penalty, GAN_SIDE_D, &scene);
}
