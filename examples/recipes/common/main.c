/* The program around a recipe: options, what the recipe needs, picture and figures at the end. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli.h"
#include "parts.h"
#include "say.h"

const char *program_name;

#define AT(field) offsetof(struct recipe, field)

static struct cli_option options[] = {
  {CLI_INTEGER, "steps", "N", "of the training", AT(steps), 1, 1e9, NULL},
  {CLI_INTEGER, "threads", "N", "0: all cores that there are (0)", AT(threads), 0, 1024, NULL},
  {CLI_INTEGER, "seed", "N", "of everything random (1)", AT(seed), 1, INFINITY, NULL},
  {CLI_TEXT, "out", "FILE.png", "the picture (the recipe's name)", AT(out), 0, 0, NULL},
  {CLI_TEXT, "data", "FOLDER", "Fashion-MNIST's four files (/usr/share/datasets/fashion-mnist)", AT(folder), 0, 0, NULL},
  {CLI_SWITCH, "help", NULL, "this text", AT(help), 0, 0, NULL},
};

double cpu_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void need(const struct recipe *r, gan_status status, const char *doing) {
  if (status == GAN_OK) return;
  complain_gan(r->context, doing, status);
  exit(1);
}

void need_room(int32_t count, int32_t capacity, const char *of) {
  if (count < capacity) return;
  complain("more than %d %s", (int)capacity, of);
  exit(1);
}

static void open_recipe(struct recipe *r) {
  gan_context_config config;
  gan_game_config game;
  gan_context_config_init(&config, sizeof config);
  config.seed = r->seed;
  config.threads = (int32_t)r->threads;
  need(r, gan_context_create(&config, &r->context), "the context");
  gan_game_config_init(&game, sizeof game);
  if (r->card->batch) game.batch = r->card->batch;
  need(r, gan_game_create(r->context, &game, &r->game), "the game");
  load_clothes(r);
}

static void close_recipe(struct recipe *r) {
  gan_game_free(r->game);
  for (int32_t i = 0; i < r->n_networks; i++) gan_network_free(r->networks[i]);
  for (int32_t i = 0; i < r->n_optimizers; i++) gan_optimizer_free(r->optimizers[i]);
  for (int32_t i = 0; i < r->n_losses; i++) gan_loss_free(r->losses[i]);
  for (int32_t i = 0; i < r->n_sources; i++) gan_data_free(r->sources[i]);
  gan_data_free(r->held_out);
  gan_data_free(r->clothes);
  gan_tensor_free(r->images);
  gan_tensor_free(r->labels);
  gan_context_free(r->context);
}

static int help(const struct cli *cli) {
  cli_help(cli, stdout);
  printf("\nSteps by default: %d.\n", (int)recipe_card.steps);
  return 0;
}

int main(int argc, char **argv) {
  char about[1000], usage[100], out[100];
  struct recipe r = {.card = &recipe_card, .folder = "/usr/share/datasets/fashion-mnist", .out = out, .seed = 1,
                     .steps = recipe_card.steps, .began = cpu_seconds()};
  struct cli cli = {.usage = usage, .about = about, .settings = &r, .options = options,
                    .count = (int)(sizeof options / sizeof options[0])};
  program_name = recipe_card.name;
  snprintf(out, sizeof out, "%s.png", recipe_card.name);
  snprintf(usage, sizeof usage, "%s [option..]", recipe_card.name);
  snprintf(about, sizeof about, "%s\nAfter %s.", recipe_card.does, recipe_card.paper);
  if (cli_parse(&cli, argc, argv, NULL, 0) < 0) return 1;
  if (r.help) return help(&cli);
  open_recipe(&r);
  recipe_play(&r);
  write_picture(&r);
  close_recipe(&r);
  return 0;
}
