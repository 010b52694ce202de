/* A small font for the scales and legends of curves: letters of 5x7 points, drawn for this project. */
#ifndef FONT_H
#define FONT_H

enum { FONT_WIDTH = 5, FONT_HEIGHT = 7 };

/* 35 characters, '#' or '.', row by row; letters that the font has not got are blank. */
const char *font_letter(char letter);

#endif
