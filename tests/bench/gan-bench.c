/* gan-bench: libgan's side of the side-by-side benchmark. docs/performance.md says what the figures mean. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "games.h"
#include "measure.h"

enum what { TRAINING, SAMPLING, BANDWIDTH, FIRST_SAMPLE, SAMPLE_ONCE, LOSSES };

struct request {
  enum what what;
  const char *preset; /* instead of cases */
  int threads, batch, listing, help; /* batch 0: the case's own */
  const struct bench_case *cases[32]; /* none: all */
  int count;
};

static const char USAGE[] =
  "usage: gan-bench [--threads N] [--batch N] [--infer | --bandwidth | --first-sample | --losses] [case..]\n"
  "\n"
  "One line of JSON for each case: a training step (of the case's batch, or of N samples), or with\n"
  "  --infer         the generator alone, at batches of 1 and 64\n"
  "  --bandwidth     steps and sampling at batch 1 beside what the memory allows\n"
  "  --first-sample  from the start of a process to its first sample\n"
  "  --losses        the losses of three steps of a game from weights and inputs that a formula gives\n"
  "  --preset TEXT   instead of cases: a step of the trainer on a preset, \"sagan-64 filters=16\"\n"
  "  --layers ..     the convolutions of the cases, one by one: F forward, X gradient to the input, W to the weights; takes\n"
  "                  --threads N, --isa N, --batch N, --milliseconds N, parts of layers' names, and F, X, W\n"
  "  --list          the names of the cases\n";

static int number(const char *option, const char *text, int low, int high, int *value) {
  char *end;
  long n = text ? strtol(text, &end, 10) : 0;
  if (!text || end == text || *end || n < low || n > high) {
    fprintf(stderr, "gan-bench: %s takes a number from %d to %d\n", option, low, high);
    return 0;
  }
  *value = (int)n;
  return 1;
}

static int add_case(struct request *r, const char *name) {
  const struct bench_case *c = bench_case_find(name);
  if (!c) return fprintf(stderr, "gan-bench: there is no case %s; --list names all\n", name), 0;
  if (r->count == 32) return fprintf(stderr, "gan-bench: too many cases\n"), 0;
  r->cases[r->count++] = c;
  return 1;
}

static int parse(struct request *r, int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    const char *word = argv[i];
    if (strcmp(word, "--threads") == 0) {
      if (!number(word, argv[++i], 1, 256, &r->threads)) return 0;
    } else if (strcmp(word, "--batch") == 0) {
      if (!number(word, argv[++i], 1, 65536, &r->batch)) return 0;
    } else if (strcmp(word, "--preset") == 0) {
      if (!(r->preset = argv[++i])) return fprintf(stderr, "gan-bench: --preset takes the name of a preset\n"), 0;
    } else if (strcmp(word, "--infer") == 0) r->what = SAMPLING;
    else if (strcmp(word, "--bandwidth") == 0) r->what = BANDWIDTH;
    else if (strcmp(word, "--first-sample") == 0) r->what = FIRST_SAMPLE;
    else if (strcmp(word, "--losses") == 0) r->what = LOSSES;
    else if (strcmp(word, "--sample-once") == 0) r->what = SAMPLE_ONCE;
    else if (strcmp(word, "--list") == 0) r->listing = 1;
    else if (strcmp(word, "--help") == 0) r->help = 1;
    else if (word[0] == '-') return fprintf(stderr, "gan-bench: there is no option %s\n%s", word, USAGE), 0;
    else if (!add_case(r, word)) return 0;
  }
  return 1;
}

static int measure_step(const struct request *r, const struct bench_case *c) {
  struct bench_case sized = *c;
  if (r->batch) sized.batch = r->batch;
  return measure_training(&sized, r->threads);
}

static int measure(const struct request *r, const struct bench_case *c, const char *program) {
  if (c->play && r->what != TRAINING && r->what != LOSSES)
    return fprintf(stderr, "gan-bench: %s is a training step only\n", c->name), 0;
  switch (r->what) {
    case TRAINING: return measure_step(r, c);
    case SAMPLING: return measure_sampling(c, r->threads, 1) && measure_sampling(c, r->threads, 64);
    case BANDWIDTH: return (c->batch > 1 || measure_training_bandwidth(c, r->threads)) && measure_sampling_bandwidth(c, r->threads);
    case FIRST_SAMPLE: return measure_first_sample(c, program);
    case SAMPLE_ONCE: return sample_once(c);
    case LOSSES: return bench_losses(c, r->threads);
  }
  return 0;
}

/* Layers are measured below the public header, by a program of its own beside this one. */
static int become_layers(int argc, char **argv) {
  char path[4096];
  const char *slash = strrchr(argv[0], '/');
  int folder = slash ? (int)(slash - argv[0]) + 1 : 0, kept = 0;
  for (int i = 0; i < argc; i++)
    if (strcmp(argv[i], "--layers") != 0) argv[kept++] = argv[i];
  argv[kept] = NULL;
  snprintf(path, sizeof path, "%.*sconv_bench", folder, argv[0]);
  execvp(path, argv);
  return fprintf(stderr, "gan-bench: %s is missing\n", path), 1;
}

static int names_layers(int argc, char **argv) {
  for (int i = 1; i < argc; i++)
    if (strcmp(argv[i], "--layers") == 0) return 1;
  return 0;
}

int main(int argc, char **argv) {
  struct request r = {.threads = 1};
  int done = 1;
  if (names_layers(argc, argv)) return become_layers(argc, argv);
  if (!parse(&r, argc, argv)) return 2;
  if (r.help) return fputs(USAGE, stdout), 0;
  for (int i = 0; r.listing && i < bench_case_count; i++) puts(bench_cases[i].name);
  if (r.listing) return 0;
  if (r.preset) return !measure_preset(r.preset, r.threads, r.batch);
  if (r.count == 0) {
    for (int i = 0; i < bench_case_count; i++)
      if (r.what == TRAINING || !bench_cases[i].play == (r.what != LOSSES)) r.cases[r.count++] = &bench_cases[i];
  }
  for (int i = 0; i < r.count; i++) done = measure(&r, r.cases[i], argv[0]) && done;
  return !done;
}
