/* classifier: a judge for generators of Fashion-MNIST, trained with libgan itself.
 *
 *     classifier [option..] FOLDER [generator.safetensors]
 *
 * Trains on the IDX files in FOLDER, prints the accuracy on the test images, then counts the kinds among the generator's samples.
 * Fails if the accuracy is below 87 %, or a kind below 3 %. */
#include <gan.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "files.h"
#include "idx.h"
#include "say.h"

const char *program_name = "classifier";

enum { KINDS = 10, PIXELS = 784, AT_ONCE = 100, BATCH = 128 };
static const double LEAST_ACCURACY = 87, LEAST_SHARE = 3;
static const char *const kinds[KINDS] = {"T-shirt", "trouser", "pullover", "dress", "coat",
                                         "sandal",  "shirt",   "sneaker",  "bag",   "boot"};
static const char NETWORK[] =
  "input image 784; dense units=512; relu; dropout rate=0.3; dense units=256; relu; dropout rate=0.3; dense units=10";

struct settings {
  int64_t samples, epochs, threads, seed;
  const char *folder, *generator, *save, *load;
  int32_t help;
};

#define AT(field) offsetof(struct settings, field)
static struct cli_option options[] = {
  {CLI_INTEGER, "samples", "N", "samples of the generator (10000)", AT(samples), AT_ONCE, 1e7, NULL},
  {CLI_INTEGER, "epochs", "N", "of the classifier's training (8)", AT(epochs), 1, 1000, NULL},
  {CLI_INTEGER, "threads", "N", "threads (0: all cores)", AT(threads), 0, 1024, NULL},
  {CLI_INTEGER, "seed", "N", "of weights and noise (1)", AT(seed), 1, 1e15, NULL},
  {CLI_TEXT, "save", "FILE", "keep the trained classifier", AT(save), 0, 0, NULL},
  {CLI_TEXT, "load", "FILE", "take a kept classifier instead of training", AT(load), 0, 0, NULL},
  {CLI_SWITCH, "help", NULL, "this text", AT(help), 0, 0, NULL},
};

/* ---------------------------------------------------------------------------------------------------------------- pictures */

struct set {
  gan_tensor *images, *labels; /* u8 (N, 784), i32 (N) */
  int64_t count;
};

static int read_idx(const char *folder, const char *name, struct idx *idx) {
  char *path = path_join(folder, name);
  int done = path && idx_read(path, idx);
  free(path);
  return done;
}

static gan_status to_tensors(gan_context *context, const struct idx *images, const struct idx *labels, struct set *set) {
  const int64_t shape[] = {images->size[0], PIXELS};
  set->count = shape[0];
  gan_status status = gan_tensor_create(context, GAN_U8, 2, shape, &set->images);
  if (status == GAN_OK) status = gan_tensor_write(set->images, 0, shape[0] * PIXELS, GAN_U8, images->bytes);
  if (status == GAN_OK) status = gan_tensor_create(context, GAN_I32, 1, shape, &set->labels);
  if (status == GAN_OK) status = gan_tensor_write(set->labels, 0, shape[0], GAN_U8, labels->bytes);
  return status;
}

static int set_load(struct set *set, gan_context *context, const char *folder, const char *images, const char *labels) {
  struct idx x = {0}, y = {0};
  *set = (struct set){0};
  int done = read_idx(folder, images, &x) && read_idx(folder, labels, &y);
  if (done && (x.rank != 3 || x.size[1] * x.size[2] != PIXELS || y.rank != 1 || y.size[0] != x.size[0])) {
    done = complain("%s does not hold images of 28x28 pixels and their labels", folder);
  }
  gan_status status = done ? to_tensors(context, &x, &y, set) : GAN_OK;
  idx_free(&x);
  idx_free(&y);
  return status == GAN_OK ? done : complain_gan(context, folder, status);
}

static void set_free(struct set *set) {
  gan_tensor_free(set->images);
  gan_tensor_free(set->labels);
}

/* ---------------------------------------------------------------------------------------------------------------- training */

static gan_status make_data(gan_context *context, const struct set *set, gan_data **data) {
  gan_status status = gan_data_create(context, data);
  if (status == GAN_OK) status = gan_data_add(*data, "image", set->images, "range=-1..1");
  if (status == GAN_OK) status = gan_data_add(*data, "label", set->labels, "classes=10");
  return status;
}

