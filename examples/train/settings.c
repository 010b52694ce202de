#include "settings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "files.h"
#include "say.h"

#define AT(field) offsetof(struct settings, field)
#define TITLE(text) {CLI_TITLE, text, NULL, NULL, 0, 0, 0, NULL}
#define SWITCH(name, field, help) {CLI_SWITCH, name, NULL, help, AT(field), 0, 0, NULL}
#define TEXT(name, value, field, help) {CLI_TEXT, name, value, help, AT(field), 0, 0, NULL}
#define INTEGER(name, field, low, high, help) {CLI_INTEGER, name, "N", help, AT(field), low, high, NULL}
#define NUMBER(name, field, low, high, help) {CLI_NUMBER, name, "X", help, AT(field), low, high, NULL}

static struct cli_option options[] = {
  TITLE("networks"),
  TEXT("model", "NAME", model, "preset for both networks and how they are trained (clothes)"),
  INTEGER("latent", latent, 1, 65536, "length of the noise vector (the preset's)"),
  TEXT("generator", "FILE", generator, "instead: layers of the generator, a line each; its output fits the images"),
  TEXT("discriminator", "FILE", discriminator, "instead: layers of the discriminator"),
  TEXT("network", "FILE", network, "a saved network (.safetensors) that a loss looks through: --loss \"hinge; perceptual\""),
  TITLE("images"),
  {CLI_PAIR, "size", "HxW", "height and width that all get, stretched if need be (their own)", AT(size), 1, 4096, NULL},
  TEXT("crop", "WHERE", crop, "do not stretch: \"centre\" keeps the middle, \"random\" another window near it each time"),
  SWITCH("flip", flip, "mirrored left to right in one of two draws"),
  SWITCH("gray", gray, "one channel (the first picture's)"),
  SWITCH("color", color, "three channels"),
  TEXT("labels", "FILE", labels, "IDX file of labels, for networks that have an input 'label'"),
  TITLE("training (defaults are the preset's)"),
  TEXT("loss", "TEXT", loss, "\"non-saturating smooth=0.1\", \"hinge; ac-gan weight=0.5\", .."),
  TEXT("penalty", "TEXT", penalty, "\"wgan-gp weight=10\", \"r1 every=16; lecam\", ..; \"none\" for none"),
  TEXT("devices", "TEXT", devices, "\"augment; top-k share=0.5; ema decay=0.999 warmup=10\", .."),
  TEXT("optimizer", "TEXT", optimizer, "of both networks: \"adam rate=2e-4 beta1=0.5\""),
  TEXT("optimizer-d", "TEXT", optimizer_d, "of the discriminator"),
  TEXT("optimizer-g", "TEXT", optimizer_g, "of the generator"),
  INTEGER("batch", batch, 1, 65536, "images in a batch"),
  INTEGER("d-steps", d_steps, 1, 1000, "steps of the discriminator per step of the generator"),
  NUMBER("ema", ema, 0, 0.999999, "decay of the averaged generator, 0 for none"),
  NUMBER("instance-noise", instance_noise, 0, 100, "noise added to what the discriminator sees (0)"),
  SWITCH("fresh-noise", fresh_noise, "the generator's step draws its own noise"),
  TITLE("how long (whichever comes first; 20 epochs if nothing is said)"),
  INTEGER("steps", steps, 1, INFINITY, "steps of the generator in all"),
  NUMBER("epochs", epochs, 1e-6, 1e9, "passes through the images in all"),
  NUMBER("seconds", seconds, 1e-3, 1e9, "time from now"),
  TITLE("machine"),
  INTEGER("threads", threads, 0, 1024, "threads (0: all cores)"),
  INTEGER("seed", seed, 1, INFINITY, "of everything random (1)"),
  SWITCH("deterministic", deterministic, "the same bits for any number of threads"),
  TITLE("results"),
  TEXT("out", "DIR", out, "folder for pictures, curves, networks, checkpoint (gan-out)"),
  SWITCH("resume", resume, "go on with the training in the folder; options given again override its settings"),
  SWITCH("overwrite", overwrite, "start anew although the folder holds a training"),
  {CLI_PAIR, "grid", "CxR", "columns and rows of the sample pictures (10x10)", AT(grid), 1, 100, NULL},
  INTEGER("every", every, 1, INFINITY, "epochs between sample pictures and checkpoints (1)"),
  INTEGER("log-every", log_every, 1, INFINITY, "steps between rows of the curves (10)"),
  SWITCH("quiet", quiet, "no progress line"),
  TITLE("information"),
  SWITCH("list", list, "names of all presets, layers, losses, penalties, devices .."),
  TEXT("describe", "NAME", describe, "what a name is and which parameters it takes"),
  SWITCH("version", version, "version of the library"),
  SWITCH("help", help, "this text"),
};

