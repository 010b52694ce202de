/* One line at the terminal while a network trains; a line now and then where the output is no terminal. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <gan.h>

struct progress_line {
  int32_t quiet;       /* nothing is printed */
  int32_t terminal;    /* overwrite the line */
  int32_t width;       /* letters of the line that stands */
  double next;         /* seconds at which the next one is due */
};

void progress_begin(struct progress_line *line, int32_t quiet);
void progress_show(struct progress_line *line, const gan_progress *p, double seconds_left); /* now and then */
void progress_end(struct progress_line *line, const gan_progress *p);                       /* the last state, and a newline */

#endif
