/* Command lines: one table of options feeds parsing, --help and the file in which a run's settings are kept. */
#ifndef CLI_H
#define CLI_H

#include <stddef.h>
#include <stdio.h>

enum cli_kind {
  CLI_TITLE,   /* no option: a title between options in the help */
  CLI_SWITCH,  /* int32_t: 1 if given */
  CLI_TEXT,    /* const char * */
  CLI_INTEGER, /* int64_t */
  CLI_NUMBER,  /* double */
  CLI_PAIR     /* int64_t[2], "AxB" or "A,B" */
};

struct cli_option {
  enum cli_kind kind;
  const char *name;    /* "batch" for --batch; the text of a title */
  const char *value;   /* what stands for the value in the help: "N" */
  const char *help;    /* a line */
  size_t target;       /* where its value goes: offset in the program's struct of settings */
  double low, high;    /* range of integers, numbers and pairs; low == high: none */
  const char *given;   /* out: the text as given; NULL: not given */
};

struct cli {
  const char *usage;   /* "gan-train [option...] DATA" */
  const char *about;   /* what the program does, a few lines */
  void *settings;      /* the struct that the targets lie in */
  struct cli_option *options;
  int count;
};

/* Parses argv[1 ..]. What is no option goes to operands, which has room for capacity. "--" ends the options. Returns the number
 * of operands, or -1 after a sentence on standard error. The strings are borrowed. */
int cli_parse(const struct cli *cli, int argc, char **argv, const char **operands, int capacity);

/* One option by name; text NULL for a switch. 1, or 0 after a sentence. */
int cli_set(const struct cli *cli, const char *name, const char *text);

void cli_help(const struct cli *cli, FILE *out);

/* Which of several names is nearest to a mistyped one; NULL if none is near. */
const char *cli_nearest(const char *name, int count, const char *(*at)(const void *names, int i), const void *names);

#endif
