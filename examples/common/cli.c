#include "cli.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"

enum { NAME_MAX_LENGTH = 63 };

/* ------------------------------------------------------------------------------------------------------- did you mean? */

static int smaller(int a, int b) {
  return a < b ? a : b;
}

/* Number of letters to insert, delete or replace (Levenshtein 1966). */
static int edit_distance(const char *a, const char *b) {
  int row[NAME_MAX_LENGTH + 1];
  int n = (int)strlen(b);
  if (strlen(a) > NAME_MAX_LENGTH || n > NAME_MAX_LENGTH) return NAME_MAX_LENGTH;
  for (int j = 0; j <= n; j++) row[j] = j;
  for (int i = 0; a[i]; i++) {
    int diagonal = row[0];
    row[0] = i + 1;
    for (int j = 0; j < n; j++) {
      int replaced = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = smaller(replaced, 1 + smaller(diagonal, row[j]));
    }
  }
  return row[n];
}

const char *cli_nearest(const char *name, int count, const char *(*at)(const void *names, int i), const void *names) {
  const char *nearest = NULL;
  int least = 1 + (int)strlen(name) / 3;
  for (int i = 0; i < count; i++) {
    const char *candidate = at(names, i);
    int distance = candidate ? edit_distance(name, candidate) : NAME_MAX_LENGTH;
    if (distance <= least) {
      least = distance - 1;
      nearest = candidate;
    }
  }
  return nearest;
}

static const char *option_at(const void *options, int i) {
  const struct cli_option *option = (const struct cli_option *)options + i;
  return option->kind == CLI_TITLE ? NULL : option->name;
}

static int unknown_option(const struct cli *cli, const char *name) {
  const char *nearest = cli_nearest(name, cli->count, option_at, cli->options);
  if (nearest) return complain("there is no option --%s; did you mean --%s?", name, nearest);
  return complain("there is no option --%s; --help lists all", name);
}

/* -------------------------------------------------------------------------------------------------------------- values */

static int in_range(const struct cli_option *option, double value, const char *text) {
  if (option->low == option->high || (value >= option->low && value <= option->high)) return 1;
  if (isinf(option->high)) return complain("--%s must be at least %g, not %s", option->name, option->low, text);
  return complain("--%s must be %g to %g, not %s", option->name, option->low, option->high, text);
}

static int parse_integer(const struct cli_option *option, const char *text, char **end, int64_t *value) {
  errno = 0;
  *value = strtoll(text, end, 10);
  if (*end == text || errno) return complain("--%s takes a whole number, not '%s'", option->name, text);
  return in_range(option, (double)*value, text);
}

static int set_integer(const struct cli_option *option, const char *text, int64_t *target) {
  char *end;
  int64_t value;
  if (!parse_integer(option, text, &end, &value)) return 0;
  if (*end) return complain("--%s takes a whole number, not '%s'", option->name, text);
  *target = value;
  return 1;
}

static int set_number(const struct cli_option *option, const char *text, double *target) {
  char *end;
  double value = strtod(text, &end);
  if (end == text || *end || !isfinite(value)) return complain("--%s takes a number, not '%s'", option->name, text);
  if (!in_range(option, value, text)) return 0;
  *target = value;
  return 1;
}

static int set_pair(const struct cli_option *option, const char *text, int64_t *target) {
  char *end;
  int64_t pair[2];
  if (!parse_integer(option, text, &end, &pair[0])) return 0;
  if (*end != 'x' && *end != ',') return complain("--%s takes %s, not '%s'", option->name, option->value, text);
  if (!parse_integer(option, end + 1, &end, &pair[1])) return 0;
  if (*end) return complain("--%s takes %s, not '%s'", option->name, option->value, text);
  memcpy(target, pair, sizeof pair);
  return 1;
}

