/* Three panels over the steps: losses, what the discriminator says, norms of the gradients. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "history.h"
#include "picture.h"
#include "png_io.h"

enum { WIDTH = 900, PANEL = 220, LEFT = 70, RIGHT = 30, TOP = 24, BOTTOM = 26 };

static const struct color WHITE = {255, 255, 255}, BLACK = {40, 40, 40}, GRID = {225, 225, 225};

struct curve {
  const char *name;
  double (*value)(const struct point *p);
  struct color strong, pale;
};

struct axes {
  int64_t top;              /* of the panel */
  double low, high;         /* values at the lower and upper edge */
  double first, last;       /* steps at the left and right edge */
};

static double loss_d(const struct point *p) { return p->loss_d; }
static double loss_g(const struct point *p) { return p->loss_g; }
static double d_real(const struct point *p) { return p->d_real; }
static double d_fake(const struct point *p) { return p->d_fake; }
static double norm_d(const struct point *p) { return p->norm_d; }
static double norm_g(const struct point *p) { return p->norm_g; }

#define BLUE {31, 90, 180}, {200, 216, 240}
#define ORANGE {214, 96, 20}, {250, 220, 196}
static const struct curve panels[3][2] = {
  {{"loss of D", loss_d, BLUE}, {"loss of G", loss_g, ORANGE}},
  {{"D(x)", d_real, BLUE}, {"D(G(z))", d_fake, ORANGE}},
  {{"gradient norm of D", norm_d, BLUE}, {"gradient norm of G", norm_g, ORANGE}},
};

static double place_x(const struct axes *a, double step) {
  return LEFT + (WIDTH - LEFT - RIGHT) * (step - a->first) / (a->last - a->first);
}

static double place_y(const struct axes *a, double value) {
  double share = fmin(fmax((value - a->low) / (a->high - a->low), 0), 1);
  return (double)a->top + TOP + (PANEL - TOP - BOTTOM) * (1 - share);
}

static void widen(struct axes *a, const struct history *h, const struct curve *c) {
  for (size_t i = 0; i < h->count; i++) {
    double value = c->value(&h->points[i]);
    if (!isfinite(value)) continue;
    a->low = fmin(a->low, value);
    a->high = fmax(a->high, value);
  }
}

static struct axes fit(const struct history *h, const struct curve *curves, int64_t top) {
  struct axes a = {.top = top, .low = INFINITY, .high = -INFINITY, .first = 0, .last = 1};
  widen(&a, h, &curves[0]);
  widen(&a, h, &curves[1]);
  if (!isfinite(a.low)) a.low = 0, a.high = 1;
  if (a.high - a.low < 1e-9) a.low -= 0.5, a.high += 0.5;
  if (h->count) a.last = fmax(1, (double)h->points[h->count - 1].step);
  return a;
}

/* Distance of round numbers: 1, 2 or 5 times a power of ten, about `wanted` of them in a range. */
static double round_distance(double range, int wanted) {
  double unit = pow(10, floor(log10(range / wanted))), ratio = range / wanted / unit;
  return unit * (ratio < 2 ? 1 : ratio < 5 ? 2 : 5);
}

static void draw_scales(struct picture *p, const struct axes *a) {
  char text[32];
  double step = round_distance(a->high - a->low, 5);
  for (double v = ceil(a->low / step) * step; v <= a->high; v += step) {
    double y = place_y(a, v);
    snprintf(text, sizeof text, "%.4g", fabs(v) < step / 1e6 ? 0 : v);
    draw_line(p, LEFT, y, WIDTH - RIGHT, y, GRID);
    draw_text(p, 8, lround(y) - LETTER_HEIGHT / 2, text, BLACK);
  }
  step = fmax(1, round_distance(a->last - a->first, 8));
  for (double v = a->first; v <= a->last; v += step) {
    double x = place_x(a, v);
    snprintf(text, sizeof text, "%.0f", v);
    draw_line(p, x, place_y(a, a->low), x, place_y(a, a->high), GRID);
    draw_text(p, lround(x) - LETTER_WIDTH * (int64_t)strlen(text) / 2, a->top + PANEL - BOTTOM + 6, text, BLACK);
  }
  draw_line(p, LEFT, place_y(a, a->low), WIDTH - RIGHT, place_y(a, a->low), BLACK);
  draw_line(p, LEFT, place_y(a, a->low), LEFT, place_y(a, a->high), BLACK);
}

/* One line from point to point; smooth: of the running mean over about a fiftieth of the run. */
static void draw_curve(struct picture *p, const struct axes *a, const struct history *h, const struct curve *c, int smooth) {
  double share = smooth ? fmin(1, 50 / (double)h->count) : 1, mean = NAN, x0 = 0, y0 = 0;
  for (size_t i = 0; i < h->count; i++) {
    double value = c->value(&h->points[i]);
    if (!isfinite(value)) continue;
    int first = isnan(mean);
    mean = first ? value : mean + share * (value - mean);
    double x = place_x(a, (double)h->points[i].step), y = place_y(a, mean);
    if (!first) draw_line(p, x0, y0, x, y, smooth ? c->strong : c->pale);
    x0 = x, y0 = y;
  }
}

static void draw_panel(struct picture *p, const struct history *h, const struct curve *curves, int64_t top) {
  struct axes a = fit(h, curves, top);
  draw_scales(p, &a);
  for (int i = 0; i < 2; i++) draw_curve(p, &a, h, &curves[i], 0);
  for (int i = 0; i < 2; i++) {
    draw_curve(p, &a, h, &curves[i], 1);
    draw_box(p, LEFT + 160 * i, top + 10, 10, 3, curves[i].strong);
    draw_text(p, LEFT + 160 * i + 16, top + 8, curves[i].name, BLACK);
  }
}

int history_plot(const struct history *h, const char *path) {
  struct picture p;
  if (!picture_make(&p, WIDTH, 3 * PANEL, 3, WHITE)) return 0;
  for (int i = 0; i < 3; i++) draw_panel(&p, h, panels[i], PANEL * i);
  int done = png_write(path, &p);
  picture_free(&p);
  return done;
}
