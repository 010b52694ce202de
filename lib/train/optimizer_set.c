/* The set of parameters of an optimizer: patterns over the paths of networks. */
#include <string.h>

#include "train/optimizer.h"

/* '*' stands for any run of bytes. The pattern ends at `end`. */
static int32_t matches(const char *pattern, const char *end, const char *path) {
  const char *star = NULL, *retry = NULL;
  while (*path) {
    if (pattern < end && *pattern == '*') {
      star = ++pattern;
      retry = path;
    } else if (pattern < end && *pattern == *path) {
      pattern++, path++;
    } else if (star) {
      pattern = star;
      path = ++retry;
    } else {
      return 0;
    }
  }
  while (pattern < end && *pattern == '*') pattern++;
  return pattern == end;
}

static int32_t contains(const gan_optimizer *o, const struct variable *v) {
  for (int64_t i = 0; i < o->n_parameters; i++)
    if (o->parameters[i].variable == v) return 1;
  return 0;
}

static char *join_path(gan_context *ctx, const char *network, const char *path) {
  struct text text;
  text_init(&text, ctx);
  text_add(&text, network);
  text_add(&text, "/");
  text_add(&text, path);
  char *joined = text.failed ? NULL : context_strdup(ctx, text_get(&text));
  text_free(&text);
  return joined;
}

/* Room was made before: nothing but the path can fail. */
static gan_status add_one(gan_optimizer *o, const gan_network *n, const struct network_variable *v, double rate, double decay) {
  struct optimizer_parameter *p = &o->parameters[o->n_parameters];
  memset(p, 0, sizeof *p);
  p->path = join_path(o->ctx, n->name, v->path);
  if (!p->path) return GAN_ERROR_MEMORY;
  p->variable = variable_ref(v->variable);
  p->rate = rate;
  p->decay = decay;
  p->first = o->count;
  o->count += v->variable->count;
  o->n_parameters++;
  return GAN_OK;
}

/* One pattern of a list; `out`: what matches it is left out. */
struct pattern { const char *begin, *end; int32_t out; };

/* The first pattern at `list`, without the blanks around it; gives where the next one begins, or NULL. */
static const char *read_pattern(const char *list, struct pattern *p) {
  list += strspn(list, " \t");
  p->out = *list == '!';
  p->begin = list + p->out + strspn(list + p->out, " \t");
  const char *next = p->begin + strcspn(p->begin, ",");
  p->end = next;
  while (p->end > p->begin && (p->end[-1] == ' ' || p->end[-1] == '\t')) p->end--;
  return *next ? next + 1 : NULL;
}

static int32_t left_out(const char *list, const char *path) {
  struct pattern p;
  while (list) {
    list = read_pattern(list, &p);
    if (p.out && matches(p.begin, p.end, path)) return 1;
  }
  return 0;
}

/* What is in the set stays as it is: networks may share parameters. */
static gan_status add_matching(gan_optimizer *o, gan_network *n, const struct pattern *p, const char *list, double rate,
                               double decay) {
  int64_t matched = 0;
  for (int64_t i = 0; i < n->n_variables; i++) {
    const struct network_variable *v = &n->variables[i];
    if (!v->variable->trainable || !matches(p->begin, p->end, v->path)) continue;
    matched++;
    if (!p->out && !contains(o, v->variable) && !left_out(list, v->path)) TRY(add_one(o, n, v, rate, decay));
  }
  REQUIRE(o->ctx, matched > 0, "optimizer '%s': no parameter of network '%s' matches '%.*s'", o->name, n->name,
          (int)(p->end - p->begin), p->begin);
  return GAN_OK;
}

static gan_status add_patterns(gan_optimizer *o, gan_network *n, const char *list, double rate, double decay) {
  struct pattern p;
  for (const char *at = list; at;) {
    at = read_pattern(at, &p);
    TRY(add_matching(o, n, &p, list, rate, decay));
  }
  return GAN_OK;
}

/* Takes back what a call that failed half way had added. */
static void truncate_set(gan_optimizer *o, int64_t n) {
  while (o->n_parameters > n) {
    struct optimizer_parameter *p = &o->parameters[--o->n_parameters];
    o->count -= p->variable->count;
    variable_unref(p->variable);
    context_strfree(o->ctx, p->path);
  }
}

static int32_t has_network(const gan_optimizer *o, const gan_network *n) {
  for (int64_t i = 0; i < o->n_networks; i++)
    if (o->networks[i] == n) return 1;
  return 0;
}

static gan_status make_room(gan_optimizer *o, const gan_network *n) {
  TRY(context_grow(o->ctx, (void **)&o->networks, &o->cap_networks, o->n_networks + 1, sizeof *o->networks));
  return context_grow(o->ctx, (void **)&o->parameters, &o->cap_parameters, o->n_parameters + n->n_variables,
                      sizeof *o->parameters);
}

gan_status gan_optimizer_add(gan_optimizer *o, gan_network *network, const char *pattern, double rate, double decay) {
  if (!o) return gan_fail(NULL, GAN_ERROR_ARGUMENT, "gan_optimizer_add: optimizer is NULL");
  REQUIRE(o->ctx, network, "optimizer '%s': gan_optimizer_add: network is NULL", o->name);
  REQUIRE(o->ctx, network->ctx == o->ctx, "optimizer '%s': network '%s' is of another context", o->name, network->name);
  REQUIRE(o->ctx, rate >= 0 && rate <= 1e30, "optimizer '%s': the multiplier of the rate must be finite and not negative",
          o->name);
  REQUIRE(o->ctx, decay >= 0 && decay <= 1e30, "optimizer '%s': the multiplier of the decay must be finite and not negative",
          o->name);
  if (o->sealed) return gan_fail(o->ctx, GAN_ERROR_STATE, "optimizer '%s' is in a prepared game: its set is closed", o->name);
  TRY(gan_network_finish(network));
  TRY(make_room(o, network));
  int64_t before = o->n_parameters;
  gan_status status = add_patterns(o, network, pattern ? pattern : "*", rate, decay);
  if (status != GAN_OK) {
    truncate_set(o, before);
    return status;
  }
  if (!has_network(o, network)) o->networks[o->n_networks++] = network_ref(network);
  return GAN_OK;
}
