/* Sentences for the person at the terminal: on standard error, after the program's name. */
#ifndef SAY_H
#define SAY_H

#include <gan.h>

extern const char *program_name; /* defined by each program: "gan-train" */

#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
int complain(const char *format, ...); /* prints "program: sentence"; returns 0, so that `return complain(..)` means "no" */

int complain_gan(const gan_context *context, const char *doing, gan_status status); /* with the library's own sentence; returns 0 */
int complain_memory(void);                                                         /* returns 0 */

#endif