static struct cli command_line(struct settings *s) {
  return (struct cli){
    .usage = "gan-train [option..] DATA",
    .about = "Trains a generative adversarial network on DATA: an IDX file of images, gzip or not, or a folder of PNG and\n"
             "JPEG files. Ctrl-C stops cleanly, --resume goes on.",
    .settings = s,
    .options = options,
    .count = (int)(sizeof options / sizeof options[0]),
  };
}

static void set_defaults(struct settings *s) {
  *s = (struct settings){.model = "clothes", .seed = 1, .every = 1, .log_every = 10, .ema = -1, .grid = {10, 10}, .out = "gan-out"};
}

/* -------------------------------------------------------------------------------------------- the settings of a folder */

static const char FILE_NAME[] = "settings.txt";
static const size_t LARGEST = 1 << 20;

/* What belongs to the training, not to one call of the program. */
static int is_kept(const struct cli_option *option) {
  static const char *const others[] = {"out", "resume", "overwrite", "quiet", "list", "describe", "version", "help"};
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
    if (strcmp(option->name, others[i]) == 0) return 0;
  }
  return option->kind != CLI_TITLE && option->given;
}

int settings_write(const struct settings *s) {
  char *path = path_join(s->out, FILE_NAME), *text = malloc(LARGEST);
  int done = path && text;
  size_t used = 0;
  if (done) used = (size_t)snprintf(text, LARGEST, "data = %s\n", s->data);
  for (size_t i = 0; done && i < sizeof options / sizeof options[0]; i++) {
    if (!is_kept(&options[i])) continue;
    used += (size_t)snprintf(text + used, LARGEST - used, "%s = %s\n", options[i].name, options[i].given);
    if (used >= LARGEST) done = complain("the options are too long to be kept");
  }
  done = done && file_write(path, text, used);
  free(path);
  free(text);
  return done;
}

static int was_given(const char *name) {
  for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
    if (options[i].kind != CLI_TITLE && strcmp(options[i].name, name) == 0) return options[i].given != NULL;
  }
  return 0;
}

/* "name = value", cut in place. */
static int read_line(struct settings *s, const struct cli *cli, char *line) {
  char *equals = strstr(line, " = ");
  if (!equals) return complain("%s/%s: '%s' is no line of the form 'name = value'", s->out, FILE_NAME, line);
  *equals = 0;
  const char *value = equals + 3;
  if (strcmp(line, "data") == 0) {
    if (!s->data) s->data = value;
    return 1;
  }
  return was_given(line) || cli_set(cli, line, value[0] ? value : NULL);
}

static int read_folder(struct settings *s, const struct cli *cli) {
  size_t size;
  char *path = path_join(s->out, FILE_NAME);
  if (!path) return 0;
  if (!file_exists(path)) complain("there is no training to resume in %s", s->out);
  else s->kept = (char *)file_read(path, LARGEST, &size);
  free(path);
  if (!s->kept) return 0;
  for (char *line = s->kept, *end; *line; line = end) {
    end = strchr(line, '\n');
    if (end) *end++ = 0;
    else end = line + strlen(line);
    if (!read_line(s, cli, line)) return 0;
  }
  return 1;
}

/* ------------------------------------------------------------------------------------------------------- all together */

/* What the table cannot say. */
static int check(struct settings *s) {
  if (!s->data) return complain("which images? usage: gan-train [option..] DATA");
  if (!s->generator != !s->discriminator) return complain("--generator and --discriminator go together");
  if (s->optimizer && s->optimizer_d && s->optimizer_g) return complain("--optimizer has no effect beside the other two");
  if (s->gray && s->color) return complain("--gray and --color contradict each other");
  if (s->crop && strcmp(s->crop, "centre") && strcmp(s->crop, "center") && strcmp(s->crop, "random")) {
    return complain("--crop takes centre or random, not '%s'", s->crop);
  }
  if (s->crop && !s->size[0]) return complain("--crop needs --size");
  if (s->resume && s->overwrite) return complain("--resume and --overwrite contradict each other");
  if (!s->steps && s->epochs == 0 && s->seconds == 0) s->epochs = 20;
  return 1;
}

int settings_read(struct settings *s, int argc, char **argv) {
  set_defaults(s);
  struct cli cli = command_line(s);
  int operands = cli_parse(&cli, argc, argv, &s->data, 1);
  if (operands < 0) return 0;
  if (s->help || s->list || s->version || s->describe) return 1;
  if (s->resume && !read_folder(s, &cli)) return 0;
  return check(s);
}

void settings_help(struct settings *s) {
  struct cli cli = command_line(s);
  cli_help(&cli, stdout);
}

void settings_free(struct settings *s) {
  free(s->kept);
}
