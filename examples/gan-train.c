/* gan-train: from a file of images to a generator, pictures and curves. */
#include <gan.h>
#include <stdio.h>

#include "names.h"
#include "run.h"
#include "say.h"
#include "settings.h"

const char *program_name = "gan-train";

static void on_log(void *user, int32_t level, const char *text) {
  (void)user;
  if (level >= GAN_LOG_WARNING) complain("%s", text);
}

static int make_context(gan_context **context, const struct settings *s) {
  gan_context_config config;
  gan_context_config_init(&config, sizeof config);
  config.threads = (int32_t)s->threads;
  config.seed = s->seed;
  config.deterministic = s->deterministic;
  config.log = on_log;
  gan_status status = gan_context_create(&config, context);
  return status == GAN_OK || complain("%s", gan_status_text(status));
}

static int train(const struct settings *s) {
  gan_context *context;
  struct run run;
  if (!make_context(&context, s)) return 0;
  int done = run_begin(&run, context, s) && run_train(&run);
  run_free(&run);
  gan_context_free(context);
  return done;
}

/* What is asked for instead of training; 1 if it was. */
static int inform(struct settings *s, int *done) {
  if (s->help) settings_help(s);
  else if (s->version) printf("libgan %s\n", gan_version_text());
  else if (s->list) names_list();
  else if (s->describe) *done = names_describe(s->describe);
  else return 0;
  return 1;
}

int main(int argc, char **argv) {
  struct settings s;
  int done = settings_read(&s, argc, argv);
  if (done && !inform(&s, &done)) done = train(&s);
  settings_free(&s);
  return !done;
}
