/* What the caller registered in a context by name: custom layers, losses and penalties. */
#ifndef GAN_BASE_REGISTRY_H
#define GAN_BASE_REGISTRY_H

#include "base/context.h"

enum registry_kind { REGISTRY_LAYER, REGISTRY_LOSS, REGISTRY_PENALTY };

typedef void (*registry_function)(void);   /* cast back by the floor that owns the kind */

struct registered { int32_t kind; const char *name; registry_function function; void *user; gan_release release; };

gan_status registry_add(gan_context *ctx, int32_t kind, const char *name, registry_function function, void *user, gan_release release);
const struct registered *registry_find(const gan_context *ctx, int32_t kind, const char *name);   /* NULL if there is none */
void registry_free(gan_context *ctx);                                                             /* calls the releases */
int32_t name_is_valid(const char *name);   /* letters, digits, '-', '_', '.'; 1 to 63 bytes; no '/' */

#endif
