/* One axis of the transforms of Winograd's convolutions: a row of points from rows of pixels, each times a factor. */
#include "kernels/conv_winograd.h"

#include <string.h>

struct run winograd_run(const struct winograd *p, int64_t first, int64_t end) {
  int64_t row = first / p->w.cells, cell = first % p->w.cells;
  return (struct run){row / p->h.cells, row % p->h.cells, cell, least(end - first, p->w.cells - cell)};
}

struct combination winograd_terms(const float *from, int64_t from_step, const float *factor, int64_t factor_step, int64_t n) {
  struct combination c = {.n = 0};
  for (int64_t i = 0; i < n; i++) {
    if (factor[i * factor_step] == 0.0f) continue;
    c.from[c.n] = from + i * from_step;
    c.factor[c.n++] = factor[i * factor_step];
  }
  return c;
}

void winograd_line(const struct kernels *k, const struct source *s, const struct line *l, float *to) {
  struct conv_range row = conv_inside(l->first_row, l->row_step, s->height, l->rows);
  struct conv_range column = conv_inside(l->first_column, l->column_step, s->width, l->columns);
  if (row.first == row.end) column = (struct conv_range){0, 0};
  memset(to, 0, (size_t)(column.first * l->channels) * sizeof *to);
  if (column.first < column.end) {
    int64_t pitch = s->width * s->pitch, first_row = l->first_row + row.first * l->row_step;
    const float *from = s->at + first_row * pitch + (l->first_column + column.first * l->column_step) * s->pitch;
    struct combination c = winograd_terms(from, l->row_step * pitch, l->factor + row.first, 1, row.end - row.first);
    c.step = l->column_step * s->pitch;
    k->conv->combine(to + column.first * l->channels, l->channels, &c, column.end - column.first, l->channels);
  }
  memset(to + column.end * l->channels, 0, (size_t)((l->columns - column.end) * l->channels) * sizeof *to);
}

struct line winograd_source_line(const struct winograd *p, const struct run *r, int64_t point, int64_t h, int64_t w) {
  return (struct line){
    .first_row = r->row * p->h.f->cell * p->h.step + p->h.segment[h].offset,
    .row_step = p->h.step,
    .first_column = r->cell * p->w.f->cell * p->w.step + p->w.segment[w].offset,
    .column_step = p->w.step,
    .columns = winograd_line_columns(p, r->count),
    .channels = p->in,
    .factor = p->h.f->b[point],
    .rows = p->h.f->points,
  };
}

int64_t winograd_line_columns(const struct winograd *p, int64_t cells) {
  return cells > 0 ? (cells - 1) * p->w.f->cell + p->w.f->points : 0;
}
