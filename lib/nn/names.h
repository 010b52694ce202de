/* Names in tables are written with hyphens; whoever is used to underscores may write those. */
#ifndef GAN_NN_NAMES_H
#define GAN_NN_NAMES_H

#include <stdint.h>

int32_t names_match(const char *name, const char *came);    /* 1 if equal with every '_' of came read as '-' */

#endif