/* Without a word of value where one is needed, and the other way round. */
static int fits(const struct cli_option *option, const char *text) {
  if (option->kind == CLI_SWITCH) return !text || complain("--%s takes no value", option->name);
  return (text && text[0]) || complain("--%s needs a value: %s", option->name, option->value);
}

static int store(const struct cli_option *option, const char *text, void *target) {
  switch (option->kind) {
    case CLI_SWITCH: *(int32_t *)target = 1; return 1;
    case CLI_TEXT: *(const char **)target = text; return 1;
    case CLI_INTEGER: return set_integer(option, text, target);
    case CLI_NUMBER: return set_number(option, text, target);
    case CLI_PAIR: return set_pair(option, text, target);
    default: return 0;
  }
}

static int set(const struct cli *cli, struct cli_option *option, const char *text) {
  if (!fits(option, text) || !store(option, text, (char *)cli->settings + option->target)) return 0;
  option->given = text ? text : "";
  return 1;
}

/* ------------------------------------------------------------------------------------------------------------- parsing */

static struct cli_option *find(const struct cli *cli, const char *name) {
  for (int i = 0; i < cli->count; i++) {
    struct cli_option *option = &cli->options[i];
    if (option->kind != CLI_TITLE && strcmp(option->name, name) == 0) return option;
  }
  return NULL;
}

int cli_set(const struct cli *cli, const char *name, const char *text) {
  struct cli_option *option = find(cli, name);
  return option ? set(cli, option, text) : unknown_option(cli, name);
}

/* "--name", "--name=value" or "--name value"; returns how many words were used, 0 after a complaint. */
static int parse_option(const struct cli *cli, int words, char **word) {
  char name[NAME_MAX_LENGTH + 1];
  const char *text = word[0] + 2, *equals = strchr(text, '=');
  size_t length = equals ? (size_t)(equals - text) : strlen(text);
  if (length > NAME_MAX_LENGTH) return complain("there is no option %s; --help lists all", word[0]);
  memcpy(name, text, length);
  name[length] = 0;
  struct cli_option *option = find(cli, name);
  if (!option) return unknown_option(cli, name);
  if (equals) return set(cli, option, equals + 1);
  if (option->kind == CLI_SWITCH) return set(cli, option, NULL);
  return set(cli, option, words > 1 ? word[1] : NULL) ? 2 : 0;
}

int cli_parse(const struct cli *cli, int argc, char **argv, const char **operands, int capacity) {
  int found = 0, only_operands = 0;
  for (int i = 1; i < argc;) {
    const char *word = argv[i];
    if (!only_operands && strcmp(word, "--") == 0) {
      only_operands = 1;
      i++;
    } else if (!only_operands && strcmp(word, "-h") == 0) {
      if (!cli_set(cli, "help", NULL)) return -1;
      i++;
    } else if (!only_operands && strncmp(word, "--", 2) == 0) {
      int used = parse_option(cli, argc - i, argv + i);
      if (!used) return -1;
      i += used;
    } else if (!only_operands && word[0] == '-' && word[1]) {
      return complain("there is no option %s; options have two dashes, --help lists all", word) - 1;
    } else if (found == capacity) {
      return complain("'%s' is one name too many; usage: %s", word, cli->usage) - 1;
    } else {
      operands[found++] = word;
      i++;
    }
  }
  return found;
}

/* ---------------------------------------------------------------------------------------------------------------- help */

void cli_help(const struct cli *cli, FILE *out) {
  fprintf(out, "usage: %s\n\n%s\n", cli->usage, cli->about);
  for (int i = 0; i < cli->count; i++) {
    const struct cli_option *option = &cli->options[i];
    char left[NAME_MAX_LENGTH + 1];
    if (option->kind == CLI_TITLE) {
      fprintf(out, "\n%s\n", option->name);
      continue;
    }
    snprintf(left, sizeof left, "--%s %s", option->name, option->value ? option->value : "");
    fprintf(out, "  %-24s %s\n", left, option->help);
  }
}