static gan_status make_optimizer(gan_context *context, gan_network *network, int64_t steps, gan_optimizer **optimizer) {
  char text[100];
  snprintf(text, sizeof text, "adam rate=1e-3 schedule=(cosine steps=%" PRId64 ")", steps);
  gan_status status = gan_optimizer_create(context, "classifier", text, optimizer);
  if (status == GAN_OK) status = gan_optimizer_add(*optimizer, network, NULL, 1, 1);
  return status;
}

static gan_status make_game(gan_context *context, gan_network *network, gan_data *data, gan_optimizer *optimizer, gan_game **game) {
  gan_game_config config;
  gan_graph *step;
  gan_game_config_init(&config, sizeof config);
  config.batch = BATCH;
  gan_status status = gan_game_create(context, &config, game);
  if (status == GAN_OK) status = gan_game_add_step(*game, "train", &step);
  if (status != GAN_OK) return status;
  gan_node *logits = gan_apply(network, gan_data_node(step, data, "image"));
  gan_minimize(optimizer, gan_output(gan_cross_entropy(logits, gan_data_node(step, data, "label")), "loss"));
  return gan_game_prepare(*game);
}

static gan_status run(gan_game *game, int64_t epochs, int64_t steps_an_epoch) {
  for (int64_t epoch = 0; epoch < epochs; epoch++) {
    double loss = 0;
    gan_status status = gan_game_run(game, "train", steps_an_epoch);
    if (status != GAN_OK) return status;
    gan_game_value(game, "train", "loss", &loss);
    printf("epoch %" PRId64 " of %" PRId64 ", loss %.3f\n", epoch + 1, epochs, loss);
    fflush(stdout);
  }
  return GAN_OK;
}

static int train(gan_context *context, gan_network *network, const struct set *set, int64_t epochs) {
  gan_data *data = NULL;
  gan_optimizer *optimizer = NULL;
  gan_game *game = NULL;
  int64_t steps_an_epoch = set->count / BATCH;
  gan_status status = make_data(context, set, &data);
  if (status == GAN_OK) status = make_optimizer(context, network, epochs * steps_an_epoch, &optimizer);
  if (status == GAN_OK) status = make_game(context, network, data, optimizer, &game);
  if (status == GAN_OK) status = run(game, epochs, steps_an_epoch);
  gan_game_free(game);
  gan_optimizer_free(optimizer);
  gan_data_free(data);
  return status == GAN_OK || complain_gan(context, "training", status);
}

static int make_classifier(gan_context *context, const struct settings *s, gan_network **network) {
  gan_status status = s->load ? gan_network_load(context, s->load, network) : gan_network_create(context, "classifier", network);
  if (status == GAN_OK && !s->load) gan_network_build(*network, NETWORK);
  if (status == GAN_OK) status = gan_network_finish(*network);
  if (status != GAN_OK) return complain_gan(context, "the classifier", status);
  if (s->load) return 1;
  struct set set;
  int done = set_load(&set, context, s->folder, "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz");
  done = done && train(context, *network, &set, s->epochs);
  set_free(&set);
  status = done && s->save ? gan_network_save(*network, s->save) : GAN_OK;
  return status == GAN_OK ? done : complain_gan(context, s->save, status);
}

/* ----------------------------------------------------------------------------------------------------------------- judging */

static gan_status make_judge(gan_network *network, gan_sampler **judge) {
  gan_sampler_config config;
  gan_sampler_config_init(&config, sizeof config);
  config.max_batch = AT_ONCE;
  return gan_sampler_create(network, &config, judge);
}

/* Kinds of AT_ONCE pictures, in -1 .. 1. */
static gan_status classify(gan_sampler *judge, const float *pictures, int32_t *found) {
  float logits[AT_ONCE][KINDS];
  gan_status status = gan_sampler_bind(judge, "image", AT_ONCE, pictures);
  if (status == GAN_OK) status = gan_sampler_draw(judge, 0, AT_ONCE, logits[0]);
  for (int i = 0; i < AT_ONCE; i++) {
    found[i] = 0;
    for (int32_t kind = 1; kind < KINDS; kind++) {
      if (logits[i][kind] > logits[i][found[i]]) found[i] = kind;
    }
  }
  return status;
}

