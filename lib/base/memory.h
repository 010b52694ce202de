/* The allocator of contexts that were given none. What everybody uses is context_alloc, in base/context.h. */
#ifndef GAN_BASE_MEMORY_H
#define GAN_BASE_MEMORY_H

#include <stdint.h>

void *memory_default_allocate(void *user, int64_t size);
void memory_default_release(void *user, void *memory, int64_t size);

#endif
