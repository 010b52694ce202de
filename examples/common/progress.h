/* One line at the terminal while a network trains; a line now and then where the output is no terminal. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <gan.h>

struct progress_line {
  int32_t quiet;       /* nothing is printed */
  int32_t terminal;    /* overwrite the line */
  int32_t width;       /* letters of the line that stands */
  double next;         /* seconds at which the next one is due */
  double began;        /* a clock's time of progress_begin */
};

void progress_begin(struct progress_line *line, int32_t quiet);
void progress_show(struct progress_line *line, const gan_progress *p, double seconds_left); /* now and then */
void progress_count(struct progress_line *line, const char *of, int64_t done, int64_t total); /* "1200 of 9000 pictures" */
void progress_end(struct progress_line *line, const gan_progress *p);                       /* the last state, and a newline */

#endif
