/* What a recipe makes, trains and measures. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parts.h"
#include "progress.h"
#include "say.h"

enum {
  CHUNK = 10,    /* steps between looks at the clock */
  MEASURED = 100 /* runs that a measure is the mean of, but no more than --steps */
};

gan_context *recipe_context(const struct recipe *r) { return r->context; }
gan_game *recipe_game(const struct recipe *r) { return r->game; }
int64_t recipe_steps(const struct recipe *r) { return r->steps; }

/* ------------------------------------------------------------------------------------------------------------ making */

gan_network *make_network(struct recipe *r, const char *name, const char *lines) {
  gan_network *network;
  need_room(r->n_networks, PARTS, "networks");
  need(r, gan_network_create(r->context, name, &network), name);
  r->networks[r->n_networks++] = network;
  gan_network_build(network, lines);
  need(r, gan_network_finish(network), name);
  return network;
}

gan_optimizer *make_optimizer(struct recipe *r, const char *name, const char *text, gan_network *network) {
  gan_optimizer *optimizer;
  need_room(r->n_optimizers, PARTS, "optimizers");
  need(r, gan_optimizer_create(r->context, name, text, &optimizer), name);
  r->optimizers[r->n_optimizers++] = optimizer;
  optimize_too(r, optimizer, network, NULL);
  return optimizer;
}

gan_optimizer *make_optimizer_of(struct recipe *r, const char *name, const char *text, int32_t count,
                                 gan_network *const *networks) {
  gan_optimizer *optimizer = make_optimizer(r, name, text, networks[0]);
  for (int32_t i = 1; i < count; i++) optimize_too(r, optimizer, networks[i], NULL);
  return optimizer;
}

void optimize_too(struct recipe *r, gan_optimizer *optimizer, gan_network *network, const char *pattern) {
  need(r, gan_optimizer_add(optimizer, network, pattern, 1, 1), "the optimizer");
}

gan_loss *make_loss(struct recipe *r, const char *text) {
  gan_loss *loss;
  need_room(r->n_losses, PARTS, "losses");
  need(r, gan_loss_create(r->context, text, &loss), text);
  r->losses[r->n_losses++] = loss;
  return loss;
}

gan_graph *make_step(struct recipe *r, const char *name) {
  gan_graph *graph;
  need(r, gan_game_add_step(r->game, name, &graph), name);
  return graph;
}

/* ---------------------------------------------------------------------------------------------------------- training */

/* "steps  d 0.693  g 1.21": the losses of each optimizer, out of lines "  d: loss 0.693147, .." of a report. */
static void describe_losses(gan_game *game, char *text, size_t size) {
  char report[4000] = "", name[32];
  double loss;
  size_t used = (size_t)snprintf(text, size, "steps");
  gan_game_report(game, report, sizeof report, NULL);
  for (const char *line = report; line && used < size; line = strchr(line, '\n')) {
    line += strspn(line, "\n ");
    if (sscanf(line, "%31[^: \n]: loss %lf", name, &loss) != 2) continue;
    used += (size_t)snprintf(text + used, size - used, "  %s %.3f", name, loss);
  }
}

void run_steps(struct recipe *r, gan_game *game, const char *step, int64_t count) {
  struct progress_line line;
  char text[100];
  progress_begin(&line, 0);
  for (int64_t done = 0, chunk; done < count; done += chunk) {
    chunk = count - done < CHUNK ? count - done : CHUNK;
    need(r, gan_game_run(game, step, chunk), step);
    describe_losses(game, text, sizeof text);
    progress_count(&line, text, done + chunk, count);
  }
}

void train(struct recipe *r, const char *step, int64_t count) {
  run_steps(r, r->game, step, count);
}

void train_in_turn(struct recipe *r, const char *first, int64_t times, const char *then, int64_t count) {
  struct progress_line line;
  char text[100];
  progress_begin(&line, 0);
  for (int64_t done = 1; done <= count; done++) {
    need(r, gan_game_run(r->game, first, times), first);
    need(r, gan_game_step(r->game, then), then);
    if (done % CHUNK == 0) describe_losses(r->game, text, sizeof text), progress_count(&line, text, done, count);
  }
}

/* --------------------------------------------------------------------------------------------------------- measuring */

void measure_each(struct recipe *r, const char *step, const char *output, int64_t count, double *means) {
  gan_tensor *tensor;
  int64_t runs = r->steps < MEASURED ? r->steps : MEASURED;
  need(r, gan_tensor_create(r->context, GAN_F64, 1, &count, &tensor), output);
  const double *values = gan_tensor_data(tensor);
  for (int64_t i = 0; i < count; i++) means[i] = 0;
  for (int64_t run = 0; run < runs; run++) {
    need(r, gan_game_step(r->game, step), step);
    need(r, gan_game_read(r->game, step, output, tensor), output);
    for (int64_t i = 0; i < count; i++) means[i] += values[i] / (double)runs;
  }
  gan_tensor_free(tensor);
}

double measure(struct recipe *r, const char *step, const char *output) {
  double mean;
  measure_each(r, step, output, 1, &mean);
  return mean;
}

static void print_figure(struct recipe *r, const char *what, double value, const char *relation, int reached,
                         const char *reference, double reference_value) {
  if (!isfinite(value) || !isfinite(reference_value)) {
    complain("%s=%g beside %s %g: not finite", what, value, reference, reference_value);
    exit(1);
  }
  printf("%s %s=%.3f (%s%s %s %.3f), %lld steps, %.0f s\n", r->card->name, what, value, reached ? "" : "not ", relation, reference,
         reference_value, (long long)r->steps, cpu_seconds() - r->began);
}

void figure_above(struct recipe *r, const char *what, double value, const char *reference, double reference_value) {
  print_figure(r, what, value, "above", value > reference_value, reference, reference_value);
}

void figure_below(struct recipe *r, const char *what, double value, const char *reference, double reference_value) {
  print_figure(r, what, value, "below", value < reference_value, reference, reference_value);
}
