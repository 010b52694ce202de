/* Several names with parameters in one text: "r1 weight=10 every=16; lecam". */
#ifndef GAN_TRAIN_ITEMS_H
#define GAN_TRAIN_ITEMS_H

#include "base/context.h"

enum { ITEM_TEXT = 512 };

typedef gan_status item_function(void *user, const char *item);

/* Calls add for each item of a list, without the blanks around it; empty ones are passed over. text NULL: none. */
gan_status items_each(gan_context *ctx, const char *what, const char *text, item_function *add, void *user);

#endif
