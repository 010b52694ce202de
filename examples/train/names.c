#include "names.h"

#include <gan.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "say.h"

static const struct { int32_t kind; const char *title; } kinds[] = {
  {GAN_LIST_PRESETS, "presets"},       {GAN_LIST_LAYERS, "layers"},       {GAN_LIST_LOSSES, "losses"},
  {GAN_LIST_PENALTIES, "penalties"},   {GAN_LIST_OPTIMIZERS, "optimizers"}, {GAN_LIST_SCHEDULES, "schedules"},
  {GAN_LIST_INITIALIZERS, "initializers"}, {GAN_LIST_DEVICES, "devices"},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

void names_list(void) {
  for (int k = 0; k < KINDS; k++) {
    printf("%-13s", kinds[k].title);
    for (int32_t i = 0; i < gan_list_count(kinds[k].kind); i++) printf(" %s", gan_list_name(kinds[k].kind, i));
    printf("\n");
  }
}

static const char *name_at(const void *kind, int i) {
  return gan_list_name(*(const int32_t *)kind, i);
}

static int unknown(const char *name) {
  for (int k = 0; k < KINDS; k++) {
    const char *nearest = cli_nearest(name, gan_list_count(kinds[k].kind), name_at, &kinds[k].kind);
    if (nearest) return complain("there is nothing called %s; did you mean %s?", name, nearest);
  }
  return complain("there is nothing called %s; --list tells all names", name);
}

/* How a preset is trained. */
static void describe_training(const char *name) {
  gan_trainer_config c;
  gan_trainer_config_init(&c, sizeof c);
  if (gan_trainer_config_preset(&c, name) != GAN_OK) return;
  printf("trained with loss %s, penalty %s, batch %d, %d step%s of D a step of G", c.loss, c.penalty ? c.penalty : "none", (int)c.batch,
         c.d_steps, c.d_steps > 1 ? "s" : "");
  if (c.ema > 0) printf(", average %g of G", c.ema);
  printf("\n  D: %s\n  G: %s\n", c.optimizer_d, c.optimizer_g);
}

int names_describe(const char *name) {
  static char text[8192];
  int found = 0;
  for (int k = 0; k < KINDS; k++) {
    for (int32_t i = 0; i < gan_list_count(kinds[k].kind); i++) {
      if (strcmp(name, gan_list_name(kinds[k].kind, i)) != 0) continue;
      gan_list_help(kinds[k].kind, name, text, sizeof text, NULL);
      printf("%s: %s\n", kinds[k].title, text);
      if (kinds[k].kind == GAN_LIST_PRESETS) describe_training(name);
      found = 1;
    }
  }
  return found || unknown(name);
}