static int test(gan_context *context, gan_sampler *judge, const struct set *set) {
  static float pictures[AT_ONCE * PIXELS];
  int32_t labels[AT_ONCE], found[AT_ONCE];
  int64_t right = 0, seen = set->count / AT_ONCE * AT_ONCE;
  for (int64_t first = 0; first < seen; first += AT_ONCE) {
    gan_tensor_read(set->images, first * PIXELS, AT_ONCE * PIXELS, GAN_F32, pictures);
    gan_tensor_read(set->labels, first, AT_ONCE, GAN_I32, labels);
    for (int i = 0; i < AT_ONCE * PIXELS; i++) pictures[i] = pictures[i] / 127.5f - 1;
    gan_status status = classify(judge, pictures, found);
    if (status != GAN_OK) return complain_gan(context, "testing", status);
    for (int i = 0; i < AT_ONCE; i++) right += found[i] == labels[i];
  }
  double accuracy = 100.0 * (double)right / (double)seen;
  printf("test accuracy %.2f %%\n", accuracy);
  return accuracy >= LEAST_ACCURACY || complain("that is below %g %%", LEAST_ACCURACY);
}

static int report(const int64_t *count, int64_t samples) {
  int enough = 1;
  for (int kind = 0; kind < KINDS; kind++) {
    double share = 100.0 * (double)count[kind] / (double)samples;
    printf("%-9s %5.1f %%\n", kinds[kind], share);
    if (share < LEAST_SHARE) enough = complain("there are fewer than %g %% of the kind %s", LEAST_SHARE, kinds[kind]);
  }
  return enough;
}

static int count_kinds(gan_context *context, gan_sampler *judge, gan_sampler *generator, int64_t samples) {
  static float pictures[AT_ONCE * PIXELS];
  int32_t found[AT_ONCE];
  int64_t count[KINDS] = {0};
  samples -= samples % AT_ONCE;
  for (int64_t first = 0; first < samples; first += AT_ONCE) {
    gan_status status = gan_sampler_draw(generator, first, AT_ONCE, pictures);
    if (status == GAN_OK) status = classify(judge, pictures, found);
    if (status != GAN_OK) return complain_gan(context, "counting", status);
    for (int i = 0; i < AT_ONCE; i++) count[found[i]]++;
  }
  return report(count, samples);
}

static int judge_generator(gan_context *context, gan_sampler *judge, const struct settings *s) {
  gan_network *network = NULL;
  gan_sampler *generator = NULL;
  gan_sampler_config config;
  gan_sampler_config_init(&config, sizeof config);
  config.seed = s->seed + 1000;
  gan_status status = gan_network_load(context, s->generator, &network);
  if (status == GAN_OK) status = gan_sampler_create(network, &config, &generator);
  int done = status == GAN_OK || complain_gan(context, s->generator, status);
  if (done && gan_sampler_sample_size(generator) != PIXELS) done = complain("%s makes no pictures of 28x28 pixels", s->generator);
  done = done && count_kinds(context, judge, generator, s->samples);
  gan_sampler_free(generator);
  gan_network_free(network);
  return done;
}

/* ------------------------------------------------------------------------------------------------------------ all together */

static int work(gan_context *context, const struct settings *s) {
  gan_network *network = NULL;
  gan_sampler *judge = NULL;
  struct set set = {0};
  int done = make_classifier(context, s, &network);
  gan_status status = done ? make_judge(network, &judge) : GAN_OK;
  if (status != GAN_OK) done = complain_gan(context, "the classifier", status);
  done = done && set_load(&set, context, s->folder, "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz");
  done = done && test(context, judge, &set);
  done = done && (!s->generator || judge_generator(context, judge, s));
  set_free(&set);
  gan_sampler_free(judge);
  gan_network_free(network);
  return done;
}

int main(int argc, char **argv) {
  struct settings s = {.samples = 10000, .epochs = 8, .seed = 1};
  const char *operands[2] = {NULL, NULL};
  struct cli cli = {.usage = "classifier [option..] FOLDER [GENERATOR]",
                    .about = "Trains a classifier on Fashion-MNIST in FOLDER and counts the kinds among a generator's samples.",
                    .settings = &s, .options = options, .count = (int)(sizeof options / sizeof options[0])};
  gan_context *context = NULL;
  gan_context_config config;
  int found = cli_parse(&cli, argc, argv, operands, 2);
  if (found < 0) return 2;
  if (s.help) return cli_help(&cli, stdout), 0;
  if (found == 0) return complain("which folder? usage: %s", cli.usage), 2;
  s.folder = operands[0];
  s.generator = operands[1];
  gan_context_config_init(&config, sizeof config);
  config.threads = (int32_t)s.threads;
  config.seed = s.seed;
  gan_status status = gan_context_create(&config, &context);
  if (status != GAN_OK) return complain("%s", gan_status_text(status)), 2;
  int done = work(context, &s);
  gan_context_free(context);
  return !done;
}
