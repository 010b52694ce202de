#define _POSIX_C_SOURCE 200809L
#include "progress.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const double AT_A_TERMINAL = 0.1, IN_A_FILE = 5;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void progress_begin(struct progress_line *line, int32_t quiet) {
  *line = (struct progress_line){.quiet = quiet, .terminal = isatty(STDOUT_FILENO), .began = now()};
}

/* 75 -> "1:15", 4000 -> "1:06:40" */
static void duration(char *text, size_t size, double seconds) {
  int64_t s = isfinite(seconds) && seconds > 0 ? llround(fmin(seconds, 1e9)) : 0;
  if (s < 3600) snprintf(text, size, "%" PRId64 ":%02d", s / 60, (int)(s % 60));
  else snprintf(text, size, "%" PRId64 ":%02d:%02d", s / 3600, (int)(s / 60 % 60), (int)(s % 60));
}

/* Over the text that stands there. */
static void put(struct progress_line *line, const char *text, int width) {
  int blanks = line->width > width ? line->width - width : 0;
  if (line->terminal) printf("\r%s%*s", text, blanks, "");
  else printf("%s\n", text);
  line->width = width;
  fflush(stdout);
}

static void print(struct progress_line *line, const gan_progress *p, double seconds, const char *unit) {
  char text[256], time[32];
  duration(time, sizeof time, seconds);
  int width = snprintf(text, sizeof text,
                       "epoch %.2f  step %" PRId64 "  loss D %.3f G %.3f  D(x) %.2f  D(G(z)) %.2f  grad D %.2g G %.2g  %.0f/s  %s %s",
                       p->epoch, p->step, p->loss_d, p->loss_g, p->d_real, p->d_fake, p->norm_d, p->norm_g, p->samples_per_second,
                       time, unit);
  put(line, text, width);
}

void progress_count(struct progress_line *line, const char *of, int64_t done, int64_t total) {
  char text[128];
  if (line->quiet) return;
  double seconds = now() - line->began;
  int last = done == total && line->width > 0;
  if (!last && (seconds < 1 || seconds < line->next)) return;
  line->next = seconds + (line->terminal ? AT_A_TERMINAL : IN_A_FILE);
  put(line, text, snprintf(text, sizeof text, "%" PRId64 " of %" PRId64 " %s", done, total, of));
  if (last && line->terminal) putchar('\n');
}

void progress_show(struct progress_line *line, const gan_progress *p, double seconds_left) {
  if (line->quiet || p->seconds < line->next) return;
  line->next = p->seconds + (line->terminal ? AT_A_TERMINAL : IN_A_FILE);
  print(line, p, seconds_left, "left");
}

void progress_end(struct progress_line *line, const gan_progress *p) {
  if (line->quiet) return;
  print(line, p, p->seconds, "in all");
  if (line->terminal) putchar('\n');
}
