#include "history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "say.h"

static const char HEADER[] = "step,epoch,loss_d,loss_g,d_real,d_fake,norm_d,norm_g,samples_per_second\n";
enum { LONGEST_ROW = 256 };
static const size_t LARGEST = (size_t)1 << 30;

static int append(struct history *h, const struct point *point) {
  if (h->count == h->capacity) {
    size_t capacity = h->capacity ? 2 * h->capacity : 1024;
    struct point *points = realloc(h->points, capacity * sizeof *points);
    if (!points) return complain_memory();
    h->points = points;
    h->capacity = capacity;
  }
  h->points[h->count++] = *point;
  return 1;
}

int history_add(struct history *h, const gan_progress *p) {
  struct point point = {p->step,   p->epoch,  p->loss_d, p->loss_g, p->d_real,
                        p->d_fake, p->norm_d, p->norm_g, p->samples_per_second};
  return append(h, &point);
}

static int parse_row(const char *row, struct point *p) {
  return sscanf(row, "%" SCNd64 ",%lf,%lf,%lf,%lf,%lf,%lf,%lf,%lf", &p->step, &p->epoch, &p->loss_d, &p->loss_g, &p->d_real,
                &p->d_fake, &p->norm_d, &p->norm_g, &p->samples_per_second) == 9;
}

int history_read(struct history *h, const char *path, int64_t last_step) {
  size_t size;
  char *text = (char *)file_read(path, LARGEST, &size);
  if (!text) return 0;
  int done = strncmp(text, HEADER, sizeof HEADER - 1) == 0;
  if (!done) complain("%s does not start with the names of this program's columns", path);
  struct point point;
  for (const char *row = text; done && (row = strchr(row, '\n')) && row[1];) {
    row++;
    if (!parse_row(row, &point)) done = complain("%s has a row that is no row of numbers", path);
    else if (point.step > last_step) break;
    else done = append(h, &point);
  }
  free(text);
  return done;
}

static int print_row(char *row, const struct point *p) {
  static const char FORMAT[] = "%" PRId64 ",%.4f,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g\n";
  return snprintf(row, LONGEST_ROW, FORMAT, p->step, p->epoch, p->loss_d, p->loss_g, p->d_real, p->d_fake, p->norm_d, p->norm_g,
                  p->samples_per_second);
}

int history_write(const struct history *h, const char *path) {
  char *text = malloc(sizeof HEADER + LONGEST_ROW * h->count);
  if (!text) return complain_memory();
  size_t used = sizeof HEADER - 1;
  memcpy(text, HEADER, used);
  for (size_t i = 0; i < h->count; i++) used += (size_t)print_row(text + used, &h->points[i]);
  int done = file_write(path, text, used);
  free(text);
  return done;
}

void history_free(struct history *h) {
  free(h->points);
  *h = (struct history){0};
}
