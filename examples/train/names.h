/* What libgan has got by name: presets, layers, losses .. */
#ifndef NAMES_H
#define NAMES_H

void names_list(void);                 /* all, by kind */
int names_describe(const char *name);  /* help on one; 1, or 0 after a sentence */

#endif
